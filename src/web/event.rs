//! Events as JavaScript sees them, and how they are told.

use super::error::{AsItIs, value_in, value_of};
use super::value::{contain, object};
use crate::event::{Event, Operation, Problem, Source};
use js_sys::Function;
use serde::ser::{Serialize, SerializeMap, Serializer};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

#[wasm_bindgen(raw_module = "../events.js")]
extern "C" {
    /// Freezes an event. A `cause` of a store is not enumerable, and has nothing secret in it.
    #[wasm_bindgen(js_name = eventOf, catch)]
    fn event_of(members: &JsValue, cause: &JsValue, secrets: &JsValue) -> Result<JsValue, JsValue>;
}

/// Tells a handler, in a turn of its own. Whatever the handler does harms nobody.
pub(super) fn report(handler: &Function, event: &Event, secrets: &JsValue) {
    let cause = match event {
        Event::Store { problem: Problem::Rejected(cause), .. } => value_in(cause),
        _ => JsValue::UNDEFINED,
    };
    let Ok(event) = event_of(&object(&Members(event)), &cause, secrets) else { return };
    let handler = handler.clone();
    spawn_local(async move {
        if let Ok(answer) = handler.call1(&JsValue::UNDEFINED, &event) {
            contain(&answer);
        }
    });
}

struct Members<'a>(&'a Event);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Event::Token { source, exp, ttl_s, attempts, duration_ms, background } => {
                map.serialize_entry("type", "token")?;
                map.serialize_entry("source", source_name(*source))?;
                map.serialize_entry("exp", &exp.0)?;
                map.serialize_entry("ttlSeconds", ttl_s)?;
                map.serialize_entry("attempts", attempts)?;
                map.serialize_entry("durationMs", duration_ms)?;
                map.serialize_entry("background", background)?;
            }
            Event::Retry { error, attempt, delay_ms } => {
                map.serialize_entry("type", "retry")?;
                map.serialize_entry("error", &AsItIs(value_of(error)))?;
                map.serialize_entry("attempt", attempt)?;
                map.serialize_entry("delayMs", delay_ms)?;
            }
            Event::Failure { error, background, ttl_s, retry_in_ms } => {
                map.serialize_entry("type", "failure")?;
                map.serialize_entry("error", &AsItIs(value_of(error)))?;
                map.serialize_entry("background", background)?;
                map.serialize_entry("ttlSeconds", ttl_s)?;
                if let Some(retry_in_ms) = retry_in_ms {
                    map.serialize_entry("retryInMs", retry_in_ms)?;
                }
            }
            Event::Store { operation, problem } => {
                map.serialize_entry("type", "store")?;
                map.serialize_entry("operation", operation_name(*operation))?;
                map.serialize_entry("problem", problem_name(problem))?;
            }
            Event::Unauthorized { retried } => {
                map.serialize_entry("type", "unauthorized")?;
                map.serialize_entry("retried", retried)?;
            }
        }
        map.end()
    }
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
