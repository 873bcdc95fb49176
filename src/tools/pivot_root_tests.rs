use super::*;

/// The lines of a mountinfo file: ID, parent, mount point, `shared` or nothing, file system.
fn diagnosis(table: &[(u64, u64, &str, &str, &str)], new: &str, put_old: &str) -> Option<String> {
    let line = |(id, parent, point, shared, kind): &(u64, u64, &str, &str, &str)| {
        let shared = if shared.is_empty() { "" } else { "shared:1 " };
        format!("{id} {parent} 0:{id} / {point} rw {shared}- {kind} none rw\n")
    };
    let table = mountinfo::parse(&table.iter().map(line).collect::<String>());
    let (fact, point) = diagnose(&table, Path::new(new), Path::new(put_old))?;
    let values: [(&str, &dyn Display); 3] = [("new", &new), ("old", &put_old), ("point", &point)];
    errno_causes::help_with("pivot_root", Errno::EINVAL, &[fact], &values)
}

#[test]
fn each_cause_is_told_by_name() {
    let root = (21, 1, "/", "", "ext4");
    for (table, new, put_old, wanted) in [
        (vec![root, (30, 21, "/new", "", "tmpfs")], "/new", "/new/old", None),
        (vec![(30, 21, "/new", "", "tmpfs")], "/new", "/new/old", Some("the current root is not a mount point")),
        (vec![(1, 1, "/", "", "rootfs"), (30, 1, "/new", "", "tmpfs")], "/new", "/new/old", Some("initramfs")),
        (vec![root], "/new", "/new/old", Some("/new is on the current root mount")),
        (vec![root, (30, 21, "/new", "", "tmpfs")], "/new", "/old", Some("/old is on the current root mount")),
        (vec![root, (30, 21, "/new", "", "tmpfs")], "/new/a", "/new/a", Some("/new/a is not a mount point")),
        (vec![root, (30, 21, "/new", "shared", "tmpfs")], "/new", "/new/old", Some("the mount that /new/old is on")),
        (
            vec![(21, 1, "/", "shared", "ext4"), (30, 21, "/new", "", "tmpfs")],
            "/new",
            "/new/old",
            Some("the parent mount of /new (/) is shared"),
        ),
        (
            vec![root, (30, 21, "/new", "", "tmpfs"), (31, 21, "/other", "", "tmpfs")],
            "/new",
            "/other",
            Some("/other is not at or below /new"),
        ),
        // A later mount at the same place covers the earlier one.
        (
            vec![root, (30, 21, "/new", "shared", "tmpfs"), (31, 30, "/new", "", "tmpfs")],
            "/new",
            "/new/old",
            Some("the parent mount of /new (/new) is shared"),
        ),
    ] {
        let found = diagnosis(&table, new, put_old);
        match wanted {
            Some(wanted) => assert!(found.as_ref().is_some_and(|found| found.contains(wanted)), "{wanted}: {found:?}"),
            None => assert_eq!(found, None),
        }
    }
}
