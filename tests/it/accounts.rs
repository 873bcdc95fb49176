//! The script that makes accounts for a class, in a mount namespace with an /etc and a /home of its own.

use crate::harness::{Test, tests};
use std::{path::Path, process::Command};

pub fn tests() -> Vec<Test> {
    let tests = tests![
        accounts_are_made_with_cards_and_removed_without_a_trace: [Root, Tool("unshare"), Tool("useradd"), Tool("chpasswd"), Tool("pkill")],
    ];
    tests.into_iter().map(Test::alone).collect()
}

/// What the shell prints: nothing outside its mount namespace can change, because /etc and /home are copies there.
fn within(script: &str) -> (String, bool) {
    let dir = tempfile::tempdir().unwrap();
    let accounts = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/class/accounts");
    let prepared = "set -e; cp -a /etc/. \"$1\"; mount --bind \"$1\" /etc; mount -t tmpfs none /home; accounts=$2; ";
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", &format!("{prepared}{script}"), "sh"]);
    let output = command.arg(dir.path()).arg(accounts).output().unwrap();
    (String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(), output.status.success())
}

fn accounts_are_made_with_cards_and_removed_without_a_trace() {
    let before = std::fs::read_to_string("/etc/passwd").unwrap();
    let script = r#"
        useradd --create-home --comment 'boxwright class' box77
        before=$(cat /etc/passwd /etc/group)
        "$accounts" make 3 --sudo /bin/true --host vm.example > /home/cards
        grep -c 'ssh box0[123]@vm.example' /home/cards
        word=$(sed -n 's/  password: //p' /home/cards | head -n 1)
        echo "word ${#word}"
        "$accounts" list | tr '\n' ' '
        stat -c '%a %U' /home/box01
        cat /etc/sudoers.d/boxwright-class
        ! "$accounts" make 2 2> /dev/null || echo 'made twice'
        setpriv --reuid "$(id -u box02)" --clear-groups sh -c 'exec sleep 600' > /dev/null 2>&1 &
        "$accounts" remove | tr '\n' ' '
        ! wait "$!" || echo 'it runs on'
        [ "$before" = "$(cat /etc/passwd /etc/group)" ] && echo 'as before'
        ls /home /etc/sudoers.d | grep -c -e 'box0' -e boxwright || true
        [ -d /home/box77 ] && echo 'nobody else'"#;
    let (said, success) = within(script);
    assert!(success, "{said}");
    let expected = "3\nword 12\nbox01 box02 box03 700 box01\n%boxwright-class ALL=(root) NOPASSWD: /bin/true\n\
                    box01 box02 box03 as before\n0\nnobody else\n";
    assert_eq!(said, expected);
    for wrong in
        ["make 0", "make x", "make 2 --sudo 'true; rm'", "make 2 --sudo true", "make 2 --class '$(id)'", "nosuch"]
    {
        let (said, success) =
            within(&format!("\"$accounts\" {wrong} 2> /dev/null || echo \"status $?\"; \"$accounts\" list"));
        assert_eq!((said.as_str(), success), ("status 2\n", true), "{wrong}");
    }
    assert_eq!(std::fs::read_to_string("/etc/passwd").unwrap(), before, "the machine itself is untouched");
}
