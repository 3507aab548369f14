//! Whole numbers, as far as JSON carries them.

/// The largest whole number that a JSON number holds exactly in every engine, 2^53 − 1.
pub const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// The value if it is a whole number that JSON carries without loss.
///
/// ```
/// use digitalpaye_auth::whole::whole;
///
/// assert_eq!(whole(1_764_547_200.0), Some(1_764_547_200.0));
/// assert_eq!((whole(0.5), whole(f64::NAN)), (None, None));
/// ```
#[must_use]
pub fn whole(number: f64) -> Option<f64> {
    // A cast saturates and takes NaN to 0, so that nothing but a whole number comes back unchanged.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let whole = number as i64 as f64;
    // Of the two zeros, the one without a sign.
    (whole == number && whole.abs() <= MAX_SAFE_INTEGER).then_some(whole)
}
