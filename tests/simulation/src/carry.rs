//! Carries the client's effects out, in order, as `src/web/client.rs` does.

use crate::check::Rule;
use crate::clock::{micros, millis};
use crate::fault::Fault;
use crate::input::{serial_of, text_of};
use crate::scenario::StoreKind;
use crate::shell::{FlightShell, Input, Task, Writing};
use crate::store::{Command, Serial};
use crate::world::World;
use digitalpaye_auth::client::Client;
use digitalpaye_auth::effect::{Effect, Effects, LeaseTtl};
use digitalpaye_auth::error::Code;
use digitalpaye_auth::event::Event;
use digitalpaye_auth::flight::{ANSWER_MS, FlightId};
use digitalpaye_auth::refresh::COOLDOWN_MS;
use digitalpaye_auth::time::Now;

impl World {
    /// Tells the client what happened, and carries out what comes of it.
    pub(crate) fn update(&mut self, p: usize, event: impl FnOnce(&mut Client, Now) -> Effects) {
        let now = self.core_now(p);
        let effects = event(&mut self.shell(p).client, now);
        self.carry_out_all(p, effects, now);
    }

    pub(crate) fn carry_out_all(&mut self, p: usize, effects: Effects, now: Now) {
        let life = self.processes[p].life;
        for effect in effects {
            // It exited with its token.
            if self.processes[p].life != life {
                return;
            }
            self.carry_out(p, effect, now);
        }
    }

    fn carry_out(&mut self, p: usize, effect: Effect, now: Now) {
        if !matches!(effect, Effect::SetTimer { .. }) {
            self.note(|| format!("p{p}   {effect:?}"));
        }
        match effect {
            Effect::BeginFlight(id) => self.begin_flight(p, id),
            Effect::SetTimer { flight, delay_ms, .. } => {
                let shell = self.shell(p);
                let number = shell.number();
                let Some(state) = shell.flight(flight) else { return };
                state.timer = number;
                if !matches!(self.fault, Some(Fault::NoFlightTimers | Fault::NoTimers)) {
                    let due_ms = self.clocks(p).monotonic.0 + delay_ms;
                    self.set_timer(p, delay_ms, Input::FlightTimer(flight, number, due_ms));
                }
            }
            Effect::NameEntry(flight, _) => self.later(p, 0.1, Input::Named(flight)),
            Effect::ReadStore(flight) => {
                self.send_command(p, Task::Read(flight, self.clocks(p).monotonic.0), Command::Get)
            }
            Effect::AcquireLease(flight, ttl) => self.acquire(p, flight, ttl),
            Effect::AskSecret(_) | Effect::Rethrow(..) => unreachable!("secrets are fixed, and no framework throws"),
            Effect::SendRequest { flight, .. } => self.send(p, flight),
            Effect::AbortRequest(flight) => {
                if self.shell(p).flight(flight).is_some_and(|flight| flight.attempt.take().is_some()) {
                    self.later(p, 0.0, Input::GivenUp(flight));
                }
            }
            Effect::AwaitDeletion(flight) => match self.shell(p).deleting {
                None => self.update(p, |client, now| client.deletion_finished(flight, now)),
                Some(deletion) => self.shell(p).awaiting.push((deletion, flight)),
            },
            Effect::WriteStore(flight, token, ttl_s) => self.write(p, flight, serial_of(&token.token), ttl_s),
            Effect::ReleaseLease(flight) => self.release(p, flight),
            Effect::EndFlight(flight) => self.end_flight(p, flight),
            Effect::CacheToken(token, fresh_until) => {
                let serial = serial_of(&token.token);
                let late_ms = self.scenario.life_s * 1_000.0 + 30_000.0;
                let until = if self.fault == Some(Fault::ServedLate) { now.plus(late_ms) } else { fresh_until };
                let shell = self.shell(p);
                (shell.cache, shell.held) = (Some((serial, until)), Some(serial));
                shell.invalidated = false;
                shell.cooling = None;
            }
            Effect::ClearCache => {
                if self.fault != Some(Fault::LostInvalidation) {
                    self.shell(p).cache = None;
                }
            }
            Effect::DeleteStored { held } => {
                if self.fault != Some(Fault::LostInvalidation) {
                    let token = self.shell(p).held.filter(|_| held);
                    self.delete(p, token);
                    if let Some(writing) = &mut self.shell(p).writing {
                        writing.delete_after = true;
                        let serial = writing.of.1;
                        let patience_ms = ANSWER_MS + 6.0 * self.scenario.longest_store_latency_ms() + 200.0;
                        self.doomed.push((serial, self.now + micros(patience_ms)));
                    }
                }
            }
            Effect::Resolve(caller) => {
                if let Some(waiter) = self.take_waiter(p, caller.id) {
                    let held = self.shell(p).held.unwrap();
                    self.serve(p, held, Some(waiter));
                }
            }
            Effect::Reject(caller, error) => {
                if let Some(waiter) = self.take_waiter(p, caller.id) {
                    self.figures.errors += 1;
                    // A token may end on the way to a machine that sleeps, or whose clock is set.
                    let ended = error.code == Code::InvalidResponse && self.scenario.clocks_jump();
                    if self.api_works && !ended && !waiter.force && self.scenario.timeout_ms > 5_000.0 {
                        self.break_rule(Rule::NeedlessError, || format!("p{p} caller {}: {error:?}", caller.id));
                    }
                    self.failed_job(p);
                }
            }
            Effect::Report(event) => self.reported(p, &event),
        }
    }

