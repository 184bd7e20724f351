//! Which compilation this is, and what the build script left for it.

use std::path::PathBuf;

/// Whether the build script is being compiled: its crate is always called `build_script_<stem>`.
pub fn in_build_script() -> bool {
    std::env::var("CARGO_CRATE_NAME").is_ok_and(|n| n.starts_with("build_script_"))
}

/// Whether the roles that are shipped are being compiled, and not one of bb's own tests.
pub fn in_bb_itself() -> bool {
    package() == "bb" && std::env::var("CARGO_CRATE_NAME").is_ok_and(|n| n == "bb")
}

/// The package's name.
pub fn package() -> String {
    std::env::var("CARGO_PKG_NAME").unwrap_or_default()
}

/// Where the build script of this very package wrote. `OUT_DIR` alone may be another package's: the index file names the
/// manifest it belongs to.
pub fn mounted() -> Option<PathBuf> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR")?);
    let index = std::fs::read_to_string(out.join("bb.index")).ok()?;
    (index == std::env::var("CARGO_MANIFEST_DIR").ok()?).then_some(out)
}
