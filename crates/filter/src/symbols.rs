//! The names of a configuration: one name space for constants, functions, filters, protocols, tables and whatever else.

use crate::dialect::Dialect;
use crate::names::{Attr, AttrKind};
use crate::prefix_set::PrefixSet;
use crate::program::Function;
use crate::run::Filter;
use crate::span::{Diagnostic, Span};
use crate::suggest;
use crate::value::{Held, Type, Value};
use route::Family;
use route::attrs::LocalAttr;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum SymbolKind {
    /// `define`.
    Constant(Value<'static>),
    /// `function`.
    Function(Arc<Function>),
    /// `filter`.
    Filter(Arc<Filter>),
    /// `roa table`, `roa4 table`, with BIRD's word for it.
    RoaTable(&'static str),
    /// `aspa table`, with BIRD's word for it.
    AspaTable(&'static str),
    /// `attribute`: one that the operator declares.
    Attribute(Attr),
    /// Something that filters do not know, with BIRD's word for it (`protocol`, `routing table`, ...).
    Foreign(&'static str),
    /// Its definition was wrong and has been said to be; uses of it are not errors of their own.
    Broken,
}

impl SymbolKind {
    /// BIRD's word, as `show symbols` prints it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Constant(_) => "constant",
            Self::Function(_) => "function",
            Self::Filter(_) => "filter",
            Self::Attribute(_) => "custom attribute",
            Self::Foreign(word) | Self::RoaTable(word) | Self::AspaTable(word) => word,
            Self::Broken => "undefined",
        }
    }
}

impl SymbolKind {
    const fn own_number(&self) -> Option<u16> {
        match self {
            Self::Attribute(attr) => attr.number(),
            _ => None,
        }
    }
}

const fn own(number: u16, kind: AttrKind) -> Attr {
    Attr::Local(LocalAttr::Own(number), kind)
}

/// A name's entry.
#[derive(Clone, Debug)]
pub struct Symbol {
    /// What it stands for.
    pub kind: SymbolKind,
    /// Where it was defined.
    pub span: Span,
}

/// The names of a configuration, and the family that its filters are of.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    all: BTreeMap<Arc<str>, Symbol>,
    family: Option<Family>,
    /// What constants surely do not mean.
    pub(crate) warned: Vec<Diagnostic>,
}

impl Symbols {
    /// No names. `family`: the only family whose addresses the language takes.
    pub const fn new(family: Option<Family>) -> Self {
        Self { all: BTreeMap::new(), family, warned: Vec::new() }
    }

    /// The only family whose addresses the language takes.
    pub const fn family(&self) -> Option<Family> {
        self.family
    }

    /// Gives a name its meaning. A name has one meaning: `Symbol already defined`.
    pub fn define(&mut self, name: &str, span: Span, kind: SymbolKind) -> Result<(), Diagnostic> {
        self.check_new(name, span)?;
        self.all.insert(name.into(), Symbol { kind, span });
        Ok(())
    }

    /// Refuses a name that is defined already.
    pub fn check_new(&self, name: &str, span: Span) -> Result<(), Diagnostic> {
        match self.all.get(name) {
            Some(old) => Err(Diagnostic::error(span, self.already_defined(name))
                .note(old.span, format!("`{name}` is a {} from here on", old.kind.word()))),
            None => Ok(()),
        }
    }

    /// That a name is taken, as the release says it whose language this is.
    pub(crate) fn already_defined(&self, name: &str) -> String {
        match self.family {
            Some(_) => "Symbol already defined".to_owned(),
            None => format!("Symbol '{name}' already defined"),
        }
    }

    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&Symbol> {
        self.all.get(name)
    }

    /// A constant's value.
    pub fn constant(&self, name: &str) -> Option<&Value<'static>> {
        match &self.all.get(name)?.kind {
            SymbolKind::Constant(value) => Some(value),
            _ => None,
        }
    }

    /// Takes a constant's value from `before` when it is the same there: one copy in memory, known to be equal at a glance.
    pub fn share_constant(&mut self, name: &str, before: &Self) {
        if let (Some(Symbol { kind: SymbolKind::Constant(value), .. }), Some(old)) =
            (self.all.get_mut(name), before.constant(name))
            && *value == *old
        {
            *value = old.clone();
        }
    }

    /// The attribute of a name and kind that the operator declares: its number is the one that it has in `before`, or one
    /// that is free here and there.
    pub(crate) fn own_attribute(&self, name: &str, kind: AttrKind, before: Option<&Self>) -> Option<Attr> {
        if let Some(SymbolKind::Attribute(old)) = before.and_then(|b| b.get(name)).map(|s| &s.kind)
            && *old == own(old.number()?, kind)
        {
            return Some(*old);
        }
        let taken = |symbols: &Self| symbols.all.values().filter_map(|s| s.kind.own_number()).max();
        let last = taken(self).max(before.and_then(taken));
        last.map_or(Some(0), |n| n.checked_add(1)).map(|number| own(number, kind))
    }

    /// The name and kind of an attribute that the operator declared, by its number.
    pub fn own_name(&self, number: u16) -> Option<(&Arc<str>, AttrKind)> {
        let of = |kind: &SymbolKind| match kind {
            SymbolKind::Attribute(Attr::Local(LocalAttr::Own(n), kind)) if *n == number => Some(*kind),
            _ => None,
        };
        self.all.iter().find_map(|(name, symbol)| Some((name, of(&symbol.kind)?)))
    }

    /// All names in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Symbol)> {
        self.all.iter()
    }

    /// What is surely a mistake in what the names stand for, although BIRD takes it; in no order.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        let named = self.all.values().flat_map(|symbol| match &symbol.kind {
            SymbolKind::Function(function) => &*function.warned.0,
            SymbolKind::Filter(filter) => &filter.program.warned.0,
            _ => &[],
        });
        self.warned.iter().chain(named)
    }

    /// The name most like a wrong one, for a suggestion.
    pub fn nearest(&self, wrong: &str, is: impl Fn(&SymbolKind) -> bool) -> Option<&str> {
        suggest::nearest(wrong, self.all.iter().filter(|(_, s)| is(&s.kind)).map(|(name, _)| &**name))
    }
}

