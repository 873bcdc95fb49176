//! What an ordinary user cannot do here, and how to become root: for the first screen, drawn or plain.

use crate::{
    app::State,
    lesson::Requirement,
    session::{Lacking, lack},
};

/// Whether root may have what an ordinary user lacks. Others, such as swap, this machine has for no user.
fn depends_on_root(need: &Requirement) -> bool {
    match need {
        Requirement::Root
        | Requirement::Ptrace
        | Requirement::UserNamespaces
        | Requirement::UserProc
        | Requirement::UserProgram
        | Requirement::Namespace(_)
        | Requirement::Proc
        | Requirement::Call(_)
        | Requirement::Controller(_)
        | Requirement::AnyController(_)
        | Requirement::SessionDir(_)
        | Requirement::MachineRoot => true,
        Requirement::Program(_)
        | Requirement::File(_)
        | Requirement::CgroupVersion(..)
        | Requirement::Swap
        | Requirement::Memsw
        | Requirement::HardMemory
        | Requirement::Network(_)
        | Requirement::NamespaceRoot
        | Requirement::Filesystem(_) => false,
    }
}

/// How many steps of each lesson are out of reach, in the order of the lessons; and how many steps there are.
fn out_of_reach(state: &State, lacking: &Lacking) -> (Vec<(String, usize)>, usize) {
    let lessons = (0..state.lessons.len()).filter_map(|index| state.lesson(index));
    let all = lessons.clone().map(|lesson| lesson.steps.len()).sum();
    let counted = lessons.map(|lesson| {
        let count = (0..lesson.steps.len()).filter(|step| lack(lesson, *step, lacking).is_some()).count();
        (lesson.id.clone(), count)
    });
    (counted.filter(|(_, count)| *count > 0).collect(), all)
}

/// The sentences for a user without root, each a paragraph; nothing for root.
pub(super) fn sentences(state: &State) -> Vec<String> {
    let (facts, lang) = (&state.facts, state.lang);
    if facts.root {
        return Vec::new();
    }
    let known = facts.lacking.get(lang.code());
    let lacking: Lacking = known.into_iter().flatten().filter(|(need, _)| depends_on_root(need)).cloned().collect();
    let (lessons, all) = out_of_reach(state, &lacking);
    let count: usize = lessons.iter().map(|(_, count)| count).sum();
    let per_lesson: Vec<String> = lessons.iter().map(|(lesson, count)| format!("{lesson} {count}")).collect();
    let limit = match (known, count) {
        (None, _) => lang.pick(
            "Without root the container gets its own user namespace, and some steps may be out of reach.".into(),
            "没有 root 权限时，容器会多一个用户命名空间，有些步骤可能做不了。".into(),
        ),
        (Some(_), 0) => lang.pick(
            "Without root the container gets its own user namespace; all steps can be done here.".into(),
            "没有 root 权限时，容器会多一个用户命名空间；在这里所有步骤都能做。".into(),
        ),
        (Some(_), _) => lang.pick(
            format!("Without root {count} of {all} steps are out of reach here: {}.", per_lesson.join(", ")),
            format!("没有 root 权限，这里有 {count} 步做不了（共 {all} 步）：{}。", per_lesson.join("、")),
        ),
    };
    let way = match &facts.as_root {
        Some(command) => {
            lang.pick(format!("R starts again as root: {command}"), format!("按 R 以 root 重新启动：{command}"))
        }
        None => lang.pick(
            "No sudo, doas or su works here: for every step, log in as root.".into(),
            "这里没有可用的 sudo、doas 或 su：要完成所有步骤，请以 root 登录。".into(),
        ),
    };
    vec![limit, way]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{Effect, Event, Look, View, keys, update},
        kernel::namespaces::Kind,
        lang::Lang,
        ui::stage,
    };
    use std::collections::BTreeMap;

    /// A user on a machine that lacks these.
    fn user(lang: Lang, needs: &[Requirement]) -> State {
        let mut state = stage::state(lang, (80, 24), Look::default());
        state.facts.root = false;
        state.facts.as_root = Some("sudo /home/li/boxwright/target/release/boxwright".into());
        let lacking: Lacking = needs.iter().map(|need| (need.clone(), "no".into())).collect();
        let lacking: BTreeMap<_, _> = Lang::ALL.iter().map(|lang| (lang.code(), lacking.clone())).collect();
        update(&mut state, Event::Lacking(lacking));
        state
    }

    /// The stage's lesson, with a step that needs this.
    fn needing(mut state: State, need: Requirement) -> State {
        for lesson in state.lessons.iter_mut().flat_map(|lesson| lesson.values_mut()) {
            lesson.steps[1].blocks.push(crate::lesson::Block::Requires(vec![need.clone()]));
        }
        state
    }

    #[test]
    fn a_user_sees_how_much_is_out_of_reach_and_one_key_that_helps() {
        for lang in Lang::ALL {
            let need = Requirement::Controller("cpu".into());
            let mut state = needing(user(lang, std::slice::from_ref(&need)), need);
            stage::shot(&mut state);
            let text = stage::text(&stage::shot(&mut state));
            let limit = lang.pick("Without root 1 of 2 steps are out of reach here: isolate 1.", "isolate 1。");
            assert!(text.contains(limit), "{text}");
            assert!(text.contains("sudo /home/li/boxwright/target/release/boxwright"), "{text}");
            assert!(
                text.lines()
                    .last()
                    .unwrap()
                    .contains(lang.pick("R as root   l 中文   d what works here", "R 以 root 启动")),
                "{text}"
            );
            assert!(super::super::plain::opening(&state).join("\n").contains("sudo /home/li/"));
            assert_eq!(stage::press(&mut state, "R"), [Effect::AsRoot]);
            // The page about this machine names the key, too, and its help.
            stage::press(&mut state, "d");
            assert_eq!(state.view, View::Doctor);
            assert_eq!(stage::press(&mut state, "R"), [Effect::AsRoot]);
            stage::press(&mut state, "?");
            assert!(stage::text(&stage::shot(&mut state)).contains("R  "));
        }
    }

    #[test]
    fn what_this_machine_lacks_is_not_laid_to_the_user() {
        let state = needing(user(Lang::En, &[Requirement::Swap]), Requirement::Swap);
        assert!(sentences(&state)[0].contains("all steps can be done here"), "{:?}", sentences(&state));
        let all = user(Lang::En, &[Requirement::Root, Requirement::Namespace(Kind::User)]);
        assert!(sentences(&all)[0].contains("2 of 2 steps"), "{:?}", sentences(&all));
    }

    #[test]
    fn before_the_machine_is_examined_nothing_is_claimed() {
        let mut state = user(Lang::En, &[]);
        state.facts.lacking.clear();
        assert!(sentences(&state)[0].contains("may be"), "{:?}", sentences(&state));
    }

    #[test]
    fn the_key_is_only_there_where_it_does_something() {
        let bound =
            |state: &State| keys::bindings(state).iter().any(|binding| binding.command == keys::Command::AsRoot);
        let mut state = user(Lang::En, &[]);
        assert!(bound(&state));
        state.facts.as_root = None;
        assert!(!bound(&state));
        assert!(sentences(&state)[1].contains("log in as root"));
        state.facts.root = true;
        assert!(sentences(&state).is_empty());
    }
}
