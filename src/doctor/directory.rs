//! The directory that sessions are made in: which one it is, what it lacks for lessons, and how to get that.

use super::{
    Level, Row,
    attempt::{Failure, attempt_in},
    facts::Facts,
    remedy::Remedy,
};
use crate::{
    columns::bytes,
    dirs::{self, Lack, Need, Place, Tidy},
    kernel::{errno, filesystem::FileSystem},
    lang::Lang,
    lesson::{Ability, Requirement},
    session::{Ledger, RunDir},
};
use std::path::{Path, PathBuf};

/// The row of the directory that a session would be made in now.
pub(super) fn row(machine: &Facts, need: Need, lang: Lang) -> Row {
    let places: Vec<Place> = dirs::best(need).into_iter().map(|(_, place)| place).collect();
    judge(&places, machine, need, lang)
}

fn judge(places: &[Place], machine: &Facts, need: Need, lang: Lang) -> Row {
    let check = lang.pick("run directory", "运行目录");
    let Some(best) = places.first() else {
        return Row::bad(Level::Missing, check, "", elsewhere(need, lang)).barring();
    };
    let found = match &best.system {
        Some(system) => format!("{}{}{}", best.path.display(), lang.pick(": ", "："), facts(system, lang)),
        None => best.say(lang),
    };
    if best.lacks.is_empty() {
        return Row::ok(check, found);
    }
    // What is missing in each of them, one a line.
    let lines = places.iter().map(|place| place.say(lang)).collect();
    let remedy = Remedy { what: cure(best, machine, need, lang), lines };
    let row = |level| Row::bad(level, check, found.clone(), remedy.clone());
    match () {
        () if !best.is_open() => row(Level::Missing).barring(),
        () if best.lacks.iter().any(|lack| lack.stops_programs()) => {
            row(Level::Missing).about(Requirement::SessionDir(Ability::Exec))
        }
        () => row(Level::Limited),
    }
}

/// Why no program starts in a session's directory, and how to get one where they do; `None` where they start.
pub(crate) fn no_program_starts(need: Need, lang: Lang) -> Option<(String, String)> {
    let best = dirs::best(need).into_iter().map(|(_, place)| place).next().filter(Place::is_open)?;
    let lack = best.lacks.iter().find(|lack| lack.stops_programs())?;
    Some((lacks(&best, *lack, lang), cure(&best, &Facts::read(), need, lang)))
}

fn lacks(place: &Place, lack: Lack, lang: Lang) -> String {
    format!("{}{}{}", place.path.display(), lang.pick(": ", "："), lack.say(lang))
}

/// `ext4 on /, rw,relatime, 12.3 GiB free`.
fn facts(system: &FileSystem, lang: Lang) -> String {
    let free = match system.room() {
        u64::MAX => lang.pick("no limit", "不限").to_string(),
        free => format!("{} {}", bytes(free), lang.pick("free", "可用")),
    };
    let (kind, point, options) = (&system.kind, system.point.display(), &system.options);
    lang.pick(format!("{kind} on {point}, {options}, {free}"), format!("{point} 上的 {kind}，{options}，{free}"))
}

/// How to get what the best directory lacks.
fn cure(best: &Place, machine: &Facts, need: Need, lang: Lang) -> String {
    let size = need.room.bytes().div_ceil(1 << 20).next_multiple_of(256);
    let mut ways = Vec::new();
    if machine.container.is_some() {
        let volume = "docker run -v /run …";
        let memory = format!("docker run --tmpfs /run:exec,dev,size={size}m …");
        ways.push(lang.pick(
            format!("start the container with a file system for it: {volume}, or {memory}"),
            format!("启动容器时给它一个文件系统：{volume}，或 {memory}"),
        ));
    }
    let options: Vec<String> = best
        .lacks
        .iter()
        .filter_map(|lack| match lack {
            Lack::NoExec => Some("exec".to_string()),
            Lack::NoDev => Some("dev".to_string()),
            Lack::Room(..) => Some(format!("size={size}m")),
            _ => None,
        })
        .collect();
    let point = best.system.as_ref().map(|system| (&system.point, system.kind == "tmpfs"));
    if let Some((point, in_memory)) = point.filter(|_| machine.is_root() && options.len() == best.lacks.len())
        && (in_memory || !best.lacks.iter().any(|lack| matches!(lack, Lack::Room(..))))
    {
        ways.push(format!("mount -o remount,{} {}", options.join(","), point.display()));
    }
    if machine.is_root() {
        let dir = "/var/lib/boxwright";
        ways.push(format!("mkdir -pm 700 {dir} && mount -t tmpfs -o mode=700,size={size}m tmpfs {dir}"));
    }
    ways.push(elsewhere(need, lang));
    ways.join(lang.pick("; or ", "；或 "))
}

