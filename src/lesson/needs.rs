//! What a step needs of the machine: what it says itself, and what the lines that are typed for it need by themselves.
//!
//! The doctor's outlook and the session's skips both ask [`needs`], so that they cannot disagree.

use super::{
    model::{Block, Lesson, Shells},
    requirement::Requirement,
};

/// Programs whose work is one system call, and that call.
const CALLS: [(&str, &str); 3] = [("chroot", "chroot"), ("pivot_root", "pivot_root"), ("nsenter", "setns")];

/// Everything that the step of this index needs, once each: a shell, what its `requires` blocks say, and what its lines
/// need, and the lines before it since the last fresh step, because its state is built by them.
pub(crate) fn needs(lesson: &Lesson, index: usize) -> Vec<Requirement> {
    let users = lesson.steps.get(index).is_some_and(|step| step.shells != Shells::Root);
    // No step can do without a shell, and no shell without this.
    let mut all = vec![if users { Requirement::UserNamespaces } else { Requirement::Root }];
    let mut add = |need: Requirement| {
        if !all.contains(&need) {
            all.push(need);
        }
    };
    let Some(step) = lesson.steps.get(index) else { return all };
    for block in &step.blocks {
        if let Block::Requires(needs) = block {
            needs.iter().cloned().for_each(&mut add);
        }
    }
    let first = (0..=index).rev().find(|&at| lesson.steps.get(at).is_some_and(|step| step.fresh)).unwrap_or(0);
    let chain = lesson.steps.iter().take(index + 1).skip(first);
    chain
        .flat_map(|step| &step.blocks)
        .flat_map(Block::runs)
        .flat_map(|run| by_line(&run.line))
        .map(|need| match need {
            Requirement::Proc if users => Requirement::UserProc,
            need => need,
        })
        .for_each(&mut add);
    all
}

/// What a command line needs, by its words.
fn by_line(line: &str) -> Vec<Requirement> {
    let words: Vec<&str> =
        line.split(|c: char| c.is_whitespace() || ";|&()\"'".contains(c)).filter(|word| !word.is_empty()).collect();
    let has = |word: &str| words.contains(&word);
    let mounts_proc = words.iter().any(|word| *word == "--mount-proc" || word.starts_with("--mount-proc="))
        || words.windows(2).any(|pair| pair == ["-t", "proc"])
        || has("bwrap") && has("--proc");
    let calls = CALLS.iter().filter(|(program, _)| has(program));
    let calls = calls.map(|(_, call)| Requirement::Call((*call).to_owned()));
    mounts_proc.then_some(Requirement::Proc).into_iter().chain(calls).collect()
}

#[cfg(test)]
mod tests {
    use super::super::model::{Run, Step};
    use super::*;

    fn step(fresh: bool, lines: &[&str]) -> Step {
        let run = |line: &&str| Block::Run(Run { line: (*line).into(), ..Run::default() });
        Step { fresh, blocks: lines.iter().map(run).collect(), ..Step::default() }
    }

    fn names(lesson: &Lesson, index: usize) -> Vec<String> {
        needs(lesson, index).iter().skip(1).map(Requirement::to_string).collect()
    }

    #[test]
    fn lines_need_what_they_do() {
        for (line, expected) in [
            ("unshare -imnpu --mount-proc --fork sh", &["proc"][..]),
            ("unshare -p --fork sh", &[]),
            (
                "cgexec -g cpu:x unshare -p --mount-proc=rootfs/proc --fork chroot rootfs /bin/sh",
                &["proc", "call chroot"],
            ),
            ("mount -t proc proc /proc", &["proc"]),
            ("mount -t tmpfs proc /mnt", &[]),
            ("bwrap --unshare-all --ro-bind rootfs / --proc /proc sh", &["proc"]),
            ("pivot_root . mnt", &["call pivot_root"]),
            ("sh -c 'nsenter -t 7 -a true'", &["call setns"]),
            ("ls /proc/self/ns; echo --proc", &[]),
        ] {
            let found: Vec<String> = by_line(line).iter().map(Requirement::to_string).collect();
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn a_step_needs_what_built_its_state_and_nothing_from_before_a_fresh_start() {
        let mut last = step(false, &["true"]);
        last.blocks.push(Block::Requires(vec![Requirement::Swap, Requirement::Root]));
        let steps =
            vec![step(true, &["chroot x"]), step(true, &["unshare --mount-proc sh"]), last, step(true, &["ls"])];
        let lesson = Lesson { steps, ..Lesson::default() };
        assert_eq!(names(&lesson, 0), ["call chroot"]);
        assert_eq!(names(&lesson, 1), ["proc"]);
        assert_eq!(names(&lesson, 2), ["swap", "proc"], "what it says itself comes first");
        assert_eq!(names(&lesson, 3), [""; 0]);
        assert_eq!(needs(&lesson, 9), [Requirement::Root]);
    }
}
