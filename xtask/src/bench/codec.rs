//! How fast JSON becomes documents and documents become JSON, beside serde_json alone on the same text.
//!
//! The figures are made by the example `codec_speed` of `docarray`, in one process and in time of the processor.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::Value;

use crate::{shell, workspace};

/// What `--case` is compared with.
pub(super) const NAME: &str = "JSON codec";

/// The columns, and what they are called by the example.
const COLUMNS: [(&str, &str); 5] = [
    ("JSON → documents", "json_to_documents"),
    ("serde_json, checked only", "serde_json_parse_only"),
    ("serde_json → tree", "serde_json_parse_to_tree"),
    ("documents → JSON", "documents_to_json"),
    ("serde_json, tree → JSON", "serde_json_print_tree"),
];

/// Measures; returns a table and the raw figures.
pub(super) fn measure() -> anyhow::Result<(String, Value)> {
    let mut example = workspace::cargo();
    example.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "docarray",
        "--example",
        "codec_speed",
    ]);
    let printed = shell::output(&mut example)?;
    let rows = printed.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    Ok((table(&rows)?, rows.into()))
}

fn table(rows: &[Value]) -> anyhow::Result<String> {
    let mut table = "### JSON codec, MB/s of JSON\n\n| documents |".to_owned();
    for (column, _) in COLUMNS {
        write!(table, " {column} |").expect("writing to text cannot fail");
    }
    table.push_str("\n| --- |");
    table.push_str(&" ---: |".repeat(COLUMNS.len()));
    table.push('\n');
    for row in rows {
        write!(table, "| {} |", row["documents"].as_str().context("a row without a name")?)?;
        for (_, key) in COLUMNS {
            let speed = row["mb_per_s"][key].as_f64().with_context(|| format!("a row without `{key}`"))?;
            write!(table, " {speed:.0} |")?;
        }
        table.push('\n');
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_documents_has_a_row() {
        let speeds: serde_json::Map<_, _> =
            COLUMNS.iter().map(|(_, key)| ((*key).to_owned(), json!(100.4))).collect();
        let rows = [json!({"documents": "texts", "mb_per_s": speeds})];
        let table = table(&rows).unwrap();
        assert!(table.ends_with("| texts | 100 | 100 | 100 | 100 | 100 |\n"), "{table}");
        super::table(&[json!({"documents": "texts", "mb_per_s": {}})]).unwrap_err();
    }
}
