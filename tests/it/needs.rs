//! What a test can need of the machine, and how it is found out whether it is there.

use crate::support::{
    self,
    learner::{lacking, lessons},
};
use boxwright::{kernel::groups::Hierarchies, lang::Lang, lesson::Block};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
};

/// A requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The rights of the machine's root.
    Root,
    /// A program of the distribution's.
    Tool(&'static str),
    /// A cgroup controller that the tools can use here.
    Controller(&'static str),
    /// A control group can be made, and its kernel counts swap.
    Swap,
    /// A version 2 tree with a controller that is not enabled below its top.
    FreeController,
    /// The distribution's container runtime runs here at all: it refuses some layouts of control groups.
    Runtime,
    /// Ordinary users may make user namespaces.
    UserNamespaces,
    /// Files below the temporary directory can have extended attributes of users.
    Attributes,
    /// Programs of i386 run here.
    Calls32,
    /// File systems can be made by a program.
    Fuse,
    /// The machine is an x86-64.
    X86,
    /// A small Debian of this release, which a mirror has given or gives now.
    Debian,
    /// The cargo that built the tests.
    Cargo,
    /// What makes the Debian package, among the programs of cargo's.
    CargoDeb,
    /// No step of a lesson is blocked on this machine.
    EveryStep,
    /// Somebody asks for what takes minutes and differs little from what is tested anyway.
    Asked,
}

/// Where the distribution has its programs.
pub const DISTRIBUTION: [&str; 4] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"];

/// The distribution's program of this name.
pub fn program(name: &str) -> Option<PathBuf> {
    DISTRIBUTION.iter().map(|dir| Path::new(dir).join(name)).find(|path| path.exists())
}

impl Need {
    /// Its name in `BOXWRIGHT_REQUIRE`.
    pub fn name(&self) -> String {
        match self {
            Need::Root => "root".into(),
            Need::Tool(name) => (*name).into(),
            Need::Controller(name) => format!("cgroup-{name}"),
            Need::Swap => "swap".into(),
            Need::FreeController => "free-controller".into(),
            Need::Runtime => "runtime".into(),
            Need::UserNamespaces => "user-namespaces".into(),
            Need::Attributes => "attributes".into(),
            Need::Calls32 => "i386".into(),
            Need::Fuse => "fuse".into(),
            Need::X86 => "x86-64".into(),
            Need::Debian => "debian".into(),
            Need::Cargo => "cargo".into(),
            Need::CargoDeb => "cargo-deb".into(),
            Need::EveryStep => "every-step".into(),
            Need::Asked => "asked".into(),
        }
    }

    /// Why it is not there; `None` where it is. Each is tried once.
    pub fn missing(&self) -> Option<String> {
        static TRIED: Mutex<BTreeMap<Need, Option<String>>> = Mutex::new(BTreeMap::new());
        let mut tried = TRIED.lock().unwrap_or_else(PoisonError::into_inner);
        tried.entry(*self).or_insert_with(|| self.attempt().err()).clone()
    }

    fn attempt(&self) -> Result<(), String> {
        match self {
            Need::Root if nix::unistd::geteuid().is_root() => Ok(()),
            Need::Root => Err("the tests do not run as root".into()),
            Need::Tool(name) => program(name).map(drop).ok_or_else(|| "it is not installed".into()),
            Need::Controller(name) => Hierarchies::read().find(name).map(drop).map_err(|why| why.to_string()),
            Need::Swap => swap(),
            Need::FreeController => crate::leftovers::Free::find().map(drop),
            Need::Runtime => crate::trace::runs_untraced(),
            Need::UserNamespaces => user_namespaces(),
            Need::Attributes => attributes(),
            Need::Calls32 => crate::trace_abi::no_calls_32().map_or(Ok(()), Err),
            Need::X86 if cfg!(target_arch = "x86_64") => Ok(()),
            Need::Fuse if Path::new("/dev/fuse").exists() => Ok(()),
            Need::Fuse => Err("there is no /dev/fuse".into()),
            Need::X86 => Err("it is of another architecture".into()),
            Need::Debian => crate::debian::base().map(drop),
            Need::Cargo if Path::new(env!("CARGO")).exists() => Ok(()),
            Need::Cargo => Err("it is not where the tests were built".into()),
            Need::CargoDeb => match std::process::Command::new("cargo-deb").args(["deb", "--version"]).output() {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("it cannot be started: {error}")),
            },
            Need::EveryStep => every_step(),
            Need::Asked if std::env::var_os("BOXWRIGHT_ASKED").is_some() => Ok(()),
            Need::Asked => Err("it takes minutes, and runs where BOXWRIGHT_ASKED=1 asks for it".into()),
        }
    }
}

fn swap() -> Result<(), String> {
    let memory = Hierarchies::read().find("memory").map(|hierarchy| hierarchy.top()).map_err(|why| why.to_string())?;
    // Version 1 has the file at the top, version 2 in every group but the top.
    let below = fs::read_dir(&memory).into_iter().flatten().flatten().map(|entry| entry.path());
    let files = ["memory.memsw.limit_in_bytes", "memory.swap.max"];
    let there = below.chain([memory.clone()]).any(|dir| files.iter().any(|file| dir.join(file).exists()));
    if there { Ok(()) } else { Err("this kernel does not count swap".into()) }
}

fn user_namespaces() -> Result<(), String> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "-r", "true"]).stderr(Stdio::null());
    let made = command.status().is_ok_and(|status| status.success());
    if made { Ok(()) } else { Err("users may not make user namespaces here".into()) }
}

fn attributes() -> Result<(), String> {
    let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    let set = support::tree::set_attribute(file.path(), c"user.try", b"1");
    if set { Ok(()) } else { Err(format!("the file system of {} has none", file.path().display())) }
}

fn every_step() -> Result<(), String> {
    let lacking = lacking(Lang::En);
    let mut blocked = Vec::new();
    for lesson in lessons(Lang::En) {
        for step in &lesson.steps {
            let needs = step.blocks.iter().filter_map(|block| match block {
                Block::Requires(needs) => Some(needs),
                _ => None,
            });
            let reason = needs.flatten().find_map(|need| lacking.iter().find(|(known, _)| known == need));
            blocked.extend(reason.map(|(_, reason)| format!("{}/{}: {reason}", lesson.id, step.id)));
        }
    }
    if blocked.is_empty() { Ok(()) } else { Err(blocked.join("; ")) }
}
