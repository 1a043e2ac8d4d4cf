//! Keeps the schema in step with the catalog.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_graphql::dynamic::Schema;
use docarray::discovery::{Catalog, Discovery};

use crate::schema;

/// The schema of the moment.
pub(crate) struct Schemas {
    catalog: Catalog,
    current: ArcSwapOption<Known>,
}

struct Known {
    of: Arc<Discovery>,
    schema: Option<Schema>,
}

impl Schemas {
    pub(crate) fn new(catalog: Catalog) -> Self {
        Self { catalog, current: ArcSwapOption::empty() }
    }

    /// That of the catalog as it is now; `None` if there is no such schema, which the log explains.
    pub(crate) fn current(&self) -> Option<Schema> {
        let of = self.catalog.read();
        if let Some(known) = self.current.load().as_ref().filter(|known| Arc::ptr_eq(&known.of, &of)) {
            return known.schema.clone();
        }
        // Whoever else comes at the same time makes the same.
        let schema = schema::schema(&of)
            .inspect_err(|error| tracing::error!(%error, "no GraphQL can be served for this Flow"))
            .ok();
        self.current.store(Some(Arc::new(Known { of, schema: schema.clone() })));
        schema
    }
}
