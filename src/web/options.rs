//! Reads option objects. Every property is read once, and whatever a getter does, the answer is options or an error.

use super::host::{Host, get};
use super::json::utf8;
use crate::credentials::BasicCredentials;
use crate::error::AuthError;
use crate::options::{
    DEFAULT_BASE_URL, DEFAULT_ENVIRONMENT, DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_MS, Endpoint, Options, UrlParts,
    environment, max_retries, timeout_ms,
};
use alloc::boxed::Box;
use alloc::string::String;
use js_sys::JsString;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

type Result<T> = core::result::Result<T, Box<AuthError<JsValue>>>;

/// Everything a client is made of.
pub(super) struct ClientOptions {
    pub(super) options: Options,
    /// The function to send with; undefined for the global one.
    pub(super) fetch: JsValue,
    /// A `TokenStore`, or undefined.
    pub(super) store: JsValue,
    /// A function, or undefined.
    pub(super) wait_until: JsValue,
}

/// Reads the argument of `authenticate` (`once`), which knows neither store nor `waitUntil`, or of the constructor.
pub(super) fn read(host: &Host, options: &JsValue, once: bool) -> Result<ClientOptions> {
    if !options.is_object() && !options.is_function() {
        return Err(AuthError::option("options", "options is not an object"));
    }
    let user_id =
        secret(property(options, "apiKey")?, "apiKey", "apiKey is not a string", "apiKey holds a lone surrogate")?;
    let password = secret(
        property(options, "apiSecret")?,
        "apiSecret",
        "apiSecret is not a string",
        "apiSecret holds a lone surrogate",
    )?;
    let credentials = BasicCredentials::new(user_id, password)?;

    let environment = match optional(property(options, "environment")?) {
        None => String::from(DEFAULT_ENVIRONMENT),
        Some(value) => environment(
            value.as_string().ok_or_else(|| AuthError::option("environment", "environment is not a string"))?,
        )?,
    };
    let endpoint = endpoint(host, optional(property(options, "baseUrl")?))?;
    let timeout_ms = match optional(property(options, "timeout")?) {
        None => DEFAULT_TIMEOUT_MS,
        Some(value) => timeout_ms(value.as_f64().unwrap_or(f64::NAN))?,
    };
    let max_retries = match optional(property(options, "maxRetries")?) {
        None => DEFAULT_MAX_RETRIES,
        Some(value) => max_retries(value.as_f64().unwrap_or(f64::NAN))?,
    };
    let fetch = function(property(options, "fetch")?, "fetch", "fetch is not a function")?;
    let of_a_client = |name| if once { Ok(JsValue::UNDEFINED) } else { property(options, name) };
    let store = of_a_client("store")?;
    if !store.is_undefined() {
        check_store(&store)?;
    }
    let wait_until = function(of_a_client("waitUntil")?, "waitUntil", "waitUntil is not a function")?;
    let options = Options { credentials, environment, endpoint, timeout_ms, max_retries };
    Ok(ClientOptions { options, fetch, store, wait_until })
}

/// What one call wants.
pub(super) struct CallOptions {
    /// An `AbortSignal`, or undefined.
    pub(super) signal: JsValue,
    pub(super) force_refresh: bool,
}

/// Reads the argument of `getToken`, or of `authenticate` (`once`), which knows no `forceRefresh`.
pub(super) fn read_call(host: &Host, call: &JsValue, once: bool) -> Result<CallOptions> {
    if call.is_undefined() {
        return Ok(CallOptions { signal: JsValue::UNDEFINED, force_refresh: false });
    }
    if !call.is_object() && !call.is_function() {
        return Err(AuthError::option("call", "the call's options are not an object"));
    }
    let signal = property(call, "signal")?;
    if !signal.is_undefined() && !is_signal(host, &signal) {
        return Err(AuthError::option("signal", "signal is not an AbortSignal"));
    }
    let force_refresh = if once { None } else { optional(property(call, "forceRefresh")?) };
    let force_refresh = match force_refresh {
        None => false,
        Some(value) => {
            value.as_bool().ok_or_else(|| AuthError::option("forceRefresh", "forceRefresh is not a boolean"))?
        }
    };
    Ok(CallOptions { signal, force_refresh })
}

