//! One table, one owner: store, decision, journal, export groups.
//!
//! Plain structs with `&mut self`: no thread, clock, socket or log. Whoever owns
//! a [`table::Table`] applies [`batch::Act`]s to it and takes sealed
//! [`batch::ChangeBatch`]es from it; whoever owns a group applies those.
//!
//! How the files of a table stand on each other, lowest first:
//!
//! ```text
//!   chunks  blocks      arrays that grow without copying; sets of blocks of prefixes
//!   halves              what only few prefixes of IPv6 have behind the 64th bit
//!   ahead  index        what is read soon is asked for; numbers found by hash
//!   path  slab  store   sixteen octets a path; rows and the index of prefixes
//!   nexthop  intern     next hops and attribute sets, each once, by number
//!   elsewhere           next hops that another table answers
//!   limits  channel     who imports: counters, limits, marks, sources
//!   decision  election  which of two paths; the order of all paths of a prefix
//!   table               all of it, and the two ways to change a prefix
//!   import  pipe        rows of a channel; what another table says
//!   upkeep              what is left behind, in slices
//!   journal  query      what changed; what is there
//!   trace               lines about single routes, for those who ask
//! ```

mod ahead;
pub mod batch;
mod blocks;
mod channel;
mod chunks;
pub mod decision;
mod election;
pub mod elsewhere;
pub mod export;
mod halves;
mod import;
mod index;
mod intern;
mod journal;
pub mod limits;
mod nexthop;
mod path;
mod pipe;
pub mod query;
mod slab;
pub mod stats;
mod store;
pub mod table;
pub mod trace;
mod upkeep;

pub use pipe::with_answer;
