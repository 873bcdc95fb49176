//! Whatever a program prints, at any size.

use super::{super::prompt::LEAD, tests::*, *};
use proptest::{prelude::*, string::string_regex};

/// Bytes that reach deep: control sequences with numbers, wide and combining characters, and noise.
fn output() -> impl Strategy<Value = Vec<u8>> {
    // Where a pattern stands for a strategy, it is read again for each case.
    let text = |pattern| string_regex(pattern).unwrap();
    let piece = prop_oneof![
        text("\\PC{0,8}").prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..12),
        (proptest::collection::vec(0u16..40, 0..4), text("[?> ]?"), text("[@A-Za-z`]")).prop_map(
            |(numbers, private, last)| {
                let numbers: Vec<String> = numbers.iter().map(u16::to_string).collect();
                format!("\x1b[{private}{}{last}", numbers.join(";")).into_bytes()
            }
        ),
        prop::sample::select(vec![
            "中",
            "e\u{301}",
            "☁\u{fe0f}",
            "\u{17d8}",
            "👩\u{200d}🚀",
            "\r",
            "\n",
            "\t",
            "\x08",
            "\x1bM",
            "\x1b7",
            "\x1b8",
            "\x1b[?1049h",
            "\x1b[?1049l",
            "\x1b[?47h",
            "\x1b[?6h",
            "\x1b[4h",
            "\x1b[?7l",
            "\x1b(0",
            "\x1b[3J",
            "\x1b[2J",
            "\x1b[K",
            "\x1b[P",
            "\x1b[58;5;41m",
            "\x1b]133;D;1;aid=4\x07",
            "\x1b]133;A\x07",
            "\x1b]133;B\x07",
            "\x1b]133;C\x07",
            "\x1b[6n",
        ])
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
        let mut screen = Screen::new(Size::new(4, 4));
        for (rows, cols, bytes, lines) in steps {
            screen.process(&bytes);
            screen.set_size(Size::new(cols, rows));
            screen.sent(b"\r");
            screen.process(&bytes);
            screen.scroll(lines);
            screen.process(&bytes);
            screen.prompt_is_empty();
            shown(&screen);
            let area = ratatui::layout::Rect::new(0, 0, 7, 5);
            let mut buffer = ratatui::buffer::Buffer::empty(area);
            ratatui::widgets::Widget::render(screen.view(), area, &mut buffer);
            screen.view().cursor(area);
        }
    }

    #[test]
    fn a_cut_changes_nothing(bytes in output(), cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6)) {
        // The beginning of a prompt of ours is the one thing that is known only in one piece.
        prop_assume!(!bytes.windows(LEAD.len()).any(|part| part == LEAD.as_bytes()));
        let mut whole = Screen::new(Size::new(17, 6));
        let expected = whole.process(&bytes);
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        places.sort_unstable();
        places.push(bytes.len());
        let (mut cut, mut found, mut from) = (Screen::new(Size::new(17, 6)), Processed::default(), 0);
        for to in places {
            let part = cut.process(&bytes[from..to]);
            for piece in part.pieces {
                match (found.pieces.last_mut(), piece) {
                    (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
                    (_, piece) => found.pieces.push(piece),
                }
            }
            found.reply.extend(part.reply);
            from = to;
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(shown(&cut), shown(&whole));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_copy_shows_the_same(bytes in output(), more in output()) {
        let mut screen = Screen::new(Size::new(17, 6));
        screen.process(&bytes);
        let mut copy = screen.clone();
        let visible = |screen: &Screen| (screen.contents(), screen.cursor(), screen.terminal.dump());
        prop_assert_eq!(visible(&copy), visible(&screen));
        prop_assert_eq!(copy.prompt_is_empty(), screen.prompt_is_empty());
        // Whatever comes, it is survived.
        copy.process(&more);
        copy.set_size(Size::new(40, 3));
    }
}
