//! Trying again: what passes by itself is waited for, a little longer each time, and never for long.

use super::fault::Fault;
use crate::image::{Error, Result, staging};
use httpdate::parse_http_date;
use std::time::{Duration, SystemTime};
use ureq::http::{HeaderMap, header};

/// How often one thing is asked for.
const TRIES: u32 = 5;
/// How often where each try may take as long as a stall does.
const STALLED_TRIES: u32 = 2;
/// The first wait; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait that a registry may ask for (`Retry-After`). Where it asks for more, that is the answer.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(30);

/// A fault, with the wait that the registry asks for.
#[derive(Debug)]
pub(super) struct Failed {
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
pub(super) struct Tries(u32);

impl Tries {
    /// Waits before the next try, or says why there is none: `what` is what was wanted.
    pub(super) fn next(&mut self, failed: Failed, what: &str) -> Result<()> {
        // Ctrl-C closes connections, which then look cut.
        staging::go_on()?;
        self.0 += 1;
        let Failed { fault, after } = failed;
        let wait = after.unwrap_or(FIRST_WAIT * 2_u32.pow(self.0.min(TRIES) - 1));
        let most = if matches!(fault, Fault::Stalled { .. }) { STALLED_TRIES } else { TRIES };
        if !fault.passes() || self.0 >= most || wait > MAX_WAIT {
            return Err(Error::Registry { what: what.into(), fault });
        }
        staging::pause(wait)
    }
}

/// Does something until it goes well, or until trying again is of no use.
pub(super) fn retry<T>(what: &str, mut attempt: impl FnMut() -> std::result::Result<T, Failed>) -> Result<T> {
    let mut tries = Tries::default();
    loop {
        match attempt() {
            Ok(done) => return Ok(done),
            Err(failed) => tries.next(failed, what)?,
        }
    }
}

/// `Retry-After`: seconds, or a date. A date is counted from the answer's own `Date`, for clocks differ.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let wanted = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = wanted.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let now = text(header::DATE).and_then(|date| parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    // What is over need not be waited for.
    Some(parse_http_date(wanted).ok()?.duration_since(now).unwrap_or_default())
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

    #[test]
    fn a_wait_is_read_in_seconds_and_as_a_date() {
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        let table = [
            ("7", None, Some(7)),
            ("Sun, 06 Nov 1994 08:49:49 GMT", Some(now), Some(12)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(now), Some(0)),
            // Without a `Date` it is our clock that counts, for which this is long ago.
            ("Sun, 06 Nov 1994 08:49:49 GMT", None, Some(0)),
            ("soon", Some(now), None),
        ];
        for (after, date, wait) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, after.parse().unwrap());
            date.map(|date| headers.insert(header::DATE, date.parse().unwrap()));
            assert_eq!(retry_after(&headers), wait.map(Duration::from_secs), "{after}");
        }
    }
}
