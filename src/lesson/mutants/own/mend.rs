//! The sed(1) command that makes one text of another.

/// A line of the one text, or a line of the other one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line<'a> {
    /// This line, counted from 1, goes.
    Goes(usize),
    /// This comes before that line.
    Comes(usize, &'a str),
}

/// The command that makes `good` of `mybox` as it is now.
pub(super) fn sed(now: &str, good: &str) -> String {
    let (now, good): (Vec<&str>, Vec<&str>) = (now.lines().collect(), good.lines().collect());
    let mut words = Vec::new();
    let mut rest = lines(&now, &good).into_iter().peekable();
    while let Some(line) = rest.next() {
        match (line, rest.peek().copied()) {
            // A line that goes, and one in its place.
            (Line::Goes(at), Some(Line::Comes(before, text))) if before == at + 1 => {
                words.push(format!("{at}c\\{}", quoted(text)));
                rest.next();
            }
            (Line::Goes(at), _) => words.push(format!("{at}d")),
            (Line::Comes(before, text), _) if before > now.len() => words.push(format!("$a\\{}", quoted(text))),
            (Line::Comes(before, text), _) => words.push(format!("{before}i\\{}", quoted(text))),
        }
    }
    match words.as_slice() {
        [word] => format!("sed -i '{word}' mybox"),
        words => format!("sed -i -e '{}' mybox", words.join("' -e '")),
    }
}

/// A line as a text of sed(1) between single quotes. A tabulator would complete a word where it is typed.
fn quoted(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\'', "'\\''").replace('\t', "        ")
}

/// What changes, line by line, by the longest common subsequence.
fn lines<'a>(now: &[&str], good: &[&'a str]) -> Vec<Line<'a>> {
    let width = good.len() + 1;
    let mut common = vec![0_usize; (now.len() + 1) * width];
    for (i, one) in now.iter().enumerate().rev() {
        for (j, other) in good.iter().enumerate().rev() {
            let (right, down) = (common[i * width + j + 1], common[(i + 1) * width + j]);
            common[i * width + j] = if one == other { common[(i + 1) * width + j + 1] + 1 } else { right.max(down) };
        }
    }
    let (mut i, mut j, mut changes) = (0, 0, Vec::new());
    while i < now.len() || j < good.len() {
        if i < now.len() && j < good.len() && now[i] == good[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < now.len() && (j == good.len() || common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            i += 1;
            changes.push(Line::Goes(i));
        } else {
            changes.push(Line::Comes(i + 1, good[j]));
            j += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_way_back_is_named() {
        for (now, good, wanted) in [
            ("a\nc\n", "a\nb\nc\n", "sed -i '2i\\b' mybox"),
            ("a\n", "a\nb\n", "sed -i '$a\\b' mybox"),
            ("a\nx\nc\n", "a\n  b\nc\n", "sed -i '2c\\  b' mybox"),
            ("a\nx\nc\n", "a\nc\n", "sed -i '2d' mybox"),
            ("b\na\n", "a\nb\n", "sed -i -e '1d' -e '$a\\b' mybox"),
            ("a\n", "echo 'x\\n'\na\n", "sed -i '1i\\echo '\\''x\\\\n'\\''' mybox"),
            ("a\n", "\tb\na\n", "sed -i '1i\\        b' mybox"),
        ] {
            assert_eq!(sed(now, good), wanted);
        }
    }

    #[test]
    fn the_command_does_it() {
        let good = "#!/bin/sh\nset -eu\n\nif a; then\n    b 'c' \\\n        \"$d\"\nfi\ne\\nf\n";
        let dir = tempfile::tempdir().unwrap();
        let lines: Vec<&str> = good.lines().collect();
        for gone in 0..lines.len() {
            let without: Vec<&str> =
                lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, line)| *line).collect();
            let mut moved = without.clone();
            moved.insert((gone + 3) % lines.len(), lines[gone]);
            for now in [without, moved] {
                // An empty line is no text for sed(1), and no command of a script's.
                if lines[gone].is_empty() {
                    continue;
                }
                let now = now.join("\n") + "\n";
                std::fs::write(dir.path().join("mybox"), &now).unwrap();
                let status = std::process::Command::new("sh").args(["-c", &sed(&now, good)]).current_dir(&dir).status();
                assert!(status.unwrap().success());
                assert_eq!(std::fs::read_to_string(dir.path().join("mybox")).unwrap(), good, "{now}");
            }
        }
    }
}
