//! Reads the caller's objects. Every property is read once; whatever a getter does, the answer is options or an error.

use super::error::foreign;
use super::value::{has_method, has_tag, is_object, is_same_text, member, property, text};
use crate::credentials::{BasicCredentials, Credentials, UserId};
use crate::error::AuthError;
use crate::options::{
    DEFAULT_BASE_URL, DEFAULT_ENVIRONMENT, DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_MS, Endpoint, Options, environment,
    max_retries, timeout_ms,
};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::Url;

type Result<T> = std::result::Result<T, Box<AuthError>>;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = URL)]
    type ParsedUrl;
    #[wasm_bindgen(constructor, js_class = "URL", catch)]
    fn parse(text: &JsValue) -> std::result::Result<ParsedUrl, JsValue>;

    /// An `AbortSignal`, or what passes for one.
    #[wasm_bindgen(extends = js_sys::Object)]
    #[derive(Clone)]
    pub(super) type Signal;
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    pub(super) fn add_event_listener(this: &Signal, name: &str, listener: &JsValue)
    -> std::result::Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    pub(super) fn remove_event_listener(
        this: &Signal,
        name: &str,
        listener: &JsValue,
    ) -> std::result::Result<(), JsValue>;
}

impl Signal {
    pub(super) fn is_aborted(&self) -> bool {
        member(self, "aborted") == JsValue::TRUE
    }

    pub(super) fn reason(&self) -> JsValue {
        member(self, "reason")
    }
}

/// A client's options, and what of them is JavaScript's.
pub(super) struct ClientOptions {
    pub(super) options: Options,
    pub(super) secret: Option<Function>,
    pub(super) fetch: Option<Function>,
    pub(super) on_event: Option<Function>,
    pub(super) store: Option<JsValue>,
    pub(super) leases: bool,
    pub(super) wait_until: Option<Function>,
}

/// What one call wants.
#[derive(Default)]
pub(super) struct CallRequest {
    pub(super) signal: Option<Signal>,
    pub(super) force: bool,
}

/// Reads the argument of `authenticate` (`once`), which knows neither store nor `waitUntil`, or of the constructor.
///
/// # Errors
///
/// Names the first option that is unusable: by type first, by value then.
pub(super) fn read_options(value: &JsValue, once: bool) -> Result<ClientOptions> {
    check_object(value, "options")?;
    let key = checked_text("apiKey", &read(value, "apiKey")?)?;
    let secret = read(value, "apiSecret")?;
    let secret_function = secret.dyn_ref::<Function>().cloned();
    let secret = if secret_function.is_some() { None } else { Some(checked_text("apiSecret", &secret)?) };
    let environment_value = match read(value, "environment")? {
        given if given.is_undefined() => DEFAULT_ENVIRONMENT.into(),
        given => given.as_string().ok_or_else(|| AuthError::option("environment", "is not a string"))?,
    };
    let href = read_url(read(value, "baseUrl")?)?;
    let timeout = read_number(value, "timeout", DEFAULT_TIMEOUT_MS)?;
    let retries = read_number(value, "maxRetries", DEFAULT_MAX_RETRIES.into())?;
    let fetch = read_function(value, "fetch")?;
    let on_event = read_function(value, "onEvent")?;
    let (store, leases) = if once { (None, false) } else { read_store(read(value, "store")?)? };
    let wait_until = if once { None } else { read_function(value, "waitUntil")? };

    let user_id = UserId::new(key)?;
    let credentials = match secret {
        Some(password) => Credentials::Fixed(BasicCredentials::new(user_id, password)?),
        None => Credentials::AskedFor(user_id),
    };
    let options = Options {
        credentials,
        environment: environment(environment_value)?,
        endpoint: Endpoint::new(&href)?,
        timeout_ms: timeout_ms(timeout)?,
        max_retries: max_retries(retries)?,
    };
    Ok(ClientOptions { options, secret: secret_function, fetch, on_event, store, leases, wait_until })
}

