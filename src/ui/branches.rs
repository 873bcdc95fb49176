//! Both branches of a held call, side by side: what differs first, marked, and then what is the same.

mod rows;

use super::{
    marks,
    sheet::Sheet,
    text::{Pieces, clip, pad, wrap},
    theme::Role,
};
use crate::{
    event::{Branch, Branches, Change},
    lang::Lang,
    observe::Sample,
};
use rows::{Row, rows};
use serde::Serialize;

/// The columns of what a row is about, and of the mark before it.
const NAME: usize = 19;
const MARK: usize = 2;

fn compared(both: &Branches, lang: Lang) -> (Vec<Row>, Vec<Row>) {
    rows([&both.as_it_is, &both.changed], lang).into_iter().partition(|row| row.differs)
}

/// What the columns are called.
fn titles(both: &Branches, lang: Lang) -> [String; 2] {
    let second = match &both.plan.change {
        Change::Line(_) => lang.pick("the other line", "换成另一行").into(),
        Change::Call { instead, .. } => super::instead::called(*instead, lang).replace("CLONE_", ""),
    };
    [lang.pick("as it is", "照原样").into(), second]
}

/// The line or the lines that were played.
fn played(both: &Branches) -> Vec<&str> {
    let other = if let Change::Line(other) = &both.plan.change { Some(other.as_str()) } else { None };
    std::iter::once(both.plan.line.as_str()).chain(other).collect()
}

fn how(lang: Lang) -> &'static str {
    lang.pick(
        "Each was played from the same replayed state, in a session of its own that is gone. What would have changed the \
         machine's mounts, names or IPC objects changed a copy.",
        "两边都从重放得到的同一状态开始，各在自己的会话里演示，会话都已清除；要改动机器的挂载、主机名或 IPC 对象时，改的是副本。",
    )
}

fn nothing(lang: Lang) -> &'static str {
    lang.pick("Nothing that is compared differs.", "比较的各项都没有差异。")
}

/// Lays out the two columns.
pub(super) fn sheet(both: &Branches, lang: Lang, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    for line in played(both) {
        sheet.add(wrap(&format!("$ {line}"), Role::Code, columns));
    }
    let (different, same) = compared(both, lang);
    let [first, second] = titles(both, lang);
    let title = Row { what: String::new(), values: [first, second], differs: true };
    sheet.add(row(&title, " ", [Role::Strong, Role::Strong], columns));
    if different.is_empty() {
        sheet.add(wrap(nothing(lang), Role::Strong, columns));
    }
    for one in &different {
        sheet.add(row(one, marks::DIFFERS, [Role::Plain, Role::Changed], columns));
    }
    sheet.gap();
    for one in &same {
        sheet.add(row(one, "=", [Role::Quiet, Role::Quiet], columns));
    }
    sheet.gap();
    sheet.add(wrap(how(lang), Role::Quiet, columns));
    sheet
}

/// A row, whose values may take several lines; where there is no room for two columns, one below the other.
fn row(row: &Row, mark: &str, roles: [Role; 2], columns: usize) -> Vec<Pieces> {
    let name = NAME.min(columns / 3);
    let room = columns.saturating_sub(MARK + name + 1) / 2;
    let [first, second] = [0, 1].map(|at| wrap(&row.values[at], roles[at], room.max(1)));
    let name_role = if row.differs { Role::Strong } else { Role::Quiet };
    let lines = first.len().max(second.len()).max(1);
    let cell = |cells: &[Pieces], line: usize| -> String {
        cells.get(line).map(|pieces| pieces.iter().map(|(text, _)| text.as_str()).collect()).unwrap_or_default()
    };
    let made = (0..lines).map(|line| {
        let (sign, what) = if line == 0 { (mark, row.what.as_str()) } else { (" ", "") };
        vec![
            (pad(sign, MARK), Role::Changed),
            (format!("{} ", pad(&clip(what, name - 1), name - 1)), name_role),
            (format!("{} ", pad(&cell(&first, line), room)), roles[0]),
            (cell(&second, line), roles[1]),
        ]
    });
    made.collect()
}

