//! Where a script limits memory, and makes processes members of its group.

use super::{
    finds::{Found, whole},
    script::{Edit, Script, base},
    shell::{Command, Word},
};
use std::ops::Range;

/// What of a group says how much memory it allows.
const LIMITS: [&str; 4] = ["memory.max", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.swap.max"];

/// The commands that limit memory.
pub(super) fn limits<'s>(script: &'s Script<'_>) -> impl Iterator<Item = &'s Command> {
    script.commands.iter().filter(|command| {
        let file = |word: &Word| word.values.iter().any(|value| LIMITS.iter().any(|limit| value.ends_with(limit)));
        let set = |word: &Word| LIMITS.iter().any(|limit| word.value().starts_with(&format!("{limit}=")));
        let number = |word: &Word| word.value().starts_with(|char: char| char.is_ascii_digit());
        let reads = ["[", "test", "cat"].contains(&command.words.first().map_or("", base));
        // A function may do the writing.
        let given = command.words.iter().any(file) && command.words.iter().any(number);
        !reads && (command.writes.iter().any(file) || command.words.iter().any(set) || given)
    })
}

/// The same with a limit 1024 times as large.
pub(super) fn larger(script: &Script<'_>, command: &Command) -> Option<Edit> {
    script.tokens(&command.words).into_iter().find_map(|(span, token)| {
        let (before, number) = match token.split_once('=') {
            Some((name, number)) => (name.len() + 1, number),
            None => (0, token),
        };
        let digits = number.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, unit) = number.split_at(digits);
        let larger = match unit {
            "" => digits.parse::<u64>().ok().filter(|number| *number > 0)?.checked_mul(1024)?.to_string(),
            "K" | "k" => format!("{digits}M"),
            "M" | "m" => format!("{digits}G"),
            _ => return None,
        };
        (!digits.is_empty()).then(|| (span.start + before..span.end, larger))
    })
}

pub(super) fn too_early(script: &Script<'_>) -> Option<Found> {
    let limit = limits(script).next()?;
    let makes = |command: &&Command| {
        let name = command.words.first().map_or("", base);
        let paths = limit.writes.first().map_or("", Word::value);
        let parent = |word: &Word| word.value().contains('/') && paths.starts_with(word.value());
        name == "cgcreate" || name == "mkdir" && command.words.iter().any(parent)
    };
    let group = script.commands.iter().filter(|command| command.span.start < limit.span.start).rfind(makes)?;
    moved(script, &[limit], script.lines(group)?.start)
}

/// These commands in another place, their lines as they are.
pub(super) fn moved(script: &Script<'_>, commands: &[&Command], to: usize) -> Option<Found> {
    let lines: Vec<Range<usize>> = commands.iter().map(|command| script.lines(command)).collect::<Option<_>>()?;
    let text: String = lines.iter().filter_map(|range| script.text.get(range.clone())).collect();
    let edits = lines.into_iter().map(|range| (range, String::new())).chain([(to..to, text)]).collect();
    Some(Found { edits, ..Found::default() })
}

/// The commands that make a process a member of a group, a function of the script's own included.
fn members<'s>(script: &'s Script<'_>) -> Vec<&'s Command> {
    let joins = |command: &&Command| {
        let file = |word: &Word| word.value().ends_with("/cgroup.procs") || word.value().ends_with("/tasks");
        command.words.first().is_some_and(|word| base(word) == "cgclassify") || command.writes.iter().any(file)
    };
    let found: Vec<&Command> = script.commands.iter().filter(joins).collect();
    let [only] = found.as_slice() else { return found };
    let before = script.text.get(..only.span.start).unwrap_or_default();
    let named = before.rfind("()").map(|at| before[..at].rsplit(['\n', ' ', ';', '\t']).next().unwrap_or_default());
    let open = before.rfind("()").is_some_and(|at| !before[at..].contains("\n}"));
    let Some(name) = named.filter(|name| open && !name.is_empty()) else { return found };
    let calls = |command: &&Command| command.after != "(" && command.words.first().is_some_and(|word| word.is(name));
    script.commands.iter().filter(calls).collect()
}

/// The command that becomes a member before this one begins, and is not the only such.
fn member_before<'s>(script: &'s Script<'_>, command: &Command) -> Option<&'s Command> {
    let all = members(script);
    let joined_by_wrapper = script.of("cgexec").count();
    (all.len() + joined_by_wrapper > 1).then_some(())?;
    all.into_iter().rfind(|member| member.span.start < command.span.start)
}

pub(super) fn no_member(script: &Script<'_>) -> Option<Found> {
    let (command, at) = script.of("unshare").next()?;
    if let Some(group) = script.place(command, "cgexec").filter(|group| *group < at) {
        return whole(between(command, group, at)?);
    }
    // What the way in does for itself stands elsewhere.
    let enter = script.of("nsenter").next()?.0;
    let member = member_before(script, command)?;
    let nearer = enter.span.start < command.span.start && member.span.start < enter.span.start;
    (!nearer).then(|| whole(script.without(member))).flatten()
}

pub(super) fn guest_outside(script: &Script<'_>) -> Option<Found> {
    let (command, at) = script.of("nsenter").next()?;
    if let Some(group) = script.place(command, "cgexec").filter(|group| *group < at) {
        return whole(between(command, group, at)?);
    }
    let run = script.of("unshare").next()?.0;
    let member = member_before(script, command)?;
    let nearer = run.span.start < command.span.start && member.span.start < run.span.start;
    (!nearer).then(|| whole(script.without(member))).flatten()
}

/// A command without the words from one to another.
fn between(command: &Command, from: usize, to: usize) -> Option<Edit> {
    Some((command.words.get(from)?.span.start..command.words.get(to)?.span.start, String::new()))
}
