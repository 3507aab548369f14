// The lifecycle: each row of its table by example, but for those of errors (refresh_errors.rs). Random interleavings are in
// refresh_model.rs.

use crate::refresh_driver::{Driver, TIMEOUT, token};
use digitalpaye_auth::effect::Effect;
use digitalpaye_auth::error::{AuthError, Code};
use digitalpaye_auth::flight::FlightConfig;
use digitalpaye_auth::refresh::Turn;
use digitalpaye_auth::time::Instant;
use digitalpaye_auth::token::AccessToken;
use std::rc::Rc;
use zeroize::Zeroizing;

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
    assert!((until.monotonic.0 - 15_600.0).abs() < 0.01, "{until:?}");
    assert!((until.wall.0 - 15.6).abs() < 0.01, "{until:?}");
}

#[test]
fn the_windows_of_a_short_life_are_shares_of_it() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.land(1, "a", 60.0);
    assert_eq!(driver.at(47.9).call(), ["serve 2"]);
    assert_eq!(driver.at(48.0).call(), ["serve 3", "start 2 direct behind"]);
    for (seconds, words) in [(56.9, &["serve 2", "start 2 direct behind"][..]), (57.0, &["start 2 direct"])] {
        let mut driver = Driver::new(false);
        driver.call();
        driver.land(1, "a", 60.0);
        assert_eq!(driver.at(seconds).call(), words);
    }
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
fn of_a_short_timeout_a_tenth_is_worth_another_flight() {
    let config =
        FlightConfig { store: false, leases: false, isolate: false, events: false, max_retries: 2, timeout_ms: 100.0 };
    for (left_ms, word) in [(9.9, "cancel 1"), (10.0, "start 2 direct")] {
        let mut driver = Driver::of(config);
        driver.call_until(100.0);
        driver.call_until(100.0 + left_ms);
        driver.at(0.1);
        let words = driver.timed_out(1);
        assert_eq!(words.last().map(String::as_str), Some(word), "{left_ms} ms left: {words:?}");
    }
}

#[test]
fn a_time_out_serves_the_held_token_but_those_who_insist_get_another_flight() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(591.0).call(), ["start 2 direct"]);
    driver.call_until(700_000.0);
    driver.force_until(700_000.0);
    assert_eq!(driver.at(599.0).timed_out(2), ["serve 2", "serve 3", "cancel 2", "start 3 direct"]);
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
    let driver = Driver::new(true);
    assert!(driver.machine.accepts(token("a"), 0.1, driver.now));
    assert!(!driver.machine.accepts(token("a"), 0.0, driver.now), "it has ended");
}

#[test]
fn the_last_four_tokens_that_were_invalidated_are_refused_however_often_they_were() {
    let mut driver = Driver::new(true);
    for name in ["z", "a", "b", "c", "d", "d", "d"] {
        driver.invalidate(Some(token(name)));
    }
    let accepts = |name| driver.machine.accepts(token(name), 1e9, driver.now);
    assert_eq!(["a", "b", "c", "d", "z"].map(accepts), [false, false, false, false, true]);
}

#[test]
fn a_flight_whose_request_ended_without_a_word_is_dropped_10_s_past_its_deadline() {
    for (idle_s, kept) in [(39.999, true), (40.0, false)] {
        let mut driver = Driver::with(false, true, false);
        driver.call();
        // Another flight takes over; this one never hears of it.
        driver.lost(1);
        driver.at(idle_s);
        driver.invalidate(None);
        driver.call();
        assert_eq!(driver.flights.get(1).is_some(), kept, "{idle_s} s");
    }
}

#[test]
fn callers_see_the_last_error_of_the_newest_flight() {
    let mut driver = Driver::with(false, true, false);
    driver.call();
    driver.lost(1);
    driver.flights.get(1).unwrap().set_last_error(AuthError::new(Code::Network, ""));
    driver.flights.get(2).unwrap().set_last_error(AuthError::new(Code::RateLimited, ""));
    assert_eq!(driver.flights.last_error().code, Code::RateLimited);
    driver.flights.end(1, &mut Vec::new());
    assert_eq!(driver.flights.last_error().code, Code::RateLimited, "not of one that it replaced");
    driver.flights.end(2, &mut Vec::new());
    assert_eq!(driver.flights.last_error().code, Code::RateLimited, "also when that is over");
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
fn each_answer_says_whether_it_is_for_the_request_that_is_running() {
    let here = |fails: bool| {
        let mut driver = Driver::new(false);
        driver.call();
        driver.call();
        let token = Rc::new(AccessToken::new(Some(Zeroizing::new("a".into())), Some(1.0), |_| 600.0).unwrap());
        let mut effects = Vec::new();
        let (now, flights) = (driver.now, &mut driver.flights);
        let mut turn = Turn { now, here: Some(2), flights, effects: &mut effects };
        if fails {
            driver.machine.failed(1, &AuthError::new(Code::Network, "").into(), &mut turn);
        } else {
            driver.machine.landed(1, &token, now, 0.0, &mut turn);
        }
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Resolve(caller) | Effect::Reject(caller, _) => Some((caller.id, caller.same_request)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    for fails in [false, true] {
        assert_eq!(here(fails), [(1, false), (2, true)], "fails: {fails}");
    }
}
