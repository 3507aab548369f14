//! What JavaScript holds of a client: its events come in here, and its orders go out to the [`host`].

use super::host::{self, Engine};
use crate::client::{self, Order, Orders, Stored};
use crate::credentials::BasicCredentials;
use crate::error::{AuthError, Code};
use crate::flight::{Event, Stage, Step};
use crate::options::{
    DEFAULT_ENVIRONMENT, DEFAULT_MAX_RETRIES, DEFAULT_TIMEOUT_MS, Endpoint, Options, UrlParts, environment,
    max_retries, timeout_ms,
};
use crate::refresh::{FlightId, WaiterId};
use crate::response::{Body, Content, Headers, Reply};
use crate::time::Instant;
use crate::token::Fingerprint;
use crate::whole::whole;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

type Result<T> = core::result::Result<T, Box<AuthError>>;

/// Secrets and state stay behind it, in this module's memory. `now` is the monotonic clock, in milliseconds; NaN stands for
/// a number that there is none of.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Client(RefCell<client::Client>);

#[wasm_bindgen]
impl Client {
    /// A client for these options, whose types are right; key and secret are UTF-8. None if a value is not, and then the
    /// host has the error. `user_info`: whether the URL has any; `leases`: whether the store gives them.
    #[allow(clippy::too_many_arguments)]
    #[must_use]
    pub fn open(
        api_key: Vec<u8>,
        api_secret: Vec<u8>,
        environment: Option<String>,
        href: &str,
        protocol: &str,
        hostname: &str,
        user_info: bool,
        timeout: Option<f64>,
        max_retries: Option<f64>,
        store: bool,
        leases: bool,
        isolate: bool,
    ) -> Option<Client> {
        let (api_key, api_secret) = (Zeroizing::new(api_key), Zeroizing::new(api_secret));
        let parts = UrlParts { href, protocol, hostname, user_info };
        match options(api_key, api_secret, environment, parts, timeout, max_retries) {
            Ok(options) => {
                let Endpoint { base, url } = &options.endpoint;
                host::configured(base, url, &options.environment, options.timeout_ms);
                Some(Self(RefCell::new(client::Client::new(options, store, leases, isolate))))
            }
            Err(error) => {
                host::fault(&error);
                None
            }
        }
    }

    /// A caller asks for a token; with `force`, for a newer one than any there is.
    pub fn ask(&self, id: WaiterId, force: bool, now: f64) {
        let orders = self.0.borrow_mut().ask(id, force, Instant(now));
        self.carry_out(orders, now);
    }

    /// A caller's signal aborted.
    pub fn aborted(&self, id: WaiterId, now: f64) {
        let orders = self.0.borrow_mut().aborted(id, Instant(now));
        self.carry_out(orders, now);
    }

    /// A caller's timer went off; `patient` if it has looked a few times already.
    #[wasm_bindgen(js_name = callerDue)]
    pub fn caller_due(&self, id: WaiterId, patient: bool, now: f64) {
        let orders = self.0.borrow_mut().caller_due(id, patient, Instant(now));
        self.carry_out(orders, now);
    }

    /// The token held (or, if one is named, that one, if it is held) is no good.
    pub fn invalidate(&self, token: Option<String>, now: f64) {
        let token = token.map(Zeroizing::new).map(|token| Fingerprint::of(&token));
        let orders = self.0.borrow_mut().invalidate(token, Instant(now));
        self.carry_out(orders, now);
    }

    /// Forgets and overwrites the secret. Whoever waits gets an error.
    pub fn close(&self, now: f64) {
        let error = AuthError::option("apiSecret", "is overwritten: this client was disposed of");
        let orders = self.0.borrow_mut().close(error, Instant(now));
        self.carry_out(orders, now);
    }

    /// Something happened to a flight: its turn has come (0), its timer went off (1), or the answer to a step is there, a yes,
    /// a no or none. Whether it waited for that.
    pub fn flight(&self, id: FlightId, event: u32, answer: Option<bool>, now: f64) -> bool {
        let event = match event {
            0 => Event::Begin,
            1 => Event::Due,
            2 => Event::Answered(Stage::Naming, answer),
            3 => Event::Answered(Stage::Leasing, answer),
            4 => Event::Answered(Stage::Flushing, answer),
            5 => Event::Answered(Stage::Setting, answer),
            _ => Event::Answered(Stage::Releasing, answer),
        };
        let (waited, orders) = self.0.borrow_mut().flight(id, event, Instant(now));
        self.carry_out(orders, now);
        waited
    }