/// The same as sentences.
pub(super) fn lines(both: &Branches, lang: Lang) -> Vec<String> {
    let [first, second] = titles(both, lang);
    let mut out = match played(both).as_slice() {
        [line, other] => vec![lang.pick(
            format!("Both branches: `{line}`, and in its place `{other}`."),
            format!("两种结果：`{line}`，以及换成 `{other}`。"),
        )],
        _ => vec![lang.pick(
            format!("Both branches of `{}`: {first}, and {second}.", both.plan.line),
            format!("`{}` 的两种结果：{first}；{second}。", both.plan.line),
        )],
    };
    let (different, same) = compared(both, lang);
    if different.is_empty() {
        out.push(nothing(lang).into());
    }
    out.extend(different.iter().map(|Row { what, values: [one, other], .. }| {
        lang.pick(
            format!("Differs: {what}. {first}: {one}; {second}: {other}."),
            format!("不同：{what}。{first}：{one}；{second}：{other}。"),
        )
    }));
    let names: Vec<String> = same
        .iter()
        .map(|row| lang.pick(format!("{} ({})", row.what, row.values[0]), format!("{}（{}）", row.what, row.values[0])))
        .collect();
    out.push(
        lang.pick(format!("The same in both: {}.", names.join(", ")), format!("两边相同：{}。", names.join("、"))),
    );
    out.push(how(lang).into());
    out
}

/// The two columns as plain lines, with signs that every locale has.
pub(crate) fn table(both: &Branches, lang: Lang, columns: usize) -> Vec<String> {
    let sheet = sheet(both, lang, columns);
    let flat = |line: &Pieces| line.iter().map(|(text, _)| text.as_str()).collect::<String>();
    sheet.lines.iter().map(|line| flat(line).replace(marks::DIFFERS, "!").trim_end().to_string()).collect()
}

/// Both branches as `what-if --json` writes them.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct BranchesJson<'a> {
    /// The line that was played twice.
    line: &'a str,
    /// What stood in its place the second time; absent where a call was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_line: Option<&'a str>,
    /// What was made of the call: the flags that were dropped, or the error; absent where the line was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<String>,
    /// The first branch.
    as_it_is: ToldBranch<'a>,
    /// The second branch.
    changed: ToldBranch<'a>,
    /// What was compared, in the order of the table.
    compared: Vec<ToldRow>,
}

/// One branch.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ToldBranch<'a> {
    /// The call and what it returned, as strace(1) writes them; `null` where the line was changed, or the call did not return.
    call: Option<String>,
    /// The status at the next prompt; `null` where none came in time.
    status: Option<i32>,
    /// The last line that was printed.
    printed: &'a str,
    /// The calls that would have changed the machine itself.
    guarded: Vec<ToldGuarded>,
    /// The state after it.
    sample: &'a Sample,
}

/// A call that would have changed the machine itself.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ToldGuarded {
    /// As strace(1) writes it.
    call: String,
    /// What it would have changed: one of the words of `changes` in lessons.
    what: &'static str,
    /// Whether it happened, to a copy; otherwise it was refused.
    happened: bool,
}

/// A fact that was compared.
#[derive(Debug, Serialize, schemars::JsonSchema)]
struct ToldRow {
    /// What it is about.
    what: String,
    /// In the first branch.
    as_it_is: String,
    /// In the second branch.
    changed: String,
    /// Whether that is another.
    differs: bool,
}

/// What is told of both.
pub(crate) fn told(both: &Branches) -> BranchesJson<'_> {
    let (other_line, change) = match &both.plan.change {
        Change::Line(other) => (Some(other.as_str()), None),
        Change::Call { instead, .. } => (None, Some(instead.to_string())),
    };
    let compared = rows([&both.as_it_is, &both.changed], Lang::En).into_iter().map(|row| {
        let [as_it_is, changed] = row.values;
        ToldRow { what: row.what, as_it_is, changed, differs: row.differs }
    });
    BranchesJson {
        line: &both.plan.line,
        other_line,
        change,
        as_it_is: told_branch(&both.as_it_is),
        changed: told_branch(&both.changed),
        compared: compared.collect(),
    }
}

fn told_branch(branch: &Branch) -> ToldBranch<'_> {
    let guarded = branch.guarded.iter().map(|(call, harm, happened)| ToldGuarded {
        call: call.to_string(),
        what: harm.word(),
        happened: *happened,
    });
    ToldBranch {
        call: branch.call.as_ref().map(|event| format!("{} = {}", event.call, event.returned)),
        status: branch.status,
        printed: &branch.printed,
        guarded: guarded.collect(),
        sample: &branch.sample,
    }
}

#[cfg(test)]
#[path = "branches_tests.rs"]
mod tests;
