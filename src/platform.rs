//! What the pure files need of the platform while they decide.

use crate::time::NumericDate;
use crate::token::Claims;
use alloc::string::String;

/// `web` implements it over the engine, the host tests over values of their own.
pub trait Platform {
    /// The wall clock: the last resort.
    fn local(&self) -> NumericDate;

    /// From 0 up to 1.
    fn random(&self) -> f64;

    /// The claims of a JWT's payload, by the engine's JSON parser. As the Fetch standard's `json()` decodes it: a byte
    /// order mark is dropped, what is not UTF-8 is replaced.
    fn claims(&self, payload: &[u8]) -> Claims;

    /// The `reason` of the reply at hand, as Unicode.
    fn reason(&self) -> String;
}
