//! What the types of a function's result say.

use syn::visit_mut::VisitMut;
use syn::{GenericArgument, PathArguments, Type};

/// The first argument of `wrapper<…>`.
pub(crate) fn argument_of<'a>(ty: &'a Type, wrapper: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The `T` of a `Result<T, …>`.
pub(crate) fn result_of(ty: &Type) -> Option<&Type> {
    argument_of(ty, "Result")
}

/// The `T` of a `Stream<Item = T>`, wherever in the type it stands.
pub(crate) fn stream_item(ty: &Type) -> Option<Type> {
    struct Find(Option<Type>);
    impl VisitMut for Find {
        fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
            if segment.ident == "Stream"
                && let PathArguments::AngleBracketed(arguments) = &segment.arguments
            {
                for argument in &arguments.args {
                    if let GenericArgument::AssocType(item) = argument
                        && item.ident == "Item"
                    {
                        self.0 = Some(item.ty.clone());
                    }
                }
            }
            syn::visit_mut::visit_path_segment_mut(self, segment);
        }
    }
    let mut find = Find(None);
    find.visit_type_mut(&mut ty.clone());
    find.0
}
