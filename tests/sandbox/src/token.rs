//! The tokens: minted, accepted, revoked.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::config::Config;

/// The merchant that every token is for: plainly nobody.
pub const COMPANY_ID: &str = "00000000-0000-4000-8000-000000000000";

/// Of how many tokens the stand-in knows at once; the oldest go first.
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
    secret: [u8; 64],
    minted: u64,
    live: HashMap<String, i64>,
    oldest_first: VecDeque<String>,
}

impl Tokens {
    /// Starts with a random secret and no token.
    ///
    /// # Errors
    ///
    /// When the system has no randomness to give.
    pub fn new() -> std::io::Result<Self> {
        let mut secret = [0; 64];
        getrandom::fill(&mut secret).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self { secret, minted: 0, live: HashMap::new(), oldest_first: VecDeque::new() })
    }

    /// Mints a token.
    ///
    /// Like the one of the page's sample, it is a JWT signed with HS256 whose claims are `companyId`, `iat` and `exp`,
    /// in whole seconds: two of the same second are the same token, unless the settings ask for distinct ones.
    pub fn mint(&mut self, config: &Config) -> Minted {
        self.minted += 1;
        let iat = config.now_ms().div_euclid(1000);
        let exp = iat.saturating_add(config.lifetime);
        let token = if config.opaque {
            self.opaque()
        } else {
            self.jwt(iat, exp, config.distinct_tokens.then_some(self.minted))
        };
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
    pub fn accepts(&self, token: &str, config: &Config) -> bool {
        let leeway = i64::try_from(config.leeway_ms).unwrap_or(i64::MAX);
        self.live.get(token).is_some_and(|exp| config.now_ms() < exp.saturating_mul(1000).saturating_add(leeway))
    }

    /// Takes one token back, or every one; says how many. One that is minted again is good again.
    pub fn revoke(&mut self, token: Option<&str>) -> usize {
        let before = self.live.len();
        match token {
            Some(token) => {
                self.live.remove(token);
            }
            None => {
                self.live.clear();
                self.oldest_first.clear();
            }
        }
        before - self.live.len()
    }

    /// Whether this process signed the JWT.
    #[must_use]
    pub fn signed(&self, token: &str) -> bool {
        token.rsplit_once('.').is_some_and(|(signed, signature)| URL_SAFE_NO_PAD.encode(self.hmac(signed)) == signature)
    }

    fn jwt(&self, iat: i64, exp: i64, jti: Option<u64>) -> String {
        let jti = jti.map_or_else(String::new, |jti| format!(r#","jti":"{jti}""#));
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"companyId":"{COMPANY_ID}","iat":{iat},"exp":{exp}{jti}}}"#));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.hmac(&signed));
        format!("{signed}.{signature}")
    }

    /// A `b64token` (RFC 6750, section 2.1) without a dot in it, so that no client takes it for a JWT.
    fn opaque(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.hmac(&format!("opaque {}", self.minted)))
    }

    fn hmac(&self, data: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new(&self.secret.into());
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
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.1.
    #[test]
    fn signatures_are_those_of_hs256() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let secret = URL_SAFE_NO_PAD.decode(key).unwrap().try_into().unwrap();
        let tokens = Tokens { secret, ..Tokens::new().unwrap() };
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        assert!(tokens.signed(&format!("{signed}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
        assert!(!tokens.signed(&format!("{signed}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl")));
    }

    #[test]
    fn two_processes_sign_differently() {
        let config = Config::default();
        let minted = Tokens::new().unwrap().mint(&config);
        assert!(!Tokens::new().unwrap().signed(&minted.token));
    }

    #[test]
    fn the_oldest_tokens_are_forgotten() {
        let config = Config { distinct_tokens: true, ..Config::default() };
        let mut tokens = Tokens::new().unwrap();
        let first = tokens.mint(&config).token;
        for _ in 1..MOST_LIVE {
            tokens.mint(&config);
        }
        assert!(tokens.accepts(&first, &config));
        let last = tokens.mint(&config).token;
        assert!(!tokens.accepts(&first, &config));
        assert!(tokens.accepts(&last, &config));
        assert_eq!(tokens.live.len(), MOST_LIVE);
    }

    #[test]
    fn nothing_printed_holds_the_secret() {
        let tokens = Tokens::new().unwrap();
        assert_eq!(format!("{tokens:?}"), "Tokens { minted: 0, live: 0, .. }");
    }
}
