//! An index of vectors against looking at all of them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn passage(document: &str, n: usize) -> Passage {
    Passage {
        id: format!("{document}#{n}"),
        document: document.to_owned(),
        text: format!("passage {n}"),
        ..Passage::default()
    }
}

fn document(id: &str, vectors: &[[f32; 3]]) -> Document {
    let passages = vectors.iter().enumerate().map(|(n, vector)| (passage(id, n), vector.to_vec())).collect();
    Document { id: id.to_owned(), passages }
}

fn ids(found: &[Near]) -> Vec<&str> {
    found.iter().map(|(passage, _)| passage.id.as_str()).collect()
}

const X: [f32; 3] = [1.0, 0.0, 0.0];
const Y: [f32; 3] = [0.0, 1.0, 0.0];
const Z: [f32; 3] = [0.0, 0.0, 1.0];

#[test]
fn passages_are_found_by_their_angle_replaced_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = Vectors::open(folder.path(), 100).unwrap();
    assert!(vectors.is_empty() && vectors.search(&X, 0, 5).unwrap().is_empty());
    vectors.replace(vec![document("a", &[X, [3.0, 3.0, 0.0]]), document("b", &[Z])]).unwrap();
    let found = vectors.search(&[7.0, 0.1, 0.0], 0, 5).unwrap();
    assert_eq!(ids(&found), ["a#0", "a#1", "b#0"]);
    assert!((found[1].1 - f64::sqrt(0.5)).abs() < 0.02, "{}", found[1].1);
    assert_eq!(found[0].0, passage("a", 0));
    assert_eq!(ids(&vectors.search(&X, 1, 1).unwrap()), ["a#1"]);

    vectors
        .replace(vec![document("a", &[Y]), document("c", &[]), document("b", &[Y]), document("b", &[X])])
        .unwrap();
    assert_eq!(ids(&vectors.search(&X, 0, 5).unwrap()), ["b#0", "a#0"]);
    assert_eq!(vectors.delete(&["a".to_owned(), "gone".to_owned(), "c".to_owned()]).unwrap(), [1, 0, 0]);
    assert_eq!(ids(&vectors.search(&X, 0, 5).unwrap()), ["b#0"]);
}

#[test]
fn what_was_kept_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = Vectors::open(folder.path(), 100).unwrap();
    vectors.replace(vec![document("a", &[X]), document("b", &[Y]), document("c", &[Z])]).unwrap();
    vectors.delete(&["b".to_owned()]).unwrap();
    let in_use = Vectors::open(folder.path(), 100).unwrap_err();
    assert!(matches!(in_use, Error::InUse { .. }), "{in_use}");
    drop(vectors);
    let vectors = Vectors::open(folder.path(), 100).unwrap();
    assert_eq!(vectors.len(), 2);
    assert_eq!(ids(&vectors.search(&Z, 0, 5).unwrap()), ["c#0", "a#0"]);
    vectors.replace(vec![document("b", &[Z])]).unwrap();
    assert_eq!(vectors.len(), 3, "keys are not used twice");
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = Vectors::open(folder.path(), 2).unwrap();
    vectors.replace(vec![document("a", &[X])]).unwrap();
    let refused = |documents| vectors.replace(documents).unwrap_err().to_string();
    let full = "the index holds at most 2 passages and would have 3; `max_passages` says so";
    assert_eq!(refused(vec![document("b", &[Y, Z])]), full);
    assert_eq!(refused(vec![document("b", &[[0.0; 3]])]), "the vector of b#0 is zero, or not finite");
    assert_eq!(refused(vec![document("b", &[[f32::NAN; 3]])]), "the vector of b#0 is zero, or not finite");
    let other = Document { id: "b".to_owned(), passages: vec![(passage("b", 0), vec![1.0, 2.0])] };
    let dimension = "vectors here have 3 numbers, this one has 2; one index is for one model";
    assert_eq!(refused(vec![document("a", &[Y]), other]), dimension);
    assert_eq!(vectors.search(&[1.0], 0, 1).unwrap_err().to_string(), dimension.replace("has 2", "has 1"));
    assert!(matches!(vectors.search(&X, 990, 11), Err(Error::Page { .. })));
    assert_eq!(ids(&vectors.search(&X, 0, 5).unwrap()), ["a#0"]);
    vectors.replace(vec![document("a", &[Y, Z])]).unwrap();
    assert_eq!(vectors.len(), 2, "what is replaced makes room");
}

