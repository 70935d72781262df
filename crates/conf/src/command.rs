//! Lines of the control socket, read with the grammar and the names of the running configuration.
//!
//! The control room knows the commands; this room knows what stands in them:
//! names, tables, addresses, filters, expressions. A command is read word by word
//! through a [`Reader`]; what is wrong is a [`Diagnostic`] whose message is what
//! BIRD answers (code 9001, but for protocols that are none, where commands
//! other than `show route` answer 9002).

use crate::config::{Authorises, Config, DebugMask, Dialect, MrtMask, TimeFormat};
use crate::load::LoadOptions;
use crate::parser::Parser;
use crate::source::Source;
use filter::syntax::{Cursor, Op, Parsed, Tok};
use filter::{Diagnostic, Expression, Policy, Span};
use route::{Prefix, Roa};
use std::net::IpAddr;
use std::sync::Arc;

/// A line as tokens.
#[derive(Debug)]
pub struct Line {
    source: Source,
}

/// A line being read.
pub struct Reader<'a> {
    parser: Parser<'a>,
    config: &'a Config,
}

/// Which protocols a command names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// One, by name; it exists.
    Named(Arc<str>),
    /// Those that a shell pattern in quotes matches; see [`crate::glob::matches`].
    Matching(Arc<str>),
}

/// A place in the table, as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// With a length.
    Prefix(Prefix),
    /// Without.
    Address(IpAddr),
}

impl Line {
    /// The tokens of a line without its end.
    pub fn new(text: &[u8]) -> Self {
        Self { source: Source::text("command", text) }
    }

    /// Begins to read it, with the names of a configuration.
    pub fn reader<'a>(&'a self, config: &'a Config) -> Reader<'a> {
        Reader { parser: Parser::with_names(&self.source, config), config }
    }

    /// The line as a source file, for diagnostics with carets.
    pub fn files(&self) -> &[filter::span::SourceFile] {
        &self.source.files
    }
}

