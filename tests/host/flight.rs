// One flight: each row of its table by example. Whole clients are in client.rs.

use digitalpaye_auth::error::{AuthError, Code};
use digitalpaye_auth::flight::{ANSWER_MS, Event, Flight, Found, LOOK_CAP_MS, LOOK_MS, Stage, Step, Ways};
use digitalpaye_auth::time::Instant;

const TIMEOUT: f64 = 30_000.0;
const PLAIN: Ways = Ways { store: false, leases: false, named: false, isolate: false, max_retries: 2 };
const STORE: Ways = Ways { store: true, leases: true, named: true, isolate: false, max_retries: 2 };

fn flight() -> Flight {
    Flight::new(1, Some(1), Instant(TIMEOUT), false, false, None, Instant(0.0))
}

fn on(flight: &mut Flight, event: Event, ways: Ways, ms: f64) -> Option<Step> {
    flight.on(event, ways, Instant(ms))
}

fn error(code: Code) -> Box<AuthError> {
    AuthError::new(code, "")
}

#[test]
fn without_a_store_it_sends_at_once() {
    let mut flight = flight();
    assert_eq!(on(&mut flight, Event::Begin, PLAIN, 1.0), Some(Step::Send));
    assert_eq!((flight.attempts, flight.asked, flight.direct), (1, Instant(1.0), true));
}

#[test]
fn the_name_of_the_entry_is_found_first_and_without_one_there_is_no_store() {
    let unnamed = Ways { named: false, ..STORE };
    let mut flight = flight();
    assert_eq!(on(&mut flight, Event::Begin, unnamed, 0.0), Some(Step::Name));
    let answer = Event::Answered(Stage::Naming, Some(true));
    assert_eq!(on(&mut flight, answer, STORE, 1.0), Some(Step::Look));
    assert_eq!(on(&mut flight, answer, STORE, 1.0), None, "it does not wait for that any more");

    let mut flight = self::flight();
    on(&mut flight, Event::Begin, unnamed, 0.0);
    assert_eq!(on(&mut flight, Event::Answered(Stage::Naming, Some(false)), unnamed, 1.0), Some(Step::Send));
}

#[test]
fn a_token_lands_nothing_leases_a_failure_exchanges() {
    for (found, ways, expected) in [
        (Found::Token, STORE, Step::Land),
        (Found::Nothing, STORE, Step::Lease(29.0)),
        (Found::Nothing, Ways { leases: false, ..STORE }, Step::Send),
        (Found::Nonsense, STORE, Step::Send),
    ] {
        let mut flight = flight();
        assert_eq!(on(&mut flight, Event::Begin, ways, 0.0), Some(Step::Look));
        assert_eq!(on(&mut flight, Event::Looked(found), ways, 500.0), Some(expected), "{found:?}");
    }
}

#[test]
fn the_one_with_the_lease_looks_once_more_and_exchanges() {
    let mut flight = flight();
    on(&mut flight, Event::Begin, STORE, 0.0);
    on(&mut flight, Event::Looked(Found::Nothing), STORE, 1.0);
    assert_eq!(on(&mut flight, Event::Answered(Stage::Leasing, Some(true)), STORE, 2.0), Some(Step::Look));
    assert!(flight.leased);
    assert_eq!(on(&mut flight, Event::Looked(Found::Nothing), STORE, 3.0), Some(Step::Send));
    assert_eq!(flight.share(Instant(600_000.0), Instant(4.0)), Step::Flush);
    assert_eq!(on(&mut flight, Event::Answered(Stage::Flushing, None), STORE, 5.0), Some(Step::Set(599.0)));
    assert_eq!(on(&mut flight, Event::Answered(Stage::Setting, None), STORE, 6.0), Some(Step::Release));
    assert!(!flight.leased, "it is given back once");
    assert_eq!(on(&mut flight, Event::Answered(Stage::Releasing, None), STORE, 7.0), Some(Step::End));
}

#[test]
fn the_others_look_again_ever_more_seldom_and_exchange_after_half_of_their_time() {
    let mut flight = flight();
    let mut now = 0.0;
    let mut wait = LOOK_MS;
    on(&mut flight, Event::Begin, STORE, now);
    let mut step = on(&mut flight, Event::Looked(Found::Nothing), STORE, now);
    while matches!(step, Some(Step::Lease(_))) {
        assert_eq!(on(&mut flight, Event::Answered(Stage::Leasing, Some(false)), STORE, now), Some(Step::Wait));
        assert_eq!(on(&mut flight, Event::Due, STORE, (now + wait).min(TIMEOUT / 2.0) - 0.001), None, "too early");
        now = (now + wait).min(TIMEOUT / 2.0);
        wait = (wait * 2.0).min(LOOK_CAP_MS);
        assert_eq!(on(&mut flight, Event::Due, STORE, now), Some(Step::Look));
        step = on(&mut flight, Event::Looked(Found::Nothing), STORE, now);
    }
    assert_eq!((step, now), (Some(Step::Send), TIMEOUT / 2.0));
    assert!(!flight.leased);
}

