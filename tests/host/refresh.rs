// The lifecycle: each row of its table by example. Random interleavings are in refresh_model.rs.

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
        let config = FlightConfig { store, leases: false, isolate, events, max_retries: 2, timeout_ms: TIMEOUT };
        let now = Now { monotonic: Instant(0.0), wall: NumericDate(0.0) };
        Self { machine: Lifecycle::new(config), flights: Flights::new(config), now, callers: 0 }
    }

    /// A client that holds `a`, which lives for 600 s: soft from 480 s, hard from 590 s on.
    fn holding() -> Self {
        let mut driver = Self::new(false);
        assert_eq!(driver.call(), ["start 1 direct"]);
        assert_eq!(driver.land(1, "a", 600.0), ["hold 1", "serve 1"]);
        driver
    }

    /// On both clocks.
    fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = Now { monotonic: Instant(seconds * 1_000.0), wall: NumericDate(seconds) };
        self
    }

    /// The machine sleeps: the monotonic clock stands.
    fn sleep(&mut self, seconds: f64) -> &mut Self {
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
    fn words(&mut self, effects: &[Effect]) -> Vec<String> {
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

    fn call(&mut self) -> Vec<String> {
        self.call_with(false)
    }

    fn force(&mut self) -> Vec<String> {
        self.call_with(true)
    }

    fn call_with(&mut self, force: bool) -> Vec<String> {
        let effects = self.call_effects(force);
        self.words(&effects)
    }

    pub(crate) fn call_effects(&mut self, force: bool) -> Vec<Effect> {
        self.callers += 1;
        let call = Call { id: self.callers, force, deadline: self.now.monotonic.plus(TIMEOUT) };
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

    fn land(&mut self, id: FlightId, name: &str, life_s: f64) -> Vec<String> {
        let effects = self.land_with(id, name, life_s, self.now, 0.0);
        self.words(&effects)
    }

    pub(crate) fn fail_effects(&mut self, id: FlightId, error: Box<AuthError>) -> Vec<Effect> {
        let error = error.into();
        let mut effects = self.turn(|machine, turn| machine.failed(id, &error, turn));
        self.flights.end(id, &mut effects);
        effects
    }

    fn fail_with(&mut self, id: FlightId, error: Box<AuthError>) -> Vec<String> {
        let effects = self.fail_effects(id, error);
        self.words(&effects)
    }

    fn fail(&mut self, id: FlightId) -> Vec<String> {
        self.fail_with(id, AuthError::new(Code::Network, ""))
    }

    fn refused(&mut self, seconds: f64) {
        let mut error = AuthError::new(Code::RateLimited, "");
        error.retry_after = Some(seconds);
        error.attempts = 3;
        self.machine.refused(&error, self.now);
    }

    fn abort(&mut self, id: CallerId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.abort(id, turn));
        self.words(&effects)
    }

    fn lost(&mut self, id: FlightId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.lost(id, turn));
        self.words(&effects)
    }

    fn timed_out(&mut self, id: FlightId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.timed_out(id, turn));
        self.words(&effects)
    }

    fn deadline(&mut self, id: CallerId) -> Vec<String> {
        let effects = self.turn(|machine, turn| machine.deadline(id, turn));
        self.words(&effects)
    }

    fn invalidate(&mut self, bad: Option<Fingerprint>) -> Vec<String> {
        let effects = self.turn(|machine, turn| {
            machine.invalidate(bad, turn);
        });
        self.words(&effects)
    }

    fn interrupted(&mut self, id: FlightId, leader: CallerId) -> Vec<String> {
        let value = Foreign::new(7);
        let mut effects = self.turn(|machine, turn| machine.interrupted(id, Some(leader), value, turn));
        self.flights.end(id, &mut effects);
        self.words(&effects)
    }

    fn unauthorized(&mut self, name: &str, replayable: bool) -> bool {
        let mut retry = false;
        self.turn(|machine, turn| retry = machine.unauthorized(token(name), replayable, turn));
        retry
    }

    fn holds(&self, id: FlightId) -> bool {
        self.machine.holds(id)
    }

    fn close(&mut self) -> Vec<String> {
        let error = Rc::new(*AuthError::option("apiSecret", ""));
        let effects = self.turn(|machine, turn| machine.close(&error, turn));
        self.words(&effects)
    }
}

