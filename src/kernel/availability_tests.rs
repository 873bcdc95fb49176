use super::*;
use std::fs;

/// A directory that stands for a version 2 tree, and the hierarchy that is "mounted" there.
fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Vec<Hierarchy>) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let point = dir.path().to_str().unwrap().to_string();
    (dir, vec![Hierarchy { version: 2, controllers: Vec::new(), root: "/".into(), point }])
}

fn member(path: &str) -> Vec<Membership> {
    vec![Membership { controllers: Vec::new(), path: path.into() }]
}

#[test]
fn the_first_level_without_the_controller_is_named() {
    let (dir, hierarchies) = tree(&[("cgroup.controllers", "cpu memory"), ("a/cgroup.controllers", "cpu")]);
    let level = first_without(dir.path(), &dir.path().join("a/b"), "cpu");
    assert_eq!(level, Some(dir.path().join("a/b")));
    assert_eq!(first_without(dir.path(), &dir.path().join("a/b"), "memory"), Some(dir.path().join("a")));
    assert_eq!(available_in(&hierarchies, &member("/a"), "cpu"), Ok((2, dir.path().into())), "the top may be written");
    assert_eq!(available_in(&hierarchies, &member("/a"), "frob"), Err(Unavailable::Absent));
    assert_eq!(available_in(&[], &member("/a"), "frob"), Err(Unavailable::Absent));
}

#[test]
fn a_hierarchy_under_another_mount_is_told() {
    let (dir, _) = tree(&[("cgroup.controllers", "")]);
    // As the mount table of WSL 2 has it where version 2 was mounted over version 1.
    let point = dir.path().join("memory");
    let hierarchies = [Hierarchy {
        version: 1,
        controllers: vec!["memory".into()],
        root: "/".into(),
        point: point.to_str().unwrap().into(),
    }];
    let members = [Membership { controllers: vec!["memory".into()], path: "/".into() }];
    let covered = Unavailable::Covered(1, point.clone());
    assert_eq!(available_in(&hierarchies, &members, "memory"), Err(covered));
    fs::create_dir(&point).unwrap();
    assert_eq!(available_in(&hierarchies, &members, "memory"), Ok((1, point)));
}

#[test]
fn processes_in_the_way_are_named_unless_they_are_ourselves() {
    let me = format!("{}\n", std::process::id());
    let files = |procs| [("cgroup.controllers", "cpu"), ("cgroup.type", "domain"), ("cgroup.procs", procs)];
    let (_dir, hierarchies) = tree(&files("1\n"));
    assert!(
        matches!(available_in(&hierarchies, &member("/"), "cpu"), Err(Unavailable::Occupied(_, who)) if who.len() == 1)
    );
    let (_dir, hierarchies) = tree(&files(&me));
    assert!(available_in(&hierarchies, &member("/"), "cpu").is_ok());
    let (dir, hierarchies) = tree(&files("1\n"));
    fs::write(dir.path().join("cgroup.subtree_control"), "cpu\n").unwrap();
    assert!(available_in(&hierarchies, &member("/"), "cpu").is_ok(), "it was handed down before");
}

#[test]
fn our_own_pipeline_is_not_what_is_in_the_way() {
    // A container's shell, and `boxwright doctor | less` in it.
    let family = |pid| match pid {
        Pid(1) => Some((Pid(0), Pid(1))),
        Pid(7 | 8) => Some((Pid(1), Pid(7))),
        _ => None,
    };
    assert_eq!(in_the_way(vec![Pid(1), Pid(7), Pid(8)], Pid(7), family), [Pid(1)]);
    assert_eq!(in_the_way(vec![Pid(7), Pid(8)], Pid(7), family), [Pid(8)], "it is in the way all the same");
    assert_eq!(in_the_way(vec![Pid(0), Pid(7), Pid(9)], Pid(7), family), [Pid(0), Pid(9)]);
    assert_eq!(in_the_way(vec![Pid(7)], Pid(7), family), [Pid(0); 0]);
}

#[test]
fn our_own_groups_are_never_made_in_one_another() {
    assert_eq!(outside_ours("/user.slice/app.scope/boxwright-1000-0123456789ab"), "/user.slice/app.scope");
    assert_eq!(outside_ours("/boxwright-0-0123456789ab/x"), "/");
    assert_eq!(outside_ours("/"), "/");
    assert_eq!(outside_ours("/a"), "/a");
}

