//! cgget(1): show the control files of groups.

use super::{
    args::{
        Opt,
        Value::{Must, No},
        parse,
    },
    complain, failed, is_printed,
    other::misused,
    print,
};
use crate::kernel::{
    controls,
    errno::of,
    groups::{self, Group, Hierarchies, Name},
    text,
};
use crate::lang::say;
use nix::errno::Errno;
use std::{ffi::OsString, fmt::Write, fs, process::ExitCode};

const USAGE: &str = "usage: cgget [-n] [-v] [-r NAME]… [-g CONTROLLER,…] PATH … | cgget [-n] [-v] -g CONTROLLER,…:PATH";
const OPTIONS: [Opt; 5] = [
    ('r', "variable", Must),
    ('g', "group", Must),
    ('a', "all", No),
    ('n', "no-headers", No),
    ('v', "values-only", No),
];

/// libcgroup's statuses: wrong usage; no such group; the controller is not mounted; another error.
const WRONG: u8 = 1;
const NO_GROUP: u8 = 82;
const NOT_MOUNTED: u8 = 84;
const OTHER: u8 = 96;

/// What to show of one group.
struct Wish {
    name: Name,
    /// One file, or all files of the name's controllers.
    file: Option<String>,
}

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let parsed = match parse(args, &OPTIONS, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("cgget", args, &what, USAGE, WRONG),
    };
    let (mut wishes, mut paths): (Vec<Wish>, Vec<String>) = (Vec::new(), Vec::new());
    let mut wish = |text: String, file: Option<&str>| {
        let name = groups::parse(&text)?;
        paths.retain(|path| *path != name.path);
        paths.push(name.path.clone());
        wishes.push(Wish { name, file: file.map(String::from) });
        Some(())
    };
    for (option, value) in &parsed.options {
        let value = value.as_deref().unwrap_or_default();
        let words = parsed.words.iter();
        let done = match *option {
            "group" if value.contains(':') => wish(value.into(), None),
            "group" => words.map(|path| wish(format!("{value}:{path}"), None)).collect(),
            "all" => words.map(|path| wish(format!("*:{path}"), None)).collect(),
            "variable" => {
                let controller = value.split('.').next().unwrap_or_default();
                words.map(|path| wish(format!("{controller}:{path}"), Some(value))).collect()
            }
            _ => Some(()),
        };
        if done.is_none() {
            return complain("cgget", &format!("{value}: {USAGE}"), WRONG);
        }
    }
    let only_paths = !parsed.has("group") && !parsed.has("variable") && !parsed.has("all");
    let everything = parsed.words.iter().filter(|_| only_paths).map(|path| wish(format!("*:{path}"), None));
    if everything.collect::<Option<()>>().is_none() || wishes.is_empty() {
        return complain("cgget", USAGE, WRONG);
    }
    let hierarchies = Hierarchies::read();
    let mut out = String::new();
    for path in paths {
        if !parsed.has("no-headers") {
            let _ = writeln!(out, "{}:", if path.is_empty() { "/" } else { &path });
        }
        for wish in wishes.iter().filter(|wish| wish.name.path == path) {
            if let Err(status) = show(&mut out, &hierarchies, wish, parsed.has("values-only")) {
                is_printed(out.as_bytes());
                return status;
            }
        }
        if !parsed.has("no-headers") {
            out.push('\n');
        }
    }
    print(&out)
}

fn show(out: &mut String, hierarchies: &Hierarchies, wish: &Wish, bare: bool) -> Result<(), ExitCode> {
    if let Some(file) = wish.file.as_deref().filter(|file| groups::is_core(file)) {
        return Err(complain("cgget", &groups::core_hint(hierarchies, &wish.name, file), OTHER));
    }
    let found = hierarchies.groups(&wish.name);
    for group in found.map_err(|why| complain("cgget", &format!("{}: {why}", wish.name.path), NOT_MOUNTED))? {
        if !group.dir.is_dir() {
            return Err(failed(
                "cgget",
                &group.dir.display().to_string(),
                Errno::ENOENT,
                Some(say("no such group", "没有这个组")),
                NO_GROUP,
            ));
        }
        let files = wish.file.clone().map_or_else(|| files(&group), |file| vec![file]);
        for name in files {
            let file = group.dir.join(&name);
            let read = |name: &str| text::read(group.dir.join(name)).unwrap_or_default();
            let text = match text::read(&file) {
                Ok(text) => text,
                // The other version may know it by another name.
                Err(error) => match controls::get(group.version, &name, &read).filter(|_| !file.exists()) {
                    Some(text) => text,
                    // Some files can only be written.
                    None if wish.file.is_none() => continue,
                    None => {
                        let errno = of(&error);
                        let why = controls::why(errno, &group, &name, "");
                        return Err(failed("cgget", &format!("read {}", file.display()), errno, why.as_deref(), OTHER));
                    }
                },
            };
            let lines = text.trim_end().replace('\n', "\n\t");
            let _ = if bare { writeln!(out, "{lines}") } else { writeln!(out, "{name}: {lines}") };
        }
    }
    Ok(())
}

/// The files of the group's controllers, in the order of their names.
fn files(group: &Group) -> Vec<String> {
    let entries = fs::read_dir(&group.dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let ours = |name: &String| {
        group.controllers.iter().any(|c| name.strip_prefix(c).is_some_and(|rest| rest.starts_with('.')))
    };
    let mut files: Vec<String> = names.filter(ours).collect();
    files.sort();
    files
}
