//! The world: a queue of events in true time, and what happens in it. What travels is in network.rs.

use crate::check::{Figures, Rule, Violation};
use crate::clock::{Micros, micros, millis};
use crate::fault::Fault;
use crate::random::Random;
use crate::scenario::{Issued, Scenario, What};
use crate::shell::{Input, Process, Sent};
use crate::store::{Serial, Store};
use digitalpaye_auth::flight::FlightId;
use digitalpaye_auth::time::Now;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is to happen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// An incident begins.
    Incident(usize),
    /// Something comes to one life of a process.
    Input(usize, u32, Input),
    /// A command arrives at the store.
    Store(Sent),
    /// A request arrives at the API: process, its life, flight, attempt, when it was sent.
    Api(usize, u32, FlightId, u64, Micros),
}

struct Entry(Micros, u64, Event);

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// All of it.
pub struct World {
    pub(crate) scenario: Scenario,
    pub(crate) fault: Option<Fault>,
    pub(crate) now: Micros,
    queue: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
    pub(crate) processes: Vec<Process>,
    pub(crate) store: Store,
    pub(crate) issued: Vec<Issued>,
    /// When a token last came that its flight took, and until when it is fresh at least, unless something has
    /// excused another exchange since.
    pub(crate) last_issue: Option<(Micros, Micros)>,
    /// Tokens that were invalidated while they were being written, and when the store has them no more.
    pub(crate) doomed: Vec<(Serial, Micros)>,
    pub(crate) network: Random,
    pub(crate) figures: Figures,
    pub(crate) violation: Option<Violation>,
    /// What happened, in words, if somebody wants to know.
    pub trace: Option<Vec<String>>,
    store_works: bool,
    pub(crate) store_answers: bool,
    pub(crate) api_works: bool,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("seed", &self.scenario.seed).finish_non_exhaustive()
    }
}

impl World {
    /// The world of a scenario, with a fault or none.
    #[must_use]
    pub fn new(scenario: Scenario, fault: Option<Fault>, trace: bool) -> Self {
        let mut random = Random::new(scenario.seed, 2);
        let seed = scenario.seed;
        let process = |(index, plan): (usize, &crate::scenario::ProcessPlan)| Process {
            clock: plan.clock.clone(),
            random: Random::new(seed, 1_000_000 + index as u64),
            life: 0,
            asleep_until: 0,
            last_command: (0, 0),
            shell: None,
        };
        let mut world = Self {
            fault,
            now: 0,
            queue: BinaryHeap::new(),
            sequence: 0,
            processes: scenario.processes.iter().enumerate().map(process).collect(),
            store: Store::new(random.between((0.0, 1e12)), random.between((-50e-6, 50e-6))),
            issued: Vec::new(),
            last_issue: None,
            doomed: Vec::new(),
            network: Random::new(seed, 3),
            figures: Figures::default(),
            violation: None,
            trace: trace.then(Vec::new),
            store_works: scenario.store_works(),
            store_answers: scenario.store_answers(),
            api_works: scenario.api_works(),
            scenario,
        };
        for index in 0..world.scenario.processes.len() {
            let at = micros(world.scenario.processes[index].start_ms);
            world.push(at, Event::Input(index, 0, Input::Start));
        }
        for index in 0..world.scenario.incidents.len() {
            world.push(micros(world.scenario.incidents[index].at_ms), Event::Incident(index));
        }
        world
    }

    /// Runs it to its end, or to the first rule that is broken.
    pub fn run(&mut self) -> Option<Violation> {
        let scenario = &self.scenario;
        let longest_ms = scenario.incidents.iter().map(|incident| match incident.what {
            What::Sleep { for_ms, .. } | What::StoreHangs { for_ms } | What::Die { for_ms, .. } => for_ms,
            _ => 0.0,
        });
        let rest_ms = f64::from(scenario.max_retries + 3) * scenario.timeout_ms + longest_ms.sum::<f64>() + 60_000.0;
        let end = micros(scenario.duration_ms + rest_ms);
        while let Some(Reverse(Entry(at, _, event))) = self.queue.pop() {
            self.now = self.now.max(at);
            if self.now > end {
                self.break_rule(Rule::SomethingLeft, || format!("{event:?} is still to come"));
            }
            self.figures.events += 1;
            self.happen(event);
            self.check_store();
            if self.violation.is_some() {
                break;
            }
        }
        if self.violation.is_none() {
            self.check_rest();
        }
        self.violation.clone()
    }

    /// Whether calls are still made.
    pub(crate) fn is_open(&self) -> bool {
        millis(self.now) < self.scenario.duration_ms
    }

    /// Whether nothing is ever wrong with the store.
    pub(crate) fn store_works(&self) -> bool {
        self.store_works
    }

    /// From when on the most requests in one second are looked for.
    pub fn count_peak_from(&mut self, from: Micros) {
        self.figures.peak_from = from;
    }

