//! The life of a token in a client: who waits for whom, when a new one is asked for, which one counts.
//!
//! A state machine without clock, network or promise. It is told what happened, each time with `now`, and pushes the
//! effects that follow from it.
//!
//! The state is what is *held* and what is in *flight*:
//!
//! - held: nothing, or a token that is **fresh**, **soft** (renew behind the caller's back), **hard** (renew, and wait
//!   for it) or **ended**;
//! - flight: none, in the **foreground** (callers wait for it) or in the **background** (begun in the soft window; it goes
//!   on when nobody waits).
//!
//! | event | held | flight | what happens |
//! |---|---|---|---|
//! | call | fresh | any | resolve |
//! | call | soft | none | resolve; begin a background flight, unless cooling down |
//! | call | soft | any | resolve |
//! | call | hard | none | cooling down: resolve; else wait for a new foreground flight |
//! | call | hard | any | wait for it; the held token is kept for the worst case |
//! | call | nothing, ended | none | wait for a new foreground flight; before `Retry-After`: look into the store or reject |
//! | call | nothing, ended | any | wait for it |
//! | forced call | any | none, or direct | wait for it, as if nothing were held; before `Retry-After`: reject |
//! | forced call | any | by way of the store | begin a direct flight instead, for all who wait |
//! | became direct (the store has nothing) | any | that one | it counts as direct from here on |
//! | landed | any | that one | hold the new token, resolve all who wait, forget past failures |
//! | landed, failed, became direct | any | another, none | ignored: that flight was given up |
//! | failed | still good | that one | resolve with the held token; forced callers see the error; cool down 5 s → 30 s |
//! | failed | nothing, ended | that one | all who wait see the error; the next call asks at once |
//! | a retry after that one's deadline | any | that one | as failed, for those who cannot wait for it; it goes on for the others |
//! | timed out | nothing, ended (or forced) | that one | those without time left see it; for the others a new flight begins |
//! | deadline of one | still good | any | it gets the held token; cool down if that ends the flight |
//! | deadline of one | nothing, ended (or forced) | any | it sees the time-out; the flight ends if it is in the foreground and nobody waits |
//! | abort of one | any | any | it is gone; the flight ends if it is in the foreground and nobody waits |
//! | interrupted (a framework threw through `fetch`) | any | that one | the caller that it ran for sees that value; for the others a new flight begins |
//! | invalidate() | any | any | forget the token; a new direct flight for those who wait, else none |
//! | invalidate(t) | t | any | the same; the store's t is refused from here on |
//! | invalidate(t) | not t | any | only the store's t is refused |
//! | 401 with t | t | any | as invalidate(t), unless 401s of t are believed: a renewed t got one, within 30 s |
//! | lost (its request ended) | any | that one | a new flight for those who wait, else none |
//! | close | any | any | all who wait see the error; nothing is held or in flight |

use crate::effect::{Caller, Effect, Effects};
use crate::error::{AuthError, Foreign};
use crate::event::Event;
use crate::flight::{Flight, FlightConfig, FlightId, FlightPlan};
use crate::time::{Instant, Now};
use crate::token::{AccessToken, Fingerprint};
use std::rc::Rc;

/// The longest soft window, in milliseconds.
pub const SOFT_MS: f64 = 120_000.0;
/// The soft window's share of a life, where that is shorter.
pub const SOFT_SHARE: f64 = 0.20;
/// Each instance begins its soft window up to this share of the window earlier, so that a fleet does not align.
pub const SOFT_SPREAD: f64 = 0.10;
/// The longest hard window, in milliseconds.
pub const HARD_MS: f64 = 10_000.0;
/// The hard window's share of a life, where that is shorter.
pub const HARD_SHARE: f64 = 0.05;
/// The wait after the first failed renewal of a token that is still good, in milliseconds; it doubles up to
/// [`COOLDOWN_CAP_MS`].
pub const COOLDOWN_MS: f64 = 5_000.0;
/// The longest such wait, in milliseconds.
pub const COOLDOWN_CAP_MS: f64 = 30_000.0;
/// For how long the 401s of a token are believed once a renewed token got one too, in milliseconds.
pub const BELIEF_MS: f64 = 30_000.0;
/// A flight that timed out is followed by another only for a caller who has at least this much time left, in
/// milliseconds: for less, callers that came within one moment would each make a request of their own.
pub const WORTHWHILE_MS: f64 = 50.0;
/// The same as a share of the timeout, where that is shorter.
pub const WORTHWHILE_SHARE: f64 = 0.10;
/// A caller that has not come for its answer this long after its deadline is gone with its request, in milliseconds.
const GONE_MS: f64 = 1_000.0;
/// How long a flight is kept whose request seems to have ended, past its deadline, in milliseconds.
const KEPT_MS: f64 = 10_000.0;
/// How many invalidated tokens are remembered, to refuse them if a store still has them.
const REFUSED: usize = 4;

