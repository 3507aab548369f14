//! The command: the stand-in for whoever works offline, and for tests that need it in a process of its own.

use std::future::{Future, pending};
use std::io::{self, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;

use digitalpaye_sandbox::{Config, Credentials, Server};
use lexopt::{Arg, ValueExt as _};

const HELP: &str = "\
A local stand-in for the Digitalpaye authentication API. It is not the real
API: it knows one pair of made-up credentials, and moves no money.

Usage: digitalpaye-sandbox [options]

  --port <port>            where to listen; 0 takes a free port. Default 8787
  --host <host>            on which address of this machine. Default 127.0.0.1
  --api-key <key>          the key that is right. Default sandbox_key
  --api-secret <secret>    the secret that is right. Default sandbox_secret
  --lifetime <seconds>     a token's life. Default 600
  --expose-headers <list>  the response headers that pages of other origins
                           may read, such as Date,Retry-After. Default none
  --allow-remote           allow a --host that other machines can reach
  --json                   print {\"url\",\"apiKey\",\"apiSecret\"} on the first line,
                           and nothing for each request
  --exit-on-stdin-close    stop when standard input ends, as it does when the
                           program that started this one is gone
  -h, --help               print this
  -V, --version            print the version

What it received is at /_sandbox/requests, and it can be told to misbehave:
the README in its source has the whole of it.
";

/// What the command line asks for.
struct Options {
    host: String,
    port: u16,
    config: Config,
    allow_remote: bool,
    json: bool,
    exit_on_stdin_close: bool,
}

enum Command {
    Serve(Box<Options>),
    Print(String),
}

fn main() -> ExitCode {
    let outcome = match parse(lexopt::Parser::from_env()) {
        Ok(Command::Serve(options)) => serve(*options),
        Ok(Command::Print(text)) => {
            print(&text);
            Ok(())
        }
        Err(error) => {
            complain(&format!("{error}; --help shows the options"));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&problem);
            ExitCode::FAILURE
        }
    }
}

fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut options = Options {
        host: "127.0.0.1".to_owned(),
        port: 8787,
        config: Config::default(),
        allow_remote: false,
        json: false,
        exit_on_stdin_close: false,
    };
    let mut key = options.config.credentials.key().to_owned();
    let mut secret = options.config.credentials.secret().to_owned();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("port") => options.port = parser.value()?.parse()?,
            Arg::Long("host") => options.host = parser.value()?.string()?,
            Arg::Long("api-key") => key = parser.value()?.string()?,
            Arg::Long("api-secret") => secret = parser.value()?.string()?,
            Arg::Long("lifetime") => options.config.lifetime = parser.value()?.parse()?,
            Arg::Long("expose-headers") => {
                options.config.expose_headers =
                    parser.value()?.string()?.split(',').map(|name| name.trim().to_owned()).collect();
            }
            Arg::Long("allow-remote") => options.allow_remote = true,
            Arg::Long("json") => options.json = true,
            Arg::Long("exit-on-stdin-close") => options.exit_on_stdin_close = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Command::Print(HELP.to_owned())),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Command::Print(format!("digitalpaye-sandbox {}\n", env!("CARGO_PKG_VERSION"))));
            }
            other => return Err(other.unexpected()),
        }
    }
    options.config.credentials = Credentials::new(key, secret).map_err(|invalid| invalid.to_string())?;
    options.config.check()?;
    Ok(Command::Serve(Box::new(options)))
}

fn serve(options: Options) -> Result<(), String> {
    let address = resolve(&options)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    runtime.block_on(async {
        // Asked for before anything is printed, so that whoever reads that line can stop the process cleanly.
        let asked = asked_to_stop().map_err(|error| format!("cannot watch for signals: {error}"))?;
        let server = Server::bind(address, options.config.clone(), !options.json)
            .await
            .map_err(|error| cannot_listen(address, &error))?;
        print(&introduction(&options, server.address()));
        let stdin_closed = stdin_closed(options.exit_on_stdin_close);
        server
            .run(async {
                tokio::select! {
                    () = asked => {}
                    () = stdin_closed => {}
                }
            })
            .await;
        Ok(())
    })
}

/// Finds the address to listen on, and keeps other machines out unless they are let in.
fn resolve(options: &Options) -> Result<SocketAddr, String> {
    let host = options.host.trim_start_matches('[').trim_end_matches(']');
    let unknown = |reason: &str| format!("cannot listen on {host}: {reason}");
    let addresses: Vec<SocketAddr> =
        (host, options.port).to_socket_addrs().map_err(|error| unknown(&error.to_string()))?.collect();
    let address = *addresses.first().ok_or_else(|| unknown("it has no address"))?;
    if !options.allow_remote && !addresses.iter().all(|address| address.ip().is_loopback()) {
        return Err(format!("{host} can be reached from other machines; --allow-remote says that this is meant"));
    }
    Ok(address)
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        format!("port {} is taken on {}; --port 0 takes a free one", address.port(), address.ip())
    } else {
        format!("cannot listen on {address}: {error}")
    }
}

/// Where it listens and what it takes, for a program and for a person.
fn introduction(options: &Options, address: SocketAddr) -> String {
    let url = format!("http://{address}");
    let (key, secret) = (options.config.credentials.key(), options.config.credentials.secret());
    let first = if options.json {
        let (key, secret) = (serde_json::Value::from(key), serde_json::Value::from(secret));
        format!("{{\"url\":\"{url}\",\"apiKey\":{key},\"apiSecret\":{secret}}}\n")
    } else {
        String::new()
    };
    let lifetime = options.config.lifetime;
    format!(
        "{first}A stand-in for the Digitalpaye API is listening. It is not the real API and moves no money.

  Base URL    {url}
  API key     {key}
  API secret  {secret}
  A token lives {lifetime} s.

What it received: {url}/_sandbox/requests
Ctrl-C stops it.

"
    )
}

/// Resolves at Ctrl-C, or when the system asks the process to end.
#[cfg(unix)]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Resolves at Ctrl-C.
#[cfg(not(unix))]
fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<()>().await;
        }
    })
}

/// Resolves when standard input ends, if that is to be watched.
///
/// The thread that reads is left behind at the end: it waits in the system, and cannot be told to stop.
async fn stdin_closed(watch: bool) {
    let (closed, is_closed) = tokio::sync::oneshot::channel();
    if watch {
        std::thread::spawn(move || {
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = closed.send(());
        });
        let _ = is_closed.await;
    } else {
        pending::<()>().await;
    }
}

/// Prints; that nobody reads it is no reason to fail.
fn print(text: &str) {
    let mut stdout = io::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn complain(problem: &str) {
    let _ = writeln!(io::stderr(), "digitalpaye-sandbox: {problem}");
}
