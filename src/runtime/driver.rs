//! Carries out what the app wants, and tells it what came of it: the part that the drawn and the plain screen share.

use super::{
    branches::Playing,
    clipboard::{self, Way},
    engine::Engine,
    export,
    hall::{Hall, Listening},
    sharing::Sharing,
};
use crate::{
    app::{Copied, Effect, Event, State, class, present, update},
    class::Place,
    doctor,
    event::Plan,
    kernel::text,
    lang::{self, Lang},
    session::{Proof, StateDir, share, why_not_kept},
    ui,
};
use std::{
    io::{self, Write},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// The app and the engine that it plays on.
#[derive(Debug)]
pub(super) struct Driver {
    /// What the screen shows.
    pub state: State,
    /// What happens.
    pub engine: Engine,
    kept: Option<StateDir>,
    /// Whether the last try to keep the progress failed, which has been said.
    unsaved: bool,
    /// Whether it is known what this machine lacks. Until then no shell is started, because a step is judged when its
    /// shells are ready.
    examined: bool,
    waiting: Vec<Effect>,
    ended: bool,
    as_root: bool,
    redraw: bool,
    /// How text leaves the screen, once that was asked.
    way: Option<Way>,
    /// What tells the class.
    sharing: Option<Sharing>,
    /// What tells the speaker's views.
    hall: Option<Hall>,
    /// The branches that are being played.
    branches: Option<Playing>,
    /// What is being tried on this machine. Each is disconnected once nothing is left of it.
    trying: Vec<Receiver<()>>,
}

impl Driver {
    /// Nothing is started yet. `kept` is where progress is kept, if anywhere.
    pub(super) fn new(state: State, engine: Engine, kept: Option<StateDir>) -> Driver {
        Driver {
            state,
            engine,
            kept,
            unsaved: false,
            examined: false,
            waiting: Vec::new(),
            ended: false,
            as_root: false,
            redraw: false,
            way: None,
            sharing: None,
            hall: None,
            branches: None,
            trying: Vec::new(),
        }
    }

    /// Starts to find out what this machine lacks, beside everything else: it takes longer than a frame.
    pub(super) fn examine(&mut self) -> io::Result<()> {
        let (queue, need, lessons) = (self.engine.queue(), self.engine.need(), self.state.lessons.clone());
        self.try_beside("examine", move || {
            let found = doctor::lacking_for(need, &doctor::requirements(&lessons));
            queue.send(Event::Lacking(found.into_iter().map(|(lang, lacking)| (lang.code(), lacking)).collect()));
        })
    }

    /// Tries something on this machine beside everything else. It makes a directory and control groups for a moment, so that its
    /// end is waited for when the session ends.
    fn try_beside(&mut self, name: &str, trial: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let (alive, ended) = sync_channel::<()>(0);
        let work = move || {
            let _alive: SyncSender<()> = alive;
            trial();
        };
        thread::Builder::new().name(name.into()).spawn(work)?;
        self.trying.push(ended);
        Ok(())
    }

    /// Shares from now on where the learner is, and says what that is.
    pub(super) fn share(&mut self, place: Place) -> io::Result<()> {
        let (name, dir) = (place.name().to_string(), place.path().display().to_string());
        self.sharing = Some(Sharing::start(place, self.engine.queue())?);
        self.engine.give(Event::Said(class::told(&name, &dir, self.state.lang)));
        self.state.class = Some(class::Sharing::new(name));
        Ok(())
    }

    /// Opens the hall: speaker's views may come from now on.
    pub(super) fn present(&mut self, listening: Listening) -> io::Result<()> {
        self.hall = Some(listening.open(self.engine.queue())?);
        self.state.hall = Some(present::Hall::default());
        Ok(())
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

    /// Puts an event into the stream, and tells all that is ready.
    pub(super) fn give(&mut self, event: Event) {
        self.engine.give(event);
        while let Some(event) = self.engine.ready() {
            self.tell(event);
        }
    }

    /// Begins with a lesson, or asks whether its commands may run.
    pub(super) fn open(&mut self, lesson: usize, step: usize) {
        if let Some(translations) = self.state.lessons.get(lesson) {
            self.give(Event::Open(translations.id().to_string(), step));
        }
    }

    /// Tells the app what the engine has yielded, and does what it wants.
    pub(super) fn tell(&mut self, event: Event) {
        let examined = matches!(event, Event::Lacking(_));
        let effects = update(&mut self.state, event);
        lang::speak(self.state.lang);
        self.engine.speak(self.state.lang);
        self.perform(effects);
        if examined {
            self.examined = true;
            let waiting = std::mem::take(&mut self.waiting);
            self.perform(waiting);
        }
    }

    /// Does what the app wants; what comes of it are events.
    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Quit => self.ended = true,
                Effect::AsRoot => (self.ended, self.as_root) = (true, true),
                Effect::Redraw => self.redraw = true,
                Effect::Save => self.save(),
                Effect::Card => {
                    let said = self.card();
                    self.engine.give(said);
                }
                Effect::Export(lesson, proof) => {
                    let said = self.export(&lesson, &proof);
                    self.engine.give(said);
                }
                Effect::Share(card) => match (card, &self.sharing) {
                    (Some(card), Some(sharing)) => sharing.tell(card),
                    (None, _) => self.sharing = None,
                    (Some(_), None) => {}
                },
                Effect::Present(stage) => {
                    if let Some(hall) = &self.hall {
                        hall.tell(stage);
                    }
                }
                Effect::Copy(what, text) => self.copy(what, &text),
                Effect::CopyPane(pane) => self.copy(Copied::Pane(pane), &ui::pane_text(&self.state, pane)),
                Effect::Doctor(lang) => self.report(lang),
                Effect::Branches(plan) => self.branches(*plan),
                effect if !self.examined => self.waiting.push(effect),
                Effect::Session(action) => self.engine.apply(&action),
                Effect::Wake(after) => self.engine.wake(after),
                Effect::Pick(picked) => self.engine.pick(picked),
                Effect::Networks(seen) => self.engine.networks(seen),
                Effect::Write(terminal, bytes) => self.engine.write(terminal, &bytes),
                Effect::Resize(terminal, size) => self.engine.resize(terminal, size),
            }
        }
    }

    /// Has both branches played, beside everything else; one pair at a time.
    fn branches(&mut self, plan: Plan) {
        let lang = self.state.lang;
        if self.branches.as_ref().is_some_and(Playing::is_on) {
            let text = lang.pick("Both branches are being played already", "两种结果正在演示，请稍候");
            return self.engine.give(Event::Trouble(text.into()));
        }
        match Playing::start(self.engine.again(), plan, self.engine.queue()) {
            Ok(playing) => self.branches = Some(playing),
            Err(error) => self.engine.give(Event::Trouble(error.to_string())),
        }
    }

    /// Has the report on this machine made, beside everything else.
    fn report(&mut self, lang: Lang) {
        let (queue, need, lessons) = (self.engine.queue(), self.engine.need(), self.state.lessons.clone());
        let report = move || queue.send(Event::Doctor(doctor::lines(&lessons, need, lang)));
        if let Err(error) = self.try_beside("doctor", report) {
            self.engine.give(Event::Trouble(error.to_string()));
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
            self.engine.give(Event::Trouble(text));
        }
    }

    /// Gives a text to the terminal's clipboard or, where that takes none, writes it into a file; says which.
    fn copy(&mut self, what: Copied, text: &str) {
        let (lang, way) = (self.state.lang, *self.way.get_or_insert_with(Way::here));
        self.engine.give(match clipboard::give(way, what, text, self.kept.as_ref(), lang) {
            Ok(said) => Event::Said(said),
            Err(trouble) => Event::Trouble(trouble),
        });
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

    /// Writes what the learner has reached as a picture, and says where.
    fn card(&self) -> Event {
        let lang = self.state.lang;
        match export::written("boxwright-card", "svg", &share::svg(&ui::result(&self.state)), self.kept.as_ref()) {
            Ok(path) => Event::Said(format!("{}{}", lang.pick("Written: ", "已写入："), path.display())),
            Err(error) => Event::Trouble(format!("{}{error}", lang.pick("No picture: ", "没有写出图片："))),
        }
    }

    /// Ends the session within this time, and tells what is left of it on standard error.
    pub(super) fn finish(&mut self, within: Duration) {
        let lang = self.state.lang;
        if let Some(playing) = &self.branches {
            playing.stop();
        }
        let began = Instant::now();
        for trial in self.trying.drain(..) {
            // What is left of the time is the session's own.
            let _ = trial.recv_timeout((within / 2).saturating_sub(began.elapsed()));
        }
        for line in self.engine.finish(within.saturating_sub(began.elapsed())).lines(lang) {
            // A closed standard error has no reader.
            let _ = writeln!(io::stderr(), "{}", text::safe(&line));
        }
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
            // The screen is given back by now; a closed standard error has no reader.
            let _ = writeln!(io::stderr(), "boxwright: {}", not_kept(kept, &error, self.state.lang));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::{Facts, Look, Prefix},
        runtime::Setup,
    };
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    #[test]
    fn a_session_does_not_end_before_what_it_tries_has_ended() {
        let state = State::new(Lang::En, Look::default(), Facts::default(), Vec::new(), Prefix::default());
        let mut driver = Driver::new(state, Engine::new(Setup::new("/bin/false")), None);
        let (go, wait) = sync_channel::<()>(0);
        let cleared = Arc::new(AtomicBool::default());
        let clears = Arc::clone(&cleared);
        let trial = move || {
            wait.recv().unwrap();
            clears.store(true, Ordering::Relaxed);
        };
        driver.try_beside("trial", trial).unwrap();
        let other = thread::spawn(move || go.send(()));
        driver.finish(Duration::from_secs(20));
        assert!(cleared.load(Ordering::Relaxed), "what was made for the trial is gone");
        assert!(other.join().unwrap().is_ok() && driver.trying.is_empty());
    }
}
