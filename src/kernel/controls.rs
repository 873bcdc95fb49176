//! Control files by the names that both versions of cgroups have for the same thing, and why a value is refused.
//!
//! Only what is exactly the same is translated: `cpu.shares` and `cpu.weight`, say, are not.

use super::{
    errno_causes::{self, Fact},
    groups::{Group, SUBTREE_CONTROL, delegates, members},
    text,
};
use crate::lang::say;
use nix::errno::Errno;
use std::{fmt::Display, path::Path};

/// The largest memory limit that version 1 shows: "no limit", in whole pages.
const NO_LIMIT: u64 = 9_223_372_036_854_771_712;

/// Reads a number with the kernel's suffixes, such as `10M`; `None` for `max`, `-1` and for what is not a number.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (text.get(..at)?, 1 << 10),
        (at, 'm' | 'M') => (text.get(..at)?, 1 << 20),
        (at, 'g' | 'G') => (text.get(..at)?, 1 << 30),
        _ => (text, 1u64),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// The same, where "no limit" is a number, too: the largest.
fn amount(text: &str) -> Option<u64> {
    if matches!(text.trim(), "-1" | "max") { Some(NO_LIMIT) } else { bytes(text) }
}

/// "No limit" as version 2 writes it.
fn as_max(value: &str) -> String {
    let none = value.trim() == "-1" || bytes(value).is_some_and(|value| value >= NO_LIMIT);
    if none { "max".into() } else { value.trim().to_string() }
}

/// "No limit" as version 1 takes it.
fn as_minus(value: &str) -> String {
    if value.trim() == "max" { "-1".into() } else { value.trim().to_string() }
}

fn not_valid(value: &str) -> String {
    say(format!("{value} is not a valid value"), format!("{value} 不是有效的值"))
}

/// A number that is reckoned with, and must therefore be one.
fn size(value: &str) -> Result<u64, String> {
    bytes(value).ok_or_else(|| not_valid(value))
}

fn sum(left: &str, right: &str) -> String {
    bytes(left)
        .zip(bytes(right))
        .and_then(|(left, right)| left.checked_add(right))
        .map_or("-1".into(), |n| n.to_string())
}

