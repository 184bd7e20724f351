//! What the build script found, as rustc errors on the tokens they are about.

mod helper;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use std::path::Path;
use syn::ItemFn;

/// The faults of the recorded function `recorded`, which is `item` with tokens of that hash.
pub fn errors(recorded: &str, item: &ItemFn, hash_of_tokens: &str, out: &Path) -> TokenStream {
    let name = &item.sig.ident;
    // Where spans are empty (rust-analyzer's own expansion) nothing is replayed: its check run shows the faults.
    if name.span().unwrap().file().is_empty() {
        return quote!();
    }
    let errors = std::fs::read_to_string(out.join("bb.errors")).unwrap_or_default();
    let mut all = quote!();
    for line in errors.lines() {
        let parts: Vec<&str> = line.splitn(8, '\t').collect();
        let [module, hash, severity, file, line, column, text, snippet] = parts[..] else { continue };
        if module != recorded || hash != hash_of_tokens {
            continue;
        }
        let lines = |text: &str| text.replace("\\n", "\n");
        let text = lines(text);
        let place = line.parse().ok().zip(column.parse().ok());
        let here = Path::new(&name.span().unwrap().file()).ends_with(file);
        let found = place.filter(|_| here).and_then(|(l, c)| find(item.to_token_stream(), l, c));
        let (span, text) = match (found, place) {
            (Some(span), _) => (span, text),
            // A helper without the attribute: its tokens are not ours to underline, but the call of it is.
            (None, Some((l, _))) if !file.is_empty() => {
                let calls = helper::calls(item, Path::new(file), l);
                let also = also(calls.get(1..).unwrap_or_default());
                let note = format!("{text}\n  note: in a function that `{name}` calls{also}\n{}", lines(snippet));
                (calls.first().copied().unwrap_or(name.span()), note)
            }
            (None, _) => (name.span(), text),
        };
        all.extend(match severity {
            "warning" => warning(item, span, &text),
            _ => quote_spanned!(span=> ::core::compile_error!(#text);),
        });
    }
    all
}

/// Further calls that lead to a fault: whichever of them is meant, it is cured at that or in what it calls.
fn also(calls: &[Span]) -> String {
    let place = |call: &Span| format!("{}:{}", call.start().line, call.start().column + 1);
    match calls {
        [] => String::new(),
        [one] => format!(", here or at {}", place(one)),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(place).collect();
            format!(", here or at {} or {}", first.join(", "), place(last))
        }
    }
}

/// What rustc warns of on stable: the use of something deprecated, at that token. What the function allows is allowed.
fn warning(item: &ItemFn, span: Span, text: &str) -> TokenStream {
    let allows = item.attrs.iter().filter(|attribute| attribute.path().is_ident("allow"));
    let (declared, used) = (Ident::new("warning", Span::call_site()), Ident::new("warning", span));
    quote! {
        #(#allows)*
        const _: () = {
            #[allow(non_upper_case_globals)]
            #[deprecated(note = #text)]
            const #declared: () = ();
            #used
        };
    }
}

/// The token that starts there. Columns of spans are from 0, those of locations from 1.
fn find(tokens: TokenStream, line: usize, column: usize) -> Option<Span> {
    tokens.into_iter().find_map(|token| {
        let start = token.span().start();
        if start.line == line && start.column + 1 == column {
            return Some(token.span());
        }
        match &token {
            TokenTree::Group(group) => find(group.stream(), line, column),
            _ => None,
        }
    })
}
