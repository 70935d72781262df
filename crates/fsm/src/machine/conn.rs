//! The states of one connection, with what exists only in them.

use crate::{Negotiated, Phase, Timer};
use route::Moment;

/// The states of RFC 4271 8.2.2. What exists only in a state lives in it.
#[derive(Clone, Debug)]
pub(super) enum Conn {
    Idle,
    /// Waits before an attempt.
    Active(Timer),
    Connect(Timer),
    OpenSent {
        hold: Timer,
        bare: bool,
    },
    OpenConfirm(Box<Talk>),
    Established(Box<Talk>),
}

#[derive(Clone, Debug)]
pub(super) struct Talk {
    pub(super) negotiated: Negotiated,
    pub(super) hold: Option<Timer>,
    pub(super) keepalive: Option<Timer>,
}

impl Conn {
    pub(super) const fn phase(&self) -> Phase {
        match self {
            Self::Idle => Phase::Idle,
            Self::Active(_) => Phase::Active,
            Self::Connect(_) => Phase::Connect,
            Self::OpenSent { .. } => Phase::OpenSent,
            Self::OpenConfirm(_) => Phase::OpenConfirm,
            Self::Established(_) => Phase::Established,
        }
    }

    /// Whether the neighbour would hear a message.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::OpenSent { .. } | Self::OpenConfirm(_) | Self::Established(_))
    }

    pub(super) fn talk(&self) -> Option<&Talk> {
        match self {
            Self::OpenConfirm(talk) | Self::Established(talk) => Some(talk),
            _ => None,
        }
    }

    pub(super) fn talk_mut(&mut self) -> Option<&mut Talk> {
        match self {
            Self::OpenConfirm(talk) | Self::Established(talk) => Some(talk),
            _ => None,
        }
    }

    pub(super) fn hold(&self) -> Option<Timer> {
        match self {
            Self::OpenSent { hold, .. } => Some(*hold),
            _ => self.talk()?.hold,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        match self {
            Self::Idle => None,
            Self::Active(t) | Self::Connect(t) | Self::OpenSent { hold: t, .. } => Some(t.expires),
            Self::OpenConfirm(talk) | Self::Established(talk) => {
                let timers = [talk.hold, talk.keepalive];
                timers.into_iter().flatten().map(|t| t.expires).min()
            }
        }
    }
}
