//! Objects of a caller, read by functions that catch: a config and a script.

use digitalpaye_emulator::emulator::Settings;
use digitalpaye_emulator::script::{RetryAfter, Spec};
use js_sys::{JSON, JsString, Reflect, Symbol, TypeError};
use wasm_bindgen::prelude::*;

/// More steps than this are refused, so that an array that lies about its length ends nothing.
const MOST_STEPS: u32 = 100_000;

#[wasm_bindgen]
extern "C" {
    // js-sys' own does not catch, and throws for a revoked proxy.
    #[wasm_bindgen(js_namespace = Array, js_name = isArray, catch)]
    fn is_array(value: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(js_name = URL)]
    type Url;
    #[wasm_bindgen(constructor, js_class = "URL", catch)]
    fn new(url: &str) -> Result<Url, JsValue>;
    #[wasm_bindgen(method, getter, structural, catch)]
    fn pathname(this: &Url) -> Result<String, JsValue>;
}

/// Reads the argument of `createEmulator`.
pub(crate) fn settings(value: &JsValue) -> Result<Settings, JsValue> {
    let mut settings = Settings::default();
    if value.is_undefined() {
        return Ok(settings);
    }
    for (name, field, value) in fields("config", value)? {
        match name.as_str() {
            "apiKey" => settings.api_key = Some(string(&field, &value)?),
            "apiSecret" => settings.api_secret = Some(string(&field, &value)?),
            "lifeSeconds" => settings.life_seconds = Some(number(&field, &value)?),
            "companyId" => settings.company_id = Some(string(&field, &value)?),
            _ => return Err(unknown(&field)),
        }
    }
    Ok(settings)
}

/// Reads the argument of `script`.
pub(crate) fn script(value: &JsValue) -> Result<Vec<Spec>, JsValue> {
    if !is_list("script", value)? {
        return Err(wrong_type("script must be an array", value));
    }
    let length = get("script", value, &"length".into())?.as_f64().unwrap_or(f64::NAN);
    if !(0.0..=f64::from(MOST_STEPS)).contains(&length) {
        return Err(type_error(&format!("script must have at most {MOST_STEPS} steps")));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within bounds")]
    let length = length as u32;
    (0..length).map(|index| step(&format!("script[{index}]"), &get("script", value, &index.into())?)).collect()
}

fn step(path: &str, value: &JsValue) -> Result<Spec, JsValue> {
    let mut spec = Spec::default();
    for (name, field, value) in fields(path, value)? {
        match name.as_str() {
            "path" => spec.path = Some(in_url(string(&field, &value)?)),
            "times" => spec.times = Some(number(&field, &value)?),
            "status" => spec.status = Some(number(&field, &value)?),
            "delayMs" => spec.delay_ms = Some(number(&field, &value)?),
            "retryAfter" => spec.retry_after = Some(retry_after(&field, &value)?),
            "headers" => spec.headers = headers(&field, &value)?,
            "body" => spec.body = Some(body(&field, &value)?),
            "hang" => spec.hang = yes(&field, &value)?,
            "reject" => spec.reject = yes(&field, &value)?,
            _ => return Err(unknown(&field)),
        }
    }
    Ok(spec)
}

/// A path as requests have it, which come by way of a URL: with `%20` for a space, without `..`. What is no path is refused later.
fn in_url(path: String) -> String {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return path;
    }
    Url::new(&format!("http://h{path}")).and_then(|url| url.pathname()).unwrap_or(path)
}

fn retry_after(field: &str, value: &JsValue) -> Result<RetryAfter, JsValue> {
    match value.as_f64() {
        Some(seconds) => Ok(RetryAfter::Seconds(seconds)),
        None if value.is_string() => Ok(RetryAfter::Text(string(field, value)?)),
        None => Err(wrong_type(&format!("{field} must be a number or a string"), value)),
    }
}

fn headers(path: &str, value: &JsValue) -> Result<Vec<(String, String)>, JsValue> {
    own(path, value)?
        .into_iter()
        .map(|(name, value)| {
            let value = string(&format!("{path}[\"{name}\"]"), &value)?;
            Ok((name, value))
        })
        .collect()
}

