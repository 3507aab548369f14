// A whole client: random callers, stores, replies and clocks, against what must be so whatever happens.

use crate::json::{Still, body};
use digitalpaye_auth::client::{Client, Order, Orders, Stored};
use digitalpaye_auth::credentials::BasicCredentials;
use digitalpaye_auth::error::{AuthError, Code};
use digitalpaye_auth::flight::{Event, Stage, Step};
use digitalpaye_auth::options::{Endpoint, Options, UrlParts};
use digitalpaye_auth::refresh::{FlightId, WaiterId};
use digitalpaye_auth::response::{Body, Headers, Reply};
use digitalpaye_auth::time::Instant;
use digitalpaye_auth::token::Fingerprint;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

const TIMEOUT: f64 = 3_000.0;
/// Where promises belong to requests, a caller looks for its answer this often at least.
const POLL: f64 = 50.0;

fn options(max_retries: u32) -> Options {
    let parts = UrlParts { href: "https://h/", protocol: "https:", hostname: "h", user_info: false };
    Options {
        credentials: BasicCredentials::new(Zeroizing::new(b"k".to_vec()), Zeroizing::new(b"s".to_vec())).unwrap(),
        environment: "Production".into(),
        endpoint: Endpoint::new(parts).unwrap(),
        timeout_ms: TIMEOUT,
        max_retries,
    }
}

/// What the platform does when it is asked for something.
#[derive(Clone, Copy, Debug)]
enum Does {
    Well { after: f64 },
    Badly { after: f64 },
    Never,
}

#[derive(Clone, Debug)]
enum Happens {
    Ask {
        force: bool,
    },
    Abort(usize),
    Invalidate {
        named: bool,
    },
    Pass(f64),
    /// From here on.
    Store(Does),
    Api(Does, f64),
    Lease(bool),
}

/// A platform of which everything is known: what it was ordered, and what it will do when.
struct World {
    client: Client,
    platform: Still,
    now: f64,
    max_retries: u32,
    isolate: bool,
    store: Does,
    api: Does,
    life_s: f64,
    granted: bool,
    /// What comes when, in order.
    to_come: BTreeMap<(u64, u32), Comes>,
    /// Until when a deletion in the store is under way.
    deleting: f64,
    sequence: u32,
    /// Until when each caller waits, and whether it insists.
    callers: BTreeMap<WaiterId, f64>,
    /// Those whose request has ended without a word.
    gone: BTreeSet<WaiterId>,
    asked: u32,
    answered: u32,
    sets: u32,
    flights: BTreeMap<FlightId, Seen>,
    ended: BTreeSet<FlightId>,
    held: Option<(FlightId, f64)>,
    held_at: f64,
    fault: Option<Code>,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    sent: u32,
    open: bool,
    leased: bool,
    /// The sequence of its timer.
    timer: Option<(u64, u32)>,
    /// When what it last asked for was asked for, and when the token ends that came of it.
    asked: f64,
    end: f64,
}

#[derive(Clone, Debug)]
enum Comes {
    Turn(FlightId),
    Timer(FlightId),
    Caller(WaiterId),
    Answer(FlightId, Stage, Option<bool>),
    Look(FlightId, bool, f64),
    Reply(FlightId, bool, f64),
}

impl World {
    fn new(store: bool, isolate: bool, max_retries: u32) -> Self {
        Self {
            client: Client::new(options(max_retries), store, true, isolate),
            platform: Still { local: 1_000.0, random: 0.5, reason: String::new() },
            now: 0.0,
            max_retries,
            isolate,
            store: Does::Badly { after: 1.0 },
            api: Does::Well { after: 20.0 },
            life_s: 600.0,
            granted: true,
            to_come: BTreeMap::new(),
            deleting: 0.0,
            sequence: 0,
            callers: BTreeMap::new(),
            gone: BTreeSet::new(),
            asked: 0,
            answered: 0,
            sets: 0,
            flights: BTreeMap::new(),
            ended: BTreeSet::new(),
            held: None,
            held_at: 0.0,
            fault: None,
        }
    }

    fn later(&mut self, ms: f64, comes: Comes) -> (u64, u32) {
        self.sequence += 1;
        let key = (((self.now + ms.max(0.0)) * 1_000.0).ceil() as u64, self.sequence);
        self.to_come.insert(key, comes);
        key
    }

    fn answer(&mut self, does: Does, well: Comes, badly: Comes) {
        match does {
            Does::Well { after } => drop(self.later(after, well)),
            Does::Badly { after } => drop(self.later(after, badly)),
            Does::Never => {}
        }
    }

    fn settled(&mut self, id: WaiterId) {
        if self.gone.contains(&id) {
            return;
        }
        assert!(self.callers.remove(&id).is_some(), "{id} was answered twice, or never asked");
        self.answered += 1;
    }

