//! The names of a configuration: one space for tables, protocols, templates, filters, functions and constants.

use crate::config::SymbolRow;
use filter::syntax::Parsed;
use filter::{Diagnostic, Filter, Span};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The value of a constant, as far as options use it.
#[derive(Clone, Debug)]
pub(crate) enum Constant {
    Number(u32),
    Quad(Ipv4Addr),
    Address(IpAddr),
    Text(Arc<str>),
    /// A value that no option takes: a set, a prefix, ...
    Other,
}

impl Constant {
    pub(crate) fn number(&self) -> Option<u32> {
        match self {
            Self::Number(n) => Some(*n),
            _ => None,
        }
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(a) => Some(*a),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<Arc<str>> {
        match self {
            Self::Text(t) => Some(t.clone()),
            _ => None,
        }
    }

    pub(crate) fn router_id(&self) -> Option<Ipv4Addr> {
        match self {
            Self::Number(n) => Some(Ipv4Addr::from_bits(*n)),
            Self::Quad(q) => Some(*q),
            Self::Address(IpAddr::V4(a)) => Some(*a),
            _ => None,
        }
    }
}

/// What a name means.
#[derive(Clone, Debug)]
pub(crate) enum Meaning {
    Constant(Constant),
    Table,
    Protocol,
    Template,
    Filter(Arc<Filter>),
    Function,
}

impl Meaning {
    /// BIRD's word in `show symbols`.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Constant(_) => "constant",
            Self::Table => "routing table",
            Self::Protocol => "protocol",
            Self::Template => "protocol template",
            Self::Filter(_) => "filter",
            Self::Function => "function",
        }
    }
}

/// All names so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    by_name: BTreeMap<Arc<str>, (Meaning, Option<Span>)>,
}

impl Names {
    /// Refuses a name that means something already.
    pub(crate) fn must_be_new(&self, name: &str, span: Span) -> Parsed<()> {
        let Some((meaning, before)) = self.by_name.get(name) else { return Ok(()) };
        let mut wrong = Diagnostic::error(span, "Symbol already defined");
        wrong.label = Some(format!("`{name}` is a {} already", meaning.word()));
        Err(match before {
            Some(before) => wrong.note(*before, "defined here first"),
            None => wrong,
        })
    }

    /// Gives a name a meaning; names of the system have no place.
    pub(crate) fn define(&mut self, name: Arc<str>, meaning: Meaning, span: Option<Span>) {
        self.by_name.insert(name, (meaning, span));
    }

    /// What a name means.
    pub(crate) fn get(&self, name: &str) -> Option<&Meaning> {
        self.by_name.get(name).map(|(meaning, _)| meaning)
    }

    /// Where a name was defined.
    pub(crate) fn place(&self, name: &str) -> Option<Span> {
        self.by_name.get(name).and_then(|(_, span)| *span)
    }

    /// A sentence on a name that does not mean what it should.
    pub(crate) fn what_is(&self, name: &str, unknown: &str) -> String {
        match self.get(name) {
            Some(meaning) => format!("`{name}` is a {}", meaning.word()),
            None => format!("`{name}` {unknown}"),
        }
    }

    /// A constant.
    pub(crate) fn constant(&self, name: &str) -> Option<&Constant> {
        match self.get(name)? {
            Meaning::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// A filter.
    pub(crate) fn filter(&self, name: &str) -> Option<Arc<Filter>> {
        match self.get(name)? {
            Meaning::Filter(filter) => Some(filter.clone()),
            _ => None,
        }
    }

    /// The names of all constants.
    pub(crate) fn constants(&self) -> impl Iterator<Item = &str> {
        self.of(|m| matches!(m, Meaning::Constant(_)))
    }

    /// The names of all filters.
    pub(crate) fn filters(&self) -> impl Iterator<Item = &str> {
        self.of(|m| matches!(m, Meaning::Filter(_)))
    }

    /// The names of all templates and protocols.
    pub(crate) fn patterns_of_protocols(&self) -> impl Iterator<Item = &str> {
        self.of(|m| matches!(m, Meaning::Template | Meaning::Protocol))
    }

    fn of(&self, kind: impl Fn(&Meaning) -> bool) -> impl Iterator<Item = &str> {
        self.by_name.iter().filter(move |(_, (meaning, _))| kind(meaning)).map(|(name, _)| &**name)
    }

    /// The rows of `show symbols`.
    pub(crate) fn rows(&self) -> Vec<SymbolRow> {
        self.by_name.iter().map(|(name, (m, _))| SymbolRow { name: name.clone(), kind: m.word() }).collect()
    }
}
