//! What the store and the API answer, as `src/web` reads it.

use crate::clock::{EPOCH_S, Micros};
use crate::fault::Fault;
use crate::input::text_of;
use crate::scenario::DateKind;
use crate::shell::{ApiReply, Task};
use crate::store::{Command, Reply, Serial};
use crate::world::World;
use digitalpaye_auth::client::StoredToken;
use digitalpaye_auth::error::{AuthError, Code, Foreign};
use digitalpaye_auth::flight::{ANSWER_MS, Answer, FlightId};
use digitalpaye_auth::jwt::Claims;
use digitalpaye_auth::response::{Body, Content, Headers, Reply as HttpReply};
use digitalpaye_auth::time::NumericDate;
use zeroize::Zeroizing;

impl World {
    pub(crate) fn answered(&mut self, p: usize, task: Task, answer: Option<(f64, Reply)>) {
        let monotonic_ms = self.clocks(p).monotonic.0;
        if let Some((time_ms, _)) = answer {
            self.shell(p).offset_ms = Some(time_ms - monotonic_ms);
        }
        let failed = || Foreign::new("the store failed");
        match task {
            Task::Read(flight, asked_ms) => {
                if answer.is_none() && self.fault == Some(Fault::StoreFailureIsError) {
                    let error = AuthError::new(Code::UnexpectedStatus, "the store failed");
                    let random = self.draw(p);
                    return self.update(p, |client, now| client.replied(flight, Err(error), random, now));
                }
                let read = match answer {
                    None => Answer::Rejected(failed()),
                    Some((_, Reply::Entry(entry))) => {
                        Answer::Value(entry.and_then(|entry| self.stored(entry, monotonic_ms - asked_ms)))
                    }
                    Some(_) => Answer::Invalid,
                };
                let random = self.draw(p);
                self.update(p, |client, now| client.store_read(flight, read, random, now));
            }
            Task::Acquire(flight, ticket, asked_ms) => self.acquired(p, flight, ticket, asked_ms, answer),
            Task::Release(flight) => {
                let answer = answer.map_or_else(|| Answer::Rejected(failed()), |_| Answer::Value(()));
                self.update(p, |client, now| client.lease_released(flight, &answer, now));
            }
            Task::Forget => {}
            Task::Clock(flight, id, serial, asked, life_ms) => match answer {
                Some(_) => self.send_write(p, flight, id, serial, asked, life_ms),
                None => self.written(p, flight, id, false),
            },
            Task::Write(flight, id) => self.written(p, flight, id, answer.is_some()),
            Task::Delete(id) => self.deleted(p, id, Some(answer.is_some())),
        }
    }

    fn stored(&self, (serial, left_ms): (Serial, f64), took_ms: f64) -> Option<StoredToken> {
        let left_ms = match self.fault {
            Some(Fault::WholeLifeRead) => self.scenario.life_s * 1_000.0,
            _ => left_ms - took_ms,
        };
        let exp = EPOCH_S + self.issued[serial].iat_s + self.scenario.life_s;
        (left_ms > 0.0).then(|| StoredToken {
            token: Zeroizing::new(text_of(serial)),
            claims: self.claims(serial),
            exp,
            ttl_s: Some(left_ms / 1_000.0),
        })
    }

    fn claims(&self, serial: Serial) -> Claims {
        let iat = EPOCH_S + self.issued[serial].iat_s;
        match self.scenario.jwt {
            true => Claims { iat: Some(NumericDate(iat)), exp: Some(NumericDate(iat + self.scenario.life_s)) },
            false => Claims::default(),
        }
    }

    /// As in `pkg/stores/remote.js`: a lease that comes too late, or for nobody, is given back.
    fn acquired(&mut self, p: usize, id: FlightId, ticket: u64, asked_ms: f64, answer: Option<(f64, Reply)>) {
        let late = self.clocks(p).monotonic.0 - asked_ms > ANSWER_MS;
        let keeps = self.fault == Some(Fault::LateLeaseKept);
        let owner = (p, self.processes[p].life);
        let shell = self.shell(p);
        let last = shell.ticket == Some(ticket);
        let mut granted = matches!(answer, Some((_, Reply::Granted(true))));
        if answer.is_some() {
            if !granted {
                if last {
                    shell.ticket = None;
                }
            } else if ((late && last) || shell.ticket.is_none()) && !keeps {
                shell.ticket = None;
                granted = false;
                self.send_command(p, Task::Forget, Command::Release(owner));
            } else {
                granted = !late;
            }
        }
        if self.shell(p).flight(id).is_none() && keeps {
            return;
        }
        let answer = match answer {
            None => Answer::Rejected(Foreign::new("the store failed")),
            Some(_) => Answer::Value(granted),
        };
        self.update(p, |client, now| client.lease_answered(id, &answer, now));
    }

