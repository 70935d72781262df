//! The text of BIRD 1.6.8, to the octet.
//!
//! Checked against transcripts of the real daemon (`tests/reference`). What looks
//! odd here is so there: trailing blanks of empty columns, counts of a device
//! protocol that has no routes, a `Type:` line under blackholes that says unicast.

use super::{Layout, Setting, attributes};
use crate::code;
use crate::frame::{Frame, Line};
use crate::request::Choice;
use crate::routes::{Mark, ShownNet, ShownPath, Sums};
use crate::view::{
    ActionRow, BfdSessionView, BgpView, ChannelView, ConfigureOutcome, ConfigureReport, Did, Info, InterfaceView,
    LimitView, MemoryView, Phase, PipeView, ProtocolDetail, ProtocolView, RoutesView, SessionView, StaticRow,
    StatusView,
};
use conf::config::{StaticDest, StaticHop, SymbolRow};
use rib::batch::LimitAction;
use route::attr::{code as attr, origin};
use route::community::{LLGR_STALE, communities};
use route::hop::IGP_METRIC_UNKNOWN;
use route::iface::IfaceFlags;
use route::{AsPath, AttrSet, Family, Hop, IfIndex, IfaceAddr, Prefix, Resolved, Roa};
use std::borrow::Cow;
use std::net::Ipv4Addr;

/// BIRD 1.6.8.
pub struct V1;

impl Layout for V1 {
    fn status(&self, view: &StatusView, setting: &Setting<'_>, out: &mut Frame) {
        let time = |at| setting.stamps.text(at, &setting.time.base);
        out.line(code::VERSION, format_args!("BIRD {}", setting.version));
        out.line(code::STATUS_DETAIL, format_args!("Router ID is {}", view.router_id));
        let now = setting.stamps.now().moment;
        out.line(code::STATUS_DETAIL, format_args!("Current server time is {}", time(now)));
        out.line(code::STATUS_DETAIL, format_args!("Last reboot on {}", time(view.started)));
        out.line(code::STATUS_DETAIL, format_args!("Last reconfiguration on {}", time(view.configured)));
        if let Some(recovery) = view.recovery {
            out.line(code::RECOVERY, "Graceful restart recovery in progress");
            out.line(code::RECOVERY, format_args!("  Waiting for {} protocols to recover", recovery.waiting));
            out.line(code::RECOVERY, format_args!("  Wait timer is {}/{}", recovery.remaining_s, recovery.total_s));
        }
        out.end(
            code::STATUS,
            match view.phase {
                Phase::Running => "Daemon is up and running",
                Phase::Reconfiguring => "Reconfiguration in progress",
                Phase::Stopping => "Shutdown in progress",
            },
        );
    }

    fn memory(&self, view: &MemoryView, out: &mut Frame) {
        out.line(code::MEMORY, "BIRD memory usage");
        for (label, octets) in [
            ("Routing tables:", view.tables),
            ("Route attributes:", view.attributes),
            ("ROA tables:", view.roa),
            ("Protocols:", view.protocols),
            ("Total:", view.total),
        ] {
            let (number, unit) = scaled(octets);
            out.line(code::MEMORY, format_args!("{label:<17} {number:>4} {unit}B"));
        }
        out.ok();
    }

    fn interfaces(&self, rows: &[InterfaceView], setting: &Setting<'_>, out: &mut Frame) {
        for row in rows {
            let iface = &row.iface;
            let state = up_or_down(iface.is_up());
            let master = match &row.master {
                Some(name) => format!(" master={name}"),
                None => String::new(),
            };
            out.line(code::INTERFACE, format_args!("{} {state} (index={}{master})", iface.name, iface.index.0));
            out.line(code::INTERFACE_FLAGS, flags(iface.flags, iface.mtu));
            // The address that stands for the link comes first, then the others in the kernel's order.
            let ours = || iface.addrs.iter().filter(|a| Family::of(a.addr) == setting.family);
            let is_primary = |a: &&IfaceAddr| row.primary.contains(&a.addr);
            for addr in ours().filter(is_primary) {
                out.line(code::INTERFACE_ADDRESS, address(addr, "Primary"));
            }
            for addr in ours().filter(|a| !is_primary(a)) {
                let word = if addr.secondary { "Secondary" } else { "Unselected" };
                out.line(code::INTERFACE_ADDRESS, address(addr, word));
            }
        }
        out.ok();
    }