impl<'a> Reader<'a> {
    /// The words and signs ahead.
    pub fn at(&mut self) -> &mut Cursor<'a> {
        &mut self.parser.at
    }

    /// That nothing follows. `expected`: the tokens that could, as BIRD 2 names them.
    pub fn end(&self, expected: &[&str]) -> Parsed<()> {
        if self.parser.at.at_end() { Ok(()) } else { Err(self.parser.at.wanted_one_of("the end", expected)) }
    }

    /// That the name that comes next is known, where the grammar of BIRD 2 asks for one that is; `expected` is what
    /// could stand there, as BIRD 2 names it.
    pub fn known_ahead(&self, expected: &[&str]) -> Parsed<()> {
        match self.config.dialect {
            Dialect::V2 if !self.is_known_ahead() => Err(self.parser.at.wanted_one_of("a name", expected)),
            _ => Ok(()),
        }
    }

    /// Whether what comes next is a name that means something.
    pub fn is_known_ahead(&self) -> bool {
        let at = &self.parser.at;
        let name = at.name_at(at.ahead(0));
        at.is_any_name()
            && (self.parser.symbols.get(name).is_some()
                || self.config.tables.iter().any(|t| *t.name == *name)
                || self.config.protocols.iter().any(|p| *p.name == *name)
                || self.config.symbols.rows.iter().any(|row| *row.name == *name && row.kind != "undefined")
                || self.config.may_be_member(name))
    }

    /// Whether a name comes next: one that is not reserved, or a word of the language that the configuration has as a name.
    pub fn is_name_ahead(&self) -> bool {
        self.parser.at.is_name() || self.config.dialect == Dialect::V2 && self.is_known_ahead()
    }

    /// The name of a protocol; `nosuch is not a protocol`.
    pub fn protocol(&mut self) -> Parsed<Arc<str>> {
        self.known("protocol", |config, name| {
            let found = config.protocols.iter().find(|p| *p.name == *name).map(|p| p.name.clone());
            found.or_else(|| config.may_be_member(name).then(|| name.into()))
        })
    }

    /// The name of a protocol where BIRD 1.6 takes any, and looks later; `Protocol name required`.
    pub fn protocol_or_any(&mut self, expected: &[&str]) -> Parsed<Arc<str>> {
        if self.config.dialect == Dialect::V1 {
            return Ok(self.name()?.0.into());
        }
        self.known_ahead(expected)?;
        self.protocol()
    }

    /// The name of a protocol, or a pattern in quotes.
    pub fn protocols(&mut self) -> Parsed<Protocols> {
        if self.parser.at.peek() == Tok::Text {
            return Ok(Protocols::Matching(self.parser.text()?));
        }
        self.protocol().map(Protocols::Named)
    }

    /// The name of a table; `nosuch is not a table`.
    pub fn table(&mut self) -> Parsed<Arc<str>> {
        self.known("table", |config, name| {
            let roas = config.authorities_of_2().map(|t| &t.name);
            config.tables.iter().map(|t| &t.name).chain(roas).find(|table| ***table == *name).cloned()
        })
    }

    /// The name of a table where the grammar of bird.conf has one; `Table name expected`.
    pub fn table_here(&mut self) -> Parsed<Arc<str>> {
        let (name, span) = self.parser.at.name()?;
        let found = self.config.tables.iter().find(|t| *t.name == *name).map(|t| t.name.clone());
        found.ok_or_else(|| Diagnostic::error(span, "Table name expected"))
    }

    /// A name that is not reserved, known or not.
    pub fn name(&mut self) -> Parsed<(&'a str, Span)> {
        self.parser.at.name()
    }

    fn known(&mut self, what: &str, find: impl Fn(&Config, &str) -> Option<Arc<str>>) -> Parsed<Arc<str>> {
        let is_known = self.is_known_ahead();
        let unexpected = self.parser.at.unexpected();
        let (name, span) = self.parser.at.name()?;
        match find(self.config, name) {
            Some(found) => Ok(found),
            None if self.config.dialect == Dialect::V2 => Err(if is_known { required(what, span) } else { unexpected }),
            None => Err(Diagnostic::error(span, format!("{name} is not a {what}"))),
        }
    }

    /// A prefix or an address; constants count.
    pub fn net(&mut self) -> Parsed<Net> {
        let met = self.parser.at.span();
        let unexpected = self.parser.at.unexpected();
        let addr = match (self.parser.address(), self.config.dialect) {
            (Ok(addr), _) => addr,
            (Err(wrong), Dialect::V1) => return Err(ip_expected(wrong, met, self.parser.at.peek())),
            (Err(_), Dialect::V2) => return Err(unexpected),
        };
        if self.parser.at.is(Op::Slash) || self.parser.at.is(Op::Colon) {
            return self.parser.prefix_of(addr).map(Net::Prefix);
        }
        Ok(Net::Address(addr))
    }

    /// The name of a ROA table; `nosuch is not a ROA table`.
    pub fn roa_table(&mut self) -> Parsed<Arc<str>> {
        self.known("ROA table", |config, name| {
            config.roa_tables.iter().find(|t| *t.name == *name && t.of == Authorises::Any).map(|t| t.name.clone())
        })
    }

    /// `PREFIX max NUMBER as NUMBER`.
    pub fn roa(&mut self) -> Parsed<Roa> {
        let prefix = self.prefix()?;
        self.parser.roa_of(prefix)
    }

    /// What stands behind the prefix of an authorisation.
    pub fn roa_of(&mut self, prefix: Prefix) -> Parsed<Roa> {
        self.parser.roa_of(prefix)
    }

    /// A prefix with its length.
    pub fn prefix(&mut self) -> Parsed<Prefix> {
        match self.net()? {
            Net::Prefix(prefix) => Ok(prefix),
            Net::Address(_) => Err(self.parser.at.unexpected()),
        }
    }

    /// A number, a constant, or an expression in brackets.
    pub fn number(&mut self) -> Parsed<u32> {
        self.parser.number()
    }

    /// A string, or a constant that is one.
    pub fn text(&mut self) -> Parsed<Arc<str>> {
        self.parser.text()
    }

    /// `filter NAME`, `filter { ... }`, `where EXPRESSION`; also `all` and `none`.
    pub fn policy(&mut self) -> Parsed<Policy> {
        let rule = filter::language::policy(&mut self.parser.at, &self.parser.symbols);
        rule.map_err(|wrong| wrong.into_iter().next().unwrap_or_else(|| self.parser.at.unexpected()))
    }

    /// An expression, for `eval`.
    pub fn expression(&mut self) -> Parsed<Expression> {
        let rule = Expression::read(&mut self.parser.at, &self.parser.symbols);
        rule.map_err(|wrong| wrong.into_iter().next().unwrap_or_else(|| self.parser.at.unexpected()))
    }

    /// `all`, `off`, or classes of MRT records in braces.
    pub fn mrt_mask(&mut self) -> Parsed<MrtMask> {
        self.parser.mrt_mask()
    }

    /// A format of times, as behind `timeformat route`.
    pub fn time_format(&mut self) -> Parsed<TimeFormat> {
        self.parser.time_format()
    }

    /// `all`, `off`, or classes in braces.
    pub fn debug_mask(&mut self) -> Parsed<DebugMask> {
        self.parser.debug_mask()
    }
}

