//! What a test wants to happen to the next requests.
//!
//! A script is a list of steps. Each request takes the first one that is for its path. What a step does not mention
//! stays as it is.

use std::collections::VecDeque;
use std::fmt;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::contract;

/// The longest wait of a timer in JavaScript, in milliseconds.
pub const LONGEST_DELAY_MS: u32 = 2_147_483_647;

/// A value that a script must not have, and the name of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The field, as in `headers["X-A"]`.
    pub field: String,
    /// What it must be, as in `must be a whole number from 200 to 599`.
    pub rule: String,
}

impl Invalid {
    /// A field and the rule that its value breaks.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.rule)
    }
}

/// The steps still to come.
///
/// ```
/// use digitalpaye_emulator::script::{Script, Step};
///
/// let mut script = Script::from(vec![Step::new(None, Some(2), "503")?, Step::new(Some("/v1/balance".into()), None, "hang")?]);
/// assert_eq!(script.take("/v1/balance"), Some("hang"));
/// assert_eq!((script.take("/v1/auth"), script.take("/v1/auth"), script.take("/v1/auth")), (Some("503"), Some("503"), None));
/// # Ok::<(), digitalpaye_emulator::script::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct Script<B> {
    steps: VecDeque<Step<B>>,
}

/// A behaviour for a number of requests of one path.
#[derive(Clone, Debug)]
pub struct Step<B> {
    path: String,
    left: u32,
    behaviour: B,
}

impl<B> Step<B> {
    /// A behaviour for the next `times` requests of `path`.
    ///
    /// # Errors
    ///
    /// When the path could not be that of a request, or there is no request to be for.
    pub fn new(path: Option<String>, times: Option<u32>, behaviour: B) -> Result<Self, Invalid> {
        let path = path.unwrap_or_else(|| contract::AUTH.to_owned());
        if !path.starts_with('/') || path.contains(['?', '#']) {
            return Err(Invalid::new("path", "must begin with \"/\" and have no query"));
        }
        let left = times.unwrap_or(1);
        if left == 0 {
            return Err(Invalid::new("times", "must be at least 1"));
        }
        Ok(Self { path, left, behaviour })
    }
}

impl<B> Default for Script<B> {
    fn default() -> Self {
        Self { steps: VecDeque::new() }
    }
}

impl<B> From<Vec<Step<B>>> for Script<B> {
    fn from(steps: Vec<Step<B>>) -> Self {
        Self { steps: steps.into() }
    }
}

impl<B: Clone> Script<B> {
    /// For how many requests there is a behaviour.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.steps.iter().map(|step| u64::from(step.left)).sum()
    }

    /// Takes the behaviour for a request of `path`.
    pub fn take(&mut self, path: &str) -> Option<B> {
        let at = self.steps.iter().position(|step| step.path == path)?;
        let step = self.steps.get_mut(at)?;
        step.left -= 1;
        if step.left == 0 {
            return self.steps.remove(at).map(|step| step.behaviour);
        }
        Some(step.behaviour.clone())
    }
}

/// How an answer differs from the ordinary one.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The answer in place of the ordinary one; `None` leaves it to the API.
    pub made_up: Option<MadeUp>,
    /// Headers over all others.
    pub overrides: Overrides,
}

/// An answer that the API would not give by itself.
#[derive(Clone, Debug)]
pub struct MadeUp {
    /// Its status.
    pub status: StatusCode,
    /// The type of its body, if it has one.
    pub content_type: Option<HeaderValue>,
    /// Its body.
    pub body: Vec<u8>,
}

impl MadeUp {
    /// An answer of this status with this body, or with the API's own for the status. A 200 without a body is the
    /// ordinary answer.
    ///
    /// # Errors
    ///
    /// When an answer of this status cannot have a body.
    pub fn new(status: StatusCode, body: Option<Vec<u8>>) -> Result<Option<Self>, Invalid> {
        let bodiless = contract::bodiless(status);
        if bodiless && body.is_some() {
            return Err(Invalid::new(
                "body",
                format!("must not be given: status {status} has none", status = status.as_u16()),
            ));
        }
        Ok(match body {
            None if status == StatusCode::OK => None,
            None if bodiless => Some(Self { status, content_type: None, body: Vec::new() }),
            None => {
                let body = contract::failure(status).into_bytes();
                Some(Self { status, content_type: Some(contract::JSON), body })
            }
            Some(body) => Some(Self { status, content_type: Some(contract::JSON), body }),
        })
    }

    /// As a response.
    #[must_use]
    pub fn response(self) -> Response<Vec<u8>> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        if let Some(content_type) = self.content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        response
    }
}

/// Headers that are set or left out when all others have been added.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(HeaderName, Vec<HeaderValue>)>);

impl Overrides {
    /// Gives a header these values in place of its own; none leaves it out.
    pub fn set(&mut self, name: HeaderName, values: Vec<HeaderValue>) {
        self.0.push((name, values));
    }

    /// Whether no header is touched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts these headers over the others.
    pub fn apply(self, headers: &mut HeaderMap) {
        for (name, values) in self.0 {
            headers.remove(&name);
            for value in values {
                headers.append(&name, value);
            }
        }
    }
}

