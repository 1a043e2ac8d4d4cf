//! What is known of one line.

use std::fmt;
use std::fmt::Write as _;
use std::path::Path;

use config::{Field, Level};
use jiff::ZonedDateTime;
use serde::Serialize;
use tracing::Event;
use tracing::field::Visit;

/// What does not change from line to line.
#[derive(Debug)]
pub(super) struct Process {
    /// Who logs.
    pub(super) name: String,
    /// Its number.
    pub(super) id: u32,
    /// When it began.
    pub(super) started: ZonedDateTime,
}

/// One line.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) time: ZonedDateTime,
    pub(super) level: Level,
    pub(super) message: String,
    /// Who logs, if that is another than the process.
    name: Option<String>,
    /// The request that it is about.
    id: Option<String>,
    path: &'static str,
    line: u32,
    module: String,
    thread: i32,
    thread_name: String,
}

/// The keys of a line in JSON, sorted.
#[derive(Serialize)]
struct Json<'a> {
    created: f64,
    filename: &'a str,
    #[serde(rename = "funcName")]
    function: &'a str,
    levelname: &'a str,
    lineno: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_id: Option<&'a str>,
    module: &'a str,
    msg: String,
    name: &'a str,
    pathname: &'a str,
    process: u32,
    #[serde(rename = "processName")]
    process_name: &'a str,
    thread: i32,
    #[serde(rename = "threadName")]
    thread_name: &'a str,
}

/// What Python calls the process that was not started by another of its own.
const PROCESS_NAME: &str = "MainProcess";

impl Process {
    pub(super) fn of(name: &str) -> Self {
        Self { name: name.to_owned(), id: std::process::id(), started: ZonedDateTime::now() }
    }

    /// When it began, as the status report has it.
    pub(super) fn uptime(&self) -> String {
        format!("{:.6}", self.started.datetime())
    }
}

impl Record {
    /// The line of an event, of `name` if somebody else logs than the process as a whole.
    pub(super) fn of(event: &Event<'_>, name: Option<String>) -> Self {
        let metadata = event.metadata();
        let mut words = Words::default();
        event.record(&mut words);
        let thread = std::thread::current();
        Self {
            time: ZonedDateTime::now(),
            level: match *metadata.level() {
                tracing::Level::ERROR => Level::Error,
                tracing::Level::WARN => Level::Warning,
                tracing::Level::INFO => Level::Info,
                tracing::Level::DEBUG | tracing::Level::TRACE => Level::Debug,
            },
            message: words.message + &words.fields,
            name,
            id: words.id,
            path: metadata.file().unwrap_or_default(),
            line: metadata.line().unwrap_or_default(),
            module: words
                .module
                .unwrap_or_else(|| metadata.module_path().unwrap_or_else(|| metadata.target()).to_owned()),
            thread: rustix::thread::gettid().as_raw_nonzero().get(),
            thread_name: thread.name().unwrap_or("MainThread").to_owned(),
        }
    }

    pub(super) fn json(&self, process: &Process) -> String {
        let json = Json {
            created: self.created(),
            filename: self.file_name(),
            function: self.function(),
            levelname: self.level.name(),
            lineno: self.line,
            log_id: self.id.as_deref(),
            module: &self.module,
            msg: without_escapes(&self.message),
            name: self.name(process),
            pathname: self.path,
            process: process.id,
            process_name: PROCESS_NAME,
            thread: self.thread,
            thread_name: &self.thread_name,
        };
        // Texts and numbers have no form in JSON that could be missing.
        serde_json::to_string(&json).unwrap_or_default()
    }

    /// The value of a field, no longer than `precision`, which for broken numbers counts digits behind the point.
    pub(super) fn value(&self, field: Field, precision: Option<usize>, process: &Process) -> String {
        let broken = |number: f64, usual: usize| format!("{number:.*}", precision.unwrap_or(usual));
        let since_start = self.time.timestamp().duration_since(process.started.timestamp());
        let text = match field {
            Field::Created => return broken(self.created(), 6),
            Field::Msecs => return broken(f64::from(self.time.subsec_nanosecond()) / 1e6, 0),
            Field::RelativeCreated => return broken(since_start.as_millis_f64(), 0),
            Field::Name => self.name(process).to_owned(),
            Field::Uptime => process.uptime(),
            Field::Asctime => {
                let millis = self.time.subsec_nanosecond() / 1_000_000;
                format!("{},{millis:03}", self.time.strftime("%Y-%m-%d %H:%M:%S"))
            }
            Field::LevelName => self.level.name().to_owned(),
            Field::LevelNumber => self.level.number().to_string(),
            Field::Message => self.message.clone(),
            Field::FileName => self.file_name().to_owned(),
            Field::PathName => self.path.to_owned(),
            Field::Module => self.module.clone(),
            Field::Function => self.function().to_owned(),
            Field::Line => self.line.to_string(),
            Field::Process => process.id.to_string(),
            Field::ProcessName => PROCESS_NAME.to_owned(),
            Field::Thread => self.thread.to_string(),
            Field::ThreadName => self.thread_name.clone(),
        };
        match precision {
            Some(most) => text.chars().take(most).collect(),
            None => text,
        }
    }

    /// The same line as plain formatters show it.
    pub(super) fn plain(&self) -> Self {
        /// As many characters as Python's keeps.
        const MOST: usize = 512;
        let message = without_escapes(&self.message).chars().take(MOST).collect();
        Self {
            message,
            time: self.time.clone(),
            name: self.name.clone(),
            id: self.id.clone(),
            module: self.module.clone(),
            thread_name: self.thread_name.clone(),
            ..*self
        }
    }

    fn name<'a>(&'a self, process: &'a Process) -> &'a str {
        self.name.as_deref().unwrap_or(&process.name)
    }

    fn created(&self) -> f64 {
        self.time.timestamp().as_duration().as_secs_f64()
    }

    fn file_name(&self) -> &str {
        Path::new(self.path).file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Nobody knows the function; its module is the nearest.
    fn function(&self) -> &str {
        self.module.rsplit("::").next().unwrap_or_default()
    }
}

/// Without escape sequences of terminals.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..start]);
        let sequence = &rest[start + 2..];
        let end = sequence.find(|c: char| ('@'..='~').contains(&c)).map_or(sequence.len(), |end| end + 1);
        rest = &sequence[end..];
    }
    plain.push_str(rest);
    plain
}

/// The message of an event, and its fields as text behind it.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
    id: Option<String>,
    /// Where a record of the crate `log` comes from; the event itself does not know.
    module: Option<String>,
}

impl Words {
    fn field(&mut self, name: &str, value: &str) {
        let bare = !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"');
        // Writing to a text does not fail.
        let _ = if bare {
            write!(self.fields, " {name}={value}")
        } else {
            write!(self.fields, " {name}={value:?}")
        };
    }
}

impl Visit for Words {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "log.target" => self.module = Some(value.to_owned()),
            "log.module_path" | "log.file" | "log.line" => {}
            name => {
                if name == "request_id" {
                    self.id = Some(value.to_owned());
                }
                self.field(name, value);
            }
        }
    }

    fn record_error(&mut self, field: &tracing::field::Field, error: &(dyn std::error::Error + 'static)) {
        self.field(field.name(), &crate::complain::chain(error));
    }
}
