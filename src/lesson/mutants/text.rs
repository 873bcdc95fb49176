//! The file of a lesson of mutants, as an author would write it.

use super::{
    super::model::TerminalId::{self, Host},
    Comes, Kind, Line, Mutant, Words,
};
use crate::lang::Lang;
use std::fmt::Write as _;

/// A fact of a container as it should be, and what is said of it in English and Chinese.
pub(super) type Said = (&'static str, &'static str, &'static str);

/// Those that some are.
pub(super) const MORE: [Said; 19] = [
    ("group memory {bytes}", "The group allows {mib} MiB", "控制组允许 {mib} MiB"),
    ("mount inside / overlay", "Its root is an overlay", "它的根是 overlay"),
    ("mount inside /dev tmpfs", "`/dev` is a tmpfs", "`/dev` 是 tmpfs"),
    ("host-root gone", "Nothing of the host is left", "宿主机的东西一点不剩"),
    ("read-only inside /proc/sys yes", "`/proc/sys` cannot be written to", "`/proc/sys` 不可写"),
    ("init sh", "PID 1 is the shell", "PID 1 是那个 shell"),
    ("entered ipc,mnt,net,pid,uts", "In all five namespaces", "五种命名空间全都进入了"),
    ("file inside /dev/null device c 1:3", "`/dev/null` is the device 1:3", "`/dev/null` 是设备 1:3"),
    ("file inside /dev/{x} device c {y}", "`/dev/{x}` is the device {y}", "`/dev/{x}` 是设备 {y}"),
    ("file inside /dev/zero device c 1:5", "`/dev/zero` is the device 1:5", "`/dev/zero` 是设备 1:5"),
    ("file inside /dev/urandom device c 1:9", "`/dev/urandom` is the device 1:9", "`/dev/urandom` 是设备 1:9"),
    ("file inside /proc/sys/kernel/hostname present", "`/proc/sys` is still there", "`/proc/sys` 仍在"),
    ("read-only inside / yes", "Its root cannot be written to", "它的根不可写"),
    ("read-only inside /srv yes", "`/srv` cannot be written to", "`/srv` 不可写"),
    ("file inside /srv/list present", "`/srv` has its list", "`/srv` 里有那份清单"),
    ("mount inside /proc/interrupts devtmpfs,tmpfs", "`/proc/interrupts` is covered", "`/proc/interrupts` 被盖住"),
    ("seccomp on", "A filter judges its calls", "有过滤器审查它的调用"),
    ("file inside /dev/kmsg absent", "It has no device of the kernel's log", "它没有内核日志的设备"),
    ("file inside /etc/os-release present", "Its root has the files of the image", "它的根里是镜像的文件"),
];

impl Mutant {
    /// The text with the words of this one in their places.
    pub(super) fn fill(&self, text: &str) -> String {
        let [x, y] = self.row.variants.get(self.variant).copied().unwrap_or_default();
        let filled =
            text.replace("{sed}", self.row.sed).replace("{x}", x).replace("{y}", y).replace("{name}", self.name);
        let numbers =
            [("{mib}", self.mib), ("{bytes}", self.mib << 20), ("{twice}", self.mib * 2), ("{huge}", self.mib << 30)];
        numbers.iter().fold(filled, |text, (name, number)| text.replace(name, &number.to_string()))
    }

    /// The mutated text.
    pub(super) fn mutated(&self) -> String {
        let mine = self.good();
        self.row.edits.iter().fold(mine, |text, (from, to)| text.replacen(&self.fill(from), &self.fill(to), 1))
    }

    /// The good text, with this one's name and limit.
    pub(super) fn good(&self) -> String {
        let (name, limit) = (self.name, (self.mib << 20).to_string());
        let named = self.kind.good().replace("hostname mine\n", &format!("hostname {name}\n"));
        named.replace("\"hostname\": \"mine\"", &format!("\"hostname\": \"{name}\"")).replace("67108864", &limit)
    }

    /// The lines that repair it as the third hint says: the text, and the container made of it.
    fn repair(&self) -> Vec<Line> {
        let leave = if self.row.comes == Comes::Nothing { &[] } else { self.kind.leave() };
        let mended = std::iter::once((Host, self.row.sed)).chain(leave.iter().copied());
        mended.chain([self.kind.run()]).chain(self.kind.enter()).collect()
    }

    /// The facts in the order of the checklist: those that are false first.
    fn facts(&self) -> impl Iterator<Item = (bool, Said)> {
        let row = self.row;
        let never = never(row.comes, self.kind);
        let is_false = move |said: &Said| row.broken.contains(&said.0) || never.contains(&said.0);
        let asked = move |said: &Said| row.broken.contains(&said.0) || row.keeps.contains(&said.0);
        let all: Vec<Said> = MORE.into_iter().filter(asked).chain(self.kind.facts().iter().copied()).collect();
        let (wrong, right): (Vec<Said>, Vec<Said>) = all.into_iter().partition(is_false);
        wrong.into_iter().map(|said| (false, said)).chain(right.into_iter().map(|said| (true, said)))
    }
}

/// The facts that cannot be true of what the text comes to.
pub(super) fn never(comes: Comes, kind: Kind) -> Vec<&'static str> {
    match comes {
        Comes::Nothing => kind.facts().iter().map(|(fact, ..)| *fact).collect(),
        Comes::Closed => vec!["scorecard entered on", "entered-rights no-more"],
        Comes::Whole => Vec::new(),
    }
}

