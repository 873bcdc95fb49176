//! The rows about what this program may do at all, and on which kernel.

use super::{
    Level, Row,
    facts::{Facts, Who},
    tier::{Tier, tier},
};
use crate::{kernel::rights::CAPABILITIES, lang::Lang};

/// One row each.
pub(super) fn rows(facts: &Facts, lang: Lang) -> Vec<Row> {
    let mut rows = vec![privileges(facts, tier(), lang), kernel(&facts.release, facts.wsl1(), lang)];
    rows.extend(switches(facts, lang));
    rows
}

fn privileges(facts: &Facts, tier: Tier, lang: Lang) -> Row {
    let check = lang.pick("privileges", "权限");
    let mut found = match facts.who {
        Who::Root => "root".to_string(),
        Who::RootWithin => lang.pick("root of a user namespace", "用户命名空间里的 root").to_string(),
        Who::User => format!("uid {}", facts.uid),
    };
    if facts.seccomp != 0 {
        found += &format!(", Seccomp {}", facts.seccomp);
    }
    if facts.no_new_privs {
        found += ", NoNewPrivs 1";
    }
    if let Some(container) = &facts.container {
        found += &format!(", {} ({})", lang.pick("in a container", "在容器里"), container.sign);
    }
    if !facts.is_root() {
        return Row::bad(Level::Limited, check, found, facts.more_rights(lang));
    }
    let lacking: Vec<&str> =
        CAPABILITIES.iter().filter(|(_, bit)| facts.capabilities & (1 << bit) == 0).map(|(name, _)| *name).collect();
    if !lacking.is_empty() {
        found += &format!(", {} {}", lang.pick("without", "缺少"), lacking.join(" "));
        if tier == Tier::Rootless {
            found += lang.pick("; lessons go in a user namespace", "；课程在用户命名空间里进行");
        }
        return Row::bad(Level::Limited, check, found, facts.more_rights(lang));
    }
    Row::ok(check, found)
}

/// Major and minor version of a kernel release such as `6.1.0-18-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn kernel(release: &str, wsl1: bool, lang: Lang) -> Row {
    let name = lang.pick("kernel", "内核");
    let needs = lang.pick("boxwright is made for Linux 5.3 and newer", "boxwright 适用于 Linux 5.3 及更新的内核");
    match version(release) {
        _ if wsl1 => {
            let convert = lang.pick(
                "WSL 1 has no namespaces; convert it: wsl --set-version NAME 2",
                "WSL 1 没有命名空间；请转换：wsl --set-version 名称 2",
            );
            Row::bad(Level::Missing, name, format!("{release} (WSL 1)"), convert)
        }
        Some(version) if version >= (5, 3) => Row::ok(name, format!("Linux {release}")),
        _ => Row::bad(Level::Limited, name, format!("Linux {release}"), needs),
    }
}

/// The switches that distributions add, with their values; a row only where the kernel has the file. Whether they matter
/// here is what the trials of the namespaces say.
fn switches(facts: &Facts, lang: Lang) -> Vec<Row> {
    let names = [
        "user.max_user_namespaces",
        "kernel.unprivileged_userns_clone",
        "kernel.apparmor_restrict_unprivileged_userns",
    ];
    let check = lang.pick("user namespaces", "用户命名空间开关");
    let row = |name: &str| Some(Row::ok(check, format!("{name} = {}", facts.sysctl(name)?)));
    names.into_iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_recognised() {
        let level = |release: &str| kernel(release, release.ends_with("-Microsoft"), Lang::En).level;
        assert_eq!(version("6.1.0-18-amd64"), Some((6, 1)));
        assert_eq!(level("4.4.0-19041-Microsoft"), Level::Missing);
        assert_eq!(level("5.15.90.1-microsoft-standard-WSL2"), Level::Ok);
        assert_eq!(level("4.19.0"), Level::Limited);
        assert_eq!(level(""), Level::Limited);
    }

    #[test]
    fn root_is_told_which_way_the_lessons_go() {
        let facts = Facts { who: Who::Root, capabilities: 0xa804_25fb, ..Facts::default() };
        let row = privileges(&facts, Tier::Rootless, Lang::En);
        assert_eq!(row.level, Level::Limited);
        assert!(
            row.found.contains("without CAP_SYS_ADMIN CAP_NET_ADMIN CAP_SYS_PTRACE; lessons go in"),
            "{}",
            row.found
        );
        let all = Facts { capabilities: u64::MAX, ..facts };
        assert_eq!(privileges(&all, Tier::Root, Lang::En).level, Level::Ok);
    }
}
