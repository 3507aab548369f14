//! Reads the caller's objects. Every property is read once; whatever a getter does, the answer is options or an error.

use super::value::{has_tag, is_object, is_same_text, text, utf8};
use crate::credentials::{BasicCredentials, Credentials, UserId};
use crate::error::{AuthError, Foreign};
use crate::options::{
    DEFAULT_BASE_URL, DEFAULT_ENVIRONMENT, DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_MS, Endpoint, Options, UrlParts,
    environment, max_retries, timeout_ms,
};
use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::Url;

type Result<T> = std::result::Result<T, Box<AuthError>>;

#[wasm_bindgen]
extern "C" {
    type AuthOptions;
    #[wasm_bindgen(method, getter, catch, js_name = apiKey)]
    fn api_key(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = apiSecret)]
    fn api_secret(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn environment(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = baseUrl)]
    fn base_url(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn timeout(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = maxRetries)]
    fn max_retries(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn fetch(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = onEvent)]
    fn on_event(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn store(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = waitUntil)]
    fn wait_until(this: &AuthOptions) -> std::result::Result<JsValue, JsValue>;

    /// What the store's methods are, before they are called.
    type StoreMethods;
    #[wasm_bindgen(method, getter, catch)]
    fn get(this: &StoreMethods) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn set(this: &StoreMethods) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn delete(this: &StoreMethods) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn acquire(this: &StoreMethods) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch)]
    fn release(this: &StoreMethods) -> std::result::Result<JsValue, JsValue>;

    type CallOptions;
    #[wasm_bindgen(method, getter, catch)]
    fn signal(this: &CallOptions) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = forceRefresh)]
    fn force_refresh(this: &CallOptions) -> std::result::Result<JsValue, JsValue>;

    type UrlLike;
    #[wasm_bindgen(method, getter, catch)]
    fn href(this: &UrlLike) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = URL)]
    type ParsedUrl;
    #[wasm_bindgen(constructor, js_class = "URL", catch)]
    fn parse(text: &JsValue) -> std::result::Result<ParsedUrl, JsValue>;

    /// An `AbortSignal`, or what passes for one.
    #[wasm_bindgen(extends = js_sys::Object)]
    #[derive(Clone)]
    pub(super) type Signal;
    #[wasm_bindgen(method, getter, catch)]
    fn aborted(this: &Signal) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = reason)]
    fn try_reason(this: &Signal) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, getter, catch, js_name = addEventListener)]
    fn add_event_listener_method(this: &Signal) -> std::result::Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, js_name = addEventListener)]
    pub(super) fn add_event_listener(
        this: &Signal,
        name: &str,
        listener: &JsValue,
    ) -> std::result::Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = removeEventListener)]
    pub(super) fn remove_event_listener(
        this: &Signal,
        name: &str,
        listener: &JsValue,
    ) -> std::result::Result<(), JsValue>;
}

impl Signal {
    pub(super) fn is_aborted(&self) -> bool {
        self.aborted().is_ok_and(|aborted| aborted == JsValue::TRUE)
    }

