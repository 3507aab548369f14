//! HTTP-date (RFC 9110 §5.6.7), in the form that servers send and the two that a recipient must still read.

use crate::time::NumericDate;

const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` or `Sun Nov  6 08:49:37 1994`.
#[must_use]
pub fn http_date(text: &str) -> Option<NumericDate> {
    // Bytes here and below: the standard library's searches for characters would be half of this file in the module.
    let mut parts = text.as_bytes().split(|byte| b" ,-".contains(byte)).filter(|part| !part.is_empty());
    let _day_name = parts.next().filter(|name| name.len() >= 3 && name.iter().all(u8::is_ascii_alphabetic))?;
    let (day, month, year, time);
    let second = parts.next()?;
    if second.first().is_some_and(u8::is_ascii_digit) {
        (day, month, year, time) = (second, parts.next()?, parts.next()?, parts.next()?);
        parts.next().filter(|&zone| zone == b"GMT")?;
    } else {
        (month, day, time, year) = (second, parts.next()?, parts.next()?, parts.next()?);
    }
    if parts.next().is_some() {
        return None;
    }

    let day = number(day).filter(|day| (1..=31).contains(day))?;
    let month = (0_i64..).zip(MONTHS.chunks(3)).find(|(_, name)| *name == month)?.0 + 1;
    let year = match (year.len(), number(year)?) {
        // Two digits are of RFC 850's time; 50 years ahead at most, read today, means the 1900s from 70 on.
        (2, year) if year >= 70 => 1900 + year,
        (2, year) => 2000 + year,
        (4, year) => year,
        _ => return None,
    };
    let mut clock = time.split(|&byte| byte == b':');
    let hour = number(clock.next()?).filter(|hour| *hour < 24)?;
    let minute = number(clock.next()?).filter(|minute| *minute < 60)?;
    // 60 is a leap second.
    let second = number(clock.next()?).filter(|second| *second <= 60)?;
    if clock.next().is_some() {
        return None;
    }

    let seconds = ((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    #[allow(clippy::cast_precision_loss)]
    Some(NumericDate(seconds as f64))
}

/// A short run of digits.
fn number(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > 4 {
        return None;
    }
    text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + i64::from(byte - b'0')))
}

/// Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (month * 306 + 5) / 10 + day
        - 719_469
}
