//! `#[derive(bb::WireType)]`: a struct of wire types that travels as one message.

use crate::context;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use std::collections::BTreeSet;
use syn::{Data, DataStruct, DeriveInput, Fields, Index, LitInt, LitStr, Member, Type};

pub fn expand(item: &DeriveInput) -> TokenStream {
    match parse(item) {
        Ok(message) => implement(item, &message),
        Err(error) => {
            let (error, stub) = (error.to_compile_error(), stub(item));
            quote!(#error #stub)
        }
    }
}

/// What is refused is a payload all the same: of what uses it nothing more is said.
fn stub(item: &DeriveInput) -> TokenStream {
    let (ident, name) = (&item.ident, item.ident.to_string());
    if !item.generics.params.is_empty() {
        return quote!();
    }
    quote! {
        impl ::bb::WireType for #ident {
            const TEXT: ::bb::ir::type_text::TypeText = ::bb::ir::type_text::TypeText::of(#name);
            type Carried = Self;
        }
        impl ::bb::__private::Plain for #ident {}
        impl ::bb::__private::Typed for #ident {
            fn infos() -> ::std::vec::Vec<::bb::__private::ValueInfo> { ::core::unreachable!() }
            fn into_values(self, _: &mut ::std::vec::Vec<::bb::__private::Value>) { ::core::unreachable!() }
            fn from_values(
                _: &mut dyn ::core::iter::Iterator<Item = ::bb::__private::Value>,
            ) -> ::core::result::Result<Self, ::bb::__private::OpError> {
                ::core::unreachable!()
            }
        }
    }
}

struct Message {
    /// What it is called on the wire.
    name: String,
    fields: Vec<Field>,
}

struct Field {
    member: Member,
    ty: Type,
    tag: u32,
}

fn parse(item: &DeriveInput) -> syn::Result<Message> {
    let Data::Struct(DataStruct { fields, .. }) = &item.data else {
        let message = "a payload is a struct: every field has a tag\n  help: for one of several, send a struct with a field for each";
        return Err(syn::Error::new(item.ident.span(), message));
    };
    if !item.generics.params.is_empty() {
        let message =
            "a payload's type is known to every peer, so it is not generic\n  help: write one struct per type";
        return Err(syn::Error::new_spanned(&item.generics, message));
    }
    if matches!(fields, Fields::Unit) || fields.is_empty() {
        let message = "a payload has fields\n  help: to send nothing but the fact, send `()`";
        return Err(syn::Error::new(item.ident.span(), message));
    }
    let mut name = format!("{}.{}", context::package(), item.ident);
    for attribute in item.attrs.iter().filter(|a| a.path().is_ident("wire")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("a payload can be given `#[wire(name = \"…\")]`"));
            }
            name = meta.value()?.parse::<LitStr>()?.value();
            Ok(())
        })?;
    }
    let mut tags = BTreeSet::new();
    let mut all = Vec::new();
    for (i, field) in fields.iter().enumerate() {
        let mut tag = i as u32 + 1;
        for attribute in field.attrs.iter().filter(|a| a.path().is_ident("wire")) {
            attribute.parse_nested_meta(|meta| {
                if !meta.path.is_ident("tag") {
                    return Err(meta.error("a field can be given `#[wire(tag = n)]`"));
                }
                let literal = meta.value()?.parse::<LitInt>()?;
                tag = literal.base10_parse()?;
                if (1..1 << 29).contains(&tag) {
                    Ok(())
                } else {
                    Err(syn::Error::new(literal.span(), "tags are 1 to 536870911"))
                }
            })?;
        }
        if !tags.insert(tag) {
            let message =
                format!("two fields have the tag {tag}\n  help: give one of them another: `#[wire(tag = n)]`");
            return Err(syn::Error::new_spanned(field, message));
        }
        let member = field.ident.clone().map_or_else(|| Member::Unnamed(Index::from(i)), Member::Named);
        all.push(Field { member, ty: field.ty.clone(), tag });
    }
    Ok(Message { name, fields: all })
}

fn implement(item: &DeriveInput, message: &Message) -> TokenStream {
    let (ident, name) = (&item.ident, &message.name);
    let members: Vec<_> = message.fields.iter().map(|f| &f.member).collect();
    let types: Vec<_> = message.fields.iter().map(|f| &f.ty).collect();
    let tags: Vec<_> = message.fields.iter().map(|f| f.tag).collect();
    let mut sorted: Vec<&Field> = message.fields.iter().collect();
    sorted.sort_by_key(|f| f.tag);
    let sorted_tags = sorted.iter().map(|f| f.tag);
    let sorted_types = sorted.iter().map(|f| &f.ty);
    let locals: Vec<_> = (0..message.fields.len()).map(|i| format_ident!("f{i}")).collect();
    quote! {
        impl ::bb::WireType for #ident {
            const DENOTATION: &'static str = #name;
            const TEXT: ::bb::ir::type_text::TypeText =
                ::bb::ir::type_text::TypeText::record(#name)#(.field(#sorted_tags, <#sorted_types as ::bb::WireType>::TEXT))*.end();
            type Carried = Self;
        }
        impl ::bb::__private::Plain for #ident {}
        const _: () = {
            fn tagged() -> ::std::vec::Vec<(u32, ::bb::ir::types::ValueType)> {
                let mut all = ::std::vec::Vec::new();
                #(all.extend(<#types as ::bb::WireType>::field_infos().into_iter().map(|info| (#tags, info.ty)));)*
                all
            }
            impl ::bb::__private::Typed for #ident {
                fn infos() -> ::std::vec::Vec<::bb::__private::ValueInfo> {
                    let text = <#ident as ::bb::WireType>::TEXT;
                    ::std::vec![::bb::ir::types::ValueType::Denoted(text.as_str().into()).into()]
                }
                fn into_values(self, out: &mut ::std::vec::Vec<::bb::__private::Value>) {
                    let mut values = ::std::vec::Vec::new();
                    #(<#types as ::bb::WireType>::into_field(self.#members, &mut values);)*
                    let fields: ::std::vec::Vec<(u32, ::bb::__private::Value)> = [#(#tags),*].into_iter().zip(values).collect();
                    out.push(::bb::__private::wire_message::encode(&fields));
                }
                fn from_values(
                    values: &mut dyn ::core::iter::Iterator<Item = ::bb::__private::Value>,
                ) -> ::core::result::Result<Self, ::bb::__private::OpError> {
                    let value = values.next().ok_or_else(|| ::bb::__private::OpError::new(
                        ::std::format!("a value is missing where a `{}` is taken", #name)
                    ))?;
                    let mut fields = ::bb::__private::wire_message::decode(value, &tagged())?.into_iter();
                    #(let #locals = <#types as ::bb::WireType>::from_field(&mut fields)?;)*
                    ::core::result::Result::Ok(#ident { #(#members: #locals),* })
                }
            }
        };
    }
}
