//! What if? A held call that goes without a flag, or fails with an error: the kernel is the witness of what became of it.

use crate::harness::{Test, tests};
use crate::support::{BOXWRIGHT, tmux::Tmux, words::ENGLISH};
use crate::trace_terminal::{Console, Shell};
use crate::tui_typing::{answers, bar};
use boxwright::trace::{Call, Hold, Return};
use nix::errno::Errno;
use std::{fs, path::Path, process::Command};

pub fn tests() -> Vec<Test> {
    let tracer = tests![
        a_flag_that_is_dropped_has_no_effect: [Root, Tool("unshare")],
        several_flags_are_dropped_at_once: [Root, Tool("unshare")],
        a_flag_of_a_fork_that_is_dropped_has_no_effect: [Root, Tool("python3")],
        a_call_that_is_refused_never_happens: [Root, Tool("unshare")],
        a_tool_says_who_changed_its_call: [Root, Tool("unshare")],
        a_program_that_does_not_start_is_told_at_once: [Root],
        a_program_finds_its_registers_as_they_were: [Root, Tool("python3"), Calls32],
        a_filter_of_its_own_judges_what_is_left: [Root, Tool("unshare")],
        a_command_is_changed_on_the_command_line: [Root, Tool("unshare"), Tool("setsid")],
    ];
    let screen = tests![
        a_step_with_a_changed_call_is_not_done: [Root, Tool("unshare"), Tool("tmux")],
        what_becomes_the_machines_is_asked: [Root, Tool("unshare"), Tool("tmux")],
        it_is_said_in_plain_lines_and_recorded: [Root, Tool("unshare"), Tool("setsid")],
    ];
    let screen = screen.into_iter().map(Test::alone);
    tracer.into_iter().map(Test::in_its_own_process).chain(screen).collect()
}

/// The links of our own namespaces, as a shell's readlink(1) prints them.
fn own(kind: &str) -> String {
    fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string()
}

/// A traced shell at its prompt, which waits before the next call of this name.
fn holding(name: &str) -> Shell {
    let mut shell = Shell::start();
    shell.prompt();
    shell.hold(Hold::Until(name.into()));
    shell.screen.clear();
    shell
}

/// Does this to the held call and lets all others go, until the prompt is back; what was printed.
fn changed(shell: &mut Shell, call: &Call, name: &str) -> String {
    shell.hold(Hold::Off);
    shell.tracer.instead(call.pid, call.choice(name).unwrap());
    shell.tracer.run_on(shell.root);
    shell.prompt();
    shell.screen.clone()
}

fn a_flag_that_is_dropped_has_no_effect() {
    let mut shell = holding("unshare");
    // It would make the machine's mounts private next.
    let line = "unshare -um --propagation unchanged readlink /proc/self/ns/mnt /proc/self/ns/uts\n";
    shell.type_in(line);
    let call = shell.until_held("unshare");
    assert_eq!(call.args_text(), "CLONE_NEWNS|CLONE_NEWUTS");
    let printed = changed(&mut shell, &call, "CLONE_NEWNS");
    assert!(printed.contains(&own("mnt")), "{printed}");
    assert!(printed.contains("uts:[") && !printed.contains(&own("uts")), "{printed}");
    let event = shell.call("unshare").unwrap();
    assert_eq!((event.call.args_text().as_str(), event.returned), ("CLONE_NEWUTS", Return::Value(0)));
    let asked = Call { args: event.asked.clone().unwrap(), ..event.call.clone() };
    assert_eq!(asked.args_text(), "CLONE_NEWNS|CLONE_NEWUTS");
    assert_eq!(event.changed.len(), 1, "{:?}", event.changed);
}

fn several_flags_are_dropped_at_once() {
    let mut shell = holding("unshare");
    shell.type_in(
        "unshare -umi --propagation unchanged readlink /proc/self/ns/mnt /proc/self/ns/uts /proc/self/ns/ipc\n",
    );
    let call = shell.until_held("unshare");
    let printed = changed(&mut shell, &call, "CLONE_NEWNS CLONE_NEWUTS");
    assert!(printed.contains(&own("mnt")) && printed.contains(&own("uts")), "{printed}");
    assert!(printed.contains("ipc:[") && !printed.contains(&own("ipc")), "{printed}");
    assert_eq!(shell.call("unshare").unwrap().call.args_text(), "CLONE_NEWIPC");
}

