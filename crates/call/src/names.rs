//! Names that users give and that travel on the wire.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The endpoint an executor binds for everything it has no own endpoint for.
pub const DEFAULT_ENDPOINT: &str = "/default";

/// The reserved endpoint that every executor binds and that does nothing.
pub const DRY_RUN_ENDPOINT: &str = "_jina_dry_run_";

/// The name of a deployment in the Flow, such as `encoder`.
///
/// Flow files allow identifiers only, exported manifests also write `index_er/head`; so anything goes that
/// is not empty, not reserved and can be printed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExecutorName(Arc<str>);

/// A text that cannot name an executor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot name an executor: a name is 1 to 253 printable characters without blanks")]
pub struct InvalidName {
    /// The text.
    pub name: String,
}

impl ExecutorName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ExecutorName {
    type Error = InvalidName;

    fn try_from(name: &str) -> Result<Self, InvalidName> {
        let printable = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if name.is_empty() || name.len() > 253 || !printable {
            return Err(InvalidName { name: name.to_owned() });
        }
        Ok(Self(name.into()))
    }
}

impl Borrow<str> for ExecutorName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExecutorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        for good in ["encoder", "index_er/head", "My_Enc", "größe", &"x".repeat(253)] {
            assert_eq!(ExecutorName::try_from(good).unwrap().as_str(), good);
        }
        for bad in ["", "two words", "tab\t", "bell\u{7}", &"x".repeat(254)] {
            assert_eq!(ExecutorName::try_from(bad), Err(InvalidName { name: bad.to_owned() }));
        }
    }
}
