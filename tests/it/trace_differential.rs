//! Twenty and more programs under `boxwright trace` and under strace(1): the same calls, in the same order a process, with the
//! same errors.

use crate::harness::{Test, tests};
use crate::support::BOXWRIGHT;
use crate::support::traced::{as_many, same};

pub fn tests() -> Vec<Test> {
    tests![
        shells_and_their_pipelines: [Root, Tool("strace"), Tool("bash"), Tool("xargs")],
        programs_that_start_programs: [Root, Tool("strace"), Tool("timeout"), Tool("setsid"), Tool("flock"), Tool("env")],
        languages_that_fork: [Root, Tool("strace"), Tool("python3"), Tool("perl")],
        unshare_in_every_way: [Root, Tool("strace"), Tool("unshare")],
        nsenter_in_every_way: [Root, Tool("strace"), Tool("unshare"), Tool("nsenter")],
        roots_and_mounts: [Root, Tool("strace"), Tool("unshare"), Tool("chroot"), Tool("mount"), Tool("umount")],
        networks: [Root, Tool("strace"), Tool("unshare"), Tool("ip")],
        rights_and_filters: [Root, Tool("strace"), Tool("setpriv"), Tool("python3"), Tool("bwrap")],
        threads_and_clone3: [Root, Tool("strace"), Tool("python3")],
        calls_that_fail: [Root, Tool("strace"), Tool("python3")],
    ]
}

/// The distribution's own: one that a version manager puts in its place is a shell script.
const PYTHON: &str = "/usr/bin/python3";

fn each(commands: &[&[&str]]) {
    commands.iter().for_each(|command| same(command));
}

/// Each line by a shell of its own.
fn lines(shell: &str, lines: &[&str]) {
    lines.iter().for_each(|line| same(&[shell, "-c", line]));
}

/// Where nothing of the machine changes: in a mount namespace of its own.
fn aside(script: &str) {
    same(&["unshare", "-m", "--propagation", "private", "sh", "-c", script]);
}

fn shells_and_their_pipelines() {
    let of_each = [
        "true | cat | wc -c",
        "x=$(echo a; echo b); echo \"$x\" | { read -r y; echo $y; }",
        "sleep 0.01 & wait; (exit 3); (cd /; pwd)",
        "seq 12 | xargs -P 4 -n 2 echo",
        "/no/such; nosuch; exit 5",
        "trap 'echo got' USR1; kill -USR1 $$; kill -TERM $$",
        "exec env -i A=1 true",
    ];
    lines("sh", &of_each);
    lines("bash", &of_each);
    lines("bash", &["cat <(echo a) <(echo b)", "echo {1..3} > /dev/null; : | :"]);
}

fn programs_that_start_programs() {
    let lock = tempfile::NamedTempFile::new().unwrap();
    each(&[
        &["timeout", "5", "true"],
        &["timeout", "-s", "KILL", "0.05", "sleep", "9"],
        &["setsid", "-w", "sh", "-c", "true; exit 4"],
        &["flock", lock.path().to_str().unwrap(), "-c", "true"],
        &["env", "-u", "HOME", "sh", "-c", "true; true"],
        &["nice", "-n", "3", "true"],
        &["find", "/etc/hostname", "-exec", "true", "{}", ";"],
    ]);
}

fn languages_that_fork() {
    each(&[
        &["perl", "-e", "for (1..3) { if (!fork) { exit $_ } } 1 while wait > 0; system('true'); exec 'true'"],
        &[
            PYTHON,
            "-S",
            "-c",
            "import os\nfor n in range(3):\n  if not os.fork(): os._exit(n)\nwhile True:\n  try: os.wait()\n  except ChildProcessError: break",
        ],
        &[
            PYTHON,
            "-S",
            "-c",
            "import subprocess as s; s.run(['true']); s.run('exit 3', shell=True); s.Popen(['true'], start_new_session=True).wait()",
        ],
        &[PYTHON, "-S", "-c", "import os; os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)"],
    ]);
}

fn unshare_in_every_way() {
    each(&[
        &["unshare", "-u", "hostname", "box"],
        &["unshare", "-i", "true"],
        &["unshare", "-C", "true"],
        &["unshare", "-T", "--monotonic", "100", "true"],
        &["unshare", "-r", "id", "-u"],
        &["unshare", "-U", "--map-auto", "true"],
        &["unshare", "-p", "--fork", "--kill-child", "sh", "-c", "true; true"],
        &["unshare", "-m", "--propagation", "slave", "true"],
        &["unshare", "-Urmpf", "--mount-proc", "sh", "-c", "true & wait"],
        &["unshare", "-R", "/", "-w", "/tmp", "pwd"],
        &[BOXWRIGHT, "unshare", "-Urmpf", "--mount-proc", "sh", "-c", "true & wait"],
    ]);
}

fn nsenter_in_every_way() {
    let each = [
        "nsenter -t $$ -a true",
        "nsenter -t $$ -u -i -n true",
        "nsenter -t $$ -m -p -r -w true",
        "nsenter -t $$ -p -F true",
        "nsenter -t $$ -U true",
    ];
    for enter in each {
        same(&["unshare", "-fpmuin", "--mount-proc", "sh", "-c", &format!("{enter}; exit")]);
    }
    same(&["unshare", "-fpu", "--mount-proc", "sh", "-c", &format!("{BOXWRIGHT} nsenter -t 1 -u hostname; exit")]);
}

