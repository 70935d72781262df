//! What may be wrong with an OPEN (RFC 4271 6.2), in BIRD's order: of several errors the neighbour is told the first.

use super::Machine;
use crate::Negotiated;
use wire::notification::{self, open as open_error};
use wire::{Capabilities, Notification};

/// What the neighbour is told, and the line for the log.
type Objection = (Notification, String);

impl Machine {
    /// What is wrong with what two OPENs come to. `bare`: we announced no capabilities, so we may ask for none.
    pub(super) fn objection(&self, negotiated: &Negotiated, bare: bool) -> Option<Objection> {
        self.times(negotiated)
            .or_else(|| self.identifier(negotiated.peer.router_id))
            .or_else(|| if bare { None } else { self.capabilities(negotiated) })
            .or_else(|| self.neighbour(negotiated.peer.asn))
            .or_else(|| self.role(negotiated))
    }

    fn times(&self, negotiated: &Negotiated) -> Option<Objection> {
        let offered_s = negotiated.peer.hold_time_s;
        let is_good = !matches!(offered_s, 1 | 2) && self.config.terms.allow_times(&self.config, negotiated);
        (!is_good).then(|| self.told(Notification::unacceptable_hold_time(offered_s)))
    }

    /// Within an AS identifiers are unique (RFC 6286 2.2).
    fn identifier(&self, router_id: u32) -> Option<Objection> {
        let twin = self.config.is_internal() && router_id == self.config.router_id;
        (router_id == 0 || twin).then(|| {
            let n = Notification::new(notification::OPEN, open_error::BAD_IDENTIFIER);
            let text = format!("{}: {router_id:08x}", n.message());
            (n, text)
        })
    }

    fn capabilities(&self, negotiated: &Negotiated) -> Option<Objection> {
        let mut missing = self.config.terms.missing(negotiated);
        negotiated.add_missing(&self.config.required, &mut missing);
        (missing != Capabilities::default()).then(|| {
            let n = Notification::missing_capabilities(&missing);
            let text = n.message().into_owned();
            (n, text)
        })
    }

    fn role(&self, negotiated: &Negotiated) -> Option<Objection> {
        self.config.terms.misfit(negotiated).map(wrong_role)
    }

    fn neighbour(&self, asn: u32) -> Option<Objection> {
        let is_good = match self.config.peer_as {
            0 => asn != self.config.local_as && asn != 0,
            expected => asn == expected,
        };
        (!is_good).then(|| self.told(Notification::bad_peer_as(asn)))
    }

    /// The line says the same as the NOTIFICATION.
    fn told(&self, n: Notification) -> Objection {
        let text = self.line(&n);
        (n, text)
    }
}

/// The line says which role it was; the NOTIFICATION does not.
fn wrong_role(word: &str) -> Objection {
    let n = Notification::new(notification::OPEN, open_error::ROLE_MISMATCH);
    let text = format!("{} ({word})", n.message());
    (n, text)
}
