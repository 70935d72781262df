//! What `show route` is asked.

use super::Refusal;
use crate::code;
use crate::request::{ExportMode, ExportQuery, Nets, ReceivedQuery, RouteOutput, RouteQuery};
use conf::Dialect;
use conf::command::{Net, Reader};
use conf::config::{Authorises, BgpChannel, Carries, ChannelConf, Config, ProtocolConf, ProtocolKind};
use filter::syntax::{Op, Parsed};
use filter::{Diagnostic, Policy};
use route::{Customer, Family};
use std::sync::Arc;

/// The arguments of `show route`, in any order.
pub(super) struct RouteArguments {
    dialect: Dialect,
    nets: Option<Nets>,
    /// Named ones; in 1.6 the last one counts.
    tables: Vec<Arc<str>>,
    /// `table all`.
    all_tables: bool,
    /// The last word that chooses tables is `table`, not a protocol.
    heads_empty: bool,
    export: Option<ExportQuery>,
    /// `export PROTOCOL.CHANNEL`: of the protocol's channels this one (2).
    channel: Option<Channel>,
    received: Option<ReceivedQuery>,
    protocol: Option<Arc<str>>,
    filter: Option<Policy>,
    primary: bool,
    filtered: bool,
    detail: bool,
    output: RouteOutput,
}

/// A channel, by the word behind the dot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Of(Family),
    /// Of a pipe: its own table.
    Primary,
    /// Of a pipe: the table at its other end.
    Secondary,
}

static CHANNELS: &[(&str, Channel)] = &[
    ("ipv4", Channel::Of(Family::Ipv4)),
    ("ipv6", Channel::Of(Family::Ipv6)),
    ("pri", Channel::Primary),
    ("sec", Channel::Secondary),
];

impl Channel {
    fn word(self) -> &'static str {
        CHANNELS.iter().find(|(_, channel)| *channel == self).map_or("", |(word, _)| *word)
    }

    /// Whether a protocol has it.
    fn is_of(self, protocol: &ProtocolConf) -> bool {
        let is_pipe = matches!(protocol.kind, ProtocolKind::Pipe(_));
        match self {
            Self::Of(family) => !is_pipe && protocol.channels.iter().any(|c| c.family == family),
            Self::Primary | Self::Secondary => is_pipe,
        }
    }
}

impl RouteArguments {
    pub(super) fn read(reader: &mut Reader<'_>, config: &Config) -> Result<RouteQuery, Refusal> {
        let mut arguments = Self {
            dialect: config.dialect,
            nets: None,
            tables: Vec::new(),
            all_tables: false,
            heads_empty: false,
            export: None,
            channel: None,
            received: None,
            protocol: None,
            filter: None,
            primary: false,
            filtered: false,
            detail: false,
            output: RouteOutput::List,
        };
        while !reader.at().at_end() {
            arguments.one(reader, config)?;
        }
        arguments.fits(reader, config)?;
        arguments.check(config)?;
        Ok(arguments.query(config))
    }

    fn one(&mut self, reader: &mut Reader<'_>, config: &Config) -> Parsed<()> {
        if let Some(mode) = reader.at().word().and_then(export_mode) {
            return self.export(mode, reader, config);
        }
        let span = reader.at().span();
        let twice = |what: &str| Err(Diagnostic::error(span, what));
        match reader.at().word() {
            Some("all") => self.detail = true,
            Some("primary") => self.primary = true,
            Some("filtered") => self.filtered = true,
            Some("count") => self.output = RouteOutput::Count,
            Some("stats") => self.output = RouteOutput::Stats,
            Some("table") => return self.table(reader),
            Some("import") if self.dialect == Dialect::V2 => {
                reader.at().bump();
                reader.at().expect_word("table")?;
                self.received = Some(self.kept_by(reader, config, "import", |bgp| bgp.import_table)?);
                return Ok(());
            }
            Some("protocol") => {
                reader.at().bump();
                reader.known_ahead(&["CF_SYM_KNOWN"])?;
                let protocol = reader.protocol()?;
                self.heads_empty = false;
                return match self.protocol.replace(protocol) {
                    Some(_) => twice("Protocol specified twice"),
                    None => Ok(()),
                };
            }
            Some("filter" | "where") => {
                let filter = reader.policy()?;
                return match self.filter.replace(filter) {
                    Some(_) => twice("Filter specified twice"),
                    None => Ok(()),
                };
            }
            _ => return self.net(reader),
        }
        reader.at().bump();
        Ok(())
    }

