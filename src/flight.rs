//! One flight to a token: by the store, by the exchange with its retries, and back to the store.
//!
//! A state machine. It is told what came of its last effect, or that its timer fired, and pushes the effects that are
//! next. It waits for one thing at a time, and for none longer than it has patience for.
//!
//! | stage | it waits for | then |
//! |---|---|---|
//! | naming | the name of the store's entry | read; without a name: exchange |
//! | reading | the store's token | arrive; none: lease; a store that fails: exchange |
//! | leasing | to be the one of the fleet who may exchange | read once more, exchange; refused: wait |
//! | waiting | the one who may | read; half of the time is gone: exchange |
//! | pausing | the time of the next attempt | exchange |
//! | asking | the `apiSecret` function | exchange |
//! | exchanging | the reply | arrive, pause or fail |
//! | flushing | a deletion in the store that began before | write |
//! | writing | the store | deliver, release |
//! | releasing | the store | end |
//!
//! Beside that, two things have times of their own: a lease is renewed while the flight has it, and a token that has
//! arrived is delivered once the store has it, or [`DELIVERY_MS`] later.

use crate::credentials::BasicCredentials;
use crate::effect::{Effect, Effects, LeaseTtl};
use crate::error::{AuthError, Foreign};
use crate::event::{Event, Operation, Problem};
use crate::refresh::CallerId;
use crate::retry::next_delay;
use crate::time::{Instant, Now};
use crate::token::AccessToken;
use std::rc::Rc;

/// A flight's number. Every flight of a client has another.
pub type FlightId = u32;

/// The longest wait for one answer of a store, in milliseconds.
pub const ANSWER_MS: f64 = 2_000.0;
/// The first wait for the one who may exchange, in milliseconds; it doubles up to [`POLL_CAP_MS`].
pub const POLL_MS: f64 = 25.0;
/// The longest such wait, in milliseconds.
pub const POLL_CAP_MS: f64 = 400.0;
/// How long a lease lives, in milliseconds, unless the `timeout` is shorter. A holder that dies costs the others this much.
pub const LEASE_MS: f64 = 5_000.0;
/// A lease is renewed after this share of its life: two renewals may be lost.
const LEASE_RENEWAL_SHARE: f64 = 1.0 / 3.0;
/// The callers wait this long at most for the store to have their token, in milliseconds.
pub const DELIVERY_MS: f64 = 250.0;
/// And no longer than this share of the token's life.
const DELIVERY_SHARE: f64 = 0.05;
/// How often a flight shows that the request it began in is still there, in milliseconds.
const HEARTBEAT_MS: f64 = 50.0;

/// What a flight waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The name of the store's entry.
    Naming,
    /// What the store has.
    Reading,
    /// To be the one who may exchange.
    Leasing,
    /// The one who may.
    Waiting,
    /// The time of the next attempt.
    Pausing,
    /// The `apiSecret` function.
    Asking,
    /// The reply.
    Exchanging,
    /// A deletion that began before.
    Flushing,
    /// That the store has the token.
    Writing,
    /// That the store has the lease back.
    Releasing,
}

/// What a flight leaves to its client, which knows options and callers.
#[derive(Debug)]
#[must_use]
pub enum Next {
    /// Nothing: it waits.
    Wait,
    /// To send a request.
    Exchange,
    /// To deliver the token that has arrived.
    Deliver,
    /// To fail.
    Fail(Box<AuthError>),
    /// To end it.
    End,
}

/// What came of asking a store.
#[derive(Clone, Debug)]
pub enum Answer<T> {
    /// An answer.
    Value(T),
    /// Nonsense.
    Invalid,
    /// It threw or rejected.
    Rejected(Foreign),
}

impl<T> Answer<T> {
    fn problem(&self) -> Option<Problem> {
        match self {
            Self::Value(_) => None,
            Self::Invalid => Some(Problem::Invalid),
            Self::Rejected(cause) => Some(Problem::Rejected(cause.clone())),
        }
    }
}

