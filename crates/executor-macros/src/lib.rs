//! Derives documents and executors: `#[derive(Doc)]`, `#[executor]`, `#[requests]`.
//!
//! What the generated code does lives in `docarray` and `executor-runtime`; it is written here only as calls.
//! `docarray` and `executor_runtime` re-export these macros, and users take them from there.

mod doc;

use proc_macro::TokenStream;

/// Makes a struct with named fields a document.
///
/// On a field, `#[document(default)]` takes the type's default where the field does not come,
/// `#[document(default = …)]` the given value, and `#[document(name = "…")]` sets the name on the wire; on the
/// struct, `#[document(name = "…")]` sets the name of the class. Doc comments become descriptions.
#[proc_macro_derive(Doc, attributes(document))]
pub fn derive_doc(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    doc::derive(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}
