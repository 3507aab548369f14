//! The lease protocol, explored to the end: every order in which the messages of two or three real clients, one store and the
//! API can arrive, with crashes, pauses and messages that are late. See README.md.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic: that is how it fails"
)]

mod machine;

use digitalpaye_simulation::store::{Command, Reply};
use machine::{Input, Machine, Output, Task};
use stateright::{Checker, HasDiscoveries, Model, Property};

/// What may go wrong in one run, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Troubles {
    crashes: u8,
    pauses: u8,
    /// A timer fires while a message is under way.
    late: u8,
    /// The API answers 503.
    refusals: u8,
}

#[derive(Clone, Copy, Debug)]
struct Protocol {
    processes: usize,
    most: Troubles,
    faulty: bool,
}

/// A message under way. Those of one process to the store do not overtake each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Message {
    ToStore(Task, StoreCommand),
    FromStore(Task, StoreReply),
    Request(u32),
}

/// As `Command` and `Reply`, but in whole milliseconds, which can be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum StoreCommand {
    Get,
    Set(usize),
    Acquire(u64),
    Release,
}
type StoreReply = machine::Answer;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Process {
    /// All that it was told, and when: what it is follows from that.
    history: Vec<(u64, Input)>,
    alive: bool,
    paused: bool,
    messages: Vec<Message>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    now: u64,
    entry: Option<usize>,
    lease: Option<(usize, u64)>,
    processes: Vec<Process>,
    issued: usize,
    requests: u32,
    had: Troubles,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    /// The first message of a process to or from the store, or its request, arrives.
    Arrive(usize, usize),
    Refuse(usize, usize),
    Timer,
    Crash(usize),
    Pause(usize),
    Resume(usize),
}

impl Protocol {
    fn tell(&self, state: &mut State, p: usize, input: Input) {
        let process = &mut state.processes[p];
        let mut machine = Machine::replay(&process.history);
        let outputs = machine.tell(state.now, input.clone());
        process.history.push((state.now, input));
        for output in outputs {
            let message = match output {
                Output::Store(task, Command::Get) => Message::ToStore(task, StoreCommand::Get),
                Output::Store(task, Command::Set(serial, ..)) => Message::ToStore(task, StoreCommand::Set(serial)),
                Output::Store(task, Command::Acquire(_, ms)) => {
                    Message::ToStore(task, StoreCommand::Acquire(ms as u64))
                }
                // A planted fault: the model finds a lease that nobody gives back.
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
    fn next_timer(&self) -> Option<(u64, usize, Input)> {
        let timers = self.processes.iter().enumerate().filter(|(_, process)| process.alive && !process.paused);
        timers
            .filter_map(|(p, process)| {
                Machine::replay(&process.history).next_timer().map(|(due, input)| (due, p, input))
            })
            .min_by_key(|timer| (timer.0, timer.1))
    }

    /// The messages of a process that can arrive now: one of each direction of its connection, and its requests.
    fn arrivals(&self, p: usize) -> Vec<usize> {
        let process = &self.processes[p];
        let first = |is: fn(&Message) -> bool| process.messages.iter().position(is);
        let to = first(|message| matches!(message, Message::ToStore(..)));
        let hears = process.alive && !process.paused;
        let from = first(|message| matches!(message, Message::FromStore(..))).filter(|_| hears);
        let request = first(|message| matches!(message, Message::Request(_))).filter(|_| hears);
        [to, from, request].into_iter().flatten().collect()
    }

    fn is_over(&self) -> bool {
        self.next_timer().is_none()
            && (0..self.processes.len()).all(|p| self.arrivals(p).is_empty() && !self.processes[p].paused)
    }
}

impl Model for Protocol {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let process = Process { history: Vec::new(), alive: true, paused: false, messages: Vec::new() };
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
            let busy = process.alive && Machine::replay(&process.history).is_busy();
            if busy && !process.paused && state.had.crashes < self.most.crashes {
                actions.push(Action::Crash(p));
            }
            if busy && !process.paused && state.had.pauses < self.most.pauses {
                actions.push(Action::Pause(p));
            }
            if process.paused {
                actions.push(Action::Resume(p));
            }
        }
        if state.next_timer().is_some() && (!pending || state.had.late < self.most.late) {
            actions.push(Action::Timer);
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
            Action::Timer => {
                let pending = (0..state.processes.len()).any(|p| !state.arrivals(p).is_empty());
                state.had.late += u8::from(pending);
                let (due, p, input) = state.next_timer()?;
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
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one exchange, and one more for each trouble at most", |_, state: &State| {
                let Troubles { crashes, pauses, late, refusals } = state.had;
                state.requests <= u32::from(1 + crashes + pauses + late + refusals)
            }),
            Property::always("no lease is longer than 5 s", |_, state: &State| {
                state.lease.is_none_or(|lease| lease.1 <= state.now + 5_000)
            }),
            Property::always("every caller is answered, with a token, and in its time", |_, state: &State| {
                state.processes.iter().filter(|process| process.alive).all(|process| {
                    let machine = Machine::replay(&process.history);
                    let late = machine.waits() && !process.paused && state.now > machine::TIMEOUT_MS;
                    !late && !machine.failed() && (!state.is_over() || !machine.waits())
                })
            }),
            Property::always("nothing is left in the end, nor a lease of who is alive", |_, state: &State| {
                let lease = state.lease.filter(|lease| lease.1 > state.now && state.processes[lease.0].alive);
                let busy = |process: &Process| process.alive && Machine::replay(&process.history).is_busy();
                !state.is_over() || (lease.is_none() && !state.processes.iter().any(busy))
            }),
            Property::eventually("every run ends", |_, state: &State| state.is_over()),
            Property::sometimes("one gets the token of another", |_, state: &State| {
                state.is_over() && state.requests == 1 && state.processes.iter().all(|process| process.alive)
            }),
        ]
    }
}

