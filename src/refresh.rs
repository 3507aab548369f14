//! The life of a token in a client: who waits for whom, when a new one is asked for, which one counts.
//!
//! A state machine without clock, network or promise. It is told what happened ([`Lifecycle::call`] and the other
//! events, each with `now`); the [`Action`]s that come back are carried out in order.
//!
//! The state is what is *held* and what is in *flight*:
//!
//! - held: nothing, or a token that is **fresh**, **soft** (renew behind the caller's back), **hard** (renew, and wait
//!   for it) or **past** its life;
//! - flight: none, in **front** (callers wait for it) or **behind** (begun in the soft window; it goes on when nobody
//!   waits).
//!
//! | event | held | flight | what happens |
//! |---|---|---|---|
//! | call | fresh | any | serve |
//! | call | soft | none | serve; begin a flight behind, unless cooling down |
//! | call | soft | any | serve |
//! | call | hard | none | cooling down: serve; else wait for a new flight in front |
//! | call | hard | any | wait for it; the held token is kept for the worst case |
//! | call | nothing, past | none | wait for a new flight in front |
//! | call | nothing, past | any | wait for it |
//! | forced call | any | none, or direct | wait for it, as if nothing were held |
//! | forced call | any | by way of the store | begin a direct flight instead, for all who wait |
//! | missed (the store has nothing) | any | that one | it counts as direct from here on |
//! | landed | any | that one | hold the new token, serve all who wait, forget past failures |
//! | landed, failed, missed | any | another, none | ignored: that flight was given up |
//! | failed | still good | that one | serve the held token; forced callers see the error; cool down 5 s → 30 s |
//! | failed | nothing, past | that one | all who wait see the error; the next call asks at once |
//! | a retry after that one's deadline | any | that one | as failed, for those who cannot wait for it; it goes on for the others |
//! | timed out | nothing, past (or forced) | that one | those without time left see it; for the others a new flight begins |
//! | deadline of one | still good | any | serve it the held token; cool down if that ends the flight |
//! | deadline of one | nothing, past (or forced) | any | it sees the time-out; the flight ends if it is in front and nobody waits |
//! | abort of one | any | any | it is gone; the flight ends if it is in front and nobody waits |
//! | invalidate() | any | any | forget the token; a new direct flight for those who wait, else none |
//! | invalidate(t) | t | any | the same; the store's t is refused from here on |
//! | invalidate(t) | not t | any | only the store's t is refused |
//! | lost (its request ended) | any | that one | a new flight for those who wait, else none |
//! | close | any | any | all who wait see the error; nothing is held or in flight |

use crate::time::Instant;
use crate::token::Fingerprint;
use alloc::vec::Vec;

/// The longest soft window, in milliseconds, and its share of a life.
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
/// A flight that timed out is followed by another only for a caller who has at least this much time left, in
/// milliseconds: for less, callers that came within one moment would each make a request of their own.
pub const WORTHWHILE_MS: f64 = 50.0;
/// The same as a share of the timeout, where that is shorter.
pub const WORTHWHILE_SHARE: f64 = 0.10;
/// A caller silent for this long after its deadline is gone with the request that it came from, in milliseconds.
const GONE_MS: f64 = 1_000.0;
/// How many invalidated tokens are remembered, to refuse them if a store still has them.
const REFUSED: usize = 4;

/// A flight's number. Every flight of a client has another.
pub type FlightId = u32;
/// A caller's number. Ascending.
pub type WaiterId = u32;

/// What is to be done.
#[derive(Debug)]
pub enum Action {
    /// Ask for a token.
    Start {
        /// The new flight.
        flight: FlightId,
        /// When it times out.
        deadline: Instant,
        /// Past the store, straight to the exchange.
        direct: bool,
        /// Whether it is a renewal behind the callers' backs.
        behind: bool,
    },
    /// Give this flight up; whatever it still brings is ignored.
    Cancel(FlightId),
    /// Resolve this caller's promise with the token held.
    Serve(WaiterId),
    /// Reject this caller's promise with the failure at hand.
    Fail(WaiterId),
    /// Reject this caller's promise: its own deadline has passed.
    TimedOut(WaiterId),
    /// Hold this flight's token, and hand it out without asking until then.
    Hold(FlightId, Instant),
    /// Hand nothing out without asking.
    Drop,
    /// Delete the store's token; if `held`, only the one that was held until now.
    Delete {
        /// Whether one was.
        held: bool,
    },
}

