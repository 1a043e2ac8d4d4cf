//! What every package's `Cargo.toml` has in common.

pub(super) fn check(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut section = "";
    let mut lints = false;
    let mut inherited: Vec<&str> = vec!["version", "edition", "rust-version", "license", "publish"];
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
            if section.contains("dependencies.") {
                problems.push(format!("{name}:{}: write the dependency on one line", number + 1));
            }
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let from_workspace = line.contains("workspace = true");
        match section {
            "lints" => lints |= line == "workspace = true",
            "package" if from_workspace => {
                inherited.retain(|key| !line.starts_with(&format!("{key}.workspace")));
            }
            section if section.ends_with("dependencies") && !from_workspace => {
                problems.push(format!("{name}:{}: the dependency is not the workspace's", number + 1));
            }
            _ => {}
        }
    }
    if !lints {
        problems.push(format!("{name}: lacks `[lints] workspace = true`"));
    }
    problems.extend(inherited.iter().map(|key| format!("{name}: lacks `{key}.workspace = true`")));
    problems
}

#[cfg(test)]
mod tests {
    use super::check;

    const GOOD: &str = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n\
        [lints]\nworkspace = true\n\n[dependencies]\nbytes.workspace = true\n\
        tokio = { workspace = true, features = [\"fs\"] }\n";

    #[test]
    fn what_differs_is_named() {
        let changed = |from: &str, to: &str, want: &[&str]| {
            assert_eq!(check("a/Cargo.toml", &GOOD.replace(from, to)), want, "{from} -> {to}");
        };
        changed("", "", &[]);
        changed(
            "bytes.workspace = true",
            "bytes = \"1\"",
            &["a/Cargo.toml:13: the dependency is not the workspace's"],
        );
        changed("[lints]\nworkspace = true", "", &["a/Cargo.toml: lacks `[lints] workspace = true`"]);
        changed("publish.workspace", "publish", &["a/Cargo.toml: lacks `publish.workspace = true`"]);
    }
}
