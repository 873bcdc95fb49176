//! `boxwright doctor --class N`: what so many learners need of this machine, from one session that is measured on it, and the
//! proof: so many sessions at once.

use crate::{
    columns::{align, bytes},
    dirs::{Need, survey},
    kernel::{errno, filesystem::FileSystem, pid::Pid, process, program, text},
    lang::Lang,
};
use nix::sys::resource::{UsageWho, getrusage};
use procfs::{Current, LoadAverage, Meminfo, process::SmapsRollup};
use serde::Serialize;
use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Command, ExitCode, Stdio},
    thread,
    time::Instant,
};

/// The step that is played to measure: a whole container, as most steps have one.
const STEP: &str = "isolate/host-name";
/// A learner's login and the two terminals of the session.
const TERMINALS: u64 = 3;
/// A step of the last lesson has two containers, each with its namespaces.
const NAMESPACES: u64 = 4;
/// How many processes are looked at: a session has some ten.
const MAX: usize = 500;

/// What one session took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
struct Session {
    /// The most memory that its processes held together, in bytes; what they share is divided among them.
    memory: u64,
    /// The most processes and threads at once.
    tasks: u64,
    /// CPU time of the whole step, in seconds.
    cpu: f64,
    /// What its directory may come to hold, in bytes.
    disk: u64,
}

/// What this machine has left.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
struct Left {
    memory: Option<u64>,
    /// Where sessions keep their images and roots.
    place: Option<String>,
    tasks: Option<u64>,
    disk: Option<u64>,
    terminals: Option<u64>,
    namespaces: Option<u64>,
    cpus: u64,
}

/// What a class needs.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Memory,
    Disk,
    Processes,
    Terminals,
    Namespaces,
}

/// One thing that a class needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Row {
    #[serde(skip)]
    kind: Kind,
    what: &'static str,
    need: String,
    left: String,
    /// Whether it suffices; `None` where that is not known.
    enough: Option<bool>,
}

/// Hears of each stage of the proof: after how many seconds, and what it was.
pub(crate) type Say<'a> = &'a mut dyn FnMut(f64, &str) -> io::Result<()>;
/// Starts so many sessions at once, and says why they did not all come through.
pub(crate) type Prove<'a> = &'a dyn Fn(u16, Say<'_>) -> Result<(), String>;

/// What came of the proof.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Proved {
    /// How long it took.
    seconds: f64,
    /// Why not all came through.
    why: Option<String>,
}

/// Prints what is needed and what there is, starts so many sessions and tells how they fare. Status 1 where something does not
/// suffice, or they do not come through; 3 where nothing can be measured.
pub(crate) fn run(learners: u64, json: bool, need: Need, prove: Prove<'_>, lang: Lang) -> ExitCode {
    let colon = lang.pick(": ", "：");
    let session = match measure() {
        Ok(session) => Session { disk: need.room.bytes(), ..session },
        Err(error) => {
            let what = lang.pick("one session cannot be measured", "无法测量一个会话");
            let why = errno::why_io(&error);
            let _ = writeln!(io::stderr(), "boxwright{colon}{what}{colon}{why}\n  {} run {STEP}", program::path());
            return ExitCode::from(3);
        }
    };
    let left = left(need);
    let rows = rows(learners, session, &left, lang);
    let written = match json {
        true => in_one(learners, session, &left, &rows, prove),
        false => in_lines(learners, session, &left, &rows, prove, lang),
    };
    // Whoever does not read on is not told, and nothing has failed.
    let refuted = matches!(&written, Ok(Some(Proved { why: Some(_), .. })));
    if !errno::is_written(&written.map(drop)) || refuted || rows.iter().any(|row| row.enough == Some(false)) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// How many are started: none where the machine would suffer. What most of them need of the disk is little.
fn started(learners: u64, rows: &[Row]) -> Option<u16> {
    let suffices = rows.iter().filter(|row| row.kind != Kind::Disk).all(|row| row.enough != Some(false));
    u16::try_from(learners).ok().filter(|_| suffices)
}

fn in_one(learners: u64, session: Session, left: &Left, rows: &[Row], prove: Prove<'_>) -> io::Result<Option<Proved>> {
    #[derive(Serialize)]
    struct Class<'a> {
        class: u64,
        session: Session,
        left: &'a Left,
        rows: &'a [Row],
        /// None where they were not started.
        proved: Option<Proved>,
    }
    let proved = started(learners, rows).map(|count| proved(count, prove, &mut |_, _| Ok(())));
    let class = Class { class: learners, session, left, rows, proved: proved.clone() };
    let line = text::json(&class).unwrap_or_default();
    writeln!(io::stdout().lock(), "{}", text::safe(&line)).map(|()| proved)
}

