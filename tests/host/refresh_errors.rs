// The lifecycle when a server refuses, a framework throws, or a token gets a 401.

use crate::refresh_driver::{Driver, token};
use digitalpaye_auth::effect::Effect;
use digitalpaye_auth::error::{AuthError, Code};

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
fn only_a_wait_that_a_retry_would_obey_holds_later_calls_back() {
    let mut driver = Driver::new(false);
    driver.call();
    let mut error = AuthError::new(Code::BadRequest, "");
    error.retry_after = Some(60.0);
    driver.machine.refused(&error, driver.now);
    driver.fail(1);
    assert_eq!(driver.call(), ["start 2 direct"], "a 400 stays one");

    let mut driver = Driver::new(false);
    driver.call();
    driver.refused(60.0);
    driver.refused(0.0);
    driver.fail(1);
    assert_eq!(driver.call(), ["fail 2"], "no wait at all does not end another's");
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
    // One whose wait does not fit, by a hair, begins none.
    let mut other = Driver::new(true);
    other.call();
    other.refused(30.0);
    assert_eq!(other.invalidate(None), ["drop", "delete", "cancel 1", "start 2 direct refused"]);
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

    let mut driver = Driver::with(false, false, true);
    driver.call();
    driver.refused(7.0);
    assert_eq!(driver.at(7.0).fail(1), ["failure false 0 None", "fail 1"], "nothing is left to wait for");
}

#[test]
fn a_caller_who_cannot_say_that_it_is_gone_is_forgotten() {
    for (seconds, gone) in [(30.9, false), (31.0, true), (35.0, true)] {
        let mut driver = Driver::new(false);
        driver.call();
        let words = driver.at(seconds).call();
        assert_eq!(words.first().is_some_and(|word| word == "timed out 1"), gone, "{seconds} s: {words:?}");
    }
}

#[test]
fn before_retry_after_is_over_a_token_is_served_as_long_as_it_is_good() {
    let mut driver = Driver::holding();
    driver.at(580.0).refused(60.0);
    assert_eq!(driver.at(595.0).call(), ["serve 2"], "in its hard window");
    assert_eq!(driver.force(), ["fail 3"]);
    assert_eq!(driver.at(601.0).call(), ["fail 4"], "past its end");
}
