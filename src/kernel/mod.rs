//! Facts of the kernel that tools and observers share, each in one table or one reader.

pub mod cgroups;
pub mod clock;
pub mod controls;
pub mod errno;
pub mod exec;
pub mod exit;
pub mod filesystem;
pub mod freezer;
pub mod groups;
pub mod interfaces;
pub mod mountinfo;
pub mod mounts;
pub mod namespaces;
pub mod netlink;
pub mod objects;
pub mod owner;
pub mod pid;
pub mod pidfd;
pub mod process;
pub mod program;
pub mod rights;
pub mod rooted;
pub mod seccomp;
pub mod statx;
pub mod text;
pub mod usable;
