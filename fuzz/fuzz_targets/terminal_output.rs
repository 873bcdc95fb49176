//! Feeds a terminal its input in pieces, with other sizes, scrolls and keys between them.

#![no_main]

use boxwright::terminal::{Screen, Size};
use libfuzzer_sys::fuzz_target;
use ratatui::{buffer::Buffer, layout::Rect, widgets::Widget};

fuzz_target!(|input: &[u8]| {
    let mut screen = Screen::new(Size::new(1, 1));
    // Four bytes say what happens before each piece of output: how long that is, the new size, the lines to scroll.
    let mut rest = input;
    while let [length, rows, columns, lines, output @ ..] = rest {
        let (piece, after) = output.split_at(output.len().min(usize::from(*length)));
        screen.set_size(Size::new(u16::from(*columns), u16::from(*rows)));
        screen.scroll(isize::from(*lines as i8));
        screen.sent(&[*lines]);
        screen.process(piece);
        let area = Rect::new(0, 0, 20, 6);
        screen.view().render(area, &mut Buffer::empty(area));
        let _ = (screen.cursor(), screen.contents(), screen.prompt_is_empty());
        rest = after;
    }
});
