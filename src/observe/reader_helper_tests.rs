//! What a reader has asked inside, by a child.

use super::tests::{Fake, OWN, session};
use super::*;
use crate::observe::{Interface, stub::Stub};
use std::fs;

/// The answer of a child that was in all namespaces of the container.
fn answer() -> ns_helper::Answer {
    let link = Interface { name: "lo".into(), up: true, addresses: vec!["127.0.0.1/8".into()] };
    ns_helper::Answer {
        namespaces: OWN[1..].iter().map(|(kind, inode)| (kind.row().link.to_string(), *inode)).collect(),
        hostname: Some("box".into()),
        interfaces: Some(vec![link]),
        listening: Some(vec![80, 22, 80]),
        sysv: Some(vec!["queue 1".into()]),
        mounts: Some(4),
        errors: Vec::new(),
    }
}

fn reader(fake: &Fake, stub: &Stub) -> Reader {
    Reader::new(fake.0.path(), &stub.exe())
}

const BELOW: Subject = Subject::Below(Pid(10), None);

#[test]
fn a_child_answers_for_what_is_separated() {
    let (fake, stub) = (session(), Stub::new());
    stub.say(&answer());
    let (sample, _) = reader(&fake, &stub).read(BELOW);
    let inside = &sample.inside;
    assert_eq!((inside.hostname.as_deref(), inside.hidden_mounts), (Some("box"), Some(3)));
    assert_eq!(inside.interfaces, answer().interfaces.unwrap());
    assert_eq!((inside.listening.as_slice(), inside.sysv.as_slice()), (&[22, 80][..], &["queue 1".to_string()][..]));
    assert_eq!(stub.asked(), ["30"]);
}

#[test]
fn a_child_is_asked_again_where_something_may_have_changed() {
    let (fake, stub) = (session(), Stub::new());
    stub.say(&answer());
    let mut reader = reader(&fake, &stub);
    let asked = |reader: &mut Reader| {
        reader.read(BELOW);
        stub.asked().len()
    };
    assert_eq!((asked(&mut reader), asked(&mut reader)), (1, 1), "nothing has");
    reader.forget();
    assert_eq!(asked(&mut reader), 2);
    fake.file("30/net/sockstat", "sockets: used 9\nTCP: inuse 3 orphan 0 tw 0 alloc 4 mem 1\n");
    assert_eq!((asked(&mut reader), asked(&mut reader)), (3, 3), "a port may have been opened");
    fs::remove_file(fake.0.path().join("30/ns/uts")).unwrap();
    fake.link("30/ns/uts", "uts:[6]");
    assert_eq!(asked(&mut reader), 4);
}

#[test]
fn an_answer_from_other_namespaces_is_not_believed() {
    let (fake, stub) = (session(), Stub::new());
    let mut other = answer();
    other.namespaces.insert("net".into(), 6);
    stub.say(&other);
    let (sample, _) = reader(&fake, &stub).read(BELOW);
    assert_eq!((sample.inside.hostname, sample.inside.listening.as_slice()), (None, &[][..]));
}

#[test]
fn nobody_is_asked_where_all_is_the_hosts() {
    let (fake, stub) = (session(), Stub::new());
    stub.say(&answer());
    let mut reader = reader(&fake, &stub);
    reader.read(BELOW);
    let (sample, _) = reader.read(Subject::Exactly(Pid(10)));
    assert_eq!((sample.inside.hostname, stub.asked().len()), (sample.host.hostname, 1));
    // With a PID namespace of its own alone there is nothing to ask for, either.
    fake.process(70, 1, "sh", &OWN[..1]);
    assert!(reader.read(Subject::Exactly(Pid(70))).0.inside.interfaces == sample.host.interfaces);
    assert_eq!(stub.asked().len(), 1);
}

#[test]
fn networks_are_read_where_a_lesson_or_the_screen_wants_them() {
    let (fake, stub) = (session(), Stub::new());
    let networks = |change: fn(&mut Reader)| {
        let mut reader = reader(&fake, &stub);
        change(&mut reader);
        reader.read(BELOW).0.networks
    };
    assert_eq!(networks(|_| ()), None);
    let seats = |networks: Option<crate::observe::Networks>| {
        let all = networks.unwrap().all;
        all.into_iter().map(|it| (it.inode, it.host, it.container, it.host_terminal)).collect::<Vec<_>>()
    };
    let plain = vec![(1, true, false, false), (5, false, true, false)];
    assert_eq!(seats(networks(|reader| reader.sees_networks = true)), plain);
    let lesson = |reader: &mut Reader| reader.look_at(Extra { networks: true, ..Extra::default() });
    assert_eq!(seats(networks(lesson)), plain);
    // The host terminal's process, and its shell once that has ended.
    for process in [(Some(Pid(50)), Some(Pid(31))), (Some(Pid(31)), Some(Pid(99)))] {
        let mut reader = reader(&fake, &stub);
        (reader.sees_networks, reader.host_terminal) = (true, process);
        let seats = seats(reader.read(BELOW).0.networks);
        assert_eq!(seats, [(1, true, false, false), (5, false, true, true)], "{process:?}");
    }
}
