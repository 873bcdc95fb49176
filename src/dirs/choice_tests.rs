use super::*;

const MIB: u64 = 1 << 20;

/// A file system as the mount table of a machine has it: its type, flags and free bytes.
fn on(kind: &str, options: &str, free: u64) -> Result<FileSystem, Lack> {
    let has = |flag: &str| options.split(',').any(|option| option == flag);
    Ok(FileSystem {
        kind: kind.into(),
        noexec: has("noexec"),
        nodev: has("nodev"),
        read_only: has("ro"),
        options: options.into(),
        size: 2 * free + MIB,
        free,
        ..FileSystem::default()
    })
}

fn decide(places: &[(&str, Result<FileSystem, Lack>)], need: Need) -> Vec<Place> {
    let facts = |(path, system): &(&str, Result<FileSystem, Lack>)| {
        ((), Facts { path: path.into(), system: system.clone(), starts: Ok(()) })
    };
    let chosen = |extent| choose(places.iter().map(facts), need, extent).into_iter().map(|(_, place)| place);
    let (all, enough): (Vec<Place>, Vec<Place>) = (chosen(Extent::All).collect(), chosen(Extent::Enough).collect());
    assert_eq!(all.first(), enough.first(), "what is looked at for the best alone");
    assert_eq!(all.len(), places.len());
    let fits = all.iter().filter(|place| place.lacks.is_empty()).count();
    assert_eq!(enough.iter().filter(|place| place.lacks.is_empty()).count(), fits.min(1), "no second one is looked at");
    all
}

const ROOT: Need = Need { devices: true, room: Room::Known(75 * MIB) };
const USER: Need = Need { devices: false, room: Room::Known(75 * MIB) };

