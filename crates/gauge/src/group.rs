//! An export group of eight neighbours: changes to octets.

use crate::Ready;
use crate::feed::{addr, batches, feed, table};
use rib::batch::{ChangeBatch, Generation, NetId, Reading};
use rib::export::{Advance, Group, GroupKey, MemberId, MemberSpec, Part};
use rib::trace::Tracing;
use route::{ChannelId, Family, ProtocolId};
use std::sync::Arc;
use wire::frame::MESSAGE_OCTETS_MAX;
use wire::{EncodeContext, Encoder, Nlri, PerFamily};

const MEMBERS: u8 = 8;

fn key() -> GroupKey {
    GroupKey { cluster_id: 254, ..GroupKey::external(Family::Ipv4, 65000, addr(254)) }
}

fn member(n: u8) -> MemberSpec {
    MemberSpec {
        protocol: ProtocolId(u32::from(n)),
        name: format!("p{n}").into(),
        channel: ChannelId(u32::from(n)),
        generation: Generation(1),
        peer_addr: addr(n),
        export_limit: None,
        tracing: Tracing::default(),
    }
}

/// Everything that a group says of some batches, as messages. `all` of it when the first batch is told from nothing.
struct Telling {
    group: Group,
    encoder: Encoder,
    advance: Advance,
    out: Vec<u8>,
}

impl Telling {
    /// A group whose members have been told all of an empty table.
    fn new(empty: &ChangeBatch) -> Self {
        let mut group = Group::new(Arc::new(key()), Arc::default());
        for n in 0..MEMBERS {
            group.join(MemberId(u32::from(n)), member(10 + n), None, None);
        }
        let mut advance = Advance::default();
        group.take(empty, Part::Page { from: NetId(0), next: None }, &mut advance);
        let context = EncodeContext { as4: true, add_path_tx: PerFamily::default(), octets_max: MESSAGE_OCTETS_MAX };
        Self { group, encoder: Encoder::new(context), advance, out: Vec::new() }
    }

    fn tell(&mut self, batches: &[Arc<ChangeBatch>]) {
        for batch in batches {
            self.group.take(batch, Part::Changes, &mut self.advance);
            self.out.clear();
            for run in &self.advance.runs {
                let nlris = self.advance.nets(run, batch).map(|(net, path_id)| Nlri { net, path_id });
                let Some(attrs) = &run.attrs else { continue };
                self.encoder.set_attributes(Family::Ipv4, attrs.octets()).expect("attributes that fit");
                self.encoder.announce(nlris, &mut self.out);
            }
            assert!(!self.out.is_empty(), "there is something to tell");
        }
    }
}

pub fn tell() -> Ready {
    let mut table = table(1);
    let mut telling = Telling::new(&table.page(NetId(0), 1, Reading::Best).0);
    let sealed = feed(&mut table, 1, batches(1, 0));
    Box::new(move || {
        telling.tell(&sealed);
        Box::new((telling, sealed))
    })
}

pub fn tell_changes() -> Ready {
    let mut table = table(1);
    let mut telling = Telling::new(&table.page(NetId(0), 1, Reading::Best).0);
    telling.tell(&feed(&mut table, 1, batches(1, 0)));
    let sealed = feed(&mut table, 1, batches(1, 1));
    Box::new(move || {
        telling.tell(&sealed);
        Box::new((telling, sealed))
    })
}