fn in_lines(
    learners: u64,
    session: Session,
    left: &Left,
    rows: &[Row],
    prove: Prove<'_>,
    lang: Lang,
) -> io::Result<Option<Proved>> {
    let print = |lines: &[String]| writeln!(io::stdout().lock(), "{}", text::safe(&lines.join("\n")));
    print(&told(learners, session, left, rows, lang))?;
    let proved = match started(learners, rows) {
        None => {
            print(&[lang
                .pick("So many are not started here to prove it.", "所以不在这里实际启动这么多会话。")
                .into()])?;
            None
        }
        Some(count) => {
            let begins = lang.pick(
                format!("{count} sessions at once, without a screen, to prove it:"),
                format!("同时启动 {count} 个不带界面的会话来验证："),
            );
            print(&[begins])?;
            // What cannot be written is found out at the end: the sessions come through all the same.
            let mut say = |seconds: f64, what: &str| {
                let _ = print(&[format!("  {seconds:5.1} s  {what}")]);
                Ok(())
            };
            let proved = proved(count, prove, &mut say);
            if let Some(why) = &proved.why {
                print(&[lang.pick(format!("  NOT ENOUGH: {why}"), format!("  不够：{why}"))])?;
            }
            Some(proved)
        }
    };
    print(&[String::new()])?;
    print(&unknown(lang)).map(|()| proved)
}

fn proved(count: u16, prove: Prove<'_>, say: Say<'_>) -> Proved {
    let began = Instant::now();
    let why = prove(count, say).err();
    Proved { seconds: began.elapsed().as_secs_f64(), why }
}

fn rows(learners: u64, session: Session, left: &Left, lang: Lang) -> Vec<Row> {
    let row = |kind: Kind, each: u64, left: Option<u64>, say: fn(u64) -> String| {
        let need = learners.saturating_mul(each);
        let what = match kind {
            Kind::Memory => ("memory", "内存"),
            Kind::Disk => ("disk", "磁盘"),
            Kind::Processes => ("processes", "进程"),
            Kind::Terminals => ("terminals", "终端（pty）"),
            Kind::Namespaces => ("namespaces", "命名空间"),
        };
        Row {
            kind,
            what: lang.pick(what.0, what.1),
            need: format!("{learners} × {} = {}", say(each), say(need)),
            left: left.map_or_else(|| lang.pick("not known", "未知").into(), say),
            enough: left.map(|left| need <= left),
        }
    };
    let count: fn(u64) -> String = |number| number.to_string();
    vec![
        row(Kind::Memory, session.memory, left.memory, bytes),
        row(Kind::Disk, session.disk, left.disk, bytes),
        row(Kind::Processes, session.tasks, left.tasks, count),
        row(Kind::Terminals, TERMINALS, left.terminals, count),
        row(Kind::Namespaces, NAMESPACES, left.namespaces, count),
    ]
}

