//! What the remedy says on each kind of machine.

use super::{
    container::Maker,
    facts::{Facts, Who},
    remedy::Remedy,
    remedy_cases::{
        Missing::{self, Call, Controller, MachineRoot, Proc, Rights},
        PROGRAM, inside, root, rows,
    },
};
use crate::lang::Lang;
use nix::errno::Errno;

fn remedy(facts: &Facts, missing: &Missing, lang: Lang) -> Remedy {
    match missing {
        Call(errno, kind) => facts.refused(Some(*errno), Some(*kind), lang),
        Proc => facts.new_proc(Some(Errno::EPERM), lang),
        MachineRoot => facts.machine_root(lang),
        Rights => facts.more_rights(lang),
        Controller(name, why) => facts.controller(name, why, lang),
    }
}

#[test]
fn each_machine_is_told_what_is_true_there() {
    for (machine, facts, missing, says, does_not_say) in rows() {
        let text = remedy(&facts, &missing, Lang::En).text();
        for words in says {
            assert!(text.contains(words), "{machine} does not say `{words}`: {text}");
        }
        for words in does_not_say {
            assert!(!text.contains(words), "{machine} says `{words}`: {text}");
        }
    }
}

/// Commands and configuration are the same in both languages; only the sentences differ.
#[test]
fn both_languages_give_the_same_lines() {
    for (machine, facts, missing, ..) in rows() {
        let (en, zh) = (remedy(&facts, &missing, Lang::En), remedy(&facts, &missing, Lang::Zh));
        assert_eq!(en.lines, zh.lines, "{machine}");
        assert_eq!(en.text().matches(PROGRAM).count(), zh.text().matches(PROGRAM).count(), "{machine}: {}", zh.text());
    }
}

/// A user who is root is never told to become root, whatever is missing.
#[test]
fn root_is_never_told_to_become_root() {
    for maker in [None, Some(Maker::Docker), Some(Maker::Lxc), Some(Maker::Other)] {
        for who in [Who::Root, Who::RootWithin] {
            for (_, other, missing, ..) in rows() {
                let facts = Facts { who, systemd: other.systemd, sysctls: other.sysctls, ..root() };
                let facts = maker.map_or(facts.clone(), |maker| inside(maker, facts));
                for lang in Lang::ALL {
                    let text = remedy(&facts, &missing, lang).text();
                    assert!(!text.contains("sudo") && !text.contains("su -"), "{maker:?} {who:?}: {text}");
                }
            }
        }
    }
}