/// A caller's number. Ascending.
pub type CallerId = u32;

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The caller's number.
    pub id: CallerId,
    /// Whether it wants a token newer than any that there is.
    pub force: bool,
    /// Until when it waits.
    pub deadline: Instant,
}

/// The flights whose work goes on. The newest is the one that callers wait for, if they do.
#[derive(Debug)]
pub struct Flights {
    config: FlightConfig,
    // In boxes: the room that a vector keeps for four would outweigh all else in a client.
    #[allow(clippy::vec_box)]
    list: Vec<Box<Flight>>,
    newest: FlightId,
    /// What the callers of the newest flight see if their time runs out when it is over.
    last_error: Box<AuthError>,
    /// Until when a flight that was lost was to wait before its next attempt: the one that takes over waits too.
    pub retry_at: Option<Instant>,
}

impl Flights {
    /// None.
    #[must_use]
    pub fn new(config: FlightConfig) -> Self {
        Self { config, list: Vec::new(), newest: 0, last_error: AuthError::timeout(), retry_at: None }
    }

    /// One of them.
    pub fn get(&mut self, id: FlightId) -> Option<&mut Flight> {
        self.list.iter_mut().find(|flight| flight.id == id).map(|flight| &mut **flight)
    }

    /// Whether one of them may exchange for all that share the store.
    #[must_use]
    pub fn have_lease(&self) -> bool {
        self.list.iter().any(|flight| flight.has_lease())
    }

    fn start(&mut self, mut plan: FlightPlan, now: Now, effects: &mut Effects) -> FlightId {
        // Those whose request has ended without a word.
        let kept_ms = KEPT_MS + self.config.timeout_ms;
        self.list.retain(|flight| flight.idle_ms(now.monotonic) < kept_ms);
        self.newest = self.newest.wrapping_add(1);
        plan.retry_at = self.retry_at.take().or(plan.retry_at);
        let mut flight = Box::new(Flight::new(self.newest, plan, self.config, now));
        effects.push(Effect::BeginFlight(self.newest));
        flight.set_timer(now, effects);
        self.list.push(flight);
        self.newest
    }

    fn cancel(&mut self, id: FlightId, effects: &mut Effects) {
        let isolate = self.config.isolate;
        if let Some(flight) = self.get(id) {
            flight.cancelled = true;
            effects.push(Effect::AbortRequest(id));
            flight.drop_lease(effects);
            // Where promises belong to requests, it ends in its own: by its timer, or by what it waits for.
            if !isolate {
                self.end(id, effects);
            }
        }
    }

    /// A flight's work is over, in the request that it began in. Flights whose request has ended never come here.
    pub fn end(&mut self, id: FlightId, effects: &mut Effects) {
        let Some(index) = self.list.iter().position(|flight| flight.id == id) else { return };
        let mut flight = self.list.remove(index);
        if id == self.newest {
            self.last_error = flight.last_error();
        }
        flight.drop_lease(effects);
        effects.push(Effect::EndFlight(id));
    }

    /// What callers see if their time runs out now.
    #[must_use]
    pub fn last_error(&self) -> Rc<AuthError> {
        let newest = self.list.iter().find(|flight| flight.id == self.newest);
        newest.map_or_else(|| self.last_error.clone(), |flight| flight.last_error()).into()
    }
}

struct Held {
    flight: FlightId,
    token: Fingerprint,
    asked: Now,
    soft_ms: f64,
    hard_ms: f64,
    life_ms: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Fresh,
    Soft,
    Hard,
    Ended,
}

impl Held {
    fn freshness(&self, now: Now) -> Freshness {
        let used_ms = now.elapsed_since(self.asked);
        if used_ms < self.soft_ms {
            Freshness::Fresh
        } else if used_ms < self.hard_ms {
            Freshness::Soft
        } else if used_ms < self.life_ms {
            Freshness::Hard
        } else {
            Freshness::Ended
        }
    }

