// The lifecycle: each row of its table by example, then random interleavings against a plain model.

use digitalpaye_auth::refresh::{Action, Call, Lifecycle, WaiterId};
use digitalpaye_auth::time::Instant;
use digitalpaye_auth::token::Fingerprint;
use proptest::prelude::*;
use std::collections::BTreeMap;

const TIMEOUT: f64 = 30_000.0;

fn token(name: &str) -> Fingerprint {
    Fingerprint::of(name)
}

/// Actions as short texts: what the tests below compare.
fn words(actions: &[Action]) -> Vec<String> {
    actions
        .iter()
        .map(|action| match action {
            Action::Start { flight, direct, behind, .. } => {
                format!(
                    "start {flight}{}{}",
                    if *direct { " direct" } else { "" },
                    if *behind { " behind" } else { "" }
                )
            }
            Action::Cancel(id) => format!("cancel {id}"),
            Action::Serve(id) => format!("serve {id}"),
            Action::Fail(id) => format!("fail {id}"),
            Action::TimedOut(id) => format!("timed out {id}"),
            Action::Hold(flight, _) => format!("hold {flight}"),
            Action::Drop => "drop".into(),
            Action::Delete { held: false } => "delete".into(),
            Action::Delete { held: true } => "delete held".into(),
        })
        .collect()
}

struct Driver {
    machine: Lifecycle,
    now: Instant,
    callers: WaiterId,
}

impl Driver {
    fn new(has_store: bool) -> Self {
        Self { machine: Lifecycle::new(TIMEOUT, has_store), now: Instant(0.0), callers: 0 }
    }

    /// A client that holds `a`, which lives for 600 s: soft from 480 s, hard from 590 s on.
    fn holding() -> Self {
        let mut driver = Self::new(false);
        assert_eq!(driver.call(), ["start 1 direct"]);
        assert_eq!(driver.land(1, "a", 600.0), ["hold 1", "serve 1"]);
        driver
    }

    fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = Instant(seconds * 1_000.0);
        self
    }

    fn call(&mut self) -> Vec<String> {
        self.call_with(false)
    }

    fn force(&mut self) -> Vec<String> {
        self.call_with(true)
    }

    fn call_with(&mut self, force: bool) -> Vec<String> {
        self.callers += 1;
        let call = Call { id: self.callers, force, deadline: self.now.plus(TIMEOUT) };
        words(&self.machine.call(call, self.now))
    }

    fn land(&mut self, flight: u32, name: &str, life_s: f64) -> Vec<String> {
        words(&self.machine.landed(flight, token(name), life_s * 1_000.0, self.now, 0.0))
    }

    fn fail(&mut self, flight: u32) -> Vec<String> {
        words(&self.machine.failed(flight, None, self.now))
    }
}

#[test]
fn however_many_call_one_flight_begins() {
    let mut driver = Driver::new(false);
    assert_eq!(driver.call(), ["start 1 direct"]);
    for _ in 0..9_999 {
        assert!(driver.call().is_empty());
    }
    let served = driver.land(1, "a", 600.0);
    assert_eq!((served.len(), served[0].as_str(), served[10_000].as_str()), (10_001, "hold 1", "serve 10000"));
}

