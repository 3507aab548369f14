//! How requests grow with processes, and how many there are in one second when all processes have the same troubles.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may panic: that is how it fails"
)]

use digitalpaye_simulation::check::Figures;
use digitalpaye_simulation::fault::Fault;
use digitalpaye_simulation::run::run_from;
use digitalpaye_simulation::scenario::{Incident, Scenario, StoreKind, What};

const MINUTE_MS: f64 = 60_000.0;

fn fleet(processes: usize, hours: f64, store: StoreKind, gap_ms: f64) -> Scenario {
    let mut scenario = Scenario::fleet(7, processes, hours, store);
    scenario.life_s = 900.0;
    for process in &mut scenario.processes {
        process.gap_ms = gap_ms;
    }
    scenario
}

fn figures(scenario: &Scenario, fault: Option<Fault>, peak_from_ms: f64) -> Figures {
    let outcome = run_from(scenario, fault, peak_from_ms);
    assert_eq!(outcome.violation, None);
    outcome.figures
}

/// What a second of requests that come at random hardly ever exceeds: six standard deviations over the mean.
fn bound(mean: f64) -> f64 {
    mean + 6.0 * mean.sqrt() + 6.0
}

#[test]
fn with_a_store_requests_do_not_grow_with_processes() {
    let requests = |processes, store| figures(&fleet(processes, 3.0, store, 30_000.0), None, 0.0).requests;
    let shared = [10, 50, 250].map(|processes| requests(processes, StoreKind::Leases));
    let few = 12..=16;
    assert!(
        shared.iter().all(|requests| few.contains(requests)),
        "one for each of 12 lives, of which a fifth or less is given up: {shared:?}"
    );
    let alone = [10, 50].map(|processes| requests(processes, StoreKind::None));
    assert!(alone[0] >= 10 * 12 && alone[1] >= 50 * 12, "one for each life of each process: {alone:?}");
}

#[test]
fn a_fleet_that_started_in_one_moment_does_not_renew_in_one_moment() {
    // The soft window of 120 s begins up to 12 s earlier, each process at its own time.
    let scenario = fleet(300, 0.3, StoreKind::None, 1_000.0);
    let most = bound(300.0 / 12.0);
    let peak = figures(&scenario, None, MINUTE_MS).peak.0;
    assert!(peak as f64 <= most, "{peak} requests in one second; at most {most}");
    let aligned = figures(&scenario, Some(Fault::NoJitter), MINUTE_MS).peak.0;
    assert!(aligned as f64 > 1.5 * most, "without jitter {aligned} requests in one second: a stampede is found");
}

fn down(mut scenario: Scenario, from_min: f64, for_min: f64) -> Scenario {
    let what = What::ApiDown { for_ms: for_min * MINUTE_MS };
    scenario.incidents.push(Incident { number: 0, at_ms: from_min * MINUTE_MS, what });
    scenario
}

#[test]
fn an_api_that_is_down_is_asked_three_times_for_each_call_at_most() {
    // No call finds a token, and each makes three attempts. A store does not change that: who has waited for the lease for
    // half of its time asks without it. When the API comes back, there are no more in one second than before.
    for (store, processes, gap_s) in [(StoreKind::None, 300, 15.0), (StoreKind::Leases, 150, 5.0)] {
        let scenario = down(fleet(processes, 0.5, store, gap_s * 1_000.0), 10.0, 10.0);
        let most = bound(3.0 * processes as f64 / gap_s);
        let peak = figures(&scenario, None, 3.0 * MINUTE_MS).peak.0;
        assert!(peak as f64 <= most, "{store:?}: {peak} requests in one second; at most {most}");
    }
}

#[test]
fn a_fleet_that_asks_seldom_comes_back_one_by_one() {
    // So few calls that each gets the lease before half of its time is gone: one request at a time, of 40 ms at least.
    let scenario = down(fleet(100, 0.5, StoreKind::Leases, 200_000.0), 10.0, 10.0);
    let peak = figures(&scenario, None, MINUTE_MS).peak.0;
    assert!(peak as f64 <= 1_000.0 / 40.0, "{peak} requests in one second");
}
