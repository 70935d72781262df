//! What is checked of a session's times and of what it asks of its neighbour, in BIRD's words.

use super::bgp::{BgpFacts, ChannelFacts};
use crate::config::{BgpChannel, BgpConf, Dialect, RestartMode, TermsConf};
use crate::protocol::Given;
use filter::{Diagnostic, Span};

/// A least value and a most one that leave nothing between them: both, the option that is to blame, BIRD's words.
type Bounds = (u32, u32, &'static [&'static str], String);

impl BgpFacts<'_> {
    /// An error for each pair of times that contradict each other.
    pub(super) fn times(&self, close: Span) -> impl Iterator<Item = Diagnostic> {
        let rows = if self.dialect == Dialect::V2 { bounds(self.conf) } else { Vec::new() };
        let given = self.given;
        rows.into_iter().filter(|(least, most, ..)| least > most).map(move |(_, _, words, message)| {
            let wrong = Diagnostic::error(close, message);
            match given.get(words) {
                Some(place) => wrong.note(*place, format!("`{}` is given here", words.join(" "))),
                None => wrong,
            }
        })
    }

    /// What is asked of the neighbour though we do not do it ourselves: the place, and BIRD's words.
    pub(super) fn doubts(&self) -> impl Iterator<Item = (Span, &'static str)> {
        let rows = if self.dialect == Dialect::V2 { doubts(self.conf) } else { Vec::new() };
        let given = self.given;
        rows.into_iter().filter(|(is, ..)| *is).filter_map(|(_, words, said)| Some((place(given, words)?, said)))
    }
}

impl ChannelFacts<'_> {
    /// What a channel asks of the neighbour's, though it does not do it itself: the place, and BIRD's words.
    pub(super) fn doubts(&self) -> impl Iterator<Item = (Span, &'static str)> {
        let own = self.channel.conf.bgp.as_ref().filter(|_| self.dialect == Dialect::V2);
        let adds = |c: &BgpChannel| c.add_paths_rx || c.add_paths_tx;
        let rows: [(bool, &'static [&'static str], &'static str); 2] = [
            (
                own.is_some_and(|c| c.require_extended_next_hop && !c.extended_next_hop),
                &["require", "extended", "next", "hop"],
                "Extended next hop required but not enabled",
            ),
            (
                own.is_some_and(|c| c.require_add_paths && !adds(c)),
                &["require", "add", "paths"],
                "ADD-PATH required but not enabled",
            ),
        ];
        let given = &self.channel.given;
        rows.into_iter().filter(|(is, ..)| *is).filter_map(|(_, words, said)| Some((place(given, words)?, said)))
    }
}

fn place(given: &Given, words: &[&str]) -> Option<Span> {
    given.get(words).copied()
}

fn bounds(c: &BgpConf) -> Vec<Bounds> {
    let TermsConf {
        least_hold_s, least_keepalive_s, restart_least_s, restart_most_s, stale_least_s, stale_most_s, ..
    } = c.terms;
    let hold_s = u32::from(c.times.hold_s);
    let asked_s = c.times.keepalive_s.unwrap_or(0);
    let keepalive_s = c.times.keepalive_s.unwrap_or(hold_s / 3);
    let send_s = c.terms.send_hold_s.filter(|s| *s > 0).unwrap_or(u32::MAX);
    vec![
        (asked_s, hold_s, &["keepalive", "time"], "Keepalive time must be at most hold time".into()),
        (hold_s, send_s, &["send", "hold", "time"], "Send hold time must be zero or at least hold time".into()),
        (
            least_hold_s,
            hold_s,
            &["min", "hold", "time"],
            format!("Min hold time ({least_hold_s}) exceeds hold time ({hold_s})"),
        ),
        (
            least_keepalive_s,
            keepalive_s,
            &["min", "keepalive", "time"],
            format!("Min keepalive time ({least_keepalive_s}) exceeds keepalive time ({keepalive_s})"),
        ),
        (
            restart_least_s,
            restart_most_s,
            &["min", "graceful", "restart", "time"],
            format!(
                "Min graceful restart time ({restart_least_s}) exceeds max graceful restart time ({restart_most_s})"
            ),
        ),
        (
            stale_least_s,
            stale_most_s,
            &["min", "long", "lived", "stale", "time"],
            format!("Min long-lived stale time ({stale_least_s}) exceeds max long-lived stale time ({stale_most_s})"),
        ),
    ]
}

fn doubts(c: &BgpConf) -> Vec<(bool, &'static [&'static str], &'static str)> {
    let half_s = u32::from(c.times.hold_s) / 2;
    vec![
        (
            c.confederation_member && c.terms.role.is_some(),
            &["local", "role"],
            "BGP roles are not recommended to be used within AS confederations",
        ),
        (
            c.times.keepalive_s.is_some_and(|s| s > half_s),
            &["keepalive", "time"],
            "Keepalive time should be at most 1/2 of hold time",
        ),
        (
            c.terms.enhanced_refresh && !(c.offer.route_refresh && c.offer.enhanced_refresh),
            &["require", "enhanced", "route", "refresh"],
            "Enhanced refresh required but disabled",
        ),
        (c.terms.as4 && !c.offer.as4, &["require", "as4"], "AS4 support required but disabled"),
        (
            c.terms.extended_messages && !c.offer.extended_messages,
            &["require", "extended", "messages"],
            "Extended messages required but not enabled",
        ),
        (
            c.terms.graceful_restart && c.offer.graceful_restart == RestartMode::Off,
            &["require", "graceful", "restart"],
            "Graceful restart required but not enabled",
        ),
        (
            c.terms.long_lived && c.offer.long_lived == RestartMode::Off,
            &["require", "long", "lived", "graceful", "restart"],
            "Long-lived graceful restart required but not enabled",
        ),
    ]
}
