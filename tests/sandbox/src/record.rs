//! What arrived, and how it ended.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Response, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body::{Frame, SizeHint};
use serde::Serialize;

use crate::lock;
use crate::wire::{Connection, Head};

/// The oldest records go when there are more; the counts stay right.
const MOST_RECORDS: usize = 10_000;

/// What is kept of a body.
const LONGEST_BODY: usize = 64 * 1024;

/// Different methods and paths that are counted apart; the rest is counted together.
const MOST_COUNTS: usize = 1_000;

/// One request, as a test sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Counts requests from 1, on past a clearing of the list.
    pub number: u64,
    /// Counts connections from 1: the same number, the same connection.
    pub connection: u64,
    /// The method.
    pub method: String,
    /// The request target as sent, query included.
    pub path: String,
    /// Names and values as sent, in their order.
    pub headers: Vec<(String, String)>,
    /// The body's length in bytes, once it has arrived.
    pub body_length: usize,
    /// The body, or its first 64 KiB.
    pub body_base64: String,
    /// When the head had arrived: milliseconds since the stand-in started.
    pub received_ms: f64,
    /// When the request was over, however it ended.
    pub finished_ms: Option<f64>,
    /// The status it was answered with.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Not yet.
    Pending,
    /// The whole answer was handed to the socket.
    Answered,
    /// The client closed the connection before that, or broke HTTP.
    ClientClosed,
    /// The script had the connection reset before that.
    Reset,
}

/// Everything that arrived since the last clearing.
#[derive(Debug)]
pub struct Log {
    started: Instant,
    print: bool,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    last: u64,
    records: VecDeque<Record>,
    counts: BTreeMap<String, u64>,
}

impl Log {
    /// An empty log; one that prints writes a line to stdout for each request that is over.
    #[must_use]
    pub fn new(print: bool) -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), print, entries: Mutex::default() })
    }

    /// The last requests, oldest first.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        lock(&self.entries).records.iter().cloned().collect()
    }

    /// How many requests came, by method and path without its query.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        lock(&self.entries).counts.clone()
    }

    /// Forgets every request.
    pub fn clear(&self) {
        let mut entries = lock(&self.entries);
        entries.records.clear();
        entries.counts.clear();
    }

    /// Notes a request whose head has arrived.
    pub fn open(self: &Arc<Self>, head: Head, connection: Arc<Connection>) -> Entry {
        let received_ms = self.elapsed_ms();
        let path = head.target.split('?').next().unwrap_or_default();
        let counted = format!("{} {path}", head.method);
        let mut entries = lock(&self.entries);
        entries.last += 1;
        let number = entries.last;
        let known = entries.counts.len() < MOST_COUNTS || entries.counts.contains_key(&counted);
        let key = if known { counted.clone() } else { "other".to_owned() };
        *entries.counts.entry(key).or_default() += 1;
        if entries.records.len() == MOST_RECORDS {
            entries.records.pop_front();
        }
        entries.records.push_back(Record {
            number,
            connection: connection.number,
            method: head.method,
            path: head.target,
            headers: head.headers,
            body_length: 0,
            body_base64: String::new(),
            received_ms,
            finished_ms: None,
            status: None,
            outcome: Outcome::Pending,
        });
        drop(entries);
        Entry { log: Arc::clone(self), number, counted, received_ms, connection, status: None, whole: false }
    }

    fn elapsed_ms(&self) -> f64 {
        (self.started.elapsed().as_secs_f64() * 100_000.0).round() / 100.0
    }

    /// Changes a record, unless it has been cleared away.
    fn change(&self, number: u64, change: impl FnOnce(&mut Record)) {
        let mut entries = lock(&self.entries);
        let at = entries.records.binary_search_by_key(&number, |record| record.number);
        if let Some(record) = at.ok().and_then(|at| entries.records.get_mut(at)) {
            change(record);
        }
    }
}

/// An open record. Dropped before the answer is whole, it says that the connection ended early: hyper drops what it was
/// doing for a request when its connection is gone.
#[derive(Debug)]
pub struct Entry {
    log: Arc<Log>,
    number: u64,
    counted: String,
    received_ms: f64,
    connection: Arc<Connection>,
    status: Option<StatusCode>,
    whole: bool,
}

impl Entry {
    /// Notes the body.
    pub fn body(&self, body: &[u8]) {
        let kept = STANDARD.encode(body.get(..LONGEST_BODY).unwrap_or(body));
        self.log.change(self.number, |record| {
            record.body_length = body.len();
            record.body_base64 = kept;
        });
    }

    /// Follows the answer to its end.
    pub fn answer(mut self, response: Response<Body>) -> Response<Body> {
        self.status = Some(response.status());
        response.map(|body| Body::new(Followed { body, entry: self }))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let outcome = match (self.whole, self.connection.was_reset()) {
            (true, _) => Outcome::Answered,
            (false, true) => Outcome::Reset,
            (false, false) => Outcome::ClientClosed,
        };
        let now = self.log.elapsed_ms();
        let status = self.status.map(|status| status.as_u16());
        self.log.change(self.number, |record| {
            record.finished_ms = Some(now);
            record.status = status;
            record.outcome = outcome;
        });
        if self.log.print {
            let ended = match (outcome, status) {
                (Outcome::Answered, Some(status)) => status.to_string(),
                (Outcome::Reset, _) => "reset by the script".to_owned(),
                _ => "closed by the client".to_owned(),
            };
            let millis = now - self.received_ms;
            // Nobody reading is no reason to fail.
            let _ = writeln!(std::io::stdout(), "{}: {ended}, {millis:.1} ms", self.counted);
        }
    }
}

/// An answer's body that tells its record when it is whole.
#[derive(Debug)]
struct Followed {
    body: Body,
    entry: Entry,
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) {
            this.entry.whole = true;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        // A body whose length is known is not asked for the end that it is already at.
        self.entry.whole |= self.body.is_end_stream();
    }
}
