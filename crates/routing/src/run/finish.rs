//! The answer of a run whose nodes have all settled.

use bytes::Bytes;
use call::{Message, Route, Routes, Timestamp};
use docarray::{merge, node};

use super::Run;
use crate::dispatch::Pool;
use crate::join::{self, Output};
use crate::{Error, parameters};

impl<P: Pool> Run<'_, P> {
    pub(super) fn finish(mut self) -> Result<Message, call::Error> {
        let graph = &*self.core.graph;
        let Output { mut message, origin, failed } = self.take(graph.answer());
        if !failed {
            message.trailers.0.clear();
            self.restore_order(&mut message, origin)?;
        }
        self.asked.restore_header(&mut message);
        let results = self.slots.iter().filter_map(|slot| slot.results.as_ref());
        message.parameters = parameters::with_results(&self.asked.parameters, results)
            .map_err(|source| Error::Parameters { source })?;
        self.slots[graph.gateway()].end = Some(Timestamp::now());
        message.routes = self.routes();
        Ok(message)
    }

    /// Documents that took different ways come back in the order in which they were sent.
    fn restore_order(&self, message: &mut Message, origin: usize) -> Result<(), Error> {
        let (Some(asked), Some(content)) = (&self.asked.documents, &message.documents) else {
            return Ok(());
        };
        let graph = &self.core.graph;
        let order = node::doc_list(asked.clone()).and_then(merge::ids);
        let order = order.map_err(|source| Error::Documents { source })?;
        let sorted = node::doc_list(content.clone()).and_then(|docs| merge::sort(docs, &order));
        let sorted = sorted.map_err(|source| join::malformed(origin, source, graph))?;
        message.documents = Some(node::content(sorted));
        Ok(())
    }

    /// The gateway and then each node that was reached, in the order of the graph. Routes that the client sent
    /// or that executors added do not count.
    fn routes(&mut self) -> Routes {
        let gateway = self.core.graph.gateway();
        let mut added = Vec::with_capacity(self.slots.len());
        for index in std::iter::once(gateway).chain(0..gateway) {
            let slot = &mut self.slots[index];
            if slot.start.is_some() {
                let executor = self.core.graph.all_nodes()[index].label.clone();
                added.push(Route { executor, start: slot.start, end: slot.end, status: slot.status.take() });
            }
        }
        Routes { received: Bytes::new(), added }
    }
}
