//! Which shell a terminal pane runs, and the environment that it starts from.
//!
//! The environment is made, not inherited: what the host's shell carries (loader variables, sudo's traces, start-up
//! files, secrets) neither belongs into a lesson nor into the container that the learner starts from it.

use nix::unistd::{AccessFlags, Uid, User, access};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

pub(crate) use super::prompt::{PS0, PS1};

/// Where programs are on every distribution, for a `PATH` that lacks some or is missing: on some systems `/bin` or
/// the `sbin` directories are not in it, but a container's root may have its programs only there.
const DIRECTORIES: [&str; 6] = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Programs that read command lines.
const SHELLS: [&str; 12] =
    ["ash", "bash", "busybox", "csh", "dash", "fish", "ksh", "mksh", "sh", "tcsh", "yash", "zsh"];

/// Whether a program of this name is a shell.
pub(crate) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// The shell that every system has.
const SH: &str = "/bin/sh";

/// Where terminal descriptions are looked for (terminfo(5)).
const TERMINFO: [&str; 4] = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo"];

/// What says how a registry is reached from here, each also in lower case where that is read as well. A proxy's password may
/// stand in it, and without it nothing could be copied; passwords of registries stay in their files.
const WAY_OUT: [&str; 10] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "BOXWRIGHT_MIRROR",
    "BOXWRIGHT_TIMEOUT",
];

/// The same, but the values are paths, which must lead to the same place from the directory that a pane begins in.
const WAY_OUT_FILES: [&str; 4] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "REGISTRY_AUTH_FILE", "DOCKER_CONFIG"];

/// The variable that keeps our prompt.
const OFFER: &str = "BOXWRIGHT_PS1";

/// What a learner types to have our prompt in bash and in any sh. After `su -` the variable is not there: then nothing
/// changes.
pub(crate) const TAKE_OFFER: &str = "PS1=${BOXWRIGHT_PS1:-$PS1}";

/// A shell, ready to be spawned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// The program with its full path, and its arguments.
    pub argv: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
}

impl Shell {
    /// Sets one more variable, such as `BOX`, in the place of an earlier value.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.into(), value.into()));
    }
}

/// The shell of this machine, with its arguments: bash where it can be run, because it edits lines, else `/bin/sh`.
///
/// Errors: those of access(2) for `/bin/sh`, where neither can be run.
pub(crate) fn program() -> io::Result<Vec<OsString>> {
    let runs = |program: &Path| access(program, AccessFlags::X_OK);
    let path = std::env::var_os("PATH");
    let bash = directories(path.as_deref()).map(|directory| directory.join("bash")).find(|bash| runs(bash).is_ok());
    match bash {
        Some(bash) => Ok(vec![bash.into(), "--norc".into(), "--noprofile".into()]),
        None => runs(Path::new(SH)).map(|()| vec![SH.into()]).map_err(io::Error::from),
    }
}

/// Makes the shell of this machine ready.
///
/// `bin` holds the links to our tools and comes first in `PATH`.
/// Errors: those of [`program`].
pub fn command(bin: &Path) -> io::Result<Shell> {
    let host: BTreeMap<OsString, OsString> = super::locale::known(std::env::vars_os().collect());
    let account = User::from_uid(Uid::effective()).ok().flatten();
    let account = account.map(|user| (user.name, user.dir));
    Ok(Shell { argv: program()?, env: environment(&host, account, bin, |path| path.exists()) })
}

/// The directories of a `PATH` and the standard ones that it lacks, without the relative ones: those would make the
/// meaning of a command depend on where the learner stands.
fn directories(path: Option<&OsStr>) -> impl Iterator<Item = PathBuf> + use<> {
    let mut all: Vec<PathBuf> = path.map(|path| std::env::split_paths(path).collect()).unwrap_or_default();
    all.retain(|directory| directory.is_absolute());
    for standard in DIRECTORIES {
        if !all.iter().any(|directory| directory == Path::new(standard)) {
            all.push(standard.into());
        }
    }
    all.into_iter()
}

fn environment(
    host: &BTreeMap<OsString, OsString>,
    account: Option<(String, PathBuf)>,
    bin: &Path,
    exists: impl Fn(&Path) -> bool,
) -> Vec<(OsString, OsString)> {
    let get = |name: &str| host.get(OsStr::new(name)).filter(|value| !value.is_empty()).cloned();
    let (name, home) = account.unwrap_or_else(|| ("user".into(), "/".into()));
    let user = get("USER").or_else(|| get("LOGNAME")).unwrap_or_else(|| name.into());
    let mut env: Vec<(OsString, OsString)> = Vec::new();
    let mut set = |name: &str, value: OsString| env.push((name.into(), value));
    set("HOME", get("HOME").unwrap_or_else(|| home.into()));
    set("LOGNAME", user.clone());
    set("USER", user);
    set("SHELL", SH.into());
    set("TERM", terminal_type(get("HOME"), exists).into());
    let path = std::iter::once(bin.to_path_buf()).chain(directories(get("PATH").as_deref()));
    // A directory with a colon in its name cannot stand in a PATH.
    let path = path.filter(|directory| !directory.as_os_str().as_bytes().contains(&b':'));
    set("PATH", std::env::join_paths(path).unwrap_or_else(|_| DIRECTORIES.join(":").into()));
    set("PS1", PS1.into());
    // For a user who wants it back in a shell whose start files have set another one.
    set(OFFER, PS1.into());
    set("PS2", "> ".into());
    set("PS0", PS0.into());
    // What the learner types in a lesson is not written into their own history, and their key bindings do not change
    // what a typed line means.
    set("HISTFILE", OsString::new());
    // A lesson's own preparations begin with a blank.
    set("HISTCONTROL", "ignorespace".into());
    set("LESSHISTFILE", "-".into());
    set("INPUTRC", "/dev/null".into());
    // After pivot_root(2) a command that bash has found before may stand elsewhere: it looks again (bash(1), hash).
    set("BASHOPTS", "checkhash".into());
    for name in WAY_OUT {
        get(name).into_iter().for_each(|value| set(name, value));
    }
    for name in WAY_OUT_FILES {
        get(name).into_iter().for_each(|value| set(name, from_anywhere(&value)));
    }
    let locale: Vec<_> = host
        .iter()
        .filter(|(name, value)| (*name == "LANG" || name.as_bytes().starts_with(b"LC_")) && !value.is_empty())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Without any locale, bash would take the bytes of a Chinese character for single keys.
    if locale.is_empty() {
        set("LANG", "C.UTF-8".into());
    }
    env.extend(locale);
    env
}

