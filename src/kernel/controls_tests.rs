use super::*;

fn files(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> String {
    |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string()).unwrap_or_default()
}

#[test]
fn version_1_names_are_taken_by_version_2() {
    let read = files(&[("cpu.max", "max 100000\n"), ("memory.max", "10485760\n"), ("memory.swap.max", "0\n")]);
    let set = |name: &str, value: &str| set(2, name, value, &read).unwrap().unwrap();
    assert_eq!(set("cpu.cfs_quota_us", "50000"), [("cpu.max", "50000 100000".into())]);
    assert_eq!(set("cpu.cfs_quota_us", "-1"), [("cpu.max", "max 100000".into())]);
    assert_eq!(set("cpu.cfs_period_us", "20000"), [("cpu.max", "max 20000".into())]);
    assert_eq!(set("memory.limit_in_bytes", "10M"), [("memory.max", "10M".into())]);
    assert_eq!(set("memory.memsw.limit_in_bytes", "10M"), [("memory.swap.max", "0".into())]);
    let get = |name: &str| get(2, name, &read).unwrap();
    assert_eq!((get("cpu.cfs_quota_us"), get("cpu.cfs_period_us")), ("-1".into(), "100000".into()));
    assert_eq!(
        (get("memory.limit_in_bytes"), get("memory.memsw.limit_in_bytes")),
        ("10485760".into(), "10485760".into())
    );
}

#[test]
fn version_2_names_are_taken_by_version_1() {
    let read = files(&[
        ("cpu.cfs_quota_us", "50000\n"),
        ("cpu.cfs_period_us", "100000\n"),
        ("memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory.memsw.limit_in_bytes", "9223372036854771712\n"),
    ]);
    let set = |name: &str, value: &str| set(1, name, value, &read).unwrap().unwrap();
    let both = [("cpu.cfs_period_us", "20000".to_string()), ("cpu.cfs_quota_us", "10000".to_string())];
    assert_eq!(set("cpu.max", "10000 20000"), both);
    assert_eq!(set("cpu.max", "max"), [("cpu.cfs_quota_us", "-1".into())]);
    assert_eq!(set("memory.max", "max"), [("memory.limit_in_bytes", "-1".into())]);
    let get = |name: &str| get(1, name, &read).unwrap();
    assert_eq!(
        (get("cpu.max"), get("memory.max"), get("memory.swap.max")),
        ("50000 100000".into(), "max".into(), "max".into())
    );
}

#[test]
fn what_is_not_the_same_is_not_translated() {
    let read = |_: &str| String::new();
    assert_eq!(set(2, "cpu.shares", "512", &read), Ok(None));
    assert_eq!(set(1, "cpu.weight", "50", &read), Ok(None));
    assert_eq!(set(1, "cpu.cfs_quota_us", "5000", &read), Ok(None));
    assert_eq!(get(2, "memory.failcnt", &read), None);
}

#[test]
fn a_limit_that_cannot_be_reckoned_is_refused_and_does_not_become_none() {
    let read = files(&[("memory.max", "max\n"), ("memory.limit_in_bytes", "9223372036854771712\n")]);
    assert!(set(2, "memory.memsw.limit_in_bytes", "10M", &read).unwrap_err().contains("set that first"));
    assert!(set(1, "memory.swap.max", "0", &read).unwrap_err().contains("limit memory first"));
    let read = files(&[("memory.max", "10485760\n"), ("memory.limit_in_bytes", "10485760\n")]);
    assert!(set(2, "memory.memsw.limit_in_bytes", "5M", &read).unwrap_err().contains("10485760"));
    for (version, name) in [(2, "memory.memsw.limit_in_bytes"), (1, "memory.swap.max")] {
        assert!(set(version, name, "lots", &read).unwrap_err().contains("not a valid value"), "{name}");
    }
    let none = |version, name, value| set(version, name, value, &read).unwrap().unwrap();
    assert_eq!(none(2, "memory.memsw.limit_in_bytes", "-1"), [("memory.swap.max", "max".into())]);
    assert_eq!(none(1, "memory.swap.max", "max"), [("memory.memsw.limit_in_bytes", "-1".into())]);
    assert_eq!(none(1, "memory.swap.max", "1M"), [("memory.memsw.limit_in_bytes", "11534336".into())]);
}

#[test]
fn sizes_have_the_kernels_suffixes() {
    assert_eq!((bytes("10M\n"), bytes("4k"), bytes("1G")), (Some(10 << 20), Some(4096), Some(1 << 30)));
    assert_eq!((bytes("max"), bytes("-1"), bytes(""), bytes("99999999999999G")), (None, None, None, None));
}

