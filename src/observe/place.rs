//! Where a process lives: in the machine's own namespaces and root directory, or in others.

use super::links;
use crate::kernel::{namespaces::Kind, pid::Pid};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where the process in a terminal's foreground lives.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// The kinds of its namespaces that are not the machine's own.
    pub new: Vec<Kind>,
    /// Whether its root directory is another one.
    pub rooted: bool,
}

impl Place {
    /// Whether nothing separates it from the machine.
    pub(crate) fn is_the_machine(&self) -> bool {
        self.new.is_empty() && !self.rooted
    }

    /// Where a process lives; `None` where it has ended or cannot be looked at.
    pub(crate) fn of(pid: Pid) -> Option<Place> {
        let process = Path::new("/proc").join(pid.to_string());
        let (theirs, ours) = (links(&process), links(Path::new("/proc/self")));
        let new = ours.iter().filter(|(kind, inode)| theirs.get(kind).is_some_and(|own| own != *inode));
        let new = new.map(|(kind, _)| *kind).collect();
        let identity = |root: PathBuf| fs::metadata(root).ok().map(|root| (root.dev(), root.ino()));
        let rooted = identity(process.join("root"))? != identity("/".into())?;
        (!theirs.is_empty()).then_some(Place { new, rooted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_on_the_machine() {
        assert_eq!(Place::of(Pid::own()), Some(Place::default()));
        assert_eq!(Place::of(Pid(i32::MAX)), None);
        let machine = |new: &[Kind], rooted| Place { new: new.into(), rooted }.is_the_machine();
        assert!(machine(&[], false) && !machine(&[Kind::Uts], false) && !machine(&[], true));
    }
}
