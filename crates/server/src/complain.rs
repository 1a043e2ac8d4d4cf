//! Last words.

use std::error::Error;
use std::io::{self, Write as _};

/// An error with everything behind it, on one line.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Says on standard error why the process ends, where somebody will read it whatever the log is.
pub fn complain(program: &str, error: &(dyn Error + 'static)) {
    // If nobody listens there is nobody to tell.
    let _unheard = writeln!(io::stderr().lock(), "{program}: {}", chain(error));
}
