//! The witnesses: `/proc` and cgroupfs, read into plain data.

mod sample;

pub use sample::{Cgroup, Cpu, ForChildren, Interface, Links, Memory, Mount, Pids, Process, Sample, Scorecard, Side};
