//! What is checked when a protocol is closed, and when the text ends.
//!
//! Each check is BIRD's, in its words and where BIRD finds it: at the closing
//! brace. A note says where the option stands that leads to it.

mod authentication;
mod bgp;
mod terms;

use crate::config::{
    AggregatorConf, Authentication, BmpConf, Carries, ChannelConf, Dialect, MrtConf, PipeConf, ProtocolConf,
    ProtocolKind, RpkiConf,
};
use crate::parser::Parser;
use crate::protocol::{Draft, DraftChannel, Given};
use bgp::{BgpFacts, ChannelFacts};
use filter::{Diagnostic, Filter, Policy, Span};
use route::attrs::LocalAttr;
use route::{Family, Roa};
use std::collections::BTreeMap;
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
                channels =
                    vec![DraftChannel { conf: channel, span: conf.span, inherited: false, given: given.clone() }];
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
            bgp::complete(bgp, dialect, &given);
            if bgp.authentication == Some(Authentication::None) && bgp.password.is_some() && bgp.ao_keys.is_empty() {
                self.warn(close, "Missing authentication option, assuming MD5");
            }
            for channel in &mut channels {
                bgp::complete_channel(bgp, dialect, channel);
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
                let mut doubts: Vec<_> = facts.doubts().collect();
                for channel in channels {
                    let table = &channel.conf.table;
                    let sorted = self.config.tables.iter().any(|t| t.name == *table && t.sorted);
                    let facts = ChannelFacts { bgp, channel, sorted, dialect };
                    wrong.extend(facts.errors(close));
                    doubts.extend(facts.doubts());
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
            let (least, most) = (rpki.min_version, rpki.max_version);
            let wrong = Diagnostic::error(close, format!("Impossible min/max version for RPKI: {least}/{most}"));
            self.fail(wrong.note(conf.span, "of this protocol").help("the first is at most the second"));
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
                let message = match self.dialect() {
                    Dialect::V1 => "Name of peer routing table not specified",
                    Dialect::V2 => "Secondary routing table not specified",
                };
                let wrong = Diagnostic::error(close, message);
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
        let of_2 = ["Pipe protocol prohibits keeping filtered routes", "Pipe protocol does not support receive limits"];
        for ((words, on, why), refusal) in idle.into_iter().zip(of_2) {
            let Some(place) = place(words).filter(|_| on) else { continue };
            if self.dialect() == Dialect::V2 {
                self.fail(Diagnostic::error(place, refusal).help(why));
            } else {
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
        let of_2 = self.dialect() == Dialect::V2;
        let (message, help) = match mrt {
            MrtConf { table: None, pattern: None, .. } if of_2 => {
                ("Table not specified", "add `table NAME;` or `table \"PATTERN\";`")
            }
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
