//! What cargo knows of the packages and their dependencies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Context as _;

use crate::{shell, workspace};

/// Which package uses which.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    /// The packages of the workspace, and which of them each depends on, tests left out.
    pub(super) members: BTreeMap<String, BTreeSet<String>>,
    /// Everything that each package of the workspace is built with, however indirectly, tests left out.
    pub(super) reaches: BTreeMap<String, BTreeSet<String>>,
}

#[derive(serde::Deserialize)]
struct Answer {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(serde::Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(serde::Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(serde::Deserialize)]
struct Node {
    id: String,
    deps: Vec<Dependency>,
}

#[derive(serde::Deserialize)]
struct Dependency {
    pkg: String,
    dep_kinds: Vec<Kind>,
}

#[derive(serde::Deserialize)]
struct Kind {
    /// `None` for those that are linked, `dev` for tests, `build` for build scripts.
    kind: Option<String>,
}

impl Metadata {
    pub(super) fn read() -> anyhow::Result<Self> {
        let answer =
            shell::output(workspace::cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
        let answer: Answer = serde_json::from_str(&answer).context("`cargo metadata` answered strangely")?;
        Ok(Self::of(&answer))
    }

    fn of(answer: &Answer) -> Self {
        let names: HashMap<&str, &str> =
            answer.packages.iter().map(|package| (&*package.id, &*package.name)).collect();
        let linked: HashMap<&str, Vec<&str>> = answer
            .resolve
            .nodes
            .iter()
            .map(|node| {
                let linked = node.deps.iter().filter(|dependency| dependency.is_linked());
                (&*node.id, linked.map(|dependency| &*dependency.pkg).collect())
            })
            .collect();
        let members: BTreeSet<&str> = answer.workspace_members.iter().map(String::as_str).collect();
        let mut metadata = Self::default();
        for member in &members {
            let name = names[member].to_owned();
            let direct = linked[member].iter().filter(|id| members.contains(*id));
            metadata.members.insert(name.clone(), direct.map(|id| names[id].to_owned()).collect());
            let reached = reached(member, &linked).into_iter().map(|id| names[id].to_owned());
            metadata.reaches.insert(name, reached.collect());
        }
        metadata
    }
}

impl Dependency {
    fn is_linked(&self) -> bool {
        self.dep_kinds.iter().any(|kind| kind.kind.is_none())
    }
}

fn reached<'a>(from: &'a str, linked: &HashMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(id) = open.pop() {
        for next in &linked[id] {
            if reached.insert(*next) {
                open.push(next);
            }
        }
    }
    reached
}
