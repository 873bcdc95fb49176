//! Every command of the plain mode, as `?` says them.

use crate::app::State;

/// Every command of the plain mode: how it is written in English and Chinese, and what it does.
const COMMANDS: [(&str, &str, &str, &str); 26] = [
    (
        "Enter",
        "回车",
        "type the command that is due, let the held call happen, or go to the next step",
        "输入当前这条命令，放行暂停的调用，或进入下一步",
    ),
    ("1-9", "1-9", "answer the question", "回答问题"),
    (
        "! LINE",
        "! 命令",
        "type LINE into the container terminal; ! ^C interrupts what runs there",
        "在容器终端里输入一行命令；! ^C 中断那里的程序",
    ),
    ("@ LINE", "@ 命令", "the same in the host terminal", "同上，在宿主机终端里"),
    ("s", "s", "say this step again", "把这一步再说一遍"),
    ("h", "h", "one more hint", "再给一条提示"),
    ("c", "c", "let everything that is held go on", "放行所有暂停的调用"),
    (
        "f",
        "f",
        "what if: what else can become of the held call; f NAME … drops those flags, or makes it fail with that error",
        "如果…：暂停的调用还可以怎样；f 名字…，去掉这些标志，或让它以这个错误失败",
    ),
    (
        "b NAME …",
        "b 名字…",
        "both branches of the held call: as it is and as f NAME … would have it, from the same state, and what differs; \
         b --OPTION, of its line with and without that option",
        "暂停的调用的两种结果：原样，以及 f 名字… 那样，从同一状态各演示一遍，说出差异；b --选项，比较带和不带这个选项的命令",
    ),
    ("u NAME", "u 调用", "go on until the next call of this name", "运行到下一次这个调用"),
    ("x", "x", "hold before every call, or stop doing so", "逐个暂停调用，或不再暂停"),
    ("n", "n", "next step", "下一步"),
    ("p", "p", "step before", "上一步"),
    ("r", "r", "begin this step again", "重做这一步"),
    ("g", "g", "the steps, and what each has come to", "列出各步，以及每步的完成情况"),
    ("g N", "g 数字", "go to step N, or to the one with N in its name", "跳到这一步；也可以写名字里的字"),
    ("C", "C", "how far you have come in all lessons", "全部课程的学习进度"),
    ("w", "w", "what the kernel says now: namespaces, processes, scorecard", "内核现在怎么说：命名空间、进程、记分卡"),
    (
        "w PANE",
        "w 窗格",
        "what one pane of the drawn screen shows: calls, namespaces, processes, sides, mounts, cgroup, source, users, network; \
         as many letters as only one of them begins with are enough: w na, w ne",
        "画面上某个窗格的内容：calls（系统调用）、namespaces（命名空间）、processes（进程）、sides（内外对比）、mounts（挂载）、cgroup、source（源码）、\
         users（用户）、network（网络）；写到能分清是哪一个就够：w na、w ne",
    ),
    ("W", "W", "the words of this step, and what the scorecard means", "这一步的术语，以及记分卡的含义"),
    ("e", "e", "write the proof card (what the kernel counted) into a file", "把证据卡（内核的计数）写入文件"),
    ("N", "N", "speaker notes on or off", "显示或隐藏讲者备注"),
    ("l", "l", "中文", "English"),
    ("d", "d", "what this machine allows", "这台机器允许什么"),
    ("m", "m", "the lessons", "课程列表"),
    ("q", "q", "end", "退出"),
];

/// Says every command.
pub(crate) fn help(state: &State) -> Vec<String> {
    let lang = state.lang;
    let mut out: Vec<String> = COMMANDS
        .iter()
        .map(|(en, zh, does, zh_does)| lang.pick(format!("{en}: {does}"), format!("{zh}：{zh_does}")))
        .collect();
    if state.class.is_some() {
        out.push(
            lang.pick("H: the class sees that you want help, or no more", "H：告诉班上请帮忙，或不用帮忙了").into(),
        );
        out.push(lang.pick("D: the class sees that you are done, or not", "D：告诉班上做完了，或还没做完").into());
        out.push(lang.pick("X: leave the class: share nothing", "X：退出班级，不再共享").into());
    }
    if state.facts.as_root.is_some() {
        out.push(lang.pick("R: end, and start again as root", "R：退出并以 root 重新启动").into());
    }
    out
}
