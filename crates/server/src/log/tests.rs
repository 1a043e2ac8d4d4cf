//! Lines as they are written.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

use config::{LineForm, LogHandler, LogPeriod, LogTarget, Template};
use jiff::ToSpan as _;
use tracing::{Level, info, warn};

use super::files::Output;
use super::record::Process;
use super::*;

fn spec(handlers: Vec<LogHandler>) -> LogSpec {
    LogSpec {
        name: "gateway".to_owned(),
        level: config::Level::Info,
        handlers,
        quiet_error: false,
        colours: false,
        access: false,
        hide_health_checks: false,
    }
}

fn file(path: &Path) -> Template {
    Template::of_name(path.to_str().unwrap()).unwrap()
}

/// What is written to a file while `say` runs.
fn written(form: LineForm, say: impl FnOnce()) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    let handlers = vec![LogHandler { target: LogTarget::File { path: file(&path) }, form }];
    let lines = Lines::open(&spec(handlers)).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), say);
    fs::read_to_string(path).unwrap()
}

#[test]
fn lines_look_as_templates_say() {
    let template = Template::of_line("{name:>10}@%(process)2d[%(levelname).1s]:%(message)s").unwrap();
    let text = written(LineForm::Text { template, plain: true }, || {
        info!(port = 80, "\u{1b}[31mready\u{1b}[0m");
        warn!(text = "a b", "{}", "x".repeat(600));
    });
    let id = std::process::id();
    let long = format!("   gateway@{id:>2}[W]:{}", "x".repeat(512));
    assert_eq!(text.lines().collect::<Vec<_>>(), [format!("   gateway@{id:>2}[I]:ready port=80"), long]);
}

#[test]
fn those_who_share_a_log_have_names_of_their_own() {
    let template = Template::of_line("{name}: %(message)s").unwrap();
    let text = written(LineForm::Text { template, plain: false }, || {
        info!("before");
        named("encoder/rep-0").in_scope(|| {
            info!("one");
            tracing::info_span!("inner").in_scope(|| info!("deeper"));
            named("ranker/rep-0").in_scope(|| info!("another"));
        });
        info!("after");
    });
    let wanted =
        "gateway: before\nencoder/rep-0: one\nencoder/rep-0: deeper\nranker/rep-0: another\ngateway: after\n";
    assert_eq!(text, wanted);
}

#[test]
fn records_of_the_crate_log_tell_where_they_come_from() {
    let text = written(LineForm::Json, || {
        info!(log.target = "search::graph", log.file = "graph.rs", log.line = 3, "said");
    });
    let said: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&said["msg"], &said["module"]), (&"said".into(), &"search::graph".into()));
}

#[test]
fn json_has_the_keys_of_the_original() {
    let text = written(LineForm::Json, || {
        let error = io::Error::other(LogError::File { file: "f".into(), source: io::Error::other("inner") });
        let error: &(dyn std::error::Error + 'static) = &error;
        warn!(error, "it \u{1b}[31mfailed");
        info!(request_id = "7", "plain");
    });
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let keys: Vec<_> = lines[0].as_object().unwrap().keys().map(String::as_str).collect();
    let want = [
        "created",
        "filename",
        "funcName",
        "levelname",
        "lineno",
        "module",
        "msg",
        "name",
        "pathname",
        "process",
        "processName",
        "thread",
        "threadName",
    ];
    assert_eq!(keys, want);
    assert_eq!(lines[0]["msg"], "it failed error=\"the log cannot be written to f: inner\"");
    assert_eq!((&lines[0]["levelname"], &lines[0]["name"]), (&"WARNING".into(), &"gateway".into()));
    assert_eq!((&lines[1]["msg"], &lines[1]["log_id"]), (&"plain request_id=7".into(), &"7".into()));
    assert_eq!(lines[0]["filename"], "tests.rs");
}

#[test]
fn a_full_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    let target = LogTarget::SizedFile { path: file(&path), max_bytes: 10, backups: 2 };
    let process = Process::of("x");
    let output = Output::open(&target, &process).unwrap();
    for line in ["one", "two", "three", "four", "five", "a line longer than the file", "six"] {
        output.write(line, &process.started).unwrap();
    }
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("x.log"), "six\n");
    assert_eq!(read("x.log.1"), "a line longer than the file\n");
    assert_eq!(read("x.log.2"), "four\nfive\n");
    assert!(!folder.path().join("x.log.3").exists());
}

#[test]
fn an_old_file_is_put_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    let every = LogPeriod::Every { period: Duration::from_secs(3600), suffix: "%Y-%m-%d_%H" };
    let target = LogTarget::TimedFile { path: file(&path), every, backups: 2 };
    let process = Process::of("x");
    let output = Output::open(&target, &process).unwrap();
    let start = jiff::ZonedDateTime::now();
    for (hours, line) in [(0, "a"), (0, "b"), (2, "c"), (4, "d"), (6, "e")] {
        output.write(line, &start.checked_add(hours.hours()).unwrap()).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "e\n");
    let mut aside: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    aside.sort();
    let texts: Vec<_> = aside.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(texts, ["e\n", "c\n", "d\n"], "{aside:?}");
}

#[test]
fn the_log_of_the_system_gets_datagrams() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let address = Some(("127.0.0.1".to_owned(), server.local_addr().unwrap().port()));
    let form = LineForm::Text { template: Template::of_line("%(message)s").unwrap(), plain: false };
    let target = LogTarget::Syslog { ident: "flow: ".to_owned(), address };
    let lines = Lines::open(&spec(vec![LogHandler { target, form }])).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || warn!("hot"));
    let mut datagram = [0; 100];
    let length = server.recv(&mut datagram).unwrap();
    assert_eq!(&datagram[..length], b"<12>flow: hot\0");
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let target = LogTarget::File { path: Template::of_name("/no/such/folder/x.log").unwrap() };
    let error = Lines::open(&spec(vec![LogHandler { target, form: LineForm::Json }])).unwrap_err();
    assert_eq!(error.to_string(), "the log cannot be written to /no/such/folder/x.log");
}

#[test]
fn libraries_are_quiet_unless_asked_for() {
    let check = |level, directives, target: &str, at, want| {
        let targets = targets(level, directives).unwrap();
        assert_eq!(targets.would_enable(target, &at), want, "{target} {at}");
    };
    check(LevelFilter::DEBUG, None, "routing", Level::DEBUG, true);
    check(LevelFilter::DEBUG, None, "h2::proto", Level::DEBUG, false);
    check(LevelFilter::DEBUG, None, "h2::proto", Level::INFO, true);
    check(LevelFilter::WARN, None, "h2", Level::INFO, false);
    check(LevelFilter::WARN, Some("h2=trace"), "h2", Level::TRACE, true);
    check(filter(config::Level::Critical), None, "gateway", Level::ERROR, false);
    check(filter(config::Level::Success), None, "gateway", Level::INFO, false);
    assert!(targets(LevelFilter::INFO, Some("h2=loud")).is_err());
}
