//! What a durable node writes down: the engine's checkpoint and what its components hold, in one file that is always whole.

use crate::error::StartError;
use bb_ir::digest::sha256;
use bytes::{Buf, Bytes};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const FILE: &str = "node.checkpoint";
const MAGIC: &[u8; 8] = b"bb.node\0";
const VERSION: u32 = 1;
const SUM_BYTES: usize = 32;
/// What to do about a file that is of no use.
const ANEW: &str = "\n  help: put back a copy of it, or move it away: the node then starts anew";

/// A directory of one node's. The lock on it ends with the node.
pub struct Store {
    dir: PathBuf,
    _lock: File,
}

/// What a crash does not destroy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    pub engine: Bytes,
    /// By `<program>/<class>/<slot>`.
    pub components: Vec<(String, Bytes)>,
}

impl Store {
    /// Makes the directory where it is absent, and takes it for this node alone.
    pub fn open(dir: PathBuf) -> Result<Self, StartError> {
        let io = |source: io::Error| refused(&dir, source.to_string());
        fs::create_dir_all(&dir).map_err(io)?;
        let lock = File::options().create(true).append(true).open(dir.join("lock")).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Store { _lock: lock, dir }),
            Err(fs::TryLockError::WouldBlock) => Err(refused(&dir, "another node uses it".into())),
            Err(fs::TryLockError::Error(error)) => Err(io(error)),
        }
    }

    /// What was written last, if anything was.
    pub fn read(&self) -> Result<Option<Image>, StartError> {
        let path = self.path();
        match fs::read(&path) {
            Ok(bytes) => Image::decode(bytes.into()).map(Some).map_err(|reason| refused(&path, reason)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(refused(&path, error.to_string())),
        }
    }
    /// Why what was written is of no use here.
    pub fn refuse(&self, reason: impl ToString) -> StartError {
        refused(&self.path(), reason.to_string())
    }
    fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// Writes a file beside the last one, and puts it in its place once it is on the disk.
    pub fn writer(&self) -> impl FnOnce(&Image) -> io::Result<()> + Send + use<> {
        let (dir, path) = (self.dir.clone(), self.path());
        move |image| {
            let new = dir.join(format!("{FILE}.new"));
            let mut options = File::options();
            options.write(true).create(true).truncate(true);
            // Models and data are nobody else's.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&new)?;
            file.write_all(&image.encode())?;
            file.sync_all()?;
            fs::rename(&new, &path)?;
            // The name is safe once the directory is.
            File::open(&dir)?.sync_all()
        }
    }
}

fn refused(path: &Path, reason: String) -> StartError {
    StartError::Checkpoint { path: path.to_owned(), reason }
}

impl Image {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.engine.len() + 256);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let mut part = |bytes: &[u8]| {
            out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            out.extend_from_slice(bytes);
        };
        part(&self.engine);
        for (name, state) in &self.components {
            part(name.as_bytes());
            part(state);
        }
        let sum = sha256(&out);
        out.extend_from_slice(&sum);
        out
    }

    fn decode(bytes: Bytes) -> Result<Self, String> {
        if bytes.get(..8) != Some(MAGIC) {
            return Err(format!("it is no checkpoint of a node{ANEW}"));
        }
        let version = bytes.get(8..12).map(|mut b| b.get_u32_le()).ok_or_else(|| format!("it is cut off{ANEW}"))?;
        if version != VERSION {
            return Err(format!(
                "it has version {version}, this bb reads version {VERSION}\n  help: start the bb that wrote it"
            ));
        }
        let body =
            bytes.len().checked_sub(SUM_BYTES).filter(|b| *b >= 12).ok_or_else(|| format!("it is cut off{ANEW}"))?;
        if sha256(&bytes[..body])[..] != bytes[body..] {
            return Err(format!("it is damaged or cut off: its checksum is another{ANEW}"));
        }
        let mut rest = bytes.slice(12..body);
        let mut part = || -> Result<Option<Bytes>, String> {
            if rest.is_empty() {
                return Ok(None);
            }
            let length = rest.try_get_u64_le().ok().and_then(|n| usize::try_from(n).ok());
            let length = length.filter(|n| *n <= rest.len()).ok_or("its parts are longer than it is")?;
            Ok(Some(rest.split_to(length)))
        };
        let mut image = Image { engine: part()?.ok_or("it is empty")?, components: Vec::new() };
        while let Some(name) = part()? {
            let name = String::from_utf8(name.to_vec()).map_err(|_| "a slot's name is no text")?;
            image.components.push((name, part()?.ok_or("a component has no state")?));
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        let components = vec![("p/C/a".into(), Bytes::from_static(&[1, 2])), ("p/C/b".into(), Bytes::new())];
        Image { engine: Bytes::from_static(b"engine"), components }
    }

    #[test]
    fn what_was_written_last_is_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Store::open(dir.path().join("new")).expect("made");
        assert_eq!(store.read().expect("nothing there"), None);
        store.writer()(&Image::default()).expect("written");
        store.writer()(&image()).expect("written");
        assert_eq!(store.read().expect("read"), Some(image()));
        assert!(Store::open(dir.path().join("new")).is_err_and(|e| e.to_string().contains("another node")));
        drop(store);
        assert!(Store::open(dir.path().join("new")).is_ok());
    }

    #[test]
    fn what_was_touched_is_refused_with_the_reason() {
        let good = image().encode();
        for cut in 0..good.len() {
            Image::decode(Bytes::copy_from_slice(&good[..cut])).expect_err("it is cut off");
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            Image::decode(bad.into()).expect_err("a bit is wrong");
        }
        for at in 12..good.len() - SUM_BYTES {
            let mut bad = good[..good.len() - SUM_BYTES].to_vec();
            bad[at] ^= 0x80;
            let sum = sha256(&bad);
            bad.extend_from_slice(&sum);
            // With a sum of its own it is another image, or none.
            assert_ne!(Image::decode(bad.into()), Ok(image()));
        }
    }
}
