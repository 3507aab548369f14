//! User-id and password as an `Authorization` value (RFC 7617), and nothing else that could show them.

use crate::error::AuthError;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use zeroize::Zeroizing;

/// What a client has of its credentials.
#[derive(Debug)]
pub enum Credentials {
    /// `apiSecret` is text.
    Fixed(BasicCredentials),
    /// `apiSecret` is a function, which is asked before each attempt.
    AskedFor(UserId),
}

impl Credentials {
    /// The user-id, which does not change.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        match self {
            Self::Fixed(credentials) => &credentials.user_id,
            Self::AskedFor(user_id) => user_id,
        }
    }
}

/// A user-id (`apiKey`) that HTTP Basic can carry. Overwritten on drop.
///
/// ```
/// use digitalpaye_auth::credentials::UserId;
/// use zeroize::Zeroizing;
///
/// let error = UserId::new(Zeroizing::new("a:b".to_owned())).unwrap_err();
/// assert_eq!(error.option, Some("apiKey"));
/// ```
#[derive(Clone)]
pub struct UserId(Zeroizing<String>);

impl UserId {
    /// Takes a user-id.
    ///
    /// # Errors
    ///
    /// Names `apiKey`: empty, a colon, or a control character.
    pub fn new(text: Zeroizing<String>) -> Result<Self, Box<AuthError>> {
        let problem = match problem(&text) {
            None if text.as_bytes().contains(&b':') => {
                Some("holds a colon, which HTTP Basic cannot carry in a user-id")
            }
            problem => problem,
        };
        problem.map_or_else(|| Ok(Self(text)), |problem| Err(AuthError::option("apiKey", problem)))
    }

    /// Its octets in UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserId([redacted])")
    }
}

/// A user-id and a password that are known to be encodable. Both are overwritten on drop.
///
/// There is no getter for the password, no `PartialEq`, and `Debug` shows neither.
pub struct BasicCredentials {
    user_id: UserId,
    password: Zeroizing<String>,
}

const SCHEME: &str = "Basic ";

impl BasicCredentials {
    /// Takes a user-id and a password, as RFC 7617 §2 allows them.
    ///
    /// # Errors
    ///
    /// Names `apiSecret`: empty, or a control character.
    ///
    /// ```
    /// use digitalpaye_auth::credentials::{BasicCredentials, UserId};
    /// use zeroize::Zeroizing;
    ///
    /// let secret = |text: &str| Zeroizing::new(String::from(text));
    /// let credentials = BasicCredentials::new(UserId::new(secret("Aladdin"))?, secret("open sesame"))?;
    /// assert_eq!(*credentials.authorization(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    /// # Ok::<(), Box<digitalpaye_auth::error::AuthError>>(())
    /// ```
    pub fn new(user_id: UserId, password: Zeroizing<String>) -> Result<Self, Box<AuthError>> {
        match problem(&password) {
            Some(problem) => Err(AuthError::option("apiSecret", problem)),
            None => Ok(Self { user_id, password }),
        }
    }

    /// The whole `Authorization` value: scheme, space, `basic-credentials`.
    #[must_use]
    pub fn authorization(&self) -> Zeroizing<String> {
        // Capacities are exact: a buffer that grew would leave a copy behind that nobody overwrites.
        let user_id = self.user_id.as_bytes();
        let mut user_pass = Zeroizing::new(Vec::with_capacity(user_id.len() + 1 + self.password.len()));
        user_pass.extend_from_slice(user_id);
        user_pass.push(b':');
        user_pass.extend_from_slice(self.password.as_bytes());

        let mut value = Zeroizing::new(String::with_capacity(SCHEME.len() + user_pass.len().div_ceil(3) * 4));
        value.push_str(SCHEME);
        for bytes in user_pass.chunks(3) {
            // Into a slice: the crate's other ways go by a buffer on the stack, which nobody overwrites. By groups: its loop
            // for long inputs is left out of the module then, which is 1 % of a page's bundle.
            let mut group = Zeroizing::new([0; 4]);
            let _ = STANDARD.encode_slice(bytes, &mut *group);
            value.extend(group.map(char::from));
        }
        value
    }

    /// Whether the password or the `basic-credentials` appear in a text, which must not be shown then.
    #[must_use]
    pub fn appear_in(&self, text: &[u8]) -> bool {
        let basic = self.authorization();
        let holds = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
        holds(self.password.as_bytes()) || basic.as_bytes().get(SCHEME.len()..).is_some_and(holds)
    }

    /// Whether both have the same password.
    #[must_use]
    pub fn same_password(&self, other: &Self) -> bool {
        *self.password == *other.password
    }

    /// What is likely to be wrong with credentials that the API refuses: a character at an edge that nobody sees or wants.
    /// It is told without being shown.
    #[must_use]
    pub fn suspicion(&self) -> Option<String> {
        let key = edge(&self.user_id.0).map(|found| ("apiKey", found));
        let (option, (place, kind)) = key.or_else(|| edge(&self.password).map(|found| ("apiSecret", found)))?;
        Some([option, place, kind].concat())
    }
}

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials([redacted])")
    }
}

/// What HTTP Basic cannot carry: nothing at all, and control characters (RFC 5234 `CTL`, and U+0080 to U+009F).
fn problem(text: &str) -> Option<&'static str> {
    match text.as_bytes() {
        [] => Some("is empty"),
        [.., b'\n' | b'\r'] => Some("ends with a line break (was it read from a file?)"),
        _ => text.chars().any(char::is_control).then_some("holds a control character"),
    }
}

/// Where a text begins or ends with what is likely to have come with it by mistake, and what that is.
fn edge(text: &str) -> Option<(&'static str, &'static str)> {
    let begins = text.chars().next().and_then(stray).map(|kind| (" begins with ", kind));
    begins.or_else(|| text.chars().next_back().and_then(stray).map(|kind| (" ends with ", kind)))
}

/// What a character is that nobody means to have at the edge of a key.
fn stray(character: char) -> Option<&'static str> {
    match character {
        ' ' => Some("a space"),
        '"' | '\'' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}' => Some("a quotation mark"),
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            Some("a no-break or other unusual space")
        }
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => Some("an invisible character"),
        _ => None,
    }
}
