//! `docs/configuration.md`, made from the table.

use std::fmt::Write as _;

use crate::table::variables::VARIABLES;
use crate::table::{Argument, Mark, Program, all, arguments};

const HEAD: &str = "\
# Configuration

This page is generated from the table in `crates/config/src/table`; a test compares the two. To write it anew:
`FLOWGATE_BLESS=1 cargo test -p config`. `docs/flow.schema.json` is the JSON Schema of Flow files, made the same way; an
editor uses it after the line `# yaml-language-server: $schema=flow.schema.json`.

Everything can be said in four places; a later one counts more than an earlier one:

1. the defaults below;
2. a file: the `gateway` section, `with` and `executors` of a Flow (`flow --uses FILE`, `gateway --flow FILE`), or a
   gateway's or an executor's own file (`--uses FILE`). Keys are the arguments with underscores: `timeout_send`;
3. the environment: `FLOWGATE_` and the key in capitals, `FLOWGATE_TIMEOUT_SEND`;
4. the command line: `--timeout-send`, any unique beginning of it, `--timeout-send 500` or `--timeout-send=500`.

Durations are numbers with a unit (`250ms`, `10s`, `5m`); without a unit they count milliseconds, as in Jina. Sizes are
numbers with a unit (`64KiB`, `16MB`); without a unit they count bytes. Lists are several elements on the command line or
one text with commas; where a text may hold a comma itself, only the former. `KEY=VALUE` arguments also take
`KEY: VALUE` and JSON objects.

The last column: *Jina* = as in Jina; *beyond* = an argument of Jina's that does more here; *own* = not in Jina;
*accepted* = of Jina, without an effect there and here; *elsewhere* = of Jina, about Python, containers or the Hub, and
without an effect in this process.
";

/// The text of `docs/configuration.md`.
#[must_use]
pub fn documentation() -> String {
    let mut text = HEAD.to_owned();
    section(&mut text, "Gateway", arguments(Program::Gateway));
    section(&mut text, "Executor", arguments(Program::Executor));
    let only_entries = all().filter(|argument| argument.on.deployment && !argument.on.executor);
    let note = "\nEntries take every key of an executor, and these:\n";
    text.push_str("\n## Executors of a Flow\n");
    text.push_str(note);
    table(&mut text, only_entries);
    text.push_str("\n## Environment variables of Jina\n\n| variable | effect |\n| --- | --- |\n");
    for variable in VARIABLES {
        let _infallible = writeln!(text, "| `{}` | {} |", variable.name, variable.help);
    }
    text
}

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = &'static Argument>) {
    let _infallible = write!(text, "\n## {title}\n");
    table(text, rows);
}

fn table(text: &mut String, rows: impl Iterator<Item = &'static Argument>) {
    text.push_str("\n| argument | value | default | meaning | |\n| --- | --- | --- | --- | --- |\n");
    for argument in rows {
        let names = std::iter::once(argument.name).chain(argument.aliases.iter().copied());
        let names: Vec<_> = names.map(|name| format!("`--{name}`")).collect();
        let value = argument.form.placeholder().replace('|', "\\|");
        let value = if value.is_empty() { String::new() } else { format!("`{value}`") };
        let default = argument.default.filter(|default| *default != "false");
        let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
        let mark = match argument.mark {
            Mark::Honoured => "Jina",
            Mark::Beyond => "beyond",
            Mark::Own => "own",
            Mark::Accepted => "accepted",
            Mark::Elsewhere => "elsewhere",
        };
        let names = names.join(" ");
        let _infallible = writeln!(text, "| {names} | {value} | {default} | {} | {mark} |", argument.help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_agrees_with_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
        if std::env::var_os("FLOWGATE_BLESS").is_some() {
            std::fs::write(path, documentation()).unwrap();
        }
        let written = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            written == documentation(),
            "docs/configuration.md is old: FLOWGATE_BLESS=1 cargo test -p config"
        );
    }
}
