use super::{
    super::{
        container::{Container, Maker},
        facts::Who,
    },
    *,
};
use crate::dirs::Room;
use nix::errno::Errno;

const NEED: Need = Need { devices: true, room: Room::Known(75 << 20) };

fn place(path: &str, kind: &str, options: &str, lacks: &[Lack]) -> Place {
    let system = FileSystem {
        kind: kind.into(),
        point: path.into(),
        options: options.into(),
        nodev: options.contains("nodev"),
        size: 1 << 30,
        free: 1 << 29,
        ..FileSystem::default()
    };
    Place { path: path.into(), system: Some(system), lacks: lacks.to_vec() }
}

fn machine(root: bool, contained: bool) -> Facts {
    let container = Container { maker: Maker::Docker, sign: "/.dockerenv".into() };
    let who = if root { Who::Root } else { Who::User };
    Facts { who, container: contained.then_some(container), ..Facts::default() }
}

#[test]
fn a_directory_that_fits_is_named_with_its_flags_and_its_room() {
    let row = judge(&[place("/var/tmp", "ext4", "rw,relatime", &[])], &machine(true, false), NEED, Lang::En);
    assert_eq!((row.level, row.found.as_str()), (Level::Ok, "/var/tmp: ext4 on /var/tmp, rw,relatime, 512.0 MiB free"));
}

#[test]
fn each_that_lacks_something_is_named_with_the_way_to_get_it() {
    let run = || place("/run", "tmpfs", "rw,nosuid,nodev,noexec", &[Lack::NoExec, Lack::NoDev]);
    let closed = Place { path: "/x".into(), system: None, lacks: vec![Lack::Denied(Errno::EACCES)] };
    let row = judge(&[run(), closed.clone()], &machine(true, false), NEED, Lang::En);
    assert_eq!((row.level, row.need), (Level::Missing, Some(Requirement::SessionDir(Ability::Exec))));
    let remedy = row.remedy.unwrap().text();
    for part in [
        "mount -o remount,exec,dev /run; or ",
        "tmpfs -o mode=700,size=256m tmpfs /var/lib/boxwright",
        "XDG_RUNTIME_DIR",
        "\n/run: noexec: ",
        "\n/x: Permission denied (EACCES)",
    ] {
        assert!(remedy.contains(part), "{remedy}");
    }
    let user = judge(&[run()], &machine(false, false), NEED, Lang::Zh).remedy.unwrap().text();
    assert!(!user.contains("mount") && user.contains("75.0 MiB"), "{user}");
    let contained = judge(&[run()], &machine(true, true), NEED, Lang::En).remedy.unwrap().text();
    assert!(
        contained.contains("docker run -v /run") && contained.contains("--tmpfs /run:exec,dev,size=256m"),
        "{contained}"
    );
    assert!(judge(&[closed], &machine(true, false), NEED, Lang::En).bars);
    let overlay = judge(&[place("/tmp", "overlay", "rw", &[Lack::NoUpper])], &machine(true, false), NEED, Lang::En);
    assert_eq!(overlay.level, Level::Limited);
}

#[test]
fn a_failed_trial_is_explained_by_what_is_known_of_the_directory() {
    let say = |call: &str, errno, place: Place| {
        let why = Why::Tried(Failure { call: call.into(), errno: Some(errno as i32) });
        let why = Inability { why, place, need: NEED };
        format!("{}; {}", why.found(Lang::En), why.remedy(&machine(true, false), Lang::En).what)
    };
    let overlay = say("mount(overlay)", Errno::EINVAL, place("/tmp", "overlay", "rw", &[Lack::NoUpper]));
    assert!(
        overlay.starts_with("the file system of /tmp is itself an overlay (mount(overlay): Invalid argument"),
        "{overlay}"
    );
    assert!(
        say("mount(overlay)", Errno::EINVAL, place("/tmp", "nfs4", "rw", &[])).contains("/tmp is nfs4, which cannot")
    );
    let device = say("open(null)", Errno::EACCES, place("/run", "tmpfs", "nodev", &[Lack::NoDev]));
    assert!(device.starts_with("/run: nodev: no device node works there (open(null): "), "{device}");
    let unknown = say("mount(overlay)", Errno::ENODEV, place("/var/tmp", "ext4", "rw", &[]));
    assert!(unknown.contains("built without it"), "{unknown}");
}

#[test]
fn a_trial_leaves_nothing() {
    let trial = Trial::new(Need::default());
    let (work, ..) = trial.made.as_ref().unwrap();
    let work = work.clone();
    assert!(work.is_dir());
    let _ = trial.failure(Ability::Exec).map(|why| why.found(Lang::En));
    drop(trial);
    assert!(!work.exists() && !work.parent().unwrap().exists());
}
