use super::super::{
    args::{GROUP, USER},
    model::{Outcome, Where},
    network::{Connect, NetFact, Reply, Spot, Towards},
};
use super::*;
use crate::kernel::{namespaces::Kind, owned::Mapped};

fn read(text: &str) -> Result<Fact, Wrong> {
    parse_fact(&text.split_whitespace().collect::<Vec<_>>())
}

#[test]
fn every_example_is_an_instruction() {
    for word in &VOCABULARY {
        assert!(word.example.starts_with(word.name), "{}", word.example);
        assert!(read(word.example).is_ok(), "{}: {:?}", word.example, read(word.example));
    }
}

#[test]
fn words_become_facts() {
    assert_eq!(read("namespace pid,uts new"), Ok(Fact::Namespace(vec![Kind::Pid, Kind::Uts], true)));
    assert_eq!(read("proc own"), Ok(Fact::ProcShowsHost(false)));
    assert_eq!(read("no-mount host /mnt"), Ok(Fact::NoMount(Where::Host, "/mnt".into(), None)));
    assert_eq!(read("listening inside {port}"), Ok(Fact::Listening(Where::Inside, 0)));
    let text = Some("CLONE_NEWPID now".to_owned());
    assert_eq!(read("call unshare ok CLONE_NEWPID now"), Ok(Fact::Call("unshare".into(), Outcome::Ok, text)));
    assert_eq!(read("group cpu 45..55"), Ok(Fact::Group(GroupFact::Cpu(45, 55))));
    assert_eq!(read("group pids none"), Ok(Fact::Group(GroupFact::Setting(Setting::Pids, None))));
    let contains = FileFact::Contains("a b".into());
    assert_eq!(read("file inside /x contains a b"), Ok(Fact::File(Where::Inside, "/x".into(), contains)));
    let mapped = |inside, outside, count| Mapped { inside, outside, count };
    let lines = vec![mapped(0, GROUP, 1), mapped(1, 200_000, 10)];
    assert_eq!(read("id-map gid 0 {gid} 1,1 200000 10"), Ok(Fact::IdMap(false, lines)));
    assert_eq!(read("id-map uid none"), Ok(Fact::IdMap(true, Vec::new())));
    assert_eq!(read("file host f owner {uid}"), Ok(Fact::File(Where::Host, "f".into(), FileFact::Owner(USER))));
    let cable = [(Spot::Outside, "v0".into()), (Spot::Far, "eth0".into())];
    assert_eq!(read("cable outside v0 far eth0"), Ok(Fact::Net(NetFact::Cable(cable))));
    let towards = |to: Towards| Ok(Fact::Net(NetFact::Route(Spot::Inside, "default".into(), to)));
    assert_eq!(read("route inside default via 10.1.0.1"), towards(Towards::Via("10.1.0.1".into())));
    assert_eq!(read("route inside default none"), towards(Towards::None));
    let connect = Connect { from: Spot::Inside, ip: [10, 2, 0, 2].into(), port: 80 };
    let net = |reply, seen: Option<&str>, at| NetFact::Connect(connect, reply, seen.map(String::from), at);
    assert_eq!(read("connect inside 10.2.0.2 80 silence"), Ok(Fact::Net(net(Reply::Silence, None, None))));
    let whole = net(Reply::Ends(Outcome::Ok), Some("10.2.0.1"), Some(Spot::Outside));
    assert_eq!(read("connect inside 10.2.0.2 80 ok as 10.2.0.1 at outside"), Ok(Fact::Net(whole)));
    let resolves = NetFact::Resolves("*.box".into(), [10, 1, 0, 1].into());
    assert_eq!(read("resolves *.box 10.1.0.1"), Ok(Fact::Net(resolves)));
    assert_eq!(read("ended sh status 2"), Ok(Fact::Ended("sh".into(), End::Status(2))));
}

#[test]
fn a_misspelt_word_is_answered_with_the_right_one() {
    for (text, right) in [
        ("call mount EPREM", "EPERM"),
        ("call moutn EPERM", "mount"),
        ("namspace pid new", "namespace"),
        ("namespace pid,ust new", "uts"),
        ("ended sh signal SIGKIL", "SIGKILL"),
        ("file host x presnt", "present"),
        ("group memroy 1", "memory"),
        ("in-group sh memroy", "memory"),
        ("hostname insde is box", "inside"),
        ("forwarding outsid on", "outside"),
        ("connect inside 10.1.0.1 80 ECONREFUSED", "ECONNREFUSED"),
    ] {
        let (_, what) = read(text).unwrap_err();
        assert!(what.ends_with(&format!("; did you mean `{right}`?")), "{text}: {what}");
    }
}

#[test]
fn the_wrong_word_is_named() {
    for (text, at) in [
        ("namespcae pid new", 0),
        ("namespace pids new", 1),
        ("namespace pid,,uts new", 1),
        ("namespace pid", 2),
        ("namespace pid new now", 3),
        ("hostname inside be box", 2),
        ("mount inside mnt tmpfs", 2),
        ("listening inside 0", 2),
        ("listening inside 65536", 2),
        ("call unsahre ok", 1),
        ("call unshare enomem", 2),
        ("call mount EPREM", 2),
        ("ended sh signal KILL", 3),
        ("ended sh status 256", 3),
        ("file host x exists", 3),
        ("file host x contains", 4),
        ("group quota much", 2),
        ("group swapped none", 2),
        ("group cpu 55..45", 2),
        ("group throttled", 2),
        ("id-map uid", 2),
        ("id-map uid 0 1", 4),
        ("id-map uid 0 1 x", 5),
        ("user inside me", 2),
        ("owner uts nobody", 2),
        ("file host f owner", 4),
        ("cable inside eth0 outside", 4),
        ("cable beside eth0 outside v0", 1),
        ("link outside v0 on", 3),
        ("address inside eth0 10.1.0.2", 3),
        ("address inside eth0 10.1.0.2/33", 3),
        ("route inside 10.1.0.0 none", 2),
        ("route inside default by 10.1.0.1", 3),
        ("route inside default via v0", 4),
        ("neighbour outside v0 answers", 2),
        ("counter outside InReceives some", 2),
        ("connect inside 10.1.0.1 http ok", 3),
        ("connect inside 10.1.0.1 80 quiet", 4),
        ("connect inside 10.1.0.1 80 ok as me", 6),
        ("connect inside 10.1.0.1 80 silence at outside", 5),
        ("alone now", 1),
        ("", 0),
    ] {
        assert_eq!(read(text).map_err(|(at, _)| at), Err(at), "{text}");
    }
}
