use super::*;
use crate::{
    kernel::namespaces::Kind,
    observe::{Network, Networks, Scorecard},
};
use std::sync::mpsc::channel;

#[test]
fn the_newest_request_is_answered_and_an_equal_sample_is_not_sent_again() {
    let (send, receive) = channel();
    let sampler = Sampler::start(Path::new("/bin/false"), move |number, _| send.send(number).unwrap()).unwrap();
    for number in 1..=500 {
        sampler.request(number);
    }
    let deadline = Duration::from_secs(20);
    let answered = || receive.recv_timeout(deadline).unwrap();
    let mut answers = vec![answered()];
    while answers.last() != Some(&500) {
        answers.push(answered());
    }
    assert!(answers.is_sorted() && answers.len() < 500, "{answers:?}");
    drop(sampler);
    let more = receive.recv_timeout(deadline);
    assert_eq!(more, Err(RecvTimeoutError::Disconnected), "the thread has ended and said nothing more");
}

#[test]
fn who_reads_what_does_not_answer_is_not_waited_for() {
    let (reading, is_reading) = channel();
    let (release, released) = channel::<()>();
    let sink = move |_, _| {
        reading.send(()).unwrap();
        let _ = released.recv();
    };
    let mut sampler = Sampler::start(Path::new("/bin/false"), sink).unwrap();
    sampler.request(1);
    is_reading.recv_timeout(Duration::from_secs(20)).unwrap();
    sampler.stop(Duration::from_millis(1));
    assert!(sampler.thread.is_none() && sampler.shared.lock().stop);
    drop(release);
}

/// How often the tests look again.
const SOON: Duration = Duration::from_millis(20);

/// One without a thread, which a test asks for its next reason to read.
fn idle() -> Sampler {
    Sampler { shared: Arc::default(), thread: None }
}

fn next_of(sampler: &Sampler) -> Next {
    next(&sampler.shared, Duration::ZERO, false, SOON).unwrap()
}

#[test]
fn every_word_is_part_of_the_next_reading() {
    let sampler = idle();
    sampler.foreground(Some(Pid(8)));
    sampler.host_terminal(Some(Pid(5)), Some(Pid(6)));
    sampler.group_touched("box".into(), true);
    sampler.watch(Pid(7));
    let first = next_of(&sampler);
    assert_eq!((first.subject, first.asked, first.number), (Subject::Below(Pid(7), Some(Pid(8))), true, 0));
    assert_eq!((first.host_terminal, first.groups), ((Some(Pid(5)), Some(Pid(6))), vec!["box".to_string()]));
    assert!(first.extra.is_none() && !first.networks);
    sampler.look_at(Extra { group: Some("box".into()), ..Extra::default() });
    sampler.networks(true);
    sampler.request(5);
    sampler.request(3);
    let second = next_of(&sampler);
    assert_eq!((second.number, second.extra.and_then(|extra| extra.group).as_deref()), (5, Some("box")));
    assert!(second.networks && second.asked);
    sampler.networks(false);
    sampler.anywhere(Some((Pid(9), 90)));
    let third = next_of(&sampler);
    assert_eq!(third.subject, Subject::Anywhere(Pid(7), Some(Pid(8)), Some((Pid(9), 90))));
    assert!(!third.networks && third.extra.is_none(), "what is looked at has not changed since");
}

#[test]
fn without_a_word_a_tick_passes_where_something_moves_by_itself() {
    let sampler = idle();
    sampler.anywhere(None);
    assert!(next_of(&sampler).asked);
    let began = Instant::now();
    assert!(!next_of(&sampler).asked && began.elapsed() >= SOON);
    // The end is waited for neither then nor during a rest.
    sampler.shared.lock().stop = true;
    assert!(next(&sampler.shared, Duration::from_secs(600), true, SOON).is_none());
}

#[test]
fn a_group_counts_from_when_it_was_made_and_the_last_one_touched_comes_last() {
    let sampler = idle();
    let touched = |name: &str, made| {
        sampler.group_touched(name.into(), made);
        sampler.shared.lock().groups.join(" ")
    };
    assert_eq!(touched("theirs", false), "");
    assert_eq!((touched("a", true), touched("b", true)), ("a".into(), "a b".into()));
    assert_eq!((touched("a", false), touched("a", true)), ("b a".into(), "b a".into()));
}

#[test]
fn two_samples_are_equal_whenever_they_were_read() {
    let of = |at_micros, members: &[Pid], container| {
        let group = Group { at_micros, members: members.into(), ..Group::default() };
        Sample { group, container, ..Sample::default() }
    };
    let one = of(5, &[Pid(7)], Some(Pid(7)));
    assert!(equal(&one, &one) && equal(&one, &of(6, &[Pid(7)], Some(Pid(7)))));
    assert!(!equal(&one, &of(5, &[], Some(Pid(7)))) && !equal(&one, &of(5, &[Pid(7)], None)));
}

#[test]
fn what_moves_by_itself_is_a_group_a_network_or_a_container_with_any_property() {
    let of = |change: fn(&mut Sample)| {
        let links = [(Kind::Net, 1)].into();
        let mut sample = Sample { container: Some(Pid(7)), host_namespaces: links, ..Sample::default() };
        sample.namespaces = sample.host_namespaces.clone();
        change(&mut sample);
        exists(&sample)
    };
    assert!(!of(|_| ()));
    assert!(of(|sample| sample.group.members.push(Pid(9))));
    let apart: fn(&mut Sample) = |sample| _ = sample.namespaces.insert(Kind::Net, 2);
    assert!(of(apart));
    assert!(of(|sample| sample.scorecard = Scorecard { rooted: true, ..Scorecard::default() }));
    assert!(of(|sample| sample.scorecard = Scorecard { limited: true, ..Scorecard::default() }));
    assert!(of(|sample| sample.scorecard = Scorecard { entered: true, ..Scorecard::default() }));
    assert!(!of(|sample| (sample.container, sample.scorecard.limited) = (None, true)));
    let networks = |count| Some(Networks { all: vec![Network::default(); count], more: 0 });
    assert!(exists(&Sample { networks: networks(2), ..Sample::default() }));
    assert!(!exists(&Sample { networks: networks(1), ..Sample::default() }), "the machine's alone");
}

#[test]
fn a_sample_is_news_where_it_differs_or_answers_a_newer_request() {
    let of = |container| Sample { container, ..Sample::default() };
    let before = Arc::new(of(Some(Pid(7))));
    let last = || Some((3, before.clone()));
    assert_eq!(news(last(), 3, of(Some(Pid(7)))), (before.clone(), false));
    let (kept, is_news) = news(last(), 4, of(Some(Pid(7))));
    assert!(is_news && Arc::ptr_eq(&kept, &before));
    assert_eq!(news(last(), 3, of(None)), (Arc::new(of(None)), true));
    assert_eq!(news(None, 0, of(None)), (Arc::new(of(None)), true));
}
