//! One process of the model: the real client and its shell, rebuilt from what it was told.

use digitalpaye_auth::client::{Client, StoredToken, Surroundings};
use digitalpaye_auth::credentials::{BasicCredentials, Credentials, UserId};
use digitalpaye_auth::effect::{Effect, Effects, LeaseTtl};
use digitalpaye_auth::flight::{ANSWER_MS, FlightId};
use digitalpaye_auth::jwt::Claims;
use digitalpaye_auth::options::{Endpoint, Options};
use digitalpaye_auth::response::{Body, Content, Headers, Reply as HttpReply};
use digitalpaye_auth::time::{Instant, Now, NumericDate};
use digitalpaye_simulation::store::{Command, Reply};
use zeroize::Zeroizing;

pub(crate) const TIMEOUT_MS: u64 = 8_000;
const LIFE_S: f64 = 60.0;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Input {
    Call,
    FlightTimer(FlightId),
    CallerTimer,
    Store(Task, Answer),
    Api(FlightId, Option<usize>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Task {
    Read(FlightId),
    /// With its ticket, and when it was asked.
    Acquire(FlightId, u32, u64),
    Release(FlightId),
    Forget,
    Write(FlightId),
}

/// A reply of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    Done,
    Entry(Option<usize>),
    Granted(bool),
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Done => Self::Done,
            Reply::Entry(entry) => Self::Entry(entry.map(|entry| entry.0)),
            Reply::Granted(granted) => Self::Granted(granted),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Output {
    Store(Task, Command),
    Request(FlightId),
}

/// What the model has to know of a process.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Facts {
    /// Its next timer, and when that is due.
    pub(crate) timer: Option<(u64, Input)>,
    pub(crate) busy: bool,
    /// Its caller has no answer yet.
    pub(crate) waits: bool,
    /// Its caller got an error.
    pub(crate) failed: bool,
}

#[derive(Debug)]
pub(crate) struct Machine {
    client: Client,
    now: u64,
    waits: bool,
    failed: bool,
    flights: Vec<FlightId>,
    begins: Vec<FlightId>,
    timers: Vec<(FlightId, u64)>,
    ticket: Option<u32>,
    tickets: u32,
    outputs: Vec<Output>,
}

impl Machine {
    fn new() -> Self {
        let secret = |text: &str| Zeroizing::new(String::from(text));
        let credentials = BasicCredentials::new(UserId::new(secret("model")).unwrap(), secret("secret")).unwrap();
        let options = Options {
            credentials: Credentials::Fixed(credentials),
            environment: String::from("Sandbox"),
            endpoint: Endpoint::new("https://api.digitalpaye.com/").unwrap(),
            timeout_ms: TIMEOUT_MS as f64,
            max_retries: 2,
        };
        let client = Client::new(options, Surroundings { store: true, leases: true, isolate: false, events: false });
        Self {
            client,
            now: 0,
            waits: false,
            failed: false,
            flights: Vec::new(),
            begins: Vec::new(),
            timers: Vec::new(),
            ticket: None,
            tickets: 0,
            outputs: Vec::new(),
        }
    }

    pub(crate) fn replay(history: &[(u64, Input)]) -> Self {
        let mut machine = Self::new();
        for (now, input) in history {
            let _ = machine.tell(*now, input.clone());
        }
        machine
    }

    pub(crate) fn facts(&self) -> Facts {
        let busy = self.waits || !self.flights.is_empty();
        Facts { timer: self.next_timer(), busy, waits: self.waits, failed: self.failed }
    }

    fn next_timer(&self) -> Option<(u64, Input)> {
        let flight = self.timers.iter().map(|&(flight, due)| (due, Input::FlightTimer(flight)));
        let caller = self.waits.then_some((TIMEOUT_MS, Input::CallerTimer));
        flight.chain(caller).min_by_key(|timer| timer.0)
    }

    fn clocks(&self) -> Now {
        let ms = self.now as f64;
        Now { monotonic: Instant(ms), wall: NumericDate(1_700_000_000.0 + ms / 1_000.0) }
    }

    pub(crate) fn tell(&mut self, now: u64, input: Input) -> Vec<Output> {
        self.now = now;
        match input {
            Input::Call => {
                self.waits = true;
                self.update(|client, now| client.call(1, false, now));
            }
            Input::FlightTimer(flight) => {
                self.timers.retain(|timer| timer.0 != flight);
                self.update(|client, now| client.flight_timer(flight, now));
            }
            Input::CallerTimer => self.update(|client, now| client.caller_timer(1, false, now)),
            Input::Store(task, answer) => self.answered(task, answer),
            Input::Api(flight, serial) => {
                if self.flights.contains(&flight) {
                    self.update(|client, now| client.replied(flight, Ok(reply(serial)), 0.5, now));
                }
            }
        }
        // A flight's turn: nothing else comes between.
        while let Some(flight) = self.begins.pop() {
            self.update(|client, now| client.begin(flight, now));
        }
        std::mem::take(&mut self.outputs)
    }

    fn answered(&mut self, task: Task, answer: Answer) {
        use digitalpaye_auth::flight::Answer::Value;
        match (task, answer) {
            (Task::Read(flight), Answer::Entry(entry)) => {
                self.update(|client, now| client.store_read(flight, Value(entry.map(stored)), 0.5, now));
            }
            (Task::Acquire(flight, ticket, asked), Answer::Granted(mut granted)) => {
                let late = (self.now - asked) as f64 > ANSWER_MS;
                let last = self.ticket == Some(ticket);
                if !granted && last {
                    self.ticket = None;
                } else if granted && ((late && last) || self.ticket.is_none()) {
                    self.ticket = None;
                    granted = false;
                    self.outputs.push(Output::Store(Task::Forget, Command::Release((0, 0))));
                }
                granted &= !late;
                self.update(|client, now| client.lease_answered(flight, &Value(granted), now));
            }
            (Task::Release(flight), _) => self.update(|client, now| client.lease_released(flight, &Value(()), now)),
            (Task::Write(flight), _) => self.update(|client, now| client.store_written(flight, &Value(()), now)),
            _ => {}
        }
    }

    fn update(&mut self, event: impl FnOnce(&mut Client, Now) -> Effects) {
        let now = self.clocks();
        for effect in event(&mut self.client, now) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::BeginFlight(flight) => {
                self.flights.push(flight);
                self.begins.push(flight);
            }
            Effect::SetTimer { flight, delay_ms, .. } => {
                self.timers.retain(|timer| timer.0 != flight);
                self.timers.push((flight, self.now + delay_ms.ceil().max(0.0) as u64));
            }
            Effect::NameEntry(flight, _) => self.update(|client, now| client.entry_named(flight, true, now)),
            Effect::ReadStore(flight) => self.outputs.push(Output::Store(Task::Read(flight), Command::Get)),
            Effect::AcquireLease(flight, LeaseTtl(ttl_s)) => {
                self.tickets += 1;
                self.ticket = Some(self.tickets);
                let task = Task::Acquire(flight, self.tickets, self.now);
                self.outputs.push(Output::Store(task, Command::Acquire((0, 0), ttl_s * 1_000.0)));
            }
            Effect::SendRequest { flight, .. } => self.outputs.push(Output::Request(flight)),
            Effect::AwaitDeletion(flight) => self.update(|client, now| client.deletion_finished(flight, now)),
            Effect::WriteStore(flight, token, _) => {
                let serial = token.token[1..].parse().unwrap();
                self.outputs.push(Output::Store(Task::Write(flight), Command::Set(serial, 0.0, None)));
            }
            Effect::ReleaseLease(flight) => {
                if self.ticket.take().is_some() {
                    self.outputs.push(Output::Store(Task::Release(flight), Command::Release((0, 0))));
                } else {
                    let nothing = digitalpaye_auth::flight::Answer::Value(());
                    self.update(|client, now| client.lease_released(flight, &nothing, now));
                }
            }
            Effect::EndFlight(flight) => {
                self.flights.retain(|other| *other != flight);
                self.timers.retain(|timer| timer.0 != flight);
            }
            Effect::Resolve(_) => self.waits = false,
            Effect::Reject(..) => (self.waits, self.failed) = (false, true),
            Effect::AbortRequest(_) | Effect::CacheToken(..) | Effect::ClearCache => {}
            other => panic!("{other:?} is not part of the protocol"),
        }
    }
}

fn claims(serial: usize) -> Claims {
    let iat = 1_700_000_000.0 + serial as f64;
    Claims { iat: Some(NumericDate(iat)), exp: Some(NumericDate(iat + LIFE_S)) }
}

fn stored(serial: usize) -> StoredToken {
    let exp = 1_700_000_000.0 + serial as f64 + LIFE_S;
    StoredToken { token: Zeroizing::new(format!("t{serial}")), claims: claims(serial), exp, ttl_s: Some(50.0) }
}

fn reply(serial: Option<usize>) -> HttpReply {
    let headers = Headers { date: None, has_age: false, retry_after: None };
    let Some(serial) = serial else { return HttpReply { status: 503.0, headers, body: Body::NotJson } };
    let content = Content {
        status_code: Some(200.0),
        token: Some(Zeroizing::new(format!("t{serial}"))),
        claims: claims(serial),
        exp: Some(1_700_000_000.0 + serial as f64 + LIFE_S),
        reason: None,
    };
    HttpReply { status: 200.0, headers, body: Body::Json(content) }
}
