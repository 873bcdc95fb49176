//! Recipes for package managers and machines, as far as they can be tested without a network: they are whole, they agree with
//! the manifest, and what they install is there.

use crate::{
    harness::{Test, tests},
    support::BOXWRIGHT,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
};

pub fn tests() -> Vec<Test> {
    tests![
        scripts_and_recipes_of_shells_are_read_by_a_shell,
        a_filled_recipe_has_nothing_left_to_fill_and_the_version_of_the_manifest,
        a_release_without_both_processors_is_refused,
        the_debian_package_holds_the_program_and_its_documents: [
            CargoDeb, Tool("dpkg-deb"), Tool("dpkg-shlibdeps"), Tool("strip"), Tool("zcat"), Cargo
        ],
        the_archive_of_a_release_is_the_same_each_time: [Tool("tar"), Tool("gzip")],
        every_command_has_a_man_page,
        bash_reads_its_completions,
        zsh_reads_its_completions: [Tool("zsh")],
        fish_reads_its_completions: [Tool("fish")],
        the_container_for_editors_is_json_and_may_do_what_lessons_do,
        the_release_tests_what_it_publishes,
    ]
}

fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn succeeds(program: &str, args: &[&str]) -> String {
    let output = run(program, args);
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
const RECIPES: [&str; 3] = ["homebrew/boxwright.rb", "aur/PKGBUILD", "nix/package.nix"];

fn scripts_and_recipes_of_shells_are_read_by_a_shell() {
    for script in ["packaging/static", "packaging/archive", "packaging/fill", "packaging/aur/PKGBUILD"] {
        succeeds("bash", &["-n", script]);
    }
}

/// The archives of a release that both have some content, below `dir`.
fn archives(dir: &Path, processors: &[&str]) {
    for processor in processors {
        fs::write(dir.join(format!("boxwright-{VERSION}-{processor}-linux.tar.gz")), processor).unwrap();
    }
}

fn a_filled_recipe_has_nothing_left_to_fill_and_the_version_of_the_manifest() {
    let dir = tempfile::tempdir().unwrap();
    archives(dir.path(), &["x86_64", "aarch64"]);
    let (from, out) = (dir.path().to_str().unwrap(), dir.path().join("out"));
    let repository = "https://example.org/somebody/boxwright";
    succeeds("packaging/fill", &[repository, from, out.to_str().unwrap()]);
    let sum = |processor: &str| {
        let file = format!("{from}/boxwright-{VERSION}-{processor}-linux.tar.gz");
        succeeds("sha256sum", &[&file]).split(' ').next().unwrap().to_owned()
    };
    for recipe in RECIPES {
        let (template, filled) = (read(&format!("packaging/{recipe}")), read(out.join(recipe).to_str().unwrap()));
        assert!(
            template.contains("@VERSION@") && !template.contains(VERSION),
            "{recipe}: the manifest has the version"
        );
        let left = filled.lines().skip(2).find(|line| line.contains('@'));
        assert_eq!(left, None, "{recipe}");
        for part in [VERSION, repository, &sum("x86_64"), &sum("aarch64"), "boxwright.bash", "man"] {
            assert!(filled.contains(part), "{recipe}: {part}");
        }
    }
    let pkgbuild = out.join("aur/PKGBUILD");
    succeeds("bash", &["-n", pkgbuild.to_str().unwrap()]);
    let source = format!(". {}; echo \"$pkgver ${{source_x86_64[0]}}\"", pkgbuild.display());
    let source = succeeds("bash", &["-c", &source]);
    assert_eq!(
        source,
        format!("{VERSION} {repository}/releases/download/v{VERSION}/boxwright-{VERSION}-x86_64-linux.tar.gz\n")
    );
}

fn a_release_without_both_processors_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    archives(dir.path(), &["x86_64"]);
    let from = dir.path().to_str().unwrap();
    let output = run("packaging/fill", &["https://example.org/x", from, from]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("aarch64-linux.tar.gz is missing"));
}

