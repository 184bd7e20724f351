//! Runtime signatures, and the recorder's signatures made from them.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, GenericArgument, Pat, PathArguments, ReturnType, Type};

/// What a method or an op takes and gives while the program runs.
pub struct Signature {
    pub inputs: Vec<(Ident, Type)>,
    /// Of a `Result` its first argument; a tuple's elements.
    pub results: Vec<Type>,
}

/// The recorder's side of it.
pub struct Recording {
    pub generics: TokenStream,
    pub arguments: TokenStream,
    pub output: TokenStream,
    pub bounds: TokenStream,
    /// Where the op runs.
    pub place: TokenStream,
    /// `(site, types)` of each input.
    pub inputs: TokenStream,
    /// `Option<Option<SiteRef>>`: what fires an op without inputs.
    pub trigger: TokenStream,
}

impl Signature {
    pub fn parse(sig: &syn::Signature) -> syn::Result<Self> {
        let mut inputs = Vec::new();
        for argument in &sig.inputs {
            let FnArg::Typed(a) = argument else { continue };
            match &*a.pat {
                Pat::Ident(p) => inputs.push((p.ident.clone(), (*a.ty).clone())),
                Pat::Wild(w) => inputs.push((Ident::new("_unnamed", w.span()), (*a.ty).clone())),
                pattern => {
                    let message = "a parameter here has a name\n  help: take it apart in the body";
                    return Err(syn::Error::new(pattern.span(), message));
                }
            }
            if let Type::Reference(r) = &*a.ty {
                let message =
                    "values are given, not lent: they may come from another peer\n  help: take the type without `&`";
                return Err(syn::Error::new(r.span(), message));
            }
        }
        let results = match &sig.output {
            ReturnType::Default => Vec::new(),
            ReturnType::Type(_, ty) => match within_result(ty) {
                Type::Tuple(t) => t.elems.iter().cloned().collect(),
                other => vec![other.clone()],
            },
        };
        Ok(Signature { inputs, results })
    }

    /// The values of the parameters, taken in order from `inputs`.
    pub fn arguments(&self) -> TokenStream {
        let types = self.inputs.iter().map(|(_, ty)| ty);
        let names = (0..self.inputs.len()).map(|i| format_ident!("a{i}"));
        quote!(#(let #names = <#types as ::bb::__private::Typed>::from_values(&mut inputs)?;)*)
    }
    /// `results`, whose values go into `outputs`.
    pub fn outputs(&self) -> TokenStream {
        let results = &self.results;
        match results.as_slice() {
            // What gives nothing gives no value either; `()` as a value is a trigger.
            [] => quote!(let () = results; let _ = outputs;),
            [one] => quote!(<#one as ::bb::__private::Typed>::into_values(results, outputs);),
            many => {
                let names: Vec<_> = (0..many.len()).map(|i| format_ident!("r{i}")).collect();
                quote! {
                    let (#(#names),*) = results;
                    #(<#many as ::bb::__private::Typed>::into_values(#names, outputs);)*
                }
            }
        }
    }
    /// The recorded results, out of `source`.
    pub fn emitted(&self, place: &TokenStream) -> TokenStream {
        match self.results.as_slice() {
            [] => quote!(<() as ::bb::__private::Values>::emit(&mut source)),
            [one] => quote!(<#one as ::bb::__private::Typed>::emit_at::<#place>(&mut source)),
            many => quote!((#(<#many as ::bb::__private::Typed>::emit_at::<#place>(&mut source)),*)),
        }
    }

    /// The results as one type.
    pub fn results_type(&self) -> TokenStream {
        match self.results.as_slice() {
            [one] => quote!(#one),
            many => quote!((#(#many),*)),
        }
    }

    /// `Vec<ValueInfo>` per result.
    pub fn result_infos(&self) -> TokenStream {
        let results = &self.results;
        quote!(#(<#results as ::bb::__private::Typed>::infos()),*)
    }

    /// `class`: the class a role's component is bound on; an op has none.
    pub fn recording(&self, class: Option<&TokenStream>) -> Recording {
        let Some(((first, first_type), rest)) = self.inputs.split_first() else {
            let class = class.expect("checked: an op takes a value");
            let place = quote!(<At_ as ::bb::__private::At<#class>>::Place);
            return Recording {
                generics: quote!(At_: ::bb::__private::At<#class>),
                arguments: quote!(at: At_),
                output: self.placed(&place),
                bounds: quote!(),
                place,
                inputs: quote!(),
                trigger: quote!(::core::option::Option::Some(at.trigger())),
            };
        };
        let mut place = quote!(P0);
        let mut generics = quote!(P0: ::bb::Place, T0);
        let mut arguments = quote!(#first: ::bb::On<P0, T0>);
        let mut bounds = quote!(T0: ::bb::__private::Fits<#first_type>,);
        if let Some(class) = class {
            generics.extend(quote!(, R0: ::bb::Place));
            bounds.extend(quote!(P0: ::bb::__private::RunsOn<#class, Out = R0>,));
            place = quote!(R0);
        }
        let infos = |ty: &Type| quote!(<#ty as ::bb::__private::Typed>::infos());
        let first_infos = infos(first_type);
        let mut inputs = quote!((#first.site(), #first_infos),);
        for (i, (name, ty)) in rest.iter().enumerate() {
            // The result's place is a parameter, not a projection: rustc reports a failed projection once more.
            let (a, r) = (format_ident!("A{}", i + 1), format_ident!("R{}", i + 1));
            generics.extend(quote!(, #a, #r: ::bb::Place));
            arguments.extend(quote!(, #name: #a));
            bounds.extend(quote!(#a: ::bb::__private::Arg<#place, #ty, Out = #r>,));
            let infos = infos(ty);
            inputs.extend(quote!((::bb::__private::Arg::<#place, #ty>::site(#name), #infos),));
            place = quote!(#r);
        }
        let output = self.placed(&place);
        let trigger = quote!(::core::option::Option::None);
        Recording { generics, arguments, output, bounds, place, inputs, trigger }
    }

    fn placed(&self, place: &TokenStream) -> TokenStream {
        match self.results.as_slice() {
            [one] => quote!(::bb::On<#place, #one>),
            many => quote!((#(::bb::On<#place, #many>),*)),
        }
    }
}

/// `T` of `Result<T, E>`, else the type itself.
fn within_result(ty: &Type) -> &Type {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Result"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return inner;
    }
    ty
}
