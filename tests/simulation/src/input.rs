//! What comes to a process, as `src/web/client.rs` takes it: callers and timers. Answers are in answer.rs.

use crate::check::Rule;
use crate::clock::EPOCH_S;
use crate::fault::Fault;
use crate::scenario::StoreKind;
use crate::shell::{Input, Shell, Waiter};
use crate::store::Serial;
use crate::world::World;
use digitalpaye_auth::client::{Client, Surroundings};
use digitalpaye_auth::credentials::{BasicCredentials, Credentials, UserId};
use digitalpaye_auth::effect::{Effect, Effects};
use digitalpaye_auth::flight::FlightId;
use digitalpaye_auth::options::{Endpoint, Options};
use digitalpaye_auth::refresh::CallerId;
use digitalpaye_auth::time::{Instant, Now, NumericDate};
use digitalpaye_auth::token::Fingerprint;
use zeroize::Zeroizing;

/// How much later than its deadline a caller may be answered: timers are late.
const SLACK_MS: f64 = 20.0;
/// One use of a token in so many finds out whether it is still good.
const USES: f64 = 0.5;

pub(crate) fn text_of(serial: Serial) -> String {
    format!("t{serial}")
}

pub(crate) fn serial_of(text: &str) -> Serial {
    text[1..].parse().unwrap()
}

impl World {
    pub(crate) fn shell(&mut self, p: usize) -> &mut Shell {
        self.processes[p].shell.as_mut().unwrap()
    }

    pub(crate) fn draw(&mut self, p: usize) -> f64 {
        let drawn = self.processes[p].random.unit();
        if self.fault == Some(Fault::NoJitter) { 0.0 } else { drawn }
    }

    fn new_client(&self) -> Client {
        let secret = |text: &str| Zeroizing::new(String::from(text));
        let user_id = UserId::new(secret("simulation")).unwrap();
        let more = if self.fault == Some(Fault::UnboundedRetries) { 5 } else { 0 };
        let options = Options {
            credentials: Credentials::Fixed(BasicCredentials::new(user_id, secret("a secret")).unwrap()),
            environment: String::from("Sandbox"),
            endpoint: Endpoint::new("https://api.digitalpaye.com/").unwrap(),
            timeout_ms: self.scenario.timeout_ms,
            max_retries: self.scenario.max_retries + more,
        };
        let store = self.scenario.store != StoreKind::None;
        let leases = self.scenario.store == StoreKind::Leases;
        Client::new(options, Surroundings { store, leases, isolate: false, events: true })
    }

    pub(crate) fn input(&mut self, p: usize, input: Input) {
        if matches!(input, Input::Start) {
            let shell = Shell::new(self.new_client(), self.now);
            self.processes[p].shell = Some(shell);
            self.note(|| format!("p{p} starts"));
            let gap_ms = self.scenario.processes[p].gap_ms;
            let first_ms = if self.scenario.processes[p].job { 0.0 } else { gap_ms * self.processes[p].random.unit() };
            return self.later(p, first_ms, Input::Call(false));
        }
        if self.processes[p].shell.is_none() {
            return;
        }
        match input {
            Input::Start => {}
            Input::Call(force) => {
                if !self.scenario.processes[p].job {
                    let gap_ms = self.processes[p].random.exponential(self.scenario.processes[p].gap_ms);
                    if self.is_open() {
                        self.later(p, gap_ms, Input::Call(false));
                    }
                }
                if self.is_open() {
                    self.call(p, force);
                }
            }
            Input::Abort(caller) => {
                if self.shell(p).waiters.remove(&caller).is_some() {
                    self.update(p, |client, now| client.abort(caller, now));
                }
            }
            Input::Unauthorized(token, again) => self.unauthorized(p, token, again),
            Input::Begin(flight) => self.update(p, |client, now| client.begin(flight, now)),
            Input::FlightTimer(flight, timer, due_ms) => self.flight_timer(p, flight, timer, due_ms),
            Input::CallerTimer(caller, due_ms) => self.caller_timer(p, caller, due_ms),
            Input::DeletionTimer(deletion, due_ms) => {
                if !self.sleeps_on(p, due_ms, input) {
                    self.deleted(p, deletion, None);
                }
            }
            Input::Named(flight) => self.update(p, |client, now| client.entry_named(flight, true, now)),
            Input::GivenUp(flight) => self.update(p, |client, _| client.attempt_given_up(flight)),
            Input::Answer(task, answer) => self.answered(p, task, answer),
            Input::Head(flight, attempt, reply, at) => self.head(p, flight, attempt, reply, at),
            Input::Reply(flight, attempt, reply, at) => self.reply(p, flight, attempt, reply, at),
        }
    }