    fn obey(&mut self, orders: Orders) {
        for order in orders {
            match order {
                Order::Start { flight, .. } => {
                    assert!(self.flights.insert(flight, Seen::default()).is_none(), "every flight has its own number");
                    self.later(0.0, Comes::Turn(flight));
                }
                Order::Arm { flight, ms, .. } => {
                    assert!(ms.is_finite());
                    if self.ended.contains(&flight) {
                        // The step before it was over at once.
                        continue;
                    }
                    let timer = self.later(ms.ceil(), Comes::Timer(flight));
                    if let Some(before) = self.flights.get_mut(&flight).and_then(|seen| seen.timer.replace(timer)) {
                        self.to_come.remove(&before);
                    }
                }
                Order::HangUp(flight) => self.flights.get_mut(&flight).unwrap().open = false,
                Order::Serve { id, .. } => {
                    let (_, end) = self.held.expect("served without a token");
                    // One that was long on its way may be over, by the most careful count, when it lands.
                    assert!(self.now < end || self.held_at == self.now, "served past its life");
                    self.settled(id);
                }
                Order::Fault(error) => {
                    assert!(error.attempts <= self.max_retries + 1);
                    self.fault = Some(error.code);
                }
                Order::Fail { id, .. } => {
                    assert!(self.fault.is_some());
                    self.settled(id);
                }
                Order::Hold(flight, until) => {
                    let end = self.flights[&flight].end;
                    assert!(until.0 < end);
                    self.held = Some((flight, end));
                    self.held_at = self.now;
                }
                Order::Drop => {}
                Order::Delete { .. } => {
                    assert!(self.client.options().is_some());
                    self.deleting = match self.store {
                        Does::Well { after } | Does::Badly { after } => self.now + after,
                        Does::Never => f64::INFINITY,
                    };
                }
                Order::Step(flight, step) => self.step(flight, step),
            }
        }
    }

    fn step(&mut self, id: FlightId, step: Step) {
        assert!(!self.ended.contains(&id), "{step:?} after its end");
        let (store, api, granted, life_s) = (self.store, self.api, self.granted, self.life_s);
        let answer = |stage, answer| Comes::Answer(id, stage, answer);
        match step {
            Step::Name => self.answer(store, answer(Stage::Naming, Some(true)), answer(Stage::Naming, Some(false))),
            Step::Look => {
                self.flights.get_mut(&id).unwrap().asked = self.now;
                self.answer(store, Comes::Look(id, true, life_s), Comes::Look(id, false, life_s));
            }
            Step::Lease(ttl_s) => {
                assert!(ttl_s > 0.0 && ttl_s <= TIMEOUT / 1_000.0);
                self.answer(store, answer(Stage::Leasing, Some(granted)), answer(Stage::Leasing, None));
            }
            Step::Send => {
                let seen = self.flights.get_mut(&id).unwrap();
                assert!(!seen.open, "two requests at a time");
                seen.open = true;
                seen.asked = self.now;
                seen.sent += 1;
                assert!(seen.sent <= self.max_retries + 1);
                self.answer(api, Comes::Reply(id, true, life_s), Comes::Reply(id, false, life_s));
            }
            Step::Flush if self.deleting > self.now => {
                let ms = self.deleting - self.now;
                if ms.is_finite() {
                    self.later(ms, answer(Stage::Flushing, None));
                }
            }
            Step::Flush => {
                let (_, orders) = self.client.flight(id, Event::Answered(Stage::Flushing, None), Instant(self.now));
                self.obey(orders);
            }
            Step::Set(ttl_s) => {
                self.sets += 1;
                let left_s = (self.flights[&id].end - self.now) / 1_000.0;
                assert!(ttl_s > 0.0 && ttl_s <= left_s, "for longer than it lives");
                assert_eq!(self.held.map(|(flight, _)| flight), Some(id), "a token that is not held");
                self.answer(store, answer(Stage::Setting, None), answer(Stage::Setting, None));
            }
            Step::Release => {
                assert!(std::mem::take(&mut self.flights.get_mut(&id).unwrap().leased), "of a lease that it has not");
                self.answer(store, answer(Stage::Releasing, None), answer(Stage::Releasing, None));
            }
            Step::End => {
                let seen = &self.flights[&id];
                assert!(!seen.leased, "it ends, and keeps the lease");
                if let Some(timer) = seen.timer {
                    self.to_come.remove(&timer);
                }
                self.ended.insert(id);
            }
            Step::Wait | Step::Land => panic!("{step:?} is no order"),
        }
    }

    fn ask(&mut self, force: bool) {
        self.asked += 1;
        let id = self.asked;
        self.callers.insert(id, self.now + TIMEOUT);
        let orders = self.client.ask(id, force, Instant(self.now));
        self.obey(orders);
        self.watch(id);
    }

