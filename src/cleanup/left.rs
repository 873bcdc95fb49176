//! What could not be taken away: its path, the reason, and the remedy.

use crate::kernel::text;
use crate::{
    kernel::{errno, mountinfo, pid::Pid},
    lang::Lang,
};
use nix::errno::Errno;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Something that stayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Where it is.
    pub path: PathBuf,
    /// Why it stayed.
    pub why: Why,
}

/// Why something stayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// This is mounted on it.
    Mounted(String),
    /// `chattr +i`.
    Immutable,
    /// `chattr +a`.
    AppendOnly,
    /// Something else has its name now.
    Replaced,
    /// This program makes no such thing there.
    Foreign,
    /// Things are renamed or added as fast as they are removed.
    Restless,
    /// Processes that did not end in time.
    Stayed(Vec<Stayed>),
    /// A process that is not ours, and cannot be moved out of the group.
    Member(Pid, String, Errno),
    /// This call failed.
    Call(&'static str, Errno),
    /// So many things more stayed.
    More(usize),
}

/// A process that was killed and has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stayed {
    /// Its PID.
    pub pid: Pid,
    /// The name of its program.
    pub comm: String,
    /// Its state, as in `/proc/PID/stat`.
    pub state: char,
    /// The frozen control group that it is in.
    pub frozen: Option<PathBuf>,
}

impl Left {
    /// A call that failed on a path.
    pub fn call(path: &Path, call: &'static str, errno: Errno) -> Left {
        Left { path: path.into(), why: Why::Call(call, errno) }
    }

    /// What is mounted with this ID, on this path.
    pub fn mounted(path: &Path, id: Option<u64>) -> Left {
        // A thread may be in another mount namespace than its process.
        let table = text::read("/proc/thread-self/mountinfo").unwrap_or_default();
        let mounts = mountinfo::parse(&table);
        let mount = mounts.iter().find(|mount| id == Some(u64::from(mount.id)));
        let what = mount.map(|mount| match mount.root.as_str() {
            "/" => format!("{} ({})", mount.source, mount.kind),
            root => format!("{root} ({} {})", mount.kind, mount.source),
        });
        Left { path: path.into(), why: Why::Mounted(what.unwrap_or_else(|| "a file system".into())) }
    }

    /// The error of the call that failed, or the one that fits best.
    pub fn errno(&self) -> Errno {
        match &self.why {
            Why::Mounted(_) | Why::Stayed(_) | Why::Restless => Errno::EBUSY,
            Why::Immutable | Why::AppendOnly | Why::Replaced => Errno::EPERM,
            Why::Foreign | Why::More(_) => Errno::ENOTEMPTY,
            Why::Member(_, _, errno) | Why::Call(_, errno) => *errno,
        }
    }

    /// One sentence without a full stop, with the errno where the kernel gave one.
    pub fn say(&self, lang: Lang) -> String {
        let path = word(&self.path);
        match &self.why {
            Why::Mounted(what) => {
                let what = text::printable(what);
                lang.pick(format!("{what} is mounted on {path} (EBUSY)"), format!("{path} 上挂载着 {what}（EBUSY）"))
            }
            Why::Immutable => lang.pick(format!("{path} is immutable (EPERM)"), format!("{path} 不可更改（EPERM）")),
            Why::AppendOnly => lang.pick(format!("{path} is append-only (EPERM)"), format!("{path} 只能追加（EPERM）")),
            Why::Replaced => lang.pick(
                format!("{path} is not what was made here: something else has its name"),
                format!("{path} 不是当初创建的那个：这个名称现在属于别的东西"),
            ),
            Why::Foreign => {
                lang.pick(format!("{path} was not made by boxwright"), format!("{path} 不是 boxwright 创建的"))
            }
            Why::Restless => lang.pick(
                format!("another program changes {path} while it is emptied"),
                format!("{path} 在清空的同时一直有别的程序改动"),
            ),
            Why::Stayed(stayed) => {
                stayed.iter().map(|process| process.say(lang)).collect::<Vec<_>>().join(lang.pick("; ", "；"))
            }
            Why::Member(pid, comm, errno) => {
                let (comm, why) = (text::printable(comm), errno::why(*errno));
                lang.pick(
                    format!("process {pid} ({comm}) is in {path} and cannot be moved out of it: {why}"),
                    format!("进程 {pid}（{comm}）在 {path} 里，无法移出：{why}"),
                )
            }
            Why::Call(call, errno) => format!("{call} {path}: {}", errno::why(*errno)),
            Why::More(count) => lang.pick(format!("{count} more below {path}"), format!("{path} 下面还有 {count} 个")),
        }
    }

