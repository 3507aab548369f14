//! The exchange: `POST /v1/auth` over `fetch`, as often as the retry rules say.

use super::body;
use super::client::Shell;
use super::flight::Flight;
use super::host::get;
use super::options::ClientOptions;
use crate::error::AuthError;
use crate::json::whole;
use crate::request::TokenRequest;
use crate::response::{Headers, Reply, classify};
use crate::retry::next_delay;
use crate::time::{Instant, NumericDate};
use crate::token::AccessToken;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use js_sys::{Date, Function, Math, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
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
    let response = JsFuture::from(sent).await.map_err(AuthError::network)?;

    let status = get(&response, "status").ok().and_then(|status| status.as_f64()).and_then(whole);
    let status =
        status.ok_or_else(|| AuthError::new(crate::error::Code::InvalidResponse, "fetch brought no Response"))?;
    let local = NumericDate(Date::now() / 1_000.0);
    let headers = headers(&response, local);
    if status != 200.0 {
        // The status decides, even if the body does not come in time.
        let mut error = AuthError::status(status);
        error.retry_after = headers.retry_after;
        flight.stand(error);
    }
    let body = body::read(&shell.host, flight, &response).await;
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
    let init = init(&request);
    if let Ok(controller) = AbortController::new() {
        init.set_signal(Some(&controller.signal()));
        flight.take_charge(controller);
    }
    let global = if fetch.is_undefined() { get(&js_sys::global(), "fetch").ok() } else { None };
    let fetch = global.as_ref().unwrap_or(fetch);
    Ok(shell.host.call(fetch, &JsValue::UNDEFINED, &JsValue::from_str(request.url), &init, &JsValue::UNDEFINED))
}

/// Plain objects rather than `Request` and `Headers`: every `fetch` takes them, and they cost less.
fn init(request: &TokenRequest<'_>) -> RequestInit {
    let headers = Object::new();
    let _ = Reflect::set(&headers, &"Authorization".into(), &JsValue::from_str(&request.authorization));
    let _ = Reflect::set(&headers, &"X-Environment".into(), &JsValue::from_str(request.environment));
    let init = RequestInit::new();
    init.set_method(TokenRequest::METHOD);
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_credentials(RequestCredentials::Omit);
    if has_request_cache() {
        init.set_cache(RequestCache::NoStore);
    }
    init
}

/// workerd before its compatibility date of November 2024 has no `cache`, and refuses a request that sets it.
fn has_request_cache() -> bool {
    get(&js_sys::global(), "Request")
        .and_then(|request| get(&request, "prototype"))
        .and_then(|prototype| Reflect::has(&prototype, &"cache".into()))
        .unwrap_or(false)
}

/// A header that cannot be read is one that is not there: pages do not see those of another origin.
fn headers(response: &JsValue, local: NumericDate) -> Headers {
    let list = get(response, "headers").unwrap_or(JsValue::UNDEFINED);
    let reader: Option<Function> = get(&list, "get").ok().and_then(|method| method.dyn_into().ok());
    let read = |name: &str| -> Option<String> { reader.as_ref()?.call1(&list, &name.into()).ok()?.as_string() };
    Headers::read(read("date").as_deref(), read("age").as_deref(), read("retry-after").as_deref(), local)
}