    /// What came of [`host::look`]: `answered` unless the store failed or answered nonsense. `ttl_s` is infinite if the store
    /// does not know it.
    pub fn looked(&self, id: FlightId, now: f64, answered: bool, token: Option<String>, exp: f64, ttl_s: f64) {
        let ttl_s = (ttl_s != f64::INFINITY).then_some(ttl_s);
        let stored = answered.then_some(Stored { token, exp: Some(exp), ttl_s });
        let orders = self.0.borrow_mut().looked(id, stored, &Engine, Instant(now));
        self.carry_out(orders, now);
    }

    /// What came of [`host::send`]. `outcome` is what came of the body: JSON, no JSON, too large, broken off; or (4) there
    /// is no reply at all, or (5) the body is not read yet.
    #[allow(clippy::too_many_arguments)]
    pub fn replied(
        &self,
        id: FlightId,
        now: f64,
        outcome: u32,
        status: f64,
        date: Option<String>,
        aged: bool,
        retry_after: Option<String>,
        status_code: f64,
        token: Option<String>,
        exp: f64,
        reason: bool,
    ) {
        let headers = Headers::read(date.as_deref(), aged, retry_after.as_deref(), &Engine);
        let body = match outcome {
            0 => Body::Json(Content { status_code: Some(status_code), token, exp: Some(exp), reason }),
            1 => Body::NotJson,
            2 => Body::TooLarge,
            _ => Body::Broken,
        };
        let reply = match (outcome, whole(status)) {
            (4, _) => Err(AuthError::network()),
            (_, None) => Err(AuthError::new(Code::InvalidResponse, "fetch brought no Response")),
            (5, Some(status)) => return self.0.borrow_mut().head(id, status, headers),
            (_, Some(status)) => Ok(Reply { status, headers, body }),
        };
        let orders = self.0.borrow_mut().replied(id, reply, &Engine, Instant(now));
        self.carry_out(orders, now);
    }
}

impl Client {
    fn carry_out(&self, orders: Orders, now: f64) {
        for order in orders {
            match order {
                Order::Start { flight, behind } => host::start(flight, behind),
                Order::Step(flight, step) => self.step(flight, step, now),
                Order::Arm { flight, ms, lets_exit } => {
                    if !host::arm(flight, ms, lets_exit) {
                        let orders = self.0.borrow_mut().cannot_wait(flight, Instant(now));
                        self.carry_out(orders, now);
                    }
                }
                Order::HangUp(flight) => host::hang_up(flight),
                Order::Serve { id, here } => host::serve(id, here),
                Order::Fault(error) => host::fault(&error),
                Order::Fail { id, here } => host::fail(id, here),
                Order::Hold(flight, until) => host::hold(flight, until.0),
                Order::Drop => host::hold(0, f64::NEG_INFINITY),
                Order::Delete { held } => host::delete(held),
            }
        }
    }

    fn step(&self, flight: FlightId, step: Step, now: f64) {
        match step {
            Step::Name => {
                let identity = self.0.borrow().options().map(Options::store_identity);
                host::name(flight, &identity.unwrap_or_default());
            }
            Step::Look => host::look(flight),
            Step::Lease(ttl_s) => host::lease(flight, ttl_s),
            Step::Send => {
                // Nothing of ours that holds the credentials outlives this.
                let request = self.0.borrow().request(flight).map(|(request, until)| (request.authorization, until));
                if let Some((authorization, deadline)) = request {
                    host::send(flight, &authorization, deadline.0);
                }
            }
            Step::Flush => {
                if !host::flush(flight) {
                    let event = Event::Answered(Stage::Flushing, None);
                    let (_, orders) = self.0.borrow_mut().flight(flight, event, Instant(now));
                    self.carry_out(orders, now);
                }
            }
            Step::Set(ttl_s) => host::set(flight, ttl_s),
            Step::Release => host::release(flight),
            Step::End => host::end(flight),
            Step::Wait | Step::Land => {}
        }
    }
}

fn options(
    user_id: Zeroizing<Vec<u8>>,
    password: Zeroizing<Vec<u8>>,
    environment_value: Option<String>,
    url: UrlParts<'_>,
    timeout: Option<f64>,
    retries: Option<f64>,
) -> Result<Options> {
    Ok(Options {
        credentials: BasicCredentials::new(user_id, password)?,
        environment: environment(environment_value.unwrap_or_else(|| String::from(DEFAULT_ENVIRONMENT)))?,
        endpoint: Endpoint::new(url)?,
        timeout_ms: timeout_ms(timeout.unwrap_or(DEFAULT_TIMEOUT_MS))?,
        max_retries: max_retries(retries.unwrap_or(f64::from(DEFAULT_MAX_RETRIES)))?,
    })
}
