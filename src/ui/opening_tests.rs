use crate::{
    app::{Look, Prefix, State},
    lang::Lang,
    session::{Outcome, Progress, Report},
    ui::stage,
};

/// The opening with the lessons that come with the program, some of them begun.
fn home(lang: Lang, size: (u16, u16)) -> String {
    let lessons = crate::lesson::load(None).unwrap();
    let mut progress = Progress::default();
    for lesson in lessons.iter().map(|all| &all[lang.code()]) {
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
    let mut state = State::new(lang, Look::default(), facts, lessons, Prefix::default());
    state.size = size;
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
            for lesson in crate::lesson::load(None).unwrap() {
                let lesson = &lesson[lang.code()];
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
