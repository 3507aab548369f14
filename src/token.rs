//! What a bearer token is (RFC 6750), and how long it lives, whatever the local clock says.

use crate::jwt::Claims;
use crate::time::NumericDate;
use crate::whole::whole;
use std::fmt;
use zeroize::Zeroizing;

/// The longest life that is believed, in seconds: 24 hours.
pub const MAX_LIFE_S: f64 = 86_400.0;

/// A `Date` further from a JWT's own `iat` than this, in seconds, is believed: the token is an old one.
const CLOCK_FAULT_S: f64 = 86_400.0;

/// What is kept of a token's text: enough to know it again, too little to use it.
///
/// FNV-1a, in 64 bits. Who makes another token of the same fingerprint gains an exchange that was not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// That of a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }
}

/// A bearer token that keeps every rule, with its life.
pub struct AccessToken {
    /// The text. Overwritten on drop.
    pub token: Zeroizing<String>,
    /// By which it is known again.
    pub fingerprint: Fingerprint,
    /// When it ends, by the server's clock: whole seconds.
    pub exp: NumericDate,
    /// How long it lived when it was asked for, in seconds: above 0, at most [`MAX_LIFE_S`].
    pub life_s: f64,
}

impl AccessToken {
    /// A token of which only the life has to be found yet: `life_s` is asked for it.
    ///
    /// # Errors
    ///
    /// What is wrong with it. The same checks hold for a token of a reply and for one out of a store.
    pub fn new(
        token: Option<Zeroizing<String>>,
        exp: Option<f64>,
        life_s: impl FnOnce(NumericDate) -> f64,
    ) -> Result<Self, Unusable> {
        let token = token.ok_or(Unusable::Broken("the token is missing or not a string"))?;
        if !is_b64token(&token) {
            return Err(Unusable::Broken("the token is not a b64token (RFC 6750)"));
        }
        let exp = exp.and_then(whole).ok_or(Unusable::Broken("exp is missing or not a whole number of seconds"))?;
        let exp = NumericDate(exp);
        let life_s = life_s(exp);
        if life_s > MAX_LIFE_S {
            return Err(Unusable::Broken("the token is to live for more than 24 hours"));
        }
        // Written so that a NaN, should one ever come, is refused too.
        if life_s > 0.0 {
            Ok(Self { fingerprint: Fingerprint::of(&token), token, exp, life_s })
        } else {
            Err(Unusable::Ended)
        }
    }

    /// The life in milliseconds, as timers count.
    #[must_use]
    pub fn life_ms(&self) -> f64 {
        self.life_s * 1_000.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("exp", &self.exp).field("life_s", &self.life_s).finish_non_exhaustive()
    }
}

/// Why something is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It never was one. What is wrong, in words.
    Broken(&'static str),
    /// It was one: it is past its end.
    Ended,
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
///
/// ```
/// use digitalpaye_auth::token::is_b64token;
///
/// assert!(is_b64token("mF_9.B5f-4.1JqM=="));
/// assert!(!is_b64token("") && !is_b64token("two words") && !is_b64token("=a"));
/// ```
#[must_use]
pub fn is_b64token(text: &str) -> bool {
    let text = text.as_bytes();
    let body = text.iter().rposition(|&byte| byte != b'=').map_or(0, |last| last + 1);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    body > 0 && text.iter().take(body).all(allowed)
}

/// Everything that tells how long a token from a reply lives.
#[derive(Clone, Copy, Debug)]
pub struct ExpirySources {
    /// What the token says of itself.
    pub claims: Claims,
    /// The reply's `Date`.
    pub date: Option<NumericDate>,
    /// Whether the reply has an `Age`: it comes out of a cache, and its `Date` is of the past.
    pub has_age: bool,
    /// The local wall clock: the last resort.
    pub local: NumericDate,
}

impl ExpirySources {
    /// The life of a token on arrival, in seconds: the least of what can be read.
    ///
    /// Differences between two times of one clock are right whatever our own clock says. So ours is asked only when the
    /// server's cannot be read at all.
    #[must_use]
    pub fn life_on_arrival(self, exp: NumericDate) -> f64 {
        let by_claims = self.claims.life_s(exp);
        let by_date = self.date.filter(|_| !self.has_age).map(|date| exp.since(date));
        match (by_claims, by_date) {
            (Some(claims), Some(date)) if date <= 0.0 && self.date_is_wrong() => claims,
            (Some(claims), Some(date)) => claims.min(date),
            (Some(life), None) | (None, Some(life)) => life,
            (None, None) => exp.since(self.local),
        }
    }

    /// A gateway on the way may have a wrong clock. The JWT's own `iat` is of the server that made the token.
    fn date_is_wrong(self) -> bool {
        match (self.date, self.claims.iat) {
            (Some(date), Some(iat)) => date.since(iat).abs() < CLOCK_FAULT_S,
            _ => false,
        }
    }
}

/// The life that a store's token has left, in seconds: what the store says, or else what our own clock says. No token has
/// more left than its whole life.
///
/// # Errors
///
/// [`Unusable::Broken`] if what the store says is out of range.
pub fn life_left(exp: NumericDate, claims: Claims, ttl_s: Option<f64>, local: NumericDate) -> Result<f64, Unusable> {
    let left_s = match ttl_s {
        None => exp.since(local),
        Some(ttl_s) if ttl_s > 0.0 && ttl_s <= MAX_LIFE_S => ttl_s,
        Some(_) => return Err(Unusable::Broken("ttlSeconds is out of range")),
    };
    let whole_s = claims.life_s(exp).unwrap_or(f64::INFINITY);
    // NaN, should our own clock be no number, stays NaN this way round, and is refused.
    Ok(if whole_s < left_s { whole_s } else { left_s })
}
