//! Octets to BGP messages and back.
//!
//! Pure: no socket, clock or log. Octets of a peer are touched only here, by
//! readers that cannot run past their end; whatever they are, the answer is a
//! message, a treatment of RFC 7606, or the NOTIFICATION to send.
//!
//! The way in: [`frame::next`] cuts a buffer into frames, [`Frame::message`]
//! reads the small ones, [`Update::split`] says what stands where in an UPDATE,
//! and [`update::Announced::attributes`] makes canonical octets (see
//! `route::attrs`) of its path attributes. The way out: each message appends itself to a buffer of the
//! caller's; [`Encoder`] packs routes into UPDATEs.

pub mod capability;
pub mod encode;
pub mod frame;
pub mod mrt;
pub mod nlri;
pub mod notification;
pub mod open;
pub mod refresh;
pub mod update;

mod attributes;
mod path;

pub use capability::Capabilities;
pub use encode::{EncodeContext, Encoder};
pub use frame::{Frame, Kind, Message};
pub use nlri::{Nlri, Nlris, PerFamily};
pub use notification::Notification;
pub use open::Open;
pub use refresh::RouteRefresh;
pub use update::{Decoded, Remark, Update, UpdateContext};
