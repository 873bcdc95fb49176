//! tar(1), as far as it reads: unpack an archive (-x) or list it (-t). A layer of an image is such an archive.
//!
//! It knows one archive and no image: the whiteouts of a layer become files like any other. `boxwright image unpack` is what
//! applies one layer over another. What an archive says reaches nothing outside the directory, not even through its links.

use super::{
    args::{Opt, Value::Must, Value::No, parse_bytes},
    complain, is_printed,
    other::misused,
    print, tar_list, wrong,
};
use crate::image::unpack::{
    Rules, Unpacker,
    entries::{Entries, Entry},
    stream::{self, Compression},
};
use crate::kernel::{errno, filesystem::full};
use crate::lang::say;
use nix::{
    fcntl::{AT_FDCWD, OFlag, openat},
    sys::stat::{Mode, umask},
    unistd::geteuid,
};
use std::{
    cell::RefCell,
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, BufRead, BufReader, Read},
    os::unix::ffi::OsStrExt,
    path::Path,
    process::ExitCode,
};

/// Exit statuses: what went wrong with the archive, and what with the command line.
const FATAL: u8 = 2;
const USAGE: u8 = 64;

const OPTIONS: [Opt; 13] = [
    ('\0', "help", No),
    ('x', "extract", No),
    ('t', "list", No),
    ('z', "gzip", No),
    ('a', "auto-compress", No),
    ('v', "verbose", No),
    ('f', "file", Must),
    ('C', "directory", Must),
    ('p', "preserve-permissions", No),
    ('\0', "same-owner", No),
    ('o', "no-same-owner", No),
    ('\0', "numeric-owner", No),
    ('\0', "zstd", No),
];

/// What it takes, for `--help`.
pub(super) fn help() -> &'static str {
    say(HELP, HELP_ZH)
}

const HELP: &str = "usage: tar -x|-t [-f FILE] [-C DIR] [MEMBER…]
Unpacks an archive, or lists it. Its first bytes say how it is compressed: gzip, zstd, or not at all.
  -x, --extract             unpacks it
  -t, --list                lists it
  -f, --file FILE           the archive; standard input where there is none, or for -
  -C, --directory DIR       unpacks into this directory
  -v, --verbose             says more
  -z, --gzip                insists that it is gzip (also -a, --zstd: they change nothing)
  -p, --preserve-permissions, --same-owner, -o, --no-same-owner, --numeric-owner
It unpacks one archive; boxwright image unpack applies the layers of an image one over another.
";

const HELP_ZH: &str = "usage: tar -x|-t [-f FILE] [-C DIR] [MEMBER…]
解包归档，或列出其中的内容。压缩方式（gzip、zstd 或不压缩）由开头的字节判断。
  -x, --extract             解包
  -t, --list                列出
  -f, --file FILE           归档文件；不写或写 - 则读标准输入
  -C, --directory DIR       解包到这个目录
  -v, --verbose             显示更多信息
  -z, --gzip                声明它是 gzip（还有 -a、--zstd：都不改变什么）
  -p, --preserve-permissions, --same-owner, -o, --no-same-owner, --numeric-owner
它只解一个归档；要把镜像的各层依次叠加，请用 boxwright image unpack。
";

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let words = match spread(args) {
        Ok(words) => words,
        Err(what) => return complain("tar", &what, FATAL),
    };
    let parsed = match parse_bytes(&words, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("tar", args, &what, "usage: tar -x|-t [-f FILE] [-C DIR] [MEMBER…]", USAGE),
    };
    if parsed.has("help") {
        return print(help());
    }
    let extract = match (parsed.has("extract"), parsed.has("list")) {
        (true, false) => true,
        (false, true) => false,
        _ => {
            return complain(
                "tar",
                "say what to do: either -x, which unpacks an archive, or -t, which lists it",
                FATAL,
            );
        }
    };
    let name = parsed.value("file").map_or(OsStr::new("-"), OsString::as_os_str);
    let shown = tar_list::quoted(name.as_bytes());
    let mut entries = match open(name, parsed.has("gzip")) {
        Ok(archive) => Entries::new(archive),
        Err(why) => return fatal(&format!("{shown}: {why}")),
    };
    let members = Members::new(&parsed.words);
    let done = if extract {
        // Files belong to whom the archive says where root unpacks them, and keep every bit of their modes.
        let root = geteuid().is_root();
        let lost = umask(Mode::empty());
        umask(lost);
        let keep_modes = root || parsed.has("preserve-permissions");
        let rules = Rules {
            layer: false,
            owners: (root || parsed.has("same-owner")) && !parsed.has("no-same-owner"),
            umask: if keep_modes { 0 } else { lost.bits() },
            max_bytes: u64::MAX,
            max_entries: u64::MAX,
        };
        let dir = parsed.value("directory").map_or(Path::new("."), Path::new);
        unpack(&mut entries, dir, rules, &members, parsed.has("verbose"))
    } else {
        tar_list::list(&mut entries, &members, parsed.has("verbose"), parsed.has("numeric-owner"))
    };
    if let Err(why) = done {
        return fatal(&format!("{shown}: {why}"));
    }
    if members.all_well() {
        return ExitCode::SUCCESS;
    }
    complain("tar", "Exiting with failure status due to previous errors", FATAL)
}