    fn interfaces_summary(&self, rows: &[InterfaceView], setting: &Setting<'_>, out: &mut Frame) {
        out.line(code::INTERFACE_HEADER, "interface state address");
        for row in rows {
            let iface = &row.iface;
            let primary = iface
                .addrs
                .iter()
                .find(|a| Family::of(a.addr) == setting.family && row.primary.contains(&a.addr))
                .map_or_else(String::new, |a| format!("{}/{}", a.addr, a.prefix.len()));
            let state = up_or_down(iface.is_up());
            out.line(code::INTERFACE_SUMMARY, format_args!("{:<9} {state:<5} {primary}", iface.name));
        }
        out.ok();
    }

    fn protocols(&self, rows: &[ProtocolView], choice: &Choice, setting: &Setting<'_>, out: &mut Frame) {
        if !rows.is_empty() {
            out.line(code::PROTOCOL_HEADER, "name     proto    table    state  since       info");
        }
        for row in rows {
            out.line(code::PROTOCOL, protocol_row(row, setting));
            if let Some(detail) = &row.detail {
                protocol_detail(detail, out);
                out.line(code::PROTOCOL_DETAIL, "");
            }
        }
        self.chosen(rows.len(), choice, out);
    }

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
                Did::NotUp => continue,
            };
            out.line(code, format_args!("{name}: {words}"));
        }
        self.chosen(rows.len(), choice, out);
    }

    fn chosen(&self, how_many: usize, choice: &Choice, out: &mut Frame) {
        match choice {
            _ if how_many > 0 => out.ok(),
            Choice::Named(name) => out.end(code::NOT_A_PROTOCOL, format_args!("{name} is not a protocol")),
            Choice::All | Choice::Matching(_) => out.end(code::NO_MATCH, "No protocols match"),
        }
    }

    fn configured(&self, report: &ConfigureReport, check: bool, out: &mut Frame) {
        if let Some(file) = &report.file {
            out.line(code::READING, format_args!("Reading configuration from {file}"));
        }
        if let Some(seconds) = report.undo_s {
            out.line(code::UNDO_SCHEDULED, format_args!("Undo scheduled in {seconds} s"));
        }
        let (code, words) = match &report.outcome {
            ConfigureOutcome::Wrong(errors) => return configuration_errors(errors, out),
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

    fn undone(&self, report: &ConfigureReport, out: &mut Frame) {
        out.line(code::UNDO_REQUESTED, "Undo requested");
        self.configured(report, false, out);
    }

    fn statics(&self, rows: &[StaticRow], out: &mut Frame) {
        // Routes to devices stand in a list of their own, behind the others.
        let is_device = |row: &&StaticRow| matches!(row.to, StaticDest::Device(_));
        for row in rows.iter().filter(|r| !is_device(r)).chain(rows.iter().filter(is_device)) {
            static_row(row, out);
        }
        out.ok();
    }

    fn bfd_sessions(&self, protocol: &str, rows: Option<&[BfdSessionView]>, setting: &Setting<'_>, out: &mut Frame) {
        let Some(rows) = rows else {
            out.line(code::BFD_SESSIONS, format_args!("{protocol}: is not up"));
            return out.ok();
        };
        let mut line = |text: std::fmt::Arguments<'_>| out.line(code::BFD_SESSIONS, text);
        let [addr, iface, state] = ["IP address", "Interface", "State"];
        let [since, interval, timeout] = ["Since", "Interval", "Timeout"];
        line(format_args!("{protocol}:"));
        line(format_args!("{addr:<25} {iface:<10} {state:<10} {since:<10}  {interval:>8} {timeout:>8}"));
        for row in rows {
            let (addr, state) = (row.remote.to_string(), row.state);
            let iface = row.iface.as_deref().unwrap_or("---");
            let since = setting.stamps.text(row.since, &setting.time.protocol);
            let (interval, timeout) = (seconds(row.interval_us), seconds(row.timeout_us));
            line(format_args!("{addr:<25} {iface:<10} {state:<10} {since:<10}  {interval:>7}  {timeout:>7}"));
        }
        out.ok();
    }

    fn roa(&self, roa: &Roa, out: &mut Frame) {
        out.line(code::ROA, roa);
    }

    fn symbols(&self, rows: &[&SymbolRow], out: &mut Frame) {
        for row in rows {
            out.line(code::SYMBOL, format_args!("{:<8}\t{}", row.name, row.kind));
        }
        out.ok();
    }

    fn symbol(&self, name: &str, kind: &str, out: &mut Frame) {
        out.end(code::SYMBOL, format_args!("{name:<8}\t{kind}"));
    }

    fn table(&self, _name: &str, _out: &mut Frame) {}

    fn net(&self, net: &ShownNet<'_, '_>, detail: bool, setting: &Setting<'_>, out: &mut Frame) {
        let mut label = Some(net.net);
        for path in net.paths {
            route_row(label.take(), path, setting, out);
            if detail {
                route_detail(path, out);
            }
        }
    }

    fn sums(&self, sums: &Sums, out: &mut Frame) {
        let Sums { shown, routes, networks } = sums;
        out.end(code::ROUTE_COUNT, format_args!("{shown} of {routes} routes for {networks} networks"));
    }
}

/// Microseconds as seconds with three digits behind the point.
fn seconds(us: u64) -> String {
    format!("{}.{:03}", us / 1_000_000, us / 1000 % 1000)
}

/// A size as BIRD prints it: four digits and a unit.
fn scaled(octets: u64) -> (u64, char) {
    let mut value = octets;
    for unit in [' ', 'k', 'M'] {
        if value < 10_000 {
            return (value, unit);
        }
        value = value.saturating_add(512) / 1024;
    }
    (value, 'G')
}

const fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "DOWN" }
}