/// Any directory will do that has everything.
fn elsewhere(need: Need, lang: Lang) -> String {
    let room = bytes(need.room.bytes());
    lang.pick(
        format!(
            "set XDG_RUNTIME_DIR to your own directory with mode 0700, on a disk with {room} free and without noexec and \
             nodev"
        ),
        format!("把 XDG_RUNTIME_DIR 设为自己的 0700 目录，所在磁盘要有 {room} 可用，且没有 noexec、nodev"),
    )
}

/// A directory like that of a session, in which things are tried. It ends with this.
pub(super) struct Trial {
    place: Place,
    need: Need,
    /// Where things are tried, if such a directory can be made at all.
    made: Result<(PathBuf, Ledger, Tidy), String>,
}

impl Trial {
    /// Makes one where a session would have its own.
    pub(super) fn new(need: Need) -> Trial {
        let make = || -> std::io::Result<(PathBuf, Ledger, Tidy)> {
            let tidy = Tidy;
            let mut ledger = Ledger::create()?;
            let run_dir = RunDir::create_for(need, &mut ledger, Path::new("/proc/self/exe"), &[])?;
            Ok((run_dir.work()?, ledger, tidy))
        };
        let made = make().map_err(|error| errno::why_io(&error));
        // The directory may be another one than what looked best.
        let parent = made.as_ref().ok().and_then(|(work, ..)| work.parent()?.parent().map(Path::to_path_buf));
        let is_parent = |place: &&(_, Place)| parent.as_ref().is_none_or(|parent| *parent == place.1.path);
        let known = |places: Vec<(_, Place)>| places.iter().find(is_parent).map(|(_, place)| place.clone());
        let place = known(dirs::best(need)).or_else(|| known(dirs::survey(need)));
        let place = place.unwrap_or_else(|| Place { path: PathBuf::new(), system: None, lacks: Vec::new() });
        Trial { place, need, made }
    }

    /// Tries it; the reason where it does not work.
    pub(super) fn failure(&self, ability: Ability) -> Option<Inability> {
        let (work, ..) = match &self.made {
            Ok(made) => made,
            Err(why) => {
                return Some(Inability {
                    why: Why::NoDirectory(why.clone()),
                    place: self.place.clone(),
                    need: self.need,
                });
            }
        };
        let why = match ability {
            // That was tried when the directory was chosen.
            Ability::Exec => {
                let lack = self.place.lacks.iter().find(|lack| lack.stops_programs());
                return lack.map(|lack| self.inability(Why::Lacks(*lack)));
            }
            Ability::Dev => attempt_in("device", work).err(),
            Ability::Upper => attempt_in("overlay", work).err(),
        };
        why.map(|failure| self.inability(Why::Tried(failure)))
    }

    fn inability(&self, why: Why) -> Inability {
        Inability { why, place: self.place.clone(), need: self.need }
    }
}

/// Why something does not work in a session's directory.
pub(super) struct Inability {
    why: Why,
    place: Place,
    need: Need,
}

enum Why {
    NoDirectory(String),
    Lacks(Lack),
    Tried(Failure),
}

impl Inability {
    /// The reason.
    pub(super) fn found(&self, lang: Lang) -> String {
        match &self.why {
            Why::NoDirectory(why) => why.clone(),
            Why::Lacks(lack) => lacks(&self.place, *lack, lang),
            Why::Tried(failure) => match (self.cause(lang), failure.describe()) {
                (Some(cause), call) => lang.pick(format!("{cause} ({call})"), format!("{cause}（{call}）")),
                (None, call) => call,
            },
        }
    }

    /// What to do about it.
    pub(super) fn remedy(&self, machine: &Facts, lang: Lang) -> Remedy {
        match &self.why {
            Why::NoDirectory(_) => Remedy::default(),
            Why::Tried(failure) if self.cause(lang).is_none() => machine.failed(failure, None, lang),
            Why::Lacks(_) | Why::Tried(_) => cure(&self.place, machine, self.need, lang).into(),
        }
    }

    /// What is known of the directory, where that explains the failure.
    fn cause(&self, lang: Lang) -> Option<String> {
        let (path, system) = (self.place.path.display(), self.place.system.as_ref()?);
        let kind = &system.kind;
        match &self.why {
            Why::Tried(failure) if failure.call.starts_with("mount(overlay") && !system.holds_upper() => {
                Some(lang.pick(
                    match kind.as_str() {
                        "overlay" => format!("the file system of {path} is itself an overlay"),
                        _ => format!(
                            "the file system of {path} is {kind}, which cannot hold an overlay's upper directory"
                        ),
                    },
                    match kind.as_str() {
                        "overlay" => format!("{path} 所在的文件系统本身就是 overlay"),
                        _ => format!("{path} 所在的文件系统是 {kind}，不能存放 overlay 的上层目录"),
                    },
                ))
            }
            Why::Tried(_) if system.nodev => Some(lacks(&self.place, Lack::NoDev, lang)),
            _ => None,
        }
    }
}

#[cfg(test)]
#[path = "directory_tests.rs"]
mod tests;
