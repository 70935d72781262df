//! What is filled in of a session when it is closed, and what is checked of it and its channels.

use crate::config::{
    Aigp, BfdMode, BgpConf, Bind, Dialect, GatewayMode, MissingLladdr, NextHopPrefer, PeerKind, RestartMode, RoutesOf,
};
use crate::options::bgp::MULTIHOP_DEFAULT;
use crate::protocol::{DraftChannel, Given};
use filter::{Diagnostic, Span};
use std::net::IpAddr;

/// Fills defaults that depend on other options.
pub(super) fn complete(conf: &mut BgpConf, dialect: Dialect, given: &Given) {
    let has = |words: &[&str]| given.keys().any(|k| *k == words);
    if conf.peer_as == 0 && conf.peer_kind == Some(PeerKind::Internal) {
        conf.peer_as = conf.local_as;
    }
    if conf.is_internal() && !has(&["direct"]) && !has(&["multihop"]) {
        conf.multihop = Some(MULTIHOP_DEFAULT);
    }
    if conf.offer.graceful_restart == RestartMode::Off && !has(&["long", "lived", "graceful", "restart"]) {
        conf.offer.long_lived = RestartMode::Off;
    }
    // BIRD 2 looks at the carrier of a neighbour's link, unless it is told not to.
    if dialect == Dialect::V2 && !has(&["check", "link"]) {
        conf.check_link = conf.multihop.is_none();
    }
    if conf.strict_bind {
        conf.bind = Bind { addr: conf.local_addr, on_link: conf.iface.is_some() || conf.iface_range.is_some() };
    }
}

/// The same of a channel.
pub(super) fn complete_channel(conf: &BgpConf, dialect: Dialect, channel: &mut DraftChannel) {
    let has = |words: &[&str]| channel.given.contains_key(words);
    let (has_gateway, has_lladdr) = (has(&["gateway"]), has(&["missing", "lladdr"]));
    let has_restart = has(&["graceful", "restart"]);
    let has_long_lived = has(&["long", "lived", "graceful", "restart"]);
    let has_stale_time = has(&["long", "lived", "stale", "time"]);
    let has_stale_bounds =
        (has(&["min", "long", "lived", "stale", "time"]), has(&["max", "long", "lived", "stale", "time"]));
    let has_aigp = has(&["aigp"]);
    let (has_keep, has_prefer) = (has(&["next", "hop", "keep"]), has(&["next", "hop", "prefer"]));
    let Some(own) = &mut channel.conf.bgp else { return };
    if !has_gateway {
        own.gateway = if conf.multihop.is_some() { GatewayMode::Recursive } else { GatewayMode::Direct };
    }
    match dialect {
        Dialect::V1 if !has_lladdr && conf.rs_client => own.missing_lladdr = MissingLladdr::Ignore,
        Dialect::V1 => {}
        Dialect::V2 => own.missing_lladdr = MissingLladdr::Untouched,
    }
    if !has_prefer && own.gateway == GatewayMode::Recursive {
        own.next_hop_prefer = NextHopPrefer::Local;
    }
    if dialect == Dialect::V1 || !has_restart {
        own.graceful_restart = conf.offer.graceful_restart == RestartMode::On;
    }
    if dialect == Dialect::V1 || !has_long_lived {
        own.long_lived = conf.offer.long_lived == RestartMode::On;
    }
    if dialect == Dialect::V1 || !has_stale_time {
        own.long_lived_stale_time_s = conf.long_lived_stale_time_s;
    }
    if dialect == Dialect::V2 {
        let (least, most) = has_stale_bounds;
        own.long_lived_stale_least_s = if least { own.long_lived_stale_least_s } else { conf.terms.stale_least_s };
        own.long_lived_stale_most_s = if most { own.long_lived_stale_most_s } else { conf.terms.stale_most_s };
    }
    if dialect == Dialect::V2 && !has_aigp {
        own.aigp = if conf.is_interior() { Aigp::On } else { Aigp::Off };
    }
    if dialect == Dialect::V2 && !has_keep {
        own.next_hop_keep = match conf {
            BgpConf { rr_client: true, .. } => RoutesOf::Internal,
            BgpConf { rs_client: true, .. } => RoutesOf::All,
            _ => RoutesOf::Nobody,
        };
    }
}

/// A session, as its checks see it.
pub(super) struct BgpFacts<'a> {
    pub(super) conf: &'a BgpConf,
    pub(super) given: &'a Given,
    pub(super) dialect: Dialect,
}

/// A channel of a session, as its checks see it.
pub(super) struct ChannelFacts<'a> {
    pub(super) bgp: &'a BgpConf,
    pub(super) channel: &'a DraftChannel,
    /// Whether its table is `sorted`.
    pub(super) sorted: bool,
    pub(super) dialect: Dialect,
}