#[test]
fn however_many_call_one_flight_begins() {
    let mut driver = Driver::new(false);
    assert_eq!(driver.call(), ["start 1 direct"]);
    for _ in 0..9_999 {
        assert!(driver.call().is_empty());
    }
    let served = driver.land(1, "a", 600.0);
    assert_eq!((served.len(), served[0].as_str(), served[10_000].as_str()), (10_001, "hold 1", "serve 10000"));
}

#[test]
fn a_fresh_token_is_served_a_soft_one_renewed_behind_a_hard_one_waited_for() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(479.9).call(), ["serve 2"]);
    assert_eq!(driver.at(480.0).call(), ["serve 3", "start 2 direct behind"]);
    assert_eq!(driver.at(481.0).call(), ["serve 4"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2"]);

    let mut driver = Driver::holding();
    assert_eq!(driver.at(590.0).call(), ["start 2 direct"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2"]);
}

#[test]
fn windows_shrink_with_the_life_and_spread_over_a_fleet() {
    let mut driver = Driver::new(false);
    driver.call();
    // Life 20 s: soft 4 s, begun up to 0.4 s earlier.
    let effects = driver.land_with(1, "a", 20.0, driver.now, 0.999_999);
    let Effect::CacheToken(_, until) = &effects[0] else { panic!("{effects:?}") };
    let until = until.monotonic;
    assert!((until.0 - 15_600.0).abs() < 0.01, "{until:?}");
}

#[test]
fn a_failure_behind_the_callers_is_not_seen_and_cools_down() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(480.0).call(), ["serve 2", "start 2 direct behind"]);
    assert!(driver.fail(2).is_empty());
    assert_eq!(driver.at(484.9).call(), ["serve 3"]);
    assert_eq!(driver.at(485.0).call(), ["serve 4", "start 3 direct behind"]);
    assert!(driver.fail(3).is_empty());
    assert_eq!(driver.at(494.9).call(), ["serve 5"], "10 s the second time");
    assert_eq!(driver.at(495.0).call(), ["serve 6", "start 4 direct behind"]);
    assert!(driver.fail(4).is_empty());
    assert_eq!(driver.at(515.0).call(), ["serve 7", "start 5 direct behind"]);
    assert!(driver.fail(5).is_empty());
    assert_eq!(driver.at(544.9).call(), ["serve 8"], "30 s at most");
    assert_eq!(driver.at(545.0).call(), ["serve 9", "start 6 direct behind"]);
    // While cooling down, the hard window serves too; once the token is past, the next caller asks at once.
    assert!(driver.at(589.0).fail(6).is_empty());
    assert_eq!(driver.at(599.9).call(), ["serve 10"]);
    assert_eq!(driver.at(600.0).call(), ["start 7 direct"]);
    assert_eq!(driver.fail(7), ["fail 11"]);
    assert_eq!(driver.call(), ["start 8 direct"], "a failure without a token is not kept");
}

#[test]
fn the_servers_retry_after_extends_the_cool_down() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(480.0).call(), ["serve 2", "start 2 direct behind"]);
    let mut error = AuthError::new(Code::RateLimited, "");
    error.retry_after = Some(60.0);
    assert!(driver.fail_with(2, error).is_empty());
    assert_eq!(driver.at(539.9).call(), ["serve 3"]);
    assert_eq!(driver.at(540.0).call(), ["serve 4", "start 3 direct behind"]);
}