/// What a lesson of mutants begins with.
pub(super) fn head(lang: Lang) -> &'static str {
    lang.pick(
        "# Mutants\n\n> Find what a runtime lacks.\n\nOne call of a runtime is missing, too weak, or out of place. Which one?\n",
        "# 变异体\n\n> 找出运行时缺了什么。\n\n一个运行时里有一个调用缺失、变弱，或者放错了位置。是哪一个？\n",
    )
}

/// The text of a lesson of these; each has the name of its step.
pub(super) fn markdown(mutants: &[(String, Mutant)], lang: Lang) -> String {
    mutants.iter().fold(head(lang).to_string(), |text, (id, mutant)| text + &step(id, mutant, lang))
}

fn step(id: &str, mutant: &Mutant, lang: Lang) -> String {
    let (row, kind) = (mutant.row, mutant.kind);
    let Words { title, text, nudge, idea, why } = row.words(lang);
    let mut out = format!("\n## {title} {{#{id} fresh challenge}}\n\n{text}\n");
    if !kind.told(lang).is_empty() {
        let _ = write!(out, "\n{}\n", kind.told(lang));
    }
    block(&mut out, "requires", kind.requires());
    block(&mut out, "break host", &kind.prepare(&mutant.mutated()));
    match row.comes {
        Comes::Nothing => block(&mut out, "break container fails", kind.start(row.comes)),
        Comes::Whole | Comes::Closed => block(&mut out, "break container", kind.start(row.comes)),
    }
    if let Some(enter) = kind.enter().filter(|_| row.comes == Comes::Whole) {
        block(&mut out, "break host", enter.1);
    }
    let fails = if row.fails { " fails" } else { "" };
    block(&mut out, &format!("run {} look{fails}", row.look.0.name()), row.look.1);
    let facts = mutant
        .facts()
        .map(|(keeps, (fact, en, zh))| format!("{}{fact} : {}", if keeps { "keeps " } else { "" }, lang.pick(en, zh)));
    block(&mut out, "check", &facts.collect::<Vec<_>>().join("\n"));
    block(&mut out, "hint", nudge);
    block(&mut out, "hint", idea);
    block(&mut out, "hint", &typed(&mutant.repair(), lang));
    let live = row.live.iter().map(|lines| lines.to_vec());
    ways(&mut out, "solution", std::iter::once(mutant.repair()).chain(live));
    // A script that was put in order has changed nothing of what runs.
    ways(&mut out, "wrong", std::iter::once(vec![(Host, row.sed)]));
    for (lines, refused) in row.wrong {
        way(&mut out, "wrong", " or", lines);
        if !refused.is_empty() {
            block(&mut out, "refused", &refused.join("\n"));
        }
    }
    block(&mut out, "why", why);
    mutant.fill(&out)
}

/// The third hint: the lines of the repair, terminal by terminal.
pub(super) fn typed(lines: &[Line], lang: Lang) -> String {
    let parts = lines.chunk_by(|one, other| one.0 == other.0).map(|lines| {
        let typed: Vec<String> = lines.iter().map(|(_, line)| format!("`{line}`")).collect();
        let typed = typed.join(lang.pick(" and ", " 和 "));
        match lines.first() {
            Some((Host, _)) => lang.pick(format!("{typed} in the host terminal"), format!("在宿主机终端输入 {typed}")),
            _ => lang.pick(format!("{typed} in the container terminal"), format!("在容器终端输入 {typed}")),
        }
    });
    let parts = parts.collect::<Vec<_>>().join(lang.pick(", then ", "，再"));
    lang.pick(format!("Type {parts}."), format!("{parts}。"))
}

pub(super) fn ways(out: &mut String, word: &str, ways: impl Iterator<Item = Vec<Line>>) {
    for (number, lines) in ways.enumerate() {
        way(out, word, if number > 0 { " or" } else { "" }, &lines);
    }
}

fn way(out: &mut String, word: &str, mut or: &str, lines: &[Line]) {
    for lines in lines.chunk_by(|one, other| one.0 == other.0) {
        let typed: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
        let terminal = lines.first().map_or(TerminalId::default(), |(terminal, _)| *terminal);
        block(out, &format!("{word} {}{or}", terminal.name()), &typed.join("\n"));
        or = "";
    }
}

pub(super) fn block(out: &mut String, info: &str, body: &str) {
    let _ = write!(out, "\n```{info}\n{body}\n```\n");
}