/// BIRD 2 knows the name, and it is another thing's.
fn required(what: &str, span: Span) -> Diagnostic {
    let what = if what == "protocol" { "Protocol" } else { "Table" };
    Diagnostic::error(span, format!("{what} name required"))
}

/// BIRD answers `IP address expected` to any word where a prefix may stand.
fn ip_expected(mut wrong: Diagnostic, met: Span, tok: Tok) -> Diagnostic {
    if tok == Tok::Word && wrong.span == met {
        wrong.message = "IP address expected".to_owned();
    }
    wrong
}

impl<'a> Parser<'a> {
    /// A parser of a line, with the names of a configuration.
    fn with_names(source: &'a Source, config: &Config) -> Self {
        let options = LoadOptions { family: config.family, dialect: Some(config.dialect), before: None };
        let mut parser = Self::new(source, &NO_FILES, &options);
        parser.symbols = config.symbols.meanings.clone();
        parser
    }
}

/// Commands open no files.
static NO_FILES: NoFiles = NoFiles;

struct NoFiles;

impl crate::files::Files for NoFiles {
    fn read(&self, _: &str, _: usize) -> Result<Vec<u8>, String> {
        Err("No such file or directory".to_owned())
    }

    fn list(&self, _: &str) -> Result<Vec<String>, String> {
        Err("No such file or directory".to_owned())
    }

    fn appendable(&self, _: &str) -> Result<(), String> {
        Err("No such file or directory".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    fn config() -> Config {
        let text = "table t; define here = 10.0.0.1; filter f { accept; }\nprotocol bgp p { local as 1; neighbor 10.0.0.1 as 2; }";
        crate::load("c", &Memory::new().with("c", text), &LoadOptions::default()).unwrap().config
    }

    fn read<T>(line: &str, read: impl Fn(&mut Reader<'_>) -> Parsed<T>) -> Result<T, String> {
        let line = Line::new(line.as_bytes());
        let config = config();
        let mut reader = line.reader(&config);
        let value = read(&mut reader).and_then(|v| reader.end(&[]).map(|()| v));
        value.map_err(|e| e.message)
    }

    #[test]
    fn names_are_those_of_the_configuration() {
        assert_eq!(read("p", |r| r.protocol()), Ok("p".into()));
        assert_eq!(read("'p'", |r| r.protocols()), Ok(Protocols::Named("p".into())));
        assert_eq!(read("\"p*\"", |r| r.protocols()), Ok(Protocols::Matching("p*".into())));
        assert_eq!(read("nosuch", |r| r.protocols()), Err("nosuch is not a protocol".into()));
        assert_eq!(read("t", |r| r.table()), Ok("t".into()));
        assert_eq!(read("nosuch", |r| r.table()), Err("nosuch is not a table".into()));
    }

    #[test]
    fn nets_are_prefixes_addresses_or_constants() {
        assert_eq!(read("10.0.0.0/8", |r| r.net()), Ok(Net::Prefix("10.0.0.0/8".parse().unwrap())));
        assert_eq!(read("here", |r| r.net()), Ok(Net::Address("10.0.0.1".parse().unwrap())));
        assert_eq!(read("junk", |r| r.net()), Err("IP address expected".into()));
        assert_eq!(read("10.245.0.65/26", |r| r.net()), Err("Invalid prefix".into()));
        assert_eq!(read("?", |r| r.net()), Err("syntax error".into()));
        assert_eq!(read("$$$", |r| r.net()), Err("Unknown character".into()));
    }

    #[test]
    fn filters_are_by_name_or_in_place() {
        let name = |line| {
            read(line, |r| r.policy()).map(|p| match p {
                Policy::Filter(f) => f.name.as_deref().map(str::to_owned),
                _ => None,
            })
        };
        assert_eq!(name("filter f"), Ok(Some("f".into())));
        assert_eq!(name("filter { accept; }"), Ok(None));
        assert_eq!(name("where net.len > 8"), Ok(None));
        assert_eq!(name("filter nosuch"), Err("No such filter.".into()));
    }

    #[test]
    fn what_follows_is_an_error() {
        assert_eq!(read("p p", |r| r.protocol()), Err("syntax error".into()));
    }
}
