//! Values and places: what every statement of bird.conf is made of.
//!
//! The parser reads tokens through the filter language's cursor, so that a
//! number, an address or a constant is the same thing in an option and in a
//! filter. Grammar stands elsewhere: options in their tables, statements in
//! theirs.

use crate::config::{Config, Dialect, IfacePattern};
use crate::files::Files;
use crate::load::LoadOptions;
use crate::protocol::Draft;
use crate::source::Source;
use filter::suggest;
use filter::syntax::{Cursor, Op, Parsed, Tok, is_reserved};
use filter::{Diagnostic, Level, Span, SymbolKind, Symbols, Value};
use route::Prefix;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// No more errors of a configuration are told.
pub(crate) const ERRORS_MAX: usize = 50;

/// A configuration being read.
pub(crate) struct Parser<'a> {
    /// Where we are.
    pub(crate) at: Cursor<'a>,
    /// What was read so far.
    pub(crate) config: Config,
    /// All names defined so far.
    pub(crate) symbols: Arc<Symbols>,
    /// Names of links written without quotes: BIRD lists them as undefined symbols.
    pub(crate) mentioned: BTreeSet<Arc<str>>,
    /// Templates by name.
    pub(crate) templates: BTreeMap<Arc<str>, Draft>,
    /// The group of threads that is the default of BIRD 3.
    pub(crate) default_group: Option<Arc<str>>,
    /// The last number given to a protocol without a name, by kind.
    pub(crate) automatic: BTreeMap<&'static str, u32>,
    /// The names of the configuration that runs.
    pub(crate) before: Option<Arc<crate::config::Symbols>>,
    /// For log files.
    pub(crate) disk: &'a dyn Files,
    /// What is wrong.
    pub(crate) errors: Vec<Diagnostic>,
    /// What is odd.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    /// At the beginning of a text, with no names yet.
    pub(crate) fn new(source: &'a Source, disk: &'a dyn Files, options: &LoadOptions) -> Self {
        let dialect = options.dialect.unwrap_or(Dialect::V1);
        let family = (dialect == Dialect::V1).then_some(options.family);
        Self {
            at: Cursor::new(&source.files, &source.tokens, family).speaking(dialect),
            config: Config::empty(dialect, options.family),
            symbols: Arc::new(Symbols::new(family)),
            mentioned: BTreeSet::new(),
            templates: BTreeMap::new(),
            default_group: None,
            automatic: BTreeMap::new(),
            before: options.before.clone(),
            disk,
            errors: source.errors.clone(),
            warnings: Vec::new(),
        }
    }
}