/// What is to be done, in this order.
pub type Actions = Vec<Action>;

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The caller's number.
    pub id: WaiterId,
    /// Whether it wants a token newer than any that there is.
    pub force: bool,
    /// Until when it waits.
    pub deadline: Instant,
}

struct Held {
    flight: FlightId,
    token: Fingerprint,
    soft: Instant,
    hard: Instant,
    end: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Fresh,
    Soft,
    Hard,
    Past,
}

impl Held {
    fn stage(&self, now: Instant) -> Stage {
        if now < self.soft {
            Stage::Fresh
        } else if now < self.hard {
            Stage::Soft
        } else if now < self.end {
            Stage::Hard
        } else {
            Stage::Past
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    id: FlightId,
    direct: bool,
    behind: bool,
}

/// The state.
pub struct Lifecycle {
    timeout_ms: f64,
    has_store: bool,
    held: Option<Held>,
    flight: Option<Flight>,
    flights: FlightId,
    waiters: Callers,
    failures: u32,
    cool_until: Option<Instant>,
    /// The next flight goes past the store: what it has may be what was invalidated.
    direct_next: bool,
    refused: [Fingerprint; REFUSED],
}

impl core::fmt::Debug for Lifecycle {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Lifecycle")
            .field("flight", &self.flight)
            .field("waiters", &self.waiters.count)
            .field("places", &self.waiters.calls.len())
            .finish_non_exhaustive()
    }
}

impl Lifecycle {
    /// Nothing held, nothing in flight.
    #[must_use]
    pub fn new(timeout_ms: f64, has_store: bool) -> Self {
        Self {
            timeout_ms,
            has_store,
            held: None,
            flight: None,
            flights: 0,
            waiters: Callers::default(),
            failures: 0,
            cool_until: None,
            direct_next: false,
            refused: [Fingerprint::default(); REFUSED],
        }
    }

    /// A caller asks for a token.
    pub fn call(&mut self, call: Call, now: Instant) -> Actions {
        let mut actions = Vec::new();
        self.forget_the_gone(now, &mut actions);

        if let Some(held) = self.held.as_ref().filter(|_| !call.force) {
            let stage = held.stage(now);
            if stage == Stage::Fresh
                || stage == Stage::Soft
                || (stage == Stage::Hard && self.flight.is_none() && self.cooling(now))
            {
                actions.push(Action::Serve(call.id));
                if stage == Stage::Soft && self.flight.is_none() && !self.cooling(now) {
                    self.start(false, true, now.plus(self.timeout_ms), &mut actions);
                }
                return actions;
            }
        }

        self.waiters.push(call);
        match self.flight {
            None => self.start_for_the_last(call.force, &mut actions),
            Some(flight) if call.force && !flight.direct => {
                actions.push(Action::Cancel(flight.id));
                self.start_for_the_last(true, &mut actions);
            }
            Some(_) => {}
        }
        actions
    }

    /// The flight has found nothing in the store and goes on to the exchange.
    pub fn missed(&mut self, flight: FlightId) {
        if let Some(current) = self.flight.as_mut().filter(|current| current.id == flight) {
            current.direct = true;
        }
    }

    /// The flight brought a token that lives for `life_ms` from `from` on. `random` is from 0 up to 1.
    pub fn landed(
        &mut self,
        flight: FlightId,
        token: Fingerprint,
        life_ms: f64,
        from: Instant,
        random: f64,
    ) -> Actions {
        let mut actions = Vec::new();
        if !self.is_current(flight) {
            return actions;
        }
        self.flight = None;
        self.direct_next = false;
        self.failures = 0;
        self.cool_until = None;

        let end = from.plus(life_ms);
        let soft_ms = SOFT_MS.min(SOFT_SHARE * life_ms);
        let soft = end.plus(-soft_ms * (1.0 + SOFT_SPREAD * random));
        let hard = end.plus(-HARD_MS.min(HARD_SHARE * life_ms));
        actions.push(Action::Hold(flight, soft));
        actions.extend(self.waiters.drain().map(|call| Action::Serve(call.id)));
        self.held = Some(Held { flight, token, soft, hard, end });
        actions
    }

