//! Two clocks, kept apart by type so that they cannot be mixed up.

/// A point on the monotonic clock, in milliseconds since an origin of the runtime's choosing (`performance.now()`).
///
/// Deadlines go by this clock alone: setting the wall clock does not move it.
///
/// ```
/// use digitalpaye_auth::time::Instant;
///
/// let deadline = Instant(1_000.0).plus(30_000.0);
/// assert_eq!(deadline.since(Instant(6_000.0)), 25_000.0);
/// ```
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

    /// The earlier of two points.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
}

/// Seconds since 1970-01-01T00:00:00Z (RFC 7519 §2); may have a fraction.
///
/// ```
/// use digitalpaye_auth::time::NumericDate;
///
/// let (exp, iat) = (NumericDate(1_764_547_800.0), NumericDate(1_764_547_200.0));
/// assert_eq!(exp.since(iat), 600.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct NumericDate(pub f64);

impl NumericDate {
    /// Seconds from `earlier` to this date.
    #[must_use]
    pub fn since(self, earlier: Self) -> f64 {
        self.0 - earlier.0
    }
}

/// Both clocks of this machine, read at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Now {
    /// Stands still while the machine sleeps.
    pub monotonic: Instant,
    /// Can be set, forward and back.
    pub wall: NumericDate,
}

impl Now {
    /// How much of a life is used up since `earlier`, in milliseconds: the greater of what both clocks say.
    ///
    /// The monotonic clock misses a sleep, the wall clock may have been set back. A token must outlive its end by neither.
    ///
    /// ```
    /// use digitalpaye_auth::time::{Instant, Now, NumericDate};
    ///
    /// let before = Now { monotonic: Instant(0.0), wall: NumericDate(1_000.0) };
    /// let after_an_hour_of_sleep = Now { monotonic: Instant(5.0), wall: NumericDate(4_600.0) };
    /// assert_eq!(after_an_hour_of_sleep.elapsed_since(before), 3_600_000.0);
    /// ```
    #[must_use]
    pub fn elapsed_since(self, earlier: Self) -> f64 {
        // `max` passes over a NaN, should a faked clock give one.
        self.monotonic.since(earlier.monotonic).max(self.wall.since(earlier.wall) * 1_000.0)
    }

    /// The moment `milliseconds` later, on both clocks.
    #[must_use]
    pub fn plus(self, milliseconds: f64) -> Self {
        Self { monotonic: self.monotonic.plus(milliseconds), wall: NumericDate(self.wall.0 + milliseconds / 1_000.0) }
    }
}
