//! Colours by role. Only the terminal's own sixteen colours, and its own foreground and background for ordinary text; where
//! colours must be told apart by all eyes, those whose values are fixed.

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

/// As bright as each other, on black and on white.
const BLUE: Color = Color::Indexed(32);
const VERMILION: Color = Color::Indexed(166);

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
        ThemeName::ColourBlind => match role {
            Role::Plain => plain,
            Role::Strong | Role::Key => bold,
            Role::Host | Role::Code => plain.fg(BLUE),
            Role::Container => plain.fg(VERMILION),
            Role::Changed => bold.fg(Color::Indexed(16)).bg(Color::Indexed(220)),
            Role::Limit => plain.add_modifier(Modifier::UNDERLINED),
            Role::Danger => bold.fg(Color::Indexed(231)).bg(Color::Indexed(124)),
            Role::Quiet => dim,
            Role::Focus => bold.fg(BLUE),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The linear light of one of the 216 colours from 16 on.
    fn light(colour: Color) -> [f64; 3] {
        let Color::Indexed(index @ 16..=231) = colour else { panic!("{colour:?} looks different everywhere") };
        let steps = [index - 16, (index - 16) / 6, (index - 16) / 36].map(|part| part % 6);
        let [blue, green, red] =
            steps.map(|step| if step == 0 { 0.0 } else { (55.0 + 40.0 * f64::from(step)) / 255.0 });
        [red, green, blue]
            .map(|value: f64| if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    }

    /// As dichromats see it: Machado, Oliveira and Fernandes 2009, severity 1.
    const EYES: [(&str, [[f64; 3]; 3]); 4] = [
        ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "no red cones",
            [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        ),
        (
            "no green cones",
            [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        ),
        (
            "no blue cones",
            [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
        ),
    ];

    fn seen(colour: Color, eye: &[[f64; 3]; 3]) -> [f64; 3] {
        let light = light(colour);
        eye.map(|row| row.iter().zip(light).map(|(factor, value)| factor * value).sum::<f64>().clamp(0.0, 1.0))
    }

    fn luminance([red, green, blue]: [f64; 3]) -> f64 {
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast of WCAG 2, from 1 to 21.
    fn contrast(one: f64, other: f64) -> f64 {
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn host_and_container_differ_for_all_eyes_on_black_and_on_white() {
        let of = |role| style(ThemeName::ColourBlind, role).fg.unwrap();
        for (eye, matrix) in EYES {
            let [host, container] = [Role::Host, Role::Container].map(|role| seen(of(role), &matrix));
            let apart = host.iter().zip(container).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            assert!(apart > 0.4, "{eye}: {apart}");
            for (role, seen) in [("host", host), ("container", container)] {
                let (black, white) = (contrast(luminance(seen), 0.0), contrast(luminance(seen), 1.0));
                assert!(black > 3.0 && white > 3.0, "{eye}, {role}: {black} on black, {white} on white");
            }
        }
    }

    #[test]
    fn what_changed_and_what_failed_is_readable_for_all_eyes() {
        for (eye, matrix) in EYES {
            for role in [Role::Changed, Role::Danger] {
                let style = style(ThemeName::ColourBlind, role);
                let [text, ground] = [style.fg, style.bg].map(|colour| luminance(seen(colour.unwrap(), &matrix)));
                assert!(contrast(text, ground) > 4.5, "{eye}, {role:?}");
            }
        }
    }
}
