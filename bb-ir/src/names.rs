//! The one place where names of nodes and values are minted.

use std::fmt::Write;

/// The first input of a module that takes `graph`, of every partition and of every graph: the start of the call.
pub const START: &str = "start";

/// Mints names that are unique in one function.
#[derive(Clone, Debug, Default)]
pub struct Names {
    next: u32,
}

impl Names {
    /// A namer whose first number is `next`.
    pub fn starting_at(next: u32) -> Self {
        Names { next }
    }

    /// A node's name: the op in snake case and a number, `mat_mul_3`.
    pub fn node(&mut self, op: &str) -> String {
        let mut name = String::with_capacity(op.len() + 6);
        let mut before = '_';
        for c in op.chars() {
            if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
                name.push('_');
            }
            name.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
            before = c;
        }
        let _ = write!(name, "_{}", self.next);
        self.next += 1;
        name
    }
}

/// The name of a node's `index`th output: the node's own where it has one, else with the index behind a dot.
pub fn output(node: &str, index: usize, of: usize) -> String {
    if of == 1 { node.to_owned() } else { format!("{node}.{index}") }
}

/// A name of a callee's, in the caller: `<instance>/<name>`.
pub fn inlined(instance: &str, name: &str) -> String {
    format!("{instance}/{name}")
}

/// The name of the `n`th call (from 0) of a module in one body: `name`, `name#1`, `name#2` …
pub fn instance(module: &str, n: usize) -> String {
    if n == 0 { module.to_owned() } else { format!("{module}#{n}") }
}

/// The node name of the Recv that pairs with the Send `send`.
pub fn recv(send: &str) -> String {
    format!("{send}~recv")
}

/// The function that runs once per start of a program whose root is `root`.
pub fn bootstrap(root: &str) -> String {
    format!("{root}__bootstrap")
}

/// A weight of the model `model`, from the root down to where it is read.
pub fn weight(model: &str, name: &str) -> String {
    format!("{model}:{name}")
}

/// A second site for `value`, written by a pass-through.
pub fn copy(value: &str, n: usize) -> String {
    format!("{value}~copy{n}")
}

/// The name of a node that an op of bb's guards `node` with.
pub fn guard(node: &str, op: &str) -> String {
    format!("{node}~{op}")
}

/// What the op `op` writes of `value` where a gate behind it gives the value its name.
pub fn before_gate(value: &str, op: &str) -> String {
    format!("{value}~{op}")
}

/// What fires `node` while its deadline is not over.
pub fn trigger_deadline(node: &str) -> String {
    format!("{node}#__trigger_deadline")
}

/// The name of one class's partition of a program: `<Module>_<Class>`, or `<Module>` where there is one class.
pub fn partition(module: &str, class: &str, classes: usize) -> String {
    if classes == 1 { module.to_owned() } else { format!("{module}_{class}") }
}

/// `name` in the `lane`th of so many lanes, where each is a value of its own.
pub fn lane(name: &str, lane: usize, of: usize) -> String {
    if of == 1 { name.to_owned() } else { format!("{name}~lane{lane}") }
}
/// The `lane`th member of a cohort.
pub fn member(cohort: &str, lane: usize) -> String {
    format!("{cohort}~member{lane}")
}
/// Who makes the call.
pub fn caller() -> String {
    "~caller".to_owned()
}
/// In a piece whose wires are outputs: what it sends, by the name that it has where it arrives.
pub fn sent(there: &str) -> String {
    format!("{there}~sent")
}
/// In such a piece: what it gives and was brought.
pub fn given(brought: &str) -> String {
    format!("{brought}~given")
}
/// A value of a graph's border, as it is inside.
pub fn inside(border: &str) -> String {
    format!("{border}~inside")
}
/// The position of the one value in a sequence of a graph's border.
pub fn first() -> String {
    "~first".to_owned()
}
/// Where in a sequence `element` is.
pub fn position(element: &str) -> String {
    format!("{element}~position")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_numbered_and_in_snake_case() {
        let mut names = Names::default();
        assert_eq!(names.node("MatMul"), "mat_mul_0");
        assert_eq!(names.node("train"), "train_1");
        assert_eq!(names.node("pass-through"), "pass_through_2");
        assert_eq!(output("a", 0, 1), "a");
        assert_eq!(output("a", 1, 2), "a.1");
    }
}
