//! The one request of the API.

use crate::options::Options;
use alloc::string::String;
use core::fmt;
use zeroize::Zeroizing;

/// `POST {baseUrl}/v1/auth` with two headers and no body. How it is sent (no redirect followed, no cookie, no cache) is
/// `web`'s part.
pub struct TokenRequest<'a> {
    /// Where to.
    pub url: &'a str,
    /// `X-Environment`.
    pub environment: &'a str,
    /// `Authorization`: `Basic …`.
    pub authorization: Zeroizing<String>,
}

impl<'a> TokenRequest<'a> {
    /// The request method.
    pub const METHOD: &'static str = "POST";

    /// The request for these options.
    #[must_use]
    pub fn new(options: &'a Options) -> Self {
        Self {
            url: &options.endpoint.url,
            environment: &options.environment,
            authorization: options.credentials.authorization(),
        }
    }
}

impl fmt::Debug for TokenRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("url", &self.url)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}