    // Callers.

    pub(crate) fn call(&mut self, p: usize, force: bool) {
        self.figures.calls += 1;
        let now = self.clocks(p);
        if let Some((serial, until)) = self.shell(p).cache
            && !force
            && now.monotonic < until.monotonic
            && now.wall < until.wall
        {
            return self.serve(p, serial, None);
        }
        let shell = self.shell(p);
        shell.last_caller += 1;
        let id = shell.last_caller;
        shell.waiters.insert(id, Waiter { asked_ms: now.monotonic.0, force, newer_than: None });
        self.note(|| format!("p{p} caller {id} asks{}", if force { " for a newer token" } else { "" }));
        if force {
            self.last_issue = None;
        }
        self.excused(p, force, |client, now| client.call(id, force, now));
        if self.processes[p].shell.as_ref().is_none_or(|shell| !shell.waiters.contains_key(&id)) {
            return;
        }
        if self.processes[p].random.chance(0.03) {
            let in_ms = self.processes[p].random.between((0.0, 3_000.0));
            self.later(p, in_ms, Input::Abort(id));
        }
        let due_ms = now.monotonic.0 + self.scenario.timeout_ms;
        self.set_caller_timer(p, id, due_ms);
    }

    fn set_caller_timer(&mut self, p: usize, id: CallerId, due_ms: f64) {
        if self.fault != Some(Fault::NoTimers) {
            let in_ms = due_ms - self.clocks(p).monotonic.0;
            self.set_timer(p, in_ms, Input::CallerTimer(id, due_ms));
        }
    }

    /// A timer counts in whole milliseconds, and fires up to one too early and some too late.
    pub(crate) fn set_timer(&mut self, p: usize, in_ms: f64, input: Input) {
        let late_ms = self.processes[p].random.between((-1.0, 3.0));
        self.later(p, in_ms.ceil().max(0.0) + late_ms, input);
    }

    /// Whether a timer has to wait on, because the machine slept.
    fn sleeps_on(&mut self, p: usize, due_ms: f64, input: Input) -> bool {
        let left_ms = due_ms - self.clocks(p).monotonic.0;
        if left_ms > 1.5 {
            self.later(p, left_ms, input);
        }
        left_ms > 1.5
    }

    fn caller_timer(&mut self, p: usize, id: CallerId, due_ms: f64) {
        if !self.shell(p).waiters.contains_key(&id) || self.sleeps_on(p, due_ms, Input::CallerTimer(id, due_ms)) {
            return;
        }
        self.excused(p, true, |client, now| client.caller_timer(id, false, now));
        if self.processes[p].shell.as_ref().is_some_and(|shell| shell.waiters.contains_key(&id)) {
            self.set_caller_timer(p, id, due_ms);
        }
    }

    fn flight_timer(&mut self, p: usize, id: FlightId, timer: u64, due_ms: f64) {
        if self.shell(p).flight(id).is_none_or(|flight| flight.timer != timer)
            || self.sleeps_on(p, due_ms, Input::FlightTimer(id, timer, due_ms))
        {
            return;
        }
        self.excused(p, true, |client, now| client.flight_timer(id, now));
    }

    /// Ends one wait, and checks that it is in time.
    pub(crate) fn take_waiter(&mut self, p: usize, id: CallerId) -> Option<Waiter> {
        let waiter = self.shell(p).waiters.remove(&id)?;
        let waited_ms = self.clocks(p).monotonic.0 - waiter.asked_ms;
        if waited_ms > self.scenario.timeout_ms + SLACK_MS {
            self.break_rule(Rule::AnsweredLate, || format!("p{p} caller {id} waited {waited_ms:.0} ms"));
        }
        Some(waiter)
    }

