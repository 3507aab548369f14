//! A date that is read is one of four-digit years.
#![no_main]

use digitalpaye_auth::date::http_date;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(date) = http_date(text) {
        // From year 0 to year 9999, and a leap second.
        assert!((-62_167_219_200.0..=253_402_300_800.0).contains(&date.0), "{}", date.0);
        assert_eq!(date.0.fract(), 0.0);
    }
});
