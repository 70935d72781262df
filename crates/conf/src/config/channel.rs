//! A channel: what a protocol and a table have to do with each other.

use super::{BgpChannel, DebugMask};
use filter::Policy;
use route::Family;
pub use route::options::{Limit, LimitAction};
use std::sync::Arc;

/// What the routes of a channel and its table are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carries {
    /// Routes.
    #[default]
    Routes,
    /// Authorisations of origins (`roa4`, `roa6`).
    Origins,
    /// Authorisations of providers (`aspa`), which have no family: as such IPv4 stands.
    Providers,
}

/// A channel: what a protocol and a table have to do with each other.
#[derive(Clone, Debug)]
pub struct ChannelConf {
    /// Its family.
    pub family: Family,
    /// What its routes are.
    pub carries: Carries,
    /// The name of the table.
    pub table: Arc<str>,
    /// `preference`.
    pub preference: u32,
    /// `import`.
    pub import: Policy,
    /// `export`.
    pub export: Policy,
    /// `receive limit`.
    pub receive_limit: Option<Limit>,
    /// `import limit`.
    pub import_limit: Option<Limit>,
    /// `export limit`.
    pub export_limit: Option<Limit>,
    /// `import keep filtered`.
    pub keep_filtered: bool,
    /// `rpki reload` (2): a change of a ROA table that a filter asks has what it touches judged anew.
    pub rpki_reload: bool,
    /// `debug` of the channel (2); what the protocol's asks for is traced too.
    pub debug: DebugMask,
    /// What a channel of a BGP session has beside; others have none.
    pub bgp: Option<Box<BgpChannel>>,
}

impl ChannelConf {
    /// A channel without options: everything in, nothing out.
    pub fn new(family: Family, table: Arc<str>, preference: u32) -> Self {
        Self {
            family,
            carries: Carries::Routes,
            table,
            preference,
            import: Policy::Accept,
            export: Policy::Reject,
            receive_limit: None,
            import_limit: None,
            export_limit: None,
            keep_filtered: false,
            rpki_reload: true,
            debug: DebugMask::default(),
            bgp: None,
        }
    }
}
