//! A platform of which everything is known: what a whole client orders of it, what it does when, and what must be so
//! whatever happens.

mod effects;

use crate::json::body;
use digitalpaye_auth::client::{Client, StoredToken, Surroundings};
use digitalpaye_auth::credentials::{BasicCredentials, Credentials, UserId};
use digitalpaye_auth::effect::Effects;
use digitalpaye_auth::error::{AuthError, Code, Foreign};
use digitalpaye_auth::event::Event;
use digitalpaye_auth::flight::{Answer, FlightId};
use digitalpaye_auth::jwt::Claims;
use digitalpaye_auth::options::{Endpoint, Options};
use digitalpaye_auth::refresh::CallerId;
use digitalpaye_auth::response::{Body, Headers, Reply};
use digitalpaye_auth::time::{Instant, Now, NumericDate};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

pub(crate) const TIMEOUT: f64 = 3_000.0;
/// Where promises belong to requests, a caller looks for its answer this often at least.
const POLL: f64 = 50.0;

/// What the platform does when it is asked for something.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Does {
    Well { after: f64 },
    Badly { after: f64 },
    Never,
}

/// What the API does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Api {
    Token { life_s: f64 },
    Network,
    Status(f64, Option<f64>),
    Interrupts,
    Hangs,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) store: bool,
    pub(crate) isolate: bool,
    pub(crate) events: bool,
    pub(crate) asks_secret: bool,
    pub(crate) max_retries: u32,
}

pub(crate) const PLAIN: Kind = Kind { store: false, isolate: false, events: true, asks_secret: false, max_retries: 0 };
pub(crate) const STORE: Kind = Kind { store: true, ..PLAIN };

#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) sent: u32,
    pub(crate) secrets: u32,
    pub(crate) open: bool,
    pub(crate) leased: bool,
    timer: Option<(u64, u32)>,
    asked: Option<Now>,
    landed: Option<f64>,
    life_s: f64,
    written: bool,
    began: f64,
}

#[derive(Clone, Debug)]
enum Comes {
    Turn(FlightId),
    Timer(FlightId),
    Caller(CallerId),
    Named(FlightId, bool),
    Read(FlightId, bool),
    Lease(FlightId, Option<bool>),
    Secret(FlightId, bool),
    Reply(FlightId, Api),
    Deleted(FlightId),
    Written(FlightId, bool),
    Released(FlightId, bool),
}

pub(crate) struct World {
    pub(crate) client: Client,
    pub(crate) kind: Kind,
    pub(crate) now: f64,
    pub(crate) wall: f64,
    pub(crate) store: Does,
    /// The store's own token, if it has one: its life when it is read.
    pub(crate) stored_s: Option<f64>,
    pub(crate) write: Option<Does>,
    pub(crate) secret: Does,
    pub(crate) secret_text: String,
    pub(crate) api: Api,
    pub(crate) api_ms: f64,
    pub(crate) granted: bool,
    to_come: BTreeMap<(u64, u32), Comes>,
    pub(crate) deleting: f64,
    sequence: u32,
    named: bool,
    pub(crate) callers: BTreeMap<CallerId, f64>,
    pub(crate) gone: BTreeSet<CallerId>,
    pub(crate) asked: u32,
    pub(crate) resolved: Vec<CallerId>,
    pub(crate) rejected: Vec<(CallerId, Code)>,
    pub(crate) rethrown: Vec<CallerId>,
    pub(crate) aborted: u32,
    pub(crate) log: Vec<String>,
    pub(crate) events: Vec<Event>,
    pub(crate) flights: BTreeMap<FlightId, Seen>,
    pub(crate) ended: BTreeSet<FlightId>,
    /// The token held: its text, when it was asked for, its life.
    pub(crate) held: Option<(String, Now, f64)>,
    last_error: Option<Box<AuthError>>,
    no_request_before: f64,
    cached: u32,
}

