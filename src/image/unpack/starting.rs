//! What starting the image will meet: its configuration beside the tree that its layers gave (OCI image specification,
//! config). Nothing is started here, and none of it is an error: a user who starts it by hand should know.

use super::{
    report::Report,
    tree::{Dir, Tree, is, split, stat},
};
use crate::image::manifest::Execution;
use crate::kernel::text::shown;
use crate::lang::say;
use nix::{
    errno::Errno,
    fcntl::{OFlag, openat, readlinkat},
    sys::stat::{FileStat, Mode, SFlag, fstat},
};
use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
};

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;
/// A longer `etc/passwd` is read no further, in bytes.
const MAX_PASSWD: u64 = 1 << 20;
/// Users other than the owner and the group may enter.
const OTHERS_ENTER: u32 = 0o001;

/// Adds a note for each thing that will be missed. A tree that cannot be looked into gets none.
pub(super) fn notes(root: &OwnedFd, wanted: &Execution, report: &mut Report) {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let tree = openat(root, ".", flags, Mode::empty()).and_then(Tree::new);
    let Ok(mut tree) = tree else { return };
    let all = [working_directory(&mut tree, wanted), user(&mut tree, wanted), shell(&mut tree, wanted)];
    all.into_iter().flatten().for_each(|note| report.note(note));
}

fn working_directory(tree: &mut Tree, wanted: &Execution) -> Option<String> {
    let dir = wanted.working_dir.as_deref().filter(|dir| !dir.is_empty())?;
    let dir_shown = shown(dir.as_bytes());
    match tree.directory(dir.as_bytes(), None) {
        Err(Errno::ENOENT) => Some(say(
            format!(
                "the image's WorkingDir {dir_shown} is not in it (ENOENT): a container engine makes it; by hand, mkdir it or start in /"
            ),
            format!("镜像里没有它的 WorkingDir {dir_shown}（ENOENT）：容器引擎会创建它；手工时请先 mkdir，或从 / 启动"),
        )),
        Err(Errno::ENOTDIR) => Some(say(
            format!("the image's WorkingDir {dir_shown} is not a directory (ENOTDIR): start in another one, such as /"),
            format!("镜像的 WorkingDir {dir_shown} 不是目录（ENOTDIR）：请从别的目录启动，例如 /"),
        )),
        _ => None,
    }
}

fn user(tree: &mut Tree, wanted: &Execution) -> Option<String> {
    let user = wanted.user.as_deref().and_then(|user| user.split(':').next()).filter(|user| !user.is_empty())?;
    let user_shown = shown(user.as_bytes());
    let uid = match user.parse::<u32>() {
        Ok(uid) => uid,
        Err(_) => match uid_of(tree, user) {
            Some(uid) => uid,
            None if user == "root" => 0,
            None => {
                return Some(say(
                    format!(
                        "the image's User {user_shown} has no line in its etc/passwd: only numbers name a user there (chroot --userspec=UID:GID)"
                    ),
                    format!(
                        "镜像的 User {user_shown} 不在它的 etc/passwd 里：只能用数字指定用户（chroot --userspec=UID:GID）"
                    ),
                ));
            }
        },
    };
    let root = fstat(&tree.root().fd).ok()?;
    let closed = uid != 0 && uid != root.st_uid && root.st_mode & OTHERS_ENTER == 0;
    let mode = root.st_mode & 0o7777;
    closed.then(|| {
        say(
            format!("the image's own / has the mode {mode:o}: its User {user_shown} cannot enter it (EACCES)"),
            format!("镜像的 / 权限是 {mode:o}：它的 User {user_shown} 无法进入（EACCES）"),
        )
    })
}

/// The user's number in the tree's own `etc/passwd` (passwd(5)).
fn uid_of(tree: &mut Tree, user: &str) -> Option<u32> {
    let (dir, name, stat) = find(tree, b"etc/passwd").ok()?;
    if !is(&stat, SFlag::S_IFREG) {
        return None;
    }
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let file = File::from(openat(&dir.fd, name.as_slice(), flags, Mode::empty()).ok()?);
    let lines = BufReader::new(file.take(MAX_PASSWD)).split(b'\n').map_while(Result::ok);
    let mut uids = lines.filter_map(|line| {
        let line = String::from_utf8(line).ok()?;
        let mut fields = line.split(':');
        (fields.next() == Some(user)).then(|| fields.nth(1)?.parse().ok())?
    });
    uids.next()
}

/// Where there is no shell, the image's own program is what can be started.
fn shell(tree: &mut Tree, wanted: &Execution) -> Option<String> {
    if find(tree, b"bin/sh").is_ok() {
        return None;
    }
    let command = wanted.entrypoint.iter().chain(&wanted.cmd).flatten();
    let program = command.map(|word| word.as_bytes()).next().filter(|word| word.starts_with(b"/"))?;
    find(tree, program).is_ok().then(|| {
        say(
            format!("it has no /bin/sh; its own program is {}", shown(program)),
            format!("里面没有 /bin/sh；它自己的程序是 {}", shown(program)),
        )
    })
}

/// Finds a file below the root, following links: its directory, its name there, what stat(2) says.
fn find(tree: &mut Tree, path: &[u8]) -> nix::Result<(Dir, Vec<u8>, FileStat)> {
    let mut path = path.to_vec();
    for _ in 0..MAX_LINKS {
        let (above, name) = split(&path);
        let dir = tree.directory(above, None)?;
        let found = stat(&dir, name)?.ok_or(Errno::ENOENT)?;
        if !is(&found, SFlag::S_IFLNK) {
            return Ok((dir, name.to_vec(), found));
        }
        let text = readlinkat(&dir.fd, name)?;
        path = match text.as_bytes() {
            text if text.starts_with(b"/") => text.to_vec(),
            text => [above, b"/", text].concat(),
        };
    }
    Err(Errno::ELOOP)
}
