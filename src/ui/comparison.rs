//! The same questions to both sides: the host, and the container's namespaces.

use super::{
    marks,
    sheet::Sheet,
    text::{Rich, line, pad, wrap},
    theme::Role,
};
use crate::{
    app::{Play, State},
    kernel::silent,
    lang::Lang,
    observe::{Sample, Side},
};

/// Lays out questions and answers.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(now) = play.sample.as_deref() else {
        sheet.line(line(lang.pick("Nothing was read yet.", "尚未读到任何状态。"), Role::Quiet));
        return sheet;
    };
    let before = play.before.as_deref().unwrap_or(now);
    let name = 16.min(columns / 4).max(9);
    let half = columns.saturating_sub(name) / 2;
    sheet.line(vec![
        (" ".repeat(name), Role::Plain),
        (pad(lang.pick("host", "宿主机"), half), Role::Host),
        (lang.pick("inside", "容器内").into(), Role::Container),
    ]);
    if let Some(place) = &now.silent {
        sheet.add(wrap(&silent::say(place, lang), Role::Changed, columns));
    }
    for (question, _) in &QUESTIONS {
        let (host, inside) = answers(question, now, lang);
        let was = answers(question, before, lang);
        let left = cell(&host, half, Role::Host, was.0 != host);
        let right = cell(&inside, half, Role::Container, was.1 != inside);
        for row in 0..left.len().max(right.len()) {
            let title = if row == 0 { lang.pick(question.0, question.1) } else { "" };
            let mut whole = vec![(pad(title, name), Role::Plain)];
            let (text, role) = left.get(row).cloned().unwrap_or((String::new(), Role::Plain));
            whole.push((pad(&text, half), role));
            whole.extend(right.get(row).cloned());
            sheet.line(whole);
        }
    }
    sheet
}

/// A question in both languages, and how one side answers it.
pub(super) type Question = ((&'static str, &'static str), fn(&Side, Lang) -> String);

/// What only a file system inside answers, which may be silent.
const PROC: (&str, &str) = ("/proc shows", "/proc 显示");

/// What the host and the inside answer.
pub(super) fn answers(question: &(&'static str, &'static str), now: &Sample, lang: Lang) -> (String, String) {
    if *question == PROC && now.silent.is_some() {
        let unknown = lang.pick("unknown", "未知");
        return (unknown.into(), unknown.into());
    }
    let answer = QUESTIONS.iter().find(|(known, _)| known == question).map(|(_, answer)| answer);
    let side = |side: &Side| answer.map(|answer| answer(side, lang)).unwrap_or_default();
    (side(&now.host), side(&now.inside))
}

/// What both sides are asked.
pub(super) const QUESTIONS: [Question; 5] = [
    (("host name", "主机名"), |side, _| side.hostname.clone().unwrap_or_else(|| "?".into())),
    (("interfaces", "网络接口"), |side, lang| {
        let list = side.interfaces.iter().map(|link| format!("{} {}", link.name, if link.up { "UP" } else { "DOWN" }));
        listed(list.collect(), lang)
    }),
    (("TCP ports", "TCP 端口"), |side, lang| listed(side.listening.iter().map(u16::to_string).collect(), lang)),
    (("System V IPC", "System V IPC"), |side, lang| listed(side.sysv.clone(), lang)),
    (PROC, |side, lang| {
        match side.proc_shows_host {
            Some(true) => lang.pick("the host's processes", "宿主机的进程"),
            Some(false) => lang.pick("its own processes", "自己的进程"),
            None => lang.pick("nothing", "没有"),
        }
        .into()
    }),
];

fn listed(items: Vec<String>, lang: Lang) -> String {
    if items.is_empty() { lang.pick("none", "无").into() } else { items.join(", ") }
}

/// Lines of one answer: at most three, because a host may listen on a hundred ports.
fn cell(text: &str, columns: usize, role: Role, changed: bool) -> Vec<(String, Role)> {
    let role = if changed { Role::Changed } else { role };
    let text = if changed { format!("{text} {}", marks::CHANGED) } else { text.to_string() };
    let lines = Rich::default().with(&text, role).wrap(columns.saturating_sub(2));
    let more = lines.len() > 3;
    let mut out: Vec<(String, Role)> =
        lines.into_iter().take(3).map(|line| (line.into_iter().map(|(text, _)| text).collect(), role)).collect();
    if more && let Some((text, _)) = out.last_mut() {
        text.push('…');
    }
    out
}
