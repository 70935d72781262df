//! What two OPENs come to (RFC 4271 4.2, RFC 5492 and the RFCs of the capabilities).

use crate::terms::keepalive_asked_s;
use crate::{Config, Required, Terms};
use route::Family;
use wire::capability::AddPath;
use wire::{Capabilities, Open};

/// What both sides can do, and what follows for the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// What we announced.
    pub ours: Capabilities,
    /// The neighbour's OPEN.
    pub peer: Open,
    /// The families that may be spoken of. Who announced none at all speaks [`Terms::silent_family`].
    pub families: Vec<Family>,
    /// AS numbers have four octets (RFC 6793).
    pub as4: bool,
    /// Families in which the neighbour's NLRI carry path identifiers (RFC 7911).
    pub add_path_rx: Vec<Family>,
    /// Families in which our NLRI carry path identifiers.
    pub add_path_tx: Vec<Family>,
    /// IPv4 routes may have IPv6 next hops (RFC 8950), in both directions.
    pub extended_next_hop: bool,
    /// The neighbour can be asked for its routes (RFC 2918).
    pub refresh: bool,
    /// Refreshes have a marked begin and end (RFC 7313).
    pub enhanced_refresh: bool,
    /// Messages may have 65,535 octets (RFC 8654).
    pub extended_messages: bool,
    /// Seconds; 0: no hold timer.
    pub hold_time_s: u16,
    /// Seconds; 0: no keepalives.
    pub keepalive_time_s: u32,
}

impl Negotiated {
    /// Compares our options (and what we announced) with the neighbour's OPEN.
    ///
    /// Who announces no capabilities (`capabilities off`, or a neighbour that could not bear them) minds none.
    pub fn new(config: &Config, ours: Option<&Capabilities>, mut peer: Open) -> Self {
        let none = Capabilities::default();
        if ours.is_none() {
            peer.capabilities = None;
        }
        let we = ours.unwrap_or(&none);
        let they = peer.capabilities.as_ref().unwrap_or(&none);
        let families = common_families(we, they, &config.terms);
        let add_path = |receive: bool| {
            let both = |f: &Family| can_add_path(we, *f, receive) && can_add_path(they, *f, !receive);
            families.iter().copied().filter(both).collect()
        };
        let hold_time_s = config.times.hold_s.min(peer.hold_time_s);
        Self {
            as4: we.as4.is_some() && they.as4.is_some(),
            add_path_rx: add_path(true),
            add_path_tx: add_path(false),
            extended_next_hop: [we, they].iter().all(|c| c.extended_next_hop.contains(&Family::Ipv4)),
            // RFC 2918 4: whoever announced it may be asked, by us, too, who announced nothing.
            refresh: they.route_refresh,
            enhanced_refresh: we.enhanced_refresh && they.enhanced_refresh,
            extended_messages: we.extended_messages && they.extended_messages,
            hold_time_s,
            keepalive_time_s: keepalive_time_s(config, hold_time_s),
            families,
            ours: we.clone(),
            peer,
        }
    }

    /// Adds what the neighbour is not able to do of what is required of it.
    pub fn add_missing(&self, required: &Required, missing: &mut Capabilities) {
        let none = Capabilities::default();
        let they = self.peer.capabilities.as_ref().unwrap_or(&none);
        let is_unnamed = |f: &&Family| !self.has(**f) && !missing.families.contains(f);
        let families: Vec<Family> = required.families.iter().filter(is_unnamed).copied().collect();
        missing.families.extend(families);
        if required.extended_next_hop && self.has(Family::Ipv4) && they.extended_next_hop.is_empty() {
            missing.extended_next_hop.push(Family::Ipv4);
        }
        // What one side sends the other has to receive.
        let lacks = |f, receive: bool| can_add_path(&self.ours, f, !receive) && !can_add_path(they, f, receive);
        for family in required.add_paths.iter().filter(|f| self.has(**f)).copied() {
            let (receive, send) = (lacks(family, true), lacks(family, false));
            if receive || send {
                missing.add_paths.push(AddPath { family, receive, send });
            }
        }
    }

    /// Whether a family may be spoken of.
    pub fn has(&self, family: Family) -> bool {
        self.families.contains(&family)
    }

    /// What the neighbour announced of graceful restart for a family: `Some(F bit)`.
    pub fn restart_of(&self, family: Family) -> Option<bool> {
        let restart = self.peer.capabilities.as_ref()?.graceful_restart.as_ref()?;
        restart.families.iter().find(|(f, _)| *f == family).map(|(_, kept)| *kept)
    }

