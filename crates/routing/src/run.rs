//! One request on its way through the graph.
//!
//! A run holds a slot for each node and no task: the calls in flight are polled by whoever polls the request.
//! A node whose last part has come is called, passed by, or stopped by a failure before it; either way it
//! settles, and what follows it loses one missing part. Executors that nobody waits for run the same way,
//! island by island, in tasks of their own.

mod finish;
mod slot;

use std::pin::Pin;
use std::sync::Arc;

use call::{Answer, ExecutorName, Hop, HopInput, Message, NodeIndex, Route, Status, Timestamp};

use crate::asked::Asked;
use crate::calls::Calls;
use crate::dispatch::{Core, Pool};
use crate::floating::Place;
use crate::graph::Node;
use crate::join::{self, Join, Output};
use crate::parameters;
use crate::{Error, Graph};

use slot::Slot;

/// A request in the graph, or on one island of it.
struct Run<'a, P: Pool> {
    core: &'a Arc<Core<P>>,
    asked: &'a Asked,
    /// `None` for the part of the graph that is waited for.
    island: Option<usize>,
    /// One for each node, the gateway's the last one.
    slots: Vec<Slot>,
    /// Nodes that have all their parts.
    ready: Vec<usize>,
    calls: Calls<P>,
    /// Inputs that each island still waits for.
    missing_inputs: Vec<usize>,
    /// The places of the islands that do not run yet.
    places: Vec<Place>,
}

/// Runs `request` through the graph; the answer is that of the first executor that leads out of it.
pub(crate) async fn answer<P: Pool>(
    core: &Arc<Core<P>>,
    asked: &Asked,
    mut request: Message,
) -> Result<Message, call::Error> {
    let gateway = core.graph.gateway();
    let mut run = Run::new(core, asked, None, core.tasks.take(core.graph.islands().len())?);
    let entry = entry_route(&core.graph);
    run.slots[gateway].start = entry.start;
    request.routes.added.push(entry);
    run.settle(gateway, Output { message: request, origin: gateway, failed: false });
    run.drive().await?;
    run.finish()
}

/// The first route of every request.
pub(crate) fn entry_route(graph: &Graph) -> Route {
    let executor = graph.all_nodes()[graph.gateway()].label.clone();
    Route { executor, start: Some(Timestamp::now()), ..Route::default() }
}

/// Runs an island with the outputs of the nodes outside that it needs.
///
/// Boxed, because a run can start runs.
fn float<P: Pool>(
    core: Arc<Core<P>>,
    asked: Asked,
    island: usize,
    inputs: Vec<(usize, Output)>,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut run = Run::new(&core, &asked, Some(island), Vec::new());
        for (input, output) in inputs {
            run.slots[input].uses = usize::MAX;
            run.settle(input, output);
        }
        if let Err(error) = run.drive().await {
            tracing::warn!(%error, "a floating call went wrong");
        }
    })
}

impl<'a, P: Pool> Run<'a, P> {
    fn new(core: &'a Arc<Core<P>>, asked: &'a Asked, island: Option<usize>, places: Vec<Place>) -> Self {
        let graph = &*core.graph;
        Self {
            core,
            asked,
            island,
            slots: graph.all_nodes().iter().map(Slot::new).collect(),
            ready: Vec::new(),
            calls: Calls::new(),
            missing_inputs: match island {
                None => graph.islands().iter().map(|island| island.inputs.len()).collect(),
                Some(_) => Vec::new(),
            },
            places,
        }
    }