fn flags(flags: IfaceFlags, mtu: u32) -> String {
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

fn address(addr: &IfaceAddr, word: &str) -> String {
    let opposite = match addr.peer {
        Some(peer) => format!(", opposite {peer}"),
        None => String::new(),
    };
    format!("\t{}/{} ({word}{opposite}, scope {})", addr.addr, addr.prefix.len(), addr.scope.word())
}

fn protocol_row(row: &ProtocolView, setting: &Setting<'_>) -> String {
    let since = setting.stamps.text(row.since, &setting.time.protocol);
    let table = row.table.as_deref().unwrap_or("---");
    let info: Cow<'_, str> = match &row.info {
        Info::Nothing => "".into(),
        Info::Bgp { error, .. } if row.state == "down" => (&**error).into(),
        Info::Bgp { state, error } => format!("{state:<14}{error}").into(),
        Info::Text(text) => (&**text).into(),
    };
    format!("{:<8} {:<8} {table:<8} {:<5}  {since:<10}  {info}", row.name, row.kind.word(), row.state)
}

fn protocol_detail(detail: &ProtocolDetail, out: &mut Frame) {
    let mut line = |label: &str, text: &dyn std::fmt::Display| {
        out.line(code::PROTOCOL_DETAIL, format_args!("  {label:<15} {text}"));
    };
    if let Some(text) = &detail.description {
        line("Description:", text);
    }
    if let Some(text) = &detail.message {
        line("Message:", text);
    }
    if let Some(id) = &detail.router_id {
        line("Router ID:", id);
    }
    for channel in &detail.channels {
        channel_detail(channel, out);
    }
    if let Some(bgp) = &detail.bgp {
        bgp_detail(bgp, out);
    }
}

fn channel_detail(channel: &ChannelView, out: &mut Frame) {
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::PROTOCOL_DETAIL, text);
    line(format_args!("  Preference:     {}", channel.preference));
    line(format_args!("  Input filter:   {}", channel.import.name()));
    line(format_args!("  Output filter:  {}", channel.export.name()));
    if let Some(recovery) = channel.recovery {
        let pending = if recovery.pending { " pending" } else { "" };
        let waiting = if recovery.waiting { " waiting" } else { "" };
        line(format_args!("  GR recovery:   {pending}{waiting}"));
    }
    limit("Receive limit:", channel.receive_limit, out);
    limit("Import limit:", channel.import_limit, out);
    limit("Export limit:", channel.export_limit, out);
    if let Some(routes) = &channel.routes {
        routes_detail(routes, out);
    }
    if let Some(pipe) = &channel.pipe {
        pipe_detail(pipe, out);
    }
}

