//! Styles (SGR) that avt 0.19 reads wrong.

use avt::{Parser, parser::Function};

/// The same styles in words that avt understands; nothing where it understands them as they are.
///
/// The colour of underlines (58) written with semicolons would be read as blinking and a background; an underline of
/// some shape (`4:3`) as none; a double one (21) as the end of bold.
pub(super) fn mend(parameters: &str) -> Option<Function> {
    if !parameters.as_bytes().windows(2).any(|pair| matches!(pair, b"58" | b"4:" | b"21")) {
        return None;
    }
    let mut mended = Vec::new();
    let mut rest = parameters.split(';');
    while let Some(parameter) = rest.next() {
        match parameter {
            "38" | "48" | "58" => {
                let kind = rest.next();
                let length = match kind {
                    Some("5") => 1,
                    Some("2") => 3,
                    _ => 0,
                };
                let color = [Some(parameter), kind].into_iter().flatten().chain(rest.by_ref().take(length));
                match parameter {
                    "58" => color.for_each(drop),
                    _ => mended.extend(color),
                }
            }
            "4:0" => mended.push("24"),
            "21" => mended.push("4"),
            shaped if shaped.starts_with("4:") => mended.push("4"),
            other => mended.push(other),
        }
    }
    // No styles at all would be read as a reset; the end of an underline's colour changes nothing.
    let mended = if mended.is_empty() { "59".into() } else { mended.join(";") };
    let mut parser = Parser::new();
    format!("\x1b[{mended}m").chars().find_map(|c| parser.feed(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use avt::Color;
    use avt::parser::SgrOp::{self, *};

    fn styles(parameters: &str) -> Vec<SgrOp> {
        match mend(parameters) {
            Some(Function::Sgr(styles)) => styles.as_slice().to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_read_wrong_is_mended_and_the_rest_is_left() {
        assert_eq!(styles("58;5;41"), []);
        assert_eq!(styles("58;2;1;5;9;1"), [SetBoldIntensity]);
        assert_eq!(styles("58:5:41;1"), [SetBoldIntensity]);
        assert_eq!(styles("58:2::1:2:3"), []);
        assert_eq!(styles("4:3;58;5;9;31"), [SetUnderline, SetForegroundColor(Color::Indexed(1))]);
        assert_eq!(styles("4:0"), [ResetUnderline]);
        assert_eq!(styles("21"), [SetUnderline]);
        assert_eq!(
            styles("38;5;58;48;2;4;21;58"),
            [SetForegroundColor(Color::Indexed(58)), SetBackgroundColor(Color::rgb(4, 21, 58))]
        );
        assert_eq!(styles("38;5;21"), [SetForegroundColor(Color::Indexed(21))]);
        assert_eq!(styles("58;5"), []);
        for fine in ["", "0", "1;31", "38;5;200", "38:2::1:2:3"] {
            assert_eq!(mend(fine), None, "{fine}");
        }
    }
}
