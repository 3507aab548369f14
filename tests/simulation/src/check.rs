//! What must hold after every event, and the figures of a run.

use crate::clock::{Micros, millis};
use std::fmt;

/// The rules that a run is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// No token past its end is served.
    ServedLate,
    /// A token that was invalidated is not served again.
    ServedInvalidated,
    /// A store that answers does not keep a token that was invalidated while it was being written.
    InvalidatedKept,
    /// With a working store, who exchanges has the lease.
    ExchangedWithoutLease,
    /// With a working store, there is one exchange for each life, and one for each takeover.
    ExchangedTwice,
    /// Every call has an answer in its time.
    AnsweredLate,
    /// A store that fails is never an error.
    NeedlessError,
    /// Nobody asks before `Retry-After` is over.
    AskedTooEarly,
    /// A flight makes no more attempts than it may.
    TooManyAttempts,
    /// A failed renewal is not repeated before its cooldown is over.
    NoCooldown,
    /// No lease is given for longer than it may.
    LeaseTooLong,
    /// A lease ends with its flight.
    LeaseKept,
    /// Every flight that begins ends.
    FlightGoesOn,
    /// Nothing is left when all calls have settled.
    SomethingLeft,
    /// The API is not overrun.
    Stampede,
}

/// A rule that was broken, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// When, by the true time.
    pub at: Micros,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:.3} s: {}", self.rule, millis(self.at) / 1_000.0, self.what)
    }
}

/// What a run counts.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Events.
    pub events: u64,
    /// Calls, and how many of them got a token or an error.
    pub calls: u64,
    /// Calls that got a token.
    pub tokens: u64,
    /// Calls that got an error.
    pub errors: u64,
    /// Requests that were sent to the API.
    pub requests: u64,
    /// Commands that were sent to the store.
    pub commands: u64,
    /// Requests in each hour.
    pub by_hour: Vec<u64>,
    /// From when on the peak counts.
    pub peak_from: Micros,
    /// The most requests in one second, and which second that was.
    pub peak: (u64, u64),
    /// The second that is being counted, and its requests.
    pub second: (u64, u64),
}

impl Figures {
    /// A request is sent.
    pub fn count_request(&mut self, now: Micros) {
        self.requests += 1;
        let hour = (now / 3_600_000_000) as usize;
        if self.by_hour.len() <= hour {
            self.by_hour.resize(hour + 1, 0);
        }
        self.by_hour[hour] += 1;
        if now < self.peak_from {
            return;
        }
        let second = now / 1_000_000;
        if self.second.0 != second {
            self.second = (second, 0);
        }
        self.second.1 += 1;
        if self.second.1 > self.peak.0 {
            self.peak = (self.second.1, second);
        }
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.calls += other.calls;
        self.tokens += other.tokens;
        self.errors += other.errors;
        self.requests += other.requests;
        self.commands += other.commands;
    }
}
