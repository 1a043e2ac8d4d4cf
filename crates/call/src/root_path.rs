//! The path under which a proxy shows the process.

use std::sync::Arc;

/// The path under which a proxy shows the process to clients, such as `/api`. The proxy may take it away from the paths
/// of requests or leave it there; both mean the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootPath(Arc<str>);

impl RootPath {
    /// A path that begins with a slash; whether it ends with one makes no difference. Of an empty one the process is at the
    /// root.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self(path.trim_end_matches('/').into())
    }

    /// Without a slash at its end, and empty if the process is at the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What a path of a request is called here.
    #[must_use]
    pub fn below<'a>(&self, path: &'a str) -> &'a str {
        match path.strip_prefix(&*self.0) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            Some(_) | None => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_are_taken_away() {
        let check = |root: &str, path: &str, want: &str| {
            assert_eq!(RootPath::new(root).below(path), want, "{path} below {root}");
        };
        check("", "/status", "/status");
        check("", "*", "*");
        check("/api", "/status", "/status");
        check("/api", "/api/status", "/status");
        check("/api/", "/api/status", "/status");
        check("/api", "/api", "");
        check("/api", "/api/", "/");
        check("/api", "/apix/status", "/apix/status");
        check("/api", "/api/api/status", "/api/status");
        check("/a/b", "/a/b/c", "/c");
    }
}
