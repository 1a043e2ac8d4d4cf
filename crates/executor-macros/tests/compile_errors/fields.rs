//! Options of documents and of their fields in the wrong place.

use executor_macros::Doc;

#[derive(Doc)]
#[document(default)]
struct Whole {
    id: String,
}

#[derive(Doc)]
struct Name {
    #[document(name = 7)]
    id: String,
}

#[derive(Doc)]
union Either {
    id: u32,
}

#[derive(Doc)]
struct Unit;

fn main() {}
