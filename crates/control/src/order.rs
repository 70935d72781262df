//! A line as an order: words from the table of commands, then the grammar of what follows.
//!
//! Words are whole words; abbreviations are the client's affair. Names are looked
//! up in the running configuration while the line is read, so an order that
//! comes out of here names only what there is, with BIRD's exception: commands
//! that act on protocols look for theirs last, when the client's rights are known.

mod bfd;
mod channels;
mod roas;
mod routes;

pub use bfd::BfdQuery;
pub use roas::{RoaNets, RoaQuery};

use crate::code;
use crate::commands::{COMMANDS, Release, Row, Verb};
use crate::request::{
    Action, Choice, Configure, Direction, Dump, DumpedTables, Farewell, RoaEdit, RouteQuery, TableDump,
};
use crate::view::Kind;
use channels::ChannelWord;
use conf::Dialect;
use conf::command::{Line, Reader};
use conf::config::{Config, DebugMask, LogClass, LogClasses, MrtMask, TimeFormat};
use filter::prefix_set::PrefixSet;
use filter::syntax::{Op, Parsed, Tok};
use filter::{Diagnostic, Env, Expression, Policy, Value};
use roas::roa_table;
use route::{Ifaces, RoaTables};
use routes::RouteArguments;
use std::sync::Arc;

/// Seconds after which `configure timeout` undoes, when it does not say.
const UNDO_DEFAULT_S: u32 = 300;
/// The sizes that `echo` takes for its buffer, in octets.
const ECHO_OCTETS: std::ops::RangeInclusive<u32> = 256..=65536;
/// Of how many octets it is when nobody says.
const ECHO_OCTETS_DEFAULT: u32 = 4096;

/// What a client wants.
#[derive(Debug)]
pub enum Order {
    /// `show status`.
    Status,
    /// `show memory`.
    Memory,
    /// `show interfaces`.
    Interfaces {
        /// `summary`.
        summary: bool,
    },
    /// `show protocols`.
    Protocols {
        /// Which.
        choice: Choice,
        /// `all`.
        detail: bool,
    },
    /// `show route`.
    Routes(RouteQuery),
    /// `show static`.
    Static(Option<Arc<str>>),
    /// Commands about a kind of protocol that only say whether there is one.
    OfKind {
        /// The kind.
        kind: Kind,
        /// The one meant.
        name: Option<Arc<str>>,
    },
    /// `show bfd sessions`.
    BfdSessions(BfdQuery),
    /// `show threads`.
    Threads {
        /// `all`.
        detail: bool,
    },
    /// `show symbols`.
    Symbols {
        /// One symbol.
        name: Option<Arc<str>>,
        /// Else: of this kind.
        kind: Option<&'static str>,
    },
    /// `eval`.
    Eval(Expression),
    /// `echo`.
    Echo {
        /// Which lines; none ends the echo.
        classes: LogClasses,
        /// The size of the buffer.
        octets_max: usize,
    },
    /// `restrict`.
    Restrict,
    /// `enable`, `disable`, `restart`, `reload`.
    Act {
        /// Which of them.
        action: Action,
        /// On which protocols.
        choice: Choice,
        /// With which message.
        message: Option<Arc<str>>,
        /// On the routes of these prefixes alone.
        partial: Option<Arc<PrefixSet>>,
    },
    /// `configure`.
    Configure {
        /// The file, when it is not the last one.
        file: Option<Arc<str>>,
        /// How.
        how: Configure,
    },
    /// `configure undo`.
    Undo,
    /// `configure confirm`.
    Confirm,
    /// `configure status`.
    ConfigureStatus,
    /// `timeformat`: of this client.
    Timeformat(TimeFormat),
    /// `debug`.
    Debug {
        /// Which protocols.
        choice: Choice,
        /// Of the one this channel alone.
        channel: Option<&'static str>,
        /// What they tell.
        mask: DebugMask,
    },
    /// `mrtdump`.
    MrtDump {
        /// Which protocols.
        choice: Choice,
        /// What they write.
        mask: MrtMask,
    },
    /// `mrt dump`.
    DumpTables(TableDump),
    /// `show roa`.
    Roas(RoaQuery),
    /// `add roa`, `delete roa`, `flush roa`.
    EditRoa {
        /// The table.
        table: Arc<str>,
        /// What to do.
        edit: RoaEdit,
    },
    /// `dump`.
    Dump(Dump),
    /// `dump ... "file"`.
    DumpFile {
        /// What.
        what: Dump,
        /// The file, which must not be there.
        file: Arc<str>,
    },
    /// `down`, `graceful restart`.
    Down(Farewell),
}

