//! What if? What can become of a held call, and what each choice means.

use super::{
    calls, marks, meaning,
    sheet::{Follow, Sheet},
    text::{Rich, hang, pad, wrap},
    theme::Role,
};
use crate::{
    app::{Play, State, Way, held_to_change, is_marked, ways},
    kernel::errno,
    lang::Lang,
    trace::{Call, Flags, Instead, Value},
};
use unicode_width::UnicodeWidthStr;

/// What it means that a flag is dropped, in English and Chinese.
const DROPPED: &[(&str, &str, &str)] = &[
    ("CLONE_NEWNS", "same mount namespace: others see its mounts", "挂载命名空间不变：它的挂载别人也看得到"),
    ("CLONE_NEWUTS", "same UTS namespace: the host name is shared", "UTS 命名空间不变：主机名与外面共用"),
    ("CLONE_NEWIPC", "same IPC namespace: its objects are shared", "IPC 命名空间不变：IPC 对象与外面共用"),
    ("CLONE_NEWPID", "same PID namespace: no new PID 1", "PID 命名空间不变：没有新的 1 号进程"),
    ("CLONE_NEWNET", "same network namespace: interfaces are shared", "网络命名空间不变：网络接口与外面共用"),
    ("CLONE_NEWUSER", "same user namespace: no new capabilities", "用户命名空间不变：得不到新的 capability"),
    ("CLONE_NEWCGROUP", "same cgroup namespace: paths as outside", "cgroup 命名空间不变：路径与外面一样"),
    ("CLONE_NEWTIME", "same time namespace: clocks are shared", "时间命名空间不变：时钟与外面共用"),
    ("MS_RDONLY", "it can be written to", "可以写入"),
    ("MS_NOSUID", "set-user-ID bits count", "set-user-ID 位起作用"),
    ("MS_NODEV", "device nodes work", "设备节点可用"),
    ("MS_NOEXEC", "programs can be started from it", "可以执行其中的程序"),
    ("MS_REMOUNT", "changes no mount: makes a new one", "不修改已有的挂载，而是新建一个"),
    ("MS_BIND", "mounts a file system, not a directory", "挂载的是文件系统，而不是目录"),
    ("MS_REC", "this mount alone, not those below", "只涉及这个挂载，不含下面的"),
    ("MS_MOVE", "moves no mount: makes a new one", "不移动挂载，而是新建一个"),
    ("MS_PRIVATE", "no change of propagation, but a new mount", "不改传播方式，而是新建挂载"),
    ("MS_SLAVE", "no change of propagation, but a new mount", "不改传播方式，而是新建挂载"),
    ("MS_SHARED", "no change of propagation, but a new mount", "不改传播方式，而是新建挂载"),
    ("MS_UNBINDABLE", "no change of propagation, but a new mount", "不改传播方式，而是新建挂载"),
    ("MS_SILENT", "warnings go to the kernel's log", "警告会写进内核日志"),
    ("MNT_DETACH", "fails while it is in use", "仍在使用时会失败"),
    ("MNT_FORCE", "waits or fails while it is in use", "仍在使用时会等待或失败"),
];

/// What a change is called.
pub(super) fn called(instead: Instead, lang: Lang) -> String {
    match instead {
        Instead::Without(..) => lang.pick(format!("without {instead}"), format!("去掉 {instead}")),
        Instead::Fails(_) => lang.pick(format!("fails with {instead}"), format!("失败：{instead}")),
    }
}

/// What a choice is called.
fn name(way: &Way, lang: Lang) -> String {
    match way {
        Way::AsItIs => lang.pick("as it is", "照原样").into(),
        Way::Call(instead) => called(*instead, lang),
        Way::Line(word) => lang.pick(format!("without {word}"), format!("去掉 {word}")),
    }
}

/// What it means for the program.
fn means(call: &Call, way: &Way, lang: Lang) -> String {
    match way {
        Way::AsItIs => lang.pick("the call happens", "调用正常发生").into(),
        Way::Call(Instead::Fails(error)) => {
            let text = errno::meaning(*error, lang);
            lang.pick(format!("the program sees: {text}"), format!("程序看到：{text}"))
        }
        Way::Call(Instead::Without(flags, bit)) => dropped(call, *flags, &flags.text(*bit), lang).into(),
        Way::Line(_) => lang.pick("the line is played with and without it", "带和不带它各演示一遍命令").into(),
    }
}

fn dropped(call: &Call, flags: Flags, name: &str, lang: Lang) -> &'static str {
    let bits = call.args.iter().find_map(|argument| match argument.value {
        Value::Bits(known, bits) if known == flags => Some(bits),
        _ => None,
    });
    let bits = bits.unwrap_or_default();
    let has = |flag: u64| flags == Flags::Mount && bits & flag != 0;
    if flags == Flags::Namespace {
        // Several kinds are asked for with a process, one with a namespace itself.
        return match bits.count_ones() > 1 {
            true => lang.pick("this kind is not entered", "不进入这一种命名空间"),
            false => lang.pick("the kernel does not check the kind", "内核不检查命名空间的种类"),
        };
    }
    if name == "MS_BIND" && has(libc::MS_REMOUNT) {
        return lang.pick("changes the whole file system", "改的是整个文件系统");
    }
    if matches!(name, "MS_PRIVATE" | "MS_SLAVE" | "MS_SHARED" | "MS_UNBINDABLE")
        && has(libc::MS_BIND | libc::MS_REMOUNT)
    {
        return lang.pick("propagation is not asked for", "不请求传播方式");
    }
    let name = name.replace("MOUNT_ATTR_", "MS_");
    let row = DROPPED.iter().find(|(known, ..)| *known == name);
    row.map_or(lang.pick("asked for without it", "请求里没有它"), |(_, en, zh)| lang.pick(*en, *zh))
}

