//! The names of a configuration: what `show symbols` lists and filters mean by them.

use std::collections::BTreeSet;
use std::sync::Arc;

/// One entry of `show symbols`.
#[derive(Clone, Debug)]
pub struct SymbolRow {
    /// The name.
    pub name: Arc<str>,
    /// BIRD's word for its kind: `constant`, `routing table`, `protocol`, `filter`, `function`, ...
    pub kind: &'static str,
}

/// The names of a configuration.
#[derive(Debug, Default)]
pub struct Symbols {
    /// All of them, in order of name.
    pub rows: Vec<SymbolRow>,
    /// What they mean in filters and expressions.
    pub meanings: Arc<filter::Symbols>,
}

impl Symbols {
    /// The rows of all that is defined or mentioned.
    pub(crate) fn new(meanings: Arc<filter::Symbols>, mentioned: BTreeSet<Arc<str>>) -> Self {
        let mut rows: Vec<_> =
            meanings.iter().map(|(name, symbol)| SymbolRow { name: name.clone(), kind: symbol.kind.word() }).collect();
        let undefined = mentioned.into_iter().filter(|name| meanings.get(name).is_none());
        rows.extend(undefined.map(|name| SymbolRow { name, kind: "undefined" }));
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Self { rows, meanings }
    }
}
