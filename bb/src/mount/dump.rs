//! A program as text behind every pass, for whoever looks for what a pass did.

use super::{make, write};
use bb_ir::proto::onnx::ModelProto;
use bb_ir::text::print;
use std::cell::Cell;
use std::path::PathBuf;

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
