//! Faults that are planted in the shell, in the time and in the randomness that the core is given: each must be found.

use crate::check::Rule;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A lease is asked for without an end.
    EndlessLease,
    /// A lease is not renewed.
    LeaseNotRenewed,
    /// A lease is not given back.
    LeaseNotReleased,
    /// A lease that comes after its flight has ended is kept.
    LateLeaseKept,
    /// The cache hands a token out until 30 seconds past its end.
    ServedLate,
    /// All that is drawn at random is the same.
    NoJitter,
    /// An invalidation does not reach the cache or the store.
    LostInvalidation,
    /// `Retry-After` is not read.
    RefusalForgotten,
    /// Callers get their token before the store does.
    DeliveredBeforeWritten,
    /// What is used up of a life goes by the monotonic clock alone.
    MonotonicAlone,
    /// What is used up of a life goes by the wall clock alone.
    WallAlone,
    /// `maxRetries` is not obeyed.
    UnboundedRetries,
    /// The timers of flights never fire.
    NoFlightTimers,
    /// The timers of callers and flights never fire.
    NoTimers,
    /// The store is given a token's whole life instead of what is left.
    WholeLifeStored,
    /// A store says that a token has its whole life left.
    WholeLifeRead,
    /// The token's end by the server's clock is not sent along with a write.
    LateWriteNotBounded,
    /// What passes of a token's life before it is sent to the store goes by the monotonic clock alone.
    WrittenAfterSleep,
    /// The shell goes on with flights that have ended.
    FlightNeverEnds,
    /// A deletion does not wait for the write that is under way.
    WriteSurvivesDeletion,
    /// A store that fails is an error.
    StoreFailureIsError,
    /// The monotonic clock that the client sees skips the cooldown after each renewal that failed.
    NoCooldown,
}

impl Fault {
    /// All, with the names that the command knows, and the rules that they break.
    pub const ALL: [(&'static str, Self, Rule); 22] = [
        ("endless-lease", Self::EndlessLease, Rule::LeaseTooLong),
        ("lease-not-renewed", Self::LeaseNotRenewed, Rule::ExchangedWithoutLease),
        ("lease-not-released", Self::LeaseNotReleased, Rule::LeaseKept),
        ("late-lease-kept", Self::LateLeaseKept, Rule::LeaseKept),
        ("served-late", Self::ServedLate, Rule::ServedLate),
        ("no-jitter", Self::NoJitter, Rule::Stampede),
        ("lost-invalidation", Self::LostInvalidation, Rule::ServedInvalidated),
        ("refusal-forgotten", Self::RefusalForgotten, Rule::AskedTooEarly),
        ("delivered-before-written", Self::DeliveredBeforeWritten, Rule::ExchangedTwice),
        ("monotonic-alone", Self::MonotonicAlone, Rule::ServedLate),
        ("wall-alone", Self::WallAlone, Rule::ServedLate),
        ("unbounded-retries", Self::UnboundedRetries, Rule::TooManyAttempts),
        ("no-flight-timers", Self::NoFlightTimers, Rule::SomethingLeft),
        ("no-timers", Self::NoTimers, Rule::AnsweredLate),
        ("whole-life-stored", Self::WholeLifeStored, Rule::ServedLate),
        ("whole-life-read", Self::WholeLifeRead, Rule::ServedLate),
        ("late-write-not-bounded", Self::LateWriteNotBounded, Rule::ServedLate),
        ("written-after-sleep", Self::WrittenAfterSleep, Rule::ServedLate),
        ("flight-never-ends", Self::FlightNeverEnds, Rule::FlightGoesOn),
        ("write-survives-deletion", Self::WriteSurvivesDeletion, Rule::InvalidatedKept),
        ("store-failure-is-error", Self::StoreFailureIsError, Rule::NeedlessError),
        ("no-cooldown", Self::NoCooldown, Rule::NoCooldown),
    ];

    /// By its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|fault| fault.0 == name).map(|fault| fault.1)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|fault| fault.1 == self).map_or("", |fault| fault.0)
    }
}
