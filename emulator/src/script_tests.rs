use super::*;

fn problem(spec: Spec) -> String {
    match spec.check() {
        Ok(step) => format!("{step:?}"),
        Err(invalid) => invalid.to_string(),
    }
}

fn with_header(name: &str, value: &str) -> Spec {
    Spec { headers: vec![(name.to_owned(), value.to_owned())], ..Spec::default() }
}

fn behaviour(spec: Spec) -> Option<Behaviour> {
    let mut script = Script::from(vec![spec.check().ok()?]);
    script.take("/v1/auth")
}

fn made_up(spec: Spec) -> Option<MadeUp> {
    match behaviour(spec)?.act {
        Act::Answer(answer) => answer.made_up,
        Act::Hang | Act::Reject => None,
    }
}

#[test]
fn numbers_out_of_bounds_are_refused_by_name() {
    for times in [0.0, -1.0, 1.5, f64::NAN, f64::INFINITY, 4_294_967_296.0] {
        let spec = Spec { times: Some(times), ..Spec::default() };
        assert_eq!(problem(spec), "times must be a whole number from 1 to 4294967295", "{times}");
    }
    for status in [0.0, 101.0, 199.0, 200.5, 600.0, -200.0, f64::NAN, f64::NEG_INFINITY] {
        let spec = Spec { status: Some(status), ..Spec::default() };
        assert_eq!(problem(spec), "status must be a whole number from 200 to 599", "{status}");
    }
    for delay in [-1.0, f64::NAN, f64::INFINITY, f64::from(LONGEST_DELAY_MS) + 1.0] {
        let spec = Spec { delay_ms: Some(delay), ..Spec::default() };
        assert_eq!(problem(spec), "delayMs must be a number from 0 to 2147483647", "{delay}");
    }
    for seconds in [-1.0, 0.5, f64::NAN, f64::INFINITY] {
        let spec = Spec { retry_after: Some(RetryAfter::Seconds(seconds)), ..Spec::default() };
        assert_eq!(problem(spec), "retryAfter must be a whole number from 0 to 4294967295", "{seconds}");
    }
}

#[test]
fn headers_that_http_cannot_carry_are_refused_by_name() {
    let rule = "must have no line break, control character or character above U+00FF";
    for value in ["a\r\nb", "a\nb", "a\0b", "a\u{7f}", "caf\u{2014}"] {
        assert_eq!(problem(with_header("X-A", value)), format!("headers[\"X-A\"] {rule}"), "{value:?}");
        let spec = Spec { retry_after: Some(RetryAfter::Text(value.to_owned())), ..Spec::default() };
        assert_eq!(problem(spec), format!("retryAfter {rule}"), "{value:?}");
    }
    for name in ["", "X A", "X:A", "X\nA", "é"] {
        assert_eq!(problem(with_header(name, "a")), format!("headers[\"{name}\"] is not the name of a header"));
    }
    assert!(behaviour(with_header("X-A", "caf\u{e9}")).is_some());
}

#[test]
fn paths_that_no_request_has_are_refused() {
    for path in ["", "v1/auth", "/v1/auth?x", "/v1/auth#x"] {
        let spec = Spec { path: Some(path.to_owned()), ..Spec::default() };
        assert_eq!(problem(spec), "path must begin with \"/\" and have no query", "{path}");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let both = Spec { hang: true, reject: true, ..Spec::default() };
    assert_eq!(problem(both), "hang must not be given with reject");
    let rule = "must not be given with status, retryAfter, headers or body";
    for spec in [
        Spec { status: Some(503.0), ..Spec::default() },
        Spec { retry_after: Some(RetryAfter::Seconds(1.0)), ..Spec::default() },
        Spec { body: Some(String::new()), ..Spec::default() },
        with_header("X-A", "a"),
    ] {
        assert_eq!(problem(Spec { hang: true, ..spec.clone() }), format!("hang {rule}"));
        assert_eq!(problem(Spec { reject: true, ..spec }), format!("reject {rule}"));
    }
    for status in [204.0, 205.0, 304.0] {
        let spec = Spec { status: Some(status), body: Some(String::new()), ..Spec::default() };
        assert_eq!(problem(spec), format!("body must not be given: status {status} has none"));
    }
}

#[test]
fn a_status_brings_the_body_that_belongs_to_it() {
    let answer = |status| made_up(Spec { status: Some(status), ..Spec::default() });
    assert!(answer(200.0).is_none(), "the ordinary answer");
    assert_eq!(answer(500.0).map(|answer| answer.body), Some(contract::INTERNAL_SERVER_ERROR.into()));
    assert_eq!(answer(204.0).map(|answer| (answer.body, answer.content_type)), Some((Vec::new(), None)));
    let given = made_up(Spec { status: Some(200.0), body: Some("{}".to_owned()), ..Spec::default() });
    assert_eq!(given.map(|answer| (answer.status, answer.body)), Some((StatusCode::OK, b"{}".to_vec())));
    let limited = made_up(Spec { retry_after: Some(RetryAfter::Seconds(1.0)), ..Spec::default() });
    assert_eq!(limited.map(|answer| answer.status), Some(StatusCode::TOO_MANY_REQUESTS));
}

#[test]
fn each_request_takes_one_step_of_its_path() -> Result<(), Invalid> {
    let mut script = Script::from(vec![
        Step::new(None, Some(2), 'a')?,
        Step::new(Some("/v1/balance".to_owned()), None, 'b')?,
        Step::new(None, None, 'c')?,
    ]);
    assert_eq!(script.left(), 4);
    let taken: Vec<_> = ["/v1/balance", "/v1/auth", "/v1/auth", "/v1/balance", "/v1/auth", "/v1/auth"]
        .map(|path| script.take(path))
        .into();
    assert_eq!(taken, [Some('b'), Some('a'), Some('a'), None, Some('c'), None]);
    assert_eq!(script.left(), 0);
    Ok(())
}
