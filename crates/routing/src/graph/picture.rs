//! The graph as a picture, in text and in Mermaid.

use std::fmt::{self, Write as _};

use super::{Graph, Node};

/// The stages one after the other, what can run together joined by `+`, floating executors in parentheses.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stages = self.executors().map(|(_, node)| node.stage + 1).max().unwrap_or(0);
        for stage in 0..stages {
            if stage > 0 {
                f.write_str(" > ")?;
            }
            for (n, (_, node)) in self.executors().filter(|(_, node)| node.stage == stage).enumerate() {
                let plus = if n > 0 { "+" } else { "" };
                match node.island {
                    None => write!(f, "{plus}{}", node.label)?,
                    Some(_) => write!(f, "{plus}({})", node.label)?,
                }
            }
        }
        Ok(())
    }
}

impl Graph {
    /// The graph in Mermaid's language: entry, exit, one box for each executor, dashed if floating; arrows
    /// say under which condition documents pass.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut picture = String::from("flowchart LR\n    entry([gateway])\n    exit([gateway])\n");
        for (index, node) in self.executors() {
            let style = if node.island.is_some() { ":::floating" } else { "" };
            // Writing to a `String` does not fail.
            let _ok = writeln!(picture, "    n{index}[\"{}\"]{style}", escaped(&node.label));
        }
        for (from, node) in self.nodes.iter().enumerate() {
            let from = if from == self.gateway() { "entry".to_owned() } else { format!("n{from}") };
            for &to in &node.successors {
                let label = if self.nodes[to].condition.is_some() { "|when|" } else { "" };
                let arrow = if self.nodes[to].island.is_some() { "-.->" } else { "-->" };
                let _ok = writeln!(picture, "    {from} {arrow}{label} n{to}");
            }
            if node.delivers {
                let _ok = writeln!(picture, "    {from} --> exit");
            }
        }
        if self.answer == self.gateway() {
            picture.push_str("    entry --> exit\n");
        }
        if !self.islands.is_empty() {
            picture.push_str("    classDef floating stroke-dasharray: 5 5\n");
        }
        picture
    }

    fn executors(&self) -> impl Iterator<Item = (usize, &Node)> {
        self.nodes[..self.gateway()].iter().enumerate()
    }
}

/// Mermaid takes entities inside quotes.
fn escaped(name: &str) -> String {
    name.replace('#', "#35;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;")
}
