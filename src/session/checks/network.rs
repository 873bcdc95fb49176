//! Facts about network interfaces and ports.

use super::{Verdict, absent, join};
use crate::{lang::Lang, observe::Side};
use std::collections::BTreeSet;

/// Exactly these interfaces exist.
pub(super) fn only(names: &[String], side: &Side, lang: Lang) -> Verdict {
    let wanted: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let seen: BTreeSet<&str> = side.interfaces.iter().map(|link| link.name.as_str()).collect();
    // Every network namespace has a loopback interface.
    if seen.is_empty() {
        return Verdict::unread(join(wanted), lang);
    }
    Verdict::new(wanted == seen, join(wanted), join(seen))
}

/// An interface exists and is up, or down.
pub(super) fn interface(name: &str, up: bool, side: &Side, lang: Lang) -> Verdict {
    let word = |up: bool| format!("{name} {}", if up { "UP" } else { "DOWN" });
    let seen = side.interfaces.iter().find(|link| link.name == name);
    Verdict::equal(word(up), seen.map_or_else(|| absent(lang).into(), |link| word(link.up)))
}

/// A TCP socket listens on a port, or none does.
pub(super) fn port(port: u16, wanted: bool, side: &Side, lang: Lang) -> Verdict {
    let word = |open: bool| {
        let state = if open { lang.pick("listening", "监听中") } else { lang.pick("not listening", "未监听") };
        format!("{port} {state}")
    };
    let open = side.listening.contains(&port);
    if !open && side.interfaces.is_empty() {
        return Verdict::unread(word(wanted), lang);
    }
    Verdict::new(open == wanted, word(wanted), word(open))
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Case, all, sample};
    use crate::observe::Sample;

    fn blind() -> Sample {
        let mut sample = sample();
        sample.inside.interfaces.clear();
        sample.inside.listening.clear();
        sample
    }

    #[test]
    fn exactly_these_interfaces_exist() {
        all([
            Case("interfaces inside only lo", sample(), true, "lo", "lo"),
            Case("interfaces inside only lo,eth0", sample(), false, "eth0, lo", "lo"),
            Case("interfaces host only lo", sample(), false, "lo", "eth0, lo"),
            Case("interfaces host only lo,eth0", sample(), true, "eth0, lo", "eth0, lo"),
            Case("interfaces inside only lo", blind(), false, "lo", "unreadable"),
        ]);
    }

    #[test]
    fn an_interface_is_up_down_or_absent() {
        all([
            Case("interface inside lo down", sample(), true, "lo DOWN", "lo DOWN"),
            Case("interface inside lo up", sample(), false, "lo UP", "lo DOWN"),
            Case("interface host lo up", sample(), true, "lo UP", "lo UP"),
            Case("interface host lo down", sample(), false, "lo DOWN", "lo UP"),
            Case("interface host eth0 up", sample(), true, "eth0 UP", "eth0 UP"),
            Case("interface inside eth0 up", sample(), false, "eth0 UP", "absent"),
            Case("interface inside lo down", blind(), false, "lo DOWN", "absent"),
        ]);
    }

    #[test]
    fn a_port_is_open_on_its_side() {
        all([
            Case("listening inside 8080", sample(), true, "8080 listening", "8080 listening"),
            Case("listening inside 8081", sample(), false, "8081 listening", "8081 not listening"),
            Case("listening host 8080", sample(), false, "8080 listening", "8080 not listening"),
            Case("listening host 22", sample(), true, "22 listening", "22 listening"),
            Case("not-listening host 8080", sample(), true, "8080 not listening", "8080 not listening"),
            Case("not-listening inside 8080", sample(), false, "8080 not listening", "8080 listening"),
            Case("listening inside 8080", blind(), false, "8080 listening", "unreadable"),
            Case("not-listening inside 8080", blind(), false, "8080 not listening", "unreadable"),
        ]);
    }
}
