//! What is checked when a protocol is closed, and when the text ends.
//!
//! Each check is BIRD's, in its words and where BIRD finds it: at the closing
//! brace. A note says where the option stands that leads to it.

use crate::config::{BfdMode, BgpConf, ChannelConf, GatewayMode, MissingLladdr, MrtConf, PipeConf, ProtocolKind};
use crate::options::bgp::MULTIHOP_DEFAULT;
use crate::parser::Parser;
use crate::protocol::Draft;
use filter::{Diagnostic, Span};
use route::Family;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// The options that were given, and where last.
type Given = BTreeMap<&'static [&'static str], Span>;

impl Parser<'_> {
    /// Takes a protocol into the configuration. `faulty`: errors were found in it, so what is missing is not told.
    pub(crate) fn finish(&mut self, draft: Draft, close: Span, faulty: bool) {
        let Draft { mut conf, mut channel, given, .. } = draft;
        if let ProtocolKind::Bgp(bgp) = &mut conf.kind {
            complete(bgp, &given);
            if !faulty {
                let sorted = self.config.tables.iter().any(|t| t.name == channel.table && t.sorted);
                let facts = BgpFacts { conf: bgp, given: &given, sorted };
                for wrong in facts.errors(close) {
                    self.fail(wrong.note(conf.span, "of this protocol"));
                }
            }
        }
        if let ProtocolKind::Pipe(pipe) = &conf.kind
            && !faulty
        {
            self.pipe(pipe, &channel, &given, close);
        }
        if let ProtocolKind::Mrt(mrt) = &conf.kind {
            if let Some(table) = &mrt.table {
                channel.table = Arc::clone(table);
            }
            if !faulty {
                self.mrt(mrt, close);
            }
        }
        if !matches!(conf.kind, ProtocolKind::Device(_)) {
            conf.channels.push(channel);
        }
        self.config.protocols.push(conf);
    }

    /// A pipe joins two tables.
    fn pipe(&mut self, pipe: &PipeConf, channel: &ChannelConf, given: &Given, close: Span) {
        let place = |words: &[&str]| given.get(words).copied();
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

    /// A dump needs a file and a time.
    fn mrt(&mut self, mrt: &MrtConf, close: Span) {
        let (message, help) = match mrt {
            MrtConf { filename: None, .. } => ("File not specified", "add `filename \"/var/log/%N-%F-%T.mrt\";`"),
            MrtConf { period_s: 0, .. } => ("Period not specified", "add `period SECONDS;`"),
            _ => return,
        };
        self.fail(Diagnostic::error(close, message).help(help));
    }

    /// Checks of the whole, at the end of the text.
    pub(crate) fn finish_config(&mut self) {
        let end = self.at.span();
        if self.config.protocols.is_empty() && self.errors.is_empty() {
            let wrong = Diagnostic::error(end, "No protocol is specified in the config file");
            self.fail(wrong.help("a configuration has at least one protocol, such as `protocol device { }`"));
        }
        self.kernels(end);
        if self.config.family == Family::Ipv6 && self.config.router_id.is_none() {
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
fn complete(conf: &mut BgpConf, given: &Given) {
    let has = |words: &[&str]| given.keys().any(|k| *k == words);
    if conf.local_as == conf.peer_as && !has(&["direct"]) && !has(&["multihop"]) {
        conf.multihop = Some(MULTIHOP_DEFAULT);
    }
    if !has(&["gateway"]) {
        conf.gateway = if conf.multihop.is_some() { GatewayMode::Recursive } else { GatewayMode::Direct };
    }
    if !has(&["missing", "lladdr"]) && conf.rs_client {
        conf.missing_lladdr = MissingLladdr::Ignore;
    }
}

/// A session, as its checks see it.
struct BgpFacts<'a> {
    conf: &'a BgpConf,
    given: &'a Given,
    /// Whether its table is `sorted`.
    sorted: bool,
}

/// A check: whether it fails, BIRD's words, the options that are to blame, and what would be right.
type Check = (bool, &'static str, &'static [&'static [&'static str]], &'static str);

impl BgpFacts<'_> {
    fn errors(&self, close: Span) -> Vec<Diagnostic> {
        let c = self.conf;
        let missing = c.local_as == 0 || c.peer_as == 0;
        let internal = c.local_as == c.peer_as && !missing;
        let external = c.local_as != c.peer_as && !missing;
        let multihop = c.multihop.is_some() && !missing;
        let checks: &[Check] = &[
            (c.local_as == 0, "Local AS number must be set", &[&["local"]], "add `local as NUMBER;`"),
            (
                c.peer_addr.is_unspecified(),
                "Neighbor must be configured",
                &[&["neighbor"]],
                "add `neighbor ADDRESS as NUMBER;`",
            ),
            (
                c.peer_as == 0,
                "Remote AS number must be set",
                &[&["neighbor"]],
                "add `as NUMBER` behind the address of the neighbor",
            ),
            (
                is_link_local(c.peer_addr) && c.iface.is_none(),
                "Link-local neighbor address requires specified interface",
                &[&["neighbor"]],
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
                multihop && c.gateway == GatewayMode::Direct,
                "Multihop BGP cannot use direct gateway mode",
                &[&["multihop"], &["gateway"]],
                "use `direct`, or `gateway recursive`",
            ),
            (
                multihop && c.iface.is_some(),
                "Multihop BGP cannot be bound to interface",
                &[&["multihop"], &["interface"]],
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
            (
                c.secondary && !self.sorted,
                "BGP with secondary option requires sorted table",
                &[&["secondary"], &["table"]],
                "declare the table as `table NAME sorted;`",
            ),
            (
                c.deterministic_med && self.sorted,
                "BGP with deterministic MED prohibits sorted table",
                &[&["deterministic", "med"], &["table"]],
                "use a table that is not sorted",
            ),
        ];
        checks.iter().filter(|check| check.0).map(|check| self.error(check, close)).collect()
    }

    fn error(&self, (_, message, options, help): &Check, close: Span) -> Diagnostic {
        let wrong = Diagnostic::error(close, *message).help(*help);
        options.iter().fold(wrong, |wrong, words| match self.given.get(*words) {
            Some(place) => wrong.note(*place, format!("`{}` is given here", words.join(" "))),
            None => wrong,
        })
    }
}

/// fe80::/10.
fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(a) if a.is_unicast_link_local())
}
