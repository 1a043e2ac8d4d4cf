//! What dynamic batching brings to an executor whose calls cost the same however many documents are in them.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::Arguments;
use super::served::{self, Figures, Served};
use crate::workspace;

/// What `--case` is compared with.
pub(super) const NAME: &str = "batching";

/// As many callers as fit in one batch, each with one document and the next once it is answered.
const LOAD: [&str; 6] = ["--payload", "150", "--connections", "4", "--in-flight", "8"];

/// How the same class is run; the first is what the others are compared with.
const CONTENDERS: [(&str, Option<&str>); 2] = [
    ("without batching", None),
    ("batches of 32", Some(r#"{"/default": {"preferred_batch_size": 32, "timeout": 5}}"#)),
];

/// Measures with and without; a table and the raw figures.
pub(super) fn measure(directory: &Path, arguments: &Arguments) -> anyhow::Result<(String, Value)> {
    let mut all = Vec::new();
    for (name, batching) in CONTENDERS {
        let mut command = Command::new(workspace::binaries("release").join("bench-executor"));
        command.args(["--uses", "Model"]);
        if let Some(batching) = batching {
            command.args(["--uses-dynamic-batching", batching]);
        }
        all.push(Served::start(name, command, &directory.join(NAME))?);
    }
    let (figures, raw) = served::measure(&all, &LOAD, arguments)?;
    Ok((table(&figures), raw))
}

fn table(figures: &[Figures]) -> String {
    let mut table = String::from("### batching, 32 callers of a model that takes 5 ms for each call\n\n");
    table.push_str("| executor | requests/s | p50 µs | p99 µs | CPU µs/request | requests × without |\n");
    table.push_str("| --- | ---: | ---: | ---: | ---: | ---: |\n");
    let without = figures.first().map_or(f64::NAN, |first| first.per_second);
    for Figures { name, per_second, p50_us, p99_us, cpu_us, .. } in figures {
        let ratio = per_second / without;
        writeln!(
            table,
            "| {name} | {per_second:.0} | {p50_us:.0} | {p99_us:.0} | {cpu_us:.1} | {ratio:.1} |"
        )
        .expect("writing to text cannot fail");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_compared_with_the_first() {
        let figures = |name, per_second| Figures {
            name,
            per_second,
            p50_us: 1.0,
            p99_us: 2.0,
            cpu_us: 3.0,
            resident_mib: 4.0,
        };
        let table = table(&[figures("one", 100.0), figures("other", 1050.0)]);
        assert!(
            table.ends_with("| one | 100 | 1 | 2 | 3.0 | 1.0 |\n| other | 1050 | 1 | 2 | 3.0 | 10.5 |\n"),
            "{table}"
        );
    }
}
