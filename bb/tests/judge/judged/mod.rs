//! Programs that are judged: what a test binary does with them, whichever package they are of.

mod run;
mod text;
mod written;

use bb::ir::proto::onnx::ModelProto;
use bb::ir::value::Value;
use bb::reference::NoReference;
use bb::{Compiled, Compiler, Reference};
use bb_sim::{Host, peer_id};
use std::collections::BTreeSet;
use std::path::Path;

/// What every node hosts, the caller's first, where the cohort has so many members.
pub type Hosts = Box<dyn Fn(&Compiled, usize) -> Vec<Host>>;

/// A program, and how it is run.
pub struct Case {
    pub name: String,
    pub program: Compiled,
    /// The class of its cohort, and of how many members engines run it.
    pub cohort: Option<(&'static str, Vec<usize>)>,
    pub hosts: Hosts,
    pub args: Box<dyn Fn(usize) -> Vec<Value>>,
    pub reference: Reference,
}

impl Case {
    /// Of how many members engines run it.
    fn sizes(&self) -> &[usize] {
        self.cohort.as_ref().map_or(&[1], |(_, sizes)| sizes)
    }
    /// What it means.
    fn reference(&self) -> Reference {
        self.reference.clone().with_caller(&peer_id(0))
    }
    /// The whole program where its cohort has so many members.
    fn whole(&self, members: usize) -> Result<ModelProto, NoReference> {
        let output = self.program.output.as_ref().expect("it compiles");
        let Some((class, _)) = &self.cohort else { return self.reference().whole(output) };
        let unrolled = Compiler::new().with_unrolled(*class, members).compile(&self.program.recorded.model);
        let unrolled = unrolled.unwrap_or_else(|e| panic!("{}: {e}", self.name));
        assert_eq!(unrolled.digest, output.digest, "{}: it is the same program", self.name);
        self.reference().whole(&unrolled)
    }
}

/// Sliced over engines they give what the runtime gave for the whole, which is kept in `golden`.
pub fn as_golden(cases: &[Case], golden: &Path) {
    let mut judged = BTreeSet::new();
    for case in cases {
        for members in case.sizes() {
            let name = format!("{}-{members}.txt", case.name);
            let expected =
                std::fs::read_to_string(golden.join(&name)).unwrap_or_else(|e| panic!("{name}: {e}; run .ci/judge"));
            let found = text::write(&run::sliced(case, *members));
            text::agree(&found, &expected).unwrap_or_else(|e| panic!("{name}: {e}"));
            judged.insert(name);
        }
    }
    let kept = std::fs::read_dir(golden).expect("there are golden files");
    let kept = kept.map(|file| file.expect("readable").file_name().into_string().expect("plain names"));
    assert_eq!(kept.collect::<BTreeSet<_>>(), judged, "golden files of other programs");
}

/// With `BB_JUDGE_DIR` set, everything that the script reads is written there; without, it is still made.
pub fn written(cases: &[Case], golden: &Path) {
    let asked = std::env::var_os("BB_JUDGE_DIR");
    let to = asked.as_ref().map_or(Path::new(env!("CARGO_TARGET_TMPDIR")), Path::new);
    for case in cases {
        written::all(case, &to.join(&case.name), golden);
    }
}

pub fn host(program: &Compiled, class: &str) -> Host {
    Host::new(program.artifact(class).expect("the class takes part").bytes.clone())
}
pub fn peer(node: usize) -> Value {
    Value::Peer(peer_id(node))
}
