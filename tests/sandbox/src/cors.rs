//! What a browser asks before a page may call another origin, and has to be told after (the Fetch standard's CORS
//! protocol).
//!
//! Digitalpaye does not say whether its API answers browsers at all. The stand-in does, for pages of any origin, and
//! names what a call needs and no more, so that a request with one header too many is seen to fail.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};

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

/// The control API.
pub(crate) const CONTROL: Permission = Permission { methods: "GET, POST, DELETE", headers: "Content-Type" };

impl Permission {
    /// The permission for a path of the API.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if path == "/v1/auth" { EXCHANGE } else { RESOURCE }
    }

    /// The answer to a preflight request, if this is one.
    #[must_use]
    pub fn preflight(self, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        if method != Method::OPTIONS
            || !headers.contains_key(ORIGIN)
            || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let mut response = Response::new(Body::empty());
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

/// Whether an origin is a page of this machine.
#[must_use]
pub fn is_loopback(origin: &HeaderValue) -> bool {
    let Some(uri) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()) else {
        return false;
    };
    let Some(host) = uri.host().filter(|_| uri.scheme().is_some()) else {
        return false;
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
