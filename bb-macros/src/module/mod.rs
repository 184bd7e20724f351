//! `#[bb::module]`: registered in the build script; handles and replayed faults in the crate.

mod callable;
mod handles;
pub mod parse;
pub mod replay;

use crate::context;
use callable::{callable, registered};
use parse::parse;
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ItemFn;

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
    // `OUT_DIR` keeps what an earlier build script wrote; only the one that ran says `bb`.
    let message = format!(
        "bb[BB0100]: module `{}` is as an earlier build left it\n  help: mount its file in build.rs: `bb::build!(..);`",
        module.name
    );
    let stale = quote_spanned! {ident.span()=>
        #[allow(unexpected_cfgs)]
        #[cfg(not(bb))]
        ::core::compile_error!(#message);
    };
    let errors = replay::errors(&module.name, &module.item, &module.hash, &out);
    // What the lines say is another module of this name's.
    if lines.iter().any(|l| l.get(1) == Some(&"double") && l.get(2) == Some(&module.hash.as_str())) {
        return quote!(#callable #stale #errors);
    }
    let handles = handles::expand(&module, &lines);
    quote!(#callable #stale #errors #handles)
}
