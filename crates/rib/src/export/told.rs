//! What a group has told: the Adj-RIB-Out, as small as the group allows.
//!
//! - A group of one keeps a bit a prefix. It cannot tell an equal announcement
//!   from a new one, and repeats it, as BIRD does.
//! - A group of several keeps what was told and of which protocol the route was,
//!   8 octets a prefix: from those follows what each member holds.
//! - With ADD-PATH there is one such row for each path, in a list for each prefix.
//!
//! Everything stands in chunks of 4,096 prefixes, allocated on use.

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
            Self::Rows(rows) => chunk_nets(&rows.chunks, |row| row.out != FREE),
            Self::Paths(paths) => chunk_nets(&paths.heads, |head| *head != FREE),
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

fn chunk_nets<T>(chunks: &[Option<Box<[T]>>], is_used: impl Fn(&T) -> bool) -> Vec<NetId> {
    let used = |(i, chunk): (usize, &Option<Box<[T]>>)| -> Vec<NetId> {
        let rows = chunk.iter().flat_map(|c| c.iter().enumerate());
        rows.filter(|(_, r)| is_used(r)).map(|(j, _)| NetId((i * CHUNK_NETS + j) as u32)).collect()
    };
    chunks.iter().enumerate().flat_map(used).collect()
}

/// The place of a prefix in its chunk, which is made when `make` says so.
fn slot<T: Clone>(chunks: &mut Vec<Option<Box<[T]>>>, id: NetId, make: bool, empty: T) -> Option<&mut T> {
    let (chunk, at) = (id.0 as usize / CHUNK_NETS, id.0 as usize % CHUNK_NETS);
    if make && chunk >= chunks.len() {
        chunks.resize(chunk + 1, None);
    }
    let chunk = chunks.get_mut(chunk)?;
    if make && chunk.is_none() {
        *chunk = Some(vec![empty; CHUNK_NETS].into_boxed_slice());
    }
    chunk.as_mut()?.get_mut(at)
}

/// No row, no node.
const FREE: u32 = u32::MAX - 1;
/// The protocol of a row of which it was not written down.
const NOBODY: u32 = u32::MAX;

/// An exact row: 8 octets.
#[derive(Clone, Copy, Debug)]
struct Row {
    out: u32,
    protocol: u32,
}

impl Row {
    const EMPTY: Self = Self { out: FREE, protocol: NOBODY };

    fn entry(self, path_id: u32) -> Option<Entry> {
        let protocol = (self.protocol != NOBODY).then_some(ProtocolId(self.protocol));
        (self.out != FREE).then_some(Entry { path_id, out: OutId(self.out), protocol })
    }

    fn of(entry: &Entry) -> Self {
        Self { out: entry.out.0, protocol: entry.protocol.map_or(NOBODY, |p| p.0) }
    }
}

/// One exact row for each prefix.
#[derive(Debug, Default)]
pub(super) struct Rows {
    chunks: Vec<Option<Box<[Row]>>>,
    /// How many rows of each chunk are in use: one without goes.
    used: Vec<u16>,
}

impl Rows {
    fn get(&self, id: NetId) -> Option<Entry> {
        let chunk = self.chunks.get(id.0 as usize / CHUNK_NETS)?.as_ref()?;
        chunk.get(id.0 as usize % CHUNK_NETS)?.entry(0)
    }

    fn set(&mut self, id: NetId, entry: Option<&Entry>) {
        let chunk = id.0 as usize / CHUNK_NETS;
        let Some(row) = slot(&mut self.chunks, id, entry.is_some(), Row::EMPTY) else { return };
        let was = row.out != FREE;
        *row = entry.map_or(Row::EMPTY, Row::of);
        self.used.resize(self.chunks.len(), 0);
        let Some(used) = self.used.get_mut(chunk) else { return };
        match (was, entry.is_some()) {
            (false, true) => *used += 1,
            (true, false) => *used -= 1,
            _ => {}
        }
        if *used == 0
            && let Some(chunk) = self.chunks.get_mut(chunk)
        {
            *chunk = None;
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    row: Row,
    path_id: u32,
    next: u32,
}

/// Several exact rows for each prefix: 4 octets a prefix and 16 a path.
#[derive(Debug, Default)]
pub(super) struct Paths {
    heads: Vec<Option<Box<[u32]>>>,
    nodes: Vec<Node>,
    free: Vec<u32>,
}

impl Paths {
    fn read(&self, id: NetId, into: &mut Vec<Entry>) {
        let chunk = self.heads.get(id.0 as usize / CHUNK_NETS).and_then(Option::as_ref);
        let mut at = chunk.and_then(|c| c.get(id.0 as usize % CHUNK_NETS)).copied().unwrap_or(FREE);
        while let Some(node) = self.nodes.get(at as usize) {
            into.extend(node.row.entry(node.path_id));
            at = node.next;
        }
    }

    fn write(&mut self, id: NetId, entries: &[Entry]) {
        let Some(head) = slot(&mut self.heads, id, !entries.is_empty(), FREE) else {
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
