//! What the simulator has found in the code, as small as it gets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic: that is how it fails"
)]

use digitalpaye_auth::client::{Client, Surroundings};
use digitalpaye_auth::credentials::{BasicCredentials, Credentials, UserId};
use digitalpaye_auth::effect::Effect;
use digitalpaye_auth::error::Code;
use digitalpaye_auth::options::{Endpoint, Options};
use digitalpaye_auth::response::Headers;
use digitalpaye_auth::time::{Instant, Now, NumericDate};
use zeroize::Zeroizing;

fn client(timeout_ms: f64) -> Client {
    let secret = |text: &str| Zeroizing::new(String::from(text));
    let credentials = BasicCredentials::new(UserId::new(secret("key")).unwrap(), secret("secret")).unwrap();
    let options = Options {
        credentials: Credentials::Fixed(credentials),
        environment: String::from("Sandbox"),
        endpoint: Endpoint::new("https://api.digitalpaye.com/").unwrap(),
        timeout_ms,
        max_retries: 2,
    };
    Client::new(options, Surroundings::default())
}

fn at(ms: f64) -> Now {
    Now { monotonic: Instant(ms), wall: NumericDate(1_700_000_000.0 + ms / 1_000.0) }
}

/// A 429 with `Retry-After: 60` whose body never came: the next call asked at once.
#[test]
fn a_retry_after_counts_though_the_body_does_not_come() {
    let mut client = client(1_000.0);
    client.call(1, false, at(0.0));
    client.begin(1, at(0.0));
    client.head_received(1, 429.0, Headers { date: None, has_age: false, retry_after: Some(60.0) }, at(100.0));
    client.flight_timer(1, at(1_000.0));

    let effects = client.call(2, false, at(5_000.0));
    let [Effect::Reject(caller, error)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!((caller.id, error.code, error.attempts), (2, Code::RateLimited, 0));
    assert_eq!(error.retry_after, Some(56.0), "60 s from the head of the reply");

    let effects = client.call(3, false, at(60_100.0));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::BeginFlight(_))), "and then it asks: {effects:?}");
}
