//! What both releases say alike: pieces of lines, and the lines that differ in their indent alone.

use super::Setting;
use crate::code;
use crate::frame::Frame;
use crate::view::{BfdSessionView, LimitView, Phase, PipeView, RoutesView};
use rib::batch::LimitAction;
use route::aigp;
use route::attr::{code as attr, origin};
use route::community::{LLGR_STALE, communities};
use route::iface::IfaceFlags;
use route::{AsPath, AttrSet, Written};
use std::borrow::Cow;

/// A line of `show protocols all` under an indent.
pub fn detail(indent: &str, text: std::fmt::Arguments<'_>, out: &mut Frame) {
    out.line(code::PROTOCOL_DETAIL, format_args!("{indent}{text}"));
}

/// The second line of a link.
pub fn flags(flags: IfaceFlags, mtu: u32) -> String {
    let kind = if flags.multi_access { "MultiAccess" } else { "PtP" };
    let cast = match (flags.broadcast, flags.multicast) {
        (true, true) => " Broadcast Multicast",
        (true, false) => " Broadcast",
        (false, true) => " Multicast",
        (false, false) => "",
    };
    let admin = if flags.admin_up { "Up" } else { "Down" };
    let link = if flags.link_up { "Up" } else { "Down" };
    let loopback = if flags.loopback { " Loopback Ignored" } else { "" };
    format!("\t{kind}{cast} Admin{admin} Link{link}{loopback} MTU={mtu}")
}

/// A limit, when there is one: how many, and what then.
pub fn limit(indent: &str, label: &str, limit: Option<LimitView>, out: &mut Frame) {
    let Some(limit) = limit else { return };
    let hit = if limit.hit { " [HIT]" } else { "" };
    let action = match limit.action {
        LimitAction::Warn => "warn",
        LimitAction::Block => "block",
        LimitAction::Restart => "restart",
        LimitAction::Disable => "disable",
    };
    detail(indent, format_args!("{label:<15} {}{hit}", limit.routes_max), out);
    detail(indent, format_args!("  Action:       {action}"), out);
}

/// The head of the table of changes.
fn changes_head(indent: &str, out: &mut Frame) {
    let head = "Route change stats:     received   rejected   filtered    ignored   accepted";
    detail(indent, format_args!("{head}"), out);
}

/// A row of that table; `None`: such a thing is not counted.
fn changes(indent: &str, label: &str, cells: [Option<u64>; 5], out: &mut Frame) {
    let cells = cells.map(|c| c.map_or(Cow::Borrowed("---"), |n| n.to_string().into()));
    let [received, rejected, filtered, ignored, accepted] = &cells;
    let cells = format_args!("{received:>10} {rejected:>10} {filtered:>10} {ignored:>10} {accepted:>10}");
    detail(indent, format_args!("  {label:<19} {cells}"), out);
}

/// `Routes:` and `Route change stats:` of a channel.
pub fn routes(indent: &str, routes: &RoutesView, out: &mut Frame) {
    let n = &routes.counts;
    let filtered = match routes.keep_filtered {
        true => format!("{} filtered, ", n.filtered),
        false => String::new(),
    };
    let (imported, exported, preferred) = (n.imported, n.exported, n.preferred);
    let sums = format_args!("{imported} imported, {filtered}{exported} exported, {preferred} preferred");
    detail(indent, format_args!("Routes:         {sums}"), out);
    changes_head(indent, out);
    let (i, e) = (&routes.import, &routes.export);
    let updates = [i.updates_received, i.updates_rejected, i.updates_filtered, i.updates_ignored, i.updates_accepted];
    changes(indent, "Import updates:", updates.map(Some), out);
    let [received, rejected] = [i.withdraws_received, i.withdraws_rejected].map(Some);
    let [ignored, accepted] = [i.withdraws_ignored, i.withdraws_accepted].map(Some);
    changes(indent, "Import withdraws:", [received, rejected, None, ignored, accepted], out);
    let [received, rejected, filtered] = [e.updates_received, e.updates_rejected, e.updates_filtered].map(Some);
    changes(indent, "Export updates:", [received, rejected, filtered, None, Some(e.updates_accepted)], out);
    let [received, accepted] = [e.withdraws_received, e.withdraws_accepted].map(Some);
    changes(indent, "Export withdraws:", [received, None, None, None, accepted], out);
}

