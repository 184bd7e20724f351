//! Modules: their parameters, and calls of them. A module is recorded once per content, and called.

use super::concrete::Concrete;
use super::{ANYWHERE, Function, Graph, Node, Site, SiteRef, Source, TOLD, value_info, with};
use crate::module::{Given, ParamInfo};
use crate::place::Place;
use crate::typed::Typed;
use bb_ir::diagnostics::Diagnostic;
use bb_ir::keys;
use bb_ir::ops::MODULE_DOMAIN;
use bb_ir::proto::onnx::FunctionProto;
use bb_ir::views::Metadata;
use std::collections::BTreeMap;
use std::panic::Location;

/// Where the parameters are of the module that is being recorded.
pub fn parameters_at(places: &[&'static Location<'static>]) {
    with(|r| r.scope().parameters = places.to_vec());
}

/// A value parameter of the module that is being recorded.
pub fn declare<P: Place, T: Typed>(name: &'static str) -> SiteRef {
    use crate::place::PeerClass;
    with(|r| {
        let (class, many) = (<P::Class as PeerClass>::NAME, P::MANY);
        let instance = r.home(class, many);
        let points_to = r.new_instance();
        let infos = T::infos();
        let scope = r.scope();
        let at = scope.parameters.get(scope.sites.len()).copied();
        let free = |name: &str| name != super::model::START && !scope.function.input.iter().any(|i| i == name);
        let base = if free(name) { name.to_owned() } else { format!("{name}_{}", scope.sites.len()) };
        let values: Vec<String> = (0..infos.len()).map(|i| bb_ir::names::output(&base, i, infos.len())).collect();
        for (value, info) in values.iter().zip(&infos) {
            let mut proto = value_info(value, info);
            proto.set_metadata(keys::HOME_CLASS_KEY, class);
            proto.set_metadata(keys::PLACE_KEY, many.name());
            if let Some(at) = at {
                proto.set_metadata(keys::SOURCE_KEY, super::source_place(at).to_string());
            }
            scope.function.value_info.push(proto);
            scope.function.input.push(value.clone());
        }
        r.add(Site { points_to, param: Some(name), ..Site::new(class, many, instance, values, infos) })
    })
}

/// A component parameter of the module that is being recorded.
pub fn declare_slot(class: &'static str, name: &'static str, role: &str) -> SiteRef {
    with(|r| {
        let scope = r.scope();
        let slot = scope.sites.len() as u32;
        let many = crate::place::Many::One;
        let site = Site::new(class, many, ANYWHERE, Vec::new(), Vec::new());
        if let Some(concrete) = scope.handed.get(&slot).copied() {
            return r.add(Site { concrete: Some(concrete), ..site });
        }
        let key = bb_ir::bindings::binding_key(class, name);
        scope.function.set_metadata(&key, bb_ir::bindings::encode_binding_value(role, None, Some(slot)));
        r.add(Site { slot: Some(slot), ..site })
    })
}

