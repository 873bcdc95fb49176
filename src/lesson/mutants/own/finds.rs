//! Where a mutation of the table has its place in a script that anybody wrote: each is looked for by the command that makes the
//! call, whatever its options, variables and order.

use super::{
    groups::{guest_outside, larger, limits, moved, no_member, too_early},
    script::{Edit, Script, base},
    shell::{Command, Word},
};
use std::ops::Range;

/// A place for a mutation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub edits: Vec<Edit>,
    /// The words of the variant.
    pub words: [String; 2],
    /// What the row says of the script of the lesson, and what this script has instead.
    pub instead: Vec<(&'static str, String)>,
}

/// The places for the mutation of this name.
pub(super) fn places(name: &str, script: &Script<'_>) -> Vec<Found> {
    match name {
        "old-root" => each(script, "umount", |c, _| old_root(script, vec![script.without(c)])),
        "busy" => each(script, "umount", |c, at| {
            old_root(script, vec![script.without_flag(c.words.get(at + 1..)?, 'l', "--lazy")?])
        }),
        "no-pivot" => each(script, "pivot_root", |c, _| whole(script.without(c))),
        "bind-root" => each(script, "mount", |c, at| bind_root(script, c, at)),
        "host-proc" => each(script, "mount", |c, at| {
            let target = kind(c, at, "proc")?;
            whole((c.words.get(at)?.span.start..target.span.end, format!("mount --rbind /proc {}", script.raw(target))))
        }),
        "proc-sys" => each(script, "mount", |c, at| proc_sys(script, c, at)),
        "no-tmpfs" => each(script, "mount", |c, at| no_tmpfs(script, c, at)),
        "no-device" => no_device(script),
        "plain-files" => each(script, "mount", |c, at| {
            let rest = c.words.get(at + 1..)?;
            let many = rest.iter().any(|word| word.values.len() > 1 && word.values.iter().any(|v| v == "/dev/null"));
            many.then(|| whole(script.without(c))).flatten()
        }),
        "loader" => each(script, "mv", |c, _| {
            c.words.iter().any(|word| word.value().contains("/ld")).then_some(())?;
            let target = format!("/{}", c.words.last()?.value().trim_start_matches('/'));
            Some(Found { edits: vec![script.without(c)], instead: vec![("/dev/box/ld", target)], ..Found::default() })
        }),
        // A script may limit both versions' groups, and this machine has one of them.
        "no-limit" => together(limits(script).map(|c| script.without(c)).collect()),
        "huge-limit" => together(limits(script).filter_map(|c| larger(script, c)).collect()),
        "too-early" => too_early(script).into_iter().collect(),
        "no-member" => no_member(script).into_iter().collect(),
        "shared-ipc" => {
            each(script, "unshare", |c, at| whole(script.without_flag(c.words.get(at + 1..)?, 'i', "--ipc")?))
        }
        "shared-net" => {
            each(script, "unshare", |c, at| whole(script.without_flag(c.words.get(at + 1..)?, 'n', "--net")?))
        }
        "no-name" => names(script).filter_map(|c| whole(script.without(c))).collect(),
        "all-rights" => last(script).filter_map(|c| whole(unarmed(c, usize::from(is_exec(script, c)))?)).collect(),
        "no-exec" => last(script)
            .filter(|c| is_exec(script, c))
            .filter_map(|c| whole((c.span.start..c.words.get(1)?.span.start, String::new())))
            .collect(),
        "may-gain" => words(script, |token| ["--no-new-privs", "--nnp"].contains(&token))
            .filter_map(|(span, _)| whole(script.without_word(span)))
            .collect(),
        "full-bounds" => words(script, |token| token.contains("-all,+"))
            .filter_map(|(span, token)| {
                let at = span.start + token.find("-all,")?;
                whole((at..at + "-all,".len(), String::new()))
            })
            .collect(),
        "one-more" => ["sys_admin", "net_admin"].iter().flat_map(|more| one_more(script, more)).collect(),
        "guest-outside-group" => guest_outside(script).into_iter().collect(),
        "guest-armed" => each(script, "nsenter", |c, at| whole(unarmed(c, program(c, at)?)?)),
        "guest-half" => half_in(script),
        "guest-beside" => each(script, "nsenter", |c, at| {
            let options = c.words.get(at + 1..program(c, at)?)?;
            let all = options.iter().find(|word| word.is("-a") || word.is("--all"));
            let beside = all.map(|word| (word.span.clone(), "-m -u -i -n".to_owned()));
            whole(beside.or_else(|| flag(script, options, 'p', "--pid"))?)
        }),
        "wrong-number" => written(script)
            .map(|(_, number, file)| {
                let instead = vec![("`pid`", format!("`{}`", file.value()))];
                Found { edits: vec![(number.span.clone(), "$$".into())], instead, ..Found::default() }
            })
            .collect(),
        "too-late" => too_late(script).into_iter().collect(),
        "group-inside" => each(script, "nsenter", |c, at| {
            let group = script.place(c, "cgexec").filter(|group| *group < at)?;
            let [group, enter, start] = [group, at, program(c, at)?].map(|at| c.words.get(at).map(|w| w.span.start));
            let (group, enter, start) = (group?, enter?, start?);
            let moved = [&script.text[enter..start], &script.text[group..enter]].concat();
            whole((group..start, moved))
        }),
        _ => Vec::new(),
    }
}

