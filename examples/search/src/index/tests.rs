//! The index keeps what it was given, finds it, and survives.

use tempfile::TempDir;

use super::*;

/// An index, and where it is; the place goes when the first is dropped.
fn shelf() -> (TempDir, Index) {
    let place = tempfile::tempdir().unwrap();
    let index = open(place.path()).unwrap();
    (place, index)
}

fn open(place: &Path) -> Result<Index, Error> {
    Index::open(place, Settings { writer_heap: ByteSize::mib(16), ..Settings::default() })
}

fn document(id: &str, title: &str, texts: &[&str]) -> Document {
    let passages = texts.iter().enumerate().map(|(position, text)| Passage {
        id: format!("{id}#{position}"),
        heading: "Guide".to_owned(),
        text: (*text).to_owned(),
        start: 0,
        end: text.len() as u64,
    });
    Document {
        id: id.to_owned(),
        uri: Some(format!("file:///{id}")),
        title: Some(title.to_owned()),
        passages: passages.collect(),
    }
}

fn search(query: &str) -> Search {
    Search { query: query.to_owned(), ..Search::default() }
}

/// The ids of the passages that are found, best first.
#[track_caller]
fn ids(index: &Index, query: &str) -> Vec<String> {
    index.search(&search(query)).unwrap().hits.into_iter().map(|hit| hit.id).collect()
}

fn tales() -> Vec<Document> {
    vec![
        document(
            "fox",
            "The fox",
            &["The quick brown fox jumps over the lazy dog.", "It was indexed twice."],
        ),
        document("river", "River", &["A lazy river runs & <b>runs</b> through the town."]),
        document("code", "Code", &["Call `tokio::spawn(read_to_string)` and use café or cafe\u{301}s."]),
        document("tokyo", "東京", &["東京都は日本の首都です。"]),
    ]
}

#[test]
fn passages_are_found_with_all_that_belongs_to_them() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    let found = index.search(&search("running river")).unwrap();
    assert_eq!(found.total, 1);
    let hit = &found.hits[0];
    assert_eq!((hit.id.as_str(), hit.document.as_str(), hit.heading.as_str()), ("river#0", "river", "Guide"));
    assert_eq!((hit.title.as_deref(), hit.uri.as_deref()), (Some("River"), Some("file:///river")));
    assert_eq!((hit.start, hit.end), (0, hit.text.len() as u64));
    let marked: Vec<&str> = hit.marks.iter().map(|mark| &hit.text[mark.clone()]).collect();
    assert_eq!(marked, ["river", "runs", "runs"]);
    assert_eq!(
        hit.excerpt,
        "A lazy <mark>river</mark> <mark>runs</mark> &amp; &lt;b&gt;<mark>runs</mark>&lt;/b&gt; through the town."
    );
    assert!(hit.score > 0.0);
}

#[test]
fn the_query_language_is_understood() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    for (query, want) in [
        ("lazy", &["river#0", "fox#0"][..]),
        ("lazy AND dog", &["fox#0"]),
        ("lazy -dog", &["river#0"]),
        ("\"brown fox\"", &["fox#0"]),
        ("\"fox brown\"", &[]),
        ("\"brown jumps\"~1", &["fox#0"]),
        ("\"quick bro\"*", &["fox#0"]),
        ("title:river", &["river#0"]),
        ("text:title", &[]),
        ("document:code", &["code#0"]),
        ("uri:\"file:///code\"", &["code#0"]),
        ("INDEXING", &["fox#1"]),
        ("CAFE", &["code#0"]),
        ("cafés", &["code#0"]),
        ("\"read_to_string\"", &["code#0"]),
        ("首都", &["tokyo#0"]),
        ("都首", &[]),
        ("東京", &["tokyo#0"]),
        ("", &[]),
        (" \t ", &[]),
        ("--- ?!", &[]),
        ("nothing", &[]),
    ] {
        let mut got = ids(&index, query);
        if query == "lazy" {
            got.sort_by_key(|id| *id == "fox#0");
        }
        assert_eq!(got, want, "{query}");
    }
}

#[test]
fn a_wrong_query_says_what_is_wrong() {
    let (_place, index) = shelf();
    for (query, want) in [
        (
            "tokio::spawn",
            "the query `tokio::spawn` is not understood: there is no field `tokio`, only `title`, `heading`, `text`, \
             `document` and `uri`; to search for the text, put it in double quotes",
        ),
        ("-dog", "the query `-dog` is not understood: it only says what not to find"),
    ] {
        assert_eq!(index.search(&search(query)).unwrap_err().to_string(), want);
    }
    let error = index.search(&search("\"open")).unwrap_err().to_string();
    assert!(
        error.starts_with("the query `\"open` is not understood: ") && error.contains("position"),
        "{error}"
    );
}