    fn left_ms(&self, now: Now) -> f64 {
        (self.life_ms - now.elapsed_since(self.asked)).max(0.0)
    }
}

/// The flight that all who wait depend on.
#[derive(Clone, Copy, Debug)]
struct Current {
    id: FlightId,
    direct: bool,
    background: bool,
}

/// The server has said when to come back.
#[derive(Debug)]
struct Refusal {
    until: Instant,
    error: Rc<AuthError>,
}

/// What `auth.fetch` has learnt from 401s.
#[derive(Debug, Default)]
struct Unauthorized {
    /// A token whose 401s are not its fault, and until when that is believed.
    believed: Option<(Fingerprint, Instant)>,
    /// When a 401 last cost a token, of a request that could not be tried again.
    unanswered: Option<Instant>,
}

/// The state of a client's token and its callers.
pub struct Lifecycle {
    config: FlightConfig,
    held: Option<Held>,
    current: Option<Current>,
    callers: Callers,
    failures: u32,
    cool_until: Option<Instant>,
    refusal: Option<Refusal>,
    unauthorized: Unauthorized,
    /// The next flight goes past the store: what it has may be what was invalidated.
    direct_next: bool,
    refused: [Fingerprint; REFUSED],
}

impl std::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lifecycle")
            .field("current", &self.current)
            .field("callers", &self.callers.count)
            .field("places", &self.callers.calls.len())
            .finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// Nothing held, nothing in flight.
    #[must_use]
    pub fn new(config: FlightConfig) -> Self {
        Self {
            config,
            held: None,
            current: None,
            callers: Callers::default(),
            failures: 0,
            cool_until: None,
            refusal: None,
            unauthorized: Unauthorized::default(),
            direct_next: false,
            refused: [Fingerprint::default(); REFUSED],
        }
    }

    /// A caller asks for a token.
    pub fn call(&mut self, call: Call, now: Now, flights: &mut Flights, effects: &mut Effects) {
        let mut turn = Turn { now, here: Some(call.id), flights, effects };
        self.evict_orphans(&mut turn);

        if let Some(held) = self.held.as_ref().filter(|_| !call.force) {
            let freshness = held.freshness(now);
            let hard_but_cooling = freshness == Freshness::Hard && self.current.is_none() && self.is_cooling(now);
            if matches!(freshness, Freshness::Fresh | Freshness::Soft) || hard_but_cooling {
                turn.resolve(call.id);
                if freshness == Freshness::Soft && self.current.is_none() && !self.is_cooling(now) {
                    self.start_in_background(&mut turn);
                }
                return;
            }
        }

        let joins = self.current.is_some_and(|current| current.direct || !call.force);
        let refusal = if joins { None } else { self.refusal_left(now) };
        let past_store = call.force || self.direct_next || !self.config.store;
        if let (Some(error), true) = (&refusal, past_store) {
            return turn.answer(call, self.is_good(now), error);
        }
        self.callers.push(call);
        match self.current {
            None => self.start(call.force, false, call.deadline, refusal, &mut turn),
            Some(current) if !joins => {
                turn.flights.cancel(current.id, turn.effects);
                self.start_with_latest_deadline(true, &mut turn);
            }
            Some(_) => {}
        }
    }

    /// The flight has found nothing in the store and goes on to the exchange.
    pub fn became_direct(&mut self, flight: FlightId) {
        if let Some(current) = self.current.as_mut().filter(|current| current.id == flight) {
            current.direct = true;
        }
    }

    /// The flight has a token, and only the store is waited for: it goes on even if nobody waits.
    pub fn token_arrived(&mut self, flight: FlightId) {
        if let Some(current) = self.current.as_mut().filter(|current| current.id == flight) {
            current.background = true;
        }
    }

    /// The flight brought a token, which lives from when it was `asked` for. `spread` is from 0 up to 1. Whether nobody waited
    /// for it; `None` if that flight was given up.
    pub fn landed(
        &mut self,
        flight: FlightId,
        token: &Rc<AccessToken>,
        asked: Now,
        spread: f64,
        turn: &mut Turn<'_>,
    ) -> Option<bool> {
        if !self.is_current(flight) {
            return None;
        }
        self.current = None;
        self.direct_next = false;
        self.failures = 0;
        self.cool_until = None;

        let life_ms = token.life_ms();
        let soft_ms = life_ms - SOFT_MS.min(SOFT_SHARE * life_ms) * (1.0 + SOFT_SPREAD * spread);
        let hard_ms = life_ms - HARD_MS.min(HARD_SHARE * life_ms);
        turn.effects.push(Effect::CacheToken(Rc::clone(token), asked.plus(soft_ms)));
        let background = self.callers.is_empty();
        for call in self.callers.drain() {
            turn.resolve(call.id);
        }
        self.held = Some(Held { flight, token: token.fingerprint, asked, soft_ms, hard_ms, life_ms });
        Some(background)
    }

    /// An attempt failed, and the server said when to come back: later calls obey that too.
    pub fn refused(&mut self, error: &AuthError, now: Now) {
        if let Some(seconds) = error.retry_after.filter(|&seconds| seconds > 0.0 && error.retryable()) {
            self.refusal =
                Some(Refusal { until: now.monotonic.plus(seconds * 1_000.0), error: Rc::new(error.clone()) });
        }
    }

    /// The flight failed for good.
    pub fn failed(&mut self, flight: FlightId, error: &Rc<AuthError>, turn: &mut Turn<'_>) {
        if !self.is_current(flight) {
            return;
        }
        self.current = None;
        let good = self.is_good(turn.now);
        if good {
            self.cool_down(error.retry_after.filter(|_| error.retryable()), turn.now);
        }
        self.report_failure(error, turn);
        for call in self.callers.drain() {
            turn.answer(call, good, error);
        }
    }

    /// The flight's own deadline passed. Those of its callers who have time left get another.
    pub fn timed_out(&mut self, flight: FlightId, turn: &mut Turn<'_>) {
        let Some(current) = self.current.filter(|current| current.id == flight) else { return };
        let error = turn.flights.last_error();
        self.current = None;
        let (now, good) = (turn.now, self.is_good(turn.now));
        if good {
            self.cool_down(None, now);
        }
        self.report_failure(&error, turn);
        for call in self.callers.drain() {
            if (good && !call.force) || call.deadline <= now.monotonic {
                turn.answer(call, good, &error);
            } else {
                self.callers.push(call);
            }
        }
        turn.flights.cancel(flight, turn.effects);
        let left_ms = self.callers.last().map_or(0.0, |last| last.deadline.since(now.monotonic));
        if left_ms >= WORTHWHILE_MS.min(WORTHWHILE_SHARE * self.config.timeout_ms) {
            self.start_with_latest_deadline(current.direct, turn);
        }
    }

    /// The flight is to wait until `until` before its next attempt, which is past its deadline. Those for whom the wait
    /// does not fit see the error now. For the others the flight goes on, until the deadline that comes back; `None` if
    /// there are no others.
    pub fn extend_deadline(
        &mut self,
        flight: FlightId,
        until: Instant,
        error: &Rc<AuthError>,
        now: Now,
        here: Option<CallerId>,
        effects: &mut Effects,
    ) -> Option<Instant> {
        let last = self.callers.last()?.deadline;
        if !self.is_current(flight) || last <= until {
            return None;
        }
        let good = self.is_good(now);
        while let Some(call) = self.callers.take_first_until(until) {
            effects.push(answer(call, good, error, here));
        }
        Some(last)
    }

    /// A caller's own deadline passed.
    pub fn deadline(&mut self, id: CallerId, turn: &mut Turn<'_>) {
        let Some(call) = self.callers.take(id) else { return };
        let error = turn.flights.last_error();
        let good = self.is_good(turn.now);
        turn.answer(call, good, &error);
        if self.end_if_nobody_waits(turn) {
            if good {
                self.cool_down(None, turn.now);
            }
            // Somebody did wait, until now.
            self.report(&error, false, turn);
        }
    }

    /// A caller gave up.
    pub fn abort(&mut self, id: CallerId, turn: &mut Turn<'_>) {
        if self.callers.take(id).is_some() {
            self.end_if_nobody_waits(turn);
        }
    }

    /// A framework threw through `fetch`, to say something to the caller in whose context it ran. It is nobody's failure.
    pub fn interrupted(&mut self, flight: FlightId, leader: Option<CallerId>, value: Foreign, turn: &mut Turn<'_>) {
        let Some(current) = self.current.take_if(|current| current.id == flight) else { return };
        if let Some(call) = leader.and_then(|leader| self.callers.take(leader)) {
            let caller = turn.caller(call.id);
            turn.effects.push(Effect::Rethrow(caller, value));
        }
        // Where promises belong to requests, one of the others begins it, in its own: see `restart_if_none`.
        if !self.config.isolate {
            turn.here = self.callers.last().map(|call| call.id);
            self.start_with_latest_deadline(current.direct, turn);
        }
    }

    /// A caller who waits finds that nothing is under way.
    pub fn restart_if_none(&mut self, id: CallerId, turn: &mut Turn<'_>) {
        if self.current.is_none() && self.callers.get(id).is_some() {
            self.start_with_latest_deadline(false, turn);
        }
    }

    /// The token held (or, if one is named, that one, if it is held) is no good. Whether it was held.
    pub fn invalidate(&mut self, token: Option<Fingerprint>, turn: &mut Turn<'_>) -> bool {
        let held = self.held.as_ref().map(|held| held.token);
        if let Some(bad) = token.or(held) {
            self.refuse(bad);
        }
        if token.is_some() && held != token {
            return false;
        }
        let held = self.held.take().is_some();
        self.failures = 0;
        self.cool_until = None;
        self.direct_next = self.direct_next || token.is_none();
        turn.effects.push(Effect::ClearCache);
        if self.config.store {
            turn.effects.push(Effect::DeleteStored { held });
        }
        if let Some(current) = self.current.take() {
            turn.flights.cancel(current.id, turn.effects);
            self.start_with_latest_deadline(true, turn);
        }
        true
    }

    /// A request with this token got a 401. Whether it is to be tried once more, if that can be done.
    ///
    /// An endpoint that refuses everybody must not cost everybody's token each time: once a renewed token has got a 401
    /// too, it is not the token's fault.
    pub fn unauthorized(&mut self, token: Fingerprint, replayable: bool, turn: &mut Turn<'_>) -> bool {
        let now = turn.now.monotonic;
        let believed = self.unauthorized.believed.is_some_and(|(believed, until)| believed == token && now < until);
        let held = self.held.as_ref().is_some_and(|held| held.token == token);
        let renewed_in_vain =
            !replayable && held && self.unauthorized.unanswered.take().is_some_and(|at| now.since(at) < BELIEF_MS);
        if renewed_in_vain {
            self.believe(token, turn.now);
        }
        let retried = replayable && !believed;
        if !believed && !renewed_in_vain && self.invalidate(Some(token), turn) && !replayable {
            self.unauthorized.unanswered = Some(now);
        }
        self.report_unauthorized(retried, turn);
        retried
    }

    /// The second try, with a renewed token, got a 401 too.
    pub fn unauthorized_again(&mut self, token: Fingerprint, turn: &mut Turn<'_>) {
        self.believe(token, turn.now);
        self.report_unauthorized(false, turn);
    }

    fn believe(&mut self, token: Fingerprint, now: Now) {
        self.unauthorized.believed = Some((token, now.monotonic.plus(BELIEF_MS)));
    }

    fn report_unauthorized(&self, retried: bool, turn: &mut Turn<'_>) {
        if self.config.events {
            turn.effects.push(Effect::Report(Event::Unauthorized { retried }));
        }
    }

    /// The request in which the flight began has ended, and the flight with it.
    pub fn lost(&mut self, flight: FlightId, turn: &mut Turn<'_>) {
        if let Some(lost) = self.current.take_if(|current| current.id == flight) {
            turn.flights.cancel(flight, turn.effects);
            self.start_with_latest_deadline(lost.direct, turn);
        }
    }

    /// The client is closed.
    pub fn close(&mut self, error: &Rc<AuthError>, turn: &mut Turn<'_>) {
        self.held = None;
        turn.effects.push(Effect::ClearCache);
        for call in self.callers.drain() {
            turn.reject(call.id, Rc::clone(error));
        }
        if let Some(current) = self.current.take() {
            turn.flights.cancel(current.id, turn.effects);
        }
    }

    /// The flight that all who wait depend on.
    #[must_use]
    pub fn current(&self) -> Option<FlightId> {
        self.current.map(|current| current.id)
    }

    /// When a caller that waits no longer does.
    #[must_use]
    pub fn deadline_of(&mut self, id: CallerId) -> Option<Instant> {
        self.callers.get(id).map(|call| call.deadline)
    }

    /// Whether a store's token, with this much life left, is worth having: not invalidated here, and newer than the one held.
    #[must_use]
    pub fn accepts(&self, token: Fingerprint, left_ms: f64, now: Now) -> bool {
        left_ms > 0.0
            && !self.refuses(token)
            && self.held.as_ref().is_none_or(|held| held.token != token && left_ms > held.left_ms(now))
    }

    /// Whether the token held is the one that this flight brought.
    #[must_use]
    pub fn holds(&self, flight: FlightId) -> bool {
        self.held.as_ref().is_some_and(|held| held.flight == flight)
    }

    /// Whether all who wait depend on this flight.
    #[must_use]
    pub fn is_current(&self, flight: FlightId) -> bool {
        self.current.is_some_and(|current| current.id == flight)
    }

    fn is_cooling(&self, now: Now) -> bool {
        self.cool_until.is_some_and(|until| now.monotonic < until)
    }

    fn is_good(&self, now: Now) -> bool {
        self.held.as_ref().is_some_and(|held| held.freshness(now) != Freshness::Ended)
    }

    fn cool_down(&mut self, retry_after_s: Option<f64>, now: Now) {
        let wait_ms = (COOLDOWN_MS * f64::from(1_u32 << self.failures.min(8))).min(COOLDOWN_CAP_MS);
        self.failures = self.failures.saturating_add(1);
        self.cool_until = Some(now.monotonic.plus(wait_ms.max(retry_after_s.unwrap_or(0.0) * 1_000.0)));
    }

    /// The server's refusal as a later call sees it, while it holds.
    fn refusal_left(&mut self, now: Now) -> Option<Rc<AuthError>> {
        let left_ms = self.refusal.as_ref()?.until.since(now.monotonic);
        if left_ms <= 0.0 {
            self.refusal = None;
        }
        let mut error = (*self.refusal.as_ref()?.error).clone();
        error.attempts = 0;
        error.retry_after = Some((left_ms / 1_000.0).ceil());
        Some(Rc::new(error))
    }

    fn refuses(&self, token: Fingerprint) -> bool {
        self.refused.contains(&token)
    }

    fn refuse(&mut self, token: Fingerprint) {
        if self.config.store && !self.refuses(token) {
            let [_, second, third, fourth] = self.refused;
            self.refused = [second, third, fourth, token];
        }
    }

    fn report_failure(&self, error: &Rc<AuthError>, turn: &mut Turn<'_>) {
        self.report(error, self.callers.is_empty(), turn);
    }

    fn report(&self, error: &Rc<AuthError>, background: bool, turn: &mut Turn<'_>) {
        if !self.config.events {
            return;
        }
        let ttl_s = self.held.as_ref().map_or(0.0, |held| held.left_ms(turn.now) / 1_000.0);
        let cooldown = self.cool_until.filter(|_| ttl_s > 0.0);
        let refusal = self.refusal.as_ref().map(|refusal| refusal.until);
        let retry_in_ms = cooldown.or(refusal).map(|until| until.since(turn.now.monotonic)).filter(|&ms| ms > 0.0);
        let error = Rc::clone(error);
        turn.effects.push(Effect::Report(Event::Failure { error, background, ttl_s, retry_in_ms }));
    }

    /// The caller with the most time left leads: led by another, the flight would end while some still can wait.
    ///
    /// The server's word on when to come back holds for this flight too: it waits, or, where the wait does not fit, fails with
    /// the refusal.
    fn start_with_latest_deadline(&mut self, direct: bool, turn: &mut Turn<'_>) {
        let Some(deadline) = self.callers.last().map(|call| call.deadline) else { return };
        let mut refusal = self.refusal_left(turn.now);
        if let Some(until) = self.refusal.as_ref().map(|refusal| refusal.until).filter(|&until| until < deadline) {
            turn.flights.retry_at = Some(until);
            refusal = None;
        }
        self.start(direct, false, deadline, refusal, turn);
    }

    /// Before the server's `Retry-After`, only a store can have a newer token.
    fn start_in_background(&mut self, turn: &mut Turn<'_>) {
        let refusal = self.refusal_left(turn.now);
        if refusal.is_none() || (self.config.store && !self.direct_next) {
            self.start(false, true, turn.now.monotonic.plus(self.config.timeout_ms), refusal, turn);
        }
    }

    fn start(
        &mut self,
        direct: bool,
        background: bool,
        deadline: Instant,
        refusal: Option<Rc<AuthError>>,
        turn: &mut Turn<'_>,
    ) {
        let direct = direct || self.direct_next || !self.config.store;
        let plan = FlightPlan { direct, background, deadline, leader: turn.here, retry_at: None, refusal };
        let id = turn.flights.start(plan, turn.now, turn.effects);
        self.current = Some(Current { id, direct, background });
    }

    fn end_if_nobody_waits(&mut self, turn: &mut Turn<'_>) -> bool {
        let nobody = self.callers.is_empty();
        let ended = self.current.take_if(|current| nobody && !current.background);
        if let Some(current) = ended {
            turn.flights.cancel(current.id, turn.effects);
        }
        ended.is_some()
    }

    /// Callers whose request ended, promise, timer and all, cannot say so.
    fn evict_orphans(&mut self, turn: &mut Turn<'_>) {
        while let Some(call) = self.callers.take_first_until(turn.now.monotonic.plus(-GONE_MS)) {
            let error = turn.flights.last_error();
            turn.reject(call.id, error);
        }
    }
}