/// A mutation that is this one change.
#[allow(clippy::unnecessary_wraps, reason = "what finds a place may find none")]
pub(super) fn whole(edit: Edit) -> Option<Found> {
    Some(Found { edits: vec![edit], ..Found::default() })
}

/// A mutation that is all of these changes.
fn together(edits: Vec<Edit>) -> Vec<Found> {
    (!edits.is_empty()).then(|| Found { edits, ..Found::default() }).into_iter().collect()
}

fn each<'s>(script: &'s Script<'_>, program: &'s str, found: impl Fn(&Command, usize) -> Option<Found>) -> Vec<Found> {
    script.of(program).filter_map(|(command, at)| found(command, at)).collect()
}

/// The words of all commands, one by one.
fn words<'s>(script: &'s Script<'_>, is: impl Fn(&str) -> bool) -> impl Iterator<Item = (Range<usize>, &'s str)> {
    let all = script.commands.iter().flat_map(|command| script.tokens(&command.words));
    let mut found: Vec<_> = all.filter(|(_, token)| is(token)).collect();
    found.sort_by_key(|(span, _)| span.start);
    found.dedup();
    found.into_iter()
}

/// Where the old root is after pivot_root, seen from the new one.
fn put_old(script: &Script<'_>) -> Option<String> {
    let (command, at) = script.of("pivot_root").next()?;
    let (new, old) = (command.words.get(at + 1)?.value(), command.words.get(at + 2)?.value());
    let below = old.strip_prefix(new).unwrap_or(old).trim_start_matches("./").trim_matches('/');
    (!below.is_empty() && below != "." && !below.contains('$')).then(|| format!("/{below}"))
}

fn old_root(script: &Script<'_>, edits: Vec<Edit>) -> Option<Found> {
    Some(Found { edits, instead: vec![("/dev/old", put_old(script)?)], ..Found::default() })
}

/// The target of a `mount -t KIND`.
fn kind<'c>(command: &'c Command, at: usize, kind: &str) -> Option<&'c Word> {
    let rest = command.words.get(at + 1..)?;
    let pair = rest.windows(2).any(|two| two[0].is("-t") && two[1].is(kind) || two[0].is("--types") && two[1].is(kind));
    let one = rest.iter().any(|word| word.is(&format!("-t{kind}")) || word.is(&format!("--types={kind}")));
    (pair || one).then(|| rest.last()).flatten()
}

fn bind_root(script: &Script<'_>, command: &Command, at: usize) -> Option<Found> {
    let target = kind(command, at, "overlay")?;
    let options = command.words.iter().find(|word| word.value().contains("lowerdir="))?;
    let raw = script.raw(options);
    let lower = raw.split("lowerdir=").nth(1)?.trim_start_matches('"').split([',', '"', '\'']).next()?;
    let value = options.value().split("lowerdir=").nth(1)?.split(',').next()?;
    let edit = (
        command.words.get(at)?.span.start..target.span.end,
        format!("mount --bind \"{lower}\" {}", script.raw(target)),
    );
    Some(Found { edits: vec![edit], instead: vec![("ls lower", format!("ls {value}"))], ..Found::default() })
}

