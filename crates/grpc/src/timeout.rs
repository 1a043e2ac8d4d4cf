//! The `grpc-timeout` header: up to eight digits and a unit.

use std::time::Duration;

use http::HeaderValue;

/// Reads the header's value; `None` if it is none.
#[must_use]
pub fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let n = digits.iter().fold(0_u64, |n, digit| n * 10 + u64::from(digit - b'0'));
    match unit {
        b'H' => Some(Duration::from_secs(n * 3600)),
        b'M' => Some(Duration::from_secs(n * 60)),
        b'S' => Some(Duration::from_secs(n)),
        b'm' => Some(Duration::from_millis(n)),
        b'u' => Some(Duration::from_micros(n)),
        b'n' => Some(Duration::from_nanos(n)),
        _ => None,
    }
}

/// Writes the header's value, rounded up to what eight digits can say.
#[must_use]
pub fn format(left: Duration) -> HeaderValue {
    let (n, unit) = [(1_000_u128, 'u'), (1_000_000, 'm'), (1_000_000_000, 'S')]
        .into_iter()
        .map(|(nanos, unit)| (left.as_nanos().div_ceil(nanos), unit))
        .find(|(n, _)| *n < 100_000_000)
        .unwrap_or((99_999_999, 'S'));
    // Digits and a letter are always a valid header.
    HeaderValue::try_from(format!("{n}{unit}")).unwrap_or(HeaderValue::from_static("99999999S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read() {
        let check = |text: &str, want| assert_eq!(parse(text.as_bytes()), want, "{text}");
        check("1H", Some(Duration::from_secs(3600)));
        check("2M", Some(Duration::from_secs(120)));
        check("3S", Some(Duration::from_secs(3)));
        check("4m", Some(Duration::from_millis(4)));
        check("5u", Some(Duration::from_micros(5)));
        check("99999999n", Some(Duration::from_nanos(99_999_999)));
        for bad in ["", "S", "1", "1x", "123456789S", "-1S", "1.5S"] {
            check(bad, None);
        }
    }

    #[test]
    fn timeouts_survive_the_round_trip() {
        for left in [0, 1, 999, 1_000_000, 299_000_000] {
            let left = Duration::from_micros(left);
            assert_eq!(parse(format(left).as_bytes()), Some(left));
        }
        let rounded = parse(format(Duration::from_nanos(100_000_000_001)).as_bytes());
        assert_eq!(rounded, Some(Duration::from_millis(100_001)), "never shorter than asked for");
        assert_eq!(parse(format(Duration::MAX).as_bytes()), Some(Duration::from_secs(99_999_999)));
    }
}
