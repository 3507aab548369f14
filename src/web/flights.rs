//! What a flight has of the platform, and its exchange: the secret, the request, the reply.

use super::callback::CALLBACKS;
use super::error::foreign;
use super::exchange::{self, AbortGuard, Attempt, BodyForm, NoReply, PartialBody, Progress, ReplyHead};
use super::question::Question;
use super::shell::{PLATFORM, Platform, Shell};
use super::timer::{Timer, monotonic, now, wall};
use super::value::{Member, Members, contain, deferred, is_same_text, settling, spawn, text};
use crate::error::AuthError;
use crate::flight::FlightId;
use crate::request::TokenRequest;
use crate::response::{Body, Reply};
use crate::time::Instant;
use js_sys::{Function, Math};
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// What a flight has of the platform.
pub(super) struct FlightShell {
    /// Resolves the promise of its end, if the platform or the caller was given one.
    end: Option<Function>,
    timer: Option<Timer>,
    /// Of the attempt that is under way.
    pub(super) attempt: Option<AbortGuard>,
}

impl Shell {
    pub(super) fn flight<T>(&self, id: FlightId, change: impl FnOnce(&mut FlightShell) -> Option<T>) -> Option<T> {
        let mut flights = self.flights.borrow_mut();
        flights.iter_mut().find(|flight| flight.0 == id).and_then(|flight| change(&mut flight.1))
    }

    pub(super) fn has_flight(&self, id: FlightId) -> bool {
        self.flight(id, |_| Some(())).is_some()
    }

    pub(super) fn begin(&self, id: FlightId) {
        let keepers = [PLATFORM.with(Platform::wait_until), self.wait_until.clone()];
        let ended = keepers.iter().any(Option::is_some).then(deferred);
        let end = ended.as_ref().map(|(_, end)| end.clone());
        self.flights.borrow_mut().push((id, FlightShell { end, timer: None, attempt: None }));
        self.stay_while_busy();
        if let Some((ended, _)) = &ended {
            for keep in keepers.into_iter().flatten() {
                // One that throws (outside of a request, say) harms nobody.
                if let Ok(answer) = keep.call1(&JsValue::UNDEFINED, ended) {
                    contain(&answer);
                }
            }
        }
        if let Some(shell) = self.itself.upgrade() {
            spawn(async move { shell.update(|client, now| client.begin(id, now)) });
        }
    }

    pub(super) fn set_flight_timer(&self, id: FlightId, delay_ms: f64, keeps_process_alive: bool) {
        if !self.has_flight(id) {
            return;
        }
        let timer = CALLBACKS.with(|callbacks| Timer::set(&callbacks.flight_timer, self.number, id, delay_ms));
        match &timer {
            Some(timer) if !keeps_process_alive => timer.unref(),
            Some(_) => {}
            None => self.update(|client, now| client.without_timer(id, now)),
        }
        let before = self.flight(id, |flight| std::mem::replace(&mut flight.timer, timer));
        drop(before);
    }

    pub(super) fn flight_timer(&self, id: FlightId) {
        self.update(|client, now| client.flight_timer(id, now));
    }

    pub(super) fn end(&self, id: FlightId) {
        let mut flights = self.flights.borrow_mut();
        let Some(index) = flights.iter().position(|flight| flight.0 == id) else { return };
        let (_, flight) = flights.remove(index);
        drop(flights);
        if let Some(attempt) = flight.attempt {
            attempt.complete();
        }
        self.forget_questions(Some(id));
        if let Some(end) = flight.end {
            let _ = end.call1(&JsValue::UNDEFINED, &JsValue::UNDEFINED);
        }
        self.stay_while_busy();
    }

    /// Asks the `apiSecret` function.
    pub(super) fn ask_secret(&self, id: FlightId) {
        let Some(function) = self.secret.clone() else { return };
        let signal = self.signal(id);
        let call = Members::default().with("signal", Member::Value(signal)).object();
        self.ask(id, Question::Secret, &settling(function.call1(&JsValue::UNDEFINED, &call)));
    }

    pub(super) fn secret_answered(&self, id: FlightId, answer: Result<JsValue, JsValue>) {
        let (secret, random) = (secret_of(answer), Math::random());
        self.update(|client, now| client.secret_answered(id, secret, random, now));
    }

