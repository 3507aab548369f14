//! What the script makes of one request: the library's behaviours, and those that need the raw bytes of a connection.

use std::collections::BTreeMap;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use digitalpaye_emulator::config::LONGEST_WAIT;
use digitalpaye_emulator::script::{self, MadeUp, Overrides, header_value};
use serde::Deserialize;
use serde_json::Value;

use crate::delivery::{Delivery, Pace};
use crate::wire::Connection;

/// The page that a proxy in front of an API shows when the API is not there.
const PROXY_PAGE: &str = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// The behaviours still to come.
pub type Script = script::Script<Behaviour>;

/// A behaviour for a number of requests of one path.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Spec")]
pub struct Step(pub script::Step<Behaviour>);

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
    answer: script::Answer,
    halved: bool,
    padded: Option<u64>,
    pace: Option<Pace>,
    cut: Option<Option<u64>>,
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
        let mut response = match self.answer.made_up {
            Some(made_up) => made_up.response().map(Body::from),
            None => ordinary.await,
        };
        response.extensions_mut().insert(self.answer.overrides);
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

/// A behaviour as a test writes it down.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Spec {
    path: Option<String>,
    times: Option<u32>,
    #[serde(alias = "delayMs")]
    latency_ms: u64,
    hang: bool,
    #[serde(alias = "reject")]
    reset: bool,
    status: Option<u16>,
    body: Option<Value>,
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
        let (path, times) = (spec.path.clone(), spec.times);
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
        script::Step::new(path, times, Behaviour { latency, act }).map(Self).map_err(|invalid| invalid.to_string())
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
        let mut overrides = Overrides::default();
        if let Some(location) = &self.redirect {
            overrides.set(LOCATION, vec![header("redirect", location)?]);
        }
        if let Some(retry_after) = &self.retry_after {
            let value = match retry_after {
                Value::String(text) => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => return Err("retryAfter must be a number or a string".to_owned()),
            };
            overrides.set(RETRY_AFTER, vec![header("retryAfter", &value)?]);
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
            overrides.set(name, values);
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
            answer: script::Answer {
                made_up: made_up(
                    self.status,
                    self.body,
                    self.body_base64,
                    Switch::read(self.html),
                    self.redirect.is_some(),
                    self.retry_after.is_some(),
                )?,
                overrides,
            },
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
    body: Option<Value>,
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
    if let Some(page) = html {
        let body = page.unwrap_or_else(|| PROXY_PAGE.to_owned()).into_bytes();
        return Ok(Some(MadeUp { status: status.unwrap_or(StatusCode::OK), content_type: Some(HTML), body }));
    }
    let body = match (body, body_base64) {
        (Some(Value::String(text)), _) => Some(text.into_bytes()),
        (Some(value), _) => Some(value.to_string().into_bytes()),
        (None, Some(encoded)) => Some(STANDARD.decode(encoded).map_err(|_| "bodyBase64 is not base64".to_owned())?),
        (None, None) => None,
    };
    match (status, body) {
        (None, None) => Ok(None),
        (Some(status), None) if redirect && status != StatusCode::OK => {
            Ok(Some(MadeUp { status, content_type: None, body: Vec::new() }))
        }
        (status, body) => MadeUp::new(status.unwrap_or(StatusCode::OK), body).map_err(|invalid| invalid.to_string()),
    }
}

fn header(name: &str, value: &str) -> Result<HeaderValue, String> {
    header_value(name, value).map_err(|invalid| invalid.to_string())
}

fn bounded(name: &str, millis: u64) -> Result<Duration, String> {
    let wait = Duration::from_millis(millis);
    if wait > LONGEST_WAIT {
        return Err(format!("{name} must be at most {}", LONGEST_WAIT.as_millis()));
    }
    Ok(wait)
}
