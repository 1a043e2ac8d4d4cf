//! Names as GraphQL allows them.

use std::collections::HashSet;

/// Names of one place, each given once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Some that are taken already.
    pub(crate) fn with(taken: impl IntoIterator<Item = &'static str>) -> Self {
        Self { taken: taken.into_iter().map(str::to_owned).collect() }
    }

    /// A valid name like `wanted`, numbered where it is taken.
    pub(crate) fn give(&mut self, wanted: &str) -> String {
        let plain = valid(wanted);
        let mut name = plain.clone();
        let mut number = 1;
        while !self.taken.insert(name.clone()) {
            number += 1;
            name = format!("{plain}_{number}");
        }
        name
    }
}

/// Whether a text can be a name as it is. Two underscores at the begin are for introspection.
pub(crate) fn is_valid(name: &str) -> bool {
    !name.is_empty() && valid(name) == name
}

/// The name for an endpoint's field: `/foo/bar-baz` is `foo_bar_baz`.
pub(crate) fn of_endpoint(endpoint: &str) -> String {
    let path = endpoint.trim_matches('/');
    if path.is_empty() { "root".to_owned() } else { valid(path) }
}

/// The words of a text, each with a capital letter.
pub(crate) fn pascal(text: &str) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

fn valid(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut name: String = text.chars().map(allowed).collect();
    if name.starts_with("__") {
        name = format!("_{}", name.trim_start_matches('_'));
    }
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_has_a_valid_name() {
        let mut names = Names::with(["taken"]);
        let given = ["a-b", "a_b", "3d", "__results__", "", "taken", "größe"].map(|text| names.give(text));
        assert_eq!(given, ["a_b", "a_b_2", "_3d", "_results__", "_", "taken_2", "gr__e"]);
        assert!(is_valid("_id") && !is_valid("__id") && !is_valid("a b") && !is_valid(""));
    }

    #[test]
    fn endpoints_have_fields_named_after_their_path() {
        let names = ["/search", "/", "/foo/bar-baz", "plain"].map(of_endpoint);
        assert_eq!(names, ["search", "root", "foo_bar_baz", "plain"]);
        assert_eq!(pascal("foo_bar-baz 3d"), "FooBarBaz3d");
    }
}