fn a_flag_of_a_fork_that_is_dropped_has_no_effect() {
    let mut shell = holding("clone");
    // The C library's fork has no flags of its own.
    let code = format!(
        "import ctypes,os; child=ctypes.CDLL(None).syscall({}, 0x4000011, 0, 0, 0, 0) == 0; \
         print(os.readlink(\"/proc/self/ns/uts\")) if child else os.wait()",
        libc::SYS_clone
    );
    shell.type_in(&format!("python3 -c '{code}'\n"));
    let call = step_to(&mut shell, "CLONE_NEWUTS");
    let printed = changed(&mut shell, &call, "CLONE_NEWUTS");
    assert!(printed.contains(&own("uts")), "{printed}");
    let event = shell.calls.iter().find(|event| event.asked.is_some()).unwrap();
    assert_eq!(event.call.args_text(), "child_stack=NULL, flags=SIGCHLD");
}

/// Lets one call after the other happen, up to one with this text.
fn step_to(shell: &mut Shell, text: &str) -> Call {
    loop {
        shell.until("a held call", |shell| !shell.held.is_empty());
        let call = shell.held[0].clone();
        if call.to_string().contains(text) {
            return call;
        }
        shell.tracer.step(call.pid);
        shell.until("its release", |shell| !shell.held.contains(&call));
    }
}

fn a_call_that_is_refused_never_happens() {
    for (name, text) in [("ENOSYS", "Function not implemented"), ("ENOMEM", "Cannot allocate memory")] {
        let mut shell = holding("unshare");
        shell.type_in("unshare -u true; readlink /proc/$$/ns/uts\n");
        let call = shell.until_held("unshare");
        let printed = changed(&mut shell, &call, name);
        assert!(printed.contains(text) && printed.contains(&own("uts")), "{printed}");
        let event = shell.call("unshare").unwrap();
        assert_eq!(event.returned.to_string(), format!("-1 {name} (made to fail by the learner)"));
        assert!(event.changed.is_empty() && event.asked.is_none());
    }
}

/// What would help with the kernel does not help there.
fn a_tool_says_who_changed_its_call() {
    let by_learner = "you changed this call before it happened";
    let mut shell = holding("sethostname");
    shell.type_in(&format!("unshare -u {BOXWRIGHT} hostname inside\n"));
    let call = shell.until_held("sethostname");
    let printed = changed(&mut shell, &call, "EPERM");
    assert!(printed.contains("Operation not permitted (EPERM)") && printed.contains(by_learner), "{printed}");
    let mut shell = holding("mount");
    shell.type_in(&format!("unshare -m --propagation private {BOXWRIGHT} mount --make-private /\n"));
    // Before it, unshare(1) makes all mounts private.
    let call = step_to(&mut shell, "NULL, MS_PRIVATE");
    // Without the flag it asks for a new mount of no type.
    let printed = changed(&mut shell, &call, "MS_PRIVATE");
    assert!(printed.contains("Invalid argument (EINVAL)") && printed.contains(by_learner), "{printed}");
}

/// A shell tries the next place of the PATH, whatever the first one said: what the learner did is told all the same.
fn a_program_that_does_not_start_is_told_at_once() {
    let mut shell = holding("execve");
    shell.type_in("ls /\n");
    let call = shell.until_held("execve");
    changed(&mut shell, &call, "EBUSY");
    let told = shell.calls.iter().filter(|event| event.returned == Return::Answered(Errno::EBUSY)).count();
    assert_eq!(told, 1, "{:?}", shell.calls);
}

/// Machine code that makes the call, and gives what the register of its argument holds afterwards.
fn a_program_finds_its_registers_as_they_were() {
    for code in [
        // mov edi, CLONE_NEWNS|CLONE_NEWUTS; mov eax, 272; syscall; mov rax, rdi; ret
        "bf00000204b8100100000f054889f8c3",
        // The same call of i386: push rbx; mov ebx, …; mov eax, 310; int 0x80; mov rax, rbx; pop rbx; ret
        "53bb00000204b836010000cd804889d85bc3",
    ] {
        let mut shell = holding("unshare");
        let script = format!(
            "import ctypes,mmap,os; code=mmap.mmap(-1,4096,prot=7); code.write(bytes.fromhex(\"{code}\")); \
             at=ctypes.addressof(ctypes.c_char.from_buffer(code)); print(hex(ctypes.CFUNCTYPE(ctypes.c_long)(at)()), \
             os.readlink(\"/proc/self/ns/mnt\"))"
        );
        shell.type_in(&format!("python3 -c '{script}'\n"));
        let call = shell.until_held("unshare");
        let printed = changed(&mut shell, &call, "CLONE_NEWNS");
        assert!(printed.contains(&format!("0x4020000 {}\r\n", own("mnt"))), "{printed}");
        assert_eq!(shell.call("unshare").unwrap().call.args_text(), "CLONE_NEWUTS");
    }
}

