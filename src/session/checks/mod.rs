//! Decides checks: a fact of a lesson, held against what the kernel and the tracer said. Each subject has a file, with a
//! table of cases beside it.

mod call;
pub(super) mod counters;
mod entrants;
mod file;
mod group;
mod mount;
mod namespace;
mod network;
mod networks;
mod process;
mod rights;
mod users;

use crate::{
    lang::{Both, Lang},
    lesson::{Fact, GroupFact, Where},
    observe::{Sample, Side},
    terminal::shell::is_shell,
    trace::{Ended, SyscallEvent},
};
use counters::Counters;
pub use counters::Share;
use std::{collections::VecDeque, sync::Arc};

/// Everything that a check may look at.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The newest sample.
    pub sample: Option<Arc<Sample>>,
    /// The calls since the step began, oldest first.
    pub calls: Vec<SyscallEvent>,
    /// The processes that ended since the step began: program name and how.
    pub ends: Vec<(String, Ended)>,
    /// Why calls cannot be seen on this machine, if so.
    pub untraced: Option<Both>,
    /// The counters of the session's group since the step began, oldest first.
    pub history: VecDeque<Counters>,
}

impl Evidence {
    /// A step begins. Its counters are compared with what was last seen before its commands.
    pub(super) fn begin(&mut self) {
        self.calls.clear();
        self.ends.clear();
        self.history.drain(..self.history.len().saturating_sub(1));
    }
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the fact holds; `None` where this machine does not let us see it.
    pub passed: Option<bool>,
    /// What the lesson asks for, in words.
    pub expected: String,
    /// What was seen instead, in words.
    pub observed: String,
    /// Why it holds although the figure is another one, in words; mostly empty.
    pub because: String,
}

impl Verdict {
    fn new(passed: bool, expected: impl Into<String>, observed: impl Into<String>) -> Verdict {
        Verdict { passed: Some(passed), expected: expected.into(), observed: observed.into(), ..Verdict::default() }
    }

    /// The fact holds where what was seen reads as what is wanted.
    fn equal(wanted: impl Into<String>, seen: impl Into<String>) -> Verdict {
        let (wanted, seen) = (wanted.into(), seen.into());
        Verdict::new(wanted == seen, wanted, seen)
    }

    /// The same where what it is about is not there.
    pub(super) fn without(self, observed: &str) -> Verdict {
        Verdict { passed: Some(false), observed: observed.into(), because: String::new(), ..self }
    }

    /// The fact does not hold, because what it is about could not be read.
    fn unread(wanted: impl Into<String>, lang: Lang) -> Verdict {
        Verdict::new(false, wanted, unreadable(lang))
    }
}