    fn node(&self, index: usize) -> &'a Node {
        &self.core.graph.all_nodes()[index]
    }

    fn name(&self, index: usize) -> &'a ExecutorName {
        self.core.graph.name(index)
    }

    /// Works until every node has settled.
    async fn drive(&mut self) -> Result<(), call::Error> {
        loop {
            while let Some(index) = self.ready.pop() {
                match self.begin(index) {
                    Ok(None) => {}
                    Ok(Some(input)) => {
                        let context = self.asked.context.clone();
                        self.calls.add(
                            &self.core.pool,
                            index,
                            Hop { node: NodeIndex(index), input, context },
                        );
                    }
                    Err(error) => self.fail(index, error.into())?,
                }
            }
            let Some((index, answer)) = self.calls.next(&self.core.pool).await else { return Ok(()) };
            let answered = answer.and_then(|answer| Ok(self.answered(index, answer)?));
            if let Err(error) = answered {
                self.fail(index, error)?;
            }
        }
    }

    /// A node whose parts are all there: what to send to its executor, or `None` if it settled without.
    fn begin(&mut self, index: usize) -> Result<Option<HopInput>, Error> {
        let node = self.node(index);
        let [only] = node.parts[..] else { return self.begin_join(index, node) };
        let mut part = self.take(only);
        if part.failed {
            self.settle(index, part);
            return Ok(None);
        }
        if !self.reach(index) {
            self.settle(index, part);
            return Ok(None);
        }
        self.apply_condition(node, &mut part)?;
        Ok(Some(HopInput::One(self.prepared(index, part.message)?)))
    }

    fn begin_join(&mut self, index: usize, node: &Node) -> Result<Option<HopInput>, Error> {
        let mut parts: Vec<Output> = node.parts.iter().map(|part| self.take(*part)).collect();
        if let Some(failed) = parts.iter().position(|part| part.failed) {
            self.settle(index, parts.swap_remove(failed));
            return Ok(None);
        }
        let Core { graph, endpoints, .. } = &**self.core;
        let join = Join { index, endpoint: self.asked.endpoint(), graph, endpoints };
        if !self.reach(index) {
            self.settle(index, join.reduce(parts)?);
            return Ok(None);
        }
        for part in &mut parts {
            self.apply_condition(node, part)?;
        }
        if !node.reduces {
            let messages = parts.into_iter().map(|part| self.prepared(index, part.message));
            return Ok(Some(HopInput::Many(messages.collect::<Result<_, _>>()?)));
        }
        let mut message = self.prepared(index, join.reduce(parts)?.message)?;
        message.parameters = parameters::with_place_for_results(&message.parameters)
            .map_err(|source| Error::Parameters { source })?;
        self.slots[index].sent = message.parameters.clone();
        Ok(Some(HopInput::One(message)))
    }

    /// Notes that a request came to a node, and tells whether its executor is to be called.
    fn reach(&mut self, index: usize) -> bool {
        self.slots[index].start = Some(Timestamp::now());
        self.asked.calls(index, &self.core.endpoints)
    }

    fn apply_condition(&self, node: &Node, part: &mut Output) -> Result<(), Error> {
        if let Some(condition) = &node.condition {
            let retained = join::retain(part.message.documents.take(), condition);
            part.message.documents =
                retained.map_err(|source| join::malformed(part.origin, source, &self.core.graph))?;
        }
        Ok(())
    }

    /// Makes a message that goes to the executor of a node.
    fn prepared(&mut self, index: usize, mut message: Message) -> Result<Message, Error> {
        self.asked.restore_header(&mut message);
        message.parameters = self.asked.parameters_for(self.name(index).as_str())?;
        message.trailers.0.clear();
        self.slots[index].sent = message.parameters.clone();
        Ok(message)
    }

    /// An executor answered.
    fn answered(&mut self, index: usize, answer: Answer) -> Result<(), Error> {
        let executor = self.name(index);
        let Answer::One { mut message, failed } = answer else {
            return Err(Error::Kind { executor: executor.clone(), asked: "one message" });
        };
        let slot = &mut self.slots[index];
        slot.end = Some(Timestamp::now());
        let sent = std::mem::take(&mut slot.sent);
        slot.results = parameters::results(&message.parameters, &sent)
            .map_err(|source| Error::Answer { executor: executor.clone(), source })?;
        message.parameters = self.asked.parameters.clone();
        if failed {
            if !message.is_error() {
                // A head whose shards failed in part says so beside a status of success.
                let description = format!("executor `{executor}` failed in part").into();
                let status = Status { is_error: true, description, exception: None };
                message.header.status = Some(Box::new(status));
            }
            slot.status.clone_from(&message.header.status);
            if self.island.is_some() {
                tracing::warn!(%executor, "a floating executor failed");
            }
        }
        self.settle(index, Output { message, origin: index, failed });
        Ok(())
    }

    /// A call, or what it needs, went wrong: this ends the request, but on an island only what depends on it.
    fn fail(&mut self, index: usize, error: call::Error) -> Result<(), call::Error> {
        if self.island.is_none() {
            return Err(error);
        }
        tracing::warn!(executor = %self.name(index), %error, "a floating call went wrong");
        self.settle(index, Output { message: Message::default(), origin: index, failed: true });
        Ok(())
    }

    /// Keeps the output of a node for those who take it.
    fn settle(&mut self, index: usize, output: Output) {
        let node = self.node(index);
        let slot = &mut self.slots[index];
        slot.output = Some(output).filter(|_| slot.uses > 0);
        for &next in node.successors.iter().rev() {
            if self.node(next).island == self.island {
                self.slots[next].missing -= 1;
                if self.slots[next].missing == 0 {
                    self.ready.push(next);
                }
            }
        }
        if self.island.is_none() {
            for &island in &node.feeds {
                self.missing_inputs[island] -= 1;
                if self.missing_inputs[island] == 0 {
                    self.launch(island);
                }
            }
        }
    }

    /// Takes the output of a node that has settled; the last one who takes it gets it without a copy.
    fn take(&mut self, index: usize) -> Output {
        let slot = &mut self.slots[index];
        slot.uses -= 1;
        let output = if slot.uses == 0 { slot.output.take() } else { slot.output.clone() };
        output.expect("an output stays until the last one who needs it has taken it")
    }

    /// Lets an island run whose inputs are all there.
    fn launch(&mut self, index: usize) {
        let island = &self.core.graph.islands()[index];
        let inputs: Vec<_> = island.inputs.iter().map(|input| (*input, self.take(*input))).collect();
        let failed = |part: &usize| inputs.iter().any(|(input, output)| input == part && output.failed);
        let mut any_can_run = false;
        for &entry in &island.entries {
            if !self.node(entry).parts.iter().any(failed) {
                self.slots[entry].start = Some(Timestamp::now());
                any_can_run = true;
            }
        }
        if let Some(place) = self.places.pop().filter(|_| any_can_run) {
            let mut asked = self.asked.clone();
            asked.context.deadline = self.core.tasks.deadline();
            let label = island.entries.first().map(|entry| self.node(*entry).label.clone());
            let run = float(self.core.clone(), asked, index, inputs);
            self.core.tasks.spawn(place, label.unwrap_or_default(), run);
        }
    }
}