fn proc_sys(script: &Script<'_>, command: &Command, at: usize) -> Option<Found> {
    let rest = command.words.get(at + 1..)?;
    rest.last()?.values.iter().any(|value| value.ends_with("proc/sys")).then_some(())?;
    let options = rest.iter().find(|word| word.value().split(',').any(|option| option == "ro"))?;
    if options.value().contains("remount") {
        return whole(script.without(command));
    }
    let raw = script.raw(options);
    let (at, cut) = raw.find(",ro").map(|at| (at, ",ro")).or_else(|| raw.find("ro,").map(|at| (at, "ro,")))?;
    whole((options.span.start + at..options.span.start + at + cut.len(), String::new()))
}

fn no_tmpfs(script: &Script<'_>, command: &Command, at: usize) -> Option<Found> {
    let target = kind(command, at, "tmpfs")?;
    let is_dev = |value: &str| value == "dev" || value.ends_with("/dev");
    is_dev(target.value()).then_some(())?;
    // What the script makes there stands in its own way the next time.
    let below = format!("{}/", bare(target.value()));
    let makes = |command: &Command| {
        let plain = !command.words.iter().any(|word| word.value().starts_with("-p"));
        plain && command.words.iter().any(|word| bare(word.value()).starts_with(&below))
    };
    script.of("mkdir").any(|(command, _)| makes(command)).then_some(())?;
    let options = script.of("mount").find_map(|(command, at)| {
        kind(command, at, "overlay")?;
        command.words.iter().find_map(|word| word.value().split("upperdir=").nth(1))
    })?;
    let upper = options.split(',').next()?;
    let instead = vec![("ls upper/dev", format!("ls {upper}/dev"))];
    Some(Found { edits: vec![script.without(command)], instead, ..Found::default() })
}

/// A path without what it may begin with.
fn bare(path: &str) -> &str {
    path.trim_start_matches("./")
}

/// The devices that programs expect, and their numbers.
const DEVICES: [(&str, &str); 6] =
    [("zero", "1:5"), ("full", "1:7"), ("random", "1:8"), ("urandom", "1:9"), ("tty", "5:0"), ("null", "1:3")];

fn no_device(script: &Script<'_>) -> Vec<Found> {
    let one = |(name, numbers): (&str, &str)| {
        let is = |word: &&Word| word.values.len() == 1 && base(word) == name;
        let list = script.commands.iter().filter(|command| command.words.first().is_some_and(|word| word.is("for")));
        let listed = list.filter(|command| command.words.len() > 4).filter_map(|command| command.words.iter().find(is));
        let mut edits: Vec<Edit> = listed.map(|word| script.without_word(word.span.clone())).collect();
        if edits.is_empty() {
            let made = |program| script.of(program).filter(|(command, _)| command.words.iter().any(|word| is(&word)));
            let all = made("mount").chain(made("mknod"));
            edits.extend(all.map(|(command, _)| script.without(command)));
        }
        let words = [name.to_owned(), numbers.to_owned()];
        (!edits.is_empty()).then_some(Found { edits, words, instead: Vec::new() })
    };
    DEVICES.into_iter().filter_map(one).collect()
}

/// The commands that set a host name.
fn names<'s>(script: &'s Script<'_>) -> impl Iterator<Item = &'s Command> {
    let sets = |command: &&Command| {
        let tool = command.words.first().is_some_and(|word| base(word) == "hostname") && command.words.len() == 2;
        tool || command.writes.iter().any(|word| word.value().ends_with("/kernel/hostname"))
    };
    script.commands.iter().filter(sets)
}

/// The commands that put the learner's program in the place of the script, and disarm it.
fn last<'s>(script: &'s Script<'_>) -> impl Iterator<Item = &'s Command> {
    let disarms = |command: &Command| command.words.iter().any(is_disarming);
    let runs = |command: &Command| command.words.len() > 1 && command.words.last().is_some_and(|word| word.is("$@"));
    let mut all: Vec<&Command> = script.commands.iter().filter(|command| runs(command) && disarms(command)).collect();
    all.retain(|command| script.place(command, "nsenter").is_none());
    all.into_iter()
}

fn is_exec(script: &Script<'_>, command: &Command) -> bool {
    command.words.first().is_some_and(|word| script.raw(word) == "exec")
}

