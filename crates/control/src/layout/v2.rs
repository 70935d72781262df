//! The text of BIRD 2.0.12, to the octet.
//!
//! Checked against what the real daemon said (`tests/reference/2.0.12`). Against
//! 1.6 it prints channels, trees of capabilities, milliseconds, both families, and
//! next hops in lines of their own. `show memory` has no overhead to tell and no
//! standby pages: rbird's figures are octets in use.

use super::words::{self, Ends, flags};
use super::{Layout, Setting, attributes};
use crate::code;
use crate::frame::{Frame, Line};
use crate::request::Choice;
use crate::routes::{Mark, ShownNet, ShownPath, ShownRoa, Sums};
use crate::view::{
    BfdSessionView, BgpView, BmpView, CapabilitiesView, ChannelView, Info, InterfaceView, KeptFamilies, Kind,
    MemoryView, ProtocolDetail, ProtocolView, RpkiView, SessionView, StaticRow, StaticTo, StatusView, Timer,
};
use conf::config::{StaticDest, StaticHop};
use filter::Authorised;
use route::aigp;
use route::attrs::{LocalAttr, LocalValue};
use route::hop::IGP_METRIC_UNKNOWN;
use route::{Family, Hop, IfIndex, IfaceAddr, Prefix, Resolved, SourceKind, Written};
use std::borrow::Cow;
use std::net::IpAddr;

/// BIRD 2.0.12.
pub struct V2;

impl Layout for V2 {
    fn status(&self, view: &StatusView, setting: &Setting<'_>, out: &mut Frame) {
        let time = |at| setting.stamps.text(at, &setting.time.base);
        out.line(code::VERSION, format_args!("BIRD {}", setting.version));
        out.line(code::STATUS_DETAIL, format_args!("Router ID is {}", view.router_id));
        out.line(code::STATUS_DETAIL, format_args!("Hostname is {}", view.hostname));
        let now = setting.stamps.now().moment;
        out.line(code::STATUS_DETAIL, format_args!("Current server time is {}", time(now)));
        out.line(code::STATUS_DETAIL, format_args!("Last reboot on {}", time(view.started)));
        out.line(code::STATUS_DETAIL, format_args!("Last reconfiguration on {}", time(view.configured)));
        if let Some(recovery) = view.recovery {
            out.line(code::RECOVERY, "Graceful restart recovery in progress");
            out.line(code::RECOVERY, format_args!("  Waiting for {} channels to recover", recovery.waiting));
            out.line(code::RECOVERY, format_args!("  Wait timer is {}", timer(recovery.timer)));
        }
        words::phase(view.phase, out);
    }

    fn memory(&self, view: &MemoryView, out: &mut Frame) {
        out.line(code::MEMORY, "BIRD memory usage");
        out.line(code::MEMORY, format_args!("{:<17} {:>9} {:>11}", "", "Effective", "Overhead"));
        for (label, octets) in [
            ("Routing tables:", view.tables.saturating_add(view.roa)),
            ("Route attributes:", view.attributes),
            ("Protocols:", view.protocols),
            ("Current config:", view.config),
            ("Standby memory:", 0),
            ("Total:", view.total),
        ] {
            out.line(code::MEMORY, format_args!("{label:<17} {:>9} {:>11}", scaled(octets), scaled(0)));
        }
        out.ok();
    }

    fn interfaces(&self, rows: &[InterfaceView], _setting: &Setting<'_>, out: &mut Frame) {
        for row in rows {
            let iface = &row.iface;
            let state = up_or_down(iface.is_up());
            let master = match &row.master {
                Some(name) => format!(" master={name}"),
                None => String::new(),
            };
            out.line(code::INTERFACE, format_args!("{} {state} (index={}{master})", iface.name, iface.index.0));
            out.line(code::INTERFACE_FLAGS, flags(iface.flags, iface.mtu));
            let preferred = preferred(row);
            let mut addrs: Vec<&IfaceAddr> = iface.addrs.iter().collect();
            addrs.sort_by_key(|a| Family::of(a.addr));
            for addr in addrs {
                let word = match addr {
                    addr if preferred.contains(&addr) => "Preferred, ",
                    addr if addr.secondary => "Secondary, ",
                    _ => "",
                };
                out.line(code::INTERFACE_ADDRESS, address(addr, word));
            }
        }
        out.ok();
    }

