use super::*;
use proptest::prelude::*;

fn shown(screen: &Screen) -> (String, Option<(u16, u16)>, String) {
    (screen.contents(), screen.cursor(), screen.vt().state_formatted())
}

#[test]
fn marks_come_in_order_and_across_any_cut() {
    let output = b"\x1b]133;D;0;aid=7\x07\x1b]133;A\x07$ \x1b]133;B\x07\x1b]133;C\x07hi\r\n\x1b]133;D;3;aid=1\x1b\\\x1b]133;B\x07";
    let expected = [Mark::Prompt { status: 0, shell: 7 }, Mark::CommandStart, Mark::Prompt { status: 3, shell: 1 }];
    assert_eq!(Screen::new(24, 80).process(output).marks, expected);
    let mut screen = Screen::new(24, 80);
    let one_by_one: Vec<Mark> = output.iter().flat_map(|byte| screen.process(&[*byte]).marks).collect();
    assert_eq!(one_by_one, expected);
    assert_eq!(screen.contents(), "$ hi");
}

#[test]
fn the_prompt_leaves_no_glyphs() {
    let mut screen = Screen::new(24, 80);
    let prompt = crate::terminal::shell::PS1.replace("$?", "0").replace("$$", "9");
    let processed = screen.process(prompt.as_bytes());
    assert_eq!(processed.marks, [Mark::Prompt { status: 0, shell: 9 }]);
    assert_eq!(screen.contents(), "$ ");
    assert_eq!(screen.cursor(), Some((0, 2)));
}

#[test]
fn queries_are_answered_from_where_the_cursor_was_then() {
    let mut screen = Screen::new(24, 80);
    let reply = |screen: &mut Screen, text: &str| String::from_utf8(screen.process(text.as_bytes()).reply).unwrap();
    assert_eq!(reply(&mut screen, "ab\x1b[6n\r\ncd\x1b[6n"), "\x1b[1;3R\x1b[2;3R");
    assert_eq!(reply(&mut screen, "\x1b[999;999H\x1b[6n"), "\x1b[24;80R");
    assert_eq!(reply(&mut screen, "\x1b[1;80Hx\x1b[6n"), "\x1b[1;80R");
    assert_eq!(reply(&mut screen, "\x1b[c\x1b[0c"), "\x1b[?62;22c\x1b[?62;22c");
    assert_eq!(reply(&mut screen, "\x1b[>c\x1b[5n\x1b[18t"), "\x1b[>1;10;0c\x1b[0n\x1b[8;24;80t");
    assert_eq!(reply(&mut screen, "\x1b[?25h\x1b[1c\x1b[?1c\x1b[0m"), "", "an answer is no query");
}

#[test]
fn sizes_are_safe_from_nothing_on() {
    for (rows, cols) in [(0, 0), (1, 1), (2, 1), (1, 2), (2, 2), (0, 80), (24, 0), (u16::MAX, 1), (1, u16::MAX)] {
        let mut screen = Screen::new(rows, cols);
        for text in [
            "seq 宽字符 e\u{301} ☁\u{fe0f} \t\x08",
            "\r\n",
            "\x1b[2;5r\x1b[9;9H中\x1b[L\x1b[M\x1b[P\x1b[@",
            "\x1b[?1049h中",
        ] {
            screen.process(text.as_bytes());
            screen.process(text.repeat(9).as_bytes());
        }
        let (rows, cols) = screen.size();
        assert!(screen.cursor().is_none_or(|(row, col)| row < rows && col < cols), "{rows}x{cols}");
    }
}

#[test]
fn resizing_cuts_wide_characters_at_the_border() {
    let mut screen = Screen::new(5, 10);
    screen.process("ab中文字符\r\n".repeat(40).as_bytes());
    for (rows, cols) in [(80, 3), (2, 80), (24, 3), (1, 1), (24, 80), (5, 5), (3, 4)] {
        screen.set_size(rows, cols);
        screen.process("宽\r\n宽宽宽".as_bytes());
        screen.scroll(7);
        assert_eq!(screen.rows().count(), usize::from(rows));
        screen.scroll_to_bottom();
    }
}

#[test]
fn scrollback_holds_its_lines_and_no_more() {
    let mut screen = Screen::new(10, 20);
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

#[test]
fn modes_are_reported() {
    let mut screen = Screen::new(10, 20);
    screen.process(b"\x1b[?1h\x1b[?2004h\x1b[?25l");
    assert!(screen.application_cursor() && screen.bracketed_paste());
    assert_eq!(screen.cursor(), None);
    screen.process(b"\x1bc");
    assert!(!screen.application_cursor() && !screen.bracketed_paste());
    assert_eq!(screen.cursor(), Some((0, 0)));
}

/// Bytes that reach deep: control sequences with numbers, wide and combining characters, and noise.
fn output() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "\\PC{0,8}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..12),
        (proptest::collection::vec(0u16..40, 0..4), "[?> ]?", "[@A-Za-z`]").prop_map(|(numbers, private, last)| {
            let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
            format!("\x1b[{private}{}{last}", numbers.join(";")).into_bytes()
        }),
        prop_oneof![
            Just("中"),
            Just("e\u{301}"),
            Just("☁\u{fe0f}"),
            Just("\u{17d8}"),
            Just("👩\u{200d}🚀"),
            Just("\r"),
            Just("\n"),
            Just("\t"),
            Just("\x08"),
            Just("\x1bM"),
            Just("\x1b7"),
            Just("\x1b8"),
            Just("\x1b[?1049h"),
            Just("\x1b[?1049l"),
            Just("\x1b[?47h"),
            Just("\x1b[?6h"),
            Just("\x1b]133;D;1;aid=4\x07"),
            Just("\x1b]133;B\x07"),
            Just("\x1b[6n"),
        ]
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_at_any_size_are_survived(
        steps in proptest::collection::vec((0u16..12, 0u16..12, output(), -9isize..9), 1..6)
    ) {
        let mut screen = Screen::new(4, 4);
        for (rows, cols, bytes, lines) in steps {
            screen.process(&bytes);
            screen.set_size(rows, cols);
            screen.process(&bytes);
            screen.scroll(lines);
            shown(&screen);
            let area = ratatui::layout::Rect::new(0, 0, 7, 5);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            ratatui::widgets::Widget::render(screen.view(), area, &mut buffer);
            screen.view().cursor(area);
        }
    }

    #[test]
    fn a_cut_changes_nothing(bytes in output(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        let mut whole = Screen::new(6, 17);
        let expected = whole.process(&bytes);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.sort_unstable();
        places.push(bytes.len());
        let (mut cut, mut found, mut from) = (Screen::new(6, 17), Processed::default(), 0);
        for to in places {
            let part = cut.process(&bytes[from..to]);
            found.marks.extend(part.marks);
            found.reply.extend(part.reply);
            from = to;
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(shown(&cut), shown(&whole));
    }
}
