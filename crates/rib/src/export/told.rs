//! What a group has told: the Adj-RIB-Out, as small as the group allows.
//!
//! - A group of one keeps a bit a prefix. It cannot tell an equal announcement
//!   from a new one, and repeats it, as BIRD does.
//! - A group of several keeps what was told and of which protocol the route was:
//!   from those follows what each member holds. That is 8 octets a prefix, and 4 where
//!   all neighbours in number were given by one protocol, as by a full table.
//! - With ADD-PATH there is one such row for each path, in a list for each prefix.
//!
//! Everything stands in chunks, allocated on use.

use super::CHUNK_NETS;
use super::bits::Bits;
use super::outs::OutId;
use crate::batch::NetId;
use route::ProtocolId;

/// One route that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The path identifier (RFC 7911), 0 without ADD-PATH.
    pub(super) path_id: u32,
    /// What was told.
    pub(super) out: OutId,
    /// Whose route it was; `None` when nobody wrote it down.
    pub(super) protocol: Option<ProtocolId>,
}

/// What a group has told, by prefix number.
#[derive(Debug)]
pub(super) enum Told {
    /// A bit for each prefix.
    Bits(Bits),
    /// One exact row for each prefix.
    Rows(Rows),
    /// Several exact rows for each prefix.
    Paths(Paths),
}

impl Told {
    /// Appends what was told of a prefix.
    pub(super) fn read(&self, id: NetId, into: &mut Vec<Entry>) {
        match self {
            Self::Bits(bits) => {
                if bits.has(id) {
                    into.push(Entry { path_id: 0, out: OutId::UNKNOWN, protocol: None });
                }
            }
            Self::Rows(rows) => into.extend(rows.get(id)),
            Self::Paths(paths) => paths.read(id, into),
        }
    }

    /// Replaces what was told of a prefix.
    pub(super) fn write(&mut self, id: NetId, entries: &[Entry]) {
        match self {
            Self::Bits(bits) => {
                bits.set(id, !entries.is_empty());
            }
            Self::Rows(rows) => rows.set(id, entries.first()),
            Self::Paths(paths) => paths.write(id, entries),
        }
    }

    /// All prefixes of which something was told, ascending.
    pub(super) fn nets(&self) -> Vec<NetId> {
        match self {
            Self::Bits(bits) => bits.iter().collect(),
            Self::Rows(rows) => rows.nets(),
            Self::Paths(paths) => paths.nets(),
        }
    }

    /// From bits to rows that say only that something was told: a second member has come.
    pub(super) fn make_exact(&mut self) {
        let Self::Bits(bits) = self else { return };
        let mut rows = Rows::default();
        for id in bits.iter() {
            rows.set(id, Some(&Entry { path_id: 0, out: OutId::UNKNOWN, protocol: None }));
        }
        *self = Self::Rows(rows);
    }
}

/// No row, no node.
const FREE: u32 = u32::MAX - 1;
/// The protocol of a row of which it was not written down.
const NOBODY: u32 = u32::MAX;

/// An exact row.
#[derive(Clone, Copy, Debug)]
struct Row {
    out: u32,
    protocol: u32,
}

impl Row {
    fn entry(self, path_id: u32) -> Option<Entry> {
        let protocol = (self.protocol != NOBODY).then_some(ProtocolId(self.protocol));
        (self.out != FREE).then_some(Entry { path_id, out: OutId(self.out), protocol })
    }

    fn of(entry: &Entry) -> Self {
        Self { out: entry.out.0, protocol: entry.protocol.map_or(NOBODY, |p| p.0) }
    }
}

/// Rows of a chunk.
const CHUNK_ROWS: usize = 512;

/// One exact row for each prefix.
#[derive(Debug, Default)]
pub(super) struct Rows {
    chunks: Vec<Option<Chunk>>,
}

/// Some rows in use, and what was told in each.
#[derive(Debug)]
struct Chunk {
    outs: Box<[u32; CHUNK_ROWS]>,
    protocols: Protocols,
    used: u16,
}

/// Who gave the routes of a chunk.
#[derive(Debug)]
enum Protocols {
    /// One gave all of them.
    One(u32),
    /// Each its own.
    Each(Box<[u32; CHUNK_ROWS]>),
}