/// What came of reading the store, once its entry is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The store failed.
    Failure,
    /// Nothing that is of use.
    Nothing,
    /// A token.
    Token,
}

/// What is the same for all flights of a client.
#[derive(Clone, Copy, Debug)]
pub struct FlightConfig {
    /// Whether there is a store.
    pub store: bool,
    /// Whether it gives leases.
    pub leases: bool,
    /// Whether promises and timers belong to one request of many, as on workerd.
    pub isolate: bool,
    /// Whether somebody listens to events.
    pub events: bool,
    /// Attempts after the first.
    pub max_retries: u32,
    /// For a whole call, in milliseconds.
    pub timeout_ms: f64,
}

/// What a new flight is about.
#[derive(Clone, Debug)]
pub struct FlightPlan {
    /// Past the store.
    pub direct: bool,
    /// Begun behind the callers' backs.
    pub background: bool,
    /// When it times out.
    pub deadline: Instant,
    /// The caller in whose request it begins.
    pub leader: Option<CallerId>,
    /// No request is sent before: a flight that was lost, or `Retry-After`, says so.
    pub retry_at: Option<Instant>,
    /// What it fails with instead of sending a request: the server has said when to come back.
    pub refusal: Option<Rc<AuthError>>,
}

#[derive(Debug)]
struct Lease {
    ttl_ms: f64,
    renew_at: Instant,
}

#[derive(Debug)]
struct Arrival {
    token: Rc<AccessToken>,
    deliver_at: Instant,
    delivered: bool,
    written: bool,
}

/// The state of one flight.
#[derive(Debug)]
pub struct Flight {
    /// Its number.
    pub id: FlightId,
    /// What it is about. `direct` becomes true, and `deadline` later, on the way.
    pub plan: FlightPlan,
    /// When it began.
    pub began: Instant,
    /// Requests sent.
    pub attempts: u32,
    /// When what it last asked for was asked for: a token's life counts from here.
    pub asked: Now,
    /// Given up: what it still brings is ignored.
    pub cancelled: bool,
    /// What the request under way was made with, if the `apiSecret` function gave it.
    pub credentials: Option<BasicCredentials>,
    /// A 401, while the `apiSecret` function is asked whether the secret has changed.
    pub unauthorized: Option<Box<AuthError>>,
    config: FlightConfig,
    rounds: u32,
    asked_after_401: bool,
    stage: Stage,
    wake_at: Option<Instant>,
    poll_ms: f64,
    lease: Option<Lease>,
    arrival: Option<Arrival>,
    last_error: Box<AuthError>,
    heartbeat: Instant,
    timer_at: Option<Instant>,
}

impl Flight {
    /// A flight that has not begun.
    #[must_use]
    pub fn new(id: FlightId, plan: FlightPlan, config: FlightConfig, now: Now) -> Self {
        Self {
            id,
            plan,
            began: now.monotonic,
            attempts: 0,
            asked: now,
            cancelled: false,
            credentials: None,
            unauthorized: None,
            config,
            rounds: 0,
            asked_after_401: false,
            stage: Stage::Pausing,
            wake_at: None,
            poll_ms: POLL_MS,
            lease: None,
            arrival: None,
            last_error: AuthError::timeout(),
            heartbeat: now.monotonic,
            timer_at: None,
        }
    }

    /// Its turn has come. `identity` is what the store's entry is to be named by, unless that is known.
    pub fn begin(&mut self, identity: Option<Vec<u8>>, now: Now, effects: &mut Effects) -> Next {
        match identity {
            Some(identity) if self.config.store => {
                self.ask(Stage::Naming, Effect::NameEntry(self.id, identity), now, effects)
            }
            _ => self.read_or_exchange(self.config.store, now, effects),
        }
    }

