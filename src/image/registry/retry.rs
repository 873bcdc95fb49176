//! Trying again: what passes by itself is waited for, a little longer each time, and never for long.

use super::fault::Fault;
use crate::image::{Error, Result, staging};
use std::time::Duration;
use ureq::http::{HeaderMap, header};

/// How often one thing is asked for.
const TRIES: u32 = 5;
/// How often where each try may take as long as a stall does.
const STALLED_TRIES: u32 = 2;
/// The first wait; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait that a registry may ask for (`Retry-After`). Where it asks for more, that is the answer.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A fault, with the wait that the registry asks for.
#[derive(Debug)]
pub struct Failed {
    /// What went wrong.
    pub fault: Fault,
    /// `Retry-After`.
    pub after: Option<Duration>,
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Failed {
        Failed { fault, after: None }
    }
}

/// How often something has failed so far.
#[derive(Debug, Default)]
pub struct Tries(u32);

impl Tries {
    /// Waits before the next try, or says why there is none: `what` is what was wanted.
    pub fn next(&mut self, failed: Failed, what: &str) -> Result<()> {
        // Ctrl-C closes connections, which then look cut.
        staging::go_on()?;
        self.0 += 1;
        let Failed { fault, after } = failed;
        let wait = after.unwrap_or(FIRST_WAIT * 2_u32.pow(self.0.min(TRIES) - 1));
        let most = if matches!(fault, Fault::Stalled { .. }) { STALLED_TRIES } else { TRIES };
        if !fault.passes() || self.0 >= most || wait > LONGEST_WAIT {
            return Err(Error::Registry { what: what.into(), fault });
        }
        staging::pause(wait)
    }
}

/// Does something until it goes well, or until trying again is of no use.
pub fn retry<T>(what: &str, mut attempt: impl FnMut() -> std::result::Result<T, Failed>) -> Result<T> {
    let mut tries = Tries::default();
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(failed) => tries.next(failed, what)?,
        }
    }
}

/// `Retry-After` in seconds; its other form, a date, is left to our own waits.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited() -> Fault {
        Fault::RateLimited { host: "h".into(), why: "slow down".into() }
    }

    #[test]
    fn what_passes_is_tried_again_but_not_for_ever() {
        let mut count = 0;
        let after = Some(Duration::from_millis(1));
        let again: Result<()> = retry("x", || {
            count += 1;
            Err(Failed { fault: limited(), after })
        });
        assert_eq!((count, again.unwrap_err().to_string().as_str()), (TRIES, "x: h: rate-limited (429): slow down"));
        let mut count = 0;
        let done = retry("x", || {
            count += 1;
            if count < 3 { Err(Failed { fault: limited(), after }) } else { Ok(count) }
        });
        assert_eq!(done.unwrap(), 3);
    }

    #[test]
    fn a_long_wait_and_a_plain_no_are_answers() {
        for failed in [
            Failed { fault: limited(), after: Some(Duration::from_secs(3600)) },
            Fault::NotFound { host: "h".into(), why: "no".into() }.into(),
        ] {
            assert!(Tries::default().next(failed, "x").is_err());
        }
    }
}
