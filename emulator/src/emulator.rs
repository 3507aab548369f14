//! The API as one object: a request in, a decision out.
//!
//! A request is received first, which takes its step of the script and says how long to wait, and answered when that
//! wait is over: a token is minted at the time at which the answer is sent.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;

use crate::config::{Config, Credentials};
use crate::contract::{self, Request};
use crate::record::Records;
use crate::script::{Act, Answer, Behaviour, Invalid, Script};
use crate::token::{KEY_LENGTH, Tokens};

/// More of a life than this, about 31 years, is none.
const MOST_SECONDS: u32 = 1_000_000_000;

/// The settings of an emulator as a test writes them down: types are right, values are not checked.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The API key that is right; `emulator_key` when absent.
    pub api_key: Option<String>,
    /// The API secret that is right; `emulator_secret` when absent.
    pub api_secret: Option<String>,
    /// A token's life in seconds; 600 when absent.
    pub life_seconds: Option<f64>,
    /// The merchant that tokens are for.
    pub company_id: Option<String>,
}

impl Settings {
    /// The configuration that these settings make.
    ///
    /// # Errors
    ///
    /// Names the first field whose value cannot be used.
    pub fn check(self) -> Result<Config, Invalid> {
        let defaults = Config::default();
        let credentials = Credentials::new(
            self.api_key.unwrap_or_else(|| "emulator_key".to_owned()),
            self.api_secret.unwrap_or_else(|| "emulator_secret".to_owned()),
        )?;
        let lifetime = match self.life_seconds {
            None => defaults.lifetime,
            Some(life) if life.fract() == 0.0 && (1.0..=f64::from(MOST_SECONDS)).contains(&life) => whole(life),
            Some(_) => {
                return Err(Invalid::new("lifeSeconds", format!("must be a whole number from 1 to {MOST_SECONDS}")));
            }
        };
        if self.company_id.as_deref() == Some("") {
            return Err(Invalid::new("companyId", "must not be empty"));
        }
        Ok(Config {
            credentials,
            lifetime,
            company_id: self.company_id.unwrap_or(defaults.company_id),
            distinct_tokens: true,
            expose_headers: vec!["Date".to_owned(), "Retry-After".to_owned()],
            ..defaults
        })
    }
}

/// What is to be done about a request that was received.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reception {
    /// What to ask for the answer with.
    pub number: u64,
    /// The wait first, in milliseconds.
    pub delay_ms: u32,
    /// What happens then.
    pub act: Then,
}

/// What happens when the wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    /// Nothing, until the caller gives up.
    Hang,
    /// The connection breaks.
    Reject,
    /// There is an answer.
    Answer,
}

/// An answer, in words that a `Response` is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The reason phrase of the status.
    pub status_text: &'static str,
    /// Names and values, each character one byte.
    pub headers: Vec<(String, String)>,
    /// The body; `None` for a status or a method that has none.
    pub body: Option<String>,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Pending {
    method: Method,
    path: String,
    headers: HeaderMap,
    answer: Answer,
    preflight: bool,
}

/// The API of one test.
///
/// ```
/// use digitalpaye_emulator::emulator::{Emulator, Then};
/// use digitalpaye_emulator::{Config, token::KEY_LENGTH};
///
/// let mut api = Emulator::new(Config::default(), [7; KEY_LENGTH]);
/// let reception = api.receive("POST", "/v1/auth", &[]);
/// assert_eq!((reception.delay_ms, reception.act), (0, Then::Answer));
/// let reply = api.answer(reception.number, 1_000_000);
/// assert_eq!(reply.map(|reply| reply.status), Some(400), "neither key nor secret");
/// ```
#[derive(Debug)]
pub struct Emulator {
    config: Config,
    tokens: Tokens,
    script: Script<Behaviour>,
    records: Records,
    pending: BTreeMap<u64, Pending>,
}

