//! An executor's specification.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::network::{TlsNames, client, executor_listeners, protocols, server};
use super::stateful::stateful;
use super::{Context, Settings, graph, http, log, telemetry};
use crate::files::{check_variables, is_yaml_path};
use crate::form::Object;
use crate::nearest::nearest;
use crate::table::Program;
use crate::{
    Batching, ExecutorSpec, Head, Place, Polling, PollingRule, Protocol, Provider, PythonSpec, Reason, Role,
    Shard, Uses, units,
};

/// What an executor file says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ExecutorFile {
    pub(crate) path: PathBuf,
    pub(crate) class: String,
    pub(crate) with: Object,
    pub(crate) metas: Object,
    pub(crate) requests: Object,
    pub(crate) dynamic_batching: Object,
    pub(crate) py_modules: Vec<String>,
    /// For complaints about what is in it.
    pub(crate) place: Option<Place>,
}

pub(crate) fn executor(
    settings: &Settings,
    context: &mut Context<'_>,
    program: Program,
    file: Option<ExecutorFile>,
) -> ExecutorSpec {
    let file = file.unwrap_or_default();
    let mut py_modules = file.py_modules.clone();
    py_modules.extend(settings.texts("py-modules"));
    let deployment = context.env.get("JINA_DEPLOYMENT_NAME").filter(|name| !name.is_empty()).cloned();
    let role = role(settings, context, deployment.clone());
    let mut listed = protocols(settings);
    if listed.is_empty() {
        listed.push(Protocol::Grpc);
    }
    let listeners = executor_listeners(settings, context, listed);
    let tls = match program {
        Program::Deployment if settings.is_said("ssl-certfile") || settings.is_said("ssl-keyfile") => {
            TlsNames { certificates: "ssl-certfile", private_key: "ssl-keyfile", client_authorities: None }
        }
        Program::Gateway | Program::Executor | Program::Deployment => TlsNames {
            certificates: "tls-certfile",
            private_key: "tls-keyfile",
            client_authorities: Some("tls-client-ca"),
        },
    };
    let server = server(settings, context, listeners, &tls);
    let merged = |mut base: Object, name: &str| {
        base.extend(settings.object(name));
        base
    };
    let uses_metas = merged(file.metas.clone(), "uses-metas");
    let has_workspace = settings.text("workspace").is_some() || uses_metas.contains_key("workspace");
    ExecutorSpec {
        stateful: stateful(settings, context, program, has_workspace),
        name: settings.owned("name").or(deployment),
        role,
        server,
        client: client(settings, context),
        python: python(settings, program, &file, context),
        uses: uses(settings, &file),
        uses_requests: requests(&merged(file.requests.clone(), "uses-requests"), settings, context),
        uses_dynamic_batching: batching(&file, settings, context),
        uses_with: merged(file.with, "uses-with"),
        uses_metas,
        py_modules,
        workspace: settings.text("workspace").map(PathBuf::from),
        shard_id: settings.small("shard-id"),
        replica_id: settings.small("replica-id"),
        shards: settings.small("shards").max(1),
        replicas: settings.small("replicas").max(1),
        allow_concurrent: settings.flag("allow-concurrent"),
        max_running: settings.count("max-running"),
        max_waiting: settings.count("max-waiting"),
        max_call_time: settings.duration("max-call-time").filter(|limit| !limit.is_zero()),
        memory_limit: u64::try_from(settings.count("memory-limit")).ok().filter(|limit| *limit > 0),
        output_array_type: settings.owned("output-array-type"),
        exit_on_exceptions: settings.texts("exit-on-exceptions"),
        http: http::http(settings, context),
        provider: match settings.text("provider") {
            Some("SAGEMAKER") => Provider::Sagemaker,
            Some("AZURE") => Provider::Azure,
            Some(_) | None => Provider::None,
        },
        provider_endpoint: settings.owned("provider-endpoint"),
        telemetry: telemetry::telemetry(settings),
        log: log::log(settings, context, settings.owned("name")),
    }
}

/// What a text in `uses` means, files already read excepted.
fn read_uses(text: &str) -> Uses {
    if let Some(image) = text.strip_prefix("docker://") {
        return Uses::Image(image.to_owned());
    }
    let hub = ["jinahub", "jinaai", "jinahub+docker", "jinaai+docker", "jinahub+sandbox", "jinaai+sandbox"];
    if text.split_once("://").is_some_and(|(scheme, _)| hub.contains(&scheme)) {
        return Uses::Hub(text.to_owned());
    }
    match text {
        "" | "BaseExecutor" => Uses::PassThrough,
        name => Uses::Name(name.to_owned()),
    }
}

