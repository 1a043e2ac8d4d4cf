//! Reading queries.

use tantivy::query::{EmptyQuery, Query, QueryParser, QueryParserError};

use super::{Error, Index};

/// How several words of a query go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operator {
    /// All of them must be there.
    And,
    /// One is enough, more are better.
    #[default]
    Or,
}

/// How a query is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Syntax {
    /// With `AND`, `OR`, `-`, `"phrases"`, `title:` and so on; what is written wrongly is an error.
    #[default]
    Query,
    /// Only words: nothing in it means anything else, so that nothing can be wrong.
    Words,
}

/// What a person writes is shorter, and what is longer costs its length in every field.
const MAX_QUERY_BYTES: usize = 2048;
/// The parser calls itself for each.
const MAX_NESTING: usize = 32;

const TITLE_BOOST: f32 = 2.0;
const HEADING_BOOST: f32 = 1.5;

impl Index {
    /// Reads a query; one without words finds nothing.
    pub(super) fn parse(
        &self,
        query: &str,
        operator: Operator,
        syntax: Syntax,
    ) -> Result<Box<dyn Query>, Error> {
        if query.len() > MAX_QUERY_BYTES || nesting(query) > MAX_NESTING {
            return Err(Error::LongQuery { most: MAX_QUERY_BYTES, nesting: MAX_NESTING });
        }
        if !query.contains(|c: char| c.is_alphanumeric() || c == '*') {
            return Ok(Box::new(EmptyQuery));
        }
        let parser = self.parser(operator);
        let parsed = match syntax {
            Syntax::Query => parser.parse_query(query),
            Syntax::Words => parser.parse_query(&quoted(query)),
        };
        parsed.map_err(|error| {
            let reasons = match error {
                // It only repeats the query; reading on in spite of errors tells where they are.
                QueryParserError::SyntaxError(_) => most_telling(parser.parse_query_lenient(query).1),
                error => vec![error],
            };
            Error::Query { query: query.to_owned(), reasons }
        })
    }

    fn parser(&self, operator: Operator) -> QueryParser {
        let fields = &self.fields;
        let mut parser = QueryParser::for_index(&self.index, vec![fields.title, fields.heading, fields.text]);
        parser.set_field_boost(fields.title, TITLE_BOOST);
        parser.set_field_boost(fields.heading, HEADING_BOOST);
        if operator == Operator::And {
            parser.set_conjunction_by_default();
        }
        parser
    }
}

/// What is unknown says more than where the guessing began.
fn most_telling(mut reasons: Vec<QueryParserError>) -> Vec<QueryParserError> {
    let is_syntax = |reason: &QueryParserError| matches!(reason, QueryParserError::SyntaxError(_));
    if !reasons.iter().all(is_syntax) {
        reasons.retain(|reason| !is_syntax(reason));
    }
    reasons
}

/// Every word of a text as a phrase, in which nothing means anything but itself.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() * 2);
    for word in text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)) {
        quoted.push('"');
        quoted.extend(word.chars().map(|c| if matches!(c, '"' | '\\') { ' ' } else { c }));
        quoted.push_str("\" ");
    }
    quoted
}

/// How many brackets are open at once, at most.
fn nesting(query: &str) -> usize {
    let mut open = 0_usize;
    let mut most = 0;
    for c in query.chars() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}
