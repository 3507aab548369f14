//! Whether, and after which wait, a failed attempt is made again.

use crate::error::AuthError;

/// The longest wait before the first retry, in milliseconds; it doubles with every further one.
pub const BASE_MS: f64 = 250.0;
/// No wait of our own is longer, in milliseconds.
pub const CAP_MS: f64 = 5_000.0;

/// The wait before the next attempt, in milliseconds; `None` if there is none to be made.
///
/// `random` is from 0 up to 1: full jitter, so that clients which failed together do not come back together. The
/// server's own `Retry-After` goes before ours. Whether the wait fits in anybody's deadline is not asked here.
///
/// ```
/// use digitalpaye_auth::error::AuthError;
/// use digitalpaye_auth::retry::next_delay;
///
/// let (busy, refused) = (AuthError::status(503.0), AuthError::status(401.0));
/// assert_eq!(next_delay(&busy, 1, 2, 0.5), Some(125.0));
/// assert_eq!(next_delay(&busy, 3, 2, 0.5), None);
/// assert_eq!(next_delay(&refused, 1, 2, 0.5), None);
/// ```
#[must_use]
pub fn next_delay(error: &AuthError, attempts: u32, max_retries: u32, random: f64) -> Option<f64> {
    if !error.retryable() || attempts > max_retries {
        return None;
    }
    Some(match error.retry_after {
        Some(seconds) if seconds > 0.0 => seconds * 1_000.0,
        _ => backoff_ms(attempts, random),
    })
}

/// Full-jitter exponential backoff after so many attempts.
///
/// ```
/// use digitalpaye_auth::retry::backoff_ms;
///
/// assert_eq!((backoff_ms(1, 1.0), backoff_ms(3, 1.0), backoff_ms(9, 1.0)), (250.0, 1_000.0, 5_000.0));
/// ```
#[must_use]
pub fn backoff_ms(attempts: u32, random: f64) -> f64 {
    let doublings = attempts.saturating_sub(1).min(16);
    random * (BASE_MS * f64::from(1_u32 << doublings)).min(CAP_MS)
}
