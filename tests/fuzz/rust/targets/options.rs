//! No option makes more of itself than it is: only https and loopback addresses, bounded numbers, visible environments.
#![no_main]

use digitalpaye_auth::options::{Endpoint, environment, max_retries, timeout_ms};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (f64, &str)| {
    let (number, href) = data;
    if let Ok(Endpoint { base, url }) = Endpoint::new(href) {
        let (scheme, rest) = href.split_once("://").unwrap();
        let authority = rest.split('/').next().unwrap();
        assert!(!authority.contains('@'));
        assert!(!base.contains(['?', '#']) && base.ends_with('/') && base.starts_with(href));
        assert_eq!(url, format!("{base}v1/auth"));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let hostname =
            authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(authority, |(name, _)| name);
        let loopback = hostname == "[::1]"
            || hostname.split('.').next_back() == Some("localhost")
            || hostname.strip_prefix("127.").is_some_and(|rest| digits(&rest.replace('.', "")));
        assert!(scheme == "https" || (scheme == "http" && loopback));
    }
    if let Ok(value) = environment(href.into()) {
        assert!(value == href && !value.is_empty() && value.chars().all(|c| ('!'..='~').contains(&c)));
    }
    if let Ok(value) = timeout_ms(number) {
        assert!(value == number && value > 0.0 && value < f64::INFINITY);
    }
    if let Ok(value) = max_retries(number) {
        assert!(f64::from(value) == number && value <= 10);
    }
});
