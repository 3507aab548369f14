//! The socket: each request's head as it was sent, and a connection that can be reset.
//!
//! hyper hands out header names in lower case. A test that compares what was sent, header by header, needs them as
//! they were, so [`Socket`] reads over hyper's shoulder.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::lock;

/// More of a head than this is not kept.
const LONGEST_HEAD: usize = 256 * 1024;

/// As many headers as hyper takes.
const MOST_HEADERS: usize = 100;

/// A request's head as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The request target, query included.
    pub target: String,
    /// The headers in their order, names as sent; bytes above 0x7F are shown as Latin-1.
    pub headers: Vec<(String, String)>,
}

/// What a request needs to know of its connection.
#[derive(Debug)]
pub struct Connection {
    /// Counts connections from 1.
    pub number: u64,
    /// The other end.
    pub peer: SocketAddr,
    heads: Mutex<VecDeque<Head>>,
    reset: AtomicBool,
    ended: Notify,
}

impl Connection {
    /// A connection with nothing read yet.
    #[must_use]
    pub fn new(number: u64, peer: SocketAddr) -> Arc<Self> {
        Arc::new(Self { number, peer, heads: Mutex::default(), reset: AtomicBool::new(false), ended: Notify::new() })
    }

    /// The head of the next request, if it could be read.
    pub fn next_head(&self) -> Option<Head> {
        lock(&self.heads).pop_front()
    }

    /// Ends the connection with RST.
    pub fn reset(&self) {
        self.reset.store(true, Ordering::Release);
        self.ended.notify_one();
    }

    /// Whether the connection was ended with RST by this side.
    #[must_use]
    pub fn was_reset(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }

    /// Waits until this side ends the connection.
    pub async fn ended(&self) {
        self.ended.notified().await;
    }
}

/// A TCP stream that notes the heads that pass through it.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    heads: Heads,
    connection: Arc<Connection>,
}

impl Socket {
    /// Notes the heads of `stream` in `connection`.
    #[must_use]
    pub fn new(stream: TcpStream, connection: Arc<Connection>) -> Self {
        Self { stream, heads: Heads::default(), connection }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.connection.was_reset() {
            // With no time to linger, close() sends RST instead of FIN. If it fails, FIN is all there is to send.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        if let Some(read) = buffer.filled().get(before..).filter(|read| !read.is_empty()) {
            let heads = this.heads.read(read);
            lock(&this.connection.heads).extend(heads);
        }
        polled
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// Finds the heads in what a client sends, by following the bodies between them (RFC 9112, sections 6 and 7).
#[derive(Debug, Default)]
struct Heads {
    pending: Vec<u8>,
    next: Part,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Head,
    Body(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Trailer,
    /// Nothing that can be followed: hyper refuses it too, or it is too long.
    Lost,
}

impl Heads {
    /// Takes bytes in, gives out the heads that are complete by them.
    fn read(&mut self, bytes: &[u8]) -> Vec<Head> {
        self.pending.extend_from_slice(bytes);
        let mut heads = Vec::new();
        while let Some(next) = self.step(&mut heads) {
            self.next = next;
        }
        heads
    }

    /// One part onward, or `None` when more bytes are needed for it.
    fn step(&mut self, heads: &mut Vec<Head>) -> Option<Part> {
        if self.pending.is_empty() {
            return None;
        }
        match self.next {
            Part::Head => {
                let (length, head, next) = match parse(&self.pending) {
                    Parsed::Whole { length, head, next } => (length, head, next),
                    Parsed::Partial if self.pending.len() <= LONGEST_HEAD => return None,
                    Parsed::Partial | Parsed::Broken => return Some(Part::Lost),
                };
                self.pending.drain(..length);
                heads.push(head);
                Some(next)
            }
            Part::Body(left) => Some(match self.skip(left) {
                0 => Part::Head,
                left => Part::Body(left),
            }),
            Part::ChunkSize => {
                let line = self.line()?;
                let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
                let size = std::str::from_utf8(digits.trim_ascii())
                    .ok()
                    .and_then(|digits| u64::from_str_radix(digits, 16).ok());
                Some(match size {
                    Some(0) => Part::Trailer,
                    Some(size) => Part::Chunk(size),
                    None => Part::Lost,
                })
            }
            Part::Chunk(left) => Some(match self.skip(left) {
                0 => Part::ChunkEnd,
                left => Part::Chunk(left),
            }),
            Part::ChunkEnd => self.line().map(|_| Part::ChunkSize),
            Part::Trailer => {
                let line = self.line()?;
                Some(if line.is_empty() { Part::Head } else { Part::Trailer })
            }
            Part::Lost => {
                self.pending.clear();
                None
            }
        }
    }

    /// Drops up to `left` bytes, and says how many are still to come.
    fn skip(&mut self, left: u64) -> u64 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(self.pending.len());
        self.pending.drain(..now);
        left - now as u64
    }

    /// Takes one line, without its end.
    fn line(&mut self) -> Option<Vec<u8>> {
        let end = self.pending.iter().position(|byte| *byte == b'\n')?;
        let mut line: Vec<u8> = self.pending.drain(..=end).collect();
        line.pop();
        line.pop_if(|byte| *byte == b'\r');
        Some(line)
    }
}

enum Parsed {
    Whole { length: usize, head: Head, next: Part },
    Partial,
    Broken,
}

fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Broken,
    };
    let value = |name: &str| {
        request
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| String::from_utf8_lossy(header.value))
    };
    let next = if value("transfer-encoding").is_some() {
        Part::ChunkSize
    } else {
        match value("content-length").map(|length| length.trim().parse()) {
            None | Some(Ok(0)) => Part::Head,
            Some(Ok(length)) => Part::Body(length),
            Some(Err(_)) => return Parsed::Broken,
        }
    };
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        headers: request.headers.iter().map(|header| (header.name.to_owned(), latin1(header.value))).collect(),
    };
    Parsed::Whole { length, head, next }
}

