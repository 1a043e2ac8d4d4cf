//! Passages are bounded slices of their text that lose none of its words.

use proptest::prelude::*;

use super::*;

fn max(bytes: usize) -> MaxBytes {
    MaxBytes::try_from(bytes).unwrap()
}

/// Each passage as `heading > heading | text`.
#[track_caller]
fn check(case: &str, format: Format, bytes: usize, text: &str, want: &[&str]) {
    let got: Vec<String> = segment(text, format, max(bytes))
        .passages
        .into_iter()
        .map(|passage| format!("{} | {}", passage.heading.join(" > "), &text[passage.range]))
        .collect();
    assert_eq!(got, want, "{case}");
}

#[test]
fn headings_make_sections() {
    let text = "Before.\n\n# Guide\n\nHello.\n\n## Install\n\nOn Linux:\n\n```sh\ncargo install x\n```\n\n## Use\n\nRun it.\n\n# End\n\nBye.\n";
    check(
        "nested",
        Format::Markdown,
        200,
        text,
        &[
            " | Before.",
            "Guide | Hello.",
            "Guide > Install | On Linux:\n\n```sh\ncargo install x\n```",
            "Guide > Use | Run it.",
            "End | Bye.",
        ],
    );
    check(
        "underlined",
        Format::Markdown,
        200,
        "Guide\n=====\nHello\n\nUse\n---\nRun\n",
        &["Guide | Hello", "Guide > Use | Run"],
    );
    check("marked up", Format::Markdown, 200, "# The `x` *way* of [it](u)\nYes", &["The x way of it | Yes"]);
    check("level left out", Format::Markdown, 200, "# A\n### C\nc\n## B\nb", &["A > C | c", "A > B | b"]);
    check("in a list", Format::Markdown, 200, "# A\n- # B\n  c", &["A | - # B\n  c"]);
    check("in code", Format::Markdown, 200, "```\n# no heading\n```", &[" | ```\n# no heading\n```"]);
    check("none", Format::Plain, 200, "# A\nb", &[" | # A\nb"]);
    assert_eq!(segment("x\n# A\n## B", Format::Markdown, max(64)).title.as_deref(), Some("A"));
    assert_eq!(segment("\u{feff}# A\nb", Format::Markdown, max(64)).title.as_deref(), Some("A"));
}

#[test]
fn a_heading_that_nothing_follows_is_a_passage() {
    check("last", Format::Markdown, 200, "# A\na\n## B\n", &["A | a", "A > B | ## B"]);
    check("side by side", Format::Markdown, 200, "## A\n## B\nb", &["A | ## A", "B | b"]);
    check("above another", Format::Markdown, 200, "# A\n## B\nb", &["A > B | b"]);
    check("alone", Format::Markdown, 200, "# A", &["A | # A"]);
}

#[test]
fn what_is_not_text_is_left_out() {
    check("empty", Format::Markdown, 200, "", &[]);
    check("blank", Format::Plain, 200, " \n\t\n\u{feff}\n", &[]);
    check("rules", Format::Markdown, 200, "---\n\n***\n", &[]);
    check("comment", Format::Markdown, 200, "a\n\n<!-- no\n\nno -->\n\nb", &[" | a", " | b"]);
    check("front matter", Format::Markdown, 200, "---\ntitle: x\n---\n\na", &[" | a"]);
    check("link targets", Format::Markdown, 200, "a [b]\n\n[b]: http://c\n", &[" | a [b]"]);
    check(
        "html",
        Format::Markdown,
        200,
        "<p align=center>\nHi\n</p>\n\nb",
        &[" | <p align=center>\nHi\n</p>\n\nb"],
    );
}

#[test]
fn long_blocks_are_cut_where_it_hurts_least() {
    let sentences = "The first sentence is not short at all. The second one is neither of them. Third!";
    check(
        "sentences",
        Format::Plain,
        64,
        sentences,
        &[" | The first sentence is not short at all.", " | The second one is neither of them. Third!"],
    );
    let code = "```\nlet first = 1; // One. Two.\n    let second = first + 1; // Three. Four.\n```";
    check(
        "lines of code",
        Format::Markdown,
        64,
        code,
        &[" | ```\nlet first = 1; // One. Two.", " |     let second = first + 1; // Three. Four.\n```"],
    );
    let words = "word ".repeat(20);
    let words = words.trim_end();
    check(
        "words",
        Format::Plain,
        64,
        words,
        &[&format!(" | {}", &words[..59]), &format!(" | {}", &words[60..])],
    );
    let han = "漢字".repeat(30);
    check(
        "no spaces",
        Format::Plain,
        64,
        &han,
        &[&format!(" | {}", &han[..63]), &format!(" | {}", &han[63..126]), &format!(" | {}", &han[126..])],
    );
}

#[test]
fn small_blocks_are_joined() {
    let text = "one\n\ntwo\r\n\r\nthree\n\n- four\n- five\n\n| a | b |\n|---|---|\n| 1 | 2 |\n";
    check("markdown", Format::Markdown, 200, text, &[&format!(" | {}", text.trim_end())]);
    check("plain", Format::Plain, 200, text, &[&format!(" | {}", text.trim_end())]);
}

#[test]
fn the_bound_is_checked() {
    assert_eq!(
        MaxBytes::try_from(3).unwrap_err().to_string(),
        "passages of at most 3 bytes were asked for, 64 to 1048576 are possible"
    );
}

#[test]
fn the_name_tells_the_format() {
    for (name, want) in [
        ("a/b.TXT", Format::Plain),
        ("README.md", Format::Markdown),
        ("https://x.org/a.txt", Format::Plain),
        ("", Format::Markdown),
        ("LICENSE", Format::Markdown),
    ] {
        assert_eq!(Format::of_file(name), want, "{name}");
    }
}

/// A megabyte of one line, of one list and of one heading.
#[test]
fn a_huge_text_is_cut_all_the_same() {
    let word = "word ".repeat(200_000);
    for text in [word.clone(), format!("# {word}"), "- item of a list\n".repeat(60_000), "> ".repeat(5_000)] {
        let segments = segment(&text, Format::Markdown, MaxBytes::default());
        let words: usize = segments
            .passages
            .iter()
            .map(|passage| text[passage.range.clone()].split_whitespace().count())
            .sum();
        assert_eq!(
            words,
            if text.contains(char::is_alphanumeric) { text.split_whitespace().count() } else { 0 }
        );
    }
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 .!?]{0,40}",
        "\\PC{0,20}",
        Just("\n".to_owned()),
        Just("\r\n\r\n".to_owned()),
        Just("\n\n# ".to_owned()),
        Just("\n```\n".to_owned()),
        Just("\n- ".to_owned()),
        Just("漢字仮名。".to_owned()),
        Just("e\u{301}👩‍👩‍👧".to_owned()),
        Just("\u{feff}<!--".to_owned()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn passages_are_bounded_and_in_order(text in texts(), bytes in 64_usize..200, plain: bool) {
        let format = if plain { Format::Plain } else { Format::Markdown };
        let segments = segment(&text, format, max(bytes));
        let mut at = 0;
        for Passage { range, .. } in &segments.passages {
            prop_assert!(range.start >= at && range.len() <= bytes);
            prop_assert!(text[range.clone()].contains(char::is_alphanumeric));
            at = range.end;
        }
        prop_assert_eq!(&segments, &segment(&text, format, max(bytes)), "the same text is cut the same way");
        if plain {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
            let kept: usize = segments.passages.iter().map(|passage| letters(&text[passage.range.clone()])).sum();
            prop_assert_eq!(kept, letters(&text), "no word is lost");
        }
    }
}
