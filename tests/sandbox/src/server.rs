//! Accepts, routes, and ties the rest together.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Extension, Request, State};
use axum::http::{Method, Response, StatusCode};
use digitalpaye_emulator::Config;
use digitalpaye_emulator::contract::{self, RESOURCE};
use digitalpaye_emulator::script::Overrides;
use digitalpaye_emulator::token::{KEY_LENGTH, Tokens};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower_service::Service as _;

use crate::behaviour::Script;
use crate::control;
use crate::record::Log;
use crate::wire::{Connection, Head, Socket, latin1};
use crate::{lock, wait};

/// A body longer than this is refused.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// The wait after an accept that failed for want of file descriptors, say.
const BEFORE_ACCEPT: Duration = Duration::from_millis(50);

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct Sandbox {
    initial: Config,
    pub(crate) config: Mutex<Config>,
    pub(crate) script: Mutex<Script>,
    pub(crate) tokens: Mutex<Tokens>,
    pub(crate) log: Arc<Log>,
}

impl Sandbox {
    /// Back to the start: the first settings, no script, no token, nothing received.
    pub(crate) fn reset(&self) {
        lock(&self.config).clone_from(&self.initial);
        *lock(&self.script) = Script::default();
        lock(&self.tokens).revoke(None);
        self.log.clear();
    }
}

/// The stand-in, listening.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    sandbox: Arc<Sandbox>,
}

impl Server {
    /// Listens on `address`; `print` writes a line to stdout for each request of the API.
    ///
    /// # Errors
    ///
    /// When the address is not to be had, the settings are out of bounds, or there is no randomness.
    pub async fn bind(address: SocketAddr, config: Config, print: bool) -> io::Result<Self> {
        config.check().map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason))?;
        let tokens = Tokens::new(random_key()?);
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let sandbox = Arc::new(Sandbox {
            initial: config.clone(),
            config: Mutex::new(config),
            script: Mutex::default(),
            tokens: Mutex::new(tokens),
            log: Log::new(print),
        });
        Ok(Self { listener, address, sandbox })
    }

    /// Where it listens: the port is the one that was free if 0 was asked for.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether a JWT was signed by this stand-in.
    pub fn verifier(&self) -> impl Fn(&str) -> bool + Send + 'static {
        let sandbox = Arc::clone(&self.sandbox);
        move |token| lock(&sandbox.tokens).signed(token)
    }

    /// Serves until `stop`, then closes every connection at once.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let router = router(self.sandbox);
        let mut connections = JoinSet::new();
        let mut number = 0;
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        number += 1;
                        connections.spawn(converse(stream, Connection::new(number, peer), router.clone()));
                    }
                    Err(_) => tokio::time::sleep(BEFORE_ACCEPT).await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Serves one connection to its end.
async fn converse(stream: TcpStream, connection: Arc<Connection>, router: Router) {
    // Small answers go out at once. Where that cannot be set, they are late, not wrong.
    let _ = stream.set_nodelay(true);
    let socket = Socket::new(stream, Arc::clone(&connection));
    let shared = Arc::clone(&connection);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let head = shared.next_head().unwrap_or_else(|| head_of(&request));
        request.extensions_mut().insert(Arc::new(head));
        request.extensions_mut().insert(Arc::clone(&shared));
        router.clone().call(request)
    });
    let served = http1::Builder::new().auto_date_header(false).serve_connection(TokioIo::new(socket), service);
    tokio::select! {
        // A client that breaks HTTP or goes away is what a stand-in is there to see.
        _ = served => {}
        () = connection.ended() => {}
    }
}

/// The head as hyper has it, for a request whose own bytes could not be followed.
fn head_of<B>(request: &hyper::Request<B>) -> Head {
    Head {
        method: request.method().to_string(),
        target: request.uri().to_string(),
        headers: request.headers().iter().map(|(name, value)| (name.to_string(), latin1(value.as_bytes()))).collect(),
    }
}

fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new().nest("/_sandbox", control::routes()).fallback(serve).with_state(sandbox)
}