    /// A caller has this token.
    pub(crate) fn serve(&mut self, p: usize, serial: Serial, waiter: Option<Waiter>) {
        self.figures.tokens += 1;
        let token = self.issued[serial];
        let late_ms = self.now as f64 / 1_000.0 - (token.iat_s + self.scenario.life_s) * 1_000.0;
        if late_ms >= self.scenario.tolerance_ms() {
            self.break_rule(Rule::ServedLate, || format!("p{p} serves t{serial} {late_ms:.0} ms after its end"));
        }
        if self.shell(p).banned.contains(&serial) {
            self.break_rule(Rule::ServedInvalidated, || format!("p{p} serves t{serial}, which was invalidated"));
        }
        if let Some(since) = waiter.and_then(|waiter| waiter.newer_than).filter(|&since| token.sent.0 < since)
            && !self.scenario.reissues
        {
            let since_s = since as f64 / 1e6;
            self.break_rule(Rule::ServedInvalidated, || {
                format!(
                    "p{p} serves t{serial} to a caller who waited at {since_s:.3} s, when the token was invalidated"
                )
            });
        }
        let plan = &self.scenario.processes[p];
        let (job, gap_ms) = (plan.job, plan.gap_ms);
        if job {
            self.note(|| format!("p{p} has t{serial} and exits"));
            self.kill(p);
            if self.is_open() {
                self.later(p, gap_ms, Input::Start);
            }
        } else if token.revoked && self.processes[p].random.chance(USES) {
            self.later(p, 20.0, Input::Unauthorized(serial, false));
        }
    }

    // The application.

    pub(crate) fn invalidate(&mut self, p: usize, named: bool) {
        if self.processes[p].shell.is_none() || self.processes[p].asleep_until > self.now {
            return;
        }
        let held = self.shell(p).held;
        if named && held.is_none() {
            return;
        }
        self.last_issue = None;
        let fingerprint = held.filter(|_| named).map(|serial| Fingerprint::of(&text_of(serial)));
        let now = self.core_now(p);
        let effects = self.shell(p).client.invalidate(fingerprint, now);
        self.invalidated(p, effects, now, !named);
    }

    /// Carries out what came of an invalidation, if it was one.
    fn invalidated(&mut self, p: usize, effects: Effects, now: Now, all: bool) {
        if effects.iter().any(|effect| matches!(effect, Effect::ClearCache)) {
            self.last_issue = None;
            self.ban(p, all);
        }
        self.shell(p).excuses = true;
        self.carry_out_all(p, effects, now);
        if let Some(shell) = &mut self.processes[p].shell {
            shell.excuses = false;
        }
    }

    /// What the shell holds, and what is under way, is not to be served from here on.
    fn ban(&mut self, p: usize, all: bool) {
        let (now, reissues) = (self.now, self.scenario.reissues);
        let shell = self.shell(p);
        shell.invalidated = true;
        if let (Some(held), false) = (shell.held, reissues) {
            shell.banned.push(held);
        }
        if let Some(writing) = shell.writing.filter(|_| all && !reissues) {
            shell.banned.push(writing.of.1);
        }
        for waiter in shell.waiters.values_mut() {
            waiter.newer_than = Some(now);
        }
    }

    fn unauthorized(&mut self, p: usize, serial: Serial, again: bool) {
        let token = Fingerprint::of(&text_of(serial));
        if again {
            let now = self.clocks(p);
            self.shell(p).client.unauthorized_again(token, now);
            return;
        }
        let now = self.core_now(p);
        let (retried, effects) = self.shell(p).client.unauthorized(token, true, now);
        self.note(|| format!("p{p} meets a 401 with t{serial}; retried: {retried}"));
        self.invalidated(p, effects, now, false);
        if retried && self.processes[p].shell.is_some() {
            self.call(p, false);
        }
    }

    // The store.

    /// An event after which flights that begin need no lease, if so.
    pub(crate) fn excused(&mut self, p: usize, excused: bool, event: impl FnOnce(&mut Client, Now) -> Effects) {
        self.shell(p).excuses = excused;
        self.update(p, event);
        if let Some(shell) = &mut self.processes[p].shell {
            shell.excuses = false;
        }
    }

    pub(crate) fn core_now(&self, p: usize) -> Now {
        let mut now = self.clocks(p);
        let origin_ms = self.processes[p].clock.origin_ms;
        match self.fault {
            Some(Fault::MonotonicAlone) => now.wall = NumericDate(EPOCH_S + now.monotonic.0 / 1_000.0),
            Some(Fault::WallAlone) => now.monotonic = Instant((now.wall.0 - EPOCH_S) * 1_000.0 + origin_ms),
            Some(Fault::NoCooldown) => {
                now.monotonic.0 += self.processes[p].shell.as_ref().map_or(0.0, |shell| shell.skew_ms)
            }
            _ => {}
        }
        now
    }
}