fn uses(settings: &Settings, file: &ExecutorFile) -> Uses {
    if file.class.is_empty() {
        return read_uses(settings.text("uses").unwrap_or(""));
    }
    match file.class.as_str() {
        "BaseExecutor" => Uses::PassThrough,
        name => Uses::File { path: file.path.clone(), name: name.to_owned() },
    }
}

/// Worker processes for a class in Python: `--python FILE`, or `python_workers` in a Flow.
fn python(
    settings: &Settings,
    program: Program,
    file: &ExecutorFile,
    context: &mut Context<'_>,
) -> Option<PythonSpec> {
    // Replicas that are kept consistent are processes of this program.
    let in_workers = settings.is_said("python-workers") || settings.flag("stateful");
    let uses = match program {
        Program::Deployment if in_workers && !file.class.is_empty() => {
            file.path.to_string_lossy().into_owned()
        }
        Program::Deployment if in_workers => settings.owned("uses")?,
        Program::Deployment | Program::Gateway => return None,
        Program::Executor => python_file(settings, context)?,
    };
    let said = settings.owned("python-interpreter").or_else(|| context.env.get("JINA_PYTHON").cloned());
    let interpreter = said.filter(|python| !python.is_empty()).unwrap_or_else(|| "python3".to_owned());
    let positive = |limit: Duration| (!limit.is_zero()).then_some(limit);
    Some(PythonSpec {
        uses,
        interpreter: PathBuf::from(interpreter),
        workers: settings.non_zero("python-workers").unwrap_or(NonZeroUsize::MIN),
        reload: settings.flag("reload"),
        memory_limit: u64::try_from(settings.count("python-memory-limit")).ok().filter(|limit| *limit > 0),
        start_limit: settings.duration("python-start-limit").and_then(positive).unwrap_or(Duration::MAX),
        dynamic_batching: settings.object("uses-dynamic-batching"),
        search_paths: settings.texts("extra-search-paths"),
    })
}

/// The file that `--python` names.
fn python_file(settings: &Settings, context: &mut Context<'_>) -> Option<String> {
    let file = settings.text("python")?;
    let place = settings.place("python");
    if settings.is_said("uses") {
        context
            .conflict(place.clone(), "an executor is either in Python or in this program: leave out --uses");
    }
    if !is_yaml_path(file) {
        context.expected(place, "an executor file, such as executor.yml", &file.into());
        return None;
    }
    let elsewhere = settings.texts("extra-search-paths");
    let found = elsewhere.iter().map(|folder| Path::new(folder).join(file)).find(|path| path.exists());
    let path = if Path::new(file).exists() { None } else { found };
    let path = context.file(path.unwrap_or_else(|| file.into()), &place);
    check_variables(&path, context);
    Some(path.to_string_lossy().into_owned())
}

// === the head ===

fn role(settings: &Settings, context: &mut Context<'_>, deployment: Option<String>) -> Role {
    let is_head =
        settings.text("runtime-cls") == Some("HeadRuntime") || settings.text("pod-role") == Some("HEAD");
    if !is_head {
        return Role::Worker;
    }
    let shards = shards(settings, context);
    let one = settings.small("shards").max(u32::try_from(shards.len()).unwrap_or(u32::MAX)) <= 1;
    let mut beside = |name: &str| {
        let text = settings.text(name).filter(|text| !text.is_empty())?;
        super::address(text, settings.place(name), context)
    };
    let (uses_before, uses_after) = (beside("uses-before-address"), beside("uses-after-address"));
    Role::Head(Head {
        shards,
        polling: polling(settings, context, one),
        no_reduce: settings.flag("no-reduce"),
        uses_before,
        uses_after,
        deployment: deployment.unwrap_or_else(|| "worker".to_owned()),
    })
}

fn shards(settings: &Settings, context: &mut Context<'_>) -> Vec<Shard> {
    let place = settings.place("connection-list");
    let entries = match settings.value("connection-list") {
        Some(Value::Object(entries)) if !entries.is_empty() => entries,
        Some(other) => {
            context.expected(place, "an object: shard to its addresses, one shard at least", other);
            return Vec::new();
        }
        None => {
            let what = "--connection-list, which a head needs,".to_owned();
            context.problem(Place::CommandLine, Reason::Missing { what });
            return Vec::new();
        }
    };
    let mut shards = Vec::with_capacity(entries.len());
    for (id, addresses) in entries {
        let place = place.within(id);
        let addresses = graph::addresses(addresses, &place, context);
        match id.parse() {
            Ok(id) if !addresses.is_empty() => shards.push(Shard { id, addresses }),
            Ok(_) => {}
            Err(_) => context.expected(place, "the number of a shard", &id.as_str().into()),
        }
    }
    shards.sort_by_key(|shard| shard.id);
    shards
}