/// What passes a pipe is exported by one table and imported by another: one line tells of both.
fn pipe_detail(pipe: &PipeView, out: &mut Frame) {
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::PROTOCOL_DETAIL, text);
    line(format_args!("  Routes:         {} imported, {} exported", pipe.import.routes, pipe.export.routes));
    line(format_args!("  Route change stats:     received   rejected   filtered    ignored   accepted"));
    for (label, way) in [("Import", &pipe.import), ("Export", &pipe.export)] {
        let (offered, taken) = (&way.offered, &way.taken);
        let (received, filtered) = (offered.updates_received, offered.updates_filtered);
        let rejected = offered.updates_rejected + taken.updates_rejected;
        let (ignored, accepted) = (taken.updates_ignored, taken.updates_accepted);
        let updates = format!("{label} updates:");
        line(format_args!(
            "    {updates:<19} {received:>10} {rejected:>10} {filtered:>10} {ignored:>10} {accepted:>10}"
        ));
        let (received, rejected) = (offered.withdraws_received, taken.withdraws_rejected);
        let (ignored, accepted) = (taken.withdraws_ignored, taken.withdraws_accepted);
        let withdraws = format!("{label} withdraws:");
        line(format_args!("    {withdraws:<19} {received:>10} {rejected:>10}        --- {ignored:>10} {accepted:>10}"));
    }
}

fn limit(label: &str, limit: Option<LimitView>, out: &mut Frame) {
    let Some(limit) = limit else { return };
    let hit = if limit.hit { " [HIT]" } else { "" };
    let action = match limit.action {
        LimitAction::Warn => "warn",
        LimitAction::Block => "block",
        LimitAction::Restart => "restart",
        LimitAction::Disable => "disable",
    };
    out.line(code::PROTOCOL_DETAIL, format_args!("  {label:<15} {}{hit}", limit.routes_max));
    out.line(code::PROTOCOL_DETAIL, format_args!("    Action:       {action}"));
}

fn routes_detail(routes: &RoutesView, out: &mut Frame) {
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::PROTOCOL_DETAIL, text);
    let n = &routes.counts;
    let filtered = match routes.keep_filtered {
        true => format!("{} filtered, ", n.filtered),
        false => String::new(),
    };
    line(format_args!(
        "  Routes:         {} imported, {filtered}{} exported, {} preferred",
        n.imported, n.exported, n.preferred
    ));
    line(format_args!("  Route change stats:     received   rejected   filtered    ignored   accepted"));
    let (i, e) = (&routes.import, &routes.export);
    for (label, cells) in [
        (
            "Import updates:",
            [
                Some(i.updates_received),
                Some(i.updates_rejected),
                Some(i.updates_filtered),
                Some(i.updates_ignored),
                Some(i.updates_accepted),
            ],
        ),
        (
            "Import withdraws:",
            [
                Some(i.withdraws_received),
                Some(i.withdraws_rejected),
                None,
                Some(i.withdraws_ignored),
                Some(i.withdraws_accepted),
            ],
        ),
        (
            "Export updates:",
            [
                Some(e.updates_received),
                Some(e.updates_rejected),
                Some(e.updates_filtered),
                None,
                Some(e.updates_accepted),
            ],
        ),
        ("Export withdraws:", [Some(e.withdraws_received), None, None, None, Some(e.withdraws_accepted)]),
    ] {
        let cells = cells.map(|c| c.map_or(Cow::Borrowed("---"), |n| n.to_string().into()));
        let [received, rejected, filtered, ignored, accepted] = &cells;
        line(format_args!("    {label:<19} {received:>10} {rejected:>10} {filtered:>10} {ignored:>10} {accepted:>10}"));
    }
}

