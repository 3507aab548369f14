//! What the package's JavaScript side reads of a body and of a token's claims, over `serde_json`: own members only, and those
//! of another type are left out.

use digitalpaye_auth::error::Foreign;
use digitalpaye_auth::jwt::{Claims, payload};
use digitalpaye_auth::response::{Body, Content, Reason};
use digitalpaye_auth::time::NumericDate;
use serde_json::Value;
use zeroize::Zeroizing;

fn parse(utf8: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(utf8);
    serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text)).ok()
}

/// The claims of a token, if it is a JWT.
pub(crate) fn claims(token: &str) -> Claims {
    let value = payload(token).and_then(|payload| parse(&payload)).unwrap_or_default();
    let date = |name| value.get(name).and_then(Value::as_f64).map(NumericDate);
    Claims { iat: date("iat"), exp: date("exp") }
}

/// A body as it is read.
pub(crate) fn body(utf8: &[u8]) -> Body {
    let Some(value) = parse(utf8) else { return Body::NotJson };
    let data = |name| value.get("data").and_then(|data| data.get(name));
    let token = data("token").and_then(Value::as_str);
    let reason = value.get("reason").and_then(Value::as_str);
    Body::Json(Content {
        status_code: value.get("statusCode").and_then(Value::as_f64),
        claims: token.map(claims).unwrap_or_default(),
        token: token.map(|token| Zeroizing::new(token.into())),
        exp: data("exp").and_then(Value::as_f64),
        reason: reason
            .map(|reason| Reason { text: Zeroizing::new(reason.into()), words: Foreign::new(String::from(reason)) }),
    })
}
