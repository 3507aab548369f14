// Whole clients, rule by rule.

use crate::world::{Api, Does, Kind, PLAIN, STORE, TIMEOUT, World};
use digitalpaye_auth::error::Code;
use digitalpaye_auth::event::{Event, Operation, Problem, Source};
use digitalpaye_auth::flight::Answer;

fn count(world: &World, name: &str) -> usize {
    world.log.iter().filter(|logged| logged.split('(').next() == Some(name)).count()
}

/// A client whose store is quick to all but the write, which never ends.
fn with_slow_write() -> World {
    let mut world = World::new(STORE);
    world.write = Some(Does::Never);
    world.api_ms = 10.0;
    world
}

#[test]
fn a_failed_flight_ends_with_its_failure() {
    let mut world = World::new(PLAIN);
    world.api = Api::Network;
    world.ask(false);
    world.pass(25.0);
    assert_eq!(
        (world.rejected.as_slice(), world.ended.len()),
        (&[(1, Code::Network)][..], 1),
        "not when its time is up"
    );
}

#[test]
fn callers_get_the_token_once_the_store_has_it_or_250_ms_later() {
    let mut world = World::new(STORE);
    world.write = Some(Does::Well { after: 100.0 });
    world.ask(false);
    // Name, read, lease, read: 1 ms each; then 20 ms of exchange.
    world.pass(120.0);
    assert!(world.resolved.is_empty(), "the store does not have it yet");
    world.pass(10.0);
    assert_eq!((world.resolved.len(), world.ended.len()), (1, 1));

    let mut world = with_slow_write();
    world.ask(false);
    world.pass(260.0);
    assert!(world.resolved.is_empty());
    world.pass(10.0);
    assert_eq!((world.resolved.len(), world.ended.len()), (1, 0), "250 ms after it came, and the write goes on");
    world.pass(2_100.0);
    assert_eq!(world.ended.len(), 1, "for 2 s at most");
    assert!(!world.flights[&1].leased, "the lease is given back after that");
}

#[test]
fn of_a_short_life_the_store_gets_a_twentieth() {
    let mut world = with_slow_write();
    world.api = Api::Token { life_s: 2.0 };
    world.ask(false);
    world.pass(110.0);
    assert!(world.resolved.is_empty());
    world.pass(10.0);
    assert_eq!(world.resolved.len(), 1, "100 ms after it came");
}

#[test]
fn a_caller_whose_time_runs_out_meanwhile_gets_the_token() {
    let mut world = with_slow_write();
    world.api_ms = TIMEOUT - 100.0;
    world.ask(false);
    world.pass(TIMEOUT + 1.0);
    assert_eq!((world.resolved.len(), world.rejected.len()), (1, 0), "no time-out");
}

#[test]
fn the_token_is_kept_though_all_callers_leave_while_the_store_is_written() {
    let mut world = with_slow_write();
    world.ask(false);
    world.pass(100.0);
    world.abort(1);
    world.pass(500.0);
    world.ask(false);
    assert_eq!((world.resolved.as_slice(), world.flights.len()), (&[2][..], 1));
}

#[test]
fn a_token_that_is_invalidated_while_the_store_is_written_is_not_delivered() {
    let mut world = with_slow_write();
    world.ask(false);
    world.pass(100.0);
    world.invalidate();
    world.pass(600.0);
    assert_eq!((world.resolved.len(), world.flights.len()), (1, 2));
    assert!(world.held.as_ref().unwrap().0.starts_with("x2-"), "that of a new exchange");
}

#[test]
fn a_client_that_is_closed_while_the_store_is_written_rejects() {
    let mut world = with_slow_write();
    world.ask(false);
    world.pass(100.0);
    world.close();
    assert_eq!(world.rejected, [(1, Code::InvalidOptions)]);
    world.pass(TIMEOUT);
    assert_eq!(world.ended.len(), 1);
    assert!(!world.flights[&1].leased && world.client.is_closed());
}

#[test]
fn a_closed_client_fails_all_who_wait_and_ends_its_flight() {
    let mut world = World::new(PLAIN);
    world.api = Api::Hangs;
    world.ask(false);
    world.ask(false);
    world.pass(1.0);
    world.close();
    assert_eq!((world.rejected.len(), world.ended.len(), world.last_error().code), (2, 1, Code::InvalidOptions));
}

#[test]
fn what_was_invalidated_while_the_store_is_busy_is_not_given_to_it() {
    let mut world = World::new(STORE);
    world.deleting = f64::INFINITY;
    world.ask(true);
    world.pass(300.0);
    assert_eq!(world.resolved.len(), 1);
    world.invalidate();
    world.deleting = f64::INFINITY;
    world.pass(5_000.0);
    assert_eq!(
        (count(&world, "WriteStore"), world.ended.len()),
        (0, 1),
        "the deletion took its 2 s; nothing is written"
    );
}