/// Text as it is, everything else as JSON.
fn body(field: &str, value: &JsValue) -> Result<String, JsValue> {
    if let Some(text) = value.as_string() {
        return Ok(text);
    }
    let rule = || format!("{field} must be a string, or a value that JSON has");
    let json: JsString = JSON::stringify(value).map_err(|error| caused(&rule(), &error))?;
    // `undefined` for a function or a symbol, whatever the declaration says.
    JsValue::from(json).as_string().ok_or_else(|| wrong_type(&rule(), value))
}

fn yes(field: &str, value: &JsValue) -> Result<bool, JsValue> {
    if value.as_bool() == Some(true) { Ok(true) } else { Err(wrong_type(&format!("{field} must be true"), value)) }
}

fn number(field: &str, value: &JsValue) -> Result<f64, JsValue> {
    value.as_f64().ok_or_else(|| wrong_type(&format!("{field} must be a number"), value))
}

fn string(field: &str, value: &JsValue) -> Result<String, JsValue> {
    let text = value.as_string().ok_or_else(|| wrong_type(&format!("{field} must be a string"), value))?;
    // On the way into the module a lone surrogate becomes another character.
    if JsValue::from_str(&text) == *value {
        Ok(text)
    } else {
        Err(type_error(&format!("{field} must not hold a lone surrogate")))
    }
}

/// The properties of a caller's object that are not `undefined`: name, path and value.
fn fields(path: &str, value: &JsValue) -> Result<Vec<(String, String, JsValue)>, JsValue> {
    Ok(own(path, value)?.into_iter().map(|(name, value)| (name.clone(), format!("{path}.{name}"), value)).collect())
}

/// The own properties of an object that are not `undefined`.
fn own(path: &str, value: &JsValue) -> Result<Vec<(String, JsValue)>, JsValue> {
    if !value.is_object() || is_list(path, value)? {
        return Err(wrong_type(&format!("{path} must be an object"), value));
    }
    // What is in a Map or a Headers is none of its properties, and would be lost without a word.
    if !get(path, value, &Symbol::iterator().into())?.is_undefined() {
        return Err(type_error(&format!(
            "{path} must be a plain object: Object.fromEntries() makes one of a Map or a Headers"
        )));
    }
    let unreadable = |error: JsValue| caused(&format!("{path} cannot be read"), &error);
    let mut properties = Vec::new();
    for key in Reflect::own_keys(value).map_err(unreadable)?.iter() {
        let Some(name) = key.as_string() else {
            return Err(type_error(&format!("{path} must not have symbols as its fields")));
        };
        let property = get(&format!("{path}.{name}"), value, &key)?;
        if !property.is_undefined() {
            properties.push((name, property));
        }
    }
    Ok(properties)
}

fn get(field: &str, value: &JsValue, key: &JsValue) -> Result<JsValue, JsValue> {
    Reflect::get(value, key).map_err(|error| caused(&format!("{field} cannot be read"), &error))
}

fn is_list(path: &str, value: &JsValue) -> Result<bool, JsValue> {
    is_array(value).map_err(|error| caused(&format!("{path} cannot be read"), &error))
}

fn unknown(field: &str) -> JsValue {
    type_error(&format!("{field} is not a known field"))
}

/// What was expected, and the type that came in its place; values stay out of messages, for they may be secrets.
pub(crate) fn wrong_type(rule: &str, value: &JsValue) -> JsValue {
    let given = if value.is_null() {
        "null"
    } else if value.is_undefined() {
        "undefined"
    } else if value.as_bool().is_some() {
        "a boolean"
    } else if value.as_f64().is_some() {
        "a number"
    } else if value.is_string() {
        "a string"
    } else if value.is_function() {
        "a function"
    } else if value.is_symbol() {
        "a symbol"
    } else if value.is_bigint() {
        "a bigint"
    } else if is_array(value).unwrap_or_default() {
        "an array"
    } else {
        "an object"
    };
    type_error(&format!("{rule}, not {given}"))
}

fn caused(message: &str, cause: &JsValue) -> JsValue {
    let error = JsValue::from(TypeError::new(message));
    // Without its cause, where a setter that is not the platform's refuses it.
    let _ = Reflect::set(&error, &"cause".into(), cause);
    error
}

fn type_error(message: &str) -> JsValue {
    TypeError::new(message).into()
}
