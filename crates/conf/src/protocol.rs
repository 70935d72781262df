//! `protocol KIND [NAME] [from TEMPLATE] { OPTIONS }`, and templates.

use crate::config::{
    AggregatorConf, BfdConf, BgpConf, BmpConf, ChannelConf, DeviceConf, Dialect, DirectConf, KernelConf, MrtConf,
    PipeConf, ProtocolConf, ProtocolKind, RpkiConf, StaticConf,
};
use crate::language::said;
use crate::option::{Row, find, words_known, words_known_of};
use crate::options::{bgp, common, with_own};
use crate::parser::{ERRORS_MAX, Parser};
use filter::suggest;
use filter::syntax::{Op, Parsed, Tok};
use filter::{Diagnostic, Policy, Span};
use route::Family;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A kind of protocol.
pub(crate) struct Kind {
    /// Its word behind `protocol`, and the beginning of automatic names.
    pub(crate) word: &'static str,
    /// What a protocol is before any option.
    pub(crate) blank: fn(Dialect) -> ProtocolKind,
    /// `preference` before any option.
    pub(crate) preference: u32,
}

impl Kind {
    /// Whether a dialect has it: cache servers, monitoring stations and aggregators are of BIRD 2 alone.
    fn is_in(&self, dialect: Dialect) -> bool {
        dialect == Dialect::V2 || !matches!(self.word, "rpki" | "bmp" | "aggregator")
    }
}

/// BIRD's words for what is declared here.
const PROTOCOL: &str = "protocol";
const TEMPLATE: &str = "protocol template";

/// The protocols that rbird has.
pub(crate) static KINDS: &[Kind] = &[
    Kind { word: "device", blank: |dialect| ProtocolKind::Device(DeviceConf::of(dialect)), preference: 240 },
    Kind { word: "direct", blank: |dialect| ProtocolKind::Direct(DirectConf::of(dialect)), preference: 240 },
    Kind { word: "kernel", blank: |dialect| ProtocolKind::Kernel(KernelConf::of(dialect)), preference: 10 },
    Kind { word: "static", blank: |dialect| ProtocolKind::Static(StaticConf::of(dialect)), preference: 200 },
    Kind { word: "pipe", blank: |_| ProtocolKind::Pipe(PipeConf::default()), preference: 70 },
    Kind { word: "bgp", blank: |dialect| ProtocolKind::Bgp(Box::new(BgpConf::of(dialect))), preference: 100 },
    Kind { word: "mrt", blank: |_| ProtocolKind::Mrt(MrtConf::default()), preference: 0 },
    Kind { word: "bmp", blank: |_| ProtocolKind::Bmp(BmpConf::default()), preference: 0 },
    Kind { word: "bfd", blank: |_| ProtocolKind::Bfd(BfdConf::default()), preference: 0 },
    Kind { word: "aggregator", blank: |_| ProtocolKind::Aggregator(AggregatorConf::default()), preference: 1 },
    Kind { word: "rpki", blank: |_| ProtocolKind::Rpki(RpkiConf::default()), preference: 100 },
];

/// The protocols that BIRD has and rbird has not, each with why.
pub(crate) static ABSENT: &[(&str, &str)] = &[
    ("rip", NEVER),
    ("ospf", NEVER),
    ("babel", NEVER),
    ("radv", NEVER),
    ("l3vpn", NEVER),
    ("perf", NEVER),
    ("bridge", NEVER),
    ("evpn", NEVER),
    ("snmp", NEVER),
];
const NEVER: &str = "rbird speaks BGP; run another daemon beside it for this protocol";

/// A protocol or template being read.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Its word behind `protocol`.
    pub(crate) kind: &'static str,
    /// What was read so far, without channels.
    pub(crate) conf: ProtocolConf,
    /// Its attachment to a table where the options of that stand in the protocol: in 1.6, and in pipes.
    pub(crate) channel: ChannelConf,
    /// Its channels, in order of family (2).
    pub(crate) channels: Vec<DraftChannel>,
    /// Which options were given, and where last.
    pub(crate) given: Given,
}

