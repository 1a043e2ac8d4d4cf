//! What a client asked for, as far as it matters at every executor.

use bytestring::ByteString;
use call::{Context, Message, Parameters, Payload};

use crate::parameters::Scoped;
use crate::target::{Selection, Targets};
use crate::{Endpoints, Error, Graph};

/// What a client asked for. Clones are cheap.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    request_id: ByteString,
    endpoint: Option<ByteString>,
    timeout: Option<u32>,
    pub(crate) parameters: Parameters,
    /// Only if they are not the same for all executors.
    scoped: Option<Scoped>,
    /// Only if the client wants some of them.
    selected: Option<Selection>,
    /// Only if documents can take different ways, so that their order must be restored.
    pub(crate) documents: Option<Payload>,
    pub(crate) context: Context,
}

impl Asked {
    pub(crate) fn new(
        request: &Message,
        context: Context,
        graph: &Graph,
        targets: &Targets,
    ) -> Result<Self, Error> {
        let header = &request.header;
        let target = header.target_executor.as_ref();
        Ok(Self {
            request_id: header.request_id.clone(),
            endpoint: header.endpoint.clone(),
            timeout: header.timeout,
            scoped: Scoped::of(&request.parameters, graph).map_err(|source| Error::Parameters { source })?,
            parameters: request.parameters.clone(),
            selected: target.map_or(Ok(None), |pattern| targets.select(graph, pattern))?,
            documents: request.documents.clone().filter(|_| graph.has_conditions()),
            context,
        })
    }

    /// The endpoint; without one it is empty.
    pub(crate) fn endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or_default()
    }

    /// Whether an executor is called; otherwise it is passed by.
    pub(crate) fn calls(&self, index: usize, endpoints: &Endpoints) -> bool {
        endpoints.binds(index, self.endpoint())
            && self.selected.as_ref().is_none_or(|selected| selected.get(index).is_some_and(|it| *it))
    }

    /// The parameters for one executor.
    pub(crate) fn parameters_for(&self, name: &str) -> Result<Parameters, Error> {
        match &self.scoped {
            None => Ok(self.parameters.clone()),
            Some(scoped) => scoped.for_executor(name).map_err(|source| Error::Parameters { source }),
        }
    }

    /// Puts the client's part of the header back, whatever an executor made of it. The target has done its
    /// work and is sent on empty.
    pub(crate) fn restore_header(&self, message: &mut Message) {
        let header = &mut message.header;
        header.request_id.clone_from(&self.request_id);
        header.endpoint.clone_from(&self.endpoint);
        header.timeout = self.timeout;
        header.target_executor = Some(ByteString::new());
    }
}
