//! ps(1): list processes, as /proc shows them.

use super::{
    args::Misuse,
    complain,
    other::misused,
    print,
    table::{COLUMNS, Column, Facts},
};
use crate::kernel::pid::Pid;
use crate::kernel::process::{self, Process};
use nix::unistd::geteuid;
use std::{ffi::OsString, process::ExitCode};

const USAGE: &str = "usage: ps [-e] [-f] [-p PID,…] [-o COLUMN,…] | ps ax | ps aux";

/// Columns as `NAME=HEADING`, or only the name: what -o takes.
const PLAIN: &str = "pid tty time comm=CMD";
const FULL: &str = "user=UID pid ppid c stime tty time args=CMD";
const BSD: &str = "pid tty stat bsdtime args";
const BSD_USER: &str = "user pid %cpu %mem vsz rss tty stat bsdstart bsdtime args";

/// What to list, and how.
#[derive(Default)]
struct Wish {
    all: bool,
    full: bool,
    bsd: bool,
    user: bool,
    pids: Option<Vec<Pid>>,
    columns: Vec<String>,
}

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let words: Option<Vec<&str>> = args.iter().map(|word| word.to_str()).collect();
    let Some(wish) = words.and_then(|words| read(&words)) else {
        return misused("ps", args, &Misuse::Unknown("unsupported option".into()), USAGE, 1);
    };
    let standard = match () {
        () if wish.user => BSD_USER,
        () if wish.bsd => BSD,
        () if wish.full => FULL,
        () => PLAIN,
    };
    let wanted = if wish.columns.is_empty() { standard.split(' ').map(String::from).collect() } else { wish.columns };
    let mut columns: Vec<(&Column, String)> = Vec::new();
    for wanted in wanted {
        let (name, heading) = wanted.split_once('=').map_or((wanted.as_str(), None), |(name, text)| (name, Some(text)));
        let Some(column) = COLUMNS.iter().find(|(names, ..)| names.contains(&name)) else {
            let what = format!("unknown user-defined format specifier \"{name}\"");
            return misused("ps", args, &Misuse::Unknown(what), USAGE, 1);
        };
        columns.push((column, heading.unwrap_or(column.1).to_string()));
    }

    // There is no system call for this: a proc file system has a directory for each process of *its* PID namespace.
    // Without any process, not even this one, it is an empty directory and no proc file system.
    let Some(all) = process::all().ok().filter(|all| !all.is_empty()) else {
        return complain("ps", "/proc must be mounted\n  mount -t proc proc /proc", 1);
    };
    let (me, user) = (Pid::own(), geteuid().as_raw());
    let terminal = all.iter().find(|process| process.pid == me).map_or(0, |process| process.tty);
    let shown = |process: &&Process| match &wish.pids {
        Some(pids) => pids.contains(&process.pid),
        None if wish.bsd => wish.all || process.tty != 0,
        None => wish.all || (process.tty == terminal && process.uid == user),
    };
    let mut facts = Facts::read();
    let cells = |process| columns.iter().map(|((.., show), _)| show(process, &mut facts)).collect();
    let mut rows: Vec<Vec<String>> = all.iter().filter(shown).map(cells).collect();
    let status = if wish.pids.is_some() && rows.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if columns.iter().any(|(_, heading)| !heading.is_empty()) {
        rows.insert(0, columns.iter().map(|(_, heading)| heading.clone()).collect());
    }
    let widths: Vec<isize> = columns.iter().map(|((_, _, width, _), _)| *width).collect();
    let printed = print(&rows.iter().map(|row| facts.line(row, &widths)).collect::<String>());
    if printed == ExitCode::SUCCESS { status } else { printed }
}

fn read(args: &[&str]) -> Option<Wish> {
    let pids = |text: &str| text.split([',', ' ']).map(|pid| pid.parse().ok()).collect::<Option<Vec<Pid>>>();
    let mut wish = Wish::default();
    let mut rest = args.iter().copied();
    while let Some(word) = rest.next() {
        let (dash, letters) = word.strip_prefix('-').map_or((false, word), |letters| (true, letters));
        if let Some(pid) = pids(letters).filter(|_| !dash) {
            wish.pids.get_or_insert_default().extend(pid);
            wish.bsd = true;
            continue;
        }
        wish.bsd |= !dash;
        for (at, letter) in letters.char_indices() {
            let mut value =
                || Some(letters.get(at + 1..)).filter(|tail| *tail != Some("")).unwrap_or_else(|| rest.next());
            match (dash, letter) {
                (true, 'e' | 'A') | (false, 'a' | 'x') => wish.all = true,
                (true, 'f') => wish.full = true,
                (false, 'u') => wish.user = true,
                (_, 'w') => {}
                (_, 'p') => {
                    wish.pids.get_or_insert_default().extend(pids(value()?)?);
                    break;
                }
                (_, 'o') => {
                    wish.columns.extend(value()?.split([',', ' ']).map(String::from));
                    break;
                }
                _ => return None,
            }
        }
    }
    Some(wish)
}
