//! Who the container process is: users and groups on both sides, the maps between them, its capabilities, and the owners of its
//! namespaces.

use super::{
    marks,
    namespaces::ORDER,
    sheet::Sheet,
    text::{Rich, hang, line, pad},
    theme::Role,
};
use crate::{
    app::{Play, State},
    kernel::{namespaces::Kind, owned::Mapped},
    lang::Lang,
    observe::Sample,
};

/// One answer: the same question to both sides, or one about the border between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Outside and inside.
    Both(String, String),
    /// One text.
    One(String),
}

/// A question in both languages, and its answer.
pub(super) type Question = ((&'static str, &'static str), fn(&Sample, Lang) -> Answer);

/// What is asked.
pub(super) const QUESTIONS: [Question; 8] = [
    (("user", "用户"), |now, lang| sides(now.users.uid, now.users.uid_inside(), lang)),
    (("group", "组"), |now, lang| sides(now.users.gid, now.users.gid_inside(), lang)),
    (("uid_map", "uid_map"), |now, lang| Answer::One(map(now.users.uid_map.as_deref(), lang))),
    (("gid_map", "gid_map"), |now, lang| Answer::One(map(now.users.gid_map.as_deref(), lang))),
    (("setgroups", "setgroups"), |now, _| {
        Answer::One(now.users.setgroups.map_or("?", |allow| if allow { "allow" } else { "deny" }).into())
    }),
    (("capabilities", "能力"), |now, lang| Answer::One(capabilities(now, lang))),
    (("its own", "属于自己"), |now, lang| Answer::One(owned(now, true, lang))),
    (("the host's", "属于宿主机"), |now, lang| Answer::One(owned(now, false, lang))),
];

/// Lays out questions and answers.
pub(super) fn sheet(state: &State, play: &Play, columns: usize) -> Sheet {
    let mut sheet = Sheet::default();
    let lang = state.lang;
    let Some(now) = play.sample.as_deref().filter(|sample| sample.container.is_some()) else {
        sheet.line(line(lang.pick("No process yet.", "还没有进程。"), Role::Quiet));
        return sheet;
    };
    let before = play.before.as_deref().filter(|before| before.container.is_some()).unwrap_or(now);
    let name = 14;
    let half = 12;
    sheet.line(vec![
        (pad(&format!("pid {}", now.container.unwrap_or_default()), name), Role::Quiet),
        (pad(lang.pick("outside", "外面"), half), Role::Host),
        (lang.pick("inside", "里面").into(), Role::Container),
    ]);
    for ((en, zh), answer) in &QUESTIONS {
        let (answer, was) = (answer(now, lang), answer(before, lang));
        let changed = answer != was;
        let mark = if changed { format!(" {}", marks::CHANGED) } else { String::new() };
        let role = |role| if changed { Role::Changed } else { role };
        let title = (pad(lang.pick(*en, *zh), name), Role::Plain);
        match answer {
            Answer::Both(outside, inside) => sheet.line(vec![
                title,
                (pad(&outside, half), Role::Host),
                (format!("{inside}{mark}"), role(Role::Container)),
            ]),
            Answer::One(text) => {
                let text = Rich::default().with(&format!("{text}{mark}"), role(Role::Plain));
                sheet.add(hang(&[title], &text, columns));
            }
        }
    }
    sheet
}

fn sides(outside: Option<u32>, inside: Option<u32>, lang: Lang) -> Answer {
    let number = |id: Option<u32>, none: &str| id.map_or_else(|| none.to_string(), |id| id.to_string());
    Answer::Both(number(outside, "?"), number(inside, lang.pick("65534 (none)", "65534（没有）")))
}

fn map(lines: Option<&[Mapped]>, lang: Lang) -> String {
    // All IDs there are: the first user namespace.
    const EVERY: u32 = u32::MAX;
    match lines {
        None => "?".into(),
        Some([]) => lang.pick("not written yet", "尚未写入").into(),
        Some([one]) if one.count == EVERY && one.inside == one.outside => {
            lang.pick("every ID is itself", "每个 ID 都对应自己").into()
        }
        Some(lines) => {
            let one = |line: &Mapped| format!("{} {} {}", line.inside, line.outside, line.count);
            let list: Vec<String> = lines.iter().map(one).collect();
            let text = list.join(lang.pick("; ", "；"));
            lang.pick(format!("{text} (inside outside count)"), format!("{text}（里面 外面 个数）"))
        }
    }
}

