//! Dates in HTTP headers (RFC 9110, 5.6.7): the form of today and the two that every reader must still take.

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 24 * 60 * 60;

/// Seconds since the beginning of 1970; `None` where it is no such date.
pub fn parse(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (day, month, year, time) = match words.as_slice() {
        // Sun, 06 Nov 1994 08:49:37 GMT, and Sunday, 06-Nov-94 08:49:37 GMT
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        // Sun Nov  6 08:49:37 1994
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let number = |text: &str, most: i64| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| plain && *number <= most)
    };
    let month = MONTHS.iter().position(|name| name == month)? as i64;
    let (day, long) = (number(day, 31)?, year.len() > 2);
    // Two digits are a year of the last century from 70 on, and of this one below.
    let year = match number(year, 9999)? {
        year if long => year,
        year if year < 70 => year + 2000,
        year => year + 1900,
    };
    let mut parts = time.split(':');
    let (hour, minute, second) = (number(parts.next()?, 23)?, number(parts.next()?, 59)?, number(parts.next()?, 60)?);
    let days = days_before(year, month) + day - 1;
    (parts.next().is_none() && day > 0).then_some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// Days from the beginning of 1970 to that of a month, January being 0.
fn days_before(year: i64, month: i64) -> i64 {
    // A year that begins in March has its leap day at the end.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // March begins day 0, April day 31, May day 61, and so on: 153 days for each five months.
    let before_1970 = 719_468;
    year * 365 + leap_days + (153 * month + 2) / 5 - before_1970
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_the_same_moment() {
        let table = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thu, 29 Feb 2024 23:59:60 GMT", Some(1_709_251_200)),
            ("Fri, 01 Mar 2024 00:00:00 GMT", Some(1_709_251_200)),
            ("Friday, 01-Jan-38 00:00:00 GMT", Some(2_145_916_800)),
            ("Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Nov 1994 08:49:37:01 GMT", None),
            ("Sun, +6 Nov 1994 08:49:37 GMT", None),
            ("120", None),
            ("", None),
        ];
        for (text, seconds) in table {
            assert_eq!(parse(text), seconds, "{text}");
        }
    }
}
