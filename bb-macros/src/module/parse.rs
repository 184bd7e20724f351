//! What the attribute stands on, checked.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{FnArg, ItemFn, Pat, ReturnType, Type};

/// A module's function, taken apart.
pub struct Module {
    pub item: ItemFn,
    pub name: String,
    /// Of its tokens: a fault found in others is stale.
    pub hash: String,
    /// The right to send: a module without it cannot hold a wire.
    pub graph: Option<FnArg>,
    /// The parameters behind it.
    pub params: Vec<(Ident, Type)>,
    pub output: TokenStream,
}

/// What is wrong with a function, all together.
#[derive(Default)]
pub struct Errors(Option<syn::Error>);

impl Errors {
    pub fn refuse(&mut self, span: proc_macro2::Span, message: &str) {
        let error = syn::Error::new(span, message);
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }
    pub fn unless<T>(self, value: T) -> syn::Result<T> {
        self.0.map_or(Ok(value), Err)
    }
}

/// The longest name that peers tell each other, in bytes (`bb_ir::limits::NAME_BYTES_MAX`).
const NAME_BYTES_MAX: usize = 64;

/// Refuses a name of a `noun` that no Hello would take.
pub fn short(name: &Ident, noun: &str, errors: &mut Errors) {
    if name.to_string().len() > NAME_BYTES_MAX {
        let text = format!("the name of a {noun} has {NAME_BYTES_MAX} bytes at most: peers tell it each other");
        errors.refuse(name.span(), &format!("{text}\n  help: choose a shorter one"));
    }
}

/// `graph`, where it is the first, and the parameters behind it, of what a `noun` is.
pub fn parameters(item: &ItemFn, noun: &str, errors: &mut Errors) -> (Option<FnArg>, Vec<(Ident, Type)>) {
    let mut refuse = |span: proc_macro2::Span, message: &str| errors.refuse(span, &format!("a {noun} {message}"));
    if let Some(token) = &item.sig.asyncness {
        refuse(
            token.span(),
            "is recorded while the crate builds, so it cannot be `async`\n  help: remove `async`; the call of a started module is what you await",
        );
    }
    let takes_graph = |a: &FnArg| matches!(a, FnArg::Typed(a) if matches!(*a.ty, Type::Reference(_)));
    let graph = item.sig.inputs.first().filter(|a| takes_graph(a)).cloned();
    let mut params = Vec::new();
    for argument in item.sig.inputs.iter().skip(usize::from(graph.is_some())) {
        match argument {
            FnArg::Receiver(token) => {
                refuse(
                    token.span(),
                    "is a free function\n  help: move it out of the `impl`, and pass components as parameters",
                );
            }
            FnArg::Typed(a) => match (&*a.pat, &*a.ty) {
                (_, Type::Reference(_)) => refuse(
                    a.ty.span(),
                    "takes values and components, not references\n  help: only `graph: &Graph`, the first parameter, is one",
                ),
                (_, ty) if is_graph(ty) => {
                    refuse(a.ty.span(), "takes its graph first and by reference\n  help: `graph: &Graph`")
                }
                (Pat::Ident(p), ty) if p.by_ref.is_none() && p.subpat.is_none() => {
                    params.push((p.ident.clone(), ty.clone()))
                }
                (pattern, _) => refuse(
                    pattern.span(),
                    "has parameters with names\n  help: take it apart in the body: `let (a, b) = pair;`",
                ),
            },
        }
    }
    (graph, params)
}

fn is_graph(ty: &Type) -> bool {
    matches!(ty, Type::Path(t) if t.path.segments.last().is_some_and(|s| s.ident == "Graph" && s.arguments.is_none()))
}

pub fn parse(item: ItemFn) -> syn::Result<Module> {
    let mut errors = Errors::default();
    let (graph, params) = parameters(&item, "module", &mut errors);
    if params.is_empty() && item.sig.inputs.len() == usize::from(graph.is_some()) {
        errors.refuse(
            item.sig.ident.span(),
            "a module has at least one input: where it lives is where a call starts\n  help: for \"just start\" take `start: On<Server, ()>`",
        );
    }
    short(&item.sig.ident, "module", &mut errors);
    // A call of the module is recorded by it.
    if let Some(FnArg::Typed(a)) = &graph
        && !matches!(&*a.pat, Pat::Ident(p) if p.subpat.is_none())
    {
        let text = "a module names its graph\n  help: `graph: &Graph`; one that sends nothing may leave it out";
        errors.refuse(a.pat.span(), text);
    }
    let output = match &item.sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, t) => t.to_token_stream(),
    };
    errors.unless(Module { name: item.sig.ident.to_string(), hash: fingerprint(&item), graph, params, output, item })
}

/// Of a function's tokens.
pub fn fingerprint(item: &ItemFn) -> String {
    let text = item.to_token_stream().to_string();
    let hash = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, hash))
}