#[test]
fn in_the_hard_window_a_failure_serves_the_held_token_but_not_to_those_who_insist() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(591.0).call(), ["start 2 direct"]);
    assert!(driver.force().is_empty());
    assert_eq!(driver.fail(2), ["serve 2", "fail 3"]);
}

#[test]
fn forced_callers_share_a_flight_past_cache_and_store() {
    let mut driver = Driver::holding();
    assert_eq!(driver.force(), ["start 2 direct"]);
    assert!(driver.force().is_empty());
    assert_eq!(driver.call(), ["serve 4"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2", "serve 3"]);

    let mut driver = Driver::new(true);
    assert_eq!(driver.force(), ["start 1 direct"], "past the store, though nothing is under way");

    let mut driver = Driver::new(true);
    assert_eq!(driver.call(), ["start 1"]);
    assert_eq!(driver.force(), ["cancel 1", "start 2 direct"]);
    assert!(driver.land(1, "old", 600.0).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 1", "serve 2"]);

    let mut driver = Driver::new(true);
    assert_eq!(driver.call(), ["start 1"]);
    driver.machine.became_direct(1);
    assert!(driver.force().is_empty(), "an exchange is as new as can be");
}

#[test]
fn an_abort_ends_one_and_the_last_one_ends_the_flight() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.call();
    assert!(driver.abort(1).is_empty());
    assert_eq!(driver.machine.deadline_of(1), None);
    assert!(driver.abort(1).is_empty());
    assert_eq!(driver.abort(2), ["cancel 1"]);
    assert!(driver.land(1, "late", 600.0).is_empty());
    assert_eq!(driver.call(), ["start 2 direct"]);

    // A flight behind the callers goes on when the one who joined it leaves.
    let mut driver = Driver::holding();
    assert_eq!(driver.at(480.0).call(), ["serve 2", "start 2 direct behind"]);
    assert!(driver.at(595.0).call().is_empty());
    assert!(driver.abort(3).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2"]);
}

#[test]
fn those_who_leave_leave_no_place_behind() {
    let mut driver = Driver::new(false);
    for first in [false, true] {
        for _ in 0..100 {
            driver.call();
        }
        let all: Vec<_> = (driver.callers - 99..=driver.callers).collect();
        let leaving = if first { all } else { all.into_iter().rev().collect() };
        for id in leaving {
            driver.abort(id);
        }
        let shown = format!("{:?}", driver.machine);
        assert!(shown.contains("callers: 0, places: 0"), "{shown}");
    }
}

#[test]
fn each_callers_deadline_is_its_own() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.at(10.0).call();
    driver.at(30.0);
    assert_eq!(driver.timed_out(1), ["timed out 1", "cancel 1", "start 2 direct"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2"]);

    // Callers of one moment end together: no flight begins for the milliseconds between them.
    let mut driver = Driver::new(false);
    driver.call();
    driver.at(0.005).call();
    driver.at(30.0);
    assert_eq!(driver.timed_out(1), ["timed out 1", "cancel 1"]);
    driver.at(30.005);
    assert_eq!(driver.deadline(2), ["timed out 2"]);
}

#[test]
fn a_deadline_in_the_hard_window_serves_the_held_token() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(591.0).call(), ["start 2 direct"]);
    driver.at(599.0);
    assert_eq!(driver.deadline(2), ["serve 2", "cancel 2"]);
    assert_eq!(driver.at(599.5).call(), ["serve 3"], "and cools down");
}

#[test]
fn invalidation_begins_anew_for_those_who_wait() {
    let mut driver = Driver::new(true);
    driver.call();
    assert_eq!(driver.invalidate(None), ["drop", "delete", "cancel 1", "start 2 direct"]);
    assert!(driver.land(1, "late", 600.0).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 1"]);
    assert!(driver.invalidate(Some(token("a"))).is_empty());
    assert_eq!(driver.call(), ["serve 2"]);
    assert_eq!(driver.invalidate(Some(token("b"))), ["drop", "delete held"]);
    assert_eq!(driver.call(), ["start 3"], "the store may have a newer one");
    assert!(
        !driver.machine.accepts(token("a"), 1e9, driver.now)
            && !driver.machine.accepts(token("b"), 1e9, driver.now)
            && driver.machine.accepts(token("c"), 1e9, driver.now)
    );
    driver.fail(3);
    assert_eq!(driver.invalidate(None), ["drop", "delete"]);
    assert_eq!(driver.call(), ["start 4 direct"], "nobody knows which token was meant");
}

#[test]
fn a_store_is_to_bring_something_newer_than_what_is_held() {
    let mut driver = Driver::new(true);
    driver.call();
    driver.land(1, "a", 600.0);
    assert!(!driver.machine.accepts(token("a"), 900_000.0, driver.now));
    assert!(!driver.machine.accepts(token("b"), 600_000.0, driver.now));
    assert!(driver.machine.accepts(token("b"), 600_001.0, driver.now));
}

#[test]
fn a_lost_flight_is_taken_over() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.call();
    assert_eq!(driver.lost(1), ["cancel 1", "start 2 direct"]);
    assert!(driver.lost(1).is_empty());
    assert!(driver.land(1, "late", 600.0).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 1", "serve 2"]);
}

#[test]
fn closing_leaves_nothing() {
    let mut driver = Driver::holding();
    driver.force();
    assert_eq!(driver.close(), ["drop", "fail 2", "cancel 2"]);
    assert!(driver.land(2, "late", 600.0).is_empty());
}

const MINUTE: f64 = 60.0;
const HOUR: f64 = 3_600.0;
const MONTH: f64 = 2_592_000.0;

#[test]
fn a_sleep_uses_up_a_life_that_the_monotonic_clock_does_not_see() {
    for asleep in [HOUR, MONTH] {
        for awake in [0.0, 480.0, 590.0] {
            let mut driver = Driver::holding();
            assert_eq!(driver.at(awake).sleep(asleep).call(), ["start 2 direct"], "{awake} s, then {asleep} s asleep");
        }
    }
    let mut driver = Driver::holding();
    assert_eq!(driver.sleep(MINUTE).call(), ["serve 2"]);
    assert_eq!(driver.at(430.0).sleep(MINUTE).call(), ["serve 3", "start 2 direct behind"], "soft by the wall clock");
    let mut driver = Driver::holding();
    assert_eq!(driver.at(535.0).sleep(MINUTE).call(), ["start 2 direct"], "hard by the wall clock");
    assert_eq!(driver.fail(2), ["serve 2"], "and still good");
    let mut driver = Driver::holding();
    assert_eq!(driver.at(595.0).call(), ["start 2 direct"]);
    driver.sleep(HOUR);
    assert_eq!(driver.fail(2), ["fail 2"], "it ended while the flight was under way");
}

#[test]
fn a_wall_clock_that_is_set_back_changes_nothing_and_one_set_forward_costs_one_exchange() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(479.0).sleep(-MONTH).call(), ["serve 2"]);
    assert_eq!(driver.at(480.0).sleep(-MONTH).call(), ["serve 3", "start 2 direct behind"]);
    let mut driver = Driver::holding();
    assert_eq!(driver.sleep(MONTH).call(), ["start 2 direct"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2"]);
    assert_eq!(driver.call(), ["serve 3"], "one exchange");
    driver.now.wall.0 = f64::NAN;
    assert_eq!(driver.call(), ["serve 4"], "a clock that is no number is not asked");
    driver.now.monotonic = Instant(600_000.0);
    assert_eq!(driver.call(), ["start 3 direct"]);
}

#[test]
fn deadlines_go_by_the_monotonic_clock_alone() {
    let mut driver = Driver::new(false);
    driver.call();
    assert!(driver.sleep(MONTH).call().is_empty());
    assert_eq!(driver.machine.deadline_of(1), Some(Instant(TIMEOUT)));
}

#[test]
fn later_calls_obey_retry_after_too() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.refused(60.0);
    assert_eq!(driver.fail(1), ["fail 1"]);
    driver.at(10.5);
    let effects = driver.call_effects(false);
    let Effect::Reject(_, error) = &effects[0] else { panic!("{effects:?}") };
    assert_eq!((error.code, error.retry_after, error.attempts), (Code::RateLimited, Some(50.0), 0));
    assert_eq!(driver.force(), ["fail 3"]);
    assert_eq!(driver.at(59.999).call(), ["fail 4"]);
    assert_eq!(driver.at(60.0).call(), ["start 2 direct"]);

    let mut driver = Driver::new(true);
    driver.call();
    driver.refused(60.0);
    driver.fail(1);
    assert_eq!(driver.call(), ["start 2 refused"], "the store may have one");
    assert!(driver.call().is_empty());
    assert_eq!(driver.force(), ["fail 4"], "a forced one is past the store");
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2", "serve 3"]);
    assert_eq!(driver.force(), ["fail 5"], "a store's token says nothing of the server");
}

#[test]
fn what_a_flight_learnt_before_it_was_aborted_is_kept() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.refused(60.0);
    assert_eq!(driver.abort(1), ["cancel 1"]);
    assert_eq!(driver.call(), ["fail 2"]);
}

#[test]
fn nothing_begins_behind_the_callers_before_retry_after() {
    let mut driver = Driver::holding();
    driver.at(470.0).refused(60.0);
    assert_eq!(driver.at(480.0).call(), ["serve 2"]);
    assert_eq!(driver.at(530.0).call(), ["serve 3", "start 2 direct behind"]);
    let mut driver = Driver::new(true);
    driver.call();
    driver.land(1, "a", 600.0);
    driver.at(470.0).refused(60.0);
    assert_eq!(driver.at(480.0).call(), ["serve 2", "start 2 behind refused"], "the store may have one");
}

#[test]
fn a_flight_that_begins_for_those_who_wait_obeys_retry_after() {
    let mut driver = Driver::new(true);
    driver.call();
    driver.refused(10.0);
    assert_eq!(driver.at(1.0).invalidate(None), ["drop", "delete", "cancel 1", "start 2 direct at 10"]);
    assert!(driver.at(25.0).call().is_empty());
    // One whose wait does not fit begins none.
    driver.refused(60.0);
    assert_eq!(driver.at(30.0).timed_out(2), ["timed out 1", "cancel 2", "start 3 direct refused"]);
    assert_eq!(driver.invalidate(None), ["drop", "delete", "cancel 3", "start 4 direct refused"]);
}

#[test]
fn what_a_framework_throws_is_for_its_caller_and_the_others_begin_again() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.call();
    driver.call();
    assert_eq!(driver.interrupted(1, 1), ["rethrow 1", "start 2 direct"]);
    assert_eq!(driver.flights.get(2).unwrap().plan.leader, Some(3), "in the context of one of them");
    assert!(driver.interrupted(1, 3).is_empty(), "that one is over");
    assert_eq!(driver.interrupted(2, 3), ["rethrow 3", "start 3 direct"]);
    assert_eq!(driver.interrupted(3, 2), ["rethrow 2"], "nobody is left");
    assert_eq!(driver.machine.current(), None);

    // The leader has left: nobody sees the value.
    let mut driver = Driver::new(false);
    driver.call();
    driver.call();
    driver.abort(1);
    assert_eq!(driver.interrupted(1, 1), ["start 2 direct"]);
}

