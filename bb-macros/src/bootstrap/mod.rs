//! `#[bb::bootstrap(root)]`: registered beside its root module, and recorded whenever that is.

use crate::context;
use crate::module::parse::{Errors, fingerprint, parameters};
use crate::module::replay;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemFn, Path, ReturnType, Type};

/// A bootstrap, taken apart.
struct Bootstrap {
    item: ItemFn,
    root: Path,
    /// What it is called where it is recorded.
    name: String,
    hash: String,
    params: Vec<(Ident, Type)>,
}

pub fn expand(root: TokenStream, item: ItemFn) -> TokenStream {
    let bootstrap = match parse(root, item.clone()) {
        Ok(bootstrap) => bootstrap,
        // The user's item stays, so that one mistake is one message.
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#[allow(dead_code, unused_variables)] #item #error);
        }
    };
    let registered = registered(&bootstrap);
    let Bootstrap { item, name, hash, .. } = &bootstrap;
    let out = if context::in_build_script() { None } else { context::mounted() };
    let errors = out.map(|out| replay::errors(name, item, hash, &out));
    quote! {
        #[allow(dead_code)]
        #item
        #registered
        #errors
    }
}

fn parse(root: TokenStream, item: ItemFn) -> syn::Result<Bootstrap> {
    let span = if root.is_empty() { Span::call_site() } else { root.span() };
    let root: Path = syn::parse2(root).map_err(|_| {
        syn::Error::new(span, "a bootstrap says whose it is\n  help: `#[bb::bootstrap(round)]` for a module `round`")
    })?;
    let mut errors = Errors::default();
    let (graph, params) = parameters(&item, "bootstrap", &mut errors);
    if graph.is_none() {
        let text = "a bootstrap takes `graph: &Graph` first: its operations wait for it\n  help: add the parameter";
        errors.refuse(item.sig.ident.span(), text);
    }
    if params.is_empty() && !names_components(item.block.to_token_stream()) {
        let text = "a bootstrap takes at least one component of its module\n  help: by the name it has there, or as the program names it: `concrete`";
        errors.refuse(item.sig.ident.span(), text);
    }
    if !item.sig.generics.params.is_empty() {
        let text =
            "a bootstrap is not generic: its module is one program\n  help: write it for the types it is used with";
        errors.refuse(item.sig.generics.span(), text);
    }
    if let ReturnType::Type(_, ty) = &item.sig.output {
        let text = "a bootstrap gives nothing back: what it does, it does to components\n  help: remove the type";
        errors.refuse(ty.span(), text);
    }
    let last = root.segments.last().expect("a path has a segment");
    let name = format!("{}__bootstrap", last.ident);
    let hash = fingerprint(&item);
    errors.unless(Bootstrap { item, root, name, hash, params })
}

/// Whether a component is named by its type: then it need not be a parameter.
fn names_components(body: TokenStream) -> bool {
    body.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "concrete",
        TokenTree::Group(group) => names_components(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn registered(b: &Bootstrap) -> TokenStream {
    let Bootstrap { item, root, name, hash, params } = b;
    let ident = &item.sig.ident;
    let (names, types): (Vec<_>, Vec<_>) = params.iter().cloned().unzip();
    let texts: Vec<_> = names.iter().map(|n| n.to_string()).collect();
    // Where rustc says a call is, that token is.
    let here = |span: Span| quote_spanned!(span=> ::bb::__private::here());
    let places: Vec<_> = names.iter().map(|n| here(n.span())).collect();
    let at = here(ident.span());
    let root = root.to_token_stream();
    quote! {
        ::bb::__private::inventory::submit! {
            ::bb::__private::Bootstrap {
                name: #name,
                path: module_path!(),
                hash: #hash,
                root: || ::core::any::type_name_of_val(&#root),
                at: || #at,
                record: |root| {
                    ::bb::__private::bootstrap(
                        #name,
                        root,
                        &[#(#texts),*],
                        &[#(#places),*],
                        |graph, (#(#names,)*): (#(#types,)*)| #ident(graph, #(#names),*),
                    )
                },
            }
        }
    }
}