fn told(learners: u64, session: Session, left: &Left, rows: &[Row], lang: Lang) -> Vec<String> {
    let verdict = |row: &Row| match row.enough {
        Some(true) => lang.pick("enough", "够"),
        Some(false) => lang.pick("NOT ENOUGH", "不够"),
        None => "?",
    };
    let head = ["", "need", "left", ""].map(|word| match word {
        "need" => lang.pick("needed", "需要").to_string(),
        "left" => lang.pick("there is", "现有").to_string(),
        other => other.to_string(),
    });
    let mut table = vec![head.to_vec()];
    table.extend(
        rows.iter().map(|row| vec![row.what.to_string(), row.need.clone(), row.left.clone(), verdict(row).to_string()]),
    );
    let mut out = vec![lang.pick(
        format!("{learners} learners on this machine, by one session that was measured here ({STEP}):"),
        format!("{learners} 名学员用这台机器，按在本机实测的一个会话推算（{STEP}）："),
    )];
    out.extend(align(&table).into_iter().map(|line| format!("  {line}")));
    let (cpus, cpu) = (left.cpus.max(1), session.cpu);
    let wait = cpu * learners as f64 / cpus as f64;
    out.push(lang.pick(
        format!("  CPU: the step took {cpu:.1} s of one CPU. Where all {learners} begin it at once, {cpus} CPUs need {wait:.0} s."),
        format!("  CPU：这一步用了单个 CPU {cpu:.1} 秒。{learners} 人同时开始，{cpus} 个 CPU 要 {wait:.0} 秒。"),
    ));
    let loops = learners.div_ceil(2);
    out.push(lang.pick(
        format!("  The steps that prove a CPU limit keep half a CPU busy each: {loops} CPUs for all at once; else they wait longer."),
        format!("  证明 CPU 上限的步骤每人占用半个 CPU：同时做需要 {loops} 个 CPU，否则就要多等。"),
    ));
    if let Some(place) = &left.place {
        out.push(lang.pick(
            format!(
                "  The disk is that of {place}: make room there, or mount a larger one on it. Most steps need far less."
            ),
            format!("  磁盘指 {place} 所在的那块：请腾出空间，或在那里挂载更大的盘。多数步骤用得少得多。"),
        ));
    }
    out
}

/// What no measurement on the machine alone tells.
fn unknown(lang: Lang) -> [String; 4] {
    lang.pick(
        [
            "Not known from here:",
            "  the network between the learners and this machine, and its Wi-Fi",
            "  what else will run here then, and whether its CPUs are shared with other virtual machines",
            "  limits of each account (ulimit -u, TasksMax=) and of images other than the one asked about",
        ],
        [
            "这里无法知道的：",
            "  学员到这台机器的网络和 Wi-Fi",
            "  到时候还有什么别的在运行，CPU 是否与别的虚拟机共用",
            "  每个账号的限制（ulimit -u、TasksMax=），以及其他镜像的大小",
        ],
    )
    .map(String::from)
}

