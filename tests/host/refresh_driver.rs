// A lifecycle that is told by hand what happens, and whose effects are read as words.

use digitalpaye_auth::effect::Effect;
use digitalpaye_auth::error::{AuthError, Code, Foreign};
use digitalpaye_auth::event::Event;
use digitalpaye_auth::flight::{FlightConfig, FlightId};
use digitalpaye_auth::refresh::{Call, CallerId, Flights, Lifecycle, Turn};
use digitalpaye_auth::time::{Instant, Now, NumericDate};
use digitalpaye_auth::token::{AccessToken, Fingerprint};
use std::rc::Rc;
use zeroize::Zeroizing;

pub(crate) const TIMEOUT: f64 = 30_000.0;

pub(crate) fn token(name: &str) -> Fingerprint {
    Fingerprint::of(name)
}

/// A lifecycle with its flights, which do nothing by themselves.
pub(crate) struct Driver {
    pub(crate) machine: Lifecycle,
    pub(crate) flights: Flights,
    pub(crate) now: Now,
    pub(crate) callers: CallerId,
}

impl Driver {
    pub(crate) fn new(store: bool) -> Self {
        Self::with(store, false, false)
    }

    pub(crate) fn with(store: bool, isolate: bool, events: bool) -> Self {
        Self::of(FlightConfig { store, leases: false, isolate, events, max_retries: 2, timeout_ms: TIMEOUT })
    }

    pub(crate) fn of(config: FlightConfig) -> Self {
        let now = Now { monotonic: Instant(0.0), wall: NumericDate(0.0) };
        Self { machine: Lifecycle::new(config), flights: Flights::new(config), now, callers: 0 }
    }

    /// A client that holds `a`, which lives for 600 s: soft from 480 s, hard from 590 s on.
    pub(crate) fn holding() -> Self {
        let mut driver = Self::new(false);
        assert_eq!(driver.call(), ["start 1 direct"]);
        assert_eq!(driver.land(1, "a", 600.0), ["hold 1", "serve 1"]);
        driver
    }

