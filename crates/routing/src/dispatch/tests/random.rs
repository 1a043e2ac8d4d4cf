//! Any graph: every node runs after what it needs and at most once, a failing node stops what depends on it,
//! an error or a client that goes away stops everything.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::support::{Act, Call, Post, Sandbox, in_time};

/// A graph whose edges lead from lower to higher numbers, and what each of its executors does.
#[derive(Debug, Clone)]
struct Case {
    /// For each node, those it needs; none means the gateway.
    needs: Vec<BTreeSet<usize>>,
    waits: Vec<u64>,
    fails: BTreeSet<usize>,
    /// Nodes that lead to the answer beside the last one.
    leads_out: Vec<bool>,
}

fn any_case() -> impl Strategy<Value = Case> {
    (2..9_usize).prop_flat_map(|n| {
        let needs: Vec<_> =
            (0..n).map(|node| prop::collection::btree_set(0..node.max(1), 0..=node.min(3))).collect();
        let fails = prop::collection::btree_set(0..n, 0..2);
        (
            needs,
            prop::collection::vec(0..50_u64, n),
            fails,
            prop::collection::vec(prop::bool::weighted(0.1), n),
        )
            .prop_map(|(needs, waits, fails, leads_out)| {
                let needs = needs.into_iter().enumerate();
                let needs =
                    needs.map(|(node, needs)| needs.into_iter().filter(|need| *need < node).collect());
                Case { needs: needs.collect(), waits, fails, leads_out }
            })
    })
}

impl Case {
    fn graph(&self) -> String {
        let mut lists: BTreeMap<Option<usize>, String> =
            (0..self.needs.len()).map(|node| (Some(node), String::new())).collect();
        for (node, needs) in self.needs.iter().enumerate() {
            let sources: Vec<_> =
                if needs.is_empty() { vec![None] } else { needs.iter().copied().map(Some).collect() };
            for source in sources {
                *lists.entry(source).or_default() += &format!(" x{node}");
            }
        }
        let last = self.needs.len() - 1;
        let mut text = String::new();
        for (node, mut list) in lists {
            let Some(node) = node else {
                text += &format!("start:{list};");
                continue;
            };
            if node == last || self.leads_out[node] {
                list += " end";
            }
            text += &format!("x{node}:{list};");
        }
        text
    }

    fn sandbox(&self, extra: Option<(usize, Act)>) -> Sandbox {
        let mut sandbox = Sandbox::new(&self.graph());
        for (node, wait) in self.waits.iter().enumerate() {
            sandbox = sandbox.act(&format!("x{node}"), Act::Wait(Duration::from_millis(*wait)));
        }
        for node in &self.fails {
            sandbox = sandbox.act(&format!("x{node}"), Act::Fail);
        }
        match extra {
            Some((node, act)) => sandbox.act(&format!("x{node}"), act),
            None => sandbox,
        }
    }

    /// The nodes that nothing fails before.
    fn runnable(&self) -> BTreeSet<usize> {
        let mut runnable = BTreeSet::new();
        for (node, needs) in self.needs.iter().enumerate() {
            if needs.iter().all(|need| runnable.contains(need) && !self.fails.contains(need)) {
                runnable.insert(node);
            }
        }
        runnable
    }
}

fn place(calls: &[Call], node: usize) -> Option<usize> {
    calls.iter().position(|call| call.node == format!("x{node}"))
}

proptest! {
    #[test]
    fn every_node_runs_once_and_after_what_it_needs(case in any_case()) {
        let sandbox = case.sandbox(None);
        let answer = in_time(async {
            let answer = sandbox.post(Post { docs: "1 2", ..Post::default() }).await;
            sandbox.tracker.close();
            sandbox.tracker.wait().await;
            answer
        });
        let answer = answer.unwrap();
        let calls = sandbox.log.all();
        let called: Vec<usize> = calls.iter().map(|call| call.node[1..].parse().unwrap()).collect();
        let once: BTreeSet<usize> = called.iter().copied().collect();
        prop_assert_eq!(once.len(), called.len(), "at most once");
        prop_assert_eq!(&once, &case.runnable(), "all that can run, and nothing behind a failure");
        for (node, needs) in case.needs.iter().enumerate() {
            let Some(at) = place(&calls, node) else { continue };
            for need in needs {
                prop_assert!(place(&calls, *need).unwrap() < at, "x{} after x{}", node, need);
                let flag = format!("x{need}");
                prop_assert!(calls[at].docs.contains(&flag), "x{} has what x{} did", node, need);
            }
        }
        let routes: BTreeSet<_> = answer.routes.added.iter().map(|route| route.executor.to_string()).collect();
        prop_assert_eq!(routes.len(), answer.routes.added.len(), "each route once");
    }

    #[test]
    fn an_unreachable_executor_stops_everything(case in any_case(), at in any::<prop::sample::Index>()) {
        let case = Case { fails: BTreeSet::new(), ..case };
        let down = at.index(case.needs.len());
        let sandbox = case.sandbox(Some((down, Act::Down)));
        in_time(async {
            let dispatch = sandbox.dispatch();
            let floating = dispatch.core.graph.is_floating(dispatch.core.graph.index(&format!("x{down}")).unwrap());
            let result = sandbox.post(Post { docs: "1", ..Post::default() }).await;
            assert_eq!(result.is_err(), !floating, "only what somebody waits for fails the request");
            let begun = sandbox.log.all().len();
            if !floating {
                // Without floating executors nothing goes on.
                let before: Vec<_> = sandbox.log.all().iter().map(|call| call.finished).collect();
                if sandbox.tracker.is_empty() {
                    tokio::time::sleep(Duration::from_secs(10)).await;
                    let after: Vec<_> = sandbox.log.all().iter().map(|call| call.finished).collect();
                    assert_eq!((begun, before), (after.len(), after));
                }
            }
        });
    }

    #[test]
    fn a_client_that_goes_away_stops_everything(case in any_case(), after in 0..200_u64) {
        // Every node leads out, so nothing floats.
        let case = Case { leads_out: vec![true; case.needs.len()], ..case };
        let sandbox = case.sandbox(None);
        in_time(async {
            let post = sandbox.post(Post { docs: "1", ..Post::default() });
            let _gone = tokio::time::timeout(Duration::from_millis(after), post).await;
            let finished = || sandbox.log.all().iter().map(|call| call.finished).collect::<Vec<_>>();
            let before = finished();
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(before, finished());
        });
    }
}