impl World {
    pub(crate) fn new(kind: Kind) -> Self {
        let Kind { store, isolate, events, asks_secret, max_retries } = kind;
        let user_id = UserId::new(Zeroizing::new("k".into())).unwrap();
        let password = Zeroizing::new("s".into());
        let options = Options {
            credentials: if asks_secret {
                Credentials::AskedFor(user_id)
            } else {
                Credentials::Fixed(BasicCredentials::new(user_id, password).unwrap())
            },
            environment: "Production".into(),
            endpoint: Endpoint::new("https://h/").unwrap(),
            timeout_ms: TIMEOUT,
            max_retries,
        };
        Self {
            client: Client::new(options, Surroundings { store, leases: store, isolate, events }),
            kind,
            now: 0.0,
            wall: 1_000_000.0,
            store: Does::Well { after: 1.0 },
            stored_s: None,
            write: None,
            secret: Does::Well { after: 1.0 },
            secret_text: "s".into(),
            api: Api::Token { life_s: 600.0 },
            api_ms: 20.0,
            granted: true,
            to_come: BTreeMap::new(),
            deleting: 0.0,
            sequence: 0,
            named: false,
            callers: BTreeMap::new(),
            gone: BTreeSet::new(),
            asked: 0,
            resolved: Vec::new(),
            rejected: Vec::new(),
            rethrown: Vec::new(),
            aborted: 0,
            log: Vec::new(),
            events: Vec::new(),
            flights: BTreeMap::new(),
            ended: BTreeSet::new(),
            held: None,
            last_error: None,
            no_request_before: 0.0,
            cached: 0,
        }
    }

    pub(crate) fn clock(&self) -> Now {
        Now { monotonic: Instant(self.now), wall: NumericDate(self.wall + self.now / 1_000.0) }
    }

    pub(crate) fn answered(&self) -> u32 {
        self.aborted + (self.resolved.len() + self.rejected.len() + self.rethrown.len()) as u32
    }

    pub(crate) fn last_error(&self) -> &AuthError {
        self.last_error.as_ref().expect("an error")
    }

    fn seen(&mut self, id: FlightId) -> &mut Seen {
        self.flights.get_mut(&id).expect("a flight that began")
    }

    fn later(&mut self, ms: f64, comes: Comes) -> (u64, u32) {
        self.sequence += 1;
        let key = (((self.now + ms.max(0.0)) * 1_000.0).ceil() as u64, self.sequence);
        self.to_come.insert(key, comes);
        key
    }

    fn answer(&mut self, does: Does, comes: impl Fn(bool) -> Comes) {
        match does {
            Does::Well { after } => drop(self.later(after, comes(true))),
            Does::Badly { after } => drop(self.later(after, comes(false))),
            Does::Never => {}
        }
    }

    fn settled(&mut self, id: CallerId) -> bool {
        let waited = self.callers.remove(&id).is_some();
        assert!(waited || self.gone.contains(&id), "{id} was answered twice, or never asked");
        waited
    }

    pub(crate) fn ask(&mut self, force: bool) -> CallerId {
        self.asked += 1;
        let id = self.asked;
        self.callers.insert(id, self.now + TIMEOUT);
        let effects = self.client.call(id, force, self.clock());
        self.obey(effects);
        self.watch(id);
        id
    }

    pub(crate) fn abort(&mut self, id: CallerId) {
        if self.settled(id) {
            self.aborted += 1;
        }
        let effects = self.client.abort(id, self.clock());
        self.obey(effects);
    }

    pub(crate) fn invalidate(&mut self) {
        let effects = self.client.invalidate(None, self.clock());
        self.obey(effects);
    }

    pub(crate) fn close(&mut self) {
        let effects = self.client.close(*AuthError::option("apiSecret", "is gone"), self.clock());
        self.obey(effects);
    }

    /// The request of a caller ends, and with it all that belongs to it.
    pub(crate) fn request_ends(&mut self, caller: CallerId, flight: FlightId) {
        self.callers.remove(&caller);
        self.gone.insert(caller);
        self.to_come.retain(|_, comes| {
            !matches!(comes, Comes::Timer(id) | Comes::Reply(id, _) if *id == flight)
                && !matches!(comes, Comes::Caller(id) if *id == caller)
        });
    }

    fn watch(&mut self, id: CallerId) {
        if let Some(deadline) = self.callers.get(&id) {
            let ms = deadline - self.now;
            self.later(if self.kind.isolate { ms.min(POLL) } else { ms }.ceil(), Comes::Caller(id));
        }
    }