    fn watch(&mut self, id: WaiterId) {
        if let Some(deadline) = self.callers.get(&id) {
            let ms = deadline - self.now;
            self.later(if self.isolate { ms.min(POLL) } else { ms }.ceil(), Comes::Caller(id));
        }
    }

    fn comes(&mut self, comes: Comes) {
        let now = Instant(self.now);
        let orders = match comes {
            Comes::Turn(id) if self.ended.contains(&id) => return,
            Comes::Turn(id) => self.client.flight(id, Event::Begin, now).1,
            Comes::Timer(id) => {
                self.flights.get_mut(&id).unwrap().timer = None;
                self.client.flight(id, Event::Due, now).1
            }
            Comes::Caller(id) => {
                let orders = self.client.caller_due(id, true, now);
                self.obey(orders);
                return self.watch(id);
            }
            Comes::Answer(id, ..) | Comes::Look(id, ..) | Comes::Reply(id, ..) if self.ended.contains(&id) => return,
            Comes::Answer(id, stage, answer) => {
                let (waited, orders) = self.client.flight(id, Event::Answered(stage, answer), now);
                // Given up, it waits for nothing: its lease is for the platform to give back.
                let given_up = matches!(orders.as_slice(), [Order::Step(_, Step::End)]);
                self.flights.get_mut(&id).unwrap().leased |=
                    stage == Stage::Leasing && answer == Some(true) && waited && !given_up;
                orders
            }
            Comes::Look(id, well, life_s) => {
                let seen = self.flights.get_mut(&id).unwrap();
                seen.end = seen.asked + life_s * 1_000.0;
                let token = Stored {
                    token: well.then(|| format!("stored-{}", self.now as u64 / 5_000)),
                    exp: Some(2_000.0),
                    ttl_s: Some(life_s),
                };
                self.client.looked(id, Some(token), &self.platform, now)
            }
            Comes::Reply(id, well, life_s) => {
                let seen = self.flights.get_mut(&id).unwrap();
                if !seen.open {
                    return;
                }
                seen.open = false;
                // By whole seconds of the wall clock, which stands.
                seen.end = seen.asked + life_s.ceil() * 1_000.0;
                let exp = self.platform.local + life_s.ceil();
                let reply = if well {
                    let (body, _) =
                        body(format!(r#"{{"data":{{"token":"t{}","exp":{exp}}}}}"#, self.sequence).as_bytes());
                    Ok(Reply { status: 200.0, headers: Headers::default(), body })
                } else if self.sequence.is_multiple_of(3) {
                    Err(AuthError::network())
                } else {
                    Ok(Reply { status: 503.0, headers: Headers::default(), body: Body::NotJson })
                };
                self.client.replied(id, reply, &self.platform, now)
            }
        };
        self.obey(orders);
    }

    fn pass(&mut self, ms: f64) {
        let target = self.now + ms;
        while let Some(entry) = self.to_come.first_entry().filter(|entry| entry.key().0 as f64 / 1_000.0 <= target) {
            let ((at, _), comes) = entry.remove_entry();
            self.now = self.now.max(at as f64 / 1_000.0);
            self.comes(comes);
            for (id, deadline) in &self.callers {
                assert!(self.now <= deadline + POLL + 1.0, "{id} waits past its deadline");
            }
        }
        self.now = target;
    }

    fn happens(&mut self, what: &Happens) {
        match *what {
            Happens::Ask { force } => self.ask(force),
            Happens::Abort(index) => {
                if let Some(id) = self.callers.keys().nth(index).copied() {
                    self.settled(id);
                    let orders = self.client.aborted(id, Instant(self.now));
                    self.obey(orders);
                }
            }
            Happens::Invalidate { named } => {
                let token = named.then(|| Fingerprint::of("stored-0"));
                let orders = self.client.invalidate(token, Instant(self.now));
                self.obey(orders);
            }
            Happens::Pass(ms) => self.pass(ms),
            Happens::Store(does) => self.store = does,
            Happens::Api(does, life_s) => (self.api, self.life_s) = (does, life_s),
            Happens::Lease(granted) => self.granted = granted,
        }
    }
}

fn does() -> impl Strategy<Value = Does> {
    let after = || prop_oneof![0.0..5.0_f64, 5.0..200.0_f64, 1_000.0..4_000.0_f64];
    prop_oneof![
        4 => after().prop_map(|after| Does::Well { after }),
        3 => after().prop_map(|after| Does::Badly { after }),
        1 => Just(Does::Never),
    ]
}

fn happenings() -> impl Strategy<Value = Vec<Happens>> {
    let life = prop_oneof![1.0..4.0_f64, 10.0..900.0_f64];
    proptest::collection::vec(
        prop_oneof![
            6 => prop_oneof![3 => Just(false), 1 => Just(true)].prop_map(|force| Happens::Ask { force }),
            2 => (0_usize..6).prop_map(Happens::Abort),
            1 => any::<bool>().prop_map(|named| Happens::Invalidate { named }),
            6 => prop_oneof![0.0..60.0_f64, 60.0..5_000.0_f64, 10_000.0..700_000.0_f64].prop_map(Happens::Pass),
            2 => does().prop_map(Happens::Store),
            2 => (does(), life).prop_map(|(does, life_s)| Happens::Api(does, life_s)),
            1 => any::<bool>().prop_map(Happens::Lease),
        ],
        1..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn every_caller_is_answered_once_in_time_and_no_flight_stays(
        store in any::<bool>(),
        isolate in any::<bool>(),
        max_retries in 0_u32..4,
        happenings in happenings(),
    ) {
        let mut world = World::new(store, isolate, max_retries);
        for what in &happenings {
            world.happens(what);
        }
        world.pass(20.0 * TIMEOUT);
        prop_assert!(world.callers.is_empty());
        prop_assert_eq!(world.answered, world.asked);
        prop_assert_eq!(world.ended.len(), world.flights.len(), "each flight ends");
    }
}

#[test]
fn a_failed_flight_ends_with_its_failure() {
    let mut world = World::new(false, false, 0);
    world.api = Does::Badly { after: 5.0 };
    world.ask(false);
    world.pass(6.0);
    assert_eq!((world.answered, world.ended.len()), (1, 1), "not when its time is up");
}

#[test]
fn what_was_invalidated_while_the_store_is_busy_is_not_given_to_it() {
    let mut world = World::new(true, false, 0);
    (world.store, world.api, world.life_s) = (Does::Well { after: 1.0 }, Does::Well { after: 1.0 }, 600.0);
    // Its deletion hangs: who lands next waits for it, for as long as for any answer of a store.
    world.deleting = f64::INFINITY;
    let given = |world: &mut World| {
        world.ask(true);
        world.pass(10.0);
        let flight = world.held.expect("a token").0;
        assert!(!world.ended.contains(&flight), "it waits");
        flight
    };
    given(&mut world);
    let orders = world.client.invalidate(None, Instant(world.now));
    world.obey(orders);
    world.deleting = f64::INFINITY;
    // No order to set is seen; one of a token that is not held would end this test.
    let sets = world.sets;
    world.pass(5_000.0);
    assert_eq!((world.sets, world.ended.len()), (sets, 1));
    given(&mut world);
    world.pass(5_000.0);
    assert_eq!((world.sets, world.ended.len()), (sets + 1, 2), "the one after it is");
}

#[test]
fn who_gives_up_gives_the_lease_back_at_once() {
    for isolate in [false, true] {
        let mut world = World::new(true, isolate, 0);
        (world.store, world.api) = (Does::Well { after: 1.0 }, Does::Never);
        world.ask(false);
        // A store without a token: what it has ends before it is there.
        world.life_s = 0.0;
        world.pass(10.0);
        assert!(world.flights[&1].leased && world.flights[&1].open);
        let orders = world.client.aborted(1, Instant(world.now));
        let released = orders.iter().any(|order| matches!(order, Order::Step(1, Step::Release)));
        assert!(released, "{orders:?}");
    }
}

#[test]
fn a_closed_client_fails_all_who_wait_and_ends_its_flight() {
    let mut world = World::new(false, false, 2);
    world.api = Does::Never;
    world.ask(false);
    world.ask(false);
    world.pass(1.0);
    let orders = world.client.close(AuthError::option("apiSecret", ""), Instant(world.now));
    world.obey(orders);
    assert_eq!((world.answered, world.ended.len(), world.fault), (2, 1, Some(Code::InvalidOptions)));
    assert!(world.client.options().is_none() && world.client.request(1).is_none());
}

#[test]
fn a_flight_whose_request_ended_is_taken_over_and_its_wait_kept() {
    let mut world = World::new(false, true, 2);
    world.api = Does::Badly { after: 5.0 };
    world.ask(false);
    world.pass(10.0);
    world.ask(false);
    // The first request ends, and with it all that belongs to it.
    world.callers.remove(&1);
    world.gone.insert(1);
    world.to_come.retain(|_, comes| !matches!(comes, Comes::Timer(1) | Comes::Caller(1) | Comes::Reply(1, ..)));
    world.api = Does::Well { after: 5.0 };
    world.pass(600.0);
    assert!(world.callers.is_empty(), "the second is served by a flight of its own");
    assert_eq!((world.held.map(|(flight, _)| flight), world.flights[&2].sent), (Some(2), 1));
}