/// The old form has no dash, and the letters' values follow all letters: `tar xfC FILE DIR` is `tar -x -f FILE -C DIR`.
fn spread(args: &[OsString]) -> Result<Vec<OsString>, String> {
    let Some((letters, rest)) = args.split_first().filter(|(first, _)| !first.as_bytes().starts_with(b"-")) else {
        return Ok(args.to_vec());
    };
    let (mut words, mut rest) = (Vec::new(), rest.iter());
    for letter in letters.to_string_lossy().chars() {
        words.push(format!("-{letter}").into());
        if OPTIONS.iter().any(|(short, _, value)| *short == letter && *value == Must) {
            words.push(rest.next().ok_or(format!("Old option '{letter}' requires an argument."))?.clone());
        }
    }
    words.extend(rest.cloned());
    Ok(words)
}

/// Opens the archive; its first bytes tell how it is compressed, and `-z` only insists.
fn open(name: &OsStr, gzip: bool) -> Result<Box<dyn Read + Send>, String> {
    let stored: Box<dyn Read + Send> = match name.as_bytes() {
        b"-" => Box::new(io::stdin()),
        _ => Box::new(File::open(name).map_err(|error| format!("Cannot open: {}", errno::why_io(&error)))?),
    };
    let unread = |error| format!("Cannot read: {}", errno::why_io(&error));
    let (compression, archive) = stream::open(stored).map_err(unread)?;
    if gzip && compression != Compression::Gzip {
        return Err("not a gzip archive\n  without -z its first bytes tell how it is compressed".into());
    }
    let mut archive = BufReader::new(archive);
    match archive.fill_buf().map_err(unread)?.is_empty() {
        true => Err("This does not look like a tar archive: it is empty".into()),
        false => Ok(Box::new(archive)),
    }
}

fn unpack(
    entries: &mut Entries<Box<dyn Read + Send>>,
    dir: &Path,
    rules: Rules,
    members: &Members,
    verbose: bool,
) -> Result<(), String> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let cannot = |errno| format!("cannot unpack into {}: {}", dir.display(), errno::why(errno));
    let root = openat(AT_FDCWD, dir, flags, Mode::empty()).map_err(cannot)?;
    let mut unpacker = Unpacker::new(root, rules).map_err(cannot)?;
    let unpacked = unpacker.archive(entries, |entry| {
        let wanted = members.want(entry) && members.may_unpack(entry);
        if wanted && verbose {
            members.list(&format!("{}\n", tar_list::quoted(&entry.path)));
        }
        wanted
    });
    // Directories get their modes and times also where the archive ends early: what is there should be right.
    let report = unpacker.finish().map_err(cannot)?;
    unpacked.map_err(|error| error.to_string())?;
    report.failures().iter().chain(&report.lines()).for_each(|line| members.trouble(line));
    if let Some(system) = report.full.and_then(|errno| full(errno, dir)) {
        members.trouble(&format!("{}: {system}", dir.display()));
    }
    Ok(())
}

/// Which members are wanted (all, where none is named), which of those were there, and whether all went well.
pub(super) struct Members {
    /// Names, and whether each was found.
    wanted: RefCell<Vec<(Vec<u8>, bool)>>,
    state: RefCell<(bool, bool)>,
}

impl Members {
    fn new(words: &[OsString]) -> Members {
        let plain = |word: &OsString| {
            let length = word.as_bytes().iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
            (word.as_bytes()[..length].to_vec(), false)
        };
        Members { wanted: RefCell::new(words.iter().map(plain).collect()), state: RefCell::new((false, false)) }
    }

    /// Whether it is wanted: by its own name, or by that of a directory above it.
    pub(super) fn want(&self, entry: &Entry) -> bool {
        let mut wanted = self.wanted.borrow_mut();
        let mut any = wanted.is_empty();
        for (name, found) in wanted.iter_mut() {
            let rest = entry.path.strip_prefix(name.as_slice());
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/")) {
                (*found, any) = (true, true);
            }
        }
        any
    }

    /// Names a member, as -v asks for. What cannot be written makes the whole fail.
    fn list(&self, line: &str) {
        self.state.borrow_mut().0 |= !is_printed(line.as_bytes());
    }

    /// No way up gets into an archive by chance, so such a member is refused; a slash in front is only taken off.
    fn may_unpack(&self, entry: &Entry) -> bool {
        if entry.path.split(|byte| *byte == b'/').any(|part| part == b"..") {
            self.trouble(&format!("{}: Member name contains '..'", tar_list::quoted(&entry.path)));
            return false;
        }
        if entry.path.starts_with(b"/") && !std::mem::replace(&mut self.state.borrow_mut().1, true) {
            wrong("tar", "Removing leading `/' from member names");
        }
        true
    }

    fn trouble(&self, line: &str) {
        wrong("tar", line);
        self.state.borrow_mut().0 = true;
    }

    fn all_well(&self) -> bool {
        for (name, _) in self.wanted.borrow().iter().filter(|(_, found)| !found) {
            self.trouble(&format!("{}: Not found in archive", tar_list::quoted(name)));
        }
        !self.state.borrow().0
    }
}

fn fatal(what: &str) -> ExitCode {
    wrong("tar", what);
    complain("tar", "Error is not recoverable: exiting now", FATAL)
}
