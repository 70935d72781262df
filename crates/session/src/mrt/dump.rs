//! Dumps of tables: TABLE_DUMP_V2 (RFC 6396 4.3, RFC 8050), one file a table.
//!
//! A dump runs on a thread of its own. It asks the table's owner for slices and
//! takes them to the filter, to the encoder and to the disk by itself, so that
//! neither a table nor a session waits for a filter or a disk. As with every
//! reader in slices, what changes meanwhile is written as it was when its slice
//! was taken; a prefix that goes and comes back under another number may stand
//! twice.

use super::file::DumpFile;
use crate::clock::Clock;
use crate::sockopt;
use crate::tables::Tables;
use filter::{Env, Policy, RouteView, Scratch, Verdict};
use rib::batch::NetId;
use rib::query::{NetView, PathView};
use route::{AttrSet, Family, Ifaces, Prefix, ProtocolId, RoaTables, TableId};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
pub use wire::mrt::Peer;
use wire::mrt::{self, Entry};

/// Prefixes in a slice: how long the table's owner is kept.
const SLICE: usize = 512;
/// How many errors of the filter go to the log.
const ERRORS_LOGGED: u32 = 10;
/// How many failures are told.
const FAILURES_MAX: usize = 100;
/// Attributes of a path have a length of 16 bits; an IPv6 next hop takes two octets more than it has in a set.
const ATTRS_OCTETS_MAX: usize = u16::MAX as usize - 2;

/// What to write.
pub struct Dump {
    /// Which tables, in this order.
    pub tables: Vec<DumpedTable>,
    /// Which routes, and how.
    pub policy: Policy,
    /// Every route stands in a record with path identifiers.
    pub always_add_path: bool,
    /// By which family's unspecified address the index names nobody, who gave the static routes; `None`: by that of the
    /// table's.
    pub nobody: Option<Family>,
    /// Our BGP identifier.
    pub collector: u32,
    /// The neighbours whose sessions stand.
    pub peers: Vec<(ProtocolId, Peer)>,
    /// Links and ROA tables, for the filter.
    pub world: (Arc<Ifaces>, Arc<RoaTables>),
    /// Whom to ask.
    pub owners: Tables,
    /// The process's clock.
    pub clock: Clock,
}

/// A table to be written.
#[derive(Clone, Debug)]
pub struct DumpedTable {
    /// Its name.
    pub name: Arc<str>,
    /// Its number.
    pub table: TableId,
    /// Its family.
    pub family: Family,
    /// The file; an error is a name that can be none.
    pub path: Result<String, String>,
}

/// Why a table, or a route of it, is not written. Displayed in BIRD's words.
#[derive(Debug)]
pub enum Failure {
    /// The name can be none.
    Name(String),
    /// The file can not be opened.
    Open(String, io::Error),
    /// The disk does not take it.
    Write(io::Error),
    /// Its attributes are too long for the format; the other routes are written.
    TooLong(Prefix),
    /// The table went away.
    Gone(Arc<str>),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "Invalid filename '{name}'"),
            Self::Open(path, error) => write!(f, "Unable to open MRT file '{path}': {}", sockopt::words(error)),
            Self::Write(error) => write!(f, "Write to MRT file failed: {}", sockopt::words(error)),
            Self::TooLong(net) => write!(f, "Attribute list too long for {net}"),
            Self::Gone(table) => write!(f, "Table {table} was removed while it was dumped"),
        }
    }
}

impl Dump {
    /// Begins. All failures are told at the end; dropping the receiver gives up what is not written yet.
    ///
    /// Must be called inside the runtime.
    pub fn start(self) -> oneshot::Receiver<Vec<Failure>> {
        let (told, hears) = oneshot::channel();
        let owners = Handle::current();
        let thread = std::thread::Builder::new().name("mrt dump".to_owned()).stack_size(crate::mailbox::STACK_OCTETS);
        let run = move || {
            let mut writer = Writer::new(self, owners, told);
            writer.all();
            let Writer { told, failures, .. } = writer;
            let _ = told.send(failures);
        };
        if let Err(error) = thread.spawn(run) {
            tracing::error!("Cannot start thread mrt dump: {error}");
        }
        hears
    }
}

/// The thread.
struct Writer {
    dump: Dump,
    owners: Handle,
    told: oneshot::Sender<Vec<Failure>>,
    scratch: Scratch,
    errors: u32,
    failures: Vec<Failure>,
    /// Where a neighbour stands in the index; 0 is nobody.
    places: HashMap<ProtocolId, u16>,
}

/// A path that the filter let through.
struct Written {
    peer: u16,
    since_s: u32,
    path_id: u32,
    attrs: AttrSet,
}

impl Writer {
    fn new(mut dump: Dump, owners: Handle, told: oneshot::Sender<Vec<Failure>>) -> Self {
        dump.peers.truncate(usize::from(u16::MAX) - 1);
        let places = dump.peers.iter().map(|(protocol, _)| *protocol).zip(1..).collect();
        Self { dump, owners, told, scratch: Scratch::new(), errors: 0, failures: Vec::new(), places }
    }

