//! What a reply means: a token, or which error. Total: there is no reply that it cannot name.

use crate::credentials::BasicCredentials;
use crate::date::http_date;
use crate::error::{AuthError, Code};
use crate::json::{Json, MAX_SAFE_INTEGER, whole};
use crate::time::NumericDate;
use crate::token::{AccessToken, Claims, Clues, life_on_arrival};
use alloc::boxed::Box;

/// The largest body that is read, in bytes, decoded. A real one has some 400.
pub const MAX_BODY_BYTES: usize = 65_536;

/// What there is of a reply. `V` is a value of the platform: parsed JSON, or an error.
#[derive(Debug)]
pub struct Reply<V> {
    /// The HTTP status.
    pub status: f64,
    /// The header fields that count.
    pub headers: Headers,
    /// The body, as far as it could be had.
    pub body: Body<V>,
}

/// The body of a reply.
#[derive(Debug)]
pub enum Body<V> {
    /// JSON.
    Json(V),
    /// All there, and not JSON.
    NotJson,
    /// Over [`MAX_BODY_BYTES`].
    TooLarge,
    /// It broke off.
    Broken(V),
}

/// The header fields that count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers {
    /// `Date`.
    pub date: Option<NumericDate>,
    /// Whether there is an `Age`.
    pub aged: bool,
    /// `Retry-After` in seconds from now.
    pub retry_after: Option<f64>,
}

impl Headers {
    /// Reads the fields' text. `local` is the wall clock, for a `Retry-After` date in a reply without `Date`.
    #[must_use]
    pub fn read(date: Option<&str>, age: Option<&str>, retry_after: Option<&str>, local: NumericDate) -> Self {
        let date = date.and_then(http_date);
        Self {
            date,
            aged: age.is_some(),
            retry_after: retry_after.and_then(|text| retry_after_s(text, date.unwrap_or(local))),
        }
    }
}

/// `Retry-After` (RFC 9110 §10.2.3): whole seconds, or the date to wait for.
fn retry_after_s(text: &str, now: NumericDate) -> Option<f64> {
    let text = text.trim_ascii();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.bytes().fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0'));
        return Some(seconds.min(MAX_SAFE_INTEGER));
    }
    http_date(text).map(|date| date.since(now).max(0.0))
}

/// Reads a reply: a token that keeps every rule, or the error that names what is wrong. `local` is the wall clock.
///
/// # Errors
///
/// By HTTP's status whatever the body is; for a 200, by the body's own `statusCode` if that is another whole number;
/// else [`Code::InvalidResponse`](crate::error::Code::InvalidResponse) or, if the body broke off,
/// [`Code::Network`](crate::error::Code::Network).
pub fn classify<V: Json>(
    reply: Reply<V>,
    credentials: &BasicCredentials,
    local: NumericDate,
) -> Result<AccessToken, Box<AuthError<V>>> {
    let Reply { status, headers, body } = reply;
    let mut error = match read_token(status, headers, body, credentials, local) {
        Ok(token) => return Ok(token),
        Err(error) => error,
    };
    error.retry_after = headers.retry_after;
    Err(error)
}

fn read_token<V: Json>(
    status: f64,
    headers: Headers,
    body: Body<V>,
    credentials: &BasicCredentials,
    local: NumericDate,
) -> Result<AccessToken, Box<AuthError<V>>> {
    if status == 0.0 {
        // An opaque redirect (Fetch standard): a page is not shown its status.
        return Err(AuthError::new(Code::UnexpectedStatus, "the API answered with a redirect"));
    }
    if status != 200.0 {
        return Err(match body {
            Body::Json(body) => with_reason(status, &body, credentials),
            _ => AuthError::status(status),
        });
    }
    let body = match body {
        Body::Json(body) => body,
        Body::NotJson => return Err(AuthError::contract("the body is not JSON")),
        Body::TooLarge => return Err(AuthError::contract("the body is over 64 KiB")),
        Body::Broken(cause) => {
            let mut error = AuthError::network(cause);
            error.status = Some(status);
            return Err(error);
        }
    };
    let number = |value: Option<V>| value.and_then(|value| value.number());
    if let Some(inner) = number(body.member("statusCode")).and_then(whole).filter(|inner| *inner != status) {
        return Err(with_reason(inner, &body, credentials));
    }
    let data = body.member("data").ok_or_else(|| AuthError::contract("the body has no data"))?;
    AccessToken::new(data.member("token").and_then(|token| token.string()), number(data.member("exp")), |token, exp| {
        let clues = Clues { date: headers.date, aged: headers.aged, local };
        life_on_arrival(exp, Claims::read::<V>(token), clues)
    })
    .map_err(AuthError::contract)
}

/// The error of a status with the API's own words, unless these repeat the credentials.
fn with_reason<V: Json>(status: f64, body: &V, credentials: &BasicCredentials) -> Box<AuthError<V>> {
    let mut error = AuthError::status(status);
    if let Some(reason) = body.member("reason")
        && let Some(text) = reason.confidential()
        && !credentials.shown_by(&text)
    {
        error.reason = Some(reason);
    }
    error
}