#[test]
fn a_lease_is_renewed_while_the_exchange_goes_on_and_a_refused_renewal_does_not_stop_it() {
    let mut world = World::new(STORE);
    world.api_ms = 2_500.0;
    world.ask(false);
    world.pass(2_400.0);
    assert_eq!(count(&world, "AcquireLease"), 3, "one, and one each third of its 3 s");
    world.pass(400.0);
    assert_eq!((world.resolved.len(), count(&world, "ReleaseLease"), world.ended.len()), (1, 1, 1));

    let mut world = World::new(STORE);
    world.api_ms = 2_500.0;
    world.ask(false);
    world.pass(10.0);
    world.granted = false;
    world.pass(2_700.0);
    assert_eq!((world.resolved.len(), count(&world, "ReleaseLease")), (1, 0), "it is another's: not given back");
}

#[test]
fn a_lease_that_comes_late_is_given_back() {
    let mut world = World::new(STORE);
    world.ask(false);
    world.pass(1.5);
    // The name is known and the read under way: the lease will be asked for next.
    world.store = Does::Well { after: 2_500.0 };
    world.pass(8_000.0);
    assert_eq!((count(&world, "ReleaseLease"), world.resolved.len()), (1, 1));
}

#[test]
fn a_renewal_that_is_answered_late_leaves_a_later_flight_its_lease() {
    let mut world = World::new(STORE);
    world.ask(false);
    world.pass(100.0);
    let late = |world: &mut World| {
        let now = world.clock();
        world.client.lease_answered(1, &Answer::Value(true), now).len()
    };
    assert_eq!((world.ended.len(), late(&mut world)), (1, 1), "given back: nobody exchanges under it");
    world.pass(600_000.0);
    world.api_ms = 1_000.0;
    world.ask(false);
    world.pass(100.0);
    assert!(world.flights[&2].leased);
    assert_eq!(late(&mut world), 0);
}

#[test]
fn who_gives_up_gives_the_lease_back_at_once() {
    for isolate in [false, true] {
        let mut world = World::new(Kind { isolate, ..STORE });
        world.api = Api::Hangs;
        world.ask(false);
        world.pass(10.0);
        assert!(world.flights[&1].leased && world.flights[&1].open);
        world.abort(1);
        assert!(!world.flights[&1].leased);
    }
}

#[test]
fn who_waits_for_another_exchanges_after_half_of_its_time_or_takes_what_the_store_has() {
    let mut world = World::new(STORE);
    world.granted = false;
    world.ask(false);
    world.pass(TIMEOUT / 2.0 - 5.0);
    assert_eq!(world.flights[&1].sent, 0);
    world.pass(10.0);
    assert_eq!(world.flights[&1].sent, 1);

    let mut world = World::new(STORE);
    world.granted = false;
    world.ask(false);
    world.pass(100.0);
    world.stored_s = Some(500.0);
    world.pass(410.0);
    assert_eq!((world.resolved.len(), world.flights[&1].sent), (1, 0));
    let [Event::Token { source: Source::Store, attempts: 0, ttl_s, background: false, .. }] = world.events[..] else {
        panic!("{:?}", world.events)
    };
    assert!(ttl_s > 499.0 && ttl_s <= 500.0);
}

#[test]
fn a_token_that_ended_on_the_way_is_replaced_without_a_wait() {
    for asleep in [3_600.0, 2_592_000.0] {
        let mut world = World::new(Kind { max_retries: 1, ..PLAIN });
        world.ask(false);
        world.pass(10.0);
        world.wall += asleep;
        world.pass(15.0);
        assert_eq!((world.flights[&1].sent, world.resolved.len()), (2, 0));
        let [Event::Retry { error, attempt: 1, delay_ms: 0.0 }] = &world.events[..] else {
            panic!("{:?}", world.events)
        };
        assert_eq!((error.code, error.attempts), (Code::InvalidResponse, 1));
        world.pass(20.0);
        assert_eq!(world.resolved.len(), 1);

        let mut world = World::new(PLAIN);
        world.ask(false);
        world.pass(10.0);
        world.wall += asleep;
        world.pass(15.0);
        assert_eq!(world.rejected, [(1, Code::InvalidResponse)], "no attempts left");
    }
}

#[test]
fn a_token_that_ends_in_a_sleep_during_its_delivery_is_not_given_out() {
    let mut world = with_slow_write();
    world.kind.max_retries = 0;
    world.ask(false);
    world.pass(100.0);
    world.wall += 3_600.0;
    world.pass(300.0);
    assert_eq!(world.rejected, [(1, Code::InvalidResponse)]);
    world.pass(TIMEOUT);
    assert_eq!(world.ended.len(), 1);
}

