//! User-id and password as an `Authorization` value (RFC 7617), and nothing else that could show them.

use crate::base64;
use crate::error::AuthError;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

/// A user-id and a password that are known to be encodable. Both are overwritten on drop.
///
/// There is no getter for the password, no `PartialEq`, and `Debug` shows neither.
pub struct BasicCredentials {
    user_id: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
}

const SCHEME: &str = "Basic ";

impl BasicCredentials {
    /// Takes a user-id and a password, in UTF-8, as RFC 7617 §2 allows them.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidOptions`](crate::error::Code::InvalidOptions), naming `apiKey` or `apiSecret`: empty, a control
    /// character in either, a colon in the user-id.
    // `contains` is a search by machine words: faster, and 0.3 KB of module.
    #[allow(clippy::manual_contains)]
    pub fn new(user_id: Zeroizing<Vec<u8>>, password: Zeroizing<Vec<u8>>) -> Result<Self, Box<AuthError>> {
        if user_id.is_empty() {
            return Err(AuthError::option("apiKey", "is empty"));
        }
        if user_id.iter().any(|&byte| byte == b':') {
            return Err(AuthError::option("apiKey", "holds a colon, which HTTP Basic cannot carry in a user-id"));
        }
        if has_control(&user_id) {
            return Err(AuthError::option("apiKey", "holds a control character"));
        }
        if password.is_empty() {
            return Err(AuthError::option("apiSecret", "is empty"));
        }
        if has_control(&password) {
            return Err(AuthError::option("apiSecret", "holds a control character"));
        }
        Ok(Self { user_id, password })
    }

    /// The user-id, in UTF-8.
    #[must_use]
    pub fn user_id(&self) -> &[u8] {
        &self.user_id
    }

    /// The whole `Authorization` value: scheme, space, `basic-credentials`.
    #[must_use]
    pub fn authorization(&self) -> Zeroizing<String> {
        // Capacities are exact: a buffer that grew would leave a copy behind that nobody overwrites.
        let mut user_pass = Zeroizing::new(Vec::with_capacity(self.user_id.len() + 1 + self.password.len()));
        user_pass.extend_from_slice(&self.user_id);
        user_pass.push(b':');
        user_pass.extend_from_slice(&self.password);

        let mut value = Zeroizing::new(String::with_capacity(SCHEME.len() + user_pass.len().div_ceil(3) * 4));
        value.push_str(SCHEME);
        base64::encode(&user_pass, &mut value);
        value
    }

    /// Whether a text holds the password or the `basic-credentials`, and so must not be shown.
    #[must_use]
    pub fn shown_by(&self, text: &str) -> bool {
        let basic = self.authorization();
        holds(text, &self.password) || basic.as_bytes().get(SCHEME.len()..).is_some_and(|basic| holds(text, basic))
    }
}

/// Whether a part is in a text. `str::contains` is faster on long texts, by two kilobytes of module.
fn holds(text: &str, part: &[u8]) -> bool {
    text.as_bytes().windows(part.len()).any(|window| window == part)
}

/// Whether a text in UTF-8 has a control character (RFC 5234 `CTL`, and U+0080 to U+009F).
fn has_control(utf8: &[u8]) -> bool {
    let mut before = 0;
    utf8.iter().any(|&byte| {
        let control = byte < b' ' || byte == 0x7f || (before == 0xc2 && byte < 0xa0);
        before = byte;
        control
    })
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials([redacted])")
    }
}
