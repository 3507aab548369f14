//! The clocks of one machine. What they show is a function of the true time, of sleeps and of steps.

use digitalpaye_auth::time::{Instant, Now, NumericDate};

/// The true time, in microseconds since the simulation began.
pub type Micros = u64;

/// When a simulation begins, as Unix time in seconds.
pub const EPOCH_S: f64 = 1_700_000_000.0;

/// Milliseconds as microseconds.
#[must_use]
pub fn micros(ms: f64) -> Micros {
    (ms.max(0.0) * 1_000.0).round() as Micros
}

/// Microseconds as milliseconds.
#[must_use]
pub fn millis(micros: Micros) -> f64 {
    micros as f64 / 1_000.0
}

/// A monotonic clock, which stands still while the machine sleeps, and a wall clock, which can be wrong and be set.
#[derive(Clone, Debug)]
pub struct Clock {
    /// What the monotonic clock shows at the beginning, in milliseconds.
    pub origin_ms: f64,
    /// How much too fast both run: 0.00005 is 50 ppm.
    pub drift: f64,
    /// How wrong the wall clock is, in seconds. A step changes it.
    pub offset_s: f64,
    /// How long the machine has slept so far, the last sleep included.
    pub slept: Micros,
    /// When it last woke, or will wake.
    pub wakes: Micros,
}

impl Clock {
    /// What both clocks show.
    #[must_use]
    pub fn now(&self, at: Micros) -> Now {
        let wall_s = millis(at) * (1.0 + self.drift) / 1_000.0;
        Now { monotonic: Instant(self.monotonic_ms(at)), wall: NumericDate(EPOCH_S + wall_s + self.offset_s) }
    }

    /// What the monotonic clock shows.
    #[must_use]
    pub fn monotonic_ms(&self, at: Micros) -> f64 {
        let awake = at.max(self.wakes) - self.slept;
        self.origin_ms + millis(awake) * (1.0 + self.drift)
    }

    /// The machine begins to sleep.
    pub fn fall_asleep(&mut self, from: Micros, until: Micros) {
        self.wakes = until;
        self.slept += until - from;
    }
}
