//! What is counted and carried: repairs, days, and progress on another machine.

use super::{tests::*, *};

#[test]
fn the_fastest_repair_of_a_step_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let mut progress = window(&state);
    let repair = |seconds, commands| Repair { seconds, commands, hints: 0 };
    assert_eq!((progress.best(&lesson(), "first"), progress.repairs("isolate")), (None, 0));
    assert!(!progress.has_begun(&lesson()) && progress.days() == 0);
    assert!(progress.repaired(&lesson(), 0, repair(60, 4)));
    assert!(!progress.repaired(&lesson(), 0, repair(60, 5)), "no better");
    assert!(progress.repaired(&lesson(), 0, repair(30, 9)));
    assert!(progress.repaired(&lesson(), 1, repair(5, 1)));
    assert!(!progress.repaired(&lesson(), 2, repair(1, 1)), "no such step");
    assert!(progress.has_begun(&lesson()) && !progress.has_begun(&lesson_of("other", &["first"])));
    assert_eq!(progress.days(), 1, "today, although nothing is saved yet");
    progress.save(&state).unwrap();
    let progress = window(&state);
    assert_eq!(progress.best(&lesson(), "first"), Some(repair(30, 9)));
    assert_eq!((progress.repairs("isolate"), progress.repairs("other"), progress.days()), (2, 0, 1));
}

#[test]
fn a_day_is_a_number_that_grows_by_one_at_midnight_in_greenwich() {
    let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let (before, day, after) = (now(), today().unwrap(), now());
    assert!(day * 86_400 <= after && (day + 1) * 86_400 > before, "{before} {day} {after}");
    let dir = tempfile::tempdir().unwrap();
    let state = StateDir::at(dir.path()).unwrap();
    let mut progress = window(&state);
    progress.known.days.extend([1, 2]);
    progress.known.save(&state).unwrap();
    progress.note(&lesson(), &passed(0));
    progress.save(&state).unwrap();
    assert_eq!(window(&state).days(), 3);
}

#[test]
fn progress_is_carried_to_another_machine_without_what_only_this_one_lacks() {
    let lesson = needing_swap();
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (here, there) = (StateDir::at(here.path()).unwrap(), StateDir::at(there.path()).unwrap());
    let mut progress = window(&here);
    progress.note(&lesson, &passed(0));
    progress.note(&lesson, &Report::Outcome(1, Outcome::Skipped("no tracer".into())));
    progress.save(&here).unwrap();
    let carried = window(&here).carried().unwrap();
    let text = String::from_utf8(carried.clone()).unwrap();
    assert!(text.ends_with("}\n") && !text.contains("no tracer"), "{text}");
    let arrived = Progress::from_elsewhere(&carried).unwrap();
    assert!(arrived.is_unsaved());
    std::fs::write(there.path().join(FILE), "not JSON").unwrap();
    let aside = arrived.add_to(&there).unwrap();
    assert!(aside.is_some_and(|aside| aside.contains(ASIDE)), "what stood there and was not understood is kept");
    assert_eq!(done(&window(&there), &lesson), 1);
    assert!(Progress::from_elsewhere(b"{").is_err());
}
