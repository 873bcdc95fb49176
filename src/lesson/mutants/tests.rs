use super::*;
use crate::lesson::{Block, Fills, load_as};
use std::collections::BTreeSet;

fn all() -> Vec<Mutant> {
    let one = |(kind, row): (Kind, &'static Row)| {
        (0..row.variants.len().max(1)).map(move |variant| Mutant { kind, row, variant, name: "mine", mib: 64 })
    };
    rows().flat_map(one).collect()
}

#[test]
fn the_good_script_is_the_one_of_the_lesson() {
    let lines: Vec<&str> = good().lines().collect();
    assert_eq!((lines[0], *lines.last().unwrap()), ("#!/bin/sh", "exec $drop \"$@\""));
    let (kind, row) = rows().next().unwrap();
    let named = Mutant { kind, row, variant: 0, name: "crate", mib: 80 }.good();
    assert!(named.contains("hostname crate\n") && named.contains("limit_in_bytes=83886080 "), "{named}");
}

#[test]
fn every_edit_changes_one_place() {
    for mutant in all() {
        let name = mutant.row.name;
        let mut script = mutant.good();
        for (from, to) in mutant.row.edits {
            let from = mutant.fill(from);
            // In a list of words the first is meant.
            assert!(
                script.matches(&from).count() == 1 || from.starts_with(' ') && script.contains(&from),
                "{name}: {from:?}"
            );
            script = script.replacen(&from, &mutant.fill(to), 1);
        }
        assert_eq!(script, mutant.mutated(), "{name}");
        assert_ne!(script, mutant.good(), "{name}");
    }
}

#[test]
fn the_files_are_those_of_an_author_who_makes_no_mistake() {
    let lesson = every_as_written();
    let mutants: Vec<_> = lesson.get(Lang::En).unwrap().steps.iter().map(|step| step.id.clone()).zip(all()).collect();
    assert_eq!(mutants.len(), all().len());
    let file = |lang: Lang| (format!("{}.md", lang.code()), text::markdown(&mutants, lang).into_bytes());
    let (read, problems) = store::folder(MUTANTS, &Lang::ALL.map(file));
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(read, lesson);
}

#[test]
fn every_fact_of_a_row_has_its_sentence_and_is_false_in_it() {
    let mut used = BTreeSet::new();
    for (kind, row) in rows() {
        let known: BTreeSet<&str> = kind.facts().iter().chain(&text::MORE).map(|(fact, ..)| *fact).collect();
        for fact in row.broken.iter().chain(row.keeps) {
            assert!(known.contains(fact), "{}: {fact}", row.name);
            used.insert(*fact);
        }
    }
    let unused: Vec<_> = text::MORE.iter().filter(|(fact, ..)| !used.contains(fact)).collect();
    assert!(unused.is_empty(), "{unused:?}");
    for step in &every_as_written().get(Lang::En).unwrap().steps {
        let checks =
            step.blocks.iter().filter_map(|block| if let Block::Check(checks) = block { Some(checks) } else { None });
        assert!(checks.flatten().any(|check| !check.keeps), "{} is noticed by nothing", step.id);
        assert!(!step.solutions().is_empty() && step.wrong_ways().len() > 1, "{}", step.id);
    }
}

#[test]
fn names_are_given_once() {
    let names: Vec<&str> = rows().map(|(_, row)| row.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[test]
fn a_seed_gives_the_same_mutant_on_every_machine() {
    // A number of the generator itself, so that neither a compiler nor a machine may change it.
    assert_eq!(drawn(20_261_130, "old-root"), 4_721_352_917_276_965_007);
    let chosen =
        |seed| Mutant::of(seed).map(|mutant| (mutant.row.name, mutant.variant, mutant.name, mutant.mib)).unwrap();
    assert_eq!(chosen(7), chosen(7));
    let all: Vec<_> = (0..2_000).map(chosen).collect();
    let met: BTreeSet<_> = all.iter().map(|chosen| chosen.0).collect();
    assert_eq!(met.len(), rows().count(), "every row is some seed's");
    let variants: BTreeSet<_> = all.iter().filter(|chosen| chosen.0 == "no-device").map(|chosen| chosen.1).collect();
    assert_eq!(variants.len(), 6);
    let machine = |seeds: &[u64]| load_as(None, &Fills::of_this_machine("builtin:").with_mutants(seeds)).unwrap().0;
    let lesson = |all: &[Translations]| all.iter().find(|lesson| lesson.id() == MUTANTS).unwrap().clone();
    let (one, course) = (lesson(&machine(&[7])), machine(&[9, 7]));
    assert_eq!(one, lesson(&machine(&[7])));
    assert_eq!(one.get(Lang::Zh).unwrap().steps[0].id, "seed-7");
    // What is after it in a course changes nothing.
    assert_eq!(lesson(&course).get(Lang::En).unwrap().steps[1].title, one.get(Lang::En).unwrap().steps[0].title);
    assert_eq!(
        Fills::of_this_machine("builtin:").with_those_of(&course),
        Fills::of_this_machine("builtin:").with_mutants(&[9, 7])
    );
}

#[test]
fn a_course_has_no_mutation_twice() {
    for first in [0, 1, 20_261_130, u64::MAX - 3] {
        let seeds = course(first);
        assert_eq!(seeds[0], first);
        let names: BTreeSet<_> = seeds.iter().map(|seed| Mutant::of(*seed).unwrap().row.name).collect();
        assert_eq!(names.len(), seeds.len());
    }
    assert_eq!(course(1).len(), COURSE);
}

#[test]
fn the_seed_of_a_day_is_its_date() {
    for (seconds, seed) in [
        (0, 19_700_101),
        (86_399, 19_700_101),
        (86_400, 19_700_102),
        (951_782_400, 20_000_229),
        (951_868_800, 20_000_301),
        (1_709_164_800, 20_240_229),
        (1_796_083_199, 20_261_130),
        (1_796_083_200, 20_261_201),
        (1_798_761_599, 20_261_231),
        (1_798_761_600, 20_270_101),
    ] {
        assert_eq!(daily(seconds), seed, "{seconds}");
    }
}

#[test]
fn a_seed_is_read_from_the_name_of_a_step() {
    assert_eq!((named("mutants/seed-7"), named("mutants/seed-20261130")), (Some(7), Some(20_261_130)));
    for other in
        ["mutants", "mutants/", "mutants/7", "mutants/seed-", "mutants/seed-+7", "mutants/seed-07", "fix/seed-7"]
    {
        assert_eq!(named(other), None, "{other}");
    }
}

#[test]
fn every_mutant_can_be_the_first() {
    for mutant in all() {
        let file = |lang: Lang| {
            let text = text::markdown(&[("seed-7".into(), mutant)], lang);
            (format!("{}.md", lang.code()), text.into_bytes())
        };
        let (_, problems) = store::folder(MUTANTS, &Lang::ALL.map(file));
        assert!(problems.is_empty(), "{}: {problems:#?}", mutant.row.name);
    }
}
