//! The exchange: `POST /v1/auth` over `fetch`, as often as the retry rules say.

use super::client::Shell;
use super::flight::Flight;
use super::host::Host;
use super::options::ClientOptions;
use super::reply;
use crate::error::AuthError;
use crate::json::whole;
use crate::request::TokenRequest;
use crate::response::{MAX_BODY_BYTES, Reply, classify};
use crate::retry::next_delay;
use crate::time::{Instant, NumericDate};
use crate::token::AccessToken;
use alloc::boxed::Box;
use alloc::rc::Rc;
use js_sys::{Date, Math};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestCache, RequestCredentials, RequestInit, RequestRedirect};

type Result<T> = core::result::Result<T, Box<AuthError<JsValue>>>;

/// A token and the instant from which its life counts: when it was asked for, because it cannot be older than that.
pub(super) struct Landing {
    pub(super) token: AccessToken,
    pub(super) from: Instant,
}

/// Attempts and waits until there is a token, or an error that is final.
pub(super) async fn exchange(shell: &Rc<Shell>, flight: &Flight) -> Result<Landing> {
    // What a flight before this one, which was lost, was waiting for.
    if let Some(until) = flight.retry_at.get() {
        flight.sleep(until).await;
    }
    loop {
        flight.retry_at.set(None);
        let attempts = flight.attempts.get() + 1;
        flight.attempts.set(attempts);
        let mut error = match attempt(shell, flight).await {
            Ok(landing) => return Ok(landing),
            Err(error) => error,
        };
        error.attempts = attempts;
        flight.hang_up();
        let max_retries = shell.options().map_or(0, |options| options.options.max_retries);
        let Some(delay_ms) = next_delay(&error, attempts, max_retries, Math::random()) else {
            return Err(error);
        };
        // A wait that does not fit in the deadline is not begun.
        let until = shell.now().plus(delay_ms);
        if until >= flight.deadline.get() && !shell.outwait(flight, until, error.clone()) {
            return Err(error);
        }
        flight.stand(error);
        flight.retry_at.set(Some(until));
        flight.sleep(until).await;
        flight.stand(AuthError::timeout());
    }
}

/// One request and its reply.
async fn attempt(shell: &Shell, flight: &Flight) -> Result<Landing> {
    let from = shell.now();
    let sent = send(shell, flight)?;
    let reply: reply::Reply = JsFuture::from(sent).await.map_err(AuthError::network)?.unchecked_into();

    let status = reply.status().and_then(whole);
    let status =
        status.ok_or_else(|| AuthError::new(crate::error::Code::InvalidResponse, "fetch brought no Response"))?;
    let local = NumericDate(Date::now() / 1_000.0);
    let headers = reply.headers(local);
    if status != 200.0 {
        // The status decides, even if the body does not come in time.
        let mut error = AuthError::status(status);
        error.retry_after = headers.retry_after;
        flight.stand(error);
    }
    let body = reply.body(flight.deadline.get()).await;
    let options = shell.options().ok_or_else(AuthError::timeout)?;
    let token = classify(Reply { status, headers, body }, &options.options.credentials, local)?;
    Ok(Landing { token, from })
}

/// Hands the request to `fetch`. Nothing of ours that holds the credentials outlives this function.
fn send(shell: &Shell, flight: &Flight) -> Result<js_sys::Promise> {
    // Only a closed client has no options; its flight is cancelled, and the error is never seen.
    let options = shell.options().ok_or_else(AuthError::timeout)?;
    let ClientOptions { options, fetch, .. } = &*options;
    let request = TokenRequest::new(options);
    let init = init(&request, &shell.host);
    if let Ok(controller) = AbortController::new() {
        init.set_signal(Some(&controller.signal()));
        flight.take_charge(controller);
    }
    Ok(shell.host.send(fetch, request.url, &init, MAX_BODY_BYTES, flight.deadline.get().0))
}

/// Plain objects rather than `Request` and `Headers`: every `fetch` takes them, and they cost less.
fn init(request: &TokenRequest<'_>, host: &Host) -> RequestInit {
    let init = RequestInit::new();
    init.set_method(TokenRequest::METHOD);
    init.set_headers(&host.headers(&request.authorization, request.environment));
    init.set_redirect(RequestRedirect::Manual);
    init.set_credentials(RequestCredentials::Omit);
    if host.has_request_cache() {
        init.set_cache(RequestCache::NoStore);
    }
    init
}