/// Bytes as text, one character each, so that none is lost.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINED: &[u8] = b"POST /a HTTP/1.1\r\nHost: h\r\nX-First: 1\r\ncontent-LENGTH: 5\r\n\r\nGET /\
        POST /b?c=d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: v\r\n\r\n\
        GET /c HTTP/1.1\r\nX-Name: \xC3\xA9\r\n\r\n";

    fn targets(heads: &[Head]) -> Vec<&str> {
        heads.iter().map(|head| head.target.as_str()).collect()
    }

    #[test]
    fn heads_are_found_between_bodies_in_one_read() {
        let heads = Heads::default().read(PIPELINED);
        assert_eq!(targets(&heads), ["/a", "/b?c=d", "/c"]);
        let [first, _, last] = heads.as_slice() else { unreachable!() };
        assert_eq!(
            first.headers,
            [("Host", "h"), ("X-First", "1"), ("content-LENGTH", "5")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(last.headers, [("X-Name".to_owned(), "\u{c3}\u{a9}".to_owned())]);
    }

    #[test]
    fn heads_are_the_same_wherever_the_bytes_are_split() {
        let whole = Heads::default().read(PIPELINED);
        for size in 1..PIPELINED.len() {
            let mut reader = Heads::default();
            let heads: Vec<Head> = PIPELINED.chunks(size).flat_map(|part| reader.read(part)).collect();
            assert_eq!(heads, whole, "split every {size} bytes");
        }
    }

    #[test]
    fn what_is_not_http_is_given_up_and_not_kept() {
        let mut reader = Heads::default();
        assert_eq!(reader.read(b"\x16\x03\x01 not a request\r\n\r\n"), []);
        assert_eq!(reader.next, Part::Lost);
        assert_eq!(reader.read(PIPELINED), []);
        assert!(reader.pending.is_empty());
    }

    #[test]
    fn an_endless_head_is_given_up() {
        let mut reader = Heads::default();
        reader.read(b"GET / HTTP/1.1\r\nX: ");
        for _ in 0..LONGEST_HEAD / 1024 + 1 {
            reader.read(&[b'x'; 1024]);
        }
        assert_eq!(reader.next, Part::Lost);
        assert!(reader.pending.is_empty());
    }
}
