//! The terms of a session: what the operator asks of the neighbour's OPEN beside its AS, and within which bounds its
//! times count.

use crate::{Config, Negotiated};
use route::{Family, Role};
use wire::Capabilities;
use wire::capability::GracefulRestart;
use wire::notification::Numbers;

/// A capability that a neighbour may have to announce (`require ...` of a session).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// `require route refresh` (RFC 2918).
    RouteRefresh,
    /// `require enhanced route refresh` (RFC 7313).
    EnhancedRefresh,
    /// `require as4` (RFC 6793).
    As4,
    /// `require extended messages` (RFC 8654).
    ExtendedMessages,
    /// `require graceful restart` (RFC 4724).
    GracefulRestart,
    /// `require long lived graceful restart` (RFC 9494).
    LongLived,
    /// `require hostname` (draft-walton-bgp-hostname-capability).
    Hostname,
}

impl Needed {
    fn is_in(self, they: &Capabilities) -> bool {
        match self {
            Self::RouteRefresh => they.route_refresh,
            Self::EnhancedRefresh => they.enhanced_refresh,
            Self::As4 => they.as4.is_some(),
            Self::ExtendedMessages => they.extended_messages,
            Self::Hostname => they.hostname.is_some(),
            Self::GracefulRestart => they.graceful_restart.is_some(),
            // RFC 9494 3.1: without the other capability "it MUST be disregarded".
            Self::LongLived => they.long_lived.is_some() && they.graceful_restart.is_some(),
        }
    }

    /// Names it among what is missing, as the neighbour might announce it.
    fn name_in(self, missing: &mut Capabilities) {
        match self {
            Self::RouteRefresh => missing.route_refresh = true,
            Self::EnhancedRefresh => missing.enhanced_refresh = true,
            Self::As4 => missing.as4 = Some(0),
            Self::ExtendedMessages => missing.extended_messages = true,
            Self::Hostname => missing.hostname = Some("".into()),
            Self::GracefulRestart => missing.graceful_restart = Some(GracefulRestart::default()),
            Self::LongLived => missing.long_lived = Some(Vec::new()),
        }
    }
}

/// See the head of this file. Times are seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the neighbour must announce.
    pub needed: Vec<Needed>,
    /// Who announces capabilities speaks the families among them, and without a common one there is no session (2).
    /// Else who announces no family speaks the silent one, and a session may have none (1.6).
    pub strict_families: bool,
    /// What is spoken by who announces no family: IPv4 (RFC 4760 8), or that of the daemon where it has but one (1.6).
    pub silent_family: Family,
    /// An error that has to do with capabilities leads to an attempt without any (1.6).
    pub retries_bare: bool,
    /// Our role towards a neighbour in another AS (RFC 9234).
    pub role: Option<Role>,
    /// The neighbour must have one, too.
    pub role_needed: bool,
    /// `min hold time`; 0: none.
    pub least_hold_s: u32,
    /// `min keepalive time`; 0: none.
    pub least_keepalive_s: u32,
    /// `send hold time`; 0: the neighbour may take no octet for ever. `None`: for eight minutes, or twice the hold
    /// time where that is more (RFC 9687 4.1).
    pub send_hold_s: Option<u32>,
    /// The least and the most of the restart time that the neighbour announces (RFC 4724) that counts.
    pub restart_bounds_s: (u32, u32),
    /// Which data of NOTIFICATIONs are numbers in the log.
    pub numbers: Numbers,
    /// The neighbour's identifier is in the log as an address (2).
    pub dotted_identifiers: bool,
}

impl Default for Terms {
    /// Those of BIRD 1.6.
    fn default() -> Self {
        Self {
            needed: Vec::new(),
            strict_families: false,
            silent_family: Family::Ipv4,
            retries_bare: true,
            role: None,
            role_needed: false,
            least_hold_s: 0,
            least_keepalive_s: 0,
            send_hold_s: None,
            restart_bounds_s: (0, u32::MAX),
            numbers: Numbers::OF_1,
            dotted_identifiers: false,
        }
    }
}

impl Terms {
    /// Whether what both sides would do for hold time and keepalives is often enough.
    pub(crate) fn allow_times(&self, config: &Config, negotiated: &Negotiated) -> bool {
        let hold_s = negotiated.hold_time_s;
        u32::from(hold_s) >= self.least_hold_s && keepalive_asked_s(config, hold_s) >= self.least_keepalive_s
    }

    /// What the neighbour does not announce of what it must.
    pub(crate) fn missing(&self, negotiated: &Negotiated) -> Capabilities {
        let (none, mut missing) = (Capabilities::default(), Capabilities::default());
        let they = negotiated.peer.capabilities.as_ref().unwrap_or(&none);
        for needed in self.needed.iter().filter(|needed| !needed.is_in(they)) {
            needed.name_in(&mut missing);
        }
        if self.strict_families && negotiated.families.is_empty() {
            missing.families.clone_from(&negotiated.ours.families);
            if missing.families.is_empty() {
                missing.families.push(self.silent_family);
            }
        }
        missing
    }

    /// Which of the neighbour's roles does not fit ours, in BIRD's words (RFC 9234 4.2): another one than ours asks for,
    /// none where there must be one, or several. Who has no role himself asks for none.
    pub(crate) fn misfit(&self, negotiated: &Negotiated) -> Option<&'static str> {
        let ours = self.role?;
        let theirs = negotiated.peer.capabilities.as_ref().map_or(&[][..], |c| &c.roles);
        match *theirs {
            [] => self.role_needed.then_some("undefined"),
            [u8::MAX] => Some("undefined"),
            [code] => match Role::from_code(code) {
                Some(theirs) if ours.fits(theirs) => None,
                Some(theirs) => Some(theirs.word()),
                None => Some("?"),
            },
            _ => Some("several"),
        }
    }

    /// How long the neighbour may take no octet when this hold time was negotiated; `None`: for ever.
    pub(crate) fn send_hold_s(&self, config: &Config, hold_s: u32) -> Option<u64> {
        let own_hold_s = u64::from(config.times.hold_s.max(1));
        match self.send_hold_s {
            None => Some((2 * u64::from(hold_s)).max(SEND_HOLD_S)),
            Some(0) => None,
            Some(asked) => Some((u64::from(asked) * u64::from(hold_s) / own_hold_s).max(1)),
        }
    }

    /// The time in which a neighbour must be back that announces this one.
    pub(crate) fn restart_s(&self, announced_s: u32) -> u32 {
        let (least, most) = self.restart_bounds_s;
        announced_s.min(most).max(least)
    }
}

/// RFC 9687 4.1: "the default value is the greater of 8 minutes or 2 times the negotiated HoldTime".
const SEND_HOLD_S: u64 = 8 * 60;

/// A third of the hold time, or what was configured, lowered as the neighbour lowered the hold time. 0: none.
pub(crate) fn keepalive_asked_s(config: &Config, hold_time_s: u16) -> u32 {
    let (hold_s, own_hold_s) = (u32::from(hold_time_s), u32::from(config.times.hold_s).max(1));
    match config.times.keepalive_s {
        _ if hold_s == 0 => 0,
        None => hold_s / 3,
        Some(asked) => {
            let scaled = u64::from(asked) * u64::from(hold_s) / u64::from(own_hold_s);
            u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
        }
    }
}
