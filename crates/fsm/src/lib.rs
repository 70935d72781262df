//! RFC 4271 section 8 as a value: events in, actions out, never a socket or clock.
//!
//! A [`Machine`] is one protocol instance towards one neighbour: its life as the
//! operator sees it (down, start, up), up to two connections (ours and the
//! neighbour's, until a collision is resolved), every timer, the waiting after
//! errors, what was negotiated, and what a restarting neighbour is still owed.
//!
//! Time is an argument. After every [`Machine::handle`] ask
//! [`Machine::next_deadline`] and come back with [`Event::Tick`] then. Chance is
//! an argument, too: the seed of [`Machine::new`]; the same seed and events give
//! the same actions.
//!
//! States, texts and times are those that BIRD 1.6.8 showed
//! (`fsm/TABLE-1.6.8.md` of the reference); where it breaks the RFC to somebody's
//! harm the RFC is followed and `docs/differences.md` says so.

pub mod config;
pub mod event;
pub mod machine;
pub mod negotiated;
pub mod restart;
pub mod say;
pub mod terms;
pub mod timer;

pub use config::{Config, Required};
pub use event::{Action, Event, Life, Phase, Reach, Stop, Turn, Which};
pub use machine::Machine;
pub use negotiated::Negotiated;
pub use restart::Keep;
pub use say::{Class, ErrorClass, LastError};
pub use terms::{Needed, Terms};
pub use timer::Timer;