/// Why a line is not obeyed: the code and text of the reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// 8xxx or 9xxx.
    pub code: u16,
    /// BIRD's words.
    pub text: String,
}

impl From<Diagnostic> for Refusal {
    fn from(wrong: Diagnostic) -> Self {
        Self { code: code::PARSE_ERROR, text: wrong.message }
    }
}

impl Order {
    /// Reads a line without its end, with the names of the running configuration.
    ///
    /// Carriage returns are left out, and what follows a zero octet is not looked at, as in BIRD.
    pub fn parse(line: &[u8], config: &Config) -> Result<(Self, Verb), Refusal> {
        let text: Vec<u8> = line.iter().copied().take_while(|b| *b != 0).filter(|b| *b != b'\r').collect();
        let line = Line::new(&text);
        let mut reader = line.reader(config);
        let row = words(&mut reader, config.dialect)?;
        let order = arguments(row, &mut reader, config)?;
        reader.end(behind(row.verb))?;
        // What writes a file is no mere look, whatever it is called.
        let verb = if matches!(order, Order::DumpFile { .. }) { Verb::DumpTables } else { row.verb };
        Ok((order, verb))
    }
}

/// The command whose words come next: the one with most words, when several fit.
fn words(reader: &mut Reader<'_>, dialect: Dialect) -> Parsed<&'static Row> {
    let mut best: Option<(&'static Row, usize)> = None;
    let mut known = 0;
    let mut next: Vec<&str> = Vec::new();
    let release = match dialect {
        Dialect::V1 => Release::One,
        Dialect::V2 => Release::Two,
    };
    let is_here = |row: &&Row| row.is_in(release) && !matches!(row.verb, Verb::Group | Verb::Client);
    for row in COMMANDS.iter().filter(is_here) {
        let common = row.words.split(' ').enumerate().take_while(|(n, word)| is_word(reader, *n, word)).count();
        if common > known {
            next.clear();
        }
        known = known.max(common);
        if common == known && common > 0 {
            next.extend(row.words.split(' ').nth(common).filter(|word| !next.contains(word)));
        }
        if common == row.words.split(' ').count() && best.is_none_or(|(_, most)| common > most) {
            best = Some((row, common));
        }
    }
    for _ in 0..best.map_or(known, |(_, n)| n) {
        reader.at().bump();
    }
    // Where but one word may follow BIRD 2 says which.
    let only = match next.as_slice() {
        [only] => vec![only.to_uppercase()],
        _ => Vec::new(),
    };
    let expected: Vec<&str> = only.iter().map(String::as_str).collect();
    best.map(|(row, _)| row).ok_or_else(|| reader.at().wanted_one_of("a command", &expected))
}

fn is_word(reader: &mut Reader<'_>, n: usize, word: &str) -> bool {
    let at = reader.at();
    let token = at.ahead(n);
    token.tok == Tok::Word && at.name_at(token) == word
}

/// What may stand behind the last word of a command that was read, as BIRD 2 says it: where it is but one thing or two.
const fn behind(verb: Verb) -> &'static [&'static str] {
    match verb {
        Verb::ShowStatus
        | Verb::ShowMemory
        | Verb::ConfigureUndo
        | Verb::ConfigureConfirm
        | Verb::ConfigureStatus
        | Verb::GracefulRestart
        | Verb::ShowProtocols
        | Verb::ShowProtocolsAll
        | Verb::ShowStatic
        | Verb::Reload
        | Verb::ReloadIn
        | Verb::ReloadOut
        | Verb::Down => &["END"],
        Verb::ConfigureCheck | Verb::Enable | Verb::Disable | Verb::Restart => &["END", "TEXT"],
        Verb::ShowInterfaces => &["END", "SUMMARY"],
        _ => &[],
    }
}

/// What follows the words of a command.
fn arguments(row: &Row, reader: &mut Reader<'_>, config: &Config) -> Result<Order, Refusal> {
    let act = |action, reader: &mut Reader<'_>| -> Parsed<Order> {
        let expected: &[&str] = if matches!(action, Action::Reload(Direction::Both)) { &[] } else { PROTOCOLS };
        let choice = choice(reader, expected)?;
        let message = if matches!(action, Action::Reload(_)) { None } else { literal(reader)? };
        let may_be_partial = config.dialect == Dialect::V2 && row.words.starts_with("reload filters");
        let partial = if may_be_partial && reader.at().eat_word("partial") { Some(prefix_set(reader)?) } else { None };
        Ok(Order::Act { action, choice, message, partial })
    };
    Ok(match row.verb {
        Verb::ShowStatus => Order::Status,
        Verb::ShowMemory => Order::Memory,
        Verb::ShowInterfaces => Order::Interfaces { summary: false },
        Verb::ShowInterfacesSummary => Order::Interfaces { summary: true },
        Verb::ShowProtocols => {
            Order::Protocols { choice: any_choice(reader, &["END", "CF_SYM_KNOWN", "TEXT", "ALL"])?, detail: false }
        }
        Verb::ShowProtocolsAll => {
            Order::Protocols { choice: any_choice(reader, &["END", "CF_SYM_KNOWN", "TEXT"])?, detail: true }
        }
        Verb::ShowRoute => Order::Routes(RouteArguments::read(reader, config)?),
        Verb::ShowStatic => Order::Static(optional_protocol(reader, OPTIONAL)?),
        Verb::ShowSymbols => symbols(reader, config.dialect)?,
        Verb::ShowBfdSessions => Order::BfdSessions(BfdQuery::read(reader, config.dialect)?),
        Verb::ShowThreads => Order::Threads { detail: false },
        Verb::ShowThreadsAll => Order::Threads { detail: true },
        Verb::ShowMplsRanges => return Err(no_mpls()),
        Verb::ShowOspf => of_ospf(reader)?,
        Verb::ShowRip => of_kind(Kind::Rip, reader)?,
        Verb::ShowBabel => of_kind(Kind::Babel, reader)?,
        Verb::ShowRoa => Order::Roas(RoaQuery::read(reader, config)?),
        Verb::FlushRoa => Order::EditRoa { edit: RoaEdit::Flush, table: roa_table(reader, config)? },
        Verb::AddRoa => Order::EditRoa { edit: RoaEdit::Add(reader.roa()?), table: roa_table(reader, config)? },
        Verb::DeleteRoa => Order::EditRoa { edit: RoaEdit::Delete(reader.roa()?), table: roa_table(reader, config)? },
        Verb::Eval => Order::Eval(reader.expression()?),
        Verb::Echo => echo(reader)?,
        Verb::Dump => dump(row, reader, config)?,
        Verb::Restrict => Order::Restrict,
        Verb::Enable => act(Action::Enable, reader)?,
        Verb::Disable => act(Action::Disable, reader)?,
        Verb::Restart => act(Action::Restart, reader)?,
        Verb::Reload => act(Action::Reload(Direction::Both), reader)?,
        Verb::ReloadIn => act(Action::Reload(Direction::In), reader)?,
        Verb::ReloadOut => act(Action::Reload(Direction::Out), reader)?,
        Verb::Configure => configure(false, reader)?,
        Verb::ConfigureSoft => configure(true, reader)?,
        Verb::ConfigureTimeout => configure_timeout(None, false, reader)?,
        Verb::ConfigureSoftTimeout => configure_timeout(None, true, reader)?,
        Verb::ConfigureCheck => Order::Configure { file: literal(reader)?, how: Configure::Check },
        Verb::ConfigureUndo => Order::Undo,
        Verb::ConfigureConfirm => Order::Confirm,
        Verb::ConfigureStatus => Order::ConfigureStatus,
        Verb::Timeformat => Order::Timeformat(reader.time_format()?),
        Verb::Debug => debug(reader, config)?,
        Verb::MrtDump => Order::MrtDump { choice: choice(reader, PROTOCOLS)?, mask: reader.mrt_mask()? },
        Verb::DumpTables => Order::DumpTables(table_dump(reader)?),
        Verb::Down => Order::Down(Farewell::Down),
        Verb::GracefulRestart => Order::Down(Farewell::GracefulRestart),
        Verb::Group | Verb::Client => return Err(reader.at().unexpected().into()),
    })
}