/// `packaging/deb` packs the program that it is given: here the one of the tests, which needs a C library, without what only
/// debuggers read.
fn the_debian_package_holds_the_program_and_its_documents() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("boxwright");
    succeeds("strip", &["-o", program.to_str().unwrap(), BOXWRIGHT]);
    let mut pack = Command::new("packaging/deb");
    pack.arg(&program).arg(dir.path()).arg("--fast");
    let packed = pack.output().unwrap();
    assert!(packed.status.success(), "{packed:?}");
    succeeds("sh", &["-c", &format!("cd {} && sha256sum -c *.sha256", dir.path().display())]);
    let processor = succeeds("dpkg", &["--print-architecture"]);
    let file = dir.path().join(format!("boxwright_{VERSION}-1_{}.deb", processor.trim()));
    let file = file.to_str().unwrap();
    let field = |name: &str| succeeds("dpkg-deb", &["-f", file, name]);
    assert_eq!(field("Version"), format!("{VERSION}-1\n"));
    assert!(field("Depends").contains("libc6"), "{}", field("Depends"));
    assert!(field("Description").starts_with(env!("CARGO_PKG_DESCRIPTION")), "{}", field("Description"));
    let list = succeeds("dpkg-deb", &["-c", file]);
    // Of root's, by number.
    for (mode, path) in [
        ("-rwxr-xr-x", "./usr/bin/boxwright"),
        ("-rw-r--r--", "./usr/share/man/man1/boxwright.1.gz"),
        ("-rw-r--r--", "./usr/share/man/man1/boxwright-run.1.gz"),
        ("-rw-r--r--", "./usr/share/bash-completion/completions/boxwright"),
        ("-rw-r--r--", "./usr/share/zsh/vendor-completions/_boxwright"),
        ("-rw-r--r--", "./usr/share/fish/vendor_completions.d/boxwright.fish"),
        ("-rw-r--r--", "./usr/share/doc/boxwright/copyright"),
        ("drwxr-xr-x", "./usr/share/doc/boxwright/"),
    ] {
        let found =
            list.lines().any(|line| line.starts_with(&format!("{mode} 0/0 ")) && line.ends_with(&format!(" {path}")));
        assert!(found, "{mode} {path}\n{list}");
    }
    let out = dir.path().join("out");
    succeeds("dpkg-deb", &["-x", file, out.to_str().unwrap()]);
    let page = succeeds("zcat", &[out.join("usr/share/man/man1/boxwright.1.gz").to_str().unwrap()]);
    assert!(page.contains(".SH SYNOPSIS"), "{page}");
    assert!(fs::read(out.join("usr/bin/boxwright")).unwrap() == fs::read(&program).unwrap());
}

fn the_archive_of_a_release_is_the_same_each_time() {
    let top = tempfile::tempdir().unwrap();
    // A short program that says what the real one does is packed more quickly.
    let program = top.path().join("boxwright");
    fs::write(&program, format!("#!/bin/sh\nexec {BOXWRIGHT} \"$@\"\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let sums = ["first", "again"].map(|name| {
        let dir = top.path().join(name);
        let sum = succeeds("packaging/archive", &[&program, &dir].map(|path| path.to_str().unwrap()));
        let listed =
            succeeds("sh", &["-c", &format!("cd {} && sha256sum -c *.sha256 >&2 && tar -tzf *.gz", dir.display())]);
        for name in
            ["/boxwright", "/man/boxwright-run.1", "/completions/boxwright.fish", "/README.zh.md", "/LICENSE-MIT"]
        {
            assert!(listed.lines().any(|line| line.ends_with(name)), "{name}\n{listed}");
        }
        sum
    });
    assert_eq!(sums[0], sums[1]);
}

fn every_command_has_a_man_page() {
    for lang in ["en", "zh"] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(BOXWRIGHT);
        command.args(["man", dir.path().join("new").to_str().unwrap()]).env("BOXWRIGHT_LANG", lang);
        assert!(command.status().unwrap().success());
        let names: Vec<String> = fs::read_dir(dir.path().join("new"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        for name in ["boxwright.1", "boxwright-run.1", "boxwright-trace.1", "boxwright-lessons-check.1"] {
            assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
            let page = read(dir.path().join("new").join(name).to_str().unwrap());
            assert!(page.contains(".TH") && page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{page}");
        }
    }
    let nowhere = run(BOXWRIGHT, &["--lang", "en", "man", "/proc/nowhere"]);
    assert_eq!(nowhere.status.code(), Some(1), "{nowhere:?}");
}

fn completions(shell: &str) -> tempfile::NamedTempFile {
    let text = succeeds(BOXWRIGHT, &["completions", shell]);
    for word in ["trace", "doctor", "unguarded"] {
        assert!(text.contains(word), "{shell}: {word}");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    file
}

/// bash can be asked what it would propose.
fn bash_reads_its_completions() {
    let file = completions("bash");
    let ask = format!(
        "source {}; COMP_WORDS=(boxwright doct); COMP_CWORD=1; _boxwright boxwright doct boxwright; echo \"${{COMPREPLY[@]}}\"",
        file.path().display()
    );
    assert_eq!(succeeds("bash", &["--norc", "-c", &ask]), "doctor\n");
}

fn zsh_reads_its_completions() {
    succeeds("zsh", &["-n", completions("zsh").path().to_str().unwrap()]);
}

fn fish_reads_its_completions() {
    succeeds("fish", &["--no-execute", completions("fish").path().to_str().unwrap()]);
}

fn the_container_for_editors_is_json_and_may_do_what_lessons_do() {
    let container: serde_json::Value = serde_json::from_str(&read(".devcontainer/devcontainer.json")).unwrap();
    let args: Vec<&str> = container["runArgs"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
    assert!(args.contains(&"--privileged") && args.iter().any(|arg| arg.contains("exec,dev")), "{args:?}");
}

fn the_release_tests_what_it_publishes() {
    let release = read(".github/workflows/release.yml");
    for part in
        ["x86_64", "aarch64", "packaging/static dist", "boxwright run", "packaging/fill", "sha256", "boxwright_*.deb"]
    {
        assert!(release.contains(part), "{part}");
    }
    assert!(!release.contains('\t'), "YAML has no tabs");
}
