// The lifecycle: random interleavings against a plain model.

use crate::refresh_driver::{Driver, TIMEOUT, token};
use digitalpaye_auth::effect::Effect;
use digitalpaye_auth::error::{AuthError, Code, Foreign};
use digitalpaye_auth::flight::{FlightId, FlightPlan};
use digitalpaye_auth::refresh::CallerId;
use digitalpaye_auth::time::Now;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a lifecycle orders.
enum Action {
    Start(FlightId, FlightPlan),
    Cancel(FlightId),
    Serve(CallerId),
    Fail(CallerId),
    Rethrow(CallerId),
    Hold(Now),
    Drop,
    Delete,
}

#[derive(Clone, Debug)]
enum Happens {
    Call {
        force: bool,
    },
    Abort(usize),
    Land {
        life_s: f64,
    },
    Fail,
    LateReply,
    Pass {
        seconds: f64,
    },
    Invalidate,
    InvalidateHeld,
    InvalidateOld,
    Lost,
    Missed,
    Outwait {
        seconds: f64,
    },
    /// The machine sleeps, or its clock is set back.
    Wall {
        seconds: f64,
    },
    RetryAfter {
        seconds: f64,
    },
    Interrupted,
}

fn happenings() -> impl Strategy<Value = Vec<Happens>> {
    proptest::collection::vec(
        prop_oneof![
            6 => any::<bool>().prop_map(|force| Happens::Call { force }),
            4 => Just(Happens::Call { force: false }),
            2 => (0_usize..8).prop_map(Happens::Abort),
            4 => prop_oneof![0.5..2.0_f64, 10.0..700.0_f64, Just(86_400.0)].prop_map(|life_s| Happens::Land { life_s }),
            3 => Just(Happens::Fail),
            1 => Just(Happens::LateReply),
            5 => prop_oneof![0.0..3.0_f64, 3.0..40.0_f64, 100.0..700.0_f64].prop_map(|seconds| Happens::Pass { seconds }),
            1 => Just(Happens::Invalidate),
            1 => Just(Happens::InvalidateHeld),
            1 => Just(Happens::InvalidateOld),
            1 => Just(Happens::Lost),
            1 => Just(Happens::Missed),
            2 => (0.0..60.0_f64).prop_map(|seconds| Happens::Outwait { seconds }),
            1 => prop_oneof![Just(60.0), Just(3_600.0), Just(2_592_000.0), Just(-3_600.0)]
                .prop_map(|seconds| Happens::Wall { seconds }),
            1 => (1.0..60.0_f64).prop_map(|seconds| Happens::RetryAfter { seconds }),
            1 => Just(Happens::Interrupted),
        ],
        1..80,
    )
}