fn capabilities(now: &Sample, lang: Lang) -> String {
    let Some(theirs) = now.privileges.capabilities else { return "?".into() };
    let count = theirs.count_ones();
    let of = now.users.bounding.map_or_else(String::new, |most| {
        let most = most.count_ones();
        lang.pick(format!(" of {most}"), format!(" / {most}"))
    });
    let whose = match (theirs, is_own(now)) {
        (0, _) => "",
        (_, true) => lang.pick(", over what is its own", "，只管属于自己的"),
        (_, false) => lang.pick(", over what is the host's", "，管宿主机的"),
    };
    format!("{count}{of}{whose}")
}

/// Whether the container process is in a user namespace of its own.
fn is_own(now: &Sample) -> bool {
    now.namespaces.get(&Kind::User) != now.host_namespaces.get(&Kind::User)
}

/// The namespaces that belong to the container process's own user namespace, or to the host's or any other.
fn owned(now: &Sample, own: bool, lang: Lang) -> String {
    let user = now.namespaces.get(&Kind::User).filter(|_| is_own(now));
    let belongs = |kind: &&Kind| {
        **kind != Kind::User && now.users.owners.get(kind).is_some_and(|owner| (Some(&owner.user) == user) == own)
    };
    let names: Vec<&str> = ORDER.iter().filter(belongs).map(|kind| kind.row().link).collect();
    if names.is_empty() { lang.pick("nothing", "没有").into() } else { names.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::Look,
        kernel::owned::Owner,
        observe::{Privileges, Users},
        ui::stage,
    };
    use std::sync::Arc;

    /// A user namespace of a user's own, with a UTS namespace that belongs to it.
    fn rootless(mapped: bool) -> Sample {
        let mut sample = stage::unshared();
        sample.namespaces.insert(Kind::User, 4026532200);
        let owner = |user| Owner { user, maker: Some(1000) };
        let host = sample.host_namespaces[&Kind::User];
        let line = Mapped { inside: 0, outside: 1000, count: 1 };
        sample.users = Users {
            uid: Some(1000),
            gid: Some(1000),
            uid_map: Some(if mapped { vec![line] } else { Vec::new() }),
            gid_map: Some(Vec::new()),
            setgroups: Some(!mapped),
            bounding: Some(0b111),
            owners: [(Kind::Uts, owner(4026532200)), (Kind::Net, owner(host))].into(),
        };
        sample.privileges = Privileges { capabilities: Some(if mapped { 0b111 } else { 0 }), ..Privileges::default() };
        sample
    }

    #[test]
    fn what_a_map_has_changed_is_seen_at_every_size() {
        for lang in Lang::ALL {
            for size in [(80, 24), (120, 30), (140, 45)] {
                let mut state = stage::state(lang, size, Look::default());
                stage::after(&mut state);
                let play = state.play.as_mut().unwrap();
                play.sample = Some(Arc::new(rootless(true)));
                play.before = Some(Arc::new(rootless(false)));
                stage::press(&mut state, "9");
                let text = stage::text(&stage::shot(&mut state));
                let row = |title: &str, said: &str| {
                    let found =
                        text.lines().any(|line| line.split_once(title).is_some_and(|(_, rest)| rest.contains(said)));
                    assert!(found, "{title}: {said}: {text}");
                };
                row(lang.pick("user  ", "用户  "), "1000        0 ◆");
                row("uid_map", "0 1000 1");
                row("gid_map", lang.pick("not written yet", "尚未写入"));
                row("setgroups", "deny ◆");
                row(lang.pick("capabilities", "能力"), lang.pick("3 of 3", "3 / 3"));
                row(lang.pick("its own  ", "属于自己  "), "uts");
                row(lang.pick("the host's  ", "属于宿主机  "), "net");
            }
        }
    }

    #[test]
    fn in_the_hosts_user_namespace_nothing_is_its_own() {
        let mut sample = rootless(true);
        let host = sample.host_namespaces[&Kind::User];
        sample.namespaces.insert(Kind::User, host);
        sample.users.owners.values_mut().for_each(|owner| owner.user = host);
        assert_eq!(
            (owned(&sample, true, Lang::En), owned(&sample, false, Lang::En)),
            ("nothing".into(), "uts net".into())
        );
        assert_eq!(capabilities(&sample, Lang::En), "3 of 3, over what is the host's");
        let every = [Mapped { inside: 0, outside: 0, count: u32::MAX }];
        assert_eq!(map(Some(&every), Lang::En), "every ID is itself");
        assert_eq!(map(None, Lang::En), "?");
    }
}
