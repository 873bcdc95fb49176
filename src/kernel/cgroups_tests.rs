use super::*;
use crate::kernel::mountinfo;
use procfs::FromRead;

const HYBRID: &str = "\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/x,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate
";
const V2: &str =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
const DOCKER: &str = "32 31 0:29 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";

fn found(text: &str) -> Vec<Hierarchy> {
    hierarchies(&mountinfo::parse_with_options(text))
}

#[test]
fn the_mode_counts_controllers_and_not_mounts() {
    assert_eq!(mode(&found(HYBRID)), "hybrid");
    assert_eq!(mode(&found(V2)), "v2");
    assert_eq!(mode(&found(DOCKER)), "v1");
    assert_eq!(mode(&found("")), "none");
    let named = "40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n";
    assert_eq!(mode(&found(&format!("{named}{V2}"))), "v2");
}

#[test]
fn each_controller_is_found_in_its_own_hierarchy() {
    let memberships = parse_membership("4:memory:/a:b\n2:cpu,cpuacct:/\n1:name=systemd:/\n0::/c\n");
    let at = |controller: &str| {
        let place = place(&found(HYBRID), &memberships, controller).unwrap();
        (place.version, place.dir(&place.path).unwrap())
    };
    assert_eq!(at("memory"), (1, "/sys/fs/cgroup/memory/a:b".into()));
    assert_eq!(at("cpuacct"), (1, "/sys/fs/cgroup/cpu,cpuacct".into()));
    assert_eq!(at("hugetlb"), (2, "/sys/fs/cgroup/unified/c".into()));
}

#[test]
fn a_part_of_a_hierarchy_is_found_below_its_mounted_root() {
    let at = |path: &str| {
        let memberships = parse_membership(&format!("4:memory:{path}\n"));
        place(&found(DOCKER), &memberships, "memory").and_then(|place| place.dir(path))
    };
    assert_eq!(at("/docker/abc/box"), Some("/sys/fs/cgroup/memory/box".into()));
    assert_eq!(at("/docker/abcdef"), None);
    assert_eq!(at("/"), None);
}

#[test]
fn a_group_may_have_any_name() {
    let odd = parse_membership("4:memory:/a:b\r\n0::/ c\r\n");
    assert_eq!(odd.iter().map(|membership| membership.path.as_str()).collect::<Vec<_>>(), ["/a:b\r", "/ c\r"]);
}

#[test]
fn a_hierarchy_has_its_version_its_controllers_and_its_root() {
    let [cpu, memory, systemd, unified] = found(HYBRID).try_into().unwrap();
    assert_eq!((cpu.version, cpu.controllers), (1, vec!["cpu".to_string(), "cpuacct".into()]));
    assert_eq!(
        (memory.controllers, memory.root, memory.point),
        (vec!["memory".into()], "/".into(), "/sys/fs/cgroup/memory".into())
    );
    assert_eq!(systemd.controllers, ["name=systemd"]);
    assert_eq!((unified.version, unified.controllers.len()), (2, 0));
    assert_eq!(found(DOCKER)[0].root, "/docker/abc");
}

#[test]
fn a_line_names_controllers_and_a_path_that_may_have_colons() {
    let [v1, named, v2] =
        parse_membership("4:cpu,cpuacct:/a:b\n1:name=systemd:/x\n0::/c\nbroken\n").try_into().unwrap();
    assert_eq!((v1.controllers, v1.path.as_str()), (vec!["cpu".to_string(), "cpuacct".into()], "/a:b"));
    assert_eq!(
        (named.controllers, v2.controllers.len(), v2.path.as_str()),
        (vec!["name=systemd".to_string()], 0, "/c")
    );
}

#[test]
fn what_was_mounted_before_our_namespace_shows_nothing_of_ours() {
    let outside = |text: &str, controller: &str| mounted_from_outside(&found(text), controller);
    let above =
        "32 31 0:29 /../.. /old/memory rw - cgroup cgroup rw,memory\n33 31 0:30 /.. /old/v2 rw - cgroup2 c rw\n";
    assert_eq!(outside(above, "memory"), Some((1, "/old/memory".into())));
    assert_eq!(outside(above, "cpu"), Some((2, "/old/v2".into())), "any may be in version 2");
    assert_eq!((outside(HYBRID, "memory"), outside(DOCKER, "memory")), (None, None));
    assert_eq!(outside(above.lines().next().unwrap(), "cpu"), None);
}

#[test]
fn our_own_memberships_are_those_of_this_process() {
    let (hierarchies, memberships) = own();
    let mounts = crate::kernel::text::read("/proc/self/mountinfo").unwrap();
    assert_eq!(hierarchies.len(), mounts.lines().filter(|line| line.contains(" - cgroup")).count());
    let lines = crate::kernel::text::read("/proc/self/cgroup").unwrap();
    assert_eq!(memberships.len(), lines.lines().count());
    // A kernel that has version 2 alone need not have the table.
    match crate::kernel::text::read("/proc/cgroups") {
        Err(error) => assert_eq!(known("cpu"), Known::Unreadable(of(&error))),
        Ok(table) => {
            assert_eq!(known("no such controller"), Known::Absent);
            for line in table.lines().skip(1) {
                let enabled = if line.ends_with('1') { Known::Enabled } else { Known::Disabled };
                assert_eq!(known(line.split_whitespace().next().unwrap()), enabled, "{line}");
            }
        }
    }
}

#[test]
fn a_group_is_below_what_is_mounted_or_nowhere() {
    let at = |root: &str, path: &str| {
        Place { version: 2, path: "/x".into(), point: "/mnt".into(), root: root.into() }.dir(path)
    };
    assert_eq!((at("/", "/a/b"), at("/", "/")), (Some("/mnt/a/b".into()), Some("/mnt".into())));
    assert_eq!((at("/", "/../a"), at("/", "a")), (None, None));
    assert_eq!((at("/own", "/own/a"), at("/own", "/own")), (Some("/mnt/a".into()), Some("/mnt".into())));
    assert_eq!((at("/own", "/owner"), at("/own", "/")), (None, None));
    assert_eq!(
        Place { version: 2, path: "/x".into(), point: "/mnt".into(), root: "/".into() }.top(),
        Path::new("/mnt")
    );
}

#[test]
fn the_kernel_tells_of_each_controller_whether_it_is_on() {
    let table = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t10\t1\ncpuset\t0\t1\t0\n";
    let table = CGroupControllers::from_read(table.as_bytes()).unwrap();
    assert_eq!(
        ["cpu", "cpuset", "frob"].map(|name| told(&table, name)),
        [Known::Enabled, Known::Disabled, Known::Absent]
    );
}
