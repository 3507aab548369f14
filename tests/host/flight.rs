// One flight: each row of its table by example. Whole clients are in client.rs and rules.rs.

use digitalpaye_auth::effect::{Effect, LeaseTtl};
use digitalpaye_auth::error::{AuthError, Code};
use digitalpaye_auth::flight::{
    ANSWER_MS, Answer, DELIVERY_MS, Flight, FlightConfig, FlightPlan, Found, LEASE_MS, Next, POLL_CAP_MS, POLL_MS,
    Stage,
};
use digitalpaye_auth::time::{Instant, Now, NumericDate};
use digitalpaye_auth::token::AccessToken;
use std::rc::Rc;
use zeroize::Zeroizing;

const TIMEOUT: f64 = 30_000.0;
const PLAIN: FlightConfig =
    FlightConfig { store: false, leases: false, isolate: false, events: false, max_retries: 2, timeout_ms: TIMEOUT };
const STORE: FlightConfig = FlightConfig { store: true, leases: true, ..PLAIN };

fn at(ms: f64) -> Now {
    Now { monotonic: Instant(ms), wall: NumericDate(ms / 1_000.0) }
}

fn plan(deadline: f64) -> FlightPlan {
    let deadline = Instant(deadline);
    FlightPlan { direct: false, background: false, deadline, leader: Some(1), retry_at: None, refusal: None }
}

/// A flight, and what it has asked for since it was last looked at.
struct Driver {
    flight: Flight,
    effects: Vec<Effect>,
}

impl Driver {
    fn new(config: FlightConfig) -> Self {
        Self::with(config, plan(TIMEOUT))
    }

    fn with(config: FlightConfig, plan: FlightPlan) -> Self {
        Self { flight: Flight::new(1, plan, config, at(0.0)), effects: Vec::new() }
    }

    /// What is next, and what it asks for, as one text.
    fn on(&mut self, event: impl FnOnce(&mut Flight, &mut Vec<Effect>) -> Option<Next>) -> String {
        self.effects.clear();
        let next = match event(&mut self.flight, &mut self.effects) {
            None => "ignored".into(),
            Some(Next::Wait) => "wait".into(),
            Some(Next::Exchange) => "exchange".into(),
            Some(Next::Deliver) => "deliver".into(),
            Some(Next::Fail(error)) => format!("fail {}", error.code.as_str()),
            Some(Next::End) => "end".into(),
        };
        let asked = self.effects.iter().map(|effect| match effect {
            Effect::NameEntry(..) => "name".into(),
            Effect::ReadStore(_) => "read".into(),
            Effect::AcquireLease(_, LeaseTtl(ttl_s)) => format!("acquire {ttl_s}"),
            Effect::AwaitDeletion(_) => "flush".into(),
            Effect::WriteStore(_, _, ttl_s) => format!("write {ttl_s}"),
            Effect::ReleaseLease(_) => "release".into(),
            other => format!("{other:?}"),
        });
        asked.chain([next]).collect::<Vec<_>>().join(", ")
    }

    fn begin(&mut self, identity: bool, ms: f64) -> String {
        let identity = identity.then(|| b"identity".to_vec());
        self.on(|flight, effects| Some(flight.begin(identity, at(ms), effects)))
    }

    fn named(&mut self, named: bool, ms: f64) -> String {
        self.on(|flight, effects| flight.entry_named(named, at(ms), effects))
    }

    fn read(&mut self, found: Found, ms: f64) -> String {
        self.on(|flight, effects| flight.store_read(found, at(ms), effects))
    }

    fn leased(&mut self, granted: bool, ms: f64) -> String {
        self.on(|flight, effects| flight.lease_answered(&Answer::Value(granted), at(ms), effects))
    }

    fn timer(&mut self, ms: f64) -> String {
        self.on(|flight, effects| Some(flight.timer(at(ms), effects)))
    }

    fn share(&mut self, life_s: f64, ms: f64) -> String {
        let text = Zeroizing::new(String::from("t"));
        let token = Rc::new(AccessToken::new(Some(text), Some(1.0), |_| life_s).unwrap());
        self.on(|flight, effects| Some(flight.share(token, at(ms), effects)))
    }

    fn flushed(&mut self, ms: f64) -> String {
        self.on(|flight, effects| flight.deletion_finished(at(ms), effects))
    }

