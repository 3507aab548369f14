//! A client: its callers, its token and its flights. It is told what happens, and says what is to be done.
//!
//! [`Lifecycle`] decides who waits for which flight, [`Flight`](crate::flight::Flight) how one finds a token. Here they
//! meet, still without clock, network or promise: every event comes with `now`, and every [`Effect`] that comes back is
//! carried out by `web`, in order.

use crate::credentials::{BasicCredentials, Credentials};
use crate::effect::{Effect, Effects};
use crate::error::{AuthError, Code, Foreign};
use crate::event::{Event, Operation, Problem, Source};
use crate::flight::{Answer, FlightConfig, FlightId, Found, Next, Stage};
use crate::jwt::Claims;
use crate::options::Options;
use crate::refresh::{Call, CallerId, Flights, Lifecycle, Turn};
use crate::request::TokenRequest;
use crate::response::{Headers, Reply, classify};
use crate::time::{Instant, Now};
use crate::token::{AccessToken, Fingerprint, Unusable, life_left};
use std::fmt;
use std::rc::Rc;
use zeroize::Zeroizing;

/// A flight that has been idle for this long is taken for one whose request has ended, in milliseconds. It doubles with
/// every such finding up to [`STALL_TIMEOUT_CAP_MS`], lest a busy isolate take over its own flights for ever.
const STALL_TIMEOUT_MS: f64 = 250.0;
/// The longest such time, in milliseconds.
const STALL_TIMEOUT_CAP_MS: f64 = 4_000.0;

/// What a client has beside its options.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings {
    /// Whether there is a store.
    pub store: bool,
    /// Whether the store gives leases.
    pub leases: bool,
    /// Whether promises and timers belong to one request of many, as on workerd.
    pub isolate: bool,
    /// Whether somebody listens to events.
    pub events: bool,
}

/// The state of a client.
///
/// ```
/// use digitalpaye_auth::client::{Client, Surroundings};
/// use digitalpaye_auth::credentials::{BasicCredentials, Credentials, UserId};
/// use digitalpaye_auth::effect::Effect;
/// use digitalpaye_auth::options::{Endpoint, Options};
/// use digitalpaye_auth::response::{Body, Content, Headers, Reply};
/// use digitalpaye_auth::time::{Instant, Now, NumericDate};
/// use zeroize::Zeroizing;
///
/// let secret = |text: &str| Zeroizing::new(String::from(text));
/// let options = Options {
///     credentials: Credentials::Fixed(BasicCredentials::new(UserId::new(secret("key"))?, secret("secret"))?),
///     environment: "Sandbox".into(),
///     endpoint: Endpoint::new("https://h/")?,
///     timeout_ms: 30_000.0,
///     max_retries: 2,
/// };
/// let mut client = Client::new(options, Surroundings::default());
/// let now = Now { monotonic: Instant(0.0), wall: NumericDate(1_000.0) };
///
/// // A caller asks. Nothing is held, so a flight begins.
/// let caller = 1;
/// let effects = client.call(caller, false, now);
/// let flight = effects.iter().find_map(|effect| if let Effect::BeginFlight(flight) = effect { Some(*flight) } else { None });
/// let flight = flight.unwrap_or_default();
///
/// // Its turn comes. There is no store to ask first, so the request is to be sent.
/// let effects = client.begin(flight, now);
/// assert!(effects.iter().any(|effect| matches!(effect, Effect::SendRequest { request, .. } if request.url == "https://h/v1/auth")));
///
/// // The reply comes. The caller is resolved with the token.
/// let content = Content { token: Some(Zeroizing::new("mF_9.B5f-4.1JqM".into())), exp: Some(1_600.0), ..Content::default() };
/// let reply = Reply { status: 200.0, headers: Headers::default(), body: Body::Json(content) };
/// let effects = client.replied(flight, Ok(reply), 0.5, now);
/// assert!(effects.iter().any(|effect| matches!(effect, Effect::Resolve(resolved) if resolved.id == caller)));
/// # Ok::<(), Box<digitalpaye_auth::error::AuthError>>(())
/// ```
pub struct Client {
    /// Gone, and overwritten, once the client is closed.
    options: Option<Options>,
    config: FlightConfig,
    /// Whether the name of the store's entry is known.
    entry_named: bool,
    lifecycle: Lifecycle,
    flights: Flights,
    stall_timeout_ms: f64,
    /// When this instance begins to renew: drawn once, because some runtimes have no randomness at module scope.
    spread: Option<f64>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// A client that holds nothing.
    #[must_use]
    pub fn new(options: Options, surroundings: Surroundings) -> Self {
        let Surroundings { store, leases, isolate, events } = surroundings;
        let Options { max_retries, timeout_ms, .. } = options;
        let config = FlightConfig { store, leases, isolate, events, max_retries, timeout_ms };
        Self {
            options: Some(options),
            config,
            entry_named: false,
            lifecycle: Lifecycle::new(config),
            flights: Flights::new(config),
            stall_timeout_ms: STALL_TIMEOUT_MS,
            spread: None,
        }
    }