    /// What the reader can do, as a command where there is one.
    pub fn remedy(&self, lang: Lang) -> Option<String> {
        let path = word(&self.path);
        Some(match &self.why {
            Why::Mounted(_) => format!("umount {path}"),
            Why::Immutable => format!("chattr -i {path}"),
            Why::AppendOnly => format!("chattr -a {path}"),
            Why::Replaced => lang
                .pick(
                    "nothing in it was touched: look at it, and remove or rename it yourself",
                    "里面的东西没有动过：请看一看，再自己删除或改名",
                )
                .into(),
            Why::Foreign => lang.pick("move it to another place", "请把它移到别处").into(),
            Why::Restless => lang.pick("end the program that does so", "请先结束那个程序").into(),
            Why::Stayed(stayed) => {
                let frozen = stayed.iter().find(|process| process.frozen.is_some());
                return frozen.or(stayed.first()).map(|process| process.remedy(lang));
            }
            Why::Member(pid, ..) => {
                format!("echo {pid} > {}", word(&self.path.parent().unwrap_or(&self.path).join("cgroup.procs")))
            }
            Why::Call(_, Errno::EMFILE | Errno::ENFILE) => {
                lang.pick("too many files are open: ulimit -n", "打开的文件太多：ulimit -n").into()
            }
            Why::Call(_, Errno::EROFS) => {
                lang.pick("its file system is mounted read-only", "它的文件系统是以只读方式挂载的").into()
            }
            Why::Call(_, Errno::EACCES | Errno::EPERM) => {
                lang.pick("it belongs to another user: this needs root", "它属于别的用户：需要 root").into()
            }
            Why::Call(..) | Why::More(_) => return None,
        })
    }
}

impl Stayed {
    /// What lets it end.
    pub fn remedy(&self, lang: Lang) -> String {
        match &self.frozen {
            Some(group) => thaw(group),
            None => lang.pick("it ends once the kernel lets go of it", "内核放开之后它就会结束").into(),
        }
    }

    /// One process, and what holds it.
    pub fn say(&self, lang: Lang) -> String {
        let Stayed { pid, state, .. } = self;
        let comm = text::printable(&self.comm);
        match &self.frozen {
            Some(group) => {
                let group = word(group);
                lang.pick(
                    format!("process {pid} ({comm}) has not ended: it is frozen in {group}"),
                    format!("进程 {pid}（{comm}）没有结束：它在 {group} 里被冻结"),
                )
            }
            None => lang.pick(
                format!("process {pid} ({comm}) has not ended: it is in state {state}"),
                format!("进程 {pid}（{comm}）没有结束：它处于 {state} 状态"),
            ),
        }
    }
}

/// How a frozen group is thawed by hand, by what its hierarchy is.
fn thaw(group: &Path) -> String {
    let (value, file) =
        if group.join("freezer.state").exists() { ("THAWED", "freezer.state") } else { ("0", "cgroup.freeze") };
    format!("echo {value} > {}", word(&group.join(file)))
}

impl From<Left> for io::Error {
    fn from(left: Left) -> io::Error {
        match left.why {
            Why::Call(_, errno) => errno.into(),
            _ => io::Error::new(io::Error::from(left.errno()).kind(), left.say(Lang::En)),
        }
    }
}

/// Lines for standard error: one for each thing that stayed, and its remedy below it.
pub fn report(what: &str, left: &[Left], lang: Lang) -> Vec<String> {
    let colon = lang.pick(": ", "：");
    let mut lines = Vec::new();
    for left in left {
        lines.push(format!("boxwright: {what}{colon}{}", left.say(lang)));
        lines.extend(left.remedy(lang).map(|remedy| format!("  {remedy}")));
    }
    lines
}

/// A path as a word of a shell's command line, without anything that a terminal would obey.
pub fn word(path: &Path) -> String {
    let text = text::printable(&path.to_string_lossy());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte) || byte >= 0x80;
    if !text.is_empty() && text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_names_path_reason_and_remedy_in_both_languages() {
        let stayed = |frozen: Option<&str>| {
            vec![Stayed { pid: Pid(7), comm: "a\x1b]0;x\x07".into(), state: 'D', frozen: frozen.map(PathBuf::from) }]
        };
        let cases: [(Why, &str, &str); 8] = [
            (
                Why::Mounted("/home/p (ext4 /dev/vda)".into()),
                "/home/p (ext4 /dev/vda) is mounted on '/run/a b' (EBUSY)",
                "umount '/run/a b'",
            ),
            (Why::Immutable, "'/run/a b' is immutable (EPERM)", "chattr -i '/run/a b'"),
            (Why::AppendOnly, "'/run/a b' is append-only (EPERM)", "chattr -a '/run/a b'"),
            (Why::Stayed(stayed(Some("/g"))), "it is frozen in /g", "echo 0 > /g/cgroup.freeze"),
            (Why::Stayed(stayed(None)), "process 7 (a\\u{1b}]0;x\\u{7}) has not ended: it is in state D", "once"),
            (
                Why::Member(Pid(7), "bash".into(), Errno::EBUSY),
                "process 7 (bash) is in '/run/a b'",
                "echo 7 > /run/cgroup.procs",
            ),
            (Why::Call("unlink", Errno::EROFS), "unlink '/run/a b': Read-only file system (EROFS)", "read-only"),
            (Why::Call("open", Errno::EMFILE), "open '/run/a b': Too many open files (EMFILE)", "ulimit -n"),
        ];
        for (why, says, remedy) in cases {
            let left = Left { path: "/run/a b".into(), why };
            assert!(left.say(Lang::En).contains(says), "{}", left.say(Lang::En));
            assert!(left.remedy(Lang::En).unwrap().contains(remedy), "{:?}", left.remedy(Lang::En));
            let chinese = left.say(Lang::Zh);
            assert!(!chinese.contains('\x1b') && !chinese.is_empty() && left.remedy(Lang::Zh).is_some(), "{chinese}");
        }
    }

    #[test]
    fn a_path_is_a_word_of_the_shell() {
        assert_eq!(word(Path::new("/run/容器/it's")), r"'/run/容器/it'\''s'");
        assert_eq!(word(Path::new("/run/x\n\x1b[2J")), r"'/run/x\n\u{1b}[2J'");
    }
}
