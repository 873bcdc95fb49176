//! One system call, opened: its arguments one by one, what it changed, why it failed, and the line of ours that made it.

use super::{
    calls, marks, meaning,
    sheet::Sheet,
    source,
    text::{Rich, hang, pad, wrap},
    theme::Role,
};
use crate::{
    app::{OneCall, Play, State},
    kernel::{
        errno::{self, Errno},
        errno_causes::{self, Fact},
    },
    lang::Lang,
    tools,
    trace::{Argument, Call, Return, Value},
};
use std::path::Path;

#[path = "call/page.rs"]
mod page;

/// The columns of the names on the left.
const NAME: usize = 16;

/// What stands in the border: which call of how many this is.
pub(super) fn title(play: &Play, lang: Lang) -> String {
    let chosen = play.chosen_call();
    let place = play.calls_to_walk().position(|number| Some(number) == chosen).map_or(0, |at| at + 1);
    let all = play.calls_to_walk().count();
    lang.pick(format!(" Call {place} of {all} "), format!(" 第 {place} 个调用，共 {all} 个 "))
}

/// Lays out the chosen call.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let (mut sheet, lang) = (Sheet::default(), state.lang);
    let Some(one) = play.chosen_call().and_then(|number| play.call_at(number)) else {
        sheet.add(wrap(lang.pick("No call yet.", "还没有调用。"), Role::Quiet, columns));
        return sheet;
    };
    let call = one.call();
    let who = lang.pick(format!("{}, process {}", call.comm, call.pid), format!("{}，进程 {}", call.comm, call.pid));
    sheet.add(wrap(&who, Role::Quiet, columns));
    sheet.add(wrap(&calls::brief(call), Role::Code, columns));
    if let Some(words) = meaning::sentence(call, lang) {
        sheet.add(wrap(&words, Role::Plain, columns));
    }
    arguments(call, lang, columns, &mut sheet);
    sheet.gap();
    match one {
        OneCall::Held(call) => about_to(call, lang, columns, &mut sheet),
        OneCall::Returned(event) => {
            if let Some(asked) = event.asked() {
                let text = format!("{}{}", calls::brief(&asked), lang.pick(" (you changed it)", "（被你改动）"));
                labelled(lang.pick("Asked for", "原本请求"), &text, Role::Limit, columns, &mut sheet);
            }
            result(event.returned, lang, columns, &mut sheet);
            if let Some(errno) = event.returned.error().filter(|_| matches!(event.returned, Return::Error(_))) {
                reasons(call, errno, lang, columns, &mut sheet);
            }
            changed(event, lang, columns, &mut sheet);
        }
    }
    made_by(call, lang, columns, &mut sheet);
    sheet.gap();
    let pages = page::of(call).into_iter().map(|page| format!("man {page}")).collect::<Vec<_>>().join("   ");
    labelled(lang.pick("To read", "参考"), &pages, Role::Code, columns, &mut sheet);
    sheet
}

/// A row of a name and what is said of it.
fn labelled(name: &str, text: &str, role: Role, columns: usize, sheet: &mut Sheet) {
    sheet.add(hang(&[(pad(name, NAME), Role::Quiet)], &Rich::default().with(text, role), columns));
}

/// Each argument by its name in the manual page; bits and the members of structures one by one.
fn arguments(call: &Call, lang: Lang, columns: usize, sheet: &mut Sheet) {
    if call.args.is_empty() {
        return;
    }
    sheet.gap();
    let names = page::parameters(call.syscall.name());
    for (at, argument) in call.args.iter().enumerate() {
        let name = argument.name.as_deref().or_else(|| names.get(at).copied()).unwrap_or("");
        decoded(name, argument, lang, columns, sheet);
    }
}

fn decoded(name: &str, argument: &Argument, lang: Lang, columns: usize, sheet: &mut Sheet) {
    match &argument.value {
        Value::Struct(members) => members.iter().for_each(|member| {
            let inner = member.name.as_deref().unwrap_or_default();
            decoded(&format!("{name}.{inner}"), member, lang, columns, sheet);
        }),
        value @ (Value::Bits(..) | Value::CloneFlags(..)) => {
            // Whatever stands between bars is one bit, as strace(1) and the manual page write it.
            for (number, bit) in value.to_string().split('|').enumerate() {
                let name = if number == 0 { name } else { "" };
                let mut text = Rich::default().with(bit, Role::Code);
                if let Some(words) = page::bit(bit, lang) {
                    text.push(&format!("  {words}"), Role::Plain);
                }
                sheet.add(hang(&[(pad(name, NAME), Role::Quiet)], &text, columns));
            }
        }
        Value::Environment(_, count) => {
            let text = lang.pick(format!("{count} variables"), format!("{count} 个变量"));
            labelled(name, &text, Role::Plain, columns, sheet);
        }
        value => labelled(name, &value.to_string(), Role::Code, columns, sheet),
    }
}

