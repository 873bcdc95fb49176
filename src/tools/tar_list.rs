//! What `tar -t` prints, as GNU tar prints it.

use super::{print, tar::Members};
use crate::image::unpack::entries::{Entries, Entry, Kind};
use crate::kernel::{clock::Moment, errno};
use std::{io::Read, process::ExitCode};

/// Owner, group and size share this many columns, and more from the first line on that needs more.
const COLUMNS: usize = 19;

/// Lists an archive: names, or with `verbose` what `ls -l` shows.
pub(super) fn list<R: Read>(
    entries: &mut Entries<R>,
    members: &Members,
    verbose: bool,
    numeric: bool,
) -> Result<(), String> {
    let mut columns = COLUMNS;
    while let Some(entry) = entries.next_entry().map_err(|error| errno::why_io(&error))? {
        if members.want(&entry) {
            let line = if verbose { long(&entry, numeric, &mut columns) } else { quoted(&entry.path) };
            if print(&format!("{line}\n")) != ExitCode::SUCCESS {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn long(entry: &Entry, numeric: bool, columns: &mut usize) -> String {
    let name = |name: &str, id: u32| if numeric || name.is_empty() { id.to_string() } else { name.to_string() };
    let owner = format!("{}/{}", name(&entry.user, entry.uid), name(&entry.group, entry.gid));
    let (letter, size, arrow) = match &entry.kind {
        Kind::File => ('-', entry.size.to_string(), String::new()),
        Kind::Directory => ('d', "0".into(), String::new()),
        Kind::Symlink(text) => ('l', "0".into(), format!(" -> {}", quoted(text))),
        Kind::HardLink(target) => ('h', "0".into(), format!(" link to {}", quoted(target))),
        Kind::Character(major, minor) => ('c', format!("{major},{minor}"), String::new()),
        Kind::Block(major, minor) => ('b', format!("{major},{minor}"), String::new()),
        Kind::Fifo => ('p', "0".into(), String::new()),
    };
    *columns = (*columns).max(owner.len() + 1 + size.len());
    let width = *columns - owner.len() - 1;
    format!(
        "{letter}{} {owner} {size:>width$} {} {}{arrow}",
        permissions(entry.mode),
        Moment::at(entry.mtime.0).map_or_else(|| entry.mtime.0.to_string(), Moment::date),
        quoted(&entry.path)
    )
}

/// Nine letters; setuid, setgid and sticky take the place of x (capital where there is no x).
fn permissions(mode: u32) -> String {
    let special = [(0o4000, 's', 'S'), (0o2000, 's', 'S'), (0o1000, 't', 'T')];
    let mut out = String::new();
    for ((bit, with, without), shift) in special.into_iter().zip([6, 3, 0]) {
        let part = mode >> shift;
        out.push(if part & 4 != 0 { 'r' } else { '-' });
        out.push(if part & 2 != 0 { 'w' } else { '-' });
        out.push(match (mode & bit != 0, part & 1 != 0) {
            (true, true) => with,
            (true, false) => without,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}

/// A name on one line: what is not text, or would move the cursor, is written as C writes it.
pub(super) fn quoted(name: &[u8]) -> String {
    let mut out = String::new();
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                letter if letter.is_control() => {
                    letter.to_string().bytes().for_each(|byte| out.push_str(&format!("\\{byte:03o}")));
                }
                letter => out.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|byte| out.push_str(&format!("\\{byte:03o}")));
    }
    out
}
