//! What follows from the end of a call, and of a thread.

use super::{
    Change, Ended, Note, Return, SyscallEvent, TraceEvent,
    calls::Effect,
    effects, following,
    guard::inode,
    paths::ours,
    stop::Stopped,
    stops::{RESTARTS, Tracing},
    task::{Again, Refusal, comm},
};
use crate::kernel::pid::Pid;
use nix::errno::Errno;

impl Tracing {
    /// A call has returned.
    pub(super) fn returned(&mut self, stop: Stopped, result: i64) {
        let tid = stop.tid();
        let Some(task) = self.tasks.get_mut(&tid) else { return self.resume(stop) };
        let (root, failed) = (task.root, (-4095..0).contains(&result));
        let (mut child, mut filters, mut second) = (None, false, None);
        if let Some(mut pending) = task.pending.take() {
            child = pending.child;
            let error = failed.then(|| Errno::from_raw(-result as i32));
            task.meddled = error.and_then(|error| pending.meddled(error));
            let micros = pending.micros();
            let effect = pending.call.syscall.row().effect;
            if effect == Effect::Connects {
                if !failed {
                    self.follow(tid);
                }
                return self.resume(stop);
            }
            if let Effect::Opens(index) = effect
                && !pending.told
            {
                if !failed && following::control_file(&stop, result as i32).is_some() {
                    self.follow(tid);
                } else if failed && self.cgroups.directory(&stop, &pending.call.args, index).is_some() {
                    // Nothing else would be seen of a value that a shell could not write.
                    let error = Return::Error(Errno::from_raw(-result as i32));
                    let returned = pending.refused.map_or(error, Refusal::returned);
                    self.tell(TraceEvent::Syscall(root, pending.ended(returned, micros, Vec::new())));
                }
                return self.resume(stop);
            }
            if failed && RESTARTS.contains(&-result) {
                task.again =
                    Some(Again { syscall: pending.call.syscall, values: pending.values, asked: pending.asked.take() });
            } else if pending.told {
                if let Some(asked) = &pending.asked {
                    asked.put_back(&stop, pending.width, if failed { Effect::Nothing } else { effect });
                }
                if !failed && let effects::Before::GroupMade(path) = &pending.before {
                    self.groups.extend(inode(&ours(tid, path)));
                }
                let mut changed =
                    if failed { Vec::new() } else { effects::after(&stop, &mut pending, result, &self.exe) };
                if let Effect::Renamed(_, index) = effect
                    && !failed
                    && let Some(path) = self.cgroups.directory(&stop, &pending.call.args, index)
                {
                    changed.push(effects::group_made(tid, &path));
                }
                let number = pending.call.syscall.row().number;
                let returned = match failed {
                    _ if pending.refused.is_some() => pending.refused.map_or(Return::Never, Refusal::returned),
                    true if pending.unseen => Return::Filtered(Errno::from_raw(-result as i32)),
                    // SIGSYS follows (SECCOMP_RET_TRAP, SECCOMP_RET_KILL_…): the number stands where the result would.
                    false if pending.unseen && Some(result) == number => Return::Trapped,
                    true => Return::Error(Errno::from_raw(-result as i32)),
                    false => Return::Value(result),
                };
                self.objects.extend(changed.iter().filter_map(|change| match change {
                    Change::ObjectMade(object, true) => Some(object.clone()),
                    _ => None,
                }));
                // seccomp(2) with SECCOMP_SET_MODE_STRICT or _FILTER, or prctl(2) with PR_SET_SECCOMP.
                let filter = match pending.call.syscall.name() {
                    "seccomp" => pending.values[0] < 2,
                    "prctl" => pending.values[0] == libc::PR_SET_SECCOMP as u64,
                    _ => false,
                };
                filters = filter && !failed;
                let refused = pending.call.syscall.name() == "ptrace" && returned == Return::Error(Errno::EPERM);
                second = refused.then_some(pending.values);
                if effect.changes_mounts() {
                    self.cgroups.forget();
                }
                let exec = effect == Effect::Program;
                let event = pending.ended(returned, micros, changed);
                if exec {
                    task.comm = comm(tid);
                    task.following = task.following && following::any_open(&stop, task.process);
                }
                // What the learner did is told at once, whatever the search comes to.
                if exec && failed && !matches!(returned, Return::Answered(_)) {
                    // "Not there" says less than any other reason that the search met.
                    let absent = |event: &SyscallEvent| event.returned == Return::Error(Errno::ENOENT);
                    let earlier = task.failed_exec.take().filter(|earlier| absent(&event) && !absent(earlier));
                    task.failed_exec = Some(earlier.unwrap_or(event));
                } else {
                    if exec {
                        task.failed_exec = None;
                    }
                    self.tell(TraceEvent::Syscall(root, event));
                }
            }
        } else if std::mem::take(&mut task.closing) {
            task.following = following::any_open(&stop, task.process);
        }
        if second.is_some_and(|values| self.is_second_tracer(tid, &values)) {
            self.note(root, tid, Note::SecondTracer);
        }
        if filters {
            self.filter(tid);
        }
        if let Some(child) = child {
            // Its making has been told: now it may begin.
            self.begin_life(child);
        }
        self.resume(stop);
    }

    /// A thread has ended; where it was the first of its process, so has the process.
    pub(super) fn ended(&mut self, tid: Pid, ended: Ended) {
        self.early.remove(&tid);
        if self.asides.remove(&tid).is_some() {
            return self.supervisor_ended(ended);
        }
        let root = match self.tasks.remove(&tid) {
            Some(task) => {
                let root = task.root;
                let held = task.held.is_some();
                if held {
                    self.tell(TraceEvent::Released(root, tid));
                }
                if let Some(failed) = task.failed_exec {
                    self.tell(TraceEvent::Syscall(root, failed));
                }
                if let Some(child) = task.pending.as_ref().and_then(|pending| pending.child) {
                    self.begin_life(child);
                }
                if let Some(mut pending) = task.pending.filter(|pending| pending.told && !held) {
                    let (micros, changed) = (pending.micros(), std::mem::take(&mut pending.born));
                    self.tell(TraceEvent::Syscall(root, pending.ended(Return::Never, micros, changed)));
                }
                if task.process == tid {
                    // The number of a namespace that ends with it may be given to another one.
                    self.cgroups.forget();
                    self.zombies.note(tid);
                    self.tell(TraceEvent::Exit { root, pid: tid, comm: task.comm, ended });
                }
                root
            }
            None => {
                let Some(family) = self.families.get(&tid).filter(|family| family.untraced) else {
                    self.stillborn.insert(tid, ended);
                    return;
                };
                self.tell(TraceEvent::Exit { root: tid, pid: tid, comm: family.comm.clone(), ended });
                tid
            }
        };
        let Some(family) = self.families.get_mut(&root) else { return };
        if tid == root {
            family.ended = Some(ended);
        }
        if !self.tasks.values().any(|task| task.root == root) {
            let ended = family.ended.unwrap_or(ended);
            self.families.remove(&root);
            self.tell(TraceEvent::Finished(root, ended));
        }
    }
}
