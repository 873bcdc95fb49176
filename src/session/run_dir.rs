//! The names that this program gives to what it makes, and the run directory with one link per tool.

use super::ledger::{Entry, Ledger};
use crate::dirs::{self, Candidate, Need, Place};
use crate::kernel::{errno, filesystem::full};
use crate::lang::Lang;
use nix::errno::Errno;
use nix::unistd::geteuid;
use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

/// The directory that a session's shells begin in.
pub const WORK: &str = "work";

/// How many random bytes a name has.
const RANDOM: usize = 6;

/// How often a directory is made that vanishes before there is anything in it.
const ATTEMPTS: usize = 5;

/// A new name, `boxwright-UID-RANDOM`, for a run directory, a control group or a ledger.
pub fn fresh_name() -> io::Result<String> {
    let mut bytes = [0; RANDOM];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let random: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("boxwright-{}-{random}", geteuid()))
}

/// Whether a name is one that [`fresh_name`] gives to this user.
pub(crate) fn is_ours(name: &str, uid: u32) -> bool {
    let random = name.strip_prefix(&format!("boxwright-{uid}-"));
    random.is_some_and(|random| {
        random.len() == 2 * RANDOM && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// A session's directory, in the best place there is ([`dirs::survey`]): `bin/` holds one link to this program for each tool. The ledger removes it.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    bin: PathBuf,
}

impl RunDir {
    /// Makes it for a session with the built-in image; `exe` is this program, `tools` the names of its links.
    pub fn create(ledger: &mut Ledger, exe: &Path, tools: &[&str]) -> io::Result<RunDir> {
        RunDir::create_for(Need::default(), ledger, exe, tools)
    }

    /// Makes it where there is what the session needs or, where that is nowhere, most of it.
    ///
    /// Errors: of the kind of the last one, with every directory that was tried and what is wrong with it.
    pub(crate) fn create_for(need: Need, ledger: &mut Ledger, exe: &Path, tools: &[&str]) -> io::Result<RunDir> {
        // Where the best refuses after all, the others are looked at, too.
        let mut create = |places| RunDir::create_in_one_of(places, ledger, exe, tools);
        create(dirs::best(need)).or_else(|_| create(dirs::survey(need)))
    }

    fn create_in_one_of(
        places: Vec<(Candidate, Place)>,
        ledger: &mut Ledger,
        exe: &Path,
        tools: &[&str],
    ) -> io::Result<RunDir> {
        let (mut tried, mut kind) = (Vec::new(), io::ErrorKind::NotFound);
        for (candidate, place) in places {
            if !place.is_open() {
                tried.push(place.say(Lang::En));
                continue;
            }
            let made = (0..ATTEMPTS).find_map(|_| {
                let made = candidate.make().map_err(io::Error::from);
                match made.and_then(|()| RunDir::create_in(&place.path, ledger, exe, tools)) {
                    // Another session has ended and removed the empty directory around it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                    made => Some(made),
                }
            });
            match made {
                Some(Ok(run_dir)) => return Ok(run_dir),
                Some(Err(error)) => {
                    kind = error.kind();
                    let full =
                        full(errno::of(&error), &place.path).map(|full| format!(" ({full})")).unwrap_or_default();
                    tried.push(format!("{}: {}{full}", place.path.display(), errno::why_io(&error)));
                }
                None => tried.push(format!("{}: {}", place.path.display(), errno::why(Errno::ENOENT))),
            }
        }
        Err(io::Error::new(kind, tried.join("; ")))
    }

    fn create_in(base: &Path, ledger: &mut Ledger, exe: &Path, tools: &[&str]) -> io::Result<RunDir> {
        let path = base.join(fresh_name()?);
        let entry = Entry::RunDir(path.clone());
        ledger.add(entry.clone())?;
        // Not "make it if it is not there": a directory of this name that we did not make is not ours to use.
        let made = DirBuilder::new().mode(0o700).create(&path);
        if let Err(error) = made {
            ledger.forget(&entry)?;
            return Err(error);
        }
        let bin = path.join("bin");
        let filled = ledger
            .made(&entry)
            .and_then(|()| DirBuilder::new().mode(0o700).create(&bin))
            .and_then(|()| tools.iter().try_for_each(|tool| symlink(exe, bin.join(tool))));
        match filled {
            Ok(()) => Ok(RunDir { path, bin }),
            Err(error) => {
                ledger.remove(&entry)?;
                Err(error)
            }
        }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the session, `boxwright-UID-RANDOM`.
    pub fn name(&self) -> &str {
        // It was made from a string, so it is one.
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// An empty directory, which the session's shells begin in: what they make there ends with the session.
    pub(crate) fn work(&self) -> io::Result<PathBuf> {
        let work = self.path.join(WORK);
        DirBuilder::new().mode(0o755).create(&work)?;
        Ok(work)
    }

    /// The directory with the tools, for the front of `PATH`.
    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }
}