/// The mounts of stock machines, in the order of preference: what is chosen, and what it lacks.
#[test]
fn stock_machines() {
    let gib = 1024 * MIB;
    let ext4 = || on("ext4", "rw,relatime", 20 * gib);
    let overlay = || on("overlay", "rw,relatime", 50 * gib);
    let initramfs = |free| on("tmpfs", "rw,nosuid,nodev,noexec,relatime", free);
    let systemd = |free| on("tmpfs", "rw,nosuid,nodev", free);
    let user_dir = || on("tmpfs", "rw,nosuid,nodev,relatime", 99 * MIB);
    let missing = || Err(Lack::Denied(Errno::ENOENT));
    let roots = ["/var/lib/boxwright", "/var/tmp", "/run", "/tmp"];
    type Row = (&'static str, [Result<FileSystem, Lack>; 4], Need, &'static str, &'static [Lack]);
    let as_root: [Row; 11] = [
        ("Debian 12, Ubuntu", [ext4(), ext4(), initramfs(97 * MIB), ext4()], ROOT, roots[0], &[]),
        ("Debian 13", [ext4(), ext4(), initramfs(97 * MIB), systemd(500 * MIB)], ROOT, roots[0], &[]),
        ("Fedora, Arch", [ext4(), ext4(), systemd(800 * MIB), systemd(2 * gib)], ROOT, roots[0], &[]),
        ("WSL 2", [ext4(), ext4(), initramfs(4 * gib), ext4()], ROOT, roots[0], &[]),
        ("/var/lib read-only", [on("ext4", "ro", gib), ext4(), initramfs(gib), ext4()], ROOT, roots[1], &[]),
        (
            "a full disk and Debian's memory",
            [on("ext4", "rw", MIB), on("ext4", "rw", MIB), initramfs(97 * MIB), systemd(500 * MIB)],
            ROOT,
            roots[3],
            &[Lack::NoDev],
        ),
        ("docker run -v /run", [overlay(), overlay(), ext4(), overlay()], ROOT, roots[2], &[]),
        (
            "docker run --tmpfs /run",
            [overlay(), overlay(), initramfs(64 * MIB), overlay()],
            ROOT,
            roots[0],
            &[Lack::NoUpper],
        ),
        (
            "docker run --tmpfs /run:exec,dev,size=1g",
            [overlay(), overlay(), on("tmpfs", "rw,nosuid,relatime", gib), overlay()],
            ROOT,
            roots[2],
            &[],
        ),
        (
            "an image larger than the memory",
            [missing(), missing(), on("tmpfs", "rw", 97 * MIB), on("tmpfs", "rw", 200 * MIB)],
            Need { room: Room::Known(400 * MIB), ..ROOT },
            roots[3],
            &[Lack::Room(200 * MIB, 400 * MIB)],
        ),
        (
            "programs start nowhere",
            [Err(Lack::Foreign), initramfs(gib), initramfs(gib), on("ext4", "rw,noexec", gib)],
            ROOT,
            roots[3],
            &[Lack::NoExec],
        ),
    ];
    let users = ["/run/user/1000", "/home/li/.cache/boxwright", "/var/tmp", "/tmp"];
    let as_user: [Row; 7] = [
        ("a user who logs in", [user_dir(), ext4(), ext4(), ext4()], USER, users[0], &[]),
        (
            "the same with a large image",
            [user_dir(), ext4(), ext4(), ext4()],
            Need { room: Room::Known(300 * MIB), ..USER },
            users[1],
            &[],
        ),
        ("WSL 2.5.7", [initramfs(gib), ext4(), ext4(), ext4()], USER, users[1], &[]),
        ("no session, /tmp noexec", [missing(), ext4(), ext4(), initramfs(gib)], USER, users[1], &[]),
        ("a home of root's", [missing(), Err(Lack::Foreign), ext4(), ext4()], USER, users[2], &[]),
        ("a home on a network", [missing(), on("nfs4", "rw", gib), ext4(), ext4()], USER, users[2], &[]),
        ("a container", [missing(), overlay(), overlay(), overlay()], USER, users[1], &[Lack::NoUpper]),
    ];
    let rows = as_root.into_iter().map(|row| (roots, row)).chain(as_user.into_iter().map(|row| (users, row)));
    for (names, (machine, systems, need, chosen, lacks)) in rows {
        let places: Vec<_> = names.into_iter().zip(systems).collect();
        let best = decide(&places, need).remove(0);
        assert_eq!((best.path.to_str().unwrap(), best.lacks.as_slice()), (chosen, lacks), "{machine}");
    }
}

#[test]
fn the_largest_step_of_all_lessons_fits() {
    let room = |image, builtin| Need::of_images(image * MIB, builtin * MIB).room.bytes() / MIB;
    // Measured: two copies of 9 MiB and three trees of 18 MiB; and 2 × 12 + 3 × 25.
    assert!(room(18, 18) >= 72 && room(25, 25) >= 99);
    assert!(room(18, 18) < 97, "and still in the /run of a machine with 1 GiB");
    assert_eq!(room(117, 18), 351, "three times the image");
    assert_eq!(room(4, 18), 51);
}

#[test]
fn devices_count_for_root_alone() {
    let run = [("/run", on("tmpfs", "rw,nosuid,nodev", 200 * MIB))];
    assert_eq!(decide(&run, ROOT).remove(0).lacks, [Lack::NoDev]);
    assert_eq!(decide(&run, USER).remove(0).lacks, []);
}

#[test]
fn what_a_trial_says_counts_as_much_as_the_flags() {
    let facts = |starts| ((), Facts { path: "/var/tmp".into(), system: on("ext4", "rw", 900 * MIB), starts });
    let lacks = |errno| choose(vec![facts(Err(errno))], ROOT, Extent::All).remove(0).1.lacks;
    assert_eq!(lacks(Errno::EACCES), [Lack::Refused(Errno::EACCES)]);
    assert_eq!(lacks(Errno::EDQUOT), [Lack::Room(0, ROOT.room.bytes())]);
    let both = vec![facts(Err(Errno::EPERM)), facts(Ok(()))];
    assert_eq!(choose(both, ROOT, Extent::All).remove(0).1.lacks, [], "the second is better");
}

#[test]
fn no_limit_is_room_enough() {
    let unlimited = FileSystem { kind: "tmpfs".into(), ..FileSystem::default() };
    assert_eq!(decide(&[("/run", Ok(unlimited))], ROOT).remove(0).lacks, []);
}

#[test]
fn the_image_is_measured_where_it_may_not_fit() {
    let need = |room| Need { devices: false, room };
    let place = |free| [("/run", on("tmpfs", "rw", free))];
    let lacks = |free, room| decide(&place(free), need(Room::Measured(room))).remove(0).lacks;
    assert_eq!(lacks(PLENTY, || unreachable!("it takes long")), []);
    assert_eq!(lacks(PLENTY - 1, || 75 * MIB), []);
    assert_eq!(lacks(70 * MIB, || 75 * MIB), [Lack::Room(70 * MIB, 75 * MIB)]);
    let known = decide(&place(PLENTY), need(Room::Known(2 * PLENTY))).remove(0).lacks;
    assert_eq!(known, [Lack::Room(PLENTY, 2 * PLENTY)], "what the user names may be of any size");
}

#[test]
fn a_closed_directory_comes_last_and_each_reason_is_said() {
    let places = [("/a", Err(Lack::Denied(Errno::EACCES))), ("/b", on("tmpfs", "rw,noexec,nodev", MIB))];
    let [b, a] = decide(&places, ROOT).try_into().unwrap();
    assert!(b.is_open() && !a.is_open());
    assert_eq!(a.say(Lang::En), "/a: Permission denied (EACCES)");
    assert_eq!(
        b.say(Lang::En),
        "/b: noexec: no program starts there; 1.0 MiB free, 75.0 MiB needed; nodev: no device node works there"
    );
    assert!(b.say(Lang::Zh).starts_with("/b：noexec："));
}

/// What a session needs, in bytes: a copy is half of a tree.
#[test]
fn room_is_counted_from_both_images() {
    assert_eq!(Need::room_of(100, 10), 300);
    assert_eq!(Need::room_of(10, 100), 15 + 250);
    assert_eq!(Need::room_of(u64::MAX, u64::MAX), u64::MAX, "a size that somebody made up");
    assert_eq!(Need::of_images(0, 0).devices, geteuid().is_root());
    assert_eq!(Need::default().room.bytes(), 100 * MIB);
}

#[test]
fn a_lack_says_whether_anything_can_be_made_and_whether_programs_start() {
    for (lack, closed, stops, said) in [
        (Lack::Denied(Errno::EROFS), true, false, "Read-only file system (EROFS)"),
        (Lack::Foreign, true, false, "others may change what is in it"),
        (Lack::NoExec, false, true, "noexec: no program starts there"),
        (
            Lack::Refused(Errno::EPERM),
            false,
            true,
            "a program that was started there was refused: Operation not permitted (EPERM)",
        ),
        (Lack::Room(MIB, 2 * MIB), false, false, "1.0 MiB free, 2.0 MiB needed"),
        (Lack::NoDev, false, false, "nodev: no device node works there"),
        (Lack::NoUpper, false, false, "an overlay cannot have its upper directory there"),
    ] {
        assert_eq!((lack.closed(), lack.stops_programs(), lack.say(Lang::En).as_str()), (closed, stops, said));
        assert!(!lack.say(Lang::Zh).is_empty());
    }
}

/// One directory, with each thing that can be wrong with it alone.
#[test]
fn a_directory_lacks_what_is_wrong_with_it_and_nothing_else() {
    let judged = |system: Result<FileSystem, Lack>, starts, need| {
        let place = Place::judge(Facts { path: "/x".into(), system: system.clone(), starts }, need);
        assert_eq!((place.path.as_path(), &place.system), (std::path::Path::new("/x"), &system.ok()));
        place.lacks
    };
    let fits = || on("ext4", "rw", 75 * MIB);
    let small = || on("ext4", "rw", 75 * MIB - 1);
    assert_eq!(judged(fits(), Ok(()), ROOT), []);
    assert_eq!(judged(small(), Ok(()), ROOT), [Lack::Room(75 * MIB - 1, 75 * MIB)]);
    assert_eq!(judged(small(), Err(Errno::ENOSPC), ROOT), [Lack::Room(0, 75 * MIB)], "said once");
    assert_eq!(judged(fits(), Err(Errno::EROFS), ROOT), [Lack::Denied(Errno::EROFS)]);
    assert_eq!(judged(fits(), Err(Errno::EPERM), ROOT), [Lack::Refused(Errno::EPERM)]);
    assert_eq!(judged(fits(), Err(Errno::EACCES), ROOT), [Lack::Refused(Errno::EACCES)]);
    assert_eq!(judged(on("ext4", "ro", 75 * MIB), Ok(()), ROOT), [Lack::Denied(Errno::EROFS)]);
    assert_eq!(judged(on("ext4", "rw,noexec", 75 * MIB), Err(Errno::EACCES), ROOT), [Lack::NoExec]);
    assert_eq!(judged(on("ext4", "rw,nodev", 75 * MIB), Ok(()), ROOT), [Lack::NoDev]);
    assert_eq!(judged(on("ext4", "rw,nodev", 75 * MIB), Ok(()), USER), []);
    assert_eq!(judged(on("fuse.sshfs", "rw", 75 * MIB), Ok(()), USER), [Lack::NoUpper]);
    assert_eq!(judged(Err(Lack::Foreign), Ok(()), ROOT), [Lack::Foreign]);
}

/// Each is worse than the one before it, whatever comes first in the order of preference.
#[test]
fn what_is_worse_comes_later() {
    let place = |name: &str, lacks: &[Lack]| Place { path: name.into(), system: None, lacks: lacks.into() };
    let all = [
        place("nothing", &[]),
        place("one step", &[Lack::NoDev]),
        place("two steps", &[Lack::NoDev, Lack::NoUpper]),
        place("much room", &[Lack::Room(2, 9)]),
        place("little room", &[Lack::Room(1, 9)]),
        place("no program", &[Lack::NoExec]),
        place("no program and no room", &[Lack::Refused(Errno::EPERM), Lack::Room(1, 9)]),
        place("closed", &[Lack::Foreign]),
    ];
    assert!(all.is_sorted_by(|better, worse| better.badness() < worse.badness()));
    assert!(all[..7].iter().all(Place::is_open) && !all[7].is_open());
}
