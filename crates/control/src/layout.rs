//! Layouts: how values become the text of a release.
//!
//! One implementation a dialect; what both say alike is said here and in `words`.
//! A layout writes lines into a [`Frame`] and knows codes, labels, columns and
//! words; it decides nothing: what a command shows was decided before. Long lists
//! are written piece by piece, so nobody holds the text of a whole table.

mod attributes;
mod bfd;
mod threads;
mod v1;
mod v2;
mod words;

use crate::code;
use crate::frame::Frame;
use crate::request::{Change, Choice, ConfigureStatus};
use crate::routes::{ShownNet, ShownRoa, Sums};
use crate::time::Stamps;
use crate::view::{
    ActionRow, BfdSessionView, ConfigureOutcome, ConfigureReport, Did, InterfaceView, MemoryView, ProtocolView,
    StaticRow, StatusView, ThreadView,
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
    /// Names of attributes that the operator declared.
    pub symbols: &'a filter::Symbols,
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
    fn actions(&self, rows: &[ActionRow], choice: &Choice, out: &mut Frame) {
        for ActionRow { name, did } in rows {
            let (code, words) = match did {
                Did::Enabled => (code::ENABLED, "enabled"),
                Did::AlreadyEnabled => (code::ALREADY_ENABLED, "already enabled"),
                Did::Disabled => (code::DISABLED, "disabled"),
                Did::AlreadyDisabled => (code::ALREADY_DISABLED, "already disabled"),
                Did::Restarted => (code::RESTARTED, "restarted"),
                Did::Reloading => (code::RELOADING, "reloading"),
                Did::ReloadFailed => (code::RELOAD_FAILED, "reload failed"),
                Did::PartialRefused => (code::RELOADING, "partial reload refused, please run full reload instead"),
                Did::NotUp => continue,
            };
            out.line(code, format_args!("{name}: {words}"));
        }
        self.chosen(rows.len(), choice, out);
    }

    /// The reply to a command on protocols that says nothing of each.
    fn chosen(&self, how_many: usize, choice: &Choice, out: &mut Frame) {
        match choice {
            _ if how_many > 0 => out.ok(),
            Choice::Named(name) => out.end(code::NOT_A_PROTOCOL, format_args!("{name} is not a protocol")),
            Choice::All | Choice::Matching(_) => out.end(code::NO_MATCH, "No protocols match"),
        }
    }

    /// The reply to `configure status`.
    fn configure_status(&self, status: &ConfigureStatus, out: &mut Frame) {
        let (code, words) = match status.change {
            Change::Done => (code::RECONFIGURED, "Daemon is up and running"),
            Change::UnderWay => (code::RECONFIGURING, "Reconfiguration in progress"),
            Change::Queued => (code::RECONFIGURE_QUEUED, "Reconfiguration in progress, next one enqueued"),
            Change::Shutdown => (code::RECONFIGURE_IGNORED, "Shutdown in progress"),
        };
        out.line(code, words);
        if let Some(ms) = status.undo_ms {
            let (seconds, ms) = (ms / 1000, ms % 1000);
            let words = format_args!("Configuration unconfirmed, undo in {seconds}.{ms:03} s");
            out.line(code::UNDO_SCHEDULED, words);
        }
        out.ok();
    }

    /// The reply to `configure` and its kin.
    fn configured(&self, report: &ConfigureReport, check: bool, out: &mut Frame) {
        if let Some(file) = &report.file {
            out.line(code::READING, format_args!("Reading configuration from {file}"));
        }
        if let Some(seconds) = report.undo_s {
            out.line(code::UNDO_SCHEDULED, format_args!("Undo scheduled in {seconds} s"));
        }
        let (code, words) = match &report.outcome {
            ConfigureOutcome::Wrong(errors) => return words::configuration_errors(errors, out),
            ConfigureOutcome::Done if check => (code::CONFIGURATION_OK, "Configuration OK"),
            ConfigureOutcome::Fine(plan) => {
                // Below BIRD's first line, so that its last one is the last.
                for line in plan {
                    out.line(code::READING, format_args!("  {line}"));
                }
                (code::CONFIGURATION_OK, "Configuration OK")
            }
            ConfigureOutcome::Done => (code::RECONFIGURED, "Reconfigured"),
            ConfigureOutcome::InProgress => (code::RECONFIGURING, "Reconfiguration in progress"),
            ConfigureOutcome::Queued => {
                (code::RECONFIGURE_QUEUED, "Reconfiguration already in progress, queueing new config")
            }
            ConfigureOutcome::Unqueued => {
                (code::RECONFIGURE_UNQUEUED, "Reconfiguration already in progress, removing queued config")
            }
            ConfigureOutcome::Stopping => (code::RECONFIGURE_IGNORED, "Reconfiguration ignored, shutting down"),
            ConfigureOutcome::Confirmed => (code::CONFIRMED, "Reconfiguration confirmed"),
            ConfigureOutcome::Nothing => (code::NOTHING_TO_DO, "Nothing to do"),
        };
        out.end(code, words);
    }

    /// The reply to `configure undo`.
    fn undone(&self, report: &ConfigureReport, out: &mut Frame) {
        out.line(code::UNDO_REQUESTED, "Undo requested");
        self.configured(report, false, out);
    }

    /// One protocol in the reply to `show static`.
    fn statics(&self, rows: &[StaticRow], out: &mut Frame);
    /// One record of `show roa`.
    fn roa(&self, roa: &Roa, out: &mut Frame) {
        out.line(code::ROA, roa);
    }

    /// One protocol in the reply to `show bfd sessions`; `None`: it is down.
    fn bfd_sessions(&self, protocol: &str, rows: Option<&[BfdSessionView]>, setting: &Setting<'_>, out: &mut Frame);
    /// The same with all details, which 1.6 has not.
    fn bfd_details(&self, protocol: &str, rows: Option<&[BfdSessionView]>, setting: &Setting<'_>, out: &mut Frame) {
        bfd::details(protocol, rows, setting, out);
    }
    /// The reply to `show threads`.
    fn threads(&self, rows: &[ThreadView], detail: bool, out: &mut Frame) {
        threads::threads(rows, detail, out);
    }

    /// The reply to `show symbols`.
    fn symbols(&self, rows: &[&SymbolRow], out: &mut Frame) {
        for row in rows {
            out.line(code::SYMBOL, format_args!("{:<8}\t{}", row.name, row.kind));
        }
        out.ok();
    }

    /// The reply to `show symbols NAME`.
    fn symbol(&self, name: &str, kind: &str, out: &mut Frame) {
        out.end(code::SYMBOL, format_args!("{name:<8}\t{kind}"));
    }

    /// The line that begins a table.
    fn table(&self, name: &str, is_first: bool, out: &mut Frame);
    /// One net of `show route`.
    fn net(&self, net: &ShownNet<'_, '_>, detail: bool, setting: &Setting<'_>, out: &mut Frame);
    /// One net of a ROA or ASPA table; 1.6 has none.
    fn roa_net(&self, _net: &ShownRoa<'_>, _detail: bool, _setting: &Setting<'_>, _out: &mut Frame) {}
    /// How many routes of a table were listed or counted, when that was asked for.
    fn table_sums(&self, name: &str, sums: &Sums, out: &mut Frame);
    /// The end of such a `show route`: how many in all; `is_list`: routes were listed before.
    fn sums(&self, sums: &Sums, tables: usize, is_list: bool, out: &mut Frame);
    /// A net that was asked for is in no table.
    fn no_network(&self) -> &'static str;
}

/// The layout of a dialect.
pub fn of(dialect: Dialect) -> &'static dyn Layout {
    match dialect {
        Dialect::V1 => &v1::V1,
        Dialect::V2 => &v2::V2,
    }
}
