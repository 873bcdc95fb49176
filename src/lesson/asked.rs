//! What a check can ask of the kernel, as data.

use super::{
    args::{GROUP, USER},
    model::{End, Outcome, Where},
    network::{NetFact, Probe},
};
use crate::kernel::{namespaces::Kind, owned::Mapped};

/// The vocabulary of checks. Each is decided by a sample or by the calls since the step began, never by typed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// `namespace uts,ipc new|same`: the container process's links differ from (equal) the host's.
    Namespace(Vec<Kind>, bool),
    /// `pid-for-children new|same`: the container process's next child is born in another (the same) PID namespace; one
    /// that was not made yet counts as another.
    ForChildren(bool),
    /// `hostname inside|host is NAME`.
    Hostname(Where, String),
    /// `hostname inside|host is-not NAME`.
    HostnameNot(Where, String),
    /// `processes inside only A,B`: exactly these program names live in the container's PID namespace.
    ProcessesOnly(Vec<String>),
    /// `process inside|host NAME`: a program of this name runs in that PID namespace.
    Process(Where, String),
    /// `init NAME`: PID 1 of the container's PID namespace runs this program.
    Init(String),
    /// `capabilities all|fewer|full|none`.
    Capabilities(Amount),
    /// `id-map uid|gid LINES`: the map of the container process's user namespace; none where it was not written yet.
    IdMap(bool, Vec<Mapped>),
    /// `setgroups allow|deny`: whether setgroups(2) is allowed in that user namespace.
    Setgroups(bool),
    /// `user inside|host N`: the container process is this user, as seen from that side.
    User(Where, u32),
    /// `owner KIND,… own|host`: these namespaces of the container process belong to its own user namespace, or to the host's.
    Owner(Vec<Kind>, bool),
    /// `no-new-privs on|off`: execve(2) can no longer give the container process more than it has, or still can.
    NoNewPrivs(bool),
    /// `adopted NAME`: a program of this name inside has PID 1 as its parent.
    Adopted(String),
    /// `proc host|own`: `/proc` inside shows the host's processes, or the container's own.
    ProcShowsHost(bool),
    /// `mount inside|host PATH FSTYPE`.
    Mount(Where, String, String),
    /// `no-mount inside|host PATH [FSTYPE]`.
    NoMount(Where, String, Option<String>),
    /// `host-root mounted|gone`: the container sees the whole tree that the host's root is, on some mount, or on none.
    HostRoot(bool),
    /// `read-only inside|host PATH yes|no`: what is mounted there cannot be written to.
    ReadOnly(Where, String, bool),
    /// `interfaces inside|host only A,B`.
    InterfacesOnly(Where, Vec<String>),
    /// `interface inside|host NAME up|down`.
    Interface(Where, String, bool),
    /// `listening inside|host PORT`: a TCP socket listens there. 0 stands for `{port}` until [`super::load`] fills it in.
    Listening(Where, u16),
    /// `not-listening inside|host PORT`.
    NotListening(Where, u16),
    /// `sysv inside|host some|none`: whether System V objects exist there.
    Sysv(Where, bool),
    /// `call NAME ok|ERRNO [TEXT]`: such a call was made since the step began, with TEXT somewhere in its arguments.
    /// The NAME `fork` stands for vfork, clone and clone3 as well, and `mkdir`, `rmdir` and `mknod` for mkdirat, unlinkat and
    /// mknodat.
    Call(String, Outcome, Option<String>),
    /// `ended NAME status N` or `ended NAME signal SIGNAL`: such a process ended since the step began.
    Ended(String, End),
    /// `file inside|host PATH present|absent`, `file inside|host PATH contains TEXT`.
    File(Where, String, FileFact),
    /// `group …`: the session's own control group.
    Group(GroupFact),
    /// `in-group NAME yes|no|CONTROLLER`: a process of this name is a member of that group.
    InGroup(String, Member),
    /// `leaked PATH`: a process in another mount namespace has mounted what is mounted there in the container.
    Leaked(String),
    /// `handle outside`: the container process has a directory open that lies outside its root.
    HandleOutside,
    /// `shared-mounts some|none`: what is mounted on a mount of the container appears in its peers, too, or on none.
    SharedMounts(bool),
    /// `zombies some|none`: PID 1 inside has children that have ended and that it has not waited for.
    Zombies(bool),
    /// `reaps yes|no`: the container process waits for children, or takes note of their end.
    Reaps(bool),
    /// `entered KIND,…`: a process that came from outside is in these namespaces of the container process.
    Entered(Vec<Kind>),
    /// `entered-rights no-more|more`: what came from outside has no more rights than the container process, or has more.
    EnteredRights(bool),
    /// `seccomp on|off`: a filter judges the calls of the container process, besides the tracer's.
    Seccomp(bool),
    /// `capability NAME on|off`: it is in the effective set of the container process.
    Capability(String, bool),
    /// `bounding NAME on|off`: it is in its bounding set.
    Bounding(String, bool),
    /// `bounding default`: its bounding set has nothing that Docker does not leave to a container.
    BoundingDefault,
    /// What is asked of the networks of a session.
    Net(NetFact),
    /// `scorecard isolated|rooted|limited|entered on|off`.
    Scorecard(String, bool),
    /// `alone`: nothing in the terminal is isolated (any more).
    Alone,
}

