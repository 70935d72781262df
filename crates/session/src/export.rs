//! The threads that own export groups.

use crate::clock::Clock;
use crate::link::EventSink;
use crate::outbox::Outbox;
use crate::tables::Tables;
use rib::export::{GroupKey, Judged, MemberId, MemberSpec};
use rib::query::NetView;
use rib::stats::ExportStats;
use route::{Ifaces, TableId};
use std::sync::Arc;

/// A handle to the threads that own export groups.
#[derive(Clone)]
pub struct Exports {}

impl Exports {
    /// Starts the threads.
    pub fn start(threads: usize, tables: Tables, clock: Clock, events: EventSink) -> Self {
        let _ = (threads, tables, clock, events);
        Self {}
    }

    /// A new member: it is fed, told End-of-RIB, then changes, all into `outbox`.
    pub fn join(&self, table: TableId, key: Arc<GroupKey>, member: MemberSpec, outbox: Arc<Outbox>) -> MemberId {
        let _ = (table, key, member, outbox);
        MemberId(0)
    }

    /// A member leaves; nothing more is put into its outbox.
    pub fn leave(&self, member: MemberId) {
        let _ = member;
    }

    /// Tells a member everything again, between BoRR and EoRR when `enhanced` (RFC 7313).
    pub fn refresh(&self, member: MemberId, enhanced: bool) {
        let _ = (member, enhanced);
    }

    /// New filter or options for a member: judged again, and what the peer holds is brought in line.
    pub fn rekey(&self, member: MemberId, key: Arc<GroupKey>) {
        let _ = (member, key);
    }

    /// Counters of a member, and how many routes it has been told; `None` when it left.
    pub async fn stats(&self, member: MemberId) -> Option<(ExportStats, u32)> {
        let _ = member;
        None
    }

    /// Judges all paths for a member with its filter of now, in the order of `nets` and of their paths.
    /// Filtered and non-best paths are judged as well. Empty when the member left.
    pub async fn judge(&self, member: MemberId, nets: Vec<NetView>) -> Vec<Judged> {
        let _ = (member, nets);
        Vec::new()
    }

    /// New links and addresses, for filters and third-party next hops.
    pub fn set_ifaces(&self, ifaces: Arc<Ifaces>) {
        let _ = ifaces;
    }
}
