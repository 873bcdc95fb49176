use super::*;

/// Everything that a screen shows and remembers, but for its history.
pub(super) fn shown(screen: &Screen) -> (String, Option<(u16, u16)>, String, usize) {
    (screen.contents(), screen.cursor(), screen.terminal.dump(), screen.history())
}

pub(super) fn pieces(parts: &[&[u8]]) -> Vec<Piece> {
    let mut screen = Screen::new(Size::USUAL);
    let mut all: Vec<Piece> = Vec::new();
    for piece in parts.iter().flat_map(|part| screen.process(part).pieces) {
        match (all.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => all.push(piece),
        }
    }
    all
}

pub(super) fn text(output: &str) -> String {
    match pieces(&[output.as_bytes()]).as_slice() {
        [] => String::new(),
        [Piece::Text(text)] => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// What a shell draws as its prompt: bash, or one without `PS0`.
fn ps1(status: i32, shell: i32, version: &str) -> String {
    let prompt = crate::terminal::shell::PS1.replace("$?", &status.to_string()).replace("$$", &shell.to_string());
    let begin = if version.is_empty() { "\\[" } else { "\x01" };
    prompt.replace("${BASH_VERSION-}", version).replace("\\[", begin)
}

const BASH: &str = "5.2.37(1)-release";
const C: &str = "\x1b]133;C\x07";

fn submitted(line: &str) -> Piece {
    Piece::Submitted(Some(line.into()))
}

#[test]
fn pieces_come_in_order_and_across_any_cut() {
    let output = format!("{}false\r\n{C}oh\r\n{}sh\r\n{C}{}", ps1(0, 5, BASH), ps1(1, 5, BASH), ps1(0, 9, BASH));
    let expected = [
        Piece::Prompt { status: 0, shell: 5 },
        Piece::Text("false\n".into()),
        submitted("false"),
        Piece::Text("oh\n".into()),
        Piece::Prompt { status: 1, shell: 5 },
        Piece::Text("sh\n".into()),
        submitted("sh"),
        Piece::Prompt { status: 0, shell: 9 },
    ];
    assert_eq!(pieces(&[output.as_bytes()]), expected);
    let bytes: Vec<&[u8]> = output.as_bytes().chunks(1).collect();
    assert_eq!(pieces(&bytes), expected);
}

#[test]
fn escape_sequences_and_carriage_returns_are_not_text() {
    assert_eq!(text("\x1b[1;31mred\x1b[0m\r\nnext\r\n"), "red\nnext\n");
    assert_eq!(text("10%\r100%\r\n"), "10%\r100%\n");
    assert_eq!(text("\x1b]0;title\x07a\tb\x07\x1b(B\x1bPq#\x1b\\"), "a\tb");
    assert_eq!(text("文字\r\r\n"), "文字\n");
    assert_eq!(text("e\u{301}👩\u{200d}🚀"), "e\u{301}👩\u{200d}🚀");
}

#[test]
fn a_prompt_that_never_ends_swallows_no_more_than_its_line() {
    assert_eq!(text("\x1b]133;D;0;aid=5\x07$ lost\r\nfound\r\n"), "\nfound\n");
}

#[test]
fn other_prompts_are_text_and_submit_nothing() {
    let other = "\x1b]133;D;0\x07\x1b]133;A\x07% \x1b]133;B\x07ls\r\n\x1b]133;C\x07x\r\n";
    assert_eq!(text(other), "% ls\nx\n");
}

#[test]
fn the_prompt_leaves_no_glyphs() {
    let mut screen = Screen::new(Size::USUAL);
    let processed = screen.process(ps1(0, 9, BASH).as_bytes());
    assert_eq!(processed.pieces, [Piece::Prompt { status: 0, shell: 9 }]);
    assert_eq!((screen.contents().as_str(), screen.cursor()), ("$", Some((0, 2))));
}

/// A screen on which a shell of this version waits.
fn waiting(version: &str) -> Screen {
    let mut screen = Screen::new(Size::new(20, 24));
    screen.process(ps1(0, 9, version).as_bytes());
    screen
}

#[test]
fn without_ps0_the_echo_of_return_submits_the_line() {
    let mut screen = waiting("");
    screen.process(b"ls");
    screen.sent(b"\r");
    assert_eq!(screen.process(b" -l").pieces, [Piece::Text(" -l".into())]);
    assert_eq!(screen.process(b"\r\nfile\r\n").pieces, [submitted("ls -l"), Piece::Text("file\n".into())]);
    // Line feeds of other things submit nothing: a job in the background, an interrupt.
    let mut screen = waiting("");
    assert_eq!(screen.process(b"ls^C\r\n").pieces, [Piece::Text("ls^C\n".into())]);
    // Nor does a Return that went to a program.
    let mut screen = waiting("");
    screen.sent(b"\r");
    screen.process(b"cat\r\n");
    screen.sent(b"\r");
    let prompt = ps1(0, 9, "");
    let pieces = screen.process(format!("\r\n{prompt}\r\n").as_bytes()).pieces;
    assert!(pieces.iter().all(|piece| !matches!(piece, Piece::Submitted(_))), "{pieces:?}");
}

#[test]
fn bash_says_itself_when_it_starts() {
    let mut screen = waiting(BASH);
    screen.sent(b"if true\rthen echo\rfi\r");
    assert_eq!(screen.process(b"if true\r\n> then echo\r\n> fi\r\n").pieces.len(), 1);
    assert_eq!(screen.process(C.as_bytes()).pieces, [Piece::Submitted(None)], "several rows are not one line");
    assert_eq!(screen.process(C.as_bytes()).pieces, [], "nothing waits any more");
}

#[test]
fn a_here_document_is_known_by_its_first_line() {
    // More rows than the screen has.
    let body: String = (0..60).map(|row| format!("> line {row}\r\n")).collect();
    let echo = format!("cat > note <<'EOF'\r\n{body}> EOF\r\n");
    let mut screen = waiting(BASH);
    assert_eq!(screen.process(echo.as_bytes()).pieces.len(), 1);
    assert_eq!(screen.process(C.as_bytes()).pieces, [submitted("cat > note <<'EOF'")]);
    let mut screen = waiting("");
    screen.sent(b"cat > note <<'EOF'\rx\rEOF\r");
    let pieces = screen.process(format!("cat > note <<'EOF'\r\n> x\r\n> EOF\r\n{}", ps1(0, 9, "")).as_bytes()).pieces;
    let ends: Vec<&Piece> = pieces.iter().filter(|piece| !matches!(piece, Piece::Text(_))).collect();
    assert_eq!(ends, [&submitted("cat > note <<'EOF'"), &Piece::Prompt { status: 0, shell: 9 }]);
}

#[test]
fn a_line_is_known_however_it_was_edited() {
    for (typed, line) in [
        ("echo hi\x1b[2D\x1b[1@t\x1b[5C", "echo thi"),
        // Erased to its beginning, as ^U does, and written anew.
        ("wrong\x1b[5D\x1b[Kright", "right"),
        ("wrong\x1b[5D\x1b[5Pright", "right"),
        ("x\x08\x1b[Jls", "ls"),
        ("ab\x08\x08\x1b[1P", "b"),
        ("echo a very long line that wraps", "echo a very long line that wraps"),
        ("echo 文e\u{301}", "echo 文e\u{301}"),
    ] {
        let mut screen = waiting(BASH);
        screen.process(typed.as_bytes());
        let pieces = screen.process(format!("\r\n{C}").as_bytes()).pieces;
        assert_eq!(pieces.last(), Some(&submitted(line)), "{typed:?}");
    }
}

#[test]
fn it_is_known_whether_something_is_typed() {
    let mut screen = waiting(BASH);
    let mut then = |output: &str| {
        screen.process(output.as_bytes());
        screen.prompt_is_empty()
    };
    assert_eq!(then(""), Some(true));
    assert_eq!(then("l"), Some(false));
    assert_eq!(then("\x08\x1b[K"), Some(true));
    assert_eq!(then(" "), Some(true), "a line that stands behind blanks is the same line");
    assert_eq!(then("\x1b[D"), Some(true));
    assert_eq!(then("a line that goes on in the next row"), Some(false));
    assert_eq!(then("\r\n"), None, "whatever stands below was not typed");
    assert_eq!(then(C), None);
    assert_eq!(then(&ps1(0, 9, "")), Some(true));
    let mut screen = waiting("");
    screen.process(b"some words");
    for cols in [6, 40, 3, 20] {
        screen.set_size(Size::new(cols, 24));
        assert_eq!(screen.prompt_is_empty(), Some(false), "{cols}");
    }
    assert_eq!(Screen::new(Size::new(5, 5)).prompt_is_empty(), None);
}

#[test]
fn what_it_lacked_before() {
    let show = |text: &str| {
        let mut screen = Screen::new(Size::new(10, 3));
        screen.process(text.as_bytes());
        screen.contents()
    };
    assert_eq!(show("\x1b(0lqqk\x1b(B|\n"), "┌──┐|");
    assert_eq!(show("\x1b)0\x0elqk\x0f|"), "┌─┐|");
    assert_eq!(show(&format!("\x1b[?7l{}z", "a".repeat(300))), "aaaaaaaaaz", "no wrap");
    assert_eq!(show("ab\r\x1b[4hxy\x1b[4lz"), "xyzb", "insert mode");
    assert_eq!(show("ab\r\x1b[4h文"), "文ab");
    assert_eq!(show("\tx\x1b[Zy\x1b[2Iz"), "        yz", "tabs both ways");
    assert_eq!(show("ab\x7fc"), "abc", "a deleted character is nothing");
    let mut screen = Screen::new(Size::new(10, 3));
    screen.process(b"\x1b[9ma\x1b[58;5;41mb\x1b[4:3mc\x1b[0;38:2::1:2:3md");
    let line = screen.lines().next().unwrap();
    let pens: Vec<_> = line.cells().iter().map(|cell| *cell.pen()).collect();
    assert!(pens[0].is_strikethrough() && !pens[0].is_underline());
    assert!(!pens[1].is_blink() && pens[1].background().is_none(), "the colour of an underline is not one of the text");
    assert!(pens[2].is_underline());
    assert_eq!(pens[3].foreground(), Some(avt::Color::rgb(1, 2, 3)));
}

#[test]
fn clear_clears_the_history_too() {
    let mut screen = waiting(BASH);
    screen.process("line\r\n".repeat(40).as_bytes());
    screen.process(b"\x1b[H\x1b[2J\x1b[3Jnew\r\n");
    assert_eq!((screen.history(), screen.contents().as_str()), (0, "new"));
    screen.process(b"\x1b[31mred\x1b[4hx\x1b[3J\rY");
    assert_eq!(screen.contents(), "new\nYredx", "modes and colours stay");
    screen.process(format!("\r\n{}typed\x1b[3J", ps1(0, 9, BASH)).as_bytes());
    assert_eq!(screen.prompt_is_empty(), Some(false));
}

#[test]
fn what_comes_after_clear_is_shown() {
    let mut screen = Screen::new(Size::USUAL);
    screen.process(ps1(0, 9, BASH).as_bytes());
    screen.process(format!("clear; x\r\n\x1b[?2004l\r{C}").as_bytes());
    screen.process(b"\x1b[H\x1b[2J\x1b[3J");
    screen.process(b"\x1b(0lqqk\x1b(B\r\n\x1b[?2004h");
    screen.process(ps1(0, 9, BASH).as_bytes());
    assert_eq!(screen.contents(), "┌──┐\n$");
}

#[test]
fn busybox_wraps_a_typed_line_itself() {
    let mut screen = waiting("");
    screen.sent(b"\r");
    let line = "echo 0123456789 01234567890123456789";
    let (first, rest) = line.split_at(18);
    screen.process(format!("{first}\r").as_bytes());
    let pieces = screen.process(format!("\r\n{rest}\r\n").as_bytes()).pieces;
    assert_eq!(pieces.last(), Some(&submitted(line)));
    // Return behind the last column is one all the same.
    let mut screen = waiting("");
    screen.sent(b"\r");
    assert_eq!(
        screen.process(format!("{first}\r\nx").as_bytes()).pieces[1..],
        [submitted(first), Piece::Text("x".into())]
    );
    assert_eq!(screen.contents(), format!("$ {first}\nx"));
}

#[test]
fn marks_stay_with_their_letter() {
    let mut screen = Screen::new(Size::new(4, 3));
    for part in ["e", "\u{301}", "文\u{302}x", "y\u{303}z"] {
        screen.process(part.as_bytes());
    }
    assert_eq!(screen.contents(), "e\u{301}文\u{302}xy\u{303}z");
    assert_eq!(screen.cursor(), Some((1, 2)));
    screen.process("\x1b[4h\rab\u{304}".as_bytes());
    assert_eq!(screen.contents(), "e\u{301}文\u{302}xab\u{304}y\u{303}z", "also while inserting");
}

#[test]
fn queries_are_answered_from_where_the_cursor_was_then() {
    let mut screen = Screen::new(Size::USUAL);
    let reply = |screen: &mut Screen, text: &str| String::from_utf8(screen.process(text.as_bytes()).reply).unwrap();
    assert_eq!(reply(&mut screen, "ab\x1b[6n\r\ncd\x1b[6n"), "\x1b[1;3R\x1b[2;3R");
    assert_eq!(reply(&mut screen, "\x1b[999;999H\x1b[6n"), "\x1b[24;80R");
    assert_eq!(reply(&mut screen, "\x1b[1;80Hx\x1b[6n"), "\x1b[1;80R");
    assert_eq!(reply(&mut screen, "\x1b[c\x1b[0c"), "\x1b[?62;22c\x1b[?62;22c");
    assert_eq!(reply(&mut screen, "\x1b[>c\x1b[5n\x1b[18t"), "\x1b[>1;10;0c\x1b[0n\x1b[8;24;80t");
    assert_eq!(reply(&mut screen, "\x1b[?25h\x1b[1c\x1b[?1c\x1b[0m"), "", "an answer is no query");
}

#[test]
fn modes_are_reported() {
    let mut screen = Screen::new(Size::new(20, 10));
    screen.process(b"\x1b[?1h\x1b[?2004h\x1b[?25l");
    assert!(screen.application_cursor() && screen.bracketed_paste());
    assert_eq!(screen.cursor(), None);
    screen.process(b"\x1bc");
    assert!(!screen.application_cursor() && !screen.bracketed_paste());
    assert_eq!(screen.cursor(), Some((0, 0)));
}

/// What comes of what was typed while a program ran, in a shell that is started by then.
fn ahead(typed: &str, output: &[&str]) -> Vec<Piece> {
    let mut screen = waiting("");
    screen.sent(b"sh\r");
    screen.process(b"sh\r\n");
    screen.sent(typed.as_bytes());
    output.iter().flat_map(|part| screen.process(part.as_bytes()).pieces).collect()
}

#[test]
fn a_line_typed_before_the_first_prompt_of_a_shell_is_known_when_it_ran() {
    let prompt = |status| ps1(status, 10, "");
    let only = |pieces: Vec<Piece>| -> Vec<Piece> {
        pieces.into_iter().filter(|piece| !matches!(piece, Piece::Text(_))).collect()
    };
    let asks = |status| Piece::Prompt { status, shell: 10 };
    // dash reads what the terminal has echoed before, and prints no more of it.
    let ran = ahead("ps -ef\r", &["ps -ef\r\n", &prompt(0), "PID\r\n", &prompt(1)]);
    assert_eq!(only(ran), [asks(0), submitted("ps -ef"), asks(1)]);
    // busybox echoes it behind its prompt.
    let ran = ahead("ps -ef\r", &["ps -ef\r\n", &prompt(0), "ps -ef\r\n", "PID\r\n", &prompt(1)]);
    assert_eq!(only(ran), [asks(0), submitted("ps -ef"), asks(1)]);
    // What was interrupted has not run, and a prompt that is drawn twice runs nothing.
    assert_eq!(only(ahead("ps\x03", &["ps^C\r\n", &prompt(0), &prompt(130)])), [asks(0), asks(130)]);
    // bash says itself what it takes.
    let drawn = ps1(0, 10, BASH);
    let ran = ahead("ps\r", &["ps\r\n", &drawn, "ps\r\n", C, "PID\r\n", &drawn]);
    assert_eq!(only(ran), [asks(0), submitted("ps"), asks(0)]);
    // A program of the same shell may have read it.
    let prompt = |status| ps1(status, 9, "");
    let ran = ahead("ps -ef\r", &["ps -ef\r\n", &prompt(0), "PID\r\n", &prompt(1)]);
    assert!(!ran.contains(&submitted("ps -ef")), "{ran:?}");
}

#[test]
fn a_line_typed_ahead_of_a_prompt_without_marks_is_known_by_its_echo() {
    let mut screen = waiting("");
    screen.sent(b"bash\r");
    screen.process(b"bash\r\n");
    screen.sent(b"cd /\rls\rfor me\r");
    screen.process(b"cd /\r\nls\r\nfor me\r\nvm:~# cd /\r\nvm:/# ls\r\nbin  etc\r\nvm:/# ");
    assert_eq!(screen.waits(), Some(vec!["cd /".to_string(), "ls".to_string()]));
    assert_eq!(screen.waits(), None, "that is known");
}

#[test]
fn a_copy_goes_on_like_the_first() {
    let prompt = "\x1b]133;D;0;aid=7\x07\x1b]133;A\x07$ \x1b]133;B\x07";
    let run = "ls\r\n\x1b[32mone\x1b[0m  two\r\n";
    let output = format!("{}{prompt}echo a line th", format!("{prompt}{run}").repeat(12));
    // In the middle of a typed line, of a character and of a sequence.
    for rest in ["at is long", "\u{4e2d}", "\x1b[31mred\x1b[0m"] {
        for cut in 0..=rest.len() {
            let mut screen = Screen::new(Size::new(12, 5));
            screen.process(output.as_bytes());
            screen.process(&rest.as_bytes()[..cut]);
            let mut copy = screen.clone();
            assert_eq!(copy.history(), screen.history());
            for screen in [&mut screen, &mut copy] {
                screen.set_size(Size::new(20, 6));
                screen.process(&rest.as_bytes()[cut..]);
                screen.sent(b"\r");
            }
            let ends = format!("\r\n\x1b[1mout\r\n{prompt}");
            let (first, second) = (screen.process(ends.as_bytes()), copy.process(ends.as_bytes()));
            assert_eq!(first, second);
            assert!(first.pieces.iter().any(|piece| matches!(piece, Piece::Submitted(Some(line)) if line.contains("long") || !rest.contains("long"))), "{first:?}");
            assert_eq!(shown(&copy), shown(&screen));
            assert_eq!(copy.prompt_is_empty(), Some(true));
        }
    }
}
