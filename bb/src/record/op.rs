//! Ops: `ai.onnx` operators, `#[bb::op]` functions, methods of roles, constants.

use super::concrete::Concrete;
use super::{ANYWHERE, Node, Recorder, Site, SiteRef, with};
use crate::place::{PeerClass as _, Place};
use crate::typed::{Typed, ValueInfo, constant_tensor};
use bb_ir::keys;
use bb_ir::ops::{ONNX_DOMAIN, OP_DOMAIN_PREFIX, ROLE_DOMAIN_PREFIX};
use bb_ir::proto::onnx::{AttributeProto, TensorProto};
use bb_ir::shape_text;
use bb_ir::types::{Dim, ElementKind, ValueType};
use bb_ir::views::attribute;
use std::panic::Location;

/// What an `ai.onnx` operator gives, of what it is given.
pub(crate) enum Yields {
    /// The type of its first input.
    Like,
    /// The element type of its first input, of any shape.
    AnyShape,
    /// The element type of its inputs, and the shape of the one that is no number.
    Broadcast,
    /// This.
    Of(ValueInfo),
}

/// The outputs of something just recorded, to be handed out one by one.
pub struct Source {
    pub(super) seeds: std::vec::IntoIter<Site>,
}
impl Source {
    pub(super) fn new(seeds: Vec<Site>) -> Self {
        Source { seeds: seeds.into_iter() }
    }
    /// The next output.
    ///
    /// # Panics
    /// If there are no more: the generated types and the recorded outputs disagree, which is a fault of ours.
    pub fn take(&mut self) -> SiteRef {
        let seed = self.seeds.next().expect("as many outputs as the signature names");
        with(|r| r.add(seed))
    }
}

/// What an op's parameters are given: values, and what the signature says of their shapes beyond what they declare.
struct Arguments {
    sites: Vec<Site>,
    values: Vec<String>,
    takes: Vec<(usize, Vec<Dim>)>,
}

impl Arguments {
    /// A `Gathered` is taken without what a `Partial` adds.
    fn of(r: &mut Recorder, at: &'static Location<'static>, inputs: &[(SiteRef, Vec<ValueInfo>)]) -> Self {
        let mut given = Arguments { sites: Vec::new(), values: Vec::new(), takes: Vec::new() };
        for (site, parameter) in inputs {
            let site = r.get(at, *site);
            for (i, (value, taken)) in site.values.iter().zip(parameter).enumerate() {
                let said = dims(&taken.ty).filter(|_| site.infos.get(i).map(|info| &info.ty) != Some(&taken.ty));
                given.takes.extend(said.map(|said| (given.values.len(), said.to_vec())));
                given.values.push(value.clone());
            }
            given.sites.push(site);
        }
        given
    }
    fn metadata(&self) -> Option<(&'static str, String)> {
        (!self.takes.is_empty()).then(|| (keys::TAKES_KEY, shape_text::write_takes(&self.takes)))
    }
}

/// The dimensions of a tensor, or of the tensors in a sequence.
fn dims(of: &ValueType) -> Option<&[Dim]> {
    match of {
        ValueType::Tensor { shape, .. } => shape.as_deref(),
        ValueType::Seq(of) => dims(of),
        ValueType::Denoted(_) | ValueType::Duration | ValueType::Trigger => None,
    }
}

impl Recorder {
    /// Records an op at the place where its inputs meet, or at `P`'s home where they are anywhere.
    pub(super) fn op_at<P: Place>(
        &mut self,
        at: &'static Location<'static>,
        sites: &[Site],
        mut node: Node,
        outputs: &[Vec<ValueInfo>],
    ) -> Source {
        let instance = match self.meet(at, sites) {
            Some(instance) => instance,
            None => self.home(P::Class::NAME, P::MANY),
        };
        node.lane = self.lane_of(P::MANY, instance);
        if self.scope().bootstrap {
            // Its one start is on every class: what it fires says on which.
            node.metadata.push((keys::HOME_CLASS_KEY, P::Class::NAME.to_owned()));
        }
        let mut names = self.node(at, node, &outputs.concat()).into_iter();
        let seeds = outputs
            .iter()
            .map(|infos| {
                let values = names.by_ref().take(infos.len()).collect();
                let mut site = Site::new(P::Class::NAME, P::MANY, instance, values, infos.clone());
                site.points_to = self.new_instance();
                site
            })
            .collect();
        Source::new(seeds)
    }
}

/// An `ai.onnx` operator with one output.
#[track_caller]
pub(crate) fn onnx<P: Place>(
    op: &'static str,
    inputs: &[SiteRef],
    yields: Yields,
    attributes: Vec<AttributeProto>,
) -> SiteRef {
    let at = Location::caller();
    let mut source = with(|r| {
        let sites: Vec<Site> = inputs.iter().map(|s| r.get(at, *s)).collect();
        let info = yields.info(&sites);
        let node = Node {
            domain: ONNX_DOMAIN.into(),
            op: op.into(),
            inputs: sites.iter().filter_map(|s| s.values.first().cloned()).collect(),
            attributes,
            ..Node::default()
        };
        r.op_at::<P>(at, &sites, node, &[vec![info]])
    });
    source.take()
}

