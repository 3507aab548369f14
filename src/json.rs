//! What the pure files need of a JSON parser.
//!
//! Every JavaScript engine brings a good one, so the package ships none: `web` implements [`Json`] over `JSON.parse`,
//! the host tests over `serde_json`.

use alloc::string::String;
use zeroize::Zeroizing;

/// The largest whole number that a JSON number holds exactly in every engine, 2^53 − 1.
pub const MAX_SAFE_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A parsed JSON value.
pub trait Json: Sized {
    /// Parses a whole text; `None` if it is not JSON. As the Fetch standard's `json()` decodes it: a byte order mark is
    /// dropped, what is not UTF-8 is replaced.
    fn parse(utf8: &[u8]) -> Option<Self>;

    /// The object's own member of this name; `None` if there is none, or if this is no object.
    fn member(&self, name: &str) -> Option<Self>;

    /// The text of a string.
    fn string(&self) -> Option<String>;

    /// The text of a string that may hold a secret: no copy of it stays behind.
    fn confidential(&self) -> Option<Zeroizing<String>> {
        self.string().map(Zeroizing::new)
    }

    /// The value of a number.
    fn number(&self) -> Option<f64>;
}

/// The value if it is a whole number that JSON carries without loss.
#[must_use]
pub fn whole(number: f64) -> Option<f64> {
    // A cast saturates and takes NaN to 0, so that nothing but a whole number comes back unchanged.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    let whole = number as i64 as f64;
    // Of the two zeros, the one without a sign.
    (whole == number && whole.abs() <= MAX_SAFE_INTEGER).then_some(whole)
}
