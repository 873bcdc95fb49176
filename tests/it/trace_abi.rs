//! Calls under other numbers (i386, x32), and what else `boxwright trace` says of a process besides its calls.

use crate::harness::{Test, tests};
use crate::support::traced::{calls, ends, events, same, trace};
use crate::support::{BOXWRIGHT, for_everybody};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        a_32_bit_program_is_traced_like_any_other: [Root, Tool("strace"), Calls32],
        the_calls_of_i386_in_a_64_bit_program: [Root, Calls32],
        the_guard_holds_calls_of_i386: [Root, Calls32],
        the_guard_reads_what_socketcall_stands_for: [Root, Calls32],
        calls_of_another_abi_are_named: [Root, X86],
        a_second_tracer_is_explained: [Root, Tool("strace")],
        what_a_set_user_id_program_does_not_get_is_said: [Root, Tool("setpriv")],
        nothing_is_missed_where_nothing_is_lost: [Root, Tool("setpriv")],
    ]
}

/// How many bytes a pointer of a program has.
#[derive(Clone, Copy)]
enum Bits {
    I386,
    Amd64,
}

/// A static program of these instructions, with this behind them; both begin at [`CODE`].
fn elf(bits: Bits, code: &[u8]) -> Vec<u8> {
    let base = u64::from(CODE) & !0xfff;
    let head: usize = match bits {
        Bits::I386 => 52 + 32,
        Bits::Amd64 => 64 + 56,
    };
    assert_eq!((CODE as usize) & 0xfff, 0x100);
    let total = 0x100 + code.len() as u64;
    let mut out = vec![0x7f, b'E', b'L', b'F'];
    let half = |out: &mut Vec<u8>, value: u16| out.extend(value.to_le_bytes());
    let word = |out: &mut Vec<u8>, value: u32| out.extend(value.to_le_bytes());
    let wide = |out: &mut Vec<u8>, value: u64| match bits {
        Bits::I386 => out.extend((value as u32).to_le_bytes()),
        Bits::Amd64 => out.extend(value.to_le_bytes()),
    };
    let (class, machine, header, entry) = match bits {
        Bits::I386 => (1, 3, 52, 32),
        Bits::Amd64 => (2, 62, 64, 56),
    };
    out.extend([class, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    half(&mut out, 2);
    half(&mut out, machine);
    word(&mut out, 1);
    wide(&mut out, CODE.into());
    wide(&mut out, header);
    wide(&mut out, 0);
    word(&mut out, 0);
    for value in [header as u16, entry, 1, 0, 0, 0] {
        half(&mut out, value);
    }
    // One segment, that may be read, written and executed.
    word(&mut out, 1);
    if let Bits::Amd64 = bits {
        word(&mut out, 7);
    }
    for value in [0, base, base, total, total] {
        wide(&mut out, value);
    }
    if let Bits::I386 = bits {
        word(&mut out, 7);
    }
    wide(&mut out, 0x1000);
    assert_eq!(out.len(), head);
    out.resize(0x100, 0);
    out.extend(code);
    out
}

const CODE: u32 = 0x0804_8100;

/// `int 0x80` with these registers: eax, ebx, ecx, edx.
fn int80(call: u32, args: [u32; 3]) -> Vec<u8> {
    let mov = |opcode: u8, value: u32| [&[opcode][..], &value.to_le_bytes()].concat();
    [mov(0xb8, call), mov(0xbb, args[0]), mov(0xb9, args[1]), mov(0xba, args[2]), vec![0xcd, 0x80]].concat()
}

/// How many bytes that is.
const CALL: u32 = 22;

/// unshare, sethostname, an umount that fails, `execve` of /bin/true with two arguments, exit.
fn container() -> Vec<u8> {
    let data = CODE + 5 * CALL;
    let texts = b"box\0/bin/true\0-x\0";
    let (path, flag, argv) = (data + 4, data + 14, data + texts.len() as u32);
    let mut code = [
        int80(310, [0x400_0000, 0, 0]),
        int80(74, [data, 3, 0]),
        int80(22, [data, 0, 0]),
        int80(11, [path, argv, 0]),
        int80(1, [3, 0, 0]),
    ]
    .concat();
    code.extend(texts);
    code.extend([path, flag, 0].into_iter().flat_map(u32::to_le_bytes));
    code
}

fn program(dir: &Path, bits: Bits, code: &[u8]) -> PathBuf {
    let path = dir.join("program");
    fs::write(&path, elf(bits, code)).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    path
}

/// Why this machine makes no calls of i386.
pub fn no_calls_32() -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let path = program(dir.path(), Bits::I386, &int80(1, [7, 0, 0]));
    match Command::new(path).status() {
        Ok(status) if status.code() == Some(7) => None,
        Ok(status) => Some(format!("a program of i386 ends with {status}")),
        Err(error) => Some(format!("no program of i386 starts here: {error}")),
    }
}

fn a_32_bit_program_is_traced_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = program(dir.path(), Bits::I386, &container());
    let path = path.to_str().unwrap();
    let (out, events) = trace(&[path]);
    assert!(out.status.success(), "{out:?}");
    let changed = calls(&events, "unshare")[0]["changed"][0].as_str().unwrap();
    assert!(changed.starts_with("uts: "), "{changed}");
    assert!(calls(&events, "sethostname")[0]["changed"][0].as_str().unwrap().ends_with(" -> box"), "{events:?}");
    let umount = calls(&events, "umount2");
    assert_eq!((&umount[0]["args"], &umount[0]["errno"]), (&"\"box\", 0".into(), &"ENOENT".into()));
    let exec = calls(&events, "execve");
    assert!(exec[1]["args"].as_str().unwrap().starts_with("\"/bin/true\", [\"/bin/true\", \"-x\"], NULL"), "{exec:?}");
    assert!(!events.iter().any(|event| event["event"] == "note"), "{events:?}");
    // strace(1) reads them alike.
    same(&["sh", "-c", &format!("{path}; {path}")]);
}

