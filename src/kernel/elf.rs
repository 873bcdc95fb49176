//! What an ELF file says about the files that it needs: its interpreter, its libraries, where to look for them (elf(5)).

use std::{
    fs::File,
    io::{self, Read},
    os::unix::{ffi::OsStringExt, fs::FileExt},
    path::{Path, PathBuf},
};

/// No honest table of a program header, string or dynamic section is larger.
const MAX_TABLE: u64 = 4 << 20;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// What a program or a library needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// Class and machine: a library of another kind is none for this program.
    pub kind: (u8, u16),
    /// The loader. A static program has none.
    pub interpreter: Option<PathBuf>,
    /// The names of its libraries.
    pub libraries: Vec<String>,
    /// Where it wants them looked for first, `$ORIGIN` already replaced.
    pub search: Vec<PathBuf>,
}

/// Reads a file's needs; `None` where it is not an ELF file.
pub(crate) fn needs(path: &Path) -> io::Result<Option<Needs>> {
    let file = File::open(path)?;
    let mut start = Vec::new();
    (&file).take(64).read_to_end(&mut start)?;
    if !start.starts_with(b"\x7fELF") {
        return Ok(None);
    }
    parse(&file, &Bytes::new(start), path).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOEXEC)).map(Some)
}

/// The machine that a program is for (`e_machine`), by the first 20 bytes of its file; `None` where it is not an ELF file.
pub(crate) fn machine(head: &[u8]) -> Option<u16> {
    let bytes = Bytes::new(head.strip_prefix(b"\x7fELF").map(|_| head)?.to_vec());
    bytes.number(18, 2)?.try_into().ok()
}

/// Bytes with the width and order that the file says.
struct Bytes {
    all: Vec<u8>,
    wide: bool,
    little: bool,
}

impl Bytes {
    fn new(all: Vec<u8>) -> Bytes {
        let (wide, little) = (all.get(4) == Some(&2), all.get(5) == Some(&1));
        Bytes { all, wide, little }
    }

    fn like(&self, all: Vec<u8>) -> Bytes {
        Bytes { all, ..*self }
    }

