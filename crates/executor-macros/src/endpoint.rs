//! `#[requests]`: one function of an executor, and the code that calls it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, Error, Expr, FnArg, Ident, ImplItemFn, Lit, LitStr, Meta, ReceiverKind, Result, ReturnType,
    Signature, Type, TypeReference, parse_quote,
};

use crate::batching::Batching;
use crate::doc::bare;
use crate::executor::argument_name;
use crate::types::{argument_of, result_of, stream_item};

/// What `#[executor]` leaves in the attribute.
pub(crate) const READ: &str = "__read";

/// A function that answers requests.
pub(crate) struct Endpoint {
    ident: Ident,
    names: Vec<LitStr>,
    is_write: bool,
    batching: Option<Batching>,
    is_async: bool,
    arguments: Vec<Argument>,
    documents: Documents,
    output: Option<Type>,
    span: Span,
}

/// What one argument is filled with.
enum Argument {
    Documents,
    Parameters { ty: Type, by_reference: bool },
    Context,
    Matrix { ty: Type, by_reference: bool },
    Map { ty: Type, by_reference: bool },
}

/// The documents as the function takes them.
struct Documents {
    /// Without reference.
    ty: Type,
    /// One at a time.
    single: bool,
    passing: Passing,
}

#[derive(Clone, Copy)]
enum Passing {
    Value,
    Reference,
    MutableReference,
}