/// Reads the argument of `getToken`, or of `authenticate` (`once`), which knows no `forceRefresh`.
///
/// # Errors
///
/// Names `call`, `signal` or `forceRefresh`.
pub(super) fn read_call(value: &JsValue, once: bool) -> Result<CallRequest> {
    if value.is_undefined() {
        return Ok(CallRequest::default());
    }
    check_object(value, "call")?;
    let signal = match read(value, "signal")? {
        given if given.is_undefined() => None,
        given if is_signal(&given) => Some(given.unchecked_into()),
        _ => return Err(AuthError::option("signal", "is not an AbortSignal")),
    };
    let force = match if once { JsValue::UNDEFINED } else { read(value, "forceRefresh")? } {
        given if given.is_undefined() => false,
        given => given.as_bool().ok_or_else(|| AuthError::option("forceRefresh", "is not a boolean"))?,
    };
    Ok(CallRequest { signal, force })
}

fn is_signal(value: &JsValue) -> bool {
    is_object(value)
        && (value.has_type::<web_sys::AbortSignal>() || has_tag(value, "[object AbortSignal]"))
        && member(value, "aborted").as_bool().is_some()
        && has_method(value, "addEventListener")
}

fn check_object(value: &JsValue, option: &'static str) -> Result<()> {
    if is_object(value) { Ok(()) } else { Err(AuthError::option(option, "is not an object")) }
}

/// A property; if its getter throws, it is to blame.
fn read(value: &JsValue, option: &'static str) -> Result<JsValue> {
    property(value, option).map_err(|cause| unreadable(option, cause))
}

fn unreadable(option: &'static str, cause: JsValue) -> Box<AuthError> {
    let mut error = AuthError::option(option, "could not be read");
    error.cause = Some(foreign(cause));
    error
}

/// A number, or the default for undefined.
fn read_number(value: &JsValue, option: &'static str, default: f64) -> Result<f64> {
    let given = read(value, option)?;
    if given.is_undefined() {
        return Ok(default);
    }
    given.as_f64().ok_or_else(|| AuthError::option(option, "is not a number"))
}

fn read_function(value: &JsValue, option: &'static str) -> Result<Option<Function>> {
    let given = read(value, option)?;
    if given.is_undefined() {
        return Ok(None);
    }
    given.dyn_into().map(Some).map_err(|_| AuthError::option(option, "is not a function"))
}

/// Text that UTF-8 can carry.
fn checked_text(option: &'static str, value: &JsValue) -> Result<zeroize::Zeroizing<String>> {
    let problem = if value.is_undefined() { "is missing" } else { "is not a string" };
    let text = text(value).ok_or_else(|| AuthError::option(option, problem))?;
    if is_same_text(&text, value) { Ok(text) } else { Err(AuthError::option(option, "holds a lone surrogate")) }
}

/// A URL, as the platform's parser writes it.
fn read_url(value: JsValue) -> Result<String> {
    let href = if value.is_undefined() {
        JsValue::from_str(DEFAULT_BASE_URL)
    } else if is_object(&value) && (value.has_type::<Url>() || has_tag(&value, "[object URL]")) {
        member(&value, "href")
    } else {
        value
    };
    let parsed = if href.is_string() { ParsedUrl::parse(&href).ok() } else { None };
    parsed.and_then(|url| member(&url, "href").as_string()).ok_or_else(|| AuthError::option("baseUrl", "is not a URL"))
}

/// What is wrong with a store that has these methods, by their names. The first two have to be there.
const METHODS: [(&str, &str); 5] = [
    ("get", "has a get that is not a function"),
    ("set", "has a set that is not a function"),
    ("delete", "has a delete that is not a function"),
    ("acquire", "has an acquire that is not a function"),
    ("release", "has a release that is not a function"),
];

/// A store, and whether it gives leases. Its methods are looked at here, so that a mistake is told at once.
fn read_store(value: JsValue) -> Result<(Option<JsValue>, bool)> {
    if value.is_undefined() {
        return Ok((None, false));
    }
    check_object(&value, "store")?;
    let mut leases = false;
    for (name, fault) in METHODS {
        let method = property(&value, name).map_err(|cause| unreadable("store", cause))?;
        let is_left_out = method.is_undefined() && name != "get" && name != "set";
        if !method.is_function() && !is_left_out {
            return Err(AuthError::option("store", fault));
        }
        leases |= name == "acquire" && method.is_function();
    }
    Ok((Some(value), leases))
}