/// What every request of the API goes through: recorded, answered as the script has it, made readable for a browser,
/// dated.
async fn serve(
    State(sandbox): State<Arc<Sandbox>>,
    Extension(connection): Extension<Arc<Connection>>,
    Extension(head): Extension<Arc<Head>>,
    request: Request,
) -> Response<Body> {
    let entry = sandbox.log.open(Head::clone(&head), Arc::clone(&connection));
    let (parts, body) = request.into_parts();
    if body.size_hint().lower() > LONGEST_BODY as u64 {
        return entry.answer(refuse(StatusCode::PAYLOAD_TOO_LARGE));
    }
    let body = match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            return entry.answer(refuse(StatusCode::PAYLOAD_TOO_LARGE));
        }
        // The client has gone, or broke HTTP: the record is closed without an answer, which may never arrive.
        Err(_) => return refuse(StatusCode::BAD_REQUEST),
    };
    entry.body(&body);

    let config = lock(&sandbox.config).clone();
    let request = contract::Request { method: &parts.method, path: parts.uri.path(), headers: &parts.headers };
    let ordinary = async { sandbox.answer(request, &body).map(Body::from) };
    let mut response = if let Some(response) = contract::preflight(request, &config) {
        response.map(Body::from)
    } else {
        wait(Duration::from_millis(config.latency_ms)).await;
        let behaviour = lock(&sandbox.script).take(request.path);
        match behaviour {
            Some(behaviour) => behaviour.run(&connection, ordinary).await,
            None => ordinary.await,
        }
    };

    let overrides = response.extensions_mut().remove::<Overrides>().unwrap_or_default();
    contract::complete(request, &config, now_ms(), response.headers_mut());
    overrides.apply(response.headers_mut());
    if parts.method == Method::HEAD || response.status() == StatusCode::NO_CONTENT {
        *response.body_mut() = Body::empty();
    }
    entry.answer(response)
}

impl Sandbox {
    /// The answer that no script changes: the library's, and one for `POST` to the resource, which gives the body back.
    fn answer(&self, request: contract::Request<'_>, body: &[u8]) -> Response<Vec<u8>> {
        let config = lock(&self.config).clone();
        let mut tokens = lock(&self.tokens);
        if (request.method, request.path) == (&Method::POST, RESOURCE) {
            contract::protected(request.headers, &config, &tokens, now_ms(), || contract::received(body))
        } else {
            contract::answer(request, &config, &mut tokens, now_ms())
        }
    }
}

fn refuse(status: StatusCode) -> Response<Body> {
    contract::refuse(status).map(Body::from)
}

/// This machine's clock: milliseconds since 1970.
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(since).unwrap_or(i64::MAX)
}

fn random_key() -> io::Result<[u8; KEY_LENGTH]> {
    let mut key = [0; KEY_LENGTH];
    getrandom::fill(&mut key).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]
mod tests {
    use super::*;

    async fn status_for(peer: &str, path: &str) -> StatusCode {
        let config = Config::default();
        let sandbox = Arc::new(Sandbox {
            initial: config.clone(),
            config: Mutex::new(config),
            script: Mutex::default(),
            tokens: Mutex::new(Tokens::new([0; KEY_LENGTH])),
            log: Log::new(false),
        });
        let mut request = hyper::Request::get(path).body(Body::empty()).unwrap();
        let head = head_of(&request);
        request.extensions_mut().insert(Connection::new(1, peer.parse().unwrap()));
        request.extensions_mut().insert(Arc::new(head));
        router(sandbox).call(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn another_machine_may_use_the_api_and_not_control_it() {
        for peer in ["192.0.2.1:40000", "[2001:db8::1]:40000", "[::ffff:192.0.2.1]:40000"] {
            assert_eq!(status_for(peer, "/_sandbox/requests").await, StatusCode::FORBIDDEN, "{peer}");
            assert_eq!(status_for(peer, "/v1/balance").await, StatusCode::UNAUTHORIZED, "{peer}");
        }
        for peer in ["127.0.0.1:40000", "[::1]:40000", "[::ffff:127.0.0.1]:40000"] {
            assert_eq!(status_for(peer, "/_sandbox/requests").await, StatusCode::OK, "{peer}");
        }
    }
}
