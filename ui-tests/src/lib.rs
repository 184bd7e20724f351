//! What rustc says about mistakes in bb programs.
