//! Writing rows in few words.

use super::{Argument, Mark, On};
use crate::form::Form;

pub(super) const GATEWAY: On = On { gateway: true, executor: false, deployment: false };
pub(super) const EXECUTOR: On = On { gateway: false, executor: true, deployment: true };
pub(super) const PROCESS: On = On { gateway: false, executor: true, deployment: false };
pub(super) const ENTRY: On = On { gateway: false, executor: false, deployment: true };
pub(super) const BOTH: On = On { gateway: true, executor: true, deployment: true };

/// A row that has its effect.
pub(super) const fn row(on: On, name: &'static str, form: Form, help: &'static str) -> Argument {
    Argument { name, aliases: &[], form, default: None, mark: Mark::Honoured, on, help, ineffective: None }
}

impl Argument {
    pub(super) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    pub(super) const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// It has no effect in the original either.
    pub(super) const fn accepted(mut self) -> Self {
        self.mark = Mark::Accepted;
        self
    }

    /// It concerns what we are not.
    pub(super) const fn elsewhere(mut self) -> Self {
        self.mark = Mark::Elsewhere;
        self
    }

    pub(super) const fn beyond(mut self) -> Self {
        self.mark = Mark::Beyond;
        self
    }

    pub(super) const fn own(mut self) -> Self {
        self.mark = Mark::Own;
        self
    }

    /// Somebody may expect an effect and is told why there is none.
    pub(super) const fn warn(mut self, why: &'static str) -> Self {
        self.ineffective = Some(why);
        self
    }
}
