//! The two languages of the product, and how one is chosen.

use serde::{Deserialize, Serialize};

/// A language that every sentence on screen exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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

    /// Chooses by `LC_ALL`, `LC_MESSAGES`, `LANG`: the first one that is set and not empty decides (locale(7)).
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Lang {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
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

/// A sentence in both languages, written where it is not known yet who will read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Both {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

impl Both {
    /// The sentence in this language.
    pub fn say(&self, lang: Lang) -> &str {
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
    }
}
