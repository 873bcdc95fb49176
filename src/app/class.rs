//! What a session tells its class: a card made of what is on the screen, and two flags that the learner raises.

use super::{Effect, Play, State};
use crate::{
    class::{Asked, Card, Doing, Failed, Flag},
    lang::Lang,
    lesson::Block,
    session::Phase,
};

/// A session that shares.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sharing {
    /// The name that the class sees.
    pub name: String,
    /// What the learner has raised.
    pub flag: Option<Flag>,
    /// What was told last.
    told: Option<Card>,
}

impl Sharing {
    /// Nothing is told yet.
    pub(crate) fn new(name: String) -> Sharing {
        Sharing { name, ..Sharing::default() }
    }
}

/// Tells the class where the learner is, where that has changed.
pub(super) fn share(state: &mut State) -> Option<Effect> {
    let (sharing, play) = (state.class.as_mut()?, state.play.as_ref()?);
    let card = card(play, sharing.flag)?;
    if sharing.told.as_ref() == Some(&card) {
        return None;
    }
    sharing.told = Some(card.clone());
    Some(Effect::Share(Some(card)))
}

fn card(play: &Play, flag: Option<Flag>) -> Option<Card> {
    let session = &play.session;
    let phase = session.phase();
    // On the way to a step no place is told.
    if matches!(phase, Phase::Preparing(..)) {
        return None;
    }
    let doing = match phase {
        Phase::Asking(_) => Doing::Asked,
        Phase::Done | Phase::Blocked(_) => Doing::Done,
        _ => Doing::Working,
    };
    Some(Card {
        lesson: session.lesson().id.clone(),
        step: session.step()?.id.clone(),
        number: session.step_index() + 1,
        of: session.lesson().steps.len(),
        doing,
        question: question(play),
        failed: failed(play),
        flag,
    })
}

/// The question that is open or, where none is, the one that was answered last.
fn question(play: &Play) -> Option<Asked> {
    let session = &play.session;
    let blocks = session.step()?.blocks.iter().enumerate().take(session.at() + 1);
    let asked = |(block, content): (usize, &Block)| match content {
        Block::Predict(predict) => Some(Asked { block, options: predict.options.len(), answer: session.answer(block) }),
        _ => None,
    };
    blocks.filter_map(asked).next_back()
}

/// What the learner's commands have not made true.
fn failed(play: &Play) -> Option<Failed> {
    let Phase::Checking(block) = play.session.phase() else { return None };
    if !play.session.is_shown() {
        return None;
    }
    let Some(Block::Check(checks)) = play.session.step().and_then(|step| step.blocks.get(block)) else { return None };
    let verdicts = checks.iter().zip(play.session.verdicts(block));
    let (check, verdict) = verdicts.into_iter().find(|(_, verdict)| verdict.passed == Some(false))?;
    // Before the first command nothing has failed.
    (play.commands > 0).then(|| Failed {
        check: check.text.clone(),
        expected: verdict.expected.clone(),
        observed: verdict.observed.clone(),
    })
}

/// Raises a flag, or takes it down.
pub(crate) fn raise(state: &mut State, flag: Flag) {
    let lang = state.lang;
    let Some(sharing) = &mut state.class else { return };
    sharing.flag = if sharing.flag == Some(flag) { None } else { Some(flag) };
    let sign = flag.sign(state.look.ascii).trim_end();
    let name = flag.name(lang);
    state.said = Some(match sharing.flag {
        Some(_) => lang.pick(format!("The class sees: {sign} {name}"), format!("班上会看到：{sign} {name}")),
        None => lang.pick(format!("Taken down: {sign} {name}"), format!("已收回：{sign} {name}")),
    });
}

/// Leaves the class: nothing is shared any more, and what was is taken away.
pub(crate) fn leave(state: &mut State) -> Vec<Effect> {
    state.class = None;
    let text = state.lang.pick("You have left the class: nothing is shared any more", "已退出班级：不再共享任何信息");
    state.said = Some(text.into());
    vec![Effect::Share(None)]
}

/// What is shared, said to whom it is about.
pub(crate) fn told(name: &str, dir: &str, lang: Lang) -> String {
    lang.pick(
        format!(
            "The class sees in {dir} as {name}: lesson and step, your answers, the check that fails, your flag; no commands. \
             H help me, D done, X leave"
        ),
        format!("班上会在 {dir} 看到“{name}”的课程和步骤、答案、没通过的检查、举手；看不到命令。H 请帮忙，D 做完了，X 退出"),
    )
}