fn the_calls_of_i386_in_a_64_bit_program() {
    let dir = tempfile::tempdir().unwrap();
    let path = program(dir.path(), Bits::Amd64, &container());
    let (out, events) = trace(&[path.to_str().unwrap()]);
    assert!(out.status.success(), "{out:?}");
    let names: Vec<&str> = events.iter().filter_map(|event| event["name"].as_str()).collect();
    assert_eq!(names, ["execve", "unshare", "sethostname", "umount2", "execve"]);
}

fn the_guard_holds_calls_of_i386() {
    let dir = tempfile::tempdir().unwrap();
    let texts = CODE + 2 * CALL;
    // sethostname("box") on the machine itself; its status is the errno.
    let mut code = int80(74, [texts, 3, 0]);
    // neg eax; mov ebx, eax; mov eax, 1; int 0x80
    code.extend([0xf7, 0xd8, 0x89, 0xc3, 0xb8, 1, 0, 0, 0, 0xcd, 0x80]);
    code.resize(2 * CALL as usize, 0x90);
    code.extend(b"box\0");
    let path = program(dir.path(), Bits::I386, &code);
    // In a UTS namespace of its own, should the guard fail; there is no terminal that could say yes.
    let out = Command::new("setsid")
        .args(["-w", "unshare", "-u", BOXWRIGHT, "trace", "--guard", "--json", "-o", "&1", "--"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1), "EPERM: {out:?}");
    let events = events(&out.stdout);
    assert!(events.iter().any(|event| event["event"] == "guarded" && event["name"] == "sethostname"), "{events:?}");
}