/// A value for a variable of a type: the same, or an IPv4 address as a quad, or `[]` as the set of
/// prefixes without members. `None` when it does not fit.
pub(crate) fn fit(kind: Type, value: Value<'_>) -> Option<Value<'_>> {
    match value {
        Value::Ip(IpAddr::V4(a)) if kind == Type::Quad => Some(Value::Quad(a.to_bits())),
        Value::Set(set) if kind == Type::PrefixSet && set.is_empty() => {
            Some(Value::PrefixSet(Held::Own(Arc::new(Arc::new(PrefixSet::new().shown_in(Dialect::V2))))))
        }
        value if value.kind() == kind || value == Value::Void => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_meaning_and_the_first_place_is_named() {
        let mut symbols = Symbols::new(None);
        let at = |start| Span { start, end: start + 1, ..Span::default() };
        symbols.define("a", at(1), SymbolKind::Foreign("protocol")).unwrap();
        let wrong = symbols.define("a", at(9), SymbolKind::Foreign("routing table")).unwrap_err();
        assert_eq!(wrong.message, "Symbol 'a' already defined");
        assert_eq!(wrong.notes.first().unwrap().0, at(1));
    }

    #[test]
    fn a_suggestion_is_near() {
        let mut symbols = Symbols::new(None);
        for name in ["import_filter", "export_filter"] {
            symbols.define(name, Span::default(), SymbolKind::Foreign("x")).unwrap();
        }
        assert_eq!(symbols.nearest("imprt_filter", |_| true), Some("import_filter"));
        assert_eq!(symbols.nearest("zzz", |_| true), None);
    }
}
