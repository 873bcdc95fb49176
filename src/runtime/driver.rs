//! Carries out what the app wants, and tells it what came of it: the part that the drawn and the plain screen share.

use super::{
    export,
    inbox::{Inbox, Letter},
    machine::Machine,
};
use crate::kernel::text;
use crate::{
    app::{Effect, Event, State, update},
    dirs::Need,
    doctor,
    lang::{self, Lang},
    session::{Action, Proof, StateDir, why_not_kept},
};
use std::{
    collections::VecDeque,
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// The app and the machine that it plays on.
#[derive(Debug)]
pub(super) struct Driver {
    /// What the screen shows.
    pub state: State,
    /// Where everything arrives.
    pub inbox: Arc<Inbox>,
    /// Whether nobody sees the terminals, but only reads what they print.
    pub unseen: bool,
    /// The image that lessons use.
    pub image: String,
    /// Whether calls that would change the machine itself are held.
    pub guarded: bool,
    exe: PathBuf,
    kept: Option<StateDir>,
    /// Whether the last try to keep the progress failed, which has been said.
    unsaved: bool,
    need: Need,
    /// Made when the first lesson begins: who only looks at the opening leaves nothing behind.
    machine: Option<Machine>,
    /// Whether it is known what this machine lacks. Until then no shell is started, because a step is judged when its
    /// shells are ready.
    examined: bool,
    waiting: Vec<Effect>,
    began: Instant,
    ended: bool,
    as_root: bool,
    redraw: bool,
}

impl Driver {
    /// Nothing is started yet. `kept` is where progress is kept, if anywhere; `need` is what the session's directory must
    /// offer.
    pub(super) fn new(state: State, exe: PathBuf, kept: Option<StateDir>, need: Need) -> Driver {
        let inbox = Arc::default();
        Driver {
            state,
            inbox,
            unseen: false,
            image: String::new(),
            guarded: true,
            exe,
            kept,
            unsaved: false,
            need,
            machine: None,
            examined: false,
            waiting: Vec::new(),
            began: Instant::now(),
            ended: false,
            as_root: false,
            redraw: false,
        }
    }

    /// Starts to find out what this machine lacks, beside everything else: it takes longer than a frame.
    pub(super) fn examine(&self) -> io::Result<()> {
        let needs = doctor::requirements(&self.state.lessons);
        let (inbox, need) = (self.inbox.clone(), self.need);
        let examine = move || {
            let found =
                doctor::lacking_for(need, &needs).into_iter().map(|(lang, lacking)| (lang.code(), lacking)).collect();
            inbox.send(Letter::Lacking(found));
        };
        thread::Builder::new().name("examine".into()).spawn(examine).map(drop)
    }

    /// Whether the learner wants to end.
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The language to go on in, where the learner wants to start again as root.
    pub(super) fn wants_root(&self) -> Option<Lang> {
        self.as_root.then_some(self.state.lang)
    }

    /// Whether everything is to be drawn anew; once.
    pub(super) fn take_redraw(&mut self) -> bool {
        std::mem::take(&mut self.redraw)
    }

    /// Whether the session knows the state of the machine as it was after the last thing that happened.
    pub(super) fn is_up_to_date(&self) -> bool {
        self.machine.as_ref().is_none_or(Machine::is_up_to_date)
    }

    /// What a happening on the machine means to the app.
    pub(super) fn sort(&mut self, happening: super::Happening) -> Vec<Event> {
        if matches!(happening, super::Happening::Sample(..)) {
            drop(update(&mut self.state, Event::Clock(self.began.elapsed())));
        }
        let lang = self.state.lang;
        self.machine.as_mut().map_or_else(Vec::new, |machine| {
            machine.lang = lang;
            machine.sort(happening)
        })
    }

    /// What the thread of [`Driver::examine`] found.
    pub(super) fn examined(&mut self, lacking: std::collections::BTreeMap<&'static str, crate::session::Lacking>) {
        self.tell(Event::Lacking(lacking));
        self.examined = true;
        let waiting = std::mem::take(&mut self.waiting);
        self.perform(waiting);
    }

    /// Tells the app, and does what it wants.
    pub(super) fn tell(&mut self, event: Event) {
        let effects = update(&mut self.state, event);
        lang::speak(self.state.lang);
        self.perform(effects);
    }

    /// Does what the app wants, and what it wants because of that.
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        let mut queue = VecDeque::from(effects);
        while let Some(effect) = queue.pop_front() {
            match effect {
                Effect::Quit => self.ended = true,
                Effect::AsRoot => (self.ended, self.as_root) = (true, true),
                Effect::Redraw => self.redraw = true,
                Effect::Save => self.save(),
                Effect::Export(lesson, proof) => {
                    let said = self.export(&lesson, &proof);
                    queue.extend(update(&mut self.state, said));
                }
                Effect::Doctor(lang) => {
                    let (inbox, need, lessons) = (self.inbox.clone(), self.need, self.state.lessons.clone());
                    let examine =
                        move || inbox.send(Letter::Screen(Event::Doctor(doctor::lines(&lessons, need, lang))));
                    if let Err(error) = thread::Builder::new().name("doctor".into()).spawn(examine) {
                        queue.extend(update(&mut self.state, Event::Trouble(error.to_string())));
                    }
                }
                effect if !self.examined => self.waiting.push(effect),
                effect => {
                    for event in self.on_machine(effect) {
                        queue.extend(update(&mut self.state, event));
                    }
                }
            }
        }
    }

    /// Keeps the progress. Where it cannot be kept, that is said once, and tried again with the next step and at the end:
    /// the lesson goes on all the same.
    fn save(&mut self) {
        let Some(kept) = &self.kept else { return };
        let lang = self.state.lang;
        let trouble = match self.state.progress.save(kept) {
            Ok(aside) => {
                self.unsaved = false;
                let what = lang.pick("Progress could not be read and was put aside: ", "进度无法读取，已另存：");
                aside.map(|aside| format!("{what}{aside}"))
            }
            Err(error) => {
                let said = std::mem::replace(&mut self.unsaved, true);
                (!said).then(|| not_kept(kept, &error, lang))
            }
        };
        if let Some(text) = trouble {
            drop(update(&mut self.state, Event::Trouble(text)));
        }
    }

    /// Writes a proof card, and says where.
    fn export(&self, lesson: &str, proof: &Proof) -> Event {
        #[derive(serde::Serialize)]
        struct Card<'a> {
            lesson: &'a str,
            #[serde(flatten)]
            proof: &'a Proof,
            card: Vec<String>,
        }
        let lang = self.state.lang;
        let card = Card { lesson, proof, card: proof.lines(lang) };
        let text = serde_json::to_string_pretty(&card).map_err(io::Error::from);
        match text.and_then(|text| export::export("boxwright-proof", &format!("{text}\n"), self.kept.as_ref())) {
            Ok(path) => Event::Said(format!("{}{}", lang.pick("Written: ", "已写入："), path.display())),
            Err(error) => Event::Trouble(format!("{}{error}", lang.pick("No proof card: ", "没有写出证据卡："))),
        }
    }

    /// Ends the machine within this time, and tells what is left of it on standard error.
    pub(super) fn finish(&mut self, within: Duration) {
        self.inbox.close();
        let Some(mut machine) = self.machine.take() else { return };
        let lang = self.state.lang;
        for line in machine.finish(within).lines(lang) {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(io::stderr(), "{}", text::safe(&line));
        }
    }

    fn on_machine(&mut self, effect: Effect) -> Vec<Event> {
        if self.machine.is_none() {
            // A start that failed is tried again with the next shell that is wanted, not with every key.
            if self.state.trouble.is_some() && !matches!(effect, Effect::Session(Action::Restart(_))) {
                return Vec::new();
            }
            let inbox = self.inbox.clone();
            let sink = Arc::new(move |happening| inbox.send(Letter::Machine(happening)));
            match Machine::start_for(self.need, &self.exe, sink) {
                Ok(mut machine) => {
                    machine.unseen = self.unseen;
                    machine.image.clone_from(&self.image);
                    machine.guarded = self.guarded;
                    machine.lang = self.state.lang;
                    let refused = machine.refused(machine.lang).pop();
                    if let Some(text) = refused {
                        let text = text.trim_start_matches("boxwright: ").replace("\n  ", "; ");
                        drop(update(&mut self.state, Event::Trouble(text)));
                    }
                    self.machine = Some(machine);
                }
                Err(trouble) => return vec![Event::Trouble(trouble.say(self.state.lang))],
            }
        }
        let Some(machine) = &mut self.machine else { return Vec::new() };
        match effect {
            Effect::Session(action) => return machine.apply(&action),
            Effect::Write(terminal, bytes) => machine.write(terminal, &bytes),
            Effect::Resize(terminal, rows, columns) => machine.resize(terminal, rows, columns),
            Effect::Doctor(_) | Effect::Export(..) | Effect::Save | Effect::AsRoot | Effect::Redraw | Effect::Quit => {}
        }
        Vec::new()
    }
}

/// That progress is not kept, and why.
fn not_kept(kept: &StateDir, error: &io::Error, lang: Lang) -> String {
    let why = why_not_kept(error, lang);
    let place = kept.path().display();
    lang.pick(format!("Progress is not kept: {place}: {why}"), format!("进度无法保存：{place}：{why}"))
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.unsaved
            && let Some(kept) = &self.kept
            && let Err(error) = self.state.progress.save(kept)
        {
            // The screen is given back by now; a closed standard error leaves nobody to tell.
            let _ = writeln!(io::stderr(), "boxwright: {}", not_kept(kept, &error, self.state.lang));
        }
        // Readers of terminals that wait for room must see that nobody reads any more.
        self.inbox.close();
    }
}
