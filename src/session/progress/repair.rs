//! What it took to repair something broken.

use crate::lang::Lang;
use serde::{Deserialize, Serialize};

/// What a repair took: the time, and how many commands were run, those that only look included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Repair {
    /// Seconds from the beginning of the step.
    pub seconds: u64,
    /// Commands in both terminals.
    pub commands: usize,
    /// Rungs of help that were shown.
    #[serde(default)]
    pub hints: usize,
}

impl Repair {
    /// `2 min 5 s, 4 commands, 1 hint`.
    pub(crate) fn say(self, lang: Lang) -> String {
        let Repair { seconds, commands, hints } = self;
        let time = match (seconds / 60, seconds % 60) {
            (0, rest) => lang.pick(format!("{rest} s"), format!("{rest} 秒")),
            (minutes, rest) => lang.pick(format!("{minutes} min {rest} s"), format!("{minutes} 分 {rest} 秒")),
        };
        let many = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
        lang.pick(
            format!("{time}, {}, {}", many(commands, "command"), many(hints, "hint")),
            format!("{time}，{commands} 条命令，{hints} 条提示"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repair_is_told_in_both_languages() {
        let said = |seconds, commands, hints, lang| Repair { seconds, commands, hints }.say(lang);
        assert_eq!(said(125, 4, 1, Lang::En), "2 min 5 s, 4 commands, 1 hint");
        assert_eq!(said(7, 1, 0, Lang::En), "7 s, 1 command, 0 hints");
        assert_eq!(said(125, 4, 1, Lang::Zh), "2 分 5 秒，4 条命令，1 条提示");
    }
}
