//! Reading queries.

use regex::Regex;
use serde_json::{Map, Value};

use super::{Filter, Operand, Order, Test};

/// Something wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {problem}")]
pub struct QueryError {
    /// The keys that lead to it, joined by dots.
    pub path: String,
    /// What it is.
    pub problem: Problem,
}

/// What can be wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A query, or a field's tests, must be an object.
    #[error("expected an object such as {{field: {{$eq: value}}}}, got {found}")]
    NotAnObject {
        /// What stands there.
        found: String,
    },
    /// There is no operator of that name.
    #[error("unknown operator; known are $eq, $neq, $lt, $lte, $gt, $gte, $in, $nin, $regex, $size, $exists")]
    UnknownOperator,
    /// At the top level only some operators may stand.
    #[error("only $and, $or and $not can stand in the place of a field")]
    UnknownLogical,
    /// The operator takes another kind of value.
    #[error("expected {expected}, got {found}")]
    WrongValue {
        /// What it takes.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The regular expression is wrong.
    #[error("not a regular expression: {reason}")]
    BadRegex {
        /// Why.
        reason: String,
    },
}

/// Collects problems on the way through a query.
struct Parser {
    path: Vec<String>,
    errors: Vec<QueryError>,
}

pub(super) fn parse(query: &Value) -> Result<Filter, Vec<QueryError>> {
    let mut parser = Parser { path: Vec::new(), errors: Vec::new() };
    let filter = parser.query(query);
    if parser.errors.is_empty() { Ok(filter) } else { Err(parser.errors) }
}

impl Parser {
    fn wrong(&mut self, problem: Problem) -> Filter {
        self.errors.push(QueryError { path: self.path.join("."), problem });
        Filter::All(Vec::new())
    }

    fn inside<T>(&mut self, key: &str, parse: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(key.to_owned());
        let parsed = parse(self);
        self.path.pop();
        parsed
    }

    fn query(&mut self, query: &Value) -> Filter {
        Filter::All(self.parts(query))
    }

    /// An object's keys or a list's items, each a condition.
    fn parts(&mut self, query: &Value) -> Vec<Filter> {
        match query {
            Value::Object(object) => {
                let part = |(key, value): (&String, &Value)| self.inside(key, |this| this.key(key, value));
                object.iter().map(part).collect()
            }
            Value::Array(list) => {
                let item = |(n, item): (usize, &Value)| self.inside(&n.to_string(), |this| this.query(item));
                list.iter().enumerate().map(item).collect()
            }
            other => vec![self.wrong(Problem::NotAnObject { found: other.to_string() })],
        }
    }

    fn key(&mut self, key: &str, value: &Value) -> Filter {
        match key {
            "$and" => Filter::All(self.parts(value)),
            "$or" => Filter::Any(self.parts(value)),
            "$not" => Filter::Not(Box::new(self.query(value))),
            _ if key.starts_with('$') => self.wrong(Problem::UnknownLogical),
            _ => match value {
                Value::Object(tests) if !tests.is_empty() => self.field(key, tests),
                other => self.wrong(Problem::NotAnObject { found: other.to_string() }),
            },
        }
    }

    fn field(&mut self, name: &str, tests: &Map<String, Value>) -> Filter {
        let path: Vec<_> = name.split("__").map(str::to_owned).collect();
        let mut all = Vec::new();
        for (operator, value) in tests {
            match self.inside(operator, |this| this.test(operator, value)) {
                Ok(test) => all.push(Filter::Field { path: path.clone(), test }),
                Err(problem) => {
                    self.inside(operator, |this| this.wrong(problem));
                }
            }
        }
        Filter::All(all)
    }

    #[expect(clippy::unused_self, reason = "called like its siblings")]
    fn test(&mut self, operator: &str, value: &Value) -> Result<Test, Problem> {
        let wrong = |expected| Problem::WrongValue { expected, found: value.to_string() };
        Ok(match operator {
            "$eq" => Test::Equal(operand(value)?, true),
            "$neq" => Test::Equal(operand(value)?, false),
            "$lt" => Test::Order(Order::Less, operand(value)?),
            "$lte" => Test::Order(Order::LessOrEqual, operand(value)?),
            "$gt" => Test::Order(Order::Greater, operand(value)?),
            "$gte" => Test::Order(Order::GreaterOrEqual, operand(value)?),
            "$in" => Test::OneOf(value.as_array().ok_or_else(|| wrong("a list"))?.clone(), true),
            "$nin" => Test::OneOf(value.as_array().ok_or_else(|| wrong("a list"))?.clone(), false),
            "$size" => Test::Size(value.as_f64().ok_or_else(|| wrong("a number"))?),
            "$exists" => Test::Exists(value.as_bool().ok_or_else(|| wrong("true or false"))?),
            "$regex" => {
                let pattern = value.as_str().ok_or_else(|| wrong("a text"))?;
                let regex = Regex::new(pattern);
                Test::Regex(regex.map_err(|error| Problem::BadRegex { reason: error.to_string() })?)
            }
            _ => return Err(Problem::UnknownOperator),
        })
    }
}

/// A value, or the name of another field in braces.
fn operand(value: &Value) -> Result<Operand, Problem> {
    let Some(text) = value.as_str().filter(|text| text.starts_with('{')) else {
        return Ok(Operand::Literal(value.clone()));
    };
    let name = text.strip_prefix('{').and_then(|text| text.trim_end().strip_suffix('}')).map(str::trim);
    match name.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        Some(name) => Ok(Operand::Field(name.to_owned())),
        None => {
            Err(Problem::WrongValue { expected: "the name of a field in braces", found: text.to_owned() })
        }
    }
}
