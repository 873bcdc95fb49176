//! skopeo(1): copy an image from one place to another, or look at it. It never unpacks one.

use super::{
    args::{Misuse, Opt, Parsed, Value::Must, Value::No, parse},
    complain, image_source,
    other::misused,
    print, print_bytes,
    progress::Progress,
    skopeo_format, tell,
};
use crate::image::{
    Digest, Error, Image, Reference,
    copy::{self, Part},
    manifest,
    reference::FORMS,
    registry::Fault,
    tags_of,
};
use crate::lang::say;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{Write as _, stdout},
    process::ExitCode,
};

const USAGE: &str = "usage: skopeo copy [--all] SOURCE DESTINATION | skopeo inspect [--config] [--raw] [--format TEMPLATE] SOURCE \
    | skopeo list-tags SOURCE";

const OPTIONS: [Opt; 13] = [
    ('q', "quiet", No),
    ('a', "all", No),
    ('\0', "config", No),
    ('\0', "raw", No),
    ('f', "format", Must),
    ('h', "help", No),
    ('\0', "platform", Must),
    ('\0', "override-os", Must),
    ('\0', "override-arch", Must),
    ('\0', "override-variant", Must),
    ('\0', "insecure-policy", No),
    ('n', "no-tags", No),
    // Images are copied as they are, which is what this asks for.
    ('\0', "preserve-digests", No),
];

/// What it takes, in all or for one of its commands.
pub(super) fn help(command: Option<&str>) -> String {
    let places =
        say(format!("SOURCE and DESTINATION are  {FORMS}\n"), format!("SOURCE 和 DESTINATION 的写法：{FORMS}\n"));
    say(english(command, &places), chinese(command, &places))
}

fn chinese(command: Option<&str>, places: &str) -> String {
    let (access, platform) = (image_source::access_help(), image_source::platform_help());
    match command {
        Some("copy") => format!(
            "usage: skopeo copy [OPTION…] SOURCE DESTINATION
把镜像从一处复制到另一处，不会解包。
{places}  -a, --all                 列表里的每个镜像，而不只是本机平台的那个
  -q, --quiet               不显示进展
{platform}{access}  --dest-tls-verify=BOOL, --dest-creds USER:PASSWORD, --dest-no-creds, --dest-authfile FILE, --dest-cert-dir DIR
                            含义相同，用于复制到的镜像仓库
"
        ),
        Some("inspect") => format!(
            "usage: skopeo inspect [OPTION…] SOURCE
显示镜像的内容。
{places}  --config                  它的配置
  --raw                     原样输出清单（加 --config 则是配置）
  -f, --format TEMPLATE     只要一部分：{{{{.Name}}}}  {{{{json .Layers}}}}  {{{{range .RepoTags}}}}…{{{{end}}}}
  -n, --no-tags             不列出仓库里的标签
{platform}{access}"
        ),
        Some("list-tags") => format!(
            "usage: skopeo list-tags [OPTION…] docker://REPOSITORY | docker-archive:FILE
列出一个仓库的标签，或归档里各个镜像的标签。
{access}"
        ),
        _ => format!(
            "{USAGE}
复制镜像，查看镜像，列出标签。skopeo COMMAND --help 说明每个命令的用法。
{places}"
        ),
    }
}

fn english(command: Option<&str>, places: &str) -> String {
    let (access, platform) = (image_source::access_help(), image_source::platform_help());
    match command {
        Some("copy") => format!(
            "usage: skopeo copy [OPTION…] SOURCE DESTINATION
Copies an image from one place to another; it never unpacks one.
{places}  -a, --all                 every image of a list, not only that for this machine
  -q, --quiet               prints nothing
{platform}{access}  --dest-tls-verify=BOOL, --dest-creds USER:PASSWORD, --dest-no-creds, --dest-authfile FILE, --dest-cert-dir DIR
                            the same for a registry that is copied to
"
        ),
        Some("inspect") => format!(
            "usage: skopeo inspect [OPTION…] SOURCE
Shows what an image is.
{places}  --config                  its configuration
  --raw                     the manifest (with --config: the configuration) byte for byte
  -f, --format TEMPLATE     a part of it: {{{{.Name}}}}  {{{{json .Layers}}}}  {{{{range .RepoTags}}}}…{{{{end}}}}
  -n, --no-tags             without the list of its repository's tags
{platform}{access}"
        ),
        Some("list-tags") => format!(
            "usage: skopeo list-tags [OPTION…] docker://REPOSITORY | docker-archive:FILE
Lists the tags of a repository, or of the images of an archive.
{access}"
        ),
        _ => format!(
            "{USAGE}
Copies images, shows what they are, lists their tags. skopeo COMMAND --help describes a command.
{places}"
        ),
    }
}

