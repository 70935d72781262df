//! What is checked when a protocol is closed, and when the text ends.
//!
//! Each check is BIRD's, in its words and where BIRD finds it: at the closing
//! brace. A note says where the option stands that leads to it.

mod authentication;
mod terms;

use crate::config::{
    AggregatorConf, Aigp, Authentication, BfdMode, BgpConf, Bind, BmpConf, Carries, ChannelConf, Dialect, GatewayMode,
    MissingLladdr, MrtConf, NextHopPrefer, PeerKind, PipeConf, ProtocolConf, ProtocolKind, RestartMode, RoutesOf,
    RpkiConf,
};
use crate::options::bgp::MULTIHOP_DEFAULT;
use crate::parser::Parser;
use crate::protocol::{Draft, DraftChannel, Given};
use filter::{Diagnostic, Filter, Policy, Span};
use route::attrs::LocalAttr;
use route::{Family, Roa};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

impl Parser<'_> {
    /// Takes a protocol into the configuration. `faulty`: errors were found in it, so what is missing is not told.
    pub(crate) fn finish(&mut self, draft: Draft, close: Span, faulty: bool) {
        let dialect = self.dialect();
        let in_protocol = draft.holds_channel(dialect);
        let Draft { mut conf, mut channel, mut channels, given, .. } = draft;
        channels.sort_by_key(|c| (c.conf.carries, c.conf.family));
        if in_protocol {
            if let ProtocolKind::Mrt(MrtConf { table: Some(table), .. }) = &conf.kind {
                channel.table = Arc::clone(table);
            }
            if let Some((family, carries)) = self.sort_of(&channel.table) {
                channel.family = family;
                let is_pipe = matches!(conf.kind, ProtocolKind::Pipe(_));
                channel.carries = if is_pipe { carries } else { Carries::Routes };
            }
            let has_table = !matches!(conf.kind, ProtocolKind::Device(_) | ProtocolKind::Bmp(_));
            if has_table {
                channels = vec![DraftChannel { conf: channel, span: conf.span, given: given.clone() }];
            } else {
                conf.idle_channel = Some(Box::new(channel));
            }
        }
        if let ProtocolKind::Aggregator(aggregator) = &conf.kind {
            channels = of_aggregator(aggregator, channels);
            for channel in &mut channels {
                let table = self.config.tables.iter().find(|t| t.name == channel.conf.table);
                channel.conf.family = table.map_or(channel.conf.family, |t| t.family);
            }
        }
        if let ProtocolKind::Bgp(bgp) = &mut conf.kind {
            complete(bgp, dialect, &given);
            if bgp.authentication == Some(Authentication::None) && bgp.password.is_some() && bgp.ao_keys.is_empty() {
                self.warn(close, "Missing authentication option, assuming MD5");
            }
            for channel in &mut channels {
                complete_channel(bgp, dialect, channel);
            }
        }
        if !faulty {
            self.check(&conf, &channels, &given, close);
        }
        (conf.roa_channels, conf.channels) =
            channels.into_iter().map(|c| c.conf).partition(|c| c.carries != Carries::Routes);
        if dialect == Dialect::V2 {
            self.roa_tables(&conf);
        }
        if dialect == Dialect::V1 {
            for channel in &mut conf.channels {
                if let Policy::Filter(filter) = &channel.import {
                    channel.import = Policy::Filter(importing(filter, &conf.kind));
                }
            }
        }
        self.config.protocols.push(conf);
    }

    /// What BIRD checks of a protocol at its closing brace.
    fn check(&mut self, conf: &ProtocolConf, channels: &[DraftChannel], given: &Given, close: Span) {
        let dialect = self.dialect();
        match &conf.kind {
            ProtocolKind::Bgp(bgp) => {
                let facts = BgpFacts { conf: bgp, given, dialect };
                let mut wrong = facts.errors(close);
                let doubts: Vec<_> = facts.doubts().collect();
                for channel in channels {
                    let table = &channel.conf.table;
                    let sorted = self.config.tables.iter().any(|t| t.name == *table && t.sorted);
                    wrong.extend(ChannelFacts { bgp, channel, sorted, dialect }.errors(close));
                }
                for wrong in wrong {
                    self.fail(wrong.note(conf.span, "of this protocol"));
                }
                for (place, said) in doubts {
                    self.warn(place, said);
                }
            }
            ProtocolKind::Pipe(pipe) => channels.iter().for_each(|c| self.pipe(pipe, &c.conf, given, close)),
            ProtocolKind::Aggregator(aggregator) => self.aggregator(aggregator, channels, given, close),
            ProtocolKind::Mrt(mrt) => self.mrt(mrt, close),
            ProtocolKind::Bmp(bmp) => self.bmp(bmp, close),
            ProtocolKind::Static(fixed) if dialect == Dialect::V2 => {
                let Some(channel) = self.only_channel(conf, channels, close) else { return };
                let sort = (channel.conf.family, channel.conf.carries);
                let routes = fixed.routes.iter().filter(|r| (r.net.family(), Carries::Routes) != sort);
                let routes = routes.map(|r| (r.net.to_string(), r.span));
                let roas = fixed.roas.iter().filter(|r| (r.roa.prefix.family(), Carries::Origins) != sort);
                let roas = roas.map(|r| (roa_words(&r.roa), r.span));
                let aspas = fixed.aspas.iter().filter(|_| sort.1 != Carries::Providers);
                let aspas = aspas.map(|r| (r.customer.to_string(), r.span));
                for (net, span) in routes.chain(roas).chain(aspas) {
                    let message = format!("Route {net} incompatible with channel type");
                    self.fail(Diagnostic::error(span, message).note(channel.span, "the channel"));
                }
            }
            ProtocolKind::Rpki(rpki) => self.rpki(rpki, conf, channels, close),
            ProtocolKind::Kernel(_) if dialect == Dialect::V2 => {
                let Some(channel) = self.only_channel(conf, channels, close) else { return };
                let table = &channel.conf.table;
                let on_table = |p: &&ProtocolConf| {
                    matches!(p.kind, ProtocolKind::Kernel(_)) && p.channels.iter().any(|c| c.table == *table)
                };
                if let Some(first) = self.config.protocols.iter().find(on_table) {
                    let message = format!("Kernel syncer ({}) already attached to table {table}", first.name);
                    let wrong = Diagnostic::error(close, message).note(first.span, "this one");
                    self.fail(wrong.note(conf.span, "and this one; each needs a table of its own"));
                }
            }
            _ => {}
        }
    }

    /// The channel without which a protocol can do nothing.
    fn only_channel<'c>(
        &mut self,
        conf: &ProtocolConf,
        channels: &'c [DraftChannel],
        close: Span,
    ) -> Option<&'c DraftChannel> {
        if channels.is_empty() {
            let wrong = Diagnostic::error(close, "Channel not specified").note(conf.span, "of this protocol");
            self.fail(wrong.help("add `ipv4 { ... };` or `ipv6 { ... };`"));
        }
        channels.first()
    }

    /// A cache server is asked for something that goes somewhere.
    fn rpki(&mut self, rpki: &RpkiConf, conf: &ProtocolConf, channels: &[DraftChannel], close: Span) {
        if rpki.remote.is_none() {
            let wrong = Diagnostic::error(close, "IP address or hostname of cache server must be set");
            self.fail(wrong.help("add `remote ADDRESS port NUMBER;`"));
        }
        if channels.is_empty() {
            let wrong = Diagnostic::error(close, "Channel not specified").note(conf.span, "of this protocol");
            self.fail(wrong.help("add `roa4 { table NAME; };`, `roa6 { table NAME; };` or `aspa { table NAME; };`"));
        }
        if rpki.min_version > rpki.max_version {
            let wrong = Diagnostic::error(close, "min version is greater than max version");
            self.fail(wrong.note(conf.span, "of this protocol"));
        }
    }

    /// The family and sort of a table.
    fn sort_of(&self, table: &str) -> Option<(Family, Carries)> {
        let of_routes = self.config.tables.iter().find(|t| *t.name == *table).map(|t| (t.family, Carries::Routes));
        of_routes.or_else(|| self.config.roa_tables.iter().find(|t| *t.name == *table)?.of.channel())
    }

    /// What has to do with routes has it not with the tables of authorisations.
    fn roa_tables(&mut self, conf: &ProtocolConf) {
        let of_routes = conf.channels.iter().map(|c| &c.table).chain(conf.other_tables());
        let is_roa = |name: &&Arc<str>| self.config.roa_tables.iter().any(|t| t.name == **name);
        let Some(table) = of_routes.into_iter().find(is_roa).cloned() else { return };
        let wrong = match conf.kind {
            ProtocolKind::Pipe(_) => return,
            ProtocolKind::Mrt(_) => {
                self.not_done(conf.span, "a dump of a ROA table", "the MRT format has none (RFC 6396)")
            }
            _ => Diagnostic::error(conf.span, format!("Incompatible table type: {table} is a ROA table")),
        };
        self.fail(wrong);
    }

    /// A pipe joins two tables.
    fn pipe(&mut self, pipe: &PipeConf, channel: &ChannelConf, given: &Given, close: Span) {
        let place = |words: &[&str]| given.get(words).copied();
        if self.dialect() == Dialect::V2 && place(&["table"]).is_none() {
            let wrong = Diagnostic::error(close, "Primary routing table not specified");
            return self.fail(wrong.help("add `table NAME;`"));
        }
        match &pipe.peer_table {
            None => {
                let wrong = Diagnostic::error(close, "Name of peer routing table not specified");
                self.fail(wrong.help("add `peer table NAME;`"));
            }
            Some(peer) if *peer == channel.table => {
                let wrong = Diagnostic::error(close, "Primary table and peer table must be different");
                let note = place(&["peer", "table"]).unwrap_or(close);
                self.fail(wrong.note(note, format!("{peer} is the table of the pipe itself")));
            }
            Some(peer) if self.sort_of(peer) != Some((channel.family, channel.carries)) => {
                let wrong = Diagnostic::error(close, "Primary table and peer table must have the same type");
                let note = place(&["peer", "table"]).unwrap_or(close);
                self.fail(wrong.note(note, format!("{peer} and {} are of different sorts", channel.table)));
            }
            Some(_) => {}
        }
        let idle: [(&[&str], bool, &str); 2] = [
            (&["import", "keep", "filtered"], channel.keep_filtered, "routes are filtered before they enter a pipe"),
            (&["receive", "limit"], channel.receive_limit.is_some(), "use `import limit` or `export limit`"),
        ];
        for (words, on, why) in idle {
            if let Some(place) = place(words).filter(|_| on) {
                self.warn(place, format!("`{}` does nothing in a pipe: {why}", words.join(" ")));
            }
        }
    }

    /// An aggregator reads one table and fills one of the same family.
    fn aggregator(&mut self, conf: &AggregatorConf, channels: &[DraftChannel], given: &Given, close: Span) {
        let has = |words: &[&str]| given.contains_key(words);
        let families: Vec<_> = channels.iter().map(|c| c.conf.family).collect();
        let (message, help) = match conf {
            _ if !has(&["table"]) => ("Source table not specified", "add `table NAME;`"),
            AggregatorConf { peer_table: None, .. } => ("Destination table not specified", "add `peer table NAME;`"),
            _ if families.first() != families.get(1) => {
                ("Both tables must be of the same type", "both are `ipv4 table`s, or both `ipv6 table`s")
            }
            _ if conf.keys.is_empty() => ("Aggregate on clause not specified", "add `aggregate on net, ...;`"),
            AggregatorConf { merge: None, .. } => ("Merge by clause not specified", "add `merge by { ... accept; };`"),
            _ => return,
        };
        self.fail(Diagnostic::error(close, message).help(help));
    }

    /// A dump needs a file and a time.
    fn mrt(&mut self, mrt: &MrtConf, close: Span) {
        let (message, help) = match mrt {
            MrtConf { filename: None, .. } => ("File not specified", "add `filename \"/var/log/%N-%F-%T.mrt\";`"),
            MrtConf { period_s: 0, .. } => ("Period not specified", "add `period SECONDS;`"),
            _ => return,
        };
        self.fail(Diagnostic::error(close, message).help(help));
    }

    /// A station has a place.
    fn bmp(&mut self, bmp: &BmpConf, close: Span) {
        let message = match bmp {
            BmpConf { station_addr: None, .. } => "Station IP address not specified",
            BmpConf { station_port: 0, .. } => "Station port number not specified",
            _ => return,
        };
        self.fail(Diagnostic::error(close, message).help("add `station address ip ADDRESS port NUMBER;`"));
    }

    /// Checks of the whole, at the end of the text.
    pub(crate) fn finish_config(&mut self) {
        let end = self.at.span();
        if self.config.protocols.is_empty() && self.errors.is_empty() {
            let wrong = Diagnostic::error(end, "No protocol is specified in the config file");
            self.fail(wrong.help("a configuration has at least one protocol, such as `protocol device { }`"));
        }
        if self.dialect() == Dialect::V1 {
            self.kernels(end);
        }
        if self.at.family() == Some(Family::Ipv6) && self.config.router_id.is_none() {
            let wrong = Diagnostic::error(end, "Router ID must be configured manually on IPv6 routers");
            self.fail(wrong.help("add `router id 192.0.2.1;` with an IPv4 address of this router"));
        }
    }

    /// A table has one kernel protocol.
    fn kernels(&mut self, end: Span) {
        let mut tables: BTreeMap<Arc<str>, (Arc<str>, Span)> = BTreeMap::new();
        let mut wrong = Vec::new();
        for conf in &self.config.protocols {
            let (ProtocolKind::Kernel(_), [channel]) = (&conf.kind, conf.channels.as_slice()) else { continue };
            if let Some((first, at)) = tables.get(&channel.table) {
                let message = format!("Kernel syncer ({first}) already attached to table {}", channel.table);
                let error = Diagnostic::error(end, message).note(*at, "this one");
                wrong.push(error.note(conf.span, "and this one; each needs a table of its own"));
            } else {
                tables.insert(channel.table.clone(), (conf.name.clone(), conf.span));
            }
        }
        self.errors.append(&mut wrong);
    }
}

