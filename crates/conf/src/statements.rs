//! The statements of bird.conf outside of protocols, as a table.

mod log;
mod threads;

use crate::channel::is_family;
use crate::config::{Authorises, CliConf, Dialect, IfacePattern, RoaTableConf, TableConf, TimeFormat};
use crate::option::words_known_of;
use crate::parser::{ERRORS_MAX, Parser};
use filter::suggest;
use filter::syntax::{Op, Parsed, Tok};
use filter::{Diagnostic, SymbolKind};
use route::{Family, Prefix, Roa};
use std::sync::Arc;
use std::time::Duration;

/// BIRD's word for a table in `show symbols`.
pub(crate) const TABLE: &str = "routing table";

/// A statement.
pub(crate) struct Statement {
    /// Its words.
    pub(crate) words: &'static [&'static str],
    /// Its grammar behind the words, for people.
    pub(crate) grammar: &'static str,
    /// What it becomes.
    pub(crate) does: Does,
    /// The dialect that has it; `None`: both.
    pub(crate) dialect: Option<Dialect>,
}

impl Statement {
    const fn only(mut self, dialect: Dialect) -> Self {
        self.dialect = Some(dialect);
        self
    }

    fn is_in(&self, dialect: Dialect) -> bool {
        self.dialect.is_none_or(|only| only == dialect)
    }
}

