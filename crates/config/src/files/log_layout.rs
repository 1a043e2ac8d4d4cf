//! Layouts of the log: files that name handlers and say what lines look like there.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::lines::{Lines, join};
use super::yaml;
use crate::check::Context;
use crate::form::{Object, expected};
use crate::nearest::nearest;
use crate::{Level, LineForm, LogHandler, LogPeriod, LogTarget, Place, Problem, Reason, Template};

/// What a layout says.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    pub(crate) level: Option<Level>,
    pub(crate) handlers: Vec<LogHandler>,
}

const HANDLERS: [&str; 6] = [
    "StreamHandler",
    "RichHandler",
    "FileHandler",
    "RotatingFileHandler",
    "TimedRotatingFileHandler",
    "SysLogHandler",
];

/// The layouts that are known by their names.
pub(crate) fn built_in(name: &str) -> Option<&'static str> {
    match name {
        "default" => Some(include_str!("log_layouts/default.yml")),
        "plain" => Some(include_str!("log_layouts/plain.yml")),
        "json" => Some(include_str!("log_layouts/json.yml")),
        "docker" => Some(include_str!("log_layouts/docker.yml")),
        "remote" => Some(include_str!("log_layouts/remote.yml")),
        "profile" => Some(include_str!("log_layouts/profile.yml")),
        "quiet" => Some("handlers: []"),
        _ => None,
    }
}

/// Reads the text of a layout; what is wrong with it is noted, and left out.
pub(crate) fn layout(path: &Path, text: &str, context: &mut Context<'_>) -> Layout {
    let value = match yaml::read(path, text) {
        Ok((_, value)) => value,
        Err(problem) => {
            context.problems.push(problem);
            return Layout::default();
        }
    };
    let mut reader = Reader { path, lines: Lines::scan(text), context };
    let Value::Object(top) = value else {
        reader.wrong("", "a mapping with `handlers`, `level` and `configs`", &value);
        return Layout::default();
    };
    let level = top.get("level").filter(|level| !level.is_null()).and_then(|level| {
        let found = level.as_str().and_then(Level::named);
        if found.is_none() {
            reader.wrong("level", "one of DEBUG, INFO, SUCCESS, WARNING, ERROR, CRITICAL", level);
        }
        found
    });
    let handlers = match top.get("handlers") {
        Some(Value::Array(names)) => reader.handlers(names, top.get("configs")),
        Some(other) => {
            reader.wrong("handlers", "a list of handlers", other);
            Vec::new()
        }
        None => {
            reader.missing("", "`handlers`, a list,");
            Vec::new()
        }
    };
    Layout { level, handlers }
}

/// Knows where in the file things stand.
struct Reader<'a, 'b> {
    path: &'a Path,
    lines: Lines,
    context: &'a mut Context<'b>,
}

impl Reader<'_, '_> {
    fn place(&self, key: &str) -> Place {
        self.lines.place(self.path, key)
    }

    fn wrong(&mut self, key: &str, what: &str, found: &Value) {
        let place = self.place(key);
        self.context.problems.push(Problem::new(place, expected(what, found)));
    }

    fn missing(&mut self, key: &str, what: &str) {
        let place = self.place(key);
        self.context.problems.push(Problem::new(place, Reason::Missing { what: what.to_owned() }));
    }

    fn handlers(&mut self, names: &[Value], configs: Option<&Value>) -> Vec<LogHandler> {
        let mut handlers = Vec::new();
        for (n, name) in names.iter().enumerate() {
            let Some(name) = name.as_str().filter(|name| HANDLERS.contains(name)) else {
                let close = name.as_str().and_then(|name| nearest(name, HANDLERS));
                let hint = close.map(|close| format!(" (did you mean `{close}`?)")).unwrap_or_default();
                let what = format!("one of {}{hint}", HANDLERS.join(", "));
                self.wrong(&format!("handlers[{n}]"), &what, name);
                continue;
            };
            match configs.and_then(|configs| configs.get(name)) {
                Some(Value::Object(config)) => handlers.extend(self.handler(name, config)),
                Some(Value::Null) | None => {
                    self.missing("configs", &format!("the mapping `configs.{name}`"));
                }
                Some(other) => self.wrong(&join("configs", name), "a mapping", other),
            }
        }
        handlers
    }