    /// The flight failed for good; with `retry_after_ms` the server said when to come back.
    pub fn failed(&mut self, flight: FlightId, retry_after_ms: Option<f64>, now: Instant) -> Actions {
        let mut actions = Vec::new();
        if !self.is_current(flight) {
            return actions;
        }
        self.flight = None;
        let good = self.good(now);
        if good {
            self.cool_down(retry_after_ms, now);
        }
        actions.extend(self.waiters.drain().map(|call| answer(call, good)));
        actions
    }

    /// The flight's own deadline passed. Those of its callers who have time left get another.
    pub fn timed_out(&mut self, flight: FlightId, now: Instant) -> Actions {
        let mut actions = Vec::new();
        let Some(direct) = self.flight.filter(|current| current.id == flight).map(|current| current.direct) else {
            return actions;
        };
        self.flight = None;
        let good = self.good(now);
        if good {
            self.cool_down(None, now);
        }
        for call in self.waiters.drain() {
            if good && !call.force {
                actions.push(Action::Serve(call.id));
            } else if call.deadline <= now {
                actions.push(Action::TimedOut(call.id));
            } else {
                self.waiters.push(call);
            }
        }
        actions.push(Action::Cancel(flight));
        let left_ms = self.waiters.last().map_or(0.0, |last| last.deadline.since(now));
        if left_ms >= WORTHWHILE_MS.min(WORTHWHILE_SHARE * self.timeout_ms) {
            self.start_for_the_last(direct, &mut actions);
        }
        actions
    }

    /// The flight is to wait until `until` before its next attempt, which is past its deadline. Those for whom the wait
    /// does not fit see the error now. For the others the flight goes on, until the deadline that comes back; `None` if
    /// there are no others.
    pub fn outwait(&mut self, flight: FlightId, until: Instant, now: Instant) -> Option<(Instant, Actions)> {
        let last = self.waiters.last()?.deadline;
        if !self.is_current(flight) || last <= until {
            return None;
        }
        let mut actions = Vec::new();
        let good = self.good(now);
        while let Some(call) = self.waiters.take_first_until(until) {
            actions.push(answer(call, good));
        }
        Some((last, actions))
    }

    /// A caller's own deadline passed.
    pub fn deadline(&mut self, id: WaiterId, now: Instant) -> Actions {
        let mut actions = Vec::new();
        let Some(call) = self.waiters.take(id) else {
            return actions;
        };
        let good = self.good(now);
        actions.push(if good && !call.force { Action::Serve(id) } else { Action::TimedOut(id) });
        if self.end_if_nobody_waits(&mut actions) && good {
            self.cool_down(None, now);
        }
        actions
    }

    /// A caller gave up.
    pub fn abort(&mut self, id: WaiterId) -> Actions {
        let mut actions = Vec::new();
        if self.waiters.take(id).is_some() {
            self.end_if_nobody_waits(&mut actions);
        }
        actions
    }

    /// The token held (or, if one is named, that one, if it is held) is no good.
    pub fn invalidate(&mut self, token: Option<Fingerprint>) -> Actions {
        let mut actions = Vec::new();
        let held = self.held.as_ref().map(|held| held.token);
        if let Some(bad) = token.or(held) {
            let hit = held == Some(bad);
            self.refuse(bad);
            if token.is_some() && !hit {
                return actions;
            }
        }
        let held = self.held.take().is_some();
        self.failures = 0;
        self.cool_until = None;
        self.direct_next = self.direct_next || token.is_none();
        actions.push(Action::Drop);
        if self.has_store {
            actions.push(Action::Delete { held });
        }
        if let Some(flight) = self.flight.take() {
            actions.push(Action::Cancel(flight.id));
            if !self.waiters.is_empty() {
                self.start_for_the_last(true, &mut actions);
            }
        }
        actions
    }

    /// The request in which the flight began has ended, and the flight with it.
    pub fn lost(&mut self, flight: FlightId) -> Actions {
        let mut actions = Vec::new();
        if let Some(lost) = self.flight.take_if(|current| current.id == flight) {
            actions.push(Action::Cancel(flight));
            self.start_for_the_last(lost.direct, &mut actions);
        }
        actions
    }

    /// The client is closed.
    pub fn close(&mut self) -> Actions {
        let mut actions = Vec::new();
        self.held = None;
        actions.push(Action::Drop);
        let flight = self.flight.take();
        actions.extend(self.waiters.drain().map(|call| Action::Fail(call.id)));
        actions.extend(flight.map(|flight| Action::Cancel(flight.id)));
        actions
    }

