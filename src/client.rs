//! A client: its callers, its token and its flights, told what happens and telling what is to be done.
//!
//! [`Lifecycle`] decides who waits for which flight, [`Flight`] how one finds a token. Here they meet, still without clock,
//! network or promise: every event comes with `now`, every [`Order`] is carried out by `web`, in order.

use crate::error::AuthError;
use crate::flight::{Event, Flight, Found, Stage, Step, Ways};
use crate::options::Options;
use crate::platform::Platform;
use crate::refresh::{Action, Actions, Call, FlightId, Lifecycle, WaiterId};
use crate::request::TokenRequest;
use crate::response::{Headers, Reply, classify};
use crate::time::Instant;
use crate::token::{AccessToken, Claims, Fingerprint, life_left};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A flight silent for this long is taken for one whose request has ended, in milliseconds. It doubles with every such
/// finding up to [`PATIENCE_CAP_MS`], lest a busy isolate take over its own flights for ever.
const PATIENCE_MS: f64 = 250.0;
/// The longest such silence, in milliseconds.
const PATIENCE_CAP_MS: f64 = 4_000.0;
/// How long something is kept for a request that seems to have ended, past its deadline, in milliseconds.
const KEPT_MS: f64 = 10_000.0;

/// What is to be done.
#[derive(Debug)]
pub enum Order {
    /// Begin this flight, in a turn of its own: a `fetch` that calls the client again does so on a stack of its own.
    Start {
        /// The flight.
        flight: FlightId,
        /// Whether it is a renewal behind the callers' backs.
        behind: bool,
    },
    /// Do this for a flight.
    Step(FlightId, Step),
    /// Let the timer of a flight go off after so many milliseconds; if `lets_exit`, the process may end before.
    Arm {
        /// The flight.
        flight: FlightId,
        /// Milliseconds.
        ms: f64,
        /// Whether it is not to keep a process alive.
        lets_exit: bool,
    },
    /// End the open request of a flight, so that no connection stays open for a body that nobody will read.
    HangUp(FlightId),
    /// Resolve this caller's promise with the token held. `here`: this is the request that it belongs to.
    Serve {
        /// The caller.
        id: WaiterId,
        /// Whether it may be settled right away.
        here: bool,
    },
    /// From here on callers fail with this.
    Fault(Box<AuthError>),
    /// Reject this caller's promise.
    Fail {
        /// The caller.
        id: WaiterId,
        /// Whether it may be settled right away.
        here: bool,
    },
    /// Hold the token that this flight brought, and hand it out without asking until then.
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
pub type Orders = Vec<Order>;

/// The state.
pub struct Client {
    /// Gone, and overwritten, once the client is closed.
    options: Option<Options>,
    timeout_ms: f64,
    ways: Ways,
    lifecycle: Lifecycle,
    /// Those whose work goes on. In boxes: the room that a vector keeps for four would outweigh all else in a client.
    #[allow(clippy::vec_box)]
    flights: Vec<Box<Flight>>,
    newest: FlightId,
    /// What the callers of the newest flight see if their time runs out when it is over.
    standing: Box<AuthError>,
    patience_ms: f64,
    /// Until when a flight that was lost was to wait before its next attempt: the one that takes over waits too.
    retry_at: Option<Instant>,
    /// When this instance begins to renew: drawn once, because some runtimes have no randomness at module scope.
    spread: Option<f64>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// A client that holds nothing. `leases`: whether the store, if there is one, gives them.
    #[must_use]
    pub fn new(options: Options, store: bool, leases: bool, isolate: bool) -> Self {
        let timeout_ms = options.timeout_ms;
        let ways = Ways { store, leases, named: false, isolate, max_retries: options.max_retries };
        Self {
            options: Some(options),
            timeout_ms,
            ways,
            lifecycle: Lifecycle::new(timeout_ms, store),
            flights: Vec::new(),
            newest: 0,
            standing: AuthError::timeout(),
            patience_ms: PATIENCE_MS,
            retry_at: None,
            spread: None,
        }
    }

    /// The options, unless the client is closed.
    #[must_use]
    pub fn options(&self) -> Option<&Options> {
        self.options.as_ref()
    }

    /// The request of a flight, and until when its reply is read; `None` if the client is closed.
    #[must_use]
    pub fn request(&self, id: FlightId) -> Option<(TokenRequest<'_>, Instant)> {
        let flight = self.flights.iter().find(|flight| flight.id == id)?;
        Some((TokenRequest::new(self.options.as_ref()?), flight.deadline))
    }