/// RTM_NEWLINK that brings up the first interface, by socketcall(2): socket(AF_NETLINK), then sendto(2) to the kernel.
fn the_guard_reads_what_socketcall_stands_for() {
    let dir = tempfile::tempdir().unwrap();
    // The descriptor of the new socket is kept as the first argument of the next call: mov [SENDTO], eax.
    let (store, exit) = (5, 4 + 5 + 2);
    let code_length = CALL + store + CALL + exit;
    let (socket, sendto, message) = (CODE + code_length, CODE + code_length + 12, CODE + code_length + 36);
    let mut code = int80(102, [1, socket, 0]);
    code.extend([&[0xa3][..], &sendto.to_le_bytes()].concat());
    code.extend(int80(102, [11, sendto, 0]));
    code.extend([0xf7, 0xd8, 0x89, 0xc3, 0xb8, 1, 0, 0, 0, 0xcd, 0x80]);
    assert_eq!(code.len() as u32, code_length);
    for value in [16, 3, 0, 0, message, 32, 0, 0, 0] {
        code.extend(u32::to_le_bytes(value));
    }
    for value in [32, 16 | 5 << 16, 1, 0, 0, 1, 1, 1] {
        code.extend(u32::to_le_bytes(value));
    }
    let path = program(dir.path(), Bits::I386, &code);
    // In a network namespace of its own, should the guard fail.
    let out = Command::new("setsid")
        .args(["-w", "unshare", "-n", BOXWRIGHT, "trace", "--guard", "--json", "-o", "&1", "--"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(1), "EPERM: {out:?}");
    let events = events(&out.stdout);
    assert!(events.iter().any(|event| event["event"] == "guarded" && event["name"] == "sendto"), "{events:?}");
}

fn calls_of_another_abi_are_named() {
    let dir = tempfile::tempdir().unwrap();
    // mov eax, x32 unshare; mov edi, CLONE_NEWUTS; syscall; twice; then exit(0).
    let mut unshare = vec![0xb8];
    unshare.extend((0x4000_0000_u32 | 272).to_le_bytes());
    unshare.extend([0xbf, 0, 0, 0, 4, 0x0f, 0x05]);
    let exit = [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05];
    let path = program(dir.path(), Bits::Amd64, &[&unshare[..], &unshare[..], &exit[..]].concat());
    let (out, events) = trace(&[path.to_str().unwrap()]);
    assert!(out.status.success(), "{out:?}");
    let notes = notes(&events);
    assert_eq!(notes, ["makes calls of another ABI: they are not shown, and the guard does not see them"], "once");
}

fn notes(events: &[Value]) -> Vec<&str> {
    events.iter().filter(|event| event["event"] == "note").map(|event| event["text"].as_str().unwrap()).collect()
}

fn a_second_tracer_is_explained() {
    let (out, events) = trace(&["strace", "-f", "-o", "/dev/null", "true"]);
    assert!(!out.status.success(), "{out:?}");
    let said = notes(&events);
    assert!(!said.is_empty() && said.iter().all(|text| text.contains("boxwright untraced CMD")), "{events:?}");
    let refused = calls(&events, "ptrace");
    assert!(refused.iter().any(|call| call["errno"] == "EPERM"), "{refused:?}");
    // In the reader's language, where people read.
    let out = Command::new(BOXWRIGHT).args(["trace", "--lang", "zh", "strace", "-o", "/dev/null", "true"]).output();
    let text = String::from_utf8_lossy(&out.unwrap().stderr).into_owned();
    assert!(text.contains("strace：一个进程最多只有一个跟踪者"), "{text}");
}

/// A program that every user runs as root: a copy of id(1).
fn as_root(dir: &Path) -> PathBuf {
    let path = dir.join("asroot");
    let id = Command::new("sh").args(["-c", "readlink -f $(command -v id)"]).output().unwrap();
    fs::copy(String::from_utf8(id.stdout).unwrap().trim(), &path).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o4755)).unwrap();
    path
}

/// What a user is told of it.
fn traced_by_a_user(user: &str, command: &[&str]) -> (String, Vec<Value>, String) {
    let (dir, boxwright) = for_everybody();
    let root = as_root(dir.path());
    let log = dir.path().join("log");
    fs::write(&log, "").unwrap();
    fs::set_permissions(&log, PermissionsExt::from_mode(0o666)).unwrap();
    let run = |more: &[&str]| {
        let out = Command::new("setpriv")
            .args(["--reuid", user, "--regid", user, "--clear-groups"])
            .args(command)
            .arg(&boxwright)
            .args(more)
            .arg("-o")
            .arg(&log)
            .arg("--")
            .args([&root, Path::new("-u")])
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&out.stdout).trim().to_string()
    };
    let printed = run(&["trace", "--json"]);
    let told = events(&fs::read(&log).unwrap());
    assert_eq!(ends(&told).len(), 1, "{told:?}");
    run(&["trace", "--lang", "zh"]);
    (printed, told, fs::read_to_string(&log).unwrap())
}

fn what_a_set_user_id_program_does_not_get_is_said() {
    let (printed, events, chinese) = traced_by_a_user("65534", &[]);
    assert_eq!(printed, "65534", "the tracer takes the privilege away");
    let expected = "asroot is set-user-ID, but gets no privilege: a process that an ordinary user traces gains none; \
                    boxwright untraced asroot runs it without a tracer";
    assert_eq!(notes(&events), [expected]);
    assert!(chinese.contains("asroot：asroot 是 set-user-ID 程序，但没有得到特权"), "{chinese}");
}

fn nothing_is_missed_where_nothing_is_lost() {
    // Root's tracer takes nothing away; and where a user has given it up, it was not the tracer.
    let (printed, events, _) = traced_by_a_user("0", &[]);
    assert_eq!((printed.as_str(), notes(&events).len()), ("0", 0), "{events:?}");
    let (printed, events, _) = traced_by_a_user("65534", &["setpriv", "--no-new-privs"]);
    assert_eq!((printed.as_str(), notes(&events).len()), ("65534", 0), "{events:?}");
}
