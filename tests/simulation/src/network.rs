//! Commands on their way to the store, requests on their way to the API, and what comes back.

use crate::check::Rule;
use crate::clock::{Micros, micros, millis};
use crate::scenario::{Issued, What};
use crate::shell::{ApiReply, Input, Sent, Task};
use crate::store::{Command, Serial};
use crate::world::{Event, World};
use digitalpaye_auth::flight::FlightId;

impl World {
    /// A command sets out.
    pub(crate) fn send_command(&mut self, p: usize, task: Task, command: Command) {
        self.figures.commands += 1;
        let owner = (p, self.processes[p].life);
        let (mut fails, mut answered, mut latency_ms, mut hangs) = (false, true, self.scenario.store_latency_ms, None);
        for (what, until) in self.scenario.under_way(self.now) {
            match what {
                What::StoreHangs { .. } => hangs = Some(until),
                What::StoreRefuses { .. } => fails = true,
                What::StoreLosesReplies { .. } => answered = false,
                What::StoreSlow { latency_ms: most, .. } => latency_ms.1 = most,
                _ => {}
            }
        }
        let way = micros(self.network.between(latency_ms));
        if fails {
            return self.push(self.now + way, Event::Input(p, owner.1, Input::Answer(task, None)));
        }
        let at = hangs.map_or(self.now + way, |until| until + self.network.below(1_000) as Micros);
        let last = &mut self.processes[p].last_command.0;
        let at = at.max(*last);
        *last = at;
        self.push(at, Event::Store(Sent { owner, task, command, answered }));
    }

    pub(crate) fn store_receives(&mut self, sent: Sent) {
        let Sent { owner: (p, life), task, command, answered } = sent;
        let (time_ms, reply) = self.store.execute(command, self.now);
        self.note(|| format!("store: {command:?} of p{p} → {reply:?}"));
        if let Some((owner, end)) = self.store.content(self.now).lease
            && end > self.now + 5_010_000
        {
            let left_ms = millis(end - self.now);
            self.break_rule(Rule::LeaseTooLong, || format!("p{} has it for {left_ms:.0} ms", owner.0));
        }
        if answered {
            let slow = self.scenario.under_way(self.now).find_map(|(what, _)| match what {
                What::StoreSlow { latency_ms, .. } => Some(latency_ms),
                _ => None,
            });
            let (least, most) = self.scenario.store_latency_ms;
            let way = micros(self.network.between((least, slow.unwrap_or(most))));
            let last = &mut self.processes[p].last_command.1;
            let at = (self.now + way).max(*last);
            *last = at;
            self.push(at, Event::Input(p, life, Input::Answer(task, Some((time_ms, reply)))));
        }
    }

    // The API.

    /// A request sets out.
    pub(crate) fn send_request(&mut self, p: usize, flight: FlightId, attempt: u64) {
        self.figures.count_request(self.now);
        let life = self.processes[p].life;
        let way = micros(self.network.between(self.scenario.api_latency_ms));
        self.push(self.now + way, Event::Api(p, life, flight, attempt, self.now));
    }

    pub(crate) fn api_receives(&mut self, p: usize, life: u32, flight: FlightId, attempt: u64, sent: Micros) {
        let (mut reply, mut latency_ms, mut body_hangs) = (None, self.scenario.api_latency_ms, false);
        for (what, _) in self.scenario.under_way(self.now) {
            match what {
                What::ApiDown { .. } => reply = Some(ApiReply::Status(503.0, None)),
                What::ApiUnreachable { .. } => reply = Some(ApiReply::Broken),
                What::ApiHangs { .. } => return,
                What::ApiLimited { retry_after_s, body_hangs: hangs, .. } => {
                    reply = Some(ApiReply::Status(429.0, Some(retry_after_s)));
                    body_hangs = hangs;
                }
                What::ApiSlow { latency_ms: most, .. } => latency_ms.1 = most,
                _ => {}
            }
        }
        let reply = reply.unwrap_or_else(|| ApiReply::Token(self.issue(p, sent)));
        self.note(|| format!("api: request of p{p} → {reply:?}"));
        let at = self.now + micros(self.network.between(latency_ms));
        self.push(at, Event::Input(p, life, Input::Head(flight, attempt, reply, self.now)));
        if !body_hangs {
            let body_ms = if self.network.chance(0.1) { self.network.between((0.0, 3_000.0)) } else { 0.0 };
            self.push(at + micros(body_ms), Event::Input(p, life, Input::Reply(flight, attempt, reply, self.now)));
        }
    }

    fn issue(&mut self, p: usize, sent: Micros) -> Serial {
        let now_s = millis(self.now) / 1_000.0;
        if self.scenario.reissues
            && let Some(last) = self.issued.last()
            && !last.revoked
            && now_s - last.iat_s < self.scenario.life_s / 2.0
        {
            return last.serial;
        }
        let serial = self.issued.len();
        self.issued.push(Issued { serial, iat_s: now_s.floor(), sent: (sent, p), revoked: false });
        serial
    }

    // What must hold.
}
