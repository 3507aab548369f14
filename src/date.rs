//! HTTP-date (RFC 9110 §5.6.7), in the form that servers send and the two that a recipient must still read.

use crate::time::NumericDate;

const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
///
/// ```
/// use digitalpaye_auth::date::http_date;
/// use digitalpaye_auth::time::NumericDate;
///
/// assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(NumericDate(784_111_777.0)));
/// assert_eq!(http_date("yesterday"), None);
/// ```
#[must_use]
pub fn http_date(text: impl AsRef<[u8]>) -> Option<NumericDate> {
    let mut parts = text.as_ref().split(|byte| matches!(byte, b' ' | b',' | b'-')).filter(|part| !part.is_empty());
    let mut next = || parts.next().unwrap_or_default();
    let day_name = next();
    let (mut day, mut month, mut year, mut time) = (next(), next(), next(), next());
    let mut zone = next();
    if !day.first()?.is_ascii_digit() {
        // The third form: day and month, year and time are the other way round, and no zone is named.
        (day, month, year, time) = (month, day, time, year);
        if core::mem::replace(&mut zone, b"GMT") != b"" {
            return None;
        }
    }
    if !next().is_empty() || zone != b"GMT" || day_name.len() < 3 || !day_name.iter().all(u8::is_ascii_alphabetic) {
        return None;
    }

    let month = (1..).zip(MONTHS.chunks(3)).find(|(_, name)| *name == month)?.0;
    let year = match (year.len(), number(year, 0, 9_999)?) {
        // Two digits are of RFC 850's time; 50 years ahead at most, read today, means the 1900s from 70 on.
        (2, year) => year + if year >= 70 { 1_900 } else { 2_000 },
        (4, year) => year,
        _ => return None,
    };
    let mut clock = time.split(|&byte| byte == b':');
    let mut part = |most| number(clock.next()?, 0, most);
    // 60 is a leap second.
    let (hour, minute, second) = (part(23)?, part(59)?, part(60)?);
    let days = days_since_1970(year, month, number(day, 1, 31)?);
    clock
        .next()
        .is_none()
        .then(|| NumericDate(f64::from(days) * 86_400.0 + f64::from((hour * 60 + minute) * 60 + second)))
}

/// A short run of digits, in a range.
fn number(text: &[u8], least: i32, most: i32) -> Option<i32> {
    let digit = |sum, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + i32::from(byte - b'0'));
    let value = if text.is_empty() || text.len() > 4 { None } else { text.iter().try_fold(0, digit) };
    value.filter(|value| (least..=most).contains(value))
}

/// Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day comes last.
fn days_since_1970(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 306 + 5) / 10 + day
        - 719_469
}
