//! Derives documents and executors: `#[derive(Doc)]`, `#[executor]`, `#[requests]`.
//!
//! What the generated code does lives in `docarray` and `executor-runtime`; it is written here only as calls.
//! Those two re-export these macros, and users take them from there.

mod batching;
mod doc;
mod endpoint;
mod executor;
mod types;

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

/// Makes an executor of a struct; goes on the `impl` block that holds its endpoints.
///
/// Some functions of the block have a meaning by their names: `new`, which makes the executor of its arguments
/// `with` (what `uses_with` says, any `Deserialize`) and `setup` (a `&Setup`), both optional, and returns it or
/// a `Result` – without it the struct's `Default` is taken –; `close(&self)`, which is called once after the
/// last request; `snapshot(&self, file: &Path)` and `restore(&self, file: &Path)`, which write the executor's state to a
/// file and take it from there, while no function marked `write` runs. `#[executor(name = "…")]` sets the name of the class.
#[proc_macro_attribute]
pub fn executor(options: TokenStream, block: TokenStream) -> TokenStream {
    let block = syn::parse_macro_input!(block as syn::ItemImpl);
    executor::expand(options.into(), block).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes a function of an executor answer requests.
///
/// `#[requests]` answers those that no other function does, `#[requests(on = "/search")]` and
/// `#[requests(on = ["/a", "/b"])]` those for endpoints of these names; `write` says that the function changes
/// the executor's state.
///
/// `dynamic_batching(preferred_batch_size = 32, timeout = 10)` gathers documents of several requests into one call:
/// as many as that, or what has come when the first has waited for so many milliseconds; both may be left out. The
/// function must return nothing or as many documents as it was given. `flush_all` calls it with everything that waits.
/// `custom_metric = Self::tokens`, the path of a `fn(&T) -> usize`, says what a document weighs, where
/// it is not 1. `isolate_errors` calls the function again request by request when it failed, so that only those
/// requests fail whose documents are to blame. `uses_dynamic_batching` can say otherwise.
///
/// The arguments are known by their names, in any order: `docs`, a `DocList<T>`, `&DocList<T>` or
/// `&mut DocList<T>` – or `doc`, one document at a time, by value or reference –; `parameters`, any
/// `Deserialize`; `context`, a `&Context`; `docs_matrix`, a `Vec<DocList<T>>` or `&[DocList<T>]` of what each
/// predecessor sent; `docs_map`, a map of the same by the predecessor's name. All but the documents may be left out.
///
/// It returns documents, nothing (those it got, changed or not, are the answer), a JSON object (the caller finds
/// it among the results), or a `Result` of these. A function that takes `doc` and returns
/// `impl Stream<Item = T>` streams documents; items may be `Result`s.
///
/// `async` functions run at the same time, others one after the other on a thread of their own.
#[proc_macro_attribute]
pub fn requests(options: TokenStream, function: TokenStream) -> TokenStream {
    // `#[executor]` has read the attribute and left it with this mark, so that its import counts as used.
    if options.to_string() == endpoint::READ {
        return function;
    }
    let message = "`#[requests]` stands in an `impl` block under `#[executor]`";
    let error = syn::Error::new(proc_macro2::Span::call_site(), message).to_compile_error();
    let mut output: TokenStream = error.into();
    output.extend(function);
    output
}
