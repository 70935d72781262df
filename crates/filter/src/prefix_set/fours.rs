//! Sets of prefixes as BIRD 2 prints them.
//!
//! Its nodes branch by four bits and stand at lengths that four divides. Each says
//! which lengths it accepts above and below itself, as the nodes of the set do;
//! prefixes of the three lengths behind its own it lists one by one. What is
//! printed shows these nodes, so they are built for it, from the patterns of the
//! set. Addresses of both families stand at the upper end of 128 bits.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many bits a node branches by.
const STEP: u8 = 4;

struct Node {
    len: u8,
    addr: u128,
    /// Lengths that are accepted whatever follows: bit `n - 1` from the top for length `n`.
    accept: u128,
    /// Prefixes of the lengths `len .. len + 4`: bit `2^i + n` for number `n` of length `len + i`.
    local: u32,
    children: [usize; 1 << STEP],
}

/// The nodes; the first is the root, which is nobody's child.
pub(super) struct Fours(Vec<Node>);

impl Fours {
    pub(super) fn new() -> Self {
        Self(vec![node(0, 0, 0, 0)])
    }

    /// Takes in a pattern; `low` is at least 1.
    pub(super) fn add(&mut self, base: u128, len: u8, low: u8, high: u8) {
        let len = len.min(high);
        let above = len - len % STEP;
        if len == above {
            self.insert(node(len, base, accepted(low, high), whole_levels(above, low, high)));
            return;
        }
        let below = above + STEP;
        if low < below {
            let mut local = whole_levels(above, low, above);
            for level in (0..STEP).filter(|i| low <= above + i && above + i <= high) {
                let count = 1u32 << (above + level).saturating_sub(len);
                local |= ((1 << count) - 1) << ((1 << level) + bits(base, above, level));
            }
            self.insert(node(above, base, accepted(low, above), local));
        }
        if below <= high {
            let low = low.max(below);
            for number in 0..1u128 << (below - len) {
                let base = base | number << (128 - below);
                self.insert(node(below, base, accepted(low, high), whole_levels(below, low, high)));
            }
        }
    }

    fn insert(&mut self, mut new: Node) {
        let (mut parent, mut at) = (0, 0);
        loop {
            let count = self.0.len();
            let Some(old) = self.0.get_mut(at) else { return };
            let common = (new.addr ^ old.addr).leading_zeros() as u8;
            if common < new.len.min(old.len) {
                let len = common - common % STEP;
                let accept = (new.accept | old.accept) & mask(len);
                let local = listed(new.addr, new.accept, len) | listed(old.addr, old.accept, len);
                let mut fork = node(len, new.addr, accept, local);
                set_child(&mut fork, old.addr, at);
                set_child(&mut fork, new.addr, count + 1);
                self.hang(parent, fork);
                self.0.push(new);
                return;
            }
            if new.len < old.len {
                new.accept |= old.accept & mask(new.len);
                new.local |= listed(old.addr, old.accept, new.len);
                set_child(&mut new, old.addr, at);
                self.hang(parent, new);
                return;
            }
            if new.len == old.len {
                old.accept |= new.accept;
                old.local |= new.local;
                return;
            }
            old.accept |= new.accept & mask(old.len);
            old.local |= listed(new.addr, new.accept, old.len);
            parent = at;
            at = old.children.get(bits(new.addr, old.len, STEP) as usize).copied().unwrap_or(0);
            if at == 0 {
                self.hang(parent, new);
                return;
            }
        }
    }

    /// Makes a node the child of another, in place of the one that is there.
    fn hang(&mut self, parent: usize, child: Node) {
        let at = self.0.len();
        if let Some(parent) = self.0.get_mut(parent) {
            set_child(parent, child.addr, at);
        }
        self.0.push(child);
    }

    /// Tells every piece of the set: a prefix with the lengths that it accepts.
    pub(super) fn each(&self, mut piece: impl FnMut(u128, u8, u128) -> fmt::Result) -> fmt::Result {
        let mut waiting = vec![0];
        while let Some(node) = waiting.pop().and_then(|at| self.0.get(at)) {
            if node.accept != 0 {
                piece(node.addr, node.len, node.accept)?;
            }
            node.each_listed(&mut piece)?;
            waiting.extend(node.children.iter().rev().filter(|at| **at != 0));
        }
        Ok(())
    }
}

impl Node {
    /// Tells the prefixes that are listed one by one, those of one subtree together.
    fn each_listed(&self, piece: &mut impl FnMut(u128, u8, u128) -> fmt::Result) -> fmt::Result {
        let mut local = self.local;
        for level in u8::from(self.len == 0)..STEP {
            if has_length(self.accept, self.len + level) {
                local &= !subtree(1, level);
            }
        }
        for place in 2..1u32 << STEP {
            if local >> place & 1 == 0 {
                continue;
            }
            let level = place.ilog2() as u8;
            let depth =
                (0..STEP - level).take_while(|i| local & subtree(place, *i) == subtree(place, *i)).count() as u8;
            (0..depth).for_each(|i| local &= !subtree(place, i));
            let len = self.len + level;
            let number = u128::from(place & ((1 << level) - 1));
            let addr = self.addr | number << (128 - len);
            piece(addr, len, mask(len - 1) ^ mask(len - 1 + depth))?;
        }
        Ok(())
    }
}

/// The address at the upper end of 128 bits.
pub(super) fn shown(addr: u128, is_v4: bool) -> IpAddr {
    if is_v4 { Ipv4Addr::from_bits((addr >> 96) as u32).into() } else { Ipv6Addr::from_bits(addr).into() }
}

fn node(len: u8, addr: u128, accept: u128, local: u32) -> Node {
    Node { len, addr: addr & mask(len), accept, local, children: [0; 1 << STEP] }
}

fn set_child(parent: &mut Node, addr: u128, child: usize) {
    if let Some(place) = parent.children.get_mut(bits(addr, parent.len, STEP) as usize) {
        *place = child;
    }
}

fn mask(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len.min(128))).unwrap_or(0)
}

/// `count` bits behind the first `from`.
fn bits(addr: u128, from: u8, count: u8) -> u32 {
    let behind = addr.checked_shl(from.into()).unwrap_or(0);
    behind.checked_shr(128 - u32::from(count)).unwrap_or(0) as u32
}

/// The lengths from `low` to `high`.
fn accepted(low: u8, high: u8) -> u128 {
    if low <= high { mask(low.saturating_sub(1)) ^ mask(high) } else { 0 }
}

fn has_length(accept: u128, len: u8) -> bool {
    len > 0 && len <= 128 && accept >> (128 - len) & 1 == 1
}

/// All prefixes of the lengths behind `len` that are accepted, each of the three behind a node's own.
fn whole_levels(len: u8, low: u8, high: u8) -> u32 {
    (0..STEP).filter(|i| low <= len + i && len + i <= high).fold(0, |all, i| all | subtree(1, i))
}

/// The prefixes `level` bits longer than the one at a place.
const fn subtree(place: u32, level: u8) -> u32 {
    ((1 << (1 << level)) - 1) << (place << level)
}

/// What a node of length `len` lists of an address below it that accepts some lengths.
fn listed(addr: u128, accept: u128, len: u8) -> u32 {
    let lengths = (0..STEP).filter(|i| has_length(accept, len + i));
    lengths.fold(0, |all, i| all | 1 << ((1 << i) + bits(addr, len, i)))
}
