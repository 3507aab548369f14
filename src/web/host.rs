//! What the package's JavaScript does for this module: methods of `host` in pkg/host.js, which is the host of the client
//! that was entered last. Flights and callers go by their numbers.

use crate::error::AuthError;
use crate::platform::Platform;
use crate::refresh::{FlightId, WaiterId};
use crate::time::NumericDate;
use crate::token::Claims;
use alloc::string::String;
use wasm_bindgen::prelude::*;

// None of these throws.
#[wasm_bindgen(raw_module = "../host.js")]
extern "C" {
    /// What the options came to: `baseUrl` as a folder, where tokens are asked from, `X-Environment`, and the time for a
    /// call in milliseconds.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn configured(base: &str, url: &str, environment: &str, timeout_ms: f64);

    /// The error that [`fail`] is about, or the one who makes the client: its class by the place of its code in
    /// [`Code::ALL`](crate::error::Code::ALL); NaN and "" stand for none; `flight` is the one whose reply has the evidence, or 0.
    #[wasm_bindgen(js_namespace = host)]
    fn error(code: u32, message: &str, attempts: u32, status: f64, retry_after: f64, option: &str, flight: FlightId);

    /// A number of the platform's, as numbered below. One function for all: each of its own would cost its declaration, and
    /// one without arguments the glue would look up when it is loaded, when there is no host.
    #[wasm_bindgen(js_namespace = host)]
    fn number(which: u32) -> f64;
    /// Reads the payload of a JWT, for [`IAT`] and [`EXP`].
    #[wasm_bindgen(js_namespace = host)]
    fn parse(utf8: &[u8]);
    /// The `reason` of the reply at hand.
    #[wasm_bindgen(js_namespace = host)]
    fn reason() -> String;

    /// A flight is to begin, in a turn of its own. Until [`end`], the platform is to let it go on when the request that
    /// began it ends; `behind` the callers' backs, the option `waitUntil` gets its promise too.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn start(flight: FlightId, behind: bool);
    /// Reports that a flight is due after so many milliseconds, in place of the timer before. False if there are no timers.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn arm(flight: FlightId, ms: f64, lets_exit: bool) -> bool;
    /// Sends the request; `Client.replied` gets what comes of it. No body is read past `deadline`.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn send(flight: FlightId, authorization: &str, deadline: f64);
    /// Aborts that request.
    #[wasm_bindgen(js_namespace = host, js_name = hangUp)]
    pub(super) fn hang_up(flight: FlightId);
    /// A flight's work is over.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn end(flight: FlightId);

    /// Holds the token that this flight brought, and hands it out until then (monotonic) without asking here. In the past:
    /// hands nothing out without asking.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn hold(flight: FlightId, until: f64);
    /// Resolves a caller's promise with the token held. `here`: this is the request that the caller belongs to.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn serve(caller: WaiterId, here: bool);
    /// Rejects it with an error of its own, as [`error`] said last.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn fail(caller: WaiterId, here: bool);

    /// Names the store's entry by the SHA-256 of this.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn name(flight: FlightId, identity: &[u8]);
    /// Asks the store for its token; `Client.looked` gets the answer.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn look(flight: FlightId);
    /// Asks the store for a lease. One that comes when nobody waits for it is given back.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn lease(flight: FlightId, ttl_s: f64);
    /// Reports when the deletion that is under way is over. False if there is none.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn flush(flight: FlightId) -> bool;
    /// Gives the store the token that this flight brought.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn set(flight: FlightId, ttl_s: f64);
    /// Gives the lease back.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn release(flight: FlightId);
    /// Deletes the store's entry; if `held`, unless it is another token than the one last held.
    #[wasm_bindgen(js_namespace = host)]
    pub(super) fn delete(held: bool);
}

/// The wall clock, in seconds.
const LOCAL: u32 = 0;
/// From 0 up to 1.
const RANDOM: u32 = 1;
/// The claims read last; NaN if there is none.
const IAT: u32 = 2;
const EXP: u32 = 3;

/// The engine that this runs in.
pub(super) struct Engine;

impl Platform for Engine {
    fn local(&self) -> NumericDate {
        NumericDate(number(LOCAL))
    }

    fn random(&self) -> f64 {
        number(RANDOM)
    }

    fn claims(&self, payload: &[u8]) -> Claims {
        parse(payload);
        Claims::new(number(IAT), number(EXP))
    }

    fn reason(&self) -> String {
        reason()
    }
}

/// What callers fail with from here on.
pub(super) fn fault(failure: &AuthError) {
    error(
        failure.code as u32,
        failure.message,
        failure.attempts,
        failure.status.unwrap_or(f64::NAN),
        failure.retry_after.unwrap_or(f64::NAN),
        failure.option.unwrap_or_default(),
        if failure.evidence { failure.flight } else { 0 },
    );
}
