//! No order of events breaks a rule of the lifecycle: the model of the tests on the host, with events out of bytes.
#![no_main]
#![allow(dead_code, unused_imports)]

#[path = "../../../host/refresh.rs"]
mod refresh;
#[path = "../../../host/refresh_driver.rs"]
mod refresh_driver;

include!("../../../host/refresh_model.rs");

use libfuzzer_sys::fuzz_target;

/// How many cases the property tests of the host make: none of them runs here.
fn cases(_: u32) -> u32 {
    0
}

fn event(kind: u8, value: u16) -> Happens {
    let share = f64::from(value) / 65_536.0;
    match kind % 20 {
        0..=2 => Happens::Call { force: false },
        3 => Happens::Call { force: true },
        4 => Happens::Abort(usize::from(value % 8)),
        5 => Happens::Land { life_s: 0.5 + share * 2.0 },
        6 => Happens::Land { life_s: 10.0 + share * 86_390.0 },
        7 => Happens::Fail,
        8 => Happens::LateReply,
        9 | 10 => Happens::Pass { seconds: share * 5.0 },
        11 => Happens::Pass { seconds: share * 700.0 },
        12 => Happens::Invalidate,
        13 => Happens::InvalidateHeld,
        14 => Happens::InvalidateOld,
        15 if value.is_multiple_of(2) => Happens::Lost,
        15 => Happens::Missed,
        16 => Happens::Outwait { seconds: share * 60.0 },
        17 => Happens::Wall { seconds: (share - 0.25) * 10_000.0 },
        18 => Happens::RetryAfter { seconds: 1.0 + share * 59.0 },
        _ => Happens::Interrupted,
    }
}

fuzz_target!(|data: (bool, Vec<(u8, u16)>)| {
    let (has_store, events) = data;
    let mut model = Model::new(has_store);
    for (kind, value) in events.into_iter().take(400) {
        model.apply(&event(kind, value));
    }
    model.pass(2.0 * TIMEOUT);
    model.pass(2.0 * TIMEOUT);
    assert!(model.waiting.is_empty());
    assert_eq!(model.answered, model.driver.callers as usize);
});
