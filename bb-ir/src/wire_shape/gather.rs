//! The view of a Gather.

use super::{is_gather, payloads};
use crate::ops::gather;
use crate::proto::onnx::NodeProto;
use crate::views::{Attributes, Metadata, data_inputs};

/// What stands in a Gather: a constant, or the value that has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand<'a, T> {
    /// A constant.
    Constant(T),
    /// A value of the gather's place.
    Value(&'a str),
}

/// How many members a Gather needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Need<'a> {
    /// All of them.
    All,
    /// So many.
    Count(Operand<'a, u64>),
    /// Such a part of them.
    Fraction(Operand<'a, f32>),
    /// So many, and then no more.
    First(Operand<'a, u64>),
}

/// A Gather: the values of a wire, then what it needs and how long it waits, where these are values.
#[derive(Clone, Copy)]
pub struct Gather<'a> {
    node: &'a NodeProto,
    values: usize,
    need: Need<'a>,
    within: Option<Operand<'a, u64>>,
}
impl<'a> Gather<'a> {
    /// The node as a Gather.
    pub fn cast(node: &'a NodeProto) -> Option<Self> {
        if !is_gather(node) {
            return None;
        }
        let values = payloads(node, node.output.len().saturating_sub(2))?;
        if node.output.len() != values + 2 {
            return None;
        }
        let mut operands = data_inputs(node).get(values..)?.iter().map(String::as_str);
        let need = match node.attr_str(gather::NEED_KIND)? {
            gather::ALL => Need::All,
            gather::COUNT => Need::Count(count(node, &mut operands)?),
            gather::FIRST => Need::First(count(node, &mut operands)?),
            gather::FRACTION => Need::Fraction(match node.attr(gather::NEED) {
                Some(_) => Operand::Constant(node.attr_float(gather::NEED)?),
                None => Operand::Value(operands.next()?),
            }),
            _ => return None,
        };
        let within = match node.attr(gather::WITHIN_NS) {
            Some(_) => Some(Operand::Constant(u64::try_from(node.attr_int(gather::WITHIN_NS)?).ok()?)),
            None => operands.next().map(Operand::Value),
        };
        operands.next().is_none().then_some(Gather { node, values, need, within })
    }
    /// The node.
    pub fn node(self) -> &'a NodeProto {
        self.node
    }
    /// What is gathered, in a lane.
    pub fn values(self) -> &'a [String] {
        &self.node.input[..self.values]
    }
    /// How many members it needs.
    pub fn need(self) -> Need<'a> {
        self.need
    }
    /// How long it waits, in nanoseconds.
    pub fn within_ns(self) -> Option<Operand<'a, u64>> {
        self.within
    }
    /// What it yields: a sequence per value.
    pub fn sequences(self) -> &'a [String] {
        &self.node.output[..self.values]
    }
    /// Who answered.
    pub fn members(self) -> &'a str {
        &self.node.output[self.values]
    }
    /// Who did not, and why.
    pub fn missing(self) -> &'a str {
        &self.node.output[self.values + 1]
    }
    /// The wire whose lanes it closes.
    pub fn lane(self) -> Option<u64> {
        self.node.metadata_number(crate::keys::LANE_KEY)
    }
}

fn count<'a>(node: &NodeProto, operands: &mut impl Iterator<Item = &'a str>) -> Option<Operand<'a, u64>> {
    match node.attr(gather::NEED) {
        Some(_) => Some(Operand::Constant(u64::try_from(node.attr_int(gather::NEED)?).ok()?)),
        None => operands.next().map(Operand::Value),
    }
}
