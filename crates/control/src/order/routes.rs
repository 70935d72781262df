//! What `show route` is asked.

use super::Refusal;
use super::channels::ChannelWord;
use crate::code;
use crate::request::{ExportMode, ExportQuery, Nets, ReceivedQuery, RouteOutput, RouteQuery};
use conf::Dialect;
use conf::command::{Net, Reader};
use conf::config::{Authorises, BgpChannel, Carries, Config, ProtocolConf, ProtocolKind};
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
    defined: Defined,
    export: Option<ExportQuery>,
    /// `export PROTOCOL.CHANNEL`: of the protocol's channels this one (2).
    channel: Option<ChannelWord>,
    received: Option<ReceivedQuery>,
    protocol: Option<Arc<str>>,
    filter: Option<Policy>,
    primary: bool,
    filtered: bool,
    detail: bool,
    output: RouteOutput,
}

/// What the last word that has to do with tables says of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Defined {
    /// Nothing: those of a protocol, or those that are usual. What does not fit is left out.
    Implied,
    /// `table all`: each has its head; what does not fit is left out.
    All,
    /// By name: each has its head, and what does not fit is an error (2).
    Named,
}

impl RouteArguments {
    pub(super) fn read(reader: &mut Reader<'_>, config: &Config) -> Result<RouteQuery, Refusal> {
        let mut arguments = Self {
            dialect: config.dialect,
            nets: None,
            tables: Vec::new(),
            all_tables: false,
            defined: Defined::Implied,
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
        arguments.query(config)
    }

    fn one(&mut self, reader: &mut Reader<'_>, config: &Config) -> Parsed<()> {
        if let Some(mode) = reader.at().word().and_then(|word| export_mode(word, self.dialect)) {
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
                self.defined = Defined::Implied;
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
        self.defined = Defined::Named;
        if self.dialect == Dialect::V1 {
            self.tables.clear();
        } else if reader.at().eat_word("all") {
            (self.all_tables, self.defined) = (true, Defined::All);
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
            self.export = Some(ExportQuery { mode: ExportMode::Told, protocol: of.protocol, wherever: false });
            return Ok(());
        }
        let or_table: &[&str] =
            if mode == ExportMode::Accepted { &["CF_SYM_KNOWN", "TABLE"] } else { &["CF_SYM_KNOWN"] };
        reader.known_ahead(or_table)?;
        let protocol = reader.protocol()?;
        if self.dialect == Dialect::V2 && reader.at().eat(Op::Dot) {
            let channel = ChannelWord::read(reader)?;
            if !config.protocol(&protocol).is_some_and(|p| channel.is_of(p)) {
                return Err(Diagnostic::error(span, channel.not_found(&protocol).text));
            }
            self.channel = Some(channel);
        }
        self.defined = Defined::Implied;
        match self.export.replace(ExportQuery { mode, protocol, wherever: false }) {
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
        let word = ChannelWord::read(reader)?;
        let Some(channel) = config.protocol(&protocol).and_then(|p| word.find(p)) else {
            return Err(Diagnostic::error(span, word.not_found(&protocol).text));
        };
        if !channel.bgp.as_deref().is_some_and(keeps) {
            return Err(Diagnostic::error(span, format!("No {side} table in channel {protocol}.{}", word.word())));
        }
        self.tables.push(Arc::clone(&channel.table));
        self.defined = Defined::Named;
        Ok(ReceivedQuery { protocol, family: channel.family })
    }

    fn net(&mut self, reader: &mut Reader<'_>) -> Parsed<()> {
        let is_2 = self.dialect == Dialect::V2;
        let is_in = is_2 && reader.at().eat_word("in");
        let is_for = !is_in && reader.at().eat_word("for");
        let span = reader.at().span();
        let is_aspa = is_2 && !is_in && !is_for && reader.at().eat_word("aspa");
        let constant = (is_2 && reader.is_known_ahead()).then_some(match is_for {
            true => "IP address or network constant expected",
            false => "Network constant expected",
        });
        let net = match is_aspa {
            true => None,
            false => Some(reader.net().map_err(|wrong| match constant {
                Some(message) => Diagnostic::error(span, message),
                None => wrong,
            })?),
        };
        let nets = match (is_for, net) {
            (_, None) => Nets::Aspa(Customer(reader.at().number()?)),
            (_, Some(Net::Prefix(prefix))) if is_in => Nets::In(prefix),
            (false, Some(Net::Prefix(prefix))) if is_2 && reader.at().is_word("max") => {
                Nets::Roa(reader.roa_of(prefix)?)
            }
            (true, Some(Net::Prefix(prefix))) => Nets::ForPrefix(prefix),
            (true, Some(Net::Address(addr))) => Nets::ForAddress(addr),
            (false, Some(Net::Prefix(prefix))) => Nets::Exact(prefix),
            (false, Some(Net::Address(_))) => {
                if let Some(message) = constant {
                    return Err(Diagnostic::error(span, message));
                }
                return Err(reader.at().wanted_one_of("the length of the prefix", &["'/'"]));
            }
        };
        match self.nets.replace(nets) {
            Some(_) => Err(Diagnostic::error(span, "Only one prefix expected")),
            None => Ok(()),
        }
    }

    fn query(self, config: &Config) -> Result<RouteQuery, Refusal> {
        let tables = match config.dialect {
            Dialect::V1 => self.tables_of_1(config),
            Dialect::V2 => self.tables_of_2(config)?,
        };
        let wherever = self.tables.is_empty() && !self.all_tables && self.channel.is_none();
        Ok(RouteQuery {
            heads_empty: self.defined != Defined::Implied && !self.nets.is_some_and(Nets::is_one),
            nets: self.nets.unwrap_or(Nets::All),
            tables,
            export: self.export.map(|export| ExportQuery { wherever, ..export }),
            received: self.received,
            protocol: self.protocol,
            filter: self.filter.unwrap_or(Policy::Accept),
            primary: self.primary,
            filtered: self.filtered,
            detail: self.detail,
            output: self.output,
            keeps_mark: config.dialect == Dialect::V2,
        })
    }

    /// The protocol for which, or by which, routes are asked.
    fn about(&self) -> Option<&Arc<str>> {
        self.export.as_ref().map(|e| &e.protocol).or(self.protocol.as_ref())
    }

    /// The table that is meant: without a named one that of a protocol, else the default one.
    fn tables_of_1(&self, config: &Config) -> Vec<Arc<str>> {
        if !self.tables.is_empty() {
            return self.tables.clone();
        }
        let protocol = self.about().and_then(|name| config.protocol(name));
        let own: Vec<_> = protocol.into_iter().flat_map(|p| p.channels.iter().map(|c| c.table.clone())).collect();
        let mut tables = if own.is_empty() { vec![config.default_table()] } else { own };
        tables.retain(|name| self.may_be_in(name, config));
        tables
    }

    /// The tables that are meant: without named ones those of a protocol, else the first of each sort. What neither the
    /// protocol nor the net that is asked for has to do with is left out, or is an error where it was named.
    fn tables_of_2(&self, config: &Config) -> Result<Vec<Arc<str>>, Refusal> {
        let refusal = |text: String| Err(Refusal { code: code::PARSE_ERROR, text });
        if self.filtered && (self.export.is_some() || self.primary) {
            return refusal("Incompatible show route options".to_owned());
        }
        let about = self.about().map(|name| (name, self.channels_of(name, config)));
        let mut tables = match (&self.tables, &about) {
            (named, _) if !named.is_empty() => named.clone(),
            _ if self.all_tables => declared(config),
            (_, Some((name, _))) if self.is_never_told(name, config) => Vec::new(),
            (_, Some((_, own))) => own.clone(),
            (_, None) => first_of_each_sort(config),
        };
        let is_strict = self.defined == Defined::Named;
        if let (Some(_), Some((_, own))) = (&self.export, &about) {
            if let Some(other) = tables.iter().find(|table| is_strict && !own.contains(table)) {
                return refusal(format!("No export channel for table {other}"));
            }
            tables.retain(|table| own.contains(table));
        }
        if let Some(other) = tables.iter().find(|name| is_strict && !self.may_be_in(name, config)) {
            return refusal(format!("Incompatible type of prefix/ip for table {other}"));
        }
        tables.retain(|name| self.may_be_in(name, config));
        if tables.is_empty() { refusal("No valid tables".to_owned()) } else { Ok(tables) }
    }

    /// Whether a table may have the net that is asked for.
    fn may_be_in(&self, table: &str, config: &Config) -> bool {
        let Some(nets) = self.nets else { return true };
        let (family, carries) = held(config, table);
        nets.carries().is_none_or(|c| c == carries) && nets.family().is_none_or(|f| f == family)
    }

    /// Routes are judged for a protocol that takes none out of tables.
    fn is_never_told(&self, name: &str, config: &Config) -> bool {
        let is_told =
            |p: &ProtocolConf| matches!(p.kind, ProtocolKind::Bgp(_) | ProtocolKind::Kernel(_) | ProtocolKind::Pipe(_));
        self.export.is_some() && self.channel.is_none() && !config.protocol(name).is_some_and(is_told)
    }

    /// The tables of a protocol, or of the channel of it that is named (2).
    fn channels_of(&self, name: &str, config: &Config) -> Vec<Arc<str>> {
        let Some(protocol) = config.protocol(name) else { return Vec::new() };
        let own = || protocol.channels.iter().chain(&protocol.roa_channels).map(|c| c.table.clone());
        match &protocol.kind {
            ProtocolKind::Mrt(_) => Vec::new(),
            ProtocolKind::Pipe(pipe) => {
                let is_asked = |is_it: fn(ChannelWord) -> bool| self.channel.is_none_or(is_it);
                let own = own().filter(|_| is_asked(ChannelWord::is_primary));
                own.chain(pipe.peer_table.clone().filter(|_| is_asked(ChannelWord::is_secondary))).collect()
            }
            _ => match self.channel {
                Some(channel) => channel.find(protocol).map(|c| c.table.clone()).into_iter().collect(),
                None => own().collect(),
            },
        }
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

fn export_mode(word: &str, dialect: Dialect) -> Option<ExportMode> {
    match word {
        "preexport" => Some(ExportMode::Before),
        "export" => Some(ExportMode::Accepted),
        "noexport" => Some(ExportMode::Rejected),
        "exported" if dialect == Dialect::V2 => Some(ExportMode::Exported),
        _ => None,
    }
}

/// What a table holds.
fn held(config: &Config, name: &str) -> (Family, Carries) {
    let of_roas = config.roa_tables.iter().find(|t| *t.name == *name).and_then(|t| t.of.channel());
    let of_routes = || config.tables.iter().find(|t| *t.name == *name).map(|t| (t.family, Carries::Routes));
    of_roas.or_else(of_routes).unwrap_or((config.family, Carries::Routes))
}
