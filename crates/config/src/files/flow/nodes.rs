//! How a Flow connects its nodes.

use std::collections::{BTreeSet, HashSet};

use indexmap::IndexMap;

use crate::DeploymentRole;
use crate::nearest::nearest;

/// The entry of the graph.
const GATEWAY: &str = "gateway";

/// A node of the graph.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// What it waits for; `gateway` is the entry.
    pub(super) needs: BTreeSet<String>,
    pub(super) floating: bool,
    pub(super) role: DeploymentRole,
}

impl Default for Node {
    fn default() -> Self {
        Self { needs: BTreeSet::new(), floating: false, role: DeploymentRole::Executor }
    }
}

impl Node {
    fn is_inspect(&self) -> bool {
        self.role == DeploymentRole::Inspect
    }
}

/// The nodes in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Nodes {
    nodes: IndexMap<String, Node>,
    /// The last one that is not floating.
    last: Option<String>,
    /// Inspected node → the one that takes its place before later nodes.
    inspected: IndexMap<String, String>,
    collected: bool,
}

impl Nodes {
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.nodes.get(name)
    }

    /// Adds what a method adds; returns the names of the new nodes, or what is wrong.
    pub(super) fn add_by_method(
        &mut self,
        method: &str,
        name: Option<&str>,
        needs: Option<Vec<String>>,
        floating: bool,
    ) -> Result<Vec<String>, String> {
        match method {
            "needs" => {
                let needs = needs.unwrap_or_default();
                if needs.len() < 2 {
                    return Err(format!("`method: needs` joins at least two nodes, found {}", needs.len()));
                }
                Ok(vec![self.add(
                    Some(name.unwrap_or("joiner")),
                    Some(needs),
                    floating,
                    DeploymentRole::Join,
                )?])
            }
            "needs_all" => {
                let needs = self.unneeded();
                let role = if needs.len() > 1 { DeploymentRole::Join } else { DeploymentRole::Executor };
                let needs = Some(needs).filter(|needs| !needs.is_empty());
                Ok(vec![self.add(Some(name.unwrap_or("joiner")), needs, floating, role)?])
            }
            "inspect" => {
                let name = name.unwrap_or("inspect");
                let inspected = self.last();
                let here = || Some(vec![inspected.clone()]);
                let node = self.add(Some(name), here(), false, DeploymentRole::Inspect)?;
                let beside = format!("_aux_{name}");
                let beside = self.add(Some(&beside), here(), false, DeploymentRole::InspectPass)?;
                self.inspected.insert(inspected.clone(), beside.clone());
                Ok(vec![node, beside])
            }
            "gather_inspect" => {
                let is_inspect = |(name, node): (&String, &Node)| node.is_inspect().then(|| name.clone());
                let mut needs: Vec<String> = self.nodes.iter().filter_map(is_inspect).collect();
                if needs.is_empty() {
                    return Ok(Vec::new());
                }
                needs.push(self.last());
                self.collected = true;
                let name = name.unwrap_or("gather_inspect");
                Ok(vec![self.add(Some(name), Some(needs), floating, DeploymentRole::InspectJoin)?])
            }
            _ => Ok(vec![self.add(name, needs, floating, DeploymentRole::Executor)?]),
        }
    }

    fn add(
        &mut self,
        name: Option<&str>,
        needs: Option<Vec<String>>,
        floating: bool,
        role: DeploymentRole,
    ) -> Result<String, String> {
        let name = match name.filter(|name| !name.is_empty()) {
            None => self.unused("executor"),
            Some(name) if self.nodes.contains_key(name) => self.unused(name),
            Some(name) => name.to_owned(),
        };
        if !is_identifier(&name) {
            return Err(format!(
                "`{name}` cannot name an executor of a Flow: expected letters, digits and `_`, no digit first"
            ));
        }
        if name == GATEWAY || name == "start-gateway" || name == "end-gateway" {
            return Err(format!("`{name}` is reserved"));
        }
        let needs = needs.unwrap_or_else(|| vec![self.last()]);
        if needs.contains(&name) {
            return Err(format!("`{name}` needs itself"));
        }
        let needs =
            needs.into_iter().map(|need| self.inspected.get(&need).cloned().unwrap_or(need)).collect();
        self.nodes.insert(name.clone(), Node { needs, floating, role });
        if !floating {
            self.last = Some(name.clone());
        }
        Ok(name)
    }

    /// A name with the number of nodes appended.
    fn unused(&self, name: &str) -> String {
        let numbered = (self.nodes.len()..).map(|number| format!("{name}{number}"));
        let mut free = numbered.filter(|name| !self.nodes.contains_key(name));
        free.next().unwrap_or_default()
    }

    fn last(&self) -> String {
        self.last.clone().unwrap_or_else(|| GATEWAY.to_owned())
    }

    pub(super) fn has_uncollected_inspects(&self) -> bool {
        !self.collected && self.nodes.values().any(Node::is_inspect)
    }

    /// Nodes that nobody waits for, floating ones excepted.
    fn unneeded(&self) -> Vec<String> {
        let needed: HashSet<&String> = self.nodes.values().flat_map(|node| &node.needs).collect();
        let unneeded = self.nodes.iter().filter(|(name, node)| !node.floating && !needed.contains(name));
        unneeded.map(|(name, _)| name.clone()).collect()
    }

    /// Needs that are no nodes, with the node that has them. A node may need one that is added later.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        let mut problems = Vec::new();
        for (name, node) in &self.nodes {
            for need in node.needs.iter().filter(|need| *need != GATEWAY && !self.nodes.contains_key(*need)) {
                let known = self.nodes.keys().map(String::as_str).filter(|known| known != name);
                let hint =
                    nearest(need, known).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                problems
                    .push((name.clone(), format!("`{name}` needs `{need}`, which is not in the Flow{hint}")));
            }
        }
        problems
    }

    /// Node → successors, in the order in which a Flow writes them.
    pub(super) fn description(&self) -> IndexMap<String, Vec<String>> {
        let mut description: IndexMap<String, Vec<String>> = IndexMap::new();
        for (name, node) in &self.nodes {
            description.entry(name.clone()).or_default();
            for need in &node.needs {
                let need = if need == GATEWAY { "start-gateway" } else { need };
                description.entry(need.to_owned()).or_default().push(name.clone());
            }
        }
        if let Some(last) = &self.last {
            description.entry(last.clone()).or_default().push("end-gateway".to_owned());
        }
        description
    }
}

