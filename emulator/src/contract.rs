//! The answers of the API itself.
//!
//! Digitalpaye's page on creating a token states four of them, and those are served to the byte: the 200, the 400, the
//! 401 and the 500 of `POST /v1/auth`. Everything else here (the protected resource, and what is answered to any other
//! request) is made up in the same shape and in the page's words.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, ORIGIN};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use serde_json::Value;

use crate::config::{Config, Credentials};
use crate::cors::{self, Permission};
use crate::token::{Minted, Tokens};

/// Where credentials are exchanged for a token.
pub const AUTH: &str = "/v1/auth";

/// The resource that a token is for. Made up.
pub const RESOURCE: &str = "/v1/balance";

/// The page's answer to a request without credentials.
pub const BAD_REQUEST: &str = r#"{"statusCode":400,"message":"BadRequestError","reason":"Les identifiants API (apikey et apisecret) sont requis."}"#;

/// The page's answer to wrong credentials.
pub const UNAUTHORIZED: &str = r#"{"statusCode":401,"message":"UnauthorizedError","reason":"Identifiants API incorrects. Veuillez vérifier votre clé API et votre secret."}"#;

/// The page's answer when the API itself has failed.
pub const INTERNAL_SERVER_ERROR: &str =
    r#"{"statusCode":500,"message":"InternalServerError","reason":"Une erreur est survenue. Veuillez réessayer"}"#;

/// What `GET /v1/balance` answers. Made up.
pub const BALANCE: &str = r#"{"statusCode":200,"message":"Successful","data":{"balance":125000,"currency":"XOF"}}"#;

/// A request, as far as an answer depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path, without its query.
    pub path: &'a str,
    /// The headers.
    pub headers: &'a HeaderMap,
}

/// Answers a request when no script says otherwise.
pub fn answer(request: Request<'_>, config: &Config, tokens: &mut Tokens, now_ms: i64) -> Response<Vec<u8>> {
    match (request.method, request.path) {
        (&Method::POST, AUTH) => match identify(request.headers, &config.credentials) {
            Identity::Missing => refuse(StatusCode::BAD_REQUEST),
            Identity::Wrong => refuse(StatusCode::UNAUTHORIZED),
            Identity::Right => successful(&tokens.mint(config, now_ms)),
        },
        (&Method::GET | &Method::HEAD, RESOURCE) => {
            protected(request.headers, config, tokens, now_ms, || json(StatusCode::OK, BALANCE))
        }
        _ => refuse(StatusCode::NOT_FOUND),
    }
}

/// The answer, if the request has a good token; else a 401.
pub fn protected(
    headers: &HeaderMap,
    config: &Config,
    tokens: &Tokens,
    now_ms: i64,
    answer: impl FnOnce() -> Response<Vec<u8>>,
) -> Response<Vec<u8>> {
    if bearer(headers).is_some_and(|token| tokens.accepts(token, config, now_ms)) {
        answer()
    } else {
        refuse(StatusCode::UNAUTHORIZED)
    }
}

/// The answer to a preflight request, if this is one and browsers are answered.
#[must_use]
pub fn preflight(request: Request<'_>, config: &Config) -> Option<Response<Vec<u8>>> {
    if !config.cors {
        return None;
    }
    Permission::of(request.path).preflight(request.method, request.headers)
}

/// The headers that every answer gets: CORS and `Date`.
pub fn complete(request: Request<'_>, config: &Config, now_ms: i64, headers: &mut HeaderMap) {
    if config.cors {
        cors::allow(request.headers.get(ORIGIN).cloned(), headers);
        cors::expose(config, headers);
    }
    if let Some(date) = config.http_date(now_ms).filter(|_| config.date) {
        headers.insert(DATE, date);
    }
}

/// Whether an answer of this status never has a body (RFC 9110, section 6.4.1; the Fetch standard's null body status).
#[must_use]
pub fn bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

/// The API's answer of this status.
#[must_use]
pub fn refuse(status: StatusCode) -> Response<Vec<u8>> {
    json(status, failure(status))
}

