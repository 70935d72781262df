//! `protocol KIND [NAME] [from TEMPLATE] { OPTIONS }`, and templates.

use crate::config::{
    BfdConf, ChannelConf, DeviceConf, DirectConf, KernelConf, MrtConf, PipeConf, ProtocolConf, ProtocolKind, StaticConf,
};
use crate::language::said;
use crate::option::{find, words_known, words_known_of};
use crate::options::{bgp, common, with_own};
use crate::parser::{ERRORS_MAX, Parser};
use crate::suggest;
use filter::syntax::{Op, Parsed};
use filter::{Diagnostic, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A kind of protocol.
pub(crate) struct Kind {
    /// Its word behind `protocol`, and the beginning of automatic names.
    pub(crate) word: &'static str,
    /// What a protocol is before any option.
    pub(crate) blank: fn() -> ProtocolKind,
    /// `preference` before any option.
    pub(crate) preference: u32,
}

/// BIRD's words for what is declared here.
const PROTOCOL: &str = "protocol";
const TEMPLATE: &str = "protocol template";

/// The protocols that rbird has.
pub(crate) static KINDS: &[Kind] = &[
    Kind { word: "device", blank: || ProtocolKind::Device(DeviceConf::default()), preference: 240 },
    Kind { word: "direct", blank: || ProtocolKind::Direct(DirectConf::default()), preference: 240 },
    Kind { word: "kernel", blank: || ProtocolKind::Kernel(KernelConf::default()), preference: 10 },
    Kind { word: "static", blank: || ProtocolKind::Static(StaticConf::default()), preference: 200 },
    Kind { word: "pipe", blank: || ProtocolKind::Pipe(PipeConf::default()), preference: 70 },
    Kind { word: "bgp", blank: || ProtocolKind::Bgp(Box::default()), preference: 100 },
    Kind { word: "mrt", blank: || ProtocolKind::Mrt(MrtConf::default()), preference: 0 },
    Kind { word: "bfd", blank: || ProtocolKind::Bfd(BfdConf::default()), preference: 0 },
];

/// The protocols that BIRD has and rbird has not, each with why.
pub(crate) static ABSENT: &[(&str, &str)] = &[
    ("rpki", LATER),
    ("rip", NEVER),
    ("ospf", NEVER),
    ("babel", NEVER),
    ("radv", NEVER),
    ("l3vpn", NEVER),
    ("perf", NEVER),
    ("aggregator", NEVER),
    ("bmp", LATER),
];
const LATER: &str = "it is a later issue of rbird";
const NEVER: &str = "rbird speaks BGP; run another daemon beside it for this protocol";

/// A protocol or template being read.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    /// Its word behind `protocol`.
    pub(crate) kind: &'static str,
    /// What was read so far; exactly one channel.
    pub(crate) conf: ProtocolConf,
    /// Its attachment to a table.
    pub(crate) channel: ChannelConf,
    /// Which options were given, and where last.
    pub(crate) given: BTreeMap<&'static [&'static str], Span>,
}

impl<'a> Parser<'a> {
    /// Behind `protocol` or `template`.
    pub(crate) fn protocol_statement(&mut self, is_template: bool) -> Parsed<()> {
        let kind = self.kind()?;
        let kind_span = self.at.last_span();
        if kind.word == "device" && !is_template {
            self.only_one_device(kind_span)?;
        }
        let name = if self.at.is_name() { Some(self.new_name()?) } else { None };
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
        if let Some(kind) = KINDS.iter().find(|kind| kind.word == word) {
            self.at.bump();
            return Ok(kind);
        }
        if let Some((name, why)) = ABSENT.iter().find(|(name, _)| *name == word) {
            let mut wrong = Diagnostic::error(self.at.span(), format!("rbird has no protocol {name}"));
            wrong.label = Some((*why).to_owned());
            return Err(wrong);
        }
        let wrong = self.at.wanted("a kind of protocol");
        let words = || KINDS.iter().map(|kind| kind.word);
        Err(match suggest::nearest(word, words()) {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong.help(format!("rbird has {}", words().collect::<Vec<_>>().join(", "))),
        })
    }