#[test]
fn a_figure_is_read_by_the_name_that_the_other_version_gives_it() {
    let two = files(&[
        ("memory.current", "4096\n"),
        ("memory.peak", "8192\n"),
        ("cpu.stat", "nr_periods 3\nusage_usec 1234\nuser_usec 1000\n"),
        ("memory.max", "max\n"),
    ]);
    for (name, value) in [
        ("memory.usage_in_bytes", "4096"),
        ("memory.max_usage_in_bytes", "8192"),
        ("cpuacct.usage", "1234000"),
        ("memory.memsw.limit_in_bytes", "9223372036854771712"),
    ] {
        assert_eq!(get(2, name, &two).as_deref(), Some(value), "{name}");
    }
    let one = files(&[
        ("memory.usage_in_bytes", "4096\n"),
        ("memory.max_usage_in_bytes", "8192\n"),
        ("memory.limit_in_bytes", "10485760\n"),
        ("memory.memsw.limit_in_bytes", "20971520\n"),
    ]);
    for (name, value) in [("memory.current", "4096"), ("memory.peak", "8192"), ("memory.swap.max", "10485760")] {
        assert_eq!(get(1, name, &one).as_deref(), Some(value), "{name}");
    }
    let none =
        files(&[("memory.limit_in_bytes", "10485760\n"), ("memory.memsw.limit_in_bytes", "9223372036854771712\n")]);
    assert_eq!(get(1, "memory.swap.max", &none).as_deref(), Some("max"));
    assert_eq!(get(2, "cpuacct.usage", &files(&[("cpu.stat", "nr_periods 3\n")])), None);
    let freeze = |state: &str| set(2, "freezer.state", state, &two).unwrap().unwrap();
    assert_eq!(freeze("FROZEN"), [("cgroup.freeze", "1".into())]);
    assert_eq!(freeze("THAWED"), [("cgroup.freeze", "0".into())]);
}

/// Why this errno, where the group below a directory has these files, and the one above these.
fn refused(
    version: u8,
    (name, value): (&str, &str),
    errno: Errno,
    own: &[(&str, &str)],
    above: &[(&str, &str)],
) -> String {
    let top = tempfile::tempdir().unwrap();
    let dir = top.path().join("group");
    std::fs::create_dir(&dir).unwrap();
    for (dir, files) in [(&dir, own), (&top.path().to_path_buf(), above)] {
        files.iter().for_each(|(file, text)| std::fs::write(dir.join(file), text).unwrap());
    }
    let group = Group { version, controllers: Vec::new(), top: top.path().into(), dir };
    why(errno, &group, name, value).unwrap_or_default()
}

#[test]
fn a_refused_value_has_its_reason_in_the_state_of_the_group() {
    let limits = [("memory.limit_in_bytes", "10485760\n"), ("memory.memsw.limit_in_bytes", "20971520\n")];
    let below = "together cannot be less";
    let above = "memory alone cannot";
    let plain = "is not a valid value";
    for (file, value, wanted) in [
        ("memory.memsw.limit_in_bytes", "5M", below),
        ("memory.memsw.limit_in_bytes", "10M", plain),
        ("memory.memsw.limit_in_bytes", "-1", plain),
        ("memory.limit_in_bytes", "30M", above),
        ("memory.limit_in_bytes", "-1", above),
        ("memory.limit_in_bytes", "20M", plain),
        ("memory.limit_in_bytes", "5M", plain),
        ("memory.soft_limit_in_bytes", "5M", plain),
        ("memory.soft_limit_in_bytes", "30M", plain),
    ] {
        let said = refused(1, (file, value), Errno::EINVAL, &limits, &[]);
        assert!(said.contains(wanted), "{file} {value}: {said}");
        assert!([below, above].iter().all(|other| *other == wanted || !said.contains(other)), "{said}");
    }
    let share = [("cpu.cfs_quota_us", "50000\n"), ("cpu.cfs_period_us", "100000\n")];
    for (file, errno, above, wanted) in [
        ("cpu.cfs_quota_us", Errno::EINVAL, &share[..], "50000 100000"),
        ("cpu.cfs_period_us", Errno::EINVAL, &[], "no limit"),
        ("cpu.shares", Errno::EINVAL, &share, plain),
    ] {
        let said = refused(1, (file, "7"), errno, &[], above);
        assert!(said.contains(wanted), "{file}: {said}");
    }
    // Version 2 has to be handed a controller down; both have a scale of their own for the share of the CPU.
    let control = |controllers| [("cgroup.subtree_control", controllers)];
    for (version, file, above, wanted) in [
        (2, "memory.max", &control("cpu\n")[..], "the group above does not hand"),
        (2, "memory.max", &control("cpu memory\n"), "groups of"),
        (1, "memory.max", &[], "groups of"),
        (2, "cpu.shares", &control("cpu\n"), "shares (1024"),
        (1, "cpu.weight", &[], "shares (1024"),
        (1, "cpu.shares", &[], "groups of"),
    ] {
        let said = refused(version, (file, "7"), Errno::ENOENT, &[], above);
        assert!(said.contains(wanted), "{version} {file}: {said}");
    }
    for (file, counts) in [("memory.memsw.limit_in_bytes", true), ("memory.swap.max", true), ("memory.max", false)] {
        let said = refused(1, (file, "7"), Errno::ENOENT, &[], &[]);
        assert_eq!(said.contains("does not count swap"), counts, "{file}: {said}");
        assert_eq!(said.contains("swap is on"), counts && swaps() == Some(true), "{file}: {said}");
    }
    let there = |own| refused(1, ("memory.stat", "7"), Errno::EACCES, own, &[]);
    assert!(there(&[("memory.stat", "")]).contains("read-only") && !there(&[]).contains("the file is read-only"));
    let used = refused(1, ("memory.limit_in_bytes", "7"), Errno::EBUSY, &[("memory.usage_in_bytes", "4096\n")], &[]);
    assert!(used.contains("the group uses 4096"), "{used}");
    let group = Group { version: 1, controllers: Vec::new(), top: "/".into(), dir: "/no/such/group".into() };
    assert!(why(Errno::ENOENT, &group, "memory.max", "7").unwrap().contains("no such group"));
}

#[test]
fn swap_is_on_where_the_table_has_a_line() {
    let lines = text::read("/proc/swaps").unwrap().lines().count();
    assert_eq!(swaps(), Some(lines > 1));
}
