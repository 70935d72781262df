//! Options that every protocol has, and those of its attachment to a table.
//!
//! In dialect 1.6 both stand in the protocol; in 2 the second table is that of a channel.

use crate::config::{Carries, ChannelConf, DebugMask, Dialect, Limit, LimitAction, MrtMask, ProtocolConf};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::Policy;
use filter::syntax::{Op, Parsed};
use route::Vrf;

/// Options of the protocol itself.
pub(crate) static PROTOCOL: &[Row<ProtocolConf>] = &[
    Row::new(&["disabled"], Slot::Switch(field!(disabled)), Effect::Restart),
    Row::new(&["description"], Slot::Text(field!(description)), Effect::None),
    Row::new(&["router", "id"], Slot::RouterId(field!(router_id)), Effect::Restart),
    Row::new(
        &["debug"],
        Slot::Own(Own {
            grammar: "all|off|{ states, routes, filters, interfaces, events, packets }",
            parse: |parser, conf| {
                conf.debug = parser.debug_mask()?;
                Ok(())
            },
            show: |conf| debug_words(conf.debug),
            same: |a, b| a.debug == b.debug,
        }),
        Effect::None,
    ),
    Row::new(
        &["mrtdump"],
        Slot::Own(Own {
            grammar: "all|off|{ states, messages }",
            parse: |parser, conf| {
                conf.mrtdump = parser.mrt_mask()?;
                Ok(())
            },
            show: |conf| mrt_words(conf.mrtdump),
            same: |a, b| a.mrtdump == b.mrtdump,
        }),
        Effect::None,
    ),
    Row::new(
        &["vrf"],
        Slot::Own(Own {
            grammar: "\"device\"|default",
            parse: |parser, conf| {
                conf.vrf = Some(parser.vrf()?);
                Ok(())
            },
            show: |conf| match &conf.vrf {
                Some(Vrf { name: Some(name), .. }) => format!("\"{name}\""),
                Some(_) => "default".to_owned(),
                None => String::new(),
            },
            same: |a, b| a.vrf == b.vrf,
        }),
        Effect::Restart,
    ),
    thread_group(&["thread", "group"]),
    Row::<ProtocolConf>::new(
        &["restart", "time"],
        Slot::Own(Own {
            grammar: "number s|ms|us",
            parse: |parser, conf| {
                conf.restart_time = Some(parser.duration()?);
                Ok(())
            },
            show: |conf| conf.restart_time.map_or_else(String::new, |least| format!("{} ms", least.as_millis())),
            same: |a, b| a.restart_time == b.restart_time,
        }),
        Effect::None,
    )
    .only(Dialect::V2),
    // It is told by sessions alone: see `plan`.
    Row::<ProtocolConf>::new(&["hostname"], Slot::Text(field!(hostname)), Effect::None).only(Dialect::V2),
];

/// Options of an attachment to a table.
pub(crate) static CHANNEL: &[Row<ChannelConf>] = &[
    Row::<ChannelConf>::refused(&["export", "block"], "rbird bounds by itself what waits to be told").only(Dialect::V2),
    Row::new(&["table"], Slot::Table(field!(table)), Effect::Restart),
    Row::new(&["preference"], Slot::Limited(field!(preference), 0xffff, "Invalid preference"), Effect::IMPORT),
    Row::new(
        &["import"],
        Slot::Own(Own {
            grammar: POLICY,
            parse: |parser, conf| {
                conf.import = parser.policy()?;
                Ok(())
            },
            show: |conf| policy_words(&conf.import),
            same: |a, b| a.import.is_same(&b.import),
        }),
        Effect::IMPORT,
    ),
    Row::new(
        &["export"],
        Slot::Own(Own {
            grammar: POLICY,
            parse: |parser, conf| {
                conf.export = parser.policy()?;
                Ok(())
            },
            show: |conf| policy_words(&conf.export),
            same: |a, b| a.export.is_same(&b.export),
        }),
        Effect::EXPORT,
    ),
    within(EXPORT_IN, |parser, conf| policy_within(parser, conf).map(|policy| conf.export = policy)),
    // Of pipes alone: see `protocol`.
    within(IMPORT_IN, |parser, conf| policy_within(parser, conf).map(|policy| conf.import = policy)),
    limit(
        &["receive", "limit"],
        |p, c| set_limit(p, &mut c.receive_limit),
        |c| limit_words(c.receive_limit),
        |a, b| a.receive_limit == b.receive_limit,
    ),
    limit(
        &["import", "limit"],
        |p, c| set_limit(p, &mut c.import_limit),
        |c| limit_words(c.import_limit),
        |a, b| a.import_limit == b.import_limit,
    ),
    limit(
        &["export", "limit"],
        |p, c| set_limit(p, &mut c.export_limit),
        |c| limit_words(c.export_limit),
        |a, b| a.export_limit == b.export_limit,
    ),
    Row::new(&["import", "keep", "filtered"], Slot::Switch(field!(keep_filtered)), Effect::IMPORT),
    Row::<ChannelConf>::new(&["rpki", "reload"], Slot::Switch(field!(rpki_reload)), Effect::None).only(Dialect::V2),
    Row::<ChannelConf>::new(
        &["debug"],
        Slot::Own(Own {
            grammar: "all|off|{ states, routes, filters, events }",
            parse: |parser, conf| {
                conf.debug = parser.debug_mask()?;
                Ok(())
            },
            show: |conf| debug_words(conf.debug),
            same: |a, b| a.debug == b.debug,
        }),
        Effect::None,
    )
    .only(Dialect::V2),
];

