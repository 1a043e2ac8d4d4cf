//! All results of a run, printed as they come and written at its end.

use std::path::Path;
use std::{fs, io};

use serde_json::{Map, Value, json};

use super::table::{self, Summary};

/// What came of the cases so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    text: String,
    contenders: Map<String, Value>,
    cases: Map<String, Value>,
}

impl Report {
    /// Who takes part.
    pub(super) fn contender(&mut self, name: &str, version: &str, resident_mib_at_rest: Option<f64>) {
        let about = json!({ "version": version, "resident_mib_at_rest": resident_mib_at_rest });
        self.contenders.insert(name.to_owned(), about);
    }

    /// What came of a case in which contenders took turns.
    pub(super) fn case(&mut self, name: &str, summaries: &[Summary], rounds: &Map<String, Value>) {
        let raw = json!({ "middle": summaries, "rounds": rounds });
        self.section(name, (table::table(name, summaries), raw));
    }

    /// A table with a heading of its own, and the same for programs.
    pub(super) fn section(&mut self, name: &str, (table, raw): (String, Value)) {
        println!("{table}");
        self.text.push_str(&table);
        self.text.push('\n');
        self.cases.insert(name.to_owned(), raw);
    }

    /// Writes both forms to `directory`.
    pub(super) fn write(self, directory: &Path) -> anyhow::Result<()> {
        let raw = json!({ "contenders": self.contenders, "cases": self.cases });
        write(&directory.join("results.md"), self.text.as_bytes())?;
        write(&directory.join("results.json"), serde_json::to_string_pretty(&raw)?.as_bytes())
    }
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    fs::write(path, content).map_err(|error: io::Error| {
        anyhow::anyhow!(error).context(format!("cannot write {}", path.display()))
    })?;
    println!("written: {}", path.display());
    Ok(())
}