    /// A job that gets no token exits, and is started again.
    fn failed_job(&mut self, p: usize) {
        let plan = &self.scenario.processes[p];
        if plan.job {
            let gap_ms = plan.gap_ms;
            self.kill(p);
            if self.is_open() {
                self.later(p, gap_ms, Input::Start);
            }
        }
    }

    fn reported(&mut self, p: usize, event: &Event) {
        let Event::Failure { ttl_s, background, .. } = event else { return };
        let now_ms = self.clocks(p).monotonic.0;
        if *ttl_s > 0.0 && *background {
            self.shell(p).cooling = Some((now_ms + COOLDOWN_MS, now_ms + ttl_s * 1_000.0));
            if self.fault == Some(Fault::NoCooldown) {
                self.shell(p).skew_ms += COOLDOWN_MS;
            }
        }
    }

    // Flights.

    fn begin_flight(&mut self, p: usize, id: FlightId) {
        let (now, now_ms) = (self.now, self.clocks(p).monotonic.0);
        let shell = self.shell(p);
        let excused = shell.excuses || shell.invalidated;
        let flight = FlightShell { timer: 0, attempt: None, began: (now, now_ms), excused, attempts: 0, leased: false };
        shell.flights.push((id, flight));
        let longest_ms =
            f64::from(self.scenario.max_retries + 2) * self.scenario.timeout_ms + 3.0 * ANSWER_MS + 1_000.0;
        let old =
            self.shell(p).flights.iter().find(|flight| now_ms - flight.1.began.1 > longest_ms).map(|flight| flight.0);
        if let Some(old) = old {
            self.break_rule(Rule::FlightGoesOn, || {
                format!("p{p} flight {old} has been under way for over {longest_ms} ms")
            });
        }
        self.later(p, 0.0, Input::Begin(id));
    }

    fn end_flight(&mut self, p: usize, id: FlightId) {
        if self.fault == Some(Fault::FlightNeverEnds) {
            return;
        }
        let now = self.now;
        let shell = self.shell(p);
        let before = shell.flights.len();
        shell.flights.retain(|flight| flight.0 != id);
        if before > 0 && shell.flights.is_empty() {
            shell.idle_since = now;
        }
        // Who waits for a write is let go with its flight.
        if let Some(writing) = shell.writing.filter(|writing| writing.of.0 == id) {
            self.written(p, id, writing.id, false);
        }
    }

    fn send(&mut self, p: usize, id: FlightId) {
        self.check_request(p, id);
        let shell = self.shell(p);
        let attempt = shell.number();
        let Some(flight) = shell.flight(id) else { return };
        flight.attempts += 1;
        flight.attempt = Some(attempt);
        self.send_request(p, id, attempt);
    }

    /// What must hold when a request is sent.
    fn check_request(&mut self, p: usize, id: FlightId) {
        let now_ms = self.clocks(p).monotonic.0;
        let (timeout_ms, retries) = (self.scenario.timeout_ms, self.scenario.max_retries);
        let life = self.processes[p].life;
        let shell = self.shell(p);
        let (refused_until_ms, cooling) = (shell.refused_until_ms, shell.cooling);
        let Some(flight) = shell.flight(id).copied() else { return };
        if now_ms < refused_until_ms - 2.0 {
            let left_ms = refused_until_ms - now_ms;
            self.break_rule(Rule::AskedTooEarly, || format!("p{p} asks {left_ms:.0} ms before Retry-After is over"));
        }
        if flight.attempts > retries {
            self.break_rule(Rule::TooManyAttempts, || {
                format!("p{p} flight {id} makes attempt {}", flight.attempts + 1)
            });
        }
        // Half of a call's time belongs to the exchange, with or without the lease.
        let excused = flight.excused || now_ms - flight.began.1 >= timeout_ms / 2.0 - 5.0;
        if let Some((until_ms, good_until_ms)) = cooling
            && flight.attempts == 0
            && !excused
            && now_ms < until_ms - 2.0
            && now_ms < good_until_ms
        {
            self.break_rule(Rule::NoCooldown, || {
                format!("p{p} asks {:.0} ms before its cooldown is over", until_ms - now_ms)
            });
        }
        if excused || !self.store_works() {
            return;
        }
        let holder = self.store.content(self.now).lease.map(|lease| lease.0);
        if holder != Some((p, life)) {
            self.break_rule(Rule::ExchangedWithoutLease, || {
                format!("p{p} flight {id} asks; the lease is of {holder:?}")
            });
        }
        if let Some((last, fresh_until)) = self.last_issue
            && flight.attempts == 0
            && self.scenario.date == crate::scenario::DateKind::Right
            && !self.scenario.reissues
            && flight.began.0 > last + 1_000_000
            && self.now < fresh_until
        {
            let ago_ms = millis(self.now - last);
            self.break_rule(Rule::ExchangedTwice, || format!("p{p} asks {ago_ms:.0} ms after the last token came"));
        }
    }

