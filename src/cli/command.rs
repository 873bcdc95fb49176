//! What boxwright does besides the screen, each with what it takes.

use super::{
    Lessons, Player, Show, Stage,
    values::{image, pid, times},
};
use crate::image::Reference;
use crate::kernel::pid::Pid;
use clap::{Args, Subcommand};
use std::{ffi::OsString, path::PathBuf};

/// Everything that is not the screen.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Run lessons without a screen: a transcript, or one JSON event a line
    Run {
        /// LESSON or LESSON/STEP; all lessons where none is named
        #[arg(value_name = "LESSON[/STEP]")]
        places: Vec<String>,
        /// One JSON event a line
        #[arg(long)]
        json: bool,
        /// Status 1 also where steps were skipped, because this machine cannot do them
        #[arg(long)]
        strict: bool,
        /// Wait this many times as long for prompts and checks: for emulated and overloaded machines
        #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = times)]
        patience: u32,
        /// Write all that happens into this new file, one JSON object a line (at most 64 MiB)
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
    },
    /// Show who of a class is where, who needs help, and how the room has answered, from what sessions share with --class
    Class {
        /// The directory that they write to
        dir: PathBuf,
        /// One JSON object a line, a new one at each change
        #[arg(long)]
        json: bool,
        /// Only once
        #[arg(long)]
        once: bool,
        /// Only ASCII characters
        #[arg(long)]
        ascii: bool,
        /// Fill the board with so many sessions without learners, prove that it is right, and take them away
        #[arg(long, value_name = "LEARNERS", conflicts_with_all = ["json", "once"], value_parser = clap::value_parser!(u16).range(1..=200))]
        rehearse: Option<u16>,
    },
    /// Show a lesson to a hall; with --notes the speaker's view of it, in a second terminal, from which both are driven
    Present {
        /// LESSON or LESSON/STEP
        #[arg(value_name = "LESSON[/STEP]", conflicts_with = "notes")]
        shown: Option<String>,
        /// The speaker's view: the note before the command, the next line, the answer, the time, the next step
        #[arg(long)]
        notes: bool,
        /// How long the talk is to take: the speaker's view says how early or late you are
        #[arg(long, value_name = "MINUTES", requires = "notes", value_parser = clap::value_parser!(u64).range(1..=1440))]
        minutes: Option<u64>,
        /// Write all that happens, keys included, into this new file (at most 64 MiB); started again as root, into FILE.root
        #[arg(long, value_name = "FILE", conflicts_with = "notes")]
        record: Option<PathBuf>,
        /// How the screen looks.
        #[command(flatten)]
        show: Show,
        /// What a speaker uses.
        #[command(flatten)]
        stage: Stage,
    },
    /// Two terminals and every pane, without a lesson: for whatever you like to try or to show
    Lab {
        /// An image to try, such as alpine or oci:DIR: its unpacking is offered
        #[arg(value_name = "IMAGE", value_parser = image)]
        tried: Option<Reference>,
        /// Write all that happens, keys included, into this new file (at most 64 MiB); started again as root, into FILE.root
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// How the screen looks.
        #[command(flatten)]
        show: Show,
    },
    /// Run any command and show the system calls that make a container, with what each one changed
    Trace {
        /// One JSON event a line on standard output
        #[arg(long)]
        json: bool,
        /// Write the calls here: a file, '|COMMAND' or '&DESCRIPTOR'
        #[arg(short, long, value_name = "FILE")]
        output: Option<String>,
        /// Only these classes or calls: namespace, process, mount, root, cgroup, rights, object, or names such as unshare
        #[arg(short = 'e', long = "only", value_name = "CLASS", value_delimiter = ',')]
        only: Vec<String>,
        /// Only a table at the end: how often each call was made, failed, and how long it took
        #[arg(short, long)]
        count: bool,
        /// Seconds since the beginning before each line
        #[arg(short, long)]
        time: bool,
        /// Wait before each call: Return lets it happen, c all, u NAME until the next of that name, q quits
        #[arg(long)]
        step: bool,
        /// Ask before each call that would change the machine itself; without a terminal it is refused
        #[arg(long)]
        guard: bool,
        /// Trace a process that runs already, until it ends or Ctrl-C lets it go on alone; every call of it stops, so it is
        /// slower, and what it did before is not known
        #[arg(short = 'p', long = "pid", value_name = "PID", value_parser = pid, conflicts_with_all = ["step", "guard", "command"])]
        process: Option<Pid>,
        /// The command and its arguments
        #[arg(required_unless_present = "process", trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Play a line of a step twice from the same state, the second time with a changed call or as another line, and show what
    /// differs: namespaces, mounts, limits, processes
    WhatIf(WhatIf),
    /// In a terminal of a session, or under `trace`: run a command that is not traced, such as strace or gdb
    ///
    /// A process has one tracer at most, and an ordinary user's takes set-user-ID programs their privilege. This command
    /// runs without a tracer, in the same namespaces, directory and control groups. Its calls are not shown, and the guard does
    /// not see what it changes. It ends with the session.
    Untraced {
        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Show namespaces, mounts, cgroup and the scorecard of any process
    Inspect {
        /// The process
        #[arg(value_parser = pid)]
        pid: Pid,
        /// One JSON event a line
        #[arg(long)]
        json: bool,
        /// Again whenever something changes, until the process ends; on a terminal in its place, with a * before what changed
        #[arg(long)]
        watch: bool,
        /// On the screen of the lab: every pane, about this process, and two terminals
        #[arg(long, conflicts_with_all = ["json", "watch"])]
        panes: bool,
    },
    /// Broken containers to find the fault of and to repair: the list of them, or one by its name
    Fix {
        /// Its name; without one the list opens at the next that is not repaired yet
        #[arg(value_name = "CASE")]
        case: Option<String>,
        /// Only print the list: what is repaired, and what that took
        #[arg(long, conflicts_with = "case")]
        list: bool,
        /// Without end: a container of the runtime `mybox`, or of `crun`, with one call missing, too weak or out of place; without
        /// --seed and --daily the next that is not repaired yet
        #[arg(long, conflicts_with_all = ["case", "list"])]
        mutant: bool,
        /// The mutant of this seed, the same on every machine
        #[arg(long, value_name = "N", requires = "mutant")]
        seed: Option<u64>,
        /// The mutant of the day, the same for all without a network: today's date in UTC is its seed
        #[arg(long, requires = "mutant", conflicts_with = "seed")]
        daily: bool,
        /// A mutant of your own script, such as the `mybox` of the lesson `runtime`, or of the one in a recording or certificate of
        /// that lesson: it is tried as it is, then with one call changed, and shown where the kernel notices
        #[arg(long, value_name = "FILE", requires = "mutant")]
        script: Option<PathBuf>,
        /// Write all that happens, keys included, into this new file (at most 64 MiB); started again as root, into FILE.root
        #[arg(long, value_name = "FILE")]
        record: Option<PathBuf>,
        /// As with the lessons: plain lines instead of a drawn screen
        #[arg(long)]
        plain: bool,
    },
    /// Show what this machine allows, what it does not, and the remedy for each
    Doctor {
        /// As JSON
        #[arg(long, conflicts_with = "fix")]
        json: bool,
        /// In a container: move its processes into a control group below, so that the lessons on limits can be done
        #[arg(long)]
        fix: bool,
        /// What so many learners need here, from one session that is measured now; then so many are started, to prove it
        #[arg(long, value_name = "LEARNERS", conflicts_with = "fix", value_parser = clap::value_parser!(u64).range(1..=10_000))]
        class: Option<u64>,
        /// One line and a short code for your teacher, a week before a class; with a CODE, what that says
        #[arg(long, value_name = "CODE", num_args = 0..=1, conflicts_with_all = ["json", "fix", "class"])]
        learner: Option<Option<String>>,
    },
    /// Remove what crashed sessions left, and nothing else
    Clean {
        /// Only list it
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what was done, skipped, solved with the solution shown, and predicted right, lesson by lesson
    Progress {
        /// As JSON
        #[arg(long, conflicts_with = "markdown")]
        json: bool,
        /// As Markdown
        #[arg(long)]
        markdown: bool,
        /// Write it into a new file (- is standard output), for --import on another machine
        #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "markdown"])]
        export: Option<PathBuf>,
        /// Add what --export wrote on another machine; what either has done is done
        #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "markdown", "export"])]
        import: Option<PathBuf>,
    },
    /// Show a recording in the same screen, on any machine, without root
    Replay {
        /// What `--record` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Shorten silences to two seconds
        #[arg(long)]
        brief: bool,
        /// Write it to standard output for other players: an asciicast of 100 by 30
        #[arg(long, value_name = "FORMAT")]
        to: Option<Player>,
        /// Plain lines instead of a drawn screen
        #[arg(long)]
        plain: bool,
        /// How the screen looks.
        #[command(flatten)]
        show: Show,
    },
    /// Show what another session records, as it happens; nothing is ever written to them
    Follow {
        /// A file that `--record` writes, a Unix socket, a pipe, or - for standard input, such as from ssh
        #[arg(value_name = "FILE")]
        path: PathBuf,
        /// Plain lines instead of a drawn screen
        #[arg(long)]
        plain: bool,
        /// How the screen looks.
        #[command(flatten)]
        show: Show,
    },
    /// Write what a recording proves, and the recording after it, to standard output
    Certificate {
        /// What --record has written
        #[arg(value_name = "FILE")]
        recording: PathBuf,
    },
    /// Judge a recording or a certificate again from its events: no root, no machine, nothing of it is run
    Verify {
        /// The recording or the certificate
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Also type its lines again on this machine, and compare calls and facts
        #[arg(long)]
        rerun: bool,
    },
    /// For authors of lessons
    #[command(subcommand, disable_help_subcommand = true)]
    Lessons(Lessons),
    /// List the tools that lessons use
    Tools,
    /// Describe what --json writes, as JSON schemas
    Schema {
        /// Of which command; all of them are listed where none is named
        #[arg(value_name = "COMMAND")]
        name: Option<String>,
    },
    /// Explain a command or a tool, as --help does after it
    Help {
        /// Its name; for those of a command, such as lessons, both
        #[arg(value_name = "COMMAND")]
        command: Vec<String>,
    },
    /// Print what a shell needs to complete command lines
    #[command(hide = true)]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Write the man pages into a directory
    #[command(hide = true)]
    Man {
        /// The directory; it is made where it is missing
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Explain the words of the field, English beside Chinese
    Glossary {
        /// Only this word, in either language
        #[arg(value_name = "WORD")]
        word: Option<String>,
    },
}

/// What `boxwright what-if` takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhatIf {
    /// The step whose first line is played
    #[arg(value_name = "LESSON/STEP", required_unless_present = "branch")]
    pub place: Option<String>,
    /// The call that is changed the second time, and its number among those of its name, such as unshare or mount:2
    #[arg(value_name = "CALL[:N]", required_unless_present_any = ["branch", "line"], conflicts_with = "line")]
    pub call: Option<String>,
    /// Flags that are dropped from it, such as CLONE_NEWUTS; or the error with which it fails, such as EPERM
    #[arg(value_name = "CHANGE")]
    pub change: Vec<String>,
    /// The line that is typed the second time in place of the step's own
    #[arg(long, value_name = "LINE")]
    pub line: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// Play one branch of the plan on standard input
    #[arg(long, hide = true, value_name = "BRANCH", conflicts_with_all = ["place", "line", "json"])]
    pub branch: Option<String>,
}