    /// A caller asks for a token; with `force`, for a newer one than any there is.
    pub fn ask(&mut self, id: WaiterId, force: bool, now: Instant) -> Orders {
        let mut orders = Vec::new();
        let call = Call { id, force, deadline: now.plus(self.timeout_ms) };
        let actions = self.lifecycle.call(call, now);
        self.obey(actions, Some(id), now, &mut orders);
        if self.ways.isolate {
            // A moment's silence may be the isolate's own: only those who poll look closer.
            self.take_over_if_silent(PATIENCE_CAP_MS, id, now, &mut orders);
        }
        orders
    }

    /// A caller gave up.
    pub fn aborted(&mut self, id: WaiterId, now: Instant) -> Orders {
        let actions = self.lifecycle.abort(id);
        self.obeyed(actions, Some(id), now)
    }

    /// A caller's timer went off; `patient` if it has looked a few times already.
    pub fn caller_due(&mut self, id: WaiterId, patient: bool, now: Instant) -> Orders {
        let mut orders = Vec::new();
        let Some(deadline) = self.lifecycle.deadline_of(id) else {
            return orders;
        };
        if now >= deadline {
            let actions = self.lifecycle.deadline(id, now);
            self.obey(actions, Some(id), now, &mut orders);
        } else if self.ways.isolate {
            self.watch_flight(id, patient, now, &mut orders);
        }
        orders
    }

    /// The token held (or, if one is named, that one, if it is held) is no good.
    pub fn invalidate(&mut self, token: Option<Fingerprint>, now: Instant) -> Orders {
        let actions = self.lifecycle.invalidate(token);
        self.obeyed(actions, None, now)
    }

    /// Forgets and overwrites the secret. Whoever waits gets this error.
    pub fn close(&mut self, error: Box<AuthError>, now: Instant) -> Orders {
        let actions = self.lifecycle.close();
        self.options = None;
        let mut orders = Vec::from([Order::Fault(error)]);
        self.obey(actions, None, now, &mut orders);
        orders
    }

    /// Something happened to a flight. Whether it waited for that.
    pub fn flight(&mut self, id: FlightId, event: Event, now: Instant) -> (bool, Orders) {
        let mut orders = Vec::new();
        let ways = &mut self.ways;
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == id) else {
            if event == Event::Begin {
                // Given up before: the abort of the flight before it ran foreign code that came back here.
                orders.push(Order::Step(id, Step::End));
            }
            return (false, orders);
        };
        match event {
            Event::Due => {
                flight.beat(now);
                if flight.is_late(now) && !flight.cancelled {
                    let leader = flight.leader;
                    let actions = self.lifecycle.timed_out(id, now);
                    self.obey(actions, leader, now, &mut orders);
                    // This is its own request, where it may end, even if its `fetch` does not hear of the abort.
                    self.end(id, &mut orders);
                    return (true, orders);
                }
            }
            Event::Answered(Stage::Naming, answer) => ways.named = answer == Some(true),
            _ => {}
        }
        if !self.lifecycle.holds(id) {
            // What it brought was invalidated while it waited for the store.
            flight.keep_to_itself();
        }
        let step = flight.on(event, *ways, now);
        self.go_on(id, step.unwrap_or(Step::Wait), now, &mut orders);
        (step.is_some(), orders)
    }

    /// There are no timers where a flight is.
    pub fn cannot_wait(&mut self, id: FlightId, now: Instant) -> Orders {
        let mut orders = Vec::new();
        let ways = self.ways;
        if let Some(step) = self.of(id).and_then(|flight| flight.cannot_wait(ways, now)) {
            self.go_on(id, step, now, &mut orders);
        }
        orders
    }

    /// What the store has: a token with the seconds that it has left, if it knows. `None`: it failed, or answered
    /// nonsense.
    pub fn looked(&mut self, id: FlightId, stored: Option<Stored>, platform: &impl Platform, now: Instant) -> Orders {
        let asked = self.of(id).map_or(now, |flight| flight.asked);
        let mut found = stored.as_ref().map_or(Found::Nonsense, |_| Found::Nothing);
        // A token that is past its life or unusable is one to replace: the same as none.
        let token = stored.and_then(|Stored { token, exp, ttl_s }| {
            let left = |token: &str, exp| life_left(exp, Claims::read(token, platform), ttl_s, || platform.local());
            AccessToken::new(token, exp, left).ok()
        });
        let token = token.filter(|token| self.lifecycle.accepts(token.fingerprint, asked.plus(token.life_s * 1_000.0)));
        if token.is_some() {
            found = Found::Token;
        }
        let (waited, mut orders) = self.flight(id, Event::Looked(found), now);
        if let Some(token) = token.filter(|_| waited) {
            self.land(id, token, platform, now, &mut orders);
        }
        orders
    }

