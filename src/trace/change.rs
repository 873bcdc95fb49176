//! What a system call changed: one closed type, made by the tracer and read by panes, checks and transcripts.

use crate::{
    kernel::{mountinfo::Mount, namespaces::Kind, objects::Object, pid::Pid},
    lang::Lang,
    observe::ForChildren,
};
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf};

/// A kernel fact that a system call changed. Numbers of namespaces are inode numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A namespace link of the caller, or of the child where the call made one.
    Namespace {
        /// Which of its links.
        kind: Kind,
        /// `None` where it could not be read.
        before: Option<u64>,
        /// `None` where it cannot be read now.
        after: Option<u64>,
    },
    /// The PID namespace of the caller's next child.
    PidForChildren {
        /// As it was.
        before: ForChildren,
        /// As it is now.
        after: ForChildren,
    },
    /// A new process.
    Child(Pid),
    /// A new mount.
    Mounted {
        /// Where, as the caller sees it.
        point: String,
        /// What.
        mounted: Mounted,
    },
    /// A mount that is gone.
    Unmounted {
        /// Where it was.
        point: String,
        /// What it was.
        mounted: Mounted,
    },
    /// A mount that stands elsewhere now.
    Moved {
        /// Where it was.
        before: String,
        /// Where it is.
        after: String,
    },
    /// A mount's own options, such as `ro`.
    MountOptions {
        /// The mount point.
        point: String,
        /// As they were.
        before: String,
        /// As they are.
        after: String,
    },
    /// Whether mounts below pass on to other mount namespaces: `shared`, `slave`, `unbindable` or `private`.
    Propagation {
        /// Of which mounts.
        mounts: Mounts,
        /// As it was.
        before: String,
        /// As it is.
        after: String,
    },
    /// Another mount is the root of the mount namespace.
    RootMount {
        /// As it was.
        before: Option<Mounted>,
        /// As it is.
        after: Option<Mounted>,
    },
    /// The caller's root directory, as this program sees it.
    RootDirectory {
        /// As it was.
        before: Option<PathBuf>,
        /// As it is.
        after: Option<PathBuf>,
    },
    /// The host name of the caller's UTS namespace.
    HostName {
        /// As it was.
        before: String,
        /// As it is.
        after: String,
    },
    /// What the caller may do: a line of `/proc/PID/status`, such as `CapEff`.
    Right {
        /// The line's name.
        name: String,
        /// As it was.
        before: String,
        /// As it is.
        after: String,
    },
    /// A control file of a cgroup, or an ID map of a user namespace. The contents are in one line.
    ControlFile {
        /// The file's name, such as `cpu.max`; where processes enter, with the group's, such as `box/cgroup.procs`.
        name: String,
        /// `None` where it was empty.
        before: Option<String>,
        /// `None` where it is empty.
        after: Option<String>,
        /// The file, where this program sees the same one under the same path.
        file: Option<PathBuf>,
    },
    /// A new control group, by its name; its directory, where this program sees it as well.
    GroupMade(String, Option<PathBuf>),
    /// A control group that is gone, by its name.
    GroupRemoved(String),
    /// A new object that stays when its maker has ended; whether it is in the machine's own namespace.
    ObjectMade(Object, bool),
    /// Such an object of the machine's own namespace is gone.
    ObjectRemoved(Object),
}

/// Some mounts of a mount namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mounts {
    /// The one on this path.
    At(String),
    /// So many that they are only counted.
    Many(usize),
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounted {
    /// The type of the file system.
    pub kind: String,
    /// The directory of the file system that is seen; for a bind mount often not `/`.
    pub root: String,
    /// The source, such as a device.
    pub source: String,
}

impl From<&Mount> for Mounted {
    fn from(mount: &Mount) -> Mounted {
        Mounted { kind: mount.kind.clone(), root: mount.root.clone(), source: mount.source.clone() }
    }
}

/// What a learner must know of a mount: the file system, and for a bind mount the directory that it shows.
impl fmt::Display for Mounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if self.root == "/" { Ok(()) } else { write!(f, " {}", self.root) }
    }
}

/// The change as `--json` prints it: in English, whatever the language.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.say(Lang::En))
    }
}

