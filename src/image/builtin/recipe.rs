//! What goes into the built-in image: programs of this machine, the libraries that they need, and this program.

use super::libraries::Libraries;
use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Without this one the image is of no use.
const SHELL: &str = "sh";

/// The rest is taken where the machine has it.
const PROGRAMS: [&str; 48] = [
    "[", "awk", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "dd", "df", "dirname", "du", "echo", "env",
    "expr", "false", "find", "grep", "head", "id", "ln", "ls", "mkdir", "mkfifo", "mknod", "mv", "nproc", "printf",
    "pwd", "readlink", "rm", "rmdir", "sed", "seq", "sleep", "sort", "stat", "tail", "tee", "test", "timeout", "touch",
    "tr", "true", "uname", "uniq", "wc",
];

/// Where programs are looked for. The user's own PATH may hold anything, and another image each time.
const PATH: [&str; 4] = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

/// Where our own program stands in the image.
const OWN: &str = "/bin/boxwright";

/// Which files of this machine become which files of the image.
#[derive(Debug, Default)]
pub(super) struct Recipe {
    /// Path in the image → file here.
    pub files: BTreeMap<PathBuf, PathBuf>,
    /// Path in the image → text of the link.
    pub links: BTreeMap<PathBuf, String>,
}

impl Recipe {
    /// Looks at the machine. `exe` is this program, and `tools` are the names that it answers to.
    pub(super) fn new(exe: &Path, tools: &[&str]) -> io::Result<Recipe> {
        let libraries = Libraries::new();
        let mut recipe = Recipe::default();
        libraries.of(exe, &mut recipe.files)?;
        recipe.files.insert(OWN.into(), exe.into());
        for tool in tools {
            recipe.links.insert(Path::new("/bin").join(tool), "boxwright".into());
        }
        if !recipe.add(SHELL, &libraries)? {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no sh in /usr/bin or /bin"));
        }
        for name in PROGRAMS.iter().filter(|name| !tools.contains(name)) {
            recipe.add(name, &libraries)?;
        }
        Ok(recipe)
    }

    /// Adds a program by name; `false` where the machine has none that can be copied.
    ///
    /// A name that is a link (sh → dash, ls → busybox) becomes a link again, so that a program of many names is there once.
    fn add(&mut self, name: &str, libraries: &Libraries) -> io::Result<bool> {
        let found = PATH.iter().map(|dir| Path::new(dir).join(name)).find_map(|path| path.canonicalize().ok());
        let Some(file) = found else { return Ok(false) };
        let mut needed = BTreeMap::new();
        match libraries.of(&file, &mut needed) {
            Ok(true) => {}
            Err(error) if name == SHELL => return Err(error),
            Ok(false) | Err(_) => return Ok(false),
        }
        let base = file.file_name().map(PathBuf::from).unwrap_or_default();
        let own = Path::new("/bin").join(&base);
        // Two programs of one name, or one that is called like a tool of ours, keep out of each other's way.
        let taken = self.links.contains_key(&own) || self.files.get(&own).is_some_and(|other| *other != file);
        let inside = if taken { Path::new("/bin").join(name) } else { own };
        self.files.extend(needed);
        self.files.insert(inside.clone(), file);
        if inside.file_name() != Some(name.as_ref()) {
            self.links.insert(Path::new("/bin").join(name), base.to_string_lossy().into_owned());
        }
        Ok(true)
    }

    /// What tells one recipe from another without reading the files: names, sizes, times.
    pub(super) fn fingerprint(&self) -> io::Result<String> {
        let mut text = String::new();
        for (inside, outside) in &self.files {
            let metadata = fs::metadata(outside)?;
            let (size, seconds, nanoseconds) = (metadata.size(), metadata.mtime(), metadata.mtime_nsec());
            text += &format!("{} {} {size} {seconds}.{nanoseconds}\n", inside.display(), outside.display());
        }
        for (inside, link) in &self.links {
            text += &format!("{} -> {link}\n", inside.display());
        }
        Ok(text)
    }
}
