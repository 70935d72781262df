//! What a peer is to the tables and export groups: its channels, over all its sessions.
//!
//! A channel is up while the session is established and its family was
//! negotiated. Each life has a generation of its own, so what is still queued
//! of an earlier one is dropped by the table.

use super::task::states::{self, Stage};
use super::words::{self, Place};
use super::{Deps, PeerChannel, PeerSpec};
use crate::intake::Collected;
use crate::link::TableMsg;
use crate::monitor::MonitoredOut;
use crate::outbox::Outbox;
use crate::recovery::Hold;
use crate::status::ChannelStatus;
use fsm::{Keep, Negotiated};
use rib::batch::{Act, Deed, Generation, ImportBatch, ImportRow};
use rib::export::{GroupKey, MemberId};
use route::{Family, Source};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// What a neighbour tells us now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    /// What changes.
    News,
    /// All that it has, until its End-of-RIB.
    All,
    /// All of it again, between BoRR and EoRR.
    Again,
}

/// A message that has no business now, and is ignored: BIRD's words.
pub(super) struct OutOfTurn(pub(super) &'static str);

/// One channel of a peer.
pub(super) struct Channel {
    pub(super) spec: PeerChannel,
    pub(super) generation: Generation,
    /// Between [`Deed::Up`] and its down.
    pub(super) up: bool,
    /// The table holds routes of the session before.
    retained: bool,
    telling: Telling,
    member: Option<MemberId>,
    /// What we tell it as our own next hop.
    next_hop: Option<(IpAddr, Option<Ipv6Addr>)>,
    /// The neighbour is being told what stands.
    pub(super) feeding: bool,
    /// Taken at the start of our own restart, given back when the neighbour has told everything.
    pub(super) hold: Option<Hold>,
    /// Nothing is told before our own restart is over.
    pub(super) waits: bool,
    /// The state that was last said.
    pub(super) said: Stage,
}

impl Channel {
    pub(super) const fn new(spec: PeerChannel) -> Self {
        Self {
            spec,
            generation: Generation(0),
            up: false,
            retained: false,
            telling: Telling::News,
            member: None,
            next_hop: None,
            feeding: false,
            hold: None,
            waits: false,
            said: Stage::Down,
        }
    }

    /// What it has come to. `is_down`: the protocol has no life.
    pub(super) const fn stage(&self, is_down: bool) -> Stage {
        match self {
            Self { up: true, waits: true, .. } => Stage::Up,
            Self { up: true, feeding: true, .. } => Stage::Feeding,
            Self { up: true, .. } => Stage::Ready,
            _ if is_down || matches!(self.said, Stage::Down) => Stage::Down,
            Self { retained: true, .. } => Stage::Start,
            _ => Stage::Flushing,
        }
    }

    pub(super) const fn member(&self) -> Option<MemberId> {
        self.member
    }

    /// Whether the table holds routes of the session before.
    pub(super) const fn retains(&self) -> bool {
        self.retained
    }

    fn act(&self, deps: &Deps, deed: Deed, permit: Option<OwnedSemaphorePermit>) {
        let act = Act { channel: self.spec.channel, generation: self.generation, deed };
        deps.tables.send(self.spec.table, TableMsg::Act(act, permit));
    }

    /// The session is established: a new life begins. Retained routes stay until they are swept. `ends`: the neighbour
    /// says when it has told everything.
    pub(super) fn come_up(&mut self, deps: &Deps, origin: &Arc<Source>, ends: bool) {
        self.generation.0 += 1;
        self.up = true;
        self.telling = if ends { Telling::All } else { Telling::News };
        self.act(deps, Deed::Up(Box::new(words::channel_spec(&self.spec))), None);
        self.act(deps, Deed::Source(Arc::clone(origin)), None);
    }

    /// Joins its export group: the neighbour is told everything, then changes.
    pub(super) fn join(
        &mut self,
        deps: &Deps,
        spec: &PeerSpec,
        negotiated: &Negotiated,
        place: Place,
        outbox: &Arc<Outbox>,
    ) {
        self.waits = false;
        self.feeding = true;
        let key = self.key(spec, negotiated, place);
        let member = words::member(spec, &self.spec, self.generation);
        let id = deps.exports.join(self.spec.table, Arc::clone(&key), member, Arc::clone(outbox));
        self.member = Some(id);
        self.tell_monitors(deps, spec, key, id);
    }

    /// Stations hear how the neighbour is told routes from now on.
    fn tell_monitors(&self, deps: &Deps, spec: &PeerSpec, key: Arc<GroupKey>, member: MemberId) {
        let of = words::member(spec, &self.spec, self.generation);
        deps.monitors.tells(MonitoredOut { table: self.spec.table, key, spec: of, member });
    }

    /// By what the neighbour is told.
    fn key(&mut self, spec: &PeerSpec, negotiated: &Negotiated, place: Place) -> Arc<GroupKey> {
        let key = words::group_key(spec, &self.spec, negotiated, place);
        self.next_hop = Some((key.local_addr, key.local_link_local.filter(|_| key.local_addr.is_ipv6())));
        Arc::new(key)
    }

    /// The session is lost.
    pub(super) fn go_down(&mut self, deps: &Deps, keep: Keep) {
        if let Some(member) = self.member.take() {
            deps.exports.leave(member);
        }
        self.next_hop = None;
        self.waits = false;
        self.feeding = false;
        if std::mem::take(&mut self.up) {
            self.retained = keep == Keep::Stale;
            let deed = if self.retained { Deed::DownRetaining } else { Deed::Down };
            self.act(deps, deed, None);
        }
    }

    /// Everything is told again.
    pub(super) fn tell_again(&mut self, deps: &Deps, spec: &PeerSpec, enhanced: bool) {
        if let Some(member) = self.member {
            self.feeding = true;
            states::trace(spec, &self.spec, "Feeding requested");
            deps.exports.refresh(member, enhanced);
        }
    }

    /// What was retained goes, the session being lost still, or back without this family.
    pub(super) fn drop_retained(&mut self, deps: &Deps) {
        if std::mem::take(&mut self.retained) && !self.up {
            self.act(deps, Deed::Down, None);
        }
    }

    /// What is still stale goes: the neighbour has told everything.
    pub(super) fn sweep(&mut self, deps: &Deps) {
        self.retained = false;
        self.act(deps, Deed::Sweep, None);
    }

    /// End-of-RIB: the neighbour has told everything. Our own restart need not wait for it any longer.
    pub(super) fn told(&mut self) {
        self.hold = None;
        if self.telling == Telling::All {
            self.telling = Telling::News;
        }
    }

    /// BoRR: from here on everything is told again. Whoever says when it has told everything has to do that first
    /// (RFC 7313 4: "MUST ignore any BoRRs ... before the speaker receives the EoR").
    pub(super) fn mark_stale(&mut self, deps: &Deps) -> Result<(), OutOfTurn> {
        if self.telling == Telling::All {
            return Err(OutOfTurn("BEGIN-OF-RR received before END-OF-RIB, ignoring"));
        }
        self.telling = Telling::Again;
        self.act(deps, Deed::MarkStale, None);
        Ok(())
    }

    /// EoRR; one without a beginning is ignored (RFC 7313 4).
    pub(super) fn refreshed(&mut self, deps: &Deps) -> Result<(), OutOfTurn> {
        if self.telling != Telling::Again {
            return Err(OutOfTurn("END-OF-RR received without prior BEGIN-OF-RR, ignoring"));
        }
        self.telling = Telling::News;
        self.act(deps, Deed::Sweep, None);
        Ok(())
    }

    pub(super) fn long_lived(&self, deps: &Deps) {
        self.act(deps, Deed::LongLived, None);
    }

    /// Hands over what one read brought, in batches of a bounded size; the permit goes with the last.
    pub(super) fn import(&self, deps: &Deps, collected: Collected, permit: Option<OwnedSemaphorePermit>) {
        for source in collected.sources {
            self.act(deps, Deed::Source(source), None);
        }
        let mut permit = permit;
        let mut batches = split(collected.batch, crate::intake::BATCH_ROWS_MAX).into_iter().peekable();
        while let Some(batch) = batches.next() {
            let permit = if batches.peek().is_none() { permit.take() } else { None };
            self.act(deps, Deed::Import(batch), permit);
        }
    }

    /// `reload in`: what a limit has kept back may come now.
    pub(super) fn open_limits(&self, deps: &Deps) {
        if self.up {
            self.act(deps, Deed::OpenLimits, None);
        }
    }

    /// New options while up. `rejudge`: the neighbour shall be told anew what changed.
    pub(super) fn reconfigure(
        &mut self,
        deps: &Deps,
        spec: &PeerSpec,
        new: PeerChannel,
        session: Option<(&Negotiated, Place)>,
    ) {
        let limit = new.export_limit;
        if let Some(member) = self.member.filter(|_| limit != self.spec.export_limit) {
            deps.exports.set_limit(member, limit);
        }
        self.spec = new;
        if self.up {
            self.act(deps, Deed::Reconfigure(Box::new(words::channel_spec(&self.spec))), None);
        }
        if let Some((negotiated, place)) = session {
            self.rekey(deps, spec, negotiated, place);
        }
    }

    /// What the neighbour is told is judged anew.
    pub(super) fn rekey(&mut self, deps: &Deps, spec: &PeerSpec, negotiated: &Negotiated, place: Place) {
        if let Some(member) = self.member {
            let key = self.key(spec, negotiated, place);
            self.feeding = true;
            states::trace(spec, &self.spec, "Feeding requested");
            deps.exports.rekey(member, Arc::clone(&key));
            self.tell_monitors(deps, spec, key, member);
        }
    }

    pub(super) fn status(&self) -> ChannelStatus {
        ChannelStatus {
            family: self.spec.family,
            channel: self.spec.channel,
            table: self.spec.table,
            generation: self.generation,
            member: self.member,
            recovery_pending: self.hold.is_some(),
            recovery_waiting: self.waits,
            retained: self.retained,
            up: self.up,
            next_hop: self.next_hop,
        }
    }

    pub(super) const fn family(&self) -> Family {
        self.spec.family
    }
}

/// Cuts a batch into ones of at most about so many rows, each with the palette that they share.
///
/// Not between rows that say the same, if that is done with twice as many: what came in one message goes out in one.
fn split(batch: ImportBatch, rows_max: usize) -> Vec<ImportBatch> {
    let mut rest = &*batch.rows;
    let mut parts = Vec::new();
    while rest.len() > rows_max {
        let (rows, behind) = rest.split_at(rows_max);
        let says_the_same = |row: &&ImportRow| rows.last().is_some_and(|last| last.what == row.what);
        let more = behind.iter().take(rows_max).take_while(says_the_same).count();
        if parts.is_empty() && more == behind.len() {
            return vec![batch];
        }
        let (rows, behind) = rest.split_at(rows_max + more);
        parts.push(rows.to_vec());
        rest = behind;
    }
    if parts.is_empty() {
        return vec![batch];
    }
    if !rest.is_empty() {
        parts.push(rest.to_vec());
    }
    parts.into_iter().map(|rows| ImportBatch { palette: batch.palette.clone(), rows }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rib::batch::What;
    use route::{Prefix, SourceId};

    /// Rows by what they say.
    fn batch(says: &[(u32, usize)]) -> ImportBatch {
        let net = Prefix::default(Family::Ipv4);
        let row = |n: u32| ImportRow { net, source: SourceId(1), what: What::Announce(n) };
        let rows = says.iter().flat_map(|(n, count)| std::iter::repeat_n(row(*n), *count)).collect();
        ImportBatch { palette: Vec::new(), rows }
    }

    fn lengths(says: &[(u32, usize)], rows_max: usize) -> Vec<usize> {
        split(batch(says), rows_max).iter().map(|b| b.rows.len()).collect()
    }

    #[test]
    fn a_batch_is_not_cut_between_rows_of_one_set_unless_it_is_endless() {
        assert_eq!(lengths(&[(0, 7), (1, 3)], 10), [10]);
        assert_eq!(lengths(&[(0, 7), (1, 5)], 10), [12]);
        assert_eq!(lengths(&[(0, 7), (1, 5), (2, 1)], 10), [12, 1]);
        assert_eq!(lengths(&[(0, 45)], 10), [20, 20, 5]);
        assert_eq!(lengths(&[(0, 10), (1, 10), (2, 10)], 10), [10, 10, 10]);
    }
}
