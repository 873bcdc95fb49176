//! What a step needs of the machine that it runs on.

use crate::kernel::namespaces::Kind;

/// What a machine lacks: a requirement and the reason, in the language of the caller.
pub type Lacking = Vec<(Requirement, String)>;

/// Something that a machine may lack.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Requirement {
    /// Effective user ID 0.
    Root,
    /// An ordinary user can make a user namespace, and write its maps.
    UserNamespaces,
    /// In a user namespace of an ordinary user's a new `/proc` can be mounted.
    UserProc,
    /// An ordinary user can start this program.
    UserProgram,
    /// ptrace(2) works.
    Ptrace,
    /// This kind of namespace can be made.
    Namespace(Kind),
    /// A program is in the PATH.
    Program(String),
    /// The machine has this file.
    File(String),
    /// A new `/proc` can be mounted.
    Proc,
    /// This system call works: `chroot`, `pivot_root` or `setns`.
    Call(String),
    /// A control group controller can be used.
    Controller(String),
    /// At least one of these controllers can be used.
    AnyController(Vec<String>),
    /// This controller has control groups of this version here.
    CgroupVersion(u8, String),
    /// There is swap.
    Swap,
    /// The kernel counts swap for each control group.
    Memsw,
    /// A memory limit cannot be dodged: the kernel counts swap, or there is none.
    HardMemory,
    /// Root of the first user namespace, not only of one of its own: device nodes and groups at the top are for it alone.
    MachineRoot,
    /// `/` is the root of its mount namespace, as it is not in a chroot: setns(2) leads to the latter.
    NamespaceRoot,
    /// The kernel knows this file system.
    Filesystem(String),
    /// The distribution's programs and the kernel make this in a network namespace.
    Network(Wiring),
    /// The session's directory can do this.
    SessionDir(Ability),
}

/// What lessons on networks build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wiring {
    /// A cable with two ends: ip(8) makes a veth pair.
    Veth,
    /// ip(8) makes a bridge.
    Bridge,
    /// nft(8) rewrites addresses.
    Nat,
}

impl Wiring {
    /// All of them.
    pub(crate) const ALL: [Wiring; 3] = [Wiring::Veth, Wiring::Bridge, Wiring::Nat];

    /// Its word in a lesson file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Wiring::Veth => "veth",
            Wiring::Bridge => "bridge",
            Wiring::Nat => "nat",
        }
    }

    /// The program that makes it, the package that has the program, and the kernel's name for what it needs.
    pub(crate) fn made_by(self) -> [&'static str; 3] {
        match self {
            Wiring::Veth => ["ip", "iproute2", "CONFIG_VETH"],
            Wiring::Bridge => ["ip", "iproute2", "CONFIG_BRIDGE"],
            Wiring::Nat => ["nft", "nftables", "CONFIG_NFT_NAT"],
        }
    }
}

/// What the file system of a session's directory may or may not allow, depending on how it is mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// Programs start.
    Exec,
    /// Device nodes work.
    Dev,
    /// It holds the upper directory of an overlay.
    Upper,
}

impl Ability {
    /// All of them.
    pub(crate) const ALL: [Ability; 3] = [Ability::Exec, Ability::Dev, Ability::Upper];

    /// Its word in a lesson file: mount(8)'s own name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Ability::Exec => "exec",
            Ability::Dev => "dev",
            Ability::Upper => "upperdir",
        }
    }
}

impl std::fmt::Display for Requirement {
    /// Writes it as a lesson file has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Requirement::Root => f.write_str("root"),
            Requirement::UserNamespaces => f.write_str("user-namespaces"),
            Requirement::UserProc => f.write_str("user-proc"),
            Requirement::UserProgram => f.write_str("user-program"),
            Requirement::Ptrace => f.write_str("ptrace"),
            Requirement::Namespace(kind) => write!(f, "namespace {kind}"),
            Requirement::Program(name) => write!(f, "program {name}"),
            Requirement::File(path) => write!(f, "file {path}"),
            Requirement::Proc => f.write_str("proc"),
            Requirement::Call(name) => write!(f, "call {name}"),
            Requirement::Controller(name) => write!(f, "controller {name}"),
            Requirement::AnyController(names) => write!(f, "controller {}", names.join("|")),
            Requirement::CgroupVersion(version, controller) => write!(f, "cgroup v{version} {controller}"),
            Requirement::Swap => f.write_str("swap"),
            Requirement::Memsw => f.write_str("memsw"),
            Requirement::HardMemory => f.write_str("hard-memory"),
            Requirement::MachineRoot => f.write_str("machine-root"),
            Requirement::NamespaceRoot => f.write_str("namespace-root"),
            Requirement::Filesystem(name) => write!(f, "filesystem {name}"),
            Requirement::Network(wiring) => write!(f, "network {}", wiring.name()),
            Requirement::SessionDir(ability) => write!(f, "session-dir {}", ability.name()),
        }
    }
}
