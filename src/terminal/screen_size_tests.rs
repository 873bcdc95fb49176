use super::*;

#[test]
fn a_narrow_window_cuts_nothing_off() {
    let mut screen = Screen::new(Size::new(20, 6));
    screen.process("0123456789abcdefghij文字\r\nnext".as_bytes());
    for (rows, cols) in [(6, 8), (2, 4), (6, 20)] {
        screen.set_size(Size::new(cols, rows));
        assert!(screen.contents().ends_with("next"), "{cols}");
    }
    assert_eq!(screen.contents(), "0123456789abcdefghij文字\nnext");
}

#[test]
fn what_is_wrapped_takes_the_empty_rows_first() {
    let mut screen = Screen::new(Size::new(20, 6));
    screen.process(b"first\r\n0123456789abcdefghij\r\n$ ");
    screen.set_size(Size::new(10, 6));
    assert_eq!((screen.contents().as_str(), screen.cursor()), ("first\n0123456789abcdefghij\n$", Some((3, 2))));
    screen.set_size(Size::new(3, 6));
    assert_eq!(screen.contents(), "6789abcdefghij\n$", "then the first ones go");
    screen.set_size(Size::new(20, 6));
    assert_eq!((screen.contents().as_str(), screen.history()), ("first\n0123456789abcdefghij\n$", 0));
}

#[test]
fn sizes_are_safe_from_nothing_on() {
    for (rows, cols) in [(0, 0), (1, 1), (2, 1), (1, 2), (2, 2), (0, 80), (24, 0), (u16::MAX, 1), (1, u16::MAX)] {
        let mut screen = Screen::new(Size::new(cols, rows));
        for text in [
            "seq 宽字符 e\u{301} ☁\u{fe0f} \t\x08",
            "\r\n",
            "\x1b[2;5r\x1b[9;9H中\x1b[L\x1b[M\x1b[P\x1b[@",
            "\x1b[?1049h中",
        ] {
            screen.process(text.as_bytes());
            screen.process(text.repeat(9).as_bytes());
        }
        let size = screen.size();
        assert!(screen.cursor().is_none_or(|(row, col)| row < size.rows && col < size.columns), "{size:?}");
    }
}

#[test]
fn any_size_takes_wide_characters() {
    let mut screen = Screen::new(Size::new(10, 5));
    screen.process("ab中文字符\r\n".repeat(40).as_bytes());
    for (rows, cols) in [(80, 3), (2, 80), (24, 3), (1, 1), (24, 80), (5, 5), (3, 4)] {
        screen.set_size(Size::new(cols, rows));
        screen.process("宽\r\n宽宽宽".as_bytes());
        screen.scroll(7);
        assert_eq!(screen.lines().count(), usize::from(rows));
        screen.scroll_to_bottom();
    }
}

#[test]
fn scrollback_holds_its_lines_and_no_more() {
    let mut screen = Screen::new(Size::new(20, 10));
    let lines: String = (0..6_000).map(|n| format!("{n}\r\n")).collect();
    screen.process(lines.as_bytes());
    assert_eq!(screen.history(), SCROLLBACK);
    assert_eq!(screen.cursor(), Some((9, 0)));
    screen.scroll(3);
    assert_eq!((screen.scrolled(), screen.cursor()), (3, None));
    assert!(screen.contents().starts_with("5988\n"));
    screen.process(b"more\r\n");
    assert!(screen.contents().starts_with("5988\n"), "the view stays where the reader is");
    screen.scroll(isize::MAX);
    assert_eq!(screen.scrolled(), SCROLLBACK);
    screen.scroll(isize::MIN);
    assert_eq!(screen.scrolled(), 0);
    screen.process(b"\x1b[?1049hfull");
    assert!(screen.alternate_screen());
    screen.scroll(5);
    assert_eq!(screen.contents().trim(), "full");
    screen.process(b"\x1b[?1049l");
    assert!(screen.contents().ends_with("more"));
}
