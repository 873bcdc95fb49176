use super::*;

#[test]
fn names_are_controllers_and_a_path_that_stays_inside() {
    let name = parse("cpu,memory:/a/b").unwrap();
    assert_eq!((name.controllers, name.path.as_str()), (vec!["cpu".into(), "memory".into()], "a/b"));
    for wrong in ["cpu", ":x", "cpu,:x", "cpu:../x", "cpu:a/../../x"] {
        assert_eq!(parse(wrong), None, "{wrong}");
    }
}

#[test]
fn processes_without_a_number_here_are_counted_and_not_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("cgroup.procs"), format!("0\n{}\n0\n", std::process::id())).unwrap();
    let who = members(dir.path());
    assert!(who.len() == 2 && who[0].starts_with(&format!("{} (", std::process::id())), "{who:?}");
    assert_eq!(who[1], "2 outside this PID namespace");
    assert_eq!(describe(&(1..=12).map(Pid).collect::<Vec<_>>()).last().unwrap(), "+2");
    let ten = describe(&(1..=10).map(Pid).collect::<Vec<_>>());
    assert!(ten.len() == 10 && ten[9].starts_with("10 ("), "{ten:?}");
}

#[test]
fn a_controller_that_no_kernel_has_is_named() {
    assert!(Hierarchies::read().find("frob").unwrap_err().contains("no controller frob"));
}

#[test]
fn why_a_group_takes_no_process_is_read_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let hint = |errno, version, kind: &str| {
        fs::write(dir.path().join("cgroup.type"), format!("{kind}\n")).unwrap();
        let group =
            Group { version, controllers: vec!["cpu".into()], top: dir.path().into(), dir: dir.path().to_path_buf() };
        join_hint(errno, &group).unwrap_or_default()
    };
    assert!(hint(Errno::EOPNOTSUPP, 2, "threaded").contains("single threads"));
    assert!(hint(Errno::EOPNOTSUPP, 2, "domain invalid").contains("echo threaded > "));
    assert_eq!(hint(Errno::EOPNOTSUPP, 2, "domain"), "");
    assert_eq!(
        hint(Errno::EACCES, 2, "domain"),
        "this needs root, or a group that was delegated to you",
        "no cgroup.procs"
    );
    fs::write(dir.path().join("cgroup.procs"), "").unwrap();
    assert!(hint(Errno::EACCES, 2, "domain").contains("the group above both"));
    assert!(hint(Errno::EACCES, 1, "domain").contains("another user"));
    let [here, gone] = [dir.path().to_path_buf(), dir.path().join("box")].map(|dir| {
        let group = Group { version: 2, controllers: vec!["cpu".into()], top: "/".into(), dir };
        join_hint(Errno::ENOENT, &group)
    });
    assert!(here != gone && gone.is_some_and(|hint| hint.contains("cpu:")), "{here:?}");
}

/// A machine with `cpu` and `cpuacct` in one hierarchy of version 1, `memory` in another one, systemd's own, and a tree of
/// version 2 with `pids`. This program is in `/app` of each.
fn machine() -> (tempfile::TempDir, Hierarchies) {
    let dir = tempfile::tempdir().unwrap();
    let hierarchy = |version, name: &str, controllers: &[&str]| {
        let point = dir.path().join(name);
        fs::create_dir_all(point.join("app")).unwrap();
        let controllers = controllers.iter().map(ToString::to_string).collect();
        Hierarchy { version, controllers, root: "/".into(), point: point.to_str().unwrap().into() }
    };
    let hierarchies = vec![
        hierarchy(1, "cpu", &["cpu", "cpuacct"]),
        hierarchy(1, "memory", &["memory"]),
        hierarchy(1, "systemd", &["name=systemd"]),
        hierarchy(2, "all", &[]),
    ];
    fs::write(dir.path().join("all/cgroup.controllers"), "pids io\n").unwrap();
    let memberships = "3:cpu,cpuacct:/app\n2:memory:/app\n1:name=systemd:/app\n0::/app\n";
    (dir, Hierarchies(hierarchies, cgroups::parse_membership(memberships)))
}

