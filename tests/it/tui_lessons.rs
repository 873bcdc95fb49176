//! Whole lessons on the drawn screen, from the first step through the challenge to the end: by keys alone, and by typing
//! each line, with sh and with bash.

mod another;

use crate::harness::{Test, tests};
use crate::support::tmux::Tmux;
use crate::support::words::{CHINESE, ENGLISH, Words};
use crate::support::{BOXWRIGHT, host, left_of, processes_of, session_of};
use boxwright::lang::Lang;
use boxwright::lesson::{Block, Lesson, Run, TerminalId};
use std::{collections::BTreeSet, fs, path::Path};

pub fn tests() -> Vec<Test> {
    let mut all = tests![
        isolate_typed: [Root, Tool("tmux"), Tool("bash")],
        rootfs_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash")],
        cgroups_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash")],
        nsenter_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash")],
        together_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash")],
        network_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash"), Tool("ip"), Tool("nft")],
        rootless_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash")],
        privileges_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash")],
        runtime_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash"), Tool("crun"), Tool("setpriv")],
        fix_by_keys_and_typed: [Root, Tool("tmux"), Tool("bash"), Tool("ip"), Tool("nft")],
    ];
    all.extend(another::tests());
    all
}

fn lesson(id: &str, lang: &str) -> Lesson {
    let (all, lang) = (boxwright::lesson::load(None).unwrap(), Lang::parse(lang).unwrap());
    all.iter().find(|lesson| lesson.id() == id).unwrap().get(lang).unwrap().clone()
}

fn bar(screen: &str) -> &str {
    screen.lines().last().unwrap_or_default()
}

