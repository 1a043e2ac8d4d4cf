//! The report against a recorded one.

use super::*;

/// The answer of a reference gateway, cut to its keys.
const KEYS: &str = include_str!("golden_keys.json");

#[test]
fn keys_are_those_of_the_reference_in_its_order() {
    let want: IndexMap<String, Vec<String>> = serde_json::from_str(KEYS).unwrap();
    let got = serde_json::to_value(Report::new(Traffic::default()).read()).unwrap();
    for (section, keys) in want {
        let got: Vec<_> = got[&section].as_object().unwrap().keys().collect();
        assert_eq!(got, keys.iter().collect::<Vec<_>>(), "{section}");
    }
}

#[test]
fn every_call_is_a_session_of_its_own() {
    let report = Report::new(Traffic::default());
    let (mut first, mut second) = (report.read(), report.read());
    let sessions = [&mut first, &mut second].map(|sections| sections.jina.swap_remove("session-id").unwrap());
    assert_ne!(sessions[0], sessions[1]);
    let version = uuid::Uuid::parse_str(&sessions[0]).unwrap().get_version_num();
    assert_eq!(version, 1);
    assert_eq!(first.jina, second.jina);
    assert_eq!(first.envs, second.envs);
}

#[test]
fn the_start_is_told_to_the_microsecond() {
    let report = Report::new(Traffic::default());
    let uptime = report.read().jina.swap_remove("uptime").unwrap();
    assert_eq!(uptime.len(), "2026-01-15T15:59:42.550979".len(), "{uptime}");
    let started: DateTime = uptime.parse().unwrap();
    assert!(started <= jiff::ZonedDateTime::now().datetime(), "{uptime}");
}

#[test]
fn traffic_is_unset_before_the_first_request() {
    let traffic = Traffic::default();
    let report = Report::new(traffic.clone());
    assert_eq!(report.read().envs[RECEIVED], UNSET);
    traffic.received(5);
    traffic.sent(3);
    traffic.sent(4);
    let envs = report.to_proto().envs;
    assert_eq!((envs[RECEIVED].as_str(), envs[SENT].as_str()), ("5", "7"));
}

#[test]
fn versions_come_from_the_lock_file() {
    let jina = Report::new(Traffic::default()).read().jina;
    for key in ["protobuf", "grpcio", "pyyaml"] {
        assert!(jina[key].split('.').count() >= 3, "{key}: {}", jina[key]);
    }
}