impl Change {
    /// What changed and the value before and after, `none` where there is none.
    pub(crate) fn say(&self, lang: Lang) -> String {
        let (before, after) = self.values(lang);
        let word = |value: Option<String>| value.unwrap_or_else(|| lang.pick("none", "无").into());
        format!("{}{}{} -> {}", self.subject(lang), lang.pick(": ", "："), word(before), word(after))
    }

    /// What changed, in a few words: `uts`, `mount /proc`, `cpu.max`.
    pub(crate) fn subject(&self, lang: Lang) -> String {
        match self {
            Change::Namespace { kind, .. } => kind.to_string(),
            Change::PidForChildren { .. } => "pid_for_children".into(),
            Change::Child(_) => lang.pick("child", "子进程").into(),
            Change::Mounted { point, .. } | Change::Unmounted { point, .. } => {
                format!("{} {point}", lang.pick("mount", "挂载"))
            }
            Change::Moved { .. } => lang.pick("mount", "挂载点").into(),
            Change::MountOptions { point, .. } => {
                lang.pick(format!("options of {point}"), format!("{point} 的挂载选项"))
            }
            Change::Propagation { mounts: Mounts::At(point), .. } => {
                lang.pick(format!("propagation of {point}"), format!("{point} 的传播类型"))
            }
            Change::Propagation { mounts: Mounts::Many(count), .. } => {
                lang.pick(format!("propagation of {count} mounts"), format!("{count} 个挂载的传播类型"))
            }
            Change::RootMount { .. } | Change::RootDirectory { .. } => lang.pick("root", "根目录").into(),
            Change::HostName { .. } => lang.pick("hostname", "主机名").into(),
            Change::ControlFile { name, .. } | Change::Right { name, .. } => name.clone(),
            Change::GroupMade(name, _) | Change::GroupRemoved(name) => format!("cgroup {name}"),
            Change::ObjectMade(object, _) | Change::ObjectRemoved(object) => object.to_string(),
        }
    }

    /// The value before and the value after, each in the kernel's own words; `None` where there is none.
    pub(crate) fn values(&self, lang: Lang) -> (Option<String>, Option<String>) {
        let inode = |children: &ForChildren| match children {
            ForChildren::Inode(inode) => Some(inode.to_string()),
            ForChildren::NotMade | ForChildren::Unknown => None,
        };
        let root = |mounted: &Option<Mounted>| mounted.as_ref().map(|root| format!("{root} {}", root.source));
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let both = |before: &String, after: &String| (Some(before.clone()), Some(after.clone()));
        match self {
            Change::Namespace { before, after, .. } => (before.map(|n| n.to_string()), after.map(|n| n.to_string())),
            Change::PidForChildren { before, after } => (inode(before), inode(after)),
            Change::Child(pid) => (None, Some(pid.to_string())),
            Change::Mounted { mounted, .. } => (None, Some(mounted.to_string())),
            Change::Unmounted { mounted, .. } => (Some(mounted.to_string()), None),
            Change::RootMount { before, after } => (root(before), root(after)),
            Change::RootDirectory { before, after } => (path(before), path(after)),
            Change::Moved { before, after }
            | Change::MountOptions { before, after, .. }
            | Change::Propagation { before, after, .. }
            | Change::HostName { before, after }
            | Change::Right { before, after, .. } => both(before, after),
            Change::ControlFile { before, after, .. } => (before.clone(), after.clone()),
            Change::GroupMade(..) | Change::ObjectMade(..) => (None, Some(lang.pick("made", "已创建").into())),
            Change::ObjectRemoved(_) => (Some(lang.pick("there", "存在").into()), None),
            Change::GroupRemoved(_) => (Some(lang.pick("empty", "空").into()), None),
        }
    }
}

/// More changes of one call than this are folded: a new process in new namespaces of every kind has fewer.
const MANY: usize = 10;

/// What is told of a call that changed very much, as where an old root goes with all that is mounted in it: the first changes,
/// and how many more there are.
pub(crate) fn folded(mut changes: Vec<String>, lang: Lang) -> Vec<String> {
    if changes.len() > MANY {
        let more = changes.split_off(MANY / 2).len();
        changes.push(lang.pick(format!("… and {more} more changes"), format!("… 还有 {more} 处变化")));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_changes_is_folded() {
        let some = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(folded(some(MANY), Lang::En), some(MANY));
        assert_eq!(folded(some(MANY + 1), Lang::En), ["1", "2", "3", "4", "5", "… and 6 more changes"]);
    }
}
