//! What a seed stands for: a fleet, a store, an API, and what happens to them.

use crate::clock::{Clock, Micros, micros};
use crate::random::Random;
use crate::store::Serial;

/// What the clients share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// Nothing.
    None,
    /// Tokens, without leases.
    Tokens,
    /// Tokens and leases.
    Leases,
}

/// What the API says about the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DateKind {
    /// No `Date`, as a page sees it.
    None,
    /// The right one.
    Right,
    /// One that is wrong by so many seconds.
    Wrong(f64),
}

/// One process.
#[derive(Clone, Debug)]
pub struct ProcessPlan {
    /// When it starts, in milliseconds.
    pub start_ms: f64,
    /// Between two calls, in milliseconds, on average. A job starts again after it.
    pub gap_ms: f64,
    /// Whether it asks once and exits as soon as it has its token.
    pub job: bool,
    /// Its clocks.
    pub clock: Clock,
    /// Whether its wall clock may be set back. It never sleeps then: together, the two hide a token's end from any client.
    pub may_step_back: bool,
}

/// What happens, and for how many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum What {
    /// Commands are carried out once it is over.
    StoreHangs { for_ms: f64 },
    /// Commands fail at once.
    StoreRefuses { for_ms: f64 },
    /// Commands are carried out, and nobody hears of it.
    StoreLosesReplies { for_ms: f64 },
    /// Each way takes up to so long.
    StoreSlow { for_ms: f64, latency_ms: f64 },
    /// A replica takes over that is behind.
    Failover { lag_ms: f64 },
    /// 503.
    ApiDown { for_ms: f64 },
    /// Connections are refused.
    ApiUnreachable { for_ms: f64 },
    /// No reply at all.
    ApiHangs { for_ms: f64 },
    /// 429 with `Retry-After`; the body may never come.
    ApiLimited { for_ms: f64, retry_after_s: f64, body_hangs: bool },
    /// Each reply takes up to so long.
    ApiSlow { for_ms: f64, latency_ms: f64 },
    /// All tokens so far are no good any more.
    Revoke,
    /// The machine sleeps.
    Sleep { process: usize, for_ms: f64 },
    /// The process dies, and is started again.
    Die { process: usize, for_ms: f64 },
    /// The wall clock is set.
    ClockStep { process: usize, by_s: f64 },
    /// `invalidate()`, or with the token held.
    Invalidate { process: usize, named: bool },
    /// `getToken({ forceRefresh: true })`.
    Force { process: usize },
}

/// One thing that happens.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// Its number in the seed's scenario: `--keep` names it.
    pub number: usize,
    /// When, in milliseconds.
    pub at_ms: f64,
    /// What.
    pub what: What,
}

impl Incident {
    /// Whether it is under way.
    #[must_use]
    pub fn covers(&self, now: Micros) -> Option<Micros> {
        let for_ms = match self.what {
            What::StoreHangs { for_ms }
            | What::StoreRefuses { for_ms }
            | What::StoreLosesReplies { for_ms }
            | What::StoreSlow { for_ms, .. }
            | What::ApiDown { for_ms }
            | What::ApiUnreachable { for_ms }
            | What::ApiHangs { for_ms }
            | What::ApiLimited { for_ms, .. }
            | What::ApiSlow { for_ms, .. } => for_ms,
            _ => return None,
        };
        let (from, until) = (micros(self.at_ms), micros(self.at_ms + for_ms));
        (from..until).contains(&now).then_some(until)
    }
}

/// All that a run depends on.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where it comes from.
    pub seed: u64,
    /// For how long calls are made, in milliseconds.
    pub duration_ms: f64,
    /// The fleet.
    pub processes: Vec<ProcessPlan>,
    /// What it shares.
    pub store: StoreKind,
    /// One way to the store or back, in milliseconds: least and most.
    pub store_latency_ms: (f64, f64),
    /// One way to the API or back, in milliseconds: least and most.
    pub api_latency_ms: (f64, f64),
    /// A token's life, in seconds.
    pub life_s: f64,
    /// Whether tokens are JWTs.
    pub jwt: bool,
    /// What `Date` says.
    pub date: DateKind,
    /// Whether the API hands a token out again while it has half of its life.
    pub reissues: bool,
    /// `timeout`, in milliseconds.
    pub timeout_ms: f64,
    /// `maxRetries`.
    pub max_retries: u32,
    /// What happens.
    pub incidents: Vec<Incident>,
}

