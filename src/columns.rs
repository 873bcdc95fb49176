//! Plain text in columns, right also where a character is two cells wide.

use unicode_width::UnicodeWidthStr;

/// Lines up rows: each column as wide as its widest cell, two blanks between, nothing after the last cell.
pub(crate) fn align(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    let widths: Vec<usize> = (0..columns).filter_map(widest).collect();
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        line.trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

/// The unit that a number of bytes is best written in: how many bytes it has, and its name.
pub(crate) fn unit(count: u64) -> (u64, &'static str) {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    units.into_iter().find(|(unit, _)| count >= *unit).unwrap_or((1, "B"))
}

/// A number of bytes for people: `12.3 MiB`.
pub(crate) fn bytes(count: u64) -> String {
    match unit(count) {
        (1, name) => format!("{count} {name}"),
        (unit, name) => format!("{:.1} {name}", count as f64 / unit as f64),
    }
}

/// Microseconds as seconds with two digits after the point.
pub(crate) fn seconds(micros: u64) -> String {
    format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_are_two_cells() {
        let rows = [vec!["主机".to_string(), "a".to_string()], vec!["x".to_string(), "b".to_string()]];
        assert_eq!(align(&rows), ["主机  a", "x     b"]);
    }
}
