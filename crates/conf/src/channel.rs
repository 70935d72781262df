//! `ipv4 { OPTIONS };` in a protocol of dialect 2: its attachment to one table.
//!
//! A channel that was opened before, in the template, is opened again: what it
//! has stays, what stands here comes over it.

use crate::config::{Authorises, Carries, ChannelConf, Dialect, ProtocolKind};
use crate::language::said;
use crate::option::{find, words_known};
use crate::options::{bgp, common};
use crate::parser::{ERRORS_MAX, Parser};
use crate::protocol::{Draft, DraftChannel, Given, KINDS};
use filter::suggest;
use filter::syntax::{Op, Parsed};
use filter::{Diagnostic, Span};
use route::Family;
use std::sync::Arc;

/// Families that rbird has not, by the word of their channels and tables, each with why.
static ABSENT: &[(&str, &str)] = &[
    ("vpn4", "rbird has no L3VPN"),
    ("vpn6", "rbird has no L3VPN"),
    ("flow4", "rbird has no flowspec"),
    ("flow6", "rbird has no flowspec"),
    ("mpls", "rbird has no MPLS"),
    ("ipv6-sadr", "rbird has no routes by source address"),
    ("eth", "rbird has no EVPN"),
    ("evpn", "rbird has no EVPN"),
    ("neighbor", "rbird has no tables of neighbours, which serve EVPN"),
];

/// Whether a word is that of a family, be it one that rbird has not.
pub(crate) fn is_family(word: &str) -> bool {
    ABSENT.iter().any(|(name, _)| *name == word) || FAMILIES.iter().any(|(name, ..)| *name == word)
}

/// What a word says of a channel: its family, and what it carries.
static FAMILIES: &[(&str, Family, Carries)] = &[
    ("ipv4", Family::Ipv4, Carries::Routes),
    ("ipv6", Family::Ipv6, Carries::Routes),
    ("roa4", Family::Ipv4, Carries::Origins),
    ("roa6", Family::Ipv6, Carries::Origins),
    ("aspa", Family::Ipv4, Carries::Providers),
];

/// The word of a channel in a configuration.
pub(crate) fn word(family: Family, carries: Carries) -> &'static str {
    FAMILIES.iter().find(|row| (row.1, row.2) == (family, carries)).map_or("", |row| row.0)
}

