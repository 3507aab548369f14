//! Two kinds of time, kept apart by type so that they cannot be mixed up.

/// A point on the monotonic clock, in milliseconds since an origin of the runtime's choosing (`performance.now()`).
///
/// Lifetimes and deadlines count on this clock: setting the wall clock does not move it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Instant(pub f64);

impl Instant {
    /// The point `milliseconds` later (or earlier, if negative).
    #[must_use]
    pub fn plus(self, milliseconds: f64) -> Self {
        Self(self.0 + milliseconds)
    }

    /// Milliseconds from `earlier` to this point; negative if `earlier` is in fact later.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519 §2); may have a fraction. Only compared with other times of the
/// server, or, where nothing else can be read, with the local wall clock.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct NumericDate(pub f64);

impl NumericDate {
    /// Seconds from `earlier` to this date.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}
