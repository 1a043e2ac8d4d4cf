//! From a graph without faults to the layout that requests run on.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bytestring::ByteString;

use super::check::{Checked, Successor};
use super::{Graph, Island, Node};

/// The gateway's name in routes.
const GATEWAY: &str = "gateway";

pub(super) fn compile(checked: Checked) -> Graph {
    let (order, answer) = depth_first(&checked);
    let gateway = order.len();
    let mut place = vec![0; gateway];
    for (index, node) in order.iter().enumerate() {
        place[*node] = index;
    }
    let Checked { names, successors, origins, mut conditions, reduces } = checked;
    let names: Vec<_> = order.iter().map(|node| names[*node].clone()).collect();
    let executors = order.iter().zip(&names).map(|(&node, name)| Node {
        successors: nodes_of(&successors[node]).map(|node| place[node]).collect(),
        delivers: successors[node].contains(&Successor::End),
        condition: conditions[node].take(),
        reduces: reduces[node],
        ..Node::new(ByteString::from(name.as_str()))
    });
    let mut nodes: Vec<_> = executors.collect();
    let islands = find_islands(&mut nodes);
    nodes.push(Node {
        successors: origins.iter().map(|node| place[*node]).collect(),
        ..Node::new(ByteString::from_static(GATEWAY))
    });
    let mut graph = Graph {
        by_name: names.iter().cloned().zip(0..).collect(),
        has_conditions: nodes.iter().any(|node| node.condition.is_some()),
        answer: answer.map_or(gateway, |node| place[node]),
        names,
        nodes,
        islands,
    };
    set_parts(&mut graph);
    set_feeds(&mut graph);
    graph
}

impl Node {
    const fn new(label: ByteString) -> Self {
        Self {
            label,
            parts: Vec::new(),
            successors: Vec::new(),
            delivers: false,
            condition: None,
            reduces: true,
            island: None,
            feeds: Vec::new(),
            uses: 0,
            stage: 0,
            rank: 0,
        }
    }
}

/// The executors in depth-first order, and the first of them whose output leaves the graph.
fn depth_first(checked: &Checked) -> (Vec<usize>, Option<usize>) {
    let mut order = Vec::new();
    let mut answer = None;
    let mut seen = vec![false; checked.names.len()];
    // What comes next is on top, with the executor that it follows.
    let mut next: Vec<_> =
        checked.origins.iter().rev().map(|origin| (None, Successor::Node(*origin))).collect();
    while let Some((from, successor)) = next.pop() {
        match successor {
            Successor::End => answer = answer.or(from),
            Successor::Node(node) => {
                if !std::mem::replace(&mut seen[node], true) {
                    order.push(node);
                    next.extend(checked.successors[node].iter().rev().map(|next| (Some(node), *next)));
                }
            }
        }
    }
    (order, answer)
}

fn nodes_of(successors: &[Successor]) -> impl Iterator<Item = usize> {
    successors.iter().filter_map(|successor| match successor {
        Successor::Node(node) => Some(*node),
        Successor::End => None,
    })
}

/// Finds the executors that do not contribute to the answer, and which of them depend on each other.
fn find_islands(executors: &mut [Node]) -> Vec<Island> {
    let mut neighbours = vec![Vec::new(); executors.len()];
    for (from, node) in executors.iter().enumerate() {
        for &to in &node.successors {
            neighbours[to].push(from);
        }
    }
    let mut awaited: Vec<bool> = executors.iter().map(|node| node.delivers).collect();
    let mut next: Vec<usize> = (0..executors.len()).filter(|node| awaited[*node]).collect();
    while let Some(node) = next.pop() {
        for &before in &neighbours[node] {
            if !std::mem::replace(&mut awaited[before], true) {
                next.push(before);
            }
        }
    }
    for (neighbours, node) in neighbours.iter_mut().zip(executors.iter()) {
        neighbours.extend(&node.successors);
    }
    let mut n_islands = 0;
    for start in 0..executors.len() {
        if awaited[start] || executors[start].island.is_some() {
            continue;
        }
        let mut next = vec![start];
        while let Some(node) = next.pop() {
            if !awaited[node] && executors[node].island.replace(n_islands).is_none() {
                next.extend(&neighbours[node]);
            }
        }
        n_islands += 1;
    }
    vec![Island { inputs: Vec::new(), entries: Vec::new() }; n_islands]
}

/// Orders the parts of each executor: an executor follows all it needs, and of those that could come next the
/// first in depth-first order comes first. So the order is that of the graph, not of who happens to be fast.
fn set_parts(graph: &mut Graph) {
    let gateway = graph.gateway();
    let mut missing = vec![0_usize; gateway];
    for &to in graph.nodes.iter().flat_map(|node| &node.successors) {
        missing[to] += 1;
    }
    let mut ready = BinaryHeap::from([Reverse(gateway)]);
    let mut rank = 0;
    while let Some(Reverse(from)) = ready.pop() {
        graph.nodes[from].rank = rank;
        rank += 1;
        let stage = if from == gateway { 0 } else { graph.nodes[from].stage + 1 };
        for to in graph.nodes[from].successors.clone() {
            let node = &mut graph.nodes[to];
            node.parts.push(from);
            node.stage = node.stage.max(stage);
            missing[to] -= 1;
            if missing[to] == 0 {
                ready.push(Reverse(to));
            }
        }
    }
}

/// Connects islands with what they take documents from, and counts who takes each output.
fn set_feeds(graph: &mut Graph) {
    for index in 0..graph.gateway() {
        let Some(island) = graph.nodes[index].island else { continue };
        let mut is_entry = true;
        for part in graph.nodes[index].parts.clone() {
            if graph.nodes[part].island.is_some() {
                is_entry = false;
            } else if !graph.islands[island].inputs.contains(&part) {
                graph.islands[island].inputs.push(part);
                graph.nodes[part].feeds.push(island);
            }
        }
        if is_entry {
            graph.islands[island].entries.push(index);
        }
    }
    for index in 0..graph.nodes.len() {
        let node = &graph.nodes[index];
        let together = node.successors.iter().filter(|to| graph.nodes[**to].island == node.island).count();
        graph.nodes[index].uses = together + node.feeds.len() + usize::from(index == graph.answer);
    }
}
