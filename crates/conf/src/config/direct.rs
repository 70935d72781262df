//! `protocol direct`: routes to the networks on links.

use super::IfacePattern;

/// `protocol direct`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectConf {
    /// `interface` lists in order; empty: every link.
    pub interfaces: Vec<IfacePattern>,
    /// `check link`.
    pub check_link: bool,
}
