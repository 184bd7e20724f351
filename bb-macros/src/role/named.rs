//! `#[bb::component]`: a type that programs name. What it says of itself is there in both worlds, the bodies of its methods
//! in the crate alone.

use crate::context;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{ImplItem, ItemImpl, LitStr, Path, Token, Type, parse_quote};

pub fn expand(arguments: TokenStream, mut item: ItemImpl) -> TokenStream {
    let said = match check(&arguments, &item) {
        Ok(said) => said,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let Said { role, ty, name, element, needs } = said;
    let name = name.unwrap_or_else(|| format!("{}.{}", context::package().replace('-', "_"), last(&ty)));
    let element = match element {
        Some(element) => quote!(<#element as ::bb::ElementType>::ELEMENT),
        None => quote!(::core::option::Option::None),
    };
    let dependencies = needs.iter().map(|Need { slot, role }| {
        let slot = slot.to_string();
        quote!(::bb::__private::DependencyDecl { role: <dyn #role as ::bb::__private::RoleName>::ROLE, slot: #slot })
    });
    let recorded = context::in_build_script();
    if recorded {
        without_bodies(&mut item);
    } else if !needs.is_empty() {
        item.items.push(handed_over(&needs));
    }
    let registered = (!recorded).then(|| {
        quote! {
            ::bb::__private::inventory::submit! {
                ::bb::__private::RegisteredComponent(::bb::__private::entry::<#ty>())
            }
        }
    });
    quote! {
        #item
        impl ::bb::Storage for #ty {
            const TYPE: &'static str = #name;
            const ROLE: &'static str = <dyn #role as ::bb::__private::RoleName>::ROLE;
            const ELEMENT: ::core::option::Option<::bb::__private::ElementKind> = #element;
            const DEPENDENCIES: &'static [::bb::__private::DependencyDecl] = &[#(#dependencies),*];
            fn component(self) -> ::std::boxed::Box<dyn ::bb::__private::Component> {
                <dyn #role as ::bb::__private::Accepts<#ty>>::component(self)
            }
        }
        #registered
    }
}

/// What the attribute and its item say.
struct Said {
    role: Path,
    ty: Type,
    name: Option<String>,
    element: Option<Type>,
    needs: Vec<Need>,
}

/// `index: Index`.
struct Need {
    slot: Ident,
    role: Path,
}
impl Parse for Need {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let slot = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Need { slot, role: input.parse()? })
    }
}

fn check(arguments: &TokenStream, item: &ItemImpl) -> syn::Result<Said> {
    let Some((_, role, _)) = &item.trait_ else {
        let message = "a component plays a role\n  help: put this on `impl Role for …`";
        return Err(syn::Error::new_spanned(&item.self_ty, message));
    };
    if !item.generics.params.is_empty() {
        let message = "a component that programs name has one type, so it is not generic\n  help: write it for the types \
                       it is used with, or bind it to a slot";
        return Err(syn::Error::new_spanned(&item.generics, message));
    }
    let mut said =
        Said { role: role.clone(), ty: (*item.self_ty).clone(), name: None, element: None, needs: Vec::new() };
    if !matches!(&said.ty, Type::Path(_)) {
        return Err(syn::Error::new_spanned(&said.ty, "a component is a type with a name"));
    }
    let argument = syn::meta::parser(|meta| {
        if meta.path.is_ident("element") {
            said.element = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("name") {
            said.name = Some(name(&meta.value()?.parse()?)?);
        } else if meta.path.is_ident("needs") {
            let inner;
            syn::parenthesized!(inner in meta.input);
            said.needs.extend(Punctuated::<Need, Token![,]>::parse_terminated(&inner)?);
        } else {
            return Err(meta.error("here stand `element = f32`, `needs(index: Index)` and `name = \"…\"`"));
        }
        Ok(())
    });
    argument.parse2(arguments.clone())?;
    for (i, need) in said.needs.iter().enumerate() {
        if said.needs[..i].iter().any(|other| other.slot == need.slot) {
            let message = format!("`{}` is needed already\n  help: say it once", need.slot);
            return Err(syn::Error::new(need.slot.span(), message));
        }
    }
    Ok(said)
}

/// Where the host puts what is needed: fields of these names. A fault is told at the name that is needed.
fn handed_over(needs: &[Need]) -> ImplItem {
    let places = needs.iter().enumerate().map(|(i, Need { slot, role })| {
        let at = Span::call_site().located_at(slot.span());
        let field = quote_spanned!(at=> &mut self.#slot);
        quote!(::bb::__private::Need {
            of: <Self as ::bb::Storage>::DEPENDENCIES[#i],
            place: ::bb::__private::Holds::<dyn #role>::place(#field),
        })
    });
    parse_quote! {
        fn __needs(&mut self) -> ::std::vec::Vec<::bb::__private::Need<'_>> {
            ::std::vec![#(#places),*]
        }
    }
}

/// In the binding table columns are parted by bars.
fn name(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    if name.is_empty() || name.contains('|') {
        return Err(syn::Error::new(text.span(), "a component's name has a letter at least, and no `|`"));
    }
    Ok(name)
}

fn last(ty: &Type) -> String {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default(),
        other => other.to_token_stream().to_string(),
    }
}

/// The bodies may use what the build script does not have.
fn without_bodies(item: &mut ItemImpl) {
    for member in &mut item.items {
        if let ImplItem::Fn(f) = member {
            f.block = parse_quote!({ ::core::unreachable!("components do not run while a program is recorded") });
        }
    }
    item.attrs.push(parse_quote!(#[allow(unused_variables, unused_mut)]));
}
