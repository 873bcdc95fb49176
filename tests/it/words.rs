//! What a Chinese reader meets on the command line is Chinese: help, lists, usage errors, hints of the tools.

use crate::{
    harness::{Test, tests},
    support::ours,
};
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        the_help_of_every_command_is_chinese,
        usage_errors_are_chinese,
        lists_and_verdicts_are_chinese,
        a_tools_hint_follows_the_language_and_its_first_line_does_not,
        punctuation_after_chinese_is_full_width,
        the_programs_messages_keep_to_the_guides_words,
    ]
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_boxwright");

fn run(args: &[&str], lang: &str) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(args).env("LC_ALL", "C.UTF-8").env("BOXWRIGHT_LANG", lang).stdin(Stdio::null()).output().unwrap()
}

/// Everything that the program says to these arguments, in Chinese.
fn said(args: &[&str]) -> String {
    let output = run(args, "zh");
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|letter| matches!(letter, '\u{4e00}'..='\u{9fff}'))
}

/// The lines that hold a sentence, of three English words or more, and no Chinese character.
fn english(text: &str) -> Vec<&str> {
    let word = |word: &&str| word.len() > 1 && word.chars().all(|letter| letter.is_ascii_lowercase());
    let sentence = |line: &&str| line.split_whitespace().filter(word).count() > 2 && !is_chinese(line);
    text.lines().filter(sentence).collect()
}

const COMMANDS: [&[&str]; 25] = [
    &[],
    &["run"],
    &["trace"],
    &["what-if"],
    &["inspect"],
    &["doctor"],
    &["clean"],
    &["progress"],
    &["lessons"],
    &["lessons", "list"],
    &["lessons", "check"],
    &["lessons", "new"],
    &["lessons", "export"],
    &["lessons", "book"],
    &["tools"],
    &["glossary"],
    &["lab"],
    &["fix"],
    &["replay"],
    &["follow"],
    &["present"],
    &["class"],
    &["schema"],
    &["certificate"],
    &["verify"],
];

fn the_help_of_every_command_is_chinese() {
    for command in COMMANDS {
        for flag in ["--help", "-h"] {
            let text = said(&[command, &[flag][..]].concat());
            assert_eq!(english(&text), Vec::<&str>::new(), "{command:?}\n{text}");
            for word in ["Usage", "Options", "Arguments", "Commands", "Print", "default:"] {
                assert!(!text.contains(word), "{command:?} {word}\n{text}");
            }
            assert!(text.contains("用法：boxwright") && text.contains("选项："), "{command:?}\n{text}");
        }
    }
    let english = run(&["--lang", "en", "run", "--help"], "zh");
    assert!(!is_chinese(&String::from_utf8(english.stdout).unwrap()));
}

fn usage_errors_are_chinese() {
    let cases: [(&[&str], &str); 16] = [
        (&["--frob"], "没有 --frob 这个参数"),
        (&["run", "--pateince", "2"], "是不是想写 --patience？"),
        (&["run", "--patience", "x"], "要写 1 到 1000 的整数"),
        (&["--theme", "x"], "可以是 default"),
        (&["--lang", "fr"], "可以是 en 或 zh"),
        (&["--color", "x"], "auto"),
        (&["--image", "ftp:x"], "--image"),
        (&["inspect", "x"], "PID 必须是整数"),
        (&["inspect"], "缺少参数"),
        (&["trace"], "缺少参数"),
        (&["lessons", "frob"], "没有 frob 这个命令"),
        (&["doctor", "--json", "--fix"], "不能与"),
        (&["nosuch"], "没有课程 `nosuch`"),
        (&["run", "isolate/nosuch"], "没有步骤 `nosuch`"),
        (&["lessons", "export", "x"], "没有课程 `x`"),
        (&["glossary", "frob"], "术语表里没有“frob”"),
    ];
    for (args, part) in cases {
        let text = said(args);
        assert!(text.contains(part), "{args:?}\n{text}");
        assert_eq!(english(&text), Vec::<&str>::new(), "{args:?}\n{text}");
        assert_eq!(run(args, "zh").status, run(args, "en").status, "{args:?}");
    }
}

fn lists_and_verdicts_are_chinese() {
    let cases: [(&[&str], &str); 9] = [
        (&["tools"], "在新的命名空间里运行程序"),
        (&["lessons", "check"], "没有问题"),
        (&["lessons", "check", "--stats"], "中文字数"),
        (&["lessons", "list"], "隔离一个进程"),
        (&["glossary"], "独立根目录 own root"),
        (&["inspect", "999999"], "没有那个进程（ESRCH）"),
        (&["--lessons", "/nosuch", "lessons", "list"], "没有那个文件或目录（ENOENT）"),
        (&["trace", "--", "/nosuch"], "没有那个文件或目录（ENOENT）"),
        (&["clean", "--dry-run"], "会话"),
    ];
    for (args, part) in cases {
        let text = said(args);
        assert!(text.contains(part), "{args:?}\n{text}");
        assert_eq!(english(&text), Vec::<&str>::new(), "{args:?}\n{text}");
    }
}

