//! What one process has: the real client, and the state of a shell that does what `src/web/client.rs` does.

use crate::clock::{Clock, Micros};
use crate::random::Random;
use crate::store::{Command, Serial};
use digitalpaye_auth::client::Client;
use digitalpaye_auth::flight::FlightId;
use digitalpaye_auth::refresh::CallerId;
use digitalpaye_auth::time::Now;
use std::collections::BTreeMap;

/// A machine with a process on it, which may not run at the moment.
#[derive(Debug)]
pub struct Process {
    /// The machine's clocks.
    pub clock: Clock,
    /// Its randomness.
    pub random: Random,
    /// Which of its lives this is: what was sent to an earlier one is not for this one.
    pub life: u32,
    /// Until when the machine sleeps.
    pub asleep_until: Micros,
    /// When the last command arrives at the store, and its answer here: they do not overtake each other.
    pub last_command: (Micros, Micros),
    /// What runs, if it does.
    pub shell: Option<Shell>,
}

/// A caller that waits.
#[derive(Clone, Copy, Debug)]
pub struct Waiter {
    /// When it asked, by the monotonic clock.
    pub asked_ms: f64,
    /// Whether it wants a newer token.
    pub force: bool,
    /// It asked before an invalidation: what was under way then is not for it.
    pub newer_than: Option<Micros>,
}

/// A flight as the shell has it, and what the checks have to know of it.
#[derive(Clone, Copy, Debug)]
pub struct FlightShell {
    /// The timer that is set.
    pub timer: u64,
    /// The request that is under way.
    pub attempt: Option<u64>,
    /// Since when, by the true time and by the monotonic clock.
    pub began: (Micros, f64),
    /// Why it may exchange without the lease, or when there is a token: it was forced, say, or the machine slept.
    pub excused: bool,
    /// Requests sent.
    pub attempts: u32,
    /// Whether it has asked for the lease before.
    pub leased: bool,
}

/// A write that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    /// Its number.
    pub id: u64,
    /// Of which flight, and of which token.
    pub of: (FlightId, Serial),
    /// Whether the token was invalidated meanwhile.
    pub delete_after: bool,
}

/// The client and all that it has asked for.
#[derive(Debug)]
pub struct Shell {
    /// The one under test.
    pub client: Client,
    /// The token that is handed out without asking, and until when.
    pub cache: Option<(Serial, Now)>,
    /// The token cached last.
    pub held: Option<Serial>,
    /// Those who wait.
    pub waiters: BTreeMap<CallerId, Waiter>,
    /// The last caller's number.
    pub last_caller: CallerId,
    /// Flights under way.
    pub flights: Vec<(FlightId, FlightShell)>,
    /// The number of the deletion that is under way.
    pub deleting: Option<u64>,
    /// Flights that wait for a deletion.
    pub awaiting: Vec<(u64, FlightId)>,
    /// The write that is under way.
    pub writing: Option<Writing>,
    /// The number of the last thing that has one.
    pub last_number: u64,
    /// The server's clock minus ours, as the store's adapter knows it.
    pub offset_ms: Option<f64>,
    /// The last call of `acquire` whose lease was not released since.
    pub ticket: Option<u64>,

    // What the checks know.
    /// Whether flights that begin now need no lease: they are forced, say.
    pub excuses: bool,
    /// Whether it has invalidated a token and has no other yet.
    pub invalidated: bool,
    /// Tokens that were invalidated here.
    pub banned: Vec<Serial>,
    /// Until when no request may be sent, by the monotonic clock.
    pub refused_until_ms: f64,
    /// Until when a failed renewal is not to be repeated, and until when the token was good then.
    pub cooling: Option<(f64, f64)>,
    /// How far the clock that the client is shown is ahead: a planted fault.
    pub skew_ms: f64,
    /// Since when it has no flight.
    pub idle_since: Micros,
}

impl Shell {
    /// A shell around a client.
    #[must_use]
    pub fn new(client: Client, now: Micros) -> Self {
        Self {
            client,
            cache: None,
            held: None,
            waiters: BTreeMap::new(),
            last_caller: 0,
            flights: Vec::new(),
            deleting: None,
            awaiting: Vec::new(),
            writing: None,
            last_number: 0,
            offset_ms: None,
            ticket: None,
            excuses: false,
            invalidated: false,
            banned: Vec::new(),
            refused_until_ms: f64::NEG_INFINITY,
            cooling: None,
            skew_ms: 0.0,
            idle_since: now,
        }
    }

    /// A number that nothing else has here.
    pub fn number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }

    /// A flight under way.
    pub fn flight(&mut self, id: FlightId) -> Option<&mut FlightShell> {
        self.flights.iter_mut().find(|flight| flight.0 == id).map(|flight| &mut flight.1)
    }
}

/// What a command to the store is for: its answer goes on from here.
#[derive(Clone, Copy, Debug)]
pub enum Task {
    /// `get`, asked at this time.
    Read(FlightId, f64),
    /// `acquire`, with its ticket, asked at this time.
    Acquire(FlightId, u64, f64),
    /// `release`.
    Release(FlightId),
    /// `release` for nobody.
    Forget,
    /// `set` has to know the server's time first; then this token is written, which had so many milliseconds left then.
    Clock(FlightId, u64, Serial, Now, f64),
    /// `set`.
    Write(FlightId, u64),
    /// `delete`.
    Delete(u64),
}

/// What comes to a process.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// It begins.
    Start,
    /// The application asks for a token.
    Call(bool),
    /// The application gives up one call.
    Abort(CallerId),
    /// The application learns that a token is no good.
    Unauthorized(Serial, bool),
    /// A flight's turn.
    Begin(FlightId),
    /// A flight's timer, its number, and when it is due by the monotonic clock.
    FlightTimer(FlightId, u64, f64),
    /// A caller's timer, and when it is due.
    CallerTimer(CallerId, f64),
    /// The timer of a deletion, and when it is due.
    DeletionTimer(u64, f64),
    /// The name of the entry.
    Named(FlightId),
    /// An aborted request is over.
    GivenUp(FlightId),
    /// The store answers, or fails; with the server's time.
    Answer(Task, Option<(f64, crate::store::Reply)>),
    /// A reply's head, and when the API sent it.
    Head(FlightId, u64, ApiReply, Micros),
    /// A reply, or none because the connection broke.
    Reply(FlightId, u64, ApiReply, Micros),
}

/// What the API says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ApiReply {
    /// A token.
    Token(Serial),
    /// A status other than 200, and `Retry-After`.
    Status(f64, Option<f64>),
    /// The connection broke.
    Broken,
}

/// A command on its way to the store.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// By whom.
    pub owner: crate::store::Owner,
    /// What for.
    pub task: Task,
    /// What.
    pub command: Command,
    /// Whether anybody hears of it.
    pub answered: bool,
}
