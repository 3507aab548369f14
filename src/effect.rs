//! What is to be done: the one list of commands that leaves the core. `web` carries them out, in order.

use crate::error::{AuthError, Foreign};
use crate::event::Event;
use crate::flight::FlightId;
use crate::refresh::CallerId;
use crate::request::TokenRequest;
use crate::time::{Instant, Now};
use crate::token::AccessToken;
use std::rc::Rc;

/// One command.
#[derive(Debug)]
pub enum Effect {
    /// Call [`Client::begin`](crate::client::Client::begin) in a turn of its own: a `fetch` that calls the client again does
    /// so on a stack of its own. Until [`Effect::EndFlight`], the platform is to let the flight's work go on.
    BeginFlight(FlightId),
    /// Call [`Client::flight_timer`](crate::client::Client::flight_timer) after so many milliseconds, in place of the timer
    /// before.
    SetTimer {
        /// The flight.
        flight: FlightId,
        /// Milliseconds.
        delay_ms: f64,
        /// Whether somebody waits for it, so that the process is to stay.
        keeps_process_alive: bool,
    },
    /// Find the name of the store's entry: the SHA-256 of these octets.
    NameEntry(FlightId, Vec<u8>),
    /// Ask the store for its token.
    ReadStore(FlightId),
    /// Ask the store to be the one who may exchange, or to stay it.
    AcquireLease(FlightId, LeaseTtl),
    /// Ask the `apiSecret` function.
    AskSecret(FlightId),
    /// Send the request. No body is read past the deadline.
    SendRequest {
        /// The flight.
        flight: FlightId,
        /// What to send.
        request: TokenRequest,
        /// Until when its reply is read.
        deadline: Instant,
    },
    /// End the open request of a flight, so that no connection stays open for a body that nobody will read.
    AbortRequest(FlightId),
    /// Wait for a deletion that is under way in the store.
    AwaitDeletion(FlightId),
    /// Give the store the token, for so many seconds.
    WriteStore(FlightId, Rc<AccessToken>, f64),
    /// Give the lease back.
    ReleaseLease(FlightId),
    /// A flight's work is over.
    EndFlight(FlightId),
    /// Hold this token, and hand it out without asking until then, by both clocks.
    CacheToken(Rc<AccessToken>, Now),
    /// Hand nothing out without asking.
    ClearCache,
    /// Delete the store's token; if `held`, only the one that was cached last.
    DeleteStored {
        /// Whether that one is meant.
        held: bool,
    },
    /// Resolve this caller's promise with the token cached last.
    Resolve(Caller),
    /// Reject this caller's promise with an error of ours.
    Reject(Caller, Rc<AuthError>),
    /// Reject this caller's promise with a value of the platform, as it is.
    Rethrow(Caller, Foreign),
    /// Tell those who listen.
    Report(Event),
}

/// A caller to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its number.
    pub id: CallerId,
    /// Whether this happens in the request that it belongs to, so that its promise may be settled right away. It matters
    /// where promises belong to requests, as on workerd.
    pub same_request: bool,
}

/// For how long a lease is asked, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeaseTtl(pub f64);

/// Commands, in this order.
pub type Effects = Vec<Effect>;