impl Yields {
    fn info(self, sites: &[Site]) -> ValueInfo {
        let of = |i: usize| sites.get(i).and_then(|s| s.infos.first()).cloned();
        let any = ValueInfo::from(ValueType::Tensor { element: None, shape: None });
        let rank_0 = |i: &ValueInfo| matches!(&i.ty, ValueType::Tensor { shape: Some(s), .. } if s.is_empty());
        let unsaid = |mut i: ValueInfo| {
            if let ValueType::Tensor { shape, .. } = &mut i.ty {
                *shape = None;
            }
            i
        };
        match self {
            Yields::Of(info) => info,
            Yields::Like => of(0).unwrap_or(any),
            Yields::AnyShape => of(0).map_or(any, unsaid),
            Yields::Broadcast => match (of(0), of(1)) {
                (Some(a), Some(b)) if rank_0(&b) || a == b && rank_0(&a) => a,
                (Some(a), Some(b)) if rank_0(&a) => b,
                (Some(a), _) => unsaid(a),
                (None, _) => any,
            },
        }
    }
}

/// `ai.onnx` Cast.
#[track_caller]
pub(crate) fn cast_node<P: Place>(of: SiteRef, to: ElementKind) -> SiteRef {
    let shape = with(|r| match r.get(Location::caller(), of).infos.first().map(|i| &i.ty) {
        Some(ValueType::Tensor { shape, .. }) => shape.clone(),
        _ => None,
    });
    let info = ValueType::Tensor { element: Some(to), shape }.into();
    onnx::<P>("Cast", &[of], Yields::Of(info), vec![attribute::int("to", to as i64)])
}

/// A constant is wherever it is used.
#[track_caller]
pub(crate) fn constant<P: Place, T: Typed>(value: T) -> SiteRef {
    let at = Location::caller();
    let info = T::infos().into_iter().next().unwrap_or_else(|| ValueType::Trigger.into());
    let tensor = constant_tensor(value);
    let proto = TensorProto {
        dims: tensor.shape().iter().map(|n| *n as i64).collect(),
        data_type: Some(tensor.element() as i32),
        raw_data: Some(tensor.to_bytes()),
        ..TensorProto::default()
    };
    with(|r| {
        let node = Node {
            domain: ONNX_DOMAIN.into(),
            op: "Constant".into(),
            attributes: vec![attribute::tensor("value", proto)],
            ..Node::default()
        };
        let values = r.node(at, node, std::slice::from_ref(&info));
        r.add(Site::new(P::Class::NAME, P::MANY, ANYWHERE, values, vec![info]))
    })
}

/// A method of the role that `slot` stands for. `inputs` with the types of the values each parameter takes; without any,
/// `trigger` fires it. `outputs` are the types of each result.
#[track_caller]
pub fn method<P: Place>(
    role: &'static str,
    method: &'static str,
    slot: SiteRef,
    inputs: &[(SiteRef, Vec<ValueInfo>)],
    trigger: Option<Option<SiteRef>>,
    outputs: &[Vec<ValueInfo>],
) -> Source {
    let at = Location::caller();
    with(|r| {
        let served = r.get(at, slot);
        let mut given = Arguments::of(r, at, inputs);
        let mut metadata = match served.concrete {
            Some(Concrete { ty, instance }) => {
                vec![(keys::CONCRETE_TYPE_KEY, ty.to_owned()), (keys::INSTANCE_KEY, instance.to_owned())]
            }
            None => {
                let slot = served.slot.unwrap_or_default();
                vec![(keys::REQUIRED_TRAIT_KEY, role.to_owned()), (keys::SLOT_ID_KEY, slot.to_string())]
            }
        };
        metadata.extend(given.metadata());
        let mut control = 0;
        if let Some(trigger) = trigger {
            control = 1;
            match trigger {
                None => given.values.push(super::model::START.into()),
                Some(site) => {
                    let site = r.get(at, site);
                    given.values.extend(site.values.first().cloned());
                    given.sites.push(site);
                }
            }
        }
        let node = Node {
            domain: format!("{ROLE_DOMAIN_PREFIX}{role}"),
            op: method.into(),
            inputs: given.values,
            control,
            metadata,
            ..Node::default()
        };
        r.op_at::<P>(at, &given.sites, node, outputs)
    })
}

/// A function marked `#[bb::op]`.
#[track_caller]
pub fn own_op<P: Place>(
    package: &str,
    op: &'static str,
    inputs: &[(SiteRef, Vec<ValueInfo>)],
    outputs: &[Vec<ValueInfo>],
) -> Source {
    let at = Location::caller();
    with(|r| {
        let given = Arguments::of(r, at, inputs);
        let node = Node {
            domain: format!("{OP_DOMAIN_PREFIX}{package}"),
            op: op.into(),
            metadata: given.metadata().into_iter().collect(),
            inputs: given.values,
            ..Node::default()
        };
        r.op_at::<P>(at, &given.sites, node, outputs)
    })
}