impl Endpoint {
    /// Reads a function's `#[requests]`, if it has one, and marks it as read.
    pub(crate) fn take(function: &mut ImplItemFn) -> Result<Option<Self>> {
        let is_requests = |attribute: &&mut Attribute| {
            attribute.path().segments.last().is_some_and(|last| last.ident == "requests")
        };
        let Some(attribute) = function.attrs.iter_mut().find(is_requests) else { return Ok(None) };
        let Options { names, is_write, batching } = options(attribute)?;
        let path = attribute.path().clone();
        let mark = Ident::new(READ, Span::call_site());
        *attribute = parse_quote!(#[#path(#mark)]);
        let signature = &function.sig;
        check_receiver(signature)?;
        let (arguments, documents) = arguments(signature)?;
        let output = match &signature.output {
            ReturnType::Default => None,
            ReturnType::Type(_, ty) => Some((**ty).clone()),
        };
        if !documents.single && output.as_ref().and_then(stream_item).is_some() {
            return Err(Error::new(documents.ty.span(), "a stream begins with one document: take `doc`"));
        }
        Ok(Some(Self {
            ident: signature.ident.clone(),
            names,
            is_write,
            batching,
            is_async: signature.asyncness.is_some(),
            arguments,
            documents,
            span: output.as_ref().map_or(signature.ident.span(), |ty| ty.span()),
            output,
        }))
    }

    /// The expression that makes the `Endpoint`.
    pub(crate) fn expand(&self) -> TokenStream {
        let Self { names, is_write, .. } = self;
        let method = bare(&self.ident);
        let streamed = self.output.as_ref().and_then(stream_item);
        let (schema, run) = match streamed {
            Some(item) => self.stream(&item),
            None if self.documents.single => self.single(),
            None => self.batch(),
        };
        let schema = match self.parameters() {
            None => schema,
            Some(ty) => quote_spanned! {ty.span()=>
                {
                    // Both ways to tell a schema, one of which is taken.
                    use ::executor_runtime::derived::tell::*;
                    ::executor_runtime::derived::EndpointSchema {
                        parameters: (&Tell::<#ty>::new()).parameters(),
                        ..#schema
                    }
                }
            },
        };
        if let (Some(batching), true) = (&self.batching, self.output.as_ref().and_then(stream_item).is_some())
        {
            let error = Error::new(batching.span(), "documents that are streamed are not batched");
            return error.to_compile_error();
        }
        let authored = Batching::expand(self.batching.as_ref(), &self.document());
        quote! {
            ::executor_runtime::Endpoint {
                names: ::std::vec![#(#names),*],
                method: #method,
                is_write: #is_write,
                schema: #schema,
                authored: #authored,
                run: #run,
            }
        }
    }

    /// The type of the parameters, if the function takes any.
    fn parameters(&self) -> Option<&Type> {
        self.arguments.iter().find_map(|argument| match argument {
            Argument::Parameters { ty, .. } => Some(ty),
            Argument::Documents | Argument::Context | Argument::Matrix { .. } | Argument::Map { .. } => None,
        })
    }

    /// All documents at once.
    fn batch(&self) -> (TokenStream, TokenStream) {
        let docs = &self.documents.ty;
        let docs_span = docs.span();
        let input = quote_spanned!(docs_span=> <#docs as ::executor_runtime::Docs>::Doc);
        let output = self.output.clone().unwrap_or_else(|| parse_quote!(()));
        let answered = quote_spanned!(self.span=> <#output as ::executor_runtime::Answer<#input>>::Output);
        let schema = quote!(::executor_runtime::derived::schema::<#input, #answered>(false, false));
        let call = self.call();
        let answer = quote_spanned! {self.span=>
            <#output as ::executor_runtime::Answer<#input>>::outcome(#call)
        };
        let mutable = self.documents.mutability();
        let outcome = match self.documents.passing {
            Passing::MutableReference => quote! {
                #answer.map(|outcome| ::executor_runtime::derived::in_place(outcome, &docs))
            },
            Passing::Value | Passing::Reference => answer,
        };
        let prepare = self.prepare();
        let body = quote! {
            #prepare
            let #mutable docs: #docs = invocation.docs()?;
            #outcome
        };
        (schema, self.run(&body))
    }

    /// One document at a time.
    fn single(&self) -> (TokenStream, TokenStream) {
        let input = &self.documents.ty;
        let returned = Returned::of(self.output.as_ref());
        let output = returned.document().unwrap_or(input);
        let schema = quote_spanned! {self.span=>
            ::executor_runtime::derived::schema::<#input, #output>(false, true)
        };
        let mutable = self.documents.mutability();
        let kept = match (self.documents.passing, returned.document()) {
            // What nobody gave back was changed in place, or stays as it came.
            (Passing::Value, _) => quote!(original),
            (Passing::Reference | Passing::MutableReference, _) => quote!(doc),
        };
        let keep = matches!(self.documents.passing, Passing::Value) && returned.may_be_nothing();
        let original = keep.then(|| quote!(let original = ::core::clone::Clone::clone(&doc);));
        let take = returned.take(self.call(), &kept);
        let prepare = self.prepare();
        let body = quote_spanned! {self.span=>
            #prepare
            let docs: ::docarray::DocList<#input> = invocation.docs()?;
            let mut answers = ::docarray::DocList::<#output>::new();
            for doc in docs {
                #original
                let #mutable doc = doc;
                let answer = #take;
                answers.push(answer);
            }
            ::core::result::Result::Ok(::executor_runtime::derived::collected(&answers))
        };
        (schema, self.run(&body))
    }

    /// One document in, a stream out.
    fn stream(&self, item: &Type) -> (TokenStream, TokenStream) {
        let input = &self.documents.ty;
        let (output, fallible) = match result_of(item) {
            Some(output) => (output, true),
            None => (item, false),
        };
        let schema = quote_spanned! {self.span=>
            ::executor_runtime::derived::schema::<#input, #output>(true, true)
        };
        let mutable = self.documents.mutability();
        let prepare = self.prepare();
        let call = self.call();
        let item =
            if fallible { quote!(item.map_err(::executor_runtime::derived::failed)?) } else { quote!(item) };
        let run = quote_spanned! {self.span=>
            ::executor_runtime::Run::Stream(|executor, invocation, items| ::std::boxed::Box::pin(async move {
                #prepare
                let #mutable doc: #input = invocation.doc()?;
                let stream = #call;
                let mut stream = ::core::pin::pin!(stream);
                while let ::core::option::Option::Some(item) =
                    ::executor_runtime::derived::next(&mut stream).await
                {
                    items.send::<#output>(&#item).await;
                }
                ::core::result::Result::Ok(())
            }))
        };
        (schema, run)
    }

    /// The code around the body, which sees `executor` and `invocation`.
    fn run(&self, body: &TokenStream) -> TokenStream {
        if self.is_async {
            quote!(::executor_runtime::Run::Async(|executor, invocation| ::std::boxed::Box::pin(async move {
                #body
            })))
        } else {
            quote!(::executor_runtime::Run::Blocking(|executor, invocation| { #body }))
        }
    }

    /// Whether the function is called once for each document of a request.
    fn is_called_for_each(&self) -> bool {
        self.documents.single && self.output.as_ref().and_then(stream_item).is_none()
    }

    /// The type of one document.
    fn document(&self) -> Type {
        let ty = &self.documents.ty;
        if self.documents.single { ty.clone() } else { parse_quote!(<#ty as ::executor_runtime::Docs>::Doc) }
    }

    /// What is read once, before the documents.
    fn prepare(&self) -> TokenStream {
        let each = self.is_called_for_each();
        let document = self.document();
        let prepare = self.arguments.iter().map(|argument| match argument {
            Argument::Documents | Argument::Context => quote!(),
            Argument::Parameters { by_reference: false, .. } if each => quote!(),
            Argument::Parameters { ty, .. } => quote_spanned! {ty.span()=>
                let parameters: #ty = invocation.parameters()?;
            },
            Argument::Matrix { ty, .. } => quote_spanned! {ty.span()=>
                let docs_matrix: #ty = invocation.matrix::<#document>()?;
            },
            Argument::Map { ty, .. } => quote_spanned! {ty.span()=>
                let docs_map: #ty = invocation.map::<#document, #ty>()?;
            },
        });
        quote!(#(#prepare)*)
    }

    /// The call of the function.
    fn call(&self) -> TokenStream {
        let each = self.is_called_for_each();
        let arguments = self.arguments.iter().map(|argument| match argument {
            Argument::Documents => {
                let docs = if self.documents.single { quote!(doc) } else { quote!(docs) };
                match self.documents.passing {
                    Passing::Value => docs,
                    Passing::Reference => quote!(&#docs),
                    Passing::MutableReference => quote!(&mut #docs),
                }
            }
            Argument::Parameters { by_reference: true, .. } => quote!(&parameters),
            Argument::Parameters { .. } if each => quote!(invocation.parameters()?),
            Argument::Parameters { .. } => quote!(parameters),
            Argument::Context => quote!(invocation.context()),
            Argument::Matrix { by_reference: true, .. } => quote!(&docs_matrix),
            Argument::Matrix { .. } => quote!(docs_matrix),
            Argument::Map { by_reference: true, .. } => quote!(&docs_map),
            Argument::Map { .. } => quote!(docs_map),
        });
        let ident = &self.ident;
        let wait = self.is_async.then(|| quote!(.await));
        quote!(Self::#ident(&executor #(, #arguments)*) #wait)
    }
}

impl Documents {
    fn mutability(&self) -> Option<TokenStream> {
        matches!(self.passing, Passing::MutableReference).then(|| quote!(mut))
    }
}

/// What a function that takes one document returns.
enum Returned<'a> {
    Nothing,
    Document(&'a Type),
    Option(Box<Returned<'a>>),
    Result(Box<Returned<'a>>),
}

impl<'a> Returned<'a> {
    fn of(output: Option<&'a Type>) -> Self {
        match output {
            None => Self::Nothing,
            Some(Type::Tuple(tuple)) if tuple.elems.is_empty() => Self::Nothing,
            Some(ty) => {
                if let Some(inner) = result_of(ty) {
                    Self::Result(Box::new(Self::of(Some(inner))))
                } else if let Some(inner) = argument_of(ty, "Option") {
                    Self::Option(Box::new(Self::of(Some(inner))))
                } else {
                    Self::Document(ty)
                }
            }
        }
    }

    const fn document(&self) -> Option<&'a Type> {
        match self {
            Self::Nothing => None,
            Self::Document(ty) => Some(ty),
            Self::Option(inner) | Self::Result(inner) => inner.document(),
        }
    }

    const fn may_be_nothing(&self) -> bool {
        match self {
            Self::Nothing | Self::Option(_) => true,
            Self::Document(_) => false,
            Self::Result(inner) => inner.may_be_nothing(),
        }
    }

    /// The document that `answer` stands for.
    fn take(&self, answer: TokenStream, kept: &TokenStream) -> TokenStream {
        match self {
            Self::Nothing => quote!({ #answer; #kept }),
            Self::Document(_) => answer,
            Self::Option(inner) => {
                let inner = inner.take(quote!(answer), kept);
                quote! {
                    match #answer {
                        ::core::option::Option::Some(answer) => #inner,
                        ::core::option::Option::None => #kept,
                    }
                }
            }
            Self::Result(inner) => {
                inner.take(quote!(#answer.map_err(::executor_runtime::derived::failed)?), kept)
            }
        }
    }
}

/// What stands in the attribute.
struct Options {
    names: Vec<LitStr>,
    is_write: bool,
    batching: Option<Batching>,
}

fn options(attribute: &Attribute) -> Result<Options> {
    let (mut names, mut is_write, mut batching) = (Vec::new(), false, None);
    if let Meta::List(_) = &attribute.meta {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("on") {
                names = endpoint_names(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("write") {
                is_write = true;
            } else if meta.path.is_ident("dynamic_batching") {
                batching = Some(Batching::parse(&meta)?);
            } else {
                return Err(meta.error(
                    "expected `on = \"/endpoint\"`, `on = [\"/a\", \"/b\"]`, `write` or `dynamic_batching(…)`",
                ));
            }
            Ok(())
        })?;
    }
    if names.is_empty() {
        names.push(LitStr::new("/default", Span::call_site()));
    }
    Ok(Options { names, is_write, batching })
}

fn endpoint_names(value: &Expr) -> Result<Vec<LitStr>> {
    let texts: Vec<&Expr> = match value {
        Expr::Array(array) => array.elems.iter().collect(),
        single => vec![single],
    };
    let text = |value: &Expr| match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) if !text.value().is_empty() => Ok(text.clone()),
            other => Err(Error::new(other.span(), "an endpoint is a text such as \"/search\"")),
        },
        other => Err(Error::new(other.span(), "an endpoint is a text such as \"/search\"")),
    };
    texts.into_iter().map(text).collect()
}

fn check_receiver(signature: &Signature) -> Result<()> {
    const MESSAGE: &str = "requests come at the same time: take `&self`, and guard what changes with a lock";
    let Some(receiver) = signature.receiver() else {
        return Err(Error::new(signature.ident.span(), MESSAGE));
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Ok(()),
        _ => Err(Error::new(receiver.span(), MESSAGE)),
    }
}

fn arguments(signature: &Signature) -> Result<(Vec<Argument>, Documents)> {
    let (mut arguments, mut documents) = (Vec::new(), None);
    for argument in signature.inputs.iter().skip(1) {
        let FnArg::Typed(argument) = argument else { continue };
        let (mut ty, passing) = match &*argument.ty {
            Type::Reference(TypeReference { elem, mutability: None, .. }) => {
                ((**elem).clone(), Passing::Reference)
            }
            Type::Reference(TypeReference { elem, .. }) => ((**elem).clone(), Passing::MutableReference),
            ty => (ty.clone(), Passing::Value),
        };
        NamedLifetimes.visit_type_mut(&mut ty);
        let name = argument_name(&argument.pat)?;
        let by_reference = !matches!(passing, Passing::Value);
        arguments.push(match &*name {
            "docs" | "doc" => {
                if documents.is_some() {
                    return Err(Error::new(
                        argument.pat.span(),
                        "a function takes `docs` or `doc`, not both",
                    ));
                }
                documents = Some(Documents { ty, single: name == "doc", passing });
                Argument::Documents
            }
            "parameters" => Argument::Parameters { ty, by_reference },
            "context" => Argument::Context,
            // What a slice is of has to be kept somewhere.
            "docs_matrix" => match ty {
                Type::Slice(slice) => {
                    let item = slice.elem;
                    Argument::Matrix { ty: parse_quote!(::std::vec::Vec<#item>), by_reference }
                }
                ty => Argument::Matrix { ty, by_reference },
            },
            "docs_map" => Argument::Map { ty, by_reference },
            _ => {
                let message = "an endpoint takes `docs` or `doc`, `parameters`, `context`, `docs_matrix`, \
                    `docs_map`";
                return Err(Error::new(argument.pat.span(), message));
            }
        });
    }
    let missing = || Error::new(signature.ident.span(), "an endpoint takes `docs` or `doc`");
    let documents = documents.ok_or_else(missing)?;
    let by_part = |argument: &Argument| matches!(argument, Argument::Matrix { .. } | Argument::Map { .. });
    if documents.single && arguments.iter().any(by_part) {
        let message = "`docs_matrix` and `docs_map` go with `docs`, not with one document at a time";
        return Err(Error::new(signature.ident.span(), message));
    }
    Ok((arguments, documents))
}

/// Takes lifetimes out of types that are named in the generated code.
struct NamedLifetimes;

impl VisitMut for NamedLifetimes {
    fn visit_lifetime_mut(&mut self, lifetime: &mut syn::Lifetime) {
        *lifetime = syn::Lifetime::new("'_", lifetime.span());
    }
}
