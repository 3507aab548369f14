//! The tokens: minted, accepted, revoked.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::Config;

/// Bytes of a signing key.
pub const KEY_LENGTH: usize = 64;

/// How many tokens are known at once; the oldest go first.
const MOST_LIVE: usize = 20_000;

/// A token, and the second at which its life is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minted {
    /// The token itself.
    pub token: String,
    /// `NumericDate` of RFC 7519.
    pub exp: i64,
}

/// Mints tokens, and knows which are good.
pub struct Tokens {
    key: [u8; KEY_LENGTH],
    minted: u64,
    newest_iat: Option<i64>,
    live: HashMap<String, i64>,
    oldest_first: VecDeque<String>,
}

impl Tokens {
    /// Signs with `key`, which has to be random, and knows no token yet.
    #[must_use]
    pub fn new(key: [u8; KEY_LENGTH]) -> Self {
        Self { key, minted: 0, newest_iat: None, live: HashMap::new(), oldest_first: VecDeque::new() }
    }

    /// Mints a token at `now_ms`.
    ///
    /// Like the one of the page's sample, it is a JWT signed with HS256 whose claims are `companyId`, `iat` and `exp`,
    /// in whole seconds: two of the same second are the same token, unless the settings ask for distinct ones.
    pub fn mint(&mut self, config: &Config, now_ms: i64) -> Minted {
        self.minted += 1;
        let iat = config.clock_ms(now_ms).div_euclid(1000);
        let exp = iat.saturating_add(config.lifetime);
        let token = if config.opaque {
            self.opaque()
        } else {
            let repeated = self.newest_iat.is_some_and(|newest| iat <= newest);
            self.jwt(config, iat, exp, (config.distinct_tokens && repeated).then_some(self.minted))
        };
        self.newest_iat = self.newest_iat.max(Some(iat));
        if self.live.insert(token.clone(), exp).is_none() {
            self.oldest_first.push_back(token.clone());
        }
        if self.oldest_first.len() > MOST_LIVE
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.live.remove(&oldest);
        }
        Minted { token, exp }
    }

    /// Whether a token was minted here, is not revoked, and its `exp` has not come (RFC 7519, section 4.1.4).
    #[must_use]
    pub fn accepts(&self, token: &str, config: &Config, now_ms: i64) -> bool {
        let leeway = i64::try_from(config.leeway_ms).unwrap_or(i64::MAX);
        let end = |exp: &i64| exp.saturating_mul(1000).saturating_add(leeway);
        self.live.get(token).is_some_and(|exp| config.clock_ms(now_ms) < end(exp))
    }

    /// Takes one token back, or every one; says how many. One that is minted again is good again.
    pub fn revoke(&mut self, token: Option<&str>) -> usize {
        let before = self.live.len();
        match token {
            Some(token) => {
                if self.live.remove(token).is_some() {
                    self.oldest_first.retain(|each| each != token);
                }
            }
            None => {
                self.live.clear();
                self.oldest_first.clear();
            }
        }
        before - self.live.len()
    }

    /// Whether the JWT was signed here.
    #[must_use]
    pub fn signed(&self, token: &str) -> bool {
        token.rsplit_once('.').is_some_and(|(signed, signature)| URL_SAFE_NO_PAD.encode(self.hmac(signed)) == signature)
    }

    fn jwt(&self, config: &Config, iat: i64, exp: i64, jti: Option<u64>) -> String {
        let company = serde_json::to_string(&config.company_id).unwrap_or_default();
        let jti = jti.map_or_else(String::new, |jti| format!(r#","jti":"{jti}""#));
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"companyId":{company},"iat":{iat},"exp":{exp}{jti}}}"#));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.hmac(&signed));
        format!("{signed}.{signature}")
    }

    /// A `b64token` (RFC 6750, section 2.1) without a dot in it, so that no client takes it for a JWT.
    fn opaque(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hmac(&format!("opaque {}", self.minted)))
    }

    fn hmac(&self, data: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(data.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").field("minted", &self.minted).field("live", &self.live.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is what it is for"
)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// RFC 7515, appendix A.1.
    #[test]
    fn signatures_are_those_of_hs256() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let tokens = Tokens::new(URL_SAFE_NO_PAD.decode(key).unwrap().try_into().unwrap());
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        assert!(tokens.signed(&format!("{signed}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
        assert!(!tokens.signed(&format!("{signed}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")));
    }

    const NOW: i64 = 1_728_634_203_500;
    const KEY: [u8; KEY_LENGTH] = [7; KEY_LENGTH];

    fn claims(token: &str) -> Value {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice(&claims).unwrap()
    }

    #[test]
    fn another_key_signs_differently() {
        let config = Config::default();
        let minted = Tokens::new(KEY).mint(&config, NOW);
        assert!(Tokens::new(KEY).signed(&minted.token));
        assert!(!Tokens::new([8; KEY_LENGTH]).signed(&minted.token));
    }

    #[test]
    fn claims_are_those_of_the_page_and_any_company_can_be_named() {
        let config = Config { company_id: "a\"b".to_owned(), ..Config::default() };
        let minted = Tokens::new(KEY).mint(&config, NOW);
        let claims = claims(&minted.token);
        assert_eq!(claims, serde_json::json!({ "companyId": "a\"b", "iat": 1_728_634_203, "exp": 1_728_634_803 }));
        assert_eq!(minted.exp, 1_728_634_803);
    }

    #[test]
    fn a_second_token_of_the_same_second_gets_a_jti_and_only_that() {
        let config = Config { distinct_tokens: true, ..Config::default() };
        let mut tokens = Tokens::new(KEY);
        let first = tokens.mint(&config, NOW).token;
        let second = tokens.mint(&config, NOW + 499).token;
        let third = tokens.mint(&config, NOW + 500).token;
        assert!(claims(&first).get("jti").is_none());
        assert_eq!(claims(&second)["jti"], "2");
        assert!(claims(&third).get("jti").is_none());
        // A clock that is set back makes no token twice.
        let again = tokens.mint(&config, NOW).token;
        assert_ne!(again, first);
        assert_ne!(again, second);
    }

    #[test]
    fn a_token_is_good_until_its_exp_and_not_from_then_on() {
        let config = Config::default();
        let mut tokens = Tokens::new(KEY);
        let minted = tokens.mint(&config, NOW);
        let end = minted.exp * 1000;
        assert!(tokens.accepts(&minted.token, &config, end - 1));
        assert!(!tokens.accepts(&minted.token, &config, end));
    }

    #[test]
    fn the_oldest_tokens_are_forgotten() {
        let config = Config { distinct_tokens: true, ..Config::default() };
        let mut tokens = Tokens::new(KEY);
        let first = tokens.mint(&config, NOW).token;
        for _ in 1..MOST_LIVE {
            tokens.mint(&config, NOW);
        }
        assert!(tokens.accepts(&first, &config, NOW));
        let last = tokens.mint(&config, NOW).token;
        assert!(!tokens.accepts(&first, &config, NOW));
        assert!(tokens.accepts(&last, &config, NOW));
        assert_eq!(tokens.live.len(), MOST_LIVE);
    }

    #[test]
    fn nothing_printed_holds_the_key() {
        assert_eq!(format!("{:?}", Tokens::new(KEY)), "Tokens { minted: 0, live: 0, .. }");
    }
}
