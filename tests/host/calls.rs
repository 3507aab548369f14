// Whole clients, one call or two: what each of their entry points says and does.

use crate::world::{Api, Does, Kind, PLAIN, STORE, TIMEOUT, World};
use digitalpaye_auth::effect::Effect;
use digitalpaye_auth::error::{AuthError, Code, Foreign};
use digitalpaye_auth::event::{Event, Operation, Problem, Source};
use digitalpaye_auth::flight::Answer;
use digitalpaye_auth::response::Headers;
use digitalpaye_auth::token::Fingerprint;

fn times(world: &World, name: &str) -> usize {
    world.log.iter().filter(|logged| logged.split('(').next() == Some(name)).count()
}

/// The text of the token held.
fn held(world: &World) -> Fingerprint {
    Fingerprint::of(&world.held.as_ref().expect("a token").0)
}

#[test]
fn a_client_is_closed_once_it_was_closed() {
    let mut world = World::new(PLAIN);
    assert!(!world.client.is_closed());
    world.close();
    assert!(world.client.is_closed());
}

#[test]
fn a_401_is_retried_with_a_new_token_and_a_second_one_is_believed() {
    let mut world = World::new(PLAIN);
    world.ask(false);
    world.pass(30.0);
    let first = held(&world);
    let (retried, effects) = world.client.unauthorized(first, true, world.clock());
    assert!(retried);
    world.obey(effects);
    assert!(world.held.is_none());
    world.ask(false);
    world.pass(30.0);
    let second = held(&world);
    let effects = world.client.unauthorized_again(second, world.clock());
    world.obey(effects);
    let (retried, effects) = world.client.unauthorized(second, true, world.clock());
    assert!(!retried, "it is not the token's fault");
    world.obey(effects);
    assert_eq!(held(&world), second);
}

#[test]
fn where_there_are_no_timers_a_silent_store_is_not_waited_for() {
    let mut world = World::new(STORE);
    world.store = Does::Never;
    world.ask(false);
    world.pass(1.0);
    assert_eq!(world.flights[&1].sent, 0);
    let effects = world.client.without_timer(1, world.clock());
    world.obey(effects);
    assert_eq!(world.flights[&1].sent, 1);
}

#[test]
fn a_stored_token_that_ends_while_it_is_read_is_none() {
    let mut world = World::new(STORE);
    world.stored_s = Some(10.0);
    world.store = Does::Well { after: 100.0 };
    world.ask(false);
    world.pass(150.0);
    world.wall += 60.0;
    world.pass(60.0);
    assert!(world.resolved.is_empty());
    assert_eq!(times(&world, "AcquireLease"), 1, "an exchange is to take its place");
}

#[test]
fn a_store_that_rejects_a_read_is_asked_for_no_lease() {
    let mut world = World::new(STORE);
    world.ask(false);
    world.pass(0.5);
    // Its entry has a name, then it fails.
    world.store = Does::Badly { after: 1.0 };
    world.pass(1.0);
    world.pass(50.0);
    assert_eq!((times(&world, "ReadStore"), times(&world, "AcquireLease"), world.flights[&1].sent), (1, 0, 1));
}

#[test]
fn a_store_whose_entry_has_no_name_gets_no_token() {
    let mut world = World::new(STORE);
    world.store = Does::Badly { after: 1.0 };
    world.ask(false);
    world.pass(22.0);
    assert_eq!((world.resolved.len(), times(&world, "AwaitDeletion")), (1, 0), "and nobody waits for it");
}

#[test]
fn a_token_that_came_from_the_store_is_not_written_back() {
    let mut world = World::new(STORE);
    world.stored_s = Some(500.0);
    world.ask(false);
    world.pass(50.0);
    assert_eq!((world.resolved.len(), times(&world, "AwaitDeletion"), times(&world, "WriteStore")), (1, 0, 0));
}

#[test]
fn the_event_of_a_token_says_where_it_came_from() {
    let mut world = World::new(PLAIN);
    world.ask(false);
    world.pass(30.0);
    assert!(
        matches!(world.events[..], [Event::Token { source: Source::Exchange, attempts: 1, .. }]),
        "{:?}",
        world.events
    );
}

