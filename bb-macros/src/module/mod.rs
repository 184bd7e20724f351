//! `#[bb::module]`: registered in the build script; handles and replayed faults in the crate.

mod handles;
mod replay;

use crate::context;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ItemFn, Pat, ReturnType, Type};

/// A module's function, taken apart.
pub struct Module {
    pub item: ItemFn,
    pub name: String,
    /// Of its tokens: a fault found in others is stale.
    pub hash: String,
    /// The right to send: a module without it cannot hold a wire.
    pub graph: Option<FnArg>,
    /// The parameters behind it.
    pub params: Vec<(Ident, Type)>,
    pub output: TokenStream,
}

pub fn expand(item: ItemFn) -> TokenStream {
    let module = match parse(item.clone()) {
        Ok(module) => module,
        // The user's item stays, so that one mistake is one message.
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#[allow(unused_variables)] #item #error);
        }
    };
    let callable = callable(&module);
    if !module.item.sig.generics.params.is_empty() {
        return callable; // A generic module is a fragment: recorded where it is called.
    }
    if context::in_build_script() {
        let registered = registered(&module);
        return quote!(#callable #registered);
    }
    let ident = &module.item.sig.ident;
    let Some(out) = context::mounted() else {
        let vis = &module.item.vis;
        return quote! {
            #callable
            #[allow(dead_code)]
            #[doc(hidden)]
            #vis mod #ident {
                /// This module has not been built, so no peer can be started from it: write `bb::build!(..);` with the name
                /// of its file into `build.rs`. Without it the module is a fragment, callable from other modules.
                pub struct NotBuilt;
            }
        };
    };
    let shapes = std::fs::read_to_string(out.join("bb.shapes")).unwrap_or_default();
    let path = |line: &&str| line.split('\t').next() == Some(module.name.as_str());
    let lines: Vec<Vec<&str>> = shapes.lines().filter(path).map(|l| l.split('\t').collect()).collect();
    if lines.is_empty() {
        let name = &module.name;
        let message = format!(
            "bb[BB0100]: module `{name}` was not recorded\n  help: mount its file in build.rs: `bb::build!(..);`"
        );
        let error = quote_spanned!(ident.span()=> #[cfg(not(test))] ::core::compile_error!(#message););
        return quote!(#callable #error);
    }
    let errors = replay::errors(&module, &out);
    // What the lines say is another module of this name's.
    if lines.iter().any(|l| l.get(1) == Some(&"double") && l.get(2) == Some(&module.hash.as_str())) {
        return quote!(#callable #errors);
    }
    let handles = handles::expand(&module, &lines);
    quote!(#callable #errors #handles)
}

fn parse(item: ItemFn) -> syn::Result<Module> {
    let mut errors: Option<syn::Error> = None;
    let mut refuse = |span: proc_macro2::Span, message: &str| {
        let error = syn::Error::new(span, message);
        match &mut errors {
            Some(all) => all.combine(error),
            None => errors = Some(error),
        }
    };
    if let Some(token) = &item.sig.asyncness {
        refuse(
            token.span(),
            "a module is recorded while the crate builds, so it cannot be `async`\n  help: remove `async`; the call of a started module is what you await",
        );
    }
    let takes_graph = |a: &FnArg| matches!(a, FnArg::Typed(a) if matches!(*a.ty, Type::Reference(_)));
    let graph = item.sig.inputs.first().filter(|a| takes_graph(a)).cloned();
    let mut params = Vec::new();
    for argument in item.sig.inputs.iter().skip(usize::from(graph.is_some())) {
        match argument {
            FnArg::Receiver(token) => {
                refuse(
                    token.span(),
                    "a module is a free function\n  help: move it out of the `impl`, and pass components as parameters",
                );
            }
            FnArg::Typed(a) => match (&*a.pat, &*a.ty) {
                (_, Type::Reference(_)) => refuse(
                    a.ty.span(),
                    "a module takes values and components, not references\n  help: only `graph: &Graph`, the first parameter, is one",
                ),
                (Pat::Ident(p), ty) if p.by_ref.is_none() && p.subpat.is_none() => {
                    params.push((p.ident.clone(), ty.clone()))
                }
                (pattern, _) => refuse(
                    pattern.span(),
                    "a parameter of a module has a name\n  help: take it apart in the body: `let (a, b) = pair;`",
                ),
            },
        }
    }
    if params.is_empty() && item.sig.inputs.len() == usize::from(graph.is_some()) {
        refuse(
            item.sig.ident.span(),
            "a module has at least one input: where it lives is where a call starts\n  help: for \"just start\" take `start: On<Server, ()>`",
        );
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    let output = match &item.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, t) => t.to_token_stream(),
    };
    Ok(Module { name: item.sig.ident.to_string(), hash: fingerprint(&item), graph, params, output, item })
}

/// The function as the user wrote it, its body verbatim, recording a call to itself.
fn callable(m: &Module) -> TokenStream {
    let ItemFn { attrs, vis, sig, block } = &m.item;
    let (name, output) = (&m.name, &m.output);
    let names: Vec<_> = m.params.iter().map(|p| &p.0).collect();
    let texts: Vec<_> = names.iter().map(|n| n.to_string()).collect();
    let (graph, start) = match &m.graph {
        Some(FnArg::Typed(a)) => {
            let pattern = &a.pat;
            (quote!(#pattern), quote!(::core::option::Option::Some(#pattern)))
        }
        _ => (quote!(_), quote!(::core::option::Option::None)),
    };
    quote! {
        #(#attrs)*
        // A module has as many parameters as the program has inputs and components.
        #[allow(dead_code, clippy::too_many_arguments, clippy::type_complexity)]
        #[track_caller]
        #vis #sig {
            ::bb::__private::call(#name, &[#(#texts),*], #start, (#(#names,)*), |#graph, (#(#names,)*)| -> #output #block)
        }
    }
}

fn registered(m: &Module) -> TokenStream {
    let (ident, name, hash) = (&m.item.sig.ident, &m.name, &m.hash);
    let program = match &m.graph {
        Some(_) => quote!(#ident),
        None => {
            let (names, types): (Vec<_>, Vec<_>) = m.params.iter().cloned().unzip();
            quote!(|_: &::bb::Graph, #(#names: #types),*| #ident(#(#names),*))
        }
    };
    quote! {
        ::bb::__private::inventory::submit! {
            ::bb::__private::Module { name: #name, path: module_path!(), hash: #hash, record: || ::bb::record(#program) }
        }
    }
}

fn fingerprint(item: &ItemFn) -> String {
    let text = item.to_token_stream().to_string();
    let hash = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}