    fn interfaces_summary(&self, rows: &[InterfaceView], _setting: &Setting<'_>, out: &mut Frame) {
        out.line(code::INTERFACE_HEADER, "Interface  State  IPv4 address       IPv6 address");
        for row in rows {
            let of = |family| {
                let found = preferred(row).into_iter().find(|a| Family::of(a.addr) == family && !is_link_local(a));
                found.map_or_else(String::new, |a| format!("{}/{}", Written(a.addr), a.prefix.len()))
            };
            let (name, state) = (&row.iface.name, up_or_down(row.iface.is_up()));
            let (v4, v6) = (of(Family::Ipv4), of(Family::Ipv6));
            out.line(code::INTERFACE_SUMMARY, format_args!("{name:<10} {state:<6} {v4:<18} {v6}"));
        }
        out.ok();
    }

    fn protocols(&self, rows: &[ProtocolView], choice: &Choice, setting: &Setting<'_>, out: &mut Frame) {
        if !rows.is_empty() {
            out.line(code::PROTOCOL_HEADER, "Name       Proto      Table      State  Since         Info");
        }
        for row in rows {
            out.line(code::PROTOCOL, protocol_row(row, setting));
            if let Some(detail) = &row.detail {
                protocol_detail(row.kind, detail, out);
                out.line(code::PROTOCOL_DETAIL, "");
            }
        }
        self.chosen(rows.len(), choice, out);
    }

    fn statics(&self, rows: &[StaticRow], out: &mut Frame) {
        for row in rows {
            static_row(row, out);
        }
    }

    fn bfd_sessions(&self, protocol: &str, rows: Option<&[BfdSessionView]>, setting: &Setting<'_>, out: &mut Frame) {
        words::bfd_sessions(12, protocol, rows, setting, out);
    }

    fn table(&self, name: &str, is_first: bool, out: &mut Frame) {
        if !is_first {
            out.line(code::ROUTE, "");
        }
        out.line(code::ROUTE, format_args!("Table {name}:"));
    }

    fn net(&self, net: &ShownNet<'_, '_>, detail: bool, setting: &Setting<'_>, out: &mut Frame) {
        let mut label = Some(net.net);
        for path in net.paths {
            route_row(label.take(), path, setting, out);
            if detail {
                let (kind, scope) = (path.attrs.local().kind.word(), path.attrs.local().scope.word());
                out.line(code::ROUTE_TYPE, format_args!("\tType: {kind} {scope}"));
                attributes::each_line(&path.attrs, setting.symbols, attributes::Style::V2, |text| {
                    out.line(code::ROUTE_ATTRIBUTE, text)
                });
            }
        }
    }

    fn roa_net(&self, net: &ShownRoa<'_>, detail: bool, setting: &Setting<'_>, out: &mut Frame) {
        let mut label = net.net.to_string();
        for (lot, attrs, best) in &net.lots {
            let (since, mark) = (setting.stamps.text(lot.since, &setting.time.route), if *best { " *" } else { "" });
            let (by, local) = (&lot.source.protocol_name, attrs.local());
            let row = format_args!("{label:<20}  [{by} {since}]{mark} ({})", local.preference);
            out.line(code::ROUTE, row);
            label.clear();
            if detail {
                let (kind, scope) = (local.kind.word(), local.scope.word());
                out.line(code::ROUTE_TYPE, format_args!("\tType: {kind} {scope}"));
                attributes::each_line(attrs, setting.symbols, attributes::Style::V2, |text| {
                    out.line(code::ROUTE_ATTRIBUTE, text)
                });
            }
        }
    }

    fn table_sums(&self, name: &str, sums: &Sums, out: &mut Frame) {
        let Sums { shown, routes, networks } = sums;
        let text = format_args!("{shown} of {routes} routes for {networks} networks in table {name}");
        out.line(code::ROUTE, text);
    }