fn bgp_detail(bgp: &BgpView, out: &mut Frame) {
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::PROTOCOL_DETAIL, text);
    line(format_args!("  BGP state:          {}", bgp.state));
    let iface = match &bgp.iface {
        Some(name) => format!("%{name}"),
        None => String::new(),
    };
    line(format_args!("    Neighbor address: {}{iface}", bgp.peer_addr));
    line(format_args!("    Neighbor AS:      {}", bgp.peer_as));
    if let Some(restart) = bgp.restart {
        let (word, label) = match restart.long_lived {
            true => ("long-lived graceful", "LL stale timer:"),
            false => ("graceful", "Restart timer:"),
        };
        line(format_args!("    Neighbor {word} restart active"));
        if let Some(seconds) = restart.remaining_s {
            line(format_args!("    {label:<15}   {seconds}/-"));
        }
    }
    if let Some(t) = bgp.error_wait {
        line(format_args!("    Error wait:       {}/{}", t.remaining_s, t.total_s));
    }
    if let Some(t) = bgp.connect_delay {
        line(format_args!("    Connect delay:    {}/{}", t.remaining_s, t.total_s));
    }
    if let Some(session) = &bgp.session {
        session_detail(session, out);
    }
    if !bgp.error.is_empty() {
        out.line(code::PROTOCOL_DETAIL, format_args!("    Last error:       {}", bgp.error));
    }
}

fn session_detail(session: &SessionView, out: &mut Frame) {
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::PROTOCOL_DETAIL, text);
    line(format_args!("    Neighbor ID:      {}", session.peer_id));
    line(format_args!("    Neighbor caps:    {}", session.caps.join(" ")));
    line(format_args!("    Session:          {}", session.words.join(" ")));
    line(format_args!("    Source address:   {}", session.source_addr));
    if let Some((routes, most)) = session.route_limit {
        line(format_args!("    Route limit:      {routes}/{most}"));
    }
    let (hold, keepalive) = (session.hold, session.keepalive);
    line(format_args!("    Hold timer:       {}/{}", hold.remaining_s, hold.total_s));
    line(format_args!("    Keepalive timer:  {}/{}", keepalive.remaining_s, keepalive.total_s));
}

/// Every error with its source lines, the first one first and in BIRD's words; a line of text is a line of the reply.
fn configuration_errors(errors: &[String], out: &mut Frame) {
    let mut lines = errors.iter().flat_map(|error| error.lines());
    let last = lines.next_back().unwrap_or_default();
    for line in lines {
        out.line(code::CONFIGURATION_ERROR, line);
    }
    out.end(code::CONFIGURATION_ERROR, last);
}

fn static_row(row: &StaticRow, out: &mut Frame) {
    let dormant = |i: usize| if row.dormant.get(i) == Some(&true) { " (dormant)" } else { "" };
    let bfd = |on: bool| if on { " (bfd)" } else { "" };
    let router = |hop: &StaticHop| match &hop.iface {
        Some(iface) => format!("{}%{iface}", hop.gateway),
        None => hop.gateway.to_string(),
    };
    let net = row.net;
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::STATIC, text);
    match &row.to {
        StaticDest::Via(hops) => match hops.as_slice() {
            // In 1.6 only gateways of a `multipath` can have `bfd`, were it one.
            [hop] if !hop.bfd => line(format_args!("{net} via {}{}", router(hop), dormant(0))),
            hops => {
                line(format_args!("{net} multipath"));
                for (i, hop) in hops.iter().enumerate() {
                    let weight = hop.weight;
                    line(format_args!("\tvia {} weight {weight}{}{}", router(hop), bfd(hop.bfd), dormant(i)));
                }
            }
        },
        StaticDest::Device(name) => line(format_args!("{net} dev {name}{}", dormant(0))),
        StaticDest::Recursive(gateway) => line(format_args!("{net} recursive {gateway}{}", dormant(0))),
        StaticDest::Blackhole => line(format_args!("{net} blackhole")),
        StaticDest::Unreachable => line(format_args!("{net} unreachable")),
        StaticDest::Prohibit => line(format_args!("{net} prohibited")),
    }
}