    fn written(&mut self, ms: f64) -> String {
        self.on(|flight, effects| flight.store_written(&Answer::Value(()), at(ms), effects))
    }

    fn released(&mut self) -> String {
        self.on(|flight, effects| flight.lease_released(&Answer::Value(()), effects))
    }

    fn delivered(&mut self, ms: f64) -> String {
        self.on(|flight, effects| Some(flight.delivered(at(ms), effects)))
    }

    fn refused(&mut self, error: Box<AuthError>, ms: f64, longer: Option<Instant>) -> String {
        self.on(|flight, effects| Some(flight.refused(error, 0.5, at(ms), effects, |_, _, _| longer)))
    }

    /// When its timer is set to go off from now, if it is set anew, and whether the process stays for it.
    fn set_timer(&mut self, ms: f64) -> Option<(f64, bool)> {
        self.effects.clear();
        self.flight.set_timer(at(ms), &mut self.effects);
        self.effects.first().map(|effect| match effect {
            Effect::SetTimer { flight: 1, delay_ms, keeps_process_alive } => (*delay_ms, *keeps_process_alive),
            other => panic!("{other:?}"),
        })
    }
}

fn error(code: Code) -> Box<AuthError> {
    AuthError::new(code, "")
}

#[test]
fn one_that_takes_over_waits_until_the_lost_one_would_have_tried_again() {
    for (retry_at, next) in [(4.0, "exchange"), (5.0, "exchange"), (6.0, "wait")] {
        let mut driver = Driver::with(PLAIN, FlightPlan { retry_at: Some(Instant(retry_at)), ..plan(TIMEOUT) });
        assert_eq!(driver.begin(false, 5.0), next, "at {retry_at} ms");
    }
}

#[test]
fn without_a_store_it_sends_at_once() {
    let mut driver = Driver::new(PLAIN);
    assert_eq!(driver.begin(true, 1.0), "exchange");
    driver.flight.sent(at(1.0));
    assert_eq!((driver.flight.attempts, driver.flight.asked, driver.flight.plan.direct), (1, at(1.0), true));
    assert!(driver.flight.waits_for(Stage::Exchanging));
}

#[test]
fn the_name_of_the_entry_is_found_first_and_without_one_there_is_no_store() {
    let mut driver = Driver::new(STORE);
    assert_eq!(driver.begin(true, 0.0), "name, wait");
    assert_eq!(driver.named(true, 1.0), "read, wait");
    assert_eq!(driver.named(true, 1.0), "ignored", "it does not wait for that any more");
    let mut driver = Driver::new(STORE);
    driver.begin(true, 0.0);
    assert_eq!(driver.named(false, 1.0), "exchange");
}

#[test]
fn a_token_is_delivered_nothing_leases_a_failure_exchanges() {
    for (found, config, expected) in [
        (Found::Token, STORE, "deliver"),
        (Found::Nothing, STORE, "acquire 5, wait"),
        (Found::Nothing, FlightConfig { timeout_ms: 1_500.0, ..STORE }, "acquire 1, wait"),
        (Found::Nothing, FlightConfig { timeout_ms: 500.0, ..STORE }, "acquire 0.5, wait"),
        (Found::Nothing, FlightConfig { leases: false, ..STORE }, "exchange"),
        (Found::Failure, STORE, "exchange"),
    ] {
        let mut driver = Driver::new(config);
        assert_eq!(driver.begin(false, 0.0), "read, wait");
        assert_eq!(driver.read(found, 500.0), expected, "{found:?}");
    }
}

/// A flight that has the lease since 2 ms, and sends.
fn leader() -> Driver {
    let mut driver = Driver::new(STORE);
    driver.begin(false, 0.0);
    driver.read(Found::Nothing, 1.0);
    assert_eq!(driver.leased(true, 2.0), "read, wait", "another may have written since");
    assert_eq!(driver.read(Found::Nothing, 3.0), "exchange");
    driver.flight.sent(at(3.0));
    driver
}

#[test]
fn the_one_with_the_lease_exchanges_writes_delivers_and_releases() {
    let mut driver = leader();
    assert_eq!(driver.share(600.0, 4.0), "flush, wait");
    assert_eq!(driver.flushed(5.0), "write 599, wait");
    assert_eq!(driver.written(6.0), "deliver");
    assert_eq!(driver.delivered(6.0), "release, wait");
    assert_eq!(driver.released(), "end");
}