    fn all(&mut self) {
        for table in std::mem::take(&mut self.dump.tables) {
            if self.told.is_closed() {
                return;
            }
            if let Err(failure) = self.table(&table) {
                self.fail(failure);
            }
        }
    }

    fn fail(&mut self, failure: Failure) {
        if self.failures.len() < FAILURES_MAX {
            self.failures.push(failure);
        }
    }

    fn table(&mut self, table: &DumpedTable) -> Result<(), Failure> {
        let path = table.path.as_ref().map_err(|name| Failure::Name(name.clone()))?;
        let mut file = DumpFile::open(Path::new(path)).map_err(|error| Failure::Open(path.clone(), error))?;
        let mut octets = Vec::new();
        let mut peers = vec![Peer::none(self.dump.nobody.unwrap_or(table.family))];
        peers.extend(self.dump.peers.iter().map(|(_, peer)| *peer));
        mrt::put_peer_index(&mut octets, now_s(), self.dump.collector, &table.name, &peers);
        let mut sequence = 0;
        let mut from = Some(NetId(0));
        while let Some(at) = from {
            let slice = self.owners.block_on(self.dump.owners.query(table.table, move |t| {
                let mut ids = Vec::new();
                let next = t.nets(at, SLICE, &mut ids);
                (ids.iter().filter_map(|(_, id)| t.show(*id)).collect::<Vec<_>>(), next)
            }));
            let (nets, next) = slice.ok_or_else(|| Failure::Gone(Arc::clone(&table.name)))?;
            for net in &nets {
                self.net(net, &mut sequence, &mut octets);
            }
            file.write(&octets).map_err(Failure::Write)?;
            octets.clear();
            if self.told.is_closed() {
                return Ok(());
            }
            from = next;
        }
        file.finish().map_err(Failure::Write)
    }

    /// The records of a prefix: of paths without a path identifier, then of those with one.
    fn net(&mut self, net: &NetView, sequence: &mut u32, octets: &mut Vec<u8>) {
        let mut kept = Vec::with_capacity(net.paths.len());
        for path in net.paths.iter().filter(|path| !path.filtered) {
            if let Some(attrs) = self.accepts(net.net, path) {
                match attrs.octets().len() {
                    0..=ATTRS_OCTETS_MAX => kept.push(self.written(path, attrs)),
                    _ => self.fail(Failure::TooLong(net.net)),
                }
            }
        }
        let always = self.dump.always_add_path;
        for add_path in [false, true] {
            let of_kind = kept.iter().filter(|w| (always || w.path_id != 0) == add_path);
            let entries: Vec<Entry<'_>> = of_kind.map(Written::entry).collect();
            if !entries.is_empty() {
                mrt::put_rib(octets, now_s(), *sequence, net.net, add_path, &entries);
                *sequence = sequence.wrapping_add(1);
            }
        }
    }

    fn written(&self, path: &PathView, attrs: AttrSet) -> Written {
        let age_s = self.dump.clock.now().since_ms(path.since) / 1000;
        Written {
            peer: self.places.get(&path.source.protocol).copied().unwrap_or(0),
            since_s: now_s().saturating_sub(u32::try_from(age_s).unwrap_or(u32::MAX)),
            path_id: path.source.path_id,
            attrs,
        }
    }

    /// The attributes as the filter left them; `None` when it rejects.
    fn accepts(&mut self, net: Prefix, path: &PathView) -> Option<AttrSet> {
        let filter = match &self.dump.policy {
            Policy::Accept => return Some(path.attrs.clone()),
            Policy::Reject => return None,
            Policy::Filter(filter) => filter,
        };
        let route = RouteView {
            roa: None,
            net,
            attrs: &path.attrs,
            source: &path.source,
            resolved: Some(&path.hop.to),
            igp_metric: path.hop.igp_metric,
        };
        let (ifaces, roas) = &self.dump.world;
        let outcome = filter.run(&mut self.scratch, route, Env { ifaces, roas });
        for line in &outcome.printed {
            tracing::info!("{line}");
        }
        if let Some(error) = &outcome.error {
            self.errors = self.errors.saturating_add(1);
            match self.errors {
                n if n < ERRORS_LOGGED => tracing::error!("{error}"),
                ERRORS_LOGGED => tracing::error!("{error} ..."),
                _ => {}
            }
        }
        let attrs = outcome.attrs.unwrap_or_else(|| path.attrs.clone());
        (outcome.verdict == Verdict::Accept).then_some(attrs)
    }
}

impl Written {
    fn entry(&self) -> Entry<'_> {
        Entry { peer: self.peer, since_s: self.since_s, path_id: self.path_id, attrs: self.attrs.octets() }
    }
}

/// Seconds since 1970.
fn now_s() -> u32 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |d| u32::try_from(d.as_secs()).unwrap_or(u32::MAX))
}
