//! What JavaScript calls: a client, and a single exchange.

use super::error::value_of;
use super::options::read_options;
use super::shell::{Shell, TokenCache};
use super::value::text;
use crate::token::Fingerprint;
use js_sys::{Function, Promise};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

/// Secrets and state stay behind it, in this module's memory.
#[wasm_bindgen(js_name = Client)]
#[derive(Debug)]
pub struct WebClient(Rc<Shell>);

#[wasm_bindgen(js_class = Client)]
impl WebClient {
    /// A client for these options. The token that it holds is put into `cache`.
    ///
    /// # Errors
    ///
    /// An `InvalidOptionsError`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsValue, cache: TokenCache) -> Result<WebClient, JsValue> {
        let options = read_options(options, false).map_err(|error| value_of(&error))?;
        Ok(Self(Shell::new(options, Some(cache))))
    }

    /// A promise of a token.
    #[wasm_bindgen(js_name = getToken)]
    pub fn get_token(&self, call: &JsValue) -> Promise {
        self.0.get_token(call)
    }

    /// The token held (or, if a string names one, that one, if it is held) is no good.
    pub fn invalidate(&self, token: &JsValue) {
        let fingerprint = fingerprint_of(token);
        self.0.update(|client, now| client.invalidate(fingerprint, now));
    }

    /// A request with this token got a 401. Whether it is to be sent once more, with a new token, which it can if `replayable`.
    #[must_use]
    pub fn unauthorized(&self, token: &JsValue, replayable: bool) -> bool {
        let fingerprint = fingerprint_of(token).unwrap_or_default();
        let mut retry = false;
        self.0.update(|client, now| {
            let (retried, effects) = client.unauthorized(fingerprint, replayable, now);
            retry = retried;
            effects
        });
        retry
    }

    /// That one got a 401, too.
    #[wasm_bindgen(js_name = unauthorizedAgain)]
    pub fn unauthorized_again(&self, token: &JsValue) {
        let fingerprint = fingerprint_of(token).unwrap_or_default();
        self.0.update(|client, now| client.unauthorized_again(fingerprint, now));
    }

    /// Forgets and overwrites the secret. Whoever waits gets an error.
    pub fn close(&self) {
        self.0.close();
    }

    /// `baseUrl` as a folder: it ends in a slash.
    #[wasm_bindgen(getter, js_name = baseUrl)]
    #[must_use]
    pub fn base_url(&self) -> JsValue {
        JsValue::from_str(&self.0.base_url)
    }

    /// The value of `X-Environment`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn environment(&self) -> JsValue {
        JsValue::from_str(&self.0.environment)
    }

    /// The option `fetch`.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn fetch(&self) -> Option<Function> {
        self.0.fetch.clone()
    }
}

/// One exchange: a promise of a token, which rejects with an `AuthError`.
#[wasm_bindgen]
pub fn authenticate(options: &JsValue, call: &JsValue) -> Promise {
    match read_options(options, true) {
        Ok(options) => Shell::new(options, None).get_token(call),
        Err(error) => Promise::reject(&value_of(&error)),
    }
}

fn fingerprint_of(token: &JsValue) -> Option<Fingerprint> {
    text(token).map(|token| Fingerprint::of(&token))
}
