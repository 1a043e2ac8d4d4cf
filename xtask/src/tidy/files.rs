//! Headers, lengths and names of files, and words that have no place in them.

/// Past this a file does more than one thing.
const LINES: usize = 500;

/// Names that say nothing.
const BANNED_NAMES: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];

/// Endings of type names that say what pattern a type follows instead of what it is for.
const BANNED_ENDINGS: [&str; 3] = ["Manager", "Factory", "Helper"];

pub(super) fn check(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let banned = name.split(['/', '.']).find(|part| BANNED_NAMES.contains(part));
    if let Some(part) = banned {
        problems.push(format!("{name}: `{part}` says nothing; name it after what it does"));
    }
    let header = match name.rsplit('.').next() {
        Some("rs") => Some("//!"),
        Some("py") => Some("\"\"\""),
        _ => None,
    };
    let Some(header) = header else { return problems };
    if !text.starts_with(header) {
        problems.push(format!("{name}: does not begin with `{header}` and what the file is"));
    }
    let lines = text.lines().count();
    if lines > LINES {
        problems.push(format!("{name}: {lines} lines; past {LINES} a second thing has moved in"));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(problem) = check_line(line) {
            problems.push(format!("{name}:{}: {problem}", number + 1));
        }
    }
    problems
}

fn check_line(line: &str) -> Option<String> {
    // Split, so that this file does not find itself.
    if line.contains(concat!("#[", "ignore")) {
        return Some("a test that is ignored proves nothing".to_owned());
    }
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    if marks.iter().any(|mark| line.contains(mark)) && !line.contains('#') {
        return Some("what is left to do needs an issue: `#number`".to_owned());
    }
    let declared = ["struct ", "trait ", "enum ", "class "]
        .iter()
        .find_map(|keyword| line.trim_start().trim_start_matches("pub ").strip_prefix(keyword))?;
    let declared = declared.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let ending = BANNED_ENDINGS.iter().find(|ending| declared.ends_with(*ending))?;
    Some(format!("`{declared}`: a name says what the thing is for, not `{ending}`"))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |name: &str, text: &str, want: &[&str]| assert_eq!(check(name, text), want, "{name}");
        wrong("a/src/lib.rs", "//! Good.\nstruct Pool;\n", &[]);
        wrong("a/readme.md", "", &[]);
        wrong("a/src/lib.rs", "use b;\n", &["a/src/lib.rs: does not begin with `//!` and what the file is"]);
        wrong(
            "a/src/utils/mod.rs",
            "//! A.\n",
            &["a/src/utils/mod.rs: `utils` says nothing; name it after what it does"],
        );
        wrong(
            "a.rs",
            "//! A.\npub struct PoolManager;\n",
            &["a.rs:2: `PoolManager`: a name says what the thing is for, not `Manager`"],
        );
        wrong("a.py", "import b\n", &["a.py: does not begin with `\"\"\"` and what the file is"]);
        let long = format!("//! A.\n{}", "\n".repeat(500));
        wrong("long.rs", &long, &["long.rs: 501 lines; past 500 a second thing has moved in"]);
    }
}
