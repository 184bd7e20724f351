//! Values as lines of text, which the judge's script reads and writes too: `name: f32[2,3] 1 2 3 4 5 6`, or
//! `name: seq 2` with a line `- f32[3] 1 2 3` for each value of it.

use bb::ir::types::ElementKind;
use bb::ir::value::{RawTensor, Value};
use std::fmt::Write;

/// A value under its name.
pub type Named = (String, Value);

pub fn write(values: &[Named]) -> String {
    let mut text = String::new();
    for (name, value) in values {
        let _ = match value {
            Value::Seq(all) => {
                let lines: String = all.iter().map(|v| format!("\n- {}", one(v))).collect();
                writeln!(text, "{name}: seq {}{lines}", all.len())
            }
            value => writeln!(text, "{name}: {}", one(value)),
        };
    }
    text
}

fn one(value: &Value) -> String {
    let bytes = |b: &[u8]| format!("u8[{}]{}", b.len(), b.iter().map(|b| format!(" {b}")).collect::<String>());
    match value {
        Value::Tensor(t) => {
            let dims: Vec<String> = t.shape().iter().map(u64::to_string).collect();
            let numbers: String = numbers(t).iter().map(|n| format!(" {n}")).collect();
            format!("{}[{}]{numbers}", t.element().name(), dims.join(","))
        }
        Value::Trigger => bytes(&[]),
        Value::Peer(p) => bytes(p.as_bytes()),
        Value::Bytes(b) => bytes(b),
        Value::Absent | Value::Seq(_) => panic!("no value of a case: {value:?}"),
    }
}

fn numbers(t: &RawTensor) -> Vec<String> {
    fn all<E: bb::ir::value::Scalar + ToString>(t: &RawTensor) -> Vec<String> {
        t.to_vec::<E>().expect("of that element").iter().map(E::to_string).collect()
    }
    match t.element() {
        ElementKind::F32 => all::<f32>(t),
        ElementKind::F64 => all::<f64>(t),
        ElementKind::I64 => all::<i64>(t),
        ElementKind::U64 => all::<u64>(t),
        ElementKind::Bool => all::<bool>(t),
        other => panic!("no case has a value of {}", other.name()),
    }
}

/// A line's name, type, and numbers, or the number of lines that belong to it.
type Line<'a> = (&'a str, &'a str, Vec<f64>);

/// Whether two texts say the same, but for a relative error of 1e-4 and an absolute one of 1e-6.
pub fn agree(found: &str, expected: &str) -> Result<(), String> {
    let (found, expected): (Vec<Line>, Vec<Line>) = (lines(found), lines(expected));
    if found.len() != expected.len() {
        return Err(format!("{} lines instead of {}", found.len(), expected.len()));
    }
    for (f, e) in found.iter().zip(&expected) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-6 + 1e-4 * b.abs();
        if (f.0, f.1, f.2.len()) != (e.0, e.1, e.2.len()) || !f.2.iter().zip(&e.2).all(near) {
            return Err(format!("{f:?} instead of {e:?}"));
        }
    }
    Ok(())
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let line = |line: &'_ str| -> Option<(usize, usize)> { Some((line.find(' ')?, line.len())) };
    text.lines()
        .map(|l| {
            let (name, rest) = line(l).map_or((l, ""), |(at, _)| (&l[..at], &l[at + 1..]));
            let mut words = rest.split(' ');
            let of = words.next().unwrap_or_default();
            let number = |w: &str| w.parse().unwrap_or_else(|_| if w == "true" { 1.0 } else { 0.0 });
            (name, of, words.map(number).collect())
        })
        .collect()
}