#[test]
fn a_slow_write_is_not_waited_for_longer_than_250_ms() {
    let mut driver = leader();
    driver.share(600.0, 4.0);
    driver.flushed(5.0);
    assert_eq!(driver.timer(4.0 + DELIVERY_MS - 0.001), "wait");
    assert_eq!(driver.timer(4.0 + DELIVERY_MS), "deliver");
    assert_eq!(driver.delivered(254.0), "wait");
    assert!(driver.flight.is_delivered() && driver.flight.undelivered().is_none());
    assert_eq!(driver.written(300.0), "release, wait");
}

#[test]
fn a_lease_is_renewed_at_a_third_of_its_life() {
    let mut driver = leader();
    let due = 1.0 + LEASE_MS / 3.0;
    assert_eq!(driver.timer(due - 0.01), "wait");
    assert_eq!(driver.timer(due + 0.01), "acquire 5, wait");
    assert_eq!(driver.timer(due + 0.02), "wait", "once");
    assert_eq!(driver.leased(true, 1_700.0), "ignored");
    assert_eq!(driver.timer(due + LEASE_MS / 3.0 + 0.02), "acquire 5, wait");
    assert_eq!(driver.leased(false, 3_400.0), "ignored", "the exchange goes on");
    assert_eq!(driver.timer(9_000.0), "wait", "and it is renewed no more");
    assert_eq!(driver.leased(true, 9_000.0), "release, ignored", "one that comes after all is given back");
}

#[test]
fn the_others_look_again_ever_more_seldom_and_exchange_after_half_of_their_time() {
    let mut driver = Driver::new(STORE);
    let (mut now, mut wait) = (0.0, POLL_MS);
    driver.begin(false, now);
    let mut next = driver.read(Found::Nothing, now);
    while next == "acquire 5, wait" {
        assert_eq!(driver.leased(false, now), "wait");
        assert_eq!(driver.timer((now + wait).min(TIMEOUT / 2.0) - 0.001), "wait", "too early");
        now = (now + wait).min(TIMEOUT / 2.0);
        wait = (wait * 2.0).min(POLL_CAP_MS);
        assert_eq!(driver.timer(now), "read, wait");
        next = driver.read(Found::Nothing, now);
    }
    assert_eq!((next.as_str(), now), ("exchange", TIMEOUT / 2.0));
}

#[test]
fn no_answer_of_a_store_is_waited_for_longer_than_two_seconds() {
    let mut driver = Driver::new(STORE);
    driver.begin(true, 0.0);
    assert_eq!(driver.timer(ANSWER_MS - 1.0), "wait");
    assert_eq!(driver.timer(ANSWER_MS), "exchange", "of the digest");
    let mut driver = Driver::new(STORE);
    driver.begin(false, 0.0);
    assert_eq!(driver.timer(ANSWER_MS), "exchange", "of get");
    driver.flight.sent(at(ANSWER_MS));
    assert_eq!(driver.read(Found::Token, ANSWER_MS), "ignored", "and then it is too late");
    let mut driver = Driver::new(STORE);
    driver.begin(false, 0.0);
    driver.read(Found::Nothing, 0.0);
    assert_eq!(driver.timer(ANSWER_MS), "exchange", "of acquire");
    driver.flight.sent(at(ANSWER_MS));
    assert_eq!(driver.leased(true, ANSWER_MS), "release, ignored");
}

#[test]
fn half_of_a_short_call_belongs_to_the_exchange() {
    let mut driver = Driver::with(STORE, plan(1_000.0));
    driver.begin(false, 0.0);
    assert_eq!(driver.timer(500.0), "exchange");
}

#[test]
fn what_fails_is_tried_again_while_the_wait_fits() {
    let mut driver = Driver::new(PLAIN);
    driver.begin(false, 0.0);
    driver.flight.sent(at(0.0));
    assert_eq!(driver.refused(error(Code::Network), 10.0, None), "wait");
    assert_eq!((driver.flight.last_error().code, driver.flight.last_error().attempts), (Code::Network, 1));
    assert_eq!(driver.timer(134.9), "wait");
    assert_eq!(driver.timer(135.0), "exchange");
    driver.flight.sent(at(135.0));
    assert_eq!((driver.flight.last_error().code, driver.flight.attempts), (Code::Timeout, 2));
    assert_eq!(driver.refused(error(Code::Unauthorized), 140.0, None), "fail unauthorized");
    // 30 s do not fit; whoever can wait longer may say so.
    for (longer, expected) in [(None, "fail rate_limited"), (Some(Instant(40_000.0)), "wait")] {
        let mut driver = Driver::new(PLAIN);
        driver.begin(false, 0.0);
        driver.flight.sent(at(0.0));
        let mut late = error(Code::RateLimited);
        late.retry_after = Some(30.0);
        assert_eq!(driver.refused(late, 1.0, longer), expected);
    }
}