/// A list of paths, of which each begins at the root: a relative one begins where this program was started.
fn from_anywhere(list: &OsStr) -> OsString {
    let paths = std::env::split_paths(list).map(|path| std::path::absolute(&path).unwrap_or(path));
    std::env::join_paths(paths).unwrap_or_else(|_| list.to_owned())
}

/// What our screen is, as far as this machine's programs can be told.
fn terminal_type(home: Option<OsString>, exists: impl Fn(&Path) -> bool) -> &'static str {
    let own = home.map(|home| Path::new(&home).join(".terminfo"));
    let known = own
        .into_iter()
        .chain(TERMINFO.iter().map(PathBuf::from))
        .any(|directory| ["x/xterm-256color", "78/xterm-256color"].iter().any(|file| exists(&directory.join(file))));
    if known { "xterm-256color" } else { "xterm" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(host: &[(&str, &str)]) -> BTreeMap<String, String> {
        let host = host.iter().map(|(name, value)| (name.into(), value.into())).collect();
        environment(&host, Some(("ada".into(), "/home/ada".into())), Path::new("/run/bin"), |_| true)
            .into_iter()
            .map(|(name, value)| (name.into_string().unwrap(), value.into_string().unwrap()))
            .collect()
    }

    #[test]
    fn nothing_of_the_host_but_what_is_named_comes_in() {
        let env = env(&[
            ("LD_PRELOAD", "/x.so"),
            ("SUDO_USER", "eve"),
            ("TOKEN", "secret"),
            ("ENV", "/x"),
            ("BASH_ENV", "/x"),
            ("PROMPT_COMMAND", "x"),
            ("TMUX", "x"),
            ("PS1", "x"),
            ("LC_TIME", "zh_CN.UTF-8"),
            ("USER", "eve"),
        ]);
        let names: Vec<&str> = env.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "BASHOPTS",
                "BOXWRIGHT_PS1",
                "HISTCONTROL",
                "HISTFILE",
                "HOME",
                "INPUTRC",
                "LC_TIME",
                "LESSHISTFILE",
                "LOGNAME",
                "PATH",
                "PS0",
                "PS1",
                "PS2",
                "SHELL",
                "TERM",
                "USER"
            ]
        );
        assert_eq!((env["HOME"].as_str(), env["USER"].as_str()), ("/home/ada", "eve"));
        assert_eq!(env["PS1"], PS1);
        assert!(TAKE_OFFER.contains(OFFER) && env[OFFER] == PS1);
    }

    #[test]
    fn the_way_to_a_registry_comes_in_and_leads_there_from_any_directory() {
        let host: Vec<(&str, &str)> = WAY_OUT.iter().map(|name| (*name, "http://u:p@proxy:3128")).collect();
        let passed = env(&host);
        assert!(host.iter().all(|(name, value)| passed[*name] == *value), "{passed:?}");
        let here = std::env::current_dir().unwrap().display().to_string();
        let files = env(&[("SSL_CERT_DIR", "/etc/ssl:certs"), ("REGISTRY_AUTH_FILE", "auth.json")]);
        assert_eq!(files["SSL_CERT_DIR"], format!("/etc/ssl:{here}/certs"));
        assert_eq!(files["REGISTRY_AUTH_FILE"], format!("{here}/auth.json"));
        let without = env(&[("http_proxy", ""), ("AWS_SECRET_ACCESS_KEY", "x"), ("HTTP_PROXY_PASSWORD", "x")]);
        assert_eq!(without.len(), env(&[]).len(), "{without:?}");
    }

    #[test]
    fn the_path_begins_with_the_tools_and_is_absolute_and_complete() {
        let path = env(&[("PATH", "/opt/bin:.::/usr/bin:bin")]).remove("PATH").unwrap();
        assert_eq!(path, "/run/bin:/opt/bin:/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin:/bin");
        assert_eq!(env(&[])["PATH"], format!("/run/bin:{}", DIRECTORIES.join(":")));
    }

    #[test]
    fn a_terminal_type_is_named_only_where_it_is_described() {
        assert_eq!(terminal_type(None, |_| false), "xterm");
        assert_eq!(terminal_type(None, |path| path == Path::new("/lib/terminfo/x/xterm-256color")), "xterm-256color");
        let own = Path::new("/home/ada/.terminfo/x/xterm-256color");
        assert_eq!(terminal_type(Some("/home/ada".into()), |path| path == own), "xterm-256color");
    }

    #[test]
    fn a_variable_is_set_once() {
        let mut shell = command(Path::new("/run/bin")).unwrap();
        shell.set("BOX", "box-1");
        shell.set("BOX", "box-2");
        let values: Vec<_> = shell.env.iter().filter(|(name, _)| name == "BOX").map(|(_, value)| value).collect();
        assert_eq!(values, ["box-2"]);
    }
}
