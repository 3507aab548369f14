use digitalpaye_auth::error::AuthError;
use digitalpaye_auth::options::{Endpoint, environment, max_retries, timeout_ms};
use proptest::prelude::*;

fn url(href: &str) -> Result<String, Box<AuthError>> {
    Endpoint::new(href).map(|endpoint| endpoint.url)
}

fn fault(href: &str) -> String {
    let error = url(href).unwrap_err();
    assert_eq!(error.option, Some("baseUrl"), "{href}");
    error.message.into()
}

#[test]
fn a_path_is_kept() {
    assert_eq!(url("https://api.digitalpaye.com/").unwrap(), "https://api.digitalpaye.com/v1/auth");
    assert_eq!(url("https://h:8443/p/").unwrap(), "https://h:8443/p/v1/auth");
    assert_eq!(url("https://h/p").unwrap(), "https://h/p/v1/auth");
    assert_eq!(url("https://h/p@q://r").unwrap(), "https://h/p@q://r/v1/auth");
}

#[test]
fn http_is_for_loopback_alone() {
    for port in ["", ":8787"] {
        for host in ["localhost", "api.localhost", "127.0.0.1", "127.255.0.9", "[::1]"] {
            assert!(url(&format!("http://{host}{port}/")).is_ok(), "{host}{port}");
        }
        for host in [
            "h",
            "localhost.evil.example",
            "notlocalhost",
            "128.0.0.1",
            "127.evil.example",
            "[::2]",
            "[::1:1]",
            "[1::1]",
            "0.0.0.0",
            "",
        ] {
            assert!(fault(&format!("http://{host}{port}/")).starts_with("is http;"), "{host}{port}");
        }
    }
    for path in ["localhost", "@localhost", ":127.0.0.1", "/localhost", "[::1]"] {
        assert!(fault(&format!("http://h/{path}")).starts_with("is http;"), "{path}");
    }
}

#[test]
fn what_a_base_url_cannot_have() {
    for href in ["https://h/?q", "https://h/?", "https://h/#f", "https://h/#", "https://h/p?a@b"] {
        assert!(fault(href).starts_with("holds a query"), "{href}");
    }
    for href in [
        "ftp://h/",
        "ws://localhost/",
        "wss://h/",
        "file:///p",
        "data:,https://h",
        "blob:https://h/p",
        "https:",
        "h",
        "",
    ] {
        assert!(fault(href).starts_with("is neither"), "{href}");
    }
    for authority in ["user@h", "user:pass@h", ":pass@h", "localhost@h", "h@localhost:80", "a%40b@[::1]"] {
        for scheme in ["https", "http"] {
            assert!(fault(&format!("{scheme}://{authority}/")).starts_with("holds user info"), "{scheme} {authority}");
        }
    }
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
    fn no_url_panics(href in any::<String>(), scheme in "(https?:/{0,3})?") {
        let _ = url(&(scheme + &href));
    }
}
