//! What options and arguments are read into, and what is said of one that cannot be.

use crate::kernel::pid::Pid;
use crate::{
    image::Reference,
    lang::{Lang, say, spoken},
    near::{did_you_mean, nearest},
};

pub(super) fn lang(name: &str) -> Result<Lang, String> {
    let known = Lang::ALL.into_iter().find(|lang| lang.code() == name);
    known.ok_or_else(|| say("there are en and zh", "可以是 en 或 zh").into())
}

pub(super) fn times(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (1..=1000).contains(number));
    number.ok_or_else(|| say("a number from 1 to 1000", "要写 1 到 1000 的整数").into())
}

/// A reference, or a name as `docker pull` takes it.
pub(super) fn image(text: &str) -> Result<Reference, String> {
    text.parse().or_else(|why| format!("docker://{text}").parse().map_err(|_: String| why))
}

pub(super) fn pid(text: &str) -> Result<Pid, String> {
    text.parse().map_err(|_| say("a PID is a number", "PID 必须是整数").into())
}

pub(super) fn theme(name: &str) -> Result<crate::app::ThemeName, String> {
    let names = crate::app::ThemeName::ALL.map(|theme| theme.name()).join(", ");
    crate::app::ThemeName::parse(name).ok_or_else(|| {
        let near = nearest(name, crate::app::ThemeName::ALL.map(|theme| theme.name()));
        let near = near.map(|near| format!("; {}", did_you_mean(near, spoken()))).unwrap_or_default();
        say(format!("there are {names}{near}"), format!("可以是 {names}{near}"))
    })
}
