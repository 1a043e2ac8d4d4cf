//! What a word is.
//!
//! Runs of letters and digits, without case, accents and (by language) endings. Scripts written without
//! spaces have no such runs: each of their characters is a word, and a query of several is a phrase.

use std::iter::Peekable;
use std::str::CharIndices;

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RemoveLongFilter, Stemmer, TextAnalyzer, Token, TokenStream, Tokenizer,
    TokenizerManager,
};

/// Whose word endings are ignored, so that `indexing` finds `indexes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are those of the languages")]
pub enum Language {
    /// Words are taken as they are.
    None,
    Danish,
    Dutch,
    #[default]
    English,
    Finnish,
    French,
    German,
    Italian,
    Norwegian,
    Portuguese,
    Russian,
    Spanish,
    Swedish,
}

/// Longer ones are data, not words; 64 hexadecimal digits still are one.
const MAX_WORD_BYTES: usize = 128;

/// The tokenizers of an index in a language.
pub(super) fn tokenizers(language: Language) -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    tokenizers.register(language.tokenizer(), analyzer(language));
    tokenizers
}

fn analyzer(language: Language) -> TextAnalyzer {
    let words = TextAnalyzer::builder(Words::default())
        .filter(RemoveLongFilter::limit(MAX_WORD_BYTES))
        .filter(LowerCaser);
    match language.stemmer() {
        // Endings are told from accents in some languages, so they go first.
        Some(stemmer) => words.filter(stemmer).filter(AsciiFoldingFilter).build(),
        None => words.filter(AsciiFoldingFilter).build(),
    }
}

// === impl Language ===

impl Language {
    /// The name of its tokenizer, which an index remembers.
    pub(super) const fn tokenizer(self) -> &'static str {
        match self {
            Self::None => "words",
            Self::Danish => "words_danish",
            Self::Dutch => "words_dutch",
            Self::English => "words_english",
            Self::Finnish => "words_finnish",
            Self::French => "words_french",
            Self::German => "words_german",
            Self::Italian => "words_italian",
            Self::Norwegian => "words_norwegian",
            Self::Portuguese => "words_portuguese",
            Self::Russian => "words_russian",
            Self::Spanish => "words_spanish",
            Self::Swedish => "words_swedish",
        }
    }

    fn stemmer(self) -> Option<Stemmer> {
        use tantivy::tokenizer::Language as Stem;
        let language = match self {
            Self::None => return None,
            Self::Danish => Stem::Danish,
            Self::Dutch => Stem::Dutch,
            Self::English => Stem::English,
            Self::Finnish => Stem::Finnish,
            Self::French => Stem::French,
            Self::German => Stem::German,
            Self::Italian => Stem::Italian,
            Self::Norwegian => Stem::Norwegian,
            Self::Portuguese => Stem::Portuguese,
            Self::Russian => Stem::Russian,
            Self::Spanish => Stem::Spanish,
            Self::Swedish => Stem::Swedish,
        };
        Some(Stemmer::new(language))
    }
}

/// Finds the words of a text.
#[derive(Clone, Default)]
struct Words {
    token: Token,
}

struct WordStream<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
    token: &'a mut Token,
}

// === impl Words ===

impl Tokenizer for Words {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        WordStream { text, chars: text.char_indices().peekable(), token: &mut self.token }
    }
}

impl WordStream<'_> {
    fn set(&mut self, from: usize, to: usize) {
        self.token.position = self.token.position.wrapping_add(1);
        self.token.offset_from = from;
        self.token.offset_to = to;
        self.token.text.clear();
        // An accent that is a character of its own is dropped here; those that are part of a letter are
        // folded later, so that both spellings are the same word.
        self.token.text.extend(self.text[from..to].chars().filter(|c| !is_accent(*c)));
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        while let Some((from, c)) = self.chars.next() {
            if !c.is_alphanumeric() {
                continue;
            }
            let mut to = from + c.len_utf8();
            while let Some((at, c)) = self.chars.next_if(|(_, next)| continues(c, *next)) {
                to = at + c.len_utf8();
            }
            self.set(from, to);
            return true;
        }
        false
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

/// Whether `next` belongs to the word that began with `first`.
fn continues(first: char, next: char) -> bool {
    is_mark(next) || (next.is_alphanumeric() && !is_unspaced(first) && !is_unspaced(next))
}

/// Latin, Greek and Cyrillic accents.
const fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// What stands on or between letters of a word without being one: accents, viramas, joiners.
const fn is_mark(c: char) -> bool {
    is_accent(c)
        || matches!(
            c,
            '\u{94d}'
                | '\u{9cd}'
                | '\u{a4d}'
                | '\u{acd}'
                | '\u{b4d}'
                | '\u{bcd}'
                | '\u{c4d}'
                | '\u{ccd}'
                | '\u{d4d}'
                | '\u{93c}'
                | '\u{9bc}'
                | '\u{200c}'
                | '\u{200d}'
                | '\u{e47}'..='\u{e4e}'
        )
}

/// Letters of scripts that put no spaces between words: kana, Han, Thai, Lao, Khmer, Burmese.
const fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}'
        | '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}')
}
