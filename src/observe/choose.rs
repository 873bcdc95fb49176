//! Which process is "the container"? None is declared: it is what the kernel says differs.

use super::processes::Tree;

/// A container that has the host's PIDs is looked for among so many processes, the nearest first: each of them is asked
/// for all of its links, and a crowd below a shell must not make every sample slow. Behind a crowd, the terminal's
/// foreground process is still found.
pub(super) const NEAREST: usize = 16;

/// Chooses among a watched process and everything below it, the shallowest first, then the lowest PID: a process whose
/// PID namespace is not the host's; else one that differs in another way; else the terminal's foreground process; else
/// the watched process itself. `None` where the watched process does not exist.
///
/// The PID namespace comes first because of what `unshare --fork` leaves behind: the `unshare` process itself differs
/// in all but its PID namespace, while its child, the first process *in* that namespace, is what a learner means.
pub(super) fn choose(
    tree: &Tree,
    watched: i32,
    foreground: Option<i32>,
    pid_differs: impl Fn(i32) -> bool,
    other_differs: impl Fn(i32) -> bool,
) -> Option<i32> {
    isolated(tree, watched, pid_differs, other_differs).or_else(|| plain(tree, watched, foreground))
}

/// The first part of [`choose`]: only what is isolated.
pub(super) fn isolated(
    tree: &Tree,
    watched: i32,
    pid_differs: impl Fn(i32) -> bool,
    other_differs: impl Fn(i32) -> bool,
) -> Option<i32> {
    let family = tree.family(watched);
    let living = || family.iter().copied().filter(|pid| is_alive(tree, *pid));
    living().find(|pid| pid_differs(*pid)).or_else(|| living().take(NEAREST).find(|pid| other_differs(*pid)))
}

/// The second part: where nothing is isolated.
pub(super) fn plain(tree: &Tree, watched: i32, foreground: Option<i32>) -> Option<i32> {
    let family = tree.family(watched);
    let foreground = foreground.filter(|pid| family.contains(pid) && is_alive(tree, *pid));
    foreground.or_else(|| family.first().copied())
}

fn is_alive(tree: &Tree, pid: i32) -> bool {
    tree.stats.get(&pid).is_some_and(|stat| !stat.dead())
}

#[cfg(test)]
mod tests {
    use super::super::processes::Stat;
    use super::*;

    /// shell 10 → unshare 20 → sh 30 → sleep 40; a second child of the shell: 15.
    fn tree(states: &[(i32, char)]) -> Tree {
        let state = |pid| states.iter().find(|(other, _)| *other == pid).map_or('S', |(_, state)| *state);
        let stat = |(pid, ppid)| Stat { pid, ppid, comm: "x".into(), state: state(pid), start: 0 };
        Tree::new([(10, 1), (15, 10), (20, 10), (30, 20), (40, 30)].map(stat))
    }

    #[test]
    fn the_child_of_unshare_is_preferred_to_unshare() {
        let chosen = choose(&tree(&[]), 10, Some(20), |pid| pid >= 30, |pid| pid >= 20);
        assert_eq!(chosen, Some(30));
    }

    #[test]
    fn before_the_fork_it_is_unshare_itself_also_while_it_is_held() {
        assert_eq!(choose(&tree(&[(20, 't')]), 10, None, |_| false, |pid| pid == 20), Some(20));
    }

    #[test]
    fn a_plain_shell_is_the_container_until_something_differs() {
        assert_eq!(choose(&tree(&[]), 10, None, |_| false, |_| false), Some(10));
        assert_eq!(choose(&tree(&[]), 10, Some(15), |_| false, |_| false), Some(15));
        assert_eq!(choose(&tree(&[]), 10, Some(999), |_| false, |_| false), Some(10));
        assert_eq!(choose(&tree(&[]), 99, None, |_| true, |_| true), None);
    }

    #[test]
    fn a_dead_container_is_not_chosen() {
        assert_eq!(choose(&tree(&[(30, 'Z')]), 10, None, |pid| pid == 30, |pid| pid == 20), Some(20));
    }
}