    /// `table NAME`, `table all`.
    fn table(&mut self, reader: &mut Reader<'_>) -> Parsed<()> {
        reader.at().bump();
        self.heads_empty = true;
        if self.dialect == Dialect::V1 {
            self.tables.clear();
        } else if reader.at().eat_word("all") {
            self.all_tables = true;
            return Ok(());
        }
        reader.known_ahead(&["CF_SYM_KNOWN", "ALL"])?;
        self.tables.push(reader.table()?);
        Ok(())
    }

    /// `export NAME` and its like; `export table NAME.ipv4`.
    fn export(&mut self, mode: ExportMode, reader: &mut Reader<'_>, config: &Config) -> Parsed<()> {
        let span = reader.at().span();
        reader.at().bump();
        if self.dialect == Dialect::V2 && mode == ExportMode::Accepted && reader.at().eat_word("table") {
            let of = self.kept_by(reader, config, "export", |bgp| bgp.export_table)?;
            self.export = Some(ExportQuery { mode: ExportMode::Told, protocol: of.protocol });
            return Ok(());
        }
        reader.known_ahead(&["CF_SYM_KNOWN", "TABLE"])?;
        let protocol = reader.protocol()?;
        if self.dialect == Dialect::V2 && reader.at().eat(Op::Dot) {
            self.channel = Some(channel(reader)?);
        }
        self.heads_empty = false;
        match self.export.replace(ExportQuery { mode, protocol }) {
            Some(_) if self.dialect == Dialect::V2 => Err(Diagnostic::error(span, "Export specified twice")),
            Some(_) => Err(Diagnostic::error(span, "Protocol specified twice")),
            None => Ok(()),
        }
    }

    /// `NAME.ipv4`: a channel that keeps a table of its own.
    fn kept_by(
        &mut self,
        reader: &mut Reader<'_>,
        config: &Config,
        side: &str,
        keeps: fn(&BgpChannel) -> bool,
    ) -> Parsed<ReceivedQuery> {
        let protocol = reader.protocol()?;
        if !reader.at().eat(Op::Dot) {
            return Err(reader.at().wanted_one_of("`.` and the channel, as in `NAME.ipv4`", &["'.'"]));
        }
        let span = reader.at().span();
        let Some(family) = Family::ALL.into_iter().find(|family| reader.at().eat_word(family.word())) else {
            return Err(reader.at().unexpected());
        };
        let word = family.word();
        let conf = config.protocols.iter().find(|p| p.name == protocol);
        let Some(channel) = conf.and_then(|p| p.channels.iter().find(|c| c.family == family)) else {
            return Err(Diagnostic::error(span, format!("Channel {protocol}.{word} not found")));
        };
        if !channel.bgp.as_deref().is_some_and(keeps) {
            return Err(Diagnostic::error(span, format!("No {side} table in channel {protocol}.{word}")));
        }
        self.tables.push(Arc::clone(&channel.table));
        self.heads_empty = true;
        Ok(ReceivedQuery { protocol, family })
    }

