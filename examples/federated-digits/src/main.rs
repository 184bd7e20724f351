//! Federated averaging on handwritten digits.
fn main() {}
