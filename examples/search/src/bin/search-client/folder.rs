//! The text files of a folder as documents.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use search::documents::Document;
use walkdir::WalkDir;

/// Which files are taken.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    /// The endings of their names, without the dot.
    pub(crate) endings: Vec<String>,
    /// The most bytes a file may have.
    pub(crate) max_bytes: u64,
}

/// How many files were left out, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Skipped {
    /// The system did not let us.
    pub(crate) unreadable: u64,
    /// Not UTF-8, or with zeros in it.
    pub(crate) binary: u64,
    /// Nothing in it.
    pub(crate) empty: u64,
    /// Too large.
    pub(crate) large: u64,
}

/// Why a file is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    Unreadable,
    Binary,
    Empty,
    Large,
}

// === impl Selection ===

impl Selection {
    /// The files in a folder and those in it, by name. Symbolic links are not followed: they could lead round
    /// in circles.
    pub(crate) fn files(&self, folder: &Path, skipped: &mut Skipped) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_file() && self.wants(entry.path()) => {
                    files.push(entry.into_path());
                }
                Ok(_) => {}
                Err(_) => skipped.count(Reason::Unreadable),
            }
        }
        files
    }

    fn wants(&self, path: &Path) -> bool {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        self.endings.iter().any(|wanted| wanted.eq_ignore_ascii_case(ending))
    }

    /// Reads a file.
    pub(crate) fn read(&self, path: &Path) -> Result<Document, Reason> {
        let Some(id) = path.to_str() else { return Err(Reason::Unreadable) };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|_| Reason::Unreadable)?;
        // A file may grow while it is read, so that what its size was says nothing.
        file.take(self.max_bytes + 1).read_to_end(&mut bytes).map_err(|_| Reason::Unreadable)?;
        if bytes.len() as u64 > self.max_bytes {
            return Err(Reason::Large);
        }
        if bytes.contains(&0) {
            return Err(Reason::Binary);
        }
        let text = String::from_utf8(bytes).map_err(|_| Reason::Binary)?;
        if text.trim().is_empty() {
            return Err(Reason::Empty);
        }
        Ok(Document { id: id.into(), uri: Some(id.to_owned()), text: Some(text), ..Document::default() })
    }
}

// === impl Skipped ===

impl Skipped {
    /// One more.
    pub(crate) const fn count(&mut self, reason: Reason) {
        match reason {
            Reason::Unreadable => self.unreadable += 1,
            Reason::Binary => self.binary += 1,
            Reason::Empty => self.empty += 1,
            Reason::Large => self.large += 1,
        }
    }
}

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            (self.unreadable, "unreadable"),
            (self.binary, "not text"),
            (self.empty, "empty"),
            (self.large, "too large"),
        ];
        let some: Vec<_> =
            all.iter().filter(|(files, _)| *files > 0).map(|(files, why)| format!("{files} {why}")).collect();
        if some.is_empty() { f.write_str("none") } else { f.write_str(&some.join(", ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_files_are_read_and_others_counted() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        write("deep/b.MD", "# Höhe".as_bytes());
        write("a.txt", b"text");
        write("c.txt", b"zero\0");
        write("d.txt", b"\xff\xfe");
        write("e.txt", b" \n");
        write("f.txt", &[b'x'; 101]);
        write("g.rs", b"code");
        let selection = Selection { endings: vec!["md".to_owned(), "txt".to_owned()], max_bytes: 100 };
        let mut skipped = Skipped::default();
        let mut texts = Vec::new();
        for file in selection.files(folder.path(), &mut skipped) {
            match selection.read(&file) {
                Ok(document) => {
                    assert_eq!(Some(&*document.id), file.to_str());
                    texts.push(document.text.unwrap());
                }
                Err(reason) => skipped.count(reason),
            }
        }
        assert_eq!(texts, ["text", "# Höhe"]);
        assert_eq!(skipped.to_string(), "2 not text, 1 empty, 1 too large");
        assert_eq!(selection.read(&folder.path().join("gone.txt")), Err(Reason::Unreadable));
        selection.files(&folder.path().join("gone"), &mut skipped);
        assert_eq!(skipped.unreadable, 1);
    }
}