    pub(super) fn reason(&self) -> JsValue {
        self.try_reason().unwrap_or_default()
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
    let options = object::<AuthOptions>(value, "options")?;
    let key = read_text("apiKey", options.api_key())?;
    let secret = property("apiSecret", options.api_secret())?;
    let secret_function = secret.dyn_ref::<Function>().cloned();
    let secret = if secret_function.is_some() { None } else { Some(read_text("apiSecret", Ok(secret))?) };
    let environment_value = optional("environment", options.environment(), "is not a string", |value| text(&value))?;
    let url = read_url(property("baseUrl", options.base_url())?)?;
    let timeout = optional("timeout", options.timeout(), "is not a number", |value| value.as_f64())?;
    let retries = optional("maxRetries", options.max_retries(), "is not a number", |value| value.as_f64())?;
    let fetch = function("fetch", options.fetch())?;
    let on_event = function("onEvent", options.on_event())?;
    let (store, leases) = if once { (None, false) } else { read_store(property("store", options.store())?)? };
    let wait_until = if once { None } else { function("waitUntil", options.wait_until())? };

    let user_id = UserId::new(key)?;
    let credentials = match secret {
        Some(password) => Credentials::Fixed(BasicCredentials::new(user_id, password)?),
        None => Credentials::AskedFor(user_id),
    };
    let environment_value = environment_value.map_or_else(|| DEFAULT_ENVIRONMENT.into(), |text| (*text).clone());
    let options = Options {
        credentials,
        environment: environment(environment_value)?,
        endpoint: Endpoint::new(UrlParts {
            href: &url.href(),
            protocol: &url.protocol(),
            hostname: &url.hostname(),
            user_info: !url.username().is_empty() || !url.password().is_empty(),
        })?,
        timeout_ms: timeout_ms(timeout.unwrap_or(DEFAULT_TIMEOUT_MS))?,
        max_retries: max_retries(retries.unwrap_or(f64::from(DEFAULT_MAX_RETRIES)))?,
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
    let call = object::<CallOptions>(value, "call")?;
    let signal = optional("signal", call.signal(), "is not an AbortSignal", as_signal)?;
    let force = match once {
        true => None,
        false => optional("forceRefresh", call.force_refresh(), "is not a boolean", |value| value.as_bool())?,
    };
    Ok(CallRequest { signal, force: force.unwrap_or(false) })
}

fn as_signal(value: JsValue) -> Option<Signal> {
    if !is_object(&value) {
        return None;
    }
    let is_one = value.has_type::<web_sys::AbortSignal>() || has_tag(&value, "[object AbortSignal]");
    let signal: Signal = value.unchecked_into();
    let works = is_one
        && signal.aborted().is_ok_and(|aborted| aborted.as_bool().is_some())
        && signal.add_event_listener_method().is_ok_and(|method| method.is_function());
    works.then_some(signal)
}

fn object<'a, T: JsCast>(value: &'a JsValue, option: &'static str) -> Result<&'a T> {
    if is_object(value) { Ok(value.unchecked_ref()) } else { Err(AuthError::option(option, "is not an object")) }
}

/// A property; if its getter throws, `option` is to blame.
fn property(option: &'static str, read: std::result::Result<JsValue, JsValue>) -> Result<JsValue> {
    read.map_err(|cause| {
        let mut error = AuthError::option(option, "could not be read");
        error.cause = Some(Foreign::new(cause));
        error
    })
}

/// A property of this type, or `None` for undefined, which alone means the default.
fn optional<T>(
    option: &'static str,
    read: std::result::Result<JsValue, JsValue>,
    fault: &'static str,
    convert: impl FnOnce(JsValue) -> Option<T>,
) -> Result<Option<T>> {
    let value = property(option, read)?;
    if value.is_undefined() {
        return Ok(None);
    }
    convert(value).map(Some).ok_or_else(|| AuthError::option(option, fault))
}

fn function(option: &'static str, read: std::result::Result<JsValue, JsValue>) -> Result<Option<Function>> {
    optional(option, read, "is not a function", |value| value.dyn_into().ok())
}

/// Text that UTF-8 can carry.
fn read_text(
    option: &'static str,
    read: std::result::Result<JsValue, JsValue>,
) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let value = property(option, read)?;
    let utf8 = utf8(&value).ok_or_else(|| AuthError::option(option, "is not a string"))?;
    if is_same_text(&utf8, &value) { Ok(utf8) } else { Err(AuthError::option(option, "holds a lone surrogate")) }
}

fn read_url(value: JsValue) -> Result<Url> {
    let href = if value.is_undefined() {
        JsValue::from_str(DEFAULT_BASE_URL)
    } else if is_object(&value) && (value.has_type::<Url>() || has_tag(&value, "[object URL]")) {
        value.unchecked_ref::<UrlLike>().href().unwrap_or_default()
    } else {
        value
    };
    let parsed = if href.is_string() { ParsedUrl::parse(&href).ok() } else { None };
    parsed.map(JsCast::unchecked_into).ok_or_else(|| AuthError::option("baseUrl", "is not a URL"))
}

/// A store, and whether it gives leases. Its methods are looked at here, so that a mistake is told at once.
fn read_store(value: JsValue) -> Result<(Option<JsValue>, bool)> {
    if value.is_undefined() {
        return Ok((None, false));
    }
    let methods = object::<StoreMethods>(&value, "store")?;
    let fault = |message| Err(AuthError::option("store", message));
    let is_missing = |read| property("store", read).map(|method: JsValue| !method.is_function());
    if is_missing(methods.get())? {
        return fault("has a get that is not a function");
    }
    if is_missing(methods.set())? {
        return fault("has a set that is not a function");
    }
    let is_wrong = |read| property("store", read).map(|method: JsValue| !method.is_undefined() && !method.is_function());
    if is_wrong(methods.delete())? {
        return fault("has a delete that is not a function");
    }
    let acquire = property("store", methods.acquire())?;
    if !acquire.is_undefined() && !acquire.is_function() {
        return fault("has an acquire that is not a function");
    }
    if is_wrong(methods.release())? {
        return fault("has a release that is not a function");
    }
    Ok((Some(value), acquire.is_function()))
}
