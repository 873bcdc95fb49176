//! The command line in Chinese: `--help` and usage errors. In English both are clap's own.

use clap::{
    Arg, ArgAction, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::error::Error as _;

/// Help by command and argument; an empty argument is the command itself. Flags that several commands know stand with
/// the program.
const HELP: &[(&str, &str, &str)] = &[
    ("boxwright", "", "亲手造一个 Linux 容器，一次一个系统调用"),
    ("boxwright", "place", "从哪里开始：课程，或课程/步骤，例如 isolate/3"),
    ("boxwright", "plain", "不画界面，逐行输出纯文本：适合读屏软件、盲文点显器、串口控制台；设置 ACCESSIBLE=1 也一样"),
    ("boxwright", "ascii", "只用 ASCII 字符；TERM=linux、vt100 之类以及非 UTF-8 的 locale 下自动启用"),
    ("boxwright", "large_print", "大字版面：一次一个窗格，留白更多，用 contrast 配色；请同时调大终端字体"),
    ("boxwright", "bottom_margin", "屏幕下方留出几行空白：适合下方被前排观众挡住的教室"),
    (
        "boxwright",
        "type_along",
        "跟打：在终端里每按一个键，就打出该输入的那一行的下一个字符；回车打完整行，再按回车运行",
    ),
    ("boxwright", "pace", "要代劳的命令按人打字的速度输入"),
    ("boxwright", "auto", "自动播放：每等这么多秒就做下一件事，包括回答问题和给出挑战的解法"),
    ("boxwright", "keys", "在演示画面上显示你按了哪些键；K 开关"),
    ("boxwright", "class", "告诉班上你在哪一步：在这个目录里写一个小文件，结束时删除；随时可以按 X 退出"),
    ("boxwright", "name", "班上看到的名字（默认用账号名）"),
    ("boxwright", "reset", "清除已有的学习进度"),
    ("boxwright", "record", "把发生的一切（包括按键）写入这个新文件（最多 64 MiB）；以 root 重新启动后写入 FILE.root"),
    ("boxwright", "lang", "语言（否则依次看 BOXWRIGHT_LANG、LC_ALL、LC_MESSAGES、LANG）"),
    ("boxwright", "lessons", "课程目录：其中的课程会加入内置课程，同名的则替换"),
    ("boxwright", "image", "“根目录”一课用的镜像，例如 oci:目录 或 docker://alpine"),
    ("boxwright", "color", "何时使用颜色：auto、always 或 never；auto 遵从 NO_COLOR"),
    ("boxwright", "theme", "配色：default、light、contrast（投影用）、colorblind（蓝与橙）、mono"),
    ("boxwright", "yes", "运行 --lessons 里课程的命令，或录制里的命令，不再询问"),
    ("boxwright", "unguarded", "不拦下会改变机器本身的调用，例如在所有容器之外的挂载"),
    ("run", "", "不用界面运行课程：输出文字记录，或每行一个 JSON 事件"),
    ("run", "places", "课程，或课程/步骤；不写则运行全部课程"),
    ("run", "json", "每行一个 JSON 事件"),
    ("run", "strict", "有步骤因为这台机器做不了而跳过时，退出状态也为 1"),
    ("run", "patience", "等待提示符和检查的时间放大多少倍：用于模拟或过载的机器"),
    ("run", "record", "把发生的一切写入这个新文件，每行一个 JSON 对象（最多 64 MiB）"),
    ("present", "record", "把发生的一切（包括按键）写入这个新文件（最多 64 MiB）；以 root 重新启动后写入 FILE.root"),
    ("lab", "record", "把发生的一切（包括按键）写入这个新文件（最多 64 MiB）；以 root 重新启动后写入 FILE.root"),
    ("fix", "record", "把发生的一切（包括按键）写入这个新文件（最多 64 MiB）；以 root 重新启动后写入 FILE.root"),
    ("class", "", "显示班上谁在哪一步、谁要帮忙、大家怎么回答的，来自各会话用 --class 共享的内容"),
    ("class", "dir", "各会话写入的目录"),
    ("class", "json", "每行一个 JSON 对象，有变化就再输出一行"),
    ("class", "once", "只显示一次"),
    ("class", "rehearse", "用这么多个无人操作的会话填满看板，证明它显示无误，然后撤掉"),
    ("present", "", "把一课演示给全场看；加 --notes 则在另一个终端里打开讲者视图，两边都能控制"),
    ("present", "shown", "课程，或课程/步骤"),
    ("present", "notes", "讲者视图：命令之前的备注、下一行命令、答案、时间和下一步"),
    ("present", "minutes", "计划讲多少分钟：讲者视图会说早了还是晚了多少"),
    ("lab", "", "两个终端加全部窗格，没有课程：想试什么、演示什么都行"),
    ("lab", "tried", "想试的镜像，例如 alpine 或 oci:目录：会提示如何解包"),
    (
        "what-if",
        "",
        "从同一个状态把步骤里的一行命令演示两遍，第二遍改动一个调用或换一行，再列出差异：命名空间、挂载、限制、进程",
    ),
    ("what-if", "place", "演示哪一步的第一行命令"),
    ("what-if", "call", "第二遍要改动的调用，以及它是同名调用里的第几个，例如 unshare 或 mount:2"),
    ("what-if", "change", "要从中去掉的标志，例如 CLONE_NEWUTS；或让它失败的错误，例如 EPERM"),
    ("what-if", "line", "第二遍改为输入的那一行"),
    ("what-if", "json", "以 JSON 输出"),
    ("what-if", "branch", "演示标准输入所给计划的一种结果"),
    ("trace", "", "运行任意命令，显示造容器的系统调用以及每个调用改变了什么"),
    ("trace", "json", "在标准输出上每行一个 JSON 事件"),
    ("trace", "output", "把调用写到这里：文件、'|命令' 或 '&描述符'"),
    (
        "trace",
        "only",
        "只显示这些类别或调用：namespace、process、mount、root、cgroup、rights、object，或 unshare 这样的名字",
    ),
    ("trace", "count", "只在最后给一张表：每个调用的次数、失败次数和用时"),
    ("trace", "time", "每行前面写上开始以来的秒数"),
    ("trace", "step", "每个调用之前暂停：回车放行，c 全部放行，u 调用名 到下一次该调用，q 结束"),
    ("trace", "guard", "调用会改变机器本身时先询问；没有终端则拒绝"),
    (
        "trace",
        "process",
        "跟踪一个已在运行的进程，直到它结束，或按 Ctrl-C 让它独自继续；它的每个调用都会停一下，所以变慢，之前做过什么也不知道",
    ),
    ("trace", "command", "要运行的命令及其参数"),
    (
        "untraced",
        "",
        "在会话的终端里，或在 trace 下：运行一个不受跟踪的命令，例如 strace 或 gdb\n\n\
         一个进程最多只有一个跟踪者，而普通用户的跟踪会让 set-user-ID 程序失去特权。这个命令在同样的命名空间、目录和控制组里\
         运行，但没有跟踪者：它的调用不会显示，保护也看不到它改变了什么。它随会话一起结束。",
    ),
    ("untraced", "command", "要运行的命令及其参数"),
    ("inspect", "", "显示任意进程的命名空间、挂载、cgroup 和记分卡"),
    ("inspect", "pid", "进程的 PID"),
    ("inspect", "json", "每行一个 JSON 事件"),
    ("inspect", "panes", "在实验台的界面里看：关于这个进程的每个窗格，和两个终端"),
    ("inspect", "watch", "有变化就再显示一次，直到进程结束；在终端上原地刷新，变化的行前面有 *"),
    ("fix", "", "坏掉的容器：找出故障并修好；打开列表，或按名字打开一个"),
    ("fix", "case", "它的名字；不写则打开列表，停在下一个还没修好的"),
    ("fix", "list", "只打印列表：哪些修好了，用了多久"),
    (
        "fix",
        "mutant",
        "没有尽头：`mybox` 或 `crun` 的一个容器，其中一个调用缺失、变弱或放错了位置；不写 --seed 和 --daily 就是下一个还没修好的",
    ),
    ("fix", "seed", "这个种子的变异体，在每台机器上都一样"),
    ("fix", "daily", "今天的变异体，不用联网，人人相同：种子是今天的日期（UTC）"),
    (
        "fix",
        "script",
        "你自己脚本的变异体，例如 `runtime` 那一课的 `mybox`；也可以是那一课的录制或证书，取其中的脚本。先原样试一遍，再改动一个调用，\
         内核察觉得到才拿出来",
    ),
    ("fix", "plain", "和课程一样：不画界面，逐行输出纯文本"),
    ("doctor", "", "这台机器允许什么、不允许什么，以及各自的解决办法"),
    ("doctor", "json", "以 JSON 输出"),
    ("doctor", "class", "这么多学员在这台机器上需要什么，按现在实测的一个会话推算，再实际启动这么多个会话来验证"),
    ("doctor", "learner", "上课前一周由学员运行：一行结果和一个发给老师的短代码；后面写上代码则说明它的意思"),
    ("doctor", "fix", "在容器里：把其中的进程移入下一级控制组，这样就能做资源限制的课程"),
    ("clean", "", "清除崩溃的会话留下的东西，此外什么都不动"),
    ("clean", "dry_run", "只列出，不清除"),
    ("progress", "", "逐课显示做完、跳过、看了答案的步骤，以及猜对了多少"),
    ("progress", "json", "以 JSON 输出"),
    ("progress", "markdown", "以 Markdown 输出"),
    ("progress", "export", "写入一个新文件（- 表示标准输出），在另一台机器上用 --import 读入"),
    ("progress", "import", "加入另一台机器上 --export 写出的进度；任一边做完的都算做完"),
    ("replay", "", "在同样的界面里播放录制的文件：任何机器都行，不需要 root"),
    ("replay", "file", "--record 写出的文件"),
    ("replay", "brief", "把停顿缩短到两秒"),
    ("replay", "to", "写到标准输出，供其他播放器使用：100 列 30 行的 asciicast"),
    ("replay", "plain", "不画界面，逐行输出纯文本"),
    ("follow", "", "实时观看别人正在录制的会话；绝不向对方写入任何东西"),
    ("follow", "path", "--record 正在写的文件、Unix 套接字、管道，或用 - 表示标准输入，例如来自 ssh"),
    ("follow", "plain", "不画界面，逐行输出纯文本"),
    ("certificate", "", "把一份录制能证明的事实连同录制一起写到标准输出"),
    ("certificate", "recording", "--record 写出的文件"),
    ("verify", "", "根据录制或证书里的事件重新判定：不需要 root，不运行其中的任何东西"),
    ("verify", "file", "录制或证书"),
    ("verify", "rerun", "再在这台机器上把其中的命令重新输入一遍，比较系统调用和事实"),
    ("lessons", "", "供课程作者使用"),
    ("list", "", "列出课程及其步骤"),
    ("check", "", "检查一个目录里的课程，或检查内置课程"),
    ("check", "dir", "课程目录"),
    ("check", "stats", "列出每一步在动手之前要读多少字"),
    ("check", "run", "在这台机器上做一遍每一步：命令之前不成立，之后成立，什么都不留下"),
    ("new", "", "建立一门新课程的文件夹"),
    ("new", "id", "课程的名字"),
    ("new", "dir", "建在哪个目录"),
    ("guide", "", "打印编写课程的指南，以及课程可用的所有词"),
    ("export", "", "把一门课程输出为一份讲者文档；或在这台机器上运行一遍，做成讲义"),
    ("export", "to", "在这台机器上运行这门课程，用命令真正的输出做成讲义：html 或 md；cast 则是屏幕的录像"),
    ("export", "speaker", "加上答案、提示、解法和讲者备注"),
    ("export", "id", "课程的名字"),
    ("book", "", "在这台机器上用每种语言各运行一遍课程，写成一本书：新目录里的静态网页，打开时不加载任何东西"),
    ("book", "dir", "目录"),
    ("book", "names", "哪些课程；一个不写就是全部"),
    ("book", "mdbook", "不写现成的网页，而为每种语言写出 mdBook 的源文件，做成能搜索的书：mdbook build 目录/zh"),
    ("book", "speaker", "加上答案、提示、解法和讲者备注"),
    ("tools", "", "列出课程用到的工具"),
    ("schema", "", "用 JSON Schema 说明 --json 写出什么"),
    ("schema", "name", "哪个命令；不写则列出全部"),
    ("help", "", "解释一个命令或工具，与在它后面写 --help 相同"),
    ("help", "command", "它的名字；像 lessons 这样下面还有命令的，两个都写"),
    ("completions", "", "打印 shell 补全命令行所需的内容"),
    ("completions", "shell", "哪种 shell：bash、elvish、fish、powershell 或 zsh"),
    ("man", "", "把手册页写入一个目录"),
    ("man", "dir", "哪个目录；没有就创建"),
    ("glossary", "", "术语表：中英对照，各有一句解释"),
    ("glossary", "word", "只显示这个词，中文或英文都可以"),
];

const END: &str = "boxwright 工具 参数… 运行课程用到的某个工具；boxwright tools 列出全部。\n\
                   退出状态：0 正常，没有人再读输出时也是；1 试过而失败，或有检查没有通过；2 用法错误，什么都没有做；\n\
                   3 这台机器做不了；128 加 N：被信号 N 结束。trace、untraced 和各个工具：所运行的命令的状态。";
const TEMPLATE: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// What clap writes itself, and how that reads in Chinese.
const WORDS: [(&str, &str); 10] = [
    ("Usage: ", "用法："),
    ("[OPTIONS]", "[选项]"),
    ("<COMMAND>...", "<命令>..."),
    ("[COMMAND]...", "[命令]..."),
    ("[COMMAND]", "[命令]"),
    ("<COMMAND>", "<命令>"),
    ("[default: ", "[默认："),
    ("选项:", "选项："),
    ("参数:", "参数："),
    ("命令:", "命令："),
];

/// What stands for a value, and how that is written in Chinese.
const VALUES: [(&str, &str); 17] = [
    ("CASE", "案例"),
    ("LESSON[/STEP]", "课程[/步骤]"),
    ("TIMES", "倍数"),
    ("ROWS", "行数"),
    ("LEARNERS", "人数"),
    ("MINUTES", "分钟"),
    ("SECONDS", "秒数"),
    ("IMAGE", "镜像"),
    ("DIR", "目录"),
    ("REF", "镜像"),
    ("FILE", "文件"),
    ("FORMAT", "格式"),
    ("CLASS", "类别"),
    ("WORD", "词"),
    ("WHEN", "何时"),
    ("NAME", "名字"),
    ("COMMAND", "命令"),
];

fn in_chinese(arg: Arg) -> Arg {
    let names = arg.get_value_names().map(|names| names.iter().map(|name| name.to_string()).collect::<Vec<_>>());
    let chinese = |name: &String| VALUES.iter().find(|(en, _)| en == name).map(|(_, zh)| *zh);
    match names.as_deref() {
        Some([name]) => match chinese(name) {
            Some(zh) => arg.value_name(zh),
            None => arg,
        },
        _ => arg,
    }
}

fn help(command: &str, argument: &str) -> Option<&'static str> {
    let row =
        |command| HELP.iter().find(|(known, name, _)| (*known, *name) == (command, argument)).map(|(.., text)| *text);
    // What the program itself takes means the same behind a command.
    row(command).or_else(|| row("boxwright").filter(|_| !argument.is_empty()))
}

