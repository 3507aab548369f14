//! The store: one entry and one lease in a Redis, by the scripts of `pkg/stores/redis.js`, with a clock of its own.

use crate::clock::{Micros, millis};
use std::collections::VecDeque;

/// The number of a token: the one that the API gave out as `t<number>`.
pub type Serial = usize;

/// A store object, which is one holder: a process, and which of its lives that is.
pub type Owner = (usize, u32);

/// How long a replica can be behind, at most.
const HISTORY: Micros = 10_000_000;

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Only the server's time.
    Time,
    /// The entry and how long it lives.
    Get,
    /// A token, its life and, if known, its end by the server's clock, both in milliseconds.
    Set(Serial, f64, Option<f64>),
    /// Delete the entry; with a token, only if that is the one stored.
    Delete(Option<Serial>),
    /// Take or renew the lease, for so many milliseconds.
    Acquire(Owner, f64),
    /// Give the lease back.
    Release(Owner),
}

/// What a client gets, beside the server's time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reply {
    /// Done, or only the time.
    Done,
    /// The entry and the milliseconds that it has left.
    Entry(Option<(Serial, f64)>),
    /// Whether the lease is the caller's.
    Granted(bool),
}

/// What is under the two keys, each with its end by the true time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Content {
    /// The token.
    pub entry: Option<(Serial, Micros)>,
    /// The lease.
    pub lease: Option<(Owner, Micros)>,
}

/// A server with its past, from which a replica takes over.
#[derive(Debug)]
pub struct Store {
    content: Content,
    past: VecDeque<(Micros, Content)>,
    offset_ms: f64,
    drift: f64,
}

impl Store {
    /// An empty one, whose clock is wrong by so much.
    #[must_use]
    pub fn new(offset_ms: f64, drift: f64) -> Self {
        Self { content: Content::default(), past: VecDeque::new(), offset_ms, drift }
    }

    /// What it has, without what has ended.
    #[must_use]
    pub fn content(&self, now: Micros) -> Content {
        Content {
            entry: self.content.entry.filter(|entry| entry.1 > now),
            lease: self.content.lease.filter(|lease| lease.1 > now),
        }
    }

    /// The server's time, in milliseconds.
    #[must_use]
    pub fn time_ms(&self, now: Micros) -> f64 {
        (millis(now) * (1.0 + self.drift) + self.offset_ms).floor()
    }

    /// Carries out a command, at once.
    pub fn execute(&mut self, command: Command, now: Micros) -> (f64, Reply) {
        let time_ms = self.time_ms(now);
        let mut content = self.content(now);
        let end = |ms: f64| now + (ms.max(0.0).floor() * 1_000.0 / (1.0 + self.drift)) as Micros;
        let reply = match command {
            Command::Time => Reply::Done,
            Command::Get => Reply::Entry(
                content.entry.map(|(serial, end)| (serial, (millis(end - now) * (1.0 + self.drift)).floor())),
            ),
            Command::Set(serial, px, ending) => {
                let px = ending.map_or(px, |ending| px.min(ending - time_ms));
                if px >= 1.0 {
                    content.entry = Some((serial, end(px)));
                }
                Reply::Done
            }
            Command::Delete(token) => {
                content.entry = content.entry.filter(|entry| token.is_some_and(|token| token != entry.0));
                Reply::Done
            }
            Command::Acquire(owner, px) => {
                let granted = content.lease.is_none_or(|lease| lease.0 == owner);
                if granted {
                    content.lease = Some((owner, end(px)));
                }
                Reply::Granted(granted)
            }
            Command::Release(owner) => {
                content.lease = content.lease.filter(|lease| lease.0 != owner);
                Reply::Done
            }
        };
        self.past.push_back((now, self.content));
        while self.past.front().is_some_and(|past| past.0 + HISTORY < now) {
            self.past.pop_front();
        }
        self.content = content;
        (time_ms, reply)
    }

    /// A replica takes over, which is behind by so much: later writes are lost.
    pub fn fail_over(&mut self, lag: Micros, now: Micros) {
        while let Some((at, before)) = self.past.back().copied() {
            if at + lag <= now {
                break;
            }
            self.content = before;
            self.past.pop_back();
        }
    }
}
