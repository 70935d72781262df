//! Dumps of tables: what is to be written when a protocol `mrt` or `mrt dump` says so.

use super::{Instance, Running, Supervisor};
use conf::config::{Dialect, MrtConf, ProtocolKind};
use control::request::{Dump as DumpKind, DumpedTables, TableDump};
use control::time::{Now, Stamps};
use route::{Family, ProtocolId};
use session::mrt::dump::{Dump, DumpedTable, Peer};
use session::peer::ProtoState;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::sync::oneshot;

/// As long a name as the kernel takes.
const NAME_OCTETS_MAX: usize = 4095;

impl Supervisor {
    /// The period of a protocol is over.
    pub(super) fn dump_in_time(&self, protocol: ProtocolId) {
        let Some(instance) = self.instances.iter().find(|i| i.id == protocol && i.enabled) else { return };
        let (Running::Mrt(handle), ProtocolKind::Mrt(conf)) = (&instance.running, &instance.conf.kind) else { return };
        handle.run(|| self.dump_of(instance, conf).start());
    }

    fn dump_of(&self, instance: &Instance, conf: &MrtConf) -> Dump {
        let own = || instance.conf.channels.first().map(|c| Arc::clone(&c.table)).unwrap_or_default();
        let tables = match (&conf.table, &conf.pattern) {
            (None, Some(pattern)) => DumpedTables::Matching(Arc::clone(pattern)),
            _ => DumpedTables::Named(own()),
        };
        let filename = conf.filename.clone().unwrap_or_default();
        let order = TableDump { tables, filename, filter: conf.filter.clone() };
        Dump { always_add_path: conf.always_add_path, ..self.table_dump(&order) }
    }

    /// `mrt dump`: the answer comes when all is written.
    pub(super) fn dump_at_once(&self, order: &TableDump, mut answer: oneshot::Sender<Vec<String>>) {
        let written = self.table_dump(order).start();
        tokio::spawn(async move {
            tokio::select! {
                () = answer.closed() => {}
                failures = written => {
                    let texts = match failures {
                        Ok(failures) => failures.iter().map(ToString::to_string).collect(),
                        Err(_) => vec!["The dump has ended early".to_owned()],
                    };
                    let _ = answer.send(texts);
                }
            }
        });
    }

    /// What a dump into a file says beside what commands show.
    pub(super) fn dump_lines(&self, what: DumpKind, answer: oneshot::Sender<Vec<String>>) {
        match what {
            DumpKind::Events => drop(answer.send(session::pace::recent())),
            DumpKind::Sockets => drop(self.face.spawn_blocking(move || answer.send(sockets()))),
            DumpKind::AoKeys => {
                let peer = |i: &Instance| match &i.running {
                    Running::Bgp(peer) => Some((Arc::clone(&i.conf.name), peer.clone())),
                    _ => None,
                };
                let peers: Vec<_> = self.instances.iter().filter_map(peer).collect();
                self.face.spawn(async move {
                    let mut lines = Vec::new();
                    for (name, peer) in peers {
                        lines.extend(peer.tcp_ao().await.map(|keys| format!("{name}: {keys:?}")));
                    }
                    let _ = answer.send(lines);
                });
            }
            _ => drop(answer.send(Vec::new())),
        }
    }

    fn table_dump(&self, order: &TableDump) -> Dump {
        let deps = &self.world.deps;
        Dump {
            tables: self.dumped_tables(&order.tables, &order.filename),
            policy: order.filter.clone(),
            always_add_path: false,
            nobody: (self.current.config.dialect == Dialect::V2).then_some(Family::Ipv6),
            collector: self.router_id.to_bits(),
            peers: self.instances.iter().filter_map(peer).collect(),
            world: (Arc::clone(&deps.ifaces.borrow()), Arc::clone(&deps.roas.borrow())),
            owners: deps.tables.clone(),
            clock: deps.clock,
        }
    }

    fn dumped_tables(&self, wanted: &DumpedTables, filename: &str) -> Vec<DumpedTable> {
        let is_wanted = |name: &str| match wanted {
            DumpedTables::Named(one) => **one == *name,
            DumpedTables::Matching(pattern) => conf::glob::matches(pattern, name),
        };
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let unix_ms = since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        let stamps = Stamps::new(Now { moment: self.world.deps.clock.now(), unix_ms });
        let row = |conf: &conf::config::TableConf| {
            let pattern = filename.replace("%N", &conf.name);
            let path = stamps.file_name(&pattern).filter(|p| !p.is_empty() && p.len() <= NAME_OCTETS_MAX);
            Some(DumpedTable {
                name: Arc::clone(&conf.name),
                table: *self.tables.get(&conf.name)?,
                family: conf.family,
                path: path.ok_or_else(|| filename.to_owned()),
            })
        };
        self.current.config.tables.iter().filter(|t| is_wanted(&t.name)).filter_map(row).collect()
    }
}

/// The open sockets of the process, as the kernel names them.
fn sockets() -> Vec<String> {
    let Ok(all) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let of = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let to = std::fs::read_link(entry.path()).ok()?;
        let to = to.to_str().filter(|to| to.starts_with("socket:"))?;
        Some(format!("{} {to}", entry.file_name().to_string_lossy()))
    };
    all.filter_map(of).collect()
}

/// A neighbour whose session stands, for the index.
fn peer(instance: &Instance) -> Option<(ProtocolId, Peer)> {
    let Running::Bgp(peer) = &instance.running else { return None };
    let status = peer.status.borrow();
    let stands = matches!(status.proto, ProtoState::Up | ProtoState::Feed | ProtoState::Wait);
    let peer = Peer { router_id: status.peer_id?, addr: status.peer_addr?, asn: status.peer_as };
    stands.then_some((instance.id, peer))
}
