//! What unpacking did, and what it could not do as this user on this file system.

use crate::lang::say;
use crate::{image::Error, kernel::errno};
use nix::errno::Errno;
use std::collections::BTreeMap;

/// Notes beyond this number are only counted.
const MAX_NOTES: usize = 20;

/// Failed entries beyond this number are only counted: on a full disk all that follow fail.
const MAX_FAILED: usize = 10;

/// What could not be kept, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// Files that belong to the caller instead.
    Owner,
    /// Device nodes that were not made.
    Device,
    /// Extended attributes that were not set.
    Attribute,
    /// Extended attributes for which there is no room beside their file.
    LargeAttribute,
    /// Programs whose setuid or setgid bit means nothing, because their owner was dropped.
    SetId,
}

impl Dropped {
    fn words(self) -> &'static str {
        match self {
            Dropped::Owner => "owners not kept: only root may give files away, so you own these files",
            Dropped::Device => "device nodes not made: only root may make them (mount /dev instead)",
            Dropped::Attribute => "extended attributes not set: this user or this file system cannot",
            Dropped::LargeAttribute => {
                "extended attributes not set: they are larger than this file system keeps beside a file (the disk is not full)"
            }
            Dropped::SetId => "setuid or setgid programs whose owner was not kept: they give no extra rights",
        }
    }
}

/// What unpacking did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Entries.
    pub entries: u64,
    /// Bytes of content.
    pub bytes: u64,
    /// Directories that no entry names, on the way to those that are named.
    pub implied: u64,
    /// Names that whiteouts and opaque directories took away.
    pub hidden: u64,
    /// What could not be kept.
    pub dropped: BTreeMap<Dropped, u64>,
    failed: Vec<String>,
    failed_more: u64,
    /// What a write that found no room said.
    pub full: Option<Errno>,
    notes: Vec<String>,
    more: u64,
}

impl Report {
    pub(super) fn drop(&mut self, what: Dropped) {
        *self.dropped.entry(what).or_default() += 1;
    }

    /// An entry failed, and the rest goes on.
    pub(super) fn fail(&mut self, error: &Error) {
        if let Error::Io { source, .. } = error
            && let errno @ (Errno::ENOSPC | Errno::EDQUOT) = errno::of(source)
        {
            self.full = Some(errno);
        }
        if self.failed.len() < MAX_FAILED {
            self.failed.push(error.to_string());
        } else {
            self.failed_more += 1;
        }
    }

    /// One line for each entry that failed, as far as they are not only counted.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut lines = self.failed.clone();
        if self.failed_more > 0 {
            lines.push(say(
                format!("and {} more that failed", self.failed_more),
                format!("另有 {} 项失败", self.failed_more),
            ));
        }
        lines
    }

    pub(super) fn note(&mut self, what: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(what);
        } else {
            self.more += 1;
        }
    }

    /// One line for each thing that the user should know.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = self.notes.clone();
        if self.more > 0 {
            lines.push(say(format!("and {} more of these", self.more), format!("另有 {} 条类似的提示", self.more)));
        }
        lines.extend(self.dropped.iter().map(|(what, count)| format!("{count} {}", what.words())));
        lines
    }
}
