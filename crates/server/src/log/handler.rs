//! Writing lines where they are wanted.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};

use config::{Level, LineForm, LogHandler, LogSpec, LogTarget};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::LogError;
use super::files::Output;
use super::record::{Process, Record};
use super::syslog::Syslog;

/// Turns events into lines.
#[derive(Debug)]
pub(super) struct Lines {
    process: Process,
    handlers: Vec<Handler>,
}

#[derive(Debug)]
struct Handler {
    target: Target,
    form: LineForm,
    colours: bool,
}

#[derive(Debug)]
enum Target {
    Stdout,
    File(Output),
    Syslog(Syslog),
}

impl Lines {
    /// Opens files. A system's log that cannot be reached is left out, as containers have none.
    pub(super) fn open(spec: &LogSpec) -> Result<Self, LogError> {
        let process = Process::of(&spec.name);
        let mut handlers = Vec::new();
        for LogHandler { target, form } in &spec.handlers {
            let target = match target {
                LogTarget::Stdout => Target::Stdout,
                LogTarget::Syslog { ident, address } => match Syslog::open(ident, address.as_ref()) {
                    Ok(syslog) => Target::Syslog(syslog),
                    Err(_) => continue,
                },
                LogTarget::File { .. } | LogTarget::SizedFile { .. } | LogTarget::TimedFile { .. } => {
                    Target::File(Output::open(target, &process)?)
                }
            };
            let colours = spec.colours && matches!(target, Target::Stdout) && io::stdout().is_terminal();
            handlers.push(Handler { target, form: form.clone(), colours });
        }
        Ok(Self { process, handlers })
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut name = Named(None);
        attributes.record(&mut name);
        if let (Named(Some(_)), Some(span)) = (&name, context.span(id)) {
            span.extensions_mut().insert(name);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let name_of =
            |span: SpanRef<'_, S>| span.extensions().get::<Named>().and_then(|named| named.0.clone());
        let name = context.event_scope(event).and_then(|mut scope| scope.find_map(name_of));
        let record = Record::of(event, name);
        for handler in &self.handlers {
            handler.write(&record, &self.process);
        }
    }
}

/// Whose span it is: the field [`super::NAME`].
struct Named(Option<String>);

impl Visit for Named {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == super::NAME {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

impl Handler {
    /// A line that cannot be written is lost: there is nowhere to say so.
    fn write(&self, record: &Record, process: &Process) {
        let line = self.line(record, process);
        match &self.target {
            Target::Stdout => {
                let _unheard = writeln!(io::stdout().lock(), "{line}");
            }
            Target::File(file) => {
                let _unwritten = file.write(&line, &record.time);
            }
            Target::Syslog(syslog) => {
                let _unsent = syslog.send(record.level, &line);
            }
        }
    }

    fn line(&self, record: &Record, process: &Process) -> String {
        match &self.form {
            LineForm::Json => record.json(process),
            LineForm::Text { template, plain: false } => {
                template.fill(|field, most| record.value(field, most, process))
            }
            LineForm::Text { template, plain: true } => {
                let record = record.plain();
                template.fill(|field, most| record.value(field, most, process))
            }
            LineForm::Terminal { template, level, time } => {
                let mut line = String::new();
                if let Some(time) = time {
                    line += &clock(record, time);
                    line.push(' ');
                }
                if *level {
                    line += &self.coloured(record.level);
                    line.push(' ');
                }
                line + &template.fill(|field, most| record.value(field, most, process))
            }
        }
    }

    /// The level in a column of its own.
    fn coloured(&self, level: Level) -> String {
        let name = level.name();
        let colour = match level {
            Level::Debug => 34,
            Level::Info | Level::Success => 32,
            Level::Warning => 33,
            Level::Error | Level::Critical => 31,
        };
        if self.colours { format!("\u{1b}[{colour}m{name:<7}\u{1b}[0m") } else { format!("{name:<7}") }
    }
}

/// The time as a format has it; formats that are none are shown the usual way.
fn clock(record: &Record, format: &str) -> String {
    let custom = jiff::fmt::strtime::Config::new().custom(jiff::fmt::strtime::PosixCustom::new());
    let shown = jiff::fmt::strtime::BrokenDownTime::from(&record.time).to_string_with_config(&custom, format);
    shown.unwrap_or_else(|_| record.time.strftime("[%F %T]").to_string())
}