#[test]
fn a_deletion_that_fails_is_an_event() {
    let mut world = World::new(STORE);
    let mut told = |answer| {
        let effects = world.client.store_deleted(answer);
        effects
            .into_iter()
            .map(|effect| match effect {
                Effect::Report(Event::Store { operation: Operation::Delete, problem }) => match problem {
                    Problem::Timeout => "timeout",
                    Problem::Invalid => "invalid",
                    Problem::Rejected(_) => "rejected",
                },
                other => panic!("{other:?}"),
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(told(None), ["timeout"]);
    assert_eq!(told(Some(Answer::Invalid)), ["invalid"]);
    assert_eq!(told(Some(Answer::Rejected(Foreign::new("broken")))), ["rejected"]);
    assert!(told(Some(Answer::Value(()))).is_empty());
}

#[test]
fn a_status_counts_though_its_body_never_comes() {
    let mut world = World::new(PLAIN);
    world.api = Api::Hangs;
    world.ask(false);
    world.pass(10.0);
    let headers = Headers { retry_after: Some(60.0), ..Headers::default() };
    world.client.head_received(1, 429.0, headers, world.clock());
    world.pass(TIMEOUT);
    assert_eq!(world.rejected, [(1, Code::RateLimited)]);
    world.ask(false);
    assert_eq!((world.rejected.len(), world.last_error().attempts), (2, 0), "and for later calls");
}

#[test]
fn a_token_that_ends_as_it_arrives_is_not_given_to_the_store() {
    for (life_s, api_ms) in [(1.0, 1_500.0), (1.0, 1_000.0)] {
        let mut world = World::new(Kind { max_retries: 1, ..STORE });
        // No number: the other clock is exact.
        world.wall = f64::NAN;
        (world.api, world.api_ms) = (Api::Token { life_s }, api_ms);
        world.ask(false);
        world.pass(4.0 + api_ms);
        assert_eq!((world.flights[&1].sent, times(&world, "AwaitDeletion")), (2, 0), "{api_ms} ms");
        assert_eq!(times(&world, "AbortRequest"), 1);
    }
}

#[test]
fn on_workerd_a_flight_that_was_given_up_ends_with_its_request() {
    let mut world = World::new(Kind { isolate: true, ..PLAIN });
    world.api = Api::Hangs;
    world.ask(false);
    world.pass(1.0);
    world.abort(1);
    assert!(world.ended.is_empty(), "not in the request of another");
    let effects = world.client.attempt_given_up(1);
    world.obey(effects);
    assert_eq!(world.ended.len(), 1);
}

#[test]
fn on_workerd_a_slow_exchange_is_not_taken_over_while_its_request_is_there() {
    let mut world = World::new(Kind { isolate: true, ..PLAIN });
    world.api_ms = 2_500.0;
    world.ask(false);
    world.ask(false);
    world.pass(TIMEOUT);
    assert_eq!((world.flights.len(), world.resolved.len()), (1, 2));
}

#[test]
fn on_workerd_each_take_over_waits_for_twice_as_long_as_the_last() {
    let mut world = World::new(Kind { isolate: true, ..PLAIN });
    world.api = Api::Hangs;
    for _ in 0..3 {
        world.ask(false);
    }
    world.pass(1.0);
    world.request_ends(1, 1);
    world.pass(200.0);
    assert_eq!(world.flights.len(), 1);
    world.pass(120.0);
    assert_eq!(world.flights.len(), 2, "after 250 ms");
    // Whose timer came first has taken over.
    world.request_ends(2, 2);
    world.pass(450.0);
    assert_eq!(world.flights.len(), 2);
    world.pass(120.0);
    assert_eq!(world.flights.len(), 3, "after 500 ms");
}

#[test]
fn a_lease_that_comes_when_its_flight_has_gone_is_given_back_beside_another_flight() {
    let mut world = World::new(STORE);
    world.store = Does::Well { after: 10.0 };
    world.ask(false);
    // Named and read, and the lease is asked for.
    world.pass(25.0);
    world.abort(1);
    world.ask(false);
    world.pass(1.0);
    assert_eq!((times(&world, "ReleaseLease"), world.flights.len()), (0, 2));
    world.pass(5.0);
    assert_eq!(times(&world, "ReleaseLease"), 1);
}

#[test]
fn a_lease_that_is_not_taken_back_in_time_ends_the_flight_all_the_same() {
    let mut world = World::new(STORE);
    world.ask(false);
    world.pass(10.0);
    world.write = Some(Does::Well { after: 1.0 });
    world.store = Does::Never;
    world.pass(5_000.0);
    assert_eq!((world.resolved.len(), world.flights[&1].sent, world.ended.len()), (1, 1, 1));
    let last = world.events.last();
    assert!(
        matches!(last, Some(Event::Store { operation: Operation::Release, problem: Problem::Timeout })),
        "{last:?}"
    );
}

#[test]
fn a_request_that_outlasts_the_deadline_is_a_time_out_whatever_failed_before_it() {
    let mut world = World::new(Kind { asks_secret: true, max_retries: 1, ..PLAIN });
    world.secret = Does::Badly { after: 1.0 };
    world.api = Api::Hangs;
    world.ask(false);
    world.pass(2.0);
    world.secret = Does::Well { after: 1.0 };
    world.pass(TIMEOUT);
    assert_eq!((world.rejected.as_slice(), world.flights[&1].sent), (&[(1, Code::Timeout)][..], 1));
}

#[test]
fn what_the_api_says_by_its_status_is_said_in_words() {
    for (status, words) in [
        (400.0, "incomplete"),
        (401.0, "refused these credentials"),
        (429.0, "fewer requests"),
        (500.0, "failed"),
        (503.0, "failed"),
        (418.0, "does not use"),
    ] {
        let error = AuthError::status(status);
        assert!(error.message.contains(words), "{status}: {}", error.message);
        assert_eq!(error.status, Some(status));
    }
}
