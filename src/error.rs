//! The ways to fail: nine codes, one struct.

use crate::refresh::FlightId;
use alloc::boxed::Box;

/// The stable name of a failure, `AuthError.code` in JavaScript. Part of the API; messages are not.
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
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 9] = [
        Self::InvalidOptions,
        Self::BadRequest,
        Self::Unauthorized,
        Self::RateLimited,
        Self::InternalServerError,
        Self::UnexpectedStatus,
        Self::InvalidResponse,
        Self::Network,
        Self::Timeout,
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
        }
    }
}

/// A failure with all that is known of it.
///
/// It never holds the request, the secret, the `Authorization` value or a token. It comes in a box: by value, its eighty
/// bytes were copied at every `?` on the way, in code that outweighed what makes them.
#[derive(Clone, Debug)]
pub struct AuthError {
    /// Which of the nine.
    pub code: Code,
    /// For people; not part of the API. Where `option` names one, it is the rest of a sentence that begins with it.
    pub message: &'static str,
    /// The HTTP status, or the body's `statusCode` where that counts.
    pub status: Option<f64>,
    /// Whether something of the platform's goes with it, untouched: the very value that it rejected with (`cause` in
    /// JavaScript), or, where a status decides, the API's own words (`reason`). It stays with the platform.
    pub evidence: bool,
    /// By which flight it came.
    pub flight: FlightId,
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
    pub fn new(code: Code, message: &'static str) -> Box<Self> {
        Box::new(Self {
            code,
            message,
            status: None,
            evidence: false,
            flight: 0,
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

    /// `fetch` rejected, or the body broke off.
    #[must_use]
    pub fn network() -> Box<Self> {
        let mut error = Self::new(
            Code::Network,
            "no complete reply (in a page this may also be CORS: the server has to allow Authorization and X-Environment by name)",
        );
        error.evidence = true;
        error
    }

    /// The deadline passed.
    #[must_use]
    pub fn timeout() -> Box<Self> {
        Self::new(Code::Timeout, "no token within the timeout")
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn retryable(&self) -> bool {
        match self.code {
            Code::RateLimited | Code::InternalServerError | Code::Network | Code::Timeout => true,
            // 408 is the server's own time-out (RFC 9110 §15.5.9).
            Code::UnexpectedStatus => self.status == Some(408.0),
            _ => false,
        }
    }
}