    /// Whether the store's entry has a name.
    pub fn entry_named(&mut self, named: bool, now: Now, effects: &mut Effects) -> Option<Next> {
        self.waits_for(Stage::Naming).then(|| self.read_or_exchange(named, now, effects))
    }

    /// What reading the store came to.
    pub fn store_read(&mut self, found: Found, now: Now, effects: &mut Effects) -> Option<Next> {
        self.waits_for(Stage::Reading).then(|| match found {
            Found::Token => Next::Deliver,
            Found::Nothing if self.config.leases && self.lease.is_none() => self.acquire(now, effects),
            _ => self.exchange(now),
        })
    }

    /// What asking for the lease, or for its renewal, came to. A lease that comes when nobody waits for it is given back.
    pub fn lease_answered(&mut self, answer: &Answer<bool>, now: Now, effects: &mut Effects) -> Option<Next> {
        self.report(Operation::Acquire, answer.problem(), effects);
        if !self.waits_for(Stage::Leasing) {
            match answer {
                // It went to another: what this flight has under way goes on without.
                Answer::Value(false) => self.lease = None,
                Answer::Value(true) if self.lease.is_none() => effects.push(Effect::ReleaseLease(self.id)),
                _ => {}
            }
            return None;
        }
        Some(match answer {
            Answer::Value(true) => {
                let ttl_ms = self.lease_ms();
                self.lease = Some(Lease { ttl_ms, renew_at: self.asked.monotonic.plus(ttl_ms * LEASE_RENEWAL_SHARE) });
                // The one who had the lease before may have written since the last look.
                self.ask(Stage::Reading, Effect::ReadStore(self.id), now, effects)
            }
            Answer::Value(false) => {
                let until = now.monotonic.plus(self.poll_ms).min(self.half());
                self.poll_ms = (self.poll_ms * 2.0).min(POLL_CAP_MS);
                self.sleep(Stage::Waiting, until)
            }
            Answer::Invalid | Answer::Rejected(_) => self.exchange(now),
        })
    }

    /// The deletion that was under way is over.
    pub fn deletion_finished(&mut self, now: Now, effects: &mut Effects) -> Option<Next> {
        self.waits_for(Stage::Flushing).then(|| self.write(now, effects))
    }

    /// What writing the token came to.
    pub fn store_written(&mut self, answer: &Answer<()>, now: Now, effects: &mut Effects) -> Option<Next> {
        self.report(Operation::Set, answer.problem(), effects);
        self.waits_for(Stage::Writing).then(|| self.written(now, effects))
    }

    /// What giving the lease back came to.
    pub fn lease_released(&mut self, answer: &Answer<()>, effects: &mut Effects) -> Option<Next> {
        self.report(Operation::Release, answer.problem(), effects);
        self.waits_for(Stage::Releasing).then_some(Next::End)
    }

    /// Its timer fired. The deadline is for the client to look at.
    pub fn timer(&mut self, now: Now, effects: &mut Effects) -> Next {
        self.timer_at = None;
        self.heartbeat(now.monotonic);
        self.renew_lease(now, effects);
        if self.arrival.as_ref().is_some_and(|arrival| !arrival.delivered && now.monotonic >= arrival.deliver_at) {
            return Next::Deliver;
        }
        match self.wake_at.take_if(|wake_at| now.monotonic >= *wake_at) {
            Some(_) => self.wake(now, effects),
            None => Next::Wait,
        }
    }

    /// There are no timers here, as at module scope on workerd: what cannot be waited for is over. `None` if it waits for
    /// nothing but its deadline.
    pub fn without_timer(&mut self, now: Now, effects: &mut Effects) -> Option<Next> {
        self.timer_at = None;
        self.wake_at.take().map(|_| self.wake(now, effects))
    }

    /// A request is being sent.
    pub fn sent(&mut self, now: Now) {
        // Whatever failed before it: what runs out of time now is this request.
        self.last_error = AuthError::timeout();
        self.attempts += 1;
        self.asked = now;
        self.wake_at = None;
        self.stage = Stage::Exchanging;
    }

