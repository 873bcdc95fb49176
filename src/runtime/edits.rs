//! Lessons of the user's own are read again when their files have changed (inotify(7)).

use super::queue::Queue;
use crate::{
    event::Event,
    lesson::{Edited, Fills, Translations},
};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::{collections::BTreeMap, io, sync::Arc, thread};

/// Watches the folders that these lessons came from, until the program ends; nothing where there are none.
///
/// Errors: those of inotify(7), and of a thread that cannot be started.
pub(super) fn watch(lessons: &[Translations], fills: &Fills, queue: Arc<Queue>) -> io::Result<()> {
    let packs = lessons.iter().filter_map(|lesson| lesson.pack());
    let folders: Vec<String> = packs.map(|pack| pack.folder.clone()).collect();
    if folders.is_empty() {
        return Ok(());
    }
    let news = Inotify::init(InitFlags::IN_CLOEXEC)?;
    // An editor writes the file itself, or puts another one in its place.
    let comes = AddWatchFlags::IN_CLOSE_WRITE | AddWatchFlags::IN_MOVED_TO | AddWatchFlags::IN_ONLYDIR;
    let mut watched = BTreeMap::new();
    for folder in folders {
        let known = Edited::read(&folder, fills).ok();
        watched.insert(news.add_watch(folder.as_str(), comes)?, (folder, known));
    }
    let fills = fills.clone();
    let read = move || {
        while let Ok(events) = news.read_events() {
            for (_, (folder, known)) in watched.iter_mut().filter(|(wd, _)| events.iter().any(|event| event.wd == **wd))
            {
                let Ok(edited) = Edited::read(folder, &fills) else { continue };
                if known.as_ref() != Some(&edited) {
                    *known = Some(edited.clone());
                    queue.send(Event::Edited(Box::new(edited)));
                }
            }
        }
    };
    thread::Builder::new().name("edits".into()).spawn(read).map(drop)
}
