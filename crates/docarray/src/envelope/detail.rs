//! Errors become JSON, in the shape that users of FastAPI know: `{"detail": ...}`.

use crate::codec::{Fault, Invalid, Problem, Step, put_text};

/// Values up to this size are repeated in the error that they cause.
const MAX_INPUT: usize = 1024;

/// Writes a sentence.
pub fn put_detail(sentence: &str, to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\"detail\":");
    put_text(sentence, to);
    to.push(b'}');
}

/// Writes what is wrong with a body: a list of problems with `type`, `loc`, which begins with `body`, `msg`, and the `input`
/// that is wrong unless it is large.
pub fn put_invalid(invalid: &Invalid, body: &[u8], to: &mut Vec<u8>) {
    put_invalid_part("body", invalid, body, to);
}

/// Like [`put_invalid`] for another part of a request, with which `loc` begins.
pub fn put_invalid_part(part: &str, invalid: &Invalid, body: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\"detail\":[");
    for (n, problem) in invalid.problems.iter().enumerate() {
        if n > 0 {
            to.push(b',');
        }
        put_problem(part, problem, body, to);
    }
    to.extend_from_slice(b"]}");
}

fn put_problem(part: &str, problem: &Problem, body: &[u8], to: &mut Vec<u8>) {
    to.extend_from_slice(b"{\"type\":");
    put_text(problem.kind(), to);
    to.extend_from_slice(b",\"loc\":[");
    put_text(part, to);
    if let Fault::Syntax { .. } = problem.fault {
        put_number(problem.span.start, to);
    }
    for step in problem.steps() {
        match step {
            Step::Key(key) => {
                to.push(b',');
                put_text(key, to);
            }
            Step::Item(index) => put_number(*index, to),
        }
    }
    to.extend_from_slice(b"],\"msg\":");
    put_text(&problem.message(), to);
    let input = body.get(problem.span.clone()).unwrap_or_default();
    match &problem.fault {
        Fault::Syntax { message } => {
            to.extend_from_slice(b",\"input\":{},\"ctx\":{\"error\":");
            put_text(message, to);
            to.push(b'}');
        }
        _ if input.is_empty() => to.extend_from_slice(b",\"input\":null"),
        _ if input.len() <= MAX_INPUT => {
            to.extend_from_slice(b",\"input\":");
            // Numbers that no client can hold, and what follows an error in the text, are told as text.
            match serde_json::from_slice::<serde_json::Value>(input) {
                Ok(_) => to.extend_from_slice(input),
                Err(_) => put_text(&String::from_utf8_lossy(input), to),
            }
        }
        _ => {}
    }
    to.push(b'}');
}

fn put_number(number: usize, to: &mut Vec<u8>) {
    to.extend_from_slice(format!(",{number}").as_bytes());
}
