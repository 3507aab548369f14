//! What a bearer token is, and how long it lives, whatever the local clock says.

use crate::base64;
use crate::json::{Json, whole};
use crate::time::NumericDate;
use alloc::string::String;
use core::fmt;
use zeroize::Zeroizing;

/// The longest life that is believed, in seconds: 24 hours.
pub const MAX_LIFE_S: f64 = 86_400.0;

/// A bearer token with its life. Overwritten on drop; `Debug` does not show it.
pub struct AccessToken {
    /// A `b64token` (RFC 6750 §2.1).
    pub token: Zeroizing<String>,
    /// When it ends, by the server's clock: whole seconds.
    pub exp: NumericDate,
    /// How long it lived on arrival, in seconds: above 0, at most [`MAX_LIFE_S`].
    pub life_s: f64,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("exp", &self.exp).field("life_s", &self.life_s).finish_non_exhaustive()
    }
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
            Ok(Self { token, exp, life_s })
        } else {
            Err("the token was already past its exp when it came")
        }
    }
}

/// `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`
#[must_use]
pub fn is_b64token(text: &str) -> bool {
    let body = base64::unpadded(text.as_bytes());
    !body.is_empty() && body.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
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
    pub fn read<J: Json>(token: &str) -> Self {
        Self::parse::<J>(token).unwrap_or_default()
    }

    /// The whole life of a token with these claims: the lesser of both ends, from `iat` on.
    #[must_use]
    pub fn life(self, exp: NumericDate) -> Option<f64> {
        self.iat.map(|iat| self.exp.map_or(f64::INFINITY, |end| end.since(iat)).min(exp.since(iat)))
    }

    fn parse<J: Json>(token: &str) -> Option<Self> {
        let mut parts = token.as_bytes().split(|&byte| byte == b'.');
        let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let claims = J::parse(&base64::decode_url(payload)?)?;
        let date = |name| {
            claims.member(name).and_then(|value| value.number()).filter(|seconds| seconds.is_finite()).map(NumericDate)
        };
        Some(Self { iat: date("iat"), exp: date("exp") })
    }
}

/// All that tells how long a token from a reply lives.
#[derive(Clone, Copy, Debug)]
pub struct Clues {
    /// The reply's `Date`.
    pub date: Option<NumericDate>,
    /// Whether the reply has an `Age`: it comes out of a cache, and its `Date` is of the past.
    pub aged: bool,
    /// The local wall clock: the last resort.
    pub local: NumericDate,
}

/// The life of a token on arrival, in seconds: the least of what can be read. Differences between two times of the same
/// clock are right whatever our own clock says, so that one is asked only when the server's cannot be read at all.
#[must_use]
pub fn life_on_arrival(exp: NumericDate, claims: Claims, clues: Clues) -> f64 {
    let by_claims = claims.life(exp);
    let by_date = clues.date.filter(|_| !clues.aged).map(|date| exp.since(date));
    match (by_claims, by_date) {
        (Some(claims), Some(date)) => claims.min(date),
        (Some(life), None) | (None, Some(life)) => life,
        (None, None) => exp.since(clues.local),
    }
}
