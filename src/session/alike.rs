//! Whether a line that only shows something shows the same as the lesson's, although names and places are the learner's own.

use super::checklist::is_same;

/// Programs that show what they are given by name.
const SHOW: [&str; 10] = ["ls", "cat", "head", "tail", "less", "more", "stat", "file", "tree", "du"];

/// Where control files are.
const GROUPS: &str = "/sys/fs/cgroup/";

/// Whether the line is the lesson's, or shows the same: the same program with at least the same options, for a file or
/// directory that the learner has given another name, or stands in; `cat` of a control file instead of `cgget`.
pub(super) fn shows_the_same(wanted: &str, line: &str) -> bool {
    let line = line.trim().strip_prefix("sudo ").unwrap_or(line.trim());
    let first = wanted.split(" || ").next().unwrap_or(wanted);
    is_same(wanted, line)
        || is_in_another_order(wanted, line)
        || is_control_file(wanted, line)
        || Shown::of(first).is_like(&Shown::of(line))
        || is_entered_alike(first, line)
}

/// Whether both lines have the same options, in whatever order, and the same other words, in the same order.
fn is_in_another_order(wanted: &str, line: &str) -> bool {
    let parts = |line: &'_ str| -> (Vec<String>, String) {
        let words = line.split_whitespace().map(String::from);
        let (mut options, others): (Vec<String>, Vec<String>) = words.partition(|word| word.starts_with('-'));
        options.sort_unstable();
        (options, others.join(" "))
    };
    let (wanted, line) = (parts(wanted), parts(line));
    wanted.0 == line.0 && is_same(&wanted.1, &line.1)
}

/// Whether both lines enter the same namespaces of the same process with `nsenter`, and the commands show the same there.
fn is_entered_alike(wanted: &str, line: &str) -> bool {
    let (Some(wanted), Some(line)) = (Entered::of(wanted), Entered::of(line)) else { return false };
    is_same(wanted.target, line.target)
        && wanted.options == line.options
        && shows_the_same(&wanted.command, &line.command)
}

/// An `nsenter` that runs a command.
struct Entered<'a> {
    target: &'a str,
    /// Its other options, sorted, by their short names (nsenter(1)).
    options: Vec<char>,
    command: String,
}

impl<'a> Entered<'a> {
    fn of(line: &'a str) -> Option<Entered<'a>> {
        let mut words = line.strip_prefix("nsenter ")?.split_whitespace().peekable();
        let (mut target, mut options) = ("", Vec::new());
        while let Some(word) = words.next_if(|word| word.starts_with('-')) {
            let long = word.strip_prefix("--");
            match long {
                Some("target") => target = words.next()?,
                Some("user" | "cgroup" | "time") => {
                    options.extend(word.chars().nth(2).map(|it| it.to_ascii_uppercase()))
                }
                Some(long) => options.extend(long.chars().next()),
                None if word == "-t" => target = words.next()?,
                None => options.extend(word.chars().skip(1)),
            }
        }
        options.sort_unstable();
        Some(Entered { target, options, command: words.collect::<Vec<_>>().join(" ") })
    }
}

/// The words of a line.
struct Shown<'a> {
    program: &'a str,
    letters: String,
    operands: Vec<&'a str>,
    line: &'a str,
}

impl<'a> Shown<'a> {
    fn of(line: &'a str) -> Shown<'a> {
        let mut words = line.split_whitespace();
        let program = words.next().unwrap_or_default();
        let (options, operands): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with('-'));
        Shown { program, letters: options.concat(), operands, line }
    }

    /// Whether the other, which was typed, shows what this one would.
    fn is_like(&self, other: &Shown<'_>) -> bool {
        let plain = |line: &str| !line.contains(['|', '>', '<', ';', '&']);
        if self.program != other.program || !plain(other.line) {
            return false;
        }
        if self.program == "ip" {
            let same = |(one, other): (&&str, &&str)| one.starts_with(*other) || other.starts_with(*one);
            return self.operands.len() == other.operands.len() && self.operands.iter().zip(&other.operands).all(same);
        }
        if !SHOW.contains(&self.program) {
            return false;
        }
        if self.line.contains("$(") {
            // The lesson has to search for what the learner knows by its path.
            return self.line.contains(GROUPS.trim_end_matches('/'))
                && !other.operands.is_empty()
                && other.operands.iter().all(|word| word.starts_with(GROUPS));
        }
        let has = |letter: char| other.letters.contains(letter);
        self.letters.chars().all(has) && self.same_places(&other.operands)
    }

    fn same_places(&self, typed: &[&str]) -> bool {
        let own = |word: &&str| !word.starts_with(['/', '$']);
        match (self.operands.as_slice(), typed) {
            // The learner has gone there before.
            ([wanted], []) => own(wanted) && rest(wanted).is_empty(),
            (_, []) => self.operands.is_empty(),
            (wanted, typed) => typed.iter().all(|typed| wanted.iter().any(|wanted| is_same_place(wanted, typed))),
        }
    }
}

