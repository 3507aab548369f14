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
    user_id: Zeroizing<String>,
    password: Zeroizing<String>,
}

const SCHEME: &str = "Basic ";

impl BasicCredentials {
    /// Takes a user-id and a password as RFC 7617 §2 allows them.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidOptions`](crate::error::Code::InvalidOptions), naming `apiKey` or `apiSecret`: empty, a control
    /// character in either, a colon in the user-id.
    pub fn new<C>(user_id: Zeroizing<String>, password: Zeroizing<String>) -> Result<Self, Box<AuthError<C>>> {
        if user_id.is_empty() {
            return Err(AuthError::option("apiKey", "apiKey is empty"));
        }
        if user_id.as_bytes().contains(&b':') {
            return Err(AuthError::option(
                "apiKey",
                "apiKey holds a colon, which HTTP Basic cannot carry in a user-id",
            ));
        }
        if user_id.chars().any(char::is_control) {
            return Err(AuthError::option("apiKey", "apiKey holds a control character"));
        }
        if password.is_empty() {
            return Err(AuthError::option("apiSecret", "apiSecret is empty"));
        }
        if password.chars().any(char::is_control) {
            return Err(AuthError::option("apiSecret", "apiSecret holds a control character"));
        }
        Ok(Self { user_id, password })
    }

    /// The user-id.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// The whole `Authorization` value: scheme, space, `basic-credentials`.
    #[must_use]
    pub fn authorization(&self) -> Zeroizing<String> {
        // Capacities are exact: a buffer that grew would leave a copy behind that nobody overwrites.
        let mut user_pass = Zeroizing::new(Vec::with_capacity(self.user_id.len() + 1 + self.password.len()));
        user_pass.extend_from_slice(self.user_id.as_bytes());
        user_pass.push(b':');
        user_pass.extend_from_slice(self.password.as_bytes());

        let mut value = Zeroizing::new(String::with_capacity(SCHEME.len() + user_pass.len().div_ceil(3) * 4));
        value.push_str(SCHEME);
        base64::encode(&user_pass, &mut value);
        value
    }

    /// Whether a text holds the password or the `basic-credentials`, and so must not be shown.
    #[must_use]
    pub fn shown_by(&self, text: &str) -> bool {
        holds(text, &self.password) || self.authorization().get(SCHEME.len()..).is_some_and(|value| holds(text, value))
    }
}

/// Whether a part is in a text. `str::contains` is faster on long texts, by two kilobytes of module.
fn holds(text: &str, part: &str) -> bool {
    (0..text.len()).any(|start| text.as_bytes().get(start..).is_some_and(|rest| rest.starts_with(part.as_bytes())))
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials([redacted])")
    }
}
