//! Scripts about what a step has the observers look at and try.

use super::{Action, Event, Wish, script_tests::*};
use crate::{
    lesson::{Connect, Probe, Spot},
    observe::Asked,
};

#[test]
fn the_connections_of_the_step_are_tried() {
    let fact = |how: &str| check(&format!("connect inside 10.2.0.2 80 {how}"));
    let blocks = fact("ok") + &fact("ok at far");
    let (_, told) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    let connect = Connect { from: Spot::Inside, ip: [10, 2, 0, 2].into(), port: 80 };
    assert!(told.contains(&Action::Watch(Vec::new(), true, vec![Probe::Connect(connect)])), "{told:?}");
}

#[test]
fn before_a_step_only_what_it_counts_on_is_tried() {
    let blocks = check("connect inside 10.0.0.2 80 ok : yes\nkeeps connect inside 10.0.0.1 80 ok");
    let steps = [("a fresh", &*(run("one") + &check("init sh"))), ("b", &blocks)];
    let (mut script, _) = Script::new(lesson(&steps), false, 0, &unnamed());
    let to = |last| Probe::Connect(Connect { from: Spot::Inside, ip: [10, 0, 0, last].into(), port: 80 });
    let watches = |told: Vec<Action>| -> Vec<Vec<Probe>> {
        let probes = |action| if let Action::Watch(_, _, probes) = action { Some(probes) } else { None };
        told.into_iter().filter_map(probes).collect()
    };
    assert_eq!(watches(script.give(Event::Wish(Wish::GoTo(1)))), [[]]);
    let replayed = script.prompts(&unnamed());
    assert_eq!((typed(&replayed), watches(replayed.clone())), (vec!["one"], vec![]));
    assert_eq!(watches(script.prompt(&unnamed())), [vec![to(1)]], "all lines have ended");
    assert_eq!(watches(script.sample(&unnamed())), [[]; 0], "it is not there yet, and tried on");
    assert_eq!(watches(script.give(Event::Deadline)), [vec![to(2), to(1)]], "once it has begun, all of it");
}

#[test]
fn the_files_of_the_step_are_watched() {
    let blocks = check("file inside /etc/x present") + &check("file host y contains z");
    let (_, told) = Script::new(lesson(&[("a fresh", &blocks)]), false, 0, &unnamed());
    let asked = |inside, path: &str| Asked { inside, path: path.into() };
    assert!(
        told.contains(&Action::Watch(vec![asked(true, "/etc/x"), asked(false, "y")], false, Vec::new())),
        "{told:?}"
    );
}
