//! Control groups: per controller, and whether a group can really be made.

use super::{Level, Row, facts::Facts, lacking::Findings};
use crate::{
    kernel::{availability::available, cgroups::LIMITING, groups::delegates},
    lang::Lang,
    lesson::Requirement,
    observe::cgroup_mode,
};
use std::path::Path;

/// One row for each controller that lessons use.
pub(super) fn rows(facts: &Facts, findings: &Findings, lang: Lang) -> Vec<Row> {
    let mode = cgroup_mode();
    let row = |controller: &&str| {
        let check = format!("cgroup {controller}");
        let need = Requirement::Controller((*controller).into());
        let place = available(controller).ok();
        let place = place
            .map(|(version, dir)| format!("v{version}, {}{}", dir.display(), handed(version, &dir, controller, lang)));
        let row = match findings.get(&need)? {
            Ok(()) => Row::ok(check, place.unwrap_or_default()),
            Err(failed) => {
                let found = format!("{}: {}", place.unwrap_or_else(|| mode.to_string()), failed.found(lang));
                Row::bad(Level::Limited, check, found, failed.remedy(facts, lang))
            }
        };
        Some(row.about(need))
    };
    std::iter::once(Row::ok("cgroup", mode)).chain(LIMITING.iter().filter_map(row)).collect()
}

/// Whether the group hands the controller down already: in version 2 that is what gives it to groups below.
fn handed(version: u8, dir: &Path, controller: &str, lang: Lang) -> &'static str {
    match version {
        1 => "",
        _ if delegates(dir, controller) => {
            lang.pick(", enabled in cgroup.subtree_control", "，已在 cgroup.subtree_control 中启用")
        }
        _ => lang.pick(", not yet enabled in cgroup.subtree_control", "，尚未在 cgroup.subtree_control 中启用"),
    }
}
