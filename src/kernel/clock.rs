//! Times as people read them, in the time zone that TZ or /etc/localtime says (localtime(3)).

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A moment in the local time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(libc::tm);

impl Moment {
    /// The moment so many seconds after the beginning of 1970; `None` where its year is too far away.
    #[expect(unsafe_code, reason = "the C library fills in a structure")]
    pub(crate) fn at(seconds: i64) -> Option<Moment> {
        // SAFETY: all zeros is a valid `struct tm`.
        let mut fields: libc::tm = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to variables that live until the call has returned.
        let done = unsafe { libc::localtime_r(&raw const seconds, &raw mut fields) };
        (!done.is_null()).then_some(Moment(fields))
    }

    /// This moment.
    pub(crate) fn now() -> Option<Moment> {
        Moment::at(now())
    }

    fn year(self) -> i64 {
        i64::from(self.0.tm_year) + 1900
    }

    fn month(self) -> &'static str {
        MONTHS.get(self.0.tm_mon as usize).copied().unwrap_or_default()
    }

    /// As `23:59`.
    pub(crate) fn minute(self) -> String {
        format!("{:02}:{:02}", self.0.tm_hour, self.0.tm_min)
    }

    /// As `23:59:59`.
    pub(crate) fn second(self) -> String {
        format!("{}:{:02}", self.minute(), self.0.tm_sec)
    }

    /// As `2026-11-25 23:59`.
    pub(crate) fn date(self) -> String {
        format!("{:04}-{:02}-{:02} {}", self.year(), self.0.tm_mon + 1, self.0.tm_mday, self.minute())
    }

    /// As `Nov 25`; a day of one digit stands behind two blanks.
    pub(crate) fn day(self) -> String {
        format!("{} {:>2}", self.month(), self.0.tm_mday)
    }

    /// As `Wed Nov 25 23:59:59 2026` (ctime(3)).
    pub(crate) fn whole(self) -> String {
        let weekday = DAYS.get(self.0.tm_wday as usize).copied().unwrap_or_default();
        format!("{weekday} {} {} {}", self.day(), self.second(), self.year())
    }

    /// The part of it that tells it from today: `23:59`, `Nov25` or `2026`.
    pub(crate) fn short(self, today: Moment) -> String {
        match () {
            () if self.0.tm_year != today.0.tm_year => self.year().to_string(),
            () if self.0.tm_yday != today.0.tm_yday => format!("{}{:02}", self.month(), self.0.tm_mday),
            () => self.minute(),
        }
    }
}

/// Seconds since the beginning of 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_depends_on_the_day() {
        // A month apart, so that no time zone makes them one day or one year.
        let [first, second] = [1_795_000_000, 1_792_000_000].map(|seconds| Moment::at(seconds).unwrap());
        assert_eq!(first.short(first), first.minute());
        assert_eq!(second.short(first), format!("Oct{:02}", second.0.tm_mday));
        assert_eq!(first.short(Moment::at(0).unwrap()), "2026");
    }

    #[test]
    fn the_parts_are_those_of_the_whole() {
        let moment = Moment::at(1_794_000_000).unwrap();
        assert!(moment.whole().contains(&moment.second()) && moment.whole().contains(&moment.day()));
        assert!(moment.whole().ends_with(" 2026") && moment.date().starts_with("2026-11-0"), "{moment:?}");
        assert!(Moment::at(i64::MAX).is_none());
    }

    /// A moment by its fields, whatever the time zone here.
    fn moment(change: fn(&mut libc::tm)) -> Moment {
        let mut moment = Moment::at(0).unwrap();
        let fields = &mut moment.0;
        (fields.tm_year, fields.tm_mon, fields.tm_mday, fields.tm_wday, fields.tm_yday) = (126, 10, 5, 4, 308);
        (fields.tm_hour, fields.tm_min, fields.tm_sec) = (7, 8, 9);
        change(fields);
        moment
    }

    #[test]
    fn each_form_has_its_fields() {
        let at = moment(|_| ());
        assert_eq!((at.minute(), at.second()), ("07:08".into(), "07:08:09".into()));
        assert_eq!((at.date(), at.day()), ("2026-11-05 07:08".into(), "Nov  5".into()));
        assert_eq!(at.whole(), "Thu Nov  5 07:08:09 2026");
        assert_eq!(moment(|at| at.tm_hour = 6).short(at), "06:08");
        assert_eq!(moment(|at| at.tm_yday = 307).short(at), "Nov05");
        assert_eq!(moment(|at| at.tm_year = 125).short(at), "2025");
    }

    #[test]
    fn now_is_between_two_looks_at_the_clock() {
        let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
        let (before, now, after) = (seconds(), now(), seconds());
        assert!((before..=after).contains(&now));
        let (shown, then) = (Moment::now().unwrap(), Moment::at(before).unwrap());
        assert!(shown.year() - then.year() <= 1 && then.year() > 2000, "{shown:?}, {then:?}");
    }
}
