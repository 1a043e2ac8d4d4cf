//! What an executor's code failed with, and how callers are told.

use std::any::Any;
use std::error::Error;
use std::fmt;

use bytestring::ByteString;
use call::{Exception, Status};
use serde_json::Value;

/// The name under which Python executors refuse documents and parameters.
const VALIDATION: &str = "ValidationError";

/// A failure of an executor's code. It is an answer: the caller gets the documents back with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The class of the error, such as `SearchError`.
    pub name: String,
    /// One sentence.
    pub message: String,
    /// What it was raised with, where that is more than the sentence.
    pub arguments: Vec<Value>,
    /// What is behind it, from the outside in.
    pub causes: Vec<String>,
    /// What callers are told in place of all that, where code outside of this process says it.
    pub(crate) told: Option<Box<Status>>,
    /// Whether the code was not called, because its documents or parameters do not fit.
    pub(crate) is_uncalled: bool,
}

impl Failure {
    /// A failure of class `name` without a cause.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
            arguments: Vec::new(),
            causes: Vec::new(),
            told: None,
            is_uncalled: false,
        }
    }

    /// With everything it is raised with, the sentence among it, as exceptions in Python have it.
    ///
    /// ```
    /// # use executor_runtime::Failure;
    /// # use serde_json::json;
    /// let failure = Failure::new("QuotaError", "boom").with_arguments([json!("boom"), json!(1)]);
    /// assert_eq!(failure.to_string(), "QuotaError: boom");
    /// ```
    #[must_use]
    pub fn with_arguments(mut self, arguments: impl IntoIterator<Item = Value>) -> Self {
        self.arguments = arguments.into_iter().collect();
        self
    }

    /// A failure of code outside of this process, with the status that tells callers of it.
    #[must_use]
    pub fn told(status: Status) -> Self {
        let exception = status.exception.as_ref();
        let name = exception.map_or_else(|| "Exception".to_owned(), |exception| exception.name.to_string());
        let stacks = exception.into_iter().flat_map(|exception| &exception.stacks);
        Self {
            name,
            message: status.description.to_string(),
            arguments: Vec::new(),
            causes: stacks.map(ToString::to_string).collect(),
            told: Some(Box::new(Status { is_error: true, ..status })),
            is_uncalled: false,
        }
    }

    /// Says that the code was not called, because documents or parameters do not fit. Of a batch, requests are then
    /// called one by one.
    #[must_use]
    pub fn uncalled(mut self) -> Self {
        self.is_uncalled = true;
        self
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
                Self {
                    name: class_of::<E>(),
                    message: error.to_string(),
                    arguments: Vec::new(),
                    causes,
                    told: None,
                    is_uncalled: false,
                }
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
        if let Some(told) = &self.told {
            return (**told).clone();
        }
        let mut stacks = vec![ByteString::from_static("Traceback (most recent call last):\n")];
        stacks.extend(self.causes.iter().rev().map(|cause| ByteString::from(format!("  {cause}\n"))));
        stacks.push(format!("{}: {}\n", self.name, self.message).into());
        let (shown, args) = match &self.arguments[..] {
            [] => (quoted(&self.message), vec![self.message.as_str().into()]),
            several => {
                let shown: Vec<_> = several.iter().map(written).collect();
                let args = several.iter().map(|argument| match argument {
                    Value::String(text) => text.as_str().into(),
                    other => written(other).into(),
                });
                (shown.join(", "), args.collect())
            }
        };
        Status {
            is_error: true,
            description: format!("{}({shown})", self.name).into(),
            exception: Some(Exception {
                name: self.name.as_str().into(),
                args,
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

/// A value as Python writes it.
fn written(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), written(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
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
    use serde_json::json;

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
    fn several_arguments_are_shown_as_python_shows_them() {
        let arguments = [json!("boom"), json!(1), json!([null, true, 0.5, {"it's": "x"}])];
        let status = Failure::new("ValueError", "boom").with_arguments(arguments).status("Foo");
        assert_eq!(&*status.description, r#"ValueError('boom', 1, [None, True, 0.5, {"it's": 'x'}])"#);
        assert_eq!(status.exception.unwrap().args, ["boom", "1", r#"[None, True, 0.5, {"it's": 'x'}]"#]);
    }

    #[test]
    fn classes_are_named_without_path_and_arguments() {
        assert_eq!(class_of::<NoRoom>(), "NoRoom");
        assert_eq!(class_of::<Box<dyn Error + Send + Sync>>(), "Box");
        assert_eq!(class_of::<std::num::ParseIntError>(), "ParseIntError");
    }
}
