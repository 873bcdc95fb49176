//! Events as a transcript for people: headings, commands, their output, the calls and what the kernel says.

use super::{Event, Printer};
use crate::{
    kernel::text::{self, printable},
    lang::Lang,
    lesson::Lesson,
    trace::{TraceJson, folded},
};
use std::io::{self, Write};

pub(super) struct Text {
    lang: Lang,
    out: Vec<u8>,
}

impl Text {
    pub(super) fn new(lang: Lang) -> Text {
        Text { lang, out: Vec::new() }
    }

    fn write(&mut self, event: &Event<'_>, lesson: Option<&Lesson>) -> io::Result<()> {
        let (lang, out) = (self.lang, &mut self.out);
        let colon = lang.pick(": ", "：");
        match event {
            Event::Session { version, kernel, cgroup_mode, privilege, .. } => {
                writeln!(out, "boxwright {version}  Linux {kernel}  cgroup {cgroup_mode}  {privilege}")
            }
            Event::Step { lesson: name, step, title } => {
                let number = lesson.and_then(|lesson| lesson.steps.iter().position(|known| known.id == *step));
                writeln!(out, "\n{name} {}  {title}", number.map_or(0, |index| index + 1))
            }
            Event::Command { terminal, line, .. } => {
                writeln!(out, "  {} $ {line}", terminal.label(lang))
            }
            Event::Output { text, status, .. } => {
                for line in text.lines() {
                    writeln!(out, "    {line}")?;
                }
                match status {
                    Some(status) if *status != 0 => {
                        writeln!(out, "    [{} {status}]", lang.pick("exit status", "退出状态"))
                    }
                    _ => Ok(()),
                }
            }
            Event::Traced(TraceJson::Syscall {
                pid, comm, name, args, result, errno, refused, filtered, said, ..
            }) => {
                let end = match (errno, result) {
                    (Some(errno), _) if *refused => lang.pick(
                        format!("{errno} (refused: the step does not declare it)"),
                        format!("{errno}（已拒绝：这一步没有声明它）"),
                    ),
                    (errno, _) if *filtered => {
                        let by = lang.pick(" (by a seccomp filter)", "（seccomp 过滤器）");
                        format!("{}{by}", errno.as_deref().unwrap_or("SIGSYS"))
                    }
                    (Some(errno), _) => errno.clone(),
                    (None, Some(result)) => result.to_string(),
                    (None, None) => "?".into(),
                };
                writeln!(out, "  · {pid} {} {name}({args}) = {end}", printable(comm))?;
                folded(said.clone(), lang).iter().try_for_each(|change| writeln!(out, "      {}", printable(change)))
            }
            Event::Traced(TraceJson::Guarded { pid, comm, name, args, why }) => {
                let what = lang.pick("would change the machine itself", "会改变机器本身");
                writeln!(out, "  ! {pid} {comm} {name}({args}) {what}{colon}{why}")
            }
            Event::Traced(TraceJson::Note { pid, comm, text }) => {
                writeln!(out, "  · {pid} {}{colon}{text}", printable(comm))
            }
            Event::Traced(TraceJson::Untraced { reason }) => {
                writeln!(out, "  {} {reason}", lang.pick("System calls cannot be seen:", "看不到系统调用："))
            }
            Event::Check { text, passed, expected, observed, because, .. } => {
                let mark = match passed {
                    Some(true) => lang.pick("ok", "通过"),
                    Some(false) => lang.pick("FAILED", "未通过"),
                    None => lang.pick("not seen", "看不到"),
                };
                writeln!(out, "  [{mark}] {text}")?;
                match passed {
                    Some(true) if because.is_empty() => return Ok(()),
                    Some(true) => return writeln!(out, "      {because}"),
                    _ => {}
                }
                let (wanted, seen) = (lang.pick("expected", "期望"), lang.pick("observed", "实际"));
                writeln!(out, "      {wanted}{colon}{expected}\n      {seen}{colon}{observed}")
            }
            Event::Outcome { outcome, reason: Some(reason), .. } => {
                let word = match *outcome {
                    "skipped" => lang.pick("skipped", "跳过"),
                    _ => lang.pick("failed", "失败"),
                };
                writeln!(out, "  {word}{colon}{reason}")
            }
            Event::Proof { proof, .. } => {
                writeln!(
                    out,
                    "\n{}",
                    lang.pick("Proof, from the kernel's own counters:", "证据，全部来自内核的计数：")
                )?;
                proof.lines(lang).iter().try_for_each(|line| writeln!(out, "  {line}"))
            }
            Event::Closing { rows, next, .. } => {
                let (title, rest) = rows.split_first().map_or(("", &[][..]), |(title, rest)| (title.as_str(), rest));
                writeln!(out, "\n{title}")?;
                rest.iter().try_for_each(|row| writeln!(out, "  {row}"))?;
                match next {
                    Some(next) => writeln!(out, "  {}{colon}{next}", lang.pick("next lesson", "下一课")),
                    None => Ok(()),
                }
            }
            Event::Trouble { text } => writeln!(out, "  boxwright: {text}"),
            Event::Summary(summary) => {
                let (all, passed, failed) = (summary.steps, summary.passed, summary.failed);
                let missing = summary.skipped.len();
                let steps = if all == 1 { "step" } else { "steps" };
                let counts = lang.pick(
                    format!("{all} {steps}: {passed} passed, {failed} failed, {missing} skipped"),
                    format!("共 {all} 步：通过 {passed}，失败 {failed}，跳过 {missing}"),
                );
                writeln!(out, "\n{counts}")?;
                let skipped = lang.pick("skipped", "跳过");
                summary
                    .skipped
                    .iter()
                    .try_for_each(|left| writeln!(out, "  {skipped}{colon}{}{colon}{}", left.step, left.reason))
            }
            Event::Outcome { .. } | Event::Traced(TraceJson::Exit { .. }) | Event::Sample(_) => Ok(()),
        }
    }
}

impl Printer for Text {
    fn tell(&mut self, event: &Event<'_>, lesson: Option<&Lesson>) -> io::Result<()> {
        self.write(event, lesson)?;
        let lines = text::of(std::mem::take(&mut self.out));
        let mut out = io::stdout().lock();
        out.write_all(text::safe(&lines).as_bytes())?;
        out.flush()
    }
}
