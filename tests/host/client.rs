// A whole client: random callers, stores, replies and clocks, against what must be so whatever happens.

use crate::world::{Api, Does, Kind, PLAIN, TIMEOUT, World};
use digitalpaye_auth::token::Fingerprint;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Happens {
    Ask {
        force: bool,
    },
    Abort(usize),
    Invalidate,
    Unauthorized {
        held: bool,
        replayable: bool,
        again: bool,
    },
    Pass(f64),
    /// The machine sleeps, or somebody sets its clock.
    Wall(f64),
    /// From here on.
    Store(Does),
    Stored(Option<f64>),
    Secret(Does, bool),
    Api(Api, f64),
    Lease(bool),
}

fn happens(world: &mut World, what: &Happens) {
    match *what {
        Happens::Ask { force } => drop(world.ask(force)),
        Happens::Abort(index) => {
            if let Some(id) = world.callers.keys().nth(index).copied() {
                world.abort(id);
            }
        }
        Happens::Invalidate => world.invalidate(),
        Happens::Unauthorized { held, replayable, again } => {
            let text = world.held.as_ref().filter(|_| held).map_or("other", |(text, ..)| text);
            let token = Fingerprint::of(text);
            let (retried, effects) = world.client.unauthorized(token, replayable, world.clock());
            assert!(replayable || !retried, "what cannot be sent again is not");
            world.obey(effects);
            if again {
                let effects = world.client.unauthorized_again(token, world.clock());
                world.obey(effects);
            }
        }
        Happens::Pass(ms) => world.pass(ms),
        Happens::Wall(seconds) => world.wall += seconds,
        Happens::Store(does) => world.store = does,
        Happens::Stored(ttl_s) => world.stored_s = ttl_s,
        Happens::Secret(does, changed) => {
            world.secret = does;
            if changed {
                world.secret_text.push('s');
            }
        }
        Happens::Api(api, ms) => (world.api, world.api_ms) = (api, ms),
        Happens::Lease(granted) => world.granted = granted,
    }
}

fn after() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..5.0_f64, 5.0..200.0_f64, 1_000.0..4_000.0_f64]
}

fn does() -> impl Strategy<Value = Does> {
    prop_oneof![
        4 => after().prop_map(|after| Does::Well { after }),
        3 => after().prop_map(|after| Does::Badly { after }),
        1 => Just(Does::Never),
    ]
}

fn api() -> impl Strategy<Value = Api> {
    let life = prop_oneof![1.0..4.0_f64, 10.0..900.0_f64];
    prop_oneof![
        5 => life.prop_map(|life_s| Api::Token { life_s }),
        1 => Just(Api::Network),
        1 => Just(Api::Status(503.0, None)),
        1 => Just(Api::Status(401.0, None)),
        2 => (1_u32..20).prop_map(|seconds| Api::Status(429.0, Some(f64::from(seconds)))),
        1 => Just(Api::Interrupts),
        1 => Just(Api::Hangs),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happens>> {
    let wall = prop_oneof![Just(60.0), Just(3_600.0), Just(2_592_000.0), Just(-3_600.0), -5.0..5.0_f64];
    proptest::collection::vec(
        prop_oneof![
            6 => prop_oneof![3 => Just(false), 1 => Just(true)].prop_map(|force| Happens::Ask { force }),
            2 => (0_usize..6).prop_map(Happens::Abort),
            1 => Just(Happens::Invalidate),
            1 => any::<(bool, bool, bool)>()
                .prop_map(|(held, replayable, again)| Happens::Unauthorized { held, replayable, again }),
            6 => prop_oneof![0.0..60.0_f64, 60.0..5_000.0_f64, 10_000.0..700_000.0_f64].prop_map(Happens::Pass),
            1 => wall.prop_map(Happens::Wall),
            2 => does().prop_map(Happens::Store),
            1 => prop::option::of(1.0..900.0_f64).prop_map(Happens::Stored),
            1 => (does(), any::<bool>()).prop_map(|(does, changed)| Happens::Secret(does, changed)),
            3 => (api(), after()).prop_map(|(api, ms)| Happens::Api(api, ms)),
            1 => any::<bool>().prop_map(Happens::Lease),
        ],
        1..60,
    )
}

fn kind() -> impl Strategy<Value = Kind> {
    (any::<[bool; 4]>(), 0_u32..4).prop_map(|([store, isolate, events, asks_secret], max_retries)| Kind {
        store,
        isolate,
        events,
        asks_secret,
        max_retries,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(3_000)))]
    #[test]
    fn every_caller_is_answered_once_in_time_and_no_flight_stays(
        kind in kind(),
        happenings in happenings(),
    ) {
        let mut world = World::new(kind);
        for what in &happenings {
            happens(&mut world, what);
        }
        world.pass(20.0 * TIMEOUT);
        prop_assert!(world.callers.is_empty());
        prop_assert_eq!(world.answered(), world.asked);
        prop_assert_eq!(world.ended.len(), world.flights.len(), "each flight ends");
        prop_assert!(world.flights.values().all(|seen| !seen.leased), "each lease is given back or lost");
    }
}

#[test]
fn a_flight_that_is_given_up_before_its_turn_sends_nothing() {
    for isolate in [false, true] {
        let mut world = World::new(Kind { isolate, ..PLAIN });
        let caller = world.ask(false);
        world.abort(caller);
        world.pass(TIMEOUT);
        assert_eq!((world.flights[&1].sent, world.ended.len()), (0, 1), "isolate: {isolate}");
    }
}
