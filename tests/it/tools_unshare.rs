//! unshare and nsenter with the options that few know, and what becomes of options that only the distribution's know.

use crate::harness::{Test, tests};
use crate::support::tools::{error, run, same_end, text};
use crate::support::{BOXWRIGHT, ours, theirs};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

pub fn tests() -> Vec<Test> {
    tests![
        unshare_maps_and_takes_ids_as_util_linux: [Root, UserNamespaces, Tool("unshare"), Tool("setpriv"), Tool("newuidmap")],
        root_needs_no_other_program_to_map_ids: [Root, UserNamespaces],
        namespaces_bound_to_files_outlive_their_processes: [Root, Tool("unshare"), Tool("nsenter"), Tool("taskset")],
        nsenter_takes_the_ids_that_it_is_told: [Root, Tool("nsenter")],
        what_ours_does_not_know_is_the_distributions: [Root, Tool("ps"), Tool("ip"), Tool("tar"), Tool("hostname"), Tool("nsenter")],
        two_copies_of_ours_do_not_call_one_another,
        pasted_dashes_and_quotes_are_named,
    ]
}

/// A shell command in a mount namespace of its own, where /etc/subuid and /etc/subgid give IDs to root and nobody, with TOOL
/// as this program.
fn with_subordinates(tool: &Path, script: &str) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("subuid");
    fs::write(&file, "root:100000:65536\nroot:0:1\nnobody:200000:65536\n").unwrap();
    let (file, tool) = (file.display(), tool.display());
    let all =
        format!("for f in subuid subgid; do touch /etc/$f; mount --bind {file} /etc/$f; done; TOOL={tool}; {script}");
    let mut command = Command::new(theirs("unshare"));
    command.args(["-m", "--propagation", "private", "sh", "-c", &all]).env("LC_ALL", "C.UTF-8");
    command.output().unwrap()
}

const SHOWN: &str = "sh -c 'cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id -u; id -g; id -G; \
                     grep -E \"Cap(Inh|Eff|Amb)\" /proc/self/status; cat /proc/self/timens_offsets'";

fn unshare_maps_and_takes_ids_as_util_linux() {
    let bin = ours();
    let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    for (who, options) in [
        ("", "-S 1 -G 1"),
        ("", "-U --map-user=5 --map-group=6"),
        ("", "-U --map-user=daemon"),
        ("", "-r --map-user=5"),
        ("", "--map-user=5 -r"),
        ("", "--map-users=100000,0,1000 --map-groups=100000,0,1000"),
        ("", "--map-users=100000,0,1000 --map-groups=100000,0,1000 -S 7 -G 8"),
        ("", "--map-users=100000,0,1000 --map-groups=100000,0,1000 -S 7 -G 8 --keep-caps"),
        ("", "-c --keep-caps"),
        ("", "--map-auto"),
        ("", "-T --boottime 100000 --monotonic 5 -f"),
        ("", "--boottime 3"),
        ("", "-r --setgroups allow"),
        ("", "-U --setgroups deny"),
        ("", "--setgroups frob"),
        ("", "--map-user=nosuch"),
        ("", "--map-users=x"),
        ("", "-rS 0 -G 0"),
        ("", "-S nosuch"),
        (nobody, "-r --map-auto"),
        (nobody, "--map-user=5 --map-users=200000,0,10 --map-groups=200000,0,10"),
        (nobody, "-c --map-users=200000,5,10"),
        (nobody, "--map-users=1000,0,10"),
        (nobody, "-c --keep-caps"),
    ] {
        let made = |tool: &Path| {
            let output = with_subordinates(tool, &format!("{who} $TOOL {options} {SHOWN}"));
            (output.status.code(), text(&output.stdout), error(&output))
        };
        // A user must be able to start ours.
        let (dir, program) = crate::support::for_everybody();
        let link = dir.path().join("unshare");
        std::os::unix::fs::symlink(program, &link).unwrap();
        let (mine, other) = (made(&link), made(&theirs("unshare")));
        assert_eq!((mine.0, &mine.1), (other.0, &other.1), "{who} {options}: {} / {}", mine.2, other.2);
        assert_eq!(mine.0 == Some(0), mine.2.is_empty(), "{options}: {}", mine.2);
    }
    drop(bin);
}

