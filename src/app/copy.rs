//! Text for other programs: the line, a pane, the container's PID.

use super::{Command, Copied, Effect, State, Zoom};

/// What these commands copy; where there is nothing, that is said.
pub(super) fn copy(state: &mut State, command: Command) -> Vec<Effect> {
    let Some(play) = &state.play else { return Vec::new() };
    let lang = state.lang;
    let (what, text) = match command {
        Command::CopyPane if play.zoom == Some(Zoom::Terminal) => {
            let shown = play.terminals.get(&play.shown).map(|term| term.screen.contents());
            (Copied::Terminal, shown.filter(|text| !text.trim().is_empty()))
        }
        Command::CopyPane => return vec![Effect::CopyPane(play.pane)],
        Command::CopyPid => {
            let pid = play.sample.as_ref().and_then(|sample| sample.container);
            (Copied::Pid, pid.map(|pid| pid.to_string()))
        }
        _ => (Copied::Line, play.line_to_copy()),
    };
    match text {
        Some(text) => vec![Effect::Copy(what, text)],
        None => {
            state.idle = Some(
                match what {
                    Copied::Line => lang.pick(
                        "No line is due, and none has run in this step",
                        "现在没有要输入的命令，这一步也还没运行过",
                    ),
                    Copied::Pid => lang.pick("No process is looked at yet", "还没有要看的进程"),
                    Copied::Terminal | Copied::Pane(_) => lang.pick("Nothing stands there", "那里什么都没有"),
                }
                .into(),
            );
            Vec::new()
        }
    }
}

/// What was copied, as far as one line shows it.
pub(crate) fn told(what: Copied, text: &str, lang: crate::lang::Lang) -> String {
    const MAX: usize = 60;
    let name = what.name(lang);
    let colon = lang.pick(": ", "：");
    match what {
        Copied::Line | Copied::Pid => {
            let short: String = text.chars().take(MAX).collect();
            let rest = if short.len() < text.len() { "…" } else { "" };
            format!("{name}{colon}{short}{rest}")
        }
        Copied::Terminal | Copied::Pane(_) => {
            let lines = text.lines().count();
            lang.pick(format!("{name}: {lines} lines"), format!("{name}：{lines} 行"))
        }
    }
}