/// One path: `NET  VIA [PROTO SINCE from ADDR] * (INFO)`, and the next hops of a multipath.
fn route_row(label: Option<Prefix>, path: &ShownPath<'_>, setting: &Setting<'_>, out: &mut Frame) {
    let iface = |index: IfIndex| setting.ifaces.get(index).map_or("?", |i| &*i.name);
    let mut line = out.begin(code::ROUTE);
    if let Some(net) = label {
        line.net(net);
    }
    line.fill(18).put(" ");
    let gateway = match &path.hop.to {
        Resolved::Unicast(Hop { gateway, .. }) => *gateway,
        _ => None,
    };
    match (&path.hop.to, gateway) {
        (Resolved::Unicast(hop), Some(gateway)) => line.put("via ").addr(gateway).put(" on ").word(iface(hop.iface)),
        (Resolved::Unicast(hop), None) => line.put("dev ").word(iface(hop.iface)),
        (Resolved::Multipath(_), _) => line.put("multipath"),
        (Resolved::Blackhole, _) => line.put("blackhole"),
        (Resolved::Unreachable, _) => line.put("unreachable"),
        (Resolved::Prohibit, _) => line.put("prohibited"),
    };
    line.put(" [").word(&path.source.protocol_name).put(" ");
    setting.stamps.with_text(path.since, &setting.time.route, |text| {
        line.word(text);
    });
    if let Some(from) = path.attrs.local().from.filter(|from| Some(*from) != gateway && !from.is_unspecified()) {
        line.put(" from ").addr(from);
    }
    line.put(match path.mark {
        Mark::None => "]",
        Mark::Best => "] *",
        Mark::Refused => "] !",
    });
    info(path, &mut line);
    drop(line);
    if let Resolved::Multipath(hops) = &path.hop.to {
        for hop in &**hops {
            let mut line = out.begin(code::ROUTE);
            let gateway = hop.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
            line.put("\tvia ").addr(gateway).put(" on ").word(iface(hop.iface));
            line.put(" weight ").number(u32::from(hop.weight) + 1);
        }
    }
}

/// ` (200)`, and for BGP ` (100/0) [AS64512i]`.
fn info(path: &ShownPath<'_>, line: &mut Line<'_>) {
    line.put(" (").number(path.attrs.local().preference);
    if path.source.bgp.is_none() {
        line.put(")");
        return;
    }
    let ends = Ends::of(&path.attrs);
    if ends.is_long_lived_stale {
        line.put("s");
    }
    match path.hop.igp_metric {
        _ if !path.hop.recursive => line.put(""),
        _ if path.hop.to == Resolved::Unreachable => line.put("/-"),
        None | Some(IGP_METRIC_UNKNOWN) => line.put("/?"),
        Some(metric) => line.put("/").number(metric),
    };
    line.put(") [");
    if let Some(asn) = ends.last_as {
        line.put("AS").number(asn);
    }
    line.put(match ends.origin {
        Some(origin::IGP) => "i]",
        Some(origin::EGP) => "e]",
        Some(origin::INCOMPLETE) => "?]",
        _ => "]",
    });
}

/// What stands at the end of a BGP route's line, read in one walk over its attributes.
#[derive(Default)]
struct Ends {
    origin: Option<u8>,
    /// The AS that originated it.
    last_as: Option<u32>,
    /// Kept beyond a graceful restart (RFC 9494); what is merely kept has no mark in 1.6.
    is_long_lived_stale: bool,
}

impl Ends {
    fn of(attrs: &AttrSet) -> Self {
        let mut ends = Self::default();
        for record in attrs.iter() {
            match record.code {
                attr::ORIGIN => ends.origin = record.value.first().copied(),
                attr::AS_PATH => ends.last_as = AsPath::new(record.value).last(),
                attr::COMMUNITY => {
                    ends.is_long_lived_stale = communities(record.value).any(|c| c == LLGR_STALE);
                }
                _ => {}
            }
        }
        ends
    }
}

fn route_detail(path: &ShownPath<'_>, out: &mut Frame) {
    let local = path.attrs.local();
    let (kind, scope) = (local.kind.word(), local.scope.word());
    out.line(code::ROUTE_TYPE, format_args!("\tType: {kind} unicast {scope}"));
    attributes::each_line(&path.attrs, |text| out.line(code::ROUTE_ATTRIBUTE, text));
}
