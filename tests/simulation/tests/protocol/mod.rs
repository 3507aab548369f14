//! The model: what a state is, what can happen in it, and what must be so.

use crate::machine::{self, Facts, Input, Machine, Output, Task};
use digitalpaye_simulation::store::{Command, Reply};
use stateright::{Model, Property, Representative};
use std::sync::Arc;

/// What may go wrong in one run, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Troubles {
    pub(crate) crashes: u8,
    pub(crate) pauses: u8,
    /// A timer fires while a message is under way.
    pub(crate) late: u8,
    /// The API answers 503.
    pub(crate) refusals: u8,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Protocol {
    pub(crate) processes: usize,
    pub(crate) most: Troubles,
    /// A planted fault: nobody gives a lease back.
    pub(crate) faulty: bool,
    /// What makes no difference any more is forgotten, and so is which process is which.
    pub(crate) reduced: bool,
}

/// A message under way. Those of one process to the store do not overtake each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    ToStore(Task, StoreCommand),
    FromStore(Task, StoreReply),
    Request(u32),
}

/// As `Command` and `Reply`, but in whole milliseconds, which can be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum StoreCommand {
    Get,
    Set(usize),
    Acquire(u64),
    Release,
}
pub(crate) type StoreReply = machine::Answer;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process {
    /// All that it was told, and when: what it is follows from that.
    history: Arc<Vec<(u64, Input)>>,
    pub(crate) facts: Facts,
    pub(crate) alive: bool,
    paused: bool,
    /// Its caller got an error while the API kept it waiting.
    let_down: bool,
    messages: Vec<Message>,
}

impl Process {
    fn hears(&self) -> bool {
        self.alive && !self.paused
    }

    /// Forgets how it came to where it is, if nothing more will reach it. What differs in that alone is one state.
    fn forget_what_is_over(&mut self) {
        if !self.alive || (!self.facts.busy && self.messages.is_empty()) {
            self.history = Arc::default();
            self.facts = Facts { failed: self.facts.failed, ..Facts::default() };
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) now: u64,
    entry: Option<usize>,
    lease: Option<(usize, u64)>,
    pub(crate) processes: Vec<Process>,
    issued: usize,
    pub(crate) requests: u32,
    had: Troubles,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// The first message of a process to or from the store, or its request, arrives.
    Arrive(usize, usize),
    Refuse(usize, usize),
    /// The earliest timer, or one of those that are due together.
    Timer(usize),
    Crash(usize),
    Pause(usize),
    Resume(usize),
}

impl Protocol {
    fn tell(&self, state: &mut State, p: usize, input: Input) {
        let process = &mut state.processes[p];
        let mut machine = Machine::replay(&process.history);
        let outputs = machine.tell(state.now, input.clone());
        let failed_before = process.facts.failed;
        process.facts = machine.facts();
        if process.facts.failed && !failed_before {
            process.let_down = process.messages.iter().any(|message| matches!(message, Message::Request(_)));
        }
        Arc::make_mut(&mut process.history).push((state.now, input));
        for output in outputs {
            let message = match output {
                Output::Store(task, Command::Get) => Message::ToStore(task, StoreCommand::Get),
                Output::Store(task, Command::Set(serial, ..)) => Message::ToStore(task, StoreCommand::Set(serial)),
                Output::Store(task, Command::Acquire(_, ms)) => {
                    Message::ToStore(task, StoreCommand::Acquire(ms as u64))
                }
                Output::Store(_, Command::Release(_)) if self.faulty => continue,
                Output::Store(task, Command::Release(_)) => Message::ToStore(task, StoreCommand::Release),
                Output::Store(..) => continue,
                Output::Request(flight) => {
                    state.requests += 1;
                    Message::Request(flight)
                }
            };
            process.messages.push(message);
        }
    }

    fn execute(&self, state: &mut State, p: usize, command: StoreCommand) -> StoreReply {
        let lease = state.lease.filter(|lease| lease.1 > state.now);
        state.lease = lease;
        match command {
            StoreCommand::Get => Reply::Entry(state.entry.map(|serial| (serial, 50_000.0))).into(),
            StoreCommand::Set(serial) => {
                state.entry = Some(serial);
                Reply::Done.into()
            }
            StoreCommand::Acquire(ms) => {
                let granted = lease.is_none_or(|lease| lease.0 == p);
                if granted {
                    state.lease = Some((p, state.now + ms));
                }
                Reply::Granted(granted).into()
            }
            StoreCommand::Release => {
                state.lease = lease.filter(|lease| lease.0 != p);
                Reply::Done.into()
            }
        }
    }
}

impl State {
    /// When the next timers are due.
    fn due(&self) -> Option<u64> {
        let hearing = self.processes.iter().filter(|process| process.hears());
        hearing.filter_map(|process| process.facts.timer.as_ref()).map(|timer| timer.0).min()
    }

