//! What the judge reads of a program.
//!
//! `whole-<n>.onnx` the whole program with cohorts of n, its arguments `<n>.in`, what engines give `<n>.out`; what the
//! program gives, `outputs`; as they are, with bb's ops, `recorded.artifact.onnx`, `program.artifact.onnx` (placed) and of
//! every class `<Class>.artifact.onnx`; of every class its pure view `<Class>.view.onnx`. `golden` says in which directory
//! is kept what the runtime gives.

use super::{Case, run, text};
use bb::ir::proto::onnx::ModelProto;
use bb::ir::value::Value;
use prost::Message;
use std::path::Path;

pub fn all(case: &Case, to: &Path, golden: &Path) {
    let write =
        |name: String, bytes: Vec<u8>| std::fs::write(to.join(&name), bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    let model = |name: String, model: ModelProto| write(name, model.encode_to_vec());
    let or = |e| -> ModelProto { panic!("{}: {e}", case.name) };
    std::fs::create_dir_all(to).expect("a directory for the program");
    assert_eq!(case.program.diagnostics, [], "{}", case.name);
    let output = case.program.output.as_ref().expect("it compiles");
    let root = &output.program.functions[0];
    write("program.artifact.onnx".into(), output.program.encode_to_vec());
    write("recorded.artifact.onnx".into(), case.program.recorded.model.encode_to_vec());
    write("outputs".into(), root.output.join("\n").into_bytes());
    write("golden".into(), golden.to_str().expect("a plain path").into());
    let sizes = case.sizes();
    for members in [1].iter().chain(sizes.iter().filter(|n| **n != 1)) {
        model(format!("whole-{members}.onnx"), case.whole(*members).unwrap_or_else(or));
        let names = root.input[1..].iter().cloned();
        let args = std::iter::once(("start".to_owned(), Value::Trigger)).chain(names.zip((case.args)(*members)));
        write(format!("{members}.in"), text::write(&args.collect::<Vec<_>>()).into_bytes());
        if sizes.contains(members) {
            write(format!("{members}.out"), text::write(&run::sliced(case, *members)).into_bytes());
        }
    }
    for partition in &output.partitions {
        let artifact = case.program.artifact(&partition.class).expect("one per class");
        write(format!("{}.artifact.onnx", partition.class), artifact.bytes.clone());
        model(
            format!("{}.view.onnx", partition.class),
            case.reference().view(output, &partition.class).unwrap_or_else(or),
        );
    }
}