    /// The head of a reply that brings no token: its status decides, even if the body does not come in time.
    pub fn head(&mut self, id: FlightId, status: f64, headers: Headers) {
        if let Some(flight) = self.of(id) {
            let mut error = AuthError::status(status);
            error.retry_after = headers.retry_after;
            flight.stand(error);
        }
    }

    /// What came of the request: a reply, or why there is none.
    pub fn replied(
        &mut self,
        id: FlightId,
        reply: Result<Reply, Box<AuthError>>,
        platform: &impl Platform,
        now: Instant,
    ) -> Orders {
        let mut orders = Vec::new();
        let token = match &self.options {
            Some(options) => reply.and_then(|reply| classify(reply, &options.credentials, platform)),
            // Its flight is cancelled, and the error is never seen.
            None => Err(AuthError::timeout()),
        };
        match token {
            Ok(token) => self.land(id, token, platform, now, &mut orders),
            Err(error) => self.refused(id, error, platform, now, &mut orders),
        }
        orders
    }

    fn refused(
        &mut self,
        id: FlightId,
        mut error: Box<AuthError>,
        platform: &impl Platform,
        now: Instant,
        orders: &mut Orders,
    ) {
        let (lifecycle, ways) = (&mut self.lifecycle, self.ways);
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == id) else { return };
        orders.push(Order::HangUp(id));
        if flight.cancelled {
            return self.end(id, orders);
        }
        error.flight = id;
        let leader = flight.leader;
        let mut outwaited = Vec::new();
        let retry = flight.refused(error, ways.max_retries, platform.random(), now, |until| {
            let (deadline, actions) = lifecycle.outwait(id, until, now)?;
            outwaited = actions;
            Some(deadline)
        });
        match retry {
            Ok(step) => {
                if !outwaited.is_empty() {
                    orders.push(Order::Fault(flight.standing()));
                    self.obey(outwaited, leader, now, orders);
                }
                self.go_on(id, step, now, orders);
            }
            Err(error) => {
                let retry_after_ms = error.retry_after.map(|seconds| seconds * 1_000.0);
                let actions = self.lifecycle.failed(id, retry_after_ms, now);
                orders.push(Order::Fault(error));
                self.obey(actions, leader, now, orders);
                self.end(id, orders);
            }
        }
    }

    fn of(&mut self, id: FlightId) -> Option<&mut Flight> {
        self.flights.iter_mut().find(|flight| flight.id == id).map(|flight| &mut **flight)
    }

    fn go_on(&mut self, id: FlightId, step: Step, now: Instant, orders: &mut Orders) {
        match step {
            Step::End => return self.end(id, orders),
            // What the token is follows.
            Step::Land => return,
            _ => {}
        }
        let ways = self.ways;
        let Some(flight) = self.of(id) else { return };
        let (direct, arm) = (flight.direct, flight.rearm(ways, now));
        if direct {
            self.lifecycle.missed(id);
        }
        if step != Step::Wait {
            orders.push(Order::Step(id, step));
        }
        orders.extend(arm.map(|(ms, lets_exit)| Order::Arm { flight: id, ms, lets_exit }));
    }

    /// Its token is there: the callers get it, and then the store.
    fn land(&mut self, id: FlightId, token: AccessToken, platform: &impl Platform, now: Instant, orders: &mut Orders) {
        let (store, current) = (self.ways.store && self.ways.named, self.lifecycle.is_current(id));
        let Some(flight) = self.of(id) else { return };
        let (leader, asked, life_ms) = (flight.leader, flight.asked, token.life_s * 1_000.0);
        let share = (store && current && flight.attempts > 0).then(|| flight.share(asked.plus(life_ms), now));
        let spread = *self.spread.get_or_insert_with(|| platform.random());
        self.patience_ms = PATIENCE_MS;
        let actions = self.lifecycle.landed(id, token.fingerprint, life_ms, asked, spread);
        self.obey(actions, leader, now, orders);
        match share {
            Some(step) => self.go_on(id, step, now, orders),
            None => self.end(id, orders),
        }
    }

    /// A flight's work is over, in the request that it began in. Flights whose request has ended never come here.
    fn end(&mut self, id: FlightId, orders: &mut Orders) {
        let Some(index) = self.flights.iter().position(|flight| flight.id == id) else { return };
        let flight = self.flights.remove(index);
        if id == self.newest {
            self.standing = flight.standing();
        }
        if flight.leased {
            orders.push(Order::Step(id, Step::Release));
        }
        orders.push(Order::Step(id, Step::End));
    }

    fn standing(&self) -> Box<AuthError> {
        let newest = self.flights.iter().find(|flight| flight.id == self.newest);
        newest.map_or_else(|| self.standing.clone(), |flight| flight.standing())
    }

    fn obeyed(&mut self, actions: Actions, here: Option<WaiterId>, now: Instant) -> Orders {
        let mut orders = Vec::new();
        self.obey(actions, here, now, &mut orders);
        orders
    }

    /// Turns what the lifecycle wants into orders. `here` is the caller in whose request this happens.
    fn obey(&mut self, actions: Actions, here: Option<WaiterId>, now: Instant, orders: &mut Orders) {
        for action in actions {
            let order = match action {
                Action::Start { flight: id, deadline, direct, behind } => {
                    // Those whose request has ended without a word.
                    let kept_ms = KEPT_MS + self.timeout_ms;
                    self.flights.retain(|flight| flight.silent_ms(now) < kept_ms);
                    let retry_at = self.retry_at.take();
                    let mut flight = Flight::new(id, here, deadline, direct, behind, retry_at, now);
                    let arm = flight.rearm(self.ways, now);
                    self.flights.push(Box::new(flight));
                    self.newest = id;
                    orders.push(Order::Start { flight: id, behind });
                    let Some((ms, lets_exit)) = arm else { continue };
                    Order::Arm { flight: id, ms, lets_exit }
                }
                Action::Cancel(id) => {
                    let isolate = self.ways.isolate;
                    if let Some(flight) = self.of(id) {
                        flight.cancelled = true;
                        let leased = core::mem::take(&mut flight.leased);
                        orders.push(Order::HangUp(id));
                        if leased {
                            orders.push(Order::Step(id, Step::Release));
                        }
                        // Where promises belong to requests, it ends in its own: by its timer, or by what it waits for.
                        if !isolate {
                            self.end(id, orders);
                        }
                    }
                    continue;
                }
                Action::Serve(id) => Order::Serve { id, here: here == Some(id) },
                Action::Fail(id) => Order::Fail { id, here: here == Some(id) },
                Action::TimedOut(id) => {
                    orders.push(Order::Fault(self.standing()));
                    Order::Fail { id, here: here == Some(id) }
                }
                Action::Hold(id, until) => Order::Hold(id, until),
                Action::Drop => Order::Drop,
                Action::Delete { held } => Order::Delete { held },
            };
            orders.push(order);
        }
    }

    /// On workerd: a flight whose request has ended stays silent, and never lands.
    fn watch_flight(&mut self, id: WaiterId, patient: bool, now: Instant, orders: &mut Orders) {
        let current = self.lifecycle.flight();
        let Some(flight) = current.and_then(|current| self.of(current)) else { return };
        if flight.leader == Some(id) {
            // This timer is of the very request that the flight began in.
            return flight.beat(now);
        }
        // After the isolate was busy, timers that are due go off in any order: the flight's gets its chance.
        if patient {
            self.take_over_if_silent(self.patience_ms, id, now, orders);
        }
    }

    fn take_over_if_silent(&mut self, patience_ms: f64, here: WaiterId, now: Instant, orders: &mut Orders) {
        let Some(current) = self.lifecycle.flight() else { return };
        let Some(flight) = self.of(current).filter(|flight| flight.silent_ms(now) > patience_ms) else { return };
        self.retry_at = flight.retry_at;
        self.patience_ms = (self.patience_ms * 2.0).min(PATIENCE_CAP_MS);
        let actions = self.lifecycle.lost(current);
        self.obey(actions, Some(here), now, orders);
    }
}

/// A store's token as it came: nothing of it is checked yet.
pub struct Stored {
    /// The token.
    pub token: Option<String>,
    /// Its end, by the server's clock.
    pub exp: Option<f64>,
    /// How many seconds it has left, if the store knows; NaN if it answered what is no number.
    pub ttl_s: Option<f64>,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").finish_non_exhaustive()
    }
}