    fn comes(&mut self, comes: Comes) {
        let now = self.clock();
        let value = |well: bool| if well { Answer::Value(()) } else { Answer::Rejected(Foreign::new("broken")) };
        let effects = match comes {
            Comes::Turn(id) if self.ended.contains(&id) => return,
            Comes::Turn(id) => self.client.begin(id, now),
            Comes::Timer(id) => {
                self.seen(id).timer = None;
                self.client.flight_timer(id, now)
            }
            Comes::Caller(id) => {
                let effects = self.client.caller_timer(id, true, now);
                self.obey(effects);
                return self.watch(id);
            }
            Comes::Named(id, named) => {
                self.named = named;
                self.client.entry_named(id, named, now)
            }
            Comes::Read(id, well) => {
                let ttl_s = self.stored_s;
                let answer = if !well {
                    Answer::Rejected(Foreign::new("broken"))
                } else if let Some(ttl_s) = ttl_s {
                    let seen = self.seen(id);
                    seen.life_s = if seen.sent == 0 { ttl_s } else { seen.life_s };
                    Answer::Value(Some(StoredToken {
                        token: Zeroizing::new(format!("stored-{id}")),
                        claims: Claims::default(),
                        exp: 2_000_000.0,
                        ttl_s: Some(ttl_s),
                    }))
                } else {
                    Answer::Value(None)
                };
                self.client.store_read(id, answer, 0.5, now)
            }
            Comes::Lease(id, granted) => {
                if let Some(granted) = granted {
                    self.seen(id).leased = granted;
                }
                let answer = granted.map_or_else(|| Answer::Rejected(Foreign::new("broken")), Answer::Value);
                let effects = self.client.lease_answered(id, &answer, now);
                self.obey(effects);
                assert!(!self.ended.contains(&id) || !self.seen(id).leased, "nobody gives that lease back");
                return;
            }
            Comes::Secret(id, well) => {
                let secret = Zeroizing::new(self.secret_text.clone());
                let secret = if well { Ok(secret) } else { Err(AuthError::secret_rejected(Foreign::new("broken"))) };
                self.client.secret_answered(id, secret, 0.5, now)
            }
            Comes::Reply(id, _) if !self.seen(id).open => return,
            Comes::Reply(id, api) => self.replies(id, api, now),
            Comes::Deleted(id) => self.client.deletion_finished(id, now),
            Comes::Written(id, well) => {
                self.seen(id).written = true;
                self.client.store_written(id, &value(well), now)
            }
            Comes::Released(id, well) => self.client.lease_released(id, &value(well), now),
        };
        self.obey(effects);
    }

    fn replies(&mut self, id: FlightId, api: Api, now: Now) -> Effects {
        let at = self.now;
        let seen = self.seen(id);
        seen.open = false;
        let reply = match api {
            Api::Token { life_s } => {
                seen.landed = Some(at);
                seen.life_s = life_s.ceil();
                let text = format!("x{id}-{}", seen.sent);
                // By the server's clock, which is right.
                let exp = 5_000.0 + life_s.ceil();
                let body = body(format!(r#"{{"data":{{"token":"{text}","exp":{exp}}}}}"#).as_bytes());
                let headers = Headers { date: Some(NumericDate(5_000.0)), ..Headers::default() };
                Ok(Reply { status: 200.0, headers, body })
            }
            Api::Network => Err(AuthError::network(Foreign::new("broken"))),
            Api::Status(status, retry_after) => {
                if let Some(seconds) = retry_after {
                    self.no_request_before = at + seconds * 1_000.0;
                }
                Ok(Reply { status, headers: Headers { retry_after, ..Headers::default() }, body: Body::NotJson })
            }
            Api::Interrupts => return self.client.interrupted(id, Foreign::new("digest"), now),
            Api::Hangs => unreachable!("it does not answer"),
        };
        self.client.replied(id, reply, 0.5, now)
    }

    pub(crate) fn pass(&mut self, ms: f64) {
        let target = self.now + ms;
        while let Some(entry) = self.to_come.first_entry().filter(|entry| entry.key().0 as f64 / 1_000.0 <= target) {
            let ((at, _), comes) = entry.remove_entry();
            self.now = self.now.max(at as f64 / 1_000.0);
            self.comes(comes);
            for (id, deadline) in &self.callers {
                assert!(self.now <= deadline + POLL + 1.0, "{id} waits past its deadline");
            }
        }
        self.now = target;
    }
}