/// One event being dealt with: when, in whose request, and what comes of it.
#[derive(Debug)]
pub struct Turn<'a> {
    /// When it happens.
    pub now: Now,
    /// The caller in whose request it happens.
    pub here: Option<CallerId>,
    /// The client's flights.
    pub flights: &'a mut Flights,
    /// What is to be done.
    pub effects: &'a mut Effects,
}

impl Turn<'_> {
    fn caller(&self, id: CallerId) -> Caller {
        Caller { id, same_request: self.here == Some(id) }
    }

    fn resolve(&mut self, id: CallerId) {
        let caller = self.caller(id);
        self.effects.push(Effect::Resolve(caller));
    }

    fn reject(&mut self, id: CallerId, error: Rc<AuthError>) {
        let caller = self.caller(id);
        self.effects.push(Effect::Reject(caller, error));
    }

    fn answer(&mut self, call: Call, good: bool, error: &Rc<AuthError>) {
        self.effects.push(answer(call, good, error, self.here));
    }
}

/// What a caller gets when its flight failed: the held token, if there is a good one and it does not insist.
fn answer(call: Call, good: bool, error: &Rc<AuthError>, here: Option<CallerId>) -> Effect {
    let caller = Caller { id: call.id, same_request: here == Some(call.id) };
    if good && !call.force { Effect::Resolve(caller) } else { Effect::Reject(caller, Rc::clone(error)) }
}