/// Whether a word is the program that takes rights away, or a variable that begins with it.
fn is_disarming(word: &Word) -> bool {
    ["setpriv", "capsh"].iter().any(|tool| word.value().contains(tool))
}

/// A command that starts the learner's program without what disarms it; the program's words begin there.
fn unarmed(command: &Command, from: usize) -> Option<Edit> {
    let program = command.words.get(from..)?;
    let last = program.last().filter(|word| word.is("$@"))?;
    program.iter().any(is_disarming).then(|| (program[0].span.start..last.span.start, String::new()))
}

fn one_more(script: &Script<'_>, more: &str) -> Vec<Found> {
    let found = |(span, token): (Range<usize>, &str)| {
        let at = span.start + token.find("-all,+")? + "-all,".len();
        let words = [more.to_owned(), String::new()];
        Some(Found { edits: vec![(at..at, format!("+{more},"))], words, instead: Vec::new() })
    };
    words(script, |token| token.contains("-all,+")).filter_map(found).collect()
}

/// Where the words of the program begin that nsenter(1) executes.
fn program(command: &Command, at: usize) -> Option<usize> {
    let takes = ["-t", "--target", "-S", "--setuid", "-G", "--setgid"];
    let mut at = at + 1;
    while let Some(word) = command.words.get(at).filter(|word| word.value().starts_with('-')) {
        at += if takes.iter().any(|option| word.is(option)) { 2 } else { 1 };
    }
    (at < command.words.len()).then_some(at)
}

/// The same without a flag of nsenter(1), which stands alone.
fn flag(script: &Script<'_>, options: &[Word], letter: char, long: &str) -> Option<Edit> {
    let found = options.iter().find(|word| word.is(&format!("-{letter}")) || word.is(long))?;
    Some(script.without_word(found.span.clone()))
}

/// The kinds that a guest may lack, and what is left of `-a` then.
const HALVES: [(char, &str, &str, &str); 3] =
    [('i', "--ipc", "ipc", "-m -u -n -p"), ('u', "--uts", "uts", "-m -i -n -p"), ('n', "--net", "net", "-m -u -i -p")];

fn half_in(script: &Script<'_>) -> Vec<Found> {
    HALVES
        .iter()
        .flat_map(|(letter, long, kind, rest)| {
            each(script, "nsenter", |command, at| {
                let options = command.words.get(at + 1..program(command, at)?)?;
                let all = options.iter().find(|word| word.is("-a") || word.is("--all"));
                let half = all.map(|word| (word.span.clone(), (*rest).to_owned()));
                let edit = half.or_else(|| flag(script, options, *letter, long))?;
                Some(Found { edits: vec![edit], words: [(*rest).into(), (*kind).into()], instead: Vec::new() })
            })
        })
        .collect()
}

/// The commands that write a number down, the word that is the number, and the file: where the way in reads it again.
fn written<'s>(script: &'s Script<'_>) -> impl Iterator<Item = (&'s Command, &'s Word, &'s Word)> {
    script.commands.iter().filter_map(|command| {
        let says = ["echo", "printf"].contains(&command.words.first().map_or("", base));
        let file = command.writes.first().filter(|_| says)?;
        let number = command.words.get(1..)?.iter().rfind(|word| {
            let raw = script.raw(word).trim_matches('"');
            raw.strip_prefix('$').is_some_and(|name| !name.starts_with(['$', '(']))
        })?;
        let again = format!("cat {}", script.raw(file));
        let read = |one: &Command| one.reads.as_ref().is_some_and(|read| read.value() == file.value());
        (script.text.contains(&again) || script.commands.iter().any(read)).then_some((command, number, file))
    })
}

fn too_late(script: &Script<'_>) -> Option<Found> {
    let (write, _, file) = written(script).next()?;
    (!file.value().starts_with('/')).then_some(())?;
    let old = script.of("umount").next()?.0;
    let to = script.lines(old)?.end;
    let stat = |command: &&Command| command.reads.as_ref().is_some_and(|read| read.value().starts_with("/proc/self"));
    let read = script.commands.iter().find(stat)?;
    (write.span.end < old.span.start && read.span.start < write.span.start).then_some(())?;
    let mut found = moved(script, &[read, write], to)?;
    found.instead = vec![("`pid`", format!("`{}`", file.value())), ("cat pid", format!("cat {}", file.value()))];
    Some(found)
}