/// The program in the window: the child of its shell.
fn program(tmux: &Tmux) -> i32 {
    let shell = tmux.ask("#{pane_pid}");
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// The first process of the session's container, by the host's number: the one with PID 1 there, or, where all that it
/// has is a user namespace, the first one in it.
fn container(session: &str) -> Option<i32> {
    let processes = processes_of(session);
    let first = processes.iter().find(|pid| {
        let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap_or_default();
        let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:")).unwrap_or_default();
        let numbers: Vec<&str> = numbers.split_whitespace().collect();
        numbers.len() > 1 && numbers.last() == Some(&"1")
    });
    let user = |pid: &str| fs::read_link(Path::new("/proc").join(pid).join("ns/user")).ok();
    let mapped = |pid: &&i32| user(&pid.to_string()).is_some_and(|user_ns| Some(user_ns) != user("self"));
    first.or_else(|| processes.iter().find(mapped)).copied()
}

/// Types a line into the terminal that it is for, and waits until its shell waits, or the lesson goes on.
fn enters(open: &Open, run: &Run, line: &str) {
    let (tmux, words) = (&open.tmux, open.words);
    let screen = tmux.screen();
    let shows = |now: &str| ["▸host", "▸宿主机"].iter().any(|name| now.contains(name));
    let hosts = shows(&screen);
    tmux.press(&["C-g"], "the lesson's keys", |now| now != screen);
    tmux.press(&["o"], "the other terminal", |now| shows(now) != hosts);
    if hosts == (run.terminal == TerminalId::Host) {
        // Chosen, it keeps the keys also where the line that is due is for the other one.
        tmux.press(&["o"], "the terminal again", |now| shows(now) == hosts);
    }
    let before = tmux.screen();
    tmux.press(&["t"], "the terminal's keys", |now| now != before);
    let line = line.replace("{container}", &container(&open.session).unwrap_or_default().to_string());
    let before = rows(&tmux.screen());
    match line.as_str() {
        "^C" => tmux.keys(&["C-c"]),
        _ => line.lines().for_each(|line| tmux.line(line)),
    }
    // A line of a here-document may end like a prompt.
    let whole = |now: &[String]| line.lines().nth(1).is_none() || now.iter().any(|row| row.ends_with("> EOF"));
    let ends = |row: &String| row.ends_with(['$', '#']) || run.busy;
    let waits = |now: &[String]| now != before && whole(now) && now.last().is_some_and(ends);
    let goes_on = |now: &str| [words.answer, words.next].iter().any(|act| bar(now).contains(act));
    open.until(&line, |now| now.contains(words.done) || goes_on(now) || waits(&rows(now)));
}

/// What stands in the terminal that has the keys, row by row; its frame is the last one of a line.
fn rows(screen: &str) -> Vec<String> {
    let begins = |line: &&str| ["▸container", "▸host", "▸容器", "▸宿主机"].iter().any(|name| line.contains(name));
    let below = screen.lines().skip_while(|line| !begins(line)).skip(1).take_while(|line| !line.ends_with('╯'));
    let cells = below.filter_map(|line| line.rsplit('│').nth(1)).map(str::trim);
    cells.filter(|cell| !cell.is_empty()).map(String::from).collect()
}

/// How a line comes into a terminal.
#[derive(Clone, Copy, PartialEq)]
enum Road {
    Space,
    /// Typed as the lesson shows it.
    Typed,
    /// With `bash` wherever it has `sh`, as tutorials do.
    Bash,
}

/// A line as the lesson offers it on this screen: with the container's PID, and the port that was free at the start.
fn offered(screen: &str, line: &str) -> Option<String> {
    let task = screen.split_once('▶')?.1.split_once('\n')?.1;
    let words = task.split(|letter: char| letter.is_whitespace() || letter == '│').filter(|word| !word.is_empty());
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let pairs = line.split_whitespace().zip(words.map(Some).chain(std::iter::repeat(None)));
    let words = pairs.map(|(wanted, shown)| match (shown?, wanted.split_once("{container}")) {
        (shown, Some((before, after))) => {
            let pid = shown.strip_prefix(before)?.strip_suffix(after)?;
            // While the container is being made, the process that makes it stands there.
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
            let user = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/user")).ok();
            let mapped = user(pid) != user("self") && !status.starts_with("Name:\tunshare\n");
            (numbers.split_whitespace().count() > 1 || mapped).then_some(shown)
        }
        (shown, None) if is_number(wanted) => is_number(shown).then_some(shown),
        (shown, None) => (shown == wanted).then_some(shown),
    });
    words.collect::<Option<Vec<&str>>>().map(|words| words.join(" "))
}

/// Types a line, as the road has it, and waits until the lesson has taken note of it.
fn types(tmux: &Tmux, road: Road, line: &str, words: &Words) {
    // What a here-document holds may need more rows than there are.
    let (first, rest) = line.split_once('\n').map_or((line, None), |(first, rest)| (first, Some(rest)));
    let before = tmux.until(line, |screen| offered(screen, first).is_some());
    let line = offered(&before, first).unwrap();
    let line = match line.strip_suffix(" sh") {
        // These two run it in the image, which has no bash.
        Some(start) if road == Road::Bash && !line.starts_with("bwrap") && !line.starts_with("./mybox") => {
            format!("{start} bash")
        }
        _ => line,
    };
    if line == "^C" {
        tmux.keys(&["C-c"])
    } else {
        tmux.line(&line);
        rest.into_iter().flat_map(str::lines).for_each(|line| tmux.line(line));
    }
    let task = |screen: &str| screen.split_once('▶').map(|(_, task)| task.lines().take(3).collect::<String>());
    let taken = |now: &str| {
        !bar(now).contains(words.command) || task(now).is_some_and(|task_now| Some(task_now) != task(&before))
    };
    tmux.until(&line, taken);
}

/// Goes through a lesson on each road; in the end the scorecard shows these properties.
fn walks(id: &str, card: [bool; 4], roads: &[(&Words, (u16, u16), Road)]) {
    for (words, size, road) in roads {
        let names = match words.lang {
            "en" => ["isolated", "own root", "limited", "entered"],
            _ => ["已隔离", "独立根目录", "已受限", "已进入"],
        };
        let last = walk(id, words, *size, *road);
        let marks = card.map(|on| if on { '■' } else { '□' });
        let header = last.lines().next().unwrap_or_default();
        assert_eq!(header.chars().filter(|sign| "■□".contains(*sign)).collect::<Vec<_>>(), marks, "{last}");
        let named = names.iter().zip(marks).all(|(name, mark)| header.contains(&format!("[{mark} {name}]")));
        assert!(named || size.0 == 80, "{last}");
    }
}

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (140, 45);
const ROADS: [(&Words, (u16, u16), Road); 3] =
    [(&ENGLISH, SMALL, Road::Typed), (&CHINESE, SMALL, Road::Bash), (&ENGLISH, LARGE, Road::Space)];

/// A lesson that is open in a window.
struct Open<'a> {
    tmux: Tmux,
    lesson: Lesson,
    session: String,
    words: &'a Words,
    before: BTreeSet<String>,
}

impl Open<'_> {
    /// Opens a lesson at its first step, and waits for its shells.
    fn at<'a>(id: &str, words: &'a Words, size: (u16, u16)) -> Open<'a> {
        let (before, lesson) = (host(), lesson(id, words.lang));
        let tmux = Tmux::start(size.0, size.1);
        // A prompt as distributions have it.
        fs::write(tmux.file(".bashrc"), "PS1='\\u@\\h:\\w\\$ '\n").unwrap();
        tmux.line(&format!(
            "HOME={} XDG_STATE_HOME={} {BOXWRIGHT} {id}/1 --lang {}; echo status=$?",
            tmux.file("").display(),
            tmux.file("state").display(),
            words.lang
        ));
        tmux.sees(&lesson.steps[0].title);
        let own = program(&tmux);
        // The screen comes first, the shells a moment later; their prompts are news.
        tmux.until("the shells", |_| session_of(own).is_some());
        let session = session_of(own).unwrap();
        Open { tmux, lesson, session, words, before }
    }

    /// Quits it: nothing is left, and the machine is as it was.
    fn close(self) {
        let id = &self.lesson.id;
        self.tmux.quit();
        self.tmux.sees("status=0");
        assert_eq!(left_of(&self.session), Vec::<String>::new(), "{id}");
        assert_eq!(host(), self.before, "the machine is as it was");
    }

    /// Waits until the screen is so; calls that are held meanwhile are let go.
    fn until(&self, what: &str, such: impl Fn(&str) -> bool) -> String {
        loop {
            let held = |now: &str| bar(now).contains(self.words.call);
            let screen = self.tmux.until(what, |now| such(now) || held(now));
            if !held(&screen) {
                return screen;
            }
            self.tmux.press(&["c"], "that it goes on", |now| !held(now));
        }
    }
}

