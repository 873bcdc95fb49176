//! Decides checks: a fact of a lesson, held against what the kernel and the tracer said.

use super::counted::{Counted, cpu, grew};
use crate::{
    kernel::{errno, namespaces::Kind},
    lang::{Both, Lang},
    lesson::{End, Fact, FileFact, GroupFact, Outcome, Setting, Where},
    observe::{Asked, ForChildren, Links, Process, Sample, Side},
    trace::{Ended, Return, Syscall, SyscallEvent},
};
use std::collections::{BTreeSet, VecDeque};

/// Everything that a check may look at.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The newest sample.
    pub sample: Option<std::sync::Arc<Sample>>,
    /// The calls since the step began, oldest first.
    pub calls: Vec<SyscallEvent>,
    /// The processes that ended since the step began: program name and how.
    pub ends: Vec<(String, Ended)>,
    /// Why calls cannot be seen on this machine, if so.
    pub untraced: Option<Both>,
    /// The counters of the session's group since the step began, oldest first.
    pub history: VecDeque<Counted>,
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
}

/// Decides one fact.
pub fn decide(fact: &Fact, evidence: &Evidence, lang: Lang) -> Verdict {
    match fact {
        Fact::Call(name, outcome, text) => return call(name, outcome, text.as_deref(), evidence, lang),
        Fact::Ended(name, end) => return ended(name, end, evidence, lang),
        Fact::Group(GroupFact::Cpu(from, to)) => return cpu(*from, *to, evidence, lang),
        Fact::Group(GroupFact::Grew(counter)) => return grew(*counter, evidence, lang),
        _ => {}
    }
    let Some(sample) = evidence.sample.as_deref() else {
        return Verdict {
            passed: Some(false),
            observed: lang.pick("nothing was read yet", "尚未读到任何状态").into(),
            ..Verdict::default()
        };
    };
    let (passed, expected, observed) = state(fact, sample, lang);
    Verdict { passed: Some(passed), expected, observed }
}