    /// Whether the client is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.options.is_none()
    }

    // What callers do.

    /// A caller asks for a token; with `force`, for a newer one than any there is.
    pub fn call(&mut self, id: CallerId, force: bool, now: Now) -> Effects {
        let mut effects = Vec::new();
        let call = Call { id, force, deadline: now.monotonic.plus(self.config.timeout_ms) };
        self.lifecycle.call(call, now, &mut self.flights, &mut effects);
        if self.config.isolate {
            // A moment's silence may be the isolate's own: only those who poll look closer.
            self.take_over_if_idle(STALL_TIMEOUT_CAP_MS, id, now, &mut effects);
        }
        effects
    }

    /// A caller gave up.
    pub fn abort(&mut self, id: CallerId, now: Now) -> Effects {
        self.turn(Some(id), now, |lifecycle, turn| lifecycle.abort(id, turn))
    }

    /// A caller's timer fired; `patient` if it has looked a few times already.
    pub fn caller_timer(&mut self, id: CallerId, patient: bool, now: Now) -> Effects {
        let mut effects = Vec::new();
        let Some(deadline) = self.lifecycle.deadline_of(id) else {
            return effects;
        };
        if now.monotonic >= deadline && !self.deliver_current(Some(id), now, &mut effects) {
            let mut turn = Turn { now, here: Some(id), flights: &mut self.flights, effects: &mut effects };
            self.lifecycle.deadline(id, &mut turn);
        } else if self.config.isolate {
            self.watch_flight(id, patient, now, &mut effects);
        }
        effects
    }

    /// The token held (or, if one is named, that one, if it is held) is no good.
    pub fn invalidate(&mut self, token: Option<Fingerprint>, now: Now) -> Effects {
        self.turn(None, now, |lifecycle, turn| {
            lifecycle.invalidate(token, turn);
        })
    }

    /// `auth.fetch` met a 401 with this token. Whether it is to try once more, which it can if `replayable`.
    pub fn unauthorized(&mut self, token: Fingerprint, replayable: bool, now: Now) -> (bool, Effects) {
        let mut retry = false;
        let effects = self.turn(None, now, |lifecycle, turn| retry = lifecycle.unauthorized(token, replayable, turn));
        (retry, effects)
    }

    /// The second try met a 401 too.
    pub fn unauthorized_again(&mut self, token: Fingerprint, now: Now) -> Effects {
        self.turn(None, now, |lifecycle, turn| lifecycle.unauthorized_again(token, turn))
    }

    /// Forgets and overwrites the secret. Whoever waits gets this error.
    pub fn close(&mut self, error: AuthError, now: Now) -> Effects {
        self.options = None;
        let error = Rc::new(error);
        self.turn(None, now, |lifecycle, turn| lifecycle.close(&error, turn))
    }

    // What happens to a flight.

    /// A flight's turn has come.
    pub fn begin(&mut self, id: FlightId, now: Now) -> Effects {
        let identity = self.options.as_ref().filter(|_| !self.entry_named).map(Options::store_identity);
        let mut effects = Vec::new();
        match self.flights.get(id) {
            // Given up before its turn, in a request that goes on: no request is sent for nobody.
            Some(flight) if flight.cancelled => self.flights.end(id, &mut effects),
            Some(flight) => {
                let next = flight.begin(identity, now, &mut effects);
                self.advance(id, next, now, &mut effects);
            }
            // Given up before: the abort of the flight before it ran foreign code that came back here.
            None => effects.push(Effect::EndFlight(id)),
        }
        effects
    }

    /// A flight's timer fired.
    pub fn flight_timer(&mut self, id: FlightId, now: Now) -> Effects {
        let mut effects = Vec::new();
        self.skip_invalidated(id);
        let Some(flight) = self.flights.get(id) else { return effects };
        if flight.is_late(now.monotonic) && !flight.cancelled && flight.undelivered().is_none() {
            let here = flight.plan.leader;
            let mut turn = Turn { now, here, flights: &mut self.flights, effects: &mut effects };
            self.lifecycle.timed_out(id, &mut turn);
            // This is its own request, where it may end, even if its `fetch` does not hear of the abort.
            self.flights.end(id, &mut effects);
            return effects;
        }
        let next = if flight.cancelled { Next::End } else { flight.timer(now, &mut effects) };
        self.advance(id, next, now, &mut effects);
        effects
    }

    /// There are no timers where a flight is.
    pub fn without_timer(&mut self, id: FlightId, now: Now) -> Effects {
        let mut effects = Vec::new();
        self.skip_invalidated(id);
        let Some(flight) = self.flights.get(id) else { return effects };
        let next = if flight.cancelled { Some(Next::End) } else { flight.without_timer(now, &mut effects) };
        if let Some(next) = next {
            self.advance(id, next, now, &mut effects);
        }
        effects
    }

    /// Whether the name of the store's entry was found.
    pub fn entry_named(&mut self, id: FlightId, named: bool, now: Now) -> Effects {
        self.entry_named = named;
        self.step(id, now, |flight, effects| flight.entry_named(named, now, effects))
    }

    /// What the store has: an entry of which nothing is checked yet. `random` is from 0 up to 1.
    pub fn store_read(&mut self, id: FlightId, answer: Answer<Option<StoredToken>>, random: f64, now: Now) -> Effects {
        let mut effects = Vec::new();
        let asked = self.flights.get(id).map_or(now, |flight| flight.asked);
        let (token, problem) = match answer {
            Answer::Value(None) => (None, None),
            Answer::Value(Some(entry)) => match entry.judge(now) {
                Ok(token) => (Some(token), None),
                Err(Unusable::Ended) => (None, None),
                Err(Unusable::Broken(_)) => (None, Some(Problem::Invalid)),
            },
            Answer::Invalid => (None, Some(Problem::Invalid)),
            Answer::Rejected(cause) => (None, Some(Problem::Rejected(cause))),
        };
        let rejected = matches!(problem, Some(Problem::Rejected(_)));
        if let Some(problem) = problem {
            self.report_store(Operation::Get, problem, &mut effects);
        }
        // A token that is past its life is one to replace: the same as none.
        let left_ms = |token: &AccessToken| token.life_ms() - now.elapsed_since(asked);
        let token = token.filter(|token| self.lifecycle.accepts(token.fingerprint, left_ms(token), now));
        let found = match token {
            Some(_) => Found::Token,
            None if rejected => Found::Failure,
            None => Found::Nothing,
        };
        let Some(flight) = self.flights.get(id) else { return effects };
        match (flight.store_read(found, now, &mut effects), token) {
            (Some(Next::Deliver), Some(token)) => self.land(id, token.into(), random, now, &mut effects),
            (next, _) => self.advance(id, next.unwrap_or(Next::Wait), now, &mut effects),
        }
        effects
    }

    /// What asking for the lease came to.
    pub fn lease_answered(&mut self, id: FlightId, answer: &Answer<bool>, now: Now) -> Effects {
        if self.flights.get(id).is_none() && matches!(answer, Answer::Value(true)) {
            // Nobody would exchange under it, and the fleet would wait for nothing; unless a later flight has it by now.
            return if self.flights.have_lease() { Vec::new() } else { vec![Effect::ReleaseLease(id)] };
        }
        self.step(id, now, |flight, effects| flight.lease_answered(answer, now, effects))
    }

    /// The deletion that a flight waits for is over.
    pub fn deletion_finished(&mut self, id: FlightId, now: Now) -> Effects {
        self.skip_invalidated(id);
        self.step(id, now, |flight, effects| flight.deletion_finished(now, effects))
    }

    /// What writing the token came to.
    pub fn store_written(&mut self, id: FlightId, answer: &Answer<()>, now: Now) -> Effects {
        self.step(id, now, |flight, effects| flight.store_written(answer, now, effects))
    }

    /// What giving the lease back came to.
    pub fn lease_released(&mut self, id: FlightId, answer: &Answer<()>, now: Now) -> Effects {
        self.step(id, now, |flight, effects| flight.lease_released(answer, effects))
    }

    /// What deleting the store's entry came to; `None` if there was no answer in time.
    pub fn store_deleted(&mut self, answer: Option<Answer<()>>) -> Effects {
        let mut effects = Vec::new();
        let problem = match answer {
            None => Some(Problem::Timeout),
            Some(Answer::Value(())) => None,
            Some(Answer::Invalid) => Some(Problem::Invalid),
            Some(Answer::Rejected(cause)) => Some(Problem::Rejected(cause)),
        };
        if let Some(problem) = problem {
            self.report_store(Operation::Delete, problem, &mut effects);
        }
        effects
    }

    /// What the `apiSecret` function gave, or why there is no secret.
    pub fn secret_answered(
        &mut self,
        id: FlightId,
        secret: Result<Zeroizing<String>, Box<AuthError>>,
        random: f64,
        now: Now,
    ) -> Effects {
        let mut effects = Vec::new();
        let Some(user_id) = self.options.as_ref().map(|options| options.credentials.user_id().clone()) else {
            return effects;
        };
        let Some(flight) = self.flights.get(id).filter(|flight| flight.waits_for(Stage::Asking)) else {
            return effects;
        };
        let credentials = secret.and_then(|secret| {
            BasicCredentials::new(user_id, secret).map_err(|error| AuthError::no_secret(&error.message))
        });
        let before = flight.credentials.take();
        match (credentials, flight.unauthorized.take()) {
            (Ok(credentials), None) => flight.credentials = Some(credentials),
            (Ok(credentials), Some(error)) if before.is_none_or(|before| !before.same_password(&credentials)) => {
                flight.retry_with_another_secret(&error, &mut effects);
                flight.credentials = Some(credentials);
            }
            (_, Some(error)) => {
                self.fail(id, error, now, &mut effects);
                return effects;
            }
            (Err(error), None) => {
                self.refused(id, error, random, now, &mut effects);
                return effects;
            }
        }
        self.send(id, now, &mut effects);
        self.set_timer(id, now, &mut effects);
        effects
    }

    /// The head of a reply that brings no token: its status and its `Retry-After` count, even if the body does not come in
    /// time.
    pub fn head_received(&mut self, id: FlightId, status: f64, headers: Headers, now: Now) {
        if let Some(flight) = self.flights.get(id) {
            let mut error = AuthError::status(status);
            error.retry_after = headers.retry_after;
            self.lifecycle.refused(&error, now);
            flight.set_last_error(error);
        }
    }

    /// What came of the request: a reply, or why there is none. `random` is from 0 up to 1.
    pub fn replied(&mut self, id: FlightId, reply: Result<Reply, Box<AuthError>>, random: f64, now: Now) -> Effects {
        let mut effects = Vec::new();
        let Some(flight) = self.flights.get(id) else { return effects };
        if flight.cancelled {
            effects.push(Effect::AbortRequest(id));
            self.flights.end(id, &mut effects);
            return effects;
        }
        let (asked, asked_for) = (flight.asked, flight.credentials.take());
        let credentials = asked_for.as_ref().or(match self.options.as_ref().map(|options| &options.credentials) {
            Some(Credentials::Fixed(credentials)) => Some(credentials),
            _ => None,
        });
        let Some(credentials) = credentials else { return effects };
        match reply.and_then(|reply| classify(reply, credentials, now.wall)) {
            Ok(token) if now.elapsed_since(asked) < token.life_ms() => {
                self.land(id, token.into(), random, now, &mut effects);
            }
            Ok(_) => {
                effects.push(Effect::AbortRequest(id));
                self.too_late(id, now, &mut effects);
            }
            Err(error) => {
                effects.push(Effect::AbortRequest(id));
                self.refused_with(id, error, asked_for, random, now, &mut effects);
            }
        }
        effects
    }

    /// A request that was aborted is over. Where promises belong to requests, its flight ends now, in its own.
    pub fn attempt_given_up(&mut self, id: FlightId) -> Effects {
        let mut effects = Vec::new();
        if self.flights.get(id).is_some_and(|flight| flight.cancelled) {
            self.flights.end(id, &mut effects);
        }
        effects
    }

    /// A framework threw through `fetch`, to steer what runs it: a value of its own, which is nobody's failure.
    pub fn interrupted(&mut self, id: FlightId, value: Foreign, now: Now) -> Effects {
        let mut effects = Vec::new();
        let Some(flight) = self.flights.get(id) else { return effects };
        let leader = flight.plan.leader;
        effects.push(Effect::AbortRequest(id));
        let mut turn = Turn { now, here: leader, flights: &mut self.flights, effects: &mut effects };
        self.lifecycle.interrupted(id, leader, value, &mut turn);
        self.flights.end(id, &mut effects);
        effects
    }

    // How it goes on.

    fn turn(&mut self, here: Option<CallerId>, now: Now, event: impl FnOnce(&mut Lifecycle, &mut Turn<'_>)) -> Effects {
        let mut effects = Vec::new();
        event(&mut self.lifecycle, &mut Turn { now, here, flights: &mut self.flights, effects: &mut effects });
        effects
    }

    fn step(
        &mut self,
        id: FlightId,
        now: Now,
        event: impl FnOnce(&mut crate::flight::Flight, &mut Effects) -> Option<Next>,
    ) -> Effects {
        let mut effects = Vec::new();
        let Some(flight) = self.flights.get(id) else { return effects };
        let next = event(flight, &mut effects);
        // One that was given up ends with whatever comes next.
        let next = if flight.cancelled { Next::End } else { next.unwrap_or(Next::Wait) };
        self.advance(id, next, now, &mut effects);
        effects
    }

    fn advance(&mut self, id: FlightId, next: Next, now: Now, effects: &mut Effects) {
        match next {
            Next::Wait => self.set_timer(id, now, effects),
            Next::Exchange => {
                self.exchange(id, now, effects);
                self.set_timer(id, now, effects);
            }
            Next::Deliver => self.deliver(id, None, now, effects),
            Next::Fail(error) => self.fail(id, error, now, effects),
            Next::End => self.flights.end(id, effects),
        }
    }

    /// What a flight brought and was invalidated while it waited for the store is not written.
    fn skip_invalidated(&mut self, id: FlightId) {
        if !self.lifecycle.holds(id)
            && let Some(flight) = self.flights.get(id).filter(|flight| flight.is_delivered())
        {
            flight.skip_store_write();
        }
    }

    fn set_timer(&mut self, id: FlightId, now: Now, effects: &mut Effects) {
        let Some(flight) = self.flights.get(id) else { return };
        if flight.plan.direct {
            self.lifecycle.became_direct(id);
        }
        flight.set_timer(now, effects);
    }

    /// Sends the request, once there is a secret for it.
    fn exchange(&mut self, id: FlightId, now: Now, effects: &mut Effects) {
        match self.options.as_ref().map(|options| &options.credentials) {
            Some(Credentials::AskedFor(_)) => {
                if let Some(flight) = self.flights.get(id) {
                    flight.asking();
                    effects.push(Effect::AskSecret(id));
                }
            }
            _ => self.send(id, now, effects),
        }
    }

    fn send(&mut self, id: FlightId, now: Now, effects: &mut Effects) {
        let (Some(options), Some(flight)) = (&self.options, self.flights.get(id)) else { return };
        let credentials = match &options.credentials {
            Credentials::Fixed(credentials) => Some(credentials),
            Credentials::AskedFor(_) => flight.credentials.as_ref(),
        };
        let Some(request) = credentials.map(|credentials| TokenRequest::new(options, credentials)) else { return };
        flight.sent(now);
        effects.push(Effect::SendRequest { flight: id, request, deadline: flight.plan.deadline });
    }

    /// An attempt failed. A 401 may be that of a secret that has changed meanwhile.
    fn refused_with(
        &mut self,
        id: FlightId,
        mut error: Box<AuthError>,
        credentials: Option<BasicCredentials>,
        random: f64,
        now: Now,
        effects: &mut Effects,
    ) {
        if let Some(flight) = self.flights.get(id)
            && error.code == Code::Unauthorized
            && credentials.is_some()
            && flight.asks_after_401()
        {
            error.attempts = flight.attempts;
            flight.credentials = credentials;
            flight.unauthorized = Some(error);
            flight.asking();
            effects.push(Effect::AskSecret(id));
            return self.set_timer(id, now, effects);
        }
        self.refused(id, error, random, now, effects);
    }

    fn refused(&mut self, id: FlightId, error: Box<AuthError>, random: f64, now: Now, effects: &mut Effects) {
        self.lifecycle.refused(&error, now);
        let lifecycle = &mut self.lifecycle;
        let Some(flight) = self.flights.get(id) else { return };
        let here = flight.plan.leader;
        let next = flight.refused(error, random, now, effects, |until, error, effects| {
            lifecycle.extend_deadline(id, until, error, now, here, effects)
        });
        self.advance(id, next, now, effects);
    }

    fn too_late(&mut self, id: FlightId, now: Now, effects: &mut Effects) {
        let Some(flight) = self.flights.get(id) else { return };
        let next = flight.arrived_too_late(now, effects);
        self.advance(id, next, now, effects);
    }

    fn fail(&mut self, id: FlightId, error: Box<AuthError>, now: Now, effects: &mut Effects) {
        let here = self.flights.get(id).and_then(|flight| flight.plan.leader);
        let mut turn = Turn { now, here, flights: &mut self.flights, effects };
        self.lifecycle.failed(id, &error.into(), &mut turn);
        self.flights.end(id, effects);
    }

    /// A token is there. One of an exchange goes to the store first: a process that ends as soon as it has its token leaves it
    /// to the fleet.
    fn land(&mut self, id: FlightId, token: Rc<AccessToken>, random: f64, now: Now, effects: &mut Effects) {
        self.spread.get_or_insert(random);
        let shares = self.config.store && self.entry_named && self.lifecycle.is_current(id);
        let Some(flight) = self.flights.get(id) else { return };
        if shares && flight.attempts > 0 {
            self.lifecycle.token_arrived(id);
            let next = flight.share(token, now, effects);
            return self.advance(id, next, now, effects);
        }
        if self.hand_out(id, &token, None, now, effects) {
            self.flights.end(id, effects);
        }
    }

    /// The token that has arrived goes to the callers.
    fn deliver(&mut self, id: FlightId, here: Option<CallerId>, now: Now, effects: &mut Effects) {
        let Some(token) = self.flights.get(id).and_then(|flight| flight.undelivered().cloned()) else { return };
        if !self.hand_out(id, &token, here, now, effects) {
            return;
        }
        let Some(flight) = self.flights.get(id) else { return };
        let next = flight.delivered(now, effects);
        self.advance(id, next, now, effects);
    }

    /// Resolves all who wait. False if the token had ended, or nobody depends on it, and so the flight went another way.
    fn hand_out(
        &mut self,
        id: FlightId,
        token: &Rc<AccessToken>,
        here: Option<CallerId>,
        now: Now,
        effects: &mut Effects,
    ) -> bool {
        let spread = self.spread.unwrap_or_default();
        let Some(flight) = self.flights.get(id) else { return false };
        let (asked, began, attempts) = (flight.asked, flight.began, flight.attempts);
        let here = here.or(flight.plan.leader);
        let left_ms = token.life_ms() - now.elapsed_since(asked);
        if left_ms <= 0.0 {
            self.too_late(id, now, effects);
            return false;
        }
        self.stall_timeout_ms = STALL_TIMEOUT_MS;
        let mut turn = Turn { now, here, flights: &mut self.flights, effects };
        let landed = self.lifecycle.landed(id, token, asked, spread, &mut turn);
        if let Some(background) = landed.filter(|_| self.config.events) {
            let source = if attempts > 0 { Source::Exchange } else { Source::Store };
            let (exp, duration_ms) = (token.exp, now.monotonic.since(began));
            let ttl_s = left_ms / 1_000.0;
            effects.push(Effect::Report(Event::Token { source, exp, ttl_s, attempts, duration_ms, background }));
        }
        true
    }

    /// Delivers the token that callers wait for only because the store does not have it yet. Whether there is one.
    fn deliver_current(&mut self, here: Option<CallerId>, now: Now, effects: &mut Effects) -> bool {
        let Some(current) = self.lifecycle.current() else { return false };
        let arrived = self.flights.get(current).is_some_and(|flight| flight.undelivered().is_some());
        if arrived {
            self.deliver(current, here, now, effects);
        }
        arrived
    }

    /// On workerd: a flight whose request has ended is idle, and never lands.
    fn watch_flight(&mut self, id: CallerId, patient: bool, now: Now, effects: &mut Effects) {
        let Some(current) = self.lifecycle.current() else {
            let mut turn = Turn { now, here: Some(id), flights: &mut self.flights, effects };
            return self.lifecycle.restart_if_none(id, &mut turn);
        };
        let Some(flight) = self.flights.get(current) else { return };
        if flight.plan.leader == Some(id) {
            // This timer is of the very request that the flight began in.
            return flight.heartbeat(now.monotonic);
        }
        // After the isolate was busy, timers that are due fire in any order: the flight's gets its chance.
        if patient {
            self.take_over_if_idle(self.stall_timeout_ms, id, now, effects);
        }
    }

    fn take_over_if_idle(&mut self, stall_timeout_ms: f64, here: CallerId, now: Now, effects: &mut Effects) {
        let Some(current) = self.lifecycle.current() else { return };
        let Some(flight) = self.flights.get(current) else { return };
        if flight.idle_ms(now.monotonic) <= stall_timeout_ms {
            return;
        }
        let retry_at: Option<Instant> = flight.plan.retry_at;
        // What it brought is a value, not a promise: another request may hand it out.
        if self.deliver_current(Some(here), now, effects) {
            return;
        }
        self.flights.retry_at = retry_at;
        self.stall_timeout_ms = (self.stall_timeout_ms * 2.0).min(STALL_TIMEOUT_CAP_MS);
        let mut turn = Turn { now, here: Some(here), flights: &mut self.flights, effects };
        self.lifecycle.lost(current, &mut turn);
    }

    fn report_store(&self, operation: Operation, problem: Problem, effects: &mut Effects) {
        if self.config.events {
            effects.push(Effect::Report(Event::Store { operation, problem }));
        }
    }
}

/// A store's token as it came: nothing of it is checked yet but the types.
pub struct StoredToken {
    /// The token.
    pub token: Zeroizing<String>,
    /// The claims of that token, if it is a JWT.
    pub claims: Claims,
    /// Its end, by the server's clock.
    pub exp: f64,
    /// How many seconds it has left, if the store knows.
    pub ttl_s: Option<f64>,
}

impl StoredToken {
    fn judge(self, now: Now) -> Result<AccessToken, Unusable> {
        let mut range = Ok(());
        let token = AccessToken::new(Some(self.token), Some(self.exp), |exp| {
            life_left(exp, self.claims, self.ttl_s, now.wall).unwrap_or_else(|unusable| {
                range = Err(unusable);
                f64::NAN
            })
        });
        range?;
        token
    }
}

impl fmt::Debug for StoredToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredToken").finish_non_exhaustive()
    }
}
