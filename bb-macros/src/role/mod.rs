//! `#[bb::role]`: the trait, `<Trait>At<Class>` whose methods record ops, and how a component is called.

pub mod op;
mod signature;

use crate::context;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use signature::{Recording, Signature};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, ItemTrait, TraitItem, TraitItemFn};

struct Method {
    ident: Ident,
    docs: Vec<Attribute>,
    inline: bool,
    signature: Signature,
}

/// What a role is called in a program: shipped ones by their name, others with their package.
fn tail(name: &Ident) -> String {
    if context::in_bb_itself() { name.to_string() } else { format!("{}.{name}", context::package().replace('-', "_")) }
}

pub fn expand(mut item: ItemTrait) -> TokenStream {
    let methods = match parse(&mut item) {
        Ok(methods) => methods,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let (name, vis) = (&item.ident, &item.vis);
    let text = name.to_string();
    let role = tail(name);
    let handle = format_ident!("{name}At", span = name.span());
    // A role may have parameters of its own: `PeerSelector<C>` becomes `PeerSelectorAt<At, C>`.
    let own: Vec<_> = item.generics.type_params().map(|p| p.ident.clone()).collect();
    let bounded: Vec<_> = item.generics.type_params().cloned().collect();
    let marker = quote!(::core::marker::PhantomData<fn() -> (At, #(#own,)*)>);
    let recorders = methods.iter().map(|m| recorder(m, &role));
    let component = component(name, &own, &bounded, &methods);
    let message = format!("`{{Self}}` does not play the role `{text}`");
    let label = format!("not a `{text}`");
    let note = format!("write `impl {text} for {{Self}}`");
    let doc = format!("A [`{text}`] bound on every peer of class `At`.");
    quote! {
        #[diagnostic::on_unimplemented(message = #message, label = #label, note = #note)]
        #item
        #[doc = #doc]
        #vis struct #handle<At #(, #own)*>(::bb::__private::SiteRef, #marker);
        impl<At #(, #own)*> Copy for #handle<At #(, #own)*> {}
        impl<At #(, #own)*> Clone for #handle<At #(, #own)*> { fn clone(&self) -> Self { *self } }
        impl<At: ::bb::PeerClass #(, #bounded)*> #handle<At #(, #own)*> { #(#recorders)* }
        impl<At: ::bb::PeerClass #(, #bounded)*> ::bb::__private::Param for #handle<At #(, #own)*> {
            fn declare(name: &'static str) -> Self {
                #handle(::bb::__private::declare_slot(At::NAME, name, #role), ::core::marker::PhantomData)
            }
            fn site(self) -> ::bb::__private::SiteRef { self.0 }
            fn info() -> ::bb::__private::ParamInfo {
                ::bb::__private::ParamInfo {
                    slot: ::core::option::Option::Some(::std::string::String::from(#role)),
                    class: At::NAME,
                    many: ::bb::__private::Many::One,
                }
            }
        }
        impl<At #(, #bounded)*, X: #name<#(#own),*> + ::core::marker::Send + 'static> ::bb::__private::Accepts<X> for #handle<At #(, #own)*> {
            fn component(component: X) -> ::std::boxed::Box<dyn ::bb::__private::Component> { #component }
        }
    }
}

fn parse(item: &mut ItemTrait) -> syn::Result<Vec<Method>> {
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
    let taken =
        matches!(f.sig.inputs.first(), Some(FnArg::Receiver(r)) if r.reference.is_some() && r.mutability.is_some());
    if !taken {
        return Err(syn::Error::new(f.sig.ident.span(), "a method of a role takes `&mut self`: a component has state"));
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

fn recorder(m: &Method, role: &str) -> TokenStream {
    let (method, docs, text) = (&m.ident, &m.docs, m.ident.to_string());
    let Recording { generics, arguments, output, bounds, place, inputs, trigger } =
        m.signature.recording(Some(&quote!(At)));
    let infos = m.signature.result_infos();
    quote! {
        #(#docs)*
        #[track_caller]
        pub fn #method<#generics>(self, #arguments) -> #output where #bounds {
            ::bb::__private::Values::emit(&mut ::bb::__private::method::<#place>(#role, #text, self.0, &[#inputs], #trigger, &[#infos]))
        }
    }
}

/// `Box<dyn Component>` around a component of type `X`.
fn component(name: &Ident, own: &[Ident], bounded: &[syn::TypeParam], methods: &[Method]) -> TokenStream {
    let role = name.to_string();
    let arms = methods.iter().map(|m| {
        let (method, text) = (&m.ident, m.ident.to_string());
        let types = m.signature.inputs.iter().map(|(_, ty)| ty);
        let names: Vec<_> = (0..m.signature.inputs.len()).map(|i| format_ident!("a{i}")).collect();
        let results = m.signature.results_type();
        quote! {
            #text => {
                #(let #names = ::bb::__private::arguments::<#types>(&mut inputs)?;)*
                let reply = #name::<#(#own),*>::#method(&mut self.0, #(#names),*);
                ::bb::__private::Reply::<#results>::reply(reply).map(::bb::__private::results)
            }
        }
    });
    let inline: Vec<_> = methods.iter().filter(|m| m.inline).map(|m| m.ident.to_string()).collect();
    let inline = if inline.is_empty() { quote!(false) } else { quote!(matches!(method, #(#inline)|*)) };
    quote! {
        struct Playing<X #(, #own)*>(X, ::core::marker::PhantomData<fn() -> (#(#own,)*)>);
        impl<#(#bounded,)* X: #name<#(#own),*> + ::core::marker::Send + 'static> ::bb::__private::Component for Playing<X #(, #own)*> {
            fn run(
                &mut self,
                method: &str,
                inputs: ::std::vec::Vec<::bb::__private::Value>,
            ) -> ::core::result::Result<::std::vec::Vec<::bb::__private::Value>, ::bb::__private::OpError> {
                #[allow(unused_mut, unused_variables)]
                let mut inputs = inputs.into_iter();
                match method {
                    #(#arms)*
                    other => ::core::result::Result::Err(::bb::__private::OpError::new(::std::format!(
                        "the role `{}` has no method `{other}`", #role
                    ))),
                }
            }
            #[allow(unused_variables)]
            fn inline(&self, method: &str) -> bool { #inline }
        }
        ::std::boxed::Box::new(Playing::<X #(, #own)*>(component, ::core::marker::PhantomData))
    }
}
