//! Where the loader finds a program's libraries (ld.so(8)).

use crate::kernel::elf::{Needs, needs};
use crate::kernel::text;
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    fs, io,
    path::{Path, PathBuf},
};

/// Where every loader looks last.
const USUAL: [&str; 4] = ["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Finds libraries; it reads the loader's configuration once.
pub(super) struct Libraries {
    /// Directories that the loader knows by itself.
    usual: Vec<PathBuf>,
    /// Directories that it knows by its configuration, which the image does not have.
    configured: Vec<PathBuf>,
    /// Where the C library is.
    home: PathBuf,
    /// What was found by name and kind, where nobody wants it looked for elsewhere: most programs need the same few.
    found: RefCell<BTreeMap<Wanted, Found>>,
    /// The files of the loaders that were named.
    loaders: RefCell<BTreeMap<PathBuf, PathBuf>>,
}

/// A library's name, and the class and machine that it must be for.
type Wanted = (String, (u8, u16));

/// A library: its path in the image, its file here, and what it needs itself.
#[derive(Clone, Debug)]
struct Found {
    inside: PathBuf,
    outside: PathBuf,
    needs: Needs,
}

impl Libraries {
    /// Reads `/etc/ld.so.conf` and what it includes, and musl's path file.
    pub(super) fn new() -> Libraries {
        let mut configured = Vec::new();
        read_config(Path::new("/etc/ld.so.conf"), &mut configured, 0);
        for entry in fs::read_dir("/etc").into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("ld-musl-") && name.ends_with(".path") {
                let text = text::read(entry.path()).unwrap_or_default();
                configured.extend(text.split([':', '\n']).filter(|dir| !dir.is_empty()).map(PathBuf::from));
            }
        }
        // A loader that was built for a distribution knows that one's directories: /lib/x86_64-linux-gnu.
        let triplets = fs::read_dir("/lib").into_iter().flatten().flatten();
        let mut known: Vec<PathBuf> = triplets
            .filter(|entry| entry.file_name().to_string_lossy().contains("-linux-"))
            .flat_map(|entry| {
                [Path::new("/lib").join(entry.file_name()), Path::new("/usr/lib").join(entry.file_name())]
            })
            .collect();
        known.sort();
        known.extend(USUAL.map(PathBuf::from));
        let home = known.iter().find(|dir| dir.join("libc.so.6").exists() || dir.join("libc.so").exists());
        let home = home.cloned().unwrap_or_else(|| "/lib".into());
        Libraries { usual: known, configured, home, found: RefCell::default(), loaders: RefCell::default() }
    }

    /// Everything that a program needs to be loaded, itself not included: path in the image → file of the host. `false` where
    /// it is not a program that can be copied.
    ///
    /// A library that is found by configuration alone goes beside the C library: the image has no configuration.
    pub(super) fn of(&self, program: &Path, found: &mut BTreeMap<PathBuf, PathBuf>) -> io::Result<bool> {
        let Some(first) = needs(program)? else { return Ok(false) };
        let mut waiting = VecDeque::from([first]);
        while let Some(one) = waiting.pop_front() {
            if let Some(interpreter) = &one.interpreter
                && !found.contains_key(interpreter)
            {
                found.insert(interpreter.clone(), self.loader(interpreter)?);
            }
            for name in &one.libraries {
                let Found { inside, outside, needs } = self.known(name, &one)?;
                if let Entry::Vacant(place) = found.entry(inside) {
                    place.insert(outside);
                    waiting.push_back(needs);
                }
            }
        }
        Ok(true)
    }

    /// The file of a loader, which nearly all programs name alike.
    fn loader(&self, named: &Path) -> io::Result<PathBuf> {
        if let Some(file) = self.loaders.borrow().get(named) {
            return Ok(file.clone());
        }
        let file = named.canonicalize()?;
        self.loaders.borrow_mut().insert(named.into(), file.clone());
        Ok(file)
    }

    /// Finds one library, or knows it already.
    fn known(&self, name: &str, wanted_by: &Needs) -> io::Result<Found> {
        if !wanted_by.search.is_empty() {
            return self.find(name, wanted_by);
        }
        let key = (name.to_string(), wanted_by.kind);
        if let Some(found) = self.found.borrow().get(&key) {
            return Ok(found.clone());
        }
        let found = self.find(name, wanted_by)?;
        self.found.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    /// Finds one library of the right kind.
    fn find(&self, name: &str, wanted_by: &Needs) -> io::Result<Found> {
        let right = |path: &Path| needs(path).ok().flatten().filter(|needs| needs.kind == wanted_by.kind);
        let fixed = wanted_by.search.iter().chain(&self.usual).map(|dir| (dir.join(name), dir.join(name)));
        let moved = self.configured.iter().map(|dir| (self.home.join(name), dir.join(name)));
        for (inside, outside) in fixed.chain(moved) {
            if let Some(needs) = right(&outside) {
                return Ok(Found { inside, outside: outside.canonicalize()?, needs });
            }
        }
        Err(io::Error::new(io::ErrorKind::NotFound, format!("{name}: this library is nowhere to be found")))
    }
}

fn read_config(path: &Path, found: &mut Vec<PathBuf>, depth: usize) {
    let Ok(text) = text::read(path) else { return };
    for line in text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        match line.strip_prefix("include ").map(str::trim) {
            Some(pattern) if depth < 4 => {
                // The only pattern in use is a directory and `*.conf`.
                let dir = path.parent().unwrap_or(Path::new("/")).join(pattern);
                let mut files: Vec<PathBuf> = fs::read_dir(dir.parent().unwrap_or(Path::new("/")))
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.path())
                    .filter(|file| file.extension().is_some_and(|extension| extension == "conf"))
                    .collect();
                files.sort();
                files.iter().for_each(|file| read_config(file, found, depth + 1));
            }
            None if line.starts_with('/') => found.push(line.into()),
            _ => {}
        }
    }
}
