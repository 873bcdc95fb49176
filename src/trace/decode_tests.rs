use crate::trace::Call;

fn decode(name: &str, args: [u64; 6]) -> String {
    Call::of(1, "sh", name, args).args_text()
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
