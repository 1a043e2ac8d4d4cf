//! Devices of replicas.

use super::*;

/// What five replicas see on a machine with three devices.
#[track_caller]
fn check(wanted: &str, want: [&str; 5]) {
    let variables = Variables::from_iter([(VARIABLE.to_owned(), wanted.to_owned())]);
    let got: Vec<_> = (0..5).map(|replica| of_replica(&variables, replica, 3)[VARIABLE].clone()).collect();
    assert_eq!(got, want, "{wanted}");
}

#[test]
fn replicas_take_turns_at_the_devices_that_are_wanted() {
    check("RR", ["0", "1", "2", "0", "1"]);
    check("RR1:3", ["1", "2", "1", "2", "1"]);
    check("RR0,2", ["0", "2", "0", "2", "0"]);
    check("RR1", ["1"; 5]);
    check("RR[0:2]", ["0", "1", "0", "1", "0"]);
    check("RR::2", ["0", "2", "0", "2", "0"]);
    check("RRGPU-a,GPU-b", ["GPU-a", "GPU-b", "GPU-a", "GPU-b", "GPU-a"]);
    check("RRGPU-a", ["GPU-a"; 5]);
}

#[test]
fn what_has_no_device_stays_as_it_is() {
    check("0,1", ["0,1"; 5]);
    check("RR7", ["RR7"; 5]);
    check("RR1:x", ["RR1:x"; 5]);
    let turns = Variables::from_iter([(VARIABLE.to_owned(), "RR".to_owned())]);
    assert_eq!(of_replica(&turns, 1, 0)[VARIABLE], "RR");
}
