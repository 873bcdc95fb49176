//! The words of the field, each with one sentence in both languages: for the overlay of a step's words, the plain mode and
//! `boxwright glossary`.

mod terms;

pub(crate) use terms::TERMS;

use crate::{
    columns::align,
    kernel::text::printable,
    lang::Lang,
    lesson::{Block, Step},
    near::{did_you_mean, nearest},
    observe::{BEYOND, NAMES},
};

/// A word that a lesson uses without explaining it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// The English term.
    pub en: &'static str,
    /// The Chinese one; the same as the English where the field has no other.
    pub zh: &'static str,
    /// What it means, in English and Chinese.
    pub meaning: (&'static str, &'static str),
}

const fn term(en: &'static str, zh: &'static str, meaning: (&'static str, &'static str)) -> Term {
    Term { en, zh, meaning }
}

/// What the four boxes of the scorecard mean, in lesson order.
pub(crate) const SCORECARD: [Term; 4] = [
    term(
        NAMES[0].1,
        NAMES[0].2,
        (
            "its PID, UTS, mount, IPC and network namespaces all differ from the host's",
            "PID、UTS、挂载、IPC、网络这五类命名空间都与宿主机不同",
        ),
    ),
    term(NAMES[1].1, NAMES[1].2, ("its / is another directory than the host's", "它的 / 与宿主机的 / 不是同一个目录")),
    term(
        NAMES[2].1,
        NAMES[2].2,
        (
            "its control group, or one above it, has a limit that the host lacks: CPU, memory, PIDs, disks",
            "它所在的控制组或上级组设有宿主机没有的上限：CPU、内存、进程数、磁盘",
        ),
    ),
    term(
        NAMES[3].1,
        NAMES[3].2,
        (
            "a process that was started outside now runs in its PID namespace",
            "有从外面进入的进程正在它的 PID 命名空间里运行",
        ),
    ),
];

/// What the second row means, in its order.
pub(crate) const BESIDES: [Term; 3] = [
    term(
        BEYOND[0].1,
        BEYOND[0].2,
        ("it has an interface besides lo that is up and has an address", "除了 lo，它还有启用且有地址的接口"),
    ),
    term(
        BEYOND[1].1,
        BEYOND[1].2,
        ("on the host it is not root, even where it is root inside", "即使在里面是 root，在宿主机上也不是 root"),
    ),
    term(
        BEYOND[2].1,
        BEYOND[2].2,
        (
            "no capability that Docker does not leave, a filter, /proc covered, no devices but the usual ones",
            "能力不超出 Docker 的默认，有过滤器，/proc 有遮盖，只有通常的设备",
        ),
    ),
];

impl Term {
    /// The term as the reader of this language finds it, with the other language's beside it where they differ.
    pub(crate) fn name(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh if self.zh.to_lowercase().contains(&self.en.to_lowercase()) => self.zh.into(),
            Lang::Zh => format!("{} {}", self.zh, self.en),
            Lang::En => self.en.into(),
        }
    }

    /// What it means.
    pub(crate) fn meaning(&self, lang: Lang) -> &'static str {
        lang.pick(self.meaning.0, self.meaning.1)
    }

    /// The Chinese word without what stands in brackets.
    fn chinese(&self) -> &'static str {
        self.zh.split('（').next().unwrap_or(self.zh)
    }

    /// Whether a text in small letters has the word, in either language.
    fn occurs(&self, text: &str) -> bool {
        let plain = |word: char| word.is_ascii_alphanumeric() || word == '_';
        let alone = |at: usize, word: &str| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + word.len()..).unwrap_or_default();
            let after = after.strip_prefix('s').unwrap_or(after).chars().next();
            !before.is_some_and(plain) && !after.is_some_and(plain)
        };
        let english = self.en.to_lowercase();
        let chinese = self.chinese();
        text.match_indices(&english).any(|(at, word)| alone(at, word)) || !chinese.is_ascii() && text.contains(chinese)
    }
}

