//! Facts about files.

use super::Verdict;
use crate::{
    kernel::silent,
    lang::Lang,
    lesson::{FileFact, Where},
    observe::{Asked, Sample},
};

/// A file exists on a side, or not, or has a text in it.
pub(super) fn file(place: Where, path: &str, fact: &FileFact, sample: &Sample, lang: Lang) -> Verdict {
    let asked = Asked { inside: place == Where::Inside, path: path.to_string() };
    let Some(found) = sample.files.get(&asked) else {
        let why = sample.silent.as_ref().map(|silent| silent::say(silent, lang));
        return Verdict::new(false, path, why.unwrap_or_else(|| lang.pick("was not read yet", "尚未读取").into()));
    };
    let word = |there: bool| {
        let state = lang.pick(if there { "present" } else { "absent" }, if there { "存在" } else { "不存在" });
        format!("{path}: {state}")
    };
    let device = sample.devices.get(&asked).map(String::as_str);
    match (fact, found) {
        (FileFact::Device(wanted), found) => {
            let none = lang.pick(
                if found.is_some() { "a file, no device" } else { "absent" },
                if found.is_some() { "是文件，不是设备" } else { "不存在" },
            );
            Verdict::equal(format!("{path}: {wanted}"), format!("{path}: {}", device.unwrap_or(none)))
        }
        (FileFact::Owner(wanted), _) => {
            let word = |owner: &str| lang.pick(format!("{path}: owner {owner}"), format!("{path}：所有者 {owner}"));
            let none = lang.pick("absent", "不存在");
            let seen = sample.file_owners.get(&asked).map(u32::to_string);
            Verdict::equal(word(&wanted.to_string()), word(seen.as_deref().unwrap_or(none)))
        }
        (FileFact::Present(wanted), found) => Verdict::equal(word(*wanted), word(found.is_some())),
        (FileFact::Contains(text), None) => Verdict::new(false, format!("{path}: …{text}…"), word(false)),
        (FileFact::Contains(text), Some(contents)) => {
            let expected = format!("{path}: …{text}…");
            let passed = contents.contains(text.as_str());
            let first = contents.lines().next().unwrap_or_default();
            let observed = if passed { expected.clone() } else { format!("{path}: {first}…") };
            Verdict::new(passed, expected, observed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, sample};

    #[test]
    fn a_file_is_there_or_has_a_text_in_it() {
        let text = |path: &str, text: &str| format!("{path}: …{text}…");
        all([
            Case(
                "file inside /etc/os-release present",
                sample(),
                true,
                "/etc/os-release: present",
                "/etc/os-release: present",
            ),
            Case(
                "file inside /etc/os-release absent",
                sample(),
                false,
                "/etc/os-release: absent",
                "/etc/os-release: present",
            ),
            Case("file inside /gone absent", sample(), true, "/gone: absent", "/gone: absent"),
            Case("file inside /gone present", sample(), false, "/gone: present", "/gone: absent"),
            Case(
                "file inside /etc/os-release contains ID=box",
                sample(),
                true,
                &text("/etc/os-release", "ID=box"),
                &text("/etc/os-release", "ID=box"),
            ),
            Case(
                "file inside /etc/os-release contains debian",
                sample(),
                false,
                &text("/etc/os-release", "debian"),
                "/etc/os-release: NAME=boxwright…",
            ),
            Case("file inside /gone contains x", sample(), false, &text("/gone", "x"), "/gone: absent"),
            Case("file inside /dev/null device c 1:3", sample(), true, "/dev/null: c 1:3", "/dev/null: c 1:3"),
            Case("file inside /dev/null device c 1:5", sample(), false, "/dev/null: c 1:5", "/dev/null: c 1:3"),
            Case("file inside /gone device c 1:3", sample(), false, "/gone: c 1:3", "/gone: absent"),
            Case(
                "file inside /etc/os-release device c 1:3",
                sample(),
                false,
                "/etc/os-release: c 1:3",
                "/etc/os-release: a file, no device",
            ),
            // The same path on the other side is another file, which was not read.
            Case("file host /etc/os-release present", sample(), false, "/etc/os-release", "was not read yet"),
            Case("file host /etc/os-release absent", sample(), false, "/etc/os-release", "was not read yet"),
            Case("file host rootfs/hello present", sample(), true, "rootfs/hello: present", "rootfs/hello: present"),
        ]);
    }
}
