//! JSON that is not what the schema asks for.

use std::fmt;
use std::ops::Range;

/// What is wrong with a JSON text, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Invalid {
    /// In the order of the text; never empty.
    pub problems: Vec<Problem>,
    /// Whether there may be more than are listed.
    pub is_cut: bool,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// From the inside out.
    path: Vec<Step>,
    /// What is wrong.
    pub fault: Fault,
    /// Where in the text the value stands that is wrong; for a missing one, the object that lacks it.
    pub span: Range<usize>,
}

/// One step on the way to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into an object.
    Key(String),
    /// Into an array.
    Item(usize),
}

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The text is no JSON; the span is where that shows.
    #[error("{message}")]
    Syntax {
        /// What is wrong.
        message: String,
    },
    /// A field that has to be there is not.
    #[error("missing")]
    Missing,
    /// A value of another type.
    #[error("expected {expected}, got {found}")]
    Type {
        /// What would be right.
        expected: String,
        /// What came.
        found: &'static str,
    },
    /// A text that does not say what it should.
    #[error("expected {expected}, got a string that is none")]
    Parse {
        /// What would be right.
        expected: &'static str,
    },
    /// A number that is not whole where it should be.
    #[error("expected integer, got a number with a fraction")]
    Fraction,
    /// A number that no double can hold.
    #[error("the number is too large")]
    Infinite,
    /// None of the values that are allowed.
    #[error("expected {expected}")]
    Choice {
        /// The values.
        expected: String,
    },
    /// A number, a text or a list outside of its bounds.
    #[error("{0}")]
    Bound(Bound),
    /// A tensor that is none, or has another size than it should.
    #[error(transparent)]
    Tensor(#[from] TensorFault),
    /// Values inside values beyond what Protocol Buffers allow.
    #[error("nested too deeply")]
    TooDeep,
    /// A value that fits several shapes in so many ways that trying them takes too long.
    #[error("too many ways to read it")]
    TooManyWays,
}

/// A bound that a value does not keep.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "each is what its name says, with the bound")]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Above(f64),
    Below(f64),
    MultipleOf(f64),
    MinCharacters(usize),
    MaxCharacters(usize),
    Pattern,
    MinItems(usize),
    MaxItems(usize),
}

/// What is wrong with a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TensorFault {
    /// Arrays beside each other have different lengths.
    #[error("the array has another length or depth than those before it")]
    Ragged,
    /// More dimensions than a tensor can have.
    #[error("a tensor has at most {limit} dimensions")]
    Dimensions {
        /// The bound.
        limit: usize,
    },
    /// Another number of items than the shape asks for.
    #[error("cannot reshape array of size {found} into one of size {wanted}")]
    Items {
        /// What the shape asks for.
        wanted: usize,
        /// What came.
        found: usize,
    },
}

impl Problem {
    pub(crate) const fn new(fault: Fault, span: Range<usize>) -> Self {
        Self { path: Vec::new(), fault, span }
    }

    pub(crate) fn within(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    pub(super) fn enter(&mut self, step: Step) {
        self.path.push(step);
    }

    /// The way to the value, from the outside in.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.path.iter().rev()
    }

