//! One way to a token: by the store, by the exchange with its retries, and back to the store.
//!
//! A state machine as [`refresh`](crate::refresh) is. It is told what came of the last [`Step`], or that its timer went
//! off, and says which step is next. It waits for one thing at a time, and for none longer than it has patience for.
//!
//! | stage | it waits for | then |
//! |---|---|---|
//! | naming | the name of the store's entry | look; without a name: exchange |
//! | looking | the store's token | land; none: lease; a store that fails: exchange |
//! | leasing | to be the one of the fleet who may exchange | look once more, exchange; refused: wait |
//! | waiting | the one who may | look; half of the time is gone: exchange |
//! | pausing | the time of the next attempt | exchange |
//! | exchanging | the reply | land, pause or fail |
//! | flushing | a deletion in the store that began before | set |
//! | setting | the store | release |
//! | releasing | the store | end |

use crate::error::AuthError;
use crate::refresh::{FlightId, WaiterId};
use crate::retry::next_delay;
use crate::time::Instant;
use alloc::boxed::Box;

/// The longest wait for one answer of a store, in milliseconds.
pub const ANSWER_MS: f64 = 2_000.0;
/// The first wait for the one who may exchange, in milliseconds; it doubles up to [`LOOK_CAP_MS`].
pub const LOOK_MS: f64 = 25.0;
/// The longest such wait, in milliseconds.
pub const LOOK_CAP_MS: f64 = 400.0;
/// How often a flight shows that the request it began in is still there, in milliseconds.
const BEAT_MS: f64 = 50.0;

/// What a flight waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The name of the store's entry.
    Naming,
    /// What the store has.
    Looking,
    /// To be the one who may exchange.
    Leasing,
    /// The one who may.
    Waiting,
    /// The time of the next attempt.
    Pausing,
    /// The reply.
    Exchanging,
    /// A deletion that began before.
    Flushing,
    /// That the store has the token.
    Setting,
    /// That the store has the lease back.
    Releasing,
}

/// What is to be done for a flight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Nothing until the timer goes off.
    Wait,
    /// Find the name of the store's entry.
    Name,
    /// Ask the store for its token.
    Look,
    /// Ask the store to be the one who may exchange, for so many seconds.
    Lease(f64),
    /// Send the request.
    Send,
    /// The token of the last answer is to be held.
    Land,
    /// Wait for a deletion that is under way in the store.
    Flush,
    /// Give the store the token, for so many seconds.
    Set(f64),
    /// Let the next one of the fleet exchange.
    Release,
    /// Its work is over.
    End,
}

/// What came of a look into the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The store failed, or answered nonsense.
    Nonsense,
    /// Nothing that is of use.
    Nothing,
    /// A token.
    Token,
}

/// What happens to a flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its turn has come.
    Begin,
    /// Its timer went off. Its deadline is for the client to look at.
    Due,
    /// The answer to a step, by the stage that waits for it: a yes, a no or none.
    Answered(Stage, Option<bool>),
    /// What came of [`Step::Look`].
    Looked(Found),
}

/// What a client brings along for all of its flights.
#[derive(Clone, Copy, Debug)]
pub struct Ways {
    /// Whether there is a store.
    pub store: bool,
    /// Whether it gives leases.
    pub leases: bool,
    /// Whether the name of its entry is known.
    pub named: bool,
    /// Whether promises and timers belong to one request of many, as on workerd.
    pub isolate: bool,
    /// Attempts after the first.
    pub max_retries: u32,
}

/// The state.
#[derive(Debug)]
pub struct Flight {
    /// Its number.
    pub id: FlightId,
    /// The caller in whose request it began.
    pub leader: Option<WaiterId>,
    /// Past the store.
    pub direct: bool,
    /// Later than at first if it goes on for callers with more time.
    pub deadline: Instant,
    /// Requests sent.
    pub attempts: u32,
    /// When what it last asked for was asked for: a token cannot be older than that.
    pub asked: Instant,
    /// When the next attempt is to be made, while it waits for that.
    pub retry_at: Option<Instant>,
    /// Given up: what it still brings is ignored.
    pub cancelled: bool,
    /// Whether it may exchange for all that share the store.
    pub leased: bool,
    behind: bool,
    began: Instant,
    stage: Stage,
    wake_at: Option<Instant>,
    look_ms: f64,
    /// When the token ends that it brought; what is left is to share it, which no deadline bounds.
    landed: Option<Instant>,
    standing: Box<AuthError>,
    beat: Instant,
    armed: Option<Instant>,
}