/// Plays one step without a screen, and looks at its processes whenever it tells something.
fn measure() -> io::Result<Session> {
    let before = cpu();
    let mut run = Command::new("/proc/self/exe");
    let run = run.args(["run", STEP, "--json"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = run.spawn()?;
    let mut session = Session::default();
    if let Some(out) = child.stdout.take() {
        for _ in BufReader::new(out).split(b'\n').map_while(Result::ok) {
            let (memory, tasks) = held(Pid::of(&child));
            (session.memory, session.tasks) = (session.memory.max(memory), session.tasks.max(tasks));
        }
    }
    let status = child.wait()?;
    session.cpu = cpu() - before;
    if status.success() && session.memory > 0 { Ok(session) } else { Err(io::Error::other(status.to_string())) }
}

/// CPU time of children that have ended, in seconds.
fn cpu() -> f64 {
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0.0, |usage| seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Memory in bytes, and the number of threads, of a process and everything below it.
fn held(pid: Pid) -> (u64, u64) {
    let (mut memory, mut tasks) = (0, 0);
    for dir in process::family(pid, MAX).into_iter().map(Pid::dir) {
        memory += text::read_as(dir.join("smaps_rollup")).map_or(0, proportional);
        tasks += process::stat(&dir).map_or(0, |stat| stat.num_threads.cast_unsigned());
    }
    (memory, tasks)
}

/// Memory in bytes, of which what is shared counts in part for each who shares it.
fn proportional(SmapsRollup { memory_map_rollup: all }: SmapsRollup) -> u64 {
    all.iter().filter_map(|map| map.extension.map.get("Pss")).sum()
}

fn number(path: &str) -> Option<u64> {
    text::read(path).ok()?.trim().parse().ok()
}

fn left(need: Need) -> Left {
    // One session after the other is asked for a place: the first is where they all go.
    let disk = survey(need).into_iter().find(|(_, place)| place.is_open());
    let disk = disk.map(|(_, place)| place.path);
    let room = disk.as_deref().and_then(|path| FileSystem::nearest(path).ok()).map(|system| system.room());
    let running = LoadAverage::current().ok().map(|load| u64::from(load.max));
    let most = [number("/proc/sys/kernel/pid_max"), number("/proc/sys/kernel/threads-max")];
    let terminals = number("/proc/sys/kernel/pty/max").zip(number("/proc/sys/kernel/pty/nr"));
    let kinds = ["pid", "mnt", "net", "uts", "ipc"];
    let namespaces = kinds.iter().filter_map(|kind| number(&format!("/proc/sys/user/max_{kind}_namespaces"))).min();
    Left {
        memory: Meminfo::current().ok().and_then(|memory| memory.mem_available),
        tasks: most.into_iter().flatten().min().zip(running).map(|(most, running)| most.saturating_sub(running)),
        disk: room,
        place: disk.map(|path| path.display().to_string()),
        terminals: terminals.map(|(most, now)| most.saturating_sub(now)),
        namespaces,
        cpus: thread::available_parallelism().map_or(1, |count| count.get() as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Session = Session { memory: 20 << 20, tasks: 12, cpu: 0.5, disk: 400 << 20 };

    fn machine(memory: Option<u64>) -> Left {
        Left {
            memory,
            place: None,
            tasks: Some(30_000),
            disk: Some(8 << 30),
            terminals: Some(4000),
            namespaces: Some(9000),
            cpus: 2,
        }
    }

    #[test]
    fn what_does_not_suffice_is_told_and_what_is_not_known_is_not_claimed() {
        let enough =
            |memory| rows(40, ONE, &machine(memory), Lang::En).iter().map(|row| row.enough).collect::<Vec<_>>();
        let disk = Some(false);
        assert_eq!(enough(Some(2 << 30)), [Some(true), disk, Some(true), Some(true), Some(true)]);
        assert_eq!(enough(Some(500 << 20))[0], Some(false));
        assert_eq!(enough(None)[0], None);
        let rows = rows(40, ONE, &machine(Some(2 << 30)), Lang::En);
        assert_eq!(rows[0].need, "40 × 20.0 MiB = 800.0 MiB");
        let text = told(40, ONE, &machine(None), &rows, Lang::En).join("\n");
        assert!(text.contains("NOT ENOUGH") && text.contains("2 CPUs need 10 s"), "{text}");
        // Room on the disk alone stops nobody from trying.
        assert_eq!(started(40, &rows), Some(40));
        assert_eq!(started(40, &super::rows(40, ONE, &machine(Some(500 << 20)), Lang::En)), None);
        assert_eq!(started(70_000, &super::rows(1, ONE, &machine(None), Lang::En)), None, "no more than are counted");
    }

    #[test]
    fn a_process_holds_memory_and_has_threads() {
        let (memory, tasks) = held(Pid::own());
        assert!(memory > 1 << 20 && tasks >= 1, "{memory} {tasks}");
    }
}
