use super::*;
use std::{fs, os::unix::fs::PermissionsExt};

fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<PathBuf> + 'a {
    move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
}

fn paths(pairs: &[(&str, &str)], user: u32, home: &str) -> Vec<String> {
    let all = order(env(pairs), Uid::from_raw(user), |_| Some(home.into()), |_| false);
    all.iter().map(|candidate| candidate.path().to_str().unwrap().to_string()).collect()
}

#[test]
fn root_prefers_disks_and_users_their_own() {
    assert_eq!(paths(&[("HOME", "/root")], 0, "/root"), ["/var/lib/boxwright", "/var/tmp", "/run", "/tmp"]);
    let session = [("XDG_RUNTIME_DIR", "/run/user/0")];
    assert_eq!(paths(&session, 0, "/root").last().unwrap(), "/run/user/0", "a login manager mounts it nodev");
    let user = [("XDG_RUNTIME_DIR", "/run/user/1000"), ("HOME", "/home/li")];
    assert_eq!(paths(&user, 1000, "/home/li"), ["/run/user/1000", "/home/li/.cache/boxwright", "/var/tmp", "/tmp"]);
    assert_eq!(paths(&[("XDG_RUNTIME_DIR", "relative")], 1000, "/"), ["/var/tmp", "/tmp"]);
    assert_eq!(paths(&[("XDG_RUNTIME_DIR", "/tmp")], 1000, "/"), ["/tmp", "/var/tmp"], "each once");
}

#[test]
fn the_cache_is_always_the_effective_users() {
    let of = |pairs: &[(&str, &str)], user: u32| {
        let home_of = |uid: Uid| Some(if uid.is_root() { "/root" } else { "/home/li" }.into());
        let foreign = |path: &Path| path.starts_with("/home/li") != (user == 1000);
        let all = caches_of(env(pairs), Uid::from_raw(user), home_of, foreign);
        assert!(all.iter().all(|walk| walk.owner.unwrap().0.as_raw() == user), "{all:?}");
        all.iter().map(|walk| walk.path().display().to_string()).collect::<Vec<_>>()
    };
    let li = [("HOME", "/home/li"), ("SUDO_UID", "1000"), ("SUDO_GID", "1000"), ("XDG_CACHE_HOME", "/home/li/c")];
    assert_eq!(of(&li, 0), ["/root/.cache/boxwright"], "sudo -E keeps the variables");
    let c = "/home/li/c/boxwright";
    assert_eq!(of(&li, 1000), [c, c, "/home/li/.cache/boxwright"]);
    assert_eq!(of(&[("HOME", "/srv/x")], 0), ["/srv/x/.cache/boxwright"]);
    assert_eq!(of(&[("HOME", "/")], 1000), ["/home/li/.cache/boxwright"]);
}

#[test]
fn a_directory_that_others_can_change_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let set = |mode| fs::set_permissions(dir.path(), fs::Permissions::from_mode(mode)).unwrap();
    let (shared, private) = (Candidate::Shared(dir.path().into()), Candidate::Private(dir.path().into()));
    for (mode, as_shared, as_private) in
        [(0o700, true, true), (0o755, true, true), (0o1777, true, false), (0o777, false, false), (0o770, false, false)]
    {
        set(mode);
        let open = |candidate: &Candidate| candidate.facts().system.is_ok();
        assert_eq!((open(&shared), open(&private)), (as_shared, as_private), "{mode:o}");
    }
    let gone = Candidate::Private(dir.path().join("gone")).facts();
    assert_eq!(gone.system, Err(Lack::Denied(Errno::ENOENT)));
}

#[test]
fn looking_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let owner = Some((geteuid(), nix::unistd::getegid()));
    let own = Candidate::Own(Walk { base: dir.path().into(), below: "a/boxwright".into(), owner });
    let facts = own.facts();
    assert!(facts.system.is_ok() && facts.starts.is_ok(), "{facts:?}");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    own.make().unwrap();
    assert!(own.path().is_dir());
}

#[test]
fn every_place_of_an_earlier_session_is_looked_at() {
    let all = everywhere();
    for path in ["/var/tmp".into(), "/run".into(), "/tmp".into(), PathBuf::from(format!("/run/user/{}", geteuid()))] {
        assert!(all.contains(&path), "{}", path.display());
    }
}
