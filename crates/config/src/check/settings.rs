//! Typed looks into the merged values.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use crate::form::Object;
use crate::layers::{Environment, Values};
use crate::{Place, Problem, Reason, Warning, units};

/// What all checks need beside the values, and what they find.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) env: &'a Environment,
    /// What `${{ CONTEXT.x }}` stands for in files; `None` where nobody can say.
    pub(crate) given: Option<IndexMap<String, String>>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Warning>,
    /// Whether files that the process needs must be there now.
    pub(crate) files_exist: bool,
}

/// The values of one program. Every look trusts that they are canonical.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) values: Values,
}

impl Context<'_> {
    pub(crate) fn problem(&mut self, place: Place, reason: Reason) {
        self.problems.push(Problem::new(place, reason));
    }

    pub(crate) fn conflict(&mut self, place: Place, message: impl Into<String>) {
        self.problem(place, Reason::Conflict { message: message.into() });
    }

    pub(crate) fn doubt(&mut self, place: Place, message: impl Into<String>) {
        self.warnings.push(Warning::Doubtful { place, reason: Reason::Conflict { message: message.into() } });
    }

    pub(crate) fn expected(&mut self, place: Place, what: &str, found: &Value) {
        self.problem(place, crate::form::expected(what, found));
    }

    /// The path, after noting a problem if it is to be there and is not.
    pub(crate) fn file(&mut self, path: PathBuf, place: &Place) -> PathBuf {
        if self.files_exist
            && let Err(error) = std::fs::File::open(&path)
        {
            let reason = Reason::Unreadable { path: path.clone(), message: error.to_string() };
            self.problem(place.clone(), reason);
        }
        path
    }
}

impl Settings {
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name).map(|(value, _)| value)
    }

    pub(crate) fn place(&self, name: &str) -> Place {
        self.values.get(name).map_or(Place::Default, |(_, place)| place.clone())
    }

    /// Whether somebody said something other than nothing.
    pub(crate) fn is_said(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|(_, place)| *place != Place::Default)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(Value::as_str)
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.value(name).and_then(Value::as_array);
        items.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        self.value(name).and_then(Value::as_i64)
    }

    /// A number from 0.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.integer(name).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
    }

    /// A number from 0 that is never large.
    pub(crate) fn small(&self, name: &str) -> u32 {
        self.integer(name).map_or(0, |number| u32::try_from(number.max(0)).unwrap_or(u32::MAX))
    }

    pub(crate) fn non_zero(&self, name: &str) -> Option<NonZeroUsize> {
        NonZeroUsize::new(self.count(name))
    }

    /// `None` if it was left out or is negative.
    pub(crate) fn duration(&self, name: &str) -> Option<Duration> {
        self.integer(name).and_then(units::duration)
    }

    pub(crate) fn port(&self, name: &str) -> Option<u16> {
        self.integer(name).and_then(|port| u16::try_from(port).ok())
    }

    pub(crate) fn ports(&self, name: &str) -> Vec<u16> {
        let items = self.value(name).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .filter_map(|port| u16::try_from(port).ok())
            .collect()
    }

    pub(crate) fn object(&self, name: &str) -> Object {
        self.value(name).and_then(Value::as_object).cloned().unwrap_or_default()
    }
}