/// The options that were given, and where last.
pub(crate) type Given = BTreeMap<&'static [&'static str], Span>;

/// A channel being read.
#[derive(Clone, Debug)]
pub(crate) struct DraftChannel {
    /// What was read so far.
    pub(crate) conf: ChannelConf,
    /// Where it was opened first.
    pub(crate) span: Span,
    /// It came from the template, and was not opened here.
    pub(crate) inherited: bool,
    /// Which options were given, and where last.
    pub(crate) given: Given,
}

impl Draft {
    /// Whether its braces open channels.
    fn opens_channels(&self, dialect: Dialect) -> bool {
        dialect == Dialect::V2 && !self.holds_channel(dialect) && !matches!(self.conf.kind, ProtocolKind::Bmp(_))
    }

    /// Whether the options of its one attachment to a table stand among its own.
    pub(crate) fn holds_channel(&self, dialect: Dialect) -> bool {
        dialect == Dialect::V1
            || matches!(self.conf.kind, ProtocolKind::Pipe(_) | ProtocolKind::Mrt(_) | ProtocolKind::Aggregator(_))
    }

    /// What to say of words that only the other dialect has here.
    fn is_of_other_dialect(&self, words: &[&str], dialect: Dialect) -> Option<&'static str> {
        let other = match dialect {
            Dialect::V1 => Dialect::V2,
            Dialect::V2 => Dialect::V1,
        };
        let opens = words.first().is_some_and(|word| CHANNELS_OF_2.contains(word));
        if opens && self.opens_channels(other) {
            return Some("a channel, as in BIRD 2; in BIRD 1.6 its options stand in the protocol");
        }
        let of_bgp = self.channel.bgp.is_some() && find(bgp::CHANNEL, words, other).is_some();
        let in_channel = find(common::CHANNEL, words, other).is_some() || of_bgp;
        if in_channel && self.holds_channel(other) {
            return Some(
                "an option of the protocol in BIRD 1.6; in BIRD 2 it stands in a channel, as in `ipv4 { ... };`",
            );
        }
        let own = with_own!(&self.conf.kind, rows, _own => find(rows, words, other).is_some());
        own.then_some(match other {
            Dialect::V1 => "an option that BIRD 1.6 has, and BIRD 2 has not",
            Dialect::V2 => "an option that BIRD 2 has, and BIRD 1.6 has not",
        })
    }
}

/// How the options of a dialect are spelt.
fn spelt<T>(rows: &[Row<T>], dialect: Dialect) -> Vec<String> {
    rows.iter().filter(|row| row.is_in(dialect)).map(|row| row.words.join(" ")).collect()
}

impl<'a> Parser<'a> {
    /// Whether a protocol's name comes next, not `from`: a word of the language is one when the protocol follows.
    fn at_protocol_name(&self) -> bool {
        let behind = self.at.ahead(1);
        let follows = behind.tok == Tok::Op(Op::BraceOpen) || self.at.name_at(behind) == "from";
        self.at.is_name() || self.at.is_any_name() && !self.at.is_word("from") && follows
    }

    /// Behind `protocol` or `template`.
    pub(crate) fn protocol_statement(&mut self, is_template: bool) -> Parsed<()> {
        let kind = self.kind()?;
        let kind_span = self.at.last_span();
        if kind.word == "device" && !is_template {
            self.only_one_device(kind_span)?;
        }
        let name = if self.at_protocol_name() { Some(self.new_name()?) } else { None };
        let mut draft = match self.at.eat_word("from") {
            true => self.copy_of(kind)?,
            false => self.blank(kind),
        };
        if !self.at.is(Op::BraceOpen) {
            let what = if name.is_some() { "`from` or `{`" } else { "a name or `{`" };
            let help = self
                .at
                .word()
                .filter(|_| self.is_reserved_word())
                .map(|word| format!("`{word}` is a word of the language and can not be a name"));
            let wrong = self.at.wanted(what);
            return Err(match help {
                Some(help) => wrong.help(help),
                None => wrong,
            });
        }
        let (name, span) = match name {
            Some(given) => given,
            None => (self.automatic_name(kind), kind_span),
        };
        draft.conf.name = name.clone();
        draft.conf.span = span;
        self.define(&name, span, if is_template { TEMPLATE } else { PROTOCOL })?;
        let errors = self.errors.len();
        let close = self.block(&mut draft)?;
        self.templates.insert(name, draft.clone());
        if !is_template {
            self.finish(draft, close, self.errors.len() > errors);
        }
        Ok(())
    }