    /// The signal of the attempt that is under way, or of a new one.
    fn signal(&self, id: FlightId) -> JsValue {
        let signal = self.flight(id, |flight| flight.attempt.as_ref().map(AbortGuard::signal));
        signal.unwrap_or_else(|| {
            let guard = AbortGuard::new();
            let signal = guard.signal();
            self.flight(id, |flight| flight.attempt.replace(guard));
            signal
        })
    }

    /// Sends the request.
    pub(super) fn send(&self, id: FlightId, request: &TokenRequest, deadline: Instant) {
        let signal = self.signal(id);
        let Some(open) = self.flight(id, |flight| flight.attempt.as_ref().map(AbortGuard::open)) else { return };
        let called = exchange::send(request, self.fetch.as_ref(), &signal);
        self.ask(id, Question::Response(Attempt { open, deadline }), &settling(called));
    }

    pub(super) fn response_came(&self, id: FlightId, attempt: Attempt, answer: Result<JsValue, JsValue>) {
        if !attempt.is_open() {
            return self.given_up(id);
        }
        let (response, head) = match exchange::head(answer, self.fetch.is_none(), attempt.clone(), wall()) {
            Ok(head) => head,
            Err(no_reply) => return self.replied(id, &attempt, Err(no_reply)),
        };
        if head.status != 200.0 && attempt.is_open() {
            // The status decides, even if the body does not come in time.
            let now = now();
            self.core.borrow_mut().head_received(id, head.status, head.headers, now);
        }
        match exchange::body_of(&response) {
            Ok(BodyForm::Empty) => self.body_came(id, &head, Ok(Body::NotJson)),
            Ok(BodyForm::Stream(reader)) => self.read_on(id, PartialBody::new(head, reader)),
            Ok(BodyForm::Buffer(called)) => self.ask(id, Question::Buffer(head), &settling(called)),
            Err(thrown) => self.body_came(id, &head, exchange::broken(thrown)),
        }
    }

    fn read_on(&self, id: FlightId, body: PartialBody) {
        let called = body.read();
        self.ask(id, Question::Chunk(body), &settling(called));
    }

    pub(super) fn chunk_came(&self, id: FlightId, mut body: PartialBody, answer: Result<JsValue, JsValue>) {
        let attempt = body.head.attempt.clone();
        if attempt.is_open() && monotonic() >= attempt.deadline {
            // A stream that never keeps us waiting keeps the timers from firing.
            self.flight_timer(id);
        }
        if !attempt.is_open() {
            return self.given_up(id);
        }
        match answer.and_then(|chunk| body.add(&chunk)) {
            Ok(Progress::More) => self.read_on(id, body),
            Ok(Progress::Done(content)) => self.body_came(id, &body.head, Ok(content)),
            Err(thrown) => self.body_came(id, &body.head, exchange::broken(thrown)),
        }
    }

    pub(super) fn buffer_came(&self, id: FlightId, head: &ReplyHead, answer: Result<JsValue, JsValue>) {
        let body = answer.and_then(|buffer| exchange::whole_body(&buffer)).map_or_else(exchange::broken, Ok);
        self.body_came(id, head, body);
    }

    fn body_came(&self, id: FlightId, head: &ReplyHead, body: Result<Body, NoReply>) {
        let reply = body.map(|body| Reply { status: head.status, headers: head.headers, body });
        self.replied(id, &head.attempt, reply);
    }

    fn replied(&self, id: FlightId, attempt: &Attempt, reply: Result<Reply, NoReply>) {
        if !attempt.is_open() {
            return self.given_up(id);
        }
        let random = Math::random();
        let reply = match reply {
            Ok(reply) => Ok(reply),
            Err(NoReply::Failed(error)) => Err(error),
            Err(NoReply::Interrupted(value)) => {
                return self.update(|client, now| client.interrupted(id, foreign(value), now));
            }
        };
        self.update(|client, now| client.replied(id, reply, random, now));
    }

    fn given_up(&self, id: FlightId) {
        self.update(|client, _| client.attempt_given_up(id));
    }
}

/// The secret that the `apiSecret` function gave.
fn secret_of(answer: Result<JsValue, JsValue>) -> Result<Zeroizing<String>, Box<AuthError>> {
    let secret = answer.map_err(|cause| AuthError::secret_rejected(foreign(cause)))?;
    let text = text(&secret).ok_or_else(|| AuthError::no_secret("is not a string"))?;
    if is_same_text(&text, &secret) { Ok(text) } else { Err(AuthError::no_secret("holds a lone surrogate")) }
}