impl Emulator {
    /// An API without a token, a script or a request, which signs with `key`.
    #[must_use]
    pub fn new(config: Config, key: [u8; KEY_LENGTH]) -> Self {
        Self {
            config,
            tokens: Tokens::new(key),
            script: Script::default(),
            records: Records::default(),
            pending: BTreeMap::new(),
        }
    }

    /// Forgets all tokens, and signs with another key, which has to be random.
    pub fn set_key(&mut self, key: [u8; KEY_LENGTH]) {
        self.tokens = Tokens::new(key);
    }

    /// Puts a script in place of what is left of the last one.
    pub fn set_script(&mut self, script: Script<Behaviour>) {
        self.script = script;
    }

    /// Takes back one token, or every one that was minted so far.
    pub fn revoke(&mut self, token: Option<&str>) {
        self.tokens.revoke(token);
    }

    /// The requests so far, oldest first, as JSON.
    #[must_use]
    pub fn requests(&self) -> String {
        self.records.to_json()
    }

    /// Takes in a request: `target` is its path and query, header values are one character for each byte.
    pub fn receive(&mut self, method: &str, target: &str, headers: &[(String, String)]) -> Reception {
        let number = self.records.open(method, target, headers);
        let path = target.split('?').next().unwrap_or_default();
        let (method, headers) = (Method::try_from(method).unwrap_or_default(), header_map(headers));
        let request = Request { method: &method, path, headers: &headers };
        let preflight = contract::preflight(request, &self.config).is_some();
        // A preflight request is the browser's, not the caller's: it takes no step.
        let step = if preflight { None } else { self.script.take(path) };
        let Behaviour { delay_ms, act } =
            step.unwrap_or_else(|| Behaviour { delay_ms: 0, act: Act::Answer(Answer::default()) });
        let act = match act {
            Act::Hang => Then::Hang,
            Act::Reject => Then::Reject,
            Act::Answer(answer) => {
                let path = path.to_owned();
                self.pending.insert(number, Pending { method, path, headers, answer, preflight });
                Then::Answer
            }
        };
        Reception { number, delay_ms, act }
    }

    /// Answers a request at `now_ms`, once.
    pub fn answer(&mut self, number: u64, now_ms: i64) -> Option<Reply> {
        let Pending { method, path, headers, answer, preflight } = self.pending.remove(&number)?;
        let request = Request { method: &method, path: &path, headers: &headers };
        let preflight = if preflight { contract::preflight(request, &self.config) } else { None };
        let mut response = match (preflight, answer.made_up) {
            (Some(response), _) => response,
            (None, Some(made_up)) => made_up.response(),
            (None, None) => contract::answer(request, &self.config, &mut self.tokens, now_ms),
        };
        contract::complete(request, &self.config, now_ms, response.headers_mut());
        answer.overrides.apply(response.headers_mut());
        let (parts, body) = response.into_parts();
        self.records.answered(number, parts.status.as_u16());
        let no_body = method == Method::HEAD || contract::bodiless(parts.status);
        Some(Reply {
            status: parts.status.as_u16(),
            status_text: reason_phrase(parts.status),
            headers: parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), latin1(value))).collect(),
            body: if no_body { None } else { Some(String::from_utf8_lossy(&body).into_owned()) },
        })
    }

    /// Forgets a request whose caller has gone.
    pub fn abandon(&mut self, number: u64) {
        self.pending.remove(&number);
    }
}

fn reason_phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or_default()
}

/// The headers that HTTP can carry; what a `Headers` object holds beyond that, no rule of the contract asks for.
fn header_map(headers: &[(String, String)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let bytes: Option<Vec<u8>> = value.chars().map(|char| u8::try_from(char).ok()).collect();
        if let Ok(name) = HeaderName::try_from(name)
            && let Some(value) = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
        {
            // A map that is full takes no more, and must not panic.
            let _ = map.try_append(name, value);
        }
    }
    map
}

fn latin1(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

#[allow(clippy::cast_possible_truncation, reason = "a whole number within bounds")]
const fn whole(number: f64) -> i64 {
    number as i64
}
