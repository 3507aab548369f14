//! Sends the request and reads its reply. `fetch` is an option, so a response may be a stranger's object.

use super::error::is_of_framework;
use super::value::{bare_object, contain, has_method, property, settled, text, utf8};
use crate::error::{AuthError, Code, Foreign};
use crate::jwt::{Claims, payload};
use crate::request::TokenRequest;
use crate::response::{BODY_CAP, Body, Content, Headers, Reason, Reply};
use crate::time::NumericDate;
use crate::whole::whole;
use js_sys::{ArrayBuffer, Function, Promise, Reflect, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{RequestCache, RequestCredentials, RequestInit, RequestRedirect};

#[wasm_bindgen]
extern "C" {
    /// The global `fetch`, as it is when it is called: frameworks replace it.
    #[wasm_bindgen(js_name = fetch, catch)]
    fn global_fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue>;

    type Controller;
    #[wasm_bindgen(constructor, js_class = "AbortController", catch)]
    fn new() -> Result<Controller, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn abort(this: &Controller) -> Result<(), JsValue>;

    type RequestHeaders;
    #[wasm_bindgen(method, setter, js_name = "Authorization")]
    fn set_authorization(this: &RequestHeaders, value: &str);
    #[wasm_bindgen(method, setter, js_name = "X-Environment")]
    fn set_environment(this: &RequestHeaders, value: &str);

    /// What `fetch` resolved to.
    pub(super) type Response;
    #[wasm_bindgen(method, catch, js_name = arrayBuffer)]
    fn array_buffer(this: &Response) -> Result<JsValue, JsValue>;

    type ResponseHeaders;
    #[wasm_bindgen(method, catch)]
    fn get(this: &ResponseHeaders, name: &str) -> Result<JsValue, JsValue>;

    type Stream;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &Stream) -> Result<Reader, JsValue>;
    type Reader;
    #[wasm_bindgen(method, catch)]
    fn read(this: &Reader) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn cancel(this: &Reader) -> Result<JsValue, JsValue>;

    type Copy;
    #[wasm_bindgen(constructor, js_class = "Uint8Array", catch)]
    fn of(bytes: &JsValue) -> Result<Copy, JsValue>;
    type View;
    #[wasm_bindgen(constructor, js_class = "DataView", catch)]
    fn over(buffer: &JsValue) -> Result<View, JsValue>;

    type Decoder;
    #[wasm_bindgen(constructor, js_class = "TextDecoder", catch)]
    fn new() -> Result<Decoder, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn decode(this: &Decoder, bytes: &Uint8Array) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn parse_json(text: &JsValue) -> Result<JsValue, JsValue>;

    /// Throws on null and undefined.
    #[wasm_bindgen(js_namespace = Object, js_name = hasOwn, catch)]
    fn has_own(object: &JsValue, name: &str) -> Result<bool, JsValue>;
}

thread_local! {
    // One for all: to make one takes longer than to decode a reply.
    static DECODER: Option<Decoder> = Decoder::new().ok();
}

/// Owns the controller of one attempt: what it began is aborted when this is dropped, unless it was completed.
#[derive(Debug)]
pub(super) struct AbortGuard {
    controller: Option<Controller>,
    open: Rc<Cell<bool>>,
}

impl std::fmt::Debug for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Controller")
    }
}

impl AbortGuard {
    /// A controller, where the platform has them.
    pub(super) fn new() -> Self {
        Self { controller: Controller::new().ok(), open: Rc::new(Cell::new(true)) }
    }

    /// The signal to send along.
    pub(super) fn signal(&self) -> JsValue {
        self.controller.as_ref().and_then(|controller| property(controller, "signal").ok()).unwrap_or_default()
    }

    /// Whether somebody waits for the attempt: true until this is dropped.
    pub(super) fn open(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.open)
    }

    /// The attempt is over, and nothing is left to abort.
    pub(super) fn complete(mut self) {
        self.controller = None;
    }
}

impl Drop for AbortGuard {
    fn drop(&mut self) {
        self.open.set(false);
        if let Some(controller) = &self.controller {
            let _ = controller.abort();
        }
    }
}

