//! What to do where no control group with a controller can be made.

use super::Remedy;
use crate::doctor::facts::{Facts, Manager, Who};
use crate::{
    kernel::{availability::Unavailable, program},
    lang::Lang,
};
use std::path::Path;

impl Facts {
    /// What makes a controller usable.
    pub(in crate::doctor) fn controller(&self, name: &str, why: &Unavailable, lang: Lang) -> Remedy {
        match why {
            Unavailable::Unknown(_) => lang
                .pick("mount the kernel's own tables: mount -t proc proc /proc", "挂载内核自己的表：mount -t proc proc /proc")
                .into(),
            Unavailable::Absent => lang.pick(
                "another kernel has it: a virtual machine of your own, or on Windows an update of WSL; the other lessons work",
                "需要换一个内核：用自己的虚拟机，在 Windows 上请更新 WSL；其他课程不受影响",
            )
            .into(),
            Unavailable::SwitchedOff => lang.pick(
                "remove that option from the kernel's command line (or override it there with cgroup_enable=), and start again",
                "从内核命令行去掉这个选项（或用 cgroup_enable= 覆盖），然后重新启动",
            )
            .into(),
            Unavailable::FromOutside(version, point) => {
                let point = program::word(&point.to_string_lossy());
                let kind = if *version == 1 { format!("-t cgroup -o {name} cgroup") } else { "-t cgroup2 cgroup2".into() };
                let commands = format!("umount {point}; mount {kind} {point}");
                lang.pick(
                    format!("in a mount namespace of your own (unshare -m) mount it again: {commands}"),
                    format!("在自己的挂载命名空间里（unshare -m）重新挂载：{commands}"),
                )
                .into()
            }
            Unavailable::Covered(..) if self.release.contains("icrosoft") => lang
                .pick(
                    "let the kernel of WSL have version 2 alone: kernelCommandLine=cgroup_no_v1=all under [wsl2] in %UserProfile%\\.wslconfig, then wsl --shutdown",
                    "让 WSL 的内核只用 v2：在 %UserProfile%\\.wslconfig 的 [wsl2] 下写 kernelCommandLine=cgroup_no_v1=all，然后 wsl --shutdown",
                )
                .into(),
            Unavailable::Covered(version, point) => {
                let above = point.parent().unwrap_or(point).to_string_lossy().into_owned();
                let umount = self.command(&format!("umount {}", program::word(&above)));
                let boot = if *version == 1 {
                    lang.pick("; or start the kernel with cgroup_no_v1=all", "；或用 cgroup_no_v1=all 启动内核")
                } else {
                    ""
                };
                lang.pick(
                    format!("take away what covers it: {umount}{boot}"),
                    format!("把盖在上面的卸载：{umount}{boot}"),
                )
                .into()
            }
            Unavailable::NotMounted if self.container.is_some() => {
                let privileged = self.privileged(lang);
                lang.pick(
                    format!("a container gets it when it is started: {privileged}; the other lessons work"),
                    format!("容器要在启动时得到它：{privileged}；其他课程不受影响"),
                )
                .into()
            }
            Unavailable::NotMounted => {
                let command = self.command("mount -t cgroup2 cgroup2 /sys/fs/cgroup");
                lang.pick(format!("mount it: {command}"), format!("挂载它：{command}")).into()
            }
            Unavailable::NotDelegated(level) => self.not_delegated(name, level, lang),
            Unavailable::ReadOnly(top) => {
                let privileged = self.privileged(lang);
                let remount = self.command(&format!("mount -o remount,rw,bind {}", program::word(&top.to_string_lossy())));
                match self.container {
                    Some(_) => lang.pick(
                        format!("a container gets it to write when it is started: {privileged}; the other lessons work"),
                        format!("容器要在启动时得到写权限：{privileged}；其他课程不受影响"),
                    ),
                    None => lang.pick(
                        format!("{remount}; around a container: {privileged}; the other lessons work"),
                        format!("{remount}；如果外面是容器：{privileged}；其他课程不受影响"),
                    ),
                }
                .into()
            }
            Unavailable::Denied(_, version) => self.group_of_ones_own(*version, lang),
            Unavailable::Occupied(..) if self.systemd && self.who == Who::User => self.group_of_ones_own(2, lang),
            Unavailable::Occupied(..) if self.systemd => {
                let command = format!("systemd-run --scope -p Delegate=yes {}", self.program);
                let what = lang.pick("start boxwright alone in a group", "让 boxwright 独自在一个组里启动");
                format!("{what}{}{command}", lang.pick(": ", "：")).into()
            }
            Unavailable::Occupied(dir, _) => self.move_them(dir, lang),
        }
    }