fn state(fact: &Fact, sample: &Sample, lang: Lang) -> (bool, String, String) {
    let side = |place: &Where| match place {
        Where::Inside => &sample.inside,
        Where::Host => &sample.host,
    };
    let equal = |wanted: String, seen: String| (wanted == seen, wanted, seen);
    match fact {
        Fact::Namespace(kinds, new) => {
            let wanted = kinds.iter().map(|kind| format!("{kind} {}", newness(*new, lang)));
            let seen = kinds.iter().map(|kind| match (sample.namespaces.get(kind), sample.host_namespaces.get(kind)) {
                (Some(inside), Some(host)) => format!("{kind} {}", newness(inside != host, lang)),
                _ => format!("{kind} {}", lang.pick("unreadable", "无法读取")),
            });
            equal(join(wanted), join(seen))
        }
        Fact::ForChildren(new) => {
            let host = sample.host_namespaces.get(&Kind::Pid);
            let seen = match sample.for_children {
                ForChildren::NotMade => newness(true, lang).to_string(),
                ForChildren::Inode(inode) => newness(Some(&inode) != host, lang).to_string(),
                ForChildren::Unknown => lang.pick("unreadable", "无法读取").to_string(),
            };
            equal(newness(*new, lang).to_string(), seen)
        }
        Fact::Hostname(place, name) => equal(name.clone(), side(place).hostname.clone().unwrap_or_else(|| "?".into())),
        Fact::HostnameNot(place, name) => {
            let seen = side(place).hostname.clone().unwrap_or_default();
            (!seen.is_empty() && seen != *name, format!("{} {name}", lang.pick("anything but", "不是")), seen)
        }
        Fact::ProcessesOnly(names) => {
            let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let seen: BTreeSet<&str> = inside(sample).map(|process| process.comm.as_str()).collect();
            (wanted == seen, join(wanted.iter()), join(seen.iter()))
        }
        Fact::Process(place, name) => {
            let found = match place {
                Where::Inside => inside(sample).any(|process| process.comm == *name),
                Where::Host => {
                    let host = sample.host_namespaces.get(&Kind::Pid).copied();
                    sample.processes.iter().any(|process| process.comm == *name && process.pid_ns == host)
                }
            };
            presence(found, name.clone(), lang)
        }
        Fact::Init(name) => {
            let init = inside(sample).find(|process| process.nspid.last() == Some(&1));
            equal(name.clone(), init.map_or_else(|| lang.pick("none", "没有").into(), |process| process.comm.clone()))
        }
        Fact::Adopted(name) => {
            let init = inside(sample).find(|process| process.nspid.last() == Some(&1)).map(|process| process.pid);
            let parents: Vec<i32> =
                inside(sample).filter(|process| process.comm == *name).map(|process| process.ppid).collect();
            let found = init.is_some_and(|init| parents.contains(&init));
            let wanted = format!("{name}: {} 1", lang.pick("parent", "父进程"));
            let seen = if found { wanted.clone() } else { format!("{parents:?}") };
            (found, wanted, seen)
        }
        Fact::ProcShowsHost(host) => {
            let word =
                |host: bool| lang.pick(if host { "host" } else { "own" }, if host { "宿主机的" } else { "自己的" });
            let seen = sample.inside.proc_shows_host.map_or(lang.pick("no /proc", "没有 /proc"), word);
            equal(word(*host).into(), seen.into())
        }
        Fact::Mount(place, path, kind) => {
            let wanted = format!("{path} {kind}");
            // The mount made last on a path is the one that is seen there.
            let seen = side(place).mounts.iter().rev().find(|mount| mount.point == *path);
            let seen = seen.map_or_else(|| absent(lang), |mount| format!("{path} {}", mount.kind));
            equal(wanted, seen)
        }
        Fact::NoMount(place, path, kind) => {
            let matches = |mount_kind: &String| kind.as_ref().is_none_or(|kind| kind == mount_kind);
            let seen = side(place).mounts.iter().rev().find(|mount| mount.point == *path && matches(&mount.kind));
            equal(absent(lang), seen.map_or_else(|| absent(lang), |mount| format!("{path} {}", mount.kind)))
        }
        Fact::InterfacesOnly(place, names) => {
            let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
            let seen: BTreeSet<&str> = side(place).interfaces.iter().map(|link| link.name.as_str()).collect();
            (wanted == seen, join(wanted.iter()), join(seen.iter()))
        }
        Fact::Interface(place, name, up) => {
            let word = |up: bool| format!("{name} {}", if up { "UP" } else { "DOWN" });
            let seen = side(place).interfaces.iter().find(|link| link.name == *name);
            equal(word(*up), seen.map_or_else(|| absent(lang), |link| word(link.up)))
        }
        Fact::Listening(place, port) => ports(side(place), *port, true, lang),
        Fact::NotListening(place, port) => ports(side(place), *port, false, lang),
        Fact::Sysv(place, some) => {
            let seen = side(place).sysv.join(", ");
            let wanted = lang.pick(if *some { "some" } else { "none" }, if *some { "有" } else { "没有" });
            let none = lang.pick("none", "没有");
            (seen.is_empty() != *some, wanted.into(), if seen.is_empty() { none.into() } else { seen })
        }
        Fact::Scorecard(name, on) => {
            let card = &sample.scorecard;
            let seen = match name.as_str() {
                "isolated" => card.isolated,
                "rooted" => card.rooted,
                "limited" => card.limited,
                _ => card.entered,
            };
            let word =
                |on: bool| format!("{name} {}", lang.pick(if on { "yes" } else { "no" }, if on { "是" } else { "否" }));
            equal(word(*on), word(seen))
        }
        Fact::Capabilities(all) => {
            let (theirs, ours) = (sample.privileges.capabilities, sample.host_privileges.capabilities);
            let has_all = theirs.zip(ours).map(|(theirs, ours)| ours & !theirs == 0);
            let count = |mask: Option<u64>| mask.map_or_else(|| "?".into(), |mask| mask.count_ones().to_string());
            let wanted = match all {
                true => lang.pick("all of {}", "全部 {} 项"),
                false => lang.pick("fewer than {}", "少于 {} 项"),
            };
            (has_all == Some(*all), wanted.replace("{}", &count(ours)), count(theirs))
        }
        Fact::NoNewPrivs(on) => {
            let word = |on: bool| format!("NoNewPrivs {}", u8::from(on));
            equal(word(*on), sample.privileges.no_new_privs.map_or_else(|| "NoNewPrivs ?".into(), word))
        }
        Fact::Alone => {
            // Without root the terminal's own shell stands in a user namespace, which is what lets it make the others.
            let links = |links: &Links| {
                links.iter().filter(|(kind, _)| **kind != Kind::User).map(|(_, inode)| *inode).collect()
            };
            let (theirs, ours): (Vec<u64>, Vec<u64>) = (links(&sample.namespaces), links(&sample.host_namespaces));
            let isolated = theirs != ours || sample.for_children == ForChildren::NotMade;
            let seen = lang.pick(
                if isolated { "a container still runs" } else { "no container" },
                if isolated { "容器还在运行" } else { "没有容器" },
            );
            equal(lang.pick("no container", "没有容器").into(), seen.into())
        }
        Fact::File(place, path, fact) => file(sample, *place, path, fact, lang),
        Fact::Group(GroupFact::Exists(wanted)) => {
            let word = |exists: bool| {
                lang.pick(if exists { "it exists" } else { "none" }, if exists { "存在" } else { "不存在" })
            };
            equal(word(*wanted).into(), word(sample.group.exists).into())
        }
        Fact::Group(GroupFact::Setting(setting, wanted)) => {
            let values = &sample.group.values;
            let seen = match setting {
                Setting::Quota => values.cpu.quota_micros,
                Setting::Period => values.cpu.period_micros,
                Setting::Memory => values.memory.limit,
                Setting::MemoryAndSwap => values.memory.with_swap,
                Setting::Pids => values.pids.max,
            };
            let word = |value: Option<u64>| {
                value.map_or_else(|| lang.pick("no limit", "无限制").into(), |value| value.to_string())
            };
            let (passed, expected, observed) = equal(word(*wanted), word(seen));
            let gone = || lang.pick("there is no such group", "没有这个组").to_string();
            (passed && sample.group.exists, expected, if sample.group.exists { observed } else { gone() })
        }
        Fact::Group(GroupFact::Swapped(least)) => {
            let swapped = sample.group.values.memory.swapped();
            let seen = || lang.pick("swap is not counted for this group", "没有为这个组统计交换空间").to_string();
            (swapped >= Some(*least), format!("≥ {least}"), swapped.map_or_else(seen, |bytes| bytes.to_string()))
        }
        Fact::InGroup(name, wanted) => {
            let member = |process: &&Process| sample.group.members.contains(&process.pid) && process.comm == *name;
            let word = |yes: bool| {
                format!(
                    "{name}: {}",
                    lang.pick(if yes { "a member" } else { "no member" }, if yes { "是成员" } else { "不是成员" })
                )
            };
            equal(word(*wanted), word(sample.processes.iter().any(|process| member(&process))))
        }
        Fact::Call(..) | Fact::Ended(..) | Fact::Group(GroupFact::Cpu(..) | GroupFact::Grew(_)) => {
            (false, String::new(), String::new())
        }
    }
}

