//! Options as getopt_long(3) reads them: `-imnpu`, `-t5`, `-t 5`, `--target 5`, `--target=5`, `--`.

use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fmt,
    os::unix::ffi::OsStrExt,
};

/// Whether an option has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// It has none.
    No,
    /// It must have one: the rest of the word, or the next word.
    Must,
    /// It may have one, which then belongs to the same word: `-rDIR`, `--root=DIR`.
    May,
    /// The same, but only for the long name: `-p`, `--pid=FILE`.
    Long,
}

/// One option: its letter (or `\0`), its long name, its value.
pub(crate) type Opt = (char, &'static str, Value);

/// What is wrong with a command line: a sentence as getopt_long(3) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Misuse {
    /// There is no such option here.
    Unknown(String),
    /// The option is used wrongly.
    Wrong(String),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Misuse::Unknown(what) | Misuse::Wrong(what)) = self;
        f.write_str(what)
    }
}

/// What a command line says: options by their long names in order, and the remaining words.
///
/// Words are text (`String`), or whatever bytes a path may consist of (`OsString`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parsed<W = String> {
    /// Options and their values.
    pub options: Vec<(&'static str, Option<W>)>,
    /// Everything else.
    pub words: Vec<W>,
}

impl<W: AsRef<OsStr>> Parsed<W> {
    /// Whether an option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(known, _)| *known == name)
    }

    /// The last value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&W> {
        self.options.iter().rev().find(|(known, _)| *known == name).and_then(|(_, value)| value.as_ref())
    }

    /// The same as text: bytes that are none become signs that no name, number or kind has.
    pub(crate) fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(|value| value.as_ref().to_string_lossy())
    }

    /// Every value of an option, as text.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let values = self.options.iter().filter(|(known, _)| *known == name).filter_map(|(_, value)| value.as_ref());
        values.map(|value| value.as_ref().to_string_lossy().into_owned()).collect()
    }
}

/// Reads the command line of a tool that takes nothing but text. `to_first_word` stops at the first word that is no
/// option: what follows is another command's.
pub(crate) fn parse(args: &[OsString], options: &[Opt], to_first_word: bool) -> Result<Parsed, Misuse> {
    read(args, options, to_first_word, |bytes| String::from_utf8(bytes.to_vec()).ok())
}

/// The same for a tool that takes paths or a command: the kernel's names are bytes, and none of them is lost.
pub(crate) fn parse_bytes(args: &[OsString], options: &[Opt], to_first_word: bool) -> Result<Parsed<OsString>, Misuse> {
    read(args, options, to_first_word, |bytes| Some(OsStr::from_bytes(bytes).to_owned()))
}

fn read<W>(
    args: &[OsString],
    options: &[Opt],
    to_first_word: bool,
    accept: impl Fn(&[u8]) -> Option<W>,
) -> Result<Parsed<W>, Misuse> {
    let accept =
        |bytes| accept(bytes).ok_or_else(|| Misuse::Wrong(format!("{:?} is not UTF-8", OsStr::from_bytes(bytes))));
    let mut parsed = Parsed { options: Vec::new(), words: Vec::new() };
    let mut rest = args.iter().map(|word| word.as_bytes());
    while let Some(word) = rest.next() {
        if word == b"--" {
            break;
        }
        if let Some(long) = word.strip_prefix(b"--") {
            let equals = long.iter().position(|byte| *byte == b'=');
            let (name, value) = equals.map_or((long, None), |at| (&long[..at], Some(&long[at + 1..])));
            let option = find_long(options, &String::from_utf8_lossy(name))?;
            let value = match (option.2, value) {
                (Value::No, Some(_)) => {
                    return Err(Misuse::Wrong(format!("option '--{}' doesn't allow an argument", option.1)));
                }
                (Value::Must, None) => {
                    let missing = || Misuse::Wrong(format!("option '--{}' requires an argument", option.1));
                    Some(rest.next().ok_or_else(missing)?)
                }
                (_, value) => value,
            };
            parsed.options.push((option.1, value.map(&accept).transpose()?));
        } else if let Some(mut letters) = word.strip_prefix(b"-").filter(|all| !all.is_empty()) {
            while let Some((letter, tail)) = letters.split_first() {
                let known =
                    options.iter().find(|(short, ..)| *short == char::from(*letter) && letter.is_ascii_graphic());
                let (_, name, takes) = known.ok_or_else(|| {
                    let letter = String::from_utf8_lossy(letters).chars().next().unwrap_or(' ');
                    Misuse::Unknown(format!("invalid option -- '{letter}'"))
                })?;
                let tail = Some(tail).filter(|tail| !tail.is_empty());
                let value = match takes {
                    Value::No | Value::Long => None,
                    Value::May => tail,
                    Value::Must => {
                        let letter = char::from(*letter);
                        let missing = || Misuse::Wrong(format!("option requires an argument -- '{letter}'"));
                        Some(tail.or_else(|| rest.next()).ok_or_else(missing)?)
                    }
                };
                parsed.options.push((name, value.map(&accept).transpose()?));
                letters = tail.filter(|_| matches!(takes, Value::No | Value::Long)).unwrap_or_default();
            }
        } else {
            parsed.words.push(accept(word)?);
            if to_first_word {
                break;
            }
        }
    }
    for word in rest {
        parsed.words.push(accept(word)?);
    }
    Ok(parsed)
}

