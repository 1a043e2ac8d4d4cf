//! Excerpts show the marks that say most, and nothing in them is HTML but the marks.

use super::*;

/// `text` has the marks in brackets.
#[track_caller]
fn check(case: &str, text: &str, bytes: usize, want: &str) {
    let (mut plain, mut marks) = (String::new(), Vec::new());
    let mut open = 0;
    for c in text.chars() {
        match c {
            '[' => open = plain.len(),
            ']' => marks.push(open..plain.len()),
            c => plain.push(c),
        }
    }
    assert_eq!(excerpt(&plain, &marks, bytes), want, "{case}");
}

#[test]
fn the_best_part_is_shown() {
    check("all of it", "one [two] three", 100, "one <mark>two</mark> three");
    check("nothing found", "one two three four", 10, "one two…");
    check("in the middle", "aaaa bbbb cccc [dddd] eeee ffff gggg", 16, "…<mark>dddd</mark> eeee…");
    check(
        "more kinds",
        "[x] [x] [x] and far away from these [x] [y]",
        12,
        "…these <mark>x</mark> <mark>y</mark>",
    );
    check("at the end", "aaaa bbbb cccc [dddd]", 10, "…cccc <mark>dddd</mark>");
    check("long mark", "aaaa [bbbbbbbbbbbb] cccc", 4, "…<mark>bbbbbbbbbbbb</mark>…");
    check("nothing", "", 100, "");
    check("no room", "aaaa [bbbb]", 0, "…<mark>bbbb</mark>");
}

#[test]
fn html_is_text() {
    check("tags", "<b>&amp; [<i>]", 100, "&lt;b&gt;&amp;amp; <mark>&lt;i&gt;</mark>");
}

#[test]
fn letters_are_not_cut() {
    check("no spaces", "漢字漢字[仮名]漢字漢字", 13, "…<mark>仮名</mark>漢字…");
    for bytes in 0..60 {
        let text = "äöü 漢字 👩‍👩‍👧 e\u{301}";
        for (at, c) in text.char_indices() {
            let shown = excerpt(text, std::slice::from_ref(&(at..at + c.len_utf8())), bytes);
            assert!(shown.contains(&format!("<mark>{c}</mark>")), "{shown}");
        }
    }
}