/// Calls `fetch` with the request: the caller's own, or the global one.
pub(super) fn send(
    request: &TokenRequest,
    fetch: Option<&Function>,
    signal: &JsValue,
    cache: bool,
) -> Result<JsValue, JsValue> {
    let headers: RequestHeaders = bare_object().unchecked_into();
    headers.set_authorization(&request.authorization);
    headers.set_environment(&request.environment);
    let init: RequestInit = bare_object().unchecked_into();
    init.set_method(TokenRequest::METHOD);
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    init.set_credentials(RequestCredentials::Omit);
    init.set_signal(signal.dyn_ref());
    if cache {
        init.set_cache(RequestCache::NoStore);
    }
    match fetch {
        Some(fetch) => fetch.call2(&JsValue::UNDEFINED, &JsValue::from_str(&request.url), &init),
        None => global_fetch(&request.url, &init),
    }
}

/// Whether a request may say that no cache is to be used: workerd before its compatibility date of November 2024 refuses one
/// that does.
pub(super) fn knows_cache() -> bool {
    property(&js_sys::global(), "Request")
        .and_then(|class| property(&class, "prototype"))
        .and_then(|prototype| Reflect::has(&prototype, &JsValue::from_str("cache")))
        .unwrap_or(false)
}

/// Why there is no reply.
pub(super) enum NoReply {
    /// A failure.
    Failed(Box<AuthError>),
    /// A framework's own error.
    Interrupted(JsValue),
}

impl From<Box<AuthError>> for NoReply {
    fn from(error: Box<AuthError>) -> Self {
        Self::Failed(error)
    }
}

fn no_reply(thrown: JsValue) -> NoReply {
    if is_of_framework(&thrown) {
        return NoReply::Interrupted(thrown);
    }
    NoReply::Failed(AuthError::network(Foreign::new(thrown)))
}

/// What counts of the head of a reply. A header that cannot be read is one that is not there: pages do not see all.
pub(super) async fn head(
    called: Result<JsValue, JsValue>,
    ended: &Promise,
    local: impl Fn() -> NumericDate,
) -> Result<(Response, f64, Headers), NoReply> {
    let response = match called {
        Ok(promise) => settled(&promise, ended).await.map_err(no_reply)?,
        Err(thrown) => return Err(no_reply(thrown)),
    };
    let response: Response = response.unchecked_into();
    let Some(status) = property(&response, "status").ok().and_then(|status| status.as_f64()).and_then(whole) else {
        return Err(AuthError::new(Code::InvalidResponse, "fetch brought no Response").into());
    };
    let headers = property(&response, "headers").ok().map(ResponseHeaders::unchecked_from_js);
    let header = |name| headers.as_ref().and_then(|headers| headers.get(name).ok()).and_then(|value| value.as_string());
    let headers =
        Headers::read(header("date").as_deref(), header("age").is_some(), header("retry-after").as_deref(), local());
    Ok((response, status, headers))
}

/// The whole reply. The body is read no further than the cap, nor when `given_up` says that nobody waits for it.
pub(super) async fn reply(
    response: &Response,
    status: f64,
    headers: Headers,
    ended: &Promise,
    given_up: impl Fn() -> bool,
) -> Result<Reply, NoReply> {
    let body = match read_bytes(response, ended, given_up).await {
        Ok(Some(bytes)) => {
            let content = parse(&bytes);
            bytes.fill(0, 0, bytes.length());
            content.map_or(Body::NotJson, |json| Body::Json(content_of(&json)))
        }
        Ok(None) => Body::TooLarge,
        Err(thrown) if is_of_framework(&thrown) => return Err(NoReply::Interrupted(thrown)),
        Err(cause) => Body::Broken(Foreign::new(cause)),
    };
    Ok(Reply { status, headers, body })
}

