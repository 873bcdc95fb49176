//! Who a process is in a new user namespace: which IDs are mapped, and which it takes.

use super::{
    args::Parsed,
    complain, failed,
    identity::{find_group, find_user},
    unshare_outside::{Maps, Range},
};
use crate::kernel::errno_causes::{self, Fact};
use crate::kernel::rights::keep_capabilities;
use nix::{
    errno::Errno,
    unistd::{Gid, Uid, getegid, geteuid, setgid, setgroups, setuid},
};
use std::{ffi::OsString, fs, process::ExitCode};

/// What the options ask for.
pub(super) struct Who {
    /// Our own IDs, asked for before unshare(2): in a new user namespace without a map both would read as "nobody".
    own: (u32, u32),
    /// What our own IDs are mapped to.
    user: Option<u32>,
    group: Option<u32>,
    /// Maps of more IDs, which only a process outside may write.
    pub(super) maps: Maps,
    /// Whether setgroups(2) is allowed or denied.
    setgroups: Option<String>,
    /// Who the program is.
    becomes: (Option<Uid>, Option<Gid>),
    keeps: bool,
}

impl Who {
    /// Reads the options.
    pub(super) fn read(options: &Parsed<OsString>) -> Result<Who, ExitCode> {
        let refuse = |what: String| complain("unshare", &what, 1);
        let own = (geteuid().as_raw(), getegid().as_raw());
        let (mut user, mut group) = (None, None);
        for (name, value) in &options.options {
            let value = value.as_ref().map(|value| value.to_string_lossy()).unwrap_or_default();
            match *name {
                "map-root-user" => (user, group) = (Some(0), Some(0)),
                "map-current-user" => (user, group) = (Some(own.0), Some(own.1)),
                "map-user" => user = Some(uid(&value).map_err(refuse)?.as_raw()),
                "map-group" => group = Some(gid(&value).map_err(refuse)?.as_raw()),
                _ => {}
            }
        }
        let range = |name, file| {
            let auto = options.has("map-auto").then(|| "auto".into());
            let wanted = options.text(name).or(auto);
            wanted.map(|text| Range::asked(&text, file)).transpose().map_err(refuse)
        };
        let single = |inner: Option<u32>, outer| inner.map(|inner| (inner, outer));
        let maps = Maps {
            users: range("map-users", "/etc/subuid")?.map(|range| (range, single(user, own.0))),
            groups: range("map-groups", "/etc/subgid")?.map(|range| (range, single(group, own.1))),
        };
        let setgroups = options.text("setgroups").map(|text| text.into_owned());
        match setgroups.as_deref() {
            Some("allow") if group.is_some() && maps.groups.is_none() => {
                let what = "options --setgroups=allow and --map-group are mutually exclusive";
                return Err(complain("unshare", what, 1));
            }
            None | Some("allow" | "deny") => {}
            Some(other) => return Err(complain("unshare", &format!("unsupported --setgroups argument '{other}'"), 1)),
        }
        let becomes = (
            options.text("setuid").map(|text| uid(&text)).transpose().map_err(refuse)?,
            options.text("setgid").map(|text| gid(&text)).transpose().map_err(refuse)?,
        );
        Ok(Who { own, user, group, maps, setgroups, becomes, keeps: options.has("keep-caps") })
    }

    /// Maps what one may map oneself: a single ID, and for the group only after giving up setgroups(2), with which one could
    /// drop a group that keeps one out of a file. Each map is one single write (user_namespaces(7)).
    pub(super) fn map(&self) -> Result<(), ExitCode> {
        if let Some(user) = self.user.filter(|_| self.maps.users.is_none()) {
            write("uid_map", &format!("{user} {} 1", self.own.0))?;
        }
        if let Some(group) = self.group.filter(|_| self.maps.groups.is_none()) {
            write("setgroups", "deny")?;
            write("gid_map", &format!("{group} {} 1", self.own.1))?;
        }
        // After a group map the word cannot be changed, and it is "deny" already.
        let word = self.setgroups.as_deref().filter(|_| self.group.is_none() || self.maps.groups.is_some());
        word.map_or(Ok(()), |word| write("setgroups", word))
    }

    /// Takes the IDs that were asked for: groups first, because only root may change them.
    pub(super) fn become_them(&self, new_users: bool) -> Result<(), ExitCode> {
        let cannot = |what: &'static str| {
            move |errno| {
                let hint = errno_causes::help("setuid", errno, &[Fact::NewUsers]);
                failed("unshare", what, errno, hint.as_deref(), 1)
            }
        };
        if let Some(group) = self.becomes.1 {
            setgroups(&[]).map_err(cannot("setgroups failed"))?;
            setgid(group).map_err(cannot("setgid failed"))?;
        }
        if let Some(user) = self.becomes.0 {
            setuid(user).map_err(cannot("setuid failed"))?;
        }
        if self.keeps && new_users {
            // Without this, execve(2) takes the capabilities of a user who is not root.
            keep_capabilities().map_err(cannot("capabilities cannot be kept"))?;
        }
        Ok(())
    }
}

fn uid(text: &str) -> Result<Uid, String> {
    find_user(text).map(|(uid, _)| uid).ok_or_else(|| format!("failed to parse uid: '{text}'"))
}

fn gid(text: &str) -> Result<Gid, String> {
    find_group(text).ok_or_else(|| format!("failed to parse gid: '{text}'"))
}

/// Writes a file of our own directory in `/proc`.
pub(super) fn write(file: &str, value: &str) -> Result<(), ExitCode> {
    fs::write(format!("/proc/self/{file}"), value).map_err(|error| {
        let errno = Errno::from_raw(error.raw_os_error().unwrap_or(0));
        let hint = errno_causes::help("uid_map", errno, &[]);
        failed("unshare", &format!("write failed /proc/self/{file}"), errno, hint.as_deref(), 1)
    })
}
