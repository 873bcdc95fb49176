//! Colours by role. Only the terminal's own sixteen colours, and its own foreground and background for ordinary text.

use crate::app::ThemeName;
use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Ordinary text.
    Plain,
    /// Text that stands out without meaning anything else.
    Strong,
    /// The host's side.
    Host,
    /// The container's side.
    Container,
    /// Changed by the last call.
    Changed,
    /// A limit.
    Limit,
    /// An error, a refusal.
    Danger,
    /// Text that may be overlooked.
    Quiet,
    /// A command or a name of the kernel's.
    Code,
    /// A key that works now.
    Key,
    /// The border of the pane that has the keys.
    Focus,
}

/// The style of a role in a theme.
pub(super) fn style(theme: ThemeName, role: Role) -> Style {
    // Titles stand in borders, which are dim.
    let plain = Style::new().remove_modifier(Modifier::DIM);
    let bold = plain.add_modifier(Modifier::BOLD);
    let dim = Style::new().add_modifier(Modifier::DIM);
    match theme {
        ThemeName::Default => match role {
            Role::Plain => plain,
            Role::Strong => bold,
            Role::Host => plain.fg(Color::Cyan),
            Role::Container => plain.fg(Color::Green),
            Role::Changed => bold.fg(Color::Yellow),
            Role::Limit => plain.fg(Color::Magenta),
            Role::Danger => bold.fg(Color::LightRed),
            Role::Quiet => dim,
            Role::Code => plain.fg(Color::Cyan),
            Role::Key => bold,
            Role::Focus => plain.fg(Color::LightBlue),
        },
        ThemeName::Light => match role {
            Role::Plain => plain,
            Role::Strong => bold,
            Role::Host => plain.fg(Color::Blue),
            Role::Container => plain.fg(Color::Magenta),
            Role::Changed => plain.fg(Color::White).bg(Color::Blue).add_modifier(Modifier::BOLD),
            Role::Limit => plain.fg(Color::Magenta),
            Role::Danger => bold.fg(Color::Red),
            Role::Quiet => dim,
            Role::Code => plain.fg(Color::Blue),
            Role::Key => bold,
            Role::Focus => plain.fg(Color::Blue),
        },
        ThemeName::Contrast => match role {
            Role::Plain | Role::Host | Role::Quiet => plain,
            Role::Strong | Role::Container | Role::Key => bold,
            Role::Changed => bold.add_modifier(Modifier::REVERSED),
            Role::Limit | Role::Code => plain.add_modifier(Modifier::UNDERLINED),
            Role::Danger => bold.fg(Color::White).bg(Color::Red),
            Role::Focus => bold,
        },
        ThemeName::Mono => match role {
            Role::Plain | Role::Host => plain,
            Role::Strong | Role::Container | Role::Key | Role::Code | Role::Danger | Role::Focus => bold,
            Role::Changed => bold.add_modifier(Modifier::REVERSED),
            Role::Limit => plain.add_modifier(Modifier::UNDERLINED),
            Role::Quiet => dim,
        },
    }
}
