//! The files a configuration is made of, as the outside gives them.
//!
//! This room reads no disk. It asks this trait, so a test is a map from names
//! to texts, and `configure check` of a text that lies nowhere is no special case.

use std::collections::BTreeMap;

/// No file of a configuration may be longer than this.
pub const FILE_OCTETS_MAX: usize = 32 << 20;

/// All files of a configuration together may not be longer than this.
pub const TOTAL_OCTETS_MAX: usize = 64 << 20;

/// What a configuration asks of the outside.
///
/// Errors are the words of the system (`No such file or directory`), without a path.
pub trait Files {
    /// The whole file, or an error when it is longer than `octets_max`.
    ///
    /// Must not wait: what is no regular file is an error.
    fn read(&self, path: &str, octets_max: usize) -> Result<Vec<u8>, String>;

    /// The names in a directory, in any order, without `.` and `..`; `""` is the working directory.
    fn list(&self, dir: &str) -> Result<Vec<String>, String>;

    /// Whether a log file of that path can be opened for appending; makes it when it is not there.
    fn appendable(&self, path: &str) -> Result<(), String>;
}

/// Files that exist only here: for tests, and for text typed by an operator.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    texts: BTreeMap<String, Vec<u8>>,
}

impl Memory {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file.
    #[must_use]
    pub fn with(mut self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.texts.insert(path.to_owned(), text.as_ref().to_vec());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &str, octets_max: usize) -> Result<Vec<u8>, String> {
        match self.texts.get(plain(path)) {
            Some(text) if text.len() > octets_max => Err("File too large".to_owned()),
            Some(text) => Ok(text.clone()),
            None => Err("No such file or directory".to_owned()),
        }
    }

    fn list(&self, dir: &str) -> Result<Vec<String>, String> {
        let dir = plain(dir);
        let mut names: Vec<String> = self
            .texts
            .keys()
            .filter_map(|path| match dir {
                "" | "." => Some(path.as_str()),
                _ => path.strip_prefix(dir)?.strip_prefix('/'),
            })
            .filter_map(|rest| rest.split('/').next())
            .map(str::to_owned)
            .collect();
        names.dedup();
        if names.is_empty() { Err("No such file or directory".to_owned()) } else { Ok(names) }
    }

    fn appendable(&self, path: &str) -> Result<(), String> {
        match path.rsplit_once('/') {
            Some((dir, _)) if !dir.is_empty() && self.list(dir).is_err() => Err("No such file or directory".to_owned()),
            _ => Ok(()),
        }
    }
}

/// A path without leading `./`.
fn plain(path: &str) -> &str {
    path.trim_start_matches("./")
}
