//! A program as text behind every pass, for whoever looks for what a pass did, and as one graph in ONNX's words.

use super::{make, write};
use bb_compiler::{Output, Reference};
use bb_ir::proto::onnx::ModelProto;
use bb_ir::text::print;
use prost::Message;
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// The environment variable that names the directory.
pub const VARIABLE: &str = "BB_DUMP";

/// Writes what it is shown: a numbered file each time, the parts of a cut program one below the other.
pub fn writer(directory: PathBuf) -> impl Fn(&'static str, &[&ModelProto]) {
    let number = Cell::new(0_u32);
    move |pass, models| {
        make(&directory);
        let text: Vec<String> = models.iter().map(|model| print(model)).collect();
        write(&directory.join(format!("{:02}-{pass}.txt", number.get())), text.join("\n\n").as_bytes());
        number.set(number.get() + 1);
    }
}

/// Writes the whole program as one graph, or why there is none. What a former build wrote is gone.
pub fn whole(directory: &Path, output: Option<&Output>) {
    let (graph, why_not) = (directory.join("whole.onnx"), directory.join("whole.txt"));
    for former in [&graph, &why_not] {
        // There is none, mostly.
        let _ = std::fs::remove_file(former);
    }
    let Some(output) = output else { return };
    make(directory);
    match Reference::new().leave_unplayed().whole(output) {
        Ok(model) => write(&graph, &model.encode_to_vec()),
        Err(why) => write(&why_not, why.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_former_build_stays_where_there_is_no_program() {
        let directory = std::env::temp_dir().join(format!("bb-dump-{}", std::process::id()));
        make(&directory);
        for former in ["whole.onnx", "whole.txt"] {
            write(&directory.join(former), b"former");
        }
        whole(&directory, None);
        assert_eq!(std::fs::read_dir(&directory).expect("it was made").count(), 0);
        std::fs::remove_dir(&directory).expect("it is empty");
    }
}
