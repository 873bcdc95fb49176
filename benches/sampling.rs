//! Prints what one sample costs beside 500 processes in 50 control groups, and that it grows no faster than they do:
//! `cargo bench --bench sampling`, as root. Less than 10 ms is aimed at. Then, side by side, what it costs to read by hand
//! and with procfs what a sample reads by hand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot run says so by ending")]

use boxwright::{
    kernel::{availability::available, pid::Pid},
    observe::{Extra, Reader, Subject, read_by_hand},
};
use nix::time::{ClockId, clock_gettime};
use procfs::{
    FromRead, ProcessCGroups,
    process::{MountInfos, Stat, Status},
};
use std::{
    collections::BTreeSet,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How many processes are in one group.
const EACH: usize = 10;
/// How many samples one figure is the median of.
const ROUNDS: usize = 21;

/// Processes that sleep, in groups of ten. Dropping it ends them and removes the groups.
struct Crowd {
    children: Vec<Child>,
    groups: Vec<PathBuf>,
}

impl Crowd {
    fn new() -> Crowd {
        Crowd { children: Vec::new(), groups: Vec::new() }
    }

    fn grow(&mut self, to: usize, tops: &BTreeSet<PathBuf>) {
        while self.children.len() < to {
            let name = format!("boxwright-bench-{}-{}", std::process::id(), self.children.len() / EACH);
            let child = Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap();
            for top in tops {
                let group = top.join(&name);
                if self.children.len().is_multiple_of(EACH) {
                    self.groups.push(group.clone());
                    fs::create_dir(&group).unwrap();
                }
                fs::write(group.join("cgroup.procs"), child.id().to_string()).unwrap();
            }
            self.children.push(child);
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
        for group in &self.groups {
            let _ = fs::remove_dir(group);
        }
    }
}

/// CPU time of this process so far; on a busy machine the time by the clock says more about the others.
fn cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).unwrap().into()
}

/// The median, in seconds.
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
}

/// How long one reading of this file of each process takes, in milliseconds of CPU time.
fn each<T>(crowd: &Crowd, file: &str, read: fn(&Path) -> T) -> f64 {
    let paths: Vec<PathBuf> =
        crowd.children.iter().map(|child| format!("/proc/{}/{file}", child.id()).into()).collect();
    let rounds = (0..ROUNDS).map(|_| {
        let used = cpu();
        for path in &paths {
            black_box(read(path));
        }
        cpu() - used
    });
    median(rounds.collect()) * 1e3
}

/// What a sample does, and procfs, both from the file on.
fn beside_procfs<T: FromRead>(crowd: &Crowd, file: &str, how: &str) {
    let (hand, procfs) = (each(crowd, file, read_by_hand), each(crowd, file, |path| T::from_file(path).is_ok()));
    let (count, times) = (crowd.children.len(), procfs / hand);
    println!("sampling: {file} of {count} processes: {hand:.2} ms {how}, {procfs:.2} ms with procfs: {times:.2} times");
}

fn main() {
    let found: Result<BTreeSet<PathBuf>, _> =
        ["cpu", "memory", "pids"].map(available).into_iter().map(|found| found.map(|(_, dir)| dir)).collect();
    let tops = match found {
        Ok(tops) => tops,
        Err(why) => return println!("sampling: not measured: {why:?}"),
    };
    let mut crowd = Crowd::new();
    let mut figures = Vec::new();
    for count in [100, 250, 500] {
        crowd.grow(count, &tops);
        let mut reader = Reader::new(Path::new("/proc"), Path::new(env!("CARGO_BIN_EXE_boxwright")));
        let group = Some(format!("boxwright-bench-{}-0", std::process::id()));
        reader.look_at(Extra { group, ..Extra::default() });
        let subject = Subject::Below(Pid::own(), None);
        let rounds = (0..ROUNDS).map(|_| {
            let (started, used) = (Instant::now(), cpu());
            let (sample, _) = reader.read(subject);
            assert!(sample.processes.len() > count && sample.group.exists);
            (started.elapsed(), cpu() - used)
        });
        let (times, costs): (Vec<Duration>, Vec<Duration>) = rounds.unzip();
        let (time, cost) = (median(times), median(costs));
        println!(
            "sampling: {count} processes in {} groups: {:.2} ms a sample, {:.2} ms of them on the CPU",
            count / EACH,
            time * 1e3,
            cost * 1e3
        );
        figures.push(cost / count as f64);
    }
    let growth = figures[figures.len() - 1] / figures[0];
    beside_procfs::<Status>(&crowd, "status", "by hand");
    beside_procfs::<MountInfos>(&crowd, "mountinfo", "by hand");
    beside_procfs::<ProcessCGroups>(&crowd, "cgroup", "by hand");
    beside_procfs::<Stat>(&crowd, "stat", "for the text alone");
    println!("sampling: a process costs {growth:.2} times as much among 500 as among 100 (linear: at most 1)");
}