/// What becomes of a statement.
pub(crate) enum Does {
    /// Read, with a `;` behind it.
    Read(fn(&mut Parser<'_>) -> Parsed<()>),
    /// Read; no `;` is asked for, but one may follow, as everywhere.
    Bare(fn(&mut Parser<'_>) -> Parsed<()>),
    /// Not done by this release: an error that says why.
    Refused(&'static str),
}

use Does::{Bare, Read, Refused};

const fn row(words: &'static [&'static str], grammar: &'static str, does: Does) -> Statement {
    Statement { words, grammar, does, dialect: None }
}

/// All of them.
pub(crate) static STATEMENTS: &[Statement] = &[
    row(&["log"], "stderr|syslog [name \"text\"]|\"file\" all|{ class, ... }", Read(log::log)).only(Dialect::V1),
    row(&["log"], log::GRAMMAR_OF_2, Read(log::log)).only(Dialect::V2),
    row(&["router", "id"], "router id", Read(router_id)),
    row(&["router", "id", "from"], "[-]\"pattern\" [prefix], ...", Read(router_id_from)),
    row(&["listen", "bgp"], "[address address] [port number] [dual|v6only]", Read(listen)).only(Dialect::V1),
    row(
        &["timeformat"],
        "base|log|protocol|route iso long|iso short|old long|old short|\"format\" [seconds \"format\"]",
        Read(timeformat),
    )
    .only(Dialect::V1),
    row(
        &["timeformat"],
        "base|log|protocol|route iso long|short [ms|us]|\"format\" [seconds \"format\"]",
        Read(timeformat),
    )
    .only(Dialect::V2),
    row(&["define"], "NAME = expression", Bare(|p| p.define_statement())),
    row(&["table"], "NAME [sorted]", Bare(table)).only(Dialect::V1),
    row(&["ipv4", "table"], TABLE_OPTIONS, Bare(|p| table_of(p, Family::Ipv4))).only(Dialect::V2),
    row(&["ipv6", "table"], TABLE_OPTIONS, Bare(|p| table_of(p, Family::Ipv6))).only(Dialect::V2),
    row(&["roa4", "table"], ROA_TABLE_OPTIONS, Bare(|p| roa_table_of(p, Family::Ipv4))).only(Dialect::V2),
    row(&["roa6", "table"], ROA_TABLE_OPTIONS, Bare(|p| roa_table_of(p, Family::Ipv6))).only(Dialect::V2),
    row(&["aspa", "table"], ROA_TABLE_OPTIONS, Bare(aspa_table)).only(Dialect::V2),
    row(&["hostname"], "\"text\"", Read(hostname)).only(Dialect::V2),
    row(&["filter"], "NAME { commands }", Bare(filter_or_stacks)),
    row(&["function"], "NAME(parameters) { commands }", Bare(|p| p.function_statement())),
    row(&["template"], "KIND [NAME] [from NAME] { options }", Bare(|p| p.protocol_statement(true))),
    row(&["protocol"], "KIND [NAME] [from NAME] { options }", Bare(|p| p.protocol_statement(false))),
    row(&["debug", "protocols"], "all|off|{ class, ... }", Bare(debug_protocols)),
    row(&["debug", "commands"], "number", Bare(debug_commands)),
    row(&["graceful", "restart", "wait"], "seconds", Read(graceful_restart_wait)),
    row(&["eval"], "expression", Bare(|p| p.eval_statement())),
    row(&["debug", "channels"], "all|off|{ class, ... }", Bare(debug_channels)).only(Dialect::V2),
    row(&["debug", "tables"], "all|off|{ class, ... }", Bare(debug_tables)).only(Dialect::V2),
    row(&["attribute"], "TYPE NAME", Bare(|p| p.attribute_statement())).only(Dialect::V2),
    row(&["mpls", "domain"], "", Refused("rbird has no MPLS")).only(Dialect::V2),
    row(&["threads"], "number", Read(threads::threads)).only(Dialect::V2),
    row(&["thread", "group"], threads::GRAMMAR_OF_GROUP, Bare(threads::group)).only(Dialect::V2),
    row(&["debug", "show", "route"], "all|off|{ class, ... }", Bare(debug_show_route)).only(Dialect::V2),
    row(&["attribute", "bgp"], "NUMBER TYPE NAME", Bare(|p| p.bgp_attribute_statement())).only(Dialect::V2),
    row(&["cli"], "\"socket\" [{ restrict; v2 attributes; }]", Read(cli)).only(Dialect::V2),
    row(&["roa", "table"], "NAME [{ roa PREFIX max NUMBER as NUMBER; ... }]", Bare(roa_table)).only(Dialect::V1),
    row(&["mrtdump"], "\"file\"", Read(mrtdump)),
    row(&["mrtdump", "protocols"], "all|off|{ states, messages }", Bare(mrtdump_protocols)),
    row(&["debug", "latency"], "[switch]", Read(debug_latency)).only(Dialect::V1),
    row(&["debug", "latency"], "[switch]|all|{ part, ... }", Read(debug_latency)).only(Dialect::V2),
    row(&["debug", "latency", "limit"], "number s|ms|us", Read(latency_limit)),
    row(&["watchdog", "warning"], "number s|ms|us", Read(watchdog_warning)),
    row(&["watchdog", "timeout"], "number s|ms|us", Read(watchdog_timeout)),
];

impl<'a> Parser<'a> {
    /// The whole text.
    pub(crate) fn statements(&mut self) {
        while !self.at.at_end() && self.errors.len() < ERRORS_MAX {
            let start = self.at.mark();
            if self.at.eat(Op::Semicolon) {
                continue;
            }
            if let Err(wrong) = self.statement() {
                self.recover(wrong);
                if self.at.mark() == start {
                    // A `}` that closes nothing.
                    self.at.bump();
                }
            }
        }
        threads::finish(self);
        self.finish_config();
    }

    fn statement(&mut self) -> Parsed<()> {
        const WORDS_MAX: usize = 3;
        let word = |n| Some(self.at.name_at(self.at.ahead(n))).filter(|word| !word.is_empty());
        let words: Vec<&'a str> = (0..WORDS_MAX).map_while(word).collect();
        let dialect = self.dialect();
        let fitting = STATEMENTS.iter().filter(|s| s.is_in(dialect) && words.starts_with(s.words));
        let Some(statement) = fitting.max_by_key(|s| s.words.len()) else {
            return Err(self.unknown_statement(&words));
        };
        let start = self.at.span();
        for _ in statement.words {
            self.at.bump();
        }
        match statement.does {
            Refused(why) => Err(self.not_done(self.at.since(start), &statement.words.join(" "), why)),
            Read(read) => {
                read(self)?;
                self.end_of_statement()
            }
            Bare(read) => read(self),
        }
    }

    fn unknown_statement(&mut self, words: &[&str]) -> Diagnostic {
        let dialect = self.dialect();
        let is_table = words.get(1) == Some(&"table") || words.get(2) == Some(&"table");
        if is_table && words.first().is_some_and(|word| is_family(word)) {
            if dialect == Dialect::V2 {
                return self.family_word().err().unwrap_or_else(|| self.at.unexpected());
            }
            let mut wrong = self.at.unexpected();
            wrong.label = Some("a table of one family, as in BIRD 2; BIRD 1.6 has `table NAME;`".to_owned());
            return wrong;
        }
        let elsewhere = STATEMENTS.iter().find(|s| !s.is_in(dialect) && words.starts_with(s.words));
        if let Some(statement) = elsewhere {
            let mut wrong = self.at.unexpected();
            let (has, is) = match dialect {
                Dialect::V1 => ("2", "1.6"),
                Dialect::V2 => ("1.6", "2"),
            };
            let name = statement.words.join(" ");
            wrong.label = Some(format!("BIRD {has} has `{name}`; this configuration is read as one of BIRD {is}"));
            return wrong;
        }
        if words.first() == Some(&"include") {
            return self.at.unexpected().help("`include \"file\";` stands alone on its line");
        }
        let known = words_known_of(STATEMENTS.iter().filter(|s| s.is_in(dialect)).map(|s| s.words), words);
        for _ in 0..known {
            self.at.bump();
        }
        let wrong = self.at.unexpected();
        let all: Vec<String> = STATEMENTS.iter().filter(|s| s.is_in(dialect)).map(|s| s.words.join(" ")).collect();
        let typed = [
            words.join(" "),
            words.iter().take(2).copied().collect::<Vec<_>>().join(" "),
            words.first().copied().unwrap_or_default().to_owned(),
        ];
        match typed.iter().filter(|t| !t.is_empty()).find_map(|t| suggest::nearest(t, all.iter().map(String::as_str))) {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong,
        }
    }
}

fn router_id(parser: &mut Parser<'_>) -> Parsed<()> {
    // 0.0.0.0 is none, as in BIRD.
    parser.config.router_id = Some(parser.router_id()?).filter(|id| !id.is_unspecified());
    Ok(())
}

fn router_id_from(parser: &mut Parser<'_>) -> Parsed<()> {
    let patterns: Vec<IfacePattern> = parser.iface_patterns()?;
    parser.config.router_id_from = patterns;
    Ok(())
}

fn listen(parser: &mut Parser<'_>) -> Parsed<()> {
    loop {
        if parser.at.eat_word("address") {
            parser.config.listen.address = Some(parser.address()?).filter(|a| !a.is_unspecified());
        } else if parser.at.eat_word("port") {
            let start = parser.at.span();
            let port = parser.number()?;
            parser.config.listen.port = u16::try_from(port).ok().filter(|&port| port != 0);
            if parser.config.listen.port.is_none() {
                parser.warn_of(start, format!("{port} is no port; listen bgp uses 179"), "at most 65535");
            }
        } else if parser.at.is_word("dual") {
            let start = parser.at.span();
            parser.at.bump();
            parser.config.listen.dual = true;
            let label = "a socket takes one family: connections over IPv4 do not come to one of IPv6";
            parser.warn_of(start, "dual does nothing", label);
        } else if parser.at.eat_word("v6only") {
            parser.config.listen.dual = false;
        } else {
            return Ok(());
        }
    }
}

fn timeformat(parser: &mut Parser<'_>) -> Parsed<()> {
    #[derive(Clone, Copy)]
    enum Of {
        Base,
        Log,
        Protocol,
        Route,
    }
    static USES: &[(&str, Of)] =
        &[("base", Of::Base), ("log", Of::Log), ("protocol", Of::Protocol), ("route", Of::Route)];
    let of = parser.one_of(USES)?;
    let format = parser.time_format()?;
    let time = &mut parser.config.time;
    match of {
        Of::Base => time.base = format,
        Of::Log => time.log = format,
        Of::Protocol => time.protocol = format,
        Of::Route => time.route = format,
    }
    Ok(())
}

fn time_format(parser: &mut Parser<'_>) -> Parsed<TimeFormat> {
    #[derive(Clone, Copy)]
    enum Named {
        IsoShort,
        IsoLong,
        OldShort,
        OldLong,
    }
    static NAMED: &[(&str, Named)] = &[
        ("iso short", Named::IsoShort),
        ("iso long", Named::IsoLong),
        ("old short", Named::OldShort),
        ("old long", Named::OldLong),
    ];
    if parser.at.peek() != Tok::Text && parser.dialect() == Dialect::V2 {
        return iso_of_2(parser);
    }
    if parser.at.peek() != Tok::Text {
        if parser.at.is_word("iso") || parser.at.is_word("old") {
            let length = parser.at.name_at(parser.at.ahead(1));
            if length != "short" && length != "long" {
                parser.at.bump();
                return Err(parser.at.wanted("`short` or `long`"));
            }
        }
        return Ok(match parser.one_of(NAMED)? {
            Named::IsoShort => TimeFormat::iso_short(),
            Named::IsoLong => TimeFormat::plain("%F %T"),
            Named::OldShort => TimeFormat::old_short(),
            Named::OldLong => TimeFormat::plain("%d-%m-%Y %T"),
        });
    }
    let format = parser.text()?;
    if parser.at.is(Op::Semicolon) || parser.at.at_end() {
        return Ok(TimeFormat { format, limit_s: 0, older: None });
    }
    let limit_s = parser.number()?;
    if parser.at.peek() != Tok::Text {
        return Err(parser.at.wanted("the format of older times in quotes"));
    }
    Ok(TimeFormat { format, limit_s, older: Some(parser.text()?) })
}

/// `iso short|long [ms|us]`
fn iso_of_2(parser: &mut Parser<'_>) -> Parsed<TimeFormat> {
    static LENGTHS: &[(&str, bool)] = &[("short", true), ("long", false)];
    if !parser.at.eat_word("iso") {
        return Err(parser.at.wanted("`iso` or a format in quotes"));
    }
    let short = parser.one_of(LENGTHS)?;
    let digits = if parser.at.eat_word("ms") {
        3
    } else if parser.at.eat_word("us") {
        6
    } else {
        0
    };
    Ok(match (short, digits) {
        (true, 0) => TimeFormat::iso_short(),
        (true, digits) => TimeFormat::iso_short_to(digits),
        (false, 0) => TimeFormat::plain("%F %T"),
        (false, digits) => TimeFormat::iso_long_to(digits),
    })
}

fn hostname(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.hostname = Some(parser.text()?);
    Ok(())
}

fn debug_channels(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.debug_channels = parser.debug_mask()?;
    Ok(())
}

/// What a table's thread does is told by the channels that it serves, so there is nothing for the table to tell.
const NO_TRACE_OF_TABLES: &str = "`debug` of channels and protocols tells what becomes of their routes";

fn debug_tables(parser: &mut Parser<'_>) -> Parsed<()> {
    let start = parser.at.span();
    if parser.debug_mask()?.0 != 0 {
        parser.warn_of(start, "debug tables does nothing", NO_TRACE_OF_TABLES);
    }
    Ok(())
}

/// What `show route` asks of filters is traced by nobody here: its answers are text already.
fn debug_show_route(parser: &mut Parser<'_>) -> Parsed<()> {
    let start = parser.at.span();
    if parser.debug_mask()?.0 != 0 {
        parser.warn_of(
            start,
            "debug show route does nothing",
            "`show route` with a filter says what it prints in the log",
        );
    }
    Ok(())
}

/// `filter NAME { ... }`, or `filter stacks NUMBER NUMBER` (2): the sizes of the stacks on which BIRD runs filters. They
/// grow here, up to a bound of their own.
fn filter_or_stacks(parser: &mut Parser<'_>) -> Parsed<()> {
    let next = parser.at.ahead(1);
    if parser.dialect() == Dialect::V1 || !parser.at.is_word("stacks") || !matches!(next.tok, Tok::Num(_)) {
        return parser.filter_statement();
    }
    parser.at.bump();
    let start = parser.at.span();
    let sizes = [parser.number()?, parser.number()?];
    if sizes.iter().any(|size| *size < 16) {
        let message = "Filter stack values lesser than 16 not supported";
        return Err(parser.refusal(start, message, "each at least 16"));
    }
    parser.warn_of(start, "filter stacks does nothing", "what filters need grows as they do");
    parser.end_of_statement()
}

/// `cli "SOCKET" { restrict; }`: a further control socket.
fn cli(parser: &mut Parser<'_>) -> Parsed<()> {
    let start = parser.at.span();
    let path = parser.text()?;
    if path.is_empty() || path.contains('\0') {
        return Err(parser.refusal(start, "Invalid name of a control socket", "the path of a socket"));
    }
    if parser.config.clis.iter().any(|cli| cli.path == path) {
        return Err(parser.refusal(start, format!("Control socket {path} already defined"), "one of each path"));
    }
    let mut restrict = false;
    if parser.at.eat(Op::BraceOpen) {
        while !parser.at.eat(Op::BraceClose) {
            let start = parser.at.span();
            if parser.at.eat_word("v2") {
                parser.at.expect_word("attributes")?;
                let label = "attributes are shown as by BIRD 2 on every socket";
                parser.warn_of(start, "v2 attributes does nothing", label);
            } else {
                parser.at.expect_word("restrict")?;
                restrict = true;
            }
            parser.end_of_statement()?;
        }
    }
    parser.config.clis.push(CliConf { path, restrict });
    Ok(())
}

const TABLE_OPTIONS: &str =
    "NAME [sorted] [{ sorted [switch]; trie [switch]; gc threshold number; gc period seconds; }]";

/// `ipv4 table NAME { OPTIONS }`; the default tables may be declared to be given options.
fn table_of(parser: &mut Parser<'_>, family: Family) -> Parsed<()> {
    let is_default = |t: &TableConf| t.family == family && ["master4", "master6"].contains(&&*t.name);
    let known = parser.config.tables.iter().find(|t| is_default(t) && Some(&*t.name) == parser.at.word());
    let name = match known.map(|t| Arc::clone(&t.name)) {
        Some(name) => {
            parser.at.name()?;
            name
        }
        None => {
            let (name, span) = parser.new_name()?;
            parser.define(&name, span, TABLE)?;
            parser.config.tables.push(TableConf { name: Arc::clone(&name), family, sorted: false });
            name
        }
    };
    let sorted = table_options(parser, None)?;
    parser.config.tables.iter_mut().filter(|t| t.name == name).for_each(|t| t.sorted = sorted);
    Ok(())
}

const ROA_TABLE_OPTIONS: &str = "NAME [sorted] [{ sorted [switch]; trie [switch]; gc threshold number; gc period seconds; min settle time number s|ms|us; max settle time number s|ms|us; }]";

/// How long is waited after a change of a ROA table before routes are judged anew, and how long while more changes come.
const SETTLE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(20)];

/// `roa4 table NAME { OPTIONS }`.
fn roa_table_of(parser: &mut Parser<'_>, family: Family) -> Parsed<()> {
    let (name, span) = parser.new_name()?;
    parser.define_kind(&name, span, SymbolKind::RoaTable(TABLE))?;
    let mut settle = SETTLE;
    // A ROA table has no best route for which an order would mean anything.
    table_options(parser, Some(&mut settle))?;
    let tables_before = parser.config.tables.len();
    let of = Authorises::Origins(family);
    parser.config.roa_tables.push(RoaTableConf { name, of, tables_before, settle, roas: Vec::new() });
    Ok(())
}

/// `aspa table NAME { OPTIONS }`.
fn aspa_table(parser: &mut Parser<'_>) -> Parsed<()> {
    let (name, span) = parser.new_name()?;
    parser.define_kind(&name, span, SymbolKind::AspaTable(TABLE))?;
    let mut settle = SETTLE;
    table_options(parser, Some(&mut settle))?;
    let tables_before = parser.config.tables.len();
    let of = Authorises::Providers;
    parser.config.roa_tables.push(RoaTableConf { name, of, tables_before, settle, roas: Vec::new() });
    Ok(())
}

/// Whether the table is sorted. `settle`: the times of a ROA table.
fn table_options(parser: &mut Parser<'_>, mut settle: Option<&mut [Duration; 2]>) -> Parsed<bool> {
    let mut sorted = parser.at.eat_word("sorted");
    if !parser.at.eat(Op::BraceOpen) {
        return Ok(sorted);
    }
    while !parser.at.eat(Op::BraceClose) {
        if parser.at.eat(Op::Semicolon) {
            continue;
        }
        let start = parser.at.span();
        if is_ahead(parser, &["thread", "group"]) {
            parser.skip(2);
            parser.thread_group()?;
            parser.end_of_statement()?;
            continue;
        }
        if let Some((words, read)) = PACE.iter().find(|(words, _)| is_ahead(parser, words)) {
            parser.skip(words.len());
            read(parser)?;
            let message = format!("{} does nothing", words.join(" "));
            parser.warn_of(start, message, "rbird's tables tell at once what they have");
            parser.end_of_statement()?;
            continue;
        }
        let next = parser.at.name_at(parser.at.ahead(1));
        match (parser.at.word().unwrap_or_default(), next) {
            ("sorted", _) => {
                parser.at.bump();
                sorted = parser.switch()?;
            }
            // Every table of rbird finds the longest match without one, and prints its networks in order.
            ("trie", _) => {
                parser.at.bump();
                parser.switch()?;
            }
            ("gc", what @ ("threshold" | "period")) => {
                parser.skip(2);
                if what == "period" {
                    parser.duration()?;
                } else {
                    parser.number()?;
                }
                let label = "what is withdrawn is given back at once";
                parser.warn_of(start, format!("gc {what} does nothing: rbird has no garbage to collect"), label);
            }
            ("debug", _) => {
                parser.at.bump();
                if parser.debug_mask()?.0 != 0 {
                    parser.warn_of(start, "debug of a table does nothing", NO_TRACE_OF_TABLES);
                }
                if !parser.at.is(Op::Semicolon) {
                    continue;
                }
            }
            (which @ ("min" | "max"), "settle") => {
                parser.skip(2);
                parser.at.expect_word("time")?;
                let time = parser.duration()?;
                match &mut settle {
                    Some([least, most]) => *(if which == "min" { least } else { most }) = time,
                    None => {
                        let label = "only a change of a ROA table has routes judged anew";
                        parser.warn_of(start, format!("{which} settle time does nothing here"), label);
                    }
                }
            }
            _ => return Err(parser.at.unexpected()),
        }
        parser.end_of_statement()?;
    }
    Ok(sorted)
}

/// Reads what follows some words.
type ReadArguments = fn(&mut Parser<'_>) -> Parsed<()>;

/// Options of 3.x about the pace of BIRD's own tables, with what follows the words.
const PACE: &[(&[&str], ReadArguments)] = &[
    (&["cork", "threshold"], |p| p.number().and_then(|_| p.number()).map(drop)),
    (&["export", "settle", "time"], two_times),
    (&["route", "refresh", "export", "settle", "time"], two_times),
    (&["digest", "settle", "time"], two_times),
];

fn two_times(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.duration()?;
    parser.duration().map(drop)
}

impl Parser<'_> {
    /// What stands behind `timeformat` and the word of its use.
    pub(crate) fn time_format(&mut self) -> Parsed<TimeFormat> {
        time_format(self)
    }

    /// A number with its unit, which has to be said.
    pub(crate) fn duration(&mut self) -> Parsed<Duration> {
        static UNITS: &[(&str, u64)] = &[("s", 1_000_000), ("ms", 1000), ("us", 1)];
        let number = u64::from(self.number()?);
        Ok(Duration::from_micros(number * self.one_of(UNITS)?))
    }

    /// Two times of a pace that rbird has not, with a warning which says so.
    pub(crate) fn pace(&mut self, what: &str) -> Parsed<()> {
        let start = self.at.span();
        two_times(self)?;
        self.warn_of(start, format!("{what} does nothing"), "rbird tells at once what it has");
        Ok(())
    }
}

fn is_ahead(parser: &Parser<'_>, words: &[&str]) -> bool {
    words.iter().enumerate().all(|(n, word)| parser.at.name_at(parser.at.ahead(n)) == *word)
}

fn table(parser: &mut Parser<'_>) -> Parsed<()> {
    // The main table is there already, and may be declared to be given its options, as often as one likes.
    let main = parser.config.tables.first().map(|t| Arc::clone(&t.name));
    if main.as_deref() == parser.at.word() && main.is_some() {
        parser.at.name()?;
        let sorted = parser.at.eat_word("sorted");
        parser.config.tables.iter_mut().take(1).for_each(|t| t.sorted = sorted);
        return Ok(());
    }
    let (name, span) = parser.new_name()?;
    let sorted = parser.at.eat_word("sorted");
    parser.define(&name, span, TABLE)?;
    let family = parser.config.family;
    parser.config.tables.push(TableConf { name, family, sorted });
    Ok(())
}

fn roa_table(parser: &mut Parser<'_>) -> Parsed<()> {
    let (name, span) = parser.new_name()?;
    parser.define_kind(&name, span, SymbolKind::RoaTable("ROA table"))?;
    let mut roas = Vec::new();
    if parser.at.eat(Op::BraceOpen) {
        while !parser.at.eat(Op::BraceClose) {
            parser.at.expect_word("roa")?;
            roas.push(parser.roa()?);
            parser.at.expect(Op::Semicolon)?;
        }
    }
    let table = RoaTableConf { name, of: Authorises::Any, tables_before: 0, settle: SETTLE, roas };
    parser.config.roa_tables.push(table);
    Ok(())
}

impl Parser<'_> {
    /// Reads `PREFIX max NUMBER as NUMBER`. The numbers are digits, as in BIRD.
    pub(crate) fn roa(&mut self) -> Parsed<Roa> {
        let prefix = self.prefix()?;
        self.roa_of(prefix)
    }

    /// Reads what stands behind the prefix.
    pub(crate) fn roa_of(&mut self, prefix: Prefix) -> Parsed<Roa> {
        self.at.expect_word("max")?;
        let start = self.at.span();
        let max = self.at.number()?;
        let Ok(max_len) = u8::try_from(max) else {
            return Err(self.refusal(start, "Invalid max prefix length", "longer than any address"));
        };
        if !(prefix.len()..=prefix.family().bits()).contains(&max_len) {
            let range = format!("{} to {}", prefix.len(), prefix.family().bits());
            self.warn(start, format!("max {max} for {prefix}: a length of {range} would make sense"));
        }
        self.at.expect_word("as")?;
        Ok(Roa { prefix, max_len, asn: self.at.number()? })
    }
}

fn debug_protocols(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.debug_protocols = parser.debug_mask()?;
    Ok(())
}

fn mrtdump(parser: &mut Parser<'_>) -> Parsed<()> {
    let start = parser.at.span();
    let path = parser.text()?;
    if let Err(why) = parser.disk.appendable(&path) {
        let message = format!("Unable to open MRTDump file '{path}': {why}");
        parser.fail(Diagnostic::error(start, message));
    }
    parser.config.mrtdump_file = Some(path);
    Ok(())
}

fn mrtdump_protocols(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.mrtdump_protocols = parser.mrt_mask()?;
    Ok(())
}

/// A switch, or the parts of BIRD's loop that are to be watched: here one is watched as the other.
fn debug_latency(parser: &mut Parser<'_>) -> Parsed<()> {
    static PARTS: &[(&str, ())] = &[
        ("ping", ()),
        ("wakeup", ()),
        ("scheduling", ()),
        ("sockets", ()),
        ("events", ()),
        ("timers", ()),
        ("allocator", ()),
    ];
    let of_2 = parser.dialect() == Dialect::V2;
    parser.config.latency.debug = if of_2 && parser.at.is(Op::BraceOpen) {
        !parser.braced_list(PARTS)?.is_empty()
    } else {
        of_2 && parser.at.eat_word("all") || parser.switch()?
    };
    Ok(())
}

fn latency_limit(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.latency.limit = parser.duration()?;
    Ok(())
}

fn watchdog_warning(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.latency.warning = parser.duration()?;
    Ok(())
}

/// In whole seconds, rounded up; 0: none, as in BIRD.
fn watchdog_timeout(parser: &mut Parser<'_>) -> Parsed<()> {
    let asked = parser.duration()?;
    let seconds = asked.as_secs() + u64::from(asked.subsec_nanos() > 0);
    parser.config.latency.timeout = (seconds > 0).then_some(Duration::from_secs(seconds));
    Ok(())
}

fn debug_commands(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.debug_commands = parser.number()?;
    Ok(())
}

fn graceful_restart_wait(parser: &mut Parser<'_>) -> Parsed<()> {
    parser.config.graceful_restart_wait = Duration::from_secs(parser.number()?.into());
    Ok(())
}
