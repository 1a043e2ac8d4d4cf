//! What an executor's code failed with, and how callers are told.

use std::any::Any;
use std::error::Error;
use std::fmt;

use bytestring::ByteString;
use call::{Exception, Status};

/// The name under which Python executors refuse documents and parameters.
const VALIDATION: &str = "ValidationError";

/// A failure of an executor's code. It is an answer: the caller gets the documents back with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class of the error, such as `SearchError`.
    pub name: String,
    /// One sentence.
    pub message: String,
    /// What is behind it, from the outside in.
    pub causes: Vec<String>,
}

impl Failure {
    /// A failure of class `name` without a cause.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), causes: Vec::new() }
    }

    /// Takes an error of type `E`.
    pub(crate) fn of<E>(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast::<Self>() {
            Ok(failure) => *failure,
            Err(error) => {
                let mut causes = Vec::new();
                let mut source = error.source();
                while let Some(cause) = source {
                    causes.push(cause.to_string());
                    source = cause.source();
                }
                Self { name: class_of::<E>(), message: error.to_string(), causes }
            }
        }
    }

    /// The request does not fit what the endpoint takes.
    pub(crate) fn validation(error: &dyn Error) -> Self {
        Self::new(VALIDATION, error.to_string())
    }

    /// Whether it may be the request that does not fit.
    pub(crate) fn is_validation(&self) -> bool {
        self.name == VALIDATION
    }

    /// The code panicked.
    pub(crate) fn panic(panic: &(dyn Any + Send)) -> Self {
        let message = panic
            .downcast_ref::<&str>()
            .map(|message| (*message).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Self::new("Panic", message.unwrap_or_else(|| "the executor panicked".to_owned()))
    }

    /// The status of an answer, in the form that Python executors give it.
    pub(crate) fn status(&self, executor: &str) -> Status {
        let mut stacks = vec![ByteString::from_static("Traceback (most recent call last):\n")];
        stacks.extend(self.causes.iter().rev().map(|cause| ByteString::from(format!("  {cause}\n"))));
        stacks.push(format!("{}: {}\n", self.name, self.message).into());
        Status {
            is_error: true,
            description: format!("{}({})", self.name, quoted(&self.message)).into(),
            exception: Some(Exception {
                name: self.name.as_str().into(),
                args: vec![self.message.as_str().into()],
                stacks,
                executor: executor.into(),
            }),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl Error for Failure {}

/// The name of a type without its path and its arguments.
fn class_of<E>() -> String {
    let path = std::any::type_name::<E>();
    let path = path.split('<').next().unwrap_or(path);
    path.rsplit("::").next().unwrap_or(path).to_owned()
}

/// A text as Python writes it.
fn quoted(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push(quote);
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' => quoted.push_str("\\\\"),
            c if c == quote => quoted.extend(['\\', c]),
            c => quoted.push(c),
        }
    }
    quoted.push(quote);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no room")]
    struct NoRoom {
        source: std::num::ParseIntError,
    }

    #[test]
    fn errors_are_shown_as_python_shows_them() {
        let source = "x".parse::<i32>().unwrap_err();
        let status = Failure::of::<NoRoom>(NoRoom { source }.into()).status("Foo");
        assert_eq!((status.is_error, &*status.description), (true, "NoRoom('no room')"));
        let exception = status.exception.unwrap();
        assert_eq!((&*exception.name, &*exception.executor), ("NoRoom", "Foo"));
        assert_eq!(exception.args, ["no room"]);
        assert_eq!(
            exception.stacks,
            [
                "Traceback (most recent call last):\n",
                "  invalid digit found in string\n",
                "NoRoom: no room\n"
            ]
        );
    }

    #[test]
    fn a_failure_stays_what_it_is() {
        let failure = Failure::new("Custom", "it's \"so\"\n");
        assert_eq!(Failure::of::<Box<dyn Error>>(failure.clone().into()), failure);
        assert_eq!(&*failure.status("Foo").description, r#"Custom('it\'s "so"\n')"#);
        assert_eq!(quoted("it's"), "\"it's\"");
    }

    #[test]
    fn classes_are_named_without_path_and_arguments() {
        assert_eq!(class_of::<NoRoom>(), "NoRoom");
        assert_eq!(class_of::<Box<dyn Error + Send + Sync>>(), "Box");
        assert_eq!(class_of::<std::num::ParseIntError>(), "ParseIntError");
    }
}
