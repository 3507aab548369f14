//! The platform as the package's JavaScript is it (pkg/host.js, pkg/reply.js), over `serde_json`.

use digitalpaye_auth::platform::Platform;
use digitalpaye_auth::response::{Body, Content};
use digitalpaye_auth::time::NumericDate;
use digitalpaye_auth::token::Claims;
use serde_json::Value;

/// A wall clock that stands, dice that always fall the same, and the `reason` of the reply at hand.
#[derive(Clone, Debug, Default)]
pub(crate) struct Still {
    pub(crate) local: f64,
    pub(crate) random: f64,
    pub(crate) reason: String,
}

impl Platform for Still {
    fn local(&self) -> NumericDate {
        NumericDate(self.local)
    }

    fn random(&self) -> f64 {
        self.random
    }

    fn claims(&self, payload: &[u8]) -> Claims {
        let value = parse(payload).unwrap_or_default();
        let number = |name| value.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
        Claims::new(number("iat"), number("exp"))
    }

    fn reason(&self) -> String {
        self.reason.clone()
    }
}

fn parse(utf8: &[u8]) -> Option<Value> {
    let text = String::from_utf8_lossy(utf8);
    serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text)).ok()
}

/// A body, and its `reason`.
pub(crate) fn body(utf8: &[u8]) -> (Body, Option<String>) {
    let Some(value) = parse(utf8) else { return (Body::NotJson, None) };
    let text = |value: &Value| value.as_str().map(String::from);
    let reason = value.get("reason").and_then(text);
    let content = Content {
        status_code: value.get("statusCode").and_then(Value::as_f64),
        token: value.get("data").and_then(|data| data.get("token")).and_then(text),
        exp: value.get("data").and_then(|data| data.get("exp")).and_then(Value::as_f64),
        reason: reason.is_some(),
    };
    (Body::Json(content), reason)
}
