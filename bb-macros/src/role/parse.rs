//! A role's methods, checked: every fault is told, each on its token.

use super::signature::Signature;
use proc_macro2::Ident;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, ItemTrait, TraitItem, TraitItemFn};

/// A method of a role.
pub struct Method {
    pub ident: Ident,
    pub docs: Vec<Attribute>,
    pub inline: bool,
    pub signature: Signature,
}

pub fn parse(item: &mut ItemTrait) -> syn::Result<Vec<Method>> {
    let mut errors: Option<syn::Error> = None;
    let mut refuse = |error: syn::Error| match &mut errors {
        Some(all) => all.combine(error),
        None => errors = Some(error),
    };
    let mut methods = Vec::new();
    for member in &mut item.items {
        let TraitItem::Fn(f) = member else {
            refuse(syn::Error::new(
                member.span(),
                "a role has methods alone\n  help: put constants and types into the component",
            ));
            continue;
        };
        match method(f) {
            Ok(method) => methods.push(method),
            Err(error) => refuse(error),
        }
    }
    match errors {
        Some(errors) => Err(errors),
        None => Ok(methods),
    }
}

fn method(f: &mut TraitItemFn) -> syn::Result<Method> {
    if f.sig.ident == "checkpoint" || f.sig.ident == "restore" {
        let message =
            "every role has this method: it keeps and puts back a component's state\n  help: choose another name";
        return Err(syn::Error::new(f.sig.ident.span(), message));
    }
    if f.sig.ident == "concrete" {
        let message = "every role has this function: it names a component in a program\n  help: choose another name";
        return Err(syn::Error::new(f.sig.ident.span(), message));
    }
    if f.sig.ident == "of" {
        let message = "what another component calls this role by has this function\n  help: choose another name";
        return Err(syn::Error::new(f.sig.ident.span(), message));
    }
    let taken =
        matches!(f.sig.inputs.first(), Some(FnArg::Receiver(r)) if r.reference.is_some() && r.mutability.is_some());
    if !taken {
        return Err(syn::Error::new(
            f.sig.ident.span(),
            "a method of a role takes `&mut self`: a component has state\n  help: make `&mut self` the first parameter",
        ));
    }
    if !f.sig.generics.params.is_empty() {
        let message = "a method of a role has one signature, so it is not generic\n  help: write it for the types it is used with, or give the role the parameter";
        return Err(syn::Error::new_spanned(&f.sig.generics, message));
    }
    if let Some(token) = &f.sig.asyncness {
        let message =
            "a method of a role is not `async`: it runs on a thread of its own and may block\n  help: remove `async`";
        return Err(syn::Error::new(token.span(), message));
    }
    let is_bb = |a: &Attribute| a.path().is_ident("bb");
    let mut inline = false;
    for attribute in f.attrs.iter().filter(|a| is_bb(a)) {
        attribute.parse_nested_meta(|meta| {
            inline = meta.path.is_ident("inline");
            if inline { Ok(()) } else { Err(meta.error("a method can be marked `#[bb(inline)]`, nothing else")) }
        })?;
    }
    f.attrs.retain(|a| !is_bb(a));
    let docs = f.attrs.iter().filter(|a| a.path().is_ident("doc")).cloned().collect();
    Ok(Method { ident: f.sig.ident.clone(), docs, inline, signature: Signature::parse(&f.sig)? })
}