#[test]
fn a_token_that_ended_on_the_way_is_replaced_while_there_are_attempts_and_time() {
    let mut driver = Driver::new(FlightConfig { max_retries: 1, ..PLAIN });
    driver.begin(false, 0.0);
    driver.flight.sent(at(0.0));
    let late = |driver: &mut Driver, ms| driver.on(|flight, effects| Some(flight.arrived_too_late(at(ms), effects)));
    assert_eq!(late(&mut driver, 10.0), "exchange");
    driver.flight.sent(at(10.0));
    assert_eq!(late(&mut driver, 20.0), "fail invalid_response");
    let mut driver = Driver::new(PLAIN);
    driver.begin(false, 0.0);
    driver.flight.sent(at(0.0));
    assert_eq!(late(&mut driver, TIMEOUT), "fail invalid_response", "no time is left");
}

#[test]
fn what_a_lost_flight_was_waiting_for_is_waited_for_and_a_refusal_fails() {
    let mut driver = Driver::with(PLAIN, FlightPlan { retry_at: Some(Instant(900.0)), ..plan(TIMEOUT) });
    assert_eq!(driver.begin(false, 0.0), "wait");
    assert_eq!(driver.timer(900.0), "exchange");
    let refusal = Some(Rc::new(*error(Code::RateLimited)));
    let mut driver = Driver::with(STORE, FlightPlan { refusal, ..plan(TIMEOUT) });
    assert_eq!(driver.begin(false, 0.0), "read, wait");
    assert_eq!(driver.read(Found::Nothing, 1.0), "fail rate_limited", "without asking for a lease");
}

#[test]
fn a_token_that_is_over_or_was_invalidated_is_not_given_to_the_store() {
    let mut driver = leader();
    driver.share(1.0, 4.0);
    assert_eq!(driver.flushed(1_003.0), "deliver", "it is for the client to see that it has ended");
    let mut driver = leader();
    driver.share(600.0, 4.0);
    driver.flight.skip_store_write();
    assert_eq!(driver.flushed(5.0), "release, wait");
}

#[test]
fn its_timer_is_for_what_is_due_first_and_lets_a_process_end_when_nobody_waits() {
    let mut driver = Driver::new(STORE);
    assert_eq!(driver.set_timer(0.0), Some((TIMEOUT, true)));
    assert_eq!(driver.set_timer(1.0), None, "as it is");
    driver.begin(false, 0.0);
    assert_eq!(driver.set_timer(0.0), Some((ANSWER_MS, true)));
    let mut driver = leader();
    driver.share(600.0, 5.0);
    assert_eq!(driver.set_timer(5.0), Some((DELIVERY_MS, true)));
    driver.timer(255.0);
    driver.delivered(255.0);
    assert_eq!(driver.set_timer(255.0).map(|(_, keeps)| keeps), Some(false));
    assert!(!driver.flight.is_late(Instant(TIMEOUT + 1.0)), "what is left has no deadline");
    let mut behind = Driver::with(PLAIN, FlightPlan { background: true, ..plan(TIMEOUT) });
    assert_eq!(behind.set_timer(0.0), Some((TIMEOUT, false)));
    let mut beating = Driver::new(FlightConfig { isolate: true, ..PLAIN });
    assert_eq!(beating.set_timer(0.0), Some((50.0, true)));
}

#[test]
fn where_there_are_no_timers_what_cannot_be_waited_for_is_over() {
    let mut driver = Driver::new(STORE);
    driver.begin(false, 0.0);
    let without = |driver: &mut Driver| driver.on(|flight, effects| flight.without_timer(at(0.0), effects));
    assert_eq!(without(&mut driver), "exchange");
    assert_eq!(without(&mut driver), "ignored");
}
