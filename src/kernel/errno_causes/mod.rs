//! Why calls fail, in one table: a call, its error, and what else was true, to the cause and what may help.
//!
//! Tools, panes, transcripts and the doctor all read it, so that a learner who sees two of them sees one text. A caller
//! that can look at facts passes them on and gets the exact cause; a pane that only knows the call gets the row without
//! a fact, which names everything that it may be. What a row cannot know beforehand, such as a path, stands in it as
//! `{name}`, and is filled in by the caller.
//!
//! Where something other than a call fails, the table has a name of its own: `cgroup.procs`, `control file`, `openpty`.

mod file;
mod groups;
mod other;
mod process;

use super::{
    errno::Errno,
    namespaces::{Kind, read_link},
};
use crate::lang::{Lang, spoken};
use std::{fmt::Display, path::Path};

/// Something that was true when the call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// The next child of the caller will be in another PID namespace than the caller. Until there is one, the caller can
    /// make no thread and no second PID namespace (clone(2), pid_namespaces(7)).
    Elsewhere,
    /// The caller has one thread, as tools have.
    OneThread,
    /// It was a thread that was to be made, not a process.
    Thread,
    /// It is about a namespace of this kind.
    About(Kind),
    /// A file system of the kind `proc`.
    Proc,
    /// A file system of the kind `sysfs`, by a caller that may mount elsewhere.
    Sysfs,
    /// No new file system: what is mounted already was to be moved or changed.
    Again,
    /// What the call names first is missing, or its target.
    NoSource,
    /// The directory to mount on is missing.
    NoTarget,
    /// Something is mounted there, or nothing is.
    Mounted(bool),
    /// The current root is not a mount point.
    RootNotMounted,
    /// The mount is shared that the place for the old root is on, that holds the new root, or that holds the current one.
    SharedOld,
    /// See above.
    SharedParent,
    /// See above.
    SharedRoot,
    /// The new root is on the current root mount, or the place for the old one is.
    NewOnRoot,
    /// See above.
    OldOnRoot,
    /// The root is the first file system of the kernel.
    FirstRoot,
    /// The new root is not a mount point.
    NewNotMounted,
    /// The place for the old root is not below the new one.
    OldElsewhere,
    /// Letters of several options stand together where the name of a file was wanted.
    Joined,
    /// The caller has made a user namespace of its own.
    NewUsers,
    /// The control group is missing.
    NoGroup,
    /// It is one of this version.
    OfVersion(u8),
    /// It is one of this version, and the caller may write into its `cgroup.procs`.
    OwnGroup(u8),
    /// `cgroup.type` says `threaded`, or `domain invalid`.
    Threaded,
    /// See above.
    BelowThreaded,
    /// Processes are in the group.
    Members,
    /// Another group is below it.
    GroupBelow,
    /// It is about swap, which is on, off, or unknown.
    Swap(Option<bool>),
    /// The group above does not hand the controller down.
    NotDelegated,
    /// The other version has this setting on another scale.
    OtherScale,
    /// The control file is there.
    There,
    /// The control file is one of these, by the beginning of its name.
    Of(&'static str),
    /// The limit on memory and swap would be below that on memory.
    BelowMemory,
    /// The limit on memory would be above that on memory and swap.
    AboveBoth,
}

/// A cause and a remedy, in both languages.
struct Row {
    calls: &'static [&'static str],
    /// One of these errors; every error where it is empty.
    errnos: &'static [Errno],
    /// Only where this is known to be so.
    fact: Option<Fact>,
    cause: (&'static str, &'static str),
    /// What may help; empty where the cause says it.
    remedy: (&'static str, &'static str),
}

const fn row(
    calls: &'static [&'static str],
    errnos: &'static [Errno],
    fact: Option<Fact>,
    cause: (&'static str, &'static str),
    remedy: (&'static str, &'static str),
) -> Row {
    Row { calls, errnos, fact, cause, remedy }
}

