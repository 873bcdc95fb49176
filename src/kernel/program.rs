//! This program's own path, and the program that makes root, as a learner can type them: after a build `boxwright` is
//! not in the PATH, and in root's even less.

use nix::sys::{prctl, statvfs};
use std::{
    env,
    ffi::OsStr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Programs that make the command after them root's, the best known first; the last takes one line for a shell instead.
const PROGRAMS: [&str; 3] = ["sudo", "doas", SU];

/// The one that is everywhere.
pub(crate) const SU: &str = "su";

/// Where these programs are on every machine, also for those whose PATH says nothing of it.
const USUAL: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// The path of this program as a word of a shell's command line.
pub(crate) fn path() -> String {
    let path = env::current_exe().map(|path| path.to_string_lossy().into_owned());
    // The kernel says so of a program that was replaced while it ran (proc_pid_exe(5)); the new one has the old name.
    let path = path.ok().map(|path| path.strip_suffix(" (deleted)").unwrap_or(&path).to_string());
    word(&path.unwrap_or_else(|| "boxwright".into()))
}

/// A text as one word of a shell's command line.
pub(crate) fn word(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    let safe = !text.is_empty() && text.bytes().all(plain);
    if safe { text.to_string() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Whether a file can be executed by us.
pub(crate) fn executable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// The program that makes root, by its path; `None` where there is none that could, or where we are root already.
pub(crate) fn way() -> Option<PathBuf> {
    let refused = nix::unistd::geteuid().is_root() || prctl::get_no_new_privs().unwrap_or(false);
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = env::split_paths(&path).chain(USUAL.map(PathBuf::from)).collect();
    if refused { None } else { first(&dirs, makes_root) }
}

fn first(dirs: &[PathBuf], usable: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let places = |name| dirs.iter().filter(|dir| dir.is_absolute()).map(move |dir| dir.join(name));
    PROGRAMS.into_iter().flat_map(places).find(|place| usable(place))
}

/// Whether execve(2) gives this file's owner to the process, and that is root. In a container it may be another user's, or
/// lie on a file system where that bit means nothing.
fn makes_root(file: &Path) -> bool {
    let marked = std::fs::metadata(file).is_ok_and(|file| file.uid() == 0 && file.mode() & libc::S_ISUID != 0);
    let heeded = || statvfs::statvfs(file).is_ok_and(|fs| !fs.flags().contains(statvfs::FsFlags::ST_NOSUID));
    marked && heeded()
}

/// What stands before a command that is to be root's: `sudo` or `doas`; `None` where only su(1) is there, which takes a line
/// instead of words, or nothing.
pub(crate) fn prefix(way: &Path) -> Option<String> {
    let name = way.file_name().filter(|name| *name != OsStr::new(SU))?;
    Some(name.to_string_lossy().into_owned())
}

/// A command as root: such as `sudo /home/li/boxwright/target/release/boxwright`. Where nothing makes root, the command is
/// for a user who logs in as root.
pub(crate) fn as_root(command: &str, way: Option<&Path>) -> String {
    match way.map(prefix) {
        None => command.to_string(),
        Some(Some(prefix)) => format!("{prefix} {command}"),
        // Without a terminal of its own what `su -c` starts would have none, and not see when the window changes its size.
        Some(None) => format!("{SU} --pty -c {}", word(command)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_command_for_root_can_be_typed_as_it_is() {
        let shown = |way: &str| as_root("/opt/boxwright inspect 7", Some(Path::new(way)));
        assert_eq!(shown("/usr/bin/sudo"), "sudo /opt/boxwright inspect 7");
        assert_eq!(shown("/usr/bin/doas"), "doas /opt/boxwright inspect 7");
        assert_eq!(shown("/bin/su"), "su --pty -c '/opt/boxwright inspect 7'");
        assert_eq!(as_root("/opt/boxwright", None), "/opt/boxwright");
        assert_eq!(word("/home/a b/it's"), r"'/home/a b/it'\''s'");
        assert!(path().starts_with('/') && !path().contains("deleted"), "{}", path());
    }

    #[test]
    fn the_best_known_program_that_can_is_taken() {
        let dirs = ["", "relative", "/a", "/b"].map(PathBuf::from);
        let only =
            |known: &'static [&str]| first(&dirs, move |path| known.iter().any(|known| Path::new(known) == path));
        assert_eq!(only(&["/a/su", "/b/sudo"]), Some("/b/sudo".into()));
        assert_eq!(only(&["/a/su", "/a/doas"]), Some("/a/doas".into()));
        assert_eq!(only(&["/b/su"]), Some("/b/su".into()));
        assert_eq!(only(&["relative/sudo"]), None);
    }

    #[test]
    fn the_way_to_root_is_a_program_of_roots_that_can_be_executed() {
        let usual = USUAL.iter().flat_map(|dir| PROGRAMS.map(|name| Path::new(dir).join(name)));
        let known: Vec<PathBuf> = usual.filter(|path| makes_root(path)).collect();
        let refused = nix::unistd::geteuid().is_root() || prctl::get_no_new_privs().unwrap();
        let way = way();
        assert_eq!(way.is_some(), !refused && !known.is_empty(), "{way:?} {known:?}");
        assert!(way.is_none_or(|way| way.is_absolute() && makes_root(&way) && executable(&way)));
        // What the distribution marks so is heeded, unless the whole file system is not.
        let marked = |path: &&Path| {
            let found = std::fs::metadata(path).is_ok_and(|file| file.mode() & 0o4111 == 0o4111 && file.uid() == 0);
            found && !statvfs::statvfs(*path).unwrap().flags().contains(statvfs::FsFlags::ST_NOSUID)
        };
        let all = ["/bin/su", "/usr/bin/sudo", "/usr/bin/passwd", "/bin/mount"].map(Path::new);
        assert!(all.iter().filter(|path| marked(path)).all(|path| makes_root(path)));
        assert!(
            executable(Path::new("/bin/sh"))
                && !executable(Path::new("/etc/passwd"))
                && !makes_root(Path::new("/bin/sh"))
        );
    }

    #[test]
    fn a_file_makes_root_only_where_the_kernel_heeds_it() {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let file = dir.path().join("sudo");
        std::fs::write(&file, "").unwrap();
        assert!(!makes_root(&file), "not setuid");
        assert!(!makes_root(&dir.path().join("missing")));
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o4755)).unwrap();
        let heeded = !statvfs::statvfs(&file).unwrap().flags().contains(statvfs::FsFlags::ST_NOSUID);
        let root = nix::unistd::geteuid().is_root();
        assert_eq!(makes_root(&file), root && heeded, "owned by root, on a file system that heeds it");
        if root {
            std::os::unix::fs::chown(&file, Some(65534), None).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o4755)).unwrap();
            assert!(!makes_root(&file), "another user's");
        }
    }
}
