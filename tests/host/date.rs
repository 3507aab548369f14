use digitalpaye_auth::date::http_date;
use digitalpaye_auth::time::NumericDate;
use proptest::prelude::*;

/// RFC 9110 §5.6.7 has these three of one instant.
#[test]
fn the_three_forms_of_rfc_9110() {
    for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
        assert_eq!(http_date(text), Some(NumericDate(784_111_777.0)), "{text}");
    }
}

#[test]
fn calendar() {
    for (text, seconds) in [
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Wed, 31 Dec 1969 23:59:59 GMT", -1.0),
        ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600.0),
        ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200.0),
        ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199.0),
        ("Fri, 11 Oct 2024 08:20:03 GMT", 1_728_634_803.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799.0),
        ("Saturday, 31-Dec-16 23:59:60 GMT", 1_483_228_800.0),
    ] {
        assert_eq!(http_date(text), Some(NumericDate(seconds)), "{text}");
    }
}

#[test]
fn what_is_no_date() {
    for text in [
        "",
        "0",
        "-5",
        "120",
        "1728634803",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT extra",
        "Su, 06 Nov 1994 08:49:37 GMT",
        "S1n, 06 Nov 1994 08:49:37 GMT",
        "Sun, 00006 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08::37 GMT",
        "2024-10-11T08:20:03Z",
    ] {
        assert_eq!(http_date(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = http_date(&text);
    }

    #[test]
    fn no_shuffled_date_panics(parts in proptest::collection::vec(prop_oneof![
        Just("Sun"), Just("06"), Just("Nov"), Just("1994"), Just("94"), Just("08:49:37"), Just("GMT"), Just(","), Just("-"), Just("99999"), Just(":"),
    ], 0..9)) {
        let _ = http_date(parts.join(" "));
    }
}
