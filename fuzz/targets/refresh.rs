//! No order of events breaks a rule of the lifecycle: the model of the tests on the host, with events out of bytes.
#![no_main]
#![allow(dead_code, unused_imports)]

include!("../../tests/host/refresh.rs");

use libfuzzer_sys::fuzz_target;

fn event(kind: u8, value: u16) -> Event {
    let share = f64::from(value) / 65_536.0;
    match kind % 16 {
        0..=2 => Event::Call { force: false },
        3 => Event::Call { force: true },
        4 => Event::Abort(usize::from(value % 8)),
        5 => Event::Land { life_s: 0.5 + share * 2.0 },
        6 => Event::Land { life_s: 10.0 + share * 86_390.0 },
        7 => Event::Fail,
        8 => Event::LateReply,
        9 => Event::Pass { seconds: share * 5.0 },
        10 => Event::Pass { seconds: share * 700.0 },
        11 => Event::Invalidate,
        12 => Event::InvalidateHeld,
        13 => Event::InvalidateOld,
        14 if value % 2 == 0 => Event::Lost,
        14 => Event::Missed,
        _ => Event::Outwait { seconds: share * 60.0 },
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
