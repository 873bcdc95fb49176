//! Why execve(2) refused a program, read from the file itself: ENOENT may mean its interpreter, ENOEXEC another machine.

use super::elf;
use crate::lang::say;
use nix::errno::Errno;
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

/// Machines by their number in an ELF header (elf(5)).
const MACHINES: [(u16, &str); 7] =
    [(3, "i386"), (40, "arm"), (62, "x86_64"), (183, "aarch64"), (243, "riscv64"), (22, "s390x"), (21, "ppc64")];

/// What may help; `None` where the errno says it all.
pub(crate) fn why_not(program: &OsStr, errno: Errno) -> Option<String> {
    let Some(path) = find(program) else {
        return (errno == Errno::ENOENT).then(|| match is_path(program) {
            true => say(
                format!("no {} in this root directory", program.display()),
                format!("这个根目录里没有 {}", program.display()),
            ),
            false => say(
                format!("no directory of PATH has {}, as seen from this root directory", program.display()),
                format!("从这个根目录看，PATH 的各个目录里都没有 {}", program.display()),
            ),
        });
    };
    let shown = path.display();
    if errno == Errno::EACCES {
        let metadata = fs::metadata(&path).ok()?;
        return Some(match () {
            () if metadata.is_dir() => say(format!("{shown} is a directory"), format!("{shown} 是目录")),
            () if metadata.permissions().mode() & 0o111 == 0 => {
                say(format!("{shown} is not executable: chmod +x"), format!("{shown} 没有执行权限：chmod +x"))
            }
            () => {
                say(format!("the mount that {shown} is on may be noexec"), format!("{shown} 所在的挂载可能带有 noexec"))
            }
        });
    }
    let mut head = Vec::new();
    File::open(&path).ok()?.take(4096).read_to_end(&mut head).ok()?;
    match (errno, needs(&path, &head)) {
        (Errno::ENOENT, Needs::Interpreter(name)) if !Path::new(&name).exists() => Some(say(
            format!("{shown} is there, but not the interpreter that it names: {name}"),
            format!("{shown} 存在，但它指定的解释器不存在：{name}"),
        )),
        (Errno::ENOEXEC, Needs::Machine(machine)) => {
            let here = std::env::consts::ARCH;
            Some(say(
                format!(
                    "{shown} is a program for {machine}, and this machine is {here}: only qemu can run it (binfmt_misc)"
                ),
                format!("{shown} 是 {machine} 的程序，而这台机器是 {here}：只能借助 qemu 运行（binfmt_misc）"),
            ))
        }
        (Errno::ENOEXEC, _) => Some(say(
            format!("{shown} is neither an ELF program for this machine nor a script with #!"),
            format!("{shown} 既不是本机的 ELF 程序，也不是以 #! 开头的脚本"),
        )),
        _ => None,
    }
}

/// The file that execvp(3) would take.
fn find(program: &OsStr) -> Option<PathBuf> {
    if is_path(program) {
        return fs::symlink_metadata(program).is_ok().then(|| program.into());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file())
}

/// Whether a program is named with its place: along the PATH only plain names are looked for.
fn is_path(program: &OsStr) -> bool {
    program.as_bytes().contains(&b'/')
}

/// What a program needs besides itself.
#[derive(Debug, PartialEq, Eq)]
enum Needs {
    Interpreter(String),
    Machine(String),
    Nothing,
}

fn needs(program: &Path, head: &[u8]) -> Needs {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = String::from_utf8_lossy(line.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
        return Needs::Interpreter(line.split_whitespace().next().unwrap_or_default().to_string());
    }
    let Some(machine) = elf::machine(head) else { return Needs::Nothing };
    let name = MACHINES.iter().find(|(known, _)| *known == machine).map(|(_, name)| *name);
    if name != Some(std::env::consts::ARCH) {
        return Needs::Machine(name.map_or(format!("ELF machine {machine}"), str::to_string));
    }
    let interpreter = elf::needs(program).ok().flatten().and_then(|needs| needs.interpreter);
    interpreter.map_or(Needs::Nothing, |path| Needs::Interpreter(path.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_read_from_scripts_and_from_programs() {
        let shell = Path::new("/bin/sh");
        assert_eq!(needs(shell, b"#! /bin/sh -e\nx"), Needs::Interpreter("/bin/sh".into()));
        assert_eq!(needs(shell, b"text"), Needs::Nothing);
        let head = fs::read(shell).unwrap();
        let Needs::Interpreter(loader) = needs(shell, &head) else { panic!("/bin/sh is linked statically") };
        assert!(Path::new(&loader).exists(), "{loader}");
    }

    #[test]
    fn another_machine_is_named() {
        let mut head = fs::read("/bin/sh").unwrap();
        head[18..20].copy_from_slice(&[22, 0]);
        assert_eq!(needs("/bin/sh".as_ref(), &head), Needs::Machine("s390x".into()));
        head[5] = 2;
        head[18..20].copy_from_slice(&[0, 22]);
        assert_eq!(needs("/bin/sh".as_ref(), &head), Needs::Machine("s390x".into()));
    }

    #[test]
    fn a_cut_file_is_no_reason_to_stumble() {
        let shell = fs::read("/bin/sh").unwrap();
        let top = tempfile::tempdir().unwrap();
        let cut = top.path().join("cut");
        for length in 0..80 {
            fs::write(&cut, &shell[..length]).unwrap();
            assert!(matches!(needs(&cut, &shell[..length]), Needs::Nothing), "{length}");
        }
        assert_eq!(find("no-such-program".as_ref()), None);
        let directory = why_not("/etc".as_ref(), Errno::EACCES);
        assert_eq!(directory.as_deref(), Some("/etc is a directory"));
        assert!(why_not("/no/such".as_ref(), Errno::ENOENT).unwrap().contains("no /no/such in this root"));
    }

    #[test]
    fn a_program_that_does_not_start_has_its_reason_in_its_file() {
        let top = tempfile::tempdir().unwrap();
        let why = |name: &str, content: &[u8], mode: u32, errno| {
            let path = top.path().join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            why_not(path.as_os_str(), errno).unwrap_or_default()
        };
        for (name, content, mode, errno, wanted) in [
            ("plain", &b"#!/bin/sh\n"[..], 0o644, Errno::EACCES, "plain is not executable: chmod +x"),
            ("other", b"#!/bin/sh\n", 0o601, Errno::EACCES, "other is on may be noexec"),
            ("any", b"#!/bin/sh\n", 0o755, Errno::EACCES, "any is on may be noexec"),
            ("lost", b"#!/no/such/sh\n", 0o755, Errno::ENOENT, "not the interpreter that it names: /no/such/sh"),
            ("kept", b"#!/bin/sh\n", 0o755, Errno::ENOENT, ""),
            ("text", b"text", 0o755, Errno::ENOEXEC, "neither an ELF program for this machine nor a script"),
            ("text", b"text", 0o755, Errno::EIO, ""),
        ] {
            let said = why(name, content, mode, errno);
            assert!(said.ends_with(wanted) || !wanted.is_empty() && said.contains(wanted), "{name}: {said}");
            assert_eq!(said.is_empty(), wanted.is_empty(), "{name}: {said}");
        }
        let mut foreign = fs::read("/bin/sh").unwrap();
        foreign[18..20].copy_from_slice(&[22, 0]);
        assert!(why("foreign", &foreign, 0o755, Errno::ENOEXEC).contains("is a program for s390x"));
        assert!(why_not("no-such-program".as_ref(), Errno::ENOENT).unwrap().contains("no directory of PATH has"));
    }
}