fn root_needs_no_other_program_to_map_ids() {
    let args = [
        "-r",
        "--map-users=300000,0,10",
        "--map-groups=0:300000:10",
        "cat",
        "/proc/self/uid_map",
        "/proc/self/gid_map",
    ];
    let output = run(&ours().path().join("unshare"), &args);
    let lines: Vec<String> =
        text(&output.stdout).lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, ["0 0 1", "1 300000 9", "0 0 1", "1 300000 9"], "{}", error(&output));
}

fn namespaces_bound_to_files_outlive_their_processes() {
    let bin = ours();
    let kinds = ["uts", "ipc", "net", "cgroup", "pid", "mount", "time"];
    let kept = |unshare: &Path, nsenter: &Path| {
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            "cd {}; mount --bind . . && mount --make-private . && cd . && cd {0} || exit 9
             touch {}
             {} -f {} hostname kept && for kind in uts net; do
                test \"$({nsenter} --$kind=$kind readlink /proc/self/ns/$kind)\" != \"$(readlink /proc/self/ns/$kind)\" || exit 8
             done
             {nsenter} --uts=uts --mount=mount hostname; hostname; grep -c 'nsfs' /proc/self/mounts",
            dir.path().display(),
            kinds.join(" "),
            unshare.display(),
            kinds.map(|kind| format!("--{kind}={kind}")).join(" "),
            nsenter = nsenter.display()
        );
        // A mount namespace can be bound only in an older one, and some kernels number them for each CPU apart.
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let cpus = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim();
        let cpu = cpus.split([',', '-']).next().unwrap();
        let mut command = Command::new(theirs("taskset"));
        command.args(["-c", cpu]).arg(theirs("unshare")).args(["-m", "--propagation", "private", "sh", "-c", &script]);
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stdout), error(&output))
    };
    let (unshare, nsenter) = (bin.path().join("unshare"), bin.path().join("nsenter"));
    let (mine, other) = (kept(&unshare, &nsenter), kept(&theirs("unshare"), &theirs("nsenter")));
    assert_eq!(mine, other);
    assert!(mine.0 == Some(0) && mine.1.starts_with("kept\n") && mine.1.ends_with("\n7\n"), "{mine:?}");
    for (args, why) in [(&["--uts=/no/such/file", "true"][..], "touch FILE"), (&["--pid=FILE", "true"], "--fork")] {
        let file = tempfile::NamedTempFile::new().unwrap();
        let args: Vec<String> = args.iter().map(|arg| arg.replace("FILE", file.path().to_str().unwrap())).collect();
        let output = run(&unshare, &args.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(output.status.code() == Some(1) && error(&output).contains(why), "{args:?}: {}", error(&output));
    }
}

fn nsenter_takes_the_ids_that_it_is_told() {
    let pid = std::process::id().to_string();
    let sample = ["sh", "-c", "id -u; id -g; id -G; pwd"];
    for options in [
        &["-S", "7", "-G", "8"][..],
        &["-G", "8"],
        &["--setuid=7"],
        &["-S", "nosuch"],
        &["-W", "/usr"],
        &["-W", "/no/such"],
    ] {
        same_end("nsenter", &[&["-t", &pid, "-m"], options, &sample[..]].concat());
    }
}

/// Ours stands first in the PATH, as in a pane.
fn in_a_pane(bin: &Path, line: &str) -> Output {
    let path = format!("{}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", bin.display());
    Command::new("sh")
        .args(["-c", line])
        .env("PATH", path)
        .env("LC_ALL", "C.UTF-8")
        .env("BOXWRIGHT_LANG", "en")
        .output()
        .unwrap()
}

