//! What a reply means: a token, or which error. Total: there is no reply that it cannot name.

use crate::credentials::BasicCredentials;
use crate::date::http_date;
use crate::error::{AuthError, Code, Foreign};
use crate::jwt::Claims;
use crate::time::NumericDate;
use crate::token::{AccessToken, ExpirySources, Unusable};
use crate::whole::{MAX_SAFE_INTEGER, whole};
use std::fmt;
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
    /// Over [`BODY_CAP`].
    TooLarge,
    /// It broke off, for this reason.
    Broken(Foreign),
}

/// The largest body that is read, in bytes, decoded. A real one has some 400.
pub const BODY_CAP: usize = 65_536;

/// The members that count of a body; those of another type are left out. The engine parses.
#[derive(Default)]
pub struct Content {
    /// `statusCode`.
    pub status_code: Option<f64>,
    /// `data.token`.
    pub token: Option<Zeroizing<String>>,
    /// The claims of that token, if it is a JWT.
    pub claims: Claims,
    /// `data.exp`.
    pub exp: Option<f64>,
    /// `reason`.
    pub reason: Option<Reason>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("status_code", &self.status_code)
            .field("exp", &self.exp)
            .finish_non_exhaustive()
    }
}

/// The API's own words.
pub struct Reason {
    /// As text, to search for the credentials; they may repeat them.
    pub text: Zeroizing<String>,
    /// As they came: UTF-8 has no lone surrogates, JSON has.
    pub words: Foreign,
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reason")
    }
}

/// The header fields that count.
///
/// ```
/// use digitalpaye_auth::response::Headers;
/// use digitalpaye_auth::time::NumericDate;
///
/// let headers = Headers::read(Some("Thu, 01 Jan 1970 00:01:00 GMT"), false, Some("Thu, 01 Jan 1970 00:01:30 GMT"), NumericDate(5.0));
/// assert_eq!(headers.retry_after, Some(30.0));
/// assert_eq!(Headers::read(None, false, Some("1.5"), NumericDate(5.0)).retry_after, Some(2.0));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Headers {
    /// `Date`.
    pub date: Option<NumericDate>,
    /// Whether there is an `Age`.
    pub has_age: bool,
    /// `Retry-After` in whole seconds from now.
    pub retry_after: Option<f64>,
}

impl Headers {
    /// Reads the fields' text. A `Retry-After` date is against `Date`, or else the `local` clock.
    #[must_use]
    pub fn read(date: Option<&str>, has_age: bool, retry_after: Option<&str>, local: NumericDate) -> Self {
        let date = date.map(str::as_bytes).and_then(http_date);
        let retry_after = retry_after.and_then(|text| retry_after_s(text, date.unwrap_or(local)));
        Self { date, has_age, retry_after }
    }
}

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or the date to wait for. Some servers send fractions, some send it twice: a
/// fraction is rounded up, and the first of several counts.
fn retry_after_s(text: &str, now: NumericDate) -> Option<f64> {
    let text = text.as_bytes().trim_ascii();
    let first = text.split(|&byte| byte == b',').next().unwrap_or_default().trim_ascii_end();
    let seconds = whole_seconds(first).or_else(|| {
        // A date has a comma of its own; `GMT` ends it.
        let zone = text.windows(3).position(|window| window == b"GMT");
        let date = zone.and_then(|zone| text.get(..zone + 3)).unwrap_or(first);
        http_date(date).map(|date| date.since(now).max(0.0).ceil())
    });
    seconds.map(|seconds| seconds.min(MAX_SAFE_INTEGER))
}

