//! The command, as a process.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed, which is what it is for; each suite uses some of the common parts"
)]

use std::io::{BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_digitalpaye-sandbox"));
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// A running command, ended with the test.
struct Running(Child);

impl Running {
    fn start(args: &[&str]) -> (Self, BufReader<std::process::ChildStdout>) {
        let mut child = command(args).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        (Self(child), stdout)
    }

    /// Waits for the end, and says what it came to.
    fn ended(&mut self) -> std::process::ExitStatus {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(5) {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it goes on");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn line(reader: &mut impl std::io::BufRead) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line
}

#[test]
fn help_and_version_are_printed() {
    for flag in ["--help", "-h"] {
        let output = run(&[flag]);
        assert!(output.status.success());
        let help = String::from_utf8(output.stdout).unwrap();
        for option in [
            "--port",
            "--host",
            "--api-key",
            "--api-secret",
            "--lifetime",
            "--expose-headers",
            "--allow-remote",
            "--json",
            "--exit-on-stdin-close",
            "--help",
            "--version",
            "8787",
            "sandbox_key",
            "sandbox_secret",
        ] {
            assert!(help.contains(option), "{option}");
        }
        assert!(help.lines().all(|line| line.len() <= 80));
    }
    for flag in ["--version", "-V"] {
        let output = run(&[flag]);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "digitalpaye-sandbox 0.1.0\n");
        assert!(output.status.success());
    }
}

#[test]
fn a_program_reads_one_line_of_json() {
    let (_running, mut stdout) = Running::start(&[
        "--json",
        "--port=0",
        "--api-key",
        "clé",
        "--api-secret",
        "a\"b:c",
        "--lifetime",
        "-5",
        "--exit-on-stdin-close",
    ]);
    let started = line(&mut stdout);
    let json: Value = serde_json::from_str(&started).unwrap();
    assert_eq!(json["apiKey"], "clé");
    assert_eq!(json["apiSecret"], "a\"b:c");
    let url = json["url"].as_str().unwrap();
    assert_eq!(started, format!("{{\"url\":\"{url}\",\"apiKey\":\"clé\",\"apiSecret\":\"a\\\"b:c\"}}\n"));
    let port: u16 = url.strip_prefix("http://127.0.0.1:").unwrap().parse().unwrap();
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
}

#[test]
fn a_person_reads_where_it_is_what_it_takes_and_what_it_received() {
    let (_running, mut stdout) = Running::start(&["--port", "0"]);
    let mut introduction = String::new();
    let mut url = String::new();
    while !introduction.contains("Ctrl-C") {
        let line = line(&mut stdout);
        if let Some(value) = line.trim().strip_prefix("Base URL") {
            value.trim().clone_into(&mut url);
        }
        introduction.push_str(&line);
    }
    assert!(introduction.contains("sandbox_key") && introduction.contains("sandbox_secret"), "{introduction}");
    assert!(introduction.contains("600 s"), "{introduction}");
    assert!(!introduction.contains('{'), "{introduction}");

    let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let request = b"POST /v1/auth?secret HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    std::io::Write::write_all(&mut stream, request).unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    assert_eq!(line(&mut stdout), "\n");
    let printed = line(&mut stdout);
    assert!(printed.starts_with("POST /v1/auth: 400, ") && printed.ends_with(" ms\n"), "{printed}");
}

#[test]
fn a_taken_port_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let output = run(&["--port", &port.to_string()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!("digitalpaye-sandbox: port {port} is taken on 127.0.0.1; --port 0 takes a free one\n")
    );
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    for host in ["0.0.0.0", "::", "[::]", "192.0.2.1"] {
        let output = run(&["--port", "0", "--host", host]);
        assert_eq!(output.status.code(), Some(1), "{host}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("--allow-remote") && stderr.lines().count() == 1, "{stderr}");
    }
    // Allowed, this one fails on its own account: it is nobody's address.
    let output = run(&["--port", "0", "--host", "192.0.2.1", "--allow-remote"]);
    assert_eq!(output.status.code(), Some(1));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("cannot listen on 192.0.2.1:0: ") && stderr.lines().count() == 1, "{stderr}");
}

#[test]
fn options_that_make_no_sense_are_one_clear_line() {
    for args in [
        &["--prot", "1"][..],
        &["--port", "65536"],
        &["--port"],
        &["--lifetime", "long"],
        &["--lifetime", "10000000000"],
        &["--api-key", "a:b"],
        &["--api-key", ""],
        &["--api-secret", ""],
        &["--expose-headers", "a b"],
        &["8787"],
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.starts_with("digitalpaye-sandbox: ") && stderr.lines().count() == 1, "{stderr}");
        assert!(stderr.ends_with("; --help shows the options\n"), "{stderr}");
    }
}

#[cfg(unix)]
#[test]
fn it_ends_at_once_and_cleanly_when_asked_to() {
    for signal in ["-TERM", "-INT"] {
        let (mut running, mut stdout) = Running::start(&["--json", "--port", "0"]);
        let json: Value = serde_json::from_str(&line(&mut stdout)).unwrap();
        // A connection that is open, and one whose request hangs, do not hold it up.
        let address = json["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        let mut hanging = std::net::TcpStream::connect(address).unwrap();
        let script = r#"[{"hang":true}]"#;
        let request = format!(
            "POST /_sandbox/script HTTP/1.1\r\nContent-Length: {}\r\n\r\n{script}POST /v1/auth HTTP/1.1\r\n\r\n",
            script.len()
        );
        std::io::Write::write_all(&mut hanging, request.as_bytes()).unwrap();
        std::io::Read::read_exact(&mut hanging, &mut [0; 15]).unwrap();

        let began = Instant::now();
        let id = running.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        assert_eq!(running.ended().code(), Some(0), "{signal}");
        assert!(began.elapsed() < Duration::from_secs(1), "{signal}: {:?}", began.elapsed());
        let mut stderr = String::new();
        running.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "");
    }
}

#[test]
fn it_ends_with_its_standard_input_when_told_to() {
    let (mut running, mut stdout) = Running::start(&["--json", "--port", "0", "--exit-on-stdin-close"]);
    line(&mut stdout);
    std::thread::sleep(Duration::from_millis(100));
    assert!(running.0.try_wait().unwrap().is_none());
    drop(running.0.stdin.take());
    assert_eq!(running.ended().code(), Some(0));

    let (mut running, mut stdout) = Running::start(&["--json", "--port", "0"]);
    line(&mut stdout);
    drop(running.0.stdin.take());
    std::thread::sleep(Duration::from_millis(300));
    assert!(running.0.try_wait().unwrap().is_none());
}

#[test]
fn nobody_reading_does_not_stop_it() {
    let (mut running, mut stdout) = Running::start(&["--port", "0"]);
    let mut url = String::new();
    while url.is_empty() {
        let line = line(&mut stdout);
        if let Some(value) = line.trim().strip_prefix("Base URL") {
            value.trim().clone_into(&mut url);
        }
    }
    drop(stdout);
    for _ in 0..2 {
        let mut stream = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.starts_with("HTTP/1.1 404 "), "{reply}");
    }
    assert!(running.0.try_wait().unwrap().is_none());
}
