use super::*;
use crate::terminal::Screen;
use crate::terminal::Size;

const MIB: u64 = 1 << 20;

/// Three layers after four seconds: the first has ended, the second is half read, the third waits.
fn three() -> Vec<Layer> {
    let second = Duration::from_secs;
    let mut layers = [(1, 2), (2, 8), (3, 30)].map(|(number, size)| Layer::new(number, size * MIB)).to_vec();
    layers[0].begin(second(0));
    layers[0].end(second(2));
    layers[1].begin(second(2));
    layers[1].done = 4 * MIB;
    layers
}

fn shown(layers: &[Layer], rows: usize, columns: usize) -> Vec<String> {
    lines(layers, Duration::from_secs(4), rows, columns)
}

#[test]
fn each_layer_and_all_of_them_have_a_bar() {
    let wanted = [
        "layer 1/3  [##################]  100%    2.0/2.0 MiB   1.0 MiB/s       done",
        "layer 2/3  [#########.........]   50%    4.0/8.0 MiB   2.0 MiB/s  0:02 left",
        "layer 3/3  [..................]    0%   0.0/30.0 MiB                waiting",
        "total      [##................]   15%   6.0/40.0 MiB   1.5 MiB/s  0:23 left",
    ];
    assert_eq!(shown(&three(), 24, 76), wanted);
}

#[test]
fn what_does_not_fit_is_left_out() {
    let narrow = [
        "layer 1/3  100%    2.0/2.0 MiB       done",
        "layer 2/3   50%    4.0/8.0 MiB  0:02 left",
        "layer 3/3    0%   0.0/30.0 MiB    waiting",
        "total       15%   6.0/40.0 MiB  0:23 left",
    ];
    assert_eq!(shown(&three(), 12, 44), narrow);
    assert_eq!(shown(&three(), 12, 30)[1], "layer 2/3   50%  0:02 left");
    assert_eq!(shown(&three(), 4, 30), ["layer 2/3   50%  0:02 left", "total       15%  0:23 left"]);
    assert_eq!(shown(&three(), 1, 30), ["total   15%  0:23 left"]);
    for (rows, columns) in (0..8).flat_map(|rows| (0..100).map(move |columns| (rows, columns))) {
        let lines = shown(&three(), rows, columns);
        assert!((1..=rows.saturating_sub(1).max(1)).contains(&lines.len()), "{rows} {columns}");
        let plain = |line: &String| line.len() <= columns.saturating_sub(1) && line.is_ascii();
        assert!(lines.iter().all(plain), "{rows} {columns}: {lines:#?}");
    }
}

#[test]
fn odd_numbers_are_no_trouble() {
    let mut layers = vec![Layer::new(1, 0), Layer::new(2, 512)];
    assert!(shown(&layers, 24, 80)[0].contains("  0%      0/0 B"));
    layers[0].begin(Duration::ZERO);
    layers[0].end(Duration::ZERO);
    layers[1].begin(Duration::from_secs(4));
    let lines = shown(&layers, 24, 80);
    assert!(lines[0].contains("100%") && lines[1].ends_with("-:-- left"), "{lines:#?}");
    layers[1].done = 9999;
    assert!(shown(&layers, 24, 80)[1].contains("100%  512/512 B"));
    assert!(shown(&[], 24, 80)[0].starts_with("total"));
    assert_eq!([clock(7), clock(754), clock(3723)], ["0:07", "12:34", "1:02:03"]);
    assert_eq!([bytes(0), bytes(1023), bytes(1536)], ["0 B", "1023 B", "1.5 KiB"]);
}

/// What a terminal shows after a copy of so many layers: while the last one is read, and after the bars were taken away.
fn drawn(rows: u16, columns: u16, count: usize) -> (String, String) {
    let mut terminal = Screen::new(Size::new(columns, rows));
    let mut layers: Vec<Layer> = (1..=count).map(|number| Layer::new(number, 4 * MIB)).collect();
    let (mut height, mut at) = (0_usize, Duration::ZERO);
    terminal.process(b"$ skopeo copy a b\r\n");
    for index in 0..count {
        terminal.process(paint(height, &[]).as_bytes());
        terminal.process(format!("Copying blob {}\r\n", index + 1).as_bytes());
        (height, layers[index].done) = (0, 0);
        layers[index].begin(at);
        for _ in 0..3 {
            at += Duration::from_secs(1);
            layers[index].done += MIB;
            let lines = lines(&layers, at, rows.into(), columns.into());
            terminal.process(paint(height, &lines).as_bytes());
            height = lines.len();
        }
        if index + 1 < count {
            layers[index].end(at);
        }
    }
    let during = terminal.contents();
    // The echo of an impatient learner.
    terminal.process(b"^C^C^C");
    terminal.process(paint(height, &[]).as_bytes());
    terminal.process(b"$ ");
    (during, terminal.contents())
}

#[test]
fn a_terminal_shows_the_bars_once_and_then_no_more() {
    for (rows, columns, count) in
        [(24, 80, 3), (24, 76, 30), (12, 40, 3), (12, 40, 12), (5, 80, 3), (5, 76, 9), (2, 20, 2)]
    {
        let (during, after) = drawn(rows, columns, count);
        let told: Vec<String> = (1..=count).map(|number| format!("Copying blob {number}")).collect();
        let size = format!("{rows} {columns} {count}:\n{during}\n---\n{after}");
        // The bars are below what was printed, each of them once.
        let bars: Vec<&str> =
            during.lines().filter(|line| line.starts_with("layer ") || line.starts_with("total ")).collect();
        let all = count + 1 < usize::from(rows);
        let wanted = if all { count + 1 } else { 2.min(usize::from(rows) - 1) };
        assert_eq!(bars.len(), wanted, "{size}");
        assert!(
            during.lines().last().unwrap().starts_with("total ") && during.contains(told.last().unwrap()),
            "{size}"
        );
        // Then there is only what was printed, the prompt right below it.
        let left: Vec<&str> = after.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(left.last().map(|line| line.trim_end()), Some("$"), "{size}");
        assert!(!after.contains("layer ") && !after.contains("total "), "{size}");
        assert!(left.len() > 1, "{size}");
        let printed = left.iter().rev().skip(1).map(|line| line.to_string());
        let wanted = told.iter().rev().cloned().chain(["$ skopeo copy a b".into()]);
        assert!(printed.zip(wanted).all(|(printed, wanted)| printed == wanted), "{size}");
    }
}

#[test]
fn a_dumb_terminal_shows_one_line() {
    let line = |text: &str| vec![text.to_string()];
    let painted = [
        paint_dumb(&[], &line("total  10%  waiting")),
        paint_dumb(&line("total  10%  waiting"), &line("total  20%  0:01")),
        paint_dumb(&line("total  20%  0:01"), &[]),
    ];
    assert_eq!(painted, ["\rtotal  10%  waiting\r", "\rtotal  20%  0:01   \r", "\r                \r"]);
}
