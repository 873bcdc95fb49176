use super::{Value, Width};
use crate::kernel::pid::{Pid, Signal};
use crate::trace::Call;

fn decode(name: &str, args: [u64; 6]) -> String {
    Call::of(Pid(1), "sh", name, args).args_text()
}

fn at(text: &[u8]) -> u64 {
    text.as_ptr() as u64
}

const CWD: u64 = libc::AT_FDCWD as u64;

#[test]
fn namespaces_and_names() {
    assert_eq!(decode("unshare", [0x2c02_0000, 0, 0, 0, 0, 0]), "CLONE_NEWNS|CLONE_NEWUTS|CLONE_NEWIPC|CLONE_NEWPID");
    assert_eq!(decode("setns", [99, 0x402_0000, 0, 0, 0, 0]), "99, CLONE_NEWNS|CLONE_NEWUTS");
    assert_eq!(decode("setns", [99, 1, 0, 0, 0, 0]), "99, 0x1 /* CLONE_NEW??? */");
    assert_eq!(decode("sethostname", [at(b"box!"), 3, 0, 0, 0, 0]), "\"box\", 3");
    assert_eq!(decode("sethostname", [0, 3, 0, 0, 0, 0]), "NULL, 3");
}

#[test]
fn paths_are_escaped_and_modes_octal() {
    assert_eq!(decode("mkdir", [at(b"/x\n\"\x01\xe4\0"), 0o755, 0, 0, 0, 0]), r#""/x\n\"\1\344", 0755"#);
    assert_eq!(decode("mkdir", [at(b"\x011\0"), 0, 0, 0, 0, 0]), r#""\0011", 000"#);
    assert_eq!(decode("mkdirat", [CWD, at(b"y\0"), 0o700, 0, 0, 0]), "AT_FDCWD, \"y\", 0700");
    assert_eq!(decode("unlinkat", [5, at(b"\0"), 0x1200, 0, 0, 0]), "5, \"\", AT_REMOVEDIR|AT_EMPTY_PATH");
    assert_eq!(decode("chroot", [8, 0, 0, 0, 0, 0]), "0x8");
}

#[test]
fn mount_shows_as_addresses_what_it_ignores() {
    let (source, target, kind, data) = (at(b"a\0"), at(b"/mnt\0"), at(b"t\0"), at(b"x=1\0"));
    assert_eq!(decode("mount", [source, target, kind, 0, data, 0]), r#""a", "/mnt", "t", 0, "x=1""#);
    let bind = decode("mount", [source, target, 0xa5, 0xc0ed_0000 | 4096, 0x7f, 0]);
    assert_eq!(bind, r#""a", "/mnt", 0xa5, MS_MGC_VAL|MS_BIND, 0x7f"#);
    assert_eq!(decode("mount", [0, target, kind, 0xc0ed_0000, 0, 0]), r#"NULL, "/mnt", "t", MS_MGC_VAL, NULL"#);
    let extended = decode("mount", [0, target, kind, 0xffff_ffff_c0ed_0000, 0, 0]);
    assert_eq!(extended, r#"NULL, "/mnt", "t", MS_MGC_VAL, NULL"#, "a signed number");
    let remount = decode("mount", [source, target, 0, 33, data, 0]);
    assert_eq!(remount, r#""a", "/mnt", NULL, MS_RDONLY|MS_REMOUNT, "x=1""#);
    assert_eq!(decode("umount2", [target, 0x10, 0, 0, 0, 0]), r#""/mnt", 0x10 /* MNT_??? */"#);
}

#[test]
fn the_new_mount_calls() {
    let (key, value) = (at(b"size\0"), at(b"1m\0"));
    assert_eq!(decode("fsopen", [key, 1, 0, 0, 0, 0]), r#""size", FSOPEN_CLOEXEC"#);
    assert_eq!(decode("fsconfig", [3, 0, key, 0, 0, 0]), r#"3, FSCONFIG_SET_FLAG, "size", NULL, 0"#);
    assert_eq!(decode("fsconfig", [3, 1, key, value, 0, 0]), r#"3, FSCONFIG_SET_STRING, "size", "1m", 0"#);
    assert_eq!(decode("fsconfig", [3, 2, key, value, 3, 0]), r#"3, FSCONFIG_SET_BINARY, "size", "\x31\x6d\x00", 3"#);
    assert_eq!(decode("fsconfig", [3, 3, key, value, CWD, 0]), r#"3, FSCONFIG_SET_PATH, "size", "1m", AT_FDCWD"#);
    assert_eq!(decode("fsconfig", [3, 6, 0, 0, 0, 0]), "3, FSCONFIG_CMD_CREATE, NULL, NULL, 0");
    assert_eq!(
        decode("fsmount", [3, 1, 0x93, 0, 0, 0]),
        "3, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY|MOUNT_ATTR_NOSUID|MOUNT_ATTR_NOATIME|MOUNT_ATTR_NODIRATIME"
    );
    let moved = decode("move_mount", [4, at(b"\0"), CWD, at(b"/mnt\0"), 4, 0]);
    assert_eq!(moved, r#"4, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH"#);
    let tree = decode("open_tree", [CWD, at(b"/m\0"), 0x8_8001, 0, 0, 0]);
    assert_eq!(tree, r#"AT_FDCWD, "/m", OPEN_TREE_CLONE|OPEN_TREE_CLOEXEC|AT_RECURSIVE"#);
    let attributes = [0x10u64, 0x70, 1 << 18, 0];
    let set = decode("mount_setattr", [CWD, at(b"/m\0"), 0x1000, attributes.as_ptr() as u64, 32, 0]);
    assert_eq!(
        set,
        r#"AT_FDCWD, "/m", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_NOATIME, attr_clr=MOUNT_ATTR_NOATIME|MOUNT_ATTR_STRICTATIME|0x40, propagation=MS_PRIVATE, userns_fd=0}, 32"#
    );
}

#[test]
fn processes() {
    assert_eq!(decode("clone", [0, 0, 0, 0, 0, 0]), "child_stack=NULL, flags=0");
    assert_eq!(decode("clone", [0x2000_0011, 0, 0, 0, 0, 0]), "child_stack=NULL, flags=CLONE_NEWPID|SIGCHLD");
    let child = if cfg!(target_arch = "x86_64") { [0x120_0011, 0, 0, 7, 0, 0] } else { [0x120_0011, 0, 0, 0, 7, 0] };
    assert_eq!(
        decode("clone", child),
        "child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7"
    );
    let plain = [0u64, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
    let decoded = decode("clone3", [plain.as_ptr() as u64, 88, 0, 0, 0, 0]);
    assert_eq!(decoded, "{flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 88");
    let into = [0x2_0000_0000u64, 0, 0, 0, 17, 0, 0, 0, 0, 0, 77];
    let decoded = decode("clone3", [into.as_ptr() as u64, 88, 0, 0, 0, 0]);
    assert_eq!(decoded, "{flags=CLONE_INTO_CGROUP, exit_signal=SIGCHLD, stack=NULL, stack_size=0, cgroup=77}, 88");
    let tids = [0x110_1000u64, 0x10, 0x14, 0x18, 0, 0, 0, 0];
    let decoded = decode("clone3", [tids.as_ptr() as u64, 64, 0, 0, 0, 0]);
    let expected = "{flags=CLONE_PIDFD|CLONE_PARENT_SETTID|CLONE_CHILD_SETTID, pidfd=0x10, child_tid=0x14, \
                    parent_tid=0x18, exit_signal=0, stack=NULL, stack_size=0}, 64";
    assert_eq!(decoded, expected);
    assert_eq!(decode("clone3", [8, 88, 0, 0, 0, 0]), "0x8, 88");
}

#[test]
fn programs() {
    let path = at(b"/bin/sh\0");
    let argv = [at(b"sh\0"), at(b"a b\0"), 0];
    let env = [at(b"A=1\0"), 0];
    let (argv, env) = (argv.as_ptr() as u64, env.as_ptr() as u64);
    let text = decode("execve", [path, argv, env, 0, 0, 0]);
    assert_eq!(text, format!("\"/bin/sh\", [\"sh\", \"a b\"], {env:#x} /* 1 var */"));
    assert_eq!(decode("execve", [path, 8, 8, 0, 0, 0]), "\"/bin/sh\", 0x8, 0x8");
    assert_eq!(
        decode("execveat", [CWD, path, 0, 0, 0x1100, 0]),
        "AT_FDCWD, \"/bin/sh\", NULL, NULL, AT_SYMLINK_NOFOLLOW|AT_EMPTY_PATH"
    );
}

#[test]
fn writes() {
    let text = at(b"50000 100000\n");
    assert_eq!(decode("write", [3, text, 13, 0, 0, 0]), "3, \"50000 100000\\n\", 13");
    let vectors = [text, 5, text + 5, 8];
    let args = [3, vectors.as_ptr() as u64, 2, 0, 0, 0];
    assert_eq!(decode("writev", args), "3, [{iov_base=\"50000\", iov_len=5}, {iov_base=\" 100000\\n\", iov_len=8}], 2");
}

#[test]
fn pointers_at_the_end_of_the_address_space_lead_nowhere() {
    let (end, last) = (u64::MAX, u64::MAX - 1);
    assert_eq!(decode("mount_setattr", [CWD, 0, 0, last, 32, 0]), "AT_FDCWD, NULL, 0, 0xfffffffffffffffe, 32");
    assert!(decode("clone3", [last, 88, 0, 0, 0, 0]).starts_with("0xfffffffffffffffe"));
    let set_tid = [0u64, 0, 0, 0, 0, 0, 0, 0, end, 3, 0];
    assert!(decode("clone3", [set_tid.as_ptr() as u64, 88, 0, 0, 0, 0]).contains("set_tid=[]"));
    assert!(decode("pwritev", [9, end, 2, 0, 0, 0]).contains("0xffffffffffffffff"));
}

#[test]
fn each_kind_of_mount_ignores_something_else() {
    let (target, kind, data) = (at(b"/mnt\0"), at(b"t\0"), at(b"x=1\0"));
    let end = |flags: u64| {
        let text = decode("mount", [0, target, kind, flags, data, 0]);
        (text.contains("\"t\""), text.ends_with("\"x=1\""))
    };
    for (flags, type_and_data) in [
        (0, (true, true)),
        (libc::MS_RDONLY, (true, true)),
        (libc::MS_REC, (true, true)),
        (libc::MS_REMOUNT, (false, true)),
        (libc::MS_BIND, (false, false)),
        (libc::MS_MOVE, (false, false)),
        (libc::MS_SHARED, (false, false)),
        (libc::MS_PRIVATE, (false, false)),
        (libc::MS_SLAVE, (false, false)),
        (libc::MS_UNBINDABLE | libc::MS_REC, (false, false)),
        // It changes the options of the mount, and takes those of the file system that it does not change.
        (libc::MS_REMOUNT | libc::MS_BIND, (false, true)),
        (libc::MS_REMOUNT | libc::MS_PRIVATE, (false, true)),
    ] {
        assert_eq!(end(flags), type_and_data, "{flags:#x}");
    }
}

#[test]
fn what_is_long_is_cut_and_what_is_too_long_is_not_read() {
    let text = [b'a'; 5000];
    let write = |len: u64| decode("write", [3, at(&text), len, 0, 0, 0]);
    let whole = write(4096);
    assert!(whole.ends_with("aa\", 4096") && whole.matches('a').count() == 4096, "{}", whole.len());
    let cut = write(4097);
    assert!(cut.ends_with("aa\"..., 4097") && cut.matches('a').count() == 4096, "{}", cut.len());
    let all = decode("write", [3, 0, 4097, 0, 0, 0]);
    assert_eq!(all, "3, NULL, 4097");
    assert_eq!(write(1 << 40), format!("3, {:#x}, 1099511627776", at(&text)));
    // Programs with many arguments: whole ones, until there are too many.
    let word = [b"a".repeat(100), vec![0]].concat();
    let argv = |count: usize| -> String {
        let words: Vec<u64> = std::iter::repeat_n(at(&word), count).chain([0]).collect();
        decode("execve", [at(b"/x\0"), words.as_ptr() as u64, 0, 0, 0, 0])
    };
    let words = |text: &str| text.matches('a').count() / 100;
    assert_eq!((words(&argv(40)), argv(40).contains("...")), (40, false));
    assert_eq!((words(&argv(41)), argv(41).contains("...")), (41, false), "the last one may go beyond");
    assert_eq!((words(&argv(60)), argv(60).contains("...")), (41, true));
    // Forty of 102 bytes with their quotes, and one of 16, are as many bytes as there may be: one more is read.
    let short = [b"b".repeat(14), vec![0]].concat();
    let exact: Vec<u64> = std::iter::repeat_n(at(&word), 40).chain([at(&short), at(&word), 0]).collect();
    let text = decode("execve", [at(b"/x\0"), exact.as_ptr() as u64, 0, 0, 0, 0]);
    assert_eq!((words(&text), text.contains("...")), (41, false));
}

#[test]
fn the_bits_of_a_new_process_are_found_wherever_they_stand() {
    let of = |name: &str, args: [u64; 6]| Call::of(Pid(1), "sh", name, args).clone_flags();
    let fields = [0x2000_0000u64 | 0x0400_0000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0];
    assert_eq!(of("clone", [0x2000_0011, 0, 0, 0, 0, 0]), 0x2000_0000);
    assert_eq!(of("clone3", [fields.as_ptr() as u64, 88, 0, 0, 0, 0]), 0x2400_0000);
    assert_eq!(of("unshare", [0x402_0000, 0, 0, 0, 0, 0]), 0x402_0000);
    assert_eq!((of("mount", [0, 0, 0, 0x1000, 0, 0]), of("mkdir", [0, 0o700, 0, 0, 0, 0])), (0, 0));
}

#[test]
fn each_field_of_a_new_process_is_read_at_its_place() {
    let pids = [7i32, 8, 9];
    let fields = [0x138_1000u64, 1, 2, 3, 9, 5, 6, 7, at_of(&pids), 3, 10];
    let decoded = decode("clone3", [fields.as_ptr() as u64, 88, 0, 0, 0, 0]);
    assert_eq!(
        decoded.split_once(", ").unwrap().1,
        "pidfd=0x1, child_tid=0x2, parent_tid=0x3, exit_signal=SIGKILL, stack=0x5, stack_size=0x6, tls=0x7, \
         set_tid=[7, 8, 9], set_tid_size=3}, 88"
    );
    // One of the two says that the other was meant, too.
    let size = [0u64, 0, 0, 0, 17, 0, 0, 0, 0, 3, 0];
    let decoded = decode("clone3", [size.as_ptr() as u64, 88, 0, 0, 0, 0]);
    assert!(decoded.ends_with("set_tid=[], set_tid_size=3}, 88"), "{decoded}");
    let address = [0u64, 0, 0, 0, 17, 0, 0, 0, at_of(&pids), 0, 0];
    let decoded = decode("clone3", [address.as_ptr() as u64, 88, 0, 0, 0, 0]);
    assert!(decoded.ends_with("set_tid=[], set_tid_size=0}, 88"), "{decoded}");
    // What lies beyond the size that was given is not the call's.
    let decoded = decode("clone3", [fields.as_ptr() as u64, 64, 0, 0, 0, 0]);
    assert!(decoded.ends_with("tls=0x7}, 64"), "{decoded}");
    assert!(decode("clone3", [fields.as_ptr() as u64, 56, 0, 0, 0, 0]).ends_with(", 56"));
    assert!(!decode("clone3", [fields.as_ptr() as u64, 56, 0, 0, 0, 0]).contains("flags"));
}

fn at_of(numbers: &[i32]) -> u64 {
    numbers.as_ptr() as u64
}

#[test]
fn clone_has_its_arguments_in_the_order_of_the_machine() {
    let flags = 0xffff_ffff_0000_0000 | 0x139_1000 | libc::SIGCHLD as u64;
    let args = [flags, 1, 2, 3, 4, 0];
    let of = |width| {
        let named = super::clone(&args, width);
        let at = |name: &str| named.iter().find(|it| it.name.as_deref() == Some(name)).map(|it| it.value.clone());
        assert_eq!(at("flags"), Some(Value::CloneFlags(0x139_1000, Signal(libc::SIGCHLD))));
        assert_eq!((at("child_stack"), at("parent_tid")), (Some(Value::Address(1)), Some(Value::Address(2))));
        (at("child_tidptr"), at("tls"))
    };
    let (third, fourth) = (Some(Value::Address(3)), Some(Value::Address(4)));
    let swapped = cfg!(target_arch = "x86_64");
    let (child, tls) = if swapped { (&third, &fourth) } else { (&fourth, &third) };
    assert_eq!(of(Width::Eight), (child.clone(), tls.clone()));
    // Programs of i386 have them as all other machines do.
    assert_eq!(of(Width::Four), (fourth, third));
    let few = super::clone(&[libc::SIGCHLD as u64, 1, 2, 3, 4, 0], Width::Eight);
    assert_eq!(few.len(), 2, "what no flag asks for is not looked at");
}

#[test]
fn what_a_call_does_not_look_at_is_an_address_or_left_out() {
    assert_eq!(decode("mkdir", [at(b"/x\0"), 0xffff_ffff_8000_01ed, 0, 0, 0, 0]), "\"/x\", 0755");
    let key = at(b"size\0");
    assert_eq!(decode("fsconfig", [3, 6, key, key, 9, 0]), format!("3, FSCONFIG_CMD_CREATE, {key:#x}, {key:#x}, 9"));
    assert!(decode("fsconfig", [3, 5, key, 0, 9, 0]).contains("\"size\""));
    let attributes = [0x10u64, 0x70, 1 << 18, 0];
    let set = |size: u64| decode("mount_setattr", [CWD, 0, 0, attributes.as_ptr() as u64, size, 0]);
    assert_eq!(set(31), format!("AT_FDCWD, NULL, 0, {:#x}, 31", attributes.as_ptr() as u64));
    assert!(set(32).contains("attr_set=MOUNT_ATTR_NOATIME"));
    // A structure of 72 bytes has the place of the numbers, but not how many there are.
    let pids = [7i32];
    let fields = [0u64, 0, 0, 0, 17, 0, 0, 0, at_of(&pids), 1, 0];
    let decoded = decode("clone3", [fields.as_ptr() as u64, 72, 0, 0, 0, 0]);
    assert!(decoded.ends_with("set_tid=[], set_tid_size=0}, 72"), "{decoded}");
}
