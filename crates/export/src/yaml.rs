//! The only place that writes YAML.

use serde::Serialize;

use crate::Error;

/// One document.
pub(crate) fn write(object: &impl Serialize) -> Result<String, Error> {
    serde_yaml::to_string(object).map_err(|error| Error::Yaml(Box::new(error)))
}