impl Chunk {
    fn new(protocol: u32) -> Self {
        Self { outs: Box::new([FREE; CHUNK_ROWS]), protocols: Protocols::One(protocol), used: 0 }
    }

    #[inline]
    fn row(&self, at: usize) -> Row {
        let protocol = match &self.protocols {
            Protocols::One(protocol) => *protocol,
            Protocols::Each(all) => all[at],
        };
        Row { out: self.outs[at], protocol }
    }

    #[inline]
    fn set(&mut self, at: usize, row: Row) {
        self.used += u16::from(self.outs[at] == FREE);
        self.outs[at] = row.out;
        match &mut self.protocols {
            Protocols::One(protocol) if *protocol == row.protocol => {}
            Protocols::One(protocol) => {
                let mut all = Box::new([*protocol; CHUNK_ROWS]);
                all[at] = row.protocol;
                self.protocols = Protocols::Each(all);
            }
            Protocols::Each(all) => all[at] = row.protocol,
        }
    }

    fn clear(&mut self, at: usize) {
        self.used -= u16::from(self.outs[at] != FREE);
        self.outs[at] = FREE;
    }
}

impl Rows {
    fn get(&self, id: NetId) -> Option<Entry> {
        let chunk = self.chunks.get(id.0 as usize / CHUNK_ROWS)?.as_ref()?;
        chunk.row(id.0 as usize % CHUNK_ROWS).entry(0)
    }

    fn set(&mut self, id: NetId, entry: Option<&Entry>) {
        let (chunk, at) = (id.0 as usize / CHUNK_ROWS, id.0 as usize % CHUNK_ROWS);
        if entry.is_some() && chunk >= self.chunks.len() {
            self.chunks.resize_with(chunk + 1, || None);
        }
        let Some(place) = self.chunks.get_mut(chunk) else { return };
        if let Some(entry) = entry {
            let row = Row::of(entry);
            place.get_or_insert_with(|| Chunk::new(row.protocol)).set(at, row);
        } else if let Some(rows) = place {
            rows.clear(at);
            if rows.used == 0 {
                *place = None;
            }
        }
    }

    fn nets(&self) -> Vec<NetId> {
        let used = |(i, chunk): (usize, &Option<Chunk>)| -> Vec<NetId> {
            let outs = chunk.iter().flat_map(|c| c.outs.iter().enumerate());
            outs.filter(|(_, out)| **out != FREE).map(|(j, _)| NetId((i * CHUNK_ROWS + j) as u32)).collect()
        };
        self.chunks.iter().enumerate().flat_map(used).collect()
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    row: Row,
    path_id: u32,
    next: u32,
}

/// The place of a prefix in its chunk, which is made when `make` says so.
fn slot(chunks: &mut Vec<Option<Box<[u32]>>>, id: NetId, make: bool) -> Option<&mut u32> {
    let (chunk, at) = (id.0 as usize / CHUNK_NETS, id.0 as usize % CHUNK_NETS);
    if make && chunk >= chunks.len() {
        chunks.resize(chunk + 1, None);
    }
    let chunk = chunks.get_mut(chunk)?;
    if make && chunk.is_none() {
        *chunk = Some(vec![FREE; CHUNK_NETS].into_boxed_slice());
    }
    chunk.as_mut()?.get_mut(at)
}

/// Several exact rows for each prefix: 4 octets a prefix and 16 a path.
#[derive(Debug, Default)]
pub(super) struct Paths {
    heads: Vec<Option<Box<[u32]>>>,
    nodes: Vec<Node>,
    free: Vec<u32>,
}

impl Paths {
    fn nets(&self) -> Vec<NetId> {
        let used = |(i, chunk): (usize, &Option<Box<[u32]>>)| -> Vec<NetId> {
            let heads = chunk.iter().flat_map(|c| c.iter().enumerate());
            heads.filter(|(_, head)| **head != FREE).map(|(j, _)| NetId((i * CHUNK_NETS + j) as u32)).collect()
        };
        self.heads.iter().enumerate().flat_map(used).collect()
    }

