//! A file into which whole dumps go.
//!
//! A dump appends, as BIRD's do. A file that is new is written under a hidden
//! name in the same directory and gets its own at the end, so who watches the
//! directory finds whole dumps only. One that is there grows, and is cut back
//! to what it was when the dump can not be ended. What is no regular file (a
//! pipe, a device) gets what there is as it comes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A file being written. Dropped before [`finish`](Self::finish) it leaves nothing behind.
pub(super) struct DumpFile {
    to: File,
    way: Way,
}

enum Way {
    /// Written under another name.
    New { hidden: PathBuf, path: PathBuf },
    /// Was there, this long.
    Grown { before: u64 },
    /// Can not be taken back.
    Stream,
}

impl DumpFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let found = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::open_new(path),
            other => other,
        };
        found?;
        let file = append(path)?;
        let now = file.metadata()?;
        let way = if now.is_file() { Way::Grown { before: now.len() } } else { Way::Stream };
        Ok(Self { to: file, way })
    }

    fn open_new(path: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let hidden = path.with_file_name(format!(".rbird-{}-{count}.mrt", std::process::id()));
        // Left over by a process of this number that was killed; a link that somebody put here is not followed.
        let _ = fs::remove_file(&hidden);
        let file = OpenOptions::new().write(true).create_new(true).open(&hidden)?;
        let way = Way::New { hidden, path: path.to_owned() };
        Ok(Self { to: file, way })
    }

    /// Adds octets, which are many at a time: nothing is kept back.
    pub(super) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.to.write_all(octets)
    }

    /// All is written: the file appears under its name, or keeps what was added.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let way = std::mem::replace(&mut self.way, Way::Stream);
        let Way::New { hidden, path } = way else { return Ok(()) };
        let named = appear(&hidden, &path);
        let _ = fs::remove_file(&hidden);
        named
    }
}

/// Gives a file its name. When another one took that in the meantime, it goes to its end.
fn appear(hidden: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(hidden, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mut whole = File::open(hidden)?;
            io::copy(&mut whole, &mut append(path)?).map(drop)
        }
        // Not every file system has links.
        Err(_) => fs::rename(hidden, path),
        Ok(()) => Ok(()),
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

impl Drop for DumpFile {
    fn drop(&mut self) {
        // There is nobody to tell when that fails, too.
        let _ = match &self.way {
            Way::New { hidden, .. } => fs::remove_file(hidden),
            Way::Grown { before } => self.to.set_len(*before),
            Way::Stream => Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own, and the names in it.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let dir = std::env::temp_dir().join(format!("rbird-dump-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Self(dir)
        }

        fn file(&self) -> PathBuf {
            self.0.join("x.mrt")
        }

        fn count(&self) -> usize {
            fs::read_dir(&self.0).unwrap().count()
        }

        fn text(&self) -> Vec<u8> {
            fs::read(self.file()).unwrap()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_new_file_appears_when_it_is_whole() {
        let place = Place::new("new");
        let mut file = DumpFile::open(&place.file()).unwrap();
        file.write(b"whole").unwrap();
        assert!(!place.file().exists());
        file.finish().unwrap();
        assert_eq!((place.text(), place.count()), (b"whole".to_vec(), 1));
    }

    #[test]
    fn a_new_file_that_is_given_up_leaves_nothing() {
        let place = Place::new("given-up");
        let mut file = DumpFile::open(&place.file()).unwrap();
        file.write(&vec![0; 1 << 20]).unwrap();
        drop(file);
        assert_eq!(place.count(), 0);
    }

    #[test]
    fn a_file_that_is_there_grows_or_stays_as_it_was() {
        let place = Place::new("grown");
        fs::write(place.file(), "a").unwrap();
        let mut file = DumpFile::open(&place.file()).unwrap();
        file.write(b"b").unwrap();
        file.finish().unwrap();
        assert_eq!(place.text(), b"ab");
        for octets in [1, 1 << 20] {
            let mut file = DumpFile::open(&place.file()).unwrap();
            file.write(&vec![0; octets]).unwrap();
            drop(file);
            assert_eq!(place.text(), b"ab");
        }
        assert_eq!(place.count(), 1);
    }

    #[test]
    fn two_dumps_of_one_new_file_stand_one_behind_the_other() {
        let place = Place::new("two");
        let [mut one, mut two] = [DumpFile::open(&place.file()).unwrap(), DumpFile::open(&place.file()).unwrap()];
        one.write(b"one").unwrap();
        two.write(b"two").unwrap();
        two.finish().unwrap();
        one.finish().unwrap();
        assert_eq!((place.text(), place.count()), (b"twoone".to_vec(), 1));
    }

    #[test]
    fn what_is_not_to_be_written_says_so_when_it_is_opened() {
        let words = |path: &str| DumpFile::open(Path::new(path)).err().map(|e| e.kind());
        assert_eq!(words("/nonexistent/x"), Some(io::ErrorKind::NotFound));
        assert_eq!(words("/tmp"), Some(io::ErrorKind::IsADirectory));
        let mut full = DumpFile::open(Path::new("/dev/full")).unwrap();
        assert_eq!(full.write(b"x").unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