/// A check: whether it fails, BIRD's words, the options that are to blame, and what would be right.
pub(super) type Check = (bool, &'static str, &'static [&'static [&'static str]], &'static str);

impl BgpFacts<'_> {
    pub(super) fn errors(&self, close: Span) -> Vec<Diagnostic> {
        let c = self.conf;
        let missing = c.local_as == 0 || (c.peer_as == 0 && c.peer_kind.is_none());
        let internal = c.local_as == c.peer_as && !missing;
        let external = c.local_as != c.peer_as && !missing;
        let multihop = c.multihop.is_some() && !missing;
        let v2 = self.dialect == Dialect::V2;
        let checks: &[Check] = &[
            (c.local_as == 0, "Local AS number must be set", &[&["local"]], "add `local as NUMBER;`"),
            (
                c.peer_addr.is_unspecified() && c.range.is_none(),
                "Neighbor must be configured",
                &[&["neighbor"]],
                "add `neighbor ADDRESS as NUMBER;`",
            ),
            (
                c.peer_as == 0 && c.peer_kind.is_none(),
                match self.dialect {
                    Dialect::V1 => "Remote AS number must be set",
                    Dialect::V2 => "Remote AS number (or peer type) must be set",
                },
                &[&["neighbor"]],
                "add `as NUMBER` behind the address of the neighbor",
            ),
            (
                c.peer_kind == Some(PeerKind::Internal) && external,
                "IBGP cannot have different ASNs",
                &[&["neighbor"]],
                "an internal neighbor is in our own AS: leave out its number",
            ),
            (
                c.peer_kind == Some(PeerKind::External) && internal,
                "EBGP cannot have the same ASNs",
                &[&["neighbor"]],
                "an external neighbor is in another AS",
            ),
            (
                c.iface.is_none() && (is_link_local(c.peer_addr) || (v2 && c.local_addr.is_some_and(is_link_local))),
                match self.dialect {
                    Dialect::V1 => "Link-local neighbor address requires specified interface",
                    Dialect::V2 => "Link-local addresses require defined interface",
                },
                &[&["neighbor"], &["local"]],
                "write `neighbor ADDRESS%'LINK'`, or add `interface \"LINK\";`",
            ),
            (
                v2 && c.strict_bind && c.bind == Bind::default(),
                "Local address or an interface must be configured for strict bind",
                &[&["strict", "bind"]],
                "write `local ADDRESS as NUMBER`, or add `interface \"LINK\";`",
            ),
            (
                c.iface.is_some() && c.iface_range.is_some(),
                "Interface and interface range cannot be configured together",
                &[&["interface", "range"], &["interface"]],
                "leave one of them out",
            ),
            (
                c.iface_range.is_some() && !c.strict_bind,
                "Interface range needs strict bind",
                &[&["interface", "range"]],
                "add `strict bind;`",
            ),
            (
                multihop && c.onlink,
                "Multihop BGP cannot be configured onlink",
                &[&["multihop"], &["onlink"], &["neighbor"]],
                "use `direct`",
            ),
            (
                c.onlink && c.iface.is_none() && c.iface_range.is_none() && !c.passive && c.range.is_none(),
                "Active onlink BGP must have interface configured",
                &[&["onlink"], &["neighbor"]],
                "write `neighbor ADDRESS%'LINK'`, or add `interface \"LINK\";`",
            ),
            (
                !(c.offer.as4 && c.offer.capabilities) && c.peer_as > 0xffff,
                "Neighbor AS number out of range (AS4 not available)",
                &[&["enable", "as4"], &["capabilities"]],
                "AS numbers above 65535 need `enable as4`",
            ),
            (
                external && c.rr_client,
                "Only internal neighbor can be RR client",
                &[&["rr", "client"]],
                "a client of a route reflector is in our own AS",
            ),
            (
                internal && c.rs_client,
                "Only external neighbor can be RS client",
                &[&["rs", "client"]],
                "a client of a route server is in another AS",
            ),
            (
                internal && c.terms.role.is_some(),
                "Local role cannot be set on IBGP sessions",
                &[&["local", "role"]],
                "roles are for neighbors in other ASes",
            ),
            (
                c.terms.role_needed && c.terms.role.is_none(),
                "Local role must be set if roles are required",
                &[&["require", "roles"]],
                "add `local role NAME;`",
            ),
            (
                c.offer.graceful_restart == RestartMode::Off && c.offer.long_lived != RestartMode::Off,
                "Long-lived graceful restart requires basic graceful restart",
                &[&["graceful", "restart"], &["long", "lived", "graceful", "restart"]],
                "use `graceful restart aware`",
            ),
            (
                c.confederation_member && c.confederation == 0,
                "Confederation ID must be set for member sessions",
                &[&["confederation", "member"]],
                "add `confederation NUMBER;`: what the world outside takes all members for",
            ),
            (
                internal && c.rules.enforce_first_as,
                "Enforce first AS check is requires EBGP sessions",
                &[&["enforce", "first", "as"]],
                "paths from a neighbor in our own AS begin with another",
            ),
            (
                multihop && (is_link_local(c.peer_addr) || c.local_addr.is_some_and(is_link_local)),
                "Multihop BGP cannot be used with link-local addresses",
                &[&["multihop"], &["neighbor"], &["local"], &["source", "address"]],
                "use `direct`",
            ),
            (
                multihop && (c.iface.is_some() || c.iface_range.is_some()),
                "Multihop BGP cannot be bound to interface",
                &[&["multihop"], &["interface"], &["interface", "range"]],
                "use `direct`",
            ),
            (
                multihop && c.check_link,
                "Multihop BGP cannot depend on link state",
                &[&["multihop"], &["check", "link"]],
                "use `direct`",
            ),
            (
                multihop && c.bfd != BfdMode::Off && c.local_addr.is_none(),
                "Multihop BGP with BFD requires specified source address",
                &[&["multihop"], &["bfd"]],
                "write `local ADDRESS as NUMBER`, or `source address ADDRESS`",
            ),
        ];
        let mut wrong = failing(checks, self.given, close);
        wrong.extend(failing(&self.authentication(), self.given, close));
        wrong.extend(self.times(close));
        wrong
    }
}

