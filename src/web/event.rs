//! Events as JavaScript sees them, and how they are told.

use super::error::{value_in, value_of};
use super::value::{Member, Members, contain, spawn};
use crate::event::{Event, Operation, Problem, Source};
use js_sys::Function;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "../events.js")]
extern "C" {
    /// Freezes an event. A `cause` of a store is not enumerable, and has none of these secrets in it.
    #[wasm_bindgen(js_name = eventOf, catch)]
    fn event_of(
        members: &JsValue,
        cause: &JsValue,
        key: &JsValue,
        held: &JsValue,
        written: &JsValue,
    ) -> Result<JsValue, JsValue>;
}

/// What a store's error may repeat: the name of our entry, and tokens. Each may be undefined.
#[derive(Default)]
pub(super) struct Secrets {
    pub(super) key: JsValue,
    pub(super) held: JsValue,
    pub(super) written: JsValue,
}

/// Tells a handler, in a turn of its own. Whatever the handler does harms nobody.
pub(super) fn report(handler: &Function, event: &Event, secrets: Secrets) {
    let cause = match event {
        Event::Store { problem: Problem::Rejected(cause), .. } => value_in(cause),
        _ => JsValue::UNDEFINED,
    };
    let Secrets { key, held, written } = secrets;
    let Ok(event) = event_of(&members_of(event), &cause, &key, &held, &written) else { return };
    let handler = handler.clone();
    spawn(async move {
        if let Ok(answer) = handler.call1(&JsValue::UNDEFINED, &event) {
            contain(&answer);
        }
    });
}

fn members_of(event: &Event) -> JsValue {
    let members = Members::default();
    match event {
        Event::Token { source, exp, ttl_s, attempts, duration_ms, background } => members
            .with("type", Member::Text("token"))
            .with("source", Member::Text(source_name(*source)))
            .with("exp", Member::Number(exp.0))
            .with("ttlSeconds", Member::Number(*ttl_s))
            .with("attempts", Member::Number((*attempts).into()))
            .with("durationMs", Member::Number(*duration_ms))
            .with("background", Member::Flag(*background)),
        Event::Retry { error, attempt, delay_ms } => members
            .with("type", Member::Text("retry"))
            .with("error", Member::Value(value_of(error)))
            .with("attempt", Member::Number((*attempt).into()))
            .with("delayMs", Member::Number(*delay_ms)),
        Event::Failure { error, background, ttl_s, retry_in_ms } => members
            .with("type", Member::Text("failure"))
            .with("error", Member::Value(value_of(error)))
            .with("background", Member::Flag(*background))
            .with("ttlSeconds", Member::Number(*ttl_s))
            .with_some("retryInMs", retry_in_ms.map(Member::Number)),
        Event::Store { operation, problem } => members
            .with("type", Member::Text("store"))
            .with("operation", Member::Text(operation_name(*operation)))
            .with("problem", Member::Text(problem_name(problem))),
        Event::Unauthorized { retried } => {
            members.with("type", Member::Text("unauthorized")).with("retried", Member::Flag(*retried))
        }
    }
    .object()
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Exchange => "exchange",
        Source::Store => "store",
    }
}

fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Get => "get",
        Operation::Set => "set",
        Operation::Delete => "delete",
        Operation::Acquire => "acquire",
        Operation::Release => "release",
    }
}

fn problem_name(problem: &Problem) -> &'static str {
    match problem {
        Problem::Rejected(_) => "rejected",
        Problem::Timeout => "timeout",
        Problem::Invalid => "invalid",
    }
}