/// The callers that wait, in the order of their numbers, which is that of their deadlines. One that leaves keeps its place
/// until those before or behind it have left too, so that however many leave, in whichever order, it takes no time.
#[derive(Debug, Default)]
struct Callers {
    calls: Vec<Call>,
    /// All before have left.
    first: usize,
    count: usize,
}

impl Callers {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn push(&mut self, call: Call) {
        self.calls.push(call);
        self.count += 1;
    }

    fn get(&mut self, id: CallerId) -> Option<&mut Call> {
        let index = self.calls.binary_search_by_key(&id, |call| call.id).ok()?;
        self.calls.get_mut(index).filter(|call| call.waits())
    }

    fn last(&mut self) -> Option<Call> {
        while self.calls.pop_if(|last| !last.waits()).is_some() {}
        self.calls.last().copied()
    }

    fn take(&mut self, id: CallerId) -> Option<Call> {
        let call = self.get(id)?;
        let taken = *call;
        call.leave();
        self.count -= 1;
        if self.count == 0 {
            self.calls.clear();
            self.first = 0;
        }
        Some(taken)
    }

    /// The first, if its deadline is no later than `until`.
    fn take_first_until(&mut self, until: Instant) -> Option<Call> {
        while self.calls.get(self.first).is_some_and(|call| !call.waits()) {
            self.first += 1;
        }
        let first = self.calls.get(self.first).filter(|call| call.deadline <= until)?.id;
        self.take(first)
    }

    fn drain(&mut self) -> impl Iterator<Item = Call> + use<> {
        core::mem::take(self).calls.into_iter().filter(|call| call.waits())
    }
}

impl Call {
    fn waits(&self) -> bool {
        self.deadline.0 != f64::INFINITY
    }

    fn leave(&mut self) {
        self.deadline = Instant(f64::INFINITY);
    }
}