fn about_to(call: &Call, lang: Lang, columns: usize, sheet: &mut Sheet) {
    let held = lang.pick("about to happen", "即将发生");
    labelled(lang.pick("Result", "结果"), &format!("{} {held}", marks::HELD), Role::Changed, columns, sheet);
    let links = meaning::links(call);
    if !links.is_empty() {
        let name = lang.pick("Will change", "将改变");
        labelled(name, &links.join(" "), Role::Changed, columns, sheet);
    }
}

fn result(returned: Return, lang: Lang, columns: usize, sheet: &mut Sheet) {
    let (text, role) = match returned {
        Return::Value(value) => (value.to_string(), Role::Strong),
        Return::Error(errno) => (errno::why_in(errno, lang), Role::Danger),
        Return::Filtered(errno) => {
            let by = lang.pick("a seccomp filter of the process refused it", "进程的 seccomp 过滤器拒绝了它");
            (format!("{}: {by}", errno::name(errno)), Role::Danger)
        }
        Return::Trapped => {
            let by =
                lang.pick("SIGSYS: a seccomp filter of the process sent it", "SIGSYS：由进程的 seccomp 过滤器发出");
            (by.into(), Role::Danger)
        }
        Return::Refused => (lang.pick("EPERM: you refused it", "EPERM：被你拒绝").into(), Role::Danger),
        Return::Answered(errno) => {
            let by = lang.pick("you made it fail; the kernel never saw it", "你让它失败，内核没有见到它");
            (format!("{}{}{by}", errno::name(errno), lang.pick(": ", "：")), Role::Danger)
        }
        Return::Never => (lang.pick("the process ended in the call", "进程在调用中结束").into(), Role::Danger),
    };
    labelled(lang.pick("Result", "结果"), &text, role, columns, sheet);
}

/// What such a call fails of with this error: everything that this program knows of, and can tell apart by no more facts.
fn reasons(call: &Call, errno: Errno, lang: Lang, columns: usize, sheet: &mut Sheet) {
    for (number, (cause, remedy)) in
        errno_causes::all(call.syscall.name(), errno, |fact| may_be(call, fact), lang).into_iter().enumerate()
    {
        let name = if number == 0 { lang.pick("It may be that", "可能是") } else { lang.pick("or that", "或者") };
        let mut text = Rich::default().with(cause, Role::Plain);
        if !remedy.is_empty() {
            text.push(&format!("{}{remedy}", lang.pick(": ", "：")), Role::Quiet);
        }
        sheet.add(hang(&[(pad(name, NAME), Role::Quiet)], &text, columns));
    }
}

/// Whether a fact may have been so when this call was made, as far as its arguments tell.
fn may_be(call: &Call, fact: Fact) -> bool {
    let says = |word: &str| call.args_text().contains(word);
    match fact {
        Fact::About(kind) => meaning::kinds(call) & kind.row().flag != 0,
        Fact::Proc => says("\"proc\""),
        Fact::Sysfs => says("\"sysfs\""),
        Fact::Again => {
            ["MS_BIND", "MS_REMOUNT", "MS_MOVE", "MS_PRIVATE", "MS_SLAVE", "MS_SHARED"].into_iter().any(says)
        }
        Fact::Elsewhere | Fact::OneThread | Fact::NoSource | Fact::NoTarget | Fact::Mounted(_) => true,
        // Threads are not told of; the rest is found out by tools, where they fail.
        _ => false,
    }
}

fn changed(event: &crate::trace::SyscallEvent, lang: Lang, columns: usize, sheet: &mut Sheet) {
    let name = lang.pick("Changed", "改变");
    if event.changed.is_empty() {
        return labelled(
            name,
            lang.pick("nothing that is watched here", "这里观察的内容都没有变"),
            Role::Plain,
            columns,
            sheet,
        );
    }
    for (number, change) in event.changed.iter().enumerate() {
        let text = Rich::default().with(&format!("{} ", marks::CHANGED), Role::Changed);
        let text = text.with(&calls::one_change(change, lang), Role::Changed);
        sheet.add(hang(&[(pad(if number == 0 { name } else { "" }, NAME), Role::Quiet)], &text, columns));
    }
}

/// The lines of our tool that make such a call.
fn made_by(call: &Call, lang: Lang, columns: usize, sheet: &mut Sheet) {
    let name = lang.pick("Made by", "出自");
    let Some(tool) = tools::find(&call.comm) else {
        let text = lang.pick(
            format!("{}, a program of this machine: its source is not here", call.comm),
            format!("{}：这台机器上的程序，这里没有它的源码", call.comm),
        );
        return labelled(name, &text, Role::Plain, columns, sheet);
    };
    let file = Path::new("src/tools").join(tool.name).with_extension("rs");
    for (number, (line, code)) in source::makers(tool.source, call).into_iter().take(3).enumerate() {
        let text = Rich::default().with(&format!("{}:{line}  ", file.display()), Role::Quiet);
        let name = if number == 0 { name } else { "" };
        sheet.add(hang(&[(pad(name, NAME), Role::Quiet)], &text.with(code.trim(), Role::Code), columns));
    }
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
