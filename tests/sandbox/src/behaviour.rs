//! What the script makes of one request.
//!
//! A script is a list of behaviours. Each request of the API takes the first one that is for its path.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use crate::config::LONGEST_WAIT;
use crate::contract;
use crate::delivery::{Delivery, Pace};
use crate::wire::Connection;

/// The path that a behaviour is for when it names none.
const AUTH: &str = "/v1/auth";

/// The page that a proxy in front of an API shows when the API is not there.
const PROXY_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// The behaviours still to come.
#[derive(Debug, Default)]
pub struct Script {
    steps: VecDeque<Step>,
}

/// A behaviour, for so many requests of one path.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Spec")]
pub struct Step {
    path: String,
    left: u32,
    behaviour: Behaviour,
}

impl Script {
    /// Puts `steps` in place of what was to come.
    pub fn replace(&mut self, steps: Vec<Step>) {
        self.steps = steps.into();
    }

    /// For how many requests there is a behaviour.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.steps.iter().map(|step| u64::from(step.left)).sum()
    }

    /// Takes the behaviour for a request of `path`.
    pub fn take(&mut self, path: &str) -> Option<Behaviour> {
        let at = self.steps.iter().position(|step| step.path == path)?;
        let step = self.steps.get_mut(at)?;
        step.left -= 1;
        if step.left == 0 {
            return self.steps.remove(at).map(|step| step.behaviour);
        }
        Some(step.behaviour.clone())
    }
}

/// What happens to one request.
#[derive(Clone, Debug)]
pub struct Behaviour {
    latency: Duration,
    act: Act,
}

#[derive(Clone, Debug)]
enum Act {
    Hang,
    Reset,
    Answer(Box<Answer>),
}

/// How an answer differs from the ordinary one.
#[derive(Clone, Debug, Default)]
struct Answer {
    /// `None` leaves the answer to the API.
    made_up: Option<MadeUp>,
    overrides: Overrides,
    halved: bool,
    padded: Option<u64>,
    pace: Option<Pace>,
    cut: Option<Option<u64>>,
}

#[derive(Clone, Debug)]
struct MadeUp {
    status: StatusCode,
    content_type: Option<HeaderValue>,
    body: Bytes,
}

/// Headers that are set or left out when all others have been added.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<(HeaderName, Vec<HeaderValue>)>);

impl Overrides {
    /// Puts the script's headers over the others.
    pub fn apply(self, headers: &mut HeaderMap) {
        for (name, values) in self.0 {
            headers.remove(&name);
            for value in values {
                headers.append(&name, value);
            }
        }
    }
}

impl Behaviour {
    /// Answers one request; `ordinary` is what the API would do, and is done only if something of it is sent.
    pub async fn run(
        self,
        connection: &Arc<Connection>,
        ordinary: impl Future<Output = Response<Body>>,
    ) -> Response<Body> {
        crate::wait(self.latency).await;
        match self.act {
            Act::Hang => pending().await,
            Act::Reset => {
                connection.reset();
                pending().await
            }
            Act::Answer(answer) => answer.deliver(connection, ordinary).await,
        }
    }
}

impl Answer {
    async fn deliver(
        self,
        connection: &Arc<Connection>,
        ordinary: impl Future<Output = Response<Body>>,
    ) -> Response<Body> {
        let mut response = match self.made_up {
            Some(made_up) => made_up.response(),
            None => ordinary.await,
        };
        response.extensions_mut().insert(self.overrides);
        let (parts, body) = response.into_parts();
        // Every body up to here is one of this crate's own, in memory already.
        let mut body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        if self.halved {
            body.truncate(body.len() / 2);
        }
        let mut delivery = Delivery::new(body);
        if let Some(length) = self.padded {
            delivery = delivery.padded(length);
        }
        if let Some(pace) = self.pace {
            delivery = delivery.paced(pace);
        }
        if let Some(bytes) = self.cut {
            delivery = delivery.cut(bytes, Arc::clone(connection));
        }
        Response::from_parts(parts, Body::new(delivery))
    }
}

impl MadeUp {
    fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        if let Some(content_type) = self.content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        response
    }
}

/// A behaviour as a test writes it down.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Spec {
    path: Option<String>,
    times: Option<u32>,
    latency_ms: u64,
    hang: bool,
    reset: bool,
    status: Option<u16>,
    body: Option<String>,
    body_base64: Option<String>,
    html: Option<Switch<String>>,
    redirect: Option<String>,
    retry_after: Option<Value>,
    headers: BTreeMap<String, Option<Values>>,
    broken_json: bool,
    oversized: Option<u64>,
    drip: Option<Switch<Drip>>,
    reset_mid_body: Option<Switch<u64>>,
}

/// `true`, or the very thing.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Switch<T> {
    On(bool),
    Set(T),
}

impl<T> Switch<T> {
    /// `None` when off, `Some(None)` when on.
    fn read(this: Option<Self>) -> Option<Option<T>> {
        match this {
            None | Some(Self::On(false)) => None,
            Some(Self::On(true)) => Some(None),
            Some(Self::Set(value)) => Some(Some(value)),
        }
    }
}

/// One value of a header, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Drip {
    bytes: usize,
    interval_ms: u64,
}

impl Default for Drip {
    fn default() -> Self {
        Self { bytes: 1, interval_ms: 100 }
    }
}

impl TryFrom<Spec> for Step {
    type Error = String;

