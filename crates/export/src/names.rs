//! Names of objects, services and hosts.

/// The name of a deployment, or of a part of it, where only small letters, digits and hyphens are allowed.
pub(crate) fn label(name: &str) -> String {
    name.to_lowercase().replace(['/', '_'], "-")
}

/// Whether it can name an object, a namespace and a host.
pub(crate) fn is_label(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels() {
        assert_eq!(label("My_Enc"), "my-enc");
        assert_eq!(label("index_er/uses-before"), "index-er-uses-before");
        assert!(is_label("a-0") && is_label(&"a".repeat(63)));
        for name in ["", "-a", "a-", "a.b", "A", "a b", &"a".repeat(64)] {
            assert!(!is_label(name), "{name}");
        }
    }
}
