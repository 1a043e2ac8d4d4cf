//! What a line of the log is made of.
//!
//! A template is written in two of Python's notations at once: `{name:>15}` for what is known of the process, and
//! `%(message)s` for what is known of a line.

use std::fmt::Write as _;

/// Texts and fields in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// Something that differs from line to line, or from process to process.
    Field {
        /// What.
        field: Field,
        /// Where the value stands in its column.
        align: Align,
        /// What the rest of the column is filled with.
        fill: char,
        /// How wide the column is at least.
        width: usize,
        /// How much of the value is shown at most.
        precision: Option<usize>,
    },
}

/// Where a value stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the beginning.
    Left,
    /// At the end.
    Right,
    /// In the middle.
    Centre,
}

/// What can be told of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Who logs.
    Name,
    /// When the process began.
    Uptime,
    /// When the line was made, for people.
    Asctime,
    /// The same in seconds since 1970.
    Created,
    /// Thousandths of its second.
    Msecs,
    /// Milliseconds since the process began.
    RelativeCreated,
    /// How important it is.
    LevelName,
    /// The same as a number.
    LevelNumber,
    /// What it says.
    Message,
    /// The file of the source.
    FileName,
    /// The same with its directories.
    PathName,
    /// The module of the source.
    Module,
    /// The function of the source.
    Function,
    /// The line of the source.
    Line,
    /// The number of the process.
    Process,
    /// What it is called.
    ProcessName,
    /// The number of the thread.
    Thread,
    /// What it is called.
    ThreadName,
}

/// A text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// There is no such field.
    #[error("there is no field `{0}`")]
    Unknown(String),
    /// A field is not closed, or not one that can be shown.
    #[error("`{0}` is no field")]
    Malformed(String),
}

/// The fields of a line by their names.
const OF_LINE: &[(&str, Field)] = &[
    ("name", Field::Name),
    ("asctime", Field::Asctime),
    ("created", Field::Created),
    ("msecs", Field::Msecs),
    ("relativeCreated", Field::RelativeCreated),
    ("levelname", Field::LevelName),
    ("levelno", Field::LevelNumber),
    ("message", Field::Message),
    ("msg", Field::Message),
    ("filename", Field::FileName),
    ("pathname", Field::PathName),
    ("module", Field::Module),
    ("funcName", Field::Function),
    ("lineno", Field::Line),
    ("process", Field::Process),
    ("processName", Field::ProcessName),
    ("thread", Field::Thread),
    ("threadName", Field::ThreadName),
];

/// The fields of a process by their names.
const OF_PROCESS: &[(&str, Field)] =
    &[("name", Field::Name), ("context", Field::Name), ("uptime", Field::Uptime)];

impl Template {
    /// Reads the template of a line.
    ///
    /// # Errors
    ///
    /// If something in it is no field.
    pub fn of_line(text: &str) -> Result<Self, TemplateError> {
        Self::read(text, true)
    }

    /// Reads the template of a name, which knows of no lines.
    ///
    /// # Errors
    ///
    /// If something in it is no field.
    pub fn of_name(text: &str) -> Result<Self, TemplateError> {
        Self::read(text, false)
    }

    fn read(text: &str, of_line: bool) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let doubled = ["{{", "}}"].contains(&rest.get(..2).unwrap_or(""));
            if doubled || (of_line && rest.starts_with("%%")) {
                literal.push(c);
                rest = &rest[2..];
                continue;
            }
            let (field, length) = match c {
                '{' => process_field(rest)?,
                '%' if of_line => line_field(rest)?,
                _ => {
                    literal.push(c);
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
            };
            if !literal.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut literal)));
            }
            pieces.push(field);
            rest = &rest[length..];
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(literal));
        }
        Ok(Self(pieces))
    }

    /// The text with `value` telling what the fields are.
    pub fn fill(&self, value: impl Fn(Field, Option<usize>) -> String) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Field { field, align, fill, width, precision } => {
                    column(&mut text, &value(*field, *precision), *align, *fill, *width);
                }
            }
        }
        text
    }
}

fn column(text: &mut String, value: &str, align: Align, fill: char, width: usize) {
    let missing = width.saturating_sub(value.chars().count());
    let before = match align {
        Align::Left => 0,
        Align::Right => missing,
        Align::Centre => missing / 2,
    };
    text.extend(std::iter::repeat_n(fill, before));
    text.push_str(value);
    text.extend(std::iter::repeat_n(fill, missing - before));
}