/// Decides one fact.
pub fn decide(fact: &Fact, evidence: &Evidence, lang: Lang) -> Verdict {
    let read = |state: &dyn Fn(&Sample) -> Verdict| match evidence.sample.as_deref() {
        Some(sample) => state(sample),
        None => Verdict::new(false, "", lang.pick("nothing was read yet", "尚未读到任何状态")),
    };
    match fact {
        Fact::Call(name, outcome, text) => call::call(name, outcome, text.as_deref(), evidence, lang),
        Fact::Leaked(path) => call::leaked(path, evidence, lang),
        Fact::Ended(names, end) => call::ended(names, end, evidence, lang),
        Fact::Group(GroupFact::Cpu(from, to)) => counters::cpu(*from, *to, evidence, lang),
        Fact::Group(GroupFact::Grew(counter)) => counters::grew(*counter, evidence, lang),
        Fact::Group(GroupFact::Exists(wanted)) => read(&|sample| group::exists(*wanted, sample, lang)),
        Fact::Group(GroupFact::Setting(setting, wanted)) => {
            read(&|sample| group::setting(*setting, *wanted, sample, lang))
        }
        Fact::Group(GroupFact::Share(percent)) => read(&|sample| group::share(*percent, sample, lang)),
        Fact::Group(GroupFact::Swapped(least)) => read(&|sample| group::swapped(*least, sample, lang)),
        Fact::InGroup(name, wanted) => read(&|sample| group::member(name, wanted, sample, lang)),
        Fact::HandleOutside => read(&|sample| process::handle_outside(sample, lang)),
        Fact::Namespace(kinds, new) => read(&|sample| namespace::links(kinds, *new, sample, lang)),
        Fact::ForChildren(new) => read(&|sample| namespace::for_children(*new, sample, lang)),
        Fact::Alone => read(&|sample| namespace::alone(sample, lang)),
        Fact::Hostname(place, name) => read(&|sample| namespace::hostname(name, side(*place, sample))),
        Fact::HostnameNot(place, name) => read(&|sample| namespace::hostname_not(name, side(*place, sample), lang)),
        Fact::Sysv(place, some) => read(&|sample| namespace::sysv(*some, side(*place, sample), lang)),
        Fact::ProcessesOnly(names) => read(&|sample| process::only(names, sample)),
        Fact::Process(place, name) => read(&|sample| process::runs(*place, name, sample, lang)),
        Fact::Init(name) => read(&|sample| process::init(name, sample, lang)),
        Fact::Adopted(name) => read(&|sample| process::adopted(name, sample, lang)),
        Fact::Scorecard(name, on) => read(&|sample| process::scorecard(name, *on, sample, lang)),
        Fact::Capabilities(amount) => read(&|sample| process::capabilities(*amount, sample, lang)),
        Fact::IdMap(uid, lines) => read(&|sample| users::map(*uid, lines, sample, lang)),
        Fact::Setgroups(allow) => read(&|sample| users::setgroups(*allow, sample, lang)),
        Fact::User(place, id) => read(&|sample| users::user(*place, *id, sample, lang)),
        Fact::Owner(kinds, own) => read(&|sample| users::owner(kinds, *own, sample, lang)),
        Fact::NoNewPrivs(on) => read(&|sample| process::no_new_privs(*on, sample)),
        Fact::SharedMounts(some) => read(&|sample| mount::shared(*some, sample, lang)),
        Fact::Zombies(some) => read(&|sample| rights::zombies(*some, sample, lang)),
        Fact::Reaps(yes) => read(&|sample| rights::reaps(*yes, sample, lang)),
        Fact::EnteredRights(more) => read(&|sample| entrants::rights(*more, sample, lang)),
        Fact::Entered(kinds) => read(&|sample| rights::entered(kinds, sample, lang)),
        Fact::Seccomp(on) => read(&|sample| rights::seccomp(*on, sample)),
        Fact::Capability(name, on) => {
            read(&|sample| rights::capability(name, *on, "CapEff", sample.privileges.capabilities))
        }
        Fact::Bounding(name, on) => read(&|sample| rights::capability(name, *on, "CapBnd", sample.privileges.bounding)),
        Fact::BoundingDefault => read(&|sample| rights::within_default(sample, lang)),
        Fact::ProcShowsHost(host) => read(&|sample| mount::proc(*host, sample, lang)),
        Fact::Mount(place, path, kind) => read(&|sample| mount::mounted(path, kind, side(*place, sample), lang)),
        Fact::NoMount(place, path, kind) => {
            read(&|sample| mount::absent(path, kind.as_deref(), side(*place, sample), lang))
        }
        Fact::HostRoot(mounted) => read(&|sample| mount::host_root(*mounted, sample, lang)),
        Fact::ReadOnly(place, path, yes) => read(&|sample| mount::read_only(path, *yes, side(*place, sample), lang)),
        Fact::InterfacesOnly(place, names) => read(&|sample| network::only(names, side(*place, sample), lang)),
        Fact::Interface(place, name, up) => read(&|sample| network::interface(name, *up, side(*place, sample), lang)),
        Fact::Listening(place, port) => read(&|sample| network::port(*port, true, side(*place, sample), lang)),
        Fact::NotListening(place, port) => read(&|sample| network::port(*port, false, side(*place, sample), lang)),
        Fact::Net(fact) => read(&|sample| networks::net(fact, sample, lang)),
        Fact::File(place, path, fact) => read(&|sample| file::file(*place, path, fact, sample, lang)),
    }
}

/// Whether a process runs the program that a lesson names; `sh` stands for every shell.
fn is_program(wanted: &str, name: &str) -> bool {
    wanted == name || wanted == "sh" && is_shell(name)
}

fn side(place: Where, sample: &Sample) -> &Side {
    match place {
        Where::Inside => &sample.inside,
        Where::Host => &sample.host,
    }
}

fn absent(lang: Lang) -> &'static str {
    lang.pick("absent", "不存在")
}

fn unreadable(lang: Lang) -> &'static str {
    lang.pick("unreadable", "无法读取")
}

fn join(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod cases;
