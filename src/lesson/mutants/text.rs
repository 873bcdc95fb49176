//! The file of a lesson of mutants, as an author would write it.

use super::{
    super::model::TerminalId::{self, Container, Host},
    Comes, Line, Mutant, Words,
};
use crate::lang::Lang;
use std::fmt::Write as _;

/// A fact of the container that a good `mybox` makes, and what is said of it in English and Chinese.
type Said = (&'static str, &'static str, &'static str);

/// Those that every mutant is held against.
pub(super) const FACTS: [Said; 10] = [
    ("scorecard isolated on", "It is isolated", "它已隔离"),
    ("scorecard rooted on", "It has a root of its own", "它有独立根目录"),
    ("scorecard limited on", "It is limited", "它已受限"),
    ("scorecard entered on", "A process from outside is in", "有一个从外面进入的进程"),
    (
        "entered-rights no-more",
        "It has entered with no more rights than the container has",
        "进入的进程，权限不比容器多",
    ),
    ("hostname inside is {name}", "The container's host name is `{name}`", "容器的主机名是 `{name}`"),
    ("proc own", "`/proc` shows the container's processes", "`/proc` 显示的是容器里的进程"),
    ("bounding default", "No capability beyond Docker's", "没有超出 Docker 默认的能力"),
    ("no-new-privs on", "It gains no privileges", "它不能获得特权"),
    ("in-group inside yes", "Every process inside is in the group", "里面的每个进程都在组里"),
];

/// Those that some are.
pub(super) const MORE: [Said; 13] = [
    ("group memory {bytes}", "The group allows {mib} MiB", "控制组允许 {mib} MiB"),
    ("mount inside / overlay", "Its root is an overlay", "它的根是 overlay"),
    ("mount inside /dev tmpfs", "`/dev` is a tmpfs", "`/dev` 是 tmpfs"),
    ("no-mount inside /dev/old", "Nothing of the host is left", "宿主机的东西一点不剩"),
    ("read-only inside /proc/sys yes", "`/proc/sys` cannot be written to", "`/proc/sys` 不可写"),
    ("init sh", "PID 1 is the shell", "PID 1 是那个 shell"),
    ("entered ipc,mnt,net,pid,uts", "In all five namespaces", "五种命名空间全都进入了"),
    ("file inside /dev/null device c 1:3", "`/dev/null` is the device 1:3", "`/dev/null` 是设备 1:3"),
    ("file inside /dev/{x} device c {y}", "`/dev/{x}` is the device {y}", "`/dev/{x}` 是设备 {y}"),
    ("file inside /dev/zero device c 1:5", "`/dev/zero` is the device 1:5", "`/dev/zero` 是设备 1:5"),
    ("file inside /dev/urandom device c 1:9", "`/dev/urandom` is the device 1:9", "`/dev/urandom` 是设备 1:9"),
    ("file inside /proc/sys/kernel/hostname present", "`/proc/sys` is still there", "`/proc/sys` 仍在"),
    ("file inside /etc/os-release present", "Its root has the files of the image", "它的根里是镜像的文件"),
];

const REQUIRES: &str = "\
root
controller memory
namespace ipc,mnt,net,pid,uts
session-dir exec,upperdir
program setpriv
program ldd
call setns";

const RUN: Line = (Container, "./mybox run builtin: sh");
const LEAVE: Line = (Container, "exit");
pub(super) const ENTER: Line = (Host, "./mybox exec sleep 300 &");

impl Mutant {
    /// The text with the words of this one in their places.
    pub(super) fn fill(&self, text: &str) -> String {
        let [x, y] = self.row.variants.get(self.variant).copied().unwrap_or_default();
        let filled = text.replace("{x}", x).replace("{y}", y).replace("{name}", self.name);
        let numbers =
            [("{mib}", self.mib), ("{bytes}", self.mib << 20), ("{twice}", self.mib * 2), ("{huge}", self.mib << 30)];
        numbers.iter().fold(filled, |text, (name, number)| text.replace(name, &number.to_string()))
    }

    /// The mutated script; `good` is the one of the lesson.
    pub(super) fn script(&self, good: &str) -> String {
        let mine = self.good(good);
        self.row.edits.iter().fold(mine, |script, (from, to)| script.replacen(&self.fill(from), &self.fill(to), 1))
    }

    /// The good script, with this one's name and limit.
    pub(super) fn good(&self, good: &str) -> String {
        let limit = (self.mib << 20).to_string();
        good.replace("hostname mine\n", &format!("hostname {}\n", self.name)).replace("67108864", &limit)
    }

    /// The lines that repair it as the third hint says: the script, and the container made by it.
    fn repair(&self) -> Vec<Line> {
        let mended = (Host, self.row.sed);
        match self.row.comes {
            Comes::Nothing => vec![mended, RUN, ENTER],
            Comes::Whole | Comes::Closed => vec![mended, LEAVE, RUN, ENTER],
        }
    }

    /// The facts in the order of the checklist: those that are false first.
    fn facts(&self) -> impl Iterator<Item = (bool, Said)> {
        let row = self.row;
        let never = match row.comes {
            Comes::Nothing => FACTS.map(|(fact, ..)| fact).to_vec(),
            Comes::Closed => vec!["scorecard entered on", "entered-rights no-more"],
            Comes::Whole => Vec::new(),
        };
        let is_false = move |said: &Said| row.broken.contains(&said.0) || never.contains(&said.0);
        let asked = move |said: &Said| row.broken.contains(&said.0) || row.keeps.contains(&said.0);
        let all: Vec<Said> = MORE.into_iter().filter(asked).chain(FACTS).collect();
        let (wrong, right): (Vec<Said>, Vec<Said>) = all.into_iter().partition(is_false);
        wrong.into_iter().map(|said| (false, said)).chain(right.into_iter().map(|said| (true, said)))
    }
}

/// The text of a lesson of these; each has the name of its step.
pub(super) fn markdown(mutants: &[(String, Mutant)], good: &str, lang: Lang) -> String {
    let head = lang.pick(
        "# Mutants\n\n> Find what `mybox` lacks.\n\nOne call of `mybox` is missing, too weak, or out of place. Which one?\n",
        "# 变异体\n\n> 找出 `mybox` 缺了什么。\n\n`mybox` 里有一个调用缺失、变弱，或者放错了位置。是哪一个？\n",
    );
    mutants.iter().fold(head.to_string(), |text, (id, mutant)| text + &step(id, mutant, good, lang))
}

fn step(id: &str, mutant: &Mutant, good: &str, lang: Lang) -> String {
    let row = mutant.row;
    let Words { title, text, nudge, idea, why } = row.words(lang);
    let mut out = format!("\n## {title} {{#{id} fresh challenge}}\n\n{text}\n");
    block(&mut out, "requires", REQUIRES);
    block(&mut out, "break host", &format!("cat > mybox <<'EOF'\n{}EOF\nchmod +x mybox", mutant.script(good)));
    match row.comes {
        Comes::Nothing => block(&mut out, "break container fails", RUN.1),
        Comes::Whole | Comes::Closed => block(&mut out, "break container", RUN.1),
    }
    if row.comes == Comes::Whole {
        block(&mut out, "break host", ENTER.1);
    }
    let fails = if row.fails { " fails" } else { "" };
    block(&mut out, &format!("run {} look{fails}", row.look.0.name()), row.look.1);
    let facts = mutant
        .facts()
        .map(|(keeps, (fact, en, zh))| format!("{}{fact} : {}", if keeps { "keeps " } else { "" }, lang.pick(en, zh)));
    block(&mut out, "check", &facts.collect::<Vec<_>>().join("\n"));
    block(&mut out, "hint", nudge);
    block(&mut out, "hint", idea);
    block(&mut out, "hint", &typed(mutant, lang));
    let live = row.live.iter().map(|lines| lines.to_vec());
    ways(&mut out, "solution", std::iter::once(mutant.repair()).chain(live));
    // A script that was put in order has changed nothing of what runs.
    let wrong = row.wrong.iter().map(|lines| lines.to_vec());
    ways(&mut out, "wrong", std::iter::once(vec![(Host, row.sed)]).chain(wrong));
    block(&mut out, "why", why);
    mutant.fill(&out)
}

/// The third hint: the lines of the repair.
fn typed(mutant: &Mutant, lang: Lang) -> String {
    let (sed, run, enter) = (mutant.row.sed, RUN.1, ENTER.1);
    let leave = if mutant.row.comes == Comes::Nothing { "" } else { lang.pick("`exit` and ", "`exit` 和 ") };
    lang.pick(
        format!("Type `{sed}` in the host terminal, {leave}`{run}` in the container terminal, then `{enter}` in the host terminal."),
        format!("在宿主机终端输入 `{sed}`，在容器终端输入 {leave}`{run}`，再在宿主机终端输入 `{enter}`。"),
    )
}

fn ways(out: &mut String, word: &str, ways: impl Iterator<Item = Vec<Line>>) {
    for (number, way) in ways.enumerate() {
        let mut or = if number > 0 { " or" } else { "" };
        for lines in way.chunk_by(|one, other| one.0 == other.0) {
            let typed: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
            let terminal = lines.first().map_or(TerminalId::default(), |(terminal, _)| *terminal);
            block(out, &format!("{word} {}{or}", terminal.name()), &typed.join("\n"));
            or = "";
        }
    }
}

fn block(out: &mut String, info: &str, body: &str) {
    let _ = write!(out, "\n```{info}\n{body}\n```\n");
}