/// An expression that is a set of prefixes.
fn prefix_set(reader: &mut Reader<'_>) -> Parsed<Arc<PrefixSet>> {
    let span = reader.at().span();
    match reader.expression()?.run(Env { ifaces: &Ifaces::default(), roas: &RoaTables::default() }).value {
        Ok(Value::PrefixSet(set)) => Ok(Arc::clone(&set)),
        Ok(_) => Err(Diagnostic::error(span, "Partial spec must be prefix set")),
        Err(_) => Err(Diagnostic::error(span, "Runtime error")),
    }
}

/// What names protocols, in BIRD 2's words.
const PROTOCOLS: &[&str] = &["CF_SYM_KNOWN", "TEXT", "ALL"];

/// What may stand where a protocol may be named, likewise.
const OPTIONAL: &[&str] = &["END", "CF_SYM_KNOWN"];

/// `all`, a name or a pattern.
fn choice(reader: &mut Reader<'_>, expected: &[&str]) -> Parsed<Choice> {
    if reader.at().eat_word("all") {
        return Ok(Choice::All);
    }
    match literal(reader)? {
        Some(pattern) => Ok(Choice::Matching(pattern)),
        None => reader.protocol_or_any(expected).map(Choice::Named),
    }
}

/// A name, a pattern or nothing.
fn any_choice(reader: &mut Reader<'_>, expected: &[&str]) -> Parsed<Choice> {
    if let Some(pattern) = literal(reader)? {
        return Ok(Choice::Matching(pattern));
    }
    Ok(optional_protocol(reader, expected)?.map_or(Choice::All, Choice::Named))
}