/// Files and the values to write into them, in this order.
type Files = Vec<(&'static str, String)>;

/// The files and values of the other version that mean the same; `None` where the name is this version's own, or has
/// no exact counterpart. `read` reads a file of the group.
///
/// Errors: why the value means nothing here. The kernel could not tell: it would only see what it was translated to.
pub(crate) fn set(
    version: u8,
    name: &str,
    value: &str,
    read: &dyn Fn(&str) -> String,
) -> Result<Option<Files>, String> {
    let quota = || read("cpu.max").split(' ').next().unwrap_or("max").to_string();
    let period = || read("cpu.max").split_whitespace().nth(1).unwrap_or("100000").to_string();
    Ok(Some(match (version, name) {
        (2, "cpu.cfs_quota_us") => vec![("cpu.max", format!("{} {}", as_max(value), period()))],
        (2, "cpu.cfs_period_us") => vec![("cpu.max", format!("{} {value}", quota()))],
        (2, "memory.limit_in_bytes") => vec![("memory.max", as_max(value))],
        // Version 1 limits memory and swap together, version 2 swap alone.
        (2, "memory.memsw.limit_in_bytes") if as_max(value) == "max" => vec![("memory.swap.max", "max".into())],
        (2, "memory.memsw.limit_in_bytes") => {
            let memory = read("memory.max");
            let swap = size(value)?.checked_sub(bytes(&memory).unwrap_or(NO_LIMIT));
            let too_low = || {
                let memory = memory.trim();
                say(
                    format!(
                        "memory and swap together cannot be less than memory alone, which is {memory}: set that first"
                    ),
                    format!("内存加交换空间的上限不能低于内存上限（{memory}）：先调低内存上限"),
                )
            };
            vec![("memory.swap.max", swap.ok_or_else(too_low)?.to_string())]
        }
        (2, "freezer.state") => vec![("cgroup.freeze", u8::from(value == "FROZEN").to_string())],
        (1, "cpu.max") => {
            let mut fields = value.split_whitespace();
            let quota = as_minus(fields.next().unwrap_or_default());
            let mut files = vec![("cpu.cfs_quota_us", quota)];
            // The period first: with the old one the new quota may be more than the group above has.
            files.splice(0..0, fields.next().map(|period| ("cpu.cfs_period_us", period.to_string())));
            files
        }
        (1, "memory.max") => vec![("memory.limit_in_bytes", as_minus(value))],
        (1, "memory.swap.max") if value.trim() == "max" => vec![("memory.memsw.limit_in_bytes", "-1".into())],
        (1, "memory.swap.max") => {
            let memory = bytes(&read("memory.limit_in_bytes")).filter(|memory| *memory < NO_LIMIT);
            let both = size(value)?.checked_add(memory.ok_or(say(
                "swap is limited together with memory: limit memory first",
                "交换空间与内存合起来限制：先限制内存",
            ))?);
            vec![("memory.memsw.limit_in_bytes", both.unwrap_or(NO_LIMIT).to_string())]
        }
        _ => return Ok(None),
    }))
}

/// The value of a file of the other version, from this version's files; `None` as above.
pub(crate) fn get(version: u8, name: &str, read: &dyn Fn(&str) -> String) -> Option<String> {
    let field = |at: usize| read("cpu.max").split_whitespace().nth(at).unwrap_or_default().to_string();
    let number = |text: String| if text.trim() == "max" { NO_LIMIT.to_string() } else { text.trim().to_string() };
    Some(match (version, name) {
        (2, "cpu.cfs_quota_us") => as_minus(&field(0)),
        (2, "cpu.cfs_period_us") => field(1),
        (2, "memory.limit_in_bytes") => number(read("memory.max")),
        (2, "memory.usage_in_bytes") => number(read("memory.current")),
        (2, "memory.max_usage_in_bytes") => number(read("memory.peak")),
        (2, "memory.memsw.limit_in_bytes") => match sum(&read("memory.max"), &read("memory.swap.max")).as_str() {
            "-1" => NO_LIMIT.to_string(),
            both => both.to_string(),
        },
        (2, "cpuacct.usage") => {
            let stat = read("cpu.stat");
            let micros = stat.lines().find_map(|line| line.strip_prefix("usage_usec ")?.parse::<u64>().ok())?;
            (micros * 1000).to_string()
        }
        (1, "cpu.max") => format!("{} {}", as_max(&read("cpu.cfs_quota_us")), read("cpu.cfs_period_us").trim()),
        (1, "memory.max") => as_max(&read("memory.limit_in_bytes")),
        (1, "memory.current") => number(read("memory.usage_in_bytes")),
        (1, "memory.peak") => number(read("memory.max_usage_in_bytes")),
        (1, "memory.swap.max") => {
            let both = bytes(&read("memory.memsw.limit_in_bytes")).filter(|both| *both < NO_LIMIT);
            let swap =
                both.zip(bytes(&read("memory.limit_in_bytes"))).and_then(|(both, memory)| both.checked_sub(memory));
            swap.map_or("max".into(), |swap| swap.to_string())
        }
        _ => return None,
    })
}

/// Why the kernel did not take a value, from the state of the group.
pub(crate) fn why(errno: Errno, group: &Group, name: &str, value: &str) -> Option<String> {
    let read = |name: &str| text::read(group.dir.join(name)).unwrap_or_default().trim().to_string();
    let controller = name.split('.').next().unwrap_or_default();
    let above = group.dir.parent().unwrap_or(&group.dir);
    let (memory, both) = (read("memory.limit_in_bytes"), read("memory.memsw.limit_in_bytes"));
    let swap = name.contains("memsw") || name.starts_with("memory.swap");
    let facts = [
        (Fact::NoGroup, !group.dir.exists()),
        (Fact::Swap(if swap { swaps() } else { None }), swap),
        (Fact::NotDelegated, group.version == 2 && !delegates(above, controller)),
        (Fact::OtherScale, matches!((group.version, name), (2, "cpu.shares") | (1, "cpu.weight"))),
        (Fact::There, group.dir.join(name).exists()),
        (Fact::Of("memory"), controller == "memory"),
        (Fact::Of("cpu.max"), name == "cpu.max"),
        (Fact::Of("cpu.cfs"), matches!(name, "cpu.cfs_quota_us" | "cpu.cfs_period_us")),
        (Fact::BelowMemory, name == "memory.memsw.limit_in_bytes" && amount(value) < bytes(&memory)),
        (Fact::AboveBoth, name == "memory.limit_in_bytes" && amount(value) > bytes(&both)),
    ];
    let members = members(&group.dir).join(say(", ", "、"));
    let control = above.join(SUBTREE_CONTROL);
    let values: [(&str, &dyn Display); 10] = [
        ("controller", &controller),
        ("above", &control.display()),
        ("version", &group.version),
        ("used", &read("memory.usage_in_bytes")),
        ("members", &members),
        ("share", &share_above(&group.dir)),
        ("memory", &memory),
        ("both", &both),
        ("value", &value),
        ("dir", &group.dir.display()),
    ];
    errno_causes::help_with("control file", errno, &errno_causes::true_ones(facts), &values)
}

/// The CPU share of the group above, as quota and period.
fn share_above(dir: &Path) -> String {
    let read = |name: &str| dir.parent().and_then(|above| text::read(above.join(name)).ok());
    let both = read("cpu.cfs_quota_us").zip(read("cpu.cfs_period_us"));
    both.map_or(say("no limit", "不限").into(), |(quota, period)| format!("{} {}", as_max(&quota), period.trim()))
}

/// Whether anything can be swapped out (proc_swaps(5)); `None` where that cannot be read.
pub(crate) fn swaps() -> Option<bool> {
    text::read("/proc/swaps").ok().map(|table| table.lines().count() > 1)
}

#[cfg(test)]
#[path = "controls_tests.rs"]
mod tests;