/// All bytes of the body; `None` if there are more than the cap.
async fn read_bytes(
    response: &Response,
    ended: &Promise,
    given_up: impl Fn() -> bool,
) -> Result<Option<Uint8Array>, JsValue> {
    let stream = property(response, "body")?;
    if stream.is_null() {
        return Ok(Some(Uint8Array::new_with_length(0)));
    }
    let stream: Stream = stream.unchecked_into();
    if !has_method(&stream, "getReader") {
        // A `fetch` of the caller's own whose bodies are no web streams.
        let buffer = settled(&response.array_buffer()?, ended).await?;
        return Ok(within_cap(bytes_of(&buffer)?));
    }
    let reader = stream.get_reader()?;
    let mut chunks: Vec<Uint8Array> = Vec::new();
    let mut size = 0;
    loop {
        let chunk = settled(&reader.read()?, ended).await?;
        if property(&chunk, "done")?.is_truthy() {
            return Ok(Some(joined(chunks, size)));
        }
        if given_up() {
            return Err(type_error("nobody waits for the body"));
        }
        let value = property(&chunk, "value")?;
        if !ArrayBuffer::is_view(&value) {
            return Err(type_error("the body holds a chunk that is no Uint8Array"));
        }
        let bytes = copy_of(&value)?;
        let length = bytes.length();
        size += length;
        if size as usize > BODY_CAP {
            // The request is ended too; this is for streams that know nothing of it.
            if let Ok(cancelled) = reader.cancel() {
                contain(&cancelled);
            }
            return Ok(None);
        }
        if length > 0 {
            chunks.push(bytes);
        }
    }
}

/// A copy of bytes by the engine's own reading of them: a subclass may lie about its length. An error for a detached buffer.
fn copy_of(bytes: &JsValue) -> Result<Uint8Array, JsValue> {
    Copy::of(bytes).map(JsCast::unchecked_into)
}

/// The bytes of what should be an `ArrayBuffer`.
pub(super) fn bytes_of(buffer: &JsValue) -> Result<Uint8Array, JsValue> {
    // An array, an iterable or a number would be bytes to the other constructor, as many as it says.
    View::over(buffer)?;
    // Of a buffer, that is a view. What is read is overwritten later, and the buffer is a stranger's: it may be shared, too.
    copy_of(buffer).map(|view| view.slice(0, view.length()))
}

fn within_cap(bytes: Uint8Array) -> Option<Uint8Array> {
    (bytes.length() as usize <= BODY_CAP).then_some(bytes)
}

fn type_error(message: &str) -> JsValue {
    js_sys::TypeError::new(message).into()
}

/// All, in one buffer; those that they were in are overwritten.
fn joined(mut chunks: Vec<Uint8Array>, size: u32) -> Uint8Array {
    if chunks.len() == 1
        && let Some(only) = chunks.pop()
    {
        return only;
    }
    let whole = Uint8Array::new_with_length(size);
    let mut at = 0;
    for chunk in chunks {
        whole.set(&chunk, at);
        at += chunk.length();
        chunk.fill(0, 0, chunk.length());
    }
    whole
}

/// JSON out of bytes, as the Fetch standard's `json()` decodes it: a byte order mark is dropped, what is not UTF-8 replaced.
fn parse(bytes: &Uint8Array) -> Option<JsValue> {
    // The text, which may hold a token, stays in JavaScript.
    let text = DECODER.with(|decoder| decoder.as_ref()?.decode(bytes).ok())?;
    parse_json(&text).ok()
}

/// The claims of a token, if it is a JWT.
pub(super) fn claims_of(token: &str) -> Claims {
    let Some(payload) = payload(token) else { return Claims::default() };
    let bytes = Uint8Array::from(&**payload);
    let Some(json) = parse(&bytes) else { return Claims::default() };
    let date = |value: Option<JsValue>| {
        value.and_then(|value| value.as_f64()).filter(|date| date.is_finite()).map(NumericDate)
    };
    Claims { iat: date(own(&json, "iat")), exp: date(own(&json, "exp")) }
}

fn content_of(json: &JsValue) -> Content {
    let number = |value: Option<JsValue>| value.and_then(|value| value.as_f64());
    let data = own(json, "data").unwrap_or_default();
    let token = own(&data, "token").and_then(|token| text(&token));
    let reason = own(json, "reason");
    Content {
        status_code: number(own(json, "statusCode")),
        claims: token.as_deref().map(|token| claims_of(token)).unwrap_or_default(),
        token,
        exp: number(own(&data, "exp")),
        reason: reason.and_then(|words| Some(Reason { utf8: utf8(&words)?, words: Foreign::new(words) })),
    }
}

/// The object's own member: nothing that a page put on `Object.prototype` is part of a reply.
fn own(object: &JsValue, name: &str) -> Option<JsValue> {
    if has_own(object, name).unwrap_or(false) { property(object, name).ok() } else { None }
}
