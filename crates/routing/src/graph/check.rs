//! Reading a graph and finding everything that is wrong with it.

use call::ExecutorName;
use docarray::Filter;
use indexmap::{IndexMap, IndexSet};

use crate::spec::{END, START};
use crate::{GraphSpec, Problem};

/// A graph without faults. Executors are numbered as they occur in the description.
pub(super) struct Checked {
    pub(super) names: Vec<ExecutorName>,
    pub(super) successors: Vec<Vec<Successor>>,
    pub(super) origins: Vec<usize>,
    pub(super) conditions: Vec<Option<Filter>>,
    pub(super) reduces: Vec<bool>,
}

/// What follows an executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Successor {
    Node(usize),
    End,
}

pub(super) fn check(spec: &GraphSpec) -> Result<Checked, Vec<Problem>> {
    let mut problems = Vec::new();
    let names = names(spec);
    let mut checked_names = Vec::new();
    for name in &names {
        match ExecutorName::try_from(*name) {
            Ok(name) => checked_names.push(name),
            Err(invalid) => problems.push(invalid.into()),
        }
    }
    let edges = edges(spec, &names, &mut problems);
    find_cycles(&names, &edges.successors, &mut problems);
    find_unreachable(&names, &edges, &mut problems);
    let conditions = conditions(spec, &names, &mut problems);
    let mut reduces = vec![true; names.len()];
    for node in &spec.no_reduce {
        match names.get_index_of(node.as_str()) {
            Some(index) => reduces[index] = false,
            None => problems.push(Problem::NoReduceOfNobody { node: node.clone() }),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let Edges { successors, origins } = edges;
    Ok(Checked { names: checked_names, successors, origins, conditions, reduces })
}

struct Edges {
    successors: Vec<Vec<Successor>>,
    origins: Vec<usize>,
}

/// All executors, each once.
fn names(spec: &GraphSpec) -> IndexSet<&str> {
    let keys_and_successors =
        spec.description.iter().flat_map(|(key, list)| std::iter::once(key).chain(list));
    keys_and_successors.map(String::as_str).filter(|name| *name != START && *name != END).collect()
}

fn edges(spec: &GraphSpec, names: &IndexSet<&str>, problems: &mut Vec<Problem>) -> Edges {
    let mut edges = Edges { successors: vec![Vec::new(); names.len()], origins: Vec::new() };
    for (node, list) in &spec.description {
        let mut times: IndexMap<&str, usize> = IndexMap::new();
        for successor in list {
            *times.entry(successor).or_default() += 1;
        }
        for (successor, times) in times {
            if times > 1 {
                let (node, successor) = (node.clone(), successor.to_owned());
                problems.push(Problem::Repeated { node, successor, times });
            }
            if successor == START {
                problems.push(Problem::LeadsToStart { node: node.clone() });
                continue;
            }
            let to = names.get_index_of(successor).map_or(Successor::End, Successor::Node);
            match (node.as_str(), to) {
                (END, _) => problems.push(Problem::FollowsEnd { successor: successor.to_owned() }),
                (START, Successor::Node(to)) => edges.origins.push(to),
                // The way past all executors says nothing: without another one the request is its own answer.
                (START, Successor::End) => {}
                _ => {
                    if let Some(from) = names.get_index_of(node.as_str()) {
                        edges.successors[from].push(to);
                    }
                }
            }
        }
    }
    edges
}

/// Walks depth-first and reports each edge that leads back to where the walk came from.
fn find_cycles(names: &IndexSet<&str>, successors: &[Vec<Successor>], problems: &mut Vec<Problem>) {
    let mut seen = vec![false; names.len()];
    let mut on_way = vec![false; names.len()];
    for root in 0..names.len() {
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        // The way here: each node with the number of its successors that are done.
        let mut way: Vec<(usize, usize)> = vec![(root, 0)];
        on_way[root] = true;
        while let Some((node, done)) = way.last_mut() {
            let Some(successor) = successors[*node].get(*done) else {
                on_way[*node] = false;
                way.pop();
                continue;
            };
            *done += 1;
            let Successor::Node(next) = *successor else { continue };
            if on_way[next] {
                let cycle = way.iter().map(|(node, _)| *node).skip_while(|node| *node != next);
                let path = cycle.chain([next]).map(|node| names[node].to_owned()).collect();
                problems.push(Problem::Cycle { path });
            } else if !std::mem::replace(&mut seen[next], true) {
                way.push((next, 0));
                on_way[next] = true;
            }
        }
    }
}

fn find_unreachable(names: &IndexSet<&str>, edges: &Edges, problems: &mut Vec<Problem>) {
    let mut reached = vec![false; names.len()];
    let mut next = edges.origins.clone();
    while let Some(node) = next.pop() {
        if !std::mem::replace(&mut reached[node], true) {
            next.extend(edges.successors[node].iter().filter_map(|successor| match successor {
                Successor::Node(node) => Some(*node),
                Successor::End => None,
            }));
        }
    }
    let unreachable = names.iter().zip(reached).filter(|(_, reached)| !reached);
    problems.extend(unreachable.map(|(name, _)| Problem::Unreachable { node: (*name).to_owned() }));
}

fn conditions(spec: &GraphSpec, names: &IndexSet<&str>, problems: &mut Vec<Problem>) -> Vec<Option<Filter>> {
    let mut conditions = vec![None; names.len()];
    for (node, query) in &spec.conditions {
        let index = names.get_index_of(node.as_str());
        if index.is_none() {
            problems.push(Problem::ConditionForNobody { node: node.clone() });
        }
        match Filter::parse(query) {
            Ok(filter) => {
                if let Some(index) = index {
                    conditions[index] = Some(filter);
                }
            }
            Err(errors) => problems
                .extend(errors.into_iter().map(|query| Problem::Condition { node: node.clone(), query })),
        }
    }
    conditions
}
