//! Starting again as root, by the program that this machine has for that.

use crate::{
    kernel::{
        errno,
        program::{SU, way},
    },
    lang::Lang,
};
use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, Write},
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, ExitCode},
};

fn words(way: &Path, exe: &Path, args: Vec<OsString>) -> Vec<OsString> {
    let command = std::iter::once(exe.as_os_str().to_owned()).chain(args);
    if way.file_name() != Some(OsStr::new(SU)) {
        return std::iter::once(way.as_os_str().to_owned()).chain(command).collect();
    }
    let line: Vec<Vec<u8>> = command.map(|word| quoted(&word)).collect();
    // Without a terminal of its own what `su -c` starts would have none, and not see when the window changes its size.
    [way.as_os_str().to_owned(), "--pty".into(), "-c".into(), OsString::from_vec(line.join(&b' '))].into()
}

/// One word of a shell's line.
fn quoted(word: &OsStr) -> Vec<u8> {
    let bytes = word.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(byte);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return bytes.to_vec();
    }
    let quote = |byte: &u8| if *byte == b'\'' { br"'\''".to_vec() } else { vec![*byte] };
    [b"'".to_vec(), bytes.iter().flat_map(quote).collect(), b"'".to_vec()].concat()
}

/// The arguments for the second start: those of the first, in the language that is spoken by now, and without `--reset`,
/// which has been obeyed.
fn again(args: impl Iterator<Item = OsString>, lang: Lang) -> Vec<OsString> {
    let mut out = vec!["--lang".into(), lang.code().into()];
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        if arg == "--" {
            out.push(arg);
            break;
        }
        if arg == "--lang" {
            args.next();
        } else if arg == "--record" {
            // The first part lies in the file itself.
            out.push(arg);
            out.extend(args.next().map(second));
        } else if arg.as_bytes().starts_with(b"--record=") {
            out.push(second(arg));
        } else if arg != "--reset" && !arg.as_bytes().starts_with(b"--lang=") {
            out.push(arg);
        }
    }
    out.extend(args);
    out
}

/// The name of a file for the second start.
fn second(mut name: OsString) -> OsString {
    name.push(".root");
    name
}

/// Becomes the program that makes root, which becomes this one. The terminal must have been given back, and all that the
/// session made must be gone: nothing comes after this. Comes back with status 3 where it cannot be.
pub(super) fn start(exe: &Path, lang: Lang) -> ExitCode {
    let what = lang.pick("start again as root", "以 root 重新启动");
    let Some(way) = way() else {
        let hint = lang.pick("log in as root, and start it there", "请以 root 登录后再启动");
        let why = lang.pick("no sudo, doas or su works here", "这里没有可用的 sudo、doas 或 su");
        let _ = writeln!(io::stderr(), "boxwright: {what}: {why}\n  {hint}");
        return ExitCode::from(3);
    };
    let words = words(&way, exe, again(env::args_os().skip(1), lang));
    // A user who is asked for a password must see why.
    let line: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let _ = writeln!(io::stderr(), "boxwright: {}", line.join(" "));
    let mut command = Command::new(&way);
    // The scope is the user's own; root asks for another.
    command.args(words.iter().skip(1)).env_remove(crate::kernel::availability::SCOPE);
    let error = command.exec();
    let _ = writeln!(io::stderr(), "boxwright: {}: {}", way.display(), errno::why_io(&error));
    ExitCode::from(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(words: Vec<OsString>) -> Vec<String> {
        words.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    #[test]
    fn the_line_is_this_programs_own_path() {
        let exe = Path::new("/home/li/my box/boxwright");
        let args = || vec!["isolate/2".into(), "it's".into()];
        let line = |way: &str| strings(words(Path::new(way), exe, args()));
        assert_eq!(line("/usr/bin/sudo"), ["/usr/bin/sudo", "/home/li/my box/boxwright", "isolate/2", "it's"]);
        let shell = r"'/home/li/my box/boxwright' isolate/2 'it'\''s'";
        assert_eq!(line("/bin/su"), ["/bin/su", "--pty", "-c", shell]);
    }

    #[test]
    fn the_second_start_is_as_the_first_but_forgets_nothing_again() {
        let given = |args: &[&str]| strings(again(args.iter().map(OsString::from), Lang::Zh));
        let recorded = ["--lang", "zh", "--record", "r.root", "--record=r.root"];
        assert_eq!(given(&["--record", "r", "--record=r"]), recorded, "a recording is never overwritten");
        assert_eq!(given(&["isolate", "--reset", "--plain"]), ["--lang", "zh", "isolate", "--plain"]);
        assert_eq!(given(&["--lang", "en", "--lang=en", "--yes"]), ["--lang", "zh", "--yes"]);
        assert_eq!(given(&["--", "--reset"]), ["--lang", "zh", "--", "--reset"]);
    }
}
