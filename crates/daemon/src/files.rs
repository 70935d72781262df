//! The disk, as the configuration room asks for it.

use conf::files::Files;
use std::cell::RefCell;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use crate::background::reason;

/// Files of this machine; it remembers how those that it has read looked.
#[derive(Debug, Default)]
pub struct Disk {
    read: RefCell<Vec<(String, Stamp)>>,
}

/// What changes when a file is written or another one takes its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    octets: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(of: &Metadata) -> Self {
        Self {
            device: of.dev(),
            inode: of.ino(),
            octets: of.size(),
            written: (of.mtime(), of.mtime_nsec()),
            changed: (of.ctime(), of.ctime_nsec()),
        }
    }
}

impl Disk {
    /// A file that does not look any more as it did when it was read.
    pub fn changed(&self) -> Option<String> {
        let looks_new =
            |(path, stamp): &&(String, Stamp)| std::fs::metadata(path).map_or(true, |now| Stamp::of(&now) != *stamp);
        self.read.borrow().iter().find(looks_new).map(|(path, _)| path.clone())
    }
}

impl Files for Disk {
    fn read(&self, path: &str, octets_max: usize) -> Result<Vec<u8>, String> {
        // A pipe or a terminal could make us wait for ever: in open already, so that does not wait either.
        let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(|e| reason(&e))?;
        let metadata = file.metadata().map_err(|e| reason(&e))?;
        if !metadata.is_file() {
            return Err("Not a regular file".into());
        }
        self.read.borrow_mut().push((path.to_owned(), Stamp::of(&metadata)));
        let mut octets = Vec::new();
        let limit = u64::try_from(octets_max).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut octets).map_err(|e| reason(&e))?;
        if octets.len() > octets_max {
            return Err("File too large".into());
        }
        Ok(octets)
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, String> {
        let dir = if dir.is_empty() { "." } else { dir };
        let entries = std::fs::read_dir(dir).map_err(|e| reason(&e))?;
        Ok(entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect())
    }

    fn appendable(&self, path: &str) -> Result<(), String> {
        File::options().append(true).create(true).open(path).map(|_| ()).map_err(|e| reason(&e))
    }
}