const LACKS: (&str, &str) = ("the process lacks the capability for this", "进程没有所需的能力（capability）");
const SAID: (&str, &str) = ("", "");

/// The first row that fits is the cause: rows with a fact stand before the one without.
static TABLE: [&[Row]; 4] = [process::ROWS, file::ROWS, groups::ROWS, other::ROWS];

fn rows(call: &str, errno: Errno) -> impl Iterator<Item = &'static Row> {
    let all = TABLE.iter().flat_map(|rows| rows.iter());
    all.filter(move |row| row.calls.contains(&call) && (row.errnos.is_empty() || row.errnos.contains(&errno)))
}

fn find(call: &str, errno: Errno, facts: &[Fact]) -> Option<&'static Row> {
    rows(call, errno).find(|row| row.fact.is_none_or(|fact| facts.contains(&fact)))
}

/// Every cause and remedy of a call's error that can be: `possible` says whether a fact may have been so. Those that know
/// more come first.
pub(crate) fn all(
    call: &str,
    errno: Errno,
    possible: impl Fn(Fact) -> bool,
    lang: Lang,
) -> Vec<(&'static str, &'static str)> {
    // Names of files are not known here.
    let rows = rows(call, errno).filter(|row| row.fact.is_none_or(&possible) && !row.cause.0.contains('{'));
    let mut out: Vec<(&'static str, &'static str)> = Vec::new();
    for row in rows {
        let said = (lang.pick(row.cause.0, row.cause.1), lang.pick(row.remedy.0, row.remedy.1));
        if !out.iter().any(|(cause, _)| *cause == said.0) {
            out.push(said);
        }
    }
    out
}

/// The cause alone, where the call and its error have a usual one.
pub(crate) fn cause(call: &str, errno: Errno, facts: &[Fact], lang: Lang) -> Option<&'static str> {
    find(call, errno, facts).map(|row| lang.pick(row.cause.0, row.cause.1))
}

/// The cause and what may help.
pub(crate) fn help_in(call: &str, errno: Errno, facts: &[Fact], lang: Lang) -> Option<String> {
    find(call, errno, facts).map(|row| {
        let (cause, remedy) = (lang.pick(row.cause.0, row.cause.1), lang.pick(row.remedy.0, row.remedy.1));
        if remedy.is_empty() { cause.into() } else { format!("{cause}{}{remedy}", lang.pick(": ", "：")) }
    })
}

/// The same in the language of this process, for tools.
pub(crate) fn help(call: &str, errno: Errno, facts: &[Fact]) -> Option<String> {
    help_in(call, errno, facts, spoken())
}

/// The same with what the row leaves open: names, and what stands for them.
pub(crate) fn help_with(call: &str, errno: Errno, facts: &[Fact], values: &[(&str, &dyn Display)]) -> Option<String> {
    help(call, errno, facts).map(|text| {
        values.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{name}}}"), &value.to_string()))
    })
}

/// The facts that hold.
pub(crate) fn true_ones<const N: usize>(facts: [(Fact, bool); N]) -> Vec<Fact> {
    facts.into_iter().filter(|(_, holds)| *holds).map(|(fact, _)| fact).collect()
}

/// Why this process cannot make a thread.
pub(crate) fn thread(errno: Errno, lang: Lang) -> Option<String> {
    help_in("clone3", errno, &[own(), vec![Fact::Thread]].concat(), lang)
}

/// What is true of this process that decides about new namespaces, processes and threads.
pub(crate) fn own() -> Vec<Fact> {
    // The second link cannot be read before the first process of that namespace.
    let link = |name: &str| read_link(&Path::new("/proc/thread-self/ns").join(name)).ok();
    let elsewhere = link("pid").is_some() && link("pid_for_children") != link("pid");
    if elsewhere { vec![Fact::Elsewhere] } else { Vec::new() }
}

#[cfg(test)]
mod tests;
