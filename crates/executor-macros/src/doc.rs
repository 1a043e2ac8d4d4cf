//! `#[derive(Doc)]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Data, DeriveInput, Error, Expr, ExprLit, Fields, Ident, Lit, LitStr, Result, Type};

/// One field of the struct.
struct Field<'a> {
    ident: &'a Ident,
    /// Where its value is kept while the document is read.
    slot: Ident,
    ty: &'a Type,
    name: LitStr,
    description: String,
    default: Option<Default>,
}

/// What `#[document(default)]` asks for.
enum Default {
    OfType,
    Value(Expr),
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "a document is a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new(input.ident.span(), "the fields of a document have names"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new(input.generics.span(), "a document has one schema, so it cannot be generic"));
    }
    let fields = fields.named.iter().map(Field::of).collect::<Result<Vec<_>>>()?;
    check_names(&fields)?;
    let options = Options::of(&input.attrs)?;
    if let Some(default) = options.default {
        return Err(Error::new(default.1, "`default` belongs on a field"));
    }
    let ident = &input.ident;
    let name = options.name.unwrap_or_else(|| LitStr::new(&bare(ident), ident.span()));
    let description = description(&input.attrs);
    let tell = fields.iter().map(Field::tell);
    let slots = fields.iter().map(Field::declare);
    let read = fields.iter().map(Field::read);
    let take = fields.iter().map(Field::take);
    let put = fields.iter().map(Field::put);
    Ok(quote! {
        #[automatically_derived]
        impl ::docarray::Doc for #ident {
            fn name() -> &'static str {
                #name
            }

            fn definition(__definitions: &mut ::docarray::doc::Definitions) -> ::docarray::doc::Json {
                ::docarray::doc::Definition::new(#name, #description)
                    #(#tell)*
                    .finish()
            }

            fn read_fields(
                __fields: ::docarray::doc::Payload,
                __depth: ::docarray::Depth,
            ) -> ::core::result::Result<Self, ::docarray::DocError> {
                #(#slots)*
                for __field in ::docarray::node::fields(__fields) {
                    let (__name, __wire) = __field?;
                    match &*__name {
                        #(#read)*
                        _ => {}
                    }
                }
                ::core::result::Result::Ok(Self { #(#take)* })
            }

            fn write_fields(&self, __to: &mut ::std::vec::Vec<u8>, __form: ::docarray::Form) {
                #(#put)*
            }
        }
    })
}

impl<'a> Field<'a> {
    fn of(field: &'a syn::Field) -> Result<Self> {
        let ident = field.ident.as_ref().ok_or_else(|| Error::new(field.span(), "a field has a name"))?;
        let options = Options::of(&field.attrs)?;
        Ok(Self {
            ident,
            slot: format_ident!("__slot_{}", bare(ident)),
            ty: &field.ty,
            name: options.name.unwrap_or_else(|| LitStr::new(&bare(ident), ident.span())),
            description: description(&field.attrs),
            default: options.default.map(|(default, _)| default),
        })
    }

    /// The value of `#[document(default)]`.
    fn default(&self) -> Option<TokenStream> {
        let ty = self.ty;
        self.default.as_ref().map(|default| match default {
            Default::OfType => quote_spanned!(ty.span()=> <#ty as ::core::default::Default>::default()),
            // A text in quotes may stand for any type made of text; everything else is written as it is.
            Default::Value(value @ Expr::Lit(ExprLit { lit: Lit::Str(_), .. })) => {
                quote_spanned!(value.span()=> ::core::convert::Into::<#ty>::into(#value))
            }
            Default::Value(value) => quote_spanned!(value.span()=> #value),
        })
    }

    /// Its part of the schema.
    fn tell(&self) -> TokenStream {
        let Self { ty, name, description, .. } = self;
        match self.default() {
            None => quote_spanned!(ty.span()=> .field::<#ty>(#name, #description, __definitions)),
            Some(default) => quote_spanned! {ty.span()=>
                .field_or::<#ty>(
                    #name,
                    #description,
                    ::core::option::Option::Some({
                        let default: #ty = #default;
                        default
                    })
                    .as_ref(),
                    __definitions,
                )
            },
        }
    }

    fn declare(&self) -> TokenStream {
        let Self { slot, ty, .. } = self;
        quote!(let mut #slot: ::core::option::Option<#ty> = ::core::option::Option::None;)
    }

    fn read(&self) -> TokenStream {
        let Self { slot, ty, name, .. } = self;
        quote_spanned! {ty.span()=>
            #name => #slot = ::core::option::Option::Some(::docarray::doc::derived::read(#name, __wire, __depth)?),
        }
    }

    fn take(&self) -> TokenStream {
        let Self { ident, slot, name, ty, .. } = self;
        match self.default() {
            None => quote_spanned! {ty.span()=>
                #ident: ::docarray::doc::derived::required(#name, #slot)?,
            },
            Some(default) => quote_spanned! {ty.span()=>
                #ident: match #slot {
                    ::core::option::Option::Some(value) => value,
                    ::core::option::Option::None => #default,
                },
            },
        }
    }

    fn put(&self) -> TokenStream {
        let Self { ident, name, ty, .. } = self;
        quote_spanned!(ty.span()=> ::docarray::doc::derived::put(__to, #name, &self.#ident, __form);)
    }
}

/// What stands in `#[document(…)]`.
struct Options {
    name: Option<LitStr>,
    default: Option<(Default, Span)>,
}

impl Options {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self { name: None, default: None };
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("document")) {
            attribute.parse_nested_meta(|meta| {
                let span = meta.path.span();
                if meta.path.is_ident("name") {
                    options.name = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("default") {
                    let default = match meta.value() {
                        Ok(value) => Default::Value(value.parse()?),
                        Err(_) => Default::OfType,
                    };
                    options.default = Some((default, span));
                } else {
                    return Err(meta.error("expected `name = \"…\"`, `default` or `default = …`"));
                }
                Ok(())
            })?;
        }
        Ok(options)
    }
}

fn check_names(fields: &[Field<'_>]) -> Result<()> {
    for (index, field) in fields.iter().enumerate() {
        if fields[..index].iter().any(|other| other.name.value() == field.name.value()) {
            return Err(Error::new(field.name.span(), "another field has this name"));
        }
    }
    Ok(())
}

/// A name without the `r#` that makes a keyword one.
pub(crate) fn bare(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

/// The text of the doc comments.
fn description(attributes: &[Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            let Expr::Lit(literal) = &attribute.meta.require_name_value().ok()?.value else { return None };
            let Lit::Str(line) = &literal.lit else { return None };
            let line = line.value();
            Some(line.strip_prefix(' ').map_or(line.clone(), str::to_owned))
        });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