    fn net(&mut self, reader: &mut Reader<'_>) -> Parsed<()> {
        let is_2 = self.dialect == Dialect::V2;
        let is_in = is_2 && reader.at().eat_word("in");
        let is_for = !is_in && reader.at().eat_word("for");
        let span = reader.at().span();
        let is_aspa = is_2 && !is_in && !is_for && reader.at().eat_word("aspa");
        let nets = match (is_for, if is_aspa { None } else { Some(reader.net()?) }) {
            (_, None) => Nets::Aspa(Customer(reader.at().number()?)),
            (_, Some(Net::Prefix(prefix))) if is_in => Nets::In(prefix),
            (false, Some(Net::Prefix(prefix))) if is_2 && reader.at().is_word("max") => {
                Nets::Roa(reader.roa_of(prefix)?)
            }
            (true, Some(Net::Prefix(prefix))) => Nets::ForPrefix(prefix),
            (true, Some(Net::Address(addr))) => Nets::ForAddress(addr),
            (false, Some(Net::Prefix(prefix))) => Nets::Exact(prefix),
            (false, Some(Net::Address(_))) => {
                return Err(reader.at().wanted_one_of("the length of the prefix", &["'/'"]));
            }
        };
        match self.nets.replace(nets) {
            Some(_) => Err(Diagnostic::error(span, "Only one prefix expected")),
            None => Ok(()),
        }
    }

    /// Whether the tables that are named may have the net that is asked for.
    fn fits(&self, reader: &mut Reader<'_>, config: &Config) -> Parsed<()> {
        let Some(nets) = self.nets.filter(|_| self.dialect == Dialect::V2) else { return Ok(()) };
        let may = |name: &str| nets.carries().is_none_or(|carries| carries == carried(config, name));
        match self.tables.iter().find(|name| !may(name)) {
            Some(name) => {
                let message = format!("Incompatible type of prefix/ip for table {name}");
                Err(Diagnostic::error(reader.at().span(), message))
            }
            None => Ok(()),
        }
    }

    /// Refuses what BIRD 2 refuses: an export by a protocol that is told no routes, a channel that it has not.
    fn check(&self, config: &Config) -> Result<(), Refusal> {
        let refusal = |text: String| Err(Refusal { code: code::PARSE_ERROR, text });
        let is_2 = self.dialect == Dialect::V2;
        if is_2 && self.filtered && (self.export.is_some() || self.primary) {
            return refusal("Incompatible show route options".to_owned());
        }
        let Some(export) = self.export.as_ref().filter(|_| is_2) else { return Ok(()) };
        let protocol = config.protocols.iter().find(|p| p.name == export.protocol);
        let is_told = |p: &&ProtocolConf| {
            matches!(p.kind, ProtocolKind::Bgp(_) | ProtocolKind::Kernel(_) | ProtocolKind::Pipe(_))
        };
        let Some(protocol) = protocol.filter(is_told) else { return refusal("No valid tables".to_owned()) };
        let channels = protocol.channels.iter().chain(&protocol.roa_channels);
        let peer = match &protocol.kind {
            ProtocolKind::Pipe(pipe) => pipe.peer_table.as_ref(),
            _ => None,
        };
        let own: Vec<_> = channels.map(|c| &c.table).chain(peer).collect();
        if let Some(other) = self.tables.iter().find(|table| !own.contains(table)) {
            return refusal(format!("No export channel for table {other}"));
        }
        match self.channel {
            Some(channel) if !channel.is_of(protocol) => {
                refusal(format!("Channel {}.{} not found", export.protocol, channel.word()))
            }
            _ => Ok(()),
        }
    }

    fn query(self, config: &Config) -> RouteQuery {
        let tables = self.tables(config);
        RouteQuery {
            nets: self.nets.unwrap_or(Nets::All),
            heads_empty: self.heads_empty && (self.all_tables || tables.len() > 1 || self.nets.is_none()),
            tables,
            export: self.export,
            received: self.received,
            protocol: self.protocol,
            filter: self.filter.unwrap_or(Policy::Accept),
            primary: self.primary,
            filtered: self.filtered,
            detail: self.detail,
            output: self.output,
            keeps_mark: config.dialect == Dialect::V2,
        }
    }

