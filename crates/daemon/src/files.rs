//! The disk, as the configuration room asks for it.

use conf::files::Files;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use crate::background::reason;

/// Files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &str, octets_max: usize) -> Result<Vec<u8>, String> {
        // A pipe or a terminal could make us wait for ever: in open already, so that does not wait either.
        let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(|e| reason(&e))?;
        if !file.metadata().map_err(|e| reason(&e))?.is_file() {
            return Err("Not a regular file".into());
        }
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
