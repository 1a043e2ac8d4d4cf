//! A JSON text while it is read, and what was found wrong with it so far.

use std::ops::Range;

use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType, NumberAny, NumberInt, Peek};

use super::invalid::{Fault, Invalid, Problem, Step};

/// As many problems are told at once; the first one of each document is what helps.
const MAX_PROBLEMS: usize = 20;

/// Reads values one after the other, without building a tree of them.
pub(crate) struct Source<'j> {
    body: &'j [u8],
    json: Jiter<'j>,
    /// Where in `body` the part begins that `json` reads.
    base: usize,
    problems: Problems,
}

/// Why reading ends before the text does.
pub(crate) enum Halt {
    /// The text is no JSON.
    Syntax(Box<Problem>),
    /// Enough problems are known.
    Stop,
}

/// A number as it stands there.
pub(super) enum Number<'j> {
    Integer(i64),
    /// A whole number that 64 bits do not hold, in digits.
    Large(&'j str),
    Float(f64),
}

/// What was found wrong while one way of reading a value was tried.
pub(super) struct Problems {
    found: Vec<Problem>,
    limit: usize,
    is_cut: bool,
}

impl<'j> Source<'j> {
    /// Begins to read.
    pub(crate) fn new(body: &'j [u8]) -> Result<Self, Invalid> {
        if let Err(error) = std::str::from_utf8(body) {
            return Err(syntax("the text is not UTF-8".to_owned(), error.valid_up_to()).into());
        }
        let problems = Problems { found: Vec::new(), limit: MAX_PROBLEMS, is_cut: false };
        Ok(Self { body, json: Jiter::new(body), base: 0, problems })
    }

    /// Ends: what was read is good, or this is what is wrong with it.
    pub(crate) fn finish<T>(mut self, read: Result<T, Halt>) -> Result<T, Invalid> {
        let read = read.and_then(|read| self.json.finish().map(|()| read).map_err(|error| self.halt(error)));
        match read {
            Err(Halt::Syntax(problem)) => Err((*problem).into()),
            Ok(read) if self.problems.found.is_empty() => Ok(read),
            Ok(_) | Err(Halt::Stop) => {
                Err(Invalid { problems: self.problems.found, is_cut: self.problems.is_cut })
            }
        }
    }

    /// The size of the whole text.
    pub(super) const fn len(&self) -> usize {
        self.body.len()
    }

    /// How much is left to read.
    pub(crate) fn rest(&self) -> usize {
        self.body.len() - self.at()
    }

    /// Where the reader is, in bytes from the start.
    pub(crate) fn at(&self) -> usize {
        self.base + self.json.current_index()
    }

    /// Looks at what comes next.
    pub(crate) fn peek(&mut self) -> Result<Peek, Halt> {
        self.json.peek().map_err(|error| self.halt(error))
    }

    /// Passes the next value by.
    pub(crate) fn skip(&mut self, peek: Peek) -> Result<(), Halt> {
        self.json.known_skip(peek).map_err(|error| self.halt(error))
    }

    /// Reads a text.
    pub(crate) fn text(&mut self) -> Result<&str, Halt> {
        let base = self.base;
        self.json.known_str().map_err(|error| halt(base, error))
    }

    pub(super) fn boolean(&mut self, peek: Peek) -> Result<bool, Halt> {
        self.json.known_bool(peek).map_err(|error| self.halt(error))
    }

