//! A region node by node, by the kernels of this crate: what becomes of one that tract does not plan or run whole.

use bb::OpError;
use bb::ir::component::Kernel;
use bb::ir::proto::onnx::{GraphProto, NodeProto, ValueInfoProto};
use bb::ir::value::Value;
use bb::ir::weights;
use std::collections::HashMap;

struct Step {
    kernel: Box<dyn Kernel>,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

/// The nodes of a region in their order, and what it takes and gives.
pub struct Steps {
    inputs: Vec<String>,
    outputs: Vec<String>,
    constants: Vec<(String, Value)>,
    steps: Vec<Step>,
}

impl Steps {
    pub fn of(region: &GraphProto) -> Result<Self, OpError> {
        let names = |infos: &[ValueInfoProto]| infos.iter().map(|info| info.name().to_owned()).collect();
        let weight = |tensor| Some((weights::tensor(tensor)?, tensor.name().to_owned()));
        let constants = region.initializer.iter().filter_map(weight);
        Ok(Steps {
            inputs: names(&region.input),
            outputs: names(&region.output),
            constants: constants.map(|(tensor, name)| (name, Value::Tensor(tensor))).collect(),
            steps: region.node.iter().map(step).collect::<Result<_, _>>()?,
        })
    }

    pub fn run(&self, inputs: &[Value], outputs: &mut Vec<Value>) -> Result<(), OpError> {
        let mut known: HashMap<&str, Value> = self.constants.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
        known.extend(self.inputs.iter().map(String::as_str).zip(inputs.iter().cloned()));
        for step in &self.steps {
            let read = |name: &String| known.get(name.as_str()).cloned().unwrap_or(Value::Absent);
            let mut given: Vec<Value> = step.inputs.iter().map(read).collect();
            let mut made = Vec::new();
            step.kernel.run(&mut given, &mut made)?;
            known.extend(step.outputs.iter().map(String::as_str).zip(made));
        }
        for name in &self.outputs {
            let made = known.get(name.as_str()).cloned();
            outputs.push(made.ok_or_else(|| OpError::new(format!("the region does not make `{name}`")))?);
        }
        Ok(())
    }
}

fn step(node: &NodeProto) -> Result<Step, OpError> {
    let mut all = crate::cpu::KERNELS.iter().chain(super::KERNELS);
    let entry = all.find(|entry| entry.op == node.op_type() && node.domain().is_empty());
    let entry = entry.ok_or_else(|| OpError::new(format!("there is no kernel for `{}`", node.op_type())))?;
    Ok(Step { kernel: (entry.build)(node)?, inputs: node.input.clone(), outputs: node.output.clone() })
}
