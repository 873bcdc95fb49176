//! Which directory it was: what is written down when something is made, and compared before it is taken away.

use crate::kernel::statx;
use std::{fs, os::fd::AsFd, os::unix::fs::MetadataExt};

/// A directory by device, inode and mount. Mounts are counted by the kernel anew after each boot, and each mount namespace
/// has its own: both are noted, so that only what can be compared is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    dev: u64,
    ino: u64,
    mount: Option<u64>,
    boot: String,
    namespace: u64,
}

/// The machine's boot (`/proc/sys/kernel/random/boot_id`); empty where it cannot be read.
pub(crate) fn boot() -> String {
    procfs::sys::kernel::random::boot_id().unwrap_or_default()
}

/// A namespace of this process by its inode, such as `mnt`; 0 where it cannot be read.
pub(crate) fn namespace(kind: &str) -> u64 {
    fs::metadata(format!("/proc/thread-self/ns/{kind}")).map_or(0, |metadata| metadata.ino())
}

impl Identity {
    /// Of an open directory.
    ///
    /// Errors: those of statx(2).
    pub(crate) fn of(dir: impl AsFd) -> nix::Result<Identity> {
        let facts = statx::of(dir)?;
        let (dev, ino, mount) = (facts.dev, facts.ino, facts.mount);
        Ok(Identity { dev, ino, mount, boot: boot(), namespace: namespace("mnt") })
    }

    /// Whether an open directory is the same one.
    ///
    /// After another start of the machine a device may have another number; the inode of what is on a disk stays.
    ///
    /// Errors: those of statx(2).
    pub(crate) fn is(&self, dir: impl AsFd) -> nix::Result<bool> {
        let now = Identity::of(dir)?;
        let same_boot = !self.boot.is_empty() && self.boot == now.boot;
        let comparable = same_boot && self.namespace != 0 && self.namespace == now.namespace;
        Ok(self.ino == now.ino
            && (!same_boot || self.dev == now.dev)
            && (!comparable || self.mount.is_none() || now.mount.is_none() || self.mount == now.mount))
    }

    /// Whether it was made in another mount namespace of this boot, so that its path shows nothing here: it may be there.
    pub(crate) fn is_out_of_sight(&self) -> bool {
        !self.boot.is_empty() && self.boot == boot() && ![0, namespace("mnt")].contains(&self.namespace)
    }

    /// As five words: device, inode, mount (`-` where unknown), boot (the same), mount namespace.
    pub(crate) fn words(&self) -> String {
        let or = |text: String| if text.is_empty() { "-".into() } else { text };
        let mount = self.mount.map_or("-".into(), |mount| mount.to_string());
        format!("{} {} {mount} {} {}", self.dev, self.ino, or(self.boot.clone()), self.namespace)
    }

    /// Reads the words, and gives what follows after one blank.
    pub(crate) fn read(text: &str) -> Option<(Identity, &str)> {
        let mut words = text.splitn(6, ' ');
        let mut next = || words.next();
        let (dev, ino) = (next()?.parse().ok()?, next()?.parse().ok()?);
        let known = |word: &str| (word != "-").then(|| word.to_string());
        let mount = match known(next()?) {
            Some(mount) => Some(mount.parse().ok()?),
            None => None,
        };
        let (boot, namespace) = (known(next()?).unwrap_or_default(), next()?.parse().ok()?);
        Some((Identity { dev, ino, mount, boot, namespace }, next()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn the_words_are_read_again() {
        let identity = Identity::of(File::open("/").unwrap()).unwrap();
        let line = format!("{} /run/a b", identity.words());
        assert_eq!(Identity::read(&line), Some((identity, "/run/a b")));
        let blank = Identity { dev: 1, ino: 2, mount: None, boot: String::new(), namespace: 0 };
        assert_eq!(Identity::read(&format!("{} /x", blank.words())), Some((blank, "/x")));
        for broken in ["", "1 2 3", "1 2 x - 0 /x", "1 2 - - 0"] {
            assert_eq!(Identity::read(broken), None, "{broken}");
        }
    }

    #[test]
    fn only_what_can_be_compared_is() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let open = |dir: &tempfile::TempDir| File::open(dir.path()).unwrap();
        let made = Identity::of(open(&one)).unwrap();
        assert_eq!((made.is(open(&one)), made.is(open(&other))), (Ok(true), Ok(false)));
        let elsewhere = |change: &dyn Fn(&mut Identity)| {
            let mut changed = made.clone();
            change(&mut changed);
            changed.is(open(&one)).unwrap()
        };
        assert!(!elsewhere(&|made| made.mount = Some(u64::MAX)));
        assert!(!elsewhere(&|made| made.dev += 1));
        assert!(elsewhere(&|made| (made.mount, made.namespace) = (Some(u64::MAX), 1)));
        assert!(elsewhere(&|made| (made.dev, made.boot) = (0, "an earlier one".into())));
        assert!(!elsewhere(&|made| (made.ino, made.boot) = (0, "an earlier one".into())));
        let hidden =
            |namespace: u64, boot: &str| Identity { namespace, boot: boot.into(), ..made.clone() }.is_out_of_sight();
        assert_eq!([hidden(made.namespace, &made.boot), hidden(1, &made.boot)], [false, true]);
        assert_eq!([hidden(0, &made.boot), hidden(1, "an earlier one"), hidden(1, "")], [false; 3]);
    }
}