/// Why a signal aborted, if it has.
pub(super) fn aborted(signal: &JsValue) -> Option<JsValue> {
    let aborted = !signal.is_undefined() && get(signal, "aborted").is_ok_and(|aborted| aborted.is_truthy());
    aborted.then(|| get(signal, "reason").unwrap_or(JsValue::UNDEFINED))
}

fn is_signal(host: &Host, signal: &JsValue) -> bool {
    host.is_a(signal, "AbortSignal")
        && get(signal, "aborted").is_ok_and(|aborted| aborted.as_bool().is_some())
        && get(signal, "addEventListener").is_ok_and(|method| method.is_function())
}

fn endpoint(host: &Host, base_url: Option<JsValue>) -> Result<Endpoint> {
    let fault = || AuthError::option("baseUrl", "baseUrl is not a URL");
    let text = match base_url {
        None => String::from(DEFAULT_BASE_URL),
        Some(value) => match value.as_string() {
            Some(text) => text,
            None if host.is_a(&value, "URL") => {
                get(&value, "href").ok().and_then(|href| href.as_string()).ok_or_else(fault)?
            }
            None => return Err(fault()),
        },
    };
    let url = Url::new(&text).map_err(|_| fault())?;
    Endpoint::new(UrlParts {
        href: &url.href(),
        protocol: &url.protocol(),
        hostname: &url.hostname(),
        username: &url.username(),
        password: &url.password(),
    })
}

fn check_store(store: &JsValue) -> Result<()> {
    let fault = |message| Err(AuthError::option("store", message));
    if !store.is_object() && !store.is_function() {
        return fault("store is not an object");
    }
    for method in ["get", "set"] {
        if !property_of(store, "store", method)?.is_function() {
            return fault("store has no get or no set");
        }
    }
    for method in ["delete", "acquire", "release"] {
        let method = property_of(store, "store", method)?;
        if !method.is_undefined() && !method.is_function() {
            return fault("the store's delete, acquire or release is not a function");
        }
    }
    Ok(())
}

fn property(object: &JsValue, name: &'static str) -> Result<JsValue> {
    property_of(object, name, name)
}

/// A property, and which option to blame when its getter throws.
fn property_of(object: &JsValue, option: &'static str, name: &str) -> Result<JsValue> {
    get(object, name).map_err(|thrown| {
        let mut error = AuthError::option(option, "reading the option threw an error");
        error.cause = Some(thrown);
        error
    })
}

/// Only `undefined` means the default.
fn optional(value: JsValue) -> Option<JsValue> {
    (!value.is_undefined()).then_some(value)
}

fn function(value: JsValue, option: &'static str, message: &'static str) -> Result<JsValue> {
    if value.is_undefined() || value.is_function() { Ok(value) } else { Err(AuthError::option(option, message)) }
}

/// The text of a secret.
fn secret(
    value: JsValue,
    option: &'static str,
    not_a_string: &'static str,
    ill_formed: &'static str,
) -> Result<Zeroizing<String>> {
    let text: JsString = value.dyn_into().map_err(|_| AuthError::option(option, not_a_string))?;
    let (utf8, well_formed) = utf8(&text);
    if well_formed { Ok(utf8) } else { Err(AuthError::option(option, ill_formed)) }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = URL)]
    type Url;
    #[wasm_bindgen(constructor, catch, js_class = "URL")]
    fn new(url: &str) -> core::result::Result<Url, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn href(this: &Url) -> String;
    #[wasm_bindgen(method, getter)]
    fn protocol(this: &Url) -> String;
    #[wasm_bindgen(method, getter)]
    fn hostname(this: &Url) -> String;
    #[wasm_bindgen(method, getter)]
    fn username(this: &Url) -> String;
    #[wasm_bindgen(method, getter)]
    fn password(this: &Url) -> String;
}
