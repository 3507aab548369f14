//! [`Json`] over `serde_json`, as `web` has it over `JSON.parse`.

use digitalpaye_auth::json::{Json, whole};
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Parsed(Value);

impl Json for Parsed {
    fn parse(utf8: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(utf8);
        serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(&text)).ok().map(Self)
    }

    fn member(&self, name: &str) -> Option<Self> {
        self.0.get(name).cloned().map(Self)
    }

    fn string(&self) -> Option<String> {
        self.0.as_str().map(String::from)
    }

    fn number(&self) -> Option<f64> {
        self.0.as_f64()
    }
}

#[test]
fn whole_numbers_are_those_that_json_carries_without_loss() {
    for number in [0.0, -0.0, 1.0, -7.0, 1_728_634_803.0, 9_007_199_254_740_991.0] {
        assert_eq!(whole(number), Some(number), "{number}");
    }
    for number in [0.5, -1.25, 9_007_199_254_740_992.0, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
        assert_eq!(whole(number), None, "{number}");
    }
}
