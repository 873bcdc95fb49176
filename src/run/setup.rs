//! What a session is played with, by the options of the command line.

use crate::{
    cli::Common,
    dirs::Need,
    image::{Reference, size},
    lang::Lang,
    runtime::Setup,
    tools::TOOLS,
};
use std::{path::PathBuf, sync::OnceLock};

/// What the directory of a session with this image must offer.
pub(super) fn need(common: &Common) -> Need {
    // It is asked for more than once before the first frame.
    static BUILTIN: OnceLock<u64> = OnceLock::new();
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    let builtin = *BUILTIN.get_or_init(|| size::unpacked(&Reference::Builtin, &names));
    let image = if common.image == Reference::Builtin { builtin } else { size::unpacked(&common.image, &names) };
    Need::of_images(image, builtin)
}

/// What a session is played with; `unseen` where its terminals are not shown.
pub(super) fn setup(common: &Common, exe: PathBuf, unseen: bool, lang: Lang) -> Setup {
    let (need, image, guarded) = (need(common), common.image.to_string(), !common.unguarded);
    let options = common.again();
    Setup { exe, need, image, guarded, anywhere: false, picked: None, unseen, lang, options, own: None }
}