    fn handler(&mut self, name: &str, config: &Object) -> Option<LogHandler> {
        let base = join("configs", name);
        let target = match name {
            "FileHandler" => LogTarget::File { path: self.name(&base, config, "output")? },
            "RotatingFileHandler" => LogTarget::SizedFile {
                path: self.name(&base, config, "filename")?,
                max_bytes: self.number(&base, config, "maxBytes", 0),
                backups: self.count(&base, config),
            },
            "TimedRotatingFileHandler" => LogTarget::TimedFile {
                path: self.name(&base, config, "filename")?,
                every: self.period(&base, config)?,
                backups: self.count(&base, config),
            },
            "SysLogHandler" => LogTarget::Syslog {
                ident: text(config, "ident").unwrap_or_default().to_owned(),
                address: self.address(&base, config),
            },
            _ => LogTarget::Stdout,
        };
        let form = if name == "RichHandler" {
            let shown = |key| config.get(key).and_then(Value::as_bool).unwrap_or(true);
            let time = text(config, "log_time_format").unwrap_or("[%x %X]");
            LineForm::Terminal {
                template: self.template(&base, config)?,
                level: shown("show_level"),
                time: shown("show_time").then(|| time.to_owned()),
            }
        } else {
            self.form(&base, config)?
        };
        Some(LogHandler { target, form })
    }

    fn form(&mut self, base: &str, config: &Object) -> Option<LineForm> {
        let plain = match config.get("formatter") {
            None | Some(Value::Null) => false,
            Some(Value::String(name)) if name == "JsonFormatter" => return Some(LineForm::Json),
            Some(Value::String(name)) if name == "PlainFormatter" => true,
            // It shows profiles of Python code alone, and there are none here.
            Some(Value::String(name)) if name == "Formatter" || name == "ProfileFormatter" => false,
            Some(other) => {
                let what = "one of Formatter, PlainFormatter, JsonFormatter, ProfileFormatter";
                self.wrong(&join(base, "formatter"), what, other);
                return None;
            }
        };
        Some(LineForm::Text { template: self.template(base, config)?, plain })
    }

    /// The format of lines; just the message if there is none.
    fn template(&mut self, base: &str, config: &Object) -> Option<Template> {
        let format = text(config, "format").unwrap_or("%(message)s");
        self.parsed(&join(base, "format"), format, Template::of_line(format))
    }

    /// The name of a file, which must be there.
    fn name(&mut self, base: &str, config: &Object, key: &str) -> Option<Template> {
        match text(config, key).filter(|name| !name.is_empty()) {
            Some(name) => self.parsed(&join(base, key), name, Template::of_name(name)),
            None => {
                self.missing(base, &format!("`{key}`, the name of a file,"));
                None
            }
        }
    }

    fn parsed<E: ToString>(&mut self, key: &str, text: &str, read: Result<Template, E>) -> Option<Template> {
        match read {
            Ok(template) => Some(template),
            Err(error) => {
                let what = format!("a format such as `{{name}}: %(message)s` ({})", error.to_string());
                self.wrong(key, &what, &text.into());
                None
            }
        }
    }

    fn count(&mut self, base: &str, config: &Object) -> usize {
        usize::try_from(self.number(base, config, "backupCount", 0)).unwrap_or(usize::MAX)
    }

    fn number(&mut self, base: &str, config: &Object, key: &str, default: u64) -> u64 {
        match config.get(key) {
            None | Some(Value::Null) => default,
            Some(value) => value.as_u64().unwrap_or_else(|| {
                self.wrong(&join(base, key), "a whole number from 0", value);
                default
            }),
        }
    }

    fn period(&mut self, base: &str, config: &Object) -> Option<LogPeriod> {
        let n = self.number(base, config, "interval", 1).clamp(1, u64::from(u32::MAX));
        let when = text(config, "when").unwrap_or("h");
        let every = |unit: u64, suffix| {
            let period = Duration::from_secs(unit.saturating_mul(n));
            Some(LogPeriod::Every { period, suffix })
        };
        match when.to_ascii_uppercase().as_str() {
            "S" => every(1, "%Y-%m-%d_%H-%M-%S"),
            "M" => every(60, "%Y-%m-%d_%H-%M"),
            "H" => every(60 * 60, "%Y-%m-%d_%H"),
            "D" => every(24 * 60 * 60, "%Y-%m-%d"),
            "MIDNIGHT" => Some(LogPeriod::Midnight { days: u32::try_from(n).unwrap_or(u32::MAX) }),
            day => {
                let day = day.strip_prefix('W').and_then(|day| day.parse::<u8>().ok());
                if let Some(day) = day.filter(|day| *day < 7) {
                    return Some(LogPeriod::Weekday(day));
                }
                self.wrong(&join(base, "when"), "S, M, H, D, midnight or W0 to W6", &when.into());
                None
            }
        }
    }

    /// Both a host and a port, or this machine.
    fn address(&mut self, base: &str, config: &Object) -> Option<(String, u16)> {
        let host = text(config, "host").filter(|host| !host.is_empty())?;
        let port = config.get("port").filter(|port| !port.is_null())?;
        let number = port.as_u64().and_then(|port| u16::try_from(port).ok());
        if number.is_none() {
            self.wrong(&join(base, "port"), "a port", port);
        }
        Some((host.to_owned(), number?))
    }
}

fn text<'a>(config: &'a Object, key: &str) -> Option<&'a str> {
    config.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests;