    /// The flight that all who wait depend on.
    #[must_use]
    pub fn flight(&self) -> Option<FlightId> {
        self.flight.map(|flight| flight.id)
    }

    /// When a caller that waits no longer does.
    #[must_use]
    pub fn deadline_of(&mut self, id: WaiterId) -> Option<Instant> {
        self.waiters.get(id).map(|call| call.deadline)
    }

    /// Whether a store's token, which would live until `end`, is worth having: not invalidated here, and newer than the
    /// one held.
    #[must_use]
    pub fn accepts(&self, token: Fingerprint, end: Instant) -> bool {
        !self.refuses(token) && self.held.as_ref().is_none_or(|held| held.token != token && end > held.end)
    }

    /// Whether the token held is the one that this flight brought.
    #[must_use]
    pub fn holds(&self, flight: FlightId) -> bool {
        self.held.as_ref().is_some_and(|held| held.flight == flight)
    }

    /// Whether all who wait depend on this flight.
    #[must_use]
    pub fn is_current(&self, flight: FlightId) -> bool {
        self.flight.is_some_and(|current| current.id == flight)
    }

    fn cooling(&self, now: Instant) -> bool {
        self.cool_until.is_some_and(|until| now < until)
    }

    fn good(&self, now: Instant) -> bool {
        self.held.as_ref().is_some_and(|held| held.stage(now) != Stage::Past)
    }

    fn cool_down(&mut self, retry_after_ms: Option<f64>, now: Instant) {
        let wait = (COOLDOWN_MS * f64::from(1_u32 << self.failures.min(8))).min(COOLDOWN_CAP_MS);
        self.failures = self.failures.saturating_add(1);
        self.cool_until = Some(now.plus(wait.max(retry_after_ms.unwrap_or(0.0))));
    }

    // As in `BasicCredentials::new`.
    #[allow(clippy::manual_contains)]
    fn refuses(&self, token: Fingerprint) -> bool {
        self.refused.iter().any(|refused| *refused == token)
    }

    fn refuse(&mut self, token: Fingerprint) {
        if self.has_store && !self.refuses(token) {
            let [_, second, third, fourth] = self.refused;
            self.refused = [second, third, fourth, token];
        }
    }

    /// The caller with the most time left leads: led by another, the flight would end while some still can wait.
    fn start_for_the_last(&mut self, direct: bool, actions: &mut Actions) {
        if let Some(deadline) = self.waiters.last().map(|call| call.deadline) {
            self.start(direct, false, deadline, actions);
        }
    }

    fn start(&mut self, direct: bool, behind: bool, deadline: Instant, actions: &mut Actions) {
        self.flights = self.flights.wrapping_add(1);
        let id = self.flights;
        let direct = direct || self.direct_next || !self.has_store;
        self.flight = Some(Flight { id, direct, behind });
        actions.push(Action::Start { flight: id, deadline, direct, behind });
    }

    fn end_if_nobody_waits(&mut self, actions: &mut Actions) -> bool {
        let ended = if self.waiters.is_empty() { self.flight.take_if(|flight| !flight.behind) } else { None };
        actions.extend(ended.map(|flight| Action::Cancel(flight.id)));
        ended.is_some()
    }

    /// Callers whose request ended, promise, timer and all, cannot say so.
    fn forget_the_gone(&mut self, now: Instant, actions: &mut Actions) {
        while let Some(call) = self.waiters.take_first_until(now.plus(-GONE_MS)) {
            actions.push(Action::TimedOut(call.id));
        }
    }
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

    fn get(&mut self, id: WaiterId) -> Option<&mut Call> {
        let index = self.calls.binary_search_by_key(&id, |call| call.id).ok()?;
        self.calls.get_mut(index).filter(|call| call.waits())
    }

    fn last(&mut self) -> Option<Call> {
        while self.calls.pop_if(|last| !last.waits()).is_some() {}
        self.calls.last().copied()
    }

    fn take(&mut self, id: WaiterId) -> Option<Call> {
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

/// What a caller gets when its flight failed: the held token, if there is a good one and it does not insist.
fn answer(call: Call, good: bool) -> Action {
    if good && !call.force { Action::Serve(call.id) } else { Action::Fail(call.id) }
}
