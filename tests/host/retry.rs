use digitalpaye_auth::error::{AuthError, Code};
use digitalpaye_auth::retry::{BASE_MS, CAP_MS, backoff_ms, next_delay};
use proptest::prelude::*;

fn error(code: Code) -> Box<AuthError> {
    AuthError::new(code, "")
}

#[test]
fn one_row_for_each_code() {
    for code in Code::ALL {
        let expected = match code {
            Code::RateLimited | Code::InternalServerError | Code::Network | Code::Timeout | Code::Credentials => {
                Some(125.0)
            }
            _ => None,
        };
        assert_eq!(next_delay(&error(code), 1, 2, 0.5), expected, "{}", code.as_str());
    }
    assert!(AuthError::status(408.0).retryable());
    assert!(!AuthError::status(409.0).retryable());
}

#[test]
fn statuses_and_their_codes() {
    for (status, code) in [
        (400.0, "bad_request"),
        (401.0, "unauthorized"),
        (429.0, "rate_limited"),
        (500.0, "internal_server_error"),
        (599.0, "internal_server_error"),
        (600.0, "unexpected_status"),
        (204.0, "unexpected_status"),
        (302.0, "unexpected_status"),
        (403.0, "unexpected_status"),
        (0.0, "unexpected_status"),
        (-1.0, "unexpected_status"),
    ] {
        assert_eq!(AuthError::status(status).code.as_str(), code, "{status}");
    }
}

#[test]
fn retries_are_counted() {
    let error = error(Code::Network);
    assert!(next_delay(&error, 2, 2, 0.5).is_some());
    assert!(next_delay(&error, 3, 2, 0.5).is_none());
    assert!(next_delay(&error, 1, 0, 0.5).is_none());
}

#[test]
fn retry_after_is_obeyed() {
    let mut error = error(Code::RateLimited);
    error.retry_after = Some(3.0);
    assert_eq!(next_delay(&error, 1, 2, 0.5), Some(3_000.0));
    error.retry_after = Some(0.0);
    assert_eq!(next_delay(&error, 1, 2, 0.5), Some(125.0));
    error.retry_after = Some(f64::INFINITY);
    assert_eq!(next_delay(&error, 1, 2, 0.5), Some(f64::INFINITY));
}

proptest! {
    #[test]
    fn backoff_is_full_jitter_that_doubles_up_to_the_cap(attempts in 1_u32..40, random in 0.0..1.0_f64) {
        let delay = backoff_ms(attempts, random);
        let bound = (BASE_MS * 2_f64.powi(i32::try_from(attempts).unwrap() - 1)).min(CAP_MS);
        prop_assert!((delay - random * bound).abs() < 1e-9);
    }
}