impl Scenario {
    /// That of a seed. Half of them have a store with leases that works.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let calm = random.chance(0.5);
        let store = if calm {
            StoreKind::Leases
        } else {
            random.one_of(&[StoreKind::None, StoreKind::Tokens, StoreKind::Leases])
        };
        let life_s = random.one_of(&[60.0, 120.0, 600.0, 900.0, 3_600.0]);
        let jwt = random.chance(0.8);
        let date = match random.below(if jwt { 4 } else { 1 }) {
            0 => DateKind::Right,
            1 => DateKind::None,
            2 => DateKind::Wrong(random.between((-7_200.0, 7_200.0))),
            _ => DateKind::Right,
        };
        let mut scenario = Self {
            seed,
            duration_ms: life_s * 1_000.0 * random.between((1.5, 4.0)),
            processes: Vec::new(),
            store,
            store_latency_ms: (0.2, random.between((0.5, 40.0))),
            api_latency_ms: (5.0, random.between((20.0, 400.0))),
            life_s,
            jwt,
            date,
            reissues: date == DateKind::Right && random.chance(0.1),
            timeout_ms: random.one_of(&[5_000.0, 10_000.0, 30_000.0]),
            max_retries: random.one_of(&[0, 1, 2, 2, 2, 4]),
            incidents: Vec::new(),
        };
        let count = 1 + random.below(8);
        scenario.processes = (0..count).map(|process| scenario.process(process)).collect();
        for number in 0..random.below(12) {
            let at_ms = random.between((0.0, scenario.duration_ms));
            let what = scenario.incident(&mut random, calm);
            scenario.incidents.push(Incident { number, at_ms, what });
        }
        scenario.incidents.retain(|incident| match incident.what {
            What::Sleep { process, .. } => !scenario.processes[process].may_step_back,
            What::ClockStep { process, by_s } => by_s > 0.0 || scenario.processes[process].may_step_back,
            _ => true,
        });
        scenario
    }

    /// A process of such a scenario.
    #[must_use]
    pub fn process(&self, process: usize) -> ProcessPlan {
        let mut random = Random::new(self.seed, 1_000 + process as u64);
        let job = random.chance(0.3);
        let start_ms = if random.chance(0.5) { 0.0 } else { random.between((0.0, self.duration_ms / 2.0)) };
        let gap_ms = random.between((0.005, 0.2)) * self.life_s * 1_000.0;
        let clock = Clock {
            origin_ms: random.between((0.0, 1e7)),
            drift: random.between((-50e-6, 50e-6)),
            offset_s: if random.chance(0.5) { 0.0 } else { random.between((-7_200.0, 7_200.0)) },
            slept: 0,
            wakes: 0,
        };
        ProcessPlan { start_ms, gap_ms, job, clock, may_step_back: random.chance(0.5) }
    }

    fn incident(&self, random: &mut Random, calm: bool) -> What {
        let for_ms =
            random.one_of(&[500.0, 3_000.0, 12_000.0, 60_000.0, self.life_s * 1_100.0]) * random.between((0.5, 1.0));
        let process = random.below(self.processes.len());
        let by_s = random.one_of(&[5.0, 300.0, 3_600.0]) * random.between((-1.0, 1.0));
        match random.below(if calm || self.store == StoreKind::None { 12 } else { 20 }) {
            0 => What::ApiDown { for_ms },
            1 => What::ApiUnreachable { for_ms },
            2 => What::ApiHangs { for_ms },
            3 => What::ApiLimited {
                for_ms,
                retry_after_s: random.one_of(&[1.0, 3.0, 10.0, 60.0]),
                body_hangs: random.chance(0.3),
            },
            4 | 5 => What::ApiSlow { for_ms, latency_ms: random.one_of(&[2_000.0, 8_000.0, 14_000.0]) },
            6 => What::Revoke,
            7 => What::Sleep { process, for_ms },
            8 => What::Die { process, for_ms: for_ms.min(10_000.0) },
            9 => What::ClockStep { process, by_s },
            10 => What::Invalidate { process, named: random.chance(0.5) },
            11 => What::Force { process },
            12 | 13 => What::StoreHangs { for_ms: for_ms.min(60_000.0) },
            14 => What::StoreRefuses { for_ms },
            15 => What::StoreLosesReplies { for_ms },
            16 | 17 => What::StoreSlow { for_ms, latency_ms: random.one_of(&[300.0, 1_500.0, 4_000.0]) },
            _ => What::Failover { lag_ms: random.between((0.0, 2_000.0)) },
        }
    }

    /// A fleet of servers that all start in one moment, and to which nothing happens.
    #[must_use]
    pub fn fleet(seed: u64, processes: usize, hours: f64, store: StoreKind) -> Self {
        let mut scenario = Self {
            seed,
            duration_ms: hours * 3_600_000.0,
            processes: Vec::new(),
            store,
            store_latency_ms: (0.2, 3.0),
            api_latency_ms: (20.0, 150.0),
            life_s: 3_600.0,
            jwt: true,
            date: DateKind::Right,
            reissues: false,
            timeout_ms: 30_000.0,
            max_retries: 2,
            incidents: Vec::new(),
        };
        scenario.processes = (0..processes)
            .map(|process| ProcessPlan { start_ms: 0.0, gap_ms: 30_000.0, job: false, ..scenario.process(process) })
            .collect();
        scenario
    }

    /// The incidents that are under way.
    pub fn under_way(&self, now: Micros) -> impl Iterator<Item = (What, Micros)> {
        self.incidents.iter().filter_map(move |incident| incident.covers(now).map(|until| (incident.what, until)))
    }

    /// Whether nothing happens to the store: one that is shared, with leases.
    #[must_use]
    pub fn store_works(&self) -> bool {
        self.store == StoreKind::Leases && !self.incidents.iter().any(|incident| incident.what.is_of_store())
    }

    /// Whether the store carries out and answers everything, though it may take its time.
    #[must_use]
    pub fn store_answers(&self) -> bool {
        self.store == StoreKind::Leases
            && !self
                .incidents
                .iter()
                .any(|incident| incident.what.is_of_store() && !matches!(incident.what, What::StoreSlow { .. }))
    }

    /// The longest way to the store.
    #[must_use]
    pub fn longest_store_latency_ms(&self) -> f64 {
        let slow = self.incidents.iter().map(|incident| match incident.what {
            What::StoreSlow { latency_ms, .. } => latency_ms,
            _ => 0.0,
        });
        slow.fold(self.store_latency_ms.1, f64::max)
    }

    /// Whether the API gives every token at once.
    #[must_use]
    pub fn api_works(&self) -> bool {
        !self.incidents.iter().any(|incident| incident.what.is_of_api())
    }

    /// Whether a machine sleeps, or its clock is set.
    #[must_use]
    pub fn clocks_jump(&self) -> bool {
        self.incidents.iter().any(|incident| matches!(incident.what, What::Sleep { .. } | What::ClockStep { .. }))
    }

    /// What a token's end may be overrun by, in milliseconds: a JWT's `iat` and `Date` are whole seconds, and clocks drift.
    #[must_use]
    pub fn tolerance_ms(&self) -> f64 {
        1_005.0 + self.life_s * 1_000.0 * 150e-6
    }
}

impl What {
    /// Whether it happens to the store.
    #[must_use]
    pub fn is_of_store(self) -> bool {
        use What::*;
        matches!(
            self,
            StoreHangs { .. } | StoreRefuses { .. } | StoreLosesReplies { .. } | StoreSlow { .. } | Failover { .. }
        )
    }

    /// Whether it happens to the API.
    #[must_use]
    pub fn is_of_api(self) -> bool {
        use What::*;
        matches!(
            self,
            ApiDown { .. } | ApiUnreachable { .. } | ApiHangs { .. } | ApiLimited { .. } | ApiSlow { .. } | Revoke
        )
    }
}

/// A token as the API knows it.
#[derive(Clone, Copy, Debug)]
pub struct Issued {
    /// Its number.
    pub serial: Serial,
    /// `iat`, in seconds since the beginning.
    pub iat_s: f64,
    /// When the request for it was sent, and by which process.
    pub sent: (Micros, usize),
    /// Whether it is no good any more.
    pub revoked: bool,
}