#[test]
fn a_fresh_token_is_served_a_soft_one_renewed_behind_a_hard_one_waited_for() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(479.9).call(), ["serve 2"]);
    assert_eq!(driver.at(480.0).call(), ["serve 3", "start 2 direct behind"]);
    assert_eq!(driver.at(481.0).call(), ["serve 4"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2"]);

    let mut driver = Driver::holding();
    assert_eq!(driver.at(590.0).call(), ["start 2 direct"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2"]);
}

#[test]
fn windows_shrink_with_the_life_and_spread_over_a_fleet() {
    let mut machine = Lifecycle::new(TIMEOUT, false);
    let call = Call { id: 1, force: false, deadline: Instant(TIMEOUT) };
    machine.call(call, Instant(0.0));
    // Life 20 s: soft 4 s, begun up to 0.4 s earlier.
    let actions = machine.landed(1, token("a"), 20_000.0, Instant(0.0), 0.999_999);
    let Action::Hold(_, until) = &actions[0] else { panic!("{actions:?}") };
    assert!((until.0 - 15_600.0).abs() < 0.01, "{until:?}");
}

#[test]
fn a_failure_behind_the_callers_is_not_seen_and_cools_down() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(480.0).call(), ["serve 2", "start 2 direct behind"]);
    assert!(driver.fail(2).is_empty());
    assert_eq!(driver.at(484.9).call(), ["serve 3"]);
    assert_eq!(driver.at(485.0).call(), ["serve 4", "start 3 direct behind"]);
    assert!(driver.fail(3).is_empty());
    assert_eq!(driver.at(494.9).call(), ["serve 5"], "10 s the second time");
    assert_eq!(driver.at(495.0).call(), ["serve 6", "start 4 direct behind"]);
    assert!(driver.fail(4).is_empty());
    assert_eq!(driver.at(515.0).call(), ["serve 7", "start 5 direct behind"]);
    assert!(driver.fail(5).is_empty());
    assert_eq!(driver.at(544.9).call(), ["serve 8"], "30 s at most");
    assert_eq!(driver.at(545.0).call(), ["serve 9", "start 6 direct behind"]);
    // While cooling down, the hard window serves too; once the token is past, the next caller asks at once.
    assert!(driver.at(589.0).fail(6).is_empty());
    assert_eq!(driver.at(599.9).call(), ["serve 10"]);
    assert_eq!(driver.at(600.0).call(), ["start 7 direct"]);
    assert_eq!(driver.fail(7), ["fail 11"]);
    assert_eq!(driver.call(), ["start 8 direct"], "a failure without a token is not kept");
}

#[test]
fn the_servers_retry_after_extends_the_cool_down() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(480.0).call(), ["serve 2", "start 2 direct behind"]);
    assert!(driver.machine.failed(2, Some(60_000.0), driver.now).is_empty());
    assert_eq!(driver.at(539.9).call(), ["serve 3"]);
    assert_eq!(driver.at(540.0).call(), ["serve 4", "start 3 direct behind"]);
}

#[test]
fn in_the_hard_window_a_failure_serves_the_held_token_but_not_to_those_who_insist() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(591.0).call(), ["start 2 direct"]);
    assert!(driver.force().is_empty());
    assert_eq!(driver.fail(2), ["serve 2", "fail 3"]);
}

