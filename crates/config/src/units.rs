//! Durations and sizes as text with a unit.

use std::time::Duration;

/// Milliseconds of a text such as `250ms`, `1.5s`, `2m`, `1h`; a bare number counts milliseconds. A negative
/// number is for the caller to interpret.
pub(crate) fn milliseconds(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (number, unit) = split(text)?;
    let factor = match unit {
        "ms" => 1.0,
        "s" => 1000.0,
        "m" | "min" => 60_000.0,
        "h" => 3_600_000.0,
        _ => return None,
    };
    whole(number * factor)
}

/// Bytes of a text such as `16MiB`, `64k`, `1.5GB`; a bare number counts bytes.
pub(crate) fn bytes(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (number, unit) = split(text)?;
    let factor = match unit.to_ascii_lowercase().as_str() {
        "b" => 1.0,
        "k" | "ki" | "kib" => 1024.0,
        "kb" => 1e3,
        "m" | "mi" | "mib" => 1024.0 * 1024.0,
        "mb" => 1e6,
        "g" | "gi" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "gb" => 1e9,
        _ => return None,
    };
    whole(number * factor)
}

/// A duration of so many milliseconds; `None` if they are negative.
pub(crate) fn duration(milliseconds: i64) -> Option<Duration> {
    u64::try_from(milliseconds).ok().map(Duration::from_millis)
}

fn split(text: &str) -> Option<(f64, &str)> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    Some((number.trim_end().parse().ok()?, unit))
}

fn whole(number: f64) -> Option<i64> {
    let rounded = number.round();
    // Beyond this a float no longer holds whole numbers; no limit is that large.
    #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number within range")]
    (number >= 0.0 && (rounded - number).abs() < 1e-6 && rounded < 9e15).then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood() {
        let check = |text: &str, want| assert_eq!(milliseconds(text), want, "{text}");
        check("250ms", Some(250));
        check("1.5s", Some(1500));
        check("2 m", Some(120_000));
        check("1h", Some(3_600_000));
        check("-1", Some(-1));
        check(" 70 ", Some(70));
        for text in ["", "s", "1 parsec", "-1s", "0.0001ms", "1e30s", "nan s"] {
            check(text, None);
        }
        let check = |text: &str, want| assert_eq!(bytes(text), want, "{text}");
        check("16MiB", Some(16 << 20));
        check("64k", Some(64 << 10));
        check("1.5GB", Some(1_500_000_000));
        check("12", Some(12));
        check("1XB", None);
        check("0.3b", None);
    }
}