/// `/search` asks all shards and `/index` one, unless something else is said for them by name.
pub(crate) fn polling(settings: &Settings, context: &mut Context<'_>, one_shard: bool) -> Polling {
    let mut polling = Polling {
        endpoints: IndexMap::from([
            ("/search".to_owned(), PollingRule::All),
            ("/index".to_owned(), PollingRule::Any),
        ]),
        fallback: PollingRule::Any,
    };
    let place = settings.place("polling");
    let what = "ANY or ALL, or an object: endpoint to ANY or ALL";
    match settings.value("polling") {
        None | Some(Value::Null) => {}
        Some(Value::Object(rules)) => {
            for (endpoint, rule) in rules {
                match (polling_rule(rule), endpoint.as_str()) {
                    (Some(rule), "*") => polling.fallback = rule,
                    (Some(rule), _) => {
                        polling.endpoints.insert(endpoint.clone(), rule);
                    }
                    (None, _) => context.expected(place.within(endpoint), "ANY or ALL", rule),
                }
            }
        }
        Some(rule) => match polling_rule(rule) {
            Some(rule) => polling.fallback = rule,
            None => context.expected(place, what, rule),
        },
    }
    if one_shard {
        return Polling { endpoints: IndexMap::new(), fallback: PollingRule::Any };
    }
    polling
}

fn polling_rule(value: &Value) -> Option<PollingRule> {
    match crate::form::text(value)?.to_ascii_uppercase().as_str() {
        "ANY" | "1" => Some(PollingRule::Any),
        "ALL" | "2" => Some(PollingRule::All),
        _ => None,
    }
}

// === endpoints ===

fn requests(entries: &Object, settings: &Settings, context: &mut Context<'_>) -> IndexMap<String, String> {
    let mut requests = IndexMap::new();
    for (endpoint, method) in entries {
        match method {
            Value::String(method) => {
                requests.insert(endpoint.clone(), method.clone());
            }
            other => {
                context.expected(
                    settings.place("uses-requests").within(endpoint),
                    "the name of a method",
                    other,
                );
            }
        }
    }
    requests
}

/// What the file and the arguments say of each endpoint, the latter over the former option by option.
fn batching(
    file: &ExecutorFile,
    settings: &Settings,
    context: &mut Context<'_>,
) -> IndexMap<String, Batching> {
    const KEYS: [&str; 5] =
        ["preferred_batch_size", "timeout", "flush_all", "use_custom_metric", "use_dynamic_batching"];
    let mut batching: IndexMap<String, Batching> = IndexMap::new();
    let arguments = settings.object("uses-dynamic-batching");
    let file_place = file.place.as_ref().map(|place| place.within("dynamic_batching"));
    let of_file =
        file_place.iter().flat_map(|place| file.dynamic_batching.iter().map(move |entry| (place, entry)));
    let argument_place = settings.place("uses-dynamic-batching");
    let of_arguments = arguments.iter().map(|entry| (&argument_place, entry));
    for (place, (endpoint, value)) in of_file.chain(of_arguments) {
        let place = place.within(endpoint);
        let Value::Object(keys) = value else {
            context.expected(place, "an object with `preferred_batch_size` and `timeout`", value);
            continue;
        };
        for key in keys.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            let nearest = nearest(key, KEYS).map(str::to_owned);
            context.problem(place.clone(), Reason::UnknownKey { key: key.clone(), nearest });
        }
        let said = |key: &str| keys.get(key).filter(|value| !value.is_null());
        let mut number = |key: &str, min: u64| {
            let value = said(key)?;
            let number = value.as_u64().filter(|number| *number >= min);
            if number.is_none() {
                context.expected(place.within(key), &format!("a whole number from {min}"), value);
            }
            number
        };
        let size = number("preferred_batch_size", 1);
        let timeout = number("timeout", 0);
        let mut flag = |key: &str| {
            let value = said(key)?;
            if !value.is_boolean() {
                context.expected(place.within(key), "true or false", value);
            }
            value.as_bool()
        };
        let flags = [flag("flush_all"), flag("use_custom_metric"), flag("use_dynamic_batching")];
        let read = batching.entry(endpoint.clone()).or_default();
        read.preferred_batch_size =
            size.map(|size| usize::try_from(size).unwrap_or(usize::MAX)).or(read.preferred_batch_size);
        let timeout = timeout.and_then(|timeout| i64::try_from(timeout).ok().and_then(units::duration));
        read.timeout = timeout.or(read.timeout);
        read.flush_all = flags[0].or(read.flush_all);
        read.use_custom_metric = flags[1].or(read.use_custom_metric);
        read.use_dynamic_batching = flags[2].or(read.use_dynamic_batching);
    }
    batching
}
