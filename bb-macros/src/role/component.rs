//! How a component that plays a role is called: by method name, with untyped values.

use super::parse::Method;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// `Box<dyn Component>` around a component of type `X`.
pub fn component(name: &Ident, own: &[Ident], bounded: &[syn::TypeParam], methods: &[Method]) -> TokenStream {
    let role = name.to_string();
    let arms = methods.iter().map(|m| {
        let (method, text) = (&m.ident, m.ident.to_string());
        let names: Vec<_> = (0..m.signature.inputs.len()).map(|i| format_ident!("a{i}")).collect();
        let results = m.signature.results_type();
        let (arguments, write) = (m.signature.arguments(), m.signature.outputs());
        quote! {
            #text => {
                #arguments
                let reply = #name::<#(#own),*>::#method(&mut self.0, #(#names),*);
                let results = ::bb::__private::Reply::<#results>::reply(reply)?;
                let mut all = ::std::vec::Vec::new();
                let outputs = &mut all;
                #write
                ::core::result::Result::Ok(all)
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
            fn checkpoint(&self) -> ::core::option::Option<::std::vec::Vec<u8>> { #name::<#(#own),*>::checkpoint(&self.0) }
            fn restore(&mut self, state: &[u8]) -> ::core::result::Result<(), ::bb::__private::OpError> {
                #name::<#(#own),*>::restore(&mut self.0, state)
            }
            fn needs(&mut self) -> ::std::vec::Vec<::bb::__private::Need<'_>> { #name::<#(#own),*>::__needs(&mut self.0) }
        }
        ::std::boxed::Box::new(Playing::<X #(, #own)*>(component, ::core::marker::PhantomData))
    }
}