    /// Whether the neighbour says when it has told everything: who announces graceful restart, if for no family, sends
    /// End-of-RIB (RFC 4724 2, 3).
    pub fn tells_its_end(&self) -> bool {
        self.peer.capabilities.as_ref().is_some_and(|c| c.graceful_restart.is_some())
    }

    /// Whether we, restarted, wait for the neighbour's End-of-RIB before we tell it anything.
    ///
    /// Not for one that knows nothing of End-of-RIB, nor for one that has restarted itself: it waits for ours
    /// (RFC 4724 4.1).
    pub fn is_awaited_after_restart(&self) -> bool {
        let restart = self.peer.capabilities.as_ref().and_then(|c| c.graceful_restart.as_ref());
        restart.is_some_and(|restart| !restart.restarting)
    }

    /// Seconds in which the neighbour means to be back after a restart.
    pub fn restart_time_s(&self) -> u32 {
        let caps = self.peer.capabilities.as_ref();
        caps.and_then(|c| c.graceful_restart.as_ref()).map_or(0, |g| u32::from(g.time_s))
    }

    /// What the neighbour announced of long-lived graceful restart for a family: the F bit and the seconds.
    pub fn long_lived_of(&self, family: Family) -> Option<(bool, u32)> {
        let families = self.peer.capabilities.as_ref()?.long_lived.as_ref()?;
        let row = families.iter().find(|f| f.family == family)?;
        Some((row.forwarding, row.stale_time_s))
    }
}

/// Families that both sides announced; a side that announced none, or with strict families no capability at all, speaks
/// the silent one.
fn common_families(we: &Capabilities, they: &Capabilities, terms: &Terms) -> Vec<Family> {
    let speaks = |caps: &Capabilities, family| {
        let is_silent = if terms.strict_families { *caps == Capabilities::default() } else { caps.families.is_empty() };
        if caps.multiprotocol || !is_silent { caps.families.contains(&family) } else { family == terms.silent_family }
    };
    Family::ALL.into_iter().filter(|f| speaks(we, *f) && speaks(they, *f)).collect()
}

fn can_add_path(caps: &Capabilities, family: Family, receive: bool) -> bool {
    let able = |a: &&AddPath| if receive { a.receive } else { a.send };
    caps.add_paths.iter().filter(|a| a.family == family).any(|a| able(&a))
}