    // The store, by way of `pkg/stores/remote.js`.

    fn acquire(&mut self, p: usize, id: FlightId, LeaseTtl(ttl_s): LeaseTtl) {
        let now_ms = self.clocks(p).monotonic.0;
        let owner = (p, self.processes[p].life);
        let shell = self.shell(p);
        let ticket = shell.number();
        let renewal = shell.flight(id).is_some_and(|flight| std::mem::replace(&mut flight.leased, true));
        let renewed = renewal && self.holds_lease(p);
        if renewed && self.fault == Some(Fault::LeaseNotRenewed) {
            return;
        }
        self.shell(p).ticket = Some(ticket);
        let ms = if self.fault == Some(Fault::EndlessLease) { 1e9 } else { (ttl_s * 1_000.0).floor() };
        self.send_command(p, Task::Acquire(id, ticket, now_ms), Command::Acquire(owner, ms));
    }

    fn holds_lease(&self, p: usize) -> bool {
        self.store.content(self.now).lease.is_some_and(|lease| lease.0 == (p, self.processes[p].life))
    }

    fn release(&mut self, p: usize, id: FlightId) {
        let owner = (p, self.processes[p].life);
        let had = self.shell(p).ticket.take().is_some();
        if had && self.fault != Some(Fault::LeaseNotReleased) {
            self.send_command(p, Task::Release(id), Command::Release(owner));
        } else {
            // Nothing to give back: the adapter resolves at once.
            self.later(p, 0.0, Input::Answer(Task::Release(id), None));
        }
    }

    fn write(&mut self, p: usize, id: FlightId, serial: Serial, ttl_s: f64) {
        let ttl_s = if self.fault == Some(Fault::WholeLifeStored) { self.scenario.life_s } else { ttl_s };
        let (asked, life_ms) = (self.clocks(p), (ttl_s * 1_000.0).floor());
        // What the exchange took counts twice where `Date` is of the reply and the life is counted from the request.
        let took_ms = millis(self.now - self.issued[serial].sent.0);
        let fresh_ms = 0.7 * (self.scenario.life_s * 1_000.0 - 2.0 * took_ms - 2_000.0);
        // What a process knows of the server's clock is behind by what it has slept since, and the entry's life is too short.
        let process = &self.processes[p];
        let knows_time = process.last_command.1 >= process.asleep_until;
        // Nor does a token live as long for a process whose clock jumped while it was asked for.
        let jumped = self.scenario.clocks_jump() && self.shell(p).flight(id).is_none_or(|flight| flight.excused);
        self.last_issue = (knows_time && !jumped).then_some((self.now, self.now + micros(fresh_ms)));
        let early = self.fault == Some(Fault::DeliveredBeforeWritten);
        let shell = self.shell(p);
        let number = shell.number();
        shell.writing = Some(Writing { id: number, of: (id, serial), delete_after: false });
        if early {
            self.later(
                p,
                300.0,
                Input::Answer(Task::Clock(id, number, serial, asked, life_ms), Some((0.0, crate::store::Reply::Done))),
            );
            return self
                .update(p, |client, now| client.store_written(id, &digitalpaye_auth::flight::Answer::Value(()), now));
        }
        if shell.offset_ms.is_none() {
            return self.send_command(p, Task::Clock(id, number, serial, asked, life_ms), Command::Time);
        }
        self.send_write(p, id, number, serial, asked, life_ms);
    }

    pub(crate) fn send_write(&mut self, p: usize, id: FlightId, number: u64, serial: Serial, asked: Now, life_ms: f64) {
        let now = self.clocks(p);
        let used_ms = match self.fault {
            Some(Fault::WrittenAfterSleep) => now.monotonic.since(asked.monotonic),
            _ => now.elapsed_since(asked),
        };
        let left_ms = (life_ms - used_ms).floor();
        let end_ms = now.monotonic.0 + left_ms;
        if left_ms < 1.0 {
            return self.written(p, id, number, true);
        }
        let offset_ms = self.shell(p).offset_ms.filter(|_| self.fault != Some(Fault::LateWriteNotBounded));
        let ending = offset_ms.map(|offset_ms| (offset_ms + end_ms).floor());
        self.note(|| format!("p{p}   writes {} for {left_ms:.0} ms", text_of(serial)));
        self.send_command(p, Task::Write(id, number), Command::Set(serial, left_ms, ending));
    }

    pub(crate) fn delete(&mut self, p: usize, token: Option<Serial>) {
        if self.scenario.store == StoreKind::None {
            return;
        }
        let shell = self.shell(p);
        let number = shell.number();
        shell.deleting = Some(number);
        let due_ms = self.clocks(p).monotonic.0 + ANSWER_MS;
        self.set_timer(p, ANSWER_MS, Input::DeletionTimer(number, due_ms));
        self.send_command(p, Task::Delete(number), Command::Delete(token));
    }
}
