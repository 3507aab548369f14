//! The settings that hold until they are changed.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::script::Invalid;

/// The merchant that every token is for unless the settings name another: plainly nobody.
pub const COMPANY_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The last millisecond that a `Date` header can carry: that of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;

/// No setting in seconds goes past this, about 31 years: every date stays one that an HTTP header can carry.
const MOST_SECONDS: i64 = 1_000_000_000;

/// No wait goes past this.
pub const LONGEST_WAIT: Duration = Duration::from_secs(600);

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
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Result<Self, Invalid> {
        let (key, secret) = (key.into(), secret.into());
        for (name, value) in [("apiKey", &key), ("apiSecret", &secret)] {
            if value.is_empty() {
                return Err(Invalid::new(name, "must not be empty"));
            }
            if value.chars().any(char::is_control) {
                return Err(Invalid::new(name, "must not hold a control character"));
            }
        }
        if key.contains(':') {
            return Err(Invalid::new("apiKey", "must not hold a colon"));
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
    /// Made-up credentials: those of the server.
    fn default() -> Self {
        Self { key: "sandbox_key".to_owned(), secret: "sandbox_secret".to_owned() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("key", &self.key).field("secret", &"[redacted]").finish()
    }
}

/// How the API answers when no script says otherwise.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// What is asked for in Basic.
    #[serde(skip)]
    pub credentials: Credentials,
    /// A token's life in seconds; zero and less mint tokens that are over.
    pub lifetime: i64,
    /// The merchant that tokens are for.
    pub company_id: String,
    /// Seconds by which the API's clock differs from the caller's: in `iat`, `exp` and `Date`.
    pub clock_offset: i64,
    /// Milliseconds for which a token is accepted past its `exp`.
    pub leeway_ms: u64,
    /// Whether answers carry `Date`.
    pub date: bool,
    /// Whether tokens are opaque instead of JWTs.
    pub opaque: bool,
    /// Whether a JWT carries `jti` when another was minted in its second, so that no two are equal.
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
            company_id: COMPANY_ID.to_owned(),
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
    #[serde(alias = "lifeSeconds")]
    lifetime: Option<i64>,
    company_id: Option<String>,
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
            )
            .map_err(|invalid| invalid.to_string())?,
            lifetime: change.lifetime.unwrap_or(defaults.lifetime),
            company_id: change.company_id.unwrap_or(defaults.company_id),
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

    /// The API's clock when the caller's is `now_ms`: milliseconds since 1970, within what a `Date` header can carry.
    #[must_use]
    pub fn clock_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_add(self.clock_offset.saturating_mul(1000)).clamp(0, LAST_MS)
    }

    /// The API's clock, as a `Date` header has it.
    #[must_use]
    pub fn http_date(&self, now_ms: i64) -> Option<HeaderValue> {
        let since = Duration::from_millis(u64::try_from(self.clock_ms(now_ms)).ok()?);
        let time = UNIX_EPOCH.checked_add(since)?;
        HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_rfc_9110_whatever_the_clock_says() {
        let config = Config::default();
        for (now_ms, date) in [
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (i64::MIN, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(config.http_date(now_ms).unwrap(), date, "{now_ms}");
        }
    }

    #[test]
    fn the_offset_moves_the_clock() {
        let config = Config { clock_offset: -2, ..Config::default() };
        assert_eq!(config.clock_ms(10_500), 8_500);
    }
}
