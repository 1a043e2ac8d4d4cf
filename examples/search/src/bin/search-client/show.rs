//! Results in a terminal.

use std::borrow::Cow;
use std::io::{self, Write};

use console::style;
use search::documents::{Found, Match};

/// Prints what was found; `offset` passages were left out before it.
pub(crate) fn found(out: &mut impl Write, found: &Found, offset: usize) -> io::Result<()> {
    if found.matches.is_empty() {
        let what = if found.total == 0 { "nothing found" } else { "no more passages" };
        return writeln!(out, "{what} ({} in all)", found.total);
    }
    for (position, passage) in found.matches.iter().enumerate() {
        one(out, offset + position + 1, passage)?;
    }
    let last = offset + found.matches.len();
    writeln!(out, "{} to {last} of {} passages", offset + 1, found.total)
}

fn one(out: &mut impl Write, number: usize, passage: &Match) -> io::Result<()> {
    let title = passage.title.as_deref().unwrap_or(&passage.document);
    // A document's title most often is its first heading; once is enough.
    let below = passage
        .heading
        .strip_prefix(title)
        .map_or(passage.heading.as_str(), |rest| rest.trim_start_matches(" > "));
    let heading = if below.is_empty() { title.to_owned() } else { format!("{title} > {below}") };
    writeln!(
        out,
        "{number:>3}. {}  {}",
        style(printable(&heading)).bold(),
        style(format!("{:.2}", passage.score)).dim()
    )?;
    let place = passage.uri.as_deref().unwrap_or(&passage.document);
    writeln!(
        out,
        "     {}",
        style(format!("{} [{}..{}]", printable(place), passage.start, passage.end)).dim()
    )?;
    for line in highlighted(&passage.highlight).lines().filter(|line| !line.trim().is_empty()) {
        writeln!(out, "     {line}")?;
    }
    writeln!(out)
}

/// An excerpt with its marks as colours, or as `**` where there are none.
fn highlighted(html: &str) -> String {
    let mut shown = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, (word, after))) =
        rest.split_once("<mark>").and_then(|(before, rest)| Some((before, rest.split_once("</mark>")?)))
    {
        shown.push_str(&printable(&unescaped(before)));
        let word = unescaped(word);
        let word = printable(&word);
        if console::colors_enabled() {
            shown.push_str(&style(word).yellow().bold().to_string());
        } else {
            shown.push_str(&format!("**{word}**"));
        }
        rest = after;
    }
    shown.push_str(&printable(&unescaped(rest)));
    shown
}

/// A text that does nothing to a terminal but appear in it.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| c.is_control() && c != '\n';
    if text.contains(is_harmful) {
        text.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !is_harmful(*c)).collect()
    } else {
        Cow::Borrowed(text)
    }
}

fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage() -> Match {
        Match {
            id: "d#0".into(),
            document: "d".to_owned(),
            uri: Some("/a/b.md".to_owned()),
            title: Some("Guide".to_owned()),
            heading: "Guide > Use".to_owned(),
            score: 1.25,
            highlight: "a &lt;b&gt; <mark>c</mark> &amp;amp; \u{1b}[31m<mark>d</mark>\n\ne".to_owned(),
            start: 3,
            end: 9,
            ..Match::default()
        }
    }

    #[track_caller]
    fn check(found_: &Found, offset: usize, want: &str) {
        console::set_colors_enabled(false);
        let mut out = Vec::new();
        found(&mut out, found_, offset).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }

    #[test]
    fn passages_are_shown_with_their_marks() {
        let one = Found { total: 7, matches: vec![passage()], ..Found::default() };
        let want = "  3. Guide > Use  1.25\n     /a/b.md [3..9]\n     a <b> **c** &amp; [31m**d**\n     e\n\n3 to 3 of 7 passages\n";
        check(&one, 2, want);
    }

    #[test]
    fn nothing_is_said_in_words() {
        check(&Found::default(), 0, "nothing found (0 in all)\n");
        check(&Found { total: 3, ..Found::default() }, 10, "no more passages (3 in all)\n");
    }
}
