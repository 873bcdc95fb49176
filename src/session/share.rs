//! What a learner may show: six lines that can be pasted anywhere, and the same as a picture.

use super::{LessonProgress, Standing};
use crate::lang::Lang;

/// The lessons of the four properties, in the order of the scorecard, and how that calls them.
const PROPERTIES: [(&str, &str, &str); 4] = [
    ("isolate", "isolated", "已隔离"),
    ("rootfs", "own root", "独立根目录"),
    ("cgroups", "limited", "已受限"),
    ("nsenter", "entered", "已进入"),
];

/// The same of the second row.
const BESIDES: [(&str, &str, &str); 3] = [
    ("network", "reachable", "可连通"),
    ("rootless", "rootless", "免 root"),
    ("privileges", "least privilege", "最小权限"),
];

/// How many lines there are.
const LINES: usize = 6;

/// The lines: what it is, the squares of the scorecard and of its second row, what was predicted, on which machine, on how many days. A full square is a
/// lesson that is done, a half one a lesson that was begun.
pub(crate) fn lines(lessons: &[LessonProgress], machine: &str, days: usize, lang: Lang) -> [String; LINES] {
    let square = |name: &str| match lessons.iter().find(|lesson| lesson.id == name) {
        Some(lesson) if lesson.is_complete() => "■",
        Some(lesson) if !lesson.is_untouched() => "▣",
        _ => "□",
    };
    let one = |(name, en, zh): (&str, &'static str, &'static str)| format!("{} {}", square(name), lang.pick(en, zh));
    let (squares, besides) = (PROPERTIES.map(one).join("  "), BESIDES.map(one).join("  "));
    let (done, all) =
        lessons.iter().fold((0, 0), |(done, all), lesson| (done + lesson.done(), all + lesson.steps.len()));
    let helped: usize = lessons.iter().map(|lesson| lesson.count(|standing| *standing == Standing::Helped)).sum();
    let asked: super::progress::Predictions = lessons.iter().map(LessonProgress::predictions).sum();
    let (right, answered) = (asked.right, asked.answered);
    let alone = done - helped;
    [
        lang.pick("A Linux container by hand, one system call at a time", "亲手搭一个 Linux 容器，一次一个系统调用")
            .into(),
        squares,
        besides,
        lang.pick(
            format!("{done} of {all} steps, {alone} without the solution; predicted right: {right} of {answered}"),
            format!("{all} 步做完 {done} 步，{alone} 步没看答案；预测 {answered} 次，猜对 {right} 次"),
        ),
        machine.to_owned(),
        match days {
            1 => lang.pick("on one day, with boxwright", "用了 1 天 · boxwright").into(),
            _ => lang.pick(format!("on {days} days, with boxwright"), format!("用了 {days} 天 · boxwright")),
        },
    ]
}

/// The same as an SVG picture, which needs no font of its own and loads nothing.
pub(crate) fn svg(lines: &[String]) -> String {
    let text: String = lines
        .iter()
        .zip([
            (52, 24, "#e6edf3"),
            (100, 26, "#7ee787"),
            (136, 20, "#7ee787"),
            (176, 17, "#e6edf3"),
            (206, 17, "#9da7b3"),
            (236, 17, "#9da7b3"),
        ])
        .map(|(line, (y, size, colour))| {
            let line = line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            format!("  <text x=\"32\" y=\"{y}\" font-size=\"{size}\" fill=\"{colour}\">{line}</text>\n")
        })
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 264\" width=\"760\" height=\"264\" \
         font-family=\"ui-monospace, monospace\">\n  <rect width=\"760\" height=\"264\" rx=\"14\" fill=\"#0d1117\"/>\n{text}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::StepProgress;

    fn lesson(id: &str, standings: &[Standing], answers: &[Option<bool>]) -> LessonProgress {
        let step = |(index, standing): (usize, &Standing)| StepProgress {
            id: format!("s{index}"),
            standing: standing.clone(),
            answers: if index == 0 { answers.to_vec() } else { Vec::new() },
            ..StepProgress::default()
        };
        LessonProgress {
            id: id.into(),
            steps: standings.iter().enumerate().map(step).collect(),
            ..LessonProgress::default()
        }
    }

    #[test]
    fn six_lines_tell_what_was_reached() {
        let lessons = [
            lesson("isolate", &[Standing::Done, Standing::Helped], &[Some(true), Some(false)]),
            lesson("rootfs", &[Standing::Done, Standing::Open], &[None]),
            lesson("cgroups", &[Standing::Open], &[]),
        ];
        let en = lines(&lessons, "root · cgroup v2 · Linux 6.12", 3, Lang::En);
        assert_eq!(en[1], "■ isolated  ▣ own root  □ limited  □ entered");
        assert_eq!(en[2], "□ reachable  □ rootless  □ least privilege");
        assert_eq!(en[3], "3 of 5 steps, 2 without the solution; predicted right: 1 of 2");
        assert_eq!((en[4].as_str(), en[5].as_str()), ("root · cgroup v2 · Linux 6.12", "on 3 days, with boxwright"));
        assert_eq!(lines(&lessons, "root", 1, Lang::En)[5], "on one day, with boxwright");
        let zh = lines(&lessons, "root", 1, Lang::Zh);
        assert_eq!(
            (zh[3].as_str(), zh[5].as_str()),
            ("5 步做完 3 步，2 步没看答案；预测 2 次，猜对 1 次", "用了 1 天 · boxwright")
        );
    }

    #[test]
    fn the_picture_holds_each_line_and_loads_nothing() {
        let lines: Vec<String> = ["a & b", "<c>", "d", "e", "f", "g"].map(String::from).to_vec();
        let svg = svg(&lines);
        assert!(
            svg.contains(">a &amp; b</text>") && svg.contains(">&lt;c&gt;</text>") && svg.contains(">g</text>"),
            "{svg}"
        );
        assert!(!svg.contains("href") && !svg.contains("url("));
    }
}
