//! The text of BIRD 1.6.8, to the octet.
//!
//! Checked against transcripts of the real daemon (`tests/reference`). What looks
//! odd here is so there: trailing blanks of empty columns, counts of a device
//! protocol that has no routes, a `Type:` line under blackholes that says unicast.

use super::words::{self, Ends, flags};
use super::{Layout, Setting, attributes};
use crate::code;
use crate::frame::{Frame, Line};
use crate::request::Choice;
use crate::routes::{Mark, ShownNet, ShownPath, Sums};
use crate::view::{
    BfdSessionView, BgpView, ChannelView, Info, InterfaceView, MemoryView, PipeView, ProtocolDetail, ProtocolView,
    SessionView, StaticRow, StaticTo, StatusView, Timer,
};
use conf::config::{StaticDest, StaticHop};
use route::hop::IGP_METRIC_UNKNOWN;
use route::{Family, Hop, IfIndex, IfaceAddr, Prefix, Resolved, Written};
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
            out.line(code::RECOVERY, format_args!("  Wait timer is {}", timer(recovery.timer)));
        }
        words::phase(view.phase, out);
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
                .map_or_else(String::new, |a| format!("{}/{}", Written(a.addr), a.prefix.len()));
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

    fn statics(&self, rows: &[StaticRow], out: &mut Frame) {
        // Routes to devices stand in a list of their own, behind the others.
        let is_device = |row: &&StaticRow| matches!(row.to, StaticTo::Way(StaticDest::Device(_)));
        for row in rows.iter().filter(|r| !is_device(r)).chain(rows.iter().filter(is_device)) {
            static_row(row, out);
        }
    }

    fn bfd_sessions(&self, protocol: &str, rows: Option<&[BfdSessionView]>, setting: &Setting<'_>, out: &mut Frame) {
        words::bfd_sessions(10, protocol, rows, setting, out);
    }

    fn table(&self, _name: &str, _is_first: bool, _out: &mut Frame) {}

    fn net(&self, net: &ShownNet<'_, '_>, detail: bool, setting: &Setting<'_>, out: &mut Frame) {
        let mut label = Some(net.net);
        for path in net.paths {
            route_row(label.take(), path, setting, out);
            if detail {
                route_detail(path, setting, out);
            }
        }
    }

    fn table_sums(&self, _name: &str, _sums: &Sums, _out: &mut Frame) {}

    fn sums(&self, sums: &Sums, _tables: usize, _is_list: bool, out: &mut Frame) {
        let Sums { shown, routes, networks } = sums;
        out.end(code::ROUTE_COUNT, format_args!("{shown} of {routes} routes for {networks} networks"));
    }

    fn no_network(&self) -> &'static str {
        "Network not in table"
    }
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

fn address(addr: &IfaceAddr, word: &str) -> String {
    let opposite = match addr.peer {
        Some(peer) => format!(", opposite {}", Written(peer)),
        None => String::new(),
    };
    format!("\t{}/{} ({word}{opposite}, scope {})", Written(addr.addr), addr.prefix.len(), addr.scope.word())
}