impl Flight {
    /// A flight that has not begun. `behind` the callers' backs, it must not keep a process alive by a timer.
    #[must_use]
    pub fn new(
        id: FlightId,
        leader: Option<WaiterId>,
        deadline: Instant,
        direct: bool,
        behind: bool,
        retry_at: Option<Instant>,
        now: Instant,
    ) -> Self {
        Self {
            id,
            leader,
            direct,
            deadline,
            attempts: 0,
            asked: now,
            retry_at,
            cancelled: false,
            leased: false,
            behind,
            began: now,
            stage: Stage::Pausing,
            wake_at: None,
            look_ms: LOOK_MS,
            landed: None,
            standing: AuthError::timeout(),
            beat: now,
            armed: None,
        }
    }

    /// Takes a step. `None` if the event changes nothing: it is not what the flight waits for.
    pub fn on(&mut self, event: Event, ways: Ways, now: Instant) -> Option<Step> {
        if self.cancelled {
            return Some(self.end());
        }
        match event {
            Event::Begin if ways.store && !ways.named => Some(self.ask(Stage::Naming, Step::Name, now)),
            Event::Begin => Some(self.named(ways, now)),
            Event::Due => {
                self.armed = None;
                self.wake_at.take_if(|wake_at| now >= *wake_at)?;
                self.woken(ways, now)
            }
            Event::Answered(stage, answer) => (self.stage == stage).then(|| self.answered(answer, ways, now)),
            Event::Looked(found) => (self.stage == Stage::Looking).then(|| self.looked(found, ways, now)),
        }
    }

    /// What came of [`Step::Send`] is an error: when the next attempt is to be made. Else the error, to be final.
    ///
    /// `outwait` tells until when the flight goes on for a wait that does not fit in its deadline; `None` is not at all.
    ///
    /// # Errors
    ///
    /// The error, with the attempts that were made.
    pub fn refused(
        &mut self,
        mut error: Box<AuthError>,
        max_retries: u32,
        random: f64,
        now: Instant,
        outwait: impl FnOnce(Instant) -> Option<Instant>,
    ) -> Result<Step, Box<AuthError>> {
        error.attempts = self.attempts;
        let Some(delay_ms) = next_delay(&error, self.attempts, max_retries, random) else {
            return Err(error);
        };
        let until = now.plus(delay_ms);
        if until >= self.deadline {
            match outwait(until) {
                Some(deadline) => self.deadline = deadline,
                None => return Err(error),
            }
        }
        self.standing = error;
        self.retry_at = Some(until);
        Ok(self.sleep(Stage::Pausing, until))
    }

    /// It brought a token, which ends then and is to be shared.
    pub fn share(&mut self, end: Instant, now: Instant) -> Step {
        self.landed = Some(end);
        // The timer that is armed keeps the process alive.
        self.armed = None;
        self.ask(Stage::Flushing, Step::Flush, now)
    }

    /// What it brought, if it has landed, is not to be given to the store.
    pub fn keep_to_itself(&mut self) {
        self.landed = None;
    }

    /// There are no timers here, as at module scope on workerd: what cannot be waited for is over.
    pub fn cannot_wait(&mut self, ways: Ways, now: Instant) -> Option<Step> {
        self.armed = None;
        self.wake_at.take()?;
        self.woken(ways, now)
    }

    /// When its timer is to go off, in milliseconds, if that is to be changed, and whether the process may end before.
    pub fn rearm(&mut self, ways: Ways, now: Instant) -> Option<(f64, bool)> {
        let mut due = if self.is_over_deadlines() { Instant(f64::INFINITY) } else { self.deadline };
        due = self.wake_at.map_or(due, |wake_at| earlier(wake_at, due));
        if ways.isolate {
            due = earlier(now.plus(BEAT_MS), due);
        }
        if due.0 == f64::INFINITY || self.armed.is_some_and(|armed| armed <= due) {
            return None;
        }
        self.armed = Some(due);
        Some((due.since(now), self.behind || self.is_over_deadlines()))
    }

    /// What the callers see if time runs out now.
    #[must_use]
    pub fn standing(&self) -> Box<AuthError> {
        let mut standing = self.standing.clone();
        standing.attempts = self.attempts;
        standing
    }

    /// From here on the callers see this if time runs out.
    pub fn stand(&mut self, error: Box<AuthError>) {
        self.standing = error;
    }

    /// Whether the callers' time has run out.
    #[must_use]
    pub fn is_late(&self, now: Instant) -> bool {
        now >= self.deadline && !self.is_over_deadlines()
    }