/// The changes that passed a pipe: exported by one table and imported by the other, one line tells of both.
pub fn pipe_changes(indent: &str, pipe: &PipeView, out: &mut Frame) {
    changes_head(indent, out);
    for (label, way) in [("Import", &pipe.import), ("Export", &pipe.export)] {
        let (offered, taken) = (&way.offered, &way.taken);
        let rejected = offered.updates_rejected + taken.updates_rejected;
        let updates = [offered.updates_received, rejected, offered.updates_filtered];
        let [received, rejected, filtered] = updates.map(Some);
        let [ignored, accepted] = [taken.updates_ignored, taken.updates_accepted].map(Some);
        changes(indent, &format!("{label} updates:"), [received, rejected, filtered, ignored, accepted], out);
        let [received, rejected] = [offered.withdraws_received, taken.withdraws_rejected].map(Some);
        let [ignored, accepted] = [taken.withdraws_ignored, taken.withdraws_accepted].map(Some);
        changes(indent, &format!("{label} withdraws:"), [received, rejected, None, ignored, accepted], out);
    }
}

/// Every error with its source lines, the first one first and in BIRD's words; a line of text is a line of the reply.
pub fn configuration_errors(errors: &[String], out: &mut Frame) {
    let mut lines = errors.iter().flat_map(|error| error.lines());
    let last = lines.next_back().unwrap_or_default();
    for line in lines {
        out.line(code::CONFIGURATION_ERROR, line);
    }
    out.end(code::CONFIGURATION_ERROR, last);
}

/// The last line of `show status`.
pub fn phase(phase: Phase, out: &mut Frame) {
    out.end(
        code::STATUS,
        match phase {
            Phase::Running => "Daemon is up and running",
            Phase::Reconfiguring => "Reconfiguration in progress",
            Phase::Stopping => "Shutdown in progress",
        },
    );
}

/// One protocol in the reply to `show bfd sessions`, with a column of so many places for times.
pub fn bfd_sessions(
    since_width: usize,
    protocol: &str,
    rows: Option<&[BfdSessionView]>,
    setting: &Setting<'_>,
    out: &mut Frame,
) {
    let Some(rows) = rows else {
        return out.line(code::BFD_SESSIONS, format_args!("{protocol}: is not up"));
    };
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::BFD_SESSIONS, text);
    let [addr, iface, state] = ["IP address", "Interface", "State"];
    let [since, interval, timeout] = ["Since", "Interval", "Timeout"];
    line(format_args!("{protocol}:"));
    line(format_args!("{addr:<25} {iface:<10} {state:<10} {since:<since_width$}  {interval:>8} {timeout:>8}"));
    for row in rows {
        let (addr, state) = (Written(row.remote).to_string(), row.state);
        let iface = row.iface.as_deref().unwrap_or("---");
        let since = setting.stamps.text(row.since, &setting.time.protocol);
        let (interval, timeout) = (seconds(row.interval_us), seconds(row.timeout_us));
        line(format_args!("{addr:<25} {iface:<10} {state:<10} {since:<since_width$}  {interval:>7}  {timeout:>7}"));
    }
}

/// Microseconds as seconds with three digits behind the point.
pub fn seconds(us: u64) -> String {
    format!("{}.{:03}", us / 1_000_000, us / 1000 % 1000)
}

/// What stands at the end of a BGP route's line, read in one walk over its attributes.
#[derive(Default)]
pub struct Ends {
    origin: Option<u8>,
    /// The AS that originated it.
    last_as: Option<u32>,
    /// Its accumulated IGP metric, as it came (2).
    pub aigp: Option<u64>,
    /// Kept beyond a graceful restart (RFC 9494); what is merely kept has no mark.
    pub is_long_lived_stale: bool,
}

impl Ends {
    /// Reads them.
    pub fn of(attrs: &AttrSet) -> Self {
        let mut ends = Self::default();
        for record in attrs.iter() {
            match record.code {
                attr::ORIGIN => ends.origin = record.value.first().copied(),
                attr::AS_PATH => ends.last_as = AsPath::new(record.value).last(),
                attr::AIGP => ends.aigp = aigp::metric(record.value),
                attr::COMMUNITY => {
                    ends.is_long_lived_stale = communities(record.value).any(|c| c == LLGR_STALE);
                }
                _ => {}
            }
        }
        ends
    }

    /// ` [AS64512i]`.
    pub fn write(&self, line: &mut crate::frame::Line<'_>) {
        line.put(" [");
        if let Some(asn) = self.last_as {
            line.put("AS").number(asn);
        }
        line.put(match self.origin {
            Some(origin::IGP) => "i]",
            Some(origin::EGP) => "e]",
            Some(origin::INCOMPLETE) => "?]",
            _ => "]",
        });
    }
}