    pub(super) fn number(&mut self, peek: Peek) -> Result<Number<'j>, Halt> {
        let start = self.at();
        match self.json.known_number(peek) {
            Ok(NumberAny::Int(NumberInt::Int(integer))) => Ok(Number::Integer(integer)),
            Ok(NumberAny::Float(float)) => Ok(Number::Float(float)),
            Err(error) if is_out_of_range(&error) => {
                self.rewind(start);
                self.json.known_number_bytes(peek).map_err(|error| halt(start, error))?;
                let digits = std::str::from_utf8(&self.body[start..self.at()]);
                Ok(Number::Large(digits.unwrap_or_default()))
            }
            Err(error) => Err(self.halt(error)),
        }
    }

    /// Goes into an object: its first key.
    pub(crate) fn first_key(&mut self) -> Result<Option<&str>, Halt> {
        let base = self.base;
        self.json.known_object().map_err(|error| halt(base, error))
    }

    /// The next key of an object, after the value of the one before.
    pub(crate) fn next_key(&mut self) -> Result<Option<&str>, Halt> {
        let base = self.base;
        self.json.next_key().map_err(|error| halt(base, error))
    }

    /// Goes into an array: its first item.
    pub(crate) fn first_item(&mut self) -> Result<Option<Peek>, Halt> {
        self.json.known_array().map_err(|error| self.halt(error))
    }

    /// The next item of an array, after the one before.
    pub(crate) fn next_item(&mut self) -> Result<Option<Peek>, Halt> {
        self.json.array_step().map_err(|error| self.halt(error))
    }

    /// Goes back to read a value once more.
    pub(super) fn rewind(&mut self, at: usize) {
        let tape = std::mem::replace(&mut self.json, Jiter::new(&[])).into_tape();
        self.json = Jiter::with_tape(&self.body[at..], tape);
        self.base = at;
    }

    /// Notes a problem. Reading goes on unless there are enough of them.
    pub(crate) fn problem(&mut self, problem: Problem) -> Result<(), Halt> {
        self.problems.found.push(problem);
        if self.problems.found.len() < self.problems.limit {
            return Ok(());
        }
        self.problems.is_cut = true;
        Err(Halt::Stop)
    }

    /// Notes a problem after which the rest of the value is not looked at.
    pub(super) fn abandon(&mut self, fault: Fault, start: usize) -> Halt {
        // What follows may be well, but that is for whoever passes the value by to see.
        self.fault(fault, start).err().unwrap_or(Halt::Stop)
    }

    /// Whether there are as many problems as are wanted.
    pub(super) const fn is_full(&self) -> bool {
        self.problems.found.len() >= self.problems.limit
    }

    /// Notes a problem that makes going on useless.
    pub(super) fn last_problem(&mut self, problem: Problem) -> Halt {
        self.problems.found.push(problem);
        self.problems.is_cut = true;
        Halt::Stop
    }

    /// Notes that the next value is of the wrong type, and passes it by.
    pub(crate) fn mismatch(&mut self, expected: String, peek: Peek) -> Result<(), Halt> {
        let start = self.at();
        self.skip(peek)?;
        let found = kind(peek);
        self.problem(Problem::new(Fault::Type { expected, found }, start..self.at()))
    }

    /// Notes what is wrong with the value that was read last; it began at `start`.
    pub(super) fn fault(&mut self, fault: Fault, start: usize) -> Result<(), Halt> {
        self.problem(Problem::new(fault, start..self.at()))
    }

    /// How many problems there are.
    pub(crate) const fn n_problems(&self) -> usize {
        self.problems.found.len()
    }

    /// Tells the problems that came after the first `n` where they are.
    pub(crate) fn within(&mut self, n: usize, step: impl FnOnce() -> Step) {
        if let Some(new @ [_, ..]) = self.problems.found.get_mut(n..) {
            let step = step();
            new.iter_mut().for_each(|problem| problem.enter(step.clone()));
        }
    }

    /// From now on one problem is enough. Returns those before.
    pub(super) fn attempt(&mut self) -> Problems {
        std::mem::replace(&mut self.problems, Problems { found: Vec::new(), limit: 1, is_cut: false })
    }

    /// Ends an attempt: what was wrong, if something was.
    pub(super) fn attempted(&mut self, before: Problems) -> Option<Problem> {
        std::mem::replace(&mut self.problems, before).found.pop()
    }

    /// The text of a part of the body.
    pub(crate) fn slice(&self, span: Range<usize>) -> &'j [u8] {
        self.body.get(span).unwrap_or_default()
    }

    fn halt(&self, error: JiterError) -> Halt {
        halt(self.base, error)
    }
}

/// What a value is, by its first byte.
pub(crate) fn kind(peek: Peek) -> &'static str {
    match peek {
        Peek::Null => "null",
        Peek::True | Peek::False => "boolean",
        Peek::String => "string",
        Peek::Array => "array",
        Peek::Object => "object",
        _ => "number",
    }
}

fn is_out_of_range(error: &JiterError) -> bool {
    matches!(error.error_type, JiterErrorType::JsonError(JsonErrorType::NumberOutOfRange))
}

#[cold]
fn halt(base: usize, error: JiterError) -> Halt {
    let message = match error.error_type {
        JiterErrorType::JsonError(error) => error.to_string(),
        // Types are looked at before values are read.
        JiterErrorType::WrongType { .. } => "expected value".to_owned(),
    };
    Halt::Syntax(Box::new(syntax(message, base + error.index)))
}

fn syntax(message: String, at: usize) -> Problem {
    Problem::new(Fault::Syntax { message }, at..at)
}
