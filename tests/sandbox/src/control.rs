//! `/_sandbox/`: what a test sees and sets.
//!
//! Only this machine may use it: the other end of the connection has to be a loopback address, and so does the origin
//! of the page when a browser is what asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, Request, State};
use axum::http::header::ORIGIN;
use axum::http::{Response, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json};
use axum::routing::{get, post};
use axum::{
    Router,
    http::{HeaderValue, Uri},
};
use digitalpaye_emulator::config::{Change, Config};
use digitalpaye_emulator::cors::{self, Permission};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::behaviour::Step;
use crate::lock;
use crate::record::Record;
use crate::server::Sandbox;
use crate::wire::Connection;

/// What a browser may do here.
const CONTROL: Permission = Permission::new("GET, POST, DELETE", "Content-Type");

/// The routes below `/_sandbox`.
pub(crate) fn routes() -> Router<Arc<Sandbox>> {
    Router::new()
        .route("/requests", get(requests).delete(forget))
        .route("/counts", get(counts))
        .route("/script", get(left).post(script))
        .route("/config", get(config).post(change))
        .route("/revoke", post(revoke))
        .route("/reset", post(reset))
        .fallback(async || problem(StatusCode::NOT_FOUND, "no such control; see the README of the stand-in"))
        .method_not_allowed_fallback(async || problem(StatusCode::METHOD_NOT_ALLOWED, "no such method here"))
        .layer(from_fn(guard))
}

async fn requests(State(sandbox): State<Arc<Sandbox>>) -> Json<Vec<Record>> {
    Json(sandbox.log.records())
}

async fn counts(State(sandbox): State<Arc<Sandbox>>) -> Json<BTreeMap<String, u64>> {
    Json(sandbox.log.counts())
}

async fn forget(State(sandbox): State<Arc<Sandbox>>) -> StatusCode {
    sandbox.log.clear();
    StatusCode::NO_CONTENT
}

async fn left(State(sandbox): State<Arc<Sandbox>>) -> Response<Body> {
    script_left(&sandbox)
}

async fn script(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response<Body> {
    match read::<Vec<Step>>(&body) {
        Ok(steps) => {
            *lock(&sandbox.script) = steps.into_iter().map(|step| step.0).collect::<Vec<_>>().into();
            script_left(&sandbox)
        }
        Err(reason) => unreadable(&reason),
    }
}

fn script_left(sandbox: &Sandbox) -> Response<Body> {
    Json(json!({ "left": lock(&sandbox.script).left() })).into_response()
}

/// The settings as they are shown. The secret stays out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    api_key: &'a str,
    #[serde(flatten)]
    config: &'a Config,
}

async fn config(State(sandbox): State<Arc<Sandbox>>) -> Response<Body> {
    show(&lock(&sandbox.config))
}

async fn change(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response<Body> {
    let change = match read::<Change>(&body) {
        Ok(change) => change,
        Err(reason) => return unreadable(&reason),
    };
    let mut config = lock(&sandbox.config);
    match config.with(change) {
        Ok(changed) => {
            *config = changed;
            show(&config)
        }
        Err(reason) => unreadable(&reason),
    }
}

fn show(config: &Config) -> Response<Body> {
    Json(Shown { api_key: config.credentials.key(), config }).into_response()
}

/// Which tokens to take back.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Revocation {
    token: Option<String>,
}

async fn revoke(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response<Body> {
    let revocation = if body.is_empty() { Ok(Revocation::default()) } else { read(&body) };
    match revocation {
        Ok(Revocation { token }) => {
            let revoked = lock(&sandbox.tokens).revoke(token.as_deref());
            Json(json!({ "revoked": revoked })).into_response()
        }
        Err(reason) => unreadable(&reason),
    }
}

async fn reset(State(sandbox): State<Arc<Sandbox>>) -> StatusCode {
    sandbox.reset();
    StatusCode::NO_CONTENT
}

/// Lets this machine in and nobody else.
async fn guard(Extension(connection): Extension<Arc<Connection>>, request: Request, next: Next) -> Response<Body> {
    if !connection.peer.ip().to_canonical().is_loopback() {
        return problem(StatusCode::FORBIDDEN, "the control API is for this machine only");
    }
    let origin: Option<HeaderValue> = request.headers().get(ORIGIN).cloned();
    if origin.as_ref().is_some_and(|origin| !is_loopback(origin)) {
        return problem(StatusCode::FORBIDDEN, "the control API is for pages of this machine only");
    }
    let mut response = match CONTROL.preflight(request.method(), request.headers()) {
        Some(response) => response.map(Body::from),
        None => next.run(request).await,
    };
    cors::allow(origin, response.headers_mut());
    response
}

/// Whether an origin is a page of this machine.
fn is_loopback(origin: &HeaderValue) -> bool {
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

/// Reads JSON whatever its content type is, as someone with curl sends it.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn unreadable(reason: &str) -> Response<Body> {
    problem(StatusCode::BAD_REQUEST, reason)
}

fn problem(status: StatusCode, error: &str) -> Response<Body> {
    (status, Json(json!({ "error": error }))).into_response()
}
