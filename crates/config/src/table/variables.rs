//! Environment variables of Jina and of the system that mean something here.

/// A variable beside the `FLOWGATE_` ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: &'static str,
    /// One sentence.
    pub(crate) help: &'static str,
}

const fn variable(name: &'static str, help: &'static str) -> Variable {
    Variable { name, help }
}

pub(crate) const VARIABLES: &[Variable] = &[
    variable("JINA_DEFAULT_HOST", "Default of every `host`"),
    variable("JINA_DEFAULT_TIMEOUT_CTRL", "Default of `timeout_ctrl`"),
    variable(
        "JINA_DEPLOYMENT_NAME",
        "Name of the process in logs when it has none; a head's label in metrics",
    ),
    variable("JINA_LOG_CONFIG", "Overrides `log_config`; `QUIET` logs nothing"),
    variable(
        "JINA_LOG_LEVEL",
        "DEBUG, INFO, SUCCESS, WARNING, ERROR or CRITICAL; overrides the level of the layout",
    ),
    variable("JINA_LOG_NO_COLOR", "When present, the log has no colours"),
    variable("JINA_RANDOM_PORT_MIN", "The lowest port that is drawn where none is given"),
    variable("JINA_RANDOM_PORT_MAX", "The highest port that is drawn where none is given"),
    variable("JINA_FULL_CLI", "When present, `--help` also lists arguments without an effect"),
    variable(
        "CICD_JINA_DISABLE_HEALTHCHECK_LOGS",
        "When present, health checks leave no line in the access log",
    ),
    variable("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "Default of `executors_ca`"),
];
