//! The executor that makes one ranking of two.

use std::collections::HashMap;

use docarray::DocList;
use executor_runtime::{executor, requests};

use crate::documents::{Candidates, Kept, Match, Neighbour, Ranked};
use crate::fuse::{Fused, fuse};

/// Joins what was found by words and by meaning into one ranking.
#[derive(Debug, Default)]
pub struct Ranker;

/// What a search may say beside its queries (`parameters`).
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    /// How many passages are answered for each query at most.
    limit: usize,
    /// How many passages of each ranking are left out.
    offset: usize,
}

impl Default for Parameters {
    fn default() -> Self {
        Self { limit: 10, offset: 0 }
    }
}

#[executor]
impl Ranker {
    #[requests(on = "/search")]
    fn search(&self, docs: DocList<Candidates>, parameters: Parameters) -> DocList<Ranked> {
        docs.into_iter().map(|candidates| rank(candidates, parameters)).collect()
    }

    /// What both indexes say of a document is one document already.
    #[requests(on = ["/index", "/delete"])]
    fn kept(&self, docs: DocList<Kept>) -> DocList<Kept> {
        docs
    }
}

fn rank(candidates: Candidates, parameters: Parameters) -> Ranked {
    let Candidates { id, text, total, matches, neighbours } = candidates;
    let by_words: Vec<_> = matches.iter().map(|found| &*found.id).collect();
    let by_meaning: Vec<_> = neighbours.iter().map(|found| &*found.id).collect();
    let first = parameters.offset.saturating_add(1);
    let matches_by_id: HashMap<_, _> = matches.iter().map(|found| (&*found.id, found)).collect();
    let neighbours_by_id: HashMap<_, _> = neighbours.iter().map(|found| (&*found.id, found)).collect();
    // Of two that are as good as each other, the nearer one in meaning comes first.
    let best = fuse([&by_meaning, &by_words], first).into_iter().take(parameters.limit);
    let ranked: Vec<_> = best
        .filter_map(|fused| {
            let near = neighbours_by_id.get(fused.key).copied();
            let found = match matches_by_id.get(fused.key) {
                Some(found) => with_words(found),
                None => by_meaning_alone(near?),
            };
            let [meaning_rank, word_rank] = fused.ranks.map(|rank| rank.map(|rank| rank as u64));
            let similarity = near.map(|near| near.similarity);
            let Fused { score, .. } = fused;
            Some(Match { score, word_rank, meaning_rank, similarity, ..found })
        })
        .collect();
    let shown = parameters.offset as u64 + ranked.len() as u64;
    Ranked { id, text, total: total.max(shown), matches: ranked }
}

fn with_words(found: &search::documents::Match) -> Match {
    let found = found.clone();
    Match {
        id: found.id,
        document: found.document,
        uri: found.uri,
        title: found.title,
        heading: found.heading,
        text: found.text,
        start: found.start,
        end: found.end,
        highlight: found.highlight,
        marks: found.marks,
        ..Match::default()
    }
}

/// None of its words is to be marked; its beginning is what is shown.
fn by_meaning_alone(near: &Neighbour) -> Match {
    let near = near.clone();
    Match {
        id: near.id,
        document: near.document,
        uri: near.uri,
        title: near.title,
        heading: near.heading,
        highlight: search::index::plain_excerpt(&near.text, EXCERPT_BYTES),
        text: near.text,
        start: near.start,
        end: near.end,
        ..Match::default()
    }
}

/// As much as the full-text index shows of a passage.
const EXCERPT_BYTES: usize = 240;

#[cfg(test)]
mod tests {
    use super::*;

    fn by_words(id: &str) -> search::documents::Match {
        search::documents::Match {
            id: id.into(),
            highlight: "<mark>x</mark>".to_owned(),
            score: 7.0,
            ..Default::default()
        }
    }

    fn near(id: &str) -> Neighbour {
        Neighbour { id: id.into(), similarity: 0.5, text: "a < b".to_owned(), ..Neighbour::default() }
    }

    #[test]
    fn passages_of_both_rankings_are_one() {
        let candidates = Candidates {
            total: 2,
            matches: vec![by_words("w"), by_words("both")],
            neighbours: vec![near("m"), near("both")],
            ..Candidates::default()
        };
        let ranked = rank(candidates, Parameters::default());
        assert_eq!(ranked.total, 3);
        let seen: Vec<_> = ranked
            .matches
            .iter()
            .map(|found| (&*found.id, found.word_rank, found.meaning_rank, found.similarity))
            .collect();
        let want = [
            ("both", Some(2), Some(2), Some(0.5)),
            ("m", None, Some(1), Some(0.5)),
            ("w", Some(1), None, None),
        ];
        assert_eq!(seen, want);
        assert_eq!(ranked.matches[2].highlight, "<mark>x</mark>");
        assert_eq!(ranked.matches[1].highlight, "a &lt; b");
    }

    #[test]
    fn no_more_are_answered_than_asked_for() {
        let neighbours = (0..9).map(|n| near(&format!("p{n}"))).collect();
        let candidates = Candidates { neighbours, ..Candidates::default() };
        let ranked = rank(candidates, Parameters { limit: 4, offset: 4 });
        assert_eq!((ranked.matches.len(), ranked.total), (4, 8));
        assert_eq!(ranked.matches[0].meaning_rank, Some(5));
    }
}
