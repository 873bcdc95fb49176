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
    ("boxwright", "reset", "清除已有的学习进度"),
    ("boxwright", "record", "把发生的一切（包括按键）写入这个新文件（最多 64 MiB）；以 root 重新启动后写入 FILE.root"),
    ("boxwright", "lang", "语言（否则依次看 BOXWRIGHT_LANG、LC_ALL、LC_MESSAGES、LANG）"),
    ("boxwright", "lessons", "课程目录：其中的课程会加入内置课程，同名的则替换"),
    ("boxwright", "image", "“根目录”一课用的镜像，例如 oci:目录 或 docker://alpine"),
    ("boxwright", "color", "何时使用颜色：auto、always 或 never；auto 遵从 NO_COLOR"),
    ("boxwright", "theme", "配色：default、light、contrast（投影用）、colorblind（蓝与橙）、mono"),
    ("boxwright", "yes", "运行 --lessons 里课程的命令，不再询问"),
    ("boxwright", "unguarded", "不拦下会改变机器本身的调用，例如在所有容器之外的挂载"),
    ("run", "", "不用界面运行课程：输出文字记录，或每行一个 JSON 事件"),
    ("run", "places", "课程，或课程/步骤；不写则运行全部课程"),
    ("run", "json", "每行一个 JSON 事件"),
    ("run", "patience", "等待提示符和检查的时间放大多少倍：用于模拟或过载的机器"),
    ("run", "record", "把发生的一切写入这个新文件，每行一个 JSON 对象（最多 64 MiB）"),
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
    ("inspect", "watch", "有变化就再显示一次，直到进程结束；在终端上原地刷新，变化的行前面有 *"),
    ("doctor", "", "这台机器允许什么、不允许什么，以及各自的解决办法"),
    ("doctor", "json", "以 JSON 输出"),
    ("doctor", "fix", "在容器里：把其中的进程移入下一级控制组，这样就能做资源限制的课程"),
    ("clean", "", "清除崩溃的会话留下的东西，此外什么都不动"),
    ("clean", "dry_run", "只列出，不清除"),
    ("progress", "", "逐课显示做完、跳过、看了答案的步骤，以及猜对了多少"),
    ("progress", "json", "以 JSON 输出"),
    ("progress", "markdown", "以 Markdown 输出"),
    ("lessons", "", "供课程作者使用"),
    ("list", "", "列出课程及其步骤"),
    ("check", "", "检查一个目录里的课程，或检查内置课程"),
    ("check", "dir", "课程目录"),
    ("check", "stats", "列出每一步在动手之前要读多少字"),
    ("new", "", "建立一门新课程的文件夹"),
    ("new", "id", "课程的名字"),
    ("new", "dir", "建在哪个目录"),
    ("export", "", "把一门课程输出为一份讲者文档"),
    ("export", "id", "课程的名字"),
    ("tools", "", "列出课程用到的工具"),
    ("glossary", "", "术语表：中英对照，各有一句解释"),
    ("glossary", "word", "只显示这个词，中文或英文都可以"),
];

const END: &str = "boxwright 工具 参数… 运行课程用到的某个工具；boxwright tools 列出全部。\n\
                   退出状态：0 正常；1 有检查没有通过；2 用法错误；3 这台机器做不了。";
const TEMPLATE: &str = "{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// What clap writes itself, and how that reads in Chinese.
const WORDS: [(&str, &str); 9] = [
    ("Usage: ", "用法："),
    ("[OPTIONS]", "[选项]"),
    ("<COMMAND>...", "<命令>..."),
    ("[COMMAND]", "[命令]"),
    ("<COMMAND>", "<命令>"),
    ("[default: ", "[默认："),
    ("选项:", "选项："),
    ("参数:", "参数："),
    ("命令:", "命令："),
];

/// What stands for a value, and how that is written in Chinese.
const VALUES: [(&str, &str); 11] = [
    ("LESSON[/STEP]", "课程[/步骤]"),
    ("TIMES", "倍数"),
    ("DIR", "目录"),
    ("REF", "镜像"),
    ("FILE", "文件"),
    ("CLASS", "类别"),
    ("ID", "名字"),
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
    HELP.iter().find(|(known, name, _)| (*known, *name) == (command, argument)).map(|(.., text)| *text)
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
            let enumerated = arg.get_id() == "color";
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
