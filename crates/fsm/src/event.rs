//! What happens to a machine, and what its owner has to do.

use crate::Keep;
use crate::say::Class;
use route::Family;
use std::borrow::Cow;
use wire::{Notification, Open};

/// One of the two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Which {
    /// We opened it.
    Outgoing,
    /// The neighbour opened it.
    Incoming,
}

impl Which {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Outgoing => Self::Incoming,
            Self::Incoming => Self::Outgoing,
        }
    }
}

/// Whether the neighbour lies on a link that is up. Of a multihop neighbour always [`Reach::Ready`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It can be talked to.
    #[default]
    Ready,
    /// It lies on no link of ours.
    Absent,
    /// It does, but that link has no carrier (`check link`); the name of the link.
    LinkDown(String),
}

/// How to stop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// With a Cease; text is a shutdown communication (RFC 9003).
    Cease {
        /// Of RFC 4486.
        subcode: u8,
        /// Empty: none.
        text: String,
    },
    /// Without a word: the neighbour shall keep our routes (RFC 4724 4.1).
    #[default]
    Silent,
}

/// What happens to a machine.
#[derive(Clone, Debug)]
pub enum Event {
    /// The operator wants it up (ManualStart).
    Start,
    /// The operator wants it down (ManualStop).
    Stop(Stop),
    /// A limit on routes was passed: down, and up again after the error wait when `restart`.
    Limit {
        /// Of the Cease.
        subcode: u8,
        /// Whether to come up again.
        restart: bool,
    },
    /// What the protocol cannot be up without is not to be had, BIRD's words: down, and not up again by itself.
    Unable(&'static str),
    /// The neighbour's link came or went.
    Reach(Reach),
    /// BFD says that the neighbour is down (RFC 5882 4.3).
    LivenessLost {
        /// Its routes are to be kept as in a graceful restart.
        graceful: bool,
    },
    /// [`Action::Connect`] succeeded.
    Connected,
    /// [`Action::Connect`] failed; the system's words.
    ConnectFailed(String),
    /// The neighbour has opened a connection; the answer is [`Action::Accept`] or [`Action::Refuse`].
    Offered,
    /// An OPEN came.
    Open(Which, Box<Open>),
    /// A KEEPALIVE came.
    Keepalive(Which),
    /// UPDATEs or ROUTE-REFRESHs came, in Established.
    Routes(Which),
    /// A NOTIFICATION came.
    Notification(Which, Notification),
    /// Octets came that are no message, or a message that must end the session.
    Malformed(Which, Notification),
    /// A message came that has no business in this state; see [`Machine::expects`](crate::Machine::expects).
    Unexpected(Which),
    /// The connection is gone: closed by the neighbour (`None`), or lost; the system's words.
    Closed(Which, Option<String>),
    /// The hold time is over, but octets of the neighbour wait to be read: the congestion is ours.
    OctetsWaiting(Which),
    /// The neighbour has not taken a single octet for too long (RFC 9687).
    Stuck(Which),
    /// The neighbour has told everything of a family (RFC 4724 2).
    EndOfRib(Family),
    /// Time has passed.
    Tick,
}

/// What the owner of a machine has to do, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open a connection; its fate is told by [`Event::Connected`] or [`Event::ConnectFailed`].
    Connect,
    /// Take the connection that was offered.
    Accept,
    /// Close the connection that was offered, without a word.
    Refuse,
    /// Send an OPEN.
    SendOpen(Which, Box<Open>),
    /// Send a KEEPALIVE.
    SendKeepalive(Which),
    /// Send a NOTIFICATION; [`Action::Close`] follows.
    SendNotification(Which, Notification),
    /// Close the connection, or give up opening it.
    Close(Which),
    /// The life of the protocol has come to this.
    Life(Life),
    /// The session is up on this connection: see [`Machine::negotiated`](crate::Machine::negotiated).
    Established(Which),
    /// The session is lost; what becomes of each family's routes.
    Lost(Vec<(Family, Keep)>),
    /// Retained routes of a family have had their time.
    Drop(Family),
    /// Retained routes of a family are long-lived stale from now on.
    LongLived(Family),
    /// What is still stale in a family must go: the neighbour has told everything.
    Sweep(Family),
    /// The protocol has disabled itself.
    Disabled,
    /// A line for the log.
    Say(Class, Cow<'static, str>),
}

/// A connection has come from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which one.
    pub which: Which,
    /// Where it was.
    pub from: Phase,
    /// Where it is.
    pub to: Phase,
}

/// The life of the protocol, as the operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Nothing happens.
    Down,
    /// It wants to go up.
    Start,
    /// The session is established.
    Up,
    /// It goes down.
    Stop,
}

/// The state of BGP, as the operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is the state of its name, RFC 4271 8.2.2")]
pub enum Phase {
    Down,
    Idle,
    Connect,
    Active,
    OpenSent,
    OpenConfirm,
    Established,
    Passive,
}

impl Phase {
    /// BIRD's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Idle => "Idle",
            Self::Connect => "Connect",
            Self::Active => "Active",
            Self::OpenSent => "OpenSent",
            Self::OpenConfirm => "OpenConfirm",
            Self::Established => "Established",
            Self::Passive => "Passive",
        }
    }
}
