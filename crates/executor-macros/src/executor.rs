//! `#[executor]`: the `impl` block as it is, and an implementation of `Executor` beside it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::{Error, FnArg, ImplItem, ItemImpl, LitStr, Pat, Result, ReturnType, Signature, Type};

use crate::doc::bare;
use crate::endpoint::Endpoint;

pub(crate) fn expand(options: TokenStream, mut block: ItemImpl) -> Result<TokenStream> {
    if let Some((path, _)) = &block.trait_ {
        return Err(Error::new(path.span(), "`#[executor]` goes on the executor's own `impl` block"));
    }
    if !block.generics.params.is_empty() {
        return Err(Error::new(block.generics.span(), "an executor has one name, so it cannot be generic"));
    }
    let name = name(options, &block.self_ty)?;
    let (mut endpoints, mut build, mut hooks) = (Vec::new(), None, Vec::new());
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        match Endpoint::take(function)? {
            Some(endpoint) => endpoints.push(endpoint.expand()),
            None if function.sig.ident == "new" => build = Some(build_of(&function.sig)?),
            None if function.sig.ident == "close" => hooks.push(close_of(&function.sig)?),
            None if function.sig.ident == "snapshot" || function.sig.ident == "restore" => {
                hooks.push(state_hook_of(&function.sig)?);
            }
            None => {}
        }
    }
    let ty = &block.self_ty;
    let build = build.unwrap_or_else(|| {
        quote_spanned! {ty.span()=>
            let _ = (with, setup);
            ::core::result::Result::Ok(<Self as ::core::default::Default>::default())
        }
    });
    Ok(quote! {
        #block

        #[automatically_derived]
        impl ::executor_runtime::Executor for #ty {
            fn class() -> &'static str {
                #name
            }

            fn build(
                with: ::executor_runtime::derived::Map<
                    ::std::string::String,
                    ::executor_runtime::derived::Value,
                >,
                setup: &::executor_runtime::Setup,
            ) -> ::core::result::Result<Self, ::executor_runtime::BuildError> {
                #build
            }

            fn endpoints() -> ::std::vec::Vec<::executor_runtime::Endpoint<Self>> {
                ::std::vec![#(#endpoints),*]
            }

            #(#hooks)*
        }
    })
}

/// The name of the class: as given, or the type's.
fn name(options: TokenStream, ty: &Type) -> Result<LitStr> {
    let mut name = None;
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            name = Some(meta.value()?.parse::<LitStr>()?);
            return Ok(());
        }
        Err(meta.error("expected `name = \"…\"`"))
    });
    parser.parse2(options)?;
    if let Some(name) = name {
        return Ok(name);
    }
    let Type::Path(path) = ty else { return Err(Error::new(ty.span(), "an executor is a struct")) };
    let last = path.path.segments.last().ok_or_else(|| Error::new(ty.span(), "an executor is a struct"))?;
    Ok(LitStr::new(&bare(&last.ident), last.ident.span()))
}

/// The call of `new`.
fn build_of(new: &Signature) -> Result<TokenStream> {
    if new.asyncness.is_some() {
        return Err(Error::new(
            new.ident.span(),
            "`new` is not `async`: nothing is served before it is done",
        ));
    }
    let mut arguments = Vec::new();
    for argument in &new.inputs {
        let FnArg::Typed(argument) = argument else {
            return Err(Error::new(argument.span(), "`new` makes the executor, so it takes no `self`"));
        };
        let ty = &argument.ty;
        arguments.push(match &*argument_name(&argument.pat)? {
            "with" => quote_spanned!(ty.span()=> ::executor_runtime::derived::with::<Self, #ty>(with)?),
            "setup" => quote_spanned!(ty.span()=> setup),
            _ => {
                return Err(Error::new(argument.pat.span(), "`new` takes `with` and `setup`, both optional"));
            }
        });
    }
    let span = match &new.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => return Err(Error::new(new.ident.span(), "`new` returns the executor")),
    };
    Ok(quote_spanned! {span=>
        let _ = (&with, &setup);
        let made = Self::new(#(#arguments),*);
        ::executor_runtime::derived::Made::<Self>::made(made)
    })
}

/// The call of `close`.
fn close_of(close: &Signature) -> Result<TokenStream> {
    if close.receiver().is_none() || close.inputs.len() != 1 {
        return Err(Error::new(close.ident.span(), "`close` takes `&self` and nothing else"));
    }
    let wait = close.asyncness.map(|_| quote!(.await));
    let span = close.ident.span();
    Ok(quote_spanned! {span=>
        fn close(
            self: ::std::sync::Arc<Self>,
        ) -> ::executor_runtime::derived::BoxFuture<
            'static,
            ::core::result::Result<(), ::executor_runtime::Failure>,
        > {
            ::std::boxed::Box::pin(async move {
                ::executor_runtime::derived::Done::done(Self::close(&self) #wait)
            })
        }
    })
}

/// The call of `snapshot` or `restore`.
fn state_hook_of(hook: &Signature) -> Result<TokenStream> {
    let ident = &hook.ident;
    if hook.receiver().is_none() || hook.inputs.len() != 2 {
        let message = format!("`{ident}` takes `&self` and the path of a file, a `&Path`");
        return Err(Error::new(ident.span(), message));
    }
    let span = ident.span();
    let run = if hook.asyncness.is_some() {
        quote_spanned! {span=>
            ::std::boxed::Box::pin(async move {
                ::executor_runtime::derived::Done::done(Self::#ident(&self, &file).await)
            })
        }
    } else {
        quote_spanned! {span=>
            ::executor_runtime::derived::blocking(move || {
                ::executor_runtime::derived::Done::done(Self::#ident(&self, &file))
            })
        }
    };
    Ok(quote_spanned! {span=>
        fn #ident(
            self: ::std::sync::Arc<Self>,
            file: ::std::path::PathBuf,
        ) -> ::executor_runtime::derived::BoxFuture<
            'static,
            ::core::result::Result<(), ::executor_runtime::Failure>,
        > {
            #run
        }
    })
}

/// The name of an argument, without the underscore of one that is not used.
pub(crate) fn argument_name(pattern: &Pat) -> Result<String> {
    match pattern {
        Pat::Ident(name) => Ok(bare(&name.ident).trim_start_matches('_').to_owned()),
        other => Err(Error::new(other.span(), "arguments are known by their names, so this one needs one")),
    }
}