impl Parser<'_> {
    /// The family that is named here, and what is carried.
    pub(crate) fn family_word(&mut self) -> Parsed<(Family, Carries)> {
        let word = self.at.word().unwrap_or_default();
        let start = self.at.span();
        if let Some((_, why)) = ABSENT.iter().find(|(name, _)| *name == word) {
            return Err(self.not_done(start, word, why));
        }
        let Some((_, family, carries)) = FAMILIES.iter().find(|(name, ..)| *name == word) else {
            return Err(self.at.unexpected());
        };
        self.at.bump();
        let further = match self.at.word() {
            Some("sadr") => "rbird has no routes by source address",
            Some("multicast") => "rbird has no multicast routes",
            Some("mpls") => "rbird has no MPLS",
            _ => return Ok((*family, *carries)),
        };
        let what = format!("{word} {}", self.at.word().unwrap_or_default());
        self.at.bump();
        Err(self.not_done(self.at.since(start), &what, further))
    }

    /// A channel, up to before the `;`.
    pub(crate) fn channel(&mut self, draft: &mut Draft) -> Parsed<()> {
        let start = self.at.span();
        let (family, carries) = self.family_word()?;
        self.may_have(draft, (family, carries), start)?;
        let preference = KINDS.iter().find(|k| k.word == draft.kind).map_or(0, |k| k.preference);
        let is_it = |c: &&mut DraftChannel| (c.conf.family, c.conf.carries) == (family, carries);
        let word = channel_word(family, carries);
        let found = draft.channels.iter_mut().find(is_it);
        if let Some(first) = found.as_ref().filter(|c| !c.inherited) {
            let wrong = self.refusal(start, format!("Multiple {word} channels"), "its options stand in one block");
            return Err(wrong.note(first.span, "this one"));
        }
        if let Some(channel) = found {
            (channel.inherited, channel.span) = (false, start);
        } else {
            let conf = match carries {
                Carries::Routes => self.blank_channel(&draft.conf, family, preference),
                _ => self.blank_authorities(family, carries, preference),
            };
            draft.channels.push(DraftChannel { conf, span: start, inherited: false, given: Given::new() });
        }
        let name: Arc<str> = format!("{}.{word}", draft.conf.name).into();
        let Some(channel) = draft.channels.iter_mut().find(is_it) else { return Ok(()) };
        match self.at.is(Op::BraceOpen) {
            true => self.channel_block(&name, channel),
            false => {
                let (conf, given) = (channel.conf.clone(), channel.given.clone());
                self.its_table(&conf, &given)
            }
        }
    }

    /// Whether this kind of protocol has such a channel, and may have one more.
    fn may_have(&self, draft: &Draft, (family, carries): (Family, Carries), start: Span) -> Parsed<()> {
        // How many, and of which of both sorts.
        let (most, routes, roas) = match draft.conf.kind {
            ProtocolKind::Bgp(_) | ProtocolKind::Direct(_) => (2, true, false),
            ProtocolKind::Kernel(_) => (1, true, false),
            ProtocolKind::Static(_) => (1, true, true),
            ProtocolKind::Rpki(_) => (3, false, true),
            _ => (0, true, true),
        };
        if if carries == Carries::Routes { !routes } else { !roas } {
            let label = format!("protocol {} has none of this sort", draft.kind);
            return Err(self.refusal(start, "Unsupported channel type", label));
        }
        let others = draft.channels.iter().filter(|c| (c.conf.family, c.conf.carries) != (family, carries));
        let first = others.clone().next().map(|c| c.span);
        if others.count() < most {
            return Ok(());
        }
        let wrong = match most {
            0 => self.refusal(start, "syntax error", format!("protocol {} has no channels", draft.kind)),
            _ => self.refusal(start, "Different channel type", "one protocol has one family: write another"),
        };
        Err(match first {
            Some(first) => wrong.note(first, "this one"),
            None => wrong,
        })
    }

    fn channel_block(&mut self, name: &Arc<str>, channel: &mut DraftChannel) -> Parsed<()> {
        let open = self.at.expect(Op::BraceOpen)?;
        loop {
            if self.at.eat(Op::BraceClose) {
                return self.its_table(&channel.conf, &channel.given);
            }
            if self.at.eat(Op::Semicolon) {
                continue;
            }
            if self.errors.len() >= ERRORS_MAX {
                return Err(said());
            }
            if self.at.at_end() {
                let wrong = self.at.wanted("`}`");
                return Err(wrong.note(open, format!("this `{{` of channel {name} is not closed")));
            }
            if let Err(wrong) = self.channel_option(name, channel) {
                self.recover(wrong);
            }
        }
    }

    fn channel_option(&mut self, name: &Arc<str>, channel: &mut DraftChannel) -> Parsed<()> {
        let start = self.at.span();
        let words = self.words_ahead();
        let dialect = Dialect::V2;
        let common = find(common::CHANNEL, &words, dialect).filter(|row| row.words != common::IMPORT_IN);
        let own = find(bgp::CHANNEL, &words, dialect);
        let longest = common.map_or(0, |row| row.words.len());
        if let (Some(row), Some(conf)) = (own.filter(|row| row.words.len() >= longest), &mut channel.conf.bgp) {
            self.skip(row.words.len());
            channel.given.insert(row.words, start);
            row.parse(self, conf)?;
            self.deprecated(Arc::clone(name), row.deprecated, start);
        } else if let Some(row) = common {
            self.skip(row.words.len());
            channel.given.insert(row.words, start);
            if row.words == common::EXPORT_IN {
                channel.given.insert(&["export"], start);
            }
            row.parse(self, &mut channel.conf)?;
        } else {
            return Err(self.unknown_channel_option(name, channel, &words));
        }
        self.end_of_statement()
    }

    fn unknown_channel_option(&mut self, name: &str, channel: &DraftChannel, words: &[&str]) -> Diagnostic {
        let is_bgp = channel.conf.bgp.is_some();
        let own = if is_bgp { words_known(bgp::CHANNEL, words, Dialect::V2) } else { 0 };
        let known = own.max(words_known(common::CHANNEL, words, Dialect::V2));
        let typed = self.typed();
        self.skip(known);
        let mut wrong = self.at.unexpected();
        if wrong.message.starts_with("syntax error") && self.at.word().is_some() {
            wrong.label = Some(format!("no option of channel {name} is spelt like this"));
        }
        let of_bgp = bgp::CHANNEL.iter().filter(|row| is_bgp && row.is_in(Dialect::V2)).map(|row| row.words);
        let common = common::CHANNEL.iter().filter(|row| row.is_in(Dialect::V2)).map(|row| row.words);
        let all: Vec<String> = of_bgp.chain(common).map(|words| words.join(" ")).collect();
        match typed.iter().rev().find_map(|typed| suggest::nearest(typed, all.iter().map(String::as_str))) {
            Some(near) => wrong.help(format!("did you mean `{near}`?")),
            None => wrong,
        }
    }

    /// A channel to a ROA or ASPA table; no table is its own, unless one was declared.
    fn blank_authorities(&self, family: Family, carries: Carries, preference: u32) -> ChannelConf {
        let of = if carries == Carries::Origins { Authorises::Origins(family) } else { Authorises::Providers };
        let table = self.config.default_authorities(of).unwrap_or_default();
        let mut channel = ChannelConf::new(family, table, preference);
        channel.carries = carries;
        channel.debug = self.config.debug_channels;
        channel
    }

    /// The table of a channel is of its family and sort.
    fn its_table(&mut self, channel: &ChannelConf, given: &Given) -> Parsed<()> {
        let at = given.get(["table"].as_slice()).copied().unwrap_or(self.at.last_span());
        let tables = self.config.tables.iter().map(|t| (&t.name, (t.family, Carries::Routes)));
        let roas = self.config.roa_tables.iter().filter_map(|t| Some((&t.name, t.of.channel()?)));
        let of = tables.chain(roas).find(|(name, ..)| **name == channel.table);
        let word = channel_word(channel.family, channel.carries);
        if of.is_none() && channel.carries != Carries::Routes {
            let wrong = Diagnostic::error(at, "Routing table not specified");
            return Err(wrong.help(format!("`{word} table NAME;` at the top of the file makes one")));
        }
        if of.is_none_or(|(_, sort)| sort == (channel.family, channel.carries)) {
            return Ok(());
        }
        let mut wrong = Diagnostic::error(at, "Incompatible table type");
        wrong.label = Some(format!("{} is no table of {word}", channel.table));
        Err(wrong)
    }
}

/// The word of a channel.
pub fn channel_word(family: Family, carries: Carries) -> &'static str {
    FAMILIES.iter().find(|(_, f, c)| (*f, *c) == (family, carries)).map_or("aspa", |(word, ..)| *word)
}
