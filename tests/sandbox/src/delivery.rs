//! The answer's bytes, at their pace, whole or cut off.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use crate::wire::Connection;

/// How much of the padding is sent at a time.
const SPACES: &[u8] = &[b' '; 16 * 1024];

/// How long before a reset what was sent gets to arrive: RST may overtake the bytes before it.
const BEFORE_RESET: Duration = Duration::from_millis(50);

/// A body on its way.
#[derive(Debug)]
pub struct Delivery {
    rest: Bytes,
    padding: u64,
    announced: bool,
    pace: Option<Pace>,
    cut: Option<Cut>,
    pause: Option<Pin<Box<Sleep>>>,
    started: bool,
}

/// So many bytes, then so long a wait.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Bytes at a time, at least one.
    pub bytes: usize,
    /// The wait after them.
    pub interval: Duration,
}

#[derive(Debug)]
struct Cut {
    left: u64,
    connection: Arc<Connection>,
}

impl Delivery {
    /// The whole body at once, its length announced.
    #[must_use]
    pub fn new(body: Bytes) -> Self {
        Self { rest: body, padding: 0, announced: true, pace: None, cut: None, pause: None, started: false }
    }

    /// Spaces after the body, up to `length` bytes in all, with no length announced: JSON stays JSON, and a client has
    /// to count by itself.
    #[must_use]
    pub fn padded(mut self, length: u64) -> Self {
        self.padding = length.saturating_sub(self.rest.len() as u64);
        self.announced = false;
        self
    }

    /// The body a little at a time.
    #[must_use]
    pub fn paced(mut self, pace: Pace) -> Self {
        self.pace = Some(pace);
        self
    }

    /// The connection reset once `bytes` bytes have gone out, or half of them, and always before the last.
    #[must_use]
    pub fn cut(mut self, bytes: Option<u64>, connection: Arc<Connection>) -> Self {
        let length = self.left();
        let left = bytes.unwrap_or(length / 2).min(length.saturating_sub(1));
        // A body of which none is missing could not be cut off.
        self.announced &= length > 0;
        self.cut = Some(Cut { left, connection });
        self
    }

    fn left(&self) -> u64 {
        self.padding.saturating_add(self.rest.len() as u64)
    }

    /// The next piece, empty at the end.
    fn piece(&mut self, most: usize) -> Bytes {
        if self.rest.is_empty() {
            let length = usize::try_from(self.padding).unwrap_or(usize::MAX).min(SPACES.len()).min(most);
            self.padding -= length as u64;
            Bytes::from_static(SPACES.get(..length).unwrap_or_default())
        } else {
            self.rest.split_to(self.rest.len().min(most))
        }
    }
}

impl HttpBody for Delivery {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Some(Cut { left: 0, connection }) = &this.cut {
            ready!(pause(&mut this.pause, BEFORE_RESET, context));
            connection.reset();
            return Poll::Pending;
        }
        if let Some(pace) = this.pace.filter(|_| this.started) {
            ready!(pause(&mut this.pause, pace.interval, context));
        }
        let most = this.pace.map_or(usize::MAX, |pace| pace.bytes);
        let most = this.cut.as_ref().map_or(most, |cut| most.min(usize::try_from(cut.left).unwrap_or(usize::MAX)));
        let piece = this.piece(most);
        this.started = true;
        if let Some(cut) = &mut this.cut {
            cut.left -= piece.len() as u64;
        }
        Poll::Ready((!piece.is_empty()).then_some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0 && self.cut.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        if self.announced { SizeHint::with_exact(self.left()) } else { SizeHint::default() }
    }
}

/// Waits, once.
fn pause(running: &mut Option<Pin<Box<Sleep>>>, time: Duration, context: &mut Context<'_>) -> Poll<()> {
    let sleep = running.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
    ready!(sleep.as_mut().poll(context));
    *running = None;
    Poll::Ready(())
}
