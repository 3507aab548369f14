//! Whatever callers, stores, the API and the clock do to a client: the model of the tests on the host, with events out of
//! bytes.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../tests/host/json.rs"]
mod json;

include!("../../tests/host/client.rs");

use libfuzzer_sys::fuzz_target;

fn doing(kind: u8, share: f64) -> Does {
    let after = share * share * 4_000.0;
    match kind % 8 {
        0..=3 => Does::Well { after },
        4..=6 => Does::Badly { after },
        _ => Does::Never,
    }
}

fn happens(kind: u8, value: u16) -> Happens {
    let share = f64::from(value) / 65_536.0;
    match kind % 16 {
        0..=2 => Happens::Ask { force: false },
        3 => Happens::Ask { force: true },
        4 => Happens::Abort(usize::from(value % 8)),
        5 => Happens::Invalidate { named: value % 2 == 0 },
        6..=8 => Happens::Pass(share * 60.0),
        9 => Happens::Pass(share * 5_000.0),
        10 => Happens::Pass(share * 700_000.0),
        11 | 12 => Happens::Store(doing(kind >> 4, share)),
        13 => Happens::Api(doing(kind >> 4, share), 1.0 + share * 3.0),
        14 => Happens::Api(doing(kind >> 4, share), 10.0 + share * 900.0),
        _ => Happens::Lease(value % 2 == 0),
    }
}

fuzz_target!(|data: (bool, bool, u8, Vec<(u8, u16)>)| {
    let (store, isolate, max_retries, events) = data;
    let mut world = World::new(store, isolate, u32::from(max_retries % 4));
    for (kind, value) in events.into_iter().take(200) {
        world.happens(&happens(kind, value));
    }
    world.pass(20.0 * TIMEOUT);
    assert!(world.callers.is_empty());
    assert_eq!(world.answered, world.asked);
    assert_eq!(world.ended.len(), world.flights.len());
});