impl Parser<'_> {
    /// The language that is read.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.config.dialect
    }

    /// Keeps an error that was not told yet; the caller goes on.
    pub(crate) fn fail(&mut self, wrong: Diagnostic) {
        if !wrong.message.is_empty() {
            self.errors.push(wrong);
        }
    }

    /// Keeps a warning of our own: it has a place, with this to be said of it.
    pub(crate) fn warn_of(&mut self, start: Span, message: impl Into<String>, label: impl Into<String>) {
        self.warn(start, message);
        if let Some(warning) = self.warnings.last_mut() {
            warning.label = Some(label.into());
        }
    }

    /// Keeps a warning in BIRD's words, which have no place.
    pub(crate) fn warn(&mut self, start: Span, message: impl Into<String>) {
        let mut warning = Diagnostic::error(self.at.since(start), message);
        warning.level = Level::Warning;
        self.warnings.push(warning);
    }

    /// An error at what was read since `start`, in BIRD's words, with what is wrong about it.
    pub(crate) fn refusal(&self, start: Span, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        let mut wrong = Diagnostic::error(self.at.since(start), message);
        wrong.label = Some(label.into());
        wrong
    }

    /// An error for what BIRD has and this release has not.
    pub(crate) fn not_done(&self, span: Span, what: &str, why: &str) -> Diagnostic {
        let mut wrong = Diagnostic::error(span, format!("`{what}` is not supported by this release of rbird"));
        wrong.label = Some(why.to_owned());
        wrong
    }

    /// The `;` behind a statement.
    pub(crate) fn end_of_statement(&mut self) -> Parsed<()> {
        let before = self.at.last_span();
        if self.at.eat(Op::Semicolon) {
            return Ok(());
        }
        let missing = Span { start: before.end.saturating_sub(1), ..before };
        Err(self.at.wanted("`;`").note(missing, "the statement ends here without `;`"))
    }

    /// Statements in braces, each with its `;`; the place of the closing brace. What is wrong with one is kept.
    pub(crate) fn braced(&mut self, mut each: impl FnMut(&mut Self) -> Parsed<()>) -> Parsed<Span> {
        let open = self.at.expect(Op::BraceOpen)?;
        loop {
            if self.at.is(Op::BraceClose) {
                return Ok(self.at.bump().span);
            }
            if self.at.eat(Op::Semicolon) {
                continue;
            }
            if self.at.at_end() {
                return Err(self.at.wanted("`}`").note(open, "this `{` is not closed"));
            }
            if let Err(wrong) = each(self).and_then(|()| self.end_of_statement()) {
                self.recover(wrong);
            }
        }
    }

    /// Nothing, a number, or a word for yes or no.
    pub(crate) fn switch(&mut self) -> Parsed<bool> {
        static WORDS: &[(&str, bool)] = &[("on", true), ("yes", true), ("off", false), ("no", false)];
        static WORDS_OF_2: &[(&str, bool)] = &[("true", true), ("false", false)];
        let of_2 = self.dialect() == Dialect::V2;
        let more = if of_2 { WORDS_OF_2 } else { &[] };
        if let Some((_, on)) = WORDS.iter().chain(more).find(|(word, _)| self.at.is_word(word)) {
            self.at.bump();
            return Ok(*on);
        }
        match self.at.peek() {
            Tok::Num(_) | Tok::Op(Op::ParenOpen) => Ok(self.number()? != 0),
            Tok::Word if self.at.is_word("limit") => Ok(true),
            Tok::Word if self.at_value() && of_2 => self.constant("Switch value expected", as_switch),
            Tok::Word if self.at_value() => self.number().map(|n| n != 0),
            Tok::Word => Err(self.at.wanted("`on`, `off`, `yes`, `no` or nothing")),
            _ => Ok(true),
        }
    }

    /// Whether a name comes next that may stand for a value: also a word of the language that is a constant's.
    fn at_value(&self) -> bool {
        let is_constant = |word| self.dialect() == Dialect::V2 && self.symbols.constant(word).is_some();
        self.at.is_name() || self.at.word().is_some_and(is_constant)
    }

    /// A number, a constant, or an expression in brackets.
    pub(crate) fn number(&mut self) -> Parsed<u32> {
        match self.at.peek() {
            Tok::Num(n) => {
                self.at.bump();
                Ok(n)
            }
            Tok::Op(Op::ParenOpen) => self.expression(),
            Tok::Word if self.at_value() => self.constant("Number expected", as_number),
            Tok::Word | Tok::Op(_) | Tok::End => Err(self.at.wanted("a number")),
            _ => Err(self.at.wanted("a number")),
        }
    }

    /// A string, or a constant that is one.
    pub(crate) fn text(&mut self) -> Parsed<Arc<str>> {
        match self.at.peek() {
            Tok::Text => Ok(String::from_utf8_lossy(self.at.string()?).into()),
            Tok::Word if self.at_value() => self.constant("String expected", as_text),
            _ => Err(self.at.wanted("a string in quotes")),
        }
    }

    /// What is kept secret: a string, octets such as `hex:01:02`, or a constant that is one of them.
    pub(crate) fn secret(&mut self) -> Parsed<Arc<[u8]>> {
        match self.at.peek() {
            Tok::Bytes => Ok(self.at.bytes()?.into()),
            Tok::Text => Ok(self.at.string()?.into()),
            Tok::Word if self.at.is_name() => self.constant("Bytestring or string expected", as_octets),
            _ => Err(self.at.wanted("a string in quotes, or octets such as `hex:01:02`")),
        }
    }

    /// An address, or a constant that is one.
    pub(crate) fn address(&mut self) -> Parsed<IpAddr> {
        match self.at.peek() {
            Tok::Ip4(_) | Tok::Ip6(_) => self.at.address(),
            Tok::Word if self.at_value() => self.constant("IP address expected", as_address),
            _ => Err(self.at.wanted("an IP address")),
        }
    }

    /// `%link` behind an address.
    pub(crate) fn scope(&mut self) -> Parsed<Option<Arc<str>>> {
        if !self.at.eat(Op::Percent) {
            return Ok(None);
        }
        match self.at.word() {
            Some(name) if self.at.is_name() => {
                self.at.bump();
                self.mentioned.insert(name.into());
                Ok(Some(name.into()))
            }
            _ => Err(self.at.wanted("the name of a link, as in `fe80::1%'eth0'`")),
        }
    }

    /// `10.0.0.0/8`, `10.0.0.0:255.0.0.0`; host bits must be zero.
    ///
    /// In dialect 2 a constant will do.
    pub(crate) fn prefix(&mut self) -> Parsed<Prefix> {
        if self.dialect() == Dialect::V2
            && let Some(SymbolKind::Constant(Value::Prefix(prefix))) =
                self.at.word().and_then(|name| self.symbols.get(name)).map(|symbol| &symbol.kind)
        {
            let prefix = *prefix;
            self.at.bump();
            return Ok(prefix);
        }
        let addr = self.address()?;
        if !self.at.is(Op::Slash) && !self.at.is(Op::Colon) {
            return Err(self.at.wanted("the length of the prefix, as in `10.0.0.0/8`"));
        }
        self.prefix_of(addr)
    }

    /// What makes a prefix of an address that was read just now: `/8` or `:255.0.0.0`.
    pub(crate) fn prefix_of(&mut self, addr: IpAddr) -> Parsed<Prefix> {
        let start = self.at.last_span();
        let len = if self.at.eat(Op::Colon) { self.netmask()? } else { self.prefix_length(addr)? };
        let Some(prefix) = Prefix::new(addr, len) else {
            return Err(self.refusal(start, format!("Invalid prefix length {len}"), "longer than the address"));
        };
        if prefix.addr() != addr {
            let message = match self.dialect() {
                Dialect::V1 => "Invalid prefix".to_owned(),
                Dialect::V2 => {
                    let version = if addr.is_ipv4() { 4 } else { 6 };
                    format!("Invalid IPv{version} prefix {addr}/{len}, maybe you wanted {}/{len}", prefix.addr())
                }
            };
            return Err(self
                .refusal(start, message, "bits behind the length are set")
                .help(format!("the network is `{}/{len}`", prefix.addr())));
        }
        Ok(prefix)
    }

    fn prefix_length(&mut self, addr: IpAddr) -> Parsed<u8> {
        self.at.expect(Op::Slash)?;
        let start = self.at.span();
        let len = self.number()?;
        let longest = if addr.is_ipv4() { 32 } else { 128 };
        match u8::try_from(len) {
            Ok(len) if len <= longest => Ok(len),
            _ => Err(self.refusal(start, format!("Invalid prefix length {len}"), format!("at most {longest}"))),
        }
    }

    /// `255.0.0.0` as a length.
    fn netmask(&mut self) -> Parsed<u8> {
        let start = self.at.span();
        let mask = self.address()?;
        let (ones, contiguous) = match mask {
            IpAddr::V4(m) => (m.to_bits().leading_ones(), m.to_bits().count_ones()),
            IpAddr::V6(m) => (m.to_bits().leading_ones(), m.to_bits().count_ones()),
        };
        if ones != contiguous {
            return Err(self.refusal(start, format!("Invalid netmask {mask}"), "its ones have gaps"));
        }
        Ok(ones as u8)
    }

    /// A router identifier: four numbers with dots, a number, or a constant.
    pub(crate) fn router_id(&mut self) -> Parsed<Ipv4Addr> {
        match self.at.peek() {
            Tok::Num(_) | Tok::Op(Op::ParenOpen) => Ok(Ipv4Addr::from_bits(self.number()?)),
            Tok::Ip4(id) => {
                self.at.bump();
                Ok(id)
            }
            Tok::Ip6(_) if self.at.family() == Some(route::Family::Ipv6) => Err(self
                .at
                .error("Router IDs must be entered as hexadecimal numbers or IPv4 addresses in IPv6 version")),
            Tok::Word if self.at_value() => self.constant("Number or IPv4 address constant expected", as_router_id),
            _ => Err(self.at.wanted("a router id such as `10.0.0.1`")),
        }
    }

    /// The name of a table.
    pub(crate) fn table(&mut self) -> Parsed<Arc<str>> {
        if !self.at.is_any_name() {
            return Err(self.at.wanted("the name of a table"));
        }
        let name = self.at.word().unwrap_or_default();
        let tables = self.config.tables.iter().map(|t| &t.name);
        let roas = self.config.authorities_of_2().map(|t| &t.name);
        if let Some(table) = tables.chain(roas).find(|table| ***table == *name) {
            let table = Arc::clone(table);
            self.at.bump();
            return Ok(table);
        }
        let mut wrong = self.at.error("Table name expected");
        wrong.label = Some(self.what_is(name, "is not defined"));
        let tables = self.config.tables.iter().map(|t| &*t.name);
        Err(match suggest::nearest(name, tables) {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None if self.dialect() == Dialect::V1 => {
                wrong.help(format!("`table {name};` at the top of the file makes one"))
            }
            None => wrong.help(format!("`ipv4 table {name};` at the top of the file makes one")),
        })
    }

    /// One of some words, each of which may be several.
    pub(crate) fn one_of<V: Copy>(&mut self, words: &'static [(&'static str, V)]) -> Parsed<V> {
        let fits = |parser: &Self, phrase: &str| {
            phrase.split(' ').enumerate().all(|(n, word)| parser.at.name_at(parser.at.ahead(n)) == word)
        };
        if let Some((phrase, value)) = words.iter().find(|(phrase, _)| fits(self, phrase)) {
            for _ in phrase.split(' ') {
                self.at.bump();
            }
            return Ok(*value);
        }
        let all: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let wrong = self.at.wanted(&format!("one of {}", all.join(", ")));
        let near = self.at.word().and_then(|met| suggest::nearest(met, words.iter().map(|(word, _)| *word)));
        Err(match near {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong,
        })
    }

    /// `{ word, word }`, at least one.
    pub(crate) fn braced_list<V: Copy>(&mut self, words: &'static [(&'static str, V)]) -> Parsed<Vec<V>> {
        self.at.expect(Op::BraceOpen)?;
        let mut values = vec![self.one_of(words)?];
        while self.at.eat(Op::Comma) {
            values.push(self.one_of(words)?);
        }
        self.at.expect(Op::BraceClose)?;
        // A list may be long; what it means is not.
        Ok(values)
    }

    /// `-"eth*" 10.0.0.0/8, "lo"`: patterns of links.
    pub(crate) fn iface_patterns(&mut self) -> Parsed<Vec<IfacePattern>> {
        let mut patterns = Vec::new();
        loop {
            let negative = self.at.eat(Op::Minus);
            let name = if self.at.peek() == Tok::Text { Some(self.text()?) } else { None };
            let ends = self.at.is(Op::Comma) || self.at.is(Op::Semicolon) || self.at.is(Op::BraceOpen);
            let prefix = match (&name, ends) {
                (Some(_), true) => None,
                (None, true) => return Err(self.at.wanted("a pattern of link names in quotes, or a prefix")),
                _ => Some(self.address_or_prefix()?),
            };
            patterns.push(IfacePattern { negative, name, prefix });
            if !self.at.eat(Op::Comma) {
                return Ok(patterns);
            }
        }
    }

    /// A prefix, or an address as its host route.
    fn address_or_prefix(&mut self) -> Parsed<Prefix> {
        let addr = self.address()?;
        if self.at.is(Op::Slash) || self.at.is(Op::Colon) { self.prefix_of(addr) } else { Ok(Prefix::host(addr)) }
    }

    /// A name that is not taken yet, which something is given here.
    pub(crate) fn new_name(&mut self) -> Parsed<(Arc<str>, Span)> {
        let (name, span) = self.at.name()?;
        self.symbols.check_new(name, span)?;
        Ok((name.into(), span))
    }

    /// Gives a name that is free a meaning which filters do not know; `word` is BIRD's in `show symbols`.
    pub(crate) fn define(&mut self, name: &str, span: Span, word: &'static str) -> Parsed<()> {
        self.define_kind(name, span, SymbolKind::Foreign(word))
    }

    /// Gives a name that is free its meaning.
    pub(crate) fn define_kind(&mut self, name: &str, span: Span, kind: SymbolKind) -> Parsed<()> {
        Arc::make_mut(&mut self.symbols).define(name, span, kind)
    }

    /// Whether the next token could be a name, reserved or not.
    pub(crate) fn is_reserved_word(&self) -> bool {
        self.at.word().is_some_and(|word| is_reserved(word, self.at.family()))
    }
}

fn as_number(value: &Value<'_>) -> Option<u32> {
    match value {
        Value::Int(n) => Some(*n),
        _ => None,
    }
}

fn as_switch(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(on) => Some(*on),
        Value::Int(n) => Some(*n != 0),
        _ => None,
    }
}

fn as_text(value: &Value<'_>) -> Option<Arc<str>> {
    match value {
        Value::Text(octets) => Some(String::from_utf8_lossy(octets).into()),
        _ => None,
    }
}

fn as_octets(value: &Value<'_>) -> Option<Arc<[u8]>> {
    match value {
        Value::Text(octets) | Value::Bytes(octets) => Some((**octets).into()),
        _ => None,
    }
}

fn as_address(value: &Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Ip(addr) => Some(*addr),
        _ => None,
    }
}

fn as_router_id(value: &Value<'_>) -> Option<Ipv4Addr> {
    match value {
        Value::Int(n) | Value::Quad(n) => Some(Ipv4Addr::from_bits(*n)),
        Value::Ip(IpAddr::V4(addr)) => Some(*addr),
        _ => None,
    }
}
