use crate::{
    app::{Look, PROPERTIES, Prefix, State},
    lang::Lang,
    session::{Outcome, Progress, Report},
    terminal::Size,
    ui::stage,
};

/// The opening with the lessons that come with the program, some of them begun.
fn home(lang: Lang, size: (u16, u16)) -> String {
    // Where not all lines fit, the chosen one is seen.
    [0, crate::lesson::embedded_once().len() - 1].map(|chosen| chosen_at(lang, size, chosen)).join("\n")
}

fn chosen_at(lang: Lang, size: (u16, u16), chosen: usize) -> String {
    let lessons = crate::lesson::embedded_once();
    let mut progress = Progress::default();
    for lesson in lessons.iter().map(|all| all.get(lang).unwrap()) {
        match lesson.id.as_str() {
            "isolate" => {
                progress.note(lesson, &Report::Left(0));
                progress.note(lesson, &Report::Solved(1, false));
            }
            "rootfs" => {
                for step in 0..lesson.steps.len() {
                    progress.note(lesson, &Report::Solved(step, true));
                }
            }
            "cgroups" => {
                progress.note(lesson, &Report::Outcome(1, Outcome::Skipped("no swap".into())));
                progress.note(lesson, &Report::Solved(0, true));
            }
            _ => {}
        }
    }
    let facts = stage::state(lang, size, Look::default()).facts;
    let mut state = State::new(lang, Look::default(), facts, lessons.to_vec(), Prefix::default());
    (state.size, state.selected) = (size.into(), chosen);
    state.progress = progress;
    stage::shot(&mut state);
    stage::text(&stage::shot(&mut state))
}

#[test]
fn home_names_each_part_without_cutting_it_and_tells_what_became_of_it() {
    for lang in Lang::ALL {
        for size in [(80, 24), (140, 45)] {
            let text = home(lang, size);
            assert!(!text.contains('…'), "{text}");
            let squeezed: String = text.split_whitespace().collect();
            for lesson in crate::lesson::embedded_once() {
                let lesson = lesson.get(lang).unwrap();
                let known = crate::app::PROPERTIES.iter().find(|property| property.lesson == lesson.id);
                let (name, about) = known.map_or((lesson.title.as_str(), lesson.summary.as_str()), |property| {
                    (lang.pick(property.name.0, property.name.1), lang.pick(property.meaning.0, property.meaning.1))
                });
                // Longer texts go over several lines.
                let letters: Vec<char> = about.chars().filter(|letter| !letter.is_whitespace()).collect();
                let ends = [&letters[..5], &letters[letters.len() - 5..]].map(|end| end.iter().collect::<String>());
                let name: String = name.split_whitespace().collect();
                assert!(ends.iter().chain([&name]).all(|part| squeezed.contains(part)), "{name}: {text}");
            }
            let said = lang.pick(
                ["1 with the solution shown, 1 skipped", "1 not possible here", "done"],
                ["1 步看了答案，1 步跳过", "1 步本机做不了", "完成"],
            );
            assert!(said.iter().all(|word| text.contains(word)), "{text}");
        }
    }
}

/// The opening with so many lessons besides those of the four properties.
fn crowded(lang: Lang, besides: usize, root: bool) -> State {
    let mut lessons = crate::lesson::embedded_once()[..=PROPERTIES.len()].to_vec();
    for number in 1..besides {
        let mut copy = lessons[PROPERTIES.len()].clone();
        for lesson in copy.values_mut() {
            lesson.id = format!("more-{number}");
            lesson.title = format!("{} {number}{}", lang.pick("Another lesson", "又一课"), "!".repeat(number));
            lesson.summary = "about".into();
        }
        lessons.push(copy);
    }
    let mut facts = stage::state(lang, (80, 24), Look::default()).facts;
    facts.root = root;
    let mut state = State::new(lang, Look::default(), facts, lessons, Prefix::default());
    state.size = Size::USUAL;
    state
}

/// No line is wider than a narrow screen, where it would be cut.
#[test]
fn nothing_is_cut_at_60_columns() {
    for lang in Lang::ALL {
        for root in [true, false] {
            let mut facts = stage::state(lang, (60, 18), Look::default()).facts;
            facts.root = root;
            let lessons = crate::lesson::embedded_once().to_vec();
            let mut state = State::new(lang, Look::default(), facts, lessons, Prefix::default());
            state.size = Size::new(60, 18);
            let page = super::page(&state);
            for line in page.title.iter().chain(&page.list).chain(&page.machine) {
                assert!(super::width(line) < 60, "{line:?}");
            }
        }
    }
}

#[test]
fn eight_lessons_are_seen_at_once_and_of_more_the_chosen_one() {
    for lang in Lang::ALL {
        for root in [true, false] {
            let text = stage::text(&stage::shot(&mut crowded(lang, 4, root)));
            let name = |number| format!("{} {number}", lang.pick("Another lesson", "又一课"));
            assert!((1..4).all(|number| text.contains(&name(number))), "{text}");
            // The summaries of a group begin in one column.
            let line = |number| text.lines().find(|line| line.contains(&name(number)));
            let column = |number| line(number)?.split_once("about").map(|(before, _)| before.chars().count());
            assert_eq!((column(1), column(1).is_some()), (column(3), true), "{text}");
            let mut many = crowded(lang, 20, root);
            for selected in 0..24 {
                many.selected = selected;
                let text = stage::text(&stage::shot(&mut many));
                let chosen = text.lines().find(|line| line.contains('▶')).unwrap_or_else(|| panic!("{text}"));
                let wanted = selected.checked_sub(PROPERTIES.len()).filter(|more| *more > 0).map(name);
                assert!(wanted.is_none_or(|wanted| chosen.contains(&wanted)), "{text}");
                assert!(text.lines().any(|line| line.ends_with(['▲', '▼'])), "{text}");
                // What this machine is, and what it allows whom, is on the first screen whatever is chosen.
                let machine = text.lines().position(|line| line.contains(lang.pick("This machine: ", "这台机器：")));
                let way = root || text.contains(lang.pick("for every step, log in as root", "请以 root 登录"));
                assert!(machine.is_some_and(|machine| machine > 15) && way, "{text}");
            }
        }
    }
}