    fn number(&self, at: usize, size: usize) -> Option<u64> {
        let bytes = self.all.get(at..at.checked_add(size)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(if self.little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
    }

    /// A field that is as wide as an address, at one of two offsets.
    fn word(&self, narrow: usize, wide: usize) -> Option<u64> {
        if self.wide { self.number(wide, 8) } else { self.number(narrow, 4) }
    }

    fn pick(&self, narrow: usize, wide: usize) -> usize {
        if self.wide { wide } else { narrow }
    }
}

fn read(file: &File, offset: u64, size: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(size.min(MAX_TABLE)).ok()?];
    file.read_exact_at(&mut bytes, offset).ok()?;
    Some(bytes)
}

struct Segment {
    kind: u32,
    offset: u64,
    address: u64,
    size: u64,
}

fn parse(file: &File, header: &Bytes, path: &Path) -> Option<Needs> {
    let machine = machine(&header.all)?;
    let class = *header.all.get(4)?;
    let (entry, count) = (header.number(header.pick(42, 54), 2)?, header.number(header.pick(44, 56), 2)?);
    let table = header.like(read(file, header.word(28, 32)?, entry * count)?);
    let mut segments = Vec::new();
    for index in 0..usize::try_from(count).ok()? {
        let at = index * usize::try_from(entry).ok()?;
        segments.push(Segment {
            kind: u32::try_from(table.number(at, 4)?).ok()?,
            offset: table.word(at + 4, at + 8)?,
            address: table.word(at + 8, at + 16)?,
            size: table.word(at + 16, at + 32)?,
        });
    }
    let mut needs = Needs { kind: (class, machine), ..Needs::default() };
    if let Some(interpreter) = segments.iter().find(|segment| segment.kind == PT_INTERP) {
        let bytes = read(file, interpreter.offset, interpreter.size)?;
        let name = bytes.split(|byte| *byte == 0).next()?.to_vec();
        needs.interpreter = Some(PathBuf::from(std::ffi::OsString::from_vec(name)));
    }
    if let Some(dynamic) = segments.iter().find(|segment| segment.kind == PT_DYNAMIC) {
        read_dynamic(file, &header.like(read(file, dynamic.offset, dynamic.size)?), &segments, path, &mut needs)?;
    }
    Some(needs)
}

fn read_dynamic(file: &File, table: &Bytes, segments: &[Segment], path: &Path, needs: &mut Needs) -> Option<()> {
    let half = table.pick(4, 8);
    let entries: Vec<(u64, u64)> = (0..)
        .map_while(|index| Some((table.number(index * 2 * half, half)?, table.number(index * 2 * half + half, half)?)))
        .take_while(|(tag, _)| *tag != 0)
        .collect();
    let value = |wanted: u64| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else { return Some(()) };
    // The table gives addresses in memory; the segment that is loaded there says where they are in the file.
    let within = |one: &&Segment| one.kind == PT_LOAD && (one.address..one.address + one.size).contains(&address);
    let segment = segments.iter().find(within)?;
    let strings = read(file, segment.offset + (address - segment.address), size)?;
    let text = |offset: u64| {
        let tail = strings.get(usize::try_from(offset).ok()?..)?;
        Some(String::from_utf8_lossy(tail.split(|byte| *byte == 0).next()?).into_owned())
    };
    let all = |wanted: u64| entries.iter().filter(move |(tag, _)| *tag == wanted).filter_map(|(_, at)| text(*at));
    needs.libraries = all(DT_NEEDED).collect();
    let search = all(DT_RUNPATH).chain(all(DT_RPATH)).collect::<Vec<_>>();
    if search.is_empty() {
        return Some(());
    }
    let origin = path.canonicalize().ok()?.parent().map(Path::to_path_buf).unwrap_or_default();
    let origin = origin.to_string_lossy();
    needs.search = search
        .iter()
        .flat_map(|list| list.split(':'))
        .filter(|dir| !dir.is_empty())
        .map(|dir| dir.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin).into())
        .collect();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of this class and byte order: header, four segments, the dynamic section, its strings. What is loaded stands
    /// elsewhere in memory than in the file.
    fn file(wide: bool, little: bool, search: (u64, &str)) -> Vec<u8> {
        const LOADED: u64 = 0x40_0000;
        let number = |value: u64, size: usize| -> Vec<u8> {
            let bytes = value.to_be_bytes()[8 - size..].to_vec();
            if little { bytes.into_iter().rev().collect() } else { bytes }
        };
        let half = if wide { 8 } else { 4 };
        let word = |value: u64| number(value, half);
        let (header, entry) = if wide { (64, 56) } else { (52, 32) };
        let interpreter = b"/lib/ld.so\0";
        let strings = format!("\0libone.so\0libtwo.so\0{}\0", search.1);
        let at_interpreter = header + 4 * entry;
        let at_strings = at_interpreter + interpreter.len() as u64;
        let at_dynamic = at_strings + strings.len() as u64;
        let dynamic: Vec<u8> = [
            (DT_NEEDED, 1),
            (DT_NEEDED, 11),
            (search.0, 21),
            (DT_STRTAB, LOADED + at_strings),
            (DT_STRSZ, strings.len() as u64),
            (0, 0),
            (DT_NEEDED, 1),
        ]
        .iter()
        .flat_map(|(tag, value)| [word(*tag), word(*value)].concat())
        .collect();
        let all = at_dynamic + dynamic.len() as u64;
        let segment = |kind: u32, offset: u64, address: u64, size: u64| -> Vec<u8> {
            let kind = number(kind.into(), 4);
            let rest = [word(offset), word(address), word(address), word(size), word(size)].concat();
            let flags = number(5, 4);
            let align = word(1);
            if wide { [kind, flags, rest, align].concat() } else { [kind, rest, flags, align].concat() }
        };
        let mut out = [b"\x7fELF".as_slice(), &[if wide { 2 } else { 1 }, if little { 1 } else { 2 }, 1]].concat();
        out.resize(16, 0);
        out.extend([number(3, 2), number(62, 2), number(1, 4), word(0), word(header), word(0), number(0, 4)].concat());
        out.extend([header, entry, 4, 0, 0, 0].iter().flat_map(|value| number(*value, 2)));
        assert_eq!(out.len() as u64, header);
        out.extend(segment(PT_INTERP, at_interpreter, LOADED + at_interpreter, interpreter.len() as u64));
        // What is loaded elsewhere does not hold the names.
        out.extend(segment(PT_LOAD, 1, LOADED + all, 8));
        out.extend(segment(PT_LOAD, 0, LOADED, all));
        out.extend(segment(PT_DYNAMIC, at_dynamic, LOADED + at_dynamic, dynamic.len() as u64));
        [out, interpreter.to_vec(), strings.into_bytes(), dynamic].concat()
    }

    #[test]
    fn what_a_program_needs_is_read_in_every_width_and_order() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().canonicalize().unwrap();
        for (wide, little) in [(true, true), (true, false), (false, true), (false, false)] {
            for tag in [DT_RUNPATH, DT_RPATH] {
                let path = place.join("program");
                std::fs::write(&path, file(wide, little, (tag, "$ORIGIN/lib::/opt:${ORIGIN}"))).unwrap();
                let found = needs(&path).unwrap().unwrap();
                assert_eq!(found.kind, (if wide { 2 } else { 1 }, 62), "{wide} {little}");
                assert_eq!(found.interpreter, Some("/lib/ld.so".into()));
                assert_eq!(found.libraries, ["libone.so", "libtwo.so"]);
                assert_eq!(found.search, [place.join("lib"), "/opt".into(), place.clone()]);
            }
        }
        std::fs::write(place.join("program"), file(true, true, (77, "/opt"))).unwrap();
        assert!(needs(&place.join("program")).unwrap().unwrap().search.is_empty());
    }

    #[test]
    fn a_cut_file_is_refused_and_a_text_needs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        let whole = file(true, true, (DT_RPATH, "/opt"));
        for length in [20, 63, 64, 200, 300, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(needs(&path).unwrap_err().raw_os_error(), Some(libc::ENOEXEC), "{length}");
        }
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        assert_eq!(needs(&path).unwrap(), None);
    }

    #[test]
    fn our_own_program_needs_what_the_loader_gives_it() {
        let own = needs(&std::env::current_exe().unwrap()).unwrap().unwrap();
        assert!(own.libraries.iter().any(|name| name.starts_with("libc.so")), "{own:?}");
        assert!(own.interpreter.is_some_and(|loader| loader.exists()));
    }
}
