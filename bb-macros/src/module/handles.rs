//! Per class of a module, a struct with a field per slot.
//!
//! Tokens do not say which class a parameter lives on (types may be aliases), so the build script writes one line per
//! class, input, slot and output, and they are paired by position.

use super::parse::Module;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// The rows of one kind: `<module> <kind> …`.
fn rows<'a>(lines: &'a [Vec<&'a str>], kind: &'static str) -> impl Iterator<Item = &'a Vec<&'a str>> + Clone {
    lines.iter().filter(move |l| l.get(1) == Some(&kind))
}

fn index(row: &[&str]) -> usize {
    row.get(2).and_then(|i| i.parse().ok()).expect("the build script writes a number there")
}

/// The `n`th column; the build script writes them all.
fn column<'a>(row: &[&'a str], n: usize) -> &'a str {
    row.get(n).copied().expect("the build script writes every column")
}

pub fn expand(m: &Module, lines: &[Vec<&str>]) -> TokenStream {
    let (vis, ident, output) = (&m.item.vis, &m.item.sig.ident, &m.output);
    let entry = rows(lines, "entry").next().map_or("-", |l| column(l, 2));
    let aliases = m.params.iter().enumerate().map(|(i, (_, ty))| {
        let alias = format_ident!("Arg{i}");
        quote!(pub type #alias = #ty;)
    });
    let classes = rows(lines, "class").map(|row| class(m, lines, column(row, 2), entry));
    quote! {
        #[doc = concat!("What peers need to take part in [`", stringify!(#ident), "`](fn@", stringify!(#ident), ").")]
        #[allow(dead_code)]
        #vis mod #ident {
            // Within, where it is found from: beside a module that stands in a function nothing is.
            #[doc(hidden)]
            #[allow(unused_imports, dead_code, missing_docs)]
            mod types { use super::super::*; #(#aliases)* pub type Out = #output; }
            #(#classes)*
        }
    }
}

fn class(m: &Module, lines: &[Vec<&str>], class: &str, entry: &str) -> TokenStream {
    let name = &m.name;
    let handle = Ident::new(class, m.item.sig.ident.span());
    let slots: Vec<usize> = rows(lines, "slot").filter(|l| column(l, 3) == class).map(|l| index(l)).collect();
    let fields: Vec<&Ident> = slots.iter().filter_map(|i| Some(&m.params.get(*i)?.0)).collect();
    let generics: Vec<Ident> = fields.iter().map(|f| format_ident!("{}", camel(&f.to_string()))).collect();
    let args: Vec<Ident> = slots.iter().map(|i| format_ident!("Arg{i}")).collect();
    let file = format!("/{name}.{class}.onnx");
    let doc = format!("What a `{class}` needs to take part in `{name}`.");
    let field_docs = fields.iter().map(|f| format!("The component in the slot `{f}`."));
    let declare = if slots.is_empty() {
        quote!(pub struct #handle;)
    } else {
        quote!(pub struct #handle<#(#generics),*> { #(#[doc = #field_docs] pub #fields: #generics),* })
    };
    let here = rows(lines, "output").filter(|l| column(l, 3) == class);
    let answers: Vec<bool> = here.clone().map(|l| column(l, 5) == "answer").collect();
    let outputs: Vec<(Ident, TokenStream)> = here
        .map(|l| {
            let i = index(l);
            let name = match column(l, 4) {
                "" => format_ident!("Output{i}"),
                field => format_ident!("{}", camel(field)),
            };
            (name, quote!(<types::Out as ::bb::__private::Output<#i>>::Value))
        })
        .collect();
    let inputs: Vec<TokenStream> = rows(lines, "input")
        .map(|l| format_ident!("Arg{}", index(l)))
        .map(|a| quote!(<types::#a as ::bb::__private::Input>::Value))
        .collect();
    let bounds = quote!(where #(types::#args: ::bb::__private::Accepts<#generics>),*);
    let start = (class == entry).then(|| {
        // Another peer of the class may have outputs too: those are events there.
        let answers = outputs.iter().zip(&answers).filter(|(_, answers)| **answers);
        let output_types: Vec<_> = answers.map(|((_, ty), _)| ty.clone()).collect();
        let (inputs, outputs) = (one(&inputs), one(&output_types));
        quote! {
            impl<#(#generics),*> ::bb::__private::Entry for #handle<#(#generics),*> #bounds {
                type Args = #inputs;
                type Output = #outputs;
            }
        }
    });
    let Event { declare: event, ty: event_type, widths, read } = Event::of(class, &outputs);
    quote! {
        #[doc = #doc]
        #declare
        #event
        impl<#(#generics),*> ::bb::__private::Piece for #handle<#(#generics),*> #bounds {
            const MODULE: &'static str = #name;
            const CLASS: &'static str = #class;
            const ARTIFACT: &'static [u8] = include_bytes!(concat!(env!("OUT_DIR"), #file));
            type Event = #event_type;
            fn widths() -> ::std::vec::Vec<usize> { ::std::vec![#(#widths),*] }
            #[allow(unused_variables)]
            fn event(
                output: usize,
                values: ::std::vec::Vec<::bb::__private::Value>,
            ) -> ::core::result::Result<Self::Event, ::bb::__private::OpError> {
                let mut values = values.into_iter();
                #read
            }
            fn components(self) -> ::std::vec::Vec<(&'static str, ::std::boxed::Box<dyn ::bb::__private::Component>)> {
                ::std::vec![
                    #((stringify!(#fields), <types::#args as ::bb::__private::Accepts<#generics>>::component(self.#fields)),)*
                ]
            }
        }
        #start
    }
}

/// What a peer of a class learns from executions: the outputs that live there, one at a time.
struct Event {
    /// With several outputs: an enum of them.
    declare: TokenStream,
    ty: TokenStream,
    /// How many values each is.
    widths: Vec<TokenStream>,
    /// From its number and values.
    read: TokenStream,
}

impl Event {
    fn of(class: &str, outputs: &[(Ident, TokenStream)]) -> Self {
        let widths = outputs.iter().map(|(_, ty)| quote!(::bb::__private::width::<#ty>())).collect();
        let read = |ty: &TokenStream| quote!(::bb::__private::arguments::<#ty>(&mut values));
        let (declare, ty, read) = match outputs {
            [] => (quote!(), quote!(()), read(&quote!(()))),
            [(_, ty)] => (quote!(), ty.clone(), read(ty)),
            several => {
                let event = format_ident!("{class}Event");
                let doc = format!("An output that a `{class}` learns.");
                let names: Vec<_> = several.iter().map(|(name, _)| name).collect();
                let types = several.iter().map(|(_, ty)| ty);
                let arms = several.iter().enumerate().map(|(i, (name, ty))| {
                    let value = read(ty);
                    quote!(#i => #value.map(#event::#name),)
                });
                // Outputs need no `Debug` of their own, so it says which one it is.
                let declare = quote! {
                    #[doc = #doc]
                    pub enum #event { #(#[allow(missing_docs)] #names(#types)),* }
                    impl ::core::fmt::Debug for #event {
                        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                            match self { #(Self::#names(_) => f.debug_tuple(stringify!(#names)).finish_non_exhaustive(),)* }
                        }
                    }
                };
                let read = quote! {
                    match output {
                        #(#arms)*
                        other => ::core::result::Result::Err(::bb::__private::OpError::new(
                            ::std::format!("there is no output {other} here")
                        )),
                    }
                };
                (declare, quote!(#event), read)
            }
        };
        Event { declare, ty, widths, read }
    }
}

fn one(types: &[TokenStream]) -> TokenStream {
    match types {
        [one] => one.clone(),
        many => quote!((#(#many),*)),
    }
}

fn camel(name: &str) -> String {
    let word = |w: &str| w.chars().take(1).flat_map(char::to_uppercase).chain(w.chars().skip(1)).collect::<String>();
    name.split('_').map(word).collect()
}
