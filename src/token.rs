//! What a bearer token is, and how long it lives, whatever the local clock says.

use crate::base64;
use crate::platform::Platform;
use crate::time::NumericDate;
use crate::whole::whole;
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The longest life that is believed, in seconds: 24 hours.
pub const MAX_LIFE_S: f64 = 86_400.0;

/// What is kept of a token's text: enough to know it again, too little to use it. FNV-1a, in 64 bits: who makes another
/// token of the same fingerprint gains an exchange that was not needed.
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

/// A bearer token that keeps every rule, with its life. Its text stays with the platform.
#[derive(Debug)]
pub struct AccessToken {
    /// By which it is known again.
    pub fingerprint: Fingerprint,
    /// When it ends, by the server's clock: whole seconds.
    pub exp: NumericDate,
    /// How long it lived on arrival, in seconds: above 0, at most [`MAX_LIFE_S`].
    pub life_s: f64,
}

impl AccessToken {
    /// A token of which only the life has to be found yet.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words: the same checks for a token of a reply and for one out of a store.
    pub fn new(
        token: Option<String>,
        exp: Option<f64>,
        life_s: impl FnOnce(&str, NumericDate) -> f64,
    ) -> Result<Self, &'static str> {
        let token = Zeroizing::new(token.ok_or("the token is missing or not a string")?);
        if !is_b64token(&token) {
            return Err("the token is not a b64token (RFC 6750)");
        }
        let exp = NumericDate(exp.and_then(whole).ok_or("exp is missing or not a whole number of seconds")?);
        let life_s = life_s(&token, exp);
        if life_s > MAX_LIFE_S {
            return Err("the token is to live for more than 24 hours");
        }
        // Written so that a NaN, should one ever come, is refused too.
        if life_s > 0.0 {
            Ok(Self { fingerprint: Fingerprint::of(&token), exp, life_s })
        } else {
            Err("the token was already past its exp when it came")
        }
    }
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
#[must_use]
pub fn is_b64token(text: &str) -> bool {
    let body = base64::unpadded(text.as_bytes());
    !body.is_empty()
        && body
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/'))
}

/// The two claims of a JWT (RFC 7519) that tell its life. Read, never verified, never trusted further than that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims {
    /// Issued at.
    pub iat: Option<NumericDate>,
    /// Expires at.
    pub exp: Option<NumericDate>,
}

impl Claims {
    /// What can be read of a token; nothing, if it is no JWT.
    #[must_use]
    pub fn read(token: &str, platform: &impl Platform) -> Self {
        Self::payload(token).map(|payload| platform.claims(&payload)).unwrap_or_default()
    }

    /// Of what the engine read, which may be no number or no finite one.
    #[must_use]
    pub fn new(iat: f64, exp: f64) -> Self {
        let date = |seconds: f64| seconds.is_finite().then_some(NumericDate(seconds));
        Self { iat: date(iat), exp: date(exp) }
    }

    /// The whole life of a token with these claims: the lesser of both ends, from `iat` on.
    #[must_use]
    pub fn life(self, exp: NumericDate) -> Option<f64> {
        self.iat.map(|iat| self.exp.map_or(f64::INFINITY, |end| end.since(iat)).min(exp.since(iat)))
    }

    fn payload(token: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut parts = token.as_bytes().split(|&byte| byte == b'.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() { None } else { base64::decode_url(payload) }
    }
}

/// All that tells how long a token from a reply lives.
#[derive(Clone, Copy, Debug)]
pub struct Clues<L> {
    /// The reply's `Date`.
    pub date: Option<NumericDate>,
    /// Whether the reply has an `Age`: it comes out of a cache, and its `Date` is of the past.
    pub aged: bool,
    /// The local wall clock: the last resort.
    pub local: L,
}

/// The life of a token on arrival, in seconds: the least of what can be read. Differences between two times of the same
/// clock are right whatever our own clock says, so that one is asked only when the server's cannot be read at all.
#[must_use]
pub fn life_on_arrival(exp: NumericDate, claims: Claims, clues: Clues<impl FnOnce() -> NumericDate>) -> f64 {
    let by_claims = claims.life(exp);
    let by_date = clues.date.filter(|_| !clues.aged).map(|date| exp.since(date));
    match (by_claims, by_date) {
        (Some(claims), Some(date)) => claims.min(date),
        (Some(life), None) | (None, Some(life)) => life,
        (None, None) => exp.since((clues.local)()),
    }
}

/// The life that a store's token has left, in seconds: what the store says, or else what our own clock says; no token
/// has more left than its whole life. NaN if what the store says is out of range.
#[must_use]
pub fn life_left(exp: NumericDate, claims: Claims, ttl_s: Option<f64>, local: impl FnOnce() -> NumericDate) -> f64 {
    let left_s = match ttl_s {
        None => exp.since(local()),
        Some(ttl_s) if ttl_s > 0.0 && ttl_s <= MAX_LIFE_S => ttl_s,
        Some(_) => return f64::NAN,
    };
    let whole_s = claims.life(exp).unwrap_or(f64::INFINITY);
    // NaN, should our own clock be no number, stays NaN this way round.
    if whole_s < left_s { whole_s } else { left_s }
}
