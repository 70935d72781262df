//! `dump ... "file"`: what commands show, in a file that was not there before.
//!
//! The file is made as BIRD makes it: by the daemon, with its rights, never over something that is there, and readable
//! for the daemon's user alone. A restricted client may not (see `order`). Its format is nobody's interface; it is the
//! text of the commands of [`CONTENTS`] without codes, written piece by piece as they are answered.

use super::{Gone, Session};
use crate::code;
use crate::frame::Frame;
use crate::order::Order;
use crate::request::{Dump, Request};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::time::Instant;

/// What is in a dump: its name, and the commands whose answers it holds.
static CONTENTS: &[(Dump, &str, &[&str])] = &[
    (Dump::Resources, "resources", &["show memory", "show threads all"]),
    (Dump::Sockets, "sockets", &[]),
    (Dump::AoKeys, "AO keys", &[]),
    (Dump::Events, "event log", &[]),
    (Dump::Interfaces, "interfaces", &["show interfaces"]),
    (Dump::Neighbors, "neighbor cache", &["show static", "show bfd sessions all", "show protocols"]),
    (Dump::Attributes, "attribute cache", &["show memory", "show route table all all"]),
    (Dump::AttributeStats, "attribute cache statistics", &["show memory"]),
    (Dump::Routes, "routing tables", &["show route table all all"]),
    (Dump::Tables, "table connections", &["show route table all count", "show protocols all"]),
    (Dump::Protocols, "protocols", &["show protocols all"]),
    (Dump::Filters, "filter bytecode", &["show symbols filter", "show symbols function"]),
];

/// Nobody but the daemon's user reads it.
const MODE: u32 = 0o400;

/// A dump that is being written.
pub(super) struct DumpFile {
    file: Arc<File>,
    octets: u64,
    /// Why nothing more is written.
    failed: Option<io::Error>,
}

impl DumpFile {
    async fn create(path: &str) -> io::Result<Self> {
        let path = path.to_owned();
        let open = move || File::options().write(true).create_new(true).mode(MODE).open(path);
        let file = tokio::task::spawn_blocking(open).await.map_err(io::Error::other)??;
        Ok(Self { file: Arc::new(file), octets: 0, failed: None })
    }

    /// Appends lines of a reply, without their codes. What goes wrong is told at the end.
    pub(super) async fn put(&mut self, reply: &str) {
        if self.failed.is_some() {
            return;
        }
        let text: String = reply.split_inclusive('\n').filter_map(plain).collect();
        let octets = text.len() as u64;
        let file = Arc::clone(&self.file);
        let written = tokio::task::spawn_blocking(move || (&*file).write_all(text.as_bytes())).await;
        match written.map_err(io::Error::other).flatten() {
            Ok(()) => self.octets += octets,
            Err(error) => self.failed = Some(error),
        }
    }
}

/// A line without its code; nothing of one that only says the end, or that a command was refused.
fn plain(line: &str) -> Option<&str> {
    let coded = line.get(..4).is_some_and(|code| code.bytes().all(|b| b.is_ascii_digit()));
    match coded {
        true if line.starts_with(['8', '9']) || line.starts_with("0000 ") => None,
        true => line.get(5..),
        false => line.get(1..),
    }
}

impl Session {
    pub(super) async fn dump_to_file(&mut self, what: Dump, path: &str, out: &mut Frame) -> Result<(), Gone> {
        let began = Instant::now();
        let (name, commands) = CONTENTS.iter().find(|row| row.0 == what).map_or(("", &[][..]), |row| (row.1, row.2));
        let file = match DumpFile::create(path).await {
            Ok(file) => file,
            Err(error) => {
                out.end(code::DUMP_FAILED, format_args!("Failed to open file {path}: {}", reason(&error)));
                return Ok(());
            }
        };
        out.line(code::STATUS, format_args!("Dumping {name} to {path}"));
        self.write(out).await?;
        self.file = Some(file);
        let written = self.write_dump(what, commands).await;
        let file = self.file.take();
        written?;
        match file.as_ref().and_then(|file| file.failed.as_ref()) {
            Some(error) => out.end(code::DUMP_FAILED, format_args!("Failed to write file {path}: {}", reason(error))),
            None => {
                let octets = file.map_or(0, |file| file.octets);
                let ms = began.elapsed().as_millis();
                out.end(code::STATUS, format_args!("Dumped {octets} bytes in {}.{:03} s", ms / 1000, ms % 1000));
            }
        }
        Ok(())
    }

    async fn write_dump(&mut self, what: Dump, commands: &[&str]) -> Result<(), Gone> {
        let config = self.config();
        let mut text = Frame::new();
        for line in self.ask(|answer| Request::DumpLines(what, answer)).await? {
            text.line(code::STATUS_DETAIL, line);
        }
        for command in commands {
            if let Ok((order, _)) = Order::parse(command.as_bytes(), &config) {
                Box::pin(self.obey(order, &config, &mut text)).await?;
            }
            self.write(&mut text).await?;
        }
        self.write(&mut text).await
    }
}

/// An error as `strerror` words it.
fn reason(error: &io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_owned()
}
