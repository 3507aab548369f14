//! The contract of the Digitalpaye authentication API, as functions without I/O.
//!
//! Two programs run it: the HTTP server of this repository's own tests, and the emulator that is part of the npm
//! package. Time and random bytes are arguments, so both decide the same thing from the same input.
//!
//! | module | what it decides |
//! |---|---|
//! | [`config`] | credentials and settings, and their bounds |
//! | [`contract`] | what is answered to a request: the page's replies to the byte, and a resource for the token |
//! | [`token`] | tokens: minted, accepted, revoked |
//! | [`cors`] | what a browser asks first, and has to be told |
//! | [`script`] | what a test wants to happen to the next requests |
//! | [`record`] | what arrived, without secrets |
//! | [`emulator`] | all of the above as one object: a request in, a decision out |

pub mod config;
pub mod contract;
pub mod cors;
pub mod emulator;
pub mod record;
pub mod script;
pub mod token;

pub use config::{Config, Credentials};
pub use emulator::Emulator;
