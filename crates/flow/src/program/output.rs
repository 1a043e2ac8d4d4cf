//! What the program says on the terminal.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;

use server::chain;

use super::WRONG;
use crate::Error;

/// Prints a text that was asked for.
pub(super) fn print(text: &str) -> ExitCode {
    let mut out = io::stdout().lock();
    let printed = if text.ends_with('\n') { write!(out, "{text}") } else { writeln!(out, "{text}") };
    match printed.and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        // `flowgate help | head` has what it wants.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Says what is wrong.
pub(super) fn complain(problem: &impl Display) {
    // There is nobody to tell that nobody can be told.
    let _unheard = writeln!(io::stderr().lock(), "flowgate: {problem}");
}

/// Says why there is no Flow, and with which code the program ends.
pub(super) fn failed(error: &Error) -> ExitCode {
    complain(&chain(error));
    match error {
        Error::Problems(_) => ExitCode::from(WRONG),
        _ => ExitCode::FAILURE,
    }
}