/// Numbers that look drawn, the same in each run.
fn scattered(n: usize) -> Vec<[f32; 3]> {
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..n).map(|_| [next(), next(), next()]).collect()
}

#[test]
fn a_graph_of_removed_vectors_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = Vectors::open(folder.path(), 5000).unwrap();
    for round in 0..5 {
        let documents = scattered(2000).into_iter().enumerate().map(|(n, mut vector)| {
            vector[round % 3] += 0.1;
            document(&n.to_string(), &[vector])
        });
        vectors.replace(documents.collect()).unwrap();
        assert_eq!(vectors.len(), 2000);
        assert_eq!(vectors.search(&X, 0, 20).unwrap().len(), 20);
    }
}

#[test]
fn almost_all_of_the_nearest_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = Vectors::open(folder.path(), 5000).unwrap();
    let all = scattered(3000);
    let documents = all.iter().enumerate().map(|(n, vector)| document(&n.to_string(), &[*vector]));
    vectors.replace(documents.collect()).unwrap();
    let dead: Vec<_> = (0..3000).step_by(3).map(|n: usize| n.to_string()).collect();
    vectors.delete(&dead).unwrap();
    let mut hits = 0;
    for query in scattered(50) {
        let mut nearest: Vec<_> = all
            .iter()
            .enumerate()
            .filter(|(n, _)| n % 3 != 0)
            .map(|(n, vector)| (cosine(vector, &query), n))
            .collect();
        nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
        let want: Vec<_> = nearest.iter().take(10).map(|(_, n)| format!("{n}#0")).collect();
        let found = vectors.search(&query, 0, 10).unwrap();
        assert_eq!(found.len(), 10);
        hits += ids(&found).iter().filter(|id| want.iter().any(|want| want == *id)).count();
    }
    assert!(hits >= 490, "{hits} of 500");
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let length = |v: &[f32]| v.iter().map(|item| item * item).sum::<f32>().sqrt();
    a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>() / length(a) / length(b)
}

#[derive(Debug, Clone)]
enum Change {
    Replace(u8, Vec<[f32; 3]>),
    Delete(u8),
    Restart,
}

fn change() -> impl Strategy<Value = Change> {
    let vector = proptest::array::uniform3(-1.0_f32..1.0);
    let vector = vector.prop_filter("a direction", |vector| vector.iter().any(|item| item.abs() > 0.01));
    prop_oneof![
        4 => (0_u8..6, proptest::collection::vec(vector, 0..4)).prop_map(|(id, vectors)| Change::Replace(id, vectors)),
        2 => (0_u8..6).prop_map(Change::Delete),
        1 => Just(Change::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn after_any_changes_exactly_what_is_kept_is_found(changes in proptest::collection::vec(change(), 1..12)) {
        let folder = tempfile::tempdir().unwrap();
        let mut vectors = Some(Vectors::open(folder.path(), 100).unwrap());
        let mut kept: BTreeMap<u8, Vec<[f32; 3]>> = BTreeMap::new();
        for change in changes {
            let open = vectors.take().unwrap();
            let open = match change {
                Change::Replace(id, with) => {
                    open.replace(vec![document(&id.to_string(), &with)]).unwrap();
                    kept.insert(id, with);
                    open
                }
                Change::Delete(id) => {
                    let had = kept.remove(&id).map_or(0, |vectors| vectors.len() as u64);
                    prop_assert_eq!(open.delete(&[id.to_string()]).unwrap(), [had]);
                    open
                }
                Change::Restart => {
                    drop(open);
                    Vectors::open(folder.path(), 100).unwrap()
                }
            };
            let found = open.search(&X, 0, 100).unwrap();
            prop_assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
            let mut found: Vec<_> = ids(&found).into_iter().map(str::to_owned).collect();
            found.sort();
            let mut want: Vec<_> = kept
                .iter()
                .flat_map(|(id, vectors)| (0..vectors.len()).map(move |n| format!("{id}#{n}")))
                .collect();
            want.sort();
            prop_assert_eq!(found, want);
            vectors = Some(open);
        }
    }
}
