//! Whatever callers, stores, the API and the clocks do to a client: the model of the tests on the host, with events out of
//! bytes.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../../host/json.rs"]
mod json;
#[path = "../../../host/world/mod.rs"]
mod world;

include!("../../../host/client.rs");

use libfuzzer_sys::fuzz_target;

/// How many cases the property tests of the host make: none of them runs here.
fn cases(_: u32) -> u32 {
    0
}

fn doing(kind: u8, share: f64) -> Does {
    let after = share * share * 4_000.0;
    match kind % 8 {
        0..=3 => Does::Well { after },
        4..=6 => Does::Badly { after },
        _ => Does::Never,
    }
}

fn answering(kind: u8, share: f64) -> Api {
    match kind % 12 {
        0..=2 => Api::Token { life_s: 1.0 + share * 3.0 },
        3..=5 => Api::Token { life_s: 10.0 + share * 900.0 },
        6 => Api::Network,
        7 => Api::Status(503.0, None),
        8 => Api::Status(401.0, None),
        9 => Api::Status(429.0, Some((1.0 + share * 19.0).ceil())),
        10 => Api::Interrupts,
        _ => Api::Hangs,
    }
}

fn event(kind: u8, value: u16) -> Happens {
    let share = f64::from(value) / 65_536.0;
    let bit = |place: u16| value >> place & 1 == 1;
    match kind % 20 {
        0..=3 => Happens::Ask { force: false },
        4 => Happens::Ask { force: true },
        5 => Happens::Abort(usize::from(value % 8)),
        6 => Happens::Invalidate,
        7 => Happens::Unauthorized { held: bit(0), replayable: bit(1), again: bit(2) },
        8 | 9 => Happens::Pass(share * 60.0),
        10 => Happens::Pass(share * 5_000.0),
        11 => Happens::Pass(share * 700_000.0),
        12 => Happens::Wall((share - 0.25) * 10_000.0),
        13 | 14 => Happens::Store(doing(kind / 20, share)),
        15 => Happens::Stored(bit(0).then_some(1.0 + share * 899.0)),
        16 => Happens::Secret(doing(kind / 20, share), bit(0)),
        17 | 18 => Happens::Api(answering(kind / 20, share), f64::from(value % 64).powi(2)),
        _ => Happens::Lease(bit(0)),
    }
}

fuzz_target!(|data: ([bool; 4], u8, Vec<(u8, u16)>)| {
    let ([store, isolate, events, asks_secret], max_retries, happenings) = data;
    let mut world = World::new(Kind { store, isolate, events, asks_secret, max_retries: u32::from(max_retries % 4) });
    for (kind, value) in happenings.into_iter().take(200) {
        happens(&mut world, &event(kind, value));
    }
    world.pass(20.0 * TIMEOUT);
    assert!(world.callers.is_empty());
    assert_eq!(world.answered(), world.asked);
    assert_eq!(world.ended.len(), world.flights.len(), "each flight ends");
    assert!(world.flights.values().all(|seen| !seen.leased), "each lease is given back or lost");
});
