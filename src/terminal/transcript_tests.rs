use super::*;
use proptest::prelude::*;

fn pieces(parts: &[&[u8]]) -> Vec<Piece> {
    let mut transcript = Transcript::default();
    let mut all: Vec<Piece> = Vec::new();
    for piece in parts.iter().flat_map(|part| transcript.process(part)) {
        match (all.last_mut(), piece) {
            (Some(Piece::Text(text)), Piece::Text(more)) => text.push_str(&more),
            (_, piece) => all.push(piece),
        }
    }
    all
}

fn text(output: &str) -> String {
    match pieces(&[output.as_bytes()]).as_slice() {
        [] => String::new(),
        [Piece::Text(text)] => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn escape_sequences_and_carriage_returns_go() {
    assert_eq!(text("\x1b[1;31mred\x1b[0m\r\nnext\r\n"), "red\nnext\n");
    assert_eq!(text("10%\r100%\r\n"), "10%\r100%\n");
    assert_eq!(text("\x1b]0;title\x07a\tb\x07\x1b(B\x1bPq#\x1b\\"), "a\tb");
    assert_eq!(text("文字\r\r\n"), "文字\n");
}

#[test]
fn output_stands_between_the_marks_and_prompts_do_not() {
    let ps1 = |status: i32, shell: i32| {
        format!("\x01\x1b]133;D;{status};aid={shell}\x07\x1b]133;A\x07\x02$ \x01\x1b]133;B\x07\x02")
    };
    let output = format!("{}false\r\n{}sh\r\n{}", ps1(0, 5), ps1(1, 5), ps1(0, 9));
    let expected = [
        Piece::Mark(Mark::Prompt { status: 0, shell: 5 }),
        Piece::Text("false\n".into()),
        Piece::Mark(Mark::Prompt { status: 1, shell: 5 }),
        Piece::Text("sh\n".into()),
        Piece::Mark(Mark::Prompt { status: 0, shell: 9 }),
    ];
    assert_eq!(pieces(&[output.as_bytes()]), expected);
    let bytes: Vec<&[u8]> = output.as_bytes().chunks(1).collect();
    assert_eq!(pieces(&bytes), expected);
}

#[test]
fn a_prompt_that_never_ends_swallows_no_more_than_its_line() {
    assert_eq!(text("\x1b]133;D;0;aid=5\x07$ lost\r\nfound\r\n"), "\nfound\n");
}

proptest! {
    #[test]
    fn a_cut_changes_nothing(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'\r'), Just(b'\n')], 0..80),
        tail in "\\PC{0,20}",
        cut in any::<prop::sample::Index>()
    ) {
        let bytes = [bytes.as_slice(), tail.as_bytes()].concat();
        let (left, right) = bytes.split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(pieces(&[left, right]), pieces(&[&bytes]));
    }
}