fn protocol_row(row: &ProtocolView, setting: &Setting<'_>) -> String {
    let since = setting.stamps.text(row.since, &setting.time.protocol);
    let table = row.table.as_deref().unwrap_or("---");
    let info: Cow<'_, str> = match &row.info {
        Info::Nothing => "".into(),
        Info::Bgp { error, .. } if row.state == "down" => (&**error).into(),
        Info::Bgp { state, error } => format!("{state:<14}{error}").into(),
        Info::Pipe { peer, opaque, .. } => format!("{} {peer}", if *opaque { "->" } else { "=>" }).into(),
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
    if let Some(vrf) = &detail.vrf {
        line("VRF:", vrf);
    }
    for channel in &detail.channels {
        // Again; of what has no device, and of pipes, 1.6.8 says it once.
        if let Some(vrf) = detail.vrf.as_ref().filter(|vrf| vrf.name.is_some() && channel.peer_table.is_none()) {
            words::detail("  ", format_args!("VRF:            {vrf}"), out);
        }
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
    words::limit("  ", "Receive limit:", channel.receive_limit, out);
    words::limit("  ", "Import limit:", channel.import_limit, out);
    words::limit("  ", "Export limit:", channel.export_limit, out);
    if let Some(routes) = &channel.routes {
        words::routes("  ", routes, out);
    }
    if let Some(pipe) = &channel.pipe {
        pipe_detail(pipe, out);
    }
}

fn pipe_detail(pipe: &PipeView, out: &mut Frame) {
    let (imported, exported) = (pipe.import.routes, pipe.export.routes);
    words::detail("  ", format_args!("Routes:         {imported} imported, {exported} exported"), out);
    words::pipe_changes("  ", pipe, out);
}

fn bgp_detail(bgp: &BgpView, out: &mut Frame) {
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::PROTOCOL_DETAIL, text);
    line(format_args!("  BGP state:          {}", bgp.state));
    let iface = match &bgp.iface {
        Some(name) => format!("%{name}"),
        None => String::new(),
    };
    line(format_args!("    Neighbor address: {}{iface}", Written(bgp.peer_addr)));
    line(format_args!("    Neighbor AS:      {}", bgp.peer_as));
    if let Some(restart) = bgp.restart {
        let (word, label) = match restart.long_lived {
            true => ("long-lived graceful", "LL stale timer:"),
            false => ("graceful", "Restart timer:"),
        };
        line(format_args!("    Neighbor {word} restart active"));
        if let Some(ms) = restart.remaining_ms {
            line(format_args!("    {label:<15}   {}/-", ms / 1000));
        }
    }
    if let Some(t) = bgp.error_wait {
        line(format_args!("    Error wait:       {}", timer(t)));
    }
    if let Some(t) = bgp.connect_delay {
        line(format_args!("    Connect delay:    {}", timer(t)));
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
    line(format_args!("    Source address:   {}", Written(session.source_addr)));
    if let Some((routes, most)) = session.route_limit {
        line(format_args!("    Route limit:      {routes}/{most}"));
    }
    line(format_args!("    Hold timer:       {}", timer(session.hold)));
    line(format_args!("    Keepalive timer:  {}", timer(session.keepalive)));
}

/// Whole seconds left, and of how many.
fn timer(timer: Timer) -> String {
    format!("{}/{}", timer.remaining_ms / 1000, timer.total_s)
}

fn static_row(row: &StaticRow, out: &mut Frame) {
    let dormant = |i: usize| if row.dormant.get(i) == Some(&true) { " (dormant)" } else { "" };
    let bfd = |on: bool| if on { " (bfd)" } else { "" };
    let router = |hop: &StaticHop| {
        let gateway = Written(hop.gateway.unwrap_or(Ipv4Addr::UNSPECIFIED.into()));
        hop.iface.as_ref().map_or_else(|| gateway.to_string(), |iface| format!("{gateway}%{iface}"))
    };
    let net = row.net;
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::STATIC, text);
    // A static protocol of 1.6 authorises nothing.
    let StaticTo::Way(to) = &row.to else { return };
    match to {
        StaticDest::Via(hops) => match hops.as_slice() {
            // In 1.6 only gateways of a `multipath` can have `bfd`, were it one.
            [hop] if !hop.bfd => line(format_args!("{net} via {}{}", router(hop), dormant(0))),
            hops => {
                let none = if row.dormant.contains(&false) { "" } else { " (dormant)" };
                line(format_args!("{net} multipath{none}"));
                for (i, hop) in hops.iter().enumerate() {
                    let weight = hop.weight;
                    line(format_args!("\tvia {} weight {weight}{}{}", router(hop), bfd(hop.bfd), dormant(i)));
                }
            }
        },
        StaticDest::Device(name) => line(format_args!("{net} dev {name}{}", dormant(0))),
        StaticDest::Recursive(gateway) => line(format_args!("{net} recursive {}{}", Written(*gateway), dormant(0))),
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
    if let Some(from) = path.attrs.local().from.filter(|from| Some(*from) != path.gateway && !from.is_unspecified()) {
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
    if path.suppressed {
        line.put("-");
    }
    let ends = Ends::of(&path.attrs);
    if ends.is_long_lived_stale {
        line.put("s");
    }
    match path.hop.igp_metric {
        _ if !path.hop.recursive => line.put(""),
        // What drops packets is no way to the next hop.
        _ if !matches!(path.hop.to, Resolved::Unicast(_) | Resolved::Multipath(_)) => line.put("/-"),
        None | Some(IGP_METRIC_UNKNOWN..) => line.put("/?"),
        Some(metric) => line.put("/").number(metric),
    };
    line.put(")");
    ends.write(line);
}

fn route_detail(path: &ShownPath<'_>, setting: &Setting<'_>, out: &mut Frame) {
    let local = path.attrs.local();
    let (kind, scope) = (local.kind.word(), local.scope.word());
    out.line(code::ROUTE_TYPE, format_args!("\tType: {kind} unicast {scope}"));
    attributes::each_line(&path.attrs, setting.symbols, attributes::Style::V1, |text| {
        out.line(code::ROUTE_ATTRIBUTE, text)
    });
}

pub const fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "DOWN" }
}