/// A call of `module`: `body` records it, unless `key` was recorded before.
#[track_caller]
pub fn call<R>(
    module: &'static str,
    key: String,
    infos: &[ParamInfo],
    graph: Option<&Graph>,
    args: &[SiteRef],
    given: &Given<R>,
    body: impl FnOnce() -> R,
) -> R {
    let at = Location::caller();
    // What the program names is known inside: with another component the body is another.
    let handed = with(|r| r.handed(at, args));
    let key = handed.iter().fold(key, |key, (slot, c)| format!("{key} {slot}={}@{}", c.ty, c.instance));
    let known = with(|r| r.by_key.get(&key).copied());
    if with(|r| r.open.contains(&key)) {
        with(|r| r.recursion(at, module));
    }
    let index = known.unwrap_or_else(|| {
        with(|r| {
            let root = r.scopes.len() == 1 && r.scope().function.node.is_empty();
            r.push(module, root, crate::module::entry(infos));
            r.scope().handed = handed;
            r.open.push(key.clone());
            if graph.is_some() {
                r.start();
            }
        });
        let out = body();
        let mut sites = Vec::new();
        (given.sites)(&out, &mut sites);
        with(|r| {
            let outputs: Vec<Site> = sites.into_iter().map(|s| r.get(at, s)).collect();
            let mut scope = r.scopes.pop().expect("pushed above");
            scope.function.output = outputs.iter().flat_map(|s| s.values.clone()).collect();
            let function = r.finish(scope, args.len(), outputs, graph.is_some());
            r.functions.push(function);
            r.open.pop();
            r.by_key.insert(key, r.functions.len() - 1);
            r.functions.len() - 1
        })
    });
    let mut source = with(|r| {
        let sites: Vec<Site> = args.iter().map(|s| r.get(at, *s)).collect();
        let callee = &r.functions[index];
        let (homes, params, outputs) = (callee.homes.clone(), callee.params.clone(), callee.outputs.clone());
        let (name, overload, takes_graph) =
            (callee.proto.name().to_owned(), callee.proto.overload.clone(), callee.takes_graph);
        let handed = callee.weights.clone();

        let mut inputs = Vec::new();
        if takes_graph {
            let start = graph.and_then(|g| g.start).map(|s| r.get(at, s));
            inputs.push(start.and_then(|s| s.values.first().cloned()).unwrap_or_else(|| super::model::START.into()));
        }
        inputs.extend(sites.iter().flat_map(|s| s.values.clone()));
        inputs.extend(r.hand_in(at, &handed));
        let slots: Vec<String> =
            sites.iter().zip(&params).filter_map(|(s, p)| Some(format!("{}={}", p.slot?, s.slot?))).collect();
        let lane = sites.iter().find_map(|s| r.lane_of(s.many, s.instance));
        let infos: Vec<_> = outputs.iter().flat_map(|s| s.infos.clone()).collect();
        let mut node =
            Node { domain: MODULE_DOMAIN.into(), op: module.into(), overload, inputs, lane, ..Node::default() };
        if !slots.is_empty() {
            node.metadata.push((keys::SLOT_MAP_KEY, slots.join(",")));
        }
        debug_assert_eq!(name, module);
        let mut names = r.node(at, node, &infos).into_iter();

        // The callee's instances become the caller's: those of the arguments, and fresh ones.
        let mut instances = BTreeMap::new();
        for (s, p) in sites.iter().zip(&params) {
            if p.points_to < TOLD && p.slot.is_none() {
                instances.insert(p.points_to, s.points_to);
            }
            if s.instance != ANYWHERE
                && s.instance != TOLD
                && let Some(inner) = homes.get(&(s.class, s.many))
                && *instances.entry(*inner).or_insert(s.instance) != s.instance
            {
                let class = s.class;
                let message = format!("the arguments of `{module}` live on two different peers of class `{class}`");
                let help = format!("send both to the same peer value, or keep the state in a component of `{class}`");
                r.fail(at, Diagnostic::new("BB0210", message).help(help));
            }
        }
        let seeds: Vec<Site> = outputs
            .into_iter()
            .map(|site| {
                let mut outer = |i: u32| {
                    if i >= TOLD { i } else { *instances.entry(i).or_insert_with(|| r.new_instance()) }
                };
                Site {
                    instance: outer(site.instance),
                    points_to: outer(site.points_to),
                    // Who sent it is known inside only.
                    origin: None,
                    called: site.origin.map(|_| module).or(site.called.map(|_| module)),
                    param: None,
                    sender: None,
                    gather: None,
                    values: names.by_ref().take(site.values.len()).collect(),
                    ..site
                }
            })
            .collect();
        Source::new(seeds)
    });
    (given.emit)(&mut source)
}

impl super::Recorder {
    /// A module calls itself: its recording would never end, so it ends here.
    fn recursion(&mut self, at: &'static Location<'static>, module: &str) -> ! {
        let text = format!("`{module}` calls itself");
        let help = "a program has no recursion: use a loop, which is unrolled while recording";
        let here = self.scope().module;
        let fault = Diagnostic::new("BB0502", text).at(Some(super::source_place(at))).in_module(here).help(help);
        std::panic::panic_any(fault)
    }

    /// The components that the program names among the arguments of a call, by the number of the parameter.
    fn handed(&mut self, at: &'static Location<'static>, args: &[SiteRef]) -> BTreeMap<u32, Concrete> {
        let named = |(slot, site): (u32, &SiteRef)| Some((slot, self.get(at, *site).concrete?));
        (0..).zip(args).filter_map(named).collect()
    }

    fn finish(&mut self, mut scope: super::Scope, params: usize, outputs: Vec<Site>, takes_graph: bool) -> Function {
        bb_ir::bindings::stamp_function_module_phase(&mut scope.function, keys::MODULE_PHASE_BODY);
        self.overload(&mut scope.function);
        let params = scope.sites[..params].to_vec();
        let taken = |name: &String| scope.weights.iter().copied().find(|w| self.models.weights[*w].name() == name);
        let weights = scope.function.input.iter().filter_map(taken).collect();
        Function { proto: scope.function, params, outputs, homes: scope.homes, takes_graph, weights }
    }

    /// Several contents of one name differ by overload.
    pub(super) fn overload(&mut self, function: &mut FunctionProto) {
        let n = self.by_name.entry(function.name().to_owned()).or_insert(0);
        if *n > 0 {
            function.overload = Some(n.to_string());
        }
        *n += 1;
    }
}
