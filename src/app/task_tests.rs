//! Keys go where the task is.

use super::{Effect, Event, Focus, Pane, State, View};
use crate::{
    lesson::{Block, Check, Fact, Predict, Run, TerminalId},
    session::{Action, Phase},
    ui::stage,
};

const CONTAINER: TerminalId = TerminalId::Container;
const HOST: TerminalId = TerminalId::Host;

fn run(terminal: TerminalId, line: &str) -> Block {
    Block::Run(Run { terminal, line: line.into(), ..Run::default() })
}

fn question() -> Block {
    let options = ["a", "b", "c"].map(String::from).to_vec();
    Block::Predict(Predict { question: "Which one?".into(), options, answer: 1 })
}

fn check() -> Block {
    let fact = Fact::Init("top".into());
    Block::Check(vec![Check { fact, text: "PID 1 is `top`".into(), source: String::new(), keeps: false, at: 1 }])
}

fn focus(state: &State) -> Focus {
    state.play.as_ref().unwrap().focus
}

fn shown(state: &State) -> TerminalId {
    state.play.as_ref().unwrap().shown
}

/// What was sent to this terminal.
fn written(effects: &[Effect], terminal: TerminalId) -> String {
    let bytes = effects.iter().filter_map(|effect| match effect {
        Effect::Write(place, bytes) if *place == terminal => Some(bytes.clone()),
        _ => None,
    });
    String::from_utf8(bytes.flatten().collect()).unwrap()
}

fn typed(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Session(Action::Type(..))))
}

fn bar(state: &mut State) -> String {
    stage::shot(state);
    stage::text(&stage::shot(state)).lines().last().unwrap_or_default().to_string()
}

#[test]
fn what_is_typed_when_a_command_is_due_goes_into_the_shell() {
    let mut state = stage::step_of(vec![run(CONTAINER, "hostname box"), check()], (80, 24));
    let effects = stage::press(&mut state, "hostname box\n");
    assert_eq!(written(&effects, CONTAINER), "hostname box\r");
    assert_eq!((written(&effects, HOST).as_str(), focus(&state)), ("", Focus::Terminal));
}

#[test]
fn space_types_at_an_empty_prompt_and_never_behind_a_text() {
    let mut state = stage::step_of(vec![run(CONTAINER, "ls"), check()], (80, 24));
    assert!(bar(&mut state).contains("Space type the command"), "{}", bar(&mut state));
    stage::feed(&mut state, Event::Output(CONTAINER, b"rm -r".to_vec()));
    // What the shell has not echoed yet counts as well.
    let effects = stage::press(&mut state, "x ");
    assert!(!typed(&effects) && written(&effects, CONTAINER) == "x ", "{effects:?}");
    let effects = stage::press(&mut state, " ");
    assert!(!typed(&effects) && written(&effects, CONTAINER) == " ", "{effects:?}");
    assert!(!bar(&mut state).contains("Space"));
    stage::feed(&mut state, Event::Output(CONTAINER, b"\x1b[5D\x1b[K".to_vec()));
    assert!(typed(&stage::press(&mut state, " ")));
    // The program that runs now gets its blanks.
    assert_eq!(written(&stage::press(&mut state, " "), CONTAINER), " ");
}

#[test]
fn what_is_typed_for_the_other_terminal_goes_there() {
    let mut state = stage::step_of(vec![run(HOST, "hostname"), check()], (80, 24));
    assert_eq!(shown(&state), CONTAINER, "what stands there may still be read");
    let effects = stage::press(&mut state, "ho");
    assert_eq!((written(&effects, HOST).as_str(), shown(&state)), ("ho", HOST));
    // A learner who chose a terminal types there.
    let mut state = stage::step_of(vec![run(HOST, "hostname"), check()], (80, 24));
    stage::press(&mut state, "^goot");
    assert_eq!(written(&stage::press(&mut state, "x"), CONTAINER), "x");
    // So does one who has begun a line.
    let mut state = stage::step_of(vec![run(HOST, "hostname"), check()], (80, 24));
    stage::feed(&mut state, Event::Output(CONTAINER, b"l".to_vec()));
    assert_eq!(written(&stage::press(&mut state, "s"), CONTAINER), "s");
}

