//! Which values may configure a client. A value of these types that exists is usable: nothing is checked again later.

use crate::credentials::Credentials;
use crate::error::AuthError;

/// `baseUrl` when none is given.
pub const DEFAULT_BASE_URL: &str = "https://api.digitalpaye.com";
/// `environment` when none is given.
pub const DEFAULT_ENVIRONMENT: &str = "Production";
/// `timeout` when none is given, in milliseconds.
pub const DEFAULT_TIMEOUT_MS: f64 = 30_000.0;
/// `maxRetries` when none is given.
pub const DEFAULT_MAX_RETRIES: u32 = 2;
/// The most that `maxRetries` may be.
pub const MAX_RETRIES: u32 = 10;

/// The options of one client.
///
/// ```
/// use digitalpaye_auth::credentials::{BasicCredentials, Credentials, UserId};
/// use digitalpaye_auth::options::{DEFAULT_ENVIRONMENT, Endpoint, Options};
/// use zeroize::Zeroizing;
///
/// let secret = |text: &str| Zeroizing::new(String::from(text));
/// let options = Options {
///     credentials: Credentials::Fixed(BasicCredentials::new(UserId::new(secret("key"))?, secret("secret"))?),
///     environment: DEFAULT_ENVIRONMENT.into(),
///     endpoint: Endpoint::new("https://api.digitalpaye.com/")?,
///     timeout_ms: 30_000.0,
///     max_retries: 2,
/// };
/// assert_eq!(options.endpoint.url, "https://api.digitalpaye.com/v1/auth");
/// # Ok::<(), Box<digitalpaye_auth::error::AuthError>>(())
/// ```
#[derive(Debug)]
pub struct Options {
    /// `apiKey` and `apiSecret`.
    pub credentials: Credentials,
    /// The value of `X-Environment`.
    pub environment: String,
    /// Where tokens come from.
    pub endpoint: Endpoint,
    /// For the whole call: attempts, waits and body reads.
    pub timeout_ms: f64,
    /// Attempts after the first.
    pub max_retries: u32,
}

impl Options {
    /// What tokens of one store entry have in common, in UTF-8. Hashed before a store sees it; no part may hold a line break.
    #[must_use]
    pub fn store_identity(&self) -> Vec<u8> {
        [self.endpoint.base.as_bytes(), self.environment.as_bytes(), self.credentials.user_id().as_bytes()].join(&b'\n')
    }
}

/// The API's address.
#[derive(Debug)]
pub struct Endpoint {
    /// `baseUrl` as a folder: it ends in a slash.
    pub base: String,
    /// The URL that tokens are asked from.
    pub url: String,
}

impl Endpoint {
    /// The address that a `baseUrl` names; its path is kept. `href` is the URL as the platform's parser wrote it (URL Standard
    /// §4.5): what is in each part of it that could end that part is encoded.
    ///
    /// # Errors
    ///
    /// Names `baseUrl`: user info, a query or a fragment; neither https, nor http on a loopback host.
    ///
    /// ```
    /// use digitalpaye_auth::options::Endpoint;
    ///
    /// assert_eq!(Endpoint::new("https://example.com/pay").map(|endpoint| endpoint.url).ok().as_deref(), Some("https://example.com/pay/v1/auth"));
    /// assert_eq!(Endpoint::new("http://example.com/").unwrap_err().option, Some("baseUrl"));
    /// ```
    pub fn new(href: &str) -> Result<Self, Box<AuthError>> {
        let fault = |message| Err(AuthError::option("baseUrl", message));
        let (rest, needs_loopback) = match (href.strip_prefix("https://"), href.strip_prefix("http://")) {
            (Some(rest), _) => (rest, false),
            (None, Some(rest)) => (rest, true),
            (None, None) => {
                return fault("is neither https nor http: begin it with https://, or with http:// on a loopback host");
            }
        };
        let authority = rest.as_bytes().split(|byte| *byte == b'/').next().unwrap_or_default();
        if authority.contains(&b'@') {
            return fault("holds user info; credentials belong in apiKey and apiSecret");
        }
        if rest.bytes().any(|byte| matches!(byte, b'?' | b'#')) {
            return fault("holds a query or a fragment");
        }
        if needs_loopback && !is_loopback(authority) {
            return fault("is http; the secret travels over https only, but to a loopback host");
        }
        let mut base = String::from(href);
        if !base.ends_with('/') {
            base.push('/');
        }
        let mut url = base.clone();
        url.push_str("v1/auth");
        Ok(Self { base, url })
    }
}

/// Whether a host, as a URL parser writes it, maybe with a port, is this machine's own (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291).
fn is_loopback(host: &[u8]) -> bool {
    // An IPv6 address has colons of its own, within brackets.
    let port = host.iter().rposition(|byte| *byte == b':').filter(|_| host.last() != Some(&b']'));
    let hostname = port.and_then(|port| host.get(..port)).unwrap_or(host);
    hostname == b"localhost"
        || hostname.ends_with(b".localhost")
        || hostname == b"[::1]"
        // The parser has already turned every other spelling of an IPv4 address into four decimal numbers.
        || (hostname.starts_with(b"127.") && hostname.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
}

/// The value of `X-Environment`.
///
/// # Errors
///
/// Names `environment`: empty, or a character outside 0x21–0x7E.
///
/// ```
/// use digitalpaye_auth::options::environment;
///
/// assert_eq!(environment("Sandbox".into()).ok().as_deref(), Some("Sandbox"));
/// assert_eq!(environment("Sand box".into()).unwrap_err().option, Some("environment"));
/// ```
pub fn environment(value: String) -> Result<String, Box<AuthError>> {
    if value.is_empty() {
        return Err(AuthError::option("environment", "is empty"));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AuthError::option("environment", "holds a character that is not visible ASCII"));
    }
    Ok(value)
}

/// The time for a whole call, in milliseconds.
///
/// # Errors
///
/// Names `timeout`: not positive, or not finite.
///
/// ```
/// use digitalpaye_auth::options::timeout_ms;
///
/// assert_eq!(timeout_ms(30_000.0).ok(), Some(30_000.0));
/// assert_eq!(timeout_ms(f64::INFINITY).unwrap_err().option, Some("timeout"));
/// ```
pub fn timeout_ms(value: f64) -> Result<f64, Box<AuthError>> {
    if value > 0.0 && value.is_finite() {
        Ok(value)
    } else {
        Err(AuthError::option("timeout", "is not a positive, finite number of milliseconds"))
    }
}

/// The number of attempts after the first.
///
/// # Errors
///
/// Names `maxRetries`: not a whole number from 0 to 10.
///
/// ```
/// use digitalpaye_auth::options::max_retries;
///
/// assert_eq!(max_retries(2.0).ok(), Some(2));
/// assert_eq!(max_retries(2.5).unwrap_err().option, Some("maxRetries"));
/// ```
pub fn max_retries(value: f64) -> Result<u32, Box<AuthError>> {
    // Only whole numbers in range come back from the cast unchanged; NaN becomes 0, which differs from NaN.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let count = value as u32;
    if f64::from(count) == value && count <= MAX_RETRIES {
        Ok(count)
    } else {
        Err(AuthError::option("maxRetries", "is not a whole number from 0 to 10"))
    }
}