fn roots_and_mounts() {
    same(&["chroot", "/", "sh", "-c", "true; pwd"]);
    same(&["chroot", "/no/such", "true"]);
    aside(
        "mount -t tmpfs box /mnt && mkdir /mnt/a && mount --bind /mnt/a /mnt/a && mount -o remount,ro,bind /mnt/a; \
           mount --make-rshared /mnt; mount --make-private /mnt; umount /mnt/a; umount -l /mnt; umount /mnt",
    );
    aside(
        "mount -t proc proc /mnt && umount /mnt; mount -t nosuch x /mnt; mount --move /mnt /opt; mount -t sysfs s /mnt",
    );
    aside(&format!("{BOXWRIGHT} mount -t tmpfs box /mnt; {BOXWRIGHT} mount --bind /etc /mnt; {BOXWRIGHT} umount /mnt"));
    aside("mknod /tmp/boxwright-none c 1; mount -t tmpfs box /mnt; mknod /mnt/null c 1 3; mkfifo /mnt/fifo");
}

fn networks() {
    same(&["unshare", "-n", "ip", "link", "set", "lo", "up"]);
    aside("mount -t tmpfs run /run; ip netns add box; ip netns exec box true; ip netns list; ip netns del box");
}

fn rights_and_filters() {
    // seccomp(2) and prctl(2), with a filter that refuses nothing and with one that refuses unshare(2).
    let filter = |rules: &str| {
        format!(
            "import ctypes, os, struct\n\
             code = [{rules}(6, 0, 0, 0x7fff0000)]\n\
             text = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *op) for op in code))\n\
             filter = ctypes.create_string_buffer(struct.pack('HP', len(code), ctypes.addressof(text)))\n\
             c = ctypes.CDLL(None)\n\
             c.prctl(38, 1, 0, 0, 0); c.prctl(22, 2, filter, 0, 0); c.unshare(0x4000000)\n\
             os.execlp('sh', 'sh', '-c', 'unshare -i true; true')\n"
        )
    };
    let unshare =
        "(0x20, 0, 0, 0), (0x15, 0, 1, {'x86_64': 272, 'aarch64': 97}[os.uname().machine]), (6, 0, 0, 0x50001), ";
    each(&[
        &["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "-c", "true; unshare -u true"],
        &["setpriv", "--no-new-privs", "--bounding-set", "-chown", "--inh-caps", "-all", "true"],
        &[PYTHON, "-S", "-c", &filter("")],
        &[PYTHON, "-S", "-c", &filter(unshare)],
        &[
            "bwrap",
            "--unshare-user",
            "--unshare-pid",
            "--dev-bind",
            "/",
            "/",
            "--die-with-parent",
            "sh",
            "-c",
            "true & wait",
        ],
        &[
            "bwrap",
            "--unshare-all",
            "--uid",
            "7",
            "--ro-bind",
            "/",
            "/",
            "--tmpfs",
            "/tmp",
            "--dir",
            "/tmp/a",
            "--chdir",
            "/tmp",
            "true",
        ],
    ]);
}

fn threads_and_clone3() {
    let threads = "import threading, subprocess\n\
                   def work(): subprocess.run(['true'])\n\
                   all = [threading.Thread(target=work) for _ in range(6)]\n\
                   [t.start() for t in all]; [t.join() for t in all]";
    as_many(
        &[
            PYTHON,
            "-S",
            "-c",
            &format!(
                "{threads}\nimport os; os.execlp('sh', 'sh', '-c', 'true; /no/such; unshare -u true; mount nosuch /no/such; chroot /no/such; umount /no/such; setpriv --nnp true')"
            ),
        ],
        &["execve", "vfork", "clone", "unshare", "mount", "chroot", "prctl", "fork", "umount2"],
    );
    // clone3(2) by its number: a child, a wrong size, a thread's flags without a stack.
    same(&[
        PYTHON,
        "-S",
        "-c",
        "import ctypes, os, struct\n\
         c = ctypes.CDLL(None, use_errno=True)\n\
         args = ctypes.create_string_buffer(struct.pack('11Q', 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0))\n\
         pid = c.syscall(435, args, 88)\n\
         if pid == 0: os._exit(3)\n\
         os.waitpid(pid, 0)\n\
         c.syscall(435, args, 8); c.syscall(435, None, 88)\n",
    ]);
}

fn calls_that_fail() {
    same(&[
        PYTHON,
        "-S",
        "-c",
        "import ctypes, os\n\
         c = ctypes.CDLL(None)\n\
         c.setns(-1, 0); c.setns(0, 0x7fffffff); c.chroot(None)\n\
         c.mount(None, None, None, 0, None); c.umount2(b'/no/such', 8); c.umount2(None, 0x100); c.sethostname(None, 9)\n\
         c.sethostname(b'x', -1); c.syscall(155, b'/no/such', b'/no/such') if os.uname().machine == 'x86_64' else None\n\
         c.setuid(-1); c.setgroups(-1, None); c.capset(None, None); c.prctl(24, 99, 0, 0, 0); c.prctl(22, 9, 0, 0, 0)\n\
         c.mq_unlink(b'/nosuch'); c.ptrace(99, 0, 0, 0); c.execve(None, None, None); c.execve(b'/', None, None)\n",
    ]);
}
