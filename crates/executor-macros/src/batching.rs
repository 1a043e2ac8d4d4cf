//! `dynamic_batching(…)` in `#[requests]`: how calls of a function are gathered.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{LitBool, LitInt, Path, Result, Type};

/// What stands between the parentheses.
#[derive(Default)]
pub(crate) struct Batching {
    /// Where it stands.
    span: Option<Span>,
    preferred_batch_size: Option<LitInt>,
    timeout: Option<LitInt>,
    flush_all: bool,
    custom_metric: Option<Path>,
    isolate_errors: bool,
}

impl Batching {
    pub(crate) fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let mut batching = Self { span: Some(meta.path.span()), ..Self::default() };
        let mut said = Vec::new();
        meta.parse_nested_meta(|meta| {
            if let Some(name) = meta.path.get_ident() {
                if said.contains(name) {
                    return Err(meta.error(format!("`{name}` is said twice")));
                }
                said.push(name.clone());
            }
            if meta.path.is_ident("preferred_batch_size") {
                let size: LitInt = meta.value()?.parse()?;
                if size.base10_parse::<usize>()? == 0 {
                    return Err(syn::Error::new(size.span(), "a batch holds one document at least"));
                }
                batching.preferred_batch_size = Some(size);
            } else if meta.path.is_ident("timeout") {
                let timeout: LitInt = meta.value()?.parse()?;
                timeout.base10_parse::<u64>()?;
                batching.timeout = Some(timeout);
            } else if meta.path.is_ident("custom_metric") {
                batching.custom_metric = Some(meta.value()?.parse()?);
            } else if meta.path.is_ident("flush_all") {
                batching.flush_all = flag(&meta)?;
            } else if meta.path.is_ident("isolate_errors") {
                batching.isolate_errors = flag(&meta)?;
            } else {
                return Err(meta.error(
                    "expected `preferred_batch_size`, `timeout` (milliseconds), `flush_all`, `custom_metric` or \
                     `isolate_errors`",
                ));
            }
            Ok(())
        })?;
        Ok(batching)
    }

    pub(crate) fn span(&self) -> Span {
        self.span.unwrap_or_else(Span::call_site)
    }

    /// The expression that makes the `Authored` of a function over documents of type `document`.
    pub(crate) fn expand(batching: Option<&Self>, document: &Type) -> TokenStream {
        let check = quote!(::core::option::Option::Some(::executor_runtime::derived::check::<#document>));
        let none = quote!(::core::option::Option::None);
        let Some(Self { preferred_batch_size, timeout, flush_all, custom_metric, isolate_errors, .. }) =
            batching
        else {
            return quote! {
                ::executor_runtime::Authored {
                    batching: #none,
                    weigh: #none,
                    check: #check,
                    isolate_errors: false,
                }
            };
        };
        let some = |value: TokenStream| quote!(::core::option::Option::Some(#value));
        let size = preferred_batch_size.as_ref().map_or(none.clone(), |size| some(quote!(#size)));
        let timeout = timeout
            .as_ref()
            .map_or(none.clone(), |timeout| some(quote!(::core::time::Duration::from_millis(#timeout))));
        let weigh = custom_metric.as_ref().map_or(none.clone(), |metric| {
            some(quote!(|doc| ::executor_runtime::derived::weigh::<#document>(doc, #metric)))
        });
        quote! {
            ::executor_runtime::Authored {
                batching: ::core::option::Option::Some(::executor_runtime::Batching {
                    preferred_batch_size: #size,
                    timeout: #timeout,
                    flush_all: ::core::option::Option::Some(#flush_all),
                    use_custom_metric: #none,
                    use_dynamic_batching: #none,
                }),
                weigh: #weigh,
                check: #check,
                isolate_errors: #isolate_errors,
            }
        }
    }
}

/// `name` or `name = true`.
fn flag(meta: &ParseNestedMeta<'_>) -> Result<bool> {
    if meta.input.peek(syn::Token![=]) {
        return Ok(meta.value()?.parse::<LitBool>()?.value);
    }
    Ok(true)
}