#[test]
fn no_answer_of_a_store_is_waited_for_longer_than_two_seconds() {
    let unnamed = Ways { named: false, ..STORE };
    let mut flight = flight();
    on(&mut flight, Event::Begin, unnamed, 0.0);
    assert_eq!(on(&mut flight, Event::Due, unnamed, ANSWER_MS - 1.0), None);
    assert_eq!(on(&mut flight, Event::Due, unnamed, ANSWER_MS), Some(Step::Send), "of the digest");

    let mut flight = self::flight();
    on(&mut flight, Event::Begin, STORE, 0.0);
    assert_eq!(on(&mut flight, Event::Due, STORE, ANSWER_MS), Some(Step::Send), "of get");
    assert_eq!(on(&mut flight, Event::Looked(Found::Token), STORE, ANSWER_MS), None, "and then it is too late");

    let mut flight = self::flight();
    on(&mut flight, Event::Begin, STORE, 0.0);
    on(&mut flight, Event::Looked(Found::Nothing), STORE, 0.0);
    assert_eq!(on(&mut flight, Event::Due, STORE, ANSWER_MS), Some(Step::Send), "of acquire");
    assert_eq!(on(&mut flight, Event::Answered(Stage::Leasing, Some(true)), STORE, ANSWER_MS), None);
    assert!(!flight.leased, "that lease is for the platform to give back");
}

#[test]
fn half_of_a_short_call_belongs_to_the_exchange() {
    let mut flight = Flight::new(1, None, Instant(1_000.0), false, false, None, Instant(0.0));
    on(&mut flight, Event::Begin, STORE, 0.0);
    assert_eq!(on(&mut flight, Event::Due, STORE, 500.0), Some(Step::Send));
}

#[test]
fn what_fails_is_tried_again_while_the_wait_fits() {
    let mut flight = flight();
    on(&mut flight, Event::Begin, PLAIN, 0.0);
    let never = |_| None;
    assert_eq!(flight.refused(error(Code::Network), 2, 0.5, Instant(10.0), never).unwrap(), Step::Wait);
    assert_eq!((flight.standing().code, flight.standing().attempts), (Code::Network, 1));
    assert_eq!(on(&mut flight, Event::Due, PLAIN, 134.9), None);
    assert_eq!(on(&mut flight, Event::Due, PLAIN, 135.0), Some(Step::Send));
    assert_eq!((flight.standing().code, flight.attempts, flight.asked), (Code::Timeout, 2, Instant(135.0)));
    assert_eq!(flight.refused(error(Code::Unauthorized), 2, 0.5, Instant(140.0), never).unwrap_err().attempts, 2);

    // 30 s do not fit; whoever can wait longer may say so.
    for (longer, expected) in [(None, false), (Some(Instant(40_000.0)), true)] {
        let mut flight = self::flight();
        on(&mut flight, Event::Begin, PLAIN, 0.0);
        let mut late = error(Code::RateLimited);
        late.retry_after = Some(30.0);
        assert_eq!(flight.refused(late, 2, 0.5, Instant(1.0), |_| longer).is_ok(), expected);
    }
}

#[test]
fn what_a_lost_flight_was_waiting_for_is_waited_for() {
    let mut flight = Flight::new(2, None, Instant(TIMEOUT), true, false, Some(Instant(900.0)), Instant(0.0));
    assert_eq!(on(&mut flight, Event::Begin, PLAIN, 0.0), Some(Step::Wait));
    assert_eq!(on(&mut flight, Event::Due, PLAIN, 900.0), Some(Step::Send));
}

#[test]
fn a_token_that_is_over_or_was_invalidated_is_not_given_to_the_store() {
    let mut flight = flight();
    on(&mut flight, Event::Begin, STORE, 0.0);
    flight.share(Instant(1_000.0), Instant(1.0));
    assert_eq!(on(&mut flight, Event::Answered(Stage::Flushing, None), STORE, 1_000.0), Some(Step::End));

    let mut flight = self::flight();
    on(&mut flight, Event::Begin, STORE, 0.0);
    flight.share(Instant(600_000.0), Instant(1.0));
    flight.keep_to_itself();
    assert_eq!(on(&mut flight, Event::Answered(Stage::Flushing, None), STORE, 2.0), Some(Step::End));
}

#[test]
fn its_timer_is_for_what_is_due_first_and_lets_a_process_end_when_nobody_waits() {
    let mut flight = flight();
    assert_eq!(flight.rearm(PLAIN, Instant(0.0)), Some((TIMEOUT, false)));
    assert_eq!(flight.rearm(PLAIN, Instant(1.0)), None, "as it is");
    on(&mut flight, Event::Begin, STORE, 0.0);
    assert_eq!(flight.rearm(STORE, Instant(0.0)), Some((ANSWER_MS, false)));
    flight.share(Instant(600_000.0), Instant(5.0));
    assert_eq!(flight.rearm(STORE, Instant(5.0)), Some((ANSWER_MS, true)));
    assert!(!flight.is_late(Instant(TIMEOUT + 1.0)), "what is left has no deadline");

    let mut behind = Flight::new(1, None, Instant(TIMEOUT), true, true, None, Instant(0.0));
    assert_eq!(behind.rearm(PLAIN, Instant(0.0)), Some((TIMEOUT, true)));
    let mut beating = self::flight();
    assert_eq!(beating.rearm(Ways { isolate: true, ..PLAIN }, Instant(0.0)), Some((50.0, false)));
}

#[test]
fn given_up_it_ends_with_whatever_comes_next() {
    for event in [Event::Begin, Event::Due, Event::Looked(Found::Token), Event::Answered(Stage::Leasing, Some(true))] {
        let mut flight = flight();
        flight.cancelled = true;
        assert_eq!(on(&mut flight, event, STORE, 1.0), Some(Step::End));
        assert!(!flight.leased);
    }
}

#[test]
fn where_there_are_no_timers_what_cannot_be_waited_for_is_over() {
    let mut flight = flight();
    on(&mut flight, Event::Begin, STORE, 0.0);
    assert_eq!(flight.cannot_wait(STORE, Instant(0.0)), Some(Step::Send));
    assert_eq!(flight.cannot_wait(STORE, Instant(0.0)), None);
}