#[test]
fn on_workerd_one_of_the_others_begins_again_in_its_own_request() {
    let mut driver = Driver::with(false, true, false);
    driver.call();
    driver.call();
    assert_eq!(driver.interrupted(1, 1), ["rethrow 1"]);
    let effects = driver.turn(|machine, turn| machine.restart_if_none(1, turn));
    assert!(effects.is_empty(), "it has its answer");
    let effects = driver.turn(|machine, turn| machine.restart_if_none(2, turn));
    assert_eq!(driver.words(&effects), ["start 2 direct"]);
    let effects = driver.turn(|machine, turn| machine.restart_if_none(2, turn));
    assert!(effects.is_empty(), "one is under way");
}

#[test]
fn a_401_costs_a_token_and_a_second_one_does_not() {
    let mut driver = Driver::holding();
    assert!(driver.unauthorized("a", true));
    assert!(!driver.holds(1));
    assert!(driver.unauthorized("a", true), "a request beside it, with the old token");
    driver.call();
    driver.land(2, "b", 600.0);
    driver.turn(|machine, turn| machine.unauthorized_again(token("b"), turn));
    for replayable in [true, false] {
        assert!(!driver.at(29.999).unauthorized("b", replayable), "believed");
        assert!(driver.holds(2));
    }
    assert!(driver.unauthorized("a", true), "another token's");
    assert!(driver.holds(2));
    assert!(driver.at(30.0).unauthorized("b", true));
    assert!(!driver.holds(2));
}

