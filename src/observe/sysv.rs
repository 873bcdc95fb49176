//! System V IPC objects of the calling process's IPC namespace, from `/proc/sysvipc` (sysvipc(7)).

use super::text;
use std::path::Path;

/// The objects of each kind as `queue ID`, `shm ID`, `sem ID`. A kernel without System V IPC has none.
pub(super) fn objects(proc_root: &Path) -> Vec<String> {
    [("msg", "queue"), ("shm", "shm"), ("sem", "sem")]
        .iter()
        .filter_map(|(file, name)| Some((text::read(proc_root.join("sysvipc").join(file)).ok()?, name)))
        .flat_map(|(table, name)| parse_ids(&table).into_iter().map(move |id| format!("{name} {id}")))
        .collect()
}

/// Reads the identifiers of one table: the second column, below a line of headings.
pub(super) fn parse_ids(table: &str) -> Vec<i32> {
    table.lines().skip(1).filter_map(|line| line.split_ascii_whitespace().nth(1)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_stand_in_the_second_column() {
        let table = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid\n\
                     -1160636155          3   644           0          0     0     0     0     0\n";
        assert_eq!(parse_ids(table), [3]);
        assert!(parse_ids("       key      semid perms      nsems\n").is_empty());
    }

    #[test]
    fn objects_are_named_by_their_kind() {
        let proc_root = tempfile::tempdir().unwrap();
        assert_eq!(objects(proc_root.path()), [""; 0], "this kernel has none");
        std::fs::create_dir(proc_root.path().join("sysvipc")).unwrap();
        for (table, ids) in [("msg", &[3, 7][..]), ("shm", &[]), ("sem", &[0])] {
            let rows: String = ids.iter().map(|id| format!("         0          {id}   644\n")).collect();
            let path = proc_root.path().join("sysvipc").join(table);
            std::fs::write(path, format!("       key         id perms\n{rows}")).unwrap();
        }
        assert_eq!(objects(proc_root.path()), ["queue 3", "queue 7", "sem 0"]);
    }
}
