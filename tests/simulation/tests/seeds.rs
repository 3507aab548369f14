//! Some hundred seeds break no rule, and a seed is repeated exactly. The command runs millions.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic: that is how it fails"
)]

use digitalpaye_simulation::run::{replay, run, shrink, trace, with_processes};
use digitalpaye_simulation::scenario::Scenario;

#[test]
fn no_seed_breaks_a_rule() {
    for seed in 0..600 {
        let scenario = Scenario::of(seed);
        if let Some(violation) = run(&scenario, None).violation {
            panic!("seed {seed}: {violation}\n{}", replay(&shrink(&scenario, None), None));
        }
    }
}

#[test]
fn a_seed_is_repeated_exactly() {
    for seed in [3, 50, 152] {
        let scenario = Scenario::of(seed);
        let first = trace(&scenario, None);
        assert!(first.len() > 100, "seed {seed} has {} events", first.len());
        assert_eq!(first, trace(&scenario, None), "seed {seed}");
    }
}

#[test]
fn what_is_left_of_a_fleet_does_as_before() {
    let scenario = with_processes(&Scenario::of(50), 1);
    assert_eq!(scenario.processes.len(), 1);
    assert_eq!(run(&scenario, None).violation, None);
}
