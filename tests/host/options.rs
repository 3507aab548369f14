use digitalpaye_auth::error::AuthError;
use digitalpaye_auth::options::{Endpoint, UrlParts, environment, max_retries, timeout_ms};
use proptest::prelude::*;

fn parts<'a>(href: &'a str, protocol: &'a str, hostname: &'a str) -> UrlParts<'a> {
    UrlParts { href, protocol, hostname, user_info: false }
}

fn url(href: &str, protocol: &str, hostname: &str) -> Result<String, Box<AuthError>> {
    Endpoint::new(parts(href, protocol, hostname)).map(|endpoint| endpoint.url)
}

#[test]
fn a_path_is_kept() {
    assert_eq!(
        url("https://api.digitalpaye.com/", "https:", "api.digitalpaye.com").unwrap(),
        "https://api.digitalpaye.com/v1/auth"
    );
    assert_eq!(url("https://h/p/", "https:", "h").unwrap(), "https://h/p/v1/auth");
    assert_eq!(url("https://h/p", "https:", "h").unwrap(), "https://h/p/v1/auth");
}

#[test]
fn http_is_for_loopback_alone() {
    for host in ["localhost", "api.localhost", "127.0.0.1", "127.255.0.9", "[::1]"] {
        assert!(url(&format!("http://{host}/"), "http:", host).is_ok(), "{host}");
    }
    for host in ["h", "localhost.evil.example", "notlocalhost", "128.0.0.1", "127.evil.example", "[::2]", "0.0.0.0", ""]
    {
        assert_eq!(url(&format!("http://{host}/"), "http:", host).unwrap_err().option, Some("baseUrl"), "{host}");
    }
}

#[test]
fn what_a_base_url_cannot_have() {
    for href in ["https://h/?q", "https://h/?", "https://h/#f", "https://h/#"] {
        assert_eq!(url(href, "https:", "h").unwrap_err().option, Some("baseUrl"), "{href}");
    }
    for protocol in ["ftp:", "ws:", "wss:", "file:", "data:", ""] {
        assert_eq!(url("x://h/", protocol, "h").unwrap_err().option, Some("baseUrl"), "{protocol}");
    }
    let error = Endpoint::new(UrlParts { user_info: true, ..parts("https://h/", "https:", "h") }).unwrap_err();
    assert_eq!(error.option, Some("baseUrl"));
}

#[test]
fn numbers() {
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(timeout_ms(value).unwrap_err().option, Some("timeout"), "{value}");
    }
    assert_eq!(timeout_ms(0.5).unwrap(), 0.5);
    for value in [-1.0, 0.5, 10.5, 11.0, 1e9, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(max_retries(value).unwrap_err().option, Some("maxRetries"), "{value}");
    }
    for (value, count) in [(0.0, 0), (-0.0, 0), (2.0, 2), (10.0, 10)] {
        assert_eq!(max_retries(value).unwrap(), count);
    }
}

proptest! {
    #[test]
    fn environment_is_visible_ascii(value in any::<String>()) {
        let usable = !value.is_empty() && value.chars().all(|c| ('\u{21}'..='\u{7e}').contains(&c));
        prop_assert_eq!(environment(value).is_ok(), usable);
    }

    #[test]
    fn no_url_panics(href in any::<String>(), protocol in any::<String>(), hostname in any::<String>()) {
        let _ = url(&href, &protocol, &hostname);
    }
}