/// A number in digits, with or without a fraction, rounded up.
fn whole_seconds(text: &[u8]) -> Option<f64> {
    let mut parts = text.split(|&byte| byte == b'.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or(b"0"));
    let is_digits = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    if !is_digits(whole) || !is_digits(fraction) || parts.next().is_some() {
        return None;
    }
    let seconds = whole.iter().fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0'));
    Some(if fraction.iter().any(|&digit| digit != b'0') { seconds + 1.0 } else { seconds })
}

/// Reads a reply: a token that keeps every rule, or the error that names what is wrong.
///
/// # Errors
///
/// By HTTP's status whatever the body is; for a 200, by the body's own `statusCode` if that is another whole number;
/// else [`Code::InvalidResponse`] or, if the body broke off, [`Code::Network`].
///
/// # Examples
///
/// ```
/// use digitalpaye_auth::credentials::{BasicCredentials, UserId};
/// use digitalpaye_auth::error::Code;
/// use digitalpaye_auth::response::{Body, Content, Headers, Reply, classify};
/// use digitalpaye_auth::time::NumericDate;
/// use zeroize::Zeroizing;
///
/// let secret = |text: &str| Zeroizing::new(String::from(text));
/// let credentials = BasicCredentials::new(UserId::new(secret("key"))?, secret("secret"))?;
/// let local = NumericDate(1_000.0);
/// let reply = |status, body| Reply { status, headers: Headers::default(), body };
///
/// let content = Content { token: Some(Zeroizing::new("mF_9.B5f-4.1JqM".into())), exp: Some(1_600.0), ..Content::default() };
/// assert_eq!(classify(reply(200.0, Body::Json(content)), &credentials, local)?.life_ms(), 600_000.0);
///
/// // The status decides, whatever the body is: a proxy's page, say.
/// let refused = classify(reply(502.0, Body::NotJson), &credentials, local);
/// assert!(refused.is_err_and(|error| error.code == Code::InternalServerError));
/// # Ok::<(), Box<digitalpaye_auth::error::AuthError>>(())
/// ```
pub fn classify(
    reply: Reply,
    credentials: &BasicCredentials,
    local: NumericDate,
) -> Result<AccessToken, Box<AuthError>> {
    let Reply { status, headers, body } = reply;
    read_token(status, headers, body, credentials, local).map_err(|mut error| {
        error.retry_after = headers.retry_after;
        error
    })
}

fn read_token(
    status: f64,
    headers: Headers,
    body: Body,
    credentials: &BasicCredentials,
    local: NumericDate,
) -> Result<AccessToken, Box<AuthError>> {
    if status == 0.0 {
        // An opaque redirect (Fetch standard): a page is not shown its status.
        return Err(AuthError::new(Code::UnexpectedStatus, "the API answered with a redirect"));
    }
    if status != 200.0 {
        let reason = if let Body::Json(content) = body { content.reason } else { None };
        return Err(refusal(status, reason, credentials));
    }
    let content = match body {
        Body::Json(content) => content,
        Body::NotJson => return Err(AuthError::contract("the body is not JSON")),
        Body::TooLarge => return Err(AuthError::contract("the body is over 64 KiB")),
        Body::Broken(cause) => {
            let mut error = AuthError::network(cause);
            error.status = Some(status);
            return Err(error);
        }
    };
    if let Some(inner) = content.status_code.and_then(whole).filter(|inner| *inner != status) {
        return Err(refusal(inner, content.reason, credentials));
    }
    let sources = ExpirySources { claims: content.claims, date: headers.date, has_age: headers.has_age, local };
    AccessToken::new(content.token, content.exp, |exp| sources.life_on_arrival(exp)).map_err(|unusable| {
        AuthError::contract(match unusable {
            Unusable::Broken(what) => what,
            Unusable::Ended => "the token was already past its exp when it was sent",
        })
    })
}

/// The error of a status other than 200, with the API's own words unless these repeat the credentials.
fn refusal(status: f64, reason: Option<Reason>, credentials: &BasicCredentials) -> Box<AuthError> {
    let mut error = AuthError::status(status);
    if error.code == Code::Unauthorized
        && let Some(suspicion) = credentials.suspicion()
    {
        error.message = [&*error.message, "; ", &suspicion].concat().into();
    }
    error.reason = reason.filter(|reason| !credentials.appear_in(reason.text.as_bytes())).map(|reason| reason.words);
    error
}