/// Runs the tool.
pub(super) fn run(args: &[OsString]) -> ExitCode {
    let options = [&OPTIONS[..], &image_source::ACCESS, &image_source::DESTINATION].concat();
    let parsed = match parse(args, &options, false) {
        Ok(parsed) => parsed,
        Err(what) => return misused("skopeo", args, &what, USAGE, 1),
    };
    let words: Vec<&str> = parsed.words.iter().map(String::as_str).collect();
    if parsed.has("help") {
        return print(&help(words.first().copied()));
    }
    image_source::watch_for_interrupts();
    match words.as_slice() {
        ["copy", from, to] => copy_image(&parsed, from, to),
        ["inspect", from] => inspect(&parsed, from),
        ["list-tags", from] => list_tags(&parsed, from),
        ["copy" | "inspect" | "list-tags", ..] | [] => complain("skopeo", USAGE, 1),
        [other, ..] => {
            let what = Misuse::Unknown(format!("unrecognized command {other:?}"));
            misused("skopeo", args, &what, USAGE, 1)
        }
    }
}

fn open(parsed: &Parsed, from: &str) -> Result<Image, ExitCode> {
    let reference: Reference = from.parse().map_err(|why: String| complain("skopeo", &why, 1))?;
    let platform = image_source::platform(parsed).map_err(|why| complain("skopeo", &why, 1))?;
    let access = image_source::access(parsed).map_err(|why| complain("skopeo", &why, 1))?;
    image_source::open(&reference, &platform, &access).map_err(|error| failed(&error))
}

/// Copies blob by blob. Each is hashed on its way, and only one whose digest is its name gets that name.
fn copy_image(parsed: &Parsed, from: &str, to: &str) -> ExitCode {
    // What is wrong with the command line is said before anything is asked for.
    let (to, access) = match (to.parse::<Reference>(), image_source::destination(parsed)) {
        (Ok(to), Ok(access)) => (to, access),
        (Err(why), _) | (_, Err(why)) => return complain("skopeo", &why, 1),
    };
    let mut image = match open(parsed, from) {
        Ok(image) => image,
        Err(status) => return status,
    };
    let quiet = parsed.has("quiet");
    let progress = Progress::watch(&mut image, true, quiet);
    let tell = |line: String| {
        progress.iter().for_each(|progress| progress.clear());
        if !quiet {
            let _ = writeln!(stdout(), "{line}");
        }
    };
    tell("Getting image source signatures".into());
    let copied = copy::copy(&image, &to, &access, parsed.has("all"), |part| {
        if let (Part::Layer(index, _), Some(progress)) = (part, &progress) {
            progress.layer(index);
        }
        tell(match part {
            Part::Layer(_, layer) => format!("Copying blob {}", layer.digest),
            Part::Image(number, all) => format!("Copying image {number} of {all}"),
            Part::Skipped(layer) => format!("Copying blob {} skipped: already exists", layer.digest),
            Part::Elsewhere(layer) => {
                let address = layer.address().unwrap_or_default();
                format!("Skipping blob {}: its address goes along instead ({address})", layer.digest)
            }
            Part::Config(config) => format!("Copying config {}", config.digest),
            Part::Manifest => "Writing manifest to image destination".into(),
        });
    });
    match copied {
        Ok(()) => {
            tell("Storing signatures".into());
            ExitCode::SUCCESS
        }
        Err(error) => {
            progress.iter().for_each(|progress| progress.clear());
            let there = matches!(&error, Error::Registry { what, .. } if what.starts_with(&to.to_string()));
            // The options that help have other names for a registry that is copied to.
            let hint = error.hint().map(|hint| if there { hint.replace("--src-", "--dest-") } else { hint });
            failed_with(&error, hint)
        }
    }
}