#[test]
fn words_are_taken_as_they_are() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    let words = |query: &str, operator| {
        let search = Search { syntax: Syntax::Words, operator, ..search(query) };
        index.search(&search).unwrap().hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    assert_eq!(words("tokio::spawn", Operator::Or), ["code#0"]);
    assert_eq!(words("-dog (\"tokio\\", Operator::Or).len(), 2);
    assert_eq!(words("lazy AND dog", Operator::And), Vec::<String>::new(), "`and` is a word, too");
    assert_eq!(words("lazy -- dog", Operator::And), ["fox#0"]);
    assert_eq!(words("*", Operator::And), Vec::<String>::new());
}

#[test]
fn no_query_is_too_odd() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    let odd = [
        "(".repeat(2000),
        format!("{}a{}", "(".repeat(32), ")".repeat(32)),
        "\\".repeat(100),
        "a:b:c:d".to_owned(),
        "title:[a TO".to_owned(),
        "text:[a TO z]".to_owned(),
        "text: IN [a b]".to_owned(),
        "*".to_owned(),
        "text:*".to_owned(),
        "a^0.5 OR b^-1".to_owned(),
        "/re.*/".to_owned(),
        "\0\u{feff}\u{202e}".to_owned(),
        "NOT".to_owned(),
        "AND OR".to_owned(),
        "+-+-".to_owned(),
        "x ".repeat(1024),
        "漢".repeat(600),
    ];
    for query in odd {
        for (syntax, operator) in [(Syntax::Query, Operator::Or), (Syntax::Words, Operator::And)] {
            match index.search(&Search { syntax, operator, ..search(&query) }) {
                Ok(_) | Err(Error::Query { .. } | Error::LongQuery { .. }) => {}
                Err(error) => panic!("{query}: {error:?}"),
            }
        }
    }
    let long = index.search(&search(&"x".repeat(2049))).unwrap_err();
    assert_eq!(long.to_string(), "a query may have 2048 bytes and 32 brackets in each other at most");
}

#[test]
fn results_come_in_pages() {
    let (_place, index) = shelf();
    let documents: Vec<_> =
        (0..25).map(|n| document(&format!("d{n}"), "D", &[&"lazy ".repeat(n + 1)])).collect();
    index.replace(&documents).unwrap();
    let page = |offset, limit| index.search(&Search { offset, limit, ..search("lazy") }).unwrap();
    let whole = page(0, 100);
    assert_eq!((whole.total, whole.hits.len()), (25, 25));
    assert!(whole.hits.is_sorted_by(|left, right| left.score >= right.score));
    let pages: Vec<_> = [0, 10, 20, 30].into_iter().flat_map(|offset| page(offset, 10).hits).collect();
    assert_eq!(pages, whole.hits);
    assert_eq!((page(0, 0).total, page(0, 0).hits.len()), (25, 0));
    let far = index.search(&Search { offset: 9_995, ..search("lazy") }).unwrap_err();
    assert_eq!(far.to_string(), "a search can ask for the first 10000 passages, not for 9995 to 10005");
}

#[test]
fn a_document_takes_the_place_of_its_former_self() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    index.replace(&[document("fox", "The fox", &["A slow wolf."])]).unwrap();
    assert_eq!(ids(&index, "fox"), ["fox#0"], "by its title");
    assert_eq!(ids(&index, "quick"), Vec::<String>::new());
    assert_eq!(ids(&index, "wolf"), ["fox#0"]);
    let twice = [document("fox", "", &["first version"]), document("fox", "", &["second version"])];
    index.replace(&twice).unwrap();
    assert_eq!(ids(&index, "first"), Vec::<String>::new(), "the last of a call counts");
    assert_eq!(ids(&index, "second"), ["fox#0"]);
    index.replace(&[Document { id: "fox".to_owned(), ..Document::default() }]).unwrap();
    assert_eq!(ids(&index, "second"), Vec::<String>::new(), "an empty one, too");
}

#[test]
fn what_is_deleted_is_gone() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    let removed = index.delete(&["fox".to_owned(), "nobody".to_owned()]).unwrap();
    assert_eq!(removed, [2, 0]);
    assert_eq!(ids(&index, "lazy"), ["river#0"]);
    assert_eq!(index.passages(), 3);
    assert_eq!(index.delete(&["fox".to_owned()]).unwrap(), [0]);
}

