//! How a process logs.

use std::path::{Path, PathBuf};

use super::{Context, Settings};
use crate::files::log_layout::{self, Layout};
use crate::{Level, LogSpec, Place, Reason};

/// `name` is whose log it is, if it has a name.
pub(super) fn log(settings: &Settings, context: &mut Context<'_>, name: Option<String>) -> LogSpec {
    let variable = |name: &str| context.env.get(name).filter(|text| !text.is_empty()).cloned();
    let name = name.filter(|name| !name.is_empty()).or_else(|| variable("JINA_DEPLOYMENT_NAME"));
    let present = |name: &str| context.env.contains_key(name);
    let (colours, hide) = (!present("JINA_LOG_NO_COLOR"), present("CICD_JINA_DISABLE_HEALTHCHECK_LOGS"));
    let level = level(context);
    let layout = layout(settings, context);
    LogSpec {
        name: name.unwrap_or_else(|| "executor".to_owned()),
        level: level.or(layout.level).unwrap_or(Level::Info),
        handlers: layout.handlers,
        quiet_error: settings.flag("quiet-error"),
        colours,
        // The original's web server has a log of its own, which says nothing unless the variable wants it to.
        access: level.is_some_and(|level| level <= Level::Info),
        hide_health_checks: hide,
    }
}

/// The variable overrides the argument.
fn layout(settings: &Settings, context: &mut Context<'_>) -> Layout {
    let variable = context.env.get("JINA_LOG_CONFIG").filter(|text| !text.is_empty()).cloned();
    let (name, place) = match variable {
        Some(name) => (name, Place::Variable("JINA_LOG_CONFIG".to_owned())),
        None => (settings.owned("log-config").unwrap_or_default(), settings.place("log-config")),
    };
    if settings.flag("quiet") || name.eq_ignore_ascii_case("quiet") {
        return Layout::default();
    }
    if let Some(path) = file(&name, &place) {
        return read(&path, &place, context);
    }
    let bare = name.strip_prefix("logging.").and_then(|rest| rest.strip_suffix(".yml")).unwrap_or(&name);
    let bare = if bare.is_empty() { "default" } else { bare };
    if let Some(text) = log_layout::built_in(bare) {
        return log_layout::layout(Path::new(&name), text, context);
    }
    let is_path = Path::new(&name).extension().is_some() || name.contains('/');
    if is_path {
        return read(Path::new(&name), &place, context);
    }
    let what = "default, plain, json, docker, remote, profile, quiet or a file";
    context.expected(place, what, &name.into());
    Layout::default()
}

/// The file of that name, if there is one: as it stands, or beside the file that names it.
fn file(name: &str, place: &Place) -> Option<PathBuf> {
    let as_it_stands = PathBuf::from(name);
    if as_it_stands.is_file() {
        return Some(as_it_stands);
    }
    let Place::File { path, .. } = place else { return None };
    path.parent().map(|folder| folder.join(name)).filter(|path| path.is_file())
}

fn read(path: &Path, place: &Place, context: &mut Context<'_>) -> Layout {
    match std::fs::read_to_string(path) {
        Ok(text) => log_layout::layout(path, &text, context),
        Err(error) => {
            let reason = Reason::Unreadable { path: path.to_owned(), message: error.to_string() };
            if context.files_exist {
                context.problem(place.clone(), reason);
            } else {
                // It may be there where the Flow will run.
                context.warnings.push(crate::Warning::Doubtful { place: place.clone(), reason });
            }
            log_layout::built_in("default")
                .map(|text| log_layout::layout(Path::new("default"), text, context))
                .unwrap_or_default()
        }
    }
}

fn level(context: &mut Context<'_>) -> Option<Level> {
    let text = context.env.get("JINA_LOG_LEVEL").filter(|text| !text.is_empty())?;
    let level = Level::named(text);
    if level.is_none() {
        let what = "one of DEBUG, INFO, SUCCESS, WARNING, ERROR, CRITICAL";
        let found = text.as_str().into();
        context.expected(Place::Variable("JINA_LOG_LEVEL".to_owned()), what, &found);
    }
    level
}
