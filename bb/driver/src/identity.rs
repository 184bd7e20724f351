//! Who a node is: a libp2p key pair, from nowhere, from a seed or from a file.

use libp2p::identity::Keypair;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where a node's key comes from.
#[derive(Clone, Debug, Default)]
pub enum Identity {
    /// A new one at every start.
    #[default]
    Ephemeral,
    /// Of these bytes: the same bytes, the same peer. For tests and simulations.
    Seed([u8; 32]),
    /// In this file, which is made, for its owner alone, where it is absent.
    File(PathBuf),
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error("the key file {} cannot be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read it.
    #[error("the key file {} can be read by others (mode {mode:o})\n  help: chmod 600 {}", path.display(), path.display())]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds no key.
    #[error("the key file {} does not hold a key\n  help: remove it, and a new one is made: the node is then another peer", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
}

impl Identity {
    pub(crate) fn keypair(&self) -> Result<Keypair, IdentityError> {
        match self {
            Identity::Ephemeral => Ok(Keypair::generate_ed25519()),
            Identity::Seed(seed) => Ok(Keypair::ed25519_from_bytes(*seed).expect("any 32 bytes are an Ed25519 seed")),
            Identity::File(path) => from_file(path),
        }
    }
}

fn from_file(path: &Path) -> Result<Keypair, IdentityError> {
    let io = |source| IdentityError::Io { path: path.to_owned(), source };
    match open_new(path) {
        Ok(mut file) => {
            let key = Keypair::generate_ed25519();
            let bytes = key.to_protobuf_encoding().expect("an Ed25519 key can be encoded");
            file.write_all(&bytes).map_err(io)?;
            file.sync_all().map_err(io)?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            check_mode(path)?;
            let bytes = fs::read(path).map_err(io)?;
            Keypair::from_protobuf_encoding(&bytes).map_err(|_| IdentityError::NotAKey { path: path.to_owned() })
        }
        Err(error) => Err(io(error)),
    }
}

/// A file that did not exist, for its owner alone from the first moment.
fn open_new(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn check_mode(path: &Path) -> Result<(), IdentityError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).map_err(|source| IdentityError::Io { path: path.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(IdentityError::OpenToOthers { path: path.to_owned(), mode }) }
}
#[cfg(not(unix))]
fn check_mode(_: &Path) -> Result<(), IdentityError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_read_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        let first = Identity::File(path.clone()).keypair().expect("made");
        let second = Identity::File(path).keypair().expect("read");
        assert_eq!(first.public(), second.public());
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        Identity::File(path.clone()).keypair().expect("made");
        let mode = fs::metadata(&path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("ours");
        assert!(matches!(Identity::File(path).keypair(), Err(IdentityError::OpenToOthers { mode: 0o644, .. })));
    }

    #[test]
    fn a_file_that_is_no_key_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        open_new(&path).expect("new").write_all(b"not a key").expect("ours");
        assert!(matches!(Identity::File(path).keypair(), Err(IdentityError::NotAKey { .. })));
    }

    #[test]
    fn a_seed_is_a_peer() {
        let of = |seed| Identity::Seed([seed; 32]).keypair().expect("a seed").public();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
