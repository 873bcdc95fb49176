//! Whether this machine's programs know the locale that the environment names.
//!
//! A locale comes from elsewhere, over ssh or with a desktop, and need not be installed here (locale(7)). Shells then warn at each
//! start, and take the bytes of a Chinese character for single ones.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt,
    process::{Command, Stdio},
};

/// What every C library of today has.
const PLAIN: &str = "C.UTF-8";

/// An environment whose locale is known here: the given one, or else with C.UTF-8 in the place of its own.
pub(super) fn known(host: BTreeMap<OsString, OsString>) -> BTreeMap<OsString, OsString> {
    known_to(host, charset)
}

fn known_to(
    mut host: BTreeMap<OsString, OsString>,
    charset: impl Fn(&BTreeMap<OsString, OsString>) -> Option<String>,
) -> BTreeMap<OsString, OsString> {
    let own: BTreeMap<_, _> =
        host.iter().filter(|(name, _)| is_locale(name)).map(|(name, value)| (name.clone(), value.clone())).collect();
    let is_utf8 = |value: &OsString| value.to_ascii_uppercase().to_string_lossy().contains("UTF");
    let foreign = |value: &OsString| !value.is_empty() && value != PLAIN;
    if !own.values().any(|value| is_utf8(value) && foreign(value)) || charset(&own).is_none_or(|known| known == "UTF-8")
    {
        return host;
    }
    let plain = BTreeMap::from([("LC_ALL".into(), PLAIN.into())]);
    if charset(&plain).is_some_and(|known| known == "UTF-8") {
        host.retain(|name, _| !is_locale(name));
        host.insert("LANG".into(), PLAIN.into());
    }
    host
}

fn is_locale(name: &OsStr) -> bool {
    name == "LANG" || name.as_bytes().starts_with(b"LC_")
}

/// The character set of these variables as the C library has it (locale(1)), which warns where it does not know one of them;
/// `None` where it cannot be asked.
fn charset(variables: &BTreeMap<OsString, OsString>) -> Option<String> {
    let mut command = Command::new("locale");
    command.arg("charmap").stdin(Stdio::null());
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_locale(name)) {
        command.env_remove(name);
    }
    let out = command.envs(variables).output().ok()?;
    let told = String::from_utf8_lossy(&out.stdout).trim().to_string();
    Some(if out.stderr.is_empty() { told } else { String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(variables: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        variables.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    #[test]
    fn what_is_not_installed_gives_way_to_what_is() {
        let only_plain = |variables: &BTreeMap<OsString, OsString>| {
            Some(if variables.values().all(|value| value == PLAIN) { "UTF-8" } else { "ANSI_X3.4-1968" }.to_string())
        };
        let chinese = env(&[("LANG", "zh_CN.UTF-8"), ("LC_TIME", "de_DE.utf8"), ("HOME", "/root")]);
        assert_eq!(known_to(chinese.clone(), only_plain), env(&[("LANG", PLAIN), ("HOME", "/root")]));
        assert_eq!(known_to(chinese.clone(), |_| Some("UTF-8".into())), chinese, "installed");
        assert_eq!(
            known_to(chinese.clone(), |_| None),
            chinese,
            "none to ask: another C library, which knows them all"
        );
        assert_eq!(known_to(chinese.clone(), |_| Some(String::new())), chinese, "there is no C.UTF-8 either");
        for kept in [env(&[("LANG", PLAIN)]), env(&[("LC_ALL", "zh_CN.GB18030")]), env(&[])] {
            assert_eq!(known_to(kept.clone(), |_| panic!("need not be asked")), kept);
        }
    }
}
