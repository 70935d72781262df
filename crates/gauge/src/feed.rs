//! A small table like the Internet's: 5.5 prefixes to an attribute set, prefixes in no order, paths of four.

use rib::batch::{Act, ChangeBatch, ChannelSpec, Deed, Generation, ImportBatch, ImportRow, What};
use rib::table::{Order, Table, TableSpec};
use route::attr::code;
use route::attrs::Local;
use route::{
    AttrSet, AttrSetBuilder, BgpSource, ChannelId, Dest, Family, Hop, IfIndex, Moment, Prefix, ProtocolId, Source,
    SourceId, SourceKind, Speaker, TableId,
};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::sync::Arc;

/// Routes of the table.
pub const ROUTES: u32 = 22_000;
/// Attribute sets.
pub const SETS: u32 = ROUTES * 2 / HALVES;
/// Prefixes to an attribute set, in halves.
const HALVES: u32 = 11;
/// What one read of a socket brings.
const BATCH_ROWS: usize = 2048;

/// The address with this last octet.
pub fn addr(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

/// The prefix of a route; the order of routes is not that of addresses.
pub fn net(n: u32) -> Prefix {
    Prefix::new(Ipv4Addr::from_bits(n.wrapping_mul(0x9e37_79b1) << 8).into(), 24).expect("24 bits")
}

/// The routes with an attribute set.
pub fn routes_of(set: u32) -> Range<u32> {
    let first = |set: u32| (set * HALVES).div_ceil(2).min(ROUTES);
    first(set)..first(set + 1)
}

/// An attribute set; `turn` changes every one of them.
pub fn set(number: u32, turn: u32) -> AttrSet {
    let dest = Dest::Via(Hop::via(addr(1), IfIndex(2)));
    let mut local = Local::new(SourceKind::Bgp, 100, dest);
    local.from = Some(addr(1));
    let mut b = AttrSetBuilder::new(local);
    let mut path = vec![2, 5];
    for asn in [65001, 3356 + turn, 6939, 1000 + number % 500, 200_000 + number] {
        path.extend_from_slice(&u32::to_be_bytes(asn));
    }
    b.set(code::ORIGIN, &[0]);
    b.set(code::AS_PATH, &path);
    b.set(code::NEXT_HOP, &[192, 0, 2, 1]);
    b.set_u32(code::LOCAL_PREF, 100);
    if number % 5 < 3 {
        b.set(code::COMMUNITY, &(number % 5000).to_be_bytes().repeat(3));
    }
    b.build()
}

/// A peer, by its number from 1.
pub fn source(peer: u8) -> Source {
    Source {
        id: SourceId(u32::from(peer)),
        protocol: ProtocolId(u32::from(peer)),
        protocol_name: format!("p{peer}").into(),
        kind: SourceKind::Bgp,
        path_id: 0,
        bgp: Some(BgpSource::between(
            Speaker { addr: addr(254), asn: 65000, id: 254 },
            Speaker { addr: addr(peer), asn: 65000 + u32::from(peer), id: u32::from(peer) },
        )),
    }
}

/// Does something to a table in the name of a peer.
pub fn act(table: &mut Table, peer: u8, deed: Deed) {
    let act = Act { channel: ChannelId(u32::from(peer)), generation: Generation(1), deed };
    table.apply(act, Moment(1), &mut Vec::new());
}

/// A table that these peers have joined.
pub fn table(peers: u8) -> Table {
    let family = Family::Ipv4;
    let mut table = Table::new(TableSpec { id: TableId(0), name: "master".into(), family, order: Order::default() });
    let spec = ChannelSpec { family, late_filter: None, keep_filtered: false, receive_limit: None, import_limit: None };
    for peer in 1..=peers {
        act(&mut table, peer, Deed::Up(Box::new(spec.clone())));
        act(&mut table, peer, Deed::Source(Arc::new(source(peer))));
    }
    table
}

/// A peer's feed as batches of what one read brings.
pub fn batches(peer: u8, turn: u32) -> Vec<ImportBatch> {
    let mut all = vec![ImportBatch::default()];
    for number in 0..SETS {
        if all.last().is_some_and(|b| b.rows.len() >= BATCH_ROWS) {
            all.push(ImportBatch::default());
        }
        let Some(batch) = all.last_mut() else { continue };
        let what = What::Announce(batch.palette.len() as u32);
        batch.palette.push(set(number, turn));
        let source = SourceId(u32::from(peer));
        batch.rows.extend(routes_of(number).map(|n| ImportRow { net: net(n), source, what }));
    }
    all
}

/// The same as withdrawals.
pub fn withdrawals(peer: u8) -> Vec<ImportBatch> {
    let mut all = batches(peer, 0);
    for batch in &mut all {
        batch.palette.clear();
        batch.rows.iter_mut().for_each(|row| row.what = What::Withdraw);
    }
    all
}

/// A table takes batches; what it seals after each.
pub fn feed(table: &mut Table, peer: u8, batches: Vec<ImportBatch>) -> Vec<Arc<ChangeBatch>> {
    let mut sealed = Vec::new();
    for batch in batches {
        act(table, peer, Deed::Import(batch));
        table.work(Moment(1), 1024);
        sealed.extend(table.seal());
    }
    sealed
}
