//! What the client orders is carried out, and must be allowed.

use super::{Api, Comes, Does, Seen, TIMEOUT, World};
use digitalpaye_auth::effect::{Effect, Effects};
use digitalpaye_auth::event::Event;
use digitalpaye_auth::flight::{DELIVERY_MS, FlightId};
use digitalpaye_auth::time::Now;

impl World {
    pub(crate) fn obey(&mut self, effects: Effects) {
        let mut tokens = 0;
        for effect in effects {
            let shown = format!("{effect:?}");
            self.log.push(shown.split([' ', '{']).next().unwrap_or_default().into());
            match effect {
                Effect::BeginFlight(id) => {
                    let seen = Seen { began: self.now, ..Seen::default() };
                    assert!(self.flights.insert(id, seen).is_none(), "every flight has its own number");
                    self.later(0.0, Comes::Turn(id));
                }
                Effect::SetTimer { flight, delay_ms, .. } => {
                    assert!(delay_ms.is_finite() && !self.ended.contains(&flight));
                    let timer = self.later(delay_ms.ceil(), Comes::Timer(flight));
                    if let Some(before) = self.seen(flight).timer.replace(timer) {
                        self.to_come.remove(&before);
                    }
                }
                Effect::NameEntry(id, identity) => {
                    assert_eq!(identity, b"https://h/\nProduction\nk");
                    self.answer(self.store, |well| Comes::Named(id, well));
                }
                Effect::ReadStore(id) => {
                    self.seen(id).asked = Some(self.clock());
                    self.answer(self.store, |well| Comes::Read(id, well));
                }
                Effect::AcquireLease(id, ttl) => {
                    assert_eq!(ttl.0, TIMEOUT / 1_000.0, "min(5 s, timeout)");
                    let granted = self.granted;
                    self.answer(self.store, |well| Comes::Lease(id, well.then_some(granted)));
                }
                Effect::ReleaseLease(id) => {
                    assert!(std::mem::take(&mut self.seen(id).leased), "of a lease that it has not");
                    self.answer(self.store, |well| Comes::Released(id, well));
                }
                Effect::AskSecret(id) => {
                    assert!(self.kind.asks_secret);
                    let most = self.kind.max_retries + 2;
                    let seen = self.seen(id);
                    seen.secrets += 1;
                    assert!(seen.secrets <= most, "no endless loop");
                    self.answer(self.secret, |well| Comes::Secret(id, well));
                }
                Effect::SendRequest { flight, request, .. } => self.sent(flight, &request.authorization),
                Effect::AbortRequest(id) => self.seen(id).open = false,
                Effect::AwaitDeletion(id) => {
                    let ms = (self.deleting - self.now).max(0.0);
                    if ms.is_finite() {
                        self.later(ms, Comes::Deleted(id));
                    }
                }
                Effect::WriteStore(id, token, ttl_s) => {
                    let asked = self.seen(id).asked.expect("asked");
                    let left_s = token.life_s - self.clock().elapsed_since(asked) / 1_000.0;
                    assert!(ttl_s > 0.0 && ttl_s <= left_s + 1e-9, "for longer than it lives");
                    self.answer(self.write.unwrap_or(self.store), |well| Comes::Written(id, well));
                }
                Effect::EndFlight(id) => {
                    let timer = self.seen(id).timer;
                    assert!(!self.seen(id).leased, "it ends, and keeps the lease");
                    if let Some(timer) = timer {
                        self.to_come.remove(&timer);
                    }
                    assert!(self.ended.insert(id), "it ends once");
                }
                Effect::CacheToken(token, until) => {
                    tokens += 1;
                    self.cached(&token.token, until);
                }
                Effect::ClearCache => self.held = None,
                Effect::DeleteStored { .. } => {
                    self.deleting = match self.store {
                        Does::Well { after } | Does::Badly { after } => self.now + after,
                        Does::Never => f64::INFINITY,
                    };
                }
                Effect::Resolve(caller) => {
                    let (_, asked, life_s) = self.held.clone().expect("resolved without a token");
                    assert!(self.clock().elapsed_since(asked) < life_s * 1_000.0, "resolved past its life");
                    if self.settled(caller.id) {
                        self.resolved.push(caller.id);
                    }
                }
                Effect::Reject(caller, error) => {
                    assert!(error.attempts <= self.kind.max_retries + 1 + u32::from(self.kind.asks_secret));
                    if self.settled(caller.id) {
                        self.rejected.push((caller.id, error.code));
                    }
                    self.last_error = Some(Box::new((*error).clone()));
                }
                Effect::Rethrow(caller, value) => {
                    assert_eq!(value.get(), Some(&"digest"), "the very value");
                    if self.settled(caller.id) {
                        self.rethrown.push(caller.id);
                    }
                }
                Effect::Report(event) => {
                    assert!(self.kind.events, "{event:?}, and nobody listens");
                    tokens -= i32::from(matches!(event, Event::Token { .. }));
                    self.events.push(event);
                }
            }
        }
        assert!(tokens == 0 || !self.kind.events, "one event for each token");
    }

    fn sent(&mut self, id: FlightId, authorization: &str) {
        assert!(self.now >= self.no_request_before, "a request before Retry-After is over");
        assert!(!self.ended.contains(&id));
        let (now, most) = (self.clock(), self.kind.max_retries + 1 + u32::from(self.kind.asks_secret));
        assert!(authorization.starts_with("Basic "));
        let seen = self.seen(id);
        assert!(!seen.open, "two requests at a time");
        seen.open = true;
        seen.asked = Some(now);
        seen.sent += 1;
        assert!(seen.sent <= most);
        let open = self.flights.iter().filter(|(_, seen)| seen.open).count();
        assert!(open == 1 || self.kind.isolate, "two exchanges at a time");
        if !matches!(self.api, Api::Hangs) {
            self.later(self.api_ms, Comes::Reply(id, self.api));
        }
    }

    fn cached(&mut self, text: &str, until: Now) {
        self.cached += 1;
        let id: FlightId = *self.flights.keys().find(|id| self.names(**id, text)).expect("who brought it");
        let (now, clock) = (self.now, self.clock());
        let seen = self.seen(id).clone();
        let (asked, life_s) = (seen.asked.expect("asked"), seen.life_s);
        assert!(until.elapsed_since(asked) < life_s * 1_000.0, "handed out without asking past its life");
        assert!(clock.elapsed_since(asked) < life_s * 1_000.0, "cached past its life");
        if let Some(landed) = seen.landed.filter(|_| self.kind.store && self.named && !self.kind.isolate) {
            let patient = now >= landed + DELIVERY_MS.min(life_s * 50.0);
            let late = self.callers.values().any(|deadline| *deadline <= now) || now >= seen.began + TIMEOUT;
            assert!(seen.written || patient || late, "callers have it before the store does");
        }
        self.held = Some((text.into(), asked, life_s));
    }

    fn names(&self, id: FlightId, text: &str) -> bool {
        text == format!("x{id}-{}", self.flights[&id].sent) || text == format!("stored-{id}")
    }
}