/// The name of a group of threads of BIRD 3, which has to be one; all threads are of one set here (see `threads`).
pub(super) const fn thread_group<T>(words: &'static [&'static str]) -> Row<T> {
    let own =
        Own { grammar: "NAME", parse: |parser, _| parser.thread_group(), show: |_| String::new(), same: |_, _| true };
    Row::<T>::new(words, Slot::Own(own), Effect::None).only(Dialect::V2)
}

const POLICY: &str = "all|none|filter NAME|filter { ... }|where EXPRESSION";

/// `export in`: with it, `export` is said.
pub(crate) const EXPORT_IN: &[&str] = &["export", "in"];

/// `import in`.
pub(crate) const IMPORT_IN: &[&str] = &["import", "in"];

/// A policy for what lies in a network. It is told, and compared, as the policy without.
const fn within(
    words: &'static [&'static str],
    parse: fn(&mut Parser<'_>, &mut ChannelConf) -> Parsed<()>,
) -> Row<ChannelConf> {
    let grammar = "prefix all|none|filter NAME|filter { ... }|where EXPRESSION";
    let own = Own { grammar, parse, show: |_| String::new(), same: |_, _| true };
    Row::<ChannelConf>::new(words, Slot::Own(own), Effect::IMPORT).only(Dialect::V2)
}

/// A network of the channel's family, and the policy for it.
fn policy_within(parser: &mut Parser<'_>, conf: &ChannelConf) -> Parsed<Policy> {
    let start = parser.at.span();
    let net = parser.prefix()?;
    let table = parser.config.tables.iter().find(|t| t.name == conf.table);
    if conf.carries != Carries::Routes || net.family() != table.map_or(conf.family, |t| t.family) {
        let label = "the routes of this channel are of another sort";
        return Err(parser.refusal(start, "Incompatible export prefilter type", label));
    }
    parser.policy_within(net)
}

/// A limit on routes.
const fn limit(
    words: &'static [&'static str],
    parse: fn(&mut Parser<'_>, &mut ChannelConf) -> Parsed<()>,
    show: fn(&ChannelConf) -> String,
    same: fn(&ChannelConf, &ChannelConf) -> bool,
) -> Row<ChannelConf> {
    let grammar = "off|number [action warn|block|restart|disable]";
    Row::new(words, Slot::Own(Own { grammar, parse, show, same }), Effect::None)
}

fn set_limit(parser: &mut Parser<'_>, into: &mut Option<Limit>) -> Parsed<()> {
    *into = route_limit(parser)?;
    Ok(())
}

/// `off`, or a number and what happens then; the default is to disable the protocol.
fn route_limit(parser: &mut Parser<'_>) -> Parsed<Option<Limit>> {
    if parser.at.eat_word("off") {
        return Ok(None);
    }
    let routes_max = parser.number()?;
    let action = if parser.at.eat_word("action") { parser.one_of(LIMIT_ACTIONS)? } else { LimitAction::Disable };
    Ok(Some(Limit { routes_max, action }))
}