/// `{name:>15}` at the start of `text`, and its length.
fn process_field(text: &str) -> Result<(Piece, usize), TemplateError> {
    let malformed = || TemplateError::Malformed(start(text));
    let end = text.find('}').ok_or_else(malformed)?;
    let inner = &text[1..end];
    let (name, spec) = inner.split_once(':').unwrap_or((inner, ""));
    let field = known(OF_PROCESS, name)?;
    let of_char = |c: char| match c {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Centre),
        _ => None,
    };
    let mut chars = spec.chars();
    let (first, second) = (chars.next(), chars.next());
    let (fill, align, spec) = match (first, second.and_then(of_char), first.and_then(of_char)) {
        (Some(fill), Some(align), _) => (fill, align, &spec[fill.len_utf8() + 1..]),
        (_, None, Some(align)) => (' ', align, &spec[1..]),
        (_, None, None) => (' ', Align::Left, spec),
        (None, Some(_), _) => return Err(malformed()),
    };
    let (width, precision) = sizes(spec.strip_suffix('s').unwrap_or(spec)).ok_or_else(malformed)?;
    Ok((Piece::Field { field, align, fill, width, precision }, end + 1))
}

/// `%(message)-10.3s` at the start of `text`, and its length.
fn line_field(text: &str) -> Result<(Piece, usize), TemplateError> {
    let malformed = || TemplateError::Malformed(start(text));
    let inner = text.strip_prefix("%(").ok_or_else(malformed)?;
    let (name, spec) = inner.split_once(')').ok_or_else(malformed)?;
    let field = known(OF_LINE, name)?;
    let kind = spec.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(malformed)?;
    if !matches!(spec.as_bytes()[kind], b's' | b'd' | b'i' | b'f' | b'r') {
        return Err(malformed());
    }
    let sized = spec[..kind].trim_start_matches(['-', '+', '#', ' ']);
    let flags = &spec[..kind - sized.len()];
    let (fill, sized) = match sized.strip_prefix('0') {
        Some(sized) if !flags.contains('-') => ('0', sized),
        _ => (' ', sized),
    };
    let align = if flags.contains('-') { Align::Left } else { Align::Right };
    let (width, precision) = sizes(sized).ok_or_else(malformed)?;
    let length = 2 + name.len() + 1 + kind + 1;
    Ok((Piece::Field { field, align, fill, width, precision }, length))
}

/// `10.3`: how wide, and how much.
fn sizes(text: &str) -> Option<(usize, Option<usize>)> {
    let (width, precision) = text.split_once('.').map_or((text, None), |(w, p)| (w, Some(p)));
    let width = if width.is_empty() { 0 } else { width.parse().ok().filter(|width| *width < 1000)? };
    let precision = precision.map(|precision| precision.parse().ok());
    match precision {
        Some(precision) => Some((width, Some(precision?))),
        None => Some((width, None)),
    }
}

fn known(fields: &[(&str, Field)], name: &str) -> Result<Field, TemplateError> {
    let found = fields.iter().find(|(known, _)| *known == name);
    found.map(|(_, field)| *field).ok_or_else(|| TemplateError::Unknown(name.to_owned()))
}

/// What a complaint shows of a text.
fn start(text: &str) -> String {
    let mut shown = String::new();
    // Writing to a text does not fail.
    let _ = write!(shown, "{:.20}", text);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<String, TemplateError> {
        let value = |field, precision: Option<usize>| {
            let value = match field {
                Field::Name => "gateway",
                Field::Process => "7",
                Field::LevelName => "WARNING",
                Field::Message => "hello",
                _ => "?",
            };
            precision.map_or_else(|| value.to_owned(), |n| value.chars().take(n).collect())
        };
        Template::of_line(template).map(|template| template.fill(value))
    }

    #[track_caller]
    fn check(template: &str, want: &str) {
        assert_eq!(filled(template).as_deref(), Ok(want), "{template}");
    }

    #[test]
    fn both_notations_are_understood() {
        check("{name:>15}@%(process)2d[%(levelname).1s]:%(message)s", "        gateway@ 7[W]:hello");
        check("{name}@%(process)2d %(message)s", "gateway@ 7 hello");
        check("{name:*^11}|{context:<9}|{name:.3}", "**gateway**|gateway  |gat");
        check("%(levelname)-9s|%(levelname)9s|%(process)03d", "WARNING  |  WARNING|007");
        check("{{%(message)s}} 100%%", "{hello} 100%");
        check("🐳 %(message)s", "🐳 hello");
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for bad in
            ["{nobody}", "%(nobody)s", "{name", "%(message", "%(message)", "%d", "{name:>x}", "%(name)q"]
        {
            assert!(filled(bad).is_err(), "{bad}");
        }
        assert_eq!(filled("%(nobody)s"), Err(TemplateError::Unknown("nobody".to_owned())));
    }

    #[test]
    fn names_of_files_know_nothing_of_lines() {
        let name = Template::of_name("logs-%(x)s-{name}.log").unwrap();
        assert_eq!(name.fill(|_, _| "gateway".to_owned()), "logs-%(x)s-gateway.log");
    }
}
