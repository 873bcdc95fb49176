use super::super::links;
use super::*;
use crate::kernel::apart::{Apart, forked};
use std::io::pipe;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn told(args: &[&str]) -> Answer {
    serde_json::from_str(&line(&words(args))).unwrap()
}

#[test]
fn the_first_word_says_what_is_asked() {
    assert_eq!(line(&words(&["networks", "0"])), "[]");
    assert!(line(&words(&["reach"])).contains(&format!("\"errno\":{}", libc::EINVAL)));
    assert!(line(&words(&["names"])).contains("\"why\":\"EINVAL\""));
    for wrong in [&[][..], &["x"]] {
        assert_eq!(told(wrong).errors, ["usage: __ns-helper PID"]);
    }
}

#[test]
fn who_lives_here_is_asked_without_entering_anything() {
    let answer = look(Pid::own());
    let own = links(Path::new("/proc/self"));
    for kind in KINDS {
        assert_eq!(answer.namespace(kind), own.get(&kind).copied(), "{kind}");
    }
    assert_eq!((answer.namespace(Kind::User), answer.namespace(Kind::Pid)), (None, None));
    let kernel = text::read("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(answer.hostname.as_deref(), Some(kernel.trim()));
    assert!(answer.sysv.is_some() && answer.listening.is_some() && is_about(&answer, &own));
    assert!(answer.interfaces.unwrap().iter().any(|link| link.name == "lo"));
    assert_eq!(answer.errors, [""; 0]);
    let gone: Vec<String> =
        [Kind::User, Kind::Ipc, Kind::Uts, Kind::Net, Kind::Mnt].map(|kind| format!("open {kind}: ENOENT")).into();
    assert_eq!(told(&[&i32::MAX.to_string()]), Answer { errors: gone, ..Answer::default() });
}

#[test]
#[cfg_attr(no_user_namespaces, ignore = "no user namespaces could be made when this was built")]
fn who_lives_apart_is_asked_there() {
    let apart = Apart::new();
    let args = words(&[&apart.pid().to_string()]);
    let answer: Answer = serde_json::from_str(&forked(|| line(&args))).unwrap();
    assert_eq!((answer.hostname.as_deref(), answer.errors.as_slice()), (Some("box"), &[][..]));
    let links = links(&apart.pid().dir());
    for kind in [Kind::Ipc, Kind::Uts, Kind::Net, Kind::Mnt] {
        assert_eq!(answer.namespace(kind), links.get(&kind).copied(), "{kind}");
    }
    let [lo] = answer.interfaces.as_deref().unwrap() else { panic!("{answer:?}") };
    assert_eq!((lo.name.as_str(), lo.up), ("lo", false));
    assert_eq!((answer.listening, answer.sysv), (Some(Vec::new()), Some(Vec::new())));
    let mounts = text::read(apart.pid().dir().join("mountinfo")).unwrap().lines().count();
    assert_eq!(answer.mounts, Some(mounts));
}

#[test]
fn an_answer_is_about_the_namespaces_that_it_names() {
    let namespaces: Links = [(Kind::Net, 5), (Kind::Uts, 6), (Kind::Mnt, 7)].into();
    let about = |of: &[(&str, u64)]| {
        let namespaces_of = of.iter().map(|(link, inode)| ((*link).to_string(), *inode)).collect();
        is_about(&Answer { namespaces: namespaces_of, ..Answer::default() }, &namespaces)
    };
    assert!(about(&[]) && about(&[("net", 5)]) && about(&[("net", 5), ("uts", 6), ("mnt", 7)]));
    assert!(!about(&[("net", 6)]) && !about(&[("net", 5), ("mnt", 6)]) && !about(&[("ipc", 5)]));
}

#[test]
fn a_child_has_answered_when_its_pipe_ends_or_too_late() {
    let soon = || Instant::now() + Duration::from_secs(20);
    let of = |script: &str, until| answer_of::<Vec<u32>>(Command::new("sh").args(["-c", script]), until);
    assert_eq!(of("echo '[1,2]'", soon()), Some(vec![1, 2]));
    assert_eq!((of("echo '[1,'", soon()), of(":", soon())), (None, None));
    assert_eq!(of("exec sleep 99", Instant::now() + Duration::from_millis(1)), None);
    assert_eq!(answer_of::<u32>(&mut Command::new("/no/such/program"), soon()), None);
    let (mut read, mut write) = pipe().unwrap();
    write.write_all(b"some").unwrap();
    assert_eq!(read_until(&mut read, Instant::now() + Duration::from_millis(1)), None, "more may follow");
    write.write_all(&[b'x'; 5000]).unwrap();
    drop(write);
    assert_eq!(read_until(&mut read, soon()), Some(vec![b'x'; 5000]));
}