    /// On both clocks.
    pub(crate) fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = Now { monotonic: Instant(seconds * 1_000.0), wall: NumericDate(seconds) };
        self
    }

    /// The machine sleeps: the monotonic clock stands.
    pub(crate) fn sleep(&mut self, seconds: f64) -> &mut Self {
        self.now.wall.0 += seconds;
        self
    }

    pub(crate) fn turn(&mut self, event: impl FnOnce(&mut Lifecycle, &mut Turn<'_>)) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut turn = Turn { now: self.now, here: None, flights: &mut self.flights, effects: &mut effects };
        event(&mut self.machine, &mut turn);
        effects
    }

    /// Effects as short texts: what the tests below compare.
    pub(crate) fn words(&mut self, effects: &[Effect]) -> Vec<String> {
        let mut words = Vec::new();
        for effect in effects {
            words.push(match effect {
                Effect::BeginFlight(id) => {
                    let plan = &self.flights.get(*id).expect("the flight that begins").plan;
                    let mut word = format!("start {id}");
                    word += if plan.direct { " direct" } else { "" };
                    word += if plan.background { " behind" } else { "" };
                    word += if plan.refusal.is_some() { " refused" } else { "" };
                    word + &plan.retry_at.map_or(String::new(), |at| format!(" at {}", at.0 / 1_000.0))
                }
                Effect::AbortRequest(id) => format!("cancel {id}"),
                Effect::Resolve(caller) => format!("serve {}", caller.id),
                Effect::Reject(caller, error) if error.code == Code::Timeout => format!("timed out {}", caller.id),
                Effect::Reject(caller, _) => format!("fail {}", caller.id),
                Effect::Rethrow(caller, _) => format!("rethrow {}", caller.id),
                Effect::CacheToken(..) => format!("hold {}", self.holder()),
                Effect::ClearCache => "drop".into(),
                Effect::DeleteStored { held: false } => "delete".into(),
                Effect::DeleteStored { held: true } => "delete held".into(),
                Effect::Report(Event::Unauthorized { retried }) => format!("unauthorized {retried}"),
                Effect::Report(Event::Failure { background, ttl_s, retry_in_ms, .. }) => {
                    format!("failure {background} {ttl_s} {retry_in_ms:?}")
                }
                Effect::SetTimer { .. } | Effect::EndFlight(_) => continue,
                other => panic!("{other:?} is not of a lifecycle"),
            });
        }
        words
    }

    fn holder(&self) -> FlightId {
        (1..=50).find(|&id| self.machine.holds(id)).expect("a token that is held")
    }

    pub(crate) fn call(&mut self) -> Vec<String> {
        self.call_with(false)
    }

    pub(crate) fn force(&mut self) -> Vec<String> {
        self.call_with(true)
    }

    pub(crate) fn call_with(&mut self, force: bool) -> Vec<String> {
        let effects = self.call_effects(force);
        self.words(&effects)
    }

    pub(crate) fn call_effects(&mut self, force: bool) -> Vec<Effect> {
        self.call_effects_until(force, self.now.monotonic.plus(TIMEOUT))
    }

    /// Calls with another deadline, in milliseconds.
    pub(crate) fn call_until(&mut self, ms: f64) {
        self.call_effects_until(false, Instant(ms));
    }

    pub(crate) fn force_until(&mut self, ms: f64) {
        self.call_effects_until(true, Instant(ms));
    }

    fn call_effects_until(&mut self, force: bool, deadline: Instant) -> Vec<Effect> {
        self.callers += 1;
        let call = Call { id: self.callers, force, deadline };
        let mut effects = Vec::new();
        self.machine.call(call, self.now, &mut self.flights, &mut effects);
        effects
    }

    pub(crate) fn land_with(&mut self, id: FlightId, name: &str, life_s: f64, asked: Now, spread: f64) -> Vec<Effect> {
        let text = Zeroizing::new(String::from(name));
        let token = Rc::new(AccessToken::new(Some(text), Some(1.0), |_| life_s).unwrap());
        let mut effects = self.turn(|machine, turn| {
            machine.landed(id, &token, asked, spread, turn);
        });
        self.flights.end(id, &mut effects);
        effects
    }

    pub(crate) fn land(&mut self, id: FlightId, name: &str, life_s: f64) -> Vec<String> {
        let effects = self.land_with(id, name, life_s, self.now, 0.0);
        self.words(&effects)
    }

    pub(crate) fn fail_effects(&mut self, id: FlightId, error: Box<AuthError>) -> Vec<Effect> {
        let error = error.into();
        let mut effects = self.turn(|machine, turn| machine.failed(id, &error, turn));
        self.flights.end(id, &mut effects);
        effects
    }

    pub(crate) fn fail_with(&mut self, id: FlightId, error: Box<AuthError>) -> Vec<String> {
        let effects = self.fail_effects(id, error);
        self.words(&effects)
    }

    pub(crate) fn fail(&mut self, id: FlightId) -> Vec<String> {
        self.fail_with(id, AuthError::new(Code::Network, ""))
    }

    pub(crate) fn refused(&mut self, seconds: f64) {
        let mut error = AuthError::new(Code::RateLimited, "");
        error.retry_after = Some(seconds);
        error.attempts = 3;
        self.machine.refused(&error, self.now);
    }

    pub(crate) fn abort(&mut self, id: CallerId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.abort(id, turn));
        self.words(&effects)
    }

    pub(crate) fn lost(&mut self, id: FlightId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.lost(id, turn));
        self.words(&effects)
    }

    pub(crate) fn timed_out(&mut self, id: FlightId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.timed_out(id, turn));
        self.words(&effects)
    }

    pub(crate) fn deadline(&mut self, id: CallerId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.deadline(id, turn));
        self.words(&effects)
    }

    pub(crate) fn invalidate(&mut self, bad: Option<Fingerprint>) -> Vec<String> {
        let effects = self.turn(|machine, turn| {
            machine.invalidate(bad, turn);
        });
        self.words(&effects)
    }

    pub(crate) fn interrupted(&mut self, id: FlightId, leader: CallerId) -> Vec<String> {
        let value = Foreign::new(7);
        let mut effects = self.turn(|machine, turn| machine.interrupted(id, Some(leader), value, turn));
        self.flights.end(id, &mut effects);
        self.words(&effects)
    }

    pub(crate) fn unauthorized(&mut self, name: &str, replayable: bool) -> bool {
        let mut retry = false;
        self.turn(|machine, turn| retry = machine.unauthorized(token(name), replayable, turn));
        retry
    }

    pub(crate) fn holds(&self, id: FlightId) -> bool {
        self.machine.holds(id)
    }

    pub(crate) fn close(&mut self) -> Vec<String> {
        let error = Rc::new(*AuthError::option("apiSecret", ""));
        let effects = self.turn(|machine, turn| machine.close(&error, turn));
        self.words(&effects)
    }
}
