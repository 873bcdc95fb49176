use crate::{
    app::{Event, Look, State},
    lang::Lang,
    lesson::TerminalId,
    ui::stage::{self, press, prompts},
};
use ratatui::buffer::Buffer;

/// A screen full of wide characters that begin in this column.
fn wide(size: (u16, u16), shift: usize) -> State {
    let mut state = stage::state(Lang::Zh, size, Look::default());
    for lesson in state.lessons.iter_mut().flat_map(|lesson| lesson.values_mut()) {
        lesson.steps[0].blocks =
            vec![crate::lesson::Block::Prose(format!("{}{}", "a".repeat(shift), "容器的边框".repeat(120)))];
    }
    press(&mut state, "\n");
    prompts(&mut state);
    let line = format!("{}{}\r\n", "a".repeat(shift), "容器的边框".repeat(40));
    stage::feed(&mut state, Event::Output(TerminalId::Container, line.repeat(9).into_bytes()));
    state
}

/// What a terminal shows: a wide character covers the cell behind it, whatever the buffer holds there.
fn shown(buffer: &Buffer, y: u16) -> Vec<String> {
    use unicode_width::UnicodeWidthStr;
    let mut cells = Vec::new();
    while cells.len() < buffer.area.width as usize {
        let symbol = buffer[(cells.len() as u16, y)].symbol();
        cells.push(symbol.to_string());
        cells.extend(std::iter::repeat_n(String::new(), symbol.width().saturating_sub(1)));
    }
    cells
}

#[test]
fn a_wide_character_never_eats_the_border_of_what_lies_over_it() {
    let mut seen = 0;
    for size in [(80, 24), (81, 25), (140, 45), (60, 18)] {
        for shift in [0, 1] {
            for key in ["?", "w", "g"] {
                let mut state = wide(size, shift);
                press(&mut state, key);
                stage::shot(&mut state);
                let buffer = stage::shot(&mut state);
                let rows: Vec<Vec<String>> = (0..size.1).map(|y| shown(&buffer, y)).collect();
                let columns = size.0.saturating_sub(8).clamp(20, 76) + 4;
                let (left, right) = ((size.0 - columns) / 2, (size.0 - columns) / 2 + columns - 1);
                let corner = |row: &Vec<String>| row[left as usize] == "╭" && row[right as usize] == "╮";
                let top = rows.iter().rposition(corner).unwrap();
                for row in rows[top + 1..].iter().take_while(|row| row[left as usize] != "╰") {
                    assert_eq!([&row[left as usize], &row[right as usize]], ["│", "│"], "{key} {size:?}: {row:?}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 100, "{seen}");
}
