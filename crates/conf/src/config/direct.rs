//! `protocol direct`: routes to the networks on links.

use super::{Dialect, IfacePattern};

/// `protocol direct`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectConf {
    /// `interface` lists in order; empty: every link.
    pub interfaces: Vec<IfacePattern>,
    /// `check link`.
    pub check_link: bool,
    /// Patterns judge a link with all its networks by the address that stands for it (1.6); in 2 each address by itself.
    pub by_primary: bool,
}

impl DirectConf {
    /// The defaults of a dialect.
    pub fn of(dialect: Dialect) -> Self {
        Self { by_primary: dialect == Dialect::V1, ..Self::default() }
    }
}