/// Such a thread is held where its call begins, before any filter has seen it.
fn a_filter_of_its_own_judges_what_is_left() {
    let mut shell = holding("unshare");
    shell.type_in(&format!(
        "{BOXWRIGHT} seccomp --deny mount unshare -um --propagation unchanged readlink /proc/self/ns/mnt\n"
    ));
    let call = shell.until_held("unshare");
    let printed = changed(&mut shell, &call, "CLONE_NEWNS");
    assert!(printed.contains(&own("mnt")), "{printed}");
    let event = shell.call("unshare").unwrap();
    assert_eq!((event.call.args_text().as_str(), event.returned), ("CLONE_NEWUTS", Return::Value(0)));
}

fn a_command_is_changed_on_the_command_line() {
    let command = "unshare -um --propagation unchanged readlink /proc/self/ns/mnt";
    let mut console = Console::open(&format!("{BOXWRIGHT} trace --step -- {command}; echo status $?"));
    console.until("Return: next");
    console.line("");
    console.until("unshare(CLONE_NEWNS|CLONE_NEWUTS)");
    console.line("f");
    console.until("CLONE_NEWNS CLONE_NEWUTS EPERM EINVAL ENOSYS ENOMEM EBUSY");
    console.line("f CLONE_NEWNS");
    console.until("unshare(CLONE_NEWUTS) = 0");
    console.until("you changed it; the program asked for unshare(CLONE_NEWNS|CLONE_NEWUTS)");
    console.line("c");
    console.until(&own("mnt"));
    console.until("status 0");
    console.child.wait().unwrap();
}

/// The machine is a mount namespace of its own, in which boxwright runs: what goes wrong ends with it.
const MACHINE: &str = "unshare -m --propagation private";

/// Whether this call waits; a long one goes on for a row or two before that is said.
fn waits(screen: &str, call: &str) -> bool {
    let rows: Vec<&str> = screen.lines().collect();
    rows.windows(3).any(|three| three[0].contains(call) && three.iter().any(|row| row.contains('⏸')))
}

fn a_step_with_a_changed_call_is_not_done() {
    let tmux = Tmux::start(140, 45);
    let state = tmux.file("state");
    let recorded = tmux.file("recorded");
    let args = format!("--lang en --record {} isolate/one-call-at-a-time", recorded.display());
    tmux.line(&format!("XDG_STATE_HOME={} {MACHINE} {BOXWRIGHT} {args}", state.display()));
    answers(&tmux, "2");
    tmux.sees(ENGLISH.command);
    tmux.press(&["Space"], "the shell's fork", |screen| waits(screen, "clone("));
    tmux.press(&["Space"], "the program", |screen| waits(screen, "execve("));
    tmux.press(&["Space"], "the call", |screen| waits(screen, "unshare(NEWNS|"));
    assert!(bar(&tmux.screen()).contains("f what if"), "{}", tmux.screen());
    let asked = tmux.press(&["f"], "the question", |screen| screen.contains(" What if … "));
    assert!(asked.contains("without CLONE_NEWUTS  same UTS namespace: the host name is shared"), "{asked}");
    tmux.press(&["Escape"], "the held call", |screen| !screen.contains(" What if … ") && waits(screen, "unshare("));
    tmux.press(&["f"], "the question", |screen| screen.contains(" What if … "));
    tmux.press(&["3"], "the choice", |screen| screen.contains("▶ 3 without CLONE_NEWUTS"));
    tmux.press(&["Enter"], "the change", |screen| screen.contains("You let unshare happen without CLONE_NEWUTS"));
    tmux.until("what was asked for", |screen| screen.contains("you changed it; asked for: unshare("));
    // All other calls go as they are, and the container is there: but its host name is the machine's.
    tmux.press(&["c"], "the end of the line", |screen| screen.contains("You changed a call") && screen.contains("✗"));
    let shown = tmux.sees("Not yet");
    assert!(!shown.contains(ENGLISH.next), "{shown}");
    // The step as it is meant.
    tmux.press(&["C-g"], "the lesson's keys", |screen| bar(screen).contains("q quit"));
    let anew = |screen: &str| bar(screen).contains("your answer") && !screen.contains("You changed a call");
    tmux.press(&["r"], "the question again", anew);
    answers(&tmux, "2");
    tmux.sees(ENGLISH.command);
    tmux.press(&["Space"], "the shell's fork", |screen| waits(screen, "clone("));
    tmux.press(&["c"], "the end of the step", |screen| screen.contains(ENGLISH.next));
    tmux.quit();
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
    // The keys of the question are played again with all others.
    let replayed = flat(&replayed(&recorded));
    assert!(replayed.contains("you changed it; asked for: unshare("), "{replayed}");
    assert_eq!(replayed.matches("Holds: The scorecard says: isolated").count(), 1, "{replayed}");
}