    fn try_from(spec: Spec) -> Result<Self, String> {
        let path = spec.path.clone().unwrap_or_else(|| AUTH.to_owned());
        let left = spec.times.unwrap_or(1);
        if left == 0 {
            return Err("times must be at least 1".to_owned());
        }
        let latency = bounded("latencyMs", spec.latency_ms)?;
        let act = match (spec.hang, spec.reset) {
            (false, false) => Act::Answer(Box::new(spec.answer()?)),
            (true, true) => return Err("hang and reset exclude each other".to_owned()),
            (hang, _) if spec.answers() => {
                let word = if hang { "hang" } else { "reset" };
                return Err(format!("{word} leaves nothing to answer with"));
            }
            (true, _) => Act::Hang,
            (_, true) => Act::Reset,
        };
        Ok(Self { path, left, behaviour: Behaviour { latency, act } })
    }
}

impl Spec {
    /// Whether anything is said about an answer.
    fn answers(&self) -> bool {
        self.status.is_some()
            || self.body.is_some()
            || self.body_base64.is_some()
            || self.html.is_some()
            || self.redirect.is_some()
            || self.retry_after.is_some()
            || !self.headers.is_empty()
            || self.broken_json
            || self.oversized.is_some()
            || self.drip.is_some()
            || self.reset_mid_body.is_some()
    }

    fn answer(self) -> Result<Answer, String> {
        let mut overrides = Vec::new();
        if let Some(location) = &self.redirect {
            overrides.push((LOCATION, vec![header("redirect", location)?]));
        }
        if let Some(retry_after) = &self.retry_after {
            let value = match retry_after {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err("retryAfter must be a number or a string".to_owned()),
            };
            overrides.push((RETRY_AFTER, vec![header("retryAfter", &value)?]));
        }
        for (name, values) in &self.headers {
            let values = match values {
                None => Vec::new(),
                Some(Values::One(value)) => vec![header(name, value)?],
                Some(Values::Several(values)) => {
                    values.iter().map(|value| header(name, value)).collect::<Result<_, _>>()?
                }
            };
            let name = HeaderName::try_from(name).map_err(|_| format!("headers: {name:?} is no header name"))?;
            overrides.push((name, values));
        }
        let pace = match Switch::read(self.drip) {
            None => None,
            Some(drip) => {
                let drip = drip.unwrap_or_default();
                if drip.bytes == 0 {
                    return Err("drip: bytes must be at least 1".to_owned());
                }
                Some(Pace { bytes: drip.bytes, interval: bounded("drip: intervalMs", drip.interval_ms)? })
            }
        };
        Ok(Answer {
            made_up: made_up(
                self.status,
                self.body,
                self.body_base64,
                Switch::read(self.html),
                self.redirect.is_some(),
                self.retry_after.is_some(),
            )?,
            overrides: Overrides(overrides),
            halved: self.broken_json,
            padded: self.oversized,
            pace,
            cut: Switch::read(self.reset_mid_body),
        })
    }
}

/// The answer that takes the place of the ordinary one, if any does.
fn made_up(
    status: Option<u16>,
    body: Option<String>,
    body_base64: Option<String>,
    html: Option<Option<String>>,
    redirect: bool,
    retry_after: bool,
) -> Result<Option<MadeUp>, String> {
    if u8::from(body.is_some()) + u8::from(body_base64.is_some()) + u8::from(html.is_some()) > 1 {
        return Err("only one of body, bodyBase64 and html can be sent".to_owned());
    }
    let status = match status {
        // An interim status is no answer (RFC 9110, section 15.2).
        Some(status @ 200..=599) => StatusCode::from_u16(status).ok(),
        Some(_) => return Err("status must be from 200 to 599".to_owned()),
        None if redirect => Some(StatusCode::FOUND),
        None if html.is_some() => Some(StatusCode::BAD_GATEWAY),
        None if retry_after => Some(StatusCode::TOO_MANY_REQUESTS),
        None => None,
    };
    let given = if let Some(text) = body {
        Some((contract::JSON, Bytes::from(text)))
    } else if let Some(encoded) = body_base64 {
        let bytes = STANDARD.decode(encoded).map_err(|_| "bodyBase64 is not base64".to_owned())?;
        Some((contract::JSON, Bytes::from(bytes)))
    } else {
        html.map(|page| (HTML, page.map_or(Bytes::from_static(PROXY_PAGE.as_bytes()), Bytes::from)))
    };
    Ok(match (status, given) {
        (None | Some(StatusCode::OK), None) => None,
        (Some(status), None) if redirect || bodiless(status) => {
            Some(MadeUp { status, content_type: None, body: Bytes::new() })
        }
        (Some(status), None) => {
            Some(MadeUp { status, content_type: Some(contract::JSON), body: Bytes::from(contract::failure(status)) })
        }
        (status, Some((content_type, body))) => {
            Some(MadeUp { status: status.unwrap_or(StatusCode::OK), content_type: Some(content_type), body })
        }
    })
}

/// Whether an answer of this status never has a body (RFC 9110, section 6.4.1).
fn bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

fn header(name: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::try_from(value).map_err(|_| format!("{name}: {value:?} is no header value"))
}

fn bounded(name: &str, millis: u64) -> Result<Duration, String> {
    let wait = Duration::from_millis(millis);
    if wait > LONGEST_WAIT {
        return Err(format!("{name} must be at most {}", LONGEST_WAIT.as_millis()));
    }
    Ok(wait)
}
