//! The wasm module of the emulator: the contract's library, for JavaScript.
//!
//! Two rules hold. No exception crosses a frame of this module: whatever foreign code can make throw is called by an
//! import that catches. And no foreign code runs while an `Emulator` is borrowed: a config and a script are read by
//! functions of their own first, since their getters may call the emulator.
#![cfg(target_arch = "wasm32")]

mod read;

use digitalpaye_emulator::script::{Behaviour, Script};
use digitalpaye_emulator::token::KEY_LENGTH;
use digitalpaye_emulator::{Config, Emulator};
use js_sys::TypeError;
use wasm_bindgen::prelude::*;

#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// No clock is moved further than this at once, about 31 years.
const MOST_SECONDS: u32 = 1_000_000_000;

/// Settings that were read and checked.
#[wasm_bindgen(js_name = Config)]
#[derive(Debug)]
pub struct CheckedConfig(Config);

/// A script that was read and checked.
#[wasm_bindgen(js_name = Script)]
#[derive(Debug)]
pub struct CheckedScript(Script<Behaviour>);

#[wasm_bindgen(js_class = Config)]
impl CheckedConfig {
    /// Reads what `createEmulator` was given.
    ///
    /// # Errors
    ///
    /// A `TypeError` that names the field.
    pub fn read(value: &JsValue) -> Result<CheckedConfig, JsValue> {
        let settings = read::settings(value)?;
        settings.check().map(CheckedConfig).map_err(|invalid| TypeError::new(&format!("config.{invalid}")).into())
    }

    /// The API key that is right.
    #[wasm_bindgen(js_name = apiKey)]
    #[must_use]
    pub fn api_key(&self) -> String {
        self.0.credentials.key().to_owned()
    }

    /// The API secret that is right.
    #[wasm_bindgen(js_name = apiSecret)]
    #[must_use]
    pub fn api_secret(&self) -> String {
        self.0.credentials.secret().to_owned()
    }
}

#[wasm_bindgen(js_class = Script)]
impl CheckedScript {
    /// Reads what `script` was given.
    ///
    /// # Errors
    ///
    /// A `TypeError` that names the field.
    pub fn read(value: &JsValue) -> Result<CheckedScript, JsValue> {
        let mut steps = Vec::new();
        for (index, spec) in read::script(value)?.into_iter().enumerate() {
            let step = spec.check().map_err(|invalid| TypeError::new(&format!("script[{index}].{invalid}")))?;
            steps.push(step);
        }
        Ok(Self(steps.into()))
    }
}

/// The API of one test. Answers are JSON, so that no property of theirs can meet a setter.
#[wasm_bindgen(js_name = Emulator)]
#[derive(Debug)]
pub struct Api {
    emulator: Emulator,
    /// By how much the clock was moved.
    advanced_ms: i64,
}

#[wasm_bindgen(js_class = Emulator)]
impl Api {
    /// An API with these settings.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(config: &CheckedConfig) -> Self {
        Self { emulator: Emulator::new(config.0.clone(), [0; KEY_LENGTH]), advanced_ms: 0 }
    }

    /// How many random bytes `seed` takes.
    #[wasm_bindgen(js_name = keyLength)]
    #[must_use]
    pub fn key_length() -> usize {
        KEY_LENGTH
    }

    /// Signs tokens with these random bytes from now on. Not an argument of the constructor, because there are none at
    /// module scope in workerd.
    pub fn seed(&mut self, random: &[u8]) {
        let mut key = [0; KEY_LENGTH];
        for (to, from) in key.iter_mut().zip(random) {
            *to = *from;
        }
        self.emulator.set_key(key);
    }

    /// Puts a script in place of what is left of the last one.
    #[wasm_bindgen(js_name = setScript)]
    pub fn set_script(&mut self, script: &CheckedScript) {
        self.emulator.set_script(script.0.clone());
    }

    /// Moves the clock.
    ///
    /// # Errors
    ///
    /// A `TypeError` when this is no number of seconds.
    #[allow(clippy::cast_possible_truncation, reason = "within bounds")]
    pub fn advance(&mut self, seconds: &JsValue) -> Result<(), JsValue> {
        let rule = format!("seconds must be a number from 0 to {MOST_SECONDS}");
        let Some(number) = seconds.as_f64() else {
            return Err(read::wrong_type(&rule, seconds));
        };
        if !(0.0..=f64::from(MOST_SECONDS)).contains(&number) {
            return Err(TypeError::new(&rule).into());
        }
        self.advanced_ms = self.advanced_ms.saturating_add((number * 1000.0).round() as i64);
        Ok(())
    }

    /// Takes back one token, or every one so far.
    ///
    /// # Errors
    ///
    /// A `TypeError` when this is neither a string nor `undefined`.
    pub fn revoke(&mut self, token: &JsValue) -> Result<(), JsValue> {
        if token.is_undefined() {
            self.emulator.revoke(None);
            return Ok(());
        }
        let text = token.as_string().ok_or_else(|| read::wrong_type("token must be a string", token))?;
        self.emulator.revoke(Some(&text));
        Ok(())
    }

    /// The requests so far, as JSON.
    #[must_use]
    pub fn requests(&self) -> String {
        self.emulator.requests()
    }

    /// Takes in a request, whose headers are names and values by turns. Gives a `Reception` as JSON.
    #[must_use]
    pub fn receive(&mut self, method: &str, target: &str, headers: Vec<String>) -> String {
        let mut pairs = Vec::with_capacity(headers.len() / 2);
        let mut headers = headers.into_iter();
        while let (Some(name), Some(value)) = (headers.next(), headers.next()) {
            pairs.push((name, value));
        }
        serde_json::to_string(&self.emulator.receive(method, target, &pairs)).unwrap_or_default()
    }

    /// The answer to a request at `now_ms`, as JSON; `undefined` once it was given or abandoned.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is out of bounds saturates")]
    pub fn answer(&mut self, number: f64, now_ms: f64) -> Option<String> {
        let now_ms = (now_ms as i64).saturating_add(self.advanced_ms);
        let reply = self.emulator.answer(number as u64, now_ms)?;
        serde_json::to_string(&reply).ok()
    }

    /// Forgets a request whose caller has gone.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number that this gave out")]
    pub fn abandon(&mut self, number: f64) {
        self.emulator.abandon(number as u64);
    }
}