    /// The tables that are meant. Without a named one those of the protocol for which, or by which, routes are asked;
    /// else the default one (1.6) or the first of each sort (2).
    fn tables(&self, config: &Config) -> Vec<Arc<str>> {
        let about = self.export.as_ref().map(|e| &e.protocol).or(self.protocol.as_ref());
        let mut tables = match &self.tables {
            named if !named.is_empty() => named.clone(),
            _ if self.all_tables => declared(config),
            _ => about.map(|name| self.tables_of(name, config)).unwrap_or_default(),
        };
        if tables.is_empty() {
            tables = match config.dialect {
                Dialect::V1 => vec![config.default_table()],
                Dialect::V2 => first_of_each_sort(config),
            };
        }
        // Tables of the other family have no such net, and no head.
        if let Some(nets) = self.nets.filter(|_| config.dialect == Dialect::V2) {
            tables.retain(|name| nets.carries().is_none_or(|carries| carries == carried(config, name)));
        }
        if let Some(family) = self.nets.and_then(Nets::family) {
            tables.retain(|name| config.tables.iter().all(|t| t.name != *name || t.family == family));
        }
        tables
    }

    /// The tables of a protocol, or of the channel of it that is named.
    fn tables_of(&self, name: &Arc<str>, config: &Config) -> Vec<Arc<str>> {
        let protocol = config.protocols.iter().find(|p| p.name == *name);
        let of_channel = |c: &&ChannelConf| match self.channel {
            None | Some(Channel::Primary) => true,
            Some(Channel::Of(family)) => c.family == family,
            Some(Channel::Secondary) => false,
        };
        let channels = protocol.into_iter().flat_map(|p| p.channels.iter().chain(&p.roa_channels)).filter(of_channel);
        let own = channels.map(|c| c.table.clone());
        // A pipe of BIRD 2 has a channel at either end.
        let other = match protocol.map(|p| &p.kind) {
            Some(ProtocolKind::Pipe(pipe)) if self.dialect == Dialect::V2 => pipe.peer_table.clone(),
            _ => None,
        };
        let other = other.filter(|_| self.channel != Some(Channel::Primary));
        own.chain(other).collect()
    }
}

/// All tables in the order of the file.
fn declared(config: &Config) -> Vec<Arc<str>> {
    let mut all: Vec<Arc<str>> = config.tables.iter().map(|t| t.name.clone()).collect();
    for (n, table) in config.authorities_of_2().enumerate() {
        all.insert((table.tables_before + n).min(all.len()), table.name.clone());
    }
    all
}

/// The default tables of BIRD 2.
fn first_of_each_sort(config: &Config) -> Vec<Arc<str>> {
    let of_routes = |f| config.tables.iter().find(|t| t.family == f).map(|t| t.name.clone());
    let of_roas = Family::ALL.into_iter().filter_map(|f| config.default_authorities(Authorises::Origins(f)));
    let of_aspas = config.default_authorities(Authorises::Providers);
    Family::ALL.into_iter().filter_map(of_routes).chain(of_roas).chain(of_aspas).collect()
}

/// One of [`CHANNELS`].
fn channel(reader: &mut Reader<'_>) -> Parsed<Channel> {
    match CHANNELS.iter().find(|(word, _)| reader.at().eat_word(word)) {
        Some((_, channel)) => Ok(*channel),
        None => Err(reader.at().wanted("`ipv4` or `ipv6`, of a pipe `pri` or `sec`")),
    }
}

fn export_mode(word: &str) -> Option<ExportMode> {
    match word {
        "preexport" => Some(ExportMode::Before),
        "export" => Some(ExportMode::Accepted),
        "noexport" => Some(ExportMode::Rejected),
        _ => None,
    }
}

/// What a table holds.
fn carried(config: &Config, name: &str) -> Carries {
    let table = config.roa_tables.iter().find(|t| *t.name == *name);
    table.and_then(|t| t.of.channel()).map_or(Carries::Routes, |(_, carries)| carries)
}
