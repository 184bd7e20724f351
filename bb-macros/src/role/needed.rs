//! `<Trait>Needed`: what a component holds of another one, whose methods it calls.

use super::parse::Method;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// `IndexNeeded` of `Index`.
pub fn name(role: &Ident) -> Ident {
    format_ident!("{role}Needed", span = role.span())
}

/// The type, and a function for each method of the role.
pub fn needed(
    vis: &syn::Visibility,
    role: &Ident,
    own: &[Ident],
    bounded: &[syn::TypeParam],
    all: &[Method],
) -> TokenStream {
    let (name, text) = (name(role), role.to_string());
    let calls = all.iter().map(call);
    let doc = format!(
        "A [`{text}`] that a component needs: a field of the name that `needs(…)` says. It is handed over where the node \
         starts; before, every call fails."
    );
    quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        #vis struct #name<#(#own),*>(::bb::__private::Needed, ::core::marker::PhantomData<fn() -> (#(#own,)*)>);
        impl<#(#own),*> ::core::default::Default for #name<#(#own),*> {
            fn default() -> Self {
                #name(::core::default::Default::default(), ::core::marker::PhantomData)
            }
        }
        impl<#(#own),*> ::core::fmt::Debug for #name<#(#own),*> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { ::core::fmt::Debug::fmt(&self.0, f) }
        }
        #[allow(dead_code)]
        impl<#(#bounded),*> #name<#(#own),*> {
            #(#calls)*
            /// This component, for a test of one that needs it.
            pub fn of<X: #role<#(#own),*> + ::core::marker::Send + 'static>(component: X) -> Self {
                let component = <dyn #role<#(#own),*> as ::bb::__private::Accepts<X>>::component(component);
                let needed = ::bb::__private::Needed::new(::bb::__private::Held::new(component), #text, "a test");
                #name(needed, ::core::marker::PhantomData)
            }
        }
        #[diagnostic::do_not_recommend]
        impl<#(#bounded),*> ::bb::__private::Holds<dyn #role<#(#own),*>> for #name<#(#own),*> {
            fn place(&mut self) -> &mut ::bb::__private::Needed { &mut self.0 }
        }
    }
}

fn call(m: &Method) -> TokenStream {
    let (method, docs, text) = (&m.ident, &m.docs, m.ident.to_string());
    let results = m.signature.results_type();
    let types: Vec<_> = m.signature.inputs.iter().map(|(_, ty)| ty).collect();
    let read = match m.signature.results.as_slice() {
        [one] => quote!(<#one as ::bb::__private::Typed>::from_values(inputs)),
        [] => quote!({
            inputs.next();
            ::core::result::Result::Ok(())
        }),
        many => quote!(::core::result::Result::Ok((#(<#many as ::bb::__private::Typed>::from_values(inputs)?),*))),
    };
    let names: Vec<_> = (0..m.signature.inputs.len()).map(|i| format_ident!("a{i}")).collect();
    quote! {
        #(#docs)*
        ///
        /// # Errors
        /// What it says, or that it panicked: then it is gone. Passed on with `?`, it is why the op that runs fails.
        pub fn #method(&mut self, #(#names: #types),*) -> ::core::result::Result<#results, ::bb::__private::OpError> {
            #[allow(unused_mut)]
            let mut values = ::std::vec::Vec::new();
            #(<#types as ::bb::__private::Typed>::into_values(#names, &mut values);)*
            self.0.call(#text, values, |inputs| { #read })
        }
    }
}
