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
mod protocol;

use protocol::{Protocol, State, Troubles};
use stateright::{Checker, HasDiscoveries, Model, StateRecorder};
use std::collections::BTreeSet;

fn explore(processes: usize, crashes: u8, pauses: u8, late: u8, refusals: u8) {
    let most = Troubles { crashes, pauses, late, refusals };
    let began = std::time::Instant::now();
    let protocol = Protocol { processes, most, faulty: false, reduced: true };
    let checker = protocol.checker().symmetry().threads(2).spawn_dfs().join();
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

#[test]
fn three_processes_and_one_crashes_while_the_api_refuses_once() {
    explore(3, 1, 0, 0, 1);
}

#[test]
fn three_processes_and_one_pauses() {
    explore(3, 0, 1, 0, 0);
}

/// Larger ones by command: `LEASE_MODEL=3,1,1,0,0` has three processes, of which one crashes and one pauses.
#[test]
fn as_many_as_the_environment_says() {
    let words = std::env::var("LEASE_MODEL").unwrap_or_else(|_| String::from("3,0,0,0,0"));
    let numbers: Vec<u8> = words.split(',').map(|word| word.parse().unwrap()).collect();
    let [processes, crashes, pauses, late, refusals] = numbers[..] else { panic!("LEASE_MODEL takes five numbers") };
    explore(processes.into(), crashes, pauses, late, refusals);
}

/// When a run ends, after how many requests, and of each process whether it is alive and its caller got an error.
type Ending = (u64, u32, Vec<(bool, bool)>);

/// How runs may end.
fn endings(protocol: Protocol) -> BTreeSet<Ending> {
    let (recorder, states) = StateRecorder::new_with_accessor();
    let checker = protocol.checker().visitor(recorder);
    let checker = if protocol.reduced { checker.symmetry().spawn_dfs().join() } else { checker.spawn_dfs().join() };
    checker.assert_properties();
    let over = states().into_iter().filter(State::is_over);
    over.map(|state| {
        let mut callers: Vec<_> = state.processes.iter().map(|each| (each.alive, each.facts.failed)).collect();
        callers.sort_unstable();
        (state.now, state.requests, callers)
    })
    .collect()
}

#[test]
fn what_is_forgotten_makes_no_difference() {
    let most = Troubles { crashes: 1, refusals: 1, ..Troubles::default() };
    let whole = Protocol { processes: 2, most, faulty: false, reduced: false };
    let reduced = endings(Protocol { reduced: true, ..whole });
    assert!(reduced.len() > 5, "{reduced:?}");
    assert_eq!(endings(whole), reduced);
}

#[test]
fn a_lease_that_nobody_gives_back_is_found() {
    for processes in [2, 3] {
        let protocol = Protocol { processes, most: Troubles::default(), faulty: true, reduced: true };
        let checker = protocol.checker().symmetry().finish_when(HasDiscoveries::AnyFailures).spawn_dfs().join();
        assert!(checker.discovery("nothing is left in the end, nor a lease of who is alive").is_some());
    }
}
