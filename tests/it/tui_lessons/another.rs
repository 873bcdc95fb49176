//! Every lesson by other lines than its own: other programs, options and files for the same thing.

use super::{Open, SMALL, bar, begins_free, enters, offered};
use crate::{
    harness::{Test, tests},
    lessons_steps::ways::otherwise,
    support::words::ENGLISH,
};
use boxwright::lesson::Block;

pub(super) fn tests() -> Vec<Test> {
    tests![
        isolate: [Root, Tool("tmux"), Tool("bash")],
        rootfs: [Root, Tool("tmux")],
        cgroups: [Root, Tool("tmux")],
        nsenter: [Root, Tool("tmux")],
        together: [Root, Tool("tmux")],
        network: [Root, Tool("tmux"), Tool("ip"), Tool("nft")],
        rootless: [Root, Tool("tmux")],
        privileges: [Root, Tool("tmux")],
        runtime: [Root, Tool("tmux"), Tool("crun"), Tool("setpriv")],
        fix: [Root, Tool("tmux"), Tool("ip"), Tool("nft")],
    ]
}

/// A line with what the screen says of it: the PID in the place of `{container}` where it is offered, and the port that
/// was free when the program began.
fn filled(screen: &str, line: &str) -> String {
    let is_number = |word: &&str| word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let port = screen.split("port ").filter_map(|rest| rest.split([' ', '?', '.', ':']).next()).find(is_number);
    if line.contains('\n') {
        return line.into();
    }
    if let Some(shown) = offered(screen, line) {
        let words = line.split(' ').zip(shown.split_whitespace());
        return words
            .map(|(word, shown)| match word.split_once("{container}") {
                Some(_) => shown,
                None if is_number(&word) => shown,
                None => word,
            })
            .collect::<Vec<_>>()
            .join(" ");
    }
    match (port, line.split_whitespace().find(is_number)) {
        (Some(port), Some(number)) if line.contains("nc ") => line.replace(number, port),
        _ => line.into(),
    }
}

/// Goes through a lesson by lines that do the same as its own.
fn another_way(id: &str) {
    let open = Open::at(id, &ENGLISH, SMALL);
    let (tmux, words) = (&open.tmux, open.words);
    for (number, step) in open.lesson.steps.iter().enumerate() {
        let titled = |now: &str| now.lines().next().is_some_and(|head| head.contains(&format!("{id} {}/", number + 1)));
        open.until(&step.title, titled);
        let over = |now: &str| bar(now).contains(words.next) || now.contains(words.done);
        let mut is_due = true;
        let due = [words.answer, words.question, words.command];
        let own = |now: &str| now.contains(words.turn) || begins_free(step) && bar(now).contains(words.free);
        let begun = |now: &str| due.iter().any(|act| bar(now).contains(act)) || own(now);
        let first = open.until("what is to be done", |now| over(now) || begun(now));
        // What cannot be done here is over at once.
        let blocks: &[Block] = if over(&first) { &[] } else { &step.blocks };
        for block in blocks {
            match block {
                Block::Predict(_) => {
                    open.until("the question", |now| {
                        bar(now).contains(words.answer) || bar(now).contains(words.question)
                    });
                    if bar(&tmux.screen()).contains(words.question) {
                        tmux.press(&["Space"], "the question", |now| bar(now).contains(words.answer));
                    }
                    tmux.press(&["1"], "the answer", |now| !bar(now).contains(words.answer));
                    is_due = true;
                }
                Block::Run(run) => {
                    // What was typed otherwise stays offered until it is seen to have done the same.
                    if std::mem::take(&mut is_due) {
                        let first = run.line.lines().next().unwrap_or_default();
                        if over(&open.until(&run.line, |now| over(now) || offered(now, first).is_some())) {
                            continue;
                        }
                    }
                    let line = filled(&tmux.screen(), &run.line);
                    enters(&open, run, &otherwise(id, &line));
                }
                Block::Check(_) if !step.challenge => is_due = true,
                Block::Check(_) if over(&tmux.screen()) => {}
                Block::Check(_) => {
                    open.until("the learner's turn", own);
                    // The second repair, where the lesson knows one.
                    let solutions = step.solutions();
                    let solution = solutions.get(1).unwrap_or(&solutions[0]);
                    solution.iter().for_each(|run| enters(&open, run, &run.line));
                }
                _ => {}
            }
        }
        let screen = open.until("the end of the step", over);
        if !screen.contains(words.done) {
            tmux.press(&["Space"], "the next step", |now| now.lines().next() != screen.lines().next());
        }
    }
    tmux.sees(words.done);
    open.close();
}

fn fix() {
    another_way("fix");
}

fn isolate() {
    another_way("isolate");
}

fn rootfs() {
    another_way("rootfs");
}

fn cgroups() {
    another_way("cgroups");
}

fn nsenter() {
    another_way("nsenter");
}

fn together() {
    another_way("together");
}

fn network() {
    another_way("network");
}

fn rootless() {
    another_way("rootless");
}

fn privileges() {
    another_way("privileges");
}

fn runtime() {
    another_way("runtime");
}