static LIMIT_ACTIONS: &[(&str, LimitAction)] = &[
    ("warn", LimitAction::Warn),
    ("block", LimitAction::Block),
    ("restart", LimitAction::Restart),
    ("disable", LimitAction::Disable),
];

fn limit_words(limit: Option<Limit>) -> String {
    let word = |action| LIMIT_ACTIONS.iter().find(|(_, a)| *a == action).map_or("", |(word, _)| word);
    limit.map_or_else(|| "off".to_owned(), |l| format!("{} action {}", l.routes_max, word(l.action)))
}

/// The classes of `debug` in the order of their bits.
pub(crate) static DEBUG_CLASSES: &[(&str, DebugMask)] = &[
    ("states", DebugMask::STATES),
    ("routes", DebugMask::ROUTES),
    ("filters", DebugMask::FILTERS),
    ("interfaces", DebugMask::INTERFACES),
    ("events", DebugMask::EVENTS),
    ("packets", DebugMask::PACKETS),
];

fn debug_words(mask: DebugMask) -> String {
    if mask == DebugMask::ALL {
        return "all".to_owned();
    }
    let words: Vec<_> = DEBUG_CLASSES.iter().filter(|(_, class)| mask.has(*class)).map(|(word, _)| *word).collect();
    if words.is_empty() { "off".to_owned() } else { format!("{{ {} }}", words.join(", ")) }
}

/// The classes of `mrtdump`.
static MRT_CLASSES: &[(&str, MrtMask)] = &[("states", MrtMask::STATES), ("messages", MrtMask::MESSAGES)];

pub(crate) fn mrt_words(mask: MrtMask) -> String {
    if mask == MrtMask::ALL {
        return "all".to_owned();
    }
    let words: Vec<_> = MRT_CLASSES.iter().filter(|(_, class)| mask.has(*class)).map(|(word, _)| *word).collect();
    if words.is_empty() { "off".to_owned() } else { format!("{{ {} }}", words.join(", ")) }
}

impl Parser<'_> {
    /// The name of a device, or `default`.
    pub(crate) fn vrf(&mut self) -> Parsed<Vrf> {
        /// The kernel's longest name of a link, octets.
        const NAME_OCTETS_MAX: usize = 15;
        let holds_device = self.dialect() == Dialect::V2;
        if self.at.eat_word("default") {
            return Ok(Vrf { name: None, holds_device });
        }
        let start = self.at.span();
        let name = self.text()?;
        if !(1..=NAME_OCTETS_MAX).contains(&name.len()) {
            self.warn_of(start, "no interface has such a name", format!("1 to {NAME_OCTETS_MAX} octets"));
        }
        Ok(Vrf { name: Some(name), holds_device })
    }

    /// `all`, `off`, or classes of MRT records in braces.
    pub(crate) fn mrt_mask(&mut self) -> Parsed<MrtMask> {
        if self.at.eat_word("all") {
            return Ok(MrtMask::ALL);
        }
        if self.at.eat_word("off") {
            return Ok(MrtMask(0));
        }
        if !self.at.is(Op::BraceOpen) {
            return Err(self.at.wanted("`all`, `off` or `{ states, messages }`"));
        }
        let classes = self.braced_list(MRT_CLASSES)?;
        Ok(MrtMask(classes.into_iter().fold(0, |mask, class| mask | class.0)))
    }

    /// `all`, `off`, or classes in braces.
    pub(crate) fn debug_mask(&mut self) -> Parsed<DebugMask> {
        if self.at.eat_word("all") {
            return Ok(DebugMask::ALL);
        }
        if self.at.eat_word("off") {
            return Ok(DebugMask(0));
        }
        if !self.at.is(Op::BraceOpen) {
            return Err(self.at.wanted("`all`, `off` or `{ states, ... }`"));
        }
        let classes = self.braced_list(DEBUG_CLASSES)?;
        Ok(classes.into_iter().fold(DebugMask(0), DebugMask::or))
    }
}

/// As it would be written; filters by name.
pub(crate) fn policy_words(policy: &Policy) -> String {
    match policy {
        Policy::Accept => "all".to_owned(),
        Policy::Reject => "none".to_owned(),
        Policy::Filter(f) => match &f.name {
            Some(name) => format!("filter {name}"),
            None => "filter (unnamed)".to_owned(),
        },
    }
}
