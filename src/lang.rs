//! The two languages of the product, and how one is chosen.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU8, Ordering};

/// A language that every sentence on screen exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English, also for every locale that is neither English nor Chinese.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// Both languages, in the order in which they are listed.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Zh];

    /// The short name used by `--lang` and by lesson file names (`en.md`, `zh.md`).
    pub fn code(self) -> &'static str {
        self.pick("en", "zh")
    }

    /// Reads a short name or a locale such as `zh_CN.UTF-8`; `None` where it names neither language.
    pub fn parse(name: &str) -> Option<Lang> {
        let name = name.to_ascii_lowercase();
        let language = name.split(['_', '-', '.', '@']).next().unwrap_or_default();
        match language {
            "en" => Some(Lang::En),
            "zh" => Some(Lang::Zh),
            _ => None,
        }
    }

    /// Chooses by [`VARIABLE`], else by `LC_ALL`, `LC_MESSAGES`, `LANG`: the first one that is set and not empty decides
    /// (locale(7)).
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Lang {
        [VARIABLE, "LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| get(name).filter(|value| !value.is_empty()))
            .and_then(|value| Lang::parse(&value))
            .unwrap_or_default()
    }

    /// Chooses between the English and the Chinese form of one text, which so stand side by side in the code.
    pub fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Lang::En => en,
            Lang::Zh => zh,
        }
    }
}

/// The variable that names the language of this program and of its tools; the panes set it for their shells.
pub(crate) const VARIABLE: &str = "BOXWRIGHT_LANG";

/// The place in [`Lang::ALL`], from 1; 0 where [`speak`] was not called.
static SPOKEN: AtomicU8 = AtomicU8::new(0);

/// Sets the language of this process: as the command line says, and when the learner changes it.
pub(crate) fn speak(lang: Lang) {
    SPOKEN.store(lang.pick(1, 2), Ordering::Relaxed);
}

/// The language that was set by [`speak`]; English where none was, as in the tools, whose first line is that of the
/// field's tools in every language.
pub(crate) fn set() -> Lang {
    if SPOKEN.load(Ordering::Relaxed) == 2 { Lang::Zh } else { Lang::En }
}

/// The language of this process: the one set by [`speak`], else that of the environment. For tools, hints and usage
/// errors, which no state with a language reaches. Unit tests speak English.
pub(crate) fn spoken() -> Lang {
    match SPOKEN.load(Ordering::Relaxed) {
        1 => Lang::En,
        2 => Lang::Zh,
        _ if cfg!(test) => Lang::En,
        _ => Lang::from_env(|name| std::env::var(name).ok()),
    }
}

/// Chooses between two forms of one text by the language of this process.
pub(crate) fn say<T>(en: T, zh: T) -> T {
    spoken().pick(en, zh)
}

/// A sentence in both languages, written where it is not known yet who will read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Both {
    /// One sentence, written twice.
    pub(crate) fn new(en: &str, zh: &str) -> Both {
        Both { en: en.into(), zh: zh.into() }
    }

    /// The sentence in this language.
    pub(crate) fn say(&self, lang: Lang) -> &str {
        lang.pick(&self.en, &self.zh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_decides() {
        let env = |pairs: &'static [(&str, &str)]| {
            move |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string())
        };
        assert_eq!(Lang::from_env(env(&[("LC_ALL", ""), ("LANG", "zh_CN.UTF-8")])), Lang::Zh);
        assert_eq!(Lang::from_env(env(&[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")])), Lang::En);
        assert_eq!(Lang::from_env(env(&[])), Lang::En);
        assert_eq!(Lang::from_env(env(&[(VARIABLE, "zh"), ("LC_ALL", "C")])), Lang::Zh);
        assert_eq!(Lang::from_env(env(&[(VARIABLE, ""), ("LC_ALL", "zh_CN")])), Lang::Zh);
    }
}
