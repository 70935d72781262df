//! Statistics reports (RFC 7854 4.8, RFC 8671 6.2): the counters of `show protocols all`, asked for as it asks.

use super::queue::{Feeder, Item};
use bmp::{Counters, Gauges};
use rib::export::MemberId;
use route::ChannelId;
use session::monitor::SessionUp;
use session::peer::Deps;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A session, and as which members of export groups its channels are told routes.
pub(super) struct Counted {
    pub(super) session: Arc<SessionUp>,
    pub(super) members: BTreeMap<ChannelId, MemberId>,
}

/// Puts a report of each session into the queue.
pub(super) async fn report(deps: Deps, sessions: Vec<Counted>, feeder: Feeder) {
    for Counted { session, members } in sessions {
        let (mut counters, mut rows) = (Counters::default(), Vec::new());
        for channel in &session.channels {
            let id = channel.channel;
            let asked = deps.tables.query(channel.table, move |t| (t.counts(id), t.import_stats(id))).await;
            let Some((counts, import)) = asked else { continue };
            let told = match members.get(&id) {
                Some(member) => deps.exports.stats(*member).await.map_or(0, |(_, told)| told),
                None => 0,
            };
            counters.rejected += import.updates_filtered;
            counters.known += import.updates_ignored;
            rows.push(Gauges {
                family: channel.family,
                adj_in: u64::from(counts.imported) + u64::from(counts.filtered),
                best: counts.preferred.into(),
                adj_out: told.into(),
            });
        }
        feeder.put(Item::Statistics(session, counters, rows));
    }
}