/// Fills defaults that depend on other options.
fn complete(conf: &mut BgpConf, dialect: Dialect, given: &Given) {
    let has = |words: &[&str]| given.keys().any(|k| *k == words);
    if conf.peer_as == 0 && conf.peer_kind == Some(PeerKind::Internal) {
        conf.peer_as = conf.local_as;
    }
    if conf.is_internal() && !has(&["direct"]) && !has(&["multihop"]) {
        conf.multihop = Some(MULTIHOP_DEFAULT);
    }
    if conf.graceful_restart == RestartMode::Off && !has(&["long", "lived", "graceful", "restart"]) {
        conf.long_lived = RestartMode::Off;
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
fn complete_channel(conf: &BgpConf, dialect: Dialect, channel: &mut DraftChannel) {
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
        own.graceful_restart = conf.graceful_restart == RestartMode::On;
    }
    if dialect == Dialect::V1 || !has_long_lived {
        own.long_lived = conf.long_lived == RestartMode::On;
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
struct BgpFacts<'a> {
    conf: &'a BgpConf,
    given: &'a Given,
    dialect: Dialect,
}

/// A channel of a session, as its checks see it.
struct ChannelFacts<'a> {
    bgp: &'a BgpConf,
    channel: &'a DraftChannel,
    /// Whether its table is `sorted`.
    sorted: bool,
    dialect: Dialect,
}

/// A check: whether it fails, BIRD's words, the options that are to blame, and what would be right.
type Check = (bool, &'static str, &'static [&'static [&'static str]], &'static str);

impl BgpFacts<'_> {
    fn errors(&self, close: Span) -> Vec<Diagnostic> {
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
                !(c.as4 && c.capabilities) && c.peer_as > 0xffff,
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
                c.graceful_restart == RestartMode::Off && c.long_lived != RestartMode::Off,
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
                internal && c.enforce_first_as,
                "Enforce first AS check is requires EBGP sessions",
                &[&["enforce", "first", "as"]],
                "paths from a neighbor in our own AS begin with another",
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
    fn errors(&self, close: Span) -> Vec<Diagnostic> {
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

/// A filter of `import`, as it is run in dialect 1.6.
///
/// There the two attributes that a kernel's route has from the kernel are not kept with a route of anybody else,
/// and `krt_source` not even with the kernel's own. A pipe takes routes as they are.
fn importing(filter: &Arc<Filter>, kind: &ProtocolKind) -> Arc<Filter> {
    let transient: &[LocalAttr] = match kind {
        ProtocolKind::Pipe(_) => return Arc::clone(filter),
        ProtocolKind::Kernel(_) => &[LocalAttr::KrtSource],
        _ => &[LocalAttr::KrtSource, LocalAttr::KrtMetric],
    };
    Arc::new(filter.with_transient(transient))
}

/// As BIRD 2 writes an authorisation: `10.0.0.0/8-24 AS65001`.
fn roa_words(roa: &Roa) -> String {
    format!("{}-{} AS{}", roa.prefix, roa.max_len, roa.asn)
}

/// The two channels of an aggregator, from the one whose options stand in it: it reads what `export` lets through, and
/// gives what `import` lets through.
fn of_aggregator(conf: &AggregatorConf, channels: Vec<DraftChannel>) -> Vec<DraftChannel> {
    let Some(reads) = channels.into_iter().next() else { return Vec::new() };
    let mut gives = reads.clone();
    gives.conf.table = conf.peer_table.clone().unwrap_or_default();
    gives.conf.export = Policy::Reject;
    let mut reads = reads;
    reads.conf.import = Policy::Reject;
    vec![reads, gives]
}

/// fe80::/10.
fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(a) if a.is_unicast_link_local())
}
