//! The part of the vocabulary of checks about what a container may do, what leaks out of it, and who looks after it.

use super::{
    args::{Args, Wrong},
    fact::Word,
    model::Fact,
};
use crate::kernel::capabilities;

fn capability(a: &mut Args<'_>) -> Result<String, Wrong> {
    a.one_of(&capabilities::NAMES)
}

pub(super) const SHARED_MOUNTS: Word = Word {
    name: "shared-mounts",
    usage: "some|none",
    meaning: "What is mounted on a mount of the container appears in its peers, in other namespaces, too; or no mount has peers.",
    example: "shared-mounts none",
    parse: |a| Ok(Fact::SharedMounts(a.choice("some", "none")?)),
};

pub(super) const ZOMBIES: Word = Word {
    name: "zombies",
    usage: "some|none",
    meaning: "PID 1 inside has children that have ended and that it has not waited for, or none.",
    example: "zombies none",
    parse: |a| Ok(Fact::Zombies(a.choice("some", "none")?)),
};

pub(super) const REAPS: Word = Word {
    name: "reaps",
    usage: "yes|no",
    meaning: "PID 1 of the container waits for its children, or is told of their end (SIGCHLD), or neither.",
    example: "reaps yes",
    parse: |a| Ok(Fact::Reaps(a.choice("yes", "no")?)),
};

pub(super) const ENTERED: Word = Word {
    name: "entered",
    usage: "KIND,…",
    meaning: "A process that came from outside is in these namespaces of the container process, all of them.",
    example: "entered mnt,pid",
    parse: |a| Ok(Fact::Entered(a.kinds()?)),
};

pub(super) const ENTERED_RIGHTS: Word = Word {
    name: "entered-rights",
    usage: "no-more|more",
    meaning: "No process that came from outside has more rights than the container process, or one has: capabilities in \
              `CapEff` or `CapBnd`, no `no_new_privs`, no filter, root's user ID, another user namespace.",
    example: "entered-rights no-more",
    parse: |a| Ok(Fact::EnteredRights(a.choice("more", "no-more")?)),
};

pub(super) const SECCOMP: Word = Word {
    name: "seccomp",
    usage: "on|off",
    meaning: "A filter judges the system calls of the container process (that of boxwright's own tracer does not count), or none does.",
    example: "seccomp on",
    parse: |a| Ok(Fact::Seccomp(a.choice("on", "off")?)),
};

pub(super) const CAPABILITY: Word = Word {
    name: "capability",
    usage: "NAME on|off",
    meaning: "The capability, such as `sys_admin`, is in the effective set of the container process, or is not.",
    example: "capability sys_admin off",
    parse: |a| Ok(Fact::Capability(capability(a)?, a.choice("on", "off")?)),
};

pub(super) const BOUNDING: Word = Word {
    name: "bounding",
    usage: "NAME on|off, or default",
    meaning: "The capability is in the bounding set of the container process, or is not; `default`: there is none in it that \
              Docker does not leave to a container.",
    example: "bounding mknod off",
    parse: |a| {
        let names: Vec<&str> = capabilities::NAMES.into_iter().chain(["default"]).collect();
        match a.one_of(&names)?.as_str() {
            "default" => Ok(Fact::BoundingDefault),
            name => Ok(Fact::Bounding(name.into(), a.choice("on", "off")?)),
        }
    },
};
