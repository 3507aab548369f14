//! The one request of the API.

use crate::credentials::BasicCredentials;
use crate::options::Options;
use std::fmt;
use zeroize::Zeroizing;

/// `POST {baseUrl}/v1/auth` with two headers and no body: one whole value that is sent as it is.
///
/// How it is sent (no redirect followed, no cookie, no cache) is the same for every request, and the part of `web`.
pub struct TokenRequest {
    /// Where to.
    pub url: String,
    /// `X-Environment`.
    pub environment: String,
    /// `Authorization`: `Basic …`. Overwritten on drop.
    pub authorization: Zeroizing<String>,
}

impl TokenRequest {
    /// The request method.
    pub const METHOD: &'static str = "POST";

    /// The request of a client with these options and credentials.
    #[must_use]
    pub fn new(options: &Options, credentials: &BasicCredentials) -> Self {
        Self {
            url: options.endpoint.url.clone(),
            environment: options.environment.clone(),
            authorization: credentials.authorization(),
        }
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("url", &self.url)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
