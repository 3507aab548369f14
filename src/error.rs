//! The ways to fail: one struct, one code each.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

/// The stable name of a failure, `AuthError.code` in JavaScript. Part of the API; messages are not.
///
/// ```
/// use digitalpaye_auth::error::Code;
///
/// assert_eq!(Code::of_status(429.0), Code::RateLimited);
/// assert_eq!(Code::of_status(302.0).as_str(), "unexpected_status");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The caller's own options are unusable; nothing was sent.
    InvalidOptions,
    /// Status 400.
    BadRequest,
    /// Status 401.
    Unauthorized,
    /// Status 429.
    RateLimited,
    /// Status 5xx.
    InternalServerError,
    /// Any other status, redirects included.
    UnexpectedStatus,
    /// A 200 that breaks the contract.
    InvalidResponse,
    /// `fetch` rejected, or the body broke off.
    Network,
    /// The deadline passed.
    Timeout,
    /// The `apiSecret` function rejected, or gave what is no secret.
    Credentials,
    /// The runtime has no `fetch`.
    UnsupportedRuntime,
}

impl Code {
    /// Every code. (That there is no WebAssembly is said by JavaScript: then there is nobody here to say so.)
    pub const ALL: [Self; 11] = [
        Self::InvalidOptions,
        Self::BadRequest,
        Self::Unauthorized,
        Self::RateLimited,
        Self::InternalServerError,
        Self::UnexpectedStatus,
        Self::InvalidResponse,
        Self::Network,
        Self::Timeout,
        Self::Credentials,
        Self::UnsupportedRuntime,
    ];

    /// The code of a status other than 200.
    #[must_use]
    pub fn of_status(status: f64) -> Self {
        if status == 400.0 {
            Self::BadRequest
        } else if status == 401.0 {
            Self::Unauthorized
        } else if status == 429.0 {
            Self::RateLimited
        } else if (500.0..600.0).contains(&status) {
            Self::InternalServerError
        } else {
            Self::UnexpectedStatus
        }
    }

    /// As JavaScript sees it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidOptions => "invalid_options",
            Self::BadRequest => "bad_request",
            Self::Unauthorized => "unauthorized",
            Self::RateLimited => "rate_limited",
            Self::InternalServerError => "internal_server_error",
            Self::UnexpectedStatus => "unexpected_status",
            Self::InvalidResponse => "invalid_response",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Credentials => "credentials",
            Self::UnsupportedRuntime => "unsupported_runtime",
        }
    }
}

/// A value of the platform, passed on untouched and never looked into: what a promise rejected with, say.
///
/// ```
/// use digitalpaye_auth::error::Foreign;
///
/// let thrown = Foreign::new("ECONNREFUSED");
/// assert_eq!(thrown.get(), Some(&"ECONNREFUSED"));
/// assert_eq!(thrown.get::<u8>(), None);
/// ```
#[derive(Clone)]
pub struct Foreign(Rc<dyn Any>);

impl Foreign {
    /// Wraps a value.
    pub fn new(value: impl Any) -> Self {
        Self(Rc::new(value))
    }

    /// The value, for the one who wrapped it and knows its type.
    #[must_use]
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Foreign")
    }
}

/// A failure with all that is known of it.
///
/// It never holds the request, the secret, the `Authorization` value or a token. It comes in a box: by value, its hundred
/// bytes would be copied at every `?` on the way, in code that outweighs what makes them.
///
/// ```
/// use digitalpaye_auth::error::{AuthError, Code};
///
/// let error = AuthError::status(503.0);
/// assert_eq!((error.code, error.status), (Code::InternalServerError, Some(503.0)));
/// assert_eq!(AuthError::option("timeout", "is not a number").option, Some("timeout"));
/// ```
#[derive(Clone, Debug)]
pub struct AuthError {
    /// Which of the ways to fail.
    pub code: Code,
    /// For people; not part of the API. Where `option` names one, it is the rest of a sentence that begins with it.
    pub message: Cow<'static, str>,
    /// The HTTP status, or the body's `statusCode` where that counts.
    pub status: Option<f64>,
    /// The API's own words.
    pub reason: Option<Foreign>,
    /// What the platform rejected with.
    pub cause: Option<Foreign>,
    /// Seconds, from `Retry-After`.
    pub retry_after: Option<f64>,
    /// The option at fault, for [`Code::InvalidOptions`].
    pub option: Option<&'static str>,
    /// Requests sent before this failure was final.
    pub attempts: u32,
}

impl AuthError {
    /// A failure of which nothing else is known yet.
    #[must_use]
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Box<Self> {
        Box::new(Self {
            code,
            message: message.into(),
            status: None,
            reason: None,
            cause: None,
            retry_after: None,
            option: None,
            attempts: 0,
        })
    }

    /// An unusable option.
    #[must_use]
    pub fn option(option: &'static str, message: &'static str) -> Box<Self> {
        let mut error = Self::new(Code::InvalidOptions, message);
        error.option = Some(option);
        error
    }

    /// A reply whose status is not 200. The body has no say in this.
    #[must_use]
    pub fn status(status: f64) -> Box<Self> {
        let code = Code::of_status(status);
        let message = match code {
            Code::BadRequest => "the API found the request incomplete",
            Code::Unauthorized => "the API refused these credentials",
            Code::RateLimited => "the API asks for fewer requests",
            Code::InternalServerError => "the API, or a server before it, failed",
            _ => "a status that the API does not use",
        };
        let mut error = Self::new(code, message);
        error.status = Some(status);
        error
    }

    /// A 200 that breaks the contract.
    #[must_use]
    pub fn contract(message: &'static str) -> Box<Self> {
        let mut error = Self::new(Code::InvalidResponse, message);
        error.status = Some(200.0);
        error
    }

    /// A token that lived when the server sent it, and no longer when it was there.
    #[must_use]
    pub fn ended_on_the_way() -> Box<Self> {
        Self::contract("the token had ended before it arrived")
    }

    /// `fetch` rejected, or the body broke off; `cause` is what it rejected with.
    #[must_use]
    pub fn network(cause: Foreign) -> Box<Self> {
        let mut error = Self::new(
            Code::Network,
            "no complete reply (in a page this may also be CORS: the server has to allow Authorization and X-Environment by name)",
        );
        error.cause = Some(cause);
        error
    }

    /// There is no global `fetch`, and the caller gave none; `cause` is what calling it threw.
    #[must_use]
    pub fn no_fetch(cause: Foreign) -> Box<Self> {
        let mut error =
            Self::new(Code::UnsupportedRuntime, "this runtime has no fetch: use Node.js from 18 on, or options.fetch");
        error.cause = Some(cause);
        error
    }

    /// The deadline passed.
    #[must_use]
    pub fn timeout() -> Box<Self> {
        Self::new(Code::Timeout, "no token within the timeout")
    }

    /// The `apiSecret` function rejected with `cause`.
    #[must_use]
    pub fn secret_rejected(cause: Foreign) -> Box<Self> {
        let mut error = Self::new(Code::Credentials, "the apiSecret function rejected");
        error.cause = Some(cause);
        error
    }

    /// What the `apiSecret` function gave `is` something that is no secret.
    #[must_use]
    pub fn no_secret(is: &str) -> Box<Self> {
        Self::new(Code::Credentials, ["what the apiSecret function gave ", is].concat())
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self.code {
            Code::RateLimited | Code::InternalServerError | Code::Network | Code::Timeout | Code::Credentials => true,
            // 408 is the server's own time-out (RFC 9110 §15.5.9).
            Code::UnexpectedStatus => self.status == Some(408.0),
            _ => false,
        }
    }
}
