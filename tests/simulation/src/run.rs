//! Runs of one seed, with shrinking and replay.

use crate::check::{Figures, Violation};
use crate::clock::micros;
use crate::fault::Fault;
use crate::scenario::Scenario;
use crate::world::World;

/// What came of one seed.
#[derive(Debug)]
pub struct Outcome {
    /// The rule that was broken, if one was.
    pub violation: Option<Violation>,
    /// What was counted.
    pub figures: Figures,
}

/// Runs a scenario.
#[must_use]
pub fn run(scenario: &Scenario, fault: Option<Fault>) -> Outcome {
    let mut world = World::new(scenario.clone(), fault, false);
    let violation = world.run();
    Outcome { violation, figures: world.figures().clone() }
}

/// Runs a scenario, and counts the most requests in one second from a time on.
#[must_use]
pub fn run_from(scenario: &Scenario, fault: Option<Fault>, peak_from_ms: f64) -> Outcome {
    let mut world = World::new(scenario.clone(), fault, false);
    world.count_peak_from(micros(peak_from_ms));
    let violation = world.run();
    Outcome { violation, figures: world.figures().clone() }
}

/// Runs a scenario and tells what happened, line by line.
#[must_use]
pub fn trace(scenario: &Scenario, fault: Option<Fault>) -> Vec<String> {
    let mut world = World::new(scenario.clone(), fault, true);
    world.run();
    world.trace.take().unwrap_or_default()
}

/// A smaller scenario that breaks the same rule: fewer incidents, fewer processes.
#[must_use]
pub fn shrink(scenario: &Scenario, fault: Option<Fault>) -> Scenario {
    let Some(violation) = run(scenario, fault).violation else { return scenario.clone() };
    let fails = |scenario: &Scenario| run(scenario, fault).violation.is_some_and(|other| other.rule == violation.rule);
    let mut least = scenario.clone();
    loop {
        let incidents = (0..least.incidents.len()).map(|index| {
            let mut smaller = least.clone();
            smaller.incidents.remove(index);
            smaller
        });
        let mut candidates: Vec<_> = incidents.collect();
        if least.processes.len() > 1 {
            let count = least.processes.len() - 1;
            candidates.push(with_processes(&least, count));
        }
        match candidates.into_iter().find(|candidate| fails(candidate)) {
            Some(smaller) => least = smaller,
            None => return least,
        }
    }
}

/// The same with the first processes alone.
#[must_use]
pub fn with_processes(scenario: &Scenario, count: usize) -> Scenario {
    use crate::scenario::What::*;
    let mut smaller = scenario.clone();
    smaller.processes.truncate(count);
    smaller.incidents.retain(|incident| match incident.what {
        Sleep { process, .. }
        | Die { process, .. }
        | ClockStep { process, .. }
        | Invalidate { process, .. }
        | Force { process } => process < count,
        _ => true,
    });
    smaller
}

/// The command line that repeats a scenario.
#[must_use]
pub fn replay(scenario: &Scenario, fault: Option<Fault>) -> String {
    let keep: Vec<_> = scenario.incidents.iter().map(|incident| incident.number.to_string()).collect();
    let fault = fault.map(|fault| format!(" --fault {}", fault.name())).unwrap_or_default();
    let keep = if keep.is_empty() { String::from("none") } else { keep.join(",") };
    format!(
        "cargo run --profile simulation -p digitalpaye-simulation -- --seed {} --processes {} --keep {keep}{fault} --trace",
        scenario.seed,
        scenario.processes.len(),
    )
}