impl ChannelFacts<'_> {
    pub(super) fn errors(&self, close: Span) -> Vec<Diagnostic> {
        let (c, channel) = (self.bgp, self.channel);
        let Some(own) = &channel.conf.bgp else { return Vec::new() };
        let missing = c.local_as == 0 || (c.peer_as == 0 && c.peer_kind.is_none());
        let multihop = c.multihop.is_some() && !missing;
        let has = |words: &[&str]| channel.given.contains_key(words);
        // RFC 8212: to and from another AS nothing goes by default.
        let external = self.dialect == Dialect::V2 && !c.is_interior() && !missing;
        let checks: &[Check] = &[
            (
                external && !has(&["import"]),
                "EBGP requires explicit import policy",
                &[],
                "add `import filter NAME;`, `import none;` or the like to each channel (RFC 8212)",
            ),
            (
                external && !has(&["export"]),
                "EBGP requires explicit export policy",
                &[],
                "add `export filter NAME;`, `export none;` or the like to each channel (RFC 8212)",
            ),
            (
                multihop && own.gateway == GatewayMode::Direct,
                "Multihop BGP cannot use direct gateway mode",
                &[&["multihop"], &["gateway"]],
                "use `direct`, or `gateway recursive`",
            ),
            (
                self.dialect == Dialect::V2
                    && own.gateway == GatewayMode::Recursive
                    && !own.extended_next_hop
                    && own.igp_table(channel.conf.family.other()).is_some(),
                "Mismatched IGP table type",
                &[&["igp", "table"]],
                "name a table of the channel's family, or add `extended next hop;`",
            ),
            (
                own.long_lived_stale_least_s > own.long_lived_stale_most_s,
                "Min long-lived stale time exceeds max long-lived stale time",
                &[&["min", "long", "lived", "stale", "time"], &["max", "long", "lived", "stale", "time"]],
                "the least is not greater than the most",
            ),
            (
                own.secondary && !self.sorted,
                "BGP with secondary option requires sorted table",
                &[&["secondary"], &["table"]],
                "declare the table as `table NAME sorted;`",
            ),
            (
                c.decision.deterministic_med && self.sorted,
                "BGP with deterministic MED prohibits sorted table",
                &[&["deterministic", "med"], &["table"]],
                "use a table that is not sorted",
            ),
        ];
        failing(checks, &channel.given, close)
    }
}

/// An error for each check that fails.
fn failing(checks: &[Check], given: &Given, close: Span) -> Vec<Diagnostic> {
    let error = |(_, message, options, help): &Check| {
        let wrong = Diagnostic::error(close, *message).help(*help);
        options.iter().fold(wrong, |wrong, words| match given.get(*words) {
            Some(place) => wrong.note(*place, format!("`{}` is given here", words.join(" "))),
            None => wrong,
        })
    };
    checks.iter().filter(|check| check.0).map(error).collect()
}

/// fe80::/10.
fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(a) if a.is_unicast_link_local())
}