fn file(sample: &Sample, place: Where, path: &str, fact: &FileFact, lang: Lang) -> (bool, String, String) {
    let asked = Asked { inside: place == Where::Inside, path: path.to_string() };
    let Some(found) = sample.files.get(&asked) else {
        return (false, path.to_string(), lang.pick("was not read yet", "尚未读取").into());
    };
    let word = |there: bool| {
        format!(
            "{path}: {}",
            lang.pick(if there { "present" } else { "absent" }, if there { "存在" } else { "不存在" })
        )
    };
    match (fact, found) {
        (FileFact::Present(wanted), found) => (found.is_some() == *wanted, word(*wanted), word(found.is_some())),
        (FileFact::Contains(text), None) => (false, format!("{path}: …{text}…"), word(false)),
        (FileFact::Contains(text), Some(contents)) => {
            let expected = format!("{path}: …{text}…");
            let passed = contents.contains(text.as_str());
            let first = contents.lines().next().unwrap_or_default();
            let observed = if passed { expected.clone() } else { format!("{path}: {first}…") };
            (passed, expected, observed)
        }
    }
}

fn call(name: &str, outcome: &Outcome, text: Option<&str>, evidence: &Evidence, lang: Lang) -> Verdict {
    let wanted_end = match outcome {
        Outcome::Ok => "= 0".to_string(),
        Outcome::Failed(errno) => format!("= {errno}"),
    };
    let expected = match text {
        Some(text) => format!("{name}(…{text}…) {wanted_end}"),
        None => format!("{name}(…) {wanted_end}"),
    };
    if let Some(reason) = &evidence.untraced {
        return Verdict { passed: None, expected, observed: reason.say(lang).into() };
    }
    let mut seen = None;
    for event in evidence.calls.iter().rev().filter(|event| same_call(name, event.call.syscall)) {
        let errno = event.returned.error().map(errno::name);
        let right_end = match outcome {
            Outcome::Ok => matches!(event.returned, Return::Value(_)),
            Outcome::Failed(wanted) => errno.as_ref() == Some(wanted),
        };
        if right_end && text.is_none_or(|text| event.call.args_text().contains(text)) {
            return Verdict { passed: Some(true), observed: expected.clone(), expected };
        }
        let end = errno.unwrap_or_else(|| event.returned.to_string());
        seen.get_or_insert_with(|| format!("{} = {end}", event.call));
    }
    let observed = seen.unwrap_or_else(|| lang.pick("no such call yet", "尚无此调用").into());
    Verdict { passed: Some(false), expected, observed }
}