    fn blank(&self, kind: &Kind) -> Draft {
        let debug = self.config.debug_protocols;
        let conf = ProtocolConf::new((kind.blank)(), debug, self.config.mrtdump_protocols);
        let channel = ChannelConf::new(self.config.family, self.config.default_table(), kind.preference);
        Draft { kind: kind.word, conf, channel, given: BTreeMap::new() }
    }

    /// The template or protocol behind `from`.
    fn copy_of(&mut self, kind: &Kind) -> Parsed<Draft> {
        let name = self.at.word().unwrap_or_default();
        if !self.at.is_name() {
            return Err(self.at.wanted("the name of a template or protocol"));
        }
        let Some(draft) = self.templates.get(name).cloned() else {
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
        let common = find(common::PROTOCOL, words);
        let channel = find(common::CHANNEL, words);
        let lengths = (common.map_or(0, |r| r.words.len()), channel.map_or(0, |r| r.words.len()));
        with_own!(&mut draft.conf.kind, rows, own => {
            if let Some(row) = find(rows, words).filter(|r| r.words.len() >= lengths.0.max(lengths.1)) {
                self.skip(row.words.len());
                draft.given.insert(row.words, start);
                row.parse(self, own)?;
                self.deprecated(draft.conf.name.clone(), row.deprecated, start);
                return self.end_of_statement();
            }
        });
        if draft.kind == "bgp" && words.starts_with(bgp::ROUTE_LIMIT) {
            self.skip(bgp::ROUTE_LIMIT.len());
            draft.channel.import_limit = bgp::route_limit(self)?;
            self.deprecated(draft.conf.name.clone(), Some(bgp::ROUTE_LIMIT_WARNING), start);
        } else if let Some(row) = channel.filter(|_| lengths.1 >= lengths.0) {
            self.skip(row.words.len());
            draft.given.insert(row.words, start);
            self.dialects.v1.get_or_insert(start);
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

    fn deprecated(&mut self, name: Arc<str>, warning: Option<&'static str>, start: Span) {
        if let Some(warning) = warning {
            self.warn(start, format!("{name}: {warning}"));
        }
    }

    /// `syntax error` at the first word that fits no option, with the nearest that there is.
    fn unknown_option(&mut self, draft: &Draft, words: &[&str]) -> Diagnostic {
        let own = with_own!(&draft.conf.kind, rows, _own => words_known(rows, words));
        let old = words_known_of([bgp::ROUTE_LIMIT].into_iter().filter(|_| draft.kind == "bgp"), words);
        let known = own.max(old).max(words_known(common::PROTOCOL, words)).max(words_known(common::CHANNEL, words));
        let typed = self.typed();
        let kind = draft.kind;
        if known == 0 && words.first().is_some_and(|word| CHANNELS_OF_2.contains(word)) {
            return self.channel_of_2();
        }
        self.skip(known);
        let mut wrong = self.at.unexpected();
        if wrong.message == "syntax error" && self.at.word().is_some() {
            wrong.label = Some(format!("no option of protocol {kind} is spelt like this"));
        }
        let own: Vec<String> =
            with_own!(&draft.conf.kind, rows, _own => rows.iter().map(|r| r.words.join(" ")).collect());
        let common = common::PROTOCOL.iter().map(|r| r.words.join(" "));
        let channel = common::CHANNEL.iter().map(|r| r.words.join(" "));
        let all: Vec<String> = own.into_iter().chain(common).chain(channel).collect();
        let near = typed.iter().rev().find_map(|typed| suggest::nearest(typed, all.iter().map(String::as_str)));
        match near {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong,
        }
    }

    /// A channel of dialect 2 where this dialect has options.
    fn channel_of_2(&mut self) -> Diagnostic {
        self.dialects.v2.get_or_insert(self.at.span());
        let mut wrong = self.at.unexpected();
        wrong.label = Some("a channel, as in BIRD 2; in BIRD 1.6 its options stand in the protocol".to_owned());
        wrong
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
    &["ipv4", "ipv6", "vpn4", "vpn6", "flow4", "flow6", "roa4", "roa6", "mpls", "ipv6-sadr"];