#[test]
fn a_401_of_a_request_that_cannot_be_sent_again() {
    let mut driver = Driver::holding();
    assert!(!driver.unauthorized("a", false));
    assert!(!driver.holds(1), "it costs the token");
    driver.call();
    driver.land(2, "b", 600.0);
    assert!(!driver.at(29.0).unauthorized("b", false));
    assert!(driver.holds(2), "the renewed one is kept: it is not the token's fault");
    assert!(!driver.at(58.9).unauthorized("b", true), "and believed for 30 s");
    assert!(driver.at(59.0).unauthorized("b", true));

    let mut driver = Driver::holding();
    driver.unauthorized("a", false);
    driver.call();
    driver.land(2, "b", 600.0);
    assert!(!driver.at(30.0).unauthorized("b", false));
    assert!(!driver.holds(2), "30 s later it is another matter");
}

#[test]
fn each_401_is_one_event() {
    let mut driver = Driver::with(false, false, true);
    driver.call();
    driver.land(1, "a", 600.0);
    let report = |driver: &mut Driver, name, replayable| {
        let effects = driver.turn(|machine, turn| {
            machine.unauthorized(token(name), replayable, turn);
        });
        driver.words(&effects)
    };
    assert_eq!(report(&mut driver, "other", true), ["unauthorized true"]);
    assert_eq!(report(&mut driver, "a", true), ["drop", "unauthorized true"]);
    assert_eq!(report(&mut driver, "a", false), ["unauthorized false"]);
    let effects = driver.turn(|machine, turn| machine.unauthorized_again(token("b"), turn));
    assert_eq!(driver.words(&effects), ["unauthorized false"], "the second try's");
}

#[test]
fn a_failure_is_one_event_with_what_is_left() {
    let mut driver = Driver::with(false, false, true);
    driver.call();
    assert_eq!(driver.fail(1), ["failure false 0 None", "fail 1"]);
    driver.call();
    driver.land(2, "a", 600.0);
    assert_eq!(driver.at(480.0).call(), ["serve 3", "start 3 direct behind"]);
    assert_eq!(driver.fail(3), ["failure true 120 Some(5000.0)"]);
    assert_eq!(driver.at(590.0).call(), ["start 4 direct"]);
    assert_eq!(driver.at(592.0).deadline(4), ["serve 4", "cancel 4", "failure false 8 Some(10000.0)"]);
    assert_eq!(driver.at(700.0).call(), ["start 5 direct"]);
    assert_eq!(driver.abort(5), ["cancel 5"], "an abort is none");
    driver.call();
    driver.refused(7.0);
    assert_eq!(driver.fail(6), ["failure false 0 Some(7000.0)", "fail 6"]);
}

#[test]
fn a_caller_who_cannot_say_that_it_is_gone_is_forgotten() {
    let mut driver = Driver::new(false);
    driver.call();
    assert_eq!(driver.at(35.0).call(), ["timed out 1"]);
}
