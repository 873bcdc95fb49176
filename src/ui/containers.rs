//! The containers of this machine, to pick one from.

use super::{
    marks,
    sheet::{Follow, Sheet},
    text::{clip, pad, wrap},
    theme::Role,
};
use crate::app::State;

/// A row for the one that is found by itself, and one for each container; the chosen row is marked.
pub(super) fn sheet(state: &State, chosen: usize, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let Some(play) = &state.play else { return sheet };
    let lang = state.lang;
    let seen = play.sample.as_ref().and_then(|sample| sample.container);
    let found = lang.pick(
        "the one in the container terminal, else the newest".to_string(),
        "容器终端里的那个；没有则取最新的".to_string(),
    );
    let rows = play.containers().iter().map(|one| {
        let by = match one.by.as_str() {
            "" => String::new(),
            by => lang.pick(format!("made by {by}"), format!("由 {by} 创建")),
        };
        let mark = if seen == Some(one.pid) { marks::TRUE } else { " " };
        format!("{mark} {}{}{by}", pad(&one.pid.to_string(), 9), pad(&one.comm, 18))
    });
    for (at, text) in std::iter::once(format!("  {found}")).chain(rows).enumerate() {
        let (mark, role) = if at == chosen { (marks::NOW, Role::Strong) } else { (" ", Role::Plain) };
        if at == chosen {
            sheet.follow = Follow::Around(sheet.lines.len());
        }
        sheet.line(vec![(format!("{mark} "), Role::Focus), (clip(&text, columns.saturating_sub(2)), role)]);
    }
    if play.containers().is_empty() {
        sheet.gap();
        let text = lang.pick(
            "No process on this machine has PIDs of its own that you may look at.",
            "这台机器上没有你能查看的、拥有独立 PID 的进程。",
        );
        sheet.add(wrap(text, Role::Quiet, columns));
    }
    sheet
}
