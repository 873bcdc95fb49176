//! Work that is shared with a second processor, where there is one.

use std::{
    iter,
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What `of` makes of each item, in their order. Whichever of two threads is free takes the next one.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], of: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || -> Vec<(usize, R)> {
        let left = iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)));
        left.map_while(|index| Some((index, of(items.get(index)?)))).collect()
    };
    let mut all = thread::scope(|scope| {
        let second = thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
        let other = second.then(|| thread::Builder::new().spawn_scoped(scope, work));
        let mut all = work();
        // Where no thread can be made, all of them are here.
        if let Some(Ok(other)) = other {
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_keeps_the_order_of_the_items() {
        let items: Vec<usize> = (0..2_000).collect();
        let doubled: Vec<usize> = items.iter().map(|item| 2 * item).collect();
        assert_eq!(map(&items, |item| 2 * item), doubled);
        assert!(map(&items[..0], |item| *item).is_empty());
    }
}
