//! What a call would do to the machine itself: the reason why it is held until the user lets it happen.

use crate::{kernel::pid::Pid, lang::Lang};
use serde::{Deserialize, Serialize};

/// What of the machine's own a call would change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// The mount table of the mount namespace that this program runs in.
    Mounts,
    /// The same by propagation: the mount at this point has a peer there (mount_namespaces(7)).
    Propagation(String),
    /// A file system that the machine has mounted as well, such as its root: it would be remounted for all.
    FileSystem(String),
    /// The host name, or the domain name.
    HostName,
    /// Interfaces, addresses, routes or filters of the machine's own network namespace.
    Network,
    /// The clock.
    Clock,
    /// Reboot, power off, or start another kernel.
    Reboot,
    /// Swap.
    Swap,
    /// Modules of the kernel.
    Modules,
    /// A control group that this session did not make.
    Group(String),
    /// A process that is not this session's: its PID and the name of its program.
    Process(Pid, String),
    /// So many of them at once.
    Processes(usize),
    /// A System V object that this session did not make.
    Ipc(String),
}

impl Harm {
    /// The words with which a lesson declares what it changes, in the order of the table in `lessons/README.md`.
    pub(crate) const WORDS: [&str; 10] =
        ["mounts", "hostname", "network", "clock", "reboot", "swap", "modules", "groups", "processes", "ipc"];

    /// The word that declares it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Harm::Mounts | Harm::Propagation(_) | Harm::FileSystem(_) => "mounts",
            Harm::HostName => "hostname",
            Harm::Network => "network",
            Harm::Clock => "clock",
            Harm::Reboot => "reboot",
            Harm::Swap => "swap",
            Harm::Modules => "modules",
            Harm::Group(_) => "groups",
            Harm::Process(..) | Harm::Processes(_) => "processes",
            Harm::Ipc(_) => "ipc",
        }
    }

    /// What is the machine's own here, and how one may have come to it: one sentence without its full stop.
    pub(crate) fn say(&self, lang: Lang) -> String {
        let own = |kind: &str| {
            lang.pick(
                format!(
                    "this is the machine's own {kind} namespace: your container has ended, or you are in the host terminal"
                ),
                format!("这是机器自己的 {kind} 命名空间：容器已经结束，或者你正在宿主机终端里"),
            )
        };
        let machines = |en: &str, zh: &str| lang.pick(en, zh).to_string();
        match self {
            Harm::Mounts => own("mount"),
            Harm::HostName => own("UTS"),
            Harm::Network => own("network"),
            Harm::Propagation(point) => lang.pick(
                format!("the mount on {point} is shared with the machine: what happens there happens to both"),
                format!("{point} 上的挂载与机器共享：这里的变化也会发生在机器上"),
            ),
            Harm::FileSystem(point) => lang.pick(
                format!(
                    "the file system on {point} is the machine's as well: changed options would affect all processes"
                ),
                format!("{point} 上的文件系统也是机器在用的：选项一改，所有人都受影响"),
            ),
            Harm::Clock => machines(
                "the machine has one clock: no namespace has its own",
                "时钟只有机器的这一个，没有命名空间能隔开它",
            ),
            Harm::Reboot => machines("it would reach the machine itself", "它作用于机器本身"),
            Harm::Swap => machines(
                "swap belongs to the machine: no namespace has its own",
                "交换区是整台机器的，没有命名空间能隔开它",
            ),
            Harm::Modules => {
                machines("the kernel is the machine's: every container uses it", "内核是整台机器的，所有容器都在用它")
            }
            Harm::Group(group) => lang.pick(
                format!("the control group {group} was not made in this session"),
                format!("控制组 {group} 不是这次会话创建的"),
            ),
            Harm::Process(pid, comm) => lang.pick(
                format!("process {pid} ({comm}) does not belong to this session"),
                format!("进程 {pid}（{comm}）不属于这次会话"),
            ),
            Harm::Processes(count) => lang.pick(
                format!("{count} processes that do not belong to this session would get the signal"),
                format!("有 {count} 个不属于这次会话的进程会收到这个信号"),
            ),
            Harm::Ipc(object) => lang.pick(
                format!("{object} of the machine's IPC namespace was not made in this session"),
                format!("机器的 IPC 命名空间里的 {object} 不是这次会话创建的"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_harm_can_be_declared_and_said() {
        let all = [
            Harm::Mounts,
            Harm::Propagation("/mnt".into()),
            Harm::FileSystem("/".into()),
            Harm::HostName,
            Harm::Network,
            Harm::Clock,
            Harm::Reboot,
            Harm::Swap,
            Harm::Modules,
            Harm::Group("/sys/fs/cgroup/x".into()),
            Harm::Process(Pid(1), "init".into()),
            Harm::Processes(7),
            Harm::Ipc("queue 3".into()),
        ];
        for word in Harm::WORDS {
            assert!(all.iter().any(|harm| harm.word() == word), "{word}");
        }
        for harm in &all {
            assert!(Harm::WORDS.contains(&harm.word()), "{harm:?}");
            assert_ne!(harm.say(Lang::En), harm.say(Lang::Zh));
        }
        assert!(Harm::Mounts.say(Lang::En).contains("machine's own mount namespace: your container has ended"));
    }
}