fn is_identifier(name: &str) -> bool {
    let starts_well = name.chars().next().is_some_and(|c| c == '_' || c.is_alphabetic());
    starts_well && name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `method name needs,needs ~floating` for each node; compares the description as JSON, or the first mistake.
    #[track_caller]
    fn check(case: &str, adds: &[&str], want: Result<&str, &str>) {
        let mut nodes = Nodes::default();
        let mut result = Ok(());
        for add in adds {
            let mut words = add.split(' ');
            let method = words.next().unwrap();
            let (mut name, mut needs, mut floating) = (None, None, false);
            for word in words {
                match word {
                    "~" => floating = true,
                    _ if word.starts_with('<') => {
                        needs = Some(word[1..].split(',').map(str::to_owned).collect());
                    }
                    _ => name = Some(word),
                }
            }
            result = result.and_then(|()| nodes.add_by_method(method, name, needs, floating).map(|_| ()));
        }
        let checked = nodes.check().into_iter().next().map_or(Ok(()), |(_, message)| Err(message));
        let got = result.and(checked).map(|()| serde_json::to_string(&nodes.description()).unwrap());
        assert_eq!(got, want.map(str::to_owned).map_err(str::to_owned), "{case}");
    }

    #[test]
    fn nodes_are_connected_as_in_the_original() {
        check("nothing", &[], Ok("{}"));
        check(
            "a line",
            &["add x1", "add x2"],
            Ok(r#"{"x1":["x2"],"start-gateway":["x1"],"x2":["end-gateway"]}"#),
        );
        check(
            "branch and join",
            &["add p", "add a <p", "add b <p", "needs j <a,b"],
            Ok(r#"{"p":["a","b"],"start-gateway":["p"],"a":["j"],"b":["j"],"j":["end-gateway"]}"#),
        );
        check(
            "floating in the middle",
            &["add x1", "add fl ~", "add x2"],
            Ok(r#"{"x1":["fl","x2"],"start-gateway":["x1"],"fl":[],"x2":["end-gateway"]}"#),
        );
        check("floating only", &["add fl ~"], Ok(r#"{"fl":[],"start-gateway":["fl"]}"#));
        check(
            "hanging",
            &["add a", "add h <gateway", "add b <a"],
            Ok(r#"{"a":["b"],"start-gateway":["a","h"],"h":[],"b":["end-gateway"]}"#),
        );
        check(
            "exported example",
            &["add a", "add b <gateway", "add f <a ~", "needs join <a,b"],
            Ok(r#"{"a":["f","join"],"start-gateway":["a","b"],"b":["join"],"f":[],"join":["end-gateway"]}"#),
        );
        check(
            "needs_all",
            &["add a", "add b <gateway", "add f <gateway ~", "needs_all"],
            Ok(
                r#"{"a":["joiner"],"start-gateway":["a","b","f"],"b":["joiner"],"f":[],"joiner":["end-gateway"]}"#,
            ),
        );
        check(
            "inspect",
            &["add a", "inspect ins", "add b", "gather_inspect"],
            Ok(
                r#"{"a":["ins","_aux_ins"],"start-gateway":["a"],"ins":["gather_inspect"],"_aux_ins":["b"],"b":["gather_inspect"],"gather_inspect":["end-gateway"]}"#,
            ),
        );
        check(
            "needs a later node",
            &["add a <b", "add b <gateway"],
            Ok(r#"{"a":[],"b":["a","end-gateway"],"start-gateway":["b"]}"#),
        );
    }

    #[test]
    fn names_are_made_unique() {
        check(
            "automatic and repeated",
            &["add", "add", "add executor0", "add x", "add x"],
            Ok(
                r#"{"executor0":["executor1"],"start-gateway":["executor0"],"executor1":["executor02"],"executor02":["x"],"x":["x4"],"x4":["end-gateway"]}"#,
            ),
        );
    }

    #[test]
    fn mistakes_are_refused() {
        check(
            "unknown need",
            &["add a", "add b <aa"],
            Err("`b` needs `aa`, which is not in the Flow, did you mean `a`?"),
        );
        check("itself", &["add a <a"], Err("`a` needs itself"));
        check("one need", &["add a", "needs j <a"], Err("`method: needs` joins at least two nodes, found 1"));
        check(
            "name",
            &["add my-name"],
            Err(
                "`my-name` cannot name an executor of a Flow: expected letters, digits and `_`, no digit first",
            ),
        );
    }
}
