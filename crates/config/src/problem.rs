//! What is wrong with a configuration, where, and what was expected there.

use std::fmt;
use std::path::PathBuf;

/// Something that must be changed before anything can start.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{place}{reason}")]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What.
    pub reason: Reason,
}

/// Something to tell the user that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Warning {
    /// Nobody knows the argument.
    UnknownArgument {
        /// As it was written.
        argument: String,
        /// One that it may have meant.
        nearest: Option<&'static str>,
    },
    /// Nobody reads the variable.
    UnknownVariable {
        /// Its name.
        variable: String,
        /// The argument whose variable it may have meant.
        nearest: Option<&'static str>,
    },
    /// The argument is known, and does nothing here.
    NoEffect {
        /// Where.
        place: Place,
        /// Why, as the rest of a sentence.
        why: &'static str,
    },
    /// Something is probably not as it was meant.
    Doubtful {
        /// Where.
        place: Place,
        /// What.
        reason: Reason,
    },
}

/// Where something was said.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// On the command line, as a whole.
    CommandLine,
    /// By an argument, named with its dashes.
    Argument(String),
    /// By an environment variable.
    Variable(String),
    /// In a file.
    File {
        /// Which.
        path: PathBuf,
        /// Counted from 1.
        line: Option<usize>,
        /// Such as `executors[0].port`; empty for the file as a whole.
        key: String,
    },
    /// Nowhere: it is the default.
    Default,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// A value is not of its kind.
    #[error("expected {expected}, found `{found}`")]
    Expected {
        /// What would be right.
        expected: String,
        /// What is there.
        found: String,
    },
    /// JSON that is none.
    #[error("this is no JSON: {message} (line {line}, column {column})")]
    Json {
        /// In the value, from 1.
        line: usize,
        /// In the line, from 1.
        column: usize,
        /// What the parser says.
        message: String,
    },
    /// YAML that is none.
    #[error("this is no YAML: {message}")]
    Yaml {
        /// What the parser says.
        message: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`: {message}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// A key that nothing reads.
    #[error("unknown key `{key}`{}", nearest.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default())]
    UnknownKey {
        /// The key.
        key: String,
        /// One that it may have meant.
        nearest: Option<String>,
    },
    /// Something that has to be there.
    #[error("{what} is missing")]
    Missing {
        /// What.
        what: String,
    },
    /// Parts that do not fit each other.
    #[error("{message}")]
    Conflict {
        /// The whole sentence.
        message: String,
    },
}

impl Problem {
    /// A problem at a place.
    #[must_use]
    pub const fn new(place: Place, reason: Reason) -> Self {
        Self { place, reason }
    }
}

impl Place {
    /// A place inside this one: `path` is a key path such as `encoder[0]`.
    #[must_use]
    pub(crate) fn within(&self, path: &str) -> Self {
        match self {
            Self::CommandLine | Self::Default => self.clone(),
            Self::Argument(name) => Self::Argument(format!("{name} at `{path}`")),
            Self::Variable(name) => Self::Variable(format!("{name} at `{path}`")),
            Self::File { path: file, line, key } => {
                let separator = if key.is_empty() || path.starts_with('[') { "" } else { "." };
                Self::File { path: file.clone(), line: *line, key: format!("{key}{separator}{path}") }
            }
        }
    }
}

impl fmt::Display for Place {
    /// Ends with a colon and a blank, or is empty.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => Ok(()),
            Self::Argument(name) => write!(f, "argument {name}: "),
            Self::Variable(name) => write!(f, "environment variable {name}: "),
            Self::File { path, line, key } => {
                write!(f, "{}", path.display())?;
                if let Some(line) = line {
                    write!(f, ":{line}")?;
                }
                f.write_str(": ")?;
                if key.is_empty() { Ok(()) } else { write!(f, "{key}: ") }
            }
            Self::Default => f.write_str("default: "),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownArgument { argument, nearest } => {
                write!(f, "ignored unknown argument {argument}")?;
                match nearest {
                    Some(nearest) => write!(f, ", did you mean --{nearest}?"),
                    None => Ok(()),
                }
            }
            Self::UnknownVariable { variable, nearest } => {
                write!(f, "ignored unknown environment variable {variable}")?;
                match nearest {
                    Some(nearest) => {
                        let nearest = nearest.replace('-', "_").to_ascii_uppercase();
                        write!(f, ", did you mean FLOWGATE_{nearest}?")
                    }
                    None => Ok(()),
                }
            }
            Self::NoEffect { place, why } => write!(f, "{place}has no effect here: {why}"),
            Self::Doubtful { place, reason } => write!(f, "{place}{reason}"),
        }
    }
}

/// Long values are not repeated in full.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