    /// BIRD takes one device protocol.
    fn only_one_device(&self, span: Span) -> Parsed<()> {
        let is_device = |p: &&ProtocolConf| matches!(p.kind, ProtocolKind::Device(_));
        match self.config.protocols.iter().find(is_device) {
            Some(first) => {
                let wrong = Diagnostic::error(span, "Kernel device protocol already defined");
                Err(wrong.note(first.span, format!("{} is defined here", first.name)))
            }
            None => Ok(()),
        }
    }

    fn kind(&mut self) -> Parsed<&'static Kind> {
        let word = self.at.word().unwrap_or_default();
        let dialect = self.dialect();
        let kinds = || KINDS.iter().filter(|kind| kind.is_in(dialect));
        if let Some(kind) = kinds().find(|kind| kind.word == word) {
            self.at.bump();
            return Ok(kind);
        }
        if let Some((name, why)) = ABSENT.iter().find(|(name, _)| *name == word) {
            let mut wrong = Diagnostic::error(self.at.span(), format!("rbird has no protocol {name}"));
            wrong.label = Some((*why).to_owned());
            return Err(wrong);
        }
        let wrong = self.at.wanted("a kind of protocol");
        let words = || kinds().map(|kind| kind.word);
        Err(match suggest::nearest(word, words()) {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong.help(format!("rbird has {}", words().collect::<Vec<_>>().join(", "))),
        })
    }

    fn blank(&self, kind: &Kind) -> Draft {
        let debug = self.config.debug_protocols;
        let conf = ProtocolConf::new((kind.blank)(self.dialect()), debug, self.config.mrtdump_protocols);
        let family = self.config.family;
        let mut channel = self.blank_channel(&conf, family, kind.preference);
        // BIRD 2 has pipes let all through, both ways.
        if self.dialect() == Dialect::V2 && matches!(conf.kind, ProtocolKind::Pipe(_)) {
            channel.export = Policy::Accept;
        }
        Draft { kind: kind.word, conf, channel, channels: Vec::new(), given: Given::new() }
    }

    pub(crate) fn blank_channel(&self, of: &ProtocolConf, family: Family, preference: u32) -> ChannelConf {
        let mut channel = ChannelConf::new(family, self.config.default_table_of(family), preference);
        channel.debug = self.config.debug_channels;
        channel.bgp = matches!(of.kind, ProtocolKind::Bgp(_)).then(Box::default);
        channel
    }

    /// The template or protocol behind `from`.
    fn copy_of(&mut self, kind: &Kind) -> Parsed<Draft> {
        let name = self.at.word().unwrap_or_default();
        if !self.at.is_any_name() {
            return Err(self.at.wanted("the name of a template or protocol"));
        }
        let Some(mut draft) = self.templates.get(name).cloned() else {
            let mut wrong = self.at.error("Template or protocol name expected");
            wrong.label = Some(self.what_is(name, "is not defined before this line"));
            return Err(match suggest::nearest(name, self.templates.keys().map(|name| &**name)) {
                Some(near) => wrong.help(format!("did you mean `{near}`?")),
                None => wrong,
            });
        };
        if draft.kind != kind.word {
            let mut wrong = self.at.error("Can't copy configuration from a different protocol type");
            wrong.label = Some(format!("`{name}` is of type {}, not {}", draft.kind, kind.word));
            return Err(wrong);
        }
        self.at.bump();
        draft.channels.iter_mut().for_each(|channel| channel.inherited = true);
        Ok(draft)
    }

    /// `bgp1`, `bgp2`, ...: the first that is free.
    fn automatic_name(&mut self, kind: &Kind) -> Arc<str> {
        let count = self.automatic.entry(kind.word).or_insert(0);
        loop {
            *count += 1;
            let name = format!("{}{count}", kind.word);
            if self.symbols.get(&name).is_none() {
                return name.into();
            }
        }
    }

    /// `{ OPTIONS }`; the place of the closing brace.
    fn block(&mut self, draft: &mut Draft) -> Parsed<Span> {
        let open = self.at.expect(Op::BraceOpen)?;
        loop {
            if self.at.is(Op::BraceClose) {
                return Ok(self.at.bump().span);
            }
            if self.at.eat(Op::Semicolon) {
                continue;
            }
            if self.errors.len() >= ERRORS_MAX {
                return Err(said());
            }
            let begins_another = self.at.token().first_on_line && self.begins_statement();
            if self.at.at_end() || begins_another {
                let wrong = self.at.wanted("`}`");
                return Err(wrong.note(open, format!("this `{{` of {} {} is not closed", draft.kind, draft.conf.name)));
            }
            if let Err(wrong) = self.option(draft) {
                self.recover(wrong);
            }
        }
    }

    /// Whether a statement begins here that can not stand in a block.
    fn begins_statement(&self) -> bool {
        ["protocol", "template", "function", "define", "log", "timeformat"].iter().any(|word| self.at.is_word(word))
    }

    /// Keeps an error and goes to where the next statement begins.
    pub(crate) fn recover(&mut self, wrong: Diagnostic) {
        // A statement without its `;`: what was met is the next statement.
        let missing_end = wrong.span == self.at.span() && self.at.token().first_on_line && !wrong.notes.is_empty();
        self.fail(wrong);
        if !missing_end {
            self.at.skip_statement();
        }
    }

    /// One option with its `;`.
    fn option(&mut self, draft: &mut Draft) -> Parsed<()> {
        let start = self.at.span();
        let words = self.words_ahead();
        let words = words.as_slice();
        let dialect = self.dialect();
        if draft.opens_channels(dialect) && words.first().is_some_and(|word| CHANNELS_OF_2.contains(word)) {
            self.channel(draft)?;
            return self.end_of_statement();
        }
        let common = find(common::PROTOCOL, words, dialect);
        let channel = find(common::CHANNEL, words, dialect)
            .filter(|row| draft.holds_channel(dialect) && (row.words != common::IMPORT_IN || draft.kind == "pipe"));
        let is_bgp = draft.channel.bgp.is_some() && draft.holds_channel(dialect);
        let of_bgp = find(bgp::CHANNEL, words, dialect).filter(|_| is_bgp);
        let length = |n: Option<usize>| n.unwrap_or(0);
        let common_words = length(common.map(|r| r.words.len()));
        let channel_words = length(channel.map(|r| r.words.len()));
        let others = common_words.max(channel_words);
        with_own!(&mut draft.conf.kind, rows, own => {
            let longest = others.max(length(of_bgp.map(|r| r.words.len())));
            if let Some(row) = find(rows, words, dialect).filter(|r| r.words.len() >= longest) {
                self.skip(row.words.len());
                draft.given.insert(row.words, start);
                row.parse(self, own)?;
                self.deprecated(draft.conf.name.clone(), row.deprecated, start);
                return self.end_of_statement();
            }
        });
        if let (Some(row), Some(own)) = (of_bgp.filter(|r| r.words.len() >= others), &mut draft.channel.bgp) {
            self.skip(row.words.len());
            draft.given.insert(row.words, start);
            row.parse(self, own)?;
        } else if draft.kind == "bgp" && dialect == Dialect::V1 && words.starts_with(bgp::ROUTE_LIMIT) {
            self.skip(bgp::ROUTE_LIMIT.len());
            draft.channel.import_limit = bgp::route_limit(self)?;
            self.deprecated(draft.conf.name.clone(), Some(bgp::ROUTE_LIMIT_WARNING), start);
        } else if let Some(row) = channel.filter(|_| channel_words > common_words) {
            self.skip(row.words.len());
            draft.given.insert(row.words, start);
            row.parse(self, &mut draft.channel)?;
        } else if let Some(row) = common {
            self.skip(row.words.len());
            draft.given.insert(row.words, start);
            row.parse(self, &mut draft.conf)?;
        } else {
            return Err(self.unknown_option(draft, words));
        }
        self.end_of_statement()
    }

    /// The words that may name an option: up to the first token that is none.
    pub(crate) fn words_ahead(&self) -> Vec<&'a str> {
        /// No option has more words.
        const WORDS_MAX: usize = 5;
        let word = |n| Some(self.at.name_at(self.at.ahead(n))).filter(|word| !word.is_empty());
        (0..WORDS_MAX).map_while(word).collect()
    }

    pub(crate) fn skip(&mut self, tokens: usize) {
        for _ in 0..tokens {
            self.at.bump();
        }
    }

    pub(crate) fn deprecated(&mut self, name: Arc<str>, warning: Option<&'static str>, start: Span) {
        if let Some(warning) = warning {
            self.warn(start, format!("{name}: {warning}"));
        }
    }

    /// `syntax error` at the first word that fits no option, with the nearest that there is.
    fn unknown_option(&mut self, draft: &Draft, words: &[&str]) -> Diagnostic {
        let dialect = self.dialect();
        let own = with_own!(&draft.conf.kind, rows, _own => words_known(rows, words, dialect));
        let is_old = draft.kind == "bgp" && dialect == Dialect::V1;
        let old = words_known_of([bgp::ROUTE_LIMIT].into_iter().filter(|_| is_old), words);
        let mut known = own.max(old).max(words_known(common::PROTOCOL, words, dialect));
        if draft.holds_channel(dialect) {
            known = known.max(words_known(common::CHANNEL, words, dialect));
        }
        if draft.channel.bgp.is_some() && dialect == Dialect::V1 {
            known = known.max(words_known(bgp::CHANNEL, words, dialect));
        }
        let typed = self.typed();
        let kind = draft.kind;
        let elsewhere = draft.is_of_other_dialect(words, dialect);
        self.skip(known);
        let mut wrong = self.at.unexpected();
        if wrong.message.starts_with("syntax error") && self.at.word().is_some() {
            wrong.label = Some(match elsewhere {
                Some(place) => place.to_owned(),
                None => format!("no option of protocol {kind} is spelt like this"),
            });
        }
        if elsewhere.is_some() {
            return wrong;
        }
        let mut all: Vec<String> = with_own!(&draft.conf.kind, rows, _own => spelt(rows, dialect));
        all.extend(spelt(common::PROTOCOL, dialect));
        if draft.holds_channel(dialect) {
            all.extend(spelt(common::CHANNEL, dialect));
        }
        if draft.channel.bgp.is_some() && dialect == Dialect::V1 {
            all.extend(spelt(bgp::CHANNEL, dialect));
        }
        let near = typed.iter().rev().find_map(|typed| suggest::nearest(typed, all.iter().map(String::as_str)));
        match near {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong,
        }
    }

    /// The beginning of the statement as typed: its first word, the first two, ...
    pub(crate) fn typed(&self) -> Vec<String> {
        let mut typed = Vec::new();
        let mut text = String::new();
        for n in 0..4 {
            let word = self.at.name_at(self.at.ahead(n));
            if word.is_empty() {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(word);
            typed.push(text.clone());
        }
        typed
    }
}

/// Words that open a channel in dialect 2.
pub(crate) static CHANNELS_OF_2: &[&str] =
    &["ipv4", "ipv6", "vpn4", "vpn6", "flow4", "flow6", "roa4", "roa6", "aspa", "mpls", "ipv6-sadr"];