/// Whether all that a step shows is what must become true: a long list of that leaves no room below it.
fn begins_free(step: &boxwright::lesson::Step) -> bool {
    step.challenge && !step.blocks.iter().any(|block| matches!(block, Block::Run(_)))
}

/// Goes through a lesson; gives the last screen.
fn walk(id: &str, words: &Words, size: (u16, u16), road: Road) -> String {
    let open = Open::at(id, words, size);
    let (tmux, lesson) = (&open.tmux, &open.lesson);
    let (mut titles, mut typed, mut solved) = (BTreeSet::new(), 0, BTreeSet::new());
    let last = loop {
        let head = |now: &str, step: usize| {
            now.lines().next().is_some_and(|head| head.contains(&format!("{id} {}/", step + 1)))
        };
        let begins =
            |now: &str, step: usize| begins_free(&lesson.steps[step]) && !solved.contains(&step) && head(now, step);
        let own = |now: &str| bar(now).contains(words.free) && (0..lesson.steps.len()).any(|step| begins(now, step));
        let acts = [words.command, words.call, words.next, words.answer, words.question];
        let texts = [words.turn, words.done];
        let screen = tmux.until("something to do", |screen| {
            acts.iter().any(|act| bar(screen).contains(act))
                || texts.iter().any(|text| screen.contains(text))
                || own(screen)
        });
        let head = screen.lines().next().unwrap_or_default();
        // The scorecard comes before the end of a title that is too long; and one title may begin like another.
        let start = |step: &boxwright::lesson::Step| step.title.chars().take(24).collect::<String>();
        let titled = lesson.steps.iter().enumerate().filter(|(_, step)| head.contains(&start(step)));
        let step = titled.max_by_key(|(_, step)| start(step).len()).map(|(index, _)| index);
        let step = step.filter(|_| head.contains(&format!("{id} ")));
        let step = step.unwrap_or_else(|| panic!("no title of a step: {head}"));
        if titles.insert(step) {
            typed = 0;
        }
        let keys: &[&str] = match () {
            () if screen.contains(words.done) => break screen,
            () if bar(&screen).contains(words.answer) => &["1"],
            () if bar(&screen).contains(words.call) => &["c"],
            () if bar(&screen).contains(words.command) && road != Road::Space => {
                let runs = lesson.steps[step].blocks.iter();
                let mut runs = runs.filter_map(|block| if let Block::Run(run) = block { Some(run) } else { None });
                let run = runs.nth(typed).unwrap_or_else(|| panic!("nothing is to be typed:\n{screen}"));
                typed += 1;
                types(tmux, road, &run.line, words);
                continue;
            }
            () if [words.command, words.next, words.question].iter().any(|act| bar(&screen).contains(act)) => {
                &["Space"]
            }
            () => {
                solved.insert(step);
                lesson.steps[step].solutions()[0].iter().for_each(|run| enters(&open, run, &run.line));
                continue;
            }
        };
        // A second digit, a second `c`, or a second Space that was for the next step would go to the shell.
        let gone = |what: &str, now: &str| !bar(&screen).contains(what) || !bar(now).contains(what);
        let moved = |now: &str| now.lines().next() != screen.lines().next() || gone(words.next, now);
        let taken = |now: &str| [words.answer, words.call].iter().all(|what| gone(what, now));
        tmux.press(keys, "what comes next", |now| now != screen && taken(now) && moved(now));
    };
    assert_eq!(titles.len(), lesson.steps.len(), "{id}: {titles:?}");
    open.close();
    last
}

fn isolate_typed() {
    walks("isolate", [false, false, false, false], &[(&ENGLISH, SMALL, Road::Typed), (&CHINESE, SMALL, Road::Bash)]);
}

fn rootfs_by_keys_and_typed() {
    walks("rootfs", [true, true, false, false], &ROADS);
}

fn cgroups_by_keys_and_typed() {
    walks("cgroups", [true, false, true, false], &ROADS);
}

fn nsenter_by_keys_and_typed() {
    walks("nsenter", [true, false, false, true], &ROADS);
}

fn together_by_keys_and_typed() {
    walks("together", [true; 4], &ROADS);
}

fn network_by_keys_and_typed() {
    walks("network", [true, false, false, false], &ROADS);
}

fn rootless_by_keys_and_typed() {
    walks("rootless", [true, true, false, false], &ROADS);
}

fn privileges_by_keys_and_typed() {
    walks("privileges", [true, false, false, false], &ROADS);
}

fn runtime_by_keys_and_typed() {
    walks("runtime", [true; 4], &ROADS);
}

fn fix_by_keys_and_typed() {
    // Which container is the last one depends on whether the machine has swap.
    for (words, size, road) in ROADS {
        walk("fix", words, size, road);
    }
}
