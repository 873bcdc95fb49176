//! The second row of the scorecard as text, each line with what the kernel said.

use crate::kernel::text::printable;
use crate::lang::Lang;
use crate::observe::{BEYOND, Beyond, Sample};

/// How many names of a list are told.
const MAX: usize = 4;

/// One line a property: whether it holds, its name, what the kernel said.
pub(crate) fn rows(sample: &Sample, beyond: &Beyond, lang: Lang) -> Vec<Vec<String>> {
    let name = |index: usize| BEYOND.get(index).map_or("", |(_, en, zh)| lang.pick(*en, *zh));
    let row = |yes: bool, index: usize, why: String| {
        vec![if yes { "[x]" } else { "[ ]" }.to_string(), name(index).to_string(), printable(&why)]
    };
    let reachable = match beyond.interfaces.as_slice() {
        [] => lang.pick("no interface but lo is up and has an address", "除了 lo，没有启用且有地址的接口").into(),
        interfaces => some(interfaces),
    };
    let rootless = match beyond.uid {
        Some(0) => lang.pick("it is root of the host, too", "它也是宿主机的 root").into(),
        Some(uid) => lang.pick(format!("on the host it is user {uid}"), format!("在宿主机上它是用户 {uid}")),
        None => lang.pick("unknown", "未知").into(),
    };
    vec![
        row(beyond.reachable, 0, reachable),
        row(beyond.rootless, 1, rootless),
        row(beyond.least_privilege, 2, least(sample, beyond, lang)),
    ]
}

/// What is less than, or more than, what Docker does unless it is told otherwise.
fn least(sample: &Sample, beyond: &Beyond, lang: Lang) -> String {
    let mut parts = Vec::new();
    let bounding = beyond.bounding.map_or_else(|| "?".into(), |count| count.to_string());
    parts.push(match beyond.more_capabilities.as_slice() {
        [] => lang.pick(
            format!("{bounding} capabilities, all among Docker's 14"),
            format!("{bounding} 项能力，都在 Docker 的 14 项之内"),
        ),
        more => lang.pick(
            format!("{bounding} capabilities, {} more than Docker's 14: {}", more.len(), some(more)),
            format!("{bounding} 项能力，比 Docker 的 14 项多 {} 项：{}", more.len(), some(more)),
        ),
    });
    let filtered = sample.privileges.seccomp == Some(true);
    parts.push(if filtered { lang.pick("a filter", "有过滤器") } else { lang.pick("no filter", "没有过滤器") }.into());
    parts.push(match beyond.masks {
        0 => lang.pick("nothing of /proc covered".into(), "/proc 没有遮盖".into()),
        count => lang.pick(format!("{count} mounts over /proc"), format!("/proc 上有 {count} 处遮盖")),
    });
    parts.push(match beyond.devices.as_deref() {
        None => lang.pick("devices unknown".into(), "设备未知".into()),
        Some([]) => lang.pick("the usual devices".into(), "只有通常的设备".into()),
        Some(more) => lang.pick(
            format!("{} more devices: {}", more.len(), some(more)),
            format!("多出 {} 个设备：{}", more.len(), some(more)),
        ),
    });
    parts.join(lang.pick("; ", "；"))
}

fn some(names: &[String]) -> String {
    let shown = names.iter().take(MAX).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MAX { format!("{shown}, …") } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_part_by_part() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        let beyond = Beyond {
            uid: Some(0),
            bounding: Some(41),
            more_capabilities: names(&["sys_admin", "sys_time", "bpf", "syslog", "perfmon"]),
            devices: Some(names(&["sda b 8:0"])),
            ..Beyond::default()
        };
        let said = |lang| {
            rows(&Sample::default(), &beyond, lang).into_iter().map(|row| row.join("|")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(
            said(Lang::En),
            "[ ]|reachable|no interface but lo is up and has an address\n[ ]|rootless|it is root of the host, too\n\
             [ ]|least privilege|41 capabilities, 5 more than Docker's 14: sys_admin, sys_time, bpf, syslog, …; no filter; \
             nothing of /proc covered; 1 more devices: sda b 8:0"
        );
        assert!(said(Lang::Zh).contains("比 Docker 的 14 项多 5 项"));
    }
}