fn what_ours_does_not_know_is_the_distributions() {
    let (bin, none) = (ours(), tempfile::tempdir().unwrap());
    for line in [
        "ps --no-headers -p 1 -o ppid",
        "ip route",
        "ip -br link show lo",
        "hostname -d",
        "tar -cf - /etc/hostname",
        "nsenter -Z true",
    ] {
        let (mine, other) = (in_a_pane(bin.path(), line), in_a_pane(none.path(), line));
        assert_eq!(
            (mine.status.code(), &mine.stdout),
            (other.status.code(), &other.stdout),
            "{line}: {}",
            error(&mine)
        );
        let (tool, said) = (line.split(' ').next().unwrap(), error(&mine));
        let start = format!("{tool}: boxwright's own says: ");
        let first = said.lines().next().unwrap_or_default();
        let program =
            theirs(["ps", "ip", "tar", "hostname", "nsenter"].into_iter().find(|name| *name == tool).unwrap());
        assert!(
            first.starts_with(&start) && first.ends_with("instead") && first.contains("starting /"),
            "{line}: {said}"
        );
        assert!(program.ends_with(tool));
    }
    // What is used wrongly is not another program's business, and where there is none, ours says what it knows.
    assert!(error(&in_a_pane(bin.path(), "nsenter -t")).starts_with("nsenter: option requires an argument -- 't'\n"));
    let output = Command::new(bin.path().join("ip")).arg("route").env("PATH", bin.path()).output().unwrap();
    assert!(error(&output).starts_with("ip: object \"route\" is unknown\n  usage: ip address"), "{}", error(&output));
}

fn two_copies_of_ours_do_not_call_one_another() {
    let (first, second) = (ours(), tempfile::tempdir().unwrap());
    fs::copy(BOXWRIGHT, second.path().join("unshare")).unwrap();
    let path = format!("{0}:{1}:{0}:{1}", first.path().display(), second.path().display());
    for program in [first.path(), second.path()] {
        let output = Command::new(program.join("unshare")).arg("--frob").env("PATH", &path).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(error(&output).contains("unrecognized option '--frob'\n"), "{}", error(&output));
    }
}

fn pasted_dashes_and_quotes_are_named() {
    let bin = ours();
    let dir = bin.path().display();
    for (line, en, zh) in [
        ("unshare –imnpu true", "–imnpu has a pasted en dash (U+2013)", "短破折号 U+2013"),
        ("unshare -p —mount-proc true", "—mount-proc has a pasted em dash (U+2014)", "长破折号 U+2014"),
        ("ps –ef", "–ef has a pasted en dash (U+2013)", "短破折号 U+2013"),
        (
            "cgcreate \u{2212}g cpu:x",
            "minus sign (U+2212), which means nothing to a command: type - instead",
            "减号 U+2212",
        ),
        ("cgset -r “cpu.cfs_quota_us=5” x", "“cpu.cfs_quota_us=5” has a pasted curly quote (U+201C)", "弯引号 U+201C"),
        (
            "nsenter -t ‘1’ -a",
            "curly quote (U+2018), which means nothing to a command: type ' instead",
            "弯引号 U+2018",
        ),
        ("ip addr –4", "–4 has a pasted en dash", "短破折号"),
    ] {
        for (lang, hint) in [("en", en), ("zh", zh)] {
            let output = Command::new("sh")
                .args(["-c", &format!("PATH={dir}:$PATH; {line}")])
                .env("BOXWRIGHT_LANG", lang)
                .output();
            let output = output.unwrap();
            let said = error(&output);
            assert!(!output.status.success() && said.matches(hint).count() == 1, "{line}: {said}");
        }
    }
    let mine = run(&bin.path().join("hostname"), &["a", "b"]);
    assert!(!error(&mine).contains("pasted"), "{}", error(&mine));
}