    /// The request that it began in is still there.
    pub fn beat(&mut self, now: Instant) {
        self.beat = now;
    }

    /// Milliseconds since the flight last showed that its request is still there.
    #[must_use]
    pub fn silent_ms(&self, now: Instant) -> f64 {
        now.since(self.beat)
    }

    fn is_over_deadlines(&self) -> bool {
        matches!(self.stage, Stage::Flushing | Stage::Setting | Stage::Releasing)
    }

    fn woken(&mut self, ways: Ways, now: Instant) -> Option<Step> {
        match self.stage {
            Stage::Waiting => Some(self.ask(Stage::Looking, Step::Look, now)),
            Stage::Pausing => Some(self.send(now)),
            Stage::Looking => Some(self.looked(Found::Nonsense, ways, now)),
            Stage::Exchanging => None,
            _ => Some(self.answered(None, ways, now)),
        }
    }

    fn answered(&mut self, answer: Option<bool>, ways: Ways, now: Instant) -> Step {
        match (self.stage, answer) {
            (Stage::Naming, _) => self.named(ways, now),
            (Stage::Leasing, Some(true)) => {
                self.leased = true;
                // The one who had the lease before may have written since the last look.
                self.ask(Stage::Looking, Step::Look, now)
            }
            (Stage::Leasing, Some(false)) => {
                let until = earlier(now.plus(self.look_ms), self.half());
                self.look_ms = (self.look_ms * 2.0).min(LOOK_CAP_MS);
                self.sleep(Stage::Waiting, until)
            }
            (Stage::Leasing, None) => self.exchange(now),
            (Stage::Flushing, _) => self.set(now),
            (Stage::Setting, _) => self.release(now),
            _ => self.end(),
        }
    }

    fn looked(&mut self, found: Found, ways: Ways, now: Instant) -> Step {
        match found {
            Found::Token => Step::Land,
            Found::Nothing if ways.leases && !self.leased => self.lease(now),
            _ => self.exchange(now),
        }
    }

    fn named(&mut self, ways: Ways, now: Instant) -> Step {
        if self.direct || !ways.named { self.exchange(now) } else { self.ask(Stage::Looking, Step::Look, now) }
    }

    fn lease(&mut self, now: Instant) -> Step {
        if now >= self.half() {
            return self.exchange(now);
        }
        self.ask(Stage::Leasing, Step::Lease(seconds(self.deadline.since(now))), now)
    }

    fn exchange(&mut self, now: Instant) -> Step {
        self.direct = true;
        match self.retry_at {
            // What a flight before this one, which was lost, was waiting for.
            Some(until) => self.sleep(Stage::Pausing, until),
            None => self.send(now),
        }
    }

    fn send(&mut self, now: Instant) -> Step {
        if self.attempts > 0 {
            self.standing = AuthError::timeout();
        }
        self.retry_at = None;
        self.attempts += 1;
        self.asked = now;
        self.wake_at = None;
        self.stage = Stage::Exchanging;
        Step::Send
    }

    fn set(&mut self, now: Instant) -> Step {
        let ttl_s = self.landed.map_or(0.0, |end| seconds(end.since(now)));
        if ttl_s > 0.0 { self.ask(Stage::Setting, Step::Set(ttl_s), now) } else { self.release(now) }
    }

    fn release(&mut self, now: Instant) -> Step {
        if core::mem::take(&mut self.leased) { self.ask(Stage::Releasing, Step::Release, now) } else { self.end() }
    }

    fn end(&mut self) -> Step {
        self.wake_at = None;
        self.stage = Stage::Releasing;
        Step::End
    }

    fn ask(&mut self, stage: Stage, step: Step, now: Instant) -> Step {
        let patience = now.plus(ANSWER_MS);
        self.asked = now;
        self.sleep(stage, if stage < Stage::Exchanging { earlier(patience, self.half()) } else { patience });
        step
    }

    fn sleep(&mut self, stage: Stage, until: Instant) -> Step {
        self.stage = stage;
        self.wake_at = Some(until);
        Step::Wait
    }

    /// Half of its time belongs to the exchange.
    fn half(&self) -> Instant {
        self.began.plus(self.deadline.since(self.began) / 2.0)
    }
}

fn earlier(one: Instant, other: Instant) -> Instant {
    if one < other { one } else { other }
}

/// Whole seconds where there is one, never more than there are: stores count in them.
fn seconds(ms: f64) -> f64 {
    let seconds = ms / 1_000.0;
    #[allow(clippy::cast_possible_truncation)]
    if seconds >= 1.0 { f64::from(seconds as i32) } else { seconds }
}
