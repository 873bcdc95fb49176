//! Use over time against a limit, in characters.

use super::{text::Pieces, theme::Role};

/// Eighths of a character, from the bottom.
const EIGHTHS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A chart of percentages in so many rows, one column a second, the newest on the right, with a line at the limit whose
/// number stands at the axis. `indent` columns on the left are for the names of the pane.
pub(super) fn lines(percent: &[f64], limit: Option<f64>, columns: usize, indent: usize, rows: usize) -> Vec<Pieces> {
    let axis = indent + 2;
    let room = columns.saturating_sub(axis);
    let shown = percent.get(percent.len().saturating_sub(room)..).unwrap_or_default();
    // The scale is a whole number of CPUs, so that it does not move with every sample.
    let most = shown.iter().copied().chain(limit).fold(100.0, f64::max);
    let top = (most / 100.0 - 1e-9).ceil().max(1.0) * 100.0;
    let step = top / rows as f64;
    let mut out = Vec::new();
    for row in (0..rows).rev() {
        let (low, high) = (step * row as f64, step * (row + 1) as f64);
        let here = limit.filter(|limit| low < *limit && *limit <= high);
        let scale = match here {
            // The limit's own number is never hidden behind the scale's.
            Some(limit) => format!("{limit:.0}"),
            None if row + 1 == rows => format!("{top:.0}"),
            None if row == 0 => "0".into(),
            None => String::new(),
        };
        let (here, role) = (here.is_some(), if here.is_some() { Role::Limit } else { Role::Quiet });
        let mut line: Pieces = vec![(format!("{scale:>indent$} "), role)];
        let axis = if here {
            "├"
        } else if row == 0 {
            "┼"
        } else {
            "┤"
        };
        line.push((axis.to_string(), role));
        for place in 0..room {
            // Nothing stands where nothing was measured yet, but the limit holds there as well.
            let value = (place + shown.len()).checked_sub(room).and_then(|at| shown.get(at)).copied().unwrap_or(0.0);
            let eighths = (((value - low) / step * 8.0).round().clamp(0.0, 8.0)) as usize;
            let (text, role) = match (eighths, here) {
                (0, true) => ("┄", Role::Limit),
                (eighths, _) => (EIGHTHS.get(eighths).copied().unwrap_or(" "), Role::Container),
            };
            match line.last_mut() {
                Some((last, known)) if *known == role => last.push_str(text),
                _ => line.push((text.to_string(), role)),
            }
        }
        out.push(line);
    }
    out
}

/// A bar that is this full; from nine tenths on it warns.
pub(super) fn bar(full: f64, columns: usize) -> Pieces {
    let filled = ((full * columns as f64).round().clamp(0.0, columns as f64)) as usize;
    let role = if full >= 0.9 { Role::Danger } else { Role::Container };
    vec![("▓".repeat(filled), role), ("░".repeat(columns - filled), Role::Quiet)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text::width;

    fn text(lines: &[Pieces]) -> Vec<String> {
        lines.iter().map(|line| line.iter().map(|(text, _)| text.as_str()).collect()).collect()
    }

    #[test]
    fn use_is_as_high_as_it_is_and_the_limit_is_a_line() {
        let lines = |limit, rows| lines(&[0.0, 33.4, 50.0, 100.0], Some(limit), 14, 4, rows);
        assert_eq!(text(&lines(50.0, 3)), [" 100 ┤       █", "  50 ├┄┄┄┄┄┄▄█", "   0 ┼     ███"]);
        assert!(lines(50.0, 3).iter().all(|line| width(line) == 14));
        // A limit in the first row, or in the last one, is seen as well.
        assert_eq!(text(&lines(10.0, 3))[2], "  10 ├┄┄┄┄┄███");
        assert_eq!(text(&lines(100.0, 3))[0], " 100 ├┄┄┄┄┄┄┄█");
        let high = lines(50.0, 8);
        assert_eq!(high.len(), 8);
        assert!(
            high.iter().any(|line| line.first().is_some_and(|(text, role)| text == "  50 " && *role == Role::Limit))
        );
    }

    #[test]
    fn the_scale_grows_by_whole_cpus() {
        assert!(text(&lines(&[101.0], None, 20, 4, 3))[0].starts_with(" 200"));
        assert!(text(&lines(&[100.0], Some(20.0), 20, 4, 3))[0].starts_with(" 100"));
        assert_eq!(lines(&[], None, 3, 9, 3).len(), 3);
    }

    #[test]
    fn a_bar_is_never_longer_than_its_place() {
        for full in [0.0, 0.5, 0.95, 7.0, f64::NAN] {
            assert_eq!(width(&bar(full, 20)), 20);
        }
    }
}
