//! The calls, in an annotated function, of a helper in which a fault was found.
//!
//! The recorder knows the helper's line alone. Who calls it is looked up by name in the files of the annotated function and
//! of the helper: a function leads to the helper if it is it, or calls one that does. Where several calls do, any of them may
//! be meant, so all are told of; `#[track_caller]` on the helper lets the recorder tell.

use proc_macro2::{Delimiter, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::ItemFn;

/// The calls in `item` that lead to the line of `file`, in their order.
pub fn calls(item: &ItemFn, file: &Path, line: usize) -> Vec<Span> {
    leading(item, file, line).unwrap_or_default()
}

fn leading(item: &ItemFn, file: &Path, line: usize) -> Option<Vec<Span>> {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let text = std::fs::read_to_string(package.join(file)).ok()?;
    let helper = function_around(&text, line)?;
    let mut functions = Functions::default();
    functions.add(text.parse().ok()?);
    let own = item.sig.ident.span().local_file().filter(|own| !own.ends_with(file));
    if let Some(text) = own.and_then(|own| std::fs::read_to_string(own).ok()) {
        functions.add(text.parse().ok()?);
    }
    let leading = functions.leading_to(helper);
    let mut calls = Vec::new();
    calls_in(item.block.to_token_stream(), &mut |callee| {
        if leading.contains(&callee.to_string()) {
            calls.push(callee.span());
        }
    });
    Some(calls)
}

/// The function that begins last before that line ends. (Tokens of a text that a macro parses have no lines.)
fn function_around(text: &str, line: usize) -> Option<String> {
    let code = text.lines().take(line).filter(|line| !line.trim_start().starts_with("//"));
    let mut words =
        code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_')).filter(|w| !w.is_empty());
    let mut last = None;
    while let Some(word) = words.next() {
        if word == "fn" {
            last = words.next().map(str::to_owned);
        }
    }
    last
}

/// By name: what a function calls.
#[derive(Default)]
struct Functions(BTreeMap<String, BTreeSet<String>>);

impl Functions {
    /// With those of a file.
    fn add(&mut self, tokens: TokenStream) {
        let mut name: Option<String> = None;
        let mut is_fn = false;
        for token in tokens {
            match &token {
                TokenTree::Ident(word) if is_fn => name = Some(word.to_string()),
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                    if let Some(name) = name.take() {
                        let callees = self.0.entry(name).or_default();
                        calls_in(group.stream(), &mut |callee| {
                            callees.insert(callee.to_string());
                        });
                    }
                    self.add(group.stream());
                }
                TokenTree::Punct(mark) if mark.as_char() == ';' => name = None,
                _ => {}
            }
            is_fn = matches!(&token, TokenTree::Ident(word) if word == "fn");
        }
    }

    /// `helper`, and whatever calls it, directly or not.
    fn leading_to(&self, helper: String) -> BTreeSet<String> {
        let mut leading = BTreeSet::new();
        let mut open = vec![helper];
        while let Some(name) = open.pop() {
            let callers = self.0.iter().filter(|(_, callees)| callees.contains(&name));
            let callers: Vec<String> = callers.map(|(caller, _)| caller.clone()).collect();
            if leading.insert(name) {
                open.extend(callers);
            }
        }
        leading
    }
}

/// Every name before an argument list, with type arguments in between or not; macros are no calls.
fn calls_in(tokens: TokenStream, found: &mut impl FnMut(&Ident)) {
    let mut name: Option<Ident> = None;
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if depth == 0 => name = Some(word),
            TokenTree::Punct(mark) => match mark.as_char() {
                ':' => {}
                '<' => depth += 1,
                '>' => depth = depth.saturating_sub(1),
                // A `<` that was no bracket ends with its statement.
                ';' => (name, depth) = (None, 0),
                _ if depth == 0 => name = None,
                _ => {}
            },
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Parenthesis
                    && depth == 0
                    && let Some(name) = name.take()
                {
                    found(&name);
                }
                calls_in(group.stream(), found);
            }
            _ if depth == 0 => name = None,
            _ => {}
        }
    }
}
