//! "Did you mean": the known word that is nearest to one that is not known.

use crate::{kernel::text::printable, lang::Lang};

/// The known word that `word` most likely means; none where nothing is near.
///
/// Two letters that changed places count as one mistake. A short word bears one mistake, a longer one a mistake for every
/// three letters. What a word begins is near as well: `isol`.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = word.to_lowercase();
    let length = plain.chars().count();
    if length < 2 {
        return None;
    }
    let most = (length / 3).max(1);
    let far = |name: &str| {
        let name = name.to_lowercase();
        let mistakes = strsim::damerau_levenshtein(&plain, &name);
        if mistakes > most && length > 2 && name.starts_with(&plain) { most } else { mistakes }
    };
    let near = known.into_iter().map(|name| (far(name), name)).filter(|(mistakes, _)| *mistakes <= most);
    near.min_by_key(|(mistakes, _)| *mistakes).map(|(_, name)| name)
}

/// `did you mean NAME?`
pub(crate) fn did_you_mean(name: &str, lang: Lang) -> String {
    let name = printable(name);
    lang.pick(format!("did you mean `{name}`?"), format!("是不是想写 `{name}`？"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_found_and_what_is_far_is_not() {
        let known = ["isolate", "rootfs", "cgroups", "nsenter", "trace", "run", "ps"];
        for (word, meant) in [
            ("isolat", Some("isolate")),
            ("isoalte", Some("isolate")),
            ("ROOTFS", Some("rootfs")),
            ("cgroup", Some("cgroups")),
            ("tarce", Some("trace")),
            ("isol", Some("isolate")),
            ("rn", Some("run")),
            ("xyzzy", None),
            ("p", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest("trac", ["race", "trace"]), Some("trace"), "one mistake is nearer than two");
    }
}
