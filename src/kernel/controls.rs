//! Control files by the names that both versions of cgroups have for the same thing, and why a value is refused.
//!
//! Only what is exactly the same is translated: `cpu.shares` and `cpu.weight`, say, are not.

use super::groups::{Group, SUBTREE_CONTROL, hands_down, members, read_only};
use super::text;
use crate::lang::say;
use nix::errno::Errno;
use std::path::Path;

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
    match errno {
        Errno::ENOENT => missing(group, name),
        Errno::EACCES | Errno::EPERM if group.dir.join(name).exists() => {
            Some(say("the file is read-only, or this needs root", "这个文件只读，或者需要 root").into())
        }
        Errno::EROFS => Some(read_only().into()),
        Errno::EBUSY if name.starts_with("memory.") => {
            let used = read("memory.usage_in_bytes");
            let members = members(&group.dir).join(say(", ", "、"));
            Some(say(
                format!("the group uses {used} bytes, and the kernel could not take them back: {members}"),
                format!("这个组正在使用 {used} 字节，内核无法收回：{members}"),
            ))
        }
        Errno::EINVAL => match name {
            "cpu.max" => Some(
                say(
                    "a quota is at least 1000 microseconds or max, a period 1000 to 1000000",
                    "配额至少 1000 微秒，或写 max；周期为 1000 到 1000000 微秒",
                )
                .into(),
            ),
            "cpu.cfs_quota_us" | "cpu.cfs_period_us" => {
                let above = above(&group.dir);
                Some(say(
                    format!(
                        "a quota is at least 1000 microseconds, a period 1000 to 1000000, and the share no larger than \
                         the one of the group above ({above})"
                    ),
                    format!("配额至少 1000 微秒，周期为 1000 到 1000000 微秒，所占比例不能超过上级组（{above}）"),
                ))
            }
            "memory.memsw.limit_in_bytes" if amount(value) < bytes(&read("memory.limit_in_bytes")) => {
                let memory = read("memory.limit_in_bytes");
                Some(say(
                    format!(
                        "memory and swap together cannot be less than memory alone, which is {memory}: set \
                         memory.limit_in_bytes first"
                    ),
                    format!("内存加交换空间的上限不能低于内存上限（{memory}）：先设置 memory.limit_in_bytes"),
                ))
            }
            "memory.limit_in_bytes" if amount(value) > bytes(&read("memory.memsw.limit_in_bytes")) => {
                let both = read("memory.memsw.limit_in_bytes");
                Some(say(
                    format!(
                        "memory alone cannot be more than memory and swap together, which is {both}: set \
                         memory.memsw.limit_in_bytes first"
                    ),
                    format!("内存上限不能高于内存加交换空间的上限（{both}）：先设置 memory.memsw.limit_in_bytes"),
                ))
            }
            _ => Some(not_valid(value)),
        },
        _ => None,
    }
}

/// The CPU share of the group above, as quota and period.
fn above(dir: &Path) -> String {
    let read = |name: &str| dir.parent().and_then(|above| text::read(above.join(name)).ok());
    let both = read("cpu.cfs_quota_us").zip(read("cpu.cfs_period_us"));
    both.map_or(say("no limit", "不限").into(), |(quota, period)| format!("{} {}", as_max(&quota), period.trim()))
}

/// Whether anything can be swapped out (proc_swaps(5)); `None` where that cannot be read.
pub(crate) fn swaps() -> Option<bool> {
    text::read("/proc/swaps").ok().map(|table| table.lines().count() > 1)
}

fn missing(group: &Group, name: &str) -> Option<String> {
    if !group.dir.exists() {
        return Some(say("no such group: cgcreate makes one", "没有这个组：用 cgcreate 创建").into());
    }
    let controller = name.split('.').next()?;
    if name.contains("memsw") || name.starts_with("memory.swap") {
        let what = match swaps() {
            Some(true) => say("and swap is on: it can dodge the limit", "而交换空间开着：可以绕过上限"),
            Some(false) => say("but there is no swap either", "不过这里也没有交换空间"),
            None => say(
                "and whether swap is on is unknown: /proc/swaps cannot be read",
                "而且无法读取 /proc/swaps，不知道交换空间是否开着",
            ),
        };
        return Some(say(
            format!("this kernel does not count swap, {what}"),
            format!("这个内核不统计交换空间，{what}"),
        ));
    }
    let above = group.dir.parent()?;
    let control = above.join(SUBTREE_CONTROL);
    if group.version == 2 && !hands_down(above, controller) {
        let echo = format!("echo +{controller} > {}", control.display());
        return Some(say(
            format!("the group above does not hand down {controller}: {echo}"),
            format!("上级组没有下放 {controller}：{echo}"),
        ));
    }
    if let (2, "cpu.shares") | (1, "cpu.weight") = (group.version, name) {
        return Some(
            say(
                "shares (1024 by default, v1) and weight (100 by default, v2) are on different scales",
                "shares（v1，默认 1024）和 weight（v2，默认 100）的刻度不同",
            )
            .into(),
        );
    }
    Some(say(
        format!("groups of {controller} do not have this file here (cgroup v{})", group.version),
        format!("这里 {controller} 的组没有这个文件（cgroup v{}）", group.version),
    ))
}

#[cfg(test)]
#[path = "controls_tests.rs"]
mod tests;
