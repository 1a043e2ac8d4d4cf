//! Keys of a mapping that are arguments of a program.

use serde_json::Value;

use super::Document;
use super::lines::join;
use crate::check::Context;
use crate::form::Object;
use crate::layers::{Values, insert};
use crate::nearest::nearest;
use crate::table::{Program, arguments, by_key};
use crate::{Problem, Reason};

/// Reads the keys of the mapping at `base`; `others` are read by somebody else.
pub(super) fn read(
    document: &Document,
    base: &str,
    entries: &Object,
    program: Program,
    others: &[&str],
    context: &mut Context<'_>,
) -> Values {
    let mut values = Values::new();
    for (key, value) in entries {
        if others.contains(&key.as_str()) {
            continue;
        }
        let place = document.place(&join(base, key));
        match by_key(program, key) {
            Some(argument) => insert(&mut values, argument, value, place, &mut context.problems),
            None => unknown(document, base, key, &[program], others, context),
        }
    }
    values
}

/// Notes a key that nothing reads.
pub(super) fn unknown(
    document: &Document,
    base: &str,
    key: &str,
    programs: &[Program],
    others: &[&str],
    context: &mut Context<'_>,
) {
    let keys: Vec<String> =
        programs.iter().flat_map(|program| arguments(*program)).map(|a| a.key()).collect();
    let known = keys.iter().map(String::as_str).chain(others.iter().copied());
    let nearest = nearest(key, known).map(str::to_owned);
    let reason = Reason::UnknownKey { key: key.to_owned(), nearest };
    context.problems.push(Problem::new(document.place(&join(base, key)), reason));
}

/// The mapping at a key of the top level; none, or null, is an empty one.
pub(super) fn mapping(document: &Document, key: &str, context: &mut Context<'_>) -> Object {
    match document.top.get(key) {
        None | Some(Value::Null) => Object::new(),
        Some(Value::Object(entries)) => entries.clone(),
        Some(other) => {
            context.expected(document.place(key), "a mapping", other);
            Object::new()
        }
    }
}

/// Notes every key of the top level that is not among `known`.
pub(super) fn only(document: &Document, known: &[&str], context: &mut Context<'_>) {
    for key in document.top.keys().filter(|key| !known.contains(&key.as_str())) {
        unknown(document, "", key, &[], known, context);
    }
}
