//! The ROA tables of the configuration, with what commands have added to them.
//!
//! In dialect 1.6 routes that were judged before a change stay as they were judged,
//! as with BIRD: `reload` judges them again. In dialect 2 what a change touches is
//! judged anew where a filter asks a ROA or ASPA table: what a neighbour is told of the
//! prefixes inside, what it has said by asking it for its routes, since of a route that
//! the filter changed or rejected nothing else is left.

use super::Supervisor;
use crate::instance::{Instance, Running};
use crate::roas::Settled;
use conf::config::{Authorises, ChannelConf, Config, RoaTableConf};
use control::request::{Passage, RoaEdit};
use filter::Policy;
use rib::batch::NetId;
use route::{Family, Prefix, Roa, RoaEntry, RoaOrigin, RoaTable, RoaTables, TableId};
use session::peer::{Deps, ProtoState};
use std::sync::Arc;

impl Supervisor {
    /// The tables of a configuration. Those that were there before keep what commands and protocols have added.
    pub(super) fn set_roas(&self, config: &Config) {
        let settles = config.authorities_of_2();
        self.world.roas.set_settle(settles.map(|t| (Arc::clone(&t.name), t.settle)).collect());
        self.world.roas.replace(|before| {
            let table = |conf: &RoaTableConf| {
                let fixed = conf.roas.iter().map(|roa| RoaEntry { roa: *roa, origin: RoaOrigin::Static });
                let table = match before.get(&conf.name) {
                    Some(old) => old.changed(|entry| entry.origin != RoaOrigin::Static, fixed),
                    None => RoaTable::new(fixed.collect()),
                };
                (Arc::clone(&conf.name), Arc::new(table))
            };
            let aspas =
                |conf: &RoaTableConf| (Arc::clone(&conf.name), before.aspas(&conf.name).cloned().unwrap_or_default());
            let (providers, origins): (Vec<_>, Vec<_>) =
                config.roa_tables.iter().partition(|t| t.of == Authorises::Providers);
            let origins = origins.into_iter().map(table).collect();
            RoaTables::new(origins).and_aspas(providers.into_iter().map(aspas).collect())
        });
    }

    /// Has judged anew what a change of ROA tables touches.
    pub(super) fn judge_anew(&self, settled: &Settled) {
        for instance in self.instances.iter().filter(|i| i.is_begun()) {
            if let (Running::RoaPipe(pipe), Some(channel)) = (&instance.running, instance.conf.roa_channels.first())
                && channel.rpki_reload
                && (asks(&channel.import, channel, settled) || asks(&channel.export, channel, settled))
            {
                pipe.reload();
            }
            for (place, channel) in instance.conf.channels.iter().enumerate().filter(|(_, c)| c.rpki_reload) {
                self.judge_channel_anew(instance, place, channel, settled);
            }
        }
    }

    fn judge_channel_anew(&self, instance: &Instance, place: usize, channel: &ChannelConf, settled: &Settled) {
        let asks = |policy| asks(policy, channel, settled);
        let (import, export) = (asks(&channel.import), asks(&channel.export));
        match &instance.running {
            Running::Bgp(peer) => {
                let status = peer.status.borrow();
                if import && status.proto == ProtoState::Up && !peer.reload_in_of(channel.family) {
                    let word = conf::channel_word(channel.family, channel.carries);
                    let name = &instance.conf.name;
                    tracing::warn!("{name}.{word}: Automatic RPKI reload not active for import");
                }
                let own = instance.channels.get(place);
                let told = status.channels.iter().find(|c| own.is_some_and(|own| own.channel == c.channel));
                if let (true, Some(own), Some(member)) = (export, own, told.and_then(|c| c.member)) {
                    let (deps, table, settled) = (self.world.deps.clone(), own.table, settled.clone());
                    tokio::spawn(async move {
                        // Any path may have the AS whose providers are others in it.
                        let touched = if settled.aspas {
                            Arc::from([Prefix::default(Family::Ipv4), Prefix::default(Family::Ipv6)])
                        } else {
                            settled.touched
                        };
                        let nets = inside(&deps, table, touched).await;
                        deps.exports.judge_anew(member, nets, settled.before);
                    });
                }
            }
            Running::Kernel(kernel) if import || export => kernel.reload(),
            Running::Pipe(pipe) if import || export => pipe.reload(),
            Running::Aggregator(aggregator) if import || export => aggregator.reload(),
            Running::Static(fixed) if import => {
                let (fixed, conf) = (fixed.clone(), Arc::clone(&instance.conf));
                drop(tokio::spawn(async move { fixed.reconfigure(conf).await }));
            }
            Running::Direct(direct) if import => {
                let (direct, conf) = (direct.clone(), Arc::clone(&instance.conf));
                drop(tokio::spawn(async move { direct.reconfigure(conf).await }));
            }
            _ => {}
        }
    }

    /// What a pipe lets out of a table of authorisations, while it is up.
    pub(super) fn passage(&self, pipe: &str, table: &str) -> Option<Passage> {
        let instance = self.instances.iter().find(|i| *i.conf.name == *pipe)?;
        match &instance.running {
            Running::RoaPipe(pipe) => pipe.passage(table),
            _ => None,
        }
    }

    /// `add roa`, `delete roa`, `flush roa`.
    pub(super) fn edit_roa(&self, name: &str, edit: RoaEdit) {
        self.world.roas.replace(|before| {
            let Some(table) = before.get(name) else { return before.clone() };
            let dynamic = |roa: Roa| RoaEntry { roa, origin: RoaOrigin::Dynamic };
            let table = match edit {
                RoaEdit::Add(roa) => table.changed(|_| true, [dynamic(roa)]),
                RoaEdit::Delete(roa) => table.changed(|entry| *entry != dynamic(roa), []),
                RoaEdit::Flush => table.changed(|entry| entry.origin != RoaOrigin::Dynamic, []),
            };
            before.with(name, table)
        });
    }
}

/// Whether what a filter of a channel says may be otherwise now.
fn asks(policy: &Policy, channel: &ChannelConf, settled: &Settled) -> bool {
    let Policy::Filter(filter) = policy else { return false };
    let roas = || settled.touched.iter().any(|prefix| prefix.family() == channel.family);
    filter.inputs.roa && roas() || filter.inputs.aspa && settled.aspas
}

/// Prefixes that are tried one by one, rather than that a table is looked through.
const TRIES_MAX: usize = 16_384;
/// Prefixes of a table that are looked at in one visit.
const SLICE: usize = 4096;

/// The prefixes of a table that lie inside others.
async fn inside(deps: &Deps, table: TableId, covers: Arc<[Prefix]>) -> Vec<NetId> {
    let asked = Arc::clone(&covers);
    let few = deps.tables.query(table, move |t| t.inside_few(&asked, TRIES_MAX)).await;
    if let Some(Some(few)) = few {
        return few;
    }
    let (mut found, mut from) = (Vec::new(), Some(NetId(0)));
    while let Some(at) = from {
        let covers = Arc::clone(&covers);
        let slice = deps.tables.query(table, move |t| {
            let mut out = Vec::new();
            let next = t.inside(&covers, at, SLICE, &mut out);
            (out, next)
        });
        let Some((mut out, next)) = slice.await else { break };
        found.append(&mut out);
        from = next;
    }
    found
}
