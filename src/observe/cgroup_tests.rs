use super::*;

#[test]
fn groups_that_boxwright_is_in_do_not_count() {
    assert_eq!(own_groups("/a/b/c", "/"), ["/a/b/c", "/a/b", "/a"]);
    assert_eq!(own_groups("/a/b/c", "/a"), ["/a/b/c", "/a/b"]);
    assert_eq!(own_groups("/a/b", "/a/b"), [""; 0]);
    assert_eq!(own_groups("/ab", "/a"), ["/ab"]);
    assert_eq!(own_groups("/", "/"), [""; 0]);
    assert_eq!(own_groups("/a", "/a/own"), [""; 0]);
}

#[test]
fn a_value_without_a_limit_is_none() {
    assert_eq!(limit("max\n"), None);
    assert_eq!(limit("9223372036854771712\n"), None);
    assert_eq!((limit("4611686018427387904"), limit("4611686018427387903")), (None, Some((1 << 62) - 1)));
    assert_eq!(limit("10485760\n"), Some(10485760));
    assert_eq!(parse_cpu_max("max 100000\n"), (None, Some(100000)));
    assert_eq!(parse_cpu_max("50000 100000\n"), (Some(50000), Some(100000)));
    assert_eq!(parse_cpu_max(""), (None, None));
}

/// Files as a version 2 and a version 1 kernel show them, in a directory that stands for the mount.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, value) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, value).unwrap();
    }
    dir
}

#[test]
fn version_2_files_are_read() {
    let dir = tree(&[
        (
            "box/cpu.stat",
            "usage_usec 2113044\nuser_usec 1\nsystem_usec 2\nnr_periods 47\nnr_throttled 43\nthrottled_usec 1999\n",
        ),
        ("box/cpu.max", "50000 100000\n"),
        ("box/cpu.pressure", "some avg10=51.25 avg60=9.00 avg300=1.00 total=77\nfull avg10=0.50 avg60=0.00 total=7\n"),
        ("box/memory.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"),
        ("box/memory.swap.current", "8192\n"),
        ("box/memory.current", "5242880\n"),
        ("box/memory.peak", "10485760\n"),
        ("box/memory.max", "10485760\n"),
        ("box/memory.swap.max", "4096\n"),
        ("box/memory.events", "low 0\nhigh 0\nmax 12\noom 2\noom_kill 1\noom_group_kill 0\n"),
        ("box/pids.current", "3\n"),
        ("box/pids.max", "max\n"),
    ]);
    let point = dir.path().to_str().unwrap().to_string();
    let hierarchies = [Hierarchy { version: 2, controllers: vec![], root: "/".into(), point: point.clone() }];
    let memberships = parse_membership("0::/box\n");
    let group = read(&hierarchies, &memberships);
    let cpu = Cpu {
        usage_micros: Some(2113044),
        quota_micros: Some(50000),
        period_micros: Some(100000),
        periods: Some(47),
        throttled: Some(43),
        throttled_micros: Some(1999),
        pressure: Some(Pressure { some: 51.25, full: Some(0.5) }),
    };
    assert_eq!(group.cpu, cpu);
    let memory = Memory {
        current: Some(5242880),
        peak: Some(10485760),
        limit: Some(10485760),
        with_swap: Some(10489856),
        current_with_swap: Some(5251072),
        limit_hits: Some(12),
        ooms: Some(2),
        oom_kills: Some(1),
        pressure: Some(Pressure { some: 0.0, full: None }),
    };
    assert_eq!(group.io.pressure, None, "the file is not there");
    assert_eq!(group.memory, memory);
    assert_eq!(group.memory.swapped(), Some(8192));
    assert_eq!(group.pids, Pids { current: Some(3), max: None });
    assert_eq!(group.paths.get("").map(String::as_str), Some("/box"));
    let limit = applied_limit(&hierarchies, &memberships, &parse_membership("0::/\n"));
    assert_eq!(limit, Some(format!("{point}/box/cpu.max: 50000 100000; {point}/box/memory.max: 10485760")));
    assert_eq!(applied_limit(&hierarchies, &memberships, &memberships), None);
    for (file, value) in [("pids.max", "20\n"), ("cpuset.cpus", "0\n"), ("io.max", "8:0 rbps=1048576\n")] {
        std::fs::write(format!("{point}/box/{file}"), value).unwrap();
    }
    let limit = applied_limit(&hierarchies, &memberships, &parse_membership("0::/\n")).unwrap();
    for named in ["cpu.max: 50000", "pids.max: 20;", "cpuset.cpus: 0;", "io.max: 8:0 rbps=1048576"] {
        assert!(limit.contains(named), "{limit}");
    }
}

#[test]
fn version_1_files_are_read_from_two_hierarchies() {
    let dir = tree(&[
        ("cpu/box/cpu.stat", "nr_periods 4\nnr_throttled 3\nthrottled_time 99999\n"),
        ("cpu/box/cpu.cfs_quota_us", "-1\n"),
        ("cpu/box/cpu.cfs_period_us", "100000\n"),
        ("acct/box/cpuacct.usage", "2113044999\n"),
        ("memory/box/memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory/box/memory.memsw.limit_in_bytes", "20971520\n"),
        ("memory/box/memory.failcnt", "5\n"),
        ("memory/box/memory.memsw.usage_in_bytes", "4096\n"),
        ("memory/box/memory.pressure", "some avg10=1.00\n"),
        ("memory/box/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"),
    ]);
    let hierarchy = |name: &str, controller: &str| Hierarchy {
        version: 1,
        controllers: vec![controller.into()],
        root: "/".into(),
        point: dir.path().join(name).to_str().unwrap().into(),
    };
    let hierarchies = [hierarchy("cpu", "cpu"), hierarchy("acct", "cpuacct"), hierarchy("memory", "memory")];
    let memberships = parse_membership("4:name=systemd:/s\n3:memory:/box\n2:cpuacct:/box\n1:cpu:/box\n0::/\n");
    let group = read(&hierarchies, &memberships);
    let paths: Vec<_> = group.paths.iter().map(|(name, path)| format!("{name}={path}")).collect();
    assert_eq!(paths, ["=/", "cpu=/box", "cpuacct=/box", "memory=/box"], "systemd's own has no controller");
    assert_eq!((group.cpu.usage_micros, group.cpu.quota_micros), (Some(2113044), None));
    assert_eq!((group.cpu.periods, group.cpu.throttled), (Some(4), Some(3)));
    assert_eq!((group.cpu.throttled_micros, group.memory.with_swap), (Some(99), Some(20971520)));
    assert_eq!((group.memory.limit, group.memory.oom_kills, group.memory.current), (None, Some(7), None));
    assert_eq!((group.memory.limit_hits, group.memory.ooms), (Some(5), None));
    assert_eq!((group.memory.current_with_swap, group.memory.pressure), (Some(4096), None));
    assert_eq!(applied_limit(&hierarchies, &memberships, &[]), None);
}

#[test]
fn this_machine_mounts_its_hierarchies_in_one_of_four_ways() {
    let mounts = crate::kernel::text::read("/proc/self/mountinfo").unwrap();
    let has = |kind: &str| mounts.lines().any(|line| line.contains(&format!(" - {kind} ")));
    let mode = crate::observe::cgroup_mode();
    assert_eq!(mode == "v2" || mode == "hybrid", has("cgroup2"), "{mode}");
    assert!(["v1", "v2", "hybrid", "none"].contains(&mode), "{mode}");
}