fn explore(processes: usize, crashes: u8, pauses: u8, late: u8, refusals: u8) {
    let most = Troubles { crashes, pauses, late, refusals };
    let began = std::time::Instant::now();
    let checker = Protocol { processes, most, faulty: false }.checker().threads(2).spawn_dfs().join();
    println!(
        "{processes} processes, {most:?}: {} states, depth {}, {:.1} s",
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    checker.assert_properties();
}

#[test]
fn two_processes_and_nothing_goes_wrong() {
    explore(2, 0, 0, 0, 0);
}

#[test]
fn two_processes_and_one_crashes() {
    explore(2, 1, 0, 0, 0);
}

#[test]
fn two_processes_and_one_pauses() {
    explore(2, 0, 1, 0, 0);
}

#[test]
fn two_processes_and_one_message_is_late() {
    explore(2, 0, 0, 1, 0);
}

#[test]
fn two_processes_and_the_api_refuses_once() {
    explore(2, 0, 0, 0, 1);
}

/// Larger ones by command: `LEASE_MODEL=3,1,0,0,0` has three processes, of which one crashes.
#[test]
fn as_many_as_the_environment_says() {
    let words = std::env::var("LEASE_MODEL").unwrap_or_else(|_| String::from("3,0,0,0,0"));
    let numbers: Vec<u8> = words.split(',').map(|word| word.parse().unwrap()).collect();
    let [processes, crashes, pauses, late, refusals] = numbers[..] else { panic!("LEASE_MODEL takes five numbers") };
    explore(processes.into(), crashes, pauses, late, refusals);
}

#[test]
fn a_lease_that_nobody_gives_back_is_found() {
    let model = Protocol { processes: 2, most: Troubles::default(), faulty: true };
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    assert!(checker.discovery("nothing is left in the end, nor a lease of who is alive").is_some());
}
