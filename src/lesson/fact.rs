//! The vocabulary of checks as one table: the parser, the linter and the authors' guide all read it.

use super::{
    args::{Args, Wrong},
    model::{Amount, Counter, End, Fact, FileFact, GroupFact, Member, Setting},
    network, rights,
    source::or_meant,
};
use crate::{lang::say, near::nearest};

/// One word of the vocabulary.
pub struct Word {
    /// The first word of the instruction.
    pub name: &'static str,
    /// The arguments, as the guide shows them.
    pub usage: &'static str,
    /// What the check says, in one sentence.
    pub meaning: &'static str,
    /// A whole instruction.
    pub example: &'static str,
    pub(super) parse: fn(&mut Args<'_>) -> Result<Fact, Wrong>,
}

/// Every check that a lesson can ask for.
pub const VOCABULARY: [Word; 50] = [
    Word {
        name: "namespace",
        usage: "KIND,… new|same",
        meaning: "The container process's links of these kinds differ from the host's, or equal them.",
        example: "namespace pid,uts new",
        parse: |a| Ok(Fact::Namespace(a.kinds()?, a.choice("new", "same")?)),
    },
    Word {
        name: "pid-for-children",
        usage: "new|same",
        meaning: "The container process's next child will be in another PID namespace (also one not made yet), or not.",
        example: "pid-for-children new",
        parse: |a| Ok(Fact::ForChildren(a.choice("new", "same")?)),
    },
    Word {
        name: "hostname",
        usage: "SIDE is|is-not NAME",
        meaning: "The host name on that side.",
        example: "hostname inside is box",
        parse: |a| {
            let (side, is) = (a.side()?, a.choice("is", "is-not")?);
            let name = a.word(say("a host name", "主机名"))?;
            Ok(if is { Fact::Hostname(side, name) } else { Fact::HostnameNot(side, name) })
        },
    },
    Word {
        name: "processes",
        usage: "inside only PROGRAM,…",
        meaning: "Exactly these programs run in the container's PID namespace.",
        example: "processes inside only sh",
        parse: |a| {
            a.literal("inside")?;
            a.literal("only")?;
            Ok(Fact::ProcessesOnly(a.list(say("a program", "程序名"))?))
        },
    },
    Word {
        name: "process",
        usage: "SIDE PROGRAM",
        meaning: "This program runs in that PID namespace.",
        example: "process inside sleep",
        parse: |a| Ok(Fact::Process(a.side()?, a.word(say("a program", "程序名"))?)),
    },
    Word {
        name: "init",
        usage: "PROGRAM",
        meaning: "PID 1 of the container's PID namespace runs this program.",
        example: "init sh",
        parse: |a| Ok(Fact::Init(a.word(say("a program", "程序名"))?)),
    },
    Word {
        name: "adopted",
        usage: "PROGRAM",
        meaning: "A process of this program inside has PID 1 as its parent.",
        example: "adopted sleep",
        parse: |a| Ok(Fact::Adopted(a.word(say("a program", "程序名"))?)),
    },
    Word {
        name: "proc",
        usage: "host|own",
        meaning: "`/proc` inside shows the host's processes, or the container's own.",
        example: "proc own",
        parse: |a| Ok(Fact::ProcShowsHost(a.choice("host", "own")?)),
    },
    Word {
        name: "mount",
        usage: "SIDE PATH FSTYPE,…",
        meaning: "A file system of one of these types is mounted there.",
        example: "mount inside /mnt tmpfs,ramfs",
        parse: |a| Ok(Fact::Mount(a.side()?, a.path()?, a.word(say("a file system type", "文件系统类型"))?)),
    },
    Word {
        name: "no-mount",
        usage: "SIDE PATH [FSTYPE,…]",
        meaning: "Nothing (of these types) is mounted there.",
        example: "no-mount host /mnt tmpfs",
        parse: |a| Ok(Fact::NoMount(a.side()?, a.path()?, a.optional())),
    },
    Word {
        name: "host-root",
        usage: "mounted|gone",
        meaning: "The container sees the whole of the host's root somewhere, wherever it was moved; or nowhere.",
        example: "host-root gone",
        parse: |a| Ok(Fact::HostRoot(a.choice("mounted", "gone")?)),
    },
    Word {
        name: "read-only",
        usage: "SIDE PATH yes|no",
        meaning: "What is mounted there, and is not covered by a later mount, cannot be written to; or it can.",
        example: "read-only inside /proc/sys yes",
        parse: |a| Ok(Fact::ReadOnly(a.side()?, a.path()?, a.choice("yes", "no")?)),
    },
    Word {
        name: "interfaces",
        usage: "SIDE only NAME,…",
        meaning: "Exactly these network interfaces exist on that side.",
        example: "interfaces inside only lo",
        parse: |a| {
            let side = a.side()?;
            a.literal("only")?;
            Ok(Fact::InterfacesOnly(side, a.list(say("an interface", "网络接口名"))?))
        },
    },
    Word {
        name: "interface",
        usage: "SIDE NAME up|down",
        meaning: "The network interface exists on that side and is up, or down.",
        example: "interface inside lo up",
        parse: |a| Ok(Fact::Interface(a.side()?, a.word(say("an interface", "网络接口名"))?, a.choice("up", "down")?)),
    },
    Word {
        name: "listening",
        usage: "SIDE PORT",
        meaning: "A TCP socket listens on that side; `{port}` is the session's own port.",
        example: "listening inside {port}",
        parse: |a| Ok(Fact::Listening(a.side()?, a.port()?)),
    },
    Word {
        name: "not-listening",
        usage: "SIDE PORT",
        meaning: "No TCP socket listens on that side.",
        example: "not-listening host 8080",
        parse: |a| Ok(Fact::NotListening(a.side()?, a.port()?)),
    },
    Word {
        name: "sysv",
        usage: "SIDE some|none",
        meaning: "System V queues, semaphores or shared memory exist on that side, or none do.",
        example: "sysv inside some",
        parse: |a| Ok(Fact::Sysv(a.side()?, a.choice("some", "none")?)),
    },
    Word {
        name: "call",
        usage: "NAME ok|ERRNO [TEXT]",
        meaning: "Since the step began this system call succeeded, or failed so, with TEXT somewhere in its arguments. \
                  `fork` also stands for vfork, clone and clone3, and `mkdir`, `rmdir` and `mknod` for mkdirat, unlinkat and \
                  mknodat, all that aarch64 has.",
        example: "call fork ENOMEM",
        parse: |a| Ok(Fact::Call(a.call()?, a.outcome()?, a.rest())),
    },
    Word {
        name: "ended",
        usage: "PROGRAM,… status N|signal SIGNAL",
        meaning: "Since the step began a process of one of these programs ended like this.",
        example: "ended sh signal SIGKILL",
        parse: |a| {
            let name = a.word(say("a program", "程序名"))?;
            let end = if a.choice("status", "signal")? { End::Status(a.status()?) } else { End::Signal(a.signal()?) };
            Ok(Fact::Ended(name, end))
        },
    },
    Word {
        name: "file",
        usage: "SIDE PATH present|absent|contains TEXT|device DEVICE|owner N",
        meaning: "The file exists on that side, or not, has TEXT in it, is this device (`c 1:3`), or belongs to user N as the \
                  host numbers them (`{uid}` is the ordinary user of a lesson). On the host a relative path begins in the \
                  session's work directory; where it begins with `*/`, in any directory there, or one below such a \
                  directory, because learners choose names of their own.",
        example: "file host rootfs/etc/os-release contains boxwright",
        parse: |a| {
            let (side, path) = (a.side()?, a.word(say("a path", "路径"))?);
            let fact = match a.one_of(&["present", "absent", "contains", "device", "owner"])?.as_str() {
                "owner" => FileFact::Owner(a.id()?),
                "device" => FileFact::Device(a.text()?),
                "contains" => FileFact::Contains(a.text()?),
                word => FileFact::Present(word == "present"),
            };
            Ok(Fact::File(side, path, fact))
        },
    },
    Word {
        name: "group",
        usage: "exists|gone|share PERCENT|quota N|period N|memory N|memory-and-swap N|pids N|swapped N|cpu A..B|throttled grew|oom-kills grew",
        meaning: "The session's own control group (`$BOX`, or one that the learner made under another name: the one that \
                  was written to last) exists or is gone; its quota allows so many percent of one CPU, whatever the \
                  period; its limit is N (or `none`); at least N bytes of it are in swap; its CPU use over three \
                  seconds is between A and B percent; a counter is greater than when the step began.",
        example: "group quota 50000",
        parse: |a| {
            let word = a.one_of(&[
                "exists",
                "gone",
                "share",
                "quota",
                "period",
                "memory",
                "memory-and-swap",
                "pids",
                "swapped",
                "cpu",
                "throttled",
                "oom-kills",
            ])?;
            let setting = |a: &mut Args<'_>, setting| Ok(GroupFact::Setting(setting, a.limit()?));
            let fact = match word.as_str() {
                "share" => GroupFact::Share(a.number()?),
                "quota" => setting(a, Setting::Quota)?,
                "period" => setting(a, Setting::Period)?,
                "memory" => setting(a, Setting::Memory)?,
                "memory-and-swap" => setting(a, Setting::MemoryAndSwap)?,
                "pids" => setting(a, Setting::Pids)?,
                "swapped" => GroupFact::Swapped(a.number()?),
                "cpu" => {
                    let (from, to) = a.range()?;
                    GroupFact::Cpu(from, to)
                }
                "throttled" | "oom-kills" => {
                    a.literal("grew")?;
                    GroupFact::Grew(if word == "throttled" { Counter::Throttled } else { Counter::OomKills })
                }
                word => GroupFact::Exists(word == "exists"),
            };
            Ok(Fact::Group(fact))
        },
    },
    Word {
        name: "in-group",
        usage: "PROGRAM yes|no|CONTROLLER",
        meaning: "A process of this program is a member of the session's own control group in every hierarchy where it \
                  exists, in none, or in that of a controller. `container` stands for the container process, `inside` for every process in its PID namespace.",
        example: "in-group sh yes",
        parse: |a| {
            let program = a.word(say("a program", "程序名"))?;
            let member = match a.one_of(&["yes", "no", "cpu", "memory", "pids"])?.as_str() {
                "yes" => Member::Everywhere,
                "no" => Member::Nowhere,
                controller => Member::Of(controller.into()),
            };
            Ok(Fact::InGroup(program, member))
        },
    },
    Word {
        name: "leaked",
        usage: "PATH",
        meaning: "A process in another mount namespace has mounted what is mounted there in the container.",
        example: "leaked /srv",
        parse: |a| Ok(Fact::Leaked(a.path()?)),
    },
    Word {
        name: "handle",
        usage: "outside",
        meaning: "The container process has a directory open that lies outside its root.",
        example: "handle outside",
        parse: |a| a.literal("outside").map(|()| Fact::HandleOutside),
    },
    Word {
        name: "scorecard",
        usage: "isolated|rooted|limited|entered on|off",
        meaning: "The scorecard says that the container process has this property, or lacks it.",
        example: "scorecard isolated on",
        parse: |a| {
            let property = a.one_of(&["isolated", "rooted", "limited", "entered"])?;
            Ok(Fact::Scorecard(property, a.choice("on", "off")?))
        },
    },
    Word {
        name: "capabilities",
        usage: "all|fewer|full|none",
        meaning: "The container process has every capability that boxwright itself has, or lacks some of them; or it has all \
                  that its bounding set allows, or not one.",
        example: "capabilities fewer",
        parse: |a| {
            Ok(Fact::Capabilities(match a.one_of(&["all", "fewer", "full", "none"])?.as_str() {
                "all" => Amount::All,
                "fewer" => Amount::Fewer,
                "full" => Amount::Full,
                _ => Amount::None,
            }))
        },
    },
    Word {
        name: "id-map",
        usage: "uid|gid none|LINE,…",
        meaning: "The map of users or groups of the container process's user namespace has exactly these lines, as the host \
                  reads it, or none yet.",
        example: "id-map uid 0 {uid} 1,1 200000 10",
        parse: |a| Ok(Fact::IdMap(a.choice("uid", "gid")?, a.id_map()?)),
    },
    Word {
        name: "setgroups",
        usage: "allow|deny",
        meaning: "Whether processes of the container's user namespace may change their groups.",
        example: "setgroups deny",
        parse: |a| Ok(Fact::Setgroups(a.choice("allow", "deny")?)),
    },
    Word {
        name: "user",
        usage: "SIDE N",
        meaning: "The container process is this user as it sees itself (`inside`), or as the host sees it.",
        example: "user inside 0",
        parse: |a| Ok(Fact::User(a.side()?, a.id()?)),
    },
    Word {
        name: "owner",
        usage: "KIND,… own|host",
        meaning: "These namespaces of the container process belong to its own user namespace, or to the host's.",
        example: "owner uts,net own",
        parse: |a| Ok(Fact::Owner(a.kinds()?, a.choice("own", "host")?)),
    },
    Word {
        name: "no-new-privs",
        usage: "on|off",
        meaning: "A program that the container process starts can no longer gain privileges, or still can.",
        example: "no-new-privs on",
        parse: |a| Ok(Fact::NoNewPrivs(a.choice("on", "off")?)),
    },
    rights::SHARED_MOUNTS,
    rights::ZOMBIES,
    rights::REAPS,
    rights::ENTERED,
    rights::ENTERED_RIGHTS,
    rights::SECCOMP,
    rights::CAPABILITY,
    rights::BOUNDING,
    network::CABLE,
    network::LINK,
    network::ADDRESS,
    network::ROUTE,
    network::BRIDGE_PORT,
    network::NEIGHBOUR,
    network::FORWARDING,
    network::COUNTER,
    network::CONNECT,
    network::RESOLVES,
    Word {
        name: "alone",
        usage: "",
        meaning: "Nothing in the container terminal is isolated any more.",
        example: "alone",
        parse: |_| Ok(Fact::Alone),
    },
];

/// Reads one instruction, already split at its blanks.
pub(crate) fn parse_fact(words: &[&str]) -> Result<Fact, Wrong> {
    let name = words.first().copied().unwrap_or_default();
    let word = VOCABULARY.iter().find(|word| word.name == name).ok_or_else(|| {
        let known = VOCABULARY.iter().map(|word| word.name);
        // Where one of them is meant, fifty others only hide it.
        let rest = match nearest(name, known.clone()) {
            Some(near) => or_meant(Some(near)),
            None => {
                let known = known.collect::<Vec<_>>().join(", ");
                say(format!("; there are: {known}"), format!("；只有：{known}"))
            }
        };
        let what = say(format!("unknown check `{name}`{rest}"), format!("没有 `{name}` 这种检查{rest}"));
        (0, what)
    })?;
    let mut args = Args::new(words, word);
    let fact = (word.parse)(&mut args)?;
    args.end()?;
    Ok(fact)
}

#[cfg(test)]
#[path = "fact_tests.rs"]
mod tests;