    /// The `apiSecret` function is being asked.
    pub fn asking(&mut self) {
        self.wake_at = None;
        self.stage = Stage::Asking;
    }

    /// Whether the `apiSecret` function is to be asked once more after a 401: it is, once a flight.
    pub fn asks_after_401(&mut self) -> bool {
        !std::mem::replace(&mut self.asked_after_401, true)
    }

    /// Whether it waits for this, and is not given up.
    #[must_use]
    pub fn waits_for(&self, stage: Stage) -> bool {
        self.stage == stage && !self.cancelled
    }

    /// An attempt failed. Another is made after a wait, or the error is final.
    ///
    /// `extend_deadline` says until when the flight goes on for a wait that does not fit in its deadline; `None` is not at
    /// all.
    pub fn refused(
        &mut self,
        mut error: Box<AuthError>,
        random: f64,
        now: Now,
        effects: &mut Effects,
        extend_deadline: impl FnOnce(Instant, &Rc<AuthError>, &mut Effects) -> Option<Instant>,
    ) -> Next {
        error.attempts = self.attempts;
        let Some(delay_ms) = next_delay(&error, self.rounds, self.config.max_retries, random) else {
            return Next::Fail(error);
        };
        let until = now.monotonic.plus(delay_ms);
        if until >= self.plan.deadline {
            match extend_deadline(until, &Rc::new((*error).clone()), effects) {
                Some(deadline) => self.plan.deadline = deadline,
                None => return Next::Fail(error),
            }
        }
        self.report_retry(&error, delay_ms, effects);
        self.last_error = error;
        self.plan.retry_at = Some(until);
        self.sleep(Stage::Pausing, until)
    }

    /// The token that arrived had ended on the way: another attempt is made in its place, while there are attempts and time.
    pub fn arrived_too_late(&mut self, now: Now, effects: &mut Effects) -> Next {
        self.arrival = None;
        let mut error = AuthError::ended_on_the_way();
        error.attempts = self.attempts;
        if self.rounds > self.config.max_retries || now.monotonic >= self.plan.deadline {
            return Next::Fail(error);
        }
        self.report_retry(&error, 0.0, effects);
        self.last_error = error;
        self.exchange(now)
    }

    /// Another attempt is made at once, with another secret.
    pub fn retry_with_another_secret(&mut self, error: &AuthError, effects: &mut Effects) {
        self.report_retry(error, 0.0, effects);
    }

    /// It brought a token, which is to be shared before it is delivered.
    pub fn share(&mut self, token: Rc<AccessToken>, now: Now, effects: &mut Effects) -> Next {
        let patience_ms = DELIVERY_MS.min(token.life_ms() * DELIVERY_SHARE);
        let deliver_at = now.monotonic.plus(patience_ms).min(self.plan.deadline);
        self.arrival = Some(Arrival { token, deliver_at, delivered: false, written: false });
        self.ask(Stage::Flushing, Effect::AwaitDeletion(self.id), now, effects)
    }

    /// The token that has arrived and nobody has yet.
    #[must_use]
    pub fn undelivered(&self) -> Option<&Rc<AccessToken>> {
        self.arrival.as_ref().filter(|arrival| !arrival.delivered).map(|arrival| &arrival.token)
    }

