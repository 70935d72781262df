//! What protocols say of themselves under `debug`, beside BIRD 1.6.8 and 2.0.12: one story, the same lines.
//!
//! Start, a link that goes and comes, a reload, a protocol stopped and started,
//! the end. BIRD lives it first, then rbird in its place with the same
//! configuration. Lines are compared as a set, without times: how often tables are
//! scanned, and whose line comes first, is no part of it. Nor are the numbers of
//! who gave a route, which each daemon counts for itself.

use anyhow::{Context, Result, ensure};
use rbird_integration::daemons::bird2_programs;
use rbird_integration::{Pair, wait_until};
use rbird_xtask::build::top;
use std::collections::BTreeSet;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A dialect, and what is lived in it.
struct Tale {
    neighbour: &'static str,
    own: &'static str,
    story: &'static [Deed],
    /// Whether a line has no part in the comparison (docs/differences.md says why); `true`: it is of the end.
    is_left_out: fn(&str, bool) -> bool,
}

/// What happens, and the line that says that it has: with how many of it before the next thing happens.
type Deed = (&'static str, &'static str, usize);

const IN_1: Tale = Tale {
    neighbour: "router id 10.9.0.2;
protocol device { }
protocol static { route 44.0.0.0/8 blackhole; }
protocol bgp near { local as 65002; neighbor 10.9.0.1 as 65001; passive; export all; }
",
    own: "router id 10.9.0.1;
debug protocols { states, interfaces, events };
table t2;
protocol device { scan time 1; }
protocol direct { interface \"d*\"; }
protocol kernel { scan time 2; learn; import all; export all; }
protocol static st { route 20.0.1.0/24 via 10.9.0.2; route 20.0.2.0/24 blackhole; }
protocol static spare { disabled; route 30.0.0.0/8 blackhole; }
protocol pipe p { debug { states, interfaces, events, routes }; peer table t2; import none; export all; }
protocol mrt m { table master; filename \"never\"; period 3000; }
protocol bgp near { debug { states, packets }; local as 65001; neighbor 10.9.0.2 as 65002; import all; export all;
    connect delay time 1; }
",
    story: &[
        ("", "near: Got END-OF-RIB", 1),
        ("", "kernel1: State changed to up", 1),
        ("", "near: Sending END-OF-RIB", 1),
        ("ip link set d1 down", "st < interface d1 goes down", 1),
        ("ip link set d1 up", "st < interface d1 goes up", 2),
        ("ip link set d1 mtu 1400", "st < interface d1 changes MTU", 1),
        ("CLIENT configure", "near: Reconfigured", 1),
        ("CLIENT disable st", "st: State changed to down", 1),
        ("CLIENT enable st", "st: State changed to up", 2),
        ("CLIENT reload p", "p: State changed to up", 2),
        ("CLIENT restart m", "m: State changed to up", 2),
        ("CLIENT down", "Shutdown completed", 1),
    ],
    // What a pipe takes from a table is not said, nor what leaves a table that goes itself.
    is_left_out: |line, of_the_end| {
        line.starts_with("p < ") && !line.contains("interface") || of_the_end && line.starts_with("p > ")
    },
};

const IN_2: Tale = Tale {
    neighbour: "router id 10.9.0.2;
protocol device { }
protocol static { ipv4; route 44.0.0.0/8 blackhole; }
protocol bgp near { local 10.9.0.2 as 65002; neighbor 10.9.0.1 as 65001; passive; ipv4 { import none; export all; }; }
",
    own: "router id 10.9.0.1;
debug protocols { states, interfaces, events, routes };
debug channels { states, routes, filters };
ipv4 table t2;
protocol device { scan time 1; }
protocol direct { ipv4; interface \"d*\"; }
protocol kernel { debug { states, interfaces, events }; scan time 2; learn; ipv4 { import all; export all; }; }
protocol static st { ipv4; route 20.0.1.0/24 via 10.9.0.2; route 20.0.2.0/24 blackhole; }
protocol static spare { disabled; ipv4; route 30.0.0.0/8 blackhole; }
protocol pipe p { table master4; peer table t2; import none; export all; }
protocol mrt m { table \"master4\"; filename \"never\"; period 3000; }
protocol bgp near { debug { states, packets, routes }; local 10.9.0.1 as 65001; neighbor 10.9.0.2 as 65002;
    connect delay time 1; ipv4 { import all; export filter { if net = 20.0.1.0/24 then reject; accept; }; }; }
",
    story: &[
        ("", "near: Got END-OF-RIB", 1),
        ("", "kernel1.ipv4: State changed to UP/READY", 1),
        ("", "near: Sending END-OF-RIB", 1),
        ("", "near.ipv4 < added 10.8.1.0/24 L G unicast", 1),
        ("ip link set d1 down", "near.ipv4 < removed 10.8.1.0/24 L G unicast", 1),
        ("ip link set d1 up", "near.ipv4 < added 10.8.1.0/24 L G unicast", 2),
        ("CLIENT configure", "near: Reconfigured", 1),
        ("CLIENT disable st", "near.ipv4 < removed 20.0.2.0/24 L G blackhole", 1),
        ("CLIENT enable st", "near.ipv4 < added 20.0.2.0/24 L G blackhole", 2),
        ("CLIENT reload near", "near: Got END-OF-RR", 1),
        ("CLIENT restart m", "m: State changed to up", 2),
        ("CLIENT restart near", "near: Sending END-OF-RIB", 2),
        ("CLIENT down", "Shutdown completed", 1),
    ],
    // What a pipe takes from a table is not said, and BIRD cuts short what it says often. Which routes go before the daemon ends, what comes twice while all
    // come up, and when links have their IPv6 addresses is chance.
    is_left_out: |line, of_the_end| {
        let chances = [" > ignored ", "fe80:", "preferred address", "changes link"];
        line.starts_with("p.pri < ")
            || line == "..."
            || chances.iter().any(|words| line.contains(words))
            || of_the_end && (line.contains(" > ") || line.contains(" < "))
    },
};

#[test]
fn protocols_say_of_themselves_what_birds_say() {
    tell(&IN_1, || Ok("bird".into()));
}

#[test]
fn protocols_and_channels_say_of_themselves_what_those_of_bird_2_say() {
    tell(&IN_2, || Ok(bird2_programs()?.join("bird").display().to_string()));
}

fn tell(tale: &Tale, bird: fn() -> Result<String>) {
    let lived = |mut pair: Pair| beside(&mut pair, tale, &bird()?).map_err(|error| error.context(pair.logs()));
    if let Err(error) = Pair::new().and_then(lived) {
        panic!("{error:#}");
    }
}

fn beside(pair: &mut Pair, tale: &Tale, bird: &str) -> Result<()> {
    pair.exec("a", "ip link add d1 type veth peer name x1; ip link set x1 up; ip link set d1 up")?;
    pair.exec("a", "ip addr add 10.8.0.1/24 dev d1; ip addr add 10.8.1.1/24 dev d1")?;
    let far = pair.write("far.conf", tale.neighbour)?.display().to_string();
    let dir = pair.dir().display().to_string();
    pair.spawn("b", "bird", &format!("{bird} -d -c {far} -s {dir}/far.ctl"))?;
    let theirs = live(pair, tale, bird)?;
    pair.exec("a", "ip link set d1 mtu 1500")?;
    let ours = live(pair, tale, &top().join("target/release/rbird").display().to_string())?;
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let more: Vec<_> = ours.difference(&theirs).collect();
    ensure!(missing.is_empty() && more.is_empty(), "BIRD alone says {missing:#?}\nrbird alone says {more:#?}");
    Ok(())
}

/// The lines of a daemon that lives the story.
fn live(pair: &mut Pair, tale: &Tale, daemon: &str) -> Result<BTreeSet<String>> {
    let dir = pair.dir().display().to_string();
    let name = daemon.rsplit('/').next().context("a name")?.to_owned();
    let (log, socket) = (format!("{dir}/{name}.log"), format!("{dir}/{name}.ctl"));
    let conf = pair.write(&format!("{name}.conf"), &format!("log \"{log}\" all;\n{}", tale.own))?.display().to_string();
    pair.spawn("a", &name, &format!("{daemon} -d -c {conf} -s {socket}"))?;
    for (deed, line, count) in tale.story {
        if !deed.is_empty() {
            pair.exec("a", &deed.replace("CLIENT", &format!("birdc -s {socket}")))?;
        }
        wait_until(&format!("{count} of {line:?} in {name}"), PATIENCE, || {
            let said = std::fs::read_to_string(&log)?;
            let met = said.lines().filter(|l| unnumbered(l).ends_with(line)).count() >= *count;
            Ok((met, said.lines().rev().take(5).collect()))
        })?;
    }
    let said = std::fs::read_to_string(&log)?;
    let (life, end) = said.split_once("<INFO> Shutting down").context("an end")?;
    let told = |l: &str, of_the_end: bool| {
        let line = l.split_once("<TRACE> ")?.1;
        (!(tale.is_left_out)(line, of_the_end)).then(|| unnumbered(line))
    };
    let life = life.lines().filter_map(|l| told(l, false));
    Ok(life.chain(end.lines().filter_map(|l| told(l, true))).collect())
}

/// A line without the numbers of who gave a route: `0L 4G` becomes `L G`.
fn unnumbered(line: &str) -> String {
    let plain = |word: &str| match word.strip_suffix(['L', 'G']) {
        Some(number) if number.parse::<u32>().is_ok() => {
            word.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()
        }
        _ => word.to_owned(),
    };
    line.split(' ').map(plain).collect::<Vec<_>>().join(" ")
}
