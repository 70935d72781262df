//! MRT records: messages and states of sessions into one file (`mrtdump`), and [`dump`]s of tables.
//!
//! Peers hand over records and go on; a thread of its own writes them, so nobody
//! waits for a disk. What waits is bounded: when the disk is slower than the
//! neighbours, records are left out, and the log says how many.

pub mod dump;
mod file;

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

/// How many octets may wait for the disk.
const WAITING_OCTETS_MAX: usize = 64 << 20;

/// A handle to the thread that writes. The thread ends when the last handle is gone.
#[derive(Clone)]
pub struct Recorder {
    orders: mpsc::Sender<Order>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_on: AtomicBool,
    waiting: AtomicUsize,
    lost: AtomicU64,
}

enum Order {
    File(Option<Arc<str>>),
    Record(Vec<u8>),
}

impl Recorder {
    /// Starts the thread; there is no file yet.
    pub fn start() -> Self {
        let (orders, inbox) = mpsc::channel();
        let shared = Arc::<Shared>::default();
        let writer = Writer { shared: Arc::clone(&shared), file: None, path: "".into() };
        crate::mailbox::spawn("mrtdump".to_owned(), move || writer.run(&inbox));
        Self { orders, shared }
    }

    /// From now on records go to the end of this file, which is opened anew; `None`: nowhere.
    pub fn set_file(&self, path: Option<Arc<str>>) {
        self.shared.is_on.store(path.is_some(), Ordering::Relaxed);
        let _ = self.orders.send(Order::File(path));
    }

    /// Whether there is a file. Without one there is no need to make records.
    pub fn is_on(&self) -> bool {
        self.shared.is_on.load(Ordering::Relaxed)
    }

    /// Hands over a record. Never waits.
    pub fn record(&self, record: Vec<u8>) {
        let waiting = self.shared.waiting.fetch_add(record.len(), Ordering::Relaxed);
        if waiting + record.len() > WAITING_OCTETS_MAX {
            self.shared.waiting.fetch_sub(record.len(), Ordering::Relaxed);
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let _ = self.orders.send(Order::Record(record));
    }
}

/// The thread.
struct Writer {
    shared: Arc<Shared>,
    file: Option<BufWriter<File>>,
    path: Arc<str>,
}

impl Writer {
    fn run(mut self, inbox: &mpsc::Receiver<Order>) {
        while let Ok(first) = inbox.recv() {
            self.obey(first);
            while let Ok(next) = inbox.try_recv() {
                self.obey(next);
            }
            if let Some(Err(error)) = self.file.as_mut().map(Write::flush) {
                self.fail(&error);
            }
            let lost = self.shared.lost.swap(0, Ordering::Relaxed);
            if lost > 0 {
                tracing::warn!("MRTDump file '{}': {lost} records left out, the disk is too slow", self.path);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::File(path) => {
                self.file = path.as_deref().and_then(open);
                self.path = path.unwrap_or_default();
            }
            Order::Record(record) => {
                self.shared.waiting.fetch_sub(record.len(), Ordering::Relaxed);
                if let Some(Err(error)) = self.file.as_mut().map(|file| file.write_all(&record)) {
                    self.fail(&error);
                }
            }
        }
    }

    /// A file that cannot be written is left alone until the next configuration.
    fn fail(&mut self, error: &std::io::Error) {
        tracing::error!("Unable to write to MRTDump file '{}': {}", self.path, crate::sockopt::words(error));
        self.file = None;
        self.shared.is_on.store(false, Ordering::Relaxed);
    }
}

fn open(path: &str) -> Option<BufWriter<File>> {
    match OpenOptions::new().append(true).create(true).open(path) {
        Ok(file) => Some(BufWriter::new(file)),
        Err(error) => {
            tracing::error!("Unable to open MRTDump file '{path}': {}", crate::sockopt::words(&error));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_follow_what_is_in_the_file_already() {
        let path = std::env::temp_dir().join(format!("rbird-mrtdump-{}", std::process::id()));
        std::fs::write(&path, "a").unwrap();
        let recorder = Recorder::start();
        assert!(!recorder.is_on());
        recorder.set_file(Some(path.to_str().unwrap().into()));
        assert!(recorder.is_on());
        recorder.record(b"bc".to_vec());
        recorder.record(b"d".to_vec());
        recorder.set_file(None);
        // The writer looks at everything in order: the file is whole when what it waits for is none and the file is closed.
        let whole = || std::fs::read(&path).unwrap() == b"abcd";
        let soon = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while !whole() && std::time::Instant::now() < soon {
            std::thread::yield_now();
        }
        assert!(whole());
        let _ = std::fs::remove_file(&path);
    }
}
