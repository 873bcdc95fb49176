//! Namespaces, mounts and the tracer: the calls themselves, each tried in a child.

use super::{
    Level, Row,
    attempt::attempt,
    facts::Facts,
    lacking::Findings,
    remedy::Remedy,
    tier::{Tier, tier},
};
use crate::{
    kernel::namespaces::{Kind, TABLE},
    lang::Lang,
    lesson::{Ability, Requirement, Wiring},
};

/// One row for each thing that lessons do to namespaces and mounts.
pub(super) fn rows(facts: &Facts, findings: &Findings, lang: Lang) -> Vec<Row> {
    let mut rows: Vec<Row> = TABLE.iter().map(|row| namespace(row.kind, facts, findings, lang)).collect();
    let call = |name: &str| (name.to_string(), Requirement::Call(name.into()));
    let single = [
        (lang.pick("mount a new /proc", "挂载新的 /proc").to_string(), Requirement::Proc),
        (lang.pick("user namespaces for users", "普通用户的用户命名空间").to_string(), Requirement::UserNamespaces),
        (lang.pick("a user's own /proc", "普通用户自己的 /proc").to_string(), Requirement::UserProc),
        (lang.pick("boxwright for every user", "所有用户都能启动 boxwright").to_string(), Requirement::UserProgram),
        call("chroot"),
        call("pivot_root"),
        call("setns"),
        (lang.pick("root of the machine", "机器本身的 root").to_string(), Requirement::MachineRoot),
        (lang.pick("the namespace's root", "命名空间的根目录").to_string(), Requirement::NamespaceRoot),
        (lang.pick("device nodes", "设备节点").to_string(), Requirement::SessionDir(Ability::Dev)),
        ("overlay".to_string(), Requirement::SessionDir(Ability::Upper)),
    ];
    let wired = Wiring::ALL.map(|wiring| (wiring.name().to_string(), Requirement::Network(wiring)));
    rows.extend(
        single.into_iter().chain(wired).filter_map(|(check, need)| required(check, need, facts, findings, lang)),
    );
    rows.extend(tracer(facts, lang));
    rows
}

fn works(lang: Lang) -> &'static str {
    lang.pick("works", "可用")
}

/// The row of a requirement; nothing where no lesson has it.
fn required(check: String, need: Requirement, facts: &Facts, findings: &Findings, lang: Lang) -> Option<Row> {
    let row = match findings.get(&need)? {
        Ok(()) => Row::ok(check, works(lang)),
        Err(failed) => {
            let (found, remedy) = (failed.found(lang), failed.remedy(facts, lang));
            let found = if found.is_empty() { lang.pick("no", "不是").to_string() } else { found };
            Row::bad(Level::Limited, check, found, remedy)
        }
    };
    Some(row.about(need))
}

fn namespace(kind: Kind, facts: &Facts, findings: &Findings, lang: Lang) -> Row {
    let check = format!("{} {kind}", lang.pick("namespace", "命名空间"));
    // Without root the user namespace is the door to all others: there it is what every shell needs.
    let need = match kind {
        Kind::User if tier() == Tier::Rootless => Requirement::Root,
        _ => Requirement::Namespace(kind),
    };
    if let Some(Err(_)) = findings.get(&need)
        && let Some(row) = required(check.clone(), need.clone(), facts, findings, lang)
    {
        return row;
    }
    let known = findings.get(&need).is_some();
    match if known { Ok(()) } else { attempt(kind.row().link) } {
        Ok(()) if tier() == Tier::Root || kind == Kind::User => Row::ok(check, works(lang)),
        Ok(()) => Row::ok(check, lang.pick("works, in its own user namespace", "可用（在自己的用户命名空间里）")),
        Err(failure) => {
            let remedy = facts.failed(&failure, Some(kind), lang);
            Row::bad(Level::Limited, check, failure.describe(), remedy)
        }
    }
    .about(need)
}

/// Without the tracer every lesson still works, only without the pane of system calls.
fn tracer(facts: &Facts, lang: Lang) -> Vec<Row> {
    let without = lang.pick("lessons work, but without the system calls pane", "课程可以做，但没有系统调用窗格");
    let row = |check: &str, what: &str, more: Option<String>| {
        let tried = attempt(what);
        let found = tried.as_ref().map_or_else(|failure| failure.describe(), |()| works(lang).to_string());
        let found = more.map_or(found.clone(), |more| format!("{found}, {more}"));
        match tried {
            Ok(()) => Row::ok(check, found),
            Err(failure) => {
                let remedy = facts.failed(&failure, None, lang);
                let remedy = Remedy { what: format!("{without}; {}", remedy.what), ..remedy };
                Row::bad(Level::Limited, check, found, remedy)
            }
        }
    };
    let yama = facts.sysctl("kernel.yama.ptrace_scope").map(|scope| format!("kernel.yama.ptrace_scope = {scope}"));
    vec![row("ptrace", "ptrace", yama), row(lang.pick("seccomp filter", "seccomp 过滤器"), "seccomp", None)]
}