    /// The messages of a process that can arrive now: one of each direction of its connection, and its requests.
    fn arrivals(&self, p: usize) -> Vec<usize> {
        let process = &self.processes[p];
        let first = |is: fn(&Message) -> bool| process.messages.iter().position(is);
        let to = first(|message| matches!(message, Message::ToStore(..)));
        let from = first(|message| matches!(message, Message::FromStore(..))).filter(|_| process.hears());
        let request = first(|message| matches!(message, Message::Request(_))).filter(|_| process.hears());
        [to, from, request].into_iter().flatten().collect()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.due().is_none()
            && (0..self.processes.len()).all(|p| self.arrivals(p).is_empty() && !self.processes[p].paused)
    }
}

/// The processes are alike: which of them does what makes no difference.
impl Representative for State {
    fn representative(&self) -> Self {
        let mut order: Vec<usize> = (0..self.processes.len()).collect();
        let has_lease = |p: usize| self.lease.is_some_and(|lease| lease.0 == p);
        order.sort_by_key(|&p| (&self.processes[p], has_lease(p)));
        let place = |p| order.iter().position(|&other| other == p).unwrap();
        Self {
            processes: order.iter().map(|&p| self.processes[p].clone()).collect(),
            lease: self.lease.map(|(p, until)| (place(p), until)),
            ..*self
        }
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let process = Process {
            history: Arc::default(),
            facts: Facts::default(),
            alive: true,
            paused: false,
            let_down: false,
            messages: Vec::new(),
        };
        let processes = vec![process; self.processes];
        let mut state =
            State { now: 0, entry: None, lease: None, processes, issued: 0, requests: 0, had: Troubles::default() };
        for p in 0..self.processes {
            self.tell(&mut state, p, Input::Call);
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let mut pending = false;
        for p in 0..state.processes.len() {
            let process = &state.processes[p];
            for index in state.arrivals(p) {
                pending = true;
                actions.push(Action::Arrive(p, index));
                if matches!(process.messages[index], Message::Request(_)) && state.had.refusals < self.most.refusals {
                    actions.push(Action::Refuse(p, index));
                }
            }
            if process.facts.busy && process.hears() && state.had.crashes < self.most.crashes {
                actions.push(Action::Crash(p));
            }
            if process.facts.busy && process.hears() && state.had.pauses < self.most.pauses {
                actions.push(Action::Pause(p));
            }
            if process.paused {
                actions.push(Action::Resume(p));
            }
        }
        if let Some(due) = state.due()
            && (!pending || state.had.late < self.most.late)
        {
            let is_due =
                |process: &Process| process.hears() && process.facts.timer.as_ref().is_some_and(|timer| timer.0 == due);
            let timers = (0..state.processes.len()).filter(|&p| is_due(&state.processes[p]));
            actions.extend(timers.map(Action::Timer));
        }
    }

    fn next_state(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Arrive(p, index) => match state.processes[p].messages.remove(index) {
                Message::ToStore(task, command) => {
                    let reply = self.execute(&mut state, p, command);
                    if state.processes[p].alive {
                        state.processes[p].messages.push(Message::FromStore(task, reply));
                    }
                }
                Message::FromStore(task, reply) => self.tell(&mut state, p, Input::Store(task, reply)),
                Message::Request(flight) => {
                    let serial = state.issued;
                    state.issued += 1;
                    self.tell(&mut state, p, Input::Api(flight, Some(serial)));
                }
            },
            Action::Refuse(p, index) => {
                state.had.refusals += 1;
                let Message::Request(flight) = state.processes[p].messages.remove(index) else { return None };
                self.tell(&mut state, p, Input::Api(flight, None));
            }
            Action::Timer(p) => {
                let pending = (0..state.processes.len()).any(|p| !state.arrivals(p).is_empty());
                state.had.late += u8::from(pending);
                let (due, input) = state.processes[p].facts.timer.clone()?;
                state.now = state.now.max(due);
                self.tell(&mut state, p, input);
            }
            Action::Crash(p) => {
                state.had.crashes += 1;
                let process = &mut state.processes[p];
                process.alive = false;
                // What was sent still arrives.
                process.messages.retain(|message| matches!(message, Message::ToStore(..)));
            }
            Action::Pause(p) => {
                state.had.pauses += 1;
                state.processes[p].paused = true;
            }
            Action::Resume(p) => state.processes[p].paused = false,
        }
        if self.reduced {
            state.processes.iter_mut().for_each(Process::forget_what_is_over);
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one exchange, and one more for each trouble at most", |_, state: &State| {
                let Troubles { crashes, pauses, late, refusals } = state.had;
                let gone = crashes + pauses + late;
                // Who has waited for the lease for half of its time asks without it. If the first one is refused, so does the next.
                let each = if gone > 0 && refusals > 0 { state.processes.len() as u32 - 2 } else { 0 };
                state.requests <= u32::from(1 + gone + refusals) + each
            }),
            Property::always("no lease is longer than 5 s", |_, state: &State| {
                state.lease.is_none_or(|lease| lease.1 <= state.now + 5_000)
            }),
            Property::always(
                "every caller is answered in its time, with a token unless the API keeps it waiting",
                |_, state: &State| {
                    state.processes.iter().filter(|process| process.alive).all(|process| {
                        let Facts { waits, failed, .. } = process.facts;
                        let late = waits && !process.paused && state.now > machine::TIMEOUT_MS;
                        !late && (!failed || process.let_down) && (!state.is_over() || !waits)
                    })
                },
            ),
            Property::always("nothing is left in the end, nor a lease of who is alive", |_, state: &State| {
                let lease = state.lease.filter(|lease| lease.1 > state.now && state.processes[lease.0].alive);
                let busy = |process: &Process| process.alive && process.facts.busy;
                !state.is_over() || (lease.is_none() && !state.processes.iter().any(busy))
            }),
            Property::eventually("every run ends", |_, state: &State| state.is_over()),
            Property::sometimes("one gets the token of another", |_, state: &State| {
                state.is_over() && state.requests == 1 && state.processes.iter().all(|process| process.alive)
            }),
        ]
    }
}
