//! Options as getopt_long(3) reads them: `-imnpu`, `-t5`, `-t 5`, `--target 5`, `--target=5`, `--`.

/// Whether an option has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// It has none.
    No,
    /// It must have one: the rest of the word, or the next word.
    Must,
    /// It may have one, which then belongs to the same word: `-rDIR`, `--root=DIR`.
    May,
}

/// One option: its letter (or `\0`), its long name, its value.
pub type Opt = (char, &'static str, Value);

/// What a command line says: options by their long names in order, and the remaining words.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Options and their values.
    pub options: Vec<(&'static str, Option<String>)>,
    /// Everything else.
    pub words: Vec<String>,
}

impl Parsed {
    /// Whether an option was given.
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(known, _)| *known == name)
    }

    /// The last value of an option.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.options.iter().rev().find(|(known, _)| *known == name).and_then(|(_, value)| value.as_deref())
    }
}

/// Reads a command line. `to_first_word` stops at the first word that is no option: what follows is another command's.
///
/// The error is a sentence as getopt_long(3) has it.
pub fn parse(args: &[String], options: &[Opt], to_first_word: bool) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut rest = args.iter().cloned();
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_string())));
            let option = find_long(options, name)?;
            let value = match (option.2, value) {
                (Value::No, Some(_)) => return Err(format!("option '--{}' doesn't allow an argument", option.1)),
                (Value::Must, None) => {
                    Some(rest.next().ok_or(format!("option '--{}' requires an argument", option.1))?)
                }
                (_, value) => value,
            };
            parsed.options.push((option.1, value));
        } else if let Some(all) = word.strip_prefix('-').filter(|all| !all.is_empty()) {
            let mut letters = all.chars();
            while let Some(letter) = letters.next() {
                let known = options.iter().find(|(short, ..)| *short == letter && letter != '\0');
                let (_, name, takes) = known.ok_or(format!("invalid option -- '{letter}'"))?;
                let tail = || Some(letters.as_str().to_string()).filter(|tail| !tail.is_empty());
                let value = match takes {
                    Value::No => None,
                    Value::May => tail(),
                    Value::Must => Some(
                        tail().or_else(|| rest.next()).ok_or(format!("option requires an argument -- '{letter}'"))?,
                    ),
                };
                parsed.options.push((name, value));
                if *takes != Value::No {
                    break;
                }
            }
        } else {
            parsed.words.push(word);
            if to_first_word {
                break;
            }
        }
    }
    parsed.words.extend(rest);
    Ok(parsed)
}

/// A long name may be cut short as long as it is clear which one is meant.
fn find_long<'a>(options: &'a [Opt], name: &str) -> Result<&'a Opt, String> {
    if let Some(option) = options.iter().find(|(_, long, _)| *long == name) {
        return Ok(option);
    }
    let mut matching = options.iter().filter(|(_, long, _)| !name.is_empty() && long.starts_with(name));
    match (matching.next(), matching.next()) {
        (Some(option), None) => Ok(option),
        (Some(_), Some(_)) => Err(format!("option '--{name}' is ambiguous")),
        (None, _) => Err(format!("unrecognized option '--{name}'")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: [Opt; 4] = [
        ('p', "pid", Value::No),
        ('t', "target", Value::Must),
        ('r', "root", Value::May),
        ('\0', "propagation", Value::Must),
    ];

    fn read(line: &str, to_first_word: bool) -> Result<Parsed, String> {
        parse(&line.split_whitespace().map(str::to_string).collect::<Vec<_>>(), &OPTIONS, to_first_word)
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
        assert_eq!(read("-px", true), Err("invalid option -- 'x'".into()));
        assert_eq!(read("--frob", true), Err("unrecognized option '--frob'".into()));
        assert_eq!(read("-t", true), Err("option requires an argument -- 't'".into()));
        assert_eq!(read("--p", true), Err("option '--p' is ambiguous".into()));
        assert_eq!(read("--pid=3", true), Err("option '--pid' doesn't allow an argument".into()));
    }
}
