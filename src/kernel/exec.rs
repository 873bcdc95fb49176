//! Why execve(2) refused a program, read from the file itself: ENOENT may mean its interpreter, ENOEXEC another machine.

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
                format!("there is no {} in this root directory", program.display()),
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
    match (errno, needs(&head)) {
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

fn needs(head: &[u8]) -> Needs {
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = String::from_utf8_lossy(line.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
        return Needs::Interpreter(line.split_whitespace().next().unwrap_or_default().to_string());
    }
    if !head.starts_with(b"\x7fELF") {
        return Needs::Nothing;
    }
    // Both machines that this program runs on are little-endian with 64 bits; of others only the machine is of interest.
    let number = |at: usize, bytes: usize| {
        let bytes = head.get(at..at + bytes).unwrap_or_default();
        bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte)) as usize
    };
    let machine = if head.get(5) == Some(&2) { number(18, 2).swap_bytes() >> 48 } else { number(18, 2) } as u16;
    let name = MACHINES.iter().find(|(known, _)| *known == machine).map(|(_, name)| *name);
    if name != Some(std::env::consts::ARCH) {
        return Needs::Machine(name.map_or(format!("ELF machine {machine}"), str::to_string));
    }
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    // PT_INTERP, of type 3, is the loader for shared libraries; the kernel runs it in the program's place.
    let interpreter = (0..count).map(|index| table + index * size).find(|at| number(*at, 4) == 3);
    let text = interpreter.and_then(|at| head.get(number(at + 8, 8)..)?.split(|byte| *byte == 0).next());
    text.map_or(Needs::Nothing, |text| Needs::Interpreter(String::from_utf8_lossy(text).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpreter_is_read_from_scripts_and_from_programs() {
        assert_eq!(needs(b"#! /bin/sh -e\nx"), Needs::Interpreter("/bin/sh".into()));
        assert_eq!(needs(b"text"), Needs::Nothing);
        let shell = fs::read("/bin/sh").unwrap();
        let Needs::Interpreter(loader) = needs(&shell[..4096]) else { panic!("/bin/sh is linked statically") };
        assert!(Path::new(&loader).exists(), "{loader}");
    }

    #[test]
    fn another_machine_is_named() {
        let mut head = fs::read("/bin/sh").unwrap();
        head[18..20].copy_from_slice(&[22, 0]);
        assert_eq!(needs(&head), Needs::Machine("s390x".into()));
        head[5] = 2;
        head[18..20].copy_from_slice(&[0, 22]);
        assert_eq!(needs(&head), Needs::Machine("s390x".into()));
    }

    #[test]
    fn a_cut_file_is_no_reason_to_stumble() {
        let shell = fs::read("/bin/sh").unwrap();
        (0..80).for_each(|length| drop(needs(&shell[..length])));
        assert_eq!(find("no-such-program".as_ref()), None);
        let directory = why_not("/etc".as_ref(), Errno::EACCES);
        assert_eq!(directory.as_deref(), Some("/etc is a directory"));
        assert!(why_not("/no/such".as_ref(), Errno::ENOENT).unwrap().contains("no /no/such in this root"));
    }
}
