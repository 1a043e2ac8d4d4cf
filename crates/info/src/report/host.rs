//! The machine that a process runs on.

use std::{env, fs};

/// The kernel's name, such as `Linux`.
pub(super) fn system() -> String {
    kernel("ostype").unwrap_or_else(|| env::consts::OS.to_owned())
}

/// The kernel's release, as `uname -r` prints it; empty where it cannot be told.
pub(super) fn release() -> String {
    kernel("osrelease").unwrap_or_default()
}

/// The kernel's build, as `uname -v` prints it; empty where it cannot be told.
pub(super) fn version() -> String {
    kernel("version").unwrap_or_default()
}

fn kernel(entry: &str) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/sys/kernel/{entry}")).ok()?;
    Some(text.trim_end().to_owned())
}

/// The address of the first network interface that has one. If there is none: a random number, marked as
/// such by the multicast bit, which no hardware address has.
pub(super) fn hardware_address() -> u64 {
    const MULTICAST: u64 = 1 << 40;
    interfaces().find(|address| *address != 0).unwrap_or_else(|| fastrand::u64(..1 << 48) | MULTICAST)
}

fn interfaces() -> impl Iterator<Item = u64> {
    let mut directories: Vec<_> =
        fs::read_dir("/sys/class/net").into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    directories.sort();
    directories
        .into_iter()
        .filter_map(|directory| parse_address(&fs::read_to_string(directory.join("address")).ok()?))
}

fn parse_address(text: &str) -> Option<u64> {
    let bytes = text.trim().split(':').map(|byte| u8::from_str_radix(byte, 16));
    let bytes = bytes.collect::<Result<Vec<_>, _>>().ok().filter(|bytes| bytes.len() == 6)?;
    Some(bytes.into_iter().fold(0, |address, byte| address << 8 | u64::from(byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_addresses_are_numbers() {
        assert_eq!(parse_address("02:42:ac:11:00:02\n"), Some(2_485_377_892_354));
        assert_eq!(parse_address(""), None);
        assert_eq!(parse_address("00:11:22"), None);
        assert!((1..1 << 48).contains(&hardware_address()));
    }
}
