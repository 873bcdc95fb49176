//! `boxwright schema [NAME]`: what the JSON of this program is like, as JSON schemas (json-schema.org, 2020-12). They are made
//! from the types that are written, so they cannot tell of another program than this.

use super::{USAGE, messages::printed};
use crate::{
    cli::complain,
    doctor, headless, inspect,
    kernel::program,
    lang::Lang,
    near::{did_you_mean, nearest},
    recording::Judged,
    session::progress_report,
    trace::TraceJson,
    ui::branches,
};
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use std::{
    io::{self, Write},
    process::ExitCode,
};

/// A name, what writes it, and its schema.
type Output = (&'static str, &'static str, fn() -> Schema);

/// Every output, what writes it, and its schema. Where events come one a line, the schema is that of a line.
const ALL: [Output; 7] = [
    ("run", "boxwright run --json", of::<headless::Event<'static>>),
    ("trace", "boxwright trace --json", of::<TraceJson<'static>>),
    ("what-if", "boxwright what-if LESSON/STEP … --json", of::<branches::BranchesJson<'static>>),
    ("inspect", "boxwright inspect PID --json", of::<inspect::Event<'static>>),
    ("doctor", "boxwright doctor --json", of::<doctor::Report>),
    ("progress", "boxwright progress --json", of::<progress_report::ProgressJson<'static>>),
    ("certificate", "boxwright certificate FILE, without its braces", of::<Judged>),
];

/// Of what is written: a field that may be left out is not required.
fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// Prints the schema of an output, or which there are.
pub(super) fn show(name: Option<&str>, lang: Lang) -> ExitCode {
    let mut out = io::stdout().lock();
    let Some(name) = name else {
        let list = ALL.iter().try_for_each(|(name, writes, _)| writeln!(out, "{name:<12} {writes}"));
        return printed(list.map(|()| ExitCode::SUCCESS));
    };
    let names = ALL.map(|(name, ..)| name);
    let Some((.., schema)) = ALL.iter().find(|(known, ..)| *known == name) else {
        let hint =
            nearest(name, names).map_or_else(|| format!("{} schema", program::path()), |near| did_you_mean(near, lang));
        let list = names.join(", ");
        let what =
            lang.pick(format!("no output `{name}`; there are: {list}"), format!("没有输出 `{name}`；现有：{list}"));
        return complain(&what, Some(&hint), USAGE);
    };
    let text = serde_json::to_string_pretty(&schema()).map_err(io::Error::from);
    printed(text.and_then(|text| writeln!(out, "{text}")).map(|()| ExitCode::SUCCESS))
}
