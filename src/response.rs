//! What a reply means: a token, or which error. Total: there is no reply that it cannot name.

use crate::credentials::BasicCredentials;
use crate::date::http_date;
use crate::error::{AuthError, Code};
use crate::platform::Platform;
use crate::time::NumericDate;
use crate::token::{AccessToken, Claims, Clues, life_on_arrival};
use crate::whole::{MAX_SAFE_INTEGER, whole};
use alloc::boxed::Box;
use alloc::string::String;
use zeroize::Zeroizing;

/// What there is of a reply.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: f64,
    /// The header fields that count.
    pub headers: Headers,
    /// The body, as far as it could be had.
    pub body: Body,
}

/// The body of a reply.
#[derive(Debug)]
pub enum Body {
    /// JSON, with what counts of it.
    Json(Content),
    /// All there, and not JSON.
    NotJson,
    /// Over 65,536 bytes, decoded: the platform (pkg/reply.js) reads no further.
    TooLarge,
    /// It broke off.
    Broken,
}

/// The members that count of a body; those of another type are left out. Parsing is the engine's own part.
#[derive(Debug)]
pub struct Content {
    /// `statusCode`.
    pub status_code: Option<f64>,
    /// `data.token`.
    pub token: Option<String>,
    /// `data.exp`.
    pub exp: Option<f64>,
    /// Whether there is a `reason`.
    pub reason: bool,
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
    /// Reads the fields' text. A `Retry-After` date is against `Date`, or else the local clock.
    #[must_use]
    pub fn read(date: Option<&str>, aged: bool, retry_after: Option<&str>, platform: &impl Platform) -> Self {
        let date = date.and_then(http_date);
        let retry_after = retry_after.and_then(|text| retry_after_s(text, || date.unwrap_or_else(|| platform.local())));
        Self { date, aged, retry_after }
    }
}

/// `Retry-After` (RFC 9110 §10.2.3): whole seconds, or the date to wait for.
fn retry_after_s(text: &str, now: impl FnOnce() -> NumericDate) -> Option<f64> {
    let text = text.trim_ascii();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.bytes().fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0'));
        return Some(seconds.min(MAX_SAFE_INTEGER));
    }
    http_date(text).map(|date| date.since(now()).max(0.0))
}

/// Reads a reply: a token that keeps every rule, or the error that names what is wrong.
///
/// # Errors
///
/// By HTTP's status whatever the body is; for a 200, by the body's own `statusCode` if that is another whole number;
/// else [`Code::InvalidResponse`](crate::error::Code::InvalidResponse) or, if the body broke off,
/// [`Code::Network`](crate::error::Code::Network).
pub fn classify(
    reply: Reply,
    credentials: &BasicCredentials,
    platform: &impl Platform,
) -> Result<AccessToken, Box<AuthError>> {
    let Reply { status, headers, body } = reply;
    read_token(status, headers, body, credentials, platform).map_err(|mut error| {
        error.retry_after = headers.retry_after;
        error
    })
}

fn read_token(
    status: f64,
    headers: Headers,
    body: Body,
    credentials: &BasicCredentials,
    platform: &impl Platform,
) -> Result<AccessToken, Box<AuthError>> {
    if status == 0.0 {
        // An opaque redirect (Fetch standard): a page is not shown its status.
        return Err(AuthError::new(Code::UnexpectedStatus, "the API answered with a redirect"));
    }
    if status != 200.0 {
        return Err(match body {
            Body::Json(content) => with_reason(status, content.reason, credentials, platform),
            _ => AuthError::status(status),
        });
    }
    let content = match body {
        Body::Json(content) => content,
        Body::NotJson => return Err(AuthError::contract("the body is not JSON")),
        Body::TooLarge => return Err(AuthError::contract("the body is over 64 KiB")),
        Body::Broken => {
            let mut error = AuthError::network();
            error.status = Some(status);
            return Err(error);
        }
    };
    if let Some(inner) = content.status_code.and_then(whole).filter(|inner| *inner != status) {
        return Err(with_reason(inner, content.reason, credentials, platform));
    }
    AccessToken::new(content.token, content.exp, |token, exp| {
        let clues = Clues { date: headers.date, aged: headers.aged, local: || platform.local() };
        life_on_arrival(exp, Claims::read(token, platform), clues)
    })
    .map_err(AuthError::contract)
}

/// The error of a status with the API's own words, unless these repeat the credentials.
fn with_reason(status: f64, reason: bool, credentials: &BasicCredentials, platform: &impl Platform) -> Box<AuthError> {
    let mut error = AuthError::status(status);
    error.evidence = reason && !credentials.shown_by(&Zeroizing::new(platform.reason()));
    error
}