#[test]
fn what_a_framework_throws_reaches_its_caller_and_the_others_are_served() {
    for isolate in [false, true] {
        let mut world = World::new(Kind { isolate, ..PLAIN });
        world.api = Api::Interrupts;
        world.ask(false);
        world.ask(false);
        world.pass(15.0);
        assert!(world.rethrown.is_empty());
        world.pass(5.5);
        world.api = Api::Token { life_s: 600.0 };
        world.pass(100.0);
        assert_eq!(world.rethrown[0], 1, "isolate: {isolate}");
        assert!(world.callers.is_empty() && world.rejected.is_empty());
        assert!(!world.events.iter().any(|event| matches!(event, Event::Failure { .. })), "it is nobody's failure");
    }
}

fn asking(max_retries: u32) -> World {
    World::new(Kind { asks_secret: true, max_retries, ..PLAIN })
}

#[test]
fn after_a_401_the_secret_is_asked_for_once_more() {
    // The same one: the 401 stands.
    let mut world = asking(0);
    world.api = Api::Status(401.0, None);
    world.ask(false);
    world.pass(100.0);
    assert_eq!((world.rejected.as_slice(), world.last_error().attempts), (&[(1, Code::Unauthorized)][..], 1));
    assert_eq!((world.flights[&1].secrets, world.flights[&1].sent), (2, 1));
    // It rejects then: the 401 stands.
    let mut world = asking(0);
    world.api = Api::Status(401.0, None);
    world.ask(false);
    world.pass(15.0);
    world.secret = Does::Badly { after: 1.0 };
    world.pass(100.0);
    assert_eq!(world.rejected, [(1, Code::Unauthorized)]);
    // Another one: tried again, once, also without retries.
    let mut world = asking(0);
    world.api = Api::Status(401.0, None);
    world.ask(false);
    world.pass(15.0);
    world.secret_text = "another".into();
    world.pass(100.0);
    assert_eq!((world.flights[&1].secrets, world.flights[&1].sent), (2, 2));
    assert_eq!((world.rejected.as_slice(), world.last_error().attempts), (&[(1, Code::Unauthorized)][..], 2));
    assert!(world.ended.len() == 1 && world.events.len() == 2, "a retry and a failure: {:?}", world.events);
}

#[test]
fn a_secret_function_that_rejects_is_retried_and_sends_nothing() {
    let mut world = asking(2);
    world.secret = Does::Badly { after: 1.0 };
    world.ask(false);
    world.pass(TIMEOUT);
    assert_eq!((world.rejected.as_slice(), world.last_error().attempts), (&[(1, Code::Credentials)][..], 0));
    assert_eq!((world.flights[&1].secrets, world.flights[&1].sent), (3, 0));
    let mut world = asking(0);
    world.secret_text = "line\n".into();
    world.ask(false);
    world.pass(TIMEOUT);
    assert_eq!(world.rejected, [(1, Code::Credentials)]);
    assert!(!format!("{:?}", world.last_error()).contains("line\\n"));
    assert!(world.last_error().option.is_none(), "no option is at fault");
}

#[test]
fn each_failure_of_a_store_is_an_event_and_costs_a_direct_exchange() {
    for (does, problem) in [(Does::Badly { after: 1.0 }, "Rejected"), (Does::Never, "Timeout")] {
        let mut world = World::new(STORE);
        world.ask(false);
        world.pass(1.5);
        world.store = does;
        // The read that is under way answers still; all else of the store fails.
        world.pass(4_000.0);
        assert_eq!((world.resolved.len(), world.rejected.len()), (1, 0), "{problem}");
        let told: Vec<_> = world
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Store { operation, problem: Problem::Rejected(_) } => Some((*operation, "Rejected")),
                Event::Store { operation, problem: Problem::Timeout } => Some((*operation, "Timeout")),
                _ => None,
            })
            .collect();
        assert_eq!(told, [(Operation::Acquire, problem), (Operation::Set, problem)]);
    }
}

#[test]
fn an_aborted_call_is_no_failure() {
    let mut world = World::new(PLAIN);
    world.api = Api::Hangs;
    world.ask(false);
    world.pass(5.0);
    world.abort(1);
    world.pass(TIMEOUT);
    assert!(world.events.is_empty(), "{:?}", world.events);
}

#[test]
fn a_flight_whose_request_ended_is_taken_over() {
    let mut world = World::new(Kind { isolate: true, max_retries: 2, ..PLAIN });
    world.api = Api::Network;
    world.ask(false);
    world.pass(25.0);
    world.ask(false);
    world.request_ends(1, 1);
    world.api = Api::Token { life_s: 600.0 };
    world.pass(700.0);
    assert!(world.callers.is_empty(), "the second is served by a flight of its own");
    assert_eq!((world.resolved.as_slice(), world.flights[&2].sent), (&[2][..], 1));
}
