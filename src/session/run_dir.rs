//! The names that this program gives to what it makes, and the run directory with one link per tool.

use super::ledger::{Entry, Ledger};
use nix::unistd::geteuid;
use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

/// The directory that a session's shells begin in.
pub(super) const WORK: &str = "work";

/// How many random bytes a name has.
const RANDOM: usize = 6;

/// A new name, `boxwright-UID-RANDOM`, for a run directory, a control group or a ledger.
pub fn fresh_name() -> io::Result<String> {
    let mut bytes = [0; RANDOM];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let random: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("boxwright-{}-{random}", geteuid()))
}

/// Whether a name is one that [`fresh_name`] gives to this user.
pub fn is_ours(name: &str, uid: u32) -> bool {
    let random = name.strip_prefix(&format!("boxwright-{uid}-"));
    random.is_some_and(|random| {
        random.len() == 2 * RANDOM && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Where run directories may be made, the best first: `$XDG_RUNTIME_DIR` where it is what its specification promises
/// (absolute, ours, nobody else's to write), then `/run` for root, then `/tmp`.
pub fn bases() -> Vec<PathBuf> {
    let ours = |path: &PathBuf| {
        let metadata = std::fs::metadata(path);
        path.is_absolute()
            && metadata.is_ok_and(|m| m.is_dir() && m.uid() == geteuid().as_raw() && m.mode() & 0o022 == 0)
    };
    let session = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(ours);
    let system = geteuid().is_root().then(|| PathBuf::from("/run"));
    let mut bases: Vec<PathBuf> = session.into_iter().chain(system).chain([PathBuf::from("/tmp")]).collect();
    bases.dedup();
    bases
}

/// A session's directory below [`bases`]: `bin/` holds one link to this program for each tool. The ledger removes it.
#[derive(Debug)]
pub struct RunDir {
    path: PathBuf,
    bin: PathBuf,
}

impl RunDir {
    /// Makes it, in the first base that can be written.
    pub fn create(ledger: &mut Ledger, exe: &Path, tools: &[&str]) -> io::Result<RunDir> {
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for base in bases() {
            match RunDir::create_in(&base, ledger, exe, tools) {
                Ok(run_dir) => return Ok(run_dir),
                Err(error) => last = io::Error::new(error.kind(), format!("{}: {error}", base.display())),
            }
        }
        Err(last)
    }

    fn create_in(base: &Path, ledger: &mut Ledger, exe: &Path, tools: &[&str]) -> io::Result<RunDir> {
        let path = base.join(fresh_name()?);
        let entry = Entry::RunDir(path.clone());
        ledger.add(entry.clone())?;
        // Not "make it if it is not there": a directory of this name that somebody else made is not ours to use.
        let made = DirBuilder::new().mode(0o700).create(&path);
        if let Err(error) = made {
            ledger.forget(&entry)?;
            return Err(error);
        }
        let bin = path.join("bin");
        let filled = DirBuilder::new()
            .mode(0o700)
            .create(&bin)
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
    pub fn work(&self) -> io::Result<PathBuf> {
        let work = self.path.join(WORK);
        DirBuilder::new().mode(0o755).create(&work)?;
        Ok(work)
    }

    /// The directory with the tools, for the front of `PATH`.
    pub fn bin(&self) -> &Path {
        &self.bin
    }
}