#[test]
fn forced_callers_share_a_flight_past_cache_and_store() {
    let mut driver = Driver::holding();
    assert_eq!(driver.force(), ["start 2 direct"]);
    assert!(driver.force().is_empty());
    assert_eq!(driver.call(), ["serve 4"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2", "serve 3"]);

    let mut driver = Driver::new(true);
    assert_eq!(driver.call(), ["start 1"]);
    assert_eq!(driver.force(), ["cancel 1", "start 2 direct"]);
    assert!(driver.land(1, "old", 600.0).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 1", "serve 2"]);

    let mut driver = Driver::new(true);
    assert_eq!(driver.call(), ["start 1"]);
    driver.machine.missed(1);
    assert!(driver.force().is_empty(), "an exchange is as new as can be");
}

#[test]
fn an_abort_ends_one_and_the_last_one_ends_the_flight() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.call();
    assert!(driver.machine.abort(1).is_empty());
    assert_eq!(driver.machine.deadline_of(1), None);
    assert!(driver.machine.abort(1).is_empty());
    assert_eq!(words(&driver.machine.abort(2)), ["cancel 1"]);
    assert!(driver.land(1, "late", 600.0).is_empty());
    assert_eq!(driver.call(), ["start 2 direct"]);

    // A flight behind the callers goes on when the one who joined it leaves.
    let mut driver = Driver::holding();
    assert_eq!(driver.at(480.0).call(), ["serve 2", "start 2 direct behind"]);
    assert!(driver.at(595.0).call().is_empty());
    assert!(driver.machine.abort(3).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2"]);
}

#[test]
fn those_who_leave_leave_no_place_behind() {
    let mut driver = Driver::new(false);
    for first in [false, true] {
        for _ in 0..100 {
            driver.call();
        }
        let all: Vec<_> = (driver.callers - 99..=driver.callers).collect();
        let leaving = if first { all } else { all.into_iter().rev().collect() };
        for id in leaving {
            driver.machine.abort(id);
        }
        let shown = format!("{:?}", driver.machine);
        assert!(shown.contains("waiters: 0, places: 0"), "{shown}");
    }
}

#[test]
fn each_callers_deadline_is_its_own() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.at(10.0).call();
    driver.at(30.0);
    let now = driver.now;
    assert_eq!(words(&driver.machine.timed_out(1, now)), ["timed out 1", "cancel 1", "start 2 direct"]);
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 2"]);

    // Callers of one moment end together: no flight begins for the milliseconds between them.
    let mut driver = Driver::new(false);
    driver.call();
    driver.at(0.005).call();
    let now = driver.at(30.0).now;
    assert_eq!(words(&driver.machine.timed_out(1, now)), ["timed out 1", "cancel 1"]);
    let now = driver.at(30.005).now;
    assert_eq!(words(&driver.machine.deadline(2, now)), ["timed out 2"]);
}

#[test]
fn a_deadline_in_the_hard_window_serves_the_held_token() {
    let mut driver = Driver::holding();
    assert_eq!(driver.at(591.0).call(), ["start 2 direct"]);
    let now = driver.at(599.0).now;
    assert_eq!(words(&driver.machine.deadline(2, now)), ["serve 2", "cancel 2"]);
    assert_eq!(driver.at(599.5).call(), ["serve 3"], "and cools down");
}

#[test]
fn invalidation_begins_anew_for_those_who_wait() {
    let mut driver = Driver::new(true);
    driver.call();
    assert_eq!(words(&driver.machine.invalidate(None)), ["drop", "delete", "cancel 1", "start 2 direct"]);
    assert!(driver.land(1, "late", 600.0).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 1"]);
    assert!(words(&driver.machine.invalidate(Some(token("a")))).is_empty());
    assert_eq!(driver.call(), ["serve 2"]);
    assert_eq!(words(&driver.machine.invalidate(Some(token("b")))), ["drop", "delete held"]);
    assert_eq!(driver.call(), ["start 3"], "the store may have a newer one");
    let late = Instant(1e9);
    assert!(
        !driver.machine.accepts(token("a"), late)
            && !driver.machine.accepts(token("b"), late)
            && driver.machine.accepts(token("c"), late)
    );
    driver.fail(3);
    assert_eq!(words(&driver.machine.invalidate(None)), ["drop", "delete"]);
    assert_eq!(driver.call(), ["start 4 direct"], "nobody knows which token was meant");
}

#[test]
fn a_store_is_to_bring_something_newer_than_what_is_held() {
    let mut driver = Driver::new(true);
    driver.call();
    driver.land(1, "a", 600.0);
    assert!(!driver.machine.accepts(token("a"), Instant(900_000.0)));
    assert!(!driver.machine.accepts(token("b"), Instant(600_000.0)));
    assert!(driver.machine.accepts(token("b"), Instant(600_001.0)));
}

#[test]
fn a_lost_flight_is_taken_over() {
    let mut driver = Driver::new(false);
    driver.call();
    driver.call();
    assert_eq!(words(&driver.machine.lost(1)), ["cancel 1", "start 2 direct"]);
    assert!(driver.machine.lost(1).is_empty());
    assert!(driver.land(1, "late", 600.0).is_empty());
    assert_eq!(driver.land(2, "b", 600.0), ["hold 2", "serve 1", "serve 2"]);
}

#[test]
fn closing_leaves_nothing() {
    let mut driver = Driver::holding();
    driver.force();
    assert_eq!(words(&driver.machine.close()), ["drop", "fail 2", "cancel 2"]);
    assert!(driver.land(2, "late", 600.0).is_empty());
}

#[test]
fn a_caller_who_cannot_say_that_it_is_gone_is_forgotten() {
    let mut driver = Driver::new(false);
    driver.call();
    assert_eq!(driver.at(35.0).call(), ["timed out 1"]);
}

#[derive(Clone, Debug)]
enum Event {
    Call { force: bool },
    Abort(usize),
    Land { life_s: f64 },
    Fail,
    LateReply,
    Pass { seconds: f64 },
    Invalidate,
    InvalidateHeld,
    InvalidateOld,
    Lost,
    Missed,
    Outwait { seconds: f64 },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    proptest::collection::vec(
        prop_oneof![
            6 => any::<bool>().prop_map(|force| Event::Call { force }),
            4 => Just(Event::Call { force: false }),
            2 => (0_usize..8).prop_map(Event::Abort),
            4 => prop_oneof![0.5..2.0_f64, 10.0..700.0_f64, Just(86_400.0)].prop_map(|life_s| Event::Land { life_s }),
            3 => Just(Event::Fail),
            1 => Just(Event::LateReply),
            5 => prop_oneof![0.0..3.0_f64, 3.0..40.0_f64, 100.0..700.0_f64].prop_map(|seconds| Event::Pass { seconds }),
            1 => Just(Event::Invalidate),
            1 => Just(Event::InvalidateHeld),
            1 => Just(Event::InvalidateOld),
            1 => Just(Event::Lost),
            1 => Just(Event::Missed),
            2 => (0.0..60.0_f64).prop_map(|seconds| Event::Outwait { seconds }),
        ],
        1..80,
    )
}

/// What must be so, written down without the machine's own state.
struct Model {
    driver: Driver,
    has_store: bool,
    /// Callers without an answer: whether they insist, until when they wait, how many tokens had landed when they came.
    waiting: BTreeMap<WaiterId, (bool, f64, usize)>,
    answered: usize,
    flight: Option<InFlight>,
    flights: u32,
    /// Every token that landed: its end in ms, and whether it was invalidated.
    tokens: Vec<(String, f64, bool)>,
    held: Option<usize>,
    quiet_until: f64,
    cooling_failures: u32,
}

#[derive(Clone, Copy)]
struct InFlight {
    id: u32,
    deadline: f64,
    behind: bool,
    direct: bool,
}

impl Model {
    fn new(has_store: bool) -> Self {
        Self {
            driver: Driver::new(has_store),
            has_store,
            waiting: BTreeMap::new(),
            answered: 0,
            flight: None,
            flights: 0,
            tokens: Vec::new(),
            held: None,
            quiet_until: f64::NEG_INFINITY,
            cooling_failures: 0,
        }
    }

    fn now(&self) -> f64 {
        self.driver.now.0
    }

    fn good(&self) -> Option<&str> {
        let (token, end, _) = &self.tokens[self.held?];
        (self.now() < *end).then_some(token.as_str())
    }

    /// Carries the actions out, checking each.
    fn did(&mut self, actions: Vec<Action>, landed: Option<&str>) {
        for action in actions {
            match action {
                Action::Start { flight, deadline, direct, behind } => {
                    assert!(self.flight.is_none(), "two flights at a time");
                    assert!(flight > self.flights, "every flight has a number of its own");
                    assert!(direct || self.has_store);
                    assert!(!behind || self.now() >= self.quiet_until, "begun while cooling down");
                    assert!(behind || !self.waiting.is_empty(), "begun for nobody");
                    assert!(deadline.0 > self.now());
                    if !behind {
                        let latest = self.waiting.values().map(|(_, deadline, _)| *deadline).fold(0.0, f64::max);
                        assert_eq!(deadline.0, latest, "as long as anybody waits");
                    }
                    self.flights = flight;
                    self.flight = Some(InFlight { id: flight, deadline: deadline.0, behind, direct });
                }
                Action::Cancel(flight) => {
                    // The very flight, or the one that was over already when its deadline passed.
                    assert!(self.flight.is_none_or(|current| current.id == flight));
                    self.flight = None;
                }
                Action::Serve(id) => {
                    let (force, _, before) = self.waiting.remove(&id).expect("answered twice, or never asked");
                    let index = self.held.expect("served without a token");
                    let held = self.tokens[index].0.as_str();
                    assert!(landed == Some(held) || self.good() == Some(held), "served past its life");
                    assert!(!self.tokens[index].2, "served though invalidated");
                    assert!(!force || index >= before, "a forced caller got an older token");
                    self.answered += 1;
                }
                Action::Fail(id) | Action::TimedOut(id) => {
                    let (force, ..) = self.waiting.remove(&id).expect("answered twice, or never asked");
                    assert!(force || self.good().is_none(), "failed though a good token is held");
                    self.answered += 1;
                }
                Action::Hold(flight, until) => {
                    let (_, end, _) = self.tokens.last().expect("nothing landed");
                    assert!(landed.is_some() && flight == self.flights && until.0 < *end);
                    self.held = Some(self.tokens.len() - 1);
                }
                Action::Drop => self.held = None,
                Action::Delete { .. } => assert!(self.has_store),
            }
        }
        if let Some(flight) = self.flight {
            assert!(flight.behind || !self.waiting.is_empty(), "a flight in front for nobody");
        }
        assert_eq!(self.driver.machine.flight(), self.flight.map(|flight| flight.id));
        if self.flight.is_none() {
            let now = self.now();
            assert!(self.waiting.values().all(|(_, deadline, _)| deadline - now < 50.0), "somebody waits for nothing");
        }
    }

    fn cool(&mut self) {
        if self.good().is_some() {
            self.quiet_until =
                self.now() + [5_000.0, 10_000.0, 20_000.0, 30_000.0][self.cooling_failures.min(3) as usize];
            self.cooling_failures += 1;
        }
    }

    fn end(&mut self) -> Option<InFlight> {
        self.flight.take()
    }

    fn apply(&mut self, event: &Event) {
        let now = self.driver.now;
        match event {
            Event::Call { force } => {
                self.driver.callers += 1;
                let id = self.driver.callers;
                let deadline = now.plus(TIMEOUT);
                self.waiting.insert(id, (*force, deadline.0, self.tokens.len()));
                let flew = self.flight.is_some();
                let held = self.held.map(|index| self.tokens[index].clone());
                let actions = self.driver.machine.call(Call { id, force: *force, deadline }, now);
                self.did(actions, None);
                if let Some((_, end, _)) = held.filter(|(_, end, _)| *end > now.0 && !force) {
                    let life_left = end - now.0;
                    if life_left > 10_000.0 || (!flew && now.0 < self.quiet_until) {
                        assert!(!self.waiting.contains_key(&id), "made to wait with a good token at hand");
                    }
                }
            }
            Event::Abort(index) => {
                if let Some(id) = self.waiting.keys().nth(*index).copied() {
                    let actions = self.driver.machine.abort(id);
                    self.waiting.remove(&id);
                    self.answered += 1;
                    self.did(actions, None);
                    assert_eq!(self.driver.machine.deadline_of(id), None);
                }
            }
            Event::Land { life_s } => {
                let Some(flight) = self.end() else { return };
                let name = format!("t{}", self.tokens.len());
                self.tokens.push((name.clone(), now.0 + life_s * 1_000.0, false));
                self.quiet_until = f64::NEG_INFINITY;
                self.cooling_failures = 0;
                let actions = self.driver.machine.landed(flight.id, token(&name), life_s * 1_000.0, now, 0.5);
                self.did(actions, Some(&name));
                assert!(self.waiting.is_empty(), "landed, and somebody still waits");
            }
            Event::Fail => {
                let Some(flight) = self.end() else { return };
                self.cool();
                let actions = self.driver.machine.failed(flight.id, None, now);
                self.did(actions, None);
                assert!(self.waiting.is_empty(), "failed, and somebody still waits");
            }
            Event::LateReply => {
                let stale = self.flight.map_or(self.flights, |flight| flight.id - 1);
                if self.flight.is_none() || stale > 0 {
                    assert!(self.driver.machine.landed(stale, token("late"), 6e5, now, 0.5).is_empty());
                    assert!(self.driver.machine.failed(stale, None, now).is_empty());
                }
            }
            Event::Pass { seconds } => self.pass(seconds * 1_000.0),
            Event::Invalidate | Event::InvalidateHeld | Event::InvalidateOld => {
                let held = self.held.map(|index| self.tokens[index].0.clone());
                let named = match event {
                    Event::Invalidate => None,
                    Event::InvalidateHeld => Some(held.clone().unwrap_or_else(|| "unknown".into())),
                    _ => Some("unknown".into()),
                };
                let hits = named.is_none() || named == held;
                if hits {
                    for token in &mut self.tokens {
                        token.2 = true;
                    }
                    self.quiet_until = f64::NEG_INFINITY;
                    self.cooling_failures = 0;
                }
                let waited = self.waiting.len();
                let before = self.flight;
                let actions = self.driver.machine.invalidate(named.as_deref().map(token));
                assert!(hits || actions.is_empty(), "a newer token was evicted");
                self.did(actions, None);
                assert_eq!(self.waiting.len(), waited, "invalidation answers nobody");
                if let (true, Some(before), Some(after)) = (hits, before, self.flight) {
                    assert!(after.id != before.id && after.direct, "those who wait get a token of a new exchange");
                }
            }
            Event::Lost => {
                let Some(flight) = self.flight else { return };
                let actions = self.driver.machine.lost(flight.id);
                self.did(actions, None);
            }
            Event::Outwait { seconds } => {
                let Some(flight) = self.flight else { return };
                let until = now.plus(seconds * 1_000.0);
                let last = self.waiting.values().map(|(_, deadline, _)| *deadline).reduce(f64::max);
                let outwaited = self.driver.machine.outwait(flight.id, until, now);
                assert_eq!(outwaited.is_some(), last.is_some_and(|last| last > until.0));
                if let Some((deadline, actions)) = outwaited {
                    assert_eq!(Some(deadline.0), last);
                    self.did(actions, None);
                    assert!(self.waiting.values().all(|(_, deadline, _)| *deadline > until.0), "it waits in vain");
                    self.flight = Some(InFlight { deadline: deadline.0, ..flight });
                }
            }
            Event::Missed => {
                if let Some(flight) = self.flight.as_mut() {
                    self.driver.machine.missed(flight.id);
                    flight.direct = true;
                }
            }
        }
    }

    /// Lets time pass, and every timer on the way go off.
    fn pass(&mut self, ms: f64) {
        let target = self.now() + ms;
        loop {
            let flight = self.flight.map(|flight| flight.deadline);
            let caller = self.waiting.values().map(|(_, deadline, _)| *deadline).reduce(f64::min);
            let Some(next) = flight.into_iter().chain(caller).reduce(f64::min).filter(|next| *next <= target) else {
                break;
            };
            self.driver.now = Instant(next.max(self.now()));
            let now = self.driver.now;
            if flight == Some(next) {
                let id = self.flight.expect("a flight").id;
                self.cool();
                self.flight = None;
                let actions = self.driver.machine.timed_out(id, now);
                self.did(actions, None);
                assert!(self.flight.is_none_or(|flight| flight.id != id), "it went on past its deadline");
            } else {
                let (&id, _) = self.waiting.iter().find(|(_, waiter)| waiter.1 == next).expect("a caller");
                let ends = self.waiting.len() == 1 && self.flight.is_some_and(|flight| !flight.behind);
                if ends {
                    self.cool();
                }
                let actions = self.driver.machine.deadline(id, now);
                self.did(actions, None);
                assert!(!self.waiting.contains_key(&id), "its time is up, and it waits");
            }
        }
        self.driver.now = Instant(target);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_interleaving_breaks_a_rule(has_store in any::<bool>(), events in events()) {
        let mut model = Model::new(has_store);
        for event in &events {
            model.apply(event);
        }
        // In the end every caller has had exactly one answer.
        model.pass(2.0 * TIMEOUT);
        model.pass(2.0 * TIMEOUT);
        prop_assert!(model.waiting.is_empty());
        prop_assert_eq!(model.answered, model.driver.callers as usize);
    }
}
