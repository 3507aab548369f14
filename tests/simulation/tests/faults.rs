//! Every planted fault is found, by a seed, as the rule that it breaks.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic: that is how it fails"
)]

use digitalpaye_simulation::fault::Fault;
use digitalpaye_simulation::run::{run, shrink};
use digitalpaye_simulation::scenario::Scenario;

/// `NoJitter` is not here: one client without it does nothing wrong. `fleets.rs` finds it.
const FOUND_BY: [(Fault, u64); 21] = [
    (Fault::EndlessLease, 0),
    (Fault::LeaseNotRenewed, 67),
    (Fault::LeaseNotReleased, 2),
    (Fault::LateLeaseKept, 315),
    (Fault::ServedLate, 0),
    (Fault::LostInvalidation, 2),
    (Fault::RefusalForgotten, 13),
    (Fault::DeliveredBeforeWritten, 2),
    (Fault::MonotonicAlone, 2),
    (Fault::WallAlone, 116),
    (Fault::UnboundedRetries, 3),
    (Fault::NoFlightTimers, 3),
    (Fault::NoTimers, 3),
    (Fault::WholeLifeStored, 15),
    (Fault::WholeLifeRead, 0),
    (Fault::LateWriteNotBounded, 151),
    (Fault::WrittenAfterSleep, 7_576),
    (Fault::FlightNeverEnds, 0),
    (Fault::WriteSurvivesDeletion, 27_790),
    (Fault::StoreFailureIsError, 47),
    (Fault::NoCooldown, 53),
];

#[test]
fn every_planted_fault_is_found_and_the_same_seed_is_clean_without_it() {
    for (name, fault, rule) in Fault::ALL.into_iter().filter(|fault| fault.1 != Fault::NoJitter) {
        let seed = FOUND_BY.iter().find(|found| found.0 == fault).unwrap().1;
        let scenario = Scenario::of(seed);
        let violation = run(&scenario, Some(fault)).violation.unwrap_or_else(|| panic!("{name} is not found"));
        assert_eq!(violation.rule, rule, "{name}, seed {seed}: {violation}");
        assert_eq!(run(&scenario, None).violation, None, "seed {seed} without the fault");
    }
}

#[test]
fn a_scenario_shrinks_to_what_breaks_the_same_rule() {
    let scenario = Scenario::of(116);
    let least = shrink(&scenario, Some(Fault::WallAlone));
    let size = |scenario: &Scenario| scenario.incidents.len() + scenario.processes.len();
    assert!(size(&least) < size(&scenario));
    let rule = |scenario| run(scenario, Some(Fault::WallAlone)).violation.unwrap().rule;
    assert_eq!(rule(&least), rule(&scenario));
}
