//! No wait of ours is longer than its cap, none is below zero, and nothing is sent more often than it may be.
#![no_main]

use digitalpaye_auth::error::{AuthError, Code};
use digitalpaye_auth::retry::{CAP_MS, next_delay};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (u16, u32, u32, u32, Option<u32>)| {
    let (status, attempts, max_retries, random, retry_after) = data;
    let mut error: Box<AuthError> = AuthError::status(f64::from(status));
    error.retry_after = retry_after.map(f64::from);
    let random = f64::from(random) / (f64::from(u32::MAX) + 1.0);
    let again = matches!(error.code, Code::RateLimited | Code::InternalServerError) || status == 408;
    assert_eq!(error.retryable(), again);
    let delay = next_delay(&error, attempts, max_retries, random);
    assert_eq!(delay.is_some(), again && attempts <= max_retries);
    if let Some(delay) = delay {
        match retry_after {
            Some(seconds) if seconds > 0 => assert_eq!(delay, f64::from(seconds) * 1_000.0),
            _ => assert!((0.0..CAP_MS).contains(&delay), "{delay}"),
        }
    }
});