#[test]
fn a_call_that_fails_changes_nothing() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    let wrong = [document("new", "New", &["brand new"]), document("", "", &["no id"])];
    assert_eq!(
        index.replace(&wrong).unwrap_err().to_string(),
        "a document's id must have 1 to 1024 bytes, one has 0"
    );
    assert!(matches!(index.replace(&[document(&"x".repeat(1025), "", &["long"])]), Err(Error::Id { .. })));
    assert!(matches!(index.delete(&["fox".to_owned(), String::new()]), Err(Error::Id { .. })));
    assert_eq!(index.passages(), 5);
    index.replace(&[document("new", "New", &["brand new"])]).unwrap();
    assert_eq!(ids(&index, "brand"), ["new#0"]);
}

#[test]
fn the_index_survives_a_restart() {
    let (place, index) = shelf();
    index.replace(&tales()).unwrap();
    index.delete(&["river".to_owned()]).unwrap();
    drop(index);
    let index = open(place.path()).unwrap();
    assert_eq!(ids(&index, "lazy"), ["fox#0"]);
    index.replace(&tales()).unwrap();
    assert_eq!(index.passages(), 5);
}

/// What is on the disk while the process lives is what is left when it dies.
#[test]
fn a_call_that_has_returned_survives_a_crash() {
    let (place, index) = shelf();
    index.replace(&tales()).unwrap();
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(place.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let index = open(copy.path()).unwrap();
    assert_eq!(ids(&index, "dog"), ["fox#0"]);
    index.delete(&["fox".to_owned()]).unwrap();
    assert_eq!(ids(&index, "dog"), Vec::<String>::new());
}

#[test]
fn an_index_has_one_owner_and_one_language() {
    let (place, index) = shelf();
    assert!(matches!(open(place.path()), Err(Error::InUse { .. })));
    drop(index);
    let german = Settings { language: Language::German, ..Settings::default() };
    assert!(matches!(Index::open(place.path(), german), Err(Error::OtherSchema { .. })));
    open(place.path()).unwrap();
    let file = place.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    assert!(matches!(open(&file), Err(Error::Open { .. })));
    let little = Settings { writer_heap: ByteSize::kib(1), ..Settings::default() };
    assert!(matches!(Index::open(&place.path().join("new"), little), Err(Error::Open { .. })));
}

#[test]
fn searches_run_beside_writes() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let index = &index;
            scope.spawn(move || {
                for n in 0..10 {
                    index.replace(&[document(&format!("{thread}-{n}"), "Moon", &["a moon"])]).unwrap();
                }
            });
        }
        for _ in 0..100 {
            assert_eq!(ids(&index, "dog"), ["fox#0"]);
        }
    });
    assert_eq!(index.search(&search("moon")).unwrap().total, 40);
}

#[test]
fn many_calls_leave_few_segments() {
    let (_place, index) = shelf();
    for round in 0..3 {
        for n in 0..20 {
            index.replace(&[document(&format!("d{n}"), "D", &[&format!("round{round} common")])]).unwrap();
        }
    }
    let found = index.search(&Search { limit: 100, ..search("common") }).unwrap();
    assert_eq!(found.total, 20);
    assert_eq!(ids(&index, "round0"), Vec::<String>::new());
    // Merging goes on beside the calls; it must have kept up with most of them.
    index.writer.finish_merges().unwrap();
    assert!(index.index.searchable_segment_ids().unwrap().len() < 16);
}

#[test]
fn a_writer_that_was_lost_is_replaced() {
    let (_place, index) = shelf();
    index.replace(&tales()).unwrap();
    index.writer.lose();
    index.replace(&[document("new", "New", &["brand new"])]).unwrap();
    assert_eq!(index.passages(), 6);
}

#[test]
fn huge_passages_and_odd_texts_are_kept() {
    let (_place, index) = shelf();
    let huge = format!("{} needle", "hay ".repeat(100_000));
    let word = format!("{} tail", "x".repeat(100_000));
    index.replace(&[document("huge", "Huge", &[&huge, &word, "", "\0\u{feff}", "zebra\0crossing"])]).unwrap();
    assert_eq!(ids(&index, "needle"), ["huge#0"]);
    assert_eq!(ids(&index, "tail"), ["huge#1"]);
    assert_eq!(ids(&index, "crossing"), ["huge#4"]);
    let hit = index.search(&search("needle")).unwrap().hits.remove(0);
    assert!(hit.excerpt.ends_with("<mark>needle</mark>") && hit.excerpt.len() < 300);
}