    /// Whether its token went to the callers.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.arrival.as_ref().is_some_and(|arrival| arrival.delivered)
    }

    /// Its token goes to the callers. What is left to do is for the store.
    pub fn delivered(&mut self, now: Now, effects: &mut Effects) -> Next {
        // The timer that is set keeps the process alive.
        self.timer_at = None;
        match self.arrival.as_mut() {
            Some(arrival) => {
                arrival.delivered = true;
                if arrival.written { self.release(now, effects) } else { Next::Wait }
            }
            None => Next::End,
        }
    }

    /// Its token was invalidated: the store does not get it.
    pub fn skip_store_write(&mut self) {
        if self.stage == Stage::Flushing {
            self.arrival = None;
        }
    }

    /// Whether it may exchange for all that share the store.
    #[must_use]
    pub fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    /// Gives up a lease, as the one who ends or takes over does.
    pub fn drop_lease(&mut self, effects: &mut Effects) {
        if self.lease.take().is_some() {
            effects.push(Effect::ReleaseLease(self.id));
        }
    }

    /// Sets the timer, if it is to go off at another time than it is set for.
    pub fn set_timer(&mut self, now: Now, effects: &mut Effects) {
        let never = Instant(f64::INFINITY);
        let waited_for = !self.is_past_deadlines();
        let mut due = if waited_for { self.plan.deadline } else { never };
        due = due.min(self.wake_at.unwrap_or(never));
        if let Some(lease) = &self.lease {
            due = due.min(lease.renew_at);
        }
        if let Some(arrival) = self.arrival.as_ref().filter(|arrival| !arrival.delivered) {
            due = due.min(arrival.deliver_at);
        }
        if self.config.isolate {
            due = due.min(now.monotonic.plus(HEARTBEAT_MS));
        }
        if due == never || self.timer_at.is_some_and(|timer_at| timer_at <= due) {
            return;
        }
        self.timer_at = Some(due);
        let keeps_process_alive = !self.plan.background && waited_for;
        effects.push(Effect::SetTimer { flight: self.id, delay_ms: due.since(now.monotonic), keeps_process_alive });
    }

    /// What the callers see if time runs out now.
    #[must_use]
    pub fn last_error(&self) -> Box<AuthError> {
        let mut error = self.last_error.clone();
        error.attempts = self.attempts;
        error
    }

    /// From here on the callers see this if time runs out.
    pub fn set_last_error(&mut self, error: Box<AuthError>) {
        self.last_error = error;
    }

    /// Whether the callers' time has run out.
    #[must_use]
    pub fn is_late(&self, now: Instant) -> bool {
        now >= self.plan.deadline && !self.is_past_deadlines()
    }

    /// The request that it began in is still there.
    pub fn heartbeat(&mut self, now: Instant) {
        self.heartbeat = now;
    }

    /// Milliseconds since the last heartbeat.
    #[must_use]
    pub fn idle_ms(&self, now: Instant) -> f64 {
        now.since(self.heartbeat)
    }

    /// Once its token went to the callers, no deadline of theirs bounds what is left to do for the store.
    fn is_past_deadlines(&self) -> bool {
        self.stage >= Stage::Flushing && self.undelivered().is_none()
    }

    fn wake(&mut self, now: Now, effects: &mut Effects) -> Next {
        let operation = match self.stage {
            Stage::Waiting => return self.ask(Stage::Reading, Effect::ReadStore(self.id), now, effects),
            Stage::Naming => return self.read_or_exchange(false, now, effects),
            Stage::Pausing => return self.exchange_now(),
            Stage::Asking | Stage::Exchanging => return Next::Wait,
            // The deletion tells for itself that it takes too long.
            Stage::Flushing => return self.write(now, effects),
            Stage::Reading => Operation::Get,
            Stage::Leasing => Operation::Acquire,
            Stage::Writing => Operation::Set,
            Stage::Releasing => Operation::Release,
        };
        self.report(operation, Some(Problem::Timeout), effects);
        match self.stage {
            Stage::Writing => self.written(now, effects),
            Stage::Releasing => Next::End,
            _ => self.exchange(now),
        }
    }

    fn read_or_exchange(&mut self, named: bool, now: Now, effects: &mut Effects) -> Next {
        if self.plan.direct || !named {
            return self.exchange(now);
        }
        self.ask(Stage::Reading, Effect::ReadStore(self.id), now, effects)
    }

    fn acquire(&mut self, now: Now, effects: &mut Effects) -> Next {
        if self.plan.refusal.is_some() || now.monotonic >= self.half() {
            return self.exchange(now);
        }
        self.ask(Stage::Leasing, Effect::AcquireLease(self.id, LeaseTtl(seconds(self.lease_ms()))), now, effects)
    }

    fn renew_lease(&mut self, now: Now, effects: &mut Effects) {
        if let Some(lease) = self.lease.as_mut().filter(|lease| now.monotonic >= lease.renew_at) {
            lease.renew_at = now.monotonic.plus(lease.ttl_ms * LEASE_RENEWAL_SHARE);
            effects.push(Effect::AcquireLease(self.id, LeaseTtl(seconds(lease.ttl_ms))));
        }
    }

    fn lease_ms(&self) -> f64 {
        LEASE_MS.min(self.config.timeout_ms)
    }

    fn exchange(&mut self, now: Now) -> Next {
        self.plan.direct = true;
        if let Some(refusal) = self.plan.refusal.take() {
            return Next::Fail(Box::new((*refusal).clone()));
        }
        match self.plan.retry_at {
            Some(until) if until > now.monotonic => self.sleep(Stage::Pausing, until),
            _ => self.exchange_now(),
        }
    }

    fn exchange_now(&mut self) -> Next {
        self.plan.retry_at = None;
        self.rounds += 1;
        Next::Exchange
    }

    fn write(&mut self, now: Now, effects: &mut Effects) -> Next {
        let Some(token) = self.arrival.as_ref().map(|arrival| Rc::clone(&arrival.token)) else {
            return self.release(now, effects);
        };
        let ttl_s = seconds(token.life_ms() - now.elapsed_since(self.asked));
        if ttl_s <= 0.0 {
            return self.written(now, effects);
        }
        self.ask(Stage::Writing, Effect::WriteStore(self.id, token, ttl_s), now, effects)
    }

    fn written(&mut self, now: Now, effects: &mut Effects) -> Next {
        match self.arrival.as_mut() {
            Some(arrival) if !arrival.delivered => {
                arrival.written = true;
                self.wake_at = None;
                Next::Deliver
            }
            _ => self.release(now, effects),
        }
    }

    fn release(&mut self, now: Now, effects: &mut Effects) -> Next {
        match self.lease.take() {
            Some(_) => self.ask(Stage::Releasing, Effect::ReleaseLease(self.id), now, effects),
            None => Next::End,
        }
    }

    /// Asks for something, and waits for the answer with bounded patience.
    fn ask(&mut self, stage: Stage, effect: Effect, now: Now, effects: &mut Effects) -> Next {
        effects.push(effect);
        let patience = now.monotonic.plus(ANSWER_MS);
        if stage < Stage::Exchanging {
            self.asked = now;
            return self.sleep(stage, patience.min(self.half()));
        }
        self.sleep(stage, patience)
    }

    fn sleep(&mut self, stage: Stage, until: Instant) -> Next {
        self.stage = stage;
        self.wake_at = Some(until);
        Next::Wait
    }

    /// Half of its time belongs to the exchange.
    fn half(&self) -> Instant {
        self.began.plus(self.plan.deadline.since(self.began) / 2.0)
    }

    fn report(&self, operation: Operation, problem: Option<Problem>, effects: &mut Effects) {
        if let Some(problem) = problem.filter(|_| self.config.events) {
            effects.push(Effect::Report(Event::Store { operation, problem }));
        }
    }

    fn report_retry(&self, error: &AuthError, delay_ms: f64, effects: &mut Effects) {
        if self.config.events {
            let error = Rc::new(error.clone());
            effects.push(Effect::Report(Event::Retry { error, attempt: self.rounds, delay_ms }));
        }
    }
}

/// Whole seconds where there is one, never more than there are: stores count in them.
fn seconds(ms: f64) -> f64 {
    let seconds = ms / 1_000.0;
    if seconds >= 1.0 { seconds.floor() } else { seconds }
}