/// A third of the hold time, or what was configured, lowered as the neighbour lowered the hold time: so
/// three fit into the hold time whatever was negotiated (RFC 4271 4.4).
fn keepalive_time_s(config: &Config, hold_time_s: u16) -> u32 {
    let asked = keepalive_asked_s(config, hold_time_s);
    match hold_time_s {
        0 => 0,
        _ if hold_time_s < config.times.hold_s => asked.min(u32::from(hold_time_s) / 3).max(1),
        _ => asked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use route::options::SessionTimes;
    use wire::PerFamily;

    fn config() -> Config {
        Config {
            peer_addr: "10.1.1.2".parse().unwrap(),
            local_as: 65001,
            peer_as: 65002,
            router_id: 1,
            capabilities: None,
            passive: false,
            times: SessionTimes::default(),
            disable_after_error: false,
            disable_after_cease: 0,
            restart_helper: true,
            long_lived_helper: true,
            long_lived_bounds_s: PerFamily { ipv4: (0, u32::MAX), ipv6: (0, u32::MAX) },
            required: crate::Required::default(),
            terms: crate::Terms::default(),
        }
    }

    fn caps(families: &[Family]) -> Capabilities {
        let families = families.to_vec();
        Capabilities { multiprotocol: !families.is_empty(), families, ..Capabilities::default() }
    }

    fn negotiate(ours: &Capabilities, theirs: Capabilities) -> Negotiated {
        Negotiated::new(&config(), Some(ours), Open::new(65002, 90, 2, Some(theirs)))
    }

    #[test]
    fn families_are_those_of_both_sides() {
        use Family::{Ipv4, Ipv6};
        let both = caps(&[Ipv4, Ipv6]);
        assert_eq!(negotiate(&both, caps(&[Ipv6])).families, [Ipv6]);
        assert_eq!(negotiate(&both, caps(&[])).families, [Ipv4], "who announces none speaks IPv4");
        assert_eq!(negotiate(&caps(&[Ipv4]), caps(&[Ipv6])).families, []);
        let alien = Capabilities { multiprotocol: true, ..Capabilities::default() };
        assert_eq!(negotiate(&both, alien).families, [], "who announces only others does not");
    }

    #[test]
    fn who_announces_no_family_speaks_the_silent_one() {
        use Family::{Ipv4, Ipv6};
        let terms = Terms { silent_family: Ipv6, ..Terms::default() };
        let config = Config { terms, ..config() };
        let of = |ours: Option<&Capabilities>, theirs| {
            Negotiated::new(&config, ours, Open::new(65002, 90, 2, theirs)).families
        };
        let (six, four) = (caps(&[Ipv6]), caps(&[Ipv4]));
        for silent in [None, Some(Capabilities::default()), Some(caps(&[]))] {
            assert_eq!(of(Some(&six), silent.clone()), [Ipv6]);
            assert_eq!(of(None, silent), [Ipv6]);
        }
        assert_eq!(of(None, Some(four.clone())), [Ipv6], "who announces nothing minds no capability");
        assert_eq!(of(Some(&six), Some(four)), [], "who announces one speaks that one");
    }

    #[test]
    fn what_is_required_is_asked_of_families_that_are_spoken() {
        use Family::{Ipv4, Ipv6};
        let able = |caps: Capabilities| Capabilities {
            extended_next_hop: vec![Ipv4],
            add_paths: vec![AddPath { family: Ipv4, receive: true, send: false }],
            ..caps
        };
        let ours = able(caps(&[Ipv4, Ipv6]));
        let has = |theirs, required: &Required| {
            let mut missing = Capabilities::default();
            negotiate(&ours, theirs).add_missing(required, &mut missing);
            missing == Capabilities::default()
        };
        let both = Required { families: vec![Ipv4, Ipv6], ..Required::default() };
        assert!(has(caps(&[Ipv4, Ipv6]), &both) && !has(caps(&[Ipv4]), &both));
        let hops = Required { extended_next_hop: true, ..Required::default() };
        assert!(has(able(caps(&[Ipv4])), &hops) && !has(caps(&[Ipv4]), &hops));
        assert!(has(caps(&[Ipv6]), &hops), "no IPv4 is spoken");
        let paths = Required { add_paths: vec![Ipv4], ..Required::default() };
        let send =
            |send| Capabilities { add_paths: vec![AddPath { family: Ipv4, receive: true, send }], ..caps(&[Ipv4]) };
        assert!(has(send(true), &paths) && !has(send(false), &paths), "we receive, so it must send");
    }

    #[test]
    fn who_announced_it_can_be_asked_for_routes_unless_capabilities_are_off() {
        let able = Capabilities { route_refresh: true, ..caps(&[Family::Ipv4]) };
        assert!(negotiate(&caps(&[Family::Ipv4]), able.clone()).refresh);
        assert!(!negotiate(&able, caps(&[Family::Ipv4])).refresh);
        let silent = Negotiated::new(&config(), None, Open::new(65002, 90, 2, Some(able)));
        assert!(!silent.refresh && silent.peer.capabilities.is_none(), "BIRD: Ignoring received capabilities");
    }

    #[test]
    fn an_ipv6_next_hop_of_ipv4_needs_both_sides() {
        let able = Capabilities { extended_next_hop: vec![Family::Ipv4], ..caps(&[Family::Ipv4]) };
        assert!(negotiate(&able, able.clone()).extended_next_hop);
        assert!(!negotiate(&able, caps(&[Family::Ipv4])).extended_next_hop);
        assert!(!negotiate(&caps(&[Family::Ipv4]), able).extended_next_hop);
    }

    #[test]
    fn a_path_identifier_needs_a_sender_and_a_receiver() {
        let family = Family::Ipv4;
        let with =
            |receive, send| Capabilities { add_paths: vec![AddPath { family, receive, send }], ..caps(&[family]) };
        let n = negotiate(&with(true, true), with(false, true));
        assert_eq!((n.add_path_rx, n.add_path_tx), (vec![family], vec![]));
        let n = negotiate(&with(false, true), with(true, false));
        assert_eq!((n.add_path_rx, n.add_path_tx), (vec![], vec![family]));
        let n = negotiate(&with(true, true), caps(&[family]));
        assert_eq!((n.add_path_rx, n.add_path_tx), (vec![], vec![]));
    }
}