    /// A group of their own for a user; one who cannot have it becomes root.
    fn group_of_ones_own(&self, version: u8, lang: Lang) -> Remedy {
        if self.who != Who::User {
            return self.more_rights(lang);
        }
        let root = self.as_root(lang);
        if version == 1 || !self.systemd {
            return match self.container {
                Some(_) => self.more_rights(lang),
                None => root.into(),
            };
        }
        let or = lang.pick("; or ", "；或者");
        match self.manager {
            Manager::Here => {
                let command = format!("systemd-run --user --scope -p Delegate=yes {}", self.program);
                lang.pick(
                    format!("{root}; or in a group of your own: {command}"),
                    format!("{root}；或在自己的组里启动：{command}"),
                )
                .into()
            }
            Manager::Unnamed => {
                let command = format!("XDG_RUNTIME_DIR=/run/user/{} {}", self.uid, self.program);
                lang.pick(
                    format!("{root}; or tell it where your systemd is: {command}"),
                    format!("{root}；或告诉它你的 systemd 在哪里：{command}"),
                )
                .into()
            }
            Manager::None => {
                let shell = self.command(&format!("machinectl shell {}@", self.user));
                let what = lang.pick(
                    format!("systemd gives groups to those who log in, which su, sudo -u and cron do not: log in by ssh or on a console; or {shell}{or}{root}; or keep a manager for this user:"),
                    format!("systemd 只给登录的用户分组，su、sudo -u 和 cron 都不算登录：用 ssh 或在控制台登录；或 {shell}{or}{root}；或让这个用户的管理器一直运行："),
                );
                let lines = vec![
                    self.command(&format!("loginctl enable-linger {}", self.user)),
                    format!("XDG_RUNTIME_DIR=/run/user/{} {}", self.uid, self.program),
                ];
                Remedy::with(what, lines)
            }
        }
    }

    /// A controller that stops above us: on Ubuntu 22.04 systemd gives users `memory` and `pids` alone.
    fn not_delegated(&self, name: &str, level: &Path, lang: Lang) -> Remedy {
        if self.systemd && self.who == Who::User {
            let root = self.as_root(lang);
            let what = lang.pick(
                format!("{root}; or let systemd give it to all users, and log in again:"),
                format!("{root}；或让 systemd 把它交给所有用户，然后重新登录："),
            );
            let dir = "/etc/systemd/system/user@.service.d";
            let (mut lines, sudo) = self.commands();
            lines.extend([
                format!("{sudo}mkdir -p {dir}"),
                format!("{sudo}tee {dir}/delegate.conf <<'END'"),
                "[Service]".into(),
                "Delegate=cpu cpuset io memory pids".into(),
                "END".into(),
                format!("{sudo}systemctl daemon-reload"),
            ]);
            return Remedy::with(what, lines);
        }
        if self.systemd {
            let command = format!("systemd-run --scope -p Delegate=yes {}", self.program);
            return lang.pick(format!("ask systemd for it: {command}"), format!("向 systemd 申请：{command}")).into();
        }
        let above = level.parent().unwrap_or(level).join("cgroup.subtree_control");
        match &self.container {
            Some(_) => lang
                .pick(
                    format!("what is around this container keeps {name}: its administrator can hand it down"),
                    format!("容器外面没有把 {name} 交进来：需要外面的管理员授予"),
                )
                .into(),
            None => {
                let write = format!("echo +{name} >{}", program::word(&above.to_string_lossy()));
                let line =
                    if self.is_root() { write } else { self.command(&format!("sh -c {}", program::word(&write))) };
                lang.pick(format!("the group above has to hand it down: {line}"), format!("要由上级组交下来：{line}"))
                    .into()
            }
        }
    }

    /// A group with processes hands nothing down: they have to go into one below it. In a container that is what the
    /// docker-in-docker image does when it starts.
    fn move_them(&self, dir: &Path, lang: Lang) -> Remedy {
        let (dir, program) = (dir.to_string_lossy(), &self.program);
        let below = format!("{dir}/{}", crate::doctor::fix::GROUP);
        let lines = vec![
            format!("mkdir {}", program::word(&below)),
            format!(
                "xargs -rn1 <{} >{}",
                program::word(&format!("{dir}/cgroup.procs")),
                program::word(&format!("{below}/cgroup.procs"))
            ),
        ];
        let what = match self.container {
            Some(_) => lang.pick(
                format!("{program} doctor --fix moves them into a group below, as docker-in-docker does; or let boxwright be the container's first process: docker run -it --privileged IMAGE {program}; by hand:"),
                format!("{program} doctor --fix 会像 docker-in-docker 那样把它们移到下级组；或让 boxwright 做容器的第一个进程：docker run -it --privileged 镜像 {program}；手工做法："),
            ),
            None => lang.pick(
                "end them, or move your own into a group below:".to_string(),
                "结束它们，或把属于你的移到下级组：".to_string(),
            ),
        };
        Remedy::with(what, lines)
    }
}
