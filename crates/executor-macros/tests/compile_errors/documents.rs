//! Structs that cannot be documents.

use executor_macros::Doc;

#[derive(Doc)]
struct Tuple(String);

#[derive(Doc)]
enum Either {
    One,
}

#[derive(Doc)]
struct Twice {
    id: String,
    #[document(name = "id")]
    other: String,
}

#[derive(Doc)]
struct Wrong {
    #[document(defualt)]
    text: String,
}

#[derive(Doc)]
struct Generic<T> {
    text: T,
}

fn main() {}