    /// What was counted.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    pub(crate) fn push(&mut self, at: Micros, event: Event) {
        self.sequence += 1;
        self.queue.push(Reverse(Entry(at, self.sequence, event)));
    }

    /// Something comes to a process after so many milliseconds of true time.
    pub(crate) fn later(&mut self, p: usize, delay_ms: f64, input: Input) {
        let (life, at) = (self.processes[p].life, self.now + micros(delay_ms));
        let asks = matches!(input, Input::Start | Input::Call(_));
        if !asks || millis(at) < self.scenario.duration_ms {
            self.push(at, Event::Input(p, life, input));
        }
    }

    pub(crate) fn clocks(&self, p: usize) -> Now {
        self.processes[p].clock.now(self.now)
    }

    pub(crate) fn note(&mut self, words: impl FnOnce() -> String) {
        let at = millis(self.now) / 1_000.0;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{at:12.4} s  {}", words()));
        }
    }

    pub(crate) fn break_rule(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            let violation = Violation { rule, at: self.now, what: what() };
            self.note(|| format!("VIOLATION {violation}"));
            self.violation = Some(violation);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Incident(index) => self.incident(index),
            Event::Input(p, life, input) => {
                let process = &self.processes[p];
                if process.life != life {
                    return;
                }
                if process.asleep_until > self.now {
                    return self.push(process.asleep_until, event);
                }
                self.input(p, input);
            }
            Event::Store(sent) => self.store_receives(sent),
            Event::Api(p, life, flight, attempt, sent) => self.api_receives(p, life, flight, attempt, sent),
        }
    }

    fn incident(&mut self, index: usize) {
        let incident = self.scenario.incidents[index];
        self.note(|| format!("incident {}: {:?}", incident.number, incident.what));
        match incident.what {
            What::Failover { lag_ms } => self.store.fail_over(micros(lag_ms), self.now),
            What::Revoke => {
                for token in &mut self.issued {
                    token.revoked = true;
                }
                self.last_issue = None;
            }
            What::Sleep { process, for_ms } => {
                self.doomed.clear();
                let until = self.now + micros(for_ms);
                let process = &mut self.processes[process];
                if process.asleep_until <= self.now {
                    process.asleep_until = until;
                    process.clock.fall_asleep(self.now, until);
                }
                self.last_issue = None;
                if let Some(shell) = &mut process.shell {
                    shell.cooling = None;
                    for flight in &mut shell.flights {
                        flight.1.excused = true;
                    }
                }
            }
            What::Die { process, for_ms } => {
                self.doomed.clear();
                self.kill(process);
                self.last_issue = None;
                self.later(process, for_ms, Input::Start);
            }
            What::ClockStep { process, by_s } => {
                self.processes[process].clock.offset_s += by_s;
                self.last_issue = None;
                // The token may have ended by that.
                if let Some(shell) = &mut self.processes[process].shell {
                    shell.cooling = None;
                    for flight in &mut shell.flights {
                        flight.1.excused = true;
                    }
                }
            }
            What::Invalidate { process, named } => self.invalidate(process, named),
            What::Force { process } => {
                let runs = self.processes[process].shell.is_some() && self.processes[process].asleep_until <= self.now;
                if runs {
                    self.call(process, true);
                }
            }
            _ => {}
        }
    }

    /// A process is no more. What it has sent is still under way.
    pub(crate) fn kill(&mut self, p: usize) {
        self.processes[p].life += 1;
        self.processes[p].shell = None;
    }

    // The store.

    fn check_store(&mut self) {
        if !self.store_answers {
            return;
        }
        let entry = self.store.content(self.now).entry;
        if let Some((serial, _)) = entry
            && !self.scenario.reissues
            && self.doomed.iter().any(|doomed| doomed.0 == serial && doomed.1 < self.now)
        {
            self.break_rule(Rule::InvalidatedKept, || format!("the store still has t{serial}"));
        }
        let Some(((p, life), _)) = self.store.content(self.now).lease else { return };
        let process = &self.processes[p];
        if process.life != life || process.asleep_until > self.now {
            return;
        }
        let Some(shell) = &process.shell else { return };
        let idle_ms = millis(self.now - shell.idle_since.max(process.asleep_until));
        // An answer that is late comes and is answered: three ways, and the command before it on the same connection.
        let patience_ms = 4.0 * self.scenario.longest_store_latency_ms() + 100.0;
        if shell.flights.is_empty() && idle_ms > patience_ms {
            self.break_rule(Rule::LeaseKept, || format!("p{p} has had no flight for {idle_ms:.0} ms"));
        }
    }

    fn check_rest(&mut self) {
        for p in 0..self.processes.len() {
            let Some(shell) = &self.processes[p].shell else { continue };
            let left = (shell.waiters.len(), shell.flights.len());
            if left != (0, 0) {
                self.break_rule(Rule::SomethingLeft, || format!("p{p}: {} callers, {} flights", left.0, left.1));
            }
        }
    }
}