#[test]
fn a_scope_is_known_by_its_name() {
    let scope = Some(OsStr::new("run-1.scope"));
    assert!(in_scope("/system.slice/run-1.scope", scope));
    assert!(in_scope("/system.slice/run-1.scope/boxwright-0-0123456789ab", scope));
    for other in ["/", "/system.slice", "/system.slice/run-1.scope/below", "/run-11.scope"] {
        assert!(!in_scope(other, scope) && !in_scope(other, None), "{other}");
    }
}

#[test]
fn groups_are_made_at_the_top_where_we_may_and_else_in_our_own_group() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, hierarchies) = tree(&[("app/cgroup.procs", ""), ("theirs/cgroup.procs", "")]);
    let at = |path: &str| base(&place(&hierarchies, &member(path), "cpu").unwrap());
    assert_eq!(at("/app/boxwright-0-0123456789ab"), dir.path());
    let mode = |name: &str, mode| fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    mode("theirs", 0o555);
    mode("", 0o555);
    // Nothing is forbidden to root.
    let own = if nix::unistd::geteuid().is_root() { dir.path().into() } else { dir.path().join("app") };
    assert_eq!(at("/app/boxwright-0-0123456789ab"), own);
    assert_eq!((at("/theirs"), at("/none")), (dir.path().into(), dir.path().into()), "neither is ours");
    mode("", 0o755);
}

#[test]
fn what_is_available_here_is_what_its_own_hierarchies_say() {
    let (hierarchies, memberships) = own();
    for controller in ["cpu", "memory", "pids", "frob"] {
        assert_eq!(available(controller), available_in(&hierarchies, &memberships, controller));
    }
    // A hierarchy as another cgroup namespace sees it has no controller that the kernel does not have.
    let outside = Hierarchy { version: 2, controllers: Vec::new(), root: "/../..".into(), point: "/x".into() };
    assert_eq!(available_in(std::slice::from_ref(&outside), &member("/"), "frob"), Err(Unavailable::Absent));
    let cpu = available_in(&[outside], &member("/"), "cpu");
    let from_outside = Unavailable::FromOutside(2, "/x".into());
    assert_eq!(cpu, Err(if nowhere("cpu") == Unavailable::NotMounted { from_outside } else { nowhere("cpu") }));
}

#[test]
fn the_top_of_what_we_see_may_be_a_group_below_another_one() {
    let (dir, _) = tree(&[("below/cgroup.type", "domain\n")]);
    let below = dir.path().join("below");
    let not_delegated = Unavailable::NotDelegated(below.clone());
    let is_mounted_nowhere = nowhere("cpu") == Unavailable::NotMounted;
    assert_eq!(nowhere_v2("cpu", below.clone()), if is_mounted_nowhere { not_delegated } else { nowhere("cpu") });
    assert_eq!(nowhere_v2("cpu", dir.path().into()), nowhere("cpu"), "the root of the whole tree");
    assert_eq!(nowhere_v2("frob", below), Unavailable::Absent);
}

#[test]
fn every_reason_names_the_controller_and_the_place() {
    let place = || PathBuf::from("/sys/fs/cgroup/x");
    for (why, english) in [
        (Unavailable::Absent, "this kernel has no controller cpu"),
        (Unavailable::Unknown(Errno::EACCES), "unknown: open /proc/cgroups: Permission denied (EACCES)"),
        (Unavailable::SwitchedOff, "cgroup_disable=cpu"),
        (Unavailable::NotMounted, "no hierarchy with it is mounted here"),
        (Unavailable::FromOutside(2, place()), "mounted on /sys/fs/cgroup/x as seen from outside"),
        (Unavailable::Covered(1, place()), "(version 1) is mounted on /sys/fs/cgroup/x, but another mount covers it"),
        (Unavailable::NotDelegated(place()), "the group above /sys/fs/cgroup/x does not hand"),
        (Unavailable::ReadOnly(place()), "read-only on /sys/fs/cgroup/x"),
        (Unavailable::Denied(place(), 2), "may be made in /sys/fs/cgroup/x"),
        (Unavailable::Occupied(place(), vec!["7 (sh)".into(), "+2".into()]), "/sys/fs/cgroup/x contains 7 (sh), +2"),
    ] {
        let (said, chinese) = (why.say("cpu", Lang::En), why.say("cpu", Lang::Zh));
        assert!(said.contains(english) && said.contains("cpu"), "{said}");
        assert!(chinese.contains("cpu") && !chinese.is_ascii(), "{chinese}");
        assert_eq!(said.contains("/sys/fs/cgroup/x"), chinese.contains("/sys/fs/cgroup/x"), "{chinese}");
    }
}
