//! Sends the request and reads its reply. `fetch` is an option, so a response may be a stranger's object.

use super::error::{foreign, is_of_framework};
use super::value::{Lookup, bare_object, contain, has_method, member, name, property, text};
use crate::error::{AuthError, Code};
use crate::jwt::{Claims, payload};
use crate::request::TokenRequest;
use crate::response::{BODY_CAP, Body, Content, Headers, Reason};
use crate::time::{Instant, NumericDate};
use crate::whole::whole;
use js_sys::{ArrayBuffer, Function, Object, Reflect, Uint8Array};
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

    type Stream;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &Stream) -> Result<Reader, JsValue>;
    pub(super) type Reader;
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
    fn has_own(object: &JsValue, name: &JsValue) -> Result<bool, JsValue>;
}

thread_local! {
    // One for all: to make one takes longer than to decode a reply.
    static DECODER: Option<Decoder> = Decoder::new().ok();
    // Likewise: `fetch` gets a copy, with what is of the one request.
    static INIT: RequestInit = common_init();
}

/// Owns the controller of one attempt: what it began is aborted when this is dropped, unless it was completed.
#[derive(Debug)]
pub(super) struct AbortGuard {
    controller: Option<Controller>,
    signal: JsValue,
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
        let controller = Controller::new().ok();
        let signal = controller.as_ref().map(|controller| member(controller, "signal")).unwrap_or_default();
        Self { controller, signal, open: Rc::new(Cell::new(true)) }
    }

    /// The signal to send along.
    pub(super) fn signal(&self) -> JsValue {
        self.signal.clone()
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
pub(super) fn send(request: &TokenRequest, fetch: Option<&Function>, signal: &JsValue) -> Result<JsValue, JsValue> {
    let headers: RequestHeaders = bare_object().unchecked_into();
    headers.set_authorization(&request.authorization);
    headers.set_environment(&request.environment);
    let init: RequestInit = INIT.with(|init| Object::assign(&bare_object(), init)).unchecked_into();
    init.set_headers(&headers);
    init.set_signal(Some(signal.unchecked_ref()));
    match fetch {
        Some(fetch) => fetch.call2(&JsValue::UNDEFINED, &JsValue::from_str(&request.url), &init),
        None => global_fetch(&request.url, &init),
    }
}

/// What all requests say, as far as the platform's requests know of it. workerd has no cookies and refuses a request that speaks of
/// them before its release of February 2025, and one that speaks of a cache before its compatibility date of November 2024.
fn common_init() -> RequestInit {
    let prototype = member(&member(&js_sys::global(), "Request"), "prototype");
    let knows = |name| Reflect::has(&prototype, &JsValue::from_str(name)).unwrap_or(false);
    let init: RequestInit = bare_object().unchecked_into();
    init.set_method(TokenRequest::METHOD);
    init.set_redirect(RequestRedirect::Manual);
    if knows("credentials") {
        init.set_credentials(RequestCredentials::Omit);
    }
    if knows("cache") {
        init.set_cache(RequestCache::NoStore);
    }
    init
}

/// Why there is no reply.
pub(super) enum NoReply {
    /// A failure.
    Failed(Box<AuthError>),
    /// A framework's own error.
    Interrupted(JsValue),
}

fn no_reply(thrown: JsValue, is_global: bool) -> NoReply {
    if is_of_framework(&thrown) {
        return NoReply::Interrupted(thrown);
    }
    let is_missing = is_global && property(&js_sys::global(), "fetch").is_ok_and(|fetch| !fetch.is_function());
    let cause = foreign(thrown);
    NoReply::Failed(if is_missing { AuthError::no_fetch(cause) } else { AuthError::network(cause) })
}

/// An attempt that is under way.
#[derive(Clone)]
pub(super) struct Attempt {
    pub(super) open: Rc<Cell<bool>>,
    /// Until when its reply is read.
    pub(super) deadline: Instant,
}

impl Attempt {
    /// Whether somebody waits for it.
    pub(super) fn is_open(&self) -> bool {
        self.open.get()
    }
}

/// What counts of the head of a reply.
pub(super) struct ReplyHead {
    pub(super) attempt: Attempt,
    pub(super) status: f64,
    pub(super) headers: Headers,
}

/// The response that `fetch` brought, with its head. A header that cannot be read is one that is not there: pages do not see
/// all. `is_global`: it was the global `fetch` that was called.
pub(super) fn head(
    answer: Result<JsValue, JsValue>,
    is_global: bool,
    attempt: Attempt,
    local: NumericDate,
) -> Result<(Response, ReplyHead), NoReply> {
    let response: Response = answer.map_err(|thrown| no_reply(thrown, is_global))?.unchecked_into();
    let Some(status) = member(&response, "status").as_f64().and_then(whole) else {
        return Err(NoReply::Failed(AuthError::new(Code::InvalidResponse, "fetch brought no Response")));
    };
    // `Response.error()`: the platform's fetch rejects in its place (Fetch standard), one of the caller's own may not.
    if status == 0.0 && member(&response, "type") == "error" {
        return Err(NoReply::Failed(AuthError::new(Code::Network, "fetch brought a network error")));
    }
    let headers: Lookup = member(&response, "headers").unchecked_into();
    let header = |header| name(header, |header| headers.get(header)).ok()?.as_string();
    let headers =
        Headers::read(header("date").as_deref(), header("age").is_some(), header("retry-after").as_deref(), local);
    Ok((response, ReplyHead { attempt, status, headers }))
}

/// How a body is read.
pub(super) enum BodyForm {
    /// There is none.
    Empty,
    /// Chunk by chunk.
    Stream(Reader),
    /// At once, because a `fetch` of the caller's own has bodies that are no web streams; what asking for it came to.
    Buffer(Result<JsValue, JsValue>),
}

/// How the body of this response is read.
pub(super) fn body_of(response: &Response) -> Result<BodyForm, JsValue> {
    let stream = property(response, "body")?;
    if stream == JsValue::NULL {
        return Ok(BodyForm::Empty);
    }
    if !has_method(&stream, "getReader") {
        return Ok(BodyForm::Buffer(response.array_buffer()));
    }
    stream.unchecked_ref::<Stream>().get_reader().map(BodyForm::Stream)
}

/// What a body is that broke off by this.
pub(super) fn broken(thrown: JsValue) -> Result<Body, NoReply> {
    if is_of_framework(&thrown) { Err(NoReply::Interrupted(thrown)) } else { Ok(Body::Broken(foreign(thrown))) }
}

/// A body of which chunks have come.
pub(super) struct PartialBody {
    pub(super) head: ReplyHead,
    reader: Reader,
    chunks: Vec<Uint8Array>,
    size: u32,
}

/// How far a body has come.
pub(super) enum Progress {
    /// There may be more of it.
    More,
    /// It is read, as far as it ever will be.
    Done(Body),
}

impl PartialBody {
    pub(super) fn new(head: ReplyHead, reader: Reader) -> Self {
        Self { head, reader, chunks: Vec::new(), size: 0 }
    }

    /// Asks for the next chunk.
    pub(super) fn read(&self) -> Result<JsValue, JsValue> {
        self.reader.read()
    }

    /// Adds a chunk, as `read` resolved to it. The body is read no further than the cap.
    pub(super) fn add(&mut self, chunk: &JsValue) -> Result<Progress, JsValue> {
        if property(chunk, "done")?.is_truthy() {
            return Ok(Progress::Done(json_of(&joined(std::mem::take(&mut self.chunks), self.size))));
        }
        let value = property(chunk, "value")?;
        if !ArrayBuffer::is_view(&value) {
            return Err(js_sys::TypeError::new("the body holds a chunk that is no Uint8Array").into());
        }
        let bytes = copy_of(&value)?;
        let length = bytes.length();
        self.size += length;
        if self.size as usize > BODY_CAP {
            // The request is ended too; this is for streams that know nothing of it.
            if let Ok(cancelled) = self.reader.cancel() {
                contain(&cancelled);
            }
            return Ok(Progress::Done(Body::TooLarge));
        }
        if length > 0 {
            self.chunks.push(bytes);
        }
        Ok(Progress::More)
    }
}

/// A body that came whole.
pub(super) fn whole_body(buffer: &JsValue) -> Result<Body, JsValue> {
    let bytes = bytes_of(buffer)?;
    Ok(if bytes.length() as usize > BODY_CAP { Body::TooLarge } else { json_of(&bytes) })
}

/// The body that these bytes are. They are overwritten.
fn json_of(bytes: &Uint8Array) -> Body {
    let json = parse(bytes);
    bytes.fill(0, 0, bytes.length());
    json.map_or(Body::NotJson, |json| Body::Json(content_of(&json)))
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
    copy_of(&copy_of(buffer)?.into())
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
        reason: reason.and_then(|words| Some(Reason { text: text(&words)?, words: foreign(words) })),
    }
}

/// The object's own member: nothing that a page put on `Object.prototype` is part of a reply.
fn own(object: &JsValue, property: &'static str) -> Option<JsValue> {
    name(property, |property| has_own(object, property)).unwrap_or(false).then(|| member(object, property))
}
