//! The settings that hold until they are changed.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// No setting in seconds goes past this, about 31 years: every date stays one that an HTTP header can carry.
const MOST_SECONDS: i64 = 1_000_000_000;

/// No wait goes past this.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The key and the secret that the API takes for right.
#[derive(Clone)]
pub struct Credentials {
    /// The user-id of RFC 7617.
    key: String,
    /// Its password.
    secret: String,
}

impl Credentials {
    /// Credentials that Basic can carry.
    ///
    /// # Errors
    ///
    /// When one of them is empty or holds a control character, or the key holds a colon (RFC 7617, section 2).
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Result<Self, String> {
        let (key, secret) = (key.into(), secret.into());
        for (name, value) in [("key", &key), ("secret", &secret)] {
            if value.is_empty() {
                return Err(format!("the API {name} must not be empty"));
            }
            if value.chars().any(char::is_control) {
                return Err(format!("the API {name} must not hold a control character"));
            }
        }
        if key.contains(':') {
            return Err("the API key must not hold a colon".to_owned());
        }
        Ok(Self { key, secret })
    }

    /// The key, which is no secret.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }
}

impl Default for Credentials {
    /// Credentials that nobody takes for real ones.
    fn default() -> Self {
        Self { key: "sandbox_key".to_owned(), secret: "sandbox_secret".to_owned() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("key", &self.key).field("secret", &"[redacted]").finish()
    }
}

/// How the stand-in answers when no script says otherwise.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// What is asked for in Basic.
    #[serde(skip)]
    pub credentials: Credentials,
    /// A token's life in seconds; zero and less mint tokens that are over.
    pub lifetime: i64,
    /// Seconds by which the API's clock differs from this machine's: in `iat`, `exp` and `Date`.
    pub clock_offset: i64,
    /// Milliseconds for which a token is accepted past its `exp`.
    pub leeway_ms: u64,
    /// Whether answers carry `Date`.
    pub date: bool,
    /// Whether tokens are opaque instead of JWTs.
    pub opaque: bool,
    /// Whether JWTs carry `jti`, so that two of one second differ.
    pub distinct_tokens: bool,
    /// Milliseconds before each answer of the API.
    pub latency_ms: u64,
    /// Whether a browser is told that pages of other origins may call.
    pub cors: bool,
    /// The response headers that such pages may read, beside the ones that every page may.
    pub expose_headers: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            credentials: Credentials::default(),
            lifetime: 600,
            clock_offset: 0,
            leeway_ms: 0,
            date: true,
            opaque: false,
            distinct_tokens: false,
            latency_ms: 0,
            cors: true,
            expose_headers: Vec::new(),
        }
    }
}

/// A change to some of the settings.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Change {
    api_key: Option<String>,
    api_secret: Option<String>,
    lifetime: Option<i64>,
    clock_offset: Option<i64>,
    leeway_ms: Option<u64>,
    date: Option<bool>,
    opaque: Option<bool>,
    distinct_tokens: Option<bool>,
    latency_ms: Option<u64>,
    cors: Option<bool>,
    expose_headers: Option<Vec<String>>,
}

impl Config {
    /// These settings with `change` made, all of it or none.
    ///
    /// # Errors
    ///
    /// Names the setting that is out of bounds.
    pub fn with(&self, change: Change) -> Result<Self, String> {
        let defaults = self.clone();
        let changed = Self {
            credentials: Credentials::new(
                change.api_key.unwrap_or(defaults.credentials.key),
                change.api_secret.unwrap_or(defaults.credentials.secret),
            )?,
            lifetime: change.lifetime.unwrap_or(defaults.lifetime),
            clock_offset: change.clock_offset.unwrap_or(defaults.clock_offset),
            leeway_ms: change.leeway_ms.unwrap_or(defaults.leeway_ms),
            date: change.date.unwrap_or(defaults.date),
            opaque: change.opaque.unwrap_or(defaults.opaque),
            distinct_tokens: change.distinct_tokens.unwrap_or(defaults.distinct_tokens),
            latency_ms: change.latency_ms.unwrap_or(defaults.latency_ms),
            cors: change.cors.unwrap_or(defaults.cors),
            expose_headers: change.expose_headers.unwrap_or(defaults.expose_headers),
        };
        changed.check()?;
        Ok(changed)
    }

    /// Checks the bounds.
    ///
    /// # Errors
    ///
    /// Names the setting that is out of bounds.
    pub fn check(&self) -> Result<(), String> {
        for (name, seconds) in [("lifetime", self.lifetime), ("clockOffset", self.clock_offset)] {
            if seconds.unsigned_abs() > MOST_SECONDS.unsigned_abs() {
                return Err(format!("{name} must be within ±{MOST_SECONDS} s"));
            }
        }
        for (name, millis) in [("latencyMs", self.latency_ms), ("leewayMs", self.leeway_ms)] {
            if Duration::from_millis(millis) > LONGEST_WAIT {
                return Err(format!("{name} must be at most {}", LONGEST_WAIT.as_millis()));
            }
        }
        for name in &self.expose_headers {
            HeaderName::try_from(name).map_err(|_| format!("exposeHeaders: {name:?} is no header name"))?;
        }
        Ok(())
    }

    /// The API's clock: milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        i64::try_from(since).unwrap_or(i64::MAX).saturating_add(self.clock_offset.saturating_mul(1000))
    }

    /// The API's clock, as a `Date` header has it.
    #[must_use]
    pub fn http_date(&self) -> Option<HeaderValue> {
        let since = Duration::from_millis(u64::try_from(self.now_ms()).ok()?);
        let time = UNIX_EPOCH.checked_add(since)?;
        HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()
    }
}