    pub(crate) fn written(&mut self, p: usize, flight: FlightId, id: u64, done: bool) {
        if let Some(writing) = self.shell(p).writing.filter(|writing| writing.id == id) {
            self.shell(p).writing = None;
            if writing.delete_after && self.fault != Some(Fault::WriteSurvivesDeletion) {
                self.delete(p, Some(writing.of.1));
            }
        }
        let answer = if done { Answer::Value(()) } else { Answer::Rejected(Foreign::new("the store failed")) };
        self.update(p, |client, now| client.store_written(flight, &answer, now));
    }

    pub(crate) fn deleted(&mut self, p: usize, id: u64, done: Option<bool>) {
        let shell = self.shell(p);
        if shell.deleting == Some(id) {
            shell.deleting = None;
        }
        let (over, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut shell.awaiting).into_iter().partition(|wait| wait.0 == id);
        shell.awaiting = rest;
        let answer = done.map(|done| if done { Answer::Value(()) } else { Answer::Rejected(Foreign::new("")) });
        self.update(p, |client, _| client.store_deleted(answer));
        for (_, flight) in over {
            self.update(p, |client, now| client.deletion_finished(flight, now));
        }
    }

    // The API.

    pub(crate) fn is_open_attempt(&mut self, p: usize, id: FlightId, attempt: u64) -> bool {
        self.shell(p).flight(id).is_some_and(|flight| flight.attempt == Some(attempt))
    }

    fn headers(&self, retry_after: Option<f64>, at: Micros) -> Headers {
        let retry_after = retry_after.filter(|_| self.fault != Some(Fault::RefusalForgotten));
        let date = EPOCH_S + (at as f64 / 1e6).floor();
        let date = match self.scenario.date {
            DateKind::None => None,
            DateKind::Right => Some(NumericDate(date)),
            DateKind::Wrong(by_s) => Some(NumericDate((date + by_s).floor())),
        };
        Headers { date, has_age: false, retry_after }
    }

    pub(crate) fn head(&mut self, p: usize, id: FlightId, attempt: u64, reply: ApiReply, at: Micros) {
        if !self.is_open_attempt(p, id, attempt) {
            return;
        }
        if let ApiReply::Status(status, retry_after) = reply {
            let headers = self.headers(retry_after, at);
            let now = self.core_now(p);
            let shell = self.shell(p);
            if let Some(seconds) = retry_after {
                shell.refused_until_ms = now.monotonic.0 + seconds * 1_000.0;
            }
            shell.client.head_received(id, status, headers, now);
        }
    }

    pub(crate) fn reply(&mut self, p: usize, id: FlightId, attempt: u64, reply: ApiReply, at: Micros) {
        if !self.is_open_attempt(p, id, attempt) {
            return;
        }
        let random = self.draw(p);
        let reply = match reply {
            ApiReply::Broken => Err(AuthError::network(Foreign::new("the connection broke"))),
            ApiReply::Status(status, retry_after) => {
                if let Some(seconds) = retry_after {
                    let until_ms = self.clocks(p).monotonic.0 + seconds * 1_000.0;
                    self.shell(p).refused_until_ms = until_ms;
                }
                Ok(HttpReply { status, headers: self.headers(retry_after, at), body: Body::NotJson })
            }
            ApiReply::Token(serial) => {
                let exp = EPOCH_S + self.issued[serial].iat_s + self.scenario.life_s;
                let content = Content {
                    status_code: Some(200.0),
                    token: Some(Zeroizing::new(text_of(serial))),
                    claims: self.claims(serial),
                    exp: Some(exp),
                    reason: None,
                };
                Ok(HttpReply { status: 200.0, headers: self.headers(None, at), body: Body::Json(content) })
            }
        };
        self.update(p, |client, now| client.replied(id, reply, random, now));
    }
}
