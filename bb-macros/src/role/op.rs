//! `#[bb::op]`: a stateless function as an op. Its kernel is registered in the crate, never in the build script.

use super::signature::{Recording, Signature};
use crate::context;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ItemFn;

pub fn expand(item: ItemFn) -> TokenStream {
    let signature = match check(&item) {
        Ok(signature) => signature,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let (vis, name, text) = (&item.vis, &item.sig.ident, item.sig.ident.to_string());
    let docs = item.attrs.iter().filter(|a| a.path().is_ident("doc"));
    let package = context::package().replace('-', "_");
    let Recording { generics, arguments, output, bounds, place, inputs, .. } = signature.recording(None);
    let (infos, emitted) = (signature.result_infos(), signature.emitted(&place));
    let kernel = (!context::in_build_script()).then(|| kernel(&item, &signature, &package));
    quote! {
        #(#docs)*
        #[track_caller]
        #vis fn #name<#generics>(#arguments) -> #output where #bounds {
            let mut source = ::bb::__private::own_op::<#place>(#package, #text, &[#inputs], &[#infos]);
            #emitted
        }
        #kernel
    }
}

fn check(item: &ItemFn) -> syn::Result<Signature> {
    if !item.sig.generics.params.is_empty() {
        let message = "an op has one signature, so it is not generic\n  help: write it for the types it is used with, or as a helper of other ops";
        return Err(syn::Error::new_spanned(&item.sig.generics, message));
    }
    let signature = Signature::parse(&item.sig)?;
    if signature.inputs.is_empty() {
        let message = "an op takes at least one value: where it lives says where the op runs\n  help: without inputs it is a method of a role, or a constant";
        return Err(syn::Error::new(item.sig.ident.span(), message));
    }
    Ok(signature)
}

fn kernel(item: &ItemFn, signature: &Signature, package: &str) -> TokenStream {
    let (name, text) = (&item.sig.ident, item.sig.ident.to_string());
    let names: Vec<_> = (0..signature.inputs.len()).map(|i| format_ident!("a{i}")).collect();
    let results = signature.results_type();
    let (arguments, write) = (signature.arguments(), signature.outputs());
    quote! {
        const _: () = {
            #item
            fn kernel(
                inputs: &mut [::bb::__private::Value],
                outputs: &mut ::std::vec::Vec<::bb::__private::Value>,
            ) -> ::core::result::Result<(), ::bb::__private::OpError> {
                // Taken, not cloned: a value that nobody else holds can be changed in place.
                let mut inputs = inputs.iter_mut().map(|v| ::core::mem::replace(v, ::bb::__private::Value::Absent));
                #arguments
                let results = ::bb::__private::Reply::<#results>::reply(#name(#(#names),*))?;
                #write
                ::core::result::Result::Ok(())
            }
            ::bb::__private::inventory::submit! {
                ::bb::__private::RegisteredKernel(::bb::__private::KernelEntry {
                    domain: ::bb::ir::own_op_domain!(#package),
                    op: #text,
                    build: |_| ::core::result::Result::Ok(::std::boxed::Box::new(kernel)),
                })
            }
        };
    }
}
