//! What arrived, without secrets.

use std::collections::VecDeque;

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// The oldest records go when there are more.
const MOST_RECORDS: usize = 10_000;

/// One request, as a test sees it.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    #[serde(skip)]
    number: u64,
    method: String,
    /// With its query.
    path: String,
    #[serde(serialize_with = "as_object")]
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

/// The requests that arrived, oldest first.
#[derive(Debug, Default)]
pub struct Records {
    last: u64,
    records: VecDeque<Record>,
}

impl Records {
    /// Notes a request, and gives its number.
    pub fn open(&mut self, method: &str, path: &str, headers: &[(String, String)]) -> u64 {
        if self.records.len() == MOST_RECORDS {
            self.records.pop_front();
        }
        self.last += 1;
        let headers = headers.iter().map(|(name, value)| (name.clone(), masked(name, value).to_owned())).collect();
        let (method, path) = (method.to_owned(), path.to_owned());
        self.records.push_back(Record { number: self.last, method, path, headers, status: None });
        self.last
    }

    /// Notes what a request was answered with.
    pub fn answered(&mut self, number: u64, status: u16) {
        if let Ok(at) = self.records.binary_search_by_key(&number, |record| record.number)
            && let Some(record) = self.records.get_mut(at)
        {
            record.status = Some(status);
        }
    }

    /// All of them, as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.records).unwrap_or_default()
    }
}

/// What may be shown of a header's value. Of credentials that is their scheme, where the scheme is a known one: another
/// one's first word may be the secret itself.
#[must_use]
pub fn masked<'a>(name: &str, value: &'a str) -> &'a str {
    if !name.eq_ignore_ascii_case("authorization") && !name.eq_ignore_ascii_case("proxy-authorization") {
        return value;
    }
    let scheme = value.split(' ').next().unwrap_or_default();
    match scheme {
        _ if scheme.eq_ignore_ascii_case("basic") => "Basic ***",
        _ if scheme.eq_ignore_ascii_case("bearer") => "Bearer ***",
        _ => "***",
    }
}

fn as_object<S: Serializer>(headers: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(headers.len()))?;
    for (name, value) in headers {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(records: &mut Records, headers: &[(&str, &str)]) -> u64 {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        records.open("POST", "/v1/auth?x", &headers)
    }

    #[test]
    fn a_record_shows_what_came_and_no_credentials() {
        let mut records = Records::default();
        let number =
            open(&mut records, &[("authorization", "Basic a2V5OnNlY3JldA=="), ("x-environment", "Production")]);
        let shown = r#""method":"POST","path":"/v1/auth?x","headers":{"authorization":"Basic ***","x-environment":"Production"}"#;
        assert_eq!(records.to_json(), format!("[{{{shown}}}]"));
        records.answered(number, 503);
        assert_eq!(records.to_json(), format!("[{{{shown},\"status\":503}}]"));
    }

    #[test]
    fn credentials_of_any_scheme_are_masked() {
        for (value, shown) in [
            ("Basic YTpi", "Basic ***"),
            ("bEARER abc", "Bearer ***"),
            ("Basic", "Basic ***"),
            ("secret", "***"),
            ("Digest secret", "***"),
            ("", "***"),
        ] {
            assert_eq!(masked("AUTHORIZATION", value), shown, "{value}");
            assert_eq!(masked("Proxy-Authorization", value), shown, "{value}");
        }
        assert_eq!(masked("X-Authorization", "Basic YTpi"), "Basic YTpi");
    }

    #[test]
    fn the_last_ten_thousand_are_kept() {
        let mut records = Records::default();
        let first = open(&mut records, &[]);
        for _ in 0..MOST_RECORDS {
            open(&mut records, &[]);
        }
        assert_eq!(records.records.len(), MOST_RECORDS);
        records.answered(first, 200);
        assert!(!records.to_json().contains("status"));
        records.answered(first + 1, 200);
        assert!(records.records.front().is_some_and(|record| record.status == Some(200)));
    }
}