/// The command line with Chinese help.
pub(super) fn command(command: Command) -> Command {
    let name = command.get_name().to_string();
    let version = command.get_version().map(str::to_string);
    let subcommands: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_string()).collect();
    let mut command = command
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .disable_help_flag(true)
        .mut_args(|arg| {
            let heading = if arg.is_positional() { "参数" } else { "选项" };
            let text = help(&name, arg.get_id().as_str());
            // The values stand in the text.
            let enumerated = ["color", "to", "shell"].contains(&arg.get_id().as_str());
            let arg = if enumerated { arg.hide_possible_values(true) } else { arg }.help_heading(heading);
            let arg = in_chinese(arg);
            match text {
                Some(text) => arg.help(text),
                None => arg,
            }
        })
        .arg(flag("help", 'h', ArgAction::Help, "显示帮助"));
    if let Some(about) = help(&name, "") {
        command = command.about(about).long_about(about);
    }
    if version.is_some() {
        command = command.after_help(END).disable_version_flag(true).arg(flag(
            "version",
            'V',
            ArgAction::Version,
            "显示版本",
        ));
    }
    subcommands.into_iter().fold(command, |command, sub| command.mut_subcommand(sub, self::command))
}

fn flag(name: &'static str, short: char, action: ArgAction, help: &'static str) -> Arg {
    Arg::new(name).long(name).short(short).action(action).help(help).help_heading("选项")
}