#[test]
fn the_controllers_are_those_of_both_versions() {
    let (_dir, hierarchies) = machine();
    assert_eq!(hierarchies.controllers().into_iter().collect::<Vec<_>>(), ["cpu", "cpuacct", "io", "memory", "pids"]);
}

#[test]
fn a_controller_is_found_where_it_is_offered() {
    let (dir, hierarchies) = machine();
    let at = |hierarchies: &Hierarchies, name: &str| hierarchies.find(name).map(|place| (place.version, place.top()));
    assert_eq!(at(&hierarchies, "cpu"), Ok((1, dir.path().join("cpu"))));
    assert_eq!(at(&hierarchies, "pids"), Ok((2, dir.path().join("all"))));
    assert!(at(&hierarchies, "frob").is_err());
    // Version 2 alone has CPU time in every group.
    let only = Hierarchies(hierarchies.0[3..].to_vec(), cgroups::parse_membership("0::/app\n"));
    assert_eq!(at(&only, "cpuacct"), Ok((2, dir.path().join("all"))));
    assert!(at(&only, "memory").is_err());
}

#[test]
fn a_group_has_one_directory_in_each_hierarchy() {
    let (dir, hierarchies) = machine();
    let groups = |text: &str| {
        let groups = hierarchies.groups(&parse(text).unwrap()).unwrap();
        let told = |group: &Group| {
            let below = group.dir.strip_prefix(dir.path()).unwrap().display().to_string();
            (group.version, group.controllers.join(","), below, group.top == group.dir)
        };
        groups.iter().map(told).collect::<Vec<_>>()
    };
    let one = |version, controllers: &str, below: &str| (version, controllers.to_string(), below.to_string(), false);
    assert_eq!(groups("cpu,cpuacct:box"), [one(1, "cpu,cpuacct", "cpu/box")]);
    let all = [one(1, "cpu,cpuacct", "cpu/a/b"), one(2, "io,pids", "all/a/b"), one(1, "memory", "memory/a/b")];
    assert_eq!(groups("*:/a/b"), all);
    assert_eq!(groups("memory:/"), [(1, "memory".into(), "memory".into(), true)]);
    assert!(hierarchies.groups(&parse("cpu,frob:x").unwrap()).is_err());
}

#[test]
fn a_file_of_the_hierarchies_is_in_each_of_them() {
    for (name, core) in [("cgroup.procs", true), ("tasks", true), ("cpu.max", false), ("notify_on_release", true)] {
        assert_eq!(is_core(name), core, "{name}");
    }
    let (dir, hierarchies) = machine();
    let hint = |path: &str| core_hint(&hierarchies, &parse(&format!("cpu:{path}")).unwrap(), "tasks");
    assert_eq!(hint("box"), "tasks: no hierarchy has this file for box: cgcreate makes a group");
    fs::write(dir.path().join("memory/app/tasks"), "").unwrap();
    let file = dir.path().join("memory/app/tasks").display().to_string();
    assert_eq!(hint("app"), format!("tasks belongs to each hierarchy, not to a controller:\n  {file}"));
}

#[test]
fn a_control_file_is_written_at_once_and_groups_below_are_directories() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("pids.max"), "").unwrap();
    assert_eq!(write(&dir.path().join("pids.max"), "20"), Ok(()));
    assert_eq!(listed(&dir.path().join("pids.max")).collect::<Vec<_>>(), ["20"]);
    assert_eq!(write(&dir.path().join("none"), "20"), Err(Errno::ENOENT), "no file is made");
    fs::create_dir(dir.path().join("box")).unwrap();
    assert_eq!(children(dir.path()), [dir.path().join("box")]);
    assert!(children(&dir.path().join("none")).is_empty());
}