/// What must be so, written down without the machine's own state.
struct Model {
    driver: Driver,
    has_store: bool,
    /// Callers without an answer: whether they insist, until when they wait, how many tokens had landed when they came.
    waiting: BTreeMap<CallerId, (bool, f64, usize)>,
    answered: usize,
    flight: Option<InFlight>,
    flights: u32,
    /// Every token that landed: since when and how long it lives, in ms, and whether it was invalidated.
    tokens: Vec<(String, Now, f64, bool)>,
    held: Option<usize>,
    quiet_until: f64,
    /// No request is sent before.
    refused_until: f64,
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
            refused_until: f64::NEG_INFINITY,
            cooling_failures: 0,
        }
    }

    fn actions(&mut self, effects: Vec<Effect>) -> Vec<Action> {
        let mut actions = Vec::new();
        for effect in effects {
            actions.push(match effect {
                Effect::BeginFlight(id) => Action::Start(id, self.driver.flights.get(id).expect("it").plan.clone()),
                Effect::AbortRequest(id) => Action::Cancel(id),
                Effect::Resolve(caller) => Action::Serve(caller.id),
                Effect::Reject(caller, _) => Action::Fail(caller.id),
                Effect::Rethrow(caller, _) => Action::Rethrow(caller.id),
                Effect::CacheToken(_, until) => Action::Hold(until),
                Effect::ClearCache => Action::Drop,
                Effect::DeleteStored { .. } => Action::Delete,
                Effect::SetTimer { .. } | Effect::EndFlight(_) => continue,
                other => panic!("{other:?} is not of a lifecycle"),
            });
        }
        actions
    }

    fn now(&self) -> f64 {
        self.driver.now.monotonic.0
    }

    fn good(&self) -> Option<&str> {
        let (token, asked, life_ms, _) = &self.tokens[self.held?];
        (self.driver.now.elapsed_since(*asked) < *life_ms).then_some(token.as_str())
    }

    /// Carries the actions out, checking each.
    fn did(&mut self, effects: Vec<Effect>, landed: Option<&str>) {
        for action in self.actions(effects) {
            match action {
                Action::Start(flight, plan) => {
                    let FlightPlan { deadline, direct, background: behind, .. } = plan;
                    assert!(self.flight.is_none(), "two flights at a time");
                    assert!(flight > self.flights, "every flight has a number of its own");
                    assert!(direct || self.has_store);
                    assert!(!behind || self.now() >= self.quiet_until, "begun while cooling down");
                    assert!(behind || !self.waiting.is_empty(), "begun for nobody");
                    assert!(deadline.0 > self.now());
                    let sends_at = plan.retry_at.map_or(self.now(), |at| at.0);
                    assert!(
                        plan.refusal.is_some() || sends_at >= self.refused_until,
                        "asks before Retry-After is over"
                    );
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
                    assert!(!self.tokens[index].3, "served though invalidated");
                    assert!(!force || index >= before, "a forced caller got an older token");
                    self.answered += 1;
                }
                Action::Rethrow(id) => {
                    assert!(self.waiting.remove(&id).is_some());
                    self.answered += 1;
                }
                Action::Fail(id) => {
                    let (force, ..) = self.waiting.remove(&id).expect("answered twice, or never asked");
                    assert!(force || self.good().is_none(), "failed though a good token is held");
                    self.answered += 1;
                }
                Action::Hold(until) => {
                    let (_, asked, life_ms, _) = self.tokens.last().expect("nothing landed");
                    assert!(landed.is_some() && until.elapsed_since(*asked) < *life_ms);
                    self.held = Some(self.tokens.len() - 1);
                }
                Action::Drop => self.held = None,
                Action::Delete => assert!(self.has_store),
            }
        }
        if let Some(flight) = self.flight {
            assert!(flight.behind || !self.waiting.is_empty(), "a flight in front for nobody");
        }
        assert_eq!(self.driver.machine.current(), self.flight.map(|flight| flight.id));
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

    fn apply(&mut self, event: &Happens) {
        let now = self.driver.now;
        match event {
            Happens::Call { force } => {
                let id = self.driver.callers + 1;
                self.waiting.insert(id, (*force, self.now() + TIMEOUT, self.tokens.len()));
                let flew = self.flight.is_some();
                let held = self.held.map(|index| self.tokens[index].clone());
                let actions = self.driver.call_effects(*force);
                self.did(actions, None);
                let life_left = held.map_or(0.0, |(_, asked, life_ms, _)| life_ms - now.elapsed_since(asked));
                let cooling = !flew && now.monotonic.0 < self.quiet_until;
                if life_left > 0.0 && !force && (life_left > 10_000.0 || cooling) {
                    assert!(!self.waiting.contains_key(&id), "made to wait with a good token at hand");
                }
            }
            Happens::Abort(index) => {
                if let Some(id) = self.waiting.keys().nth(*index).copied() {
                    let actions = self.driver.turn(|machine, turn| machine.abort(id, turn));
                    self.waiting.remove(&id);
                    self.answered += 1;
                    self.did(actions, None);
                    assert_eq!(self.driver.machine.deadline_of(id), None);
                }
            }
            Happens::Land { life_s } => {
                let Some(flight) = self.end() else { return };
                let name = format!("t{}", self.tokens.len());
                self.tokens.push((name.clone(), now, life_s * 1_000.0, false));
                self.quiet_until = f64::NEG_INFINITY;
                self.cooling_failures = 0;
                let actions = self.driver.land_with(flight.id, &name, *life_s, now, 0.5);
                self.did(actions, Some(&name));
                assert!(self.waiting.is_empty(), "landed, and somebody still waits");
            }
            Happens::Fail => {
                let Some(flight) = self.end() else { return };
                self.cool();
                let actions = self.driver.fail_effects(flight.id, AuthError::new(Code::Network, ""));
                self.did(actions, None);
                assert!(self.waiting.is_empty(), "failed, and somebody still waits");
            }
            Happens::LateReply => {
                let stale = self.flight.map_or(self.flights, |flight| flight.id - 1);
                if self.flight.is_none() || stale > 0 {
                    assert!(self.driver.land_with(stale, "late", 600.0, now, 0.5).is_empty());
                    assert!(self.driver.fail_effects(stale, AuthError::new(Code::Network, "")).is_empty());
                }
            }
            Happens::Pass { seconds } => self.pass(seconds * 1_000.0),
            Happens::Invalidate | Happens::InvalidateHeld | Happens::InvalidateOld => {
                let held = self.held.map(|index| self.tokens[index].0.clone());
                let named = match event {
                    Happens::Invalidate => None,
                    Happens::InvalidateHeld => Some(held.clone().unwrap_or_else(|| "unknown".into())),
                    _ => Some("unknown".into()),
                };
                let hits = named.is_none() || named == held;
                if hits {
                    for token in &mut self.tokens {
                        token.3 = true;
                    }
                    self.quiet_until = f64::NEG_INFINITY;
                    self.cooling_failures = 0;
                }
                let waited = self.waiting.len();
                let before = self.flight;
                let named = named.as_deref().map(token);
                let actions = self.driver.turn(|machine, turn| _ = machine.invalidate(named, turn));
                assert!(hits || actions.is_empty(), "a newer token was evicted");
                self.did(actions, None);
                assert_eq!(self.waiting.len(), waited, "invalidation answers nobody");
                if let (true, Some(before), Some(after)) = (hits, before, self.flight) {
                    assert!(after.id != before.id && after.direct, "those who wait get a token of a new exchange");
                }
            }
            Happens::Lost => {
                let Some(flight) = self.flight else { return };
                let actions = self.driver.turn(|machine, turn| machine.lost(flight.id, turn));
                self.did(actions, None);
            }
            Happens::Outwait { seconds } => {
                let Some(flight) = self.flight else { return };
                let until = now.monotonic.plus(seconds * 1_000.0);
                let error = Rc::new(*AuthError::new(Code::RateLimited, ""));
                let last = self.waiting.values().map(|(_, deadline, _)| *deadline).reduce(f64::max);
                let mut actions = Vec::new();
                let machine = &mut self.driver.machine;
                let outwaited = machine.extend_deadline(flight.id, until, &error, now, None, &mut actions);
                assert_eq!(outwaited.is_some(), last.is_some_and(|last| last > until.0));
                if let Some(deadline) = outwaited {
                    assert_eq!(Some(deadline.0), last);
                    self.did(actions, None);
                    assert!(self.waiting.values().all(|(_, deadline, _)| *deadline > until.0), "it waits in vain");
                    self.flight = Some(InFlight { deadline: deadline.0, ..flight });
                }
            }
            Happens::Missed => {
                if let Some(flight) = self.flight.as_mut() {
                    self.driver.machine.became_direct(flight.id);
                    flight.direct = true;
                }
            }
            Happens::Wall { seconds } => self.driver.now.wall.0 += seconds,
            Happens::RetryAfter { seconds } => {
                // Of the flight that is under way, which fails with it or waits.
                if self.flight.is_none() || self.refused_until > self.now() {
                    return;
                }
                self.refused_until = self.now() + seconds * 1_000.0;
                let mut error = AuthError::new(Code::RateLimited, "");
                error.retry_after = Some(*seconds);
                self.driver.machine.refused(&error, now);
            }
            Happens::Interrupted => {
                let (Some(flight), true) = (self.flight, self.refused_until <= self.now()) else { return };
                self.flight = None;
                let (leader, value) = (self.waiting.keys().next().copied(), Foreign::new(7));
                let waited = self.waiting.len();
                let mut actions = self.driver.turn(|machine, turn| machine.interrupted(flight.id, leader, value, turn));
                self.driver.flights.end(flight.id, &mut actions);
                self.did(actions, None);
                assert!(waited == 0 || self.waiting.len() == waited - 1, "the leader alone sees it");
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
            let ms = next.max(self.now()) - self.now();
            self.driver.now = self.driver.now.plus(ms);
            if flight == Some(next) {
                let id = self.flight.expect("a flight").id;
                self.cool();
                self.flight = None;
                let actions = self.driver.turn(|machine, turn| machine.timed_out(id, turn));
                self.did(actions, None);
                assert!(self.flight.is_none_or(|flight| flight.id != id), "it went on past its deadline");
            } else {
                let (&id, _) = self.waiting.iter().find(|(_, waiter)| waiter.1 == next).expect("a caller");
                let ends = self.waiting.len() == 1 && self.flight.is_some_and(|flight| !flight.behind);
                if ends {
                    self.cool();
                }
                let actions = self.driver.turn(|machine, turn| machine.deadline(id, turn));
                self.did(actions, None);
                assert!(!self.waiting.contains_key(&id), "its time is up, and it waits");
            }
        }
        self.driver.now = self.driver.now.plus(target - self.now());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::cases(2_000)))]
    #[test]
    fn no_interleaving_breaks_a_rule(has_store in any::<bool>(), events in happenings()) {
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
