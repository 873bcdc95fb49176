//! Which of two ways lessons go here: as root, or in a user namespace in which each user is root.

use super::attempt::attempt;
use crate::kernel::{namespaces::Kind, rights};
use nix::unistd::geteuid;
use std::sync::OnceLock;

/// The way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// With root's own rights.
    Root,
    /// In a user namespace that both terminals share.
    Rootless,
}

/// The way for this process. Root of a container often lacks the capabilities that lessons need, and then goes the way of
/// other users, where that one is open; where it is not, a few things can still be done as root.
pub(crate) fn tier() -> Tier {
    static TIER: OnceLock<Tier> = OnceLock::new();
    *TIER.get_or_init(|| choose(geteuid().is_root(), rights::as_root(), || attempt(Kind::User.row().link).is_ok()))
}

fn choose(root: bool, able: bool, user_namespaces: impl FnOnce() -> bool) -> Tier {
    match (root, able) {
        (true, true) => Tier::Root,
        (true, false) if !user_namespaces() => Tier::Root,
        _ => Tier::Rootless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_without_its_rights_goes_the_way_of_a_user_where_it_is_open() {
        assert_eq!(choose(true, true, || false), Tier::Root);
        assert_eq!(choose(true, false, || true), Tier::Rootless, "a container with seccomp=unconfined");
        assert_eq!(choose(true, false, || false), Tier::Root, "a container as Docker starts it");
        assert_eq!(choose(false, false, || false), Tier::Rootless);
        assert_eq!(choose(false, true, || true), Tier::Rootless, "capabilities of a file are none of its children's");
    }
}
