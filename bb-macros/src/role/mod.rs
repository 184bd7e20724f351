//! `#[bb::role]`: the trait, `<Trait>At<Class>` whose methods record ops, and how a component is called.

mod component;
pub mod named;
mod needed;
pub mod op;
mod parse;
mod signature;

use crate::context;
use component::component;
use parse::{Method, parse};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use signature::Recording;
use syn::{ItemTrait, TraitItem, parse_quote};

/// What a role is called in a program: shipped ones by their name, others with their package.
fn tail(name: &Ident) -> String {
    if context::in_bb_itself() { name.to_string() } else { format!("{}.{name}", context::package().replace('-', "_")) }
}

/// What every component may do besides playing its role.
fn besides() -> [TraitItem; 3] {
    [
        parse_quote! {
            /// What this component holds, for a node that survives a crash; nothing by default.
            fn checkpoint(&self) -> ::core::option::Option<::std::vec::Vec<u8>> { ::core::option::Option::None }
        },
        parse_quote! {
            /// Puts back what `checkpoint` gave, when the node is started again.
            ///
            /// # Errors
            /// Says what is wrong with the bytes; the node does not start.
            fn restore(&mut self, state: &[u8]) -> ::core::result::Result<(), ::bb::OpError> {
                let _ = state;
                ::core::result::Result::Err(::bb::OpError::new("it keeps no state"))
            }
        },
        parse_quote! {
            #[doc(hidden)]
            fn __needs(&mut self) -> ::std::vec::Vec<::bb::__private::Need<'_>> { ::std::vec::Vec::new() }
        },
    ]
}

pub fn expand(mut item: ItemTrait) -> TokenStream {
    let methods = match parse(&mut item) {
        Ok(methods) => methods,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    item.items.extend(besides());
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
    let needed = needed::needed(vis, name, &own, &bounded, &methods);
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
        impl<At: ::bb::PeerClass #(, #bounded)*> #handle<At #(, #own)*> {
            #(#recorders)*
            /// A component that the program itself names: built by `Default` where the node starts, unless something is
            /// bound in its place. The same name is the same component, wherever it is said.
            #[track_caller]
            pub fn concrete<X: #name<#(#own),*> + ::bb::Storage>(name: &'static str) -> Self {
                #handle(::bb::__private::concrete::<X>(At::NAME, name), ::core::marker::PhantomData)
            }
        }
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
        impl<#(#bounded,)* X: #name<#(#own),*> + ::core::marker::Send + 'static> ::bb::__private::Accepts<X> for dyn #name<#(#own),*> {
            fn component(component: X) -> ::std::boxed::Box<dyn ::bb::__private::Component> { #component }
        }
        impl<#(#bounded),*> ::bb::__private::RoleName for dyn #name<#(#own),*> {
            const ROLE: &'static str = #role;
        }
        impl<At #(, #bounded)*, X: #name<#(#own),*> + ::core::marker::Send + 'static> ::bb::__private::Accepts<X> for #handle<At #(, #own)*> {
            fn component(component: X) -> ::std::boxed::Box<dyn ::bb::__private::Component> {
                <dyn #name<#(#own),*> as ::bb::__private::Accepts<X>>::component(component)
            }
        }
        #needed
    }
}

fn recorder(m: &Method, role: &str) -> TokenStream {
    let (method, docs, text) = (&m.ident, &m.docs, m.ident.to_string());
    let Recording { generics, arguments, output, bounds, place, inputs, trigger } =
        m.signature.recording(Some(&quote!(At)));
    let (infos, emitted) = (m.signature.result_infos(), m.signature.emitted(&place));
    quote! {
        #(#docs)*
        #[track_caller]
        pub fn #method<#generics>(self, #arguments) -> #output where #bounds {
            let mut source = ::bb::__private::method::<#place>(#role, #text, self.0, &[#inputs], #trigger, &[#infos]);
            #emitted
        }
    }
}