/// What clap says, in Chinese: help as it is, errors afresh.
pub(super) fn said(error: &clap::Error, colours: bool) -> String {
    let shown = error.render();
    let shown = if colours { shown.ansi().to_string() } else { shown.to_string() };
    let text = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::DisplayVersion => {
            shown
        }
        _ => mistake(error),
    };
    WORDS.iter().fold(text, |text, (en, zh)| text.replace(en, zh))
}

fn mistake(error: &clap::Error) -> String {
    let get = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(all)) => all.join(" "),
        Some(ContextValue::StyledStr(text)) => text.to_string(),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let (arg, value) = (get(ContextKind::InvalidArg), get(ContextKind::InvalidValue));
    let what = match error.kind() {
        ErrorKind::UnknownArgument => format!("没有 {arg} 这个参数"),
        ErrorKind::InvalidSubcommand => format!("没有 {} 这个命令", get(ContextKind::InvalidSubcommand)),
        ErrorKind::InvalidValue if value.is_empty() => format!("{arg} 缺少值"),
        ErrorKind::InvalidValue => {
            format!("{arg} 不能是 {value}；可以是：{}", get(ContextKind::ValidValue))
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(|source| format!("：{source}")).unwrap_or_default();
            format!("{arg} 不能是 {value}{why}")
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数 {arg}"),
        ErrorKind::MissingSubcommand => "缺少命令".into(),
        ErrorKind::ArgumentConflict if arg == get(ContextKind::PriorArg) => format!("{arg} 只能写一次"),
        ErrorKind::ArgumentConflict => format!("{arg} 不能与 {} 同时使用", get(ContextKind::PriorArg)),
        ErrorKind::InvalidUtf8 => "有参数不是合法的 UTF-8".into(),
        _ => format!("{arg} 的值个数不对"),
    };
    let nearest = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
        .map(get)
        .into_iter()
        .find(|text| !text.is_empty());
    let nearest = nearest.map(|text| format!("\n  是不是想写 {text}？")).unwrap_or_default();
    let usage = get(ContextKind::Usage);
    let usage = if usage.is_empty() { usage } else { format!("\n\n{usage}") };
    format!("boxwright：{what}{nearest}{usage}\n\n详见 --help。\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Each command and argument that the English command line has, by the names of [`HELP`].
    fn places(command: &Command, out: &mut Vec<(String, String)>) {
        out.push((command.get_name().into(), String::new()));
        out.extend(command.get_arguments().map(|arg| (command.get_name().into(), arg.get_id().to_string())));
        command.get_subcommands().for_each(|sub| places(sub, out));
    }

    #[test]
    fn every_command_and_argument_has_its_chinese_help_and_no_row_is_left_over() {
        let mut found = Vec::new();
        places(&super::super::Cli::command(), &mut found);
        for (command, arg) in &found {
            assert!(help(command, arg).is_some(), "{command} {arg}");
        }
        for (command, arg, _) in HELP {
            assert!(found.contains(&((*command).into(), (*arg).into())), "{command} {arg}");
        }
        command(super::super::Cli::command()).debug_assert();
    }
}
