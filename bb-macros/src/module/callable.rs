//! The function that records a call of itself, and its entry in the build script's list.

use super::parse::Module;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{FnArg, ItemFn};

/// The function as the user wrote it, its body verbatim, recording a call to itself.
pub fn callable(m: &Module) -> TokenStream {
    let ItemFn { attrs, vis, sig, block } = &m.item;
    let (name, output) = (&m.name, &m.output);
    let (names, types): (Vec<_>, Vec<_>) = m.params.iter().map(|(name, ty)| (name, ty)).unzip();
    let texts: Vec<_> = names.iter().map(|n| n.to_string()).collect();
    // Where rustc says a call is, that token is.
    let places = names.iter().map(|n| quote_spanned!(n.span()=> ::bb::__private::here()));
    let (graph, start) = match &m.graph {
        Some(FnArg::Typed(a)) => {
            let pattern = &a.pat;
            (quote!(#pattern), quote!(::core::option::Option::Some(#pattern)))
        }
        _ => (quote!(_), quote!(::core::option::Option::None)),
    };
    let count = names.len();
    quote! {
        #(#attrs)*
        // A module has as many parameters as the program has inputs and components.
        #[allow(dead_code, clippy::too_many_arguments, clippy::type_complexity)]
        #[track_caller]
        #vis #sig {
            // In a function of its own: within this one every call is where this one is called.
            fn __bb_places() -> [&'static ::core::panic::Location<'static>; #count] { [#(#places),*] }
            let __bb_parameters = ::bb::__private::Parameters { names: &[#(#texts),*], places: &__bb_places() };
            let __bb_arguments = ((#(::bb::__private::taken::<#types>(),)*), (#(#names,)*));
            let __bb_given = ::bb::__private::given::<#output>();
            ::bb::__private::call(
                #name, __bb_parameters, #start, __bb_arguments, __bb_given, |#graph, (#(#names,)*)| -> #output #block
            )
        }
    }
}

/// In the build script: the module records itself when the crate builds.
pub fn registered(m: &Module) -> TokenStream {
    let (ident, name, hash, output) = (&m.item.sig.ident, &m.name, &m.hash, &m.output);
    let (names, types): (Vec<_>, Vec<_>) = m.params.iter().map(|(name, ty)| (name, ty)).unzip();
    let graph = m.graph.iter().map(|_| quote!(__bb_graph,));
    quote! {
        ::bb::__private::inventory::submit! {
            ::bb::__private::Module {
                name: #name,
                path: module_path!(),
                hash: #hash,
                record: || ::bb::__private::recorded(
                    (#(::bb::__private::taken::<#types>(),)*),
                    ::bb::__private::given::<#output>(),
                    |__bb_graph, (#(#names,)*)| #ident(#(#graph)* #(#names),*),
                ),
            }
        }
    }
}