/// A long name may be cut short as long as it is clear which one is meant.
fn find_long<'a>(options: &'a [Opt], name: &str) -> Result<&'a Opt, Misuse> {
    if let Some(option) = options.iter().find(|(_, long, _)| *long == name) {
        return Ok(option);
    }
    let mut matching = options.iter().filter(|(_, long, _)| !name.is_empty() && long.starts_with(name));
    match (matching.next(), matching.next()) {
        (Some(option), None) => Ok(option),
        (Some(_), Some(_)) => Err(Misuse::Wrong(format!("option '--{name}' is ambiguous"))),
        (None, _) => Err(Misuse::Unknown(format!("unrecognized option '--{name}'"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: [Opt; 5] = [
        ('p', "pid", Value::No),
        ('t', "target", Value::Must),
        ('r', "root", Value::May),
        ('\0', "propagation", Value::Must),
        ('u', "uts", Value::Long),
    ];

    fn read(line: &str, to_first_word: bool) -> Result<Parsed, Misuse> {
        parse(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>(), &OPTIONS, to_first_word)
    }

    #[test]
    fn words_and_letters_mean_the_same() {
        let wanted = vec![("pid", None), ("target", Some("5".to_string()))];
        for line in ["-pt5 x", "-p -t 5 x", "--pid --target=5 x", "--pid --target 5 -- x", "--pi --ta 5 x"] {
            let parsed = read(line, true).unwrap();
            assert_eq!((&parsed.options, &parsed.words[..]), (&wanted, &["x".to_string()][..]), "{line}");
        }
        assert_eq!(read("-p sh -c x", true).unwrap().words, ["sh", "-c", "x"]);
        assert_eq!(read("x -p y", false).unwrap().words, ["x", "y"]);
        assert_eq!(read("-r/new -r", true).unwrap().options, [("root", Some("/new".into())), ("root", None)]);
    }

    #[test]
    fn mistakes_are_named_as_usual() {
        let (unknown, wrong) =
            (|what: &str| Err(Misuse::Unknown(what.into())), |what: &str| Err(Misuse::Wrong(what.into())));
        assert_eq!(read("-px", true), unknown("invalid option -- 'x'"));
        assert_eq!(read("--frob", true), unknown("unrecognized option '--frob'"));
        assert_eq!(read("-t", true), wrong("option requires an argument -- 't'"));
        assert_eq!(read("--p", true), wrong("option '--p' is ambiguous"));
        assert_eq!(read("--pid=3", true), wrong("option '--pid' doesn't allow an argument"));
    }

    #[test]
    fn a_letter_may_take_no_value_where_its_long_name_does() {
        assert_eq!(read("-up x", true).unwrap().options, [("uts", None), ("pid", None)]);
        assert_eq!(read("--uts=file -u x", true).unwrap().options, [("uts", Some("file".into())), ("uts", None)]);
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_or_refused() {
        let strange = |before: &str| OsStr::from_bytes(&[before.as_bytes(), b"\xff"].concat()).to_owned();
        let args = [strange("-r"), strange("--root="), strange("")];
        let parsed = parse_bytes(&args, &OPTIONS, true).unwrap();
        assert_eq!(parsed.options, [("root", Some(strange(""))), ("root", Some(strange("")))]);
        assert_eq!((parsed.words, parsed.options.len()), (vec![strange("")], 2));
        for arg in args {
            assert_eq!(parse(&[arg], &OPTIONS, true), Err(Misuse::Wrong("\"\\xFF\" is not UTF-8".into())));
        }
        assert_eq!(
            parse_bytes(&[strange("-")], &OPTIONS, true),
            Err(Misuse::Unknown("invalid option -- '\u{fffd}'".into()))
        );
    }
}
