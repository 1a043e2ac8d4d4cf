//! What an executor costs whose code does nothing: in Rust, in Python under Jina, and in Python under ours.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use super::Arguments;
use super::contender::python;
use super::served::{self, Figures, Served};
use crate::workspace;

/// What `--case` is compared with.
pub(super) const NAME: &str = "executors";

/// The loads.
const CASES: [(&str, &[&str]); 2] =
    [("150 B", &["--payload", "150"]), ("200 kB", &["--payload", "200000", "--in-flight", "4"])];

/// Who takes part, and whom of Jina's it is compared with.
const CONTENDERS: [(&str, Kind, &str); 8] = [
    ("Rust, fn", Kind::Rust("Noop"), DEF),
    ("Rust, async fn", Kind::Rust("AsyncNoop"), ASYNC_DEF),
    (DEF, Kind::Jina("noop.yml"), DEF),
    ("executor --python, def", Kind::Workers("noop.yml", "1"), DEF),
    ("executor --python, def, 2 workers", Kind::Workers("noop.yml", "2"), DEF),
    (ASYNC_DEF, Kind::Jina("async_noop.yml"), ASYNC_DEF),
    ("executor --python, async def", Kind::Workers("async_noop.yml", "1"), ASYNC_DEF),
    ("executor --python, async def, 2 workers", Kind::Workers("async_noop.yml", "2"), ASYNC_DEF),
];

const DEF: &str = "jina executor, def";
const ASYNC_DEF: &str = "jina executor, async def";

/// How an executor is run.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Of this class of `bench-executor`.
    Rust(&'static str),
    /// Of this file, by Jina.
    Jina(&'static str),
    /// Of this file, by so many workers.
    Workers(&'static str, &'static str),
}

impl Kind {
    fn command(self) -> anyhow::Result<Command> {
        let ours = |program| Command::new(workspace::binaries("release").join(program));
        let file = |name| workspace::root().join("bench/contenders").join(name);
        Ok(match self {
            Self::Rust(class) => {
                let mut rust = ours("bench-executor");
                rust.args(["--uses", class]);
                rust
            }
            Self::Jina(name) => {
                let mut jina = Command::new(python()?.program("jina"));
                jina.args(["executor", "--native", "--uses"]).arg(file(name));
                jina
            }
            Self::Workers(name, workers) => {
                let mut executor = ours("executor");
                executor.arg("--python").arg(file(name)).args(["--python-workers", workers]);
                executor.arg("--python-interpreter").arg(python()?.program("python"));
                executor
            }
        })
    }
}

/// Measures all of them; the tables and the raw figures.
pub(super) fn measure(directory: &Path, arguments: &Arguments) -> anyhow::Result<(String, Value)> {
    let mut all = Vec::new();
    for (name, kind, _) in CONTENDERS {
        all.push(Served::start(name, kind.command()?, &directory.join(NAME))?);
    }
    let (mut tables, mut raw) = (Vec::new(), Map::new());
    for (name, load) in CASES {
        let (figures, rounds) = served::measure(&all, load, arguments)?;
        tables.push(table(name, &figures));
        raw.insert(name.to_owned(), rounds);
    }
    Ok((tables.join("\n"), raw.into()))
}

/// `×` columns compare with Jina's executor of the same kind of function: more requests and less processor time
/// are better.
fn table(case: &str, figures: &[Figures]) -> String {
    let mut table = format!("### executors, {case}\n\n");
    table.push_str(
        "| executor | requests/s | p50 µs | p99 µs | CPU µs/request | memory MiB | requests × jina | CPU × jina |\n",
    );
    table.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for own in figures {
        let beside = CONTENDERS.iter().find(|(name, ..)| *name == own.name).map(|(.., beside)| *beside);
        let jina = figures.iter().find(|other| Some(other.name) == beside).unwrap_or(own);
        let Figures { name, per_second, p50_us, p99_us, cpu_us, resident_mib } = own;
        writeln!(
            table,
            "| {name} | {per_second:.0} | {p50_us:.0} | {p99_us:.0} | {cpu_us:.1} | {resident_mib:.0} | {:.2} | {:.2} |",
            per_second / jina.per_second,
            cpu_us / jina.cpu_us,
        )
        .expect("writing to text cannot fail");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_compared_with_the_one_of_its_kind() {
        let figures = |name, per_second, cpu_us| Figures {
            name,
            per_second,
            p50_us: 1.0,
            p99_us: 2.0,
            cpu_us,
            resident_mib: 3.0,
        };
        let all = [
            figures(DEF, 100.0, 40.0),
            figures("executor --python, def", 150.0, 20.0),
            figures(ASYNC_DEF, 300.0, 10.0),
            figures("executor --python, async def", 150.0, 20.0),
        ];
        let table = table("150 B", &all);
        assert!(
            table.contains("| executor --python, def | 150 | 1 | 2 | 20.0 | 3 | 1.50 | 0.50 |\n"),
            "{table}"
        );
        assert!(
            table.contains("| executor --python, async def | 150 | 1 | 2 | 20.0 | 3 | 0.50 | 2.00 |\n"),
            "{table}"
        );
    }
}