    fn sums(&self, sums: &Sums, tables: usize, is_list: bool, out: &mut Frame) {
        if tables < 2 {
            return out.ok();
        }
        if is_list {
            out.line(code::ROUTE, "");
        }
        let Sums { shown, routes, networks } = sums;
        let text = format_args!("Total: {shown} of {routes} routes for {networks} networks in {tables} tables");
        out.end(code::ROUTE_COUNT, text);
    }

    fn no_network(&self) -> &'static str {
        "Network not found"
    }
}

const fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}

/// A size with one digit behind the point, and its unit.
fn scaled(octets: u64) -> String {
    if octets < 10_000 {
        return format!("{octets}.0  B");
    }
    let mut tenths = octets.saturating_mul(10);
    let mut unit = "";
    for next in ["kB", "MB", "GB"] {
        if !unit.is_empty() && tenths < 100_000 {
            break;
        }
        tenths = tenths.saturating_add(512) / 1024;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Seconds left with milliseconds, and of how many seconds.
fn timer(timer: Timer) -> String {
    format!("{}/{}", left(timer.remaining_ms), timer.total_s)
}

fn left(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// The addresses that stand for a link: IPv4, IPv6, and its link-local one.
fn preferred(row: &InterfaceView) -> Vec<&IfaceAddr> {
    let addrs = || row.iface.addrs.iter();
    let of = |family| {
        let mut found = addrs().filter(move |a| Family::of(a.addr) == family && row.primary.contains(&a.addr));
        found.find(|a| !is_link_local(a))
    };
    [of(Family::Ipv4), of(Family::Ipv6), addrs().find(|a| is_link_local(a))].into_iter().flatten().collect()
}

const fn is_link_local(addr: &IfaceAddr) -> bool {
    matches!(addr.addr, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

fn address(addr: &IfaceAddr, word: &str) -> String {
    let opposite = match addr.peer {
        Some(peer) => format!("opposite {}, ", Written(peer)),
        None => String::new(),
    };
    format!("\t{}/{} ({word}{opposite}scope {})", Written(addr.addr), addr.prefix.len(), addr.scope.word())
}

fn protocol_row(row: &ProtocolView, setting: &Setting<'_>) -> String {
    let since = setting.stamps.text(row.since, &setting.time.protocol);
    // Only protocols with one main channel have a table of their own here.
    let table = row.table.as_deref().filter(|_| matches!(row.kind, Kind::Static | Kind::Kernel)).unwrap_or("---");
    let info: Cow<'_, str> = match &row.info {
        Info::Nothing => "".into(),
        Info::Bgp { error, .. } if row.state == "down" => (&**error).into(),
        Info::Bgp { state, error } => format!("{state:<14}{error}").into(),
        Info::Pipe { table, peer, .. } => format!("{table} <=> {peer}").into(),
        Info::Text(text) => (&**text).into(),
    };
    // Feeding and waiting are states of channels.
    let state = if matches!(row.state, "feed" | "wait") { "up" } else { row.state };
    format!("{:<10} {:<10} {table:<10} {state:<6} {since:<12}  {info}", row.name, row.kind.word())
}

fn protocol_detail(kind: Kind, detail: &ProtocolDetail, out: &mut Frame) {
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
    if let Some(vrf) = &detail.vrf {
        line("VRF:", vrf);
    }
    if let Some(bgp) = &detail.bgp {
        bgp_detail(bgp, out);
    }
    if let Some(rpki) = &detail.rpki {
        rpki_detail(rpki, out);
        for name in ["roa4", "roa6"] {
            match detail.channels.iter().find(|c| c.name == name) {
                Some(channel) => channel_detail(channel, out),
                None => words::detail("  ", format_args!("No {name} channel"), out),
            }
        }
        // Of this one 2.0.12 says nothing when it is missing.
        detail.channels.iter().filter(|c| c.name == "aspa").for_each(|channel| channel_detail(channel, out));
        return;
    }
    if let Some(bmp) = &detail.bmp {
        bmp_detail(bmp, out);
    }
    // What MRT says of its table is no channel.
    for channel in detail.channels.iter().filter(|c| !c.name.is_empty() && kind != Kind::Mrt) {
        match &channel.peer_table {
            Some(peer) => pipe_detail(channel, peer, out),
            None => channel_detail(channel, out),
        }
    }
}

/// As 2.19 prints it.
fn bmp_detail(bmp: &BmpView, out: &mut Frame) {
    let mut line =
        |label: &str, text: &dyn std::fmt::Display| words::detail("  ", format_args!("{label:<19} {text}"), out);
    if let Some(addr) = &bmp.station_addr {
        line("Station address:", addr);
    }
    line("Station port:", &bmp.station_port);
    if let Some(addr) = &bmp.local_addr {
        line("Local address:", addr);
    }
    if !bmp.error.is_empty() {
        line("Last error:", &bmp.error);
    }
    line("Pending TX:", &format_args!("{:>10} (limit {})", scaled(bmp.pending), scaled(bmp.limit)));
    line("Session TX:", &format_args!("{:>10}", scaled(bmp.sent)));
    line("Total TX:", &format_args!("{:>10}", scaled(bmp.sent_ever)));
}

fn channel_detail(channel: &ChannelView, out: &mut Frame) {
    words::detail("  ", format_args!("Channel {}", channel.name), out);
    let mut line =
        |label: &str, text: &dyn std::fmt::Display| words::detail("    ", format_args!("{label:<15} {text}"), out);
    line("State:", &channel.state);
    line("Table:", &channel.table);
    line("Preference:", &channel.preference);
    line("Input filter:", &channel.import.name());
    line("Output filter:", &channel.export.name());
    if let Some(recovery) = channel.recovery {
        let pending = if recovery.pending { " pending" } else { "" };
        let waiting = if recovery.waiting { " waiting" } else { "" };
        words::detail("    ", format_args!("GR recovery:   {pending}{waiting}"), out);
    }
    words::limit("    ", "Receive limit:", channel.receive_limit, out);
    words::limit("    ", "Import limit:", channel.import_limit, out);
    words::limit("    ", "Export limit:", channel.export_limit, out);
    if let Some(routes) = channel.routes.as_ref().filter(|_| channel.state != "DOWN") {
        words::routes("    ", routes, out);
    }
    if let Some(restart) = channel.restart {
        let word = if restart.long_lived { "Long-lived" } else { "Regular" };
        words::detail("    ", format_args!("Neighbor GR:    {word}"), out);
        if let Some(ms) = restart.remaining_ms.filter(|_| restart.long_lived) {
            words::detail("    ", format_args!("LL stale timer: {}/-", left(ms)), out);
        }
    }
    if let Some((global, link_local)) = channel.next_hop.filter(|_| channel.state == "UP") {
        let link_local = link_local.map_or_else(String::new, |addr| format!(" {}", Written(addr)));
        words::detail("    ", format_args!("BGP Next hop:   {}{link_local}", Written(global)), out);
    }
    for (family, table) in &channel.igp_tables {
        let word = if *family == Family::Ipv4 { "IPv4" } else { "IPv6" };
        words::detail("    ", format_args!("IGP {word} table: {table}"), out);
    }
}

fn rpki_detail(rpki: &RpkiView, out: &mut Frame) {
    let mut line =
        |label: &str, text: &dyn std::fmt::Display| words::detail("  ", format_args!("{label:<17} {text}"), out);
    let or_not = |text: Option<String>| text.unwrap_or_else(|| "---".to_owned());
    line("Cache server:", &rpki.server);
    if let Some(port) = rpki.port {
        line("Cache port:", &port);
    }
    line("Status:", &rpki.status);
    line("Transport:", &rpki.transport);
    line("Protocol version:", &rpki.version);
    line("Session ID:", &or_not(rpki.session.map(|id| id.to_string())));
    line("Serial number:", &or_not(rpki.known.map(|(serial, _)| serial.to_string())));
    line("Last update:", &or_not(rpki.known.map(|(_, ms)| format!("before {} s", left(ms)))));
    for (label, t) in ["Refresh timer", "Retry timer", "Expire timer"].into_iter().zip(rpki.timers) {
        words::detail("  ", format_args!("{label:<16}: {}", or_not(t.map(timer))), out);
    }
}

fn pipe_detail(channel: &ChannelView, peer: &str, out: &mut Frame) {
    words::detail("  ", format_args!("Channel main"), out);
    let mut line =
        |label: &str, text: &dyn std::fmt::Display| words::detail("    ", format_args!("{label:<15} {text}"), out);
    line("Table:", &channel.table);
    line("Peer table:", &peer);
    let state = channel.state.to_lowercase();
    line("Import state:", &state);
    line("Export state:", &state);
    line("Import filter:", &channel.import.name());
    line("Export filter:", &channel.export.name());
    words::limit("    ", "Import limit:", channel.import_limit, out);
    words::limit("    ", "Export limit:", channel.export_limit, out);
    if let Some(pipe) = &channel.pipe {
        let (imported, exported) = (pipe.import.routes, pipe.export.routes);
        words::detail("  ", format_args!("Routes:         {imported} imported, {exported} exported"), out);
        words::pipe_changes("  ", pipe, out);
    }
}

fn bgp_detail(bgp: &BgpView, out: &mut Frame) {
    let iface = match &bgp.iface {
        Some(name) => format!("%{name}"),
        None => String::new(),
    };
    let onlink = if bgp.onlink { " onlink" } else { "" };
    words::detail("  ", format_args!("BGP state:          {}", bgp.state), out);
    let mut line =
        |label: &str, text: &dyn std::fmt::Display| words::detail("    ", format_args!("{label:<17} {text}"), out);
    match &bgp.range {
        Some(range) => line("Neighbor range:", &format_args!("{range}{onlink}")),
        None => line("Neighbor address:", &format_args!("{}{iface}{onlink}", Written(bgp.peer_addr))),
    }
    line("Neighbor AS:", &bgp.peer_as);
    line("Local AS:", &bgp.local_as);
    if bgp.restart.is_some() {
        words::detail("    ", format_args!("Neighbor graceful restart active"), out);
    }
    let mut line =
        |label: &str, text: &dyn std::fmt::Display| words::detail("    ", format_args!("{label:<17} {text}"), out);
    if let Some(t) = bgp.error_wait {
        line("Error wait:", &timer(t));
    }
    if let Some(t) = bgp.connect_delay {
        line("Connect delay:", &timer(t));
    }
    if let Some(ms) = bgp.restart.filter(|r| !r.long_lived).and_then(|r| r.remaining_ms) {
        line("Restart timer:", &format_args!("{}/-", left(ms)));
    }
    if let Some(session) = &bgp.session {
        session_detail(session, out);
    }
    if !bgp.error.is_empty() {
        words::detail("    ", format_args!("Last error:       {}", bgp.error), out);
    }
}

/// What BIRD 1.6 says of a session, and BIRD 2 by the capabilities of both sides alone.
const IN_1_ONLY: &[&str] = &["add-path-rx", "add-path-tx", "ext-messages"];

fn session_detail(session: &SessionView, out: &mut Frame) {
    words::detail("    ", format_args!("Neighbor ID:      {}", session.peer_id), out);
    for (head, capabilities) in [("Local capabilities", &session.ours), ("Neighbor capabilities", &session.theirs)] {
        words::detail("    ", format_args!("{head}"), out);
        capability_tree(capabilities, out);
    }
    let mut line =
        |label: &str, text: &dyn std::fmt::Display| words::detail("    ", format_args!("{label:<17} {text}"), out);
    let words: Vec<_> = session.words.iter().copied().filter(|word| !IN_1_ONLY.contains(word)).collect();
    line("Session:", &words.join(" "));
    line("Source address:", &Written(session.source_addr));
    line("Hold timer:", &timer(session.hold));
    line("Keepalive timer:", &timer(session.keepalive));
    if let Some(t) = session.send_hold {
        line("Send hold timer:", &timer(t));
    }
    if let Some(ao) = &session.tcp_ao {
        let id = |id: Option<u8>| id.map_or_else(|| "-1".to_owned(), |id| id.to_string());
        words::detail("    ", format_args!("TCP-AO:"), out);
        let mut line = |label: &str, text: &dyn std::fmt::Display| {
            words::detail("      ", format_args!("{label:<15} {text}"), out)
        };
        line("Current key:", &id(ao.current));
        line("RNext key:", &id(ao.rnext));
        line("Good packets:", &ao.good);
        line("Bad packets:", &ao.bad);
    }
}

/// What one side announced, in BIRD's order.
fn capability_tree(said: &CapabilitiesView, out: &mut Frame) {
    let mut name = |text: &str| words::detail("      ", format_args!("{text}"), out);
    if !said.families.is_empty() {
        name("Multiprotocol");
        name(&format!("  AF announced:{}", list(&said.families)));
    }
    if said.route_refresh {
        name("Route refresh");
    }
    if !said.extended_next_hop.is_empty() {
        name("Extended next hop");
        name(&format!("  IPv6 nexthop:{}", list(&said.extended_next_hop)));
    }
    if said.extended_messages {
        name("Extended message");
    }
    if let Some(restart) = &said.restart {
        name("Graceful restart");
        if !restart.families.supported.is_empty() {
            name(&format!("  Restart time: {}", restart.time_s));
            if restart.is_recovering {
                name("  Restart recovery");
            }
            kept(&restart.families).iter().for_each(|line| name(line));
        }
    }
    if said.as4 {
        name("4-octet AS numbers");
    }
    if let Some([received, sent]) = &said.add_path {
        name("ADD-PATH");
        name(&format!("  RX:{}", list(received)));
        name(&format!("  TX:{}", list(sent)));
    }
    if said.enhanced_refresh {
        name("Enhanced refresh");
    }
    if let Some((families, greatest)) = &said.long_lived {
        name("Long-lived graceful restart");
        if !families.supported.is_empty() {
            name(&format!("  LL stale time: {greatest}"));
            kept(families).iter().for_each(|line| name(line));
        }
    }
    if let Some(hostname) = &said.hostname {
        name(&format!("Hostname: {hostname}"));
    }
    if let Some(role) = said.role {
        name(&format!("Role: {role}"));
    }
}

fn kept(families: &KeptFamilies) -> [String; 2] {
    let (supported, preserved) = (list(&families.supported), list(&families.preserved));
    [format!("  AF supported:{supported}"), format!("  AF preserved:{preserved}")]
}

/// Names, each behind a blank.
fn list(names: &[&str]) -> String {
    names.iter().fold(String::new(), |text, name| text + " " + name)
}

fn static_row(row: &StaticRow, out: &mut Frame) {
    let dormant = |i: usize| if row.dormant.get(i) == Some(&true) { " (dormant)" } else { "" };
    let net = row.net;
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::STATIC, text);
    let to = match &row.to {
        StaticTo::Way(to) => to,
        StaticTo::Providers(customer) => return line(format_args!("{customer}\t")),
        StaticTo::Authority(roa) => return line(format_args!("{}\t", Authorised::Origin(roa))),
    };
    match to {
        StaticDest::Via(hops) => {
            line(format_args!("{net}"));
            for (i, StaticHop { gateway, iface, onlink, bfd, .. }) in hops.iter().enumerate() {
                let Some(gateway) = gateway else {
                    line(format_args!("\tdev {}{}", iface.as_deref().unwrap_or_default(), dormant(i)));
                    continue;
                };
                let iface = iface.as_ref().map_or_else(String::new, |name| format!("%{name}"));
                let onlink = if *onlink { " onlink" } else { "" };
                let bfd = if *bfd { " (bfd)" } else { "" };
                line(format_args!("\tvia {}{iface}{onlink}{bfd}{}", Written(*gateway), dormant(i)));
            }
        }
        StaticDest::Device(name) => {
            line(format_args!("{net}"));
            line(format_args!("\tdev {name}{}", dormant(0)));
        }
        StaticDest::Recursive(gateway) => line(format_args!("{net}\trecursive {}", Written(*gateway))),
        StaticDest::Blackhole => line(format_args!("{net}\tblackhole")),
        StaticDest::Unreachable => line(format_args!("{net}\tunreachable")),
        StaticDest::Prohibit => line(format_args!("{net}\tprohibited")),
    }
}

/// One path: `NET  unicast [PROTO SINCE from ADDR] * (INFO)`, and its next hops below.
fn route_row(label: Option<Prefix>, path: &ShownPath<'_>, setting: &Setting<'_>, out: &mut Frame) {
    let hops: &[Hop] = match &path.hop.to {
        Resolved::Unicast(hop) => std::slice::from_ref(hop),
        Resolved::Multipath(hops) => hops,
        Resolved::Blackhole | Resolved::Unreachable | Resolved::Prohibit => &[],
    };
    let mut line = out.begin(code::ROUTE);
    if let Some(net) = label {
        line.net(net);
    }
    line.fill(20).put(match &path.hop.to {
        Resolved::Unicast(_) | Resolved::Multipath(_) => " unicast [",
        Resolved::Blackhole => " blackhole [",
        Resolved::Unreachable => " unreachable [",
        Resolved::Prohibit => " prohibited [",
    });
    line.word(&path.source.protocol_name).put(" ");
    setting.stamps.with_text(path.since, &setting.time.route, |text| {
        line.word(text);
    });
    let gateway = hops.first().and_then(|hop| hop.gateway);
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
    for hop in hops {
        let mut line = out.begin(code::ROUTE);
        let iface = match hop.iface {
            IfIndex(0) => "?",
            index => setting.ifaces.get(index).map_or("?", |i| &*i.name),
        };
        match hop.gateway {
            Some(gateway) => line.put("\tvia ").addr(gateway).put(" on ").word(iface),
            None => line.put("\tdev ").word(iface),
        };
        if hop.onlink {
            line.put(" onlink");
        }
        // BIRD says it of gateways alone.
        if hops.len() > 1 && hop.gateway.is_some() {
            line.put(" weight ").number(u32::from(hop.weight) + 1);
        }
    }
}

/// ` (200)`, and for BGP ` (100) [AS64512i]`, ` (100/55) [i]`. A metric of nothing is not said.
fn info(path: &ShownPath<'_>, line: &mut Line<'_>) {
    line.put(" (").number(path.attrs.local().preference);
    if path.source.bgp.is_some() {
        let ends = Ends::of(&path.attrs);
        if path.suppressed {
            line.put("-");
        }
        if ends.is_long_lived_stale {
            line.put("s");
        }
        bgp_metric(path, &ends, line);
        line.put(")");
        return ends.write(line);
    }
    // Of the others static routes say the metric that the operator has given them.
    let is_static = matches!(path.source.kind, SourceKind::Static | SourceKind::StaticDevice);
    if let Some(metric) = given_metric(path).filter(|_| is_static) {
        line.put("/").number(metric);
    }
    line.put(")");
}

/// What a route costs: the metric that it has accumulated, or else the distance to its next hop.
fn bgp_metric(path: &ShownPath<'_>, ends: &Ends, line: &mut Line<'_>) {
    let total = ends.aigp.map(|metric| aigp::total(metric, path.hop.distance()));
    if let Some(total) = total.filter(|total| *total != aigp::METRIC_MAX) {
        line.put("/").word(&total.to_string());
        return;
    }
    match metric(path) {
        0 => {}
        IGP_METRIC_UNKNOWN.. => {
            line.put("/?");
        }
        metric => {
            line.put("/").number(metric);
        }
    }
}

/// The distance to the next hop; for a route that did not have to be resolved the one that it was given.
fn metric(path: &ShownPath<'_>) -> u32 {
    if path.hop.recursive {
        let reached = path.hop.to != Resolved::Unreachable;
        return if reached { path.hop.igp_metric.unwrap_or(IGP_METRIC_UNKNOWN) } else { 0 };
    }
    if let Some(metric) = path.hop.igp_metric {
        return metric;
    }
    given_metric(path).unwrap_or(0)
}

/// `igp_metric` that a filter has set.
fn given_metric(path: &ShownPath<'_>) -> Option<u32> {
    match path.attrs.local().extra(LocalAttr::IgpMetric) {
        Some(LocalValue::Int(metric)) => Some(*metric),
        _ => None,
    }
}