impl Fact {
    /// Whether it is looked up in the container's namespaces, which are the terminal's own where the container has ended.
    pub(crate) fn is_inside(&self) -> bool {
        match self {
            Fact::Hostname(place, _)
            | Fact::HostnameNot(place, _)
            | Fact::Sysv(place, _)
            | Fact::Process(place, _)
            | Fact::Mount(place, ..)
            | Fact::NoMount(place, ..)
            | Fact::ReadOnly(place, ..)
            | Fact::InterfacesOnly(place, _)
            | Fact::Interface(place, ..)
            | Fact::Listening(place, _)
            | Fact::NotListening(place, _)
            | Fact::File(place, ..) => *place == Where::Inside,
            _ => false,
        }
    }

    /// Whether it is decided by the session's network namespaces ([`crate::observe::Sample::networks`]), which are read only where
    /// they are asked for: every fact that is must be named here.
    pub(crate) fn needs_networks(&self) -> bool {
        matches!(self, Fact::Net(_))
    }

    /// What is tried to decide it.
    pub(crate) fn probe(&self) -> Option<Probe> {
        match self {
            Fact::Net(NetFact::Connect(connect, ..)) => Some(Probe::Connect(*connect)),
            Fact::Net(NetFact::Resolves(name, _)) => Some(Probe::Name(name.clone())),
            _ => None,
        }
    }

    /// Puts the IDs of the lesson's ordinary user in the place of what stands for them.
    pub(super) fn be(&mut self, (uid, gid): (u32, u32)) {
        let fill = |id: &mut u32| {
            *id = match *id {
                USER => uid,
                GROUP => gid,
                known => known,
            };
        };
        match self {
            Fact::User(_, id) | Fact::File(_, _, FileFact::Owner(id)) => fill(id),
            Fact::IdMap(_, lines) => lines.iter_mut().for_each(|line| fill(&mut line.outside)),
            _ => {}
        }
    }
}

/// What it means to be a member of the session's own control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// In every hierarchy in which the group exists.
    Everywhere,
    /// In none.
    Nowhere,
    /// In the hierarchy of this controller.
    Of(String),
}

/// How many capabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Every one that boxwright has.
    All,
    /// Fewer than that.
    Fewer,
    /// Every one that there is: all of its bounding set.
    Full,
    /// Not one.
    None,
}

/// What is asked of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFact {
    /// It exists, or not.
    Present(bool),
    /// This text is in it.
    Contains(String),
    /// It is this device, such as `c 1:3`.
    Device(String),
    /// It belongs to this user, as the host numbers them.
    Owner(u32),
}

/// What is asked of the session's own control group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupFact {
    /// It exists, or not.
    Exists(bool),
    /// The kernel's value of a setting; `None` for no limit.
    Setting(Setting, Option<u64>),
    /// The quota allows so many percent of one CPU.
    Share(u64),
    /// At least so many bytes of the group's memory are in swap.
    Swapped(u64),
    /// CPU use over at least three seconds, in percent of one CPU: from, to.
    Cpu(u64, u64),
    /// A counter is greater than when the step began.
    Grew(Counter),
}

/// A setting of a control group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// CPU time a period, in microseconds.
    Quota,
    /// The period, in microseconds.
    Period,
    /// Memory in bytes.
    Memory,
    /// The limit of memory and swap together in bytes.
    MemoryAndSwap,
    /// Processes.
    Pids,
}

/// A counter of a control group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// Periods in which it was throttled.
    Throttled,
    /// Processes that the OOM killer has killed in it.
    OomKills,
}
