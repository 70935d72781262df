//! Layouts: how values become the text of a release.
//!
//! One implementation a dialect. A layout writes lines into a [`Frame`] and
//! knows codes, labels, columns and words; it decides nothing: what a command
//! shows was decided before. Long lists are written piece by piece, so nobody
//! holds the text of a whole table.

mod attributes;
mod v1;

use crate::frame::Frame;
use crate::request::Choice;
use crate::routes::{ShownNet, Sums};
use crate::time::Stamps;
use crate::view::{
    ActionRow, BfdSessionView, ConfigureReport, InterfaceView, MemoryView, ProtocolView, StaticRow, StatusView,
};
use conf::Dialect;
use conf::config::{SymbolRow, TimeFormats};
use route::{Family, Ifaces, Roa};

/// What every text may depend on beside its value.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The words after `BIRD ` in banner and status.
    pub version: &'a str,
    /// Now, and the zone.
    pub stamps: &'a Stamps,
    /// The running configuration's formats.
    pub time: &'a TimeFormats,
    /// The family of a 1.6 daemon: addresses of the other are not shown.
    pub family: Family,
    /// Names of links.
    pub ifaces: &'a Ifaces,
}

/// The text of one release.
pub trait Layout: Sync {
    /// The reply to `show status`.
    fn status(&self, view: &StatusView, setting: &Setting<'_>, out: &mut Frame);
    /// The reply to `show memory`.
    fn memory(&self, view: &MemoryView, out: &mut Frame);
    /// The reply to `show interfaces`.
    fn interfaces(&self, rows: &[InterfaceView], setting: &Setting<'_>, out: &mut Frame);
    /// The reply to `show interfaces summary`.
    fn interfaces_summary(&self, rows: &[InterfaceView], setting: &Setting<'_>, out: &mut Frame);
    /// The reply to `show protocols`.
    fn protocols(&self, rows: &[ProtocolView], choice: &Choice, setting: &Setting<'_>, out: &mut Frame);
    /// The reply to `enable` and its kin.
    fn actions(&self, rows: &[ActionRow], choice: &Choice, out: &mut Frame);
    /// The reply to a command on protocols that says nothing of each.
    fn chosen(&self, how_many: usize, choice: &Choice, out: &mut Frame);
    /// The reply to `configure` and its kin.
    fn configured(&self, report: &ConfigureReport, check: bool, out: &mut Frame);
    /// The reply to `configure undo`.
    fn undone(&self, report: &ConfigureReport, out: &mut Frame);
    /// The reply to `show static`.
    fn statics(&self, rows: &[StaticRow], out: &mut Frame);
    /// One record of `show roa`.
    fn roa(&self, roa: &Roa, out: &mut Frame);
    /// The reply to `show bfd sessions`; `None`: the protocol is down.
    fn bfd_sessions(&self, protocol: &str, rows: Option<&[BfdSessionView]>, setting: &Setting<'_>, out: &mut Frame);
    /// The reply to `show symbols`.
    fn symbols(&self, rows: &[&SymbolRow], out: &mut Frame);
    /// The reply to `show symbols NAME`.
    fn symbol(&self, name: &str, kind: &str, out: &mut Frame);
    /// The line that begins a table, when several are shown.
    fn table(&self, name: &str, out: &mut Frame);
    /// One net of `show route`.
    fn net(&self, net: &ShownNet<'_, '_>, detail: bool, setting: &Setting<'_>, out: &mut Frame);
    /// The end of `show route`: how many, when that was asked for.
    fn sums(&self, sums: &Sums, out: &mut Frame);
}

/// The layout of a dialect. 2's own is not written yet: both speak 1.6's.
pub fn of(dialect: Dialect) -> &'static dyn Layout {
    match dialect {
        Dialect::V1 | Dialect::V2 => &v1::V1,
    }
}
