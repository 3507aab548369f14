//! What a browser asks before a page may call another origin, and has to be told after (the Fetch standard's CORS
//! protocol).
//!
//! Digitalpaye does not say whether its API answers browsers at all. This one does, for pages of any origin, and
//! names what a call needs and no more, so that a request with one header too many is seen to fail.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::config::Config;

/// Which calls a browser may make.
#[derive(Clone, Copy, Debug)]
pub struct Permission {
    methods: &'static str,
    headers: &'static str,
}

/// The exchange of credentials for a token.
const EXCHANGE: Permission = Permission { methods: "POST", headers: "Authorization, X-Environment" };

/// Everything that a token is for, bodies of any type included.
const RESOURCE: Permission = Permission { methods: "GET, POST", headers: "Authorization, X-Environment, Content-Type" };

impl Permission {
    /// Calls with these methods and request headers, each a list as the headers of a preflight's answer have it.
    #[must_use]
    pub const fn new(methods: &'static str, headers: &'static str) -> Self {
        Self { methods, headers }
    }

    /// The permission for a path of the API.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if path == "/v1/auth" { EXCHANGE } else { RESOURCE }
    }

    /// The answer to a preflight request, if this is one.
    #[must_use]
    pub fn preflight(self, method: &Method, headers: &HeaderMap) -> Option<Response<Vec<u8>>> {
        if method != Method::OPTIONS
            || !headers.contains_key(ORIGIN)
            || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(self.methods));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(self.headers));
        Some(response)
    }
}

/// Says who may read the answer.
pub fn allow(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}

/// Says which headers of the answer may be read, if the settings name any.
pub fn expose(config: &Config, headers: &mut HeaderMap) {
    if !config.expose_headers.is_empty()
        && let Ok(names) = HeaderValue::try_from(config.expose_headers.join(", "))
    {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, names);
    }
}
