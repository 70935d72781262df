//! A session without a socket: what it makes of octets, for benches and nothing else.
//!
//! The way is the one of `peer/task/octets`: frame after frame into the intake, a
//! batch when it is full and at the end of what was read.

use crate::intake::{BATCH_ROWS_MAX, Intake, SourceIds};
use crate::peer::PeerSpec;
use rib::batch::ImportBatch;
use route::{Family, IfIndex, Ifaces, Source};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use tokio::sync::watch;
use wire::frame::{self, MESSAGE_OCTETS_MAX, Next};
use wire::{PerFamily, UpdateContext};

/// See the head of this file.
pub struct Played(Intake);

impl Played {
    /// A session with four-octet AS numbers and both families. `origin` is its source.
    pub fn new(spec: PeerSpec, origin: Arc<Source>, ifaces: Arc<Ifaces>) -> Self {
        let families = PerFamily { ipv4: true, ipv6: true };
        let context = UpdateContext { as4: true, families, ..UpdateContext::default() };
        let ids = SourceIds::new(Arc::new(AtomicU32::new(origin.id.0 + 1)));
        let roas = watch::Sender::new(Arc::default()).subscribe();
        Self(Intake::new(Arc::new(spec), context, origin, ids, IfIndex(2), ifaces, roas))
    }

    /// Takes in whole messages that one read has brought; what is no UPDATE ends it.
    pub fn read(&mut self, mut octets: &[u8], batches: &mut Vec<ImportBatch>) {
        while let Ok(Next::Frame(found)) = frame::next(octets, MESSAGE_OCTETS_MAX) {
            if self.0.update(found.body).is_err() {
                break;
            }
            if self.0.rows() >= BATCH_ROWS_MAX {
                self.hand_over(batches);
            }
            octets = octets.get(found.octets()..).unwrap_or_default();
        }
        self.hand_over(batches);
    }

    fn hand_over(&mut self, batches: &mut Vec<ImportBatch>) {
        batches.extend(Family::ALL.into_iter().filter_map(|family| self.0.take(family)).map(|taken| taken.batch));
    }
}