    fn read(&self, id: NetId, into: &mut Vec<Entry>) {
        let chunk = self.heads.get(id.0 as usize / CHUNK_NETS).and_then(Option::as_ref);
        let mut at = chunk.and_then(|c| c.get(id.0 as usize % CHUNK_NETS)).copied().unwrap_or(FREE);
        while let Some(node) = self.nodes.get(at as usize) {
            into.extend(node.row.entry(node.path_id));
            at = node.next;
        }
    }

    fn write(&mut self, id: NetId, entries: &[Entry]) {
        let Some(head) = slot(&mut self.heads, id, !entries.is_empty()) else {
            return;
        };
        let mut at = std::mem::replace(head, FREE);
        while let Some(node) = self.nodes.get(at as usize) {
            self.free.push(at);
            at = node.next;
        }
        for entry in entries.iter().rev() {
            let node = Node { row: Row::of(entry), path_id: entry.path_id, next: *head };
            *head = match self.free.pop() {
                Some(n) => {
                    if let Some(place) = self.nodes.get_mut(n as usize) {
                        *place = node;
                    }
                    n
                }
                None => {
                    self.nodes.push(node);
                    self.nodes.len() as u32 - 1
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path_id: u32, out: u32) -> Entry {
        Entry { path_id, out: OutId(out), protocol: Some(ProtocolId(7)) }
    }

    fn read(told: &Told, id: u32) -> Vec<Entry> {
        let mut all = Vec::new();
        told.read(NetId(id), &mut all);
        all
    }

    #[test]
    fn several_paths_of_a_prefix_are_kept_and_their_room_is_used_again() {
        let mut told = Told::Paths(Paths::default());
        told.write(NetId(5), &[entry(1, 10), entry(2, 20)]);
        told.write(NetId(9000), &[entry(3, 10)]);
        told.write(NetId(5), &[entry(2, 30)]);
        told.write(NetId(6), &[entry(1, 1)]);
        assert_eq!(read(&told, 5), [entry(2, 30)]);
        assert_eq!(told.nets(), [NetId(5), NetId(6), NetId(9000)]);
        let Told::Paths(paths) = &told else { unreachable!() };
        assert_eq!(paths.nodes.len(), 3);
    }

    #[test]
    fn bits_become_rows_that_know_only_that_something_was_told() {
        let mut told = Told::Bits(Bits::default());
        told.write(NetId(5), &[entry(0, 10)]);
        told.make_exact();
        assert_eq!(read(&told, 5), [Entry { path_id: 0, out: OutId::UNKNOWN, protocol: None }]);
        assert_eq!(read(&told, 6), []);
    }

    #[test]
    fn who_gave_a_route_is_kept_for_each_only_where_they_are_several() {
        let by = |protocol| Entry { path_id: 0, out: OutId(protocol), protocol: Some(ProtocolId(protocol)) };
        let mut told = Told::Rows(Rows::default());
        (0..2000).for_each(|n| told.write(NetId(n), &[by(n / 1000)]));
        assert!((0..2000).all(|n| read(&told, n) == [by(n / 1000)]));
        let Told::Rows(rows) = &told else { unreachable!() };
        let of_each: Vec<_> = rows.chunks.iter().flatten().map(|c| matches!(c.protocols, Protocols::Each(_))).collect();
        assert_eq!(of_each, [false, true, false, false]);
        told.write(NetId(7), &[Entry { protocol: None, ..by(3) }]);
        assert_eq!((read(&told, 7), read(&told, 8)), (vec![Entry { protocol: None, ..by(3) }], vec![by(0)]));
        (0..2000).for_each(|n| told.write(NetId(n), &[]));
        told.write(NetId(8), &[by(4)]);
        assert_eq!((told.nets(), read(&told, 8)), (vec![NetId(8)], vec![by(4)]));
    }

    #[test]
    fn a_chunk_goes_with_its_last_row() {
        let mut told = Told::Rows(Rows::default());
        told.write(NetId(5), &[entry(0, 10)]);
        told.write(NetId(9000), &[entry(0, 10)]);
        told.write(NetId(9000), &[entry(0, 11)]);
        told.write(NetId(9000), &[]);
        told.write(NetId(9001), &[]);
        assert_eq!(told.nets(), [NetId(5)]);
        let Told::Rows(rows) = &told else { unreachable!() };
        assert_eq!(rows.chunks.iter().flatten().count(), 1);
    }
}