fn replayed(path: &Path) -> Vec<u8> {
    Command::new(BOXWRIGHT).args(["--lang", "en", "replay", "--plain"]).arg(path).output().unwrap().stdout
}

fn what_becomes_the_machines_is_asked() {
    let tmux = Tmux::start(140, 45);
    let state = tmux.file("state");
    // A file system of this machine's own, which a container sees as well.
    let machine = format!("{MACHINE} sh -c 'mount -t tmpfs machine /mnt && exec \"$@\"' sh");
    tmux.line(&format!("XDG_STATE_HOME={} {machine} {BOXWRIGHT} lab --lang en", state.display()));
    tmux.sees("lab keys");
    tmux.line("unshare -m sh");
    tmux.sees("inside: new mnt");
    tmux.press(&["C-g"], "the lab's keys", |screen| screen.contains("hold calls: off"));
    tmux.press(&["x"], "that calls are held", |screen| screen.contains("hold calls: on"));
    tmux.press(&["t"], "the terminal", |screen| screen.contains("lab keys"));
    tmux.line("mount -o remount,bind,ro /mnt");
    tmux.until("the shell's fork", |screen| waits(screen, "fork(") || waits(screen, "clone("));
    tmux.press(&["Space"], "the program", |screen| waits(screen, "bin/mount"));
    tmux.press(&["Space"], "the call", |screen| waits(screen, "mount("));
    // As it is it concerns this mount alone.
    let asked = tmux.press(&["f"], "the question", |screen| screen.contains(" What if … "));
    let row = asked.lines().find(|line| line.contains("without MS_BIND")).unwrap();
    assert!(row.contains("changes the whole file system"), "{asked}");
    let digit = row.split("without").next().unwrap().trim_end().chars().last().unwrap().to_string();
    tmux.press(&[&digit], "the choice", |screen| screen.contains(&format!("▶ {digit} without MS_BIND")));
    tmux.press(&["Enter"], "the guard", |screen| screen.contains("That would change the machine itself"));
    tmux.press(&["n"], "the refusal", |screen| {
        screen.contains("you refused it") && screen.contains("guard refused it")
    });
    assert!(tmux.screen().contains("you changed it; asked for:"), "{}", tmux.screen());
    tmux.press(&["C-g"], "the lab's keys", |screen| screen.contains("hold calls: on"));
    tmux.press(&["x"], "that calls are held no more", |screen| screen.contains("hold calls: off"));
    tmux.press(&["t"], "the terminal", |screen| screen.contains("lab keys"));
    tmux.line("touch /mnt/file && echo it is writ''able");
    tmux.sees("it is writable");
    tmux.press(&["C-g"], "the lab's keys", |screen| bar(screen).contains("q quit"));
    tmux.keys(&["q"]);
    tmux.until("the end", |screen| screen.trim_end().ends_with("ready>"));
}

/// Sentences are broken at the width of a terminal.
fn flat(text: &[u8]) -> String {
    String::from_utf8_lossy(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn it_is_said_in_plain_lines_and_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recorded");
    let talk = |lines: &str, lang: &str| {
        let mut command = Command::new("unshare");
        let script = format!("printf '{lines}' | setsid -w \"$@\"");
        command.args(["-m", "--propagation", "private", "sh", "-c", &script, "sh", BOXWRIGHT]);
        command.args(["--plain", "--lang", lang, "--record"]).arg(&file).arg("isolate/one-call-at-a-time");
        flat(&command.env("XDG_STATE_HOME", dir.path()).output().unwrap().stdout)
    };
    // The answer, the command, the shell's fork and its program.
    let said = talk(r"2\n\n\n\nf\nf CLONE_NEWUTS\nc\nq\n", "en");
    for text in [
        "`f ENOSYS`: fails with ENOSYS; the program sees: Function not implemented.",
        "You let unshare happen without CLONE_NEWUTS; r begins the step again.",
        "= 0; you changed it; asked for: unshare(",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    let replayed = flat(&replayed(&file));
    assert!(replayed.contains("you changed it; asked for: unshare("), "{replayed}");
    fs::remove_file(&file).unwrap();
    let said = talk(r"2\n\n\n\nf ENOSYS\nq\n", "zh");
    assert!(said.contains("你让 unshare 失败，返回 ENOSYS") && said.contains("-1 ENOSYS（你让它失败）"), "{said}");
}