#[test]
fn a_program_that_the_learner_turned_to_gets_its_blanks() {
    let mut state = stage::step_of(vec![run(HOST, "hostname"), check()], (80, 24));
    stage::press(&mut state, "^goot");
    stage::press(&mut state, "less file\r");
    let effects = stage::press(&mut state, " ");
    assert!(!typed(&effects) && written(&effects, CONTAINER) == " ", "{effects:?}");
}

#[test]
fn a_command_typed_before_the_answer_leaves_step_and_terminals_alone() {
    let mut state = stage::step_of(vec![question(), run(CONTAINER, "ls"), check()], (80, 24));
    let effects = stage::press(&mut state, "host box -n; ps -ef; df; rm -r x\r");
    assert!(state.overlay.is_none() && state.view == View::Lesson);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Write(..) | Effect::Session(Action::Restart(..)))));
    assert_eq!((focus(&state), shown(&state)), (Focus::Lesson, CONTAINER));
    assert!(bar(&mut state).contains("^G t to the terminal"));
}

#[test]
fn the_keys_stay_in_the_middle_of_a_line() {
    let mut state = stage::step_of(vec![run(CONTAINER, "ls"), question(), check()], (80, 24));
    assert!(typed(&stage::press(&mut state, " ")));
    // The prompt comes back, and with it what was typed meanwhile.
    let output = b"\x1b]133;D;0;aid=1\x07\x1b]133;A\x07$ \x1b]133;B\x07ps".to_vec();
    stage::feed(&mut state, Event::Output(CONTAINER, output));
    assert!(matches!(state.play.as_ref().unwrap().session.phase(), Phase::Asking(_)));
    assert_eq!(written(&stage::press(&mut state, " -q"), CONTAINER), " -q");
    stage::feed(&mut state, Event::Output(CONTAINER, b" -q".to_vec()));
    assert_eq!(focus(&state), Focus::Terminal);
    stage::feed(&mut state, Event::Output(CONTAINER, b"\x1b[5D\x1b[K".to_vec()));
    assert_eq!(focus(&state), Focus::Lesson, "the line is gone");
}

