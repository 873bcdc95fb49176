//! skopeo(1): copy an image from one place to another, or look at it. It never unpacks one.

use super::{
    args::{Opt, Parsed, Value::Must, Value::No, parse},
    complain, image_source, print, print_bytes,
    progress::Progress,
};
use crate::image::{
    Digest, Error, Image, Reference,
    copy::{self, Part},
    manifest,
    registry::Fault,
};
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{Write as _, stdout},
    process::ExitCode,
};

const USAGE: &str = "usage: skopeo copy SOURCE DESTINATION | skopeo inspect [--config] [--raw] SOURCE";

const OPTIONS: [Opt; 9] = [
    ('q', "quiet", No),
    ('\0', "config", No),
    ('\0', "raw", No),
    ('\0', "platform", Must),
    ('\0', "override-os", Must),
    ('\0', "override-arch", Must),
    ('\0', "override-variant", Must),
    ('\0', "insecure-policy", No),
    ('n', "no-tags", No),
];

/// Runs the tool.
pub fn run(args: &[OsString]) -> ExitCode {
    let options = [&OPTIONS[..], &image_source::ACCESS].concat();
    let parsed = match parse(args, &options, false) {
        Ok(parsed) => parsed,
        Err(what) => return complain("skopeo", &format!("{what}\n  {USAGE}"), 1),
    };
    let words: Vec<&str> = parsed.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["copy", from, to] => copy_image(&parsed, from, to),
        ["inspect", from] => inspect(&parsed, from),
        ["copy" | "inspect", ..] | [] => complain("skopeo", USAGE, 1),
        [other, ..] => complain("skopeo", &format!("unrecognized command {other:?}\n  {USAGE}"), 1),
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
    image_source::watch_for_interrupts();
    let mut image = match open(parsed, from) {
        Ok(image) => image,
        Err(status) => return status,
    };
    let to: Reference = match to.parse() {
        Ok(to) => to,
        Err(why) => return complain("skopeo", &why, 1),
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
    let copied = copy::copy(&image, &to, |part| {
        if let (Part::Layer(index, _), Some(progress)) = (part, &progress) {
            progress.layer(index);
        }
        tell(match part {
            Part::Layer(_, layer) => format!("Copying blob {}", layer.digest),
            Part::Skipped(layer) => format!("Copying blob {} skipped: already exists", layer.digest),
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
            failed(&error)
        }
    }
}

/// Prints the manifest or the configuration as it is, or the essence of both.
fn inspect(parsed: &Parsed, from: &str) -> ExitCode {
    let image = match open(parsed, from) {
        Ok(image) => image,
        Err(status) => return status,
    };
    let bytes = match (parsed.has("config"), parsed.has("raw")) {
        (true, true) => return print_bytes(&image.raw_config),
        (false, true) => return print_bytes(&image.top),
        (true, false) => manifest::indented(&image.raw_config),
        (false, false) => match tags(parsed, &image) {
            Ok(tags) => essence(&image, from, tags),
            Err(error) => return failed(&error),
        },
    };
    print(&(bytes + "\n"))
}

/// The tags of the image's repository. Some registries show images and no lists: that is worth a warning and no more.
fn tags(parsed: &Parsed, image: &Image) -> Result<Option<Vec<String>>, Error> {
    if parsed.has("no-tags") {
        return Ok(Some(Vec::new()));
    }
    match image.tags() {
        Err(Error::Registry { fault: fault @ (Fault::Unauthorized { .. } | Fault::Forbidden { .. }), .. }) => {
            let why = "Registry disallows tag list retrieval; skipping";
            complain("skopeo", &format!("warning: {why}: {fault}\n  --no-tags does not ask for the list"), 0);
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
    let hint = error.hint().map(|hint| format!("\n  {hint}")).unwrap_or_default();
    complain("skopeo", &format!("{error}{hint}"), 1)
}
