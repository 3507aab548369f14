//! What strangers were asked and have not answered yet: `fetch`, the body's stream, the `apiSecret` function, the store,
//! Web Crypto.
//!
//! An answer is a promise, which may never settle. Its reactions are two functions bound to the number of the question: what
//! comes after its flight has ended finds nothing.

use super::callback::{CALLBACKS, bound};
use super::exchange::{Attempt, PartialBody, ReplyHead};
use super::shell::Shell;
use super::store::{Deletion, StoreEntry, Writing};
use super::value::{contain, then};
use crate::flight::FlightId;
use js_sys::Promise;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

pub(super) type QuestionId = u32;

/// A question, with what has to be known once it is answered.
pub(super) enum Question {
    /// The hash that names the store's entry.
    EntryName,
    /// The store's token.
    StoredToken,
    /// The store's lease, and the promise of it.
    Lease(StoreEntry, Promise),
    /// The secret.
    Secret,
    /// The response to a request.
    Response(Attempt),
    /// The next chunk of its body.
    Chunk(PartialBody),
    /// Its body, whole.
    Buffer(ReplyHead),
    /// That the store has the token.
    Write(Rc<Writing>),
    /// That the store has its lease back.
    Release,
    /// That the store has deleted its token.
    Deletion(Deletion),
}

/// The questions of a client. Those of no flight are deletions.
#[derive(Default)]
pub(super) struct Questions {
    list: Vec<(QuestionId, Option<FlightId>, Question)>,
    last: QuestionId,
}

impl Questions {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// A number for the next one.
    pub(super) fn next(&mut self) -> QuestionId {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    pub(super) fn add(&mut self, id: QuestionId, flight: Option<FlightId>, question: Question) {
        self.list.push((id, flight, question));
    }

    pub(super) fn take(&mut self, id: QuestionId) -> Option<(Option<FlightId>, Question)> {
        let index = self.list.iter().position(|question| question.0 == id)?;
        let (_, flight, question) = self.list.remove(index);
        Some((flight, question))
    }

    /// The deletion that was asked for last.
    pub(super) fn last_deletion(&mut self) -> Option<&mut Deletion> {
        self.list.iter_mut().rev().find_map(|(_, _, question)| match question {
            Question::Deletion(deletion) => Some(deletion),
            _ => None,
        })
    }
}

impl Shell {
    /// Waits for the answer to a question of a flight. That may be over: foreign code was called to ask.
    pub(super) fn ask(&self, flight: FlightId, question: Question, answer: &Promise) {
        if self.has_flight(flight) {
            let mut questions = self.questions.borrow_mut();
            let id = questions.next();
            questions.add(id, Some(flight), question);
            drop(questions);
            self.react(id, answer);
        } else {
            contain(answer);
            self.leave(question);
        }
    }

    /// Sees to it that the question's answer arrives.
    pub(super) fn react(&self, id: QuestionId, answer: &Promise) {
        let (fulfilled, rejected) = CALLBACKS.with(|callbacks| {
            (bound(&callbacks.fulfilled, self.number, id), bound(&callbacks.rejected, self.number, id))
        });
        then(answer, &fulfilled, &rejected);
    }

    pub(super) fn answered(&self, id: QuestionId, answer: Result<JsValue, JsValue>) {
        let taken = self.questions.borrow_mut().take(id);
        let Some((flight, question)) = taken else { return };
        match (question, flight) {
            (Question::Deletion(deletion), _) => self.deleted(deletion, Some(answer)),
            (question, Some(flight)) => self.answered_to(flight, question, answer),
            (_, None) => {}
        }
        self.stay_while_busy();
    }

    fn answered_to(&self, flight: FlightId, question: Question, answer: Result<JsValue, JsValue>) {
        match question {
            Question::EntryName => self.entry_named(flight, answer),
            Question::StoredToken => self.store_read(flight, answer),
            Question::Lease(..) => self.lease_answered(flight, answer),
            Question::Secret => self.secret_answered(flight, answer),
            Question::Response(attempt) => self.response_came(flight, attempt, answer),
            Question::Chunk(body) => self.chunk_came(flight, body, answer),
            Question::Buffer(head) => self.buffer_came(flight, &head, answer),
            Question::Write(writing) => self.written(flight, &writing, answer),
            Question::Release => self.lease_released(flight, answer),
            Question::Deletion(_) => {}
        }
    }

    /// Waits no longer for what a flight, or nobody, has asked.
    pub(super) fn forget_questions(&self, flight: Option<FlightId>) {
        let forgotten: Vec<_> =
            self.questions.borrow_mut().list.extract_if(.., |question| question.1 == flight).collect();
        for (_, _, question) in forgotten {
            self.leave(question);
        }
    }

    /// Nobody waits for the answer any more.
    fn leave(&self, question: Question) {
        match question {
            Question::Lease(entry, lease) => entry.release_if_granted(&lease),
            Question::Write(writing) => self.write_over(&writing),
            _ => {}
        }
    }
}