/// Prints the manifest or the configuration as it is, or the essence of both.
fn inspect(parsed: &Parsed, from: &str) -> ExitCode {
    let image = match open(parsed, from) {
        Ok(image) => image,
        Err(status) => return status,
    };
    let template = parsed.text("format");
    let bytes = match (parsed.has("config"), parsed.has("raw")) {
        (_, true) if template.is_some() => return complain("skopeo", "--format: --raw shows all bytes as they are", 1),
        (true, true) => return print_bytes(&image.raw_config),
        (false, true) => return print_bytes(&image.top),
        (true, false) => manifest::indented(&image.raw_config),
        (false, false) => match tags(parsed, &image) {
            Ok(tags) => essence(&image, from, tags),
            Err(error) => return failed(&error),
        },
    };
    let bytes = match template {
        None => bytes,
        Some(template) => {
            let value = serde_json::from_str(&bytes).unwrap_or_default();
            match skopeo_format::format(&template, &value) {
                Ok(filled) => filled,
                Err(why) => return complain("skopeo", &format!("--format: {why}"), 1),
            }
        }
    };
    print(&(bytes + "\n"))
}

/// Lists tags, of a repository or of an archive.
fn list_tags(parsed: &Parsed, from: &str) -> ExitCode {
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct List {
        #[serde(skip_serializing_if = "Option::is_none")]
        repository: Option<String>,
        tags: Vec<String>,
    }
    let reference: Reference = match from.parse() {
        Ok(reference) => reference,
        Err(why) => return complain("skopeo", &why, 1),
    };
    let access = match image_source::access(parsed) {
        Ok(access) => access,
        Err(why) => return complain("skopeo", &why, 1),
    };
    let repository = match &reference {
        Reference::Docker(name)
            if name.digest.is_some() || from.rsplit('/').next().is_some_and(|last| last.contains(':')) =>
        {
            return complain("skopeo", &format!("{from}: No tag or digest allowed in reference"), 1);
        }
        Reference::Docker(name) => Some(format!("{}/{}", name.registry, name.path)),
        _ => None,
    };
    match tags_of(&reference, &access) {
        Ok(tags) => print(&(indented(&List { repository, tags }) + "\n")),
        Err(error) => failed(&error),
    }
}

/// The tags of the image's repository. Some registries show images and no lists: that is worth a warning and no more.
fn tags(parsed: &Parsed, image: &Image) -> Result<Option<Vec<String>>, Error> {
    if parsed.has("no-tags") {
        return Ok(Some(Vec::new()));
    }
    match image.tags() {
        Err(Error::Registry { fault: fault @ (Fault::Unauthorized { .. } | Fault::Forbidden { .. }), .. }) => {
            let why = "Registry disallows tag list retrieval; skipping";
            tell("skopeo", &format!("warning: {why}: {fault}\n  --no-tags does not ask for the list"));
            Ok(None)
        }
        tags => tags.map(Some),
    }
}

/// JSON with four spaces, as skopeo prints it.
fn indented(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    let four = PrettyFormatter::with_indent(b"    ");
    match value.serialize(&mut Serializer::with_formatter(&mut out, four)) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(error) => error.to_string(),
    }
}

/// What `skopeo inspect` shows of manifest and configuration.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Essence<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    digest: Digest,
    repo_tags: Option<Vec<String>>,
    created: &'a Option<String>,
    docker_version: &'a str,
    labels: &'a Option<BTreeMap<String, String>>,
    architecture: &'a str,
    os: &'a str,
    layers: Vec<&'a Digest>,
    env: &'a Option<Vec<String>>,
}

fn essence(image: &Image, from: &str, repo_tags: Option<Vec<String>>) -> String {
    let config = &image.config;
    let name = match from.parse() {
        Ok(Reference::Docker(name)) => Some(format!("{}/{}", name.registry, name.path)),
        _ => None,
    };
    indented(&Essence {
        name,
        digest: Digest::of(&image.top),
        repo_tags,
        created: &config.created,
        docker_version: "",
        labels: &config.config.labels,
        architecture: &config.architecture,
        os: &config.os,
        layers: image.manifest.layers.iter().map(|layer| &layer.digest).collect(),
        env: &config.config.env,
    })
}

fn failed(error: &Error) -> ExitCode {
    failed_with(error, error.hint())
}

fn failed_with(error: &Error, hint: Option<String>) -> ExitCode {
    let hint = hint.map(|hint| format!("\n  {hint}")).unwrap_or_default();
    complain("skopeo", &format!("{error}{hint}"), image_source::status(error))
}