/// What happens to one request of the emulator.
#[derive(Clone, Debug)]
pub struct Behaviour {
    /// The wait before it, in milliseconds.
    pub delay_ms: u32,
    /// What happens then.
    pub act: Act,
}

/// What happens when the wait is over.
#[derive(Clone, Debug)]
pub enum Act {
    /// Nothing, until the caller gives up.
    Hang,
    /// The connection breaks.
    Reject,
    /// An answer.
    Answer(Answer),
}

/// A step as a test writes it down: types are right, values are not checked.
#[derive(Clone, Debug, Default)]
pub struct Spec {
    /// Which requests it is for.
    pub path: Option<String>,
    /// For how many of them.
    pub times: Option<f64>,
    /// The status of the answer.
    pub status: Option<f64>,
    /// A wait before it, in milliseconds.
    pub delay_ms: Option<f64>,
    /// `Retry-After`: seconds, or any text such as a date.
    pub retry_after: Option<RetryAfter>,
    /// Headers over all others.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
    /// No answer.
    pub hang: bool,
    /// A broken connection.
    pub reject: bool,
}

/// The value of `Retry-After` as a test writes it down.
#[derive(Clone, Debug)]
pub enum RetryAfter {
    /// So many seconds, a whole number.
    Seconds(f64),
    /// This very text.
    Text(String),
}

impl Spec {
    /// The step that this is.
    ///
    /// # Errors
    ///
    /// Names the first field whose value no request could be given.
    pub fn check(self) -> Result<Step<Behaviour>, Invalid> {
        let times = self.times.map(|times| whole("times", times, 1, u32::MAX)).transpose()?;
        let delay_ms = self.delay_ms.unwrap_or(0.0);
        if !(0.0..=f64::from(LONGEST_DELAY_MS)).contains(&delay_ms) {
            return Err(Invalid::new("delayMs", format!("must be a number from 0 to {LONGEST_DELAY_MS}")));
        }
        let delay_ms = whole("delayMs", delay_ms.ceil(), 0, LONGEST_DELAY_MS)?;
        let silent = match (self.hang, self.reject) {
            (true, true) => return Err(Invalid::new("hang", "must not be given with reject")),
            (true, false) => Some(("hang", Act::Hang)),
            (false, true) => Some(("reject", Act::Reject)),
            (false, false) => None,
        };
        let act = match silent {
            Some((name, _)) if self.has_answer() => {
                return Err(Invalid::new(name, "must not be given with status, retryAfter, headers or body"));
            }
            Some((_, act)) => act,
            None => Act::Answer(answer(self.status, self.retry_after, self.headers, self.body)?),
        };
        Step::new(self.path, times, Behaviour { delay_ms, act })
    }

    fn has_answer(&self) -> bool {
        self.status.is_some() || self.retry_after.is_some() || !self.headers.is_empty() || self.body.is_some()
    }
}

fn answer(
    status: Option<f64>,
    retry_after: Option<RetryAfter>,
    headers: Vec<(String, String)>,
    body: Option<String>,
) -> Result<Answer, Invalid> {
    let mut overrides = Overrides::default();
    let status = match status {
        // An interim status is no answer (RFC 9110, section 15.2), and no Response can have a status above 599.
        Some(status) => whole("status", status, 200, 599)?,
        None if retry_after.is_some() => 429,
        None => 200,
    };
    if let Some(value) = retry_after {
        let text = match value {
            RetryAfter::Seconds(seconds) => whole("retryAfter", seconds, 0, u32::MAX)?.to_string(),
            RetryAfter::Text(text) => text,
        };
        overrides.set(RETRY_AFTER, vec![header_value("retryAfter", &text)?]);
    }
    for (name, value) in headers {
        let field = format!("headers[\"{name}\"]");
        let value = header_value(&field, &value)?;
        let name = HeaderName::try_from(&name).map_err(|_| Invalid::new(field, "is not the name of a header"))?;
        overrides.set(name, vec![value]);
    }
    let status = StatusCode::from_u16(u16::try_from(status).unwrap_or_default())
        .map_err(|_| Invalid::new("status", "must be a whole number from 200 to 599"))?;
    Ok(Answer { made_up: MadeUp::new(status, body.map(String::into_bytes))?, overrides })
}

/// A header's value from text in which each character is one byte, as `Response` takes it.
///
/// # Errors
///
/// When there is a line break, another control character, or a character above U+00FF in it.
pub fn header_value(field: &str, text: &str) -> Result<HeaderValue, Invalid> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    bytes
        .ok()
        .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
        .ok_or_else(|| Invalid::new(field, "must have no line break, control character or character above U+00FF"))
}

/// A whole number within bounds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked before")]
fn whole(field: &str, number: f64, least: u32, most: u32) -> Result<u32, Invalid> {
    if number.fract() == 0.0 && (f64::from(least)..=f64::from(most)).contains(&number) {
        Ok(number as u32)
    } else {
        Err(Invalid::new(field, format!("must be a whole number from {least} to {most}")))
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