/// What the `Authorization` header of `POST /v1/auth` amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// No credentials: no such header, another scheme than Basic, nothing after the scheme, or an empty key or secret.
    Missing,
    /// Credentials, but not these: another key or secret, or something that does not decode to `key:secret`.
    Wrong,
    /// The right ones.
    Right,
}

/// Reads `Authorization: Basic` as RFC 7617 has it: the scheme in any case, base64 with its padding, UTF-8, the first
/// colon parts key from secret.
#[must_use]
pub fn identify(headers: &HeaderMap, expected: &Credentials) -> Identity {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), another) = (values.next(), values.next()) else {
        return Identity::Missing;
    };
    if another.is_some() {
        return Identity::Wrong;
    }
    let Some(encoded) = after_scheme(value, "Basic") else {
        return Identity::Missing;
    };
    if encoded.is_empty() {
        return Identity::Missing;
    }
    let Some(decoded) = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()) else {
        return Identity::Wrong;
    };
    match decoded.split_once(':') {
        None => Identity::Wrong,
        Some(("", _) | (_, "")) => Identity::Missing,
        Some((key, secret)) if key == expected.key() && secret == expected.secret() => Identity::Right,
        Some(_) => Identity::Wrong,
    }
}

/// The token of `Authorization: Bearer`, if there is exactly one such header.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => after_scheme(value, "Bearer").and_then(|token| std::str::from_utf8(token).ok()),
        _ => None,
    }
}

/// The 200 of `POST /v1/auth`. No token has a character that JSON escapes.
#[must_use]
pub fn successful(minted: &Minted) -> Response<Vec<u8>> {
    let token = minted.token.as_str();
    let exp = minted.exp;
    json(
        StatusCode::OK,
        format!(r#"{{"statusCode":200,"message":"Successful","data":{{"token":"{token}","exp":{exp}}}}}"#),
    )
}

/// What `POST /v1/balance` answers: the body that came, as text. Made up, to show that a body arrived whole.
#[must_use]
pub fn received(body: &[u8]) -> Response<Vec<u8>> {
    let length = body.len();
    let text = Value::from(String::from_utf8_lossy(body));
    json(
        StatusCode::OK,
        format!(r#"{{"statusCode":200,"message":"Successful","data":{{"length":{length},"received":{text}}}}}"#),
    )
}

/// The page's answer where it states one for this status, else one of the same shape.
#[must_use]
pub fn failure(status: StatusCode) -> String {
    match status {
        StatusCode::BAD_REQUEST => BAD_REQUEST.to_owned(),
        StatusCode::UNAUTHORIZED => UNAUTHORIZED.to_owned(),
        StatusCode::INTERNAL_SERVER_ERROR => INTERNAL_SERVER_ERROR.to_owned(),
        other => {
            let phrase = other.canonical_reason().unwrap_or("Unknown");
            let mut name: String = phrase.split([' ', '-']).map(capitalized).collect();
            if (other.is_client_error() || other.is_server_error()) && !name.ends_with("Error") {
                name.push_str("Error");
            }
            format!(r#"{{"statusCode":{},"message":"{name}","reason":"{phrase}"}}"#, other.as_u16())
        }
    }
}

/// An answer in JSON, as the API sends it.
pub fn json(status: StatusCode, body: impl Into<Vec<u8>>) -> Response<Vec<u8>> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// The content type of every answer of the API.
pub const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A word of a phrase as it stands in a name.
fn capitalized(word: &str) -> String {
    let mut letters = word.chars().filter(char::is_ascii_alphanumeric);
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// What follows the scheme and its spaces.
fn after_scheme<'a>(value: &'a HeaderValue, scheme: &str) -> Option<&'a [u8]> {
    let (given, rest) = value.as_bytes().split_at_checked(scheme.len())?;
    if !given.eq_ignore_ascii_case(scheme.as_bytes()) {
        return None;
    }
    match rest {
        [] => Some(rest),
        [b' ', ..] => Some(rest.trim_ascii_start()),
        _ => None,
    }
}