#[test]
fn the_prefix_gives_the_lessons_keys_at_any_time() {
    let blocks = vec![Block::Hint("Look.".into()), run(CONTAINER, "ls"), check()];
    let mut state = stage::step_of(blocks, (80, 24));
    stage::press(&mut state, "^gh");
    assert_eq!(state.play.as_ref().unwrap().session.hints(), 1);
    stage::press(&mut state, "t");
    assert_eq!(focus(&state), Focus::Terminal);
    stage::press(&mut state, " ");
    stage::press(&mut state, "^g");
    assert_eq!(focus(&state), Focus::Lesson, "while a command runs");
    stage::prompts(&mut state);
    assert!(matches!(state.play.as_ref().unwrap().session.phase(), Phase::Checking(_)));
    assert_eq!(focus(&state), Focus::Lesson, "and when it has ended: a key is on its way");
    assert_eq!(stage::press(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn keys_that_were_asked_for_go_to_the_next_task_once_they_were_used() {
    let mut state = stage::step_of(vec![run(CONTAINER, "ls"), run(CONTAINER, "ps"), check()], (80, 24));
    stage::press(&mut state, "^g ");
    stage::prompts(&mut state);
    assert_eq!(focus(&state), Focus::Terminal);
}

#[test]
fn a_digit_answers_only_a_question_that_is_visible() {
    let answer = |state: &State| state.play.as_ref().unwrap().session.answer(0);
    let mut state = stage::step_of(vec![question(), run(CONTAINER, "ls"), check()], (80, 24));
    assert_eq!(focus(&state), Focus::Lesson);
    stage::press(&mut state, "5");
    assert_eq!(state.play.as_ref().unwrap().pane, Pane::Sides, "there are three answers");
    stage::press(&mut state, "1");
    assert_eq!(answer(&state), None);
    assert!(bar(&mut state).contains("Space show the question"));
    stage::press(&mut state, " ");
    assert!(bar(&mut state).contains("1-3 your answer"));
    stage::press(&mut state, "1");
    assert_eq!((answer(&state), focus(&state)), (Some(0), Focus::Terminal));
}

#[test]
fn a_question_below_the_fold_is_not_answered_either() {
    let text = Block::Prose("Many words. ".repeat(150));
    let mut state = stage::step_of(vec![text, question(), run(CONTAINER, "ls"), check()], (80, 24));
    assert!(bar(&mut state).contains("Space show the question"));
    stage::press(&mut state, "2");
    assert!(bar(&mut state).contains("Space show the question"));
    stage::press(&mut state, " ");
    assert!(bar(&mut state).contains("1-3 your answer"));
    stage::press(&mut state, "2");
    assert_eq!(state.play.as_ref().unwrap().session.answer(1), Some(1));
}

#[test]
fn a_new_question_brings_the_lesson_forward() {
    let mut state = stage::step_of(vec![run(CONTAINER, "ls"), question(), run(CONTAINER, "ls"), check()], (80, 24));
    stage::press(&mut state, "^g2 ");
    assert_eq!(state.play.as_ref().unwrap().pane, Pane::Calls);
    stage::prompts(&mut state);
    assert_eq!((state.play.as_ref().unwrap().pane, focus(&state)), (Pane::Lesson, Focus::Lesson));
}

#[test]
fn a_shell_that_ended_says_so_and_only_helpful_keys_are_offered() {
    let mut state = stage::step_of(vec![run(CONTAINER, "ls"), check()], (80, 24));
    stage::feed(&mut state, Event::Closed(CONTAINER));
    let text = stage::text(&stage::shot(&mut state));
    assert!(text.contains("The shell has ended. r begins the step again."), "{text}");
    let bar = bar(&mut state);
    assert!(bar.contains("r begin again") && bar.contains("q quit"), "{bar}");
    assert!(!bar.contains("Space") && !bar.contains("to the terminal") && !bar.contains("hold"), "{bar}");
    assert_eq!(focus(&state), Focus::Lesson);
}

#[test]
fn a_message_leaves_the_keys_and_goes_with_its_cause() {
    let mut state = stage::step_of(vec![run(CONTAINER, "ls"), check()], (80, 24));
    stage::feed(&mut state, Event::Output(CONTAINER, b"rm -r".to_vec()));
    stage::press(&mut state, "^g ");
    let text = stage::text(&stage::shot(&mut state));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("finish it there, or drop it with ^C"), "the remedy is there: {text}");
    assert!(bar(&mut state).contains("Space type the command"));
    stage::feed(&mut state, Event::Output(CONTAINER, b"\x1b[5D\x1b[K".to_vec()));
    assert!(!stage::text(&stage::shot(&mut state)).contains("half typed"));
}

#[test]
fn who_has_only_looked_has_not_failed_yet() {
    let look = Block::Run(Run { look: true, line: "ps -ef".into(), ..Run::default() });
    let mut state = stage::step_of(vec![look, check()], (80, 24));
    assert!(typed(&stage::press(&mut state, " ")));
    stage::prompts(&mut state);
    let screen = stage::text(&stage::shot(&mut state));
    assert!(screen.contains("Your turn") && !screen.contains("Not yet"), "{screen}");
    stage::press(&mut state, "ls\r");
    stage::prompts(&mut state);
    let screen = stage::text(&stage::shot(&mut state));
    assert!(screen.contains("Not yet") && !screen.contains("Your turn"), "{screen}");
}

#[test]
fn ctrl_c_ends_what_runs_and_not_the_session() {
    let mut state = stage::state(crate::lang::Lang::En, (80, 24), crate::app::Look::default());
    stage::held(&mut state);
    assert_eq!(focus(&state), Focus::Lesson);
    let effects = stage::press(&mut state, "^c");
    assert_eq!(written(&effects, CONTAINER), "\x03", "{effects:?}");
    assert!(!effects.contains(&Effect::Quit));
    // So does a command of the learner's own, whatever is due.
    let mut state = stage::step_of(vec![run(CONTAINER, "ls"), check()], (80, 24));
    stage::press(&mut state, "sleep 100\r^g");
    assert_eq!(written(&stage::press(&mut state, "^c"), CONTAINER), "\x03");
    // Where nothing runs it ends the program, as elsewhere.
    let mut state = stage::step_of(vec![question(), check()], (80, 24));
    assert_eq!(stage::press(&mut state, "^c"), [Effect::Quit]);
}
