//! The command. See README.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "only tests run it"
)]

use digitalpaye_simulation::check::Figures;
use digitalpaye_simulation::fault::Fault;
use digitalpaye_simulation::run::{replay, run, shrink, trace, with_processes};
use digitalpaye_simulation::scenario::{Scenario, StoreKind};
use std::collections::HashMap;
use std::process::ExitCode;
use std::time::Instant;

const USAGE: &str = "\
digitalpaye-simulation --seeds N [--from SEED] [--fault NAME]   checks N seeds; stops at the first that breaks a rule
digitalpaye-simulation --seed SEED [--processes N] [--keep 1,2|none] [--fault NAME] [--trace]   repeats one
digitalpaye-simulation --fleet N[,N…] [--hours H] [--store none|tokens|leases]   figures of fleets
digitalpaye-simulation --hunt   for each planted fault, the first seed that finds it";

fn main() -> ExitCode {
    let mut options = HashMap::new();
    let mut words = std::env::args().skip(1).peekable();
    while let Some(word) = words.next() {
        let value = words.next_if(|next| !next.starts_with("--")).unwrap_or_default();
        options.insert(word, value);
    }
    let number = |name: &str, default: f64| {
        options.get(name).map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name} takes a number")))
    };
    let fault = options.get("--fault").map(|name| Fault::named(name).expect("--fault takes the name of a fault"));
    if options.contains_key("--seeds") {
        return seeds(number("--from", 0.0) as u64, number("--seeds", 0.0) as u64, fault);
    }
    if options.contains_key("--seed") {
        let mut scenario = Scenario::of(number("--seed", 0.0) as u64);
        scenario = with_processes(&scenario, number("--processes", 1e9) as usize);
        if let Some(keep) = options.get("--keep") {
            scenario.incidents.retain(|incident| keep.split(',').any(|number| number == incident.number.to_string()));
        }
        return one(&scenario, fault, options.contains_key("--trace"));
    }
    if let Some(counts) = options.get("--fleet") {
        let store = options.get("--store").map_or("leases", String::as_str);
        let store = match store {
            "none" => StoreKind::None,
            "tokens" => StoreKind::Tokens,
            _ => StoreKind::Leases,
        };
        let counts = counts.split(',').map(|count| count.parse().expect("--fleet takes numbers"));
        return fleets(counts, number("--hours", 24.0), store);
    }
    if options.contains_key("--hunt") {
        return hunt();
    }
    println!("{USAGE}");
    ExitCode::from(2)
}

fn seeds(from: u64, count: u64, fault: Option<Fault>) -> ExitCode {
    let began = Instant::now();
    let mut figures = Figures::default();
    for seed in from..from + count {
        let scenario = Scenario::of(seed);
        let outcome = run(&scenario, fault);
        figures.add(&outcome.figures);
        if let Some(violation) = outcome.violation {
            println!("seed {seed}: {violation}\n{}", replay(&shrink(&scenario, fault), fault));
            return ExitCode::FAILURE;
        }
    }
    let Figures { events, calls, tokens, errors, requests, commands, .. } = figures;
    println!(
        "{count} seeds in {:.1} s: {events} events, {calls} calls, {tokens} tokens, {errors} errors, {requests} requests, \
         {commands} commands to stores; no rule is broken",
        began.elapsed().as_secs_f64()
    );
    ExitCode::SUCCESS
}

fn one(scenario: &Scenario, fault: Option<Fault>, traced: bool) -> ExitCode {
    if traced {
        println!("{scenario:#?}");
        for line in trace(scenario, fault) {
            println!("{line}");
        }
    }
    match run(scenario, fault).violation {
        None => ExitCode::SUCCESS,
        Some(violation) => {
            println!("{violation}\n{}", replay(&shrink(scenario, fault), fault));
            ExitCode::FAILURE
        }
    }
}

fn fleets(counts: impl Iterator<Item = usize>, hours: f64, store: StoreKind) -> ExitCode {
    println!("store: {store:?}, {hours} h, tokens live 3600 s, a call per process every 30 s");
    println!("processes |      calls | errors | requests | an hour | most in a second | to the store | seconds");
    for count in counts {
        let began = Instant::now();
        let outcome = run(&Scenario::fleet(1, count, hours, store), None);
        if let Some(violation) = outcome.violation {
            println!("{violation}");
            return ExitCode::FAILURE;
        }
        let figures = outcome.figures;
        println!(
            "{count:9} | {:10} | {:6} | {:8} | {:7.1} | {:16} | {:12} | {:.1}",
            figures.calls,
            figures.errors,
            figures.requests,
            figures.requests as f64 / hours,
            figures.peak.0,
            figures.commands,
            began.elapsed().as_secs_f64()
        );
    }
    ExitCode::SUCCESS
}

fn hunt() -> ExitCode {
    let mut all = true;
    // Without jitter, a single client does nothing wrong: see the tests of fleets.
    for (name, fault, rule) in Fault::ALL.into_iter().filter(|fault| fault.1 != Fault::NoJitter) {
        let found = (0..200_000).find_map(|seed| {
            let violation = run(&Scenario::of(seed), Some(fault)).violation?;
            (violation.rule == rule).then_some((seed, violation))
        });
        all &= found.is_some();
        match found {
            Some((seed, violation)) => println!("{name}: seed {seed}: {violation}"),
            None => println!("{name}: not found"),
        }
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
