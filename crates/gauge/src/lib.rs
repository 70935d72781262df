//! What a route costs on each part of its way through the program.
//!
//! A [`Driver`] makes something ready and then does one thing to every route of a
//! small table. There is one list of them and two uses: `cargo bench -p
//! rbird-gauge` times them, and `cargo xtask count` runs each under callgrind and
//! holds the instructions against the limits in `limits.tsv`, on machines where
//! time means nothing.
//!
//! A driver is the same in every run: its routes are seeded, it has one thread and
//! no clock. Only the seeds of hash tables differ, which move a count by less than
//! a hundredth.

#![expect(clippy::expect_used, reason = "a gauge may fail")]

mod codec;
mod feed;
mod group;
mod kernel;
mod policy;
mod table;

use std::any::Any;

/// What has been made ready. Done once; what it answers is put away when nobody counts any more.
pub type Ready = Box<dyn FnOnce() -> Box<dyn Any>>;

/// One thing done to every route.
#[derive(Clone, Copy)]
pub struct Driver {
    /// `part/what`.
    pub name: &'static str,
    /// What it does, for those who read the list.
    pub about: &'static str,
    /// To so many routes.
    pub routes: u32,
    /// Makes it ready.
    pub prepare: fn() -> Ready,
}

/// All of them, in the order of a route's way.
pub const DRIVERS: &[Driver] = &[
    row("codec/decode", "UPDATEs with attributes never seen before", codec::decode),
    row("codec/decode known", "UPDATEs whose attributes were seen before: their key only", codec::decode_known),
    row("filter/each route", "the import filter of the benchmark, run for each route", policy::each_route),
    row("filter/by memory", "the same, run once for each attribute set and answer", policy::by_memory),
    row("table/load", "a feed comes: intern, number, decide, seal", table::load),
    row("table/change", "every route gets other attributes", table::change),
    row("table/second feed", "another peer announces the same", table::second_feed),
    row("table/withdraw", "every route is withdrawn by message", table::withdraw),
    row("table/peer lost", "every route goes with its peer", table::peer_lost),
    row("table/look up", "the longest match of an address, shown with its path", table::look_up),
    row("group/tell", "eight neighbours are told everything: judge, pack, encode", group::tell),
    row("group/tell changes", "the same when every route changed", group::tell_changes),
    row("codec/encode", "UPDATEs of attribute sets with their prefixes", codec::encode),
    row("kernel/load", "every route is wanted in the kernel: reconcile", kernel::load),
    row("kernel/withdraw", "every route is to leave the kernel", kernel::withdraw),
];

const fn row(name: &'static str, about: &'static str, prepare: fn() -> Ready) -> Driver {
    Driver { name, about, routes: feed::ROUTES, prepare }
}

/// Does what was made ready. Callgrind counts from its begin to its end, and finds it by its name.
#[inline(never)]
pub fn measured(ready: Ready) -> Box<dyn Any> {
    ready()
}