/// The name of a protocol or nothing.
fn optional_protocol(reader: &mut Reader<'_>, expected: &[&str]) -> Parsed<Option<Arc<str>>> {
    match reader.is_name_ahead() {
        true => reader.protocol_or_any(expected).map(Some),
        false => Ok(None),
    }
}

/// `PROTOCOL MASK`, of BIRD 2 also `PROTOCOL.CHANNEL MASK`.
fn debug(reader: &mut Reader<'_>, config: &Config) -> Result<Order, Refusal> {
    let choice = choice(reader, PROTOCOLS)?;
    let named = match &choice {
        Choice::Named(name) if config.dialect == Dialect::V2 => Some(name),
        _ => None,
    };
    let channel = match named {
        Some(name) if reader.at().eat(Op::Dot) => {
            let channel = ChannelWord::read(reader)?;
            if !config.protocol(name).is_some_and(|p| channel.is_of(p)) {
                return Err(channel.not_found(name));
            }
            Some(channel.word())
        }
        _ => None,
    };
    Ok(Order::Debug { choice, channel, mask: reader.debug_mask()? })
}

fn optional_name(reader: &mut Reader<'_>) -> Parsed<Option<Arc<str>>> {
    match reader.is_name_ahead() {
        true => Ok(Some(reader.name()?.0.into())),
        false => Ok(None),
    }
}

/// A string in quotes or nothing. Octets that are no UTF-8 are replaced.
fn literal(reader: &mut Reader<'_>) -> Parsed<Option<Arc<str>>> {
    match reader.at().peek() {
        Tok::Text => Ok(Some(String::from_utf8_lossy(reader.at().string()?).into())),
        _ => Ok(None),
    }
}

/// Words in braces with commas between them, at least one.
fn braced<T: Copy>(words: &[(&str, T)], reader: &mut Reader<'_>) -> Parsed<Vec<T>> {
    let at = reader.at();
    at.expect(Op::BraceOpen)?;
    let mut found = Vec::new();
    loop {
        let value = at.word().and_then(|met| words.iter().find(|(word, _)| *word == met));
        found.push(value.ok_or_else(|| at.unexpected())?.1);
        at.bump();
        if !at.eat(Op::Comma) {
            at.expect(Op::BraceClose)?;
            return Ok(found);
        }
    }
}

fn echo(reader: &mut Reader<'_>) -> Parsed<Order> {
    let classes = if reader.at().eat_word("all") {
        LogClasses::ALL
    } else if reader.at().eat_word("off") {
        LogClasses::of(&[])
    } else if !reader.at().is(Op::BraceOpen) {
        return Err(reader.at().wanted_one_of("`all`, `off` or classes in braces", &["OFF", "'{'", "ALL"]));
    } else {
        LogClasses::of(&braced(LogClass::WORDS, reader)?)
    };
    let mut octets_max = ECHO_OCTETS_DEFAULT;
    if !reader.at().at_end() {
        let span = reader.at().span();
        octets_max = reader.number()?;
        if !ECHO_OCTETS.contains(&octets_max) {
            return Err(Diagnostic::error(span, "Invalid log buffer size"));
        }
    }
    Ok(Order::Echo { classes, octets_max: octets_max as usize })
}

/// Without a file it goes to the debug output, as in BIRD up to 2.0.
fn dump(row: &Row, reader: &mut Reader<'_>, config: &Config) -> Result<Order, Refusal> {
    let what = dumped(row)?;
    Ok(match config.dialect {
        Dialect::V2 if !reader.at().at_end() => Order::DumpFile { what, file: reader.text()? },
        _ => Order::Dump(what),
    })
}

/// As BIRD answers where no label is given out, whatever is asked.
fn no_mpls() -> Refusal {
    Refusal { code: code::PARSE_ERROR, text: "No MPLS domain defined".to_owned() }
}