    /// The way to the value, such as `data[3].embedding`; empty for the whole.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for step in self.steps() {
            match step {
                Step::Key(key) if path.is_empty() => path.push_str(key),
                Step::Key(key) => {
                    path.push('.');
                    path.push_str(key);
                }
                Step::Item(index) => path.push_str(&format!("[{index}]")),
            }
        }
        path
    }

    /// The kind of problem in the words of pydantic, such as `missing`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.fault {
            Fault::Syntax { .. } => "json_invalid",
            Fault::Missing => "missing",
            Fault::Type { expected, .. } => match expected.as_str() {
                "integer" => "int_type",
                "number" => "float_type",
                "boolean" => "bool_type",
                "string" => "string_type",
                "array" | "array of numbers" => "list_type",
                "object" => "model_attributes_type",
                _ => "type_error",
            },
            Fault::Parse { expected: "integer" } => "int_parsing",
            Fault::Parse { expected: "boolean" } => "bool_parsing",
            Fault::Parse { expected: "number" } => "float_parsing",
            Fault::Parse { .. } | Fault::Tensor(_) => "value_error",
            Fault::Fraction => "int_from_float",
            Fault::Infinite => "finite_number",
            Fault::Choice { .. } => "enum",
            Fault::Bound(bound) => bound.kind(),
            Fault::TooDeep => "recursion_loop",
            Fault::TooManyWays => "union_error",
        }
    }

    /// One sentence about the value, in the words of pydantic.
    #[must_use]
    pub fn message(&self) -> String {
        match &self.fault {
            Fault::Syntax { .. } => "JSON decode error".to_owned(),
            Fault::Missing => "Field required".to_owned(),
            Fault::Type { expected, .. } => match expected.as_str() {
                "object" => "Input should be a valid dictionary or object to extract fields from".to_owned(),
                "array" | "array of numbers" => "Input should be a valid list".to_owned(),
                expected => format!("Input should be a valid {expected}"),
            },
            Fault::Parse { expected } => {
                let article = if expected.starts_with(['a', 'i']) { "an" } else { "a" };
                format!("Input should be a valid {expected}, unable to parse string as {article} {expected}")
            }
            Fault::Fraction => {
                "Input should be a valid integer, got a number with a fractional part".to_owned()
            }
            Fault::Infinite => "Input should be a finite number".to_owned(),
            Fault::Choice { expected } => format!("Input should be {expected}"),
            Fault::Bound(bound) => bound.message(),
            Fault::Tensor(fault) => format!("Value error, {fault}"),
            Fault::TooDeep => "Input is nested too deeply".to_owned(),
            Fault::TooManyWays => "Input fits the schema in too many ways".to_owned(),
        }
    }
}

impl Bound {
    const fn kind(self) -> &'static str {
        match self {
            Self::AtLeast(_) => "greater_than_equal",
            Self::AtMost(_) => "less_than_equal",
            Self::Above(_) => "greater_than",
            Self::Below(_) => "less_than",
            Self::MultipleOf(_) => "multiple_of",
            Self::MinCharacters(_) => "string_too_short",
            Self::MaxCharacters(_) => "string_too_long",
            Self::Pattern => "string_pattern_mismatch",
            Self::MinItems(_) => "too_short",
            Self::MaxItems(_) => "too_long",
        }
    }

    fn message(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("Input should be greater than or equal to {bound}"),
            Self::AtMost(bound) => format!("Input should be less than or equal to {bound}"),
            Self::Above(bound) => format!("Input should be greater than {bound}"),
            Self::Below(bound) => format!("Input should be less than {bound}"),
            Self::MultipleOf(factor) => format!("Input should be a multiple of {factor}"),
            Self::MinCharacters(bound) => format!("String should have at least {bound} characters"),
            Self::MaxCharacters(bound) => format!("String should have at most {bound} characters"),
            Self::Pattern => "String should match the pattern of the schema".to_owned(),
            Self::MinItems(bound) => format!("List should have at least {bound} items"),
            Self::MaxItems(bound) => format!("List should have at most {bound} items"),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "expected a number of at least {bound}"),
            Self::AtMost(bound) => write!(f, "expected a number of at most {bound}"),
            Self::Above(bound) => write!(f, "expected a number above {bound}"),
            Self::Below(bound) => write!(f, "expected a number below {bound}"),
            Self::MultipleOf(factor) => write!(f, "expected a multiple of {factor}"),
            Self::MinCharacters(bound) => write!(f, "expected at least {bound} characters"),
            Self::MaxCharacters(bound) => write!(f, "expected at most {bound} characters"),
            Self::Pattern => f.write_str("the string does not match the pattern of the schema"),
            Self::MinItems(bound) => write!(f, "expected at least {bound} items"),
            Self::MaxItems(bound) => write!(f, "expected at most {bound} items"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Item(index) => write!(f, "{index}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Syntax { message } => write!(f, "no valid JSON at byte {}: {message}", self.span.start),
            fault if self.path.is_empty() => fault.fmt(f),
            fault => write!(f, "{}: {fault}", self.path()),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        if self.is_cut { f.write_str("; and perhaps more") } else { Ok(()) }
    }
}

impl std::error::Error for Invalid {}

impl From<Problem> for Invalid {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem], is_cut: false }
    }
}