fn a_tools_hint_follows_the_language_and_its_first_line_does_not() {
    let cases: [(&str, &[&str], &str, &str); 3] = [
        ("chroot", &["/no/such"], "chroot: cannot change root directory", "这个目录不存在"),
        ("nsenter", &["-t", "999999", "-m"], "nsenter: PID 999999: No such process (ESRCH)", "它已结束"),
        ("umount", &["/no/such/place"], "umount: /no/such/place", ""),
    ];
    let bin = ours();
    for (tool, args, first, hint) in cases {
        for (lang, chinese) in [("zh", true), ("en", false)] {
            let output =
                Command::new(bin.path().join(tool)).args(args).env("LC_ALL", "C").env("BOXWRIGHT_LANG", lang).output();
            let text = String::from_utf8(output.unwrap().stderr).unwrap();
            let line = text.lines().next().unwrap_or_default();
            assert!(line.starts_with(first) && !is_chinese(line), "{tool} {lang}: {text}");
            assert_eq!(text.contains(hint) && is_chinese(&text), chinese && !hint.is_empty(), "{tool} {lang}: {text}");
        }
    }
}

/// No comma, colon or bracket of the English kind stands behind a Chinese character.
fn punctuation_after_chinese_is_full_width() {
    let mut texts: Vec<String> = COMMANDS.iter().map(|command| said(&[*command, &["--help"][..]].concat())).collect();
    let all: [&[&str]; 9] = [
        &["tools"],
        &["doctor"],
        &["inspect", "self"],
        &["inspect", "999999"],
        &["nosuch"],
        &["--frob"],
        &["lessons", "check"],
        &["glossary"],
        &["clean", "--dry-run"],
    ];
    texts.extend(all.map(said));
    for text in texts {
        for line in text.lines() {
            let pairs = line.chars().zip(line.chars().skip(1));
            let wrong = pairs.filter(|(before, after)| is_chinese(&before.to_string()) && ",;:()!?".contains(*after));
            assert_eq!(wrong.count(), 0, "{line}");
        }
    }
}

/// The texts between quotes in a Rust file, each in one line, with the number of the line in which it begins.
fn quoted(source: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    let mut rest = source;
    let line = |rest: &str| source[..source.len() - rest.len()].lines().count();
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, here) = rest.split_at(at);
        rest = if here.starts_with("//") {
            here.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(after) = here.strip_prefix('\'') {
            // A character; a lifetime has no second quote beside it.
            let long = after.strip_prefix('\\').map_or(1, |_| 2);
            let end = after.char_indices().nth(long).filter(|(_, letter)| *letter == '\'');
            end.map_or(after, |(end, _)| &after[end + 1..])
        } else if let Some(text) = here.strip_prefix('"') {
            let raw = before.trim_end_matches('#').ends_with('r');
            let close = if raw {
                format!("\"{}", "#".repeat(before.len() - before.trim_end_matches('#').len()))
            } else {
                "\"".into()
            };
            let ends =
                |end: &usize| raw || text[..*end].bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0;
            let end = text.match_indices(&close).map(|(end, _)| end).find(ends).unwrap();
            let words = text[..end].replace("\\\n", "\n");
            all.push((line(here), words.split_whitespace().collect::<Vec<_>>().join(" ")));
            &text[end + close.len()..]
        } else {
            &here[1..]
        };
    }
    all
}

fn messages(dir: &Path, found: &mut Vec<(String, String)>) {
    for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "snapshots" {
            messages(&path, found);
        } else if name.ends_with(".rs") && !name.contains("tests") && name != "stage.rs" {
            let source = fs::read_to_string(&path).unwrap();
            let product = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
            let texts = quoted(product).into_iter().filter(|(_, text)| text.contains(' ') || is_chinese(text));
            found.extend(texts.map(|(line, text)| (format!("{}:{line}", path.display()), text)));
        }
    }
}

/// The linter of lessons reads what the program says as if it were a lesson.
fn the_programs_messages_keep_to_the_guides_words() {
    let mut found = Vec::new();
    messages(Path::new("src"), &mut found);
    for readme in ["README.md", "README.zh.md"] {
        let text = fs::read_to_string(readme).unwrap();
        found.extend(text.lines().enumerate().map(|(line, text)| (format!("{readme}:{}", line + 1), text.into())));
    }
    assert!(found.len() > 1500, "{}", found.len());
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("words")).unwrap();
    let (chinese, english): (Vec<_>, Vec<_>) = found.into_iter().partition(|(_, text)| is_chinese(text));
    for (lang, texts, wrong) in [("en", english, ": write "), ("zh", chinese, "is not the term for")] {
        // A word that is forbidden must be found: the linter reads the file.
        let whole: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).chain(["whoever 句柄"]).collect();
        for file in ["en.md", "zh.md"] {
            let text = if file.starts_with(lang) { whole.join("\n") } else { String::new() };
            fs::write(dir.path().join("words").join(file), text).unwrap();
        }
        let output = run(&["lessons", "check", dir.path().to_str().unwrap()], "en");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let reported: Vec<&str> = said.lines().filter(|line| line.contains(wrong)).collect();
        let place = |line: &str| line.split(':').find_map(|part| part.parse::<usize>().ok()).unwrap();
        let mut own: Vec<String> = Vec::new();
        for line in &reported {
            match texts.get(place(line) - 1) {
                Some((place, text)) => own.push(format!("{place}: {text}\n    {line}")),
                None => continue,
            }
        }
        assert!(reported.len() > own.len(), "{lang}: {said}");
        assert!(own.is_empty(), "{}", own.join("\n"));
    }
}
