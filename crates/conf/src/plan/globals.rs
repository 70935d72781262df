//! Settings of the whole daemon that differ, in the words in which bird.conf has them.

use super::{Change, Effect};
use crate::config::{
    CliConf, Config, ListenBgp, LogClass, LogClasses, LogDestination, LogTarget, RoaTableConf, TimeFormat, UdpHost,
    pattern_words,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A setting of the whole daemon. Two are the same when they are written the same.
struct Global {
    name: &'static str,
    /// What stands behind its name; empty when nothing does.
    show: fn(&Config) -> String,
    effect: Effect,
}

const fn taken_over(name: &'static str, show: fn(&Config) -> String) -> Global {
    Global { name, show, effect: Effect::None }
}

static GLOBALS: &[Global] = &[
    Global {
        name: "router id",
        show: |c| c.router_id.map(|id| id.to_string()).unwrap_or_default(),
        effect: Effect::Restart,
    },
    Global { name: "router id from", show: |c| pattern_words(&c.router_id_from), effect: Effect::Restart },
    taken_over("hostname", |c| c.hostname.as_deref().unwrap_or_default().to_owned()),
    taken_over("listen bgp", |c| listen(&c.listen)),
    taken_over("log", |c| listed(&c.logs, log)),
    taken_over("cli", |c| listed(&c.clis, cli)),
    taken_over("threads (counts from the next start on)", |c| c.threads.map(|n| n.to_string()).unwrap_or_default()),
    taken_over("timeformat base", |c| format(&c.time.base)),
    taken_over("timeformat log", |c| format(&c.time.log)),
    taken_over("timeformat protocol", |c| format(&c.time.protocol)),
    taken_over("timeformat route", |c| format(&c.time.route)),
    taken_over("graceful restart wait", |c| c.graceful_restart_wait.as_secs().to_string()),
    taken_over("debug latency", |c| if c.latency.debug { "on" } else { "off" }.to_owned()),
    taken_over("debug latency limit", |c| time(c.latency.limit)),
    taken_over("watchdog warning", |c| time(c.latency.warning)),
    taken_over("watchdog timeout", |c| c.latency.timeout.map(time).unwrap_or_default()),
    taken_over("mrtdump", |c| c.mrtdump_file.as_ref().map(|path| format!("\"{path}\"")).unwrap_or_default()),
    taken_over("debug commands", |c| c.debug_commands.to_string()),
];

/// All of them that differ.
pub(super) fn globals(old: &Config, new: &Config) -> Vec<Change> {
    let changed = |global: &Global| {
        // Without one in the file the identifier that runs stays.
        if global.name == "router id" && new.router_id.is_none() {
            return None;
        }
        let (from, to) = ((global.show)(old), (global.show)(new));
        (from != to).then(|| Change { option: global.name.to_owned(), effect: global.effect, from, to })
    };
    GLOBALS.iter().filter_map(changed).chain(roa_tables(old, new)).collect()
}

/// ROA tables that come, go or hold other records. Those count for what is judged from now on; nothing is judged again,
/// as in BIRD.
fn roa_tables(old: &Config, new: &Config) -> Vec<Change> {
    let of = |config: &Config, name: &str| {
        let words = |t: &RoaTableConf| match t.roas.len() {
            1 => "1 record".to_owned(),
            n => format!("{n} records"),
        };
        config.roa_tables.iter().find(|t| *t.name == *name).map(words).unwrap_or_default()
    };
    let differs = |table: &&RoaTableConf| !(old.roa_tables.contains(table) && new.roa_tables.contains(table));
    let names: BTreeSet<_> = old.roa_tables.iter().chain(&new.roa_tables).filter(differs).map(|t| &t.name).collect();
    let change = |name: &Arc<str>| Change {
        option: format!("roa table {name}"),
        effect: Effect::None,
        from: of(old, name),
        to: of(new, name),
    };
    names.into_iter().map(change).collect()
}

fn listed<T>(all: &[T], words: fn(&T) -> String) -> String {
    all.iter().map(words).collect::<Vec<_>>().join(", ")
}

fn listen(listen: &ListenBgp) -> String {
    let address = listen.address.map(|addr| format!("address {addr}"));
    let port = listen.port.map(|port| format!("port {port}"));
    let dual = listen.dual.then(|| "dual".to_owned());
    address.into_iter().chain(port).chain(dual).collect::<Vec<_>>().join(" ")
}

fn log(target: &LogTarget) -> String {
    let to = match &target.to {
        LogDestination::Stderr => "stderr".to_owned(),
        LogDestination::Syslog(None) => "syslog".to_owned(),
        LogDestination::Syslog(Some(name)) => format!("syslog name \"{name}\""),
        LogDestination::File(path, None) => format!("\"{path}\""),
        LogDestination::File(path, Some(rotation)) => {
            format!("\"{path}\" {} \"{}\"", rotation.limit, rotation.backup)
        }
        LogDestination::Circle(path, octets) => format!("fixed \"{path}\" {octets}"),
        LogDestination::Udp(UdpHost::Address(addr), port) => format!("udp {addr} port {port}"),
        LogDestination::Udp(UdpHost::Name(name), port) => format!("udp \"{name}\" port {port}"),
    };
    format!("{to} {}", classes(target.classes))
}

fn classes(classes: LogClasses) -> String {
    if classes == LogClasses::ALL {
        return "all".to_owned();
    }
    let words = LogClass::WORDS.iter().filter(|(_, class)| classes.has(*class)).map(|(word, _)| *word);
    format!("{{ {} }}", words.collect::<Vec<_>>().join(", "))
}

fn cli(cli: &CliConf) -> String {
    format!("\"{}\"{}", cli.path, if cli.restrict { " { restrict; }" } else { "" })
}

fn format(format: &TimeFormat) -> String {
    match &format.older {
        None => format!("\"{}\"", format.format),
        Some(older) => format!("\"{}\" {} \"{older}\"", format.format, format.limit_s),
    }
}

/// In the largest unit in which it is a whole number.
fn time(time: Duration) -> String {
    match time.as_micros() {
        us if us.is_multiple_of(1_000_000) => format!("{} s", us / 1_000_000),
        us if us.is_multiple_of(1000) => format!("{} ms", us / 1000),
        us => format!("{us} us"),
    }
}