/// What follows the first name of a path: that name is the learner's to choose.
fn rest(path: &str) -> &str {
    path.trim_end_matches('/').split_once('/').map_or("", |(_, rest)| rest)
}

fn is_same_place(wanted: &str, typed: &str) -> bool {
    let (wanted, typed) = (wanted.trim_end_matches('/'), typed.trim_end_matches('/'));
    let own = |path: &str| !path.starts_with(['/', '$']);
    let typed = if own(typed) { typed.trim_start_matches("./") } else { typed };
    let below = |rest: &str| typed == rest || typed.strip_suffix(rest).is_some_and(|before| before.ends_with('/'));
    is_same(wanted, typed) || (own(wanted) && own(typed) && (rest(wanted).is_empty() || below(rest(wanted))))
}

/// `cat` of a file of a controller that the lesson's `cgget` reads.
fn is_control_file(wanted: &str, line: &str) -> bool {
    let controllers = wanted.strip_prefix("cgget ").into_iter().flat_map(str::split_whitespace);
    let mut controllers = controllers.filter_map(|word| word.split_once('.').map(|(controller, _)| controller));
    let typed = Shown::of(line);
    let files = typed.operands.iter().copied().filter(|word| word.starts_with(GROUPS));
    let files: Vec<&str> = files.filter_map(|word| word.rsplit('/').next()).collect();
    typed.program == "cat"
        && controllers.any(|controller| files.iter().any(|file| file.split('.').next() == Some(controller)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_places_are_the_learners_own() {
        for (wanted, typed) in [
            ("ls -l image", "ls -l"),
            ("ls -l image", "ls -al alpine/"),
            ("ls -l image", "sudo ls -l ./alpine"),
            ("cat image/manifest.json", "cat manifest.json"),
            ("cat image/manifest.json", "cat ./alpine/manifest.json"),
            ("ls -l rootfs rootfs/etc", "ls -l rootfs/"),
            ("cat /etc/os-release || ls /", "cat /etc/os-release"),
            ("cat > note <<'EOF'\nhello\nEOF", "cat > note <<'EOF'"),
            ("ls -l /proc/self/ns", "ls -al /proc/self/ns/"),
            ("ls -l /proc/{container}/ns", "ls -al /proc/4711/ns/"),
            ("ip addr", "ip add"),
            ("ip addr", "ip a"),
            ("nc -z -w 1 10.1.0.3 80", "nc -w 1 -z 10.1.0.3 80"),
            ("nsenter -t {container} -n ip addr", "nsenter --target 4711 --net ip a"),
            ("nsenter -t {container} -Ca ps -ef", "nsenter -a --cgroup -t 4711 ps -ef"),
            ("ls $(find /sys/fs/cgroup -name $BOX | head -n 1)", "ls -l /sys/fs/cgroup/cpu/customized_container"),
            ("cgget -r cpu.cfs_quota_us -r cpu.cfs_period_us $BOX", "cat /sys/fs/cgroup/cpu/x/cpu.cfs_period_us"),
            ("cgget -r memory.limit_in_bytes $BOX", "cat /sys/fs/cgroup/memory/x/memory.limit_in_bytes"),
        ] {
            assert!(shows_the_same(wanted, typed), "{wanted} / {typed}");
        }
    }

    #[test]
    fn what_shows_something_else_is_not_taken_for_it() {
        for (wanted, typed) in [
            ("ps -ef", "echo hi"),
            ("ps -ef", "ps"),
            ("echo $$", "echo hi"),
            ("ls -l image", "ls"),
            ("ls -l image", "ls -l /etc"),
            ("ls -l image", "ls -l alpine > /dev/null"),
            ("cat image/manifest.json", "cat"),
            ("cat image/manifest.json", "cat version"),
            ("cat /proc/self/cgroup", "cat /etc/passwd"),
            ("cat /etc/os-release", "cat os-release"),
            ("nc -z -w 1 10.1.0.3 80", "nc -z -w 80 10.1.0.3 1"),
            ("nc -z -w 1 10.1.0.3 80", "nc -w 1 10.1.0.3 80"),
            ("ip addr", "ip link"),
            ("nsenter -t {container} -n ip addr", "nsenter -t 4711 -m ip addr"),
            ("nsenter -t {container} -n ip addr", "nsenter -t 4711 -n ip link"),
            ("nsenter -t 12 -n ip addr", "nsenter -t 4711 -n ip addr"),
            ("nsenter -t {container} -n ip addr", "ip addr"),
            ("hostname", "hostname box"),
            ("ls $(find /sys/fs/cgroup -name $BOX | head -n 1)", "ls -l"),
            ("cgget -r memory.limit_in_bytes $BOX", "cat /sys/fs/cgroup/cpu/x/cpu.shares"),
        ] {
            assert!(!shows_the_same(wanted, typed), "{wanted} / {typed}");
        }
    }
}
