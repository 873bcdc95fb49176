//! Which process is "the container"? None is declared: it is what the kernel says differs.

use super::processes::Tree;
use crate::kernel::pid::Pid;

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
    watched: Pid,
    foreground: Option<Pid>,
    pid_differs: impl Fn(Pid) -> bool,
    other_differs: impl Fn(Pid) -> bool,
) -> Option<Pid> {
    isolated(tree, watched, pid_differs, other_differs).or_else(|| plain(tree, watched, foreground))
}

/// The first part of [`choose`]: only what is isolated.
pub(super) fn isolated(
    tree: &Tree,
    watched: Pid,
    pid_differs: impl Fn(Pid) -> bool,
    other_differs: impl Fn(Pid) -> bool,
) -> Option<Pid> {
    let family = tree.family(watched);
    let living = || family.iter().copied().filter(|pid| is_alive(tree, *pid));
    living().find(|pid| pid_differs(*pid)).or_else(|| living().take(NEAREST).find(|pid| other_differs(*pid)))
}

/// The second part: where nothing is isolated.
pub(super) fn plain(tree: &Tree, watched: Pid, foreground: Option<Pid>) -> Option<Pid> {
    let family = tree.family(watched);
    let foreground = foreground.filter(|pid| family.contains(pid) && is_alive(tree, *pid));
    foreground.or_else(|| family.first().copied())
}

fn is_alive(tree: &Tree, pid: Pid) -> bool {
    tree.stats.get(&pid).is_some_and(|stat| !stat.dead())
}

#[cfg(test)]
mod tests {
    use super::super::processes::Stat;
    use super::*;

    /// shell 10 → unshare 20 → sh 30 → sleep 40; a second child of the shell: 15.
    fn tree(states: &[(Pid, char)]) -> Tree {
        let state = |pid| states.iter().find(|(other, _)| *other == pid).map_or('S', |(_, state)| *state);
        let stat = |(pid, ppid)| Stat { pid, ppid, comm: "x".into(), state: state(pid), start: 0 };
        Tree::new([(10, 1), (15, 10), (20, 10), (30, 20), (40, 30)].map(|(pid, ppid)| stat((Pid(pid), Pid(ppid)))))
    }

    #[test]
    fn the_child_of_unshare_is_preferred_to_unshare() {
        let chosen = choose(&tree(&[]), Pid(10), Some(Pid(20)), |pid| pid >= Pid(30), |pid| pid >= Pid(20));
        assert_eq!(chosen, Some(Pid(30)));
    }

    #[test]
    fn before_the_fork_it_is_unshare_itself_also_while_it_is_held() {
        assert_eq!(choose(&tree(&[(Pid(20), 't')]), Pid(10), None, |_| false, |pid| pid == Pid(20)), Some(Pid(20)));
    }

    #[test]
    fn a_plain_shell_is_the_container_until_something_differs() {
        assert_eq!(choose(&tree(&[]), Pid(10), None, |_| false, |_| false), Some(Pid(10)));
        assert_eq!(choose(&tree(&[]), Pid(10), Some(Pid(15)), |_| false, |_| false), Some(Pid(15)));
        assert_eq!(choose(&tree(&[]), Pid(10), Some(Pid(999)), |_| false, |_| false), Some(Pid(10)));
        assert_eq!(choose(&tree(&[]), Pid(99), None, |_| true, |_| true), None);
        let dead = tree(&[(Pid(15), 'Z')]);
        assert_eq!(choose(&dead, Pid(10), Some(Pid(15)), |_| false, |_| false), Some(Pid(10)));
    }

    #[test]
    fn a_dead_container_is_not_chosen() {
        assert_eq!(
            choose(&tree(&[(Pid(30), 'Z')]), Pid(10), None, |pid| pid == Pid(30), |pid| pid == Pid(20)),
            Some(Pid(20))
        );
    }
}
