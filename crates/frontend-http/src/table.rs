//! The routes of the moment.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::body::Bytes;
use bytestring::ByteString;
use call::DRY_RUN_ENDPOINT;
use docarray::discovery::{Catalog, Discovery, EndpointSchema};
use docarray::envelope::Endpoint;
use http::Method;

use crate::page::{self, Asset, Page};
use crate::{Settings, openapi};

/// Keeps the routes in step with the catalog.
#[derive(Debug)]
pub(crate) struct Tables {
    catalog: Catalog,
    settings: Settings,
    current: ArcSwap<Table>,
}

/// The routes of a Flow as it was at some time.
#[derive(Debug)]
pub(crate) struct Table {
    of: Arc<Discovery>,
    routes: HashMap<String, Route>,
    openapi: Bytes,
}

/// What a path answers.
#[derive(Debug, Default)]
pub(crate) struct Route {
    actions: Vec<(Method, Action)>,
}

/// What a request sets off.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Whether the process takes requests.
    Health,
    /// What it says of itself.
    Status,
    /// Whether the executors answer.
    DryRun,
    /// What can be asked for.
    OpenApi,
    /// A page that shows it.
    Page(Page),
    /// A part of a page.
    Asset(Asset),
    /// A request to an endpoint.
    Post(Arc<Target>),
    /// A request to an endpoint that streams.
    Stream(Arc<Target>),
}

/// An endpoint.
#[derive(Debug)]
pub(crate) struct Target {
    /// As executors bind it.
    pub(crate) name: ByteString,
    /// What it takes and returns.
    pub(crate) model: Endpoint,
}

impl Tables {
    pub(crate) fn new(catalog: Catalog, settings: Settings) -> Self {
        let current = ArcSwap::from_pointee(Table::new(&catalog.read(), &settings));
        Self { catalog, settings, current }
    }

    /// The routes of the catalog as it is now.
    pub(crate) fn current(&self) -> Arc<Table> {
        let discovery = self.catalog.read();
        let table = self.current.load_full();
        if Arc::ptr_eq(&table.of, &discovery) {
            return table;
        }
        // Whoever else comes at the same time makes the same table.
        let table = Arc::new(Table::new(&discovery, &self.settings));
        self.current.store(table.clone());
        table
    }
}

impl Table {
    fn new(of: &Arc<Discovery>, settings: &Settings) -> Self {
        let openapi = openapi::document(of, settings).to_string().into();
        let mut table = Self { of: of.clone(), routes: HashMap::new(), openapi };
        let mut targets = HashMap::new();
        for (name, schema) in visible(of) {
            let action = action(name, schema);
            targets.insert(name, action.clone());
            table.add(path(name), action.method(), action);
        }
        for exposed in &settings.exposed {
            if let Some(action) = of.bound(&exposed.endpoint).and_then(|bound| targets.get(bound)) {
                for method in &exposed.methods {
                    table.add(exposed.path.clone(), method.clone(), action.clone());
                }
            }
        }
        let fixed = [("/", Action::Health), ("/health", Action::Health), ("/openapi.json", Action::OpenApi)];
        let debug = [("/status", Action::Status), ("/dry_run", Action::DryRun)];
        let debug = debug.into_iter().filter(|_| !settings.no_debug_endpoints);
        let pages = page::PAGES.map(|(path, page)| (path, Action::Page(page)));
        let assets = page::ASSETS.map(|(path, asset)| (path, Action::Asset(asset)));
        for (path, action) in fixed.into_iter().chain(debug).chain(pages).chain(assets) {
            table.add(path.to_owned(), Method::GET, action);
        }
        table
    }

    /// What came first stays: executors' endpoints before the fixed ones.
    fn add(&mut self, path: String, method: Method, action: Action) {
        let Route { actions } = self.routes.entry(path).or_default();
        if !actions.iter().any(|(taken, _)| *taken == method) {
            actions.push((method, action));
        }
    }

    pub(crate) fn route(&self, path: &str) -> Option<&Route> {
        self.routes.get(path)
    }

    pub(crate) fn openapi(&self) -> Bytes {
        self.openapi.clone()
    }
}

impl Route {
    pub(crate) fn action(&self, method: &Method) -> Option<&Action> {
        self.actions.iter().find(|(of, _)| of == method).map(|(_, action)| action)
    }

    /// The methods as the header `allow` lists them.
    pub(crate) fn allow(&self) -> String {
        let mut methods: Vec<_> = self.actions.iter().map(|(method, _)| method.as_str()).collect();
        methods.sort_unstable();
        methods.join(", ")
    }
}

impl Action {
    fn method(&self) -> Method {
        if matches!(self, Self::Post(_)) { Method::POST } else { Method::GET }
    }
}

fn action(name: &ByteString, schema: Option<&EndpointSchema>) -> Action {
    let target = Arc::new(Target { name: name.clone(), model: Endpoint::new(schema) });
    if schema.is_some_and(|schema| schema.is_generator) {
        Action::Stream(target)
    } else {
        Action::Post(target)
    }
}

/// The endpoints that clients are told of.
pub(crate) fn visible(discovery: &Discovery) -> impl Iterator<Item = (&ByteString, Option<&EndpointSchema>)> {
    let endpoints = discovery.endpoints.iter().map(|(name, schema)| (name, schema.as_ref()));
    endpoints.filter(|(name, _)| **name != DRY_RUN_ENDPOINT)
}

/// Where an endpoint is found.
pub(crate) fn path(endpoint: &str) -> String {
    format!("/{}", endpoint.trim_matches('/'))
}
