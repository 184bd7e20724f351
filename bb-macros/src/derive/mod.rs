//! The derives.

pub mod wire_type;

use crate::module::parse::{Errors, short};
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataStruct, DeriveInput, Fields};

pub fn peer(item: &DeriveInput) -> TokenStream {
    let name = &item.ident;
    let text = name.to_string();
    if !matches!(&item.data, Data::Struct(DataStruct { fields: Fields::Unit, .. })) || !item.generics.params.is_empty()
    {
        let message = "a class of peers is a struct without fields\n  help: `#[derive(bb::Peer)] pub struct Server;`";
        return syn::Error::new(name.span(), message).to_compile_error();
    }
    let mut errors = Errors::default();
    short(name, "class of peers", &mut errors);
    let errors = errors.unless(()).err().map(|e| e.to_compile_error());
    quote! {
        #errors
        impl ::bb::Place for #name {
            type Class = #name;
            type Kind = ::bb::__private::OneOf<#name>;
            type Sender<D: ::bb::PeerClass> = ::bb::Peer<D>;
            const MANY: ::bb::__private::Many = ::bb::__private::Many::One;
        }
        impl ::bb::PeerClass for #name { const NAME: &'static str = #text; }
    }
}

pub fn dim(item: &DeriveInput) -> TokenStream {
    let name = &item.ident;
    let text = name.to_string();
    quote! {
        impl ::bb::Dim for #name {
            fn dim() -> ::bb::__private::IrDim { ::bb::__private::IrDim::Named(::std::string::String::from(#text)) }
        }
    }
}

pub fn values(item: &DeriveInput) -> TokenStream {
    let name = &item.ident;
    let (i, t, w) = item.generics.split_for_impl();
    let Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) = &item.data else {
        let message = "`bb::Values` is for structs with named fields\n  help: give back a tuple, or name the fields";
        return syn::Error::new(name.span(), message).to_compile_error();
    };
    let names: Vec<_> = fields.named.iter().filter_map(|f| f.ident.as_ref()).collect();
    let texts: Vec<_> = names.iter().map(|n| n.to_string()).collect();
    let types: Vec<_> = fields.named.iter().map(|f| &f.ty).collect();
    let index = 0..names.len();
    quote! {
        impl #i ::bb::__private::Values for #name #t #w {
            fn sites(&self, out: &mut ::std::vec::Vec<::bb::__private::SiteRef>) {
                #(::bb::__private::Values::sites(&self.#names, out);)*
            }
            fn emit(source: &mut ::bb::__private::Source) -> Self {
                #name { #(#names: ::bb::__private::Values::emit(source)),* }
            }
            fn infos() -> ::std::vec::Vec<::bb::__private::OutputInfo> {
                let mut all = ::std::vec::Vec::new();
                #(all.extend(<#types as ::bb::__private::Values>::infos().into_iter().map(|info| {
                    ::bb::__private::OutputInfo { field: #texts, ..info }
                }));)*
                all
            }
        }
        #(impl #i ::bb::__private::Output<#index> for #name #t #w {
            type Value = <#types as ::bb::__private::Output<0>>::Value;
        })*
    }
}
