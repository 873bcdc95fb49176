//! The time of day as people read it, in the machine's time zone (localtime(3)).
#![allow(unsafe_code)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment, `ago` before now, in the machine's time zone.
#[derive(Clone, Copy, Debug)]
pub struct Moment(libc::tm);

impl Moment {
    /// The moment that was so long ago.
    pub fn ago(ago: Duration) -> Moment {
        let then = SystemTime::now().checked_sub(ago).unwrap_or(UNIX_EPOCH);
        let seconds = then.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as libc::time_t;
        // SAFETY: all zeros is a valid `struct tm`.
        let mut fields: libc::tm = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to variables that live until the call has returned.
        unsafe { libc::localtime_r(&raw const seconds, &raw mut fields) };
        Moment(fields)
    }

    /// As `23:59`.
    pub fn minute(self) -> String {
        format!("{:02}:{:02}", self.0.tm_hour, self.0.tm_min)
    }

    /// As `23:59:59`.
    pub fn second(self) -> String {
        format!("{}:{:02}", self.minute(), self.0.tm_sec)
    }

    /// As `Nov25`.
    pub fn day(self) -> String {
        format!("{}{:02}", MONTHS.get(self.0.tm_mon as usize).unwrap_or(&"???"), self.0.tm_mday)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_a_name_and_a_moment_has_minutes() {
        let now = Moment::ago(Duration::ZERO);
        assert!(MONTHS.iter().any(|month| now.day().starts_with(month)));
        assert!(now.second().starts_with(&now.minute()) && now.second().len() == 8);
    }
}
