//! What packages hold beside the program: man pages, and completions for shells.

use super::{FAILED, messages::printed};
use crate::{
    cli::{self, complain},
    kernel::errno,
    lang::Lang,
};
use clap_complete::Shell;
use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

/// Prints the completions of a shell.
pub(super) fn completions(shell: Shell) -> ExitCode {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "boxwright", &mut text);
    printed(io::stdout().lock().write_all(&text).map(|()| ExitCode::SUCCESS))
}

/// Writes a man page for the program and one for each command into a directory, in the language of this process.
pub(super) fn man(dir: &Path, lang: Lang) -> ExitCode {
    let made = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(cli::command(), dir));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let colon = lang.pick(": ", "：");
            complain(&format!("{}{colon}{}", dir.display(), errno::why_io(&error)), None, FAILED)
        }
    }
}
