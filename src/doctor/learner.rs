//! `boxwright doctor --learner`: what each learner runs a week before, and what the teacher reads of it: one line and a code.
//!
//! The code is `R2A8C9B7EK`: who runs it (`R`oot or an ordinary `U`ser), the version of control groups (`1`, `2`, `H`ybrid, `0`
//! none), for each lesson in order how many of its steps can be done (0 to 9, then A to Z), and a letter that tells a slip of
//! the pen from a code. It names neither person nor machine.

use super::{Tier, examine, outlook::Outlook, tier};
use crate::{
    dirs::Need,
    kernel::{errno, program, text},
    lang::Lang,
    lesson::Translations,
    observe,
};
use std::{
    io::{self, Write},
    process::ExitCode,
};

const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Prints one line and the code. Status 0 where every step can be done, 1 where some cannot, 3 where none can.
pub(crate) fn run(lessons: &[Translations], need: Need, lang: Lang) -> ExitCode {
    let lessons = examine(lessons, need, lang).lessons;
    let mode = observe::cgroup_mode().to_string();
    let (line, doable, steps) = told(&lessons, tier() == Tier::Root, &mode, lang);
    let printed = writeln!(io::stdout().lock(), "{}", text::safe(&line));
    match doable {
        _ if !errno::is_written(&printed) => ExitCode::FAILURE,
        0 => ExitCode::from(3),
        doable if doable < steps => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

/// What a learner's code says; `None` where it is none.
pub(crate) fn read(code: &str, lessons: &[Translations], lang: Lang) -> Option<String> {
    let one = |all: &Translations| {
        let lesson = all.best(lang)?;
        Some((lesson.id.clone(), lesson.steps.len()))
    };
    meaning(code, &lessons.iter().filter_map(one).collect::<Vec<_>>(), lang)
}

/// The line, how many steps can be done, and how many there are.
fn told(lessons: &[Outlook], root: bool, mode: &str, lang: Lang) -> (String, usize, usize) {
    let (doable, steps) = lessons.iter().fold((0, 0), |(doable, steps), one| (doable + one.doable, steps + one.steps));
    let count = lessons.len();
    let code = code(lessons, root, mode);
    let program = program::path();
    let line = match doable == steps {
        true => lang.pick(
            format!("Ready: all {steps} steps of {count} lessons can be done here. Code: {code}"),
            format!("准备好了：{count} 课的全部 {steps} 步都可以在这里做。代码：{code}"),
        ),
        false => lang.pick(
            format!(
                "{doable} of {steps} steps of {count} lessons can be done here; {program} doctor says why. Code: {code}"
            ),
            format!("{count} 课的 {steps} 步中有 {doable} 步可以在这里做；原因见 {program} doctor。代码：{code}"),
        ),
    };
    (line, doable, steps)
}

fn letter(number: usize) -> char {
    char::from(LETTERS.get(number).copied().unwrap_or(b'Z'))
}

fn code(lessons: &[Outlook], root: bool, mode: &str) -> String {
    let mode = match mode {
        "v1" => '1',
        "v2" => '2',
        "hybrid" => 'H',
        _ => '0',
    };
    let mut code: String = [if root { 'R' } else { 'U' }, mode].into_iter().collect();
    code.extend(lessons.iter().map(|one| letter(one.doable)));
    code.push(check(&code));
    code
}

/// The last letter: two letters that change places, and any one that is another, change it.
fn check(code: &str) -> char {
    let value = |byte: u8| LETTERS.iter().position(|letter| *letter == byte).unwrap_or(0);
    // 37 is a prime, and no weight is a multiple of it.
    let sum: usize = code.bytes().enumerate().map(|(place, byte)| (place % 36 + 1) * (value(byte) + 1)).sum();
    if sum % 37 == 36 { '+' } else { letter(sum % 37) }
}

/// What a code says of these lessons and their steps.
fn meaning(code: &str, lessons: &[(String, usize)], lang: Lang) -> Option<String> {
    let code = code.trim().to_ascii_uppercase();
    let (rest, last) = code.split_at_checked(code.len().checked_sub(1)?)?;
    let mut letters = rest.chars();
    let (who, mode) = (letters.next()?, letters.next()?);
    if check(rest).to_string() != last || letters.as_str().len() != lessons.len() {
        return None;
    }
    let who = match who {
        'R' => "root",
        'U' => lang.pick("an ordinary user", "普通用户"),
        _ => return None,
    };
    let mode = match mode {
        '0' => "none",
        '1' => "v1",
        '2' => "v2",
        'H' => "hybrid",
        _ => return None,
    };
    let mut told = Vec::new();
    for (letter, (name, steps)) in letters.zip(lessons) {
        let doable = LETTERS.iter().position(|known| char::from(*known) == letter)?;
        told.push(format!("{name} {doable}/{steps}"));
    }
    let told = told.join(lang.pick(", ", "、"));
    Some(lang.pick(format!("{who}, cgroup {mode}: {told}"), format!("{who}，cgroup {mode}：{told}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlooks(doable: &[usize]) -> Vec<Outlook> {
        let one = |doable: &usize| Outlook {
            lesson: format!("lesson{doable}"),
            possible: *doable > 0,
            steps: 12,
            doable: *doable,
            because: Vec::new(),
            skipped: Vec::new(),
        };
        doable.iter().map(one).collect()
    }

    #[test]
    fn the_code_says_what_the_line_says() {
        let lessons = outlooks(&[10, 0, 12]);
        let names: Vec<(String, usize)> = lessons.iter().map(|one| (one.lesson.clone(), one.steps)).collect();
        let (line, doable, steps) = told(&lessons, false, "hybrid", Lang::En);
        assert_eq!((doable, steps), (22, 36));
        let code = line.rsplit(' ').next().unwrap();
        assert!(code.starts_with("UHA0C") && code.len() == 6, "{line}");
        let said = meaning(&code.to_lowercase(), &names, Lang::En).unwrap();
        assert_eq!(said, "an ordinary user, cgroup hybrid: lesson10 10/12, lesson0 0/12, lesson12 12/12");
        let whole = told(&outlooks(&[12, 12]), true, "v2", Lang::Zh).0;
        assert!(whole.starts_with("准备好了：2 课的全部 24 步") && whole.contains("R2CC"), "{whole}");
    }

    #[test]
    fn a_slip_of_the_pen_is_no_code() {
        let names: Vec<(String, usize)> = ["a", "b", "c"].map(|name| (name.to_string(), 12)).into();
        let code = code(&outlooks(&[10, 0, 12]), true, "v2");
        assert!(meaning(&code, &names, Lang::En).is_some());
        for place in 0..code.len() {
            let mut other = code.clone().into_bytes();
            other[place] = if other[place] == b'7' { b'8' } else { b'7' };
            assert_eq!(meaning(&String::from_utf8(other).unwrap(), &names, Lang::En), None, "{place}");
            let mut swapped = code.clone().into_bytes();
            if place + 1 < swapped.len() && swapped[place] != swapped[place + 1] {
                swapped.swap(place, place + 1);
                assert_eq!(meaning(&String::from_utf8(swapped).unwrap(), &names, Lang::En), None, "{place}");
            }
        }
        for wrong in ["", "R", "R2", "é", "R2AAA", &format!("{code}{code}")] {
            assert_eq!(meaning(wrong, &names, Lang::En), None, "{wrong}");
        }
        assert_eq!(meaning(&code, &names[..2], Lang::En), None, "another version has other lessons");
    }
}