/// The words that occur in a step's text, its questions and explanations included.
pub(crate) fn of_step(step: &Step) -> Vec<&'static Term> {
    let text = step.blocks.iter().flat_map(|block| match block {
        Block::Prose(text) | Block::Why(text) | Block::Hint(text) => vec![text.as_str()],
        Block::Predict(ask) => {
            ask.options.iter().map(String::as_str).chain(std::iter::once(ask.question.as_str())).collect()
        }
        Block::Check(checks) => checks.iter().map(|check| check.text.as_str()).collect(),
        _ => Vec::new(),
    });
    let text = text.chain(std::iter::once(step.title.as_str())).collect::<Vec<_>>().join("\n").to_lowercase();
    TERMS.iter().filter(|term| term.occurs(&text)).collect()
}

/// The lines of `boxwright glossary [WORD]`: all words and the scorecard, or those that have the word in their name.
///
/// Errors: the sentence that there is no such word.
pub(crate) fn lines(word: Option<&str>, lang: Lang) -> Result<Vec<String>, String> {
    let rows = |terms: &mut dyn Iterator<Item = &Term>| {
        align(&terms.map(|term| vec![term.name(lang), term.meaning(lang).into()]).collect::<Vec<_>>())
    };
    let Some(word) = word else {
        let mut all = rows(&mut TERMS.iter());
        all.push(String::new());
        all.push(lang.pick("The scorecard", "记分卡").into());
        all.extend(rows(&mut SCORECARD.iter()));
        all.push(String::new());
        all.push(lang.pick("Its second row: what tools add", "记分卡第二行：工具另外加上的").into());
        all.extend(rows(&mut BESIDES.iter()));
        return Ok(all);
    };
    let wanted = word.to_lowercase();
    let named = |term: &&Term| term.en.to_lowercase().contains(&wanted) || term.zh.to_lowercase().contains(&wanted);
    let found = rows(&mut TERMS.iter().chain(&SCORECARD).chain(&BESIDES).filter(named));
    match found.is_empty() {
        false => Ok(found),
        true => {
            let all = TERMS.iter().chain(&SCORECARD).chain(&BESIDES);
            let near = nearest(word, all.flat_map(|term| [term.en, term.chinese()]));
            let near = near.map(|near| format!("{} {}", lang.pick(";", "；"), did_you_mean(near, lang)));
            let near = near.unwrap_or_default();
            Err(lang.pick(
                format!("`{}` is not in the glossary{near}", printable(word)),
                format!("术语表里没有“{}”{near}", printable(word)),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson;

    fn is_chinese(text: &str) -> bool {
        text.chars().any(|letter| matches!(letter, '\u{4e00}'..='\u{9fff}'))
    }

    #[test]
    fn every_word_is_explained_in_both_languages_once_and_in_order() {
        for term in TERMS.iter().chain(&SCORECARD).chain(&BESIDES) {
            let (en, zh) = term.meaning;
            assert!(!en.is_empty() && !is_chinese(en) && !is_chinese(term.en), "{}", term.en);
            assert!(is_chinese(zh) && !term.zh.is_empty() && !zh.contains([',', ';']), "{}: {zh}", term.en);
        }
        let names: Vec<String> = TERMS.iter().map(|term| term.en.to_lowercase()).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
    }

    #[test]
    fn both_languages_of_a_step_have_their_words() {
        for lesson in lesson::load(None).unwrap() {
            for lesson in lesson.values() {
                let words = lesson.steps.iter().filter(|step| !of_step(step).is_empty()).count();
                assert!(words * 3 > lesson.steps.len() * 2, "{} {:?}: {words}", lesson.id, lesson.lang);
            }
        }
    }

    #[test]
    fn a_word_is_a_whole_word() {
        let occurs = |name: &str, text: &str| TERMS.iter().find(|term| term.en == name).unwrap().occurs(text);
        assert!(occurs("blob", "two blobs, named") && !occurs("blob", "bloblike"));
        assert!(occurs("init", "its init.") && !occurs("init", "initramfs"));
        assert!(occurs("mount point", "new 必须是挂载点") && occurs("PSI", "看 psi 的数字"));
    }

    #[test]
    fn a_word_is_found_in_either_language() {
        assert_eq!(lines(Some("限流"), Lang::Zh).unwrap().len(), 1);
        assert!(lines(Some("OOM"), Lang::En).unwrap()[0].starts_with("OOM  out of memory"));
        assert!(lines(None, Lang::Zh).unwrap().iter().any(|line| line.starts_with("独立根目录 own root")));
        assert!(lines(Some("frob"), Lang::En).is_err());
    }
}