/// What stays as it is, where the call has more flags.
fn stays(call: &Call, lang: Lang) -> Option<&'static str> {
    let text = lang.pick(
        "Its flags in the program's memory (a structure) stay as they are.",
        "程序内存里（结构体中）的标志保持原样。",
    );
    call.has_flags_in_memory().then_some(text)
}

/// What it means for a lesson.
fn then(lang: Lang) -> &'static str {
    lang.pick(
        "The kernel ticks the step's facts: with another call they may not come true. r begins the step again.",
        "步骤的事实由内核判定：调用变了，它们可能就不成立。按 r 可以重做这一步。",
    )
}

/// What b and Space do besides.
fn keys(play: &Play, rows: &[Way], lang: Lang) -> Option<String> {
    let flags = rows.iter().filter(|way| way.is_flag()).count() > 1;
    let both = !play.is_lab();
    let mark = flags.then(|| lang.pick("Space marks flags that are dropped together.", "空格标记要一起去掉的标志。"));
    let play = both.then(|| {
        lang.pick(
            "b plays both branches, as it is and as chosen, from the same replayed state, and shows what differs.",
            "b 从重放得到的同一状态把原样和所选的改动各演示一遍，并列出差异。",
        )
    });
    let text: Vec<&str> = mark.into_iter().chain(play).collect();
    (!text.is_empty()).then(|| text.join(lang.pick(" ", "")))
}

/// Lays out the choices; the chosen row is pointed at, and flags that are marked have a cross.
pub(super) fn sheet(state: &State, chosen: usize, marked: Option<Instead>, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some((play, call)) = state.play.as_ref().and_then(|play| Some((play, held_to_change(play)?))) else {
        return sheet;
    };
    sheet.add(wrap(&calls::brief(call), Role::Code, columns));
    if let Some(words) = meaning::sentence(call, lang) {
        sheet.add(wrap(&words, Role::Plain, columns));
    }
    if let Some(all) = marked {
        let text = lang.pick(format!("Marked: {all}"), format!("已标记：{all}"));
        sheet.add(wrap(&text, Role::Strong, columns));
    }
    sheet.gap();
    let rows = ways(play, call);
    let besides = keys(play, &rows, lang);
    let room = rows.iter().map(|way| name(way, lang).width()).max().unwrap_or(0) + 2;
    for (at, way) in rows.into_iter().enumerate() {
        let (mark, role) = match (at == chosen, is_marked(marked, &way)) {
            (true, _) => (marks::NOW, Role::Strong),
            (false, true) => (marks::TRUE, Role::Strong),
            (false, false) => (" ", Role::Plain),
        };
        let key = if at < 9 { (at + 1).to_string() } else { " ".into() };
        if at == chosen {
            sheet.follow = Follow::Around(sheet.lines.len());
        }
        let first =
            [(format!("{mark} "), Role::Focus), (format!("{key} "), Role::Key), (pad(&name(&way, lang), room), role)];
        sheet.add(hang(&first, &Rich::default().with(&means(call, &way, lang), Role::Quiet), columns));
    }
    sheet.gap();
    let notes = stays(call, lang).into_iter().chain((!play.is_lab()).then(|| then(lang)));
    for text in notes.map(str::to_string).chain(besides) {
        sheet.add(wrap(&text, Role::Quiet, columns));
    }
    sheet
}

/// The same as sentences, with the command for each.
pub(super) fn lines(play: &Play, call: &Call, lang: Lang) -> Vec<String> {
    let mut out = vec![lang.pick(
        format!(
            "What if {} went another way? `f NAME` chooses; `f NAME NAME` drops several flags:",
            calls::brief(call)
        ),
        format!("如果 {} 换一种结果？用 `f 名字` 选择；`f 名字 名字` 一次去掉几个标志：", calls::brief(call)),
    )];
    out.extend(ways(play, call).iter().filter_map(|way| {
        let (command, name, means) = (command(way)?, name(way, lang), means(call, way, lang));
        Some(lang.pick(format!("`{command}`: {name}; {means}."), format!("`{command}`：{name}；{means}。")))
    }));
    out.extend(stays(call, lang).map(Into::into));
    if !play.is_lab() {
        let text = lang.pick(
            "`b` in the place of `f` plays both branches, as it is and so, and tells what differs; the call waits on.",
            "把 `f` 换成 `b`，就把原样和改动各演示一遍，并说出差异；调用继续停着。",
        );
        out.push(text.into());
    }
    out
}

/// What is typed for it; a line has only both branches.
fn command(way: &Way) -> Option<String> {
    match way {
        Way::AsItIs => None,
        Way::Call(instead) => Some(format!("f {instead}")),
        Way::Line(word) => Some(format!("b {word}")),
    }
}

#[cfg(test)]
#[path = "instead_tests.rs"]
mod tests;