/// `fork` in a lesson means every way to make a process, because shells differ in the one that they use.
fn same_call(wanted: &str, syscall: Syscall) -> bool {
    wanted == syscall.name() || wanted == "fork" && syscall.makes_process()
}

fn ended(names: &str, end: &End, evidence: &Evidence, lang: Lang) -> Verdict {
    let status = |name: &str, status: i32| format!("{name}: {} {status}", lang.pick("status", "退出状态"));
    let expected = |name: &str| match end {
        End::Status(wanted) => status(name, *wanted),
        End::Signal(signal) => format!("{name}: {signal}"),
    };
    let word = |name: &str, end: &Ended| match end {
        Ended::Exited(ended) => status(name, *ended),
        Ended::Killed(signal) => format!("{name}: {signal}"),
    };
    if let Some(reason) = &evidence.untraced {
        return Verdict { passed: None, expected: expected(names), observed: reason.say(lang).into() };
    }
    let ends = evidence.ends.iter().filter(|(comm, _)| names.split(',').any(|name| name == comm));
    let seen: Vec<(String, bool)> =
        ends.map(|(comm, end)| (word(comm, end), word(comm, end) == expected(comm))).collect();
    let right = seen.iter().find(|(_, right)| *right);
    let observed = right.or(seen.last()).map(|(text, _)| text.clone());
    let observed = observed.unwrap_or_else(|| format!("{names}: {}", lang.pick("has not ended", "没有结束")));
    Verdict { passed: Some(right.is_some()), expected: expected(names), observed }
}

/// The living processes of the container's PID namespace, if it is not the host's.
fn inside(sample: &Sample) -> impl Iterator<Item = &Process> {
    let kind = Kind::Pid;
    let own = sample.namespaces.get(&kind).copied();
    let isolated = own.is_some() && own != sample.host_namespaces.get(&kind).copied();
    sample.processes.iter().filter(move |process| isolated && process.pid_ns == own && process.state != 'Z')
}

fn newness(new: bool, lang: Lang) -> &'static str {
    if new { lang.pick("new", "新的") } else { lang.pick("the host's", "宿主机的") }
}

fn absent(lang: Lang) -> String {
    lang.pick("absent", "不存在").into()
}

fn presence(found: bool, name: String, lang: Lang) -> (bool, String, String) {
    let seen = if found { name.clone() } else { absent(lang) };
    (found, name, seen)
}

fn ports(side: &Side, port: u16, wanted: bool, lang: Lang) -> (bool, String, String) {
    let word = |open: bool| {
        let state = if open { lang.pick("listening", "监听中") } else { lang.pick("not listening", "未监听") };
        format!("{port} {state}")
    };
    let open = side.listening.contains(&port);
    (open == wanted, word(wanted), word(open))
}

fn join(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