fn dumped(row: &Row) -> Result<Dump, Refusal> {
    Ok(match row.words {
        "dump ao keys" => Dump::AoKeys,
        "dump attribute stats" => Dump::AttributeStats,
        "dump filter all" => Dump::Filters,
        "dump tables" => Dump::Tables,
        "dump resources" => Dump::Resources,
        "dump sockets" => Dump::Sockets,
        "dump events" => Dump::Events,
        "dump interfaces" => Dump::Interfaces,
        "dump neighbors" => Dump::Neighbors,
        "dump attributes" => Dump::Attributes,
        "dump routes" => Dump::Routes,
        "dump protocols" => Dump::Protocols,
        _ => return Err(Refusal { code: code::PARSE_ERROR, text: "syntax error".to_owned() }),
    })
}

fn configure(soft: bool, reader: &mut Reader<'_>) -> Parsed<Order> {
    let file = literal(reader)?;
    if reader.at().eat_word("timeout") {
        return configure_timeout(file, soft, reader);
    }
    Ok(Order::Configure { file, how: Configure::Load { soft, undo_s: None } })
}

fn configure_timeout(file: Option<Arc<str>>, soft: bool, reader: &mut Reader<'_>) -> Parsed<Order> {
    let seconds = if reader.at().at_end() { UNDO_DEFAULT_S } else { reader.number()? };
    let undo_s = (seconds > 0).then_some(seconds);
    Ok(Order::Configure { file, how: Configure::Load { soft, undo_s } })
}

/// What `mrt dump` writes: arguments in any order, of each kind the last counts, and a name for more than a pattern.
fn table_dump(reader: &mut Reader<'_>) -> Result<TableDump, Refusal> {
    let (mut name, mut pattern, mut filename, mut filter) = (None, None, None, Policy::Accept);
    while !reader.at().at_end() {
        if reader.at().eat_word("table") {
            match reader.at().peek() {
                Tok::Text => pattern = Some(reader.text()?),
                _ => name = Some(reader.table_here()?),
            }
        } else if reader.at().eat_word("to") {
            filename = Some(reader.text()?);
        } else if reader.at().is_word("filter") || reader.at().is_word("where") {
            filter = reader.policy()?;
        } else {
            return Err(reader.at().unexpected().into());
        }
    }
    let missing = |text: &str| Refusal { code: code::PARSE_ERROR, text: text.to_owned() };
    let tables = match (name, pattern) {
        (Some(name), _) => DumpedTables::Named(name),
        (None, Some(pattern)) => DumpedTables::Matching(pattern),
        (None, None) => return Err(missing("Table not specified")),
    };
    let filename = filename.ok_or_else(|| missing("File not specified"))?;
    Ok(TableDump { tables, filename, filter })
}

/// Kinds and names in any number; the last counts.
fn symbols(reader: &mut Reader<'_>, dialect: Dialect) -> Parsed<Order> {
    const KINDS: &[(&str, &str)] = &[
        ("table", "routing table"),
        ("filter", "filter"),
        ("function", "function"),
        ("protocol", "protocol"),
        ("template", "protocol template"),
        ("roa", "ROA table"),
    ];
    // To BIRD 2 tables of ROAs are tables, and `roa` is a name.
    let kinds = || KINDS.iter().filter(|(word, _)| dialect == Dialect::V1 || *word != "roa");
    let (mut name, mut kind) = (None, None);
    loop {
        if let Some((_, found)) = kinds().find(|(word, _)| reader.at().eat_word(word)) {
            kind = Some(*found);
        } else if let Some(found) = optional_name(reader)? {
            name = Some(found);
        } else {
            return Ok(Order::Symbols { name, kind });
        }
    }
}

/// `[NAME] ["INTERFACE"]`.
fn of_kind(kind: Kind, reader: &mut Reader<'_>) -> Parsed<Order> {
    let name = optional_protocol(reader, &[])?;
    literal(reader)?;
    Ok(Order::OfKind { kind, name })
}

/// The arguments of OSPF's commands, `show ospf lsadb`'s the longest. Read so that mistakes are told apart
/// from the one answer there is: no such protocol runs here.
fn of_ospf(reader: &mut Reader<'_>) -> Parsed<Order> {
    loop {
        if reader.at().eat_word("area") || reader.at().eat_word("lsid") || reader.at().eat_word("router") {
            match reader.at().peek() {
                Tok::Ip4(_) => drop(reader.at().quad()?),
                _ => drop(reader.number()?),
            }
        } else if reader.at().eat_word("type") {
            reader.number()?;
        } else if !["global", "link", "self"].iter().any(|word| reader.at().eat_word(word)) {
            return of_kind(Kind::Ospf, reader);
        }
    }
}
