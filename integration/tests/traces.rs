//! What protocols say of themselves under `debug`, beside BIRD 1.6.8: one story, the same lines.
//!
//! Start, a link that goes and comes, a reload, a protocol stopped and started,
//! the end. BIRD lives it first, then rbird in its place with the same
//! configuration. Lines are compared as a set, without times: how often tables are
//! scanned, and whose line comes first, is no part of it.

use anyhow::{Context, Result, ensure};
use rbird_integration::{Pair, wait_until};
use rbird_xtask::build::top;
use std::collections::BTreeSet;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

const NEIGHBOUR: &str = "router id 10.9.0.2;
protocol device { }
protocol static { route 44.0.0.0/8 blackhole; }
protocol bgp near { local as 65002; neighbor 10.9.0.1 as 65001; passive; export all; }
";

const OWN: &str = "router id 10.9.0.1;
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
";

/// What happens, and the line that says that it has: with how many of it before the next thing happens.
const STORY: &[(&str, &str, usize)] = &[
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
];

#[test]
fn protocols_say_of_themselves_what_birds_say() {
    let told = Pair::new().and_then(|mut pair| beside(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn beside(pair: &mut Pair) -> Result<()> {
    pair.exec("a", "ip link add d1 type veth peer name x1; ip link set x1 up; ip link set d1 up")?;
    pair.exec("a", "ip addr add 10.8.0.1/24 dev d1; ip addr add 10.8.1.1/24 dev d1")?;
    let far = pair.write("far.conf", NEIGHBOUR)?.display().to_string();
    let dir = pair.dir().display().to_string();
    pair.spawn("b", "bird", &format!("bird -d -c {far} -s {dir}/far.ctl"))?;
    let theirs = live(pair, "bird")?;
    pair.exec("a", "ip link set d1 mtu 1500")?;
    let ours = live(pair, &top().join("target/release/rbird").display().to_string())?;
    let missing: Vec<_> = theirs.difference(&ours).collect();
    let more: Vec<_> = ours.difference(&theirs).collect();
    ensure!(missing.is_empty() && more.is_empty(), "BIRD alone says {missing:#?}\nrbird alone says {more:#?}");
    Ok(())
}

/// The lines of a daemon that lives the story.
fn live(pair: &mut Pair, daemon: &str) -> Result<BTreeSet<String>> {
    let dir = pair.dir().display().to_string();
    let name = daemon.rsplit('/').next().context("a name")?.to_owned();
    let (log, socket) = (format!("{dir}/{name}.log"), format!("{dir}/{name}.ctl"));
    let conf = pair.write(&format!("{name}.conf"), &format!("log \"{log}\" all;\n{OWN}"))?.display().to_string();
    pair.spawn("a", &name, &format!("{daemon} -d -c {conf} -s {socket}"))?;
    for (deed, line, count) in STORY {
        if !deed.is_empty() {
            pair.exec("a", &deed.replace("CLIENT", &format!("birdc -s {socket}")))?;
        }
        wait_until(&format!("{count} of {line:?} in {name}"), PATIENCE, || {
            let said = std::fs::read_to_string(&log)?;
            let met = said.lines().filter(|l| l.ends_with(line)).count() >= *count;
            Ok((met, said.lines().rev().take(5).collect()))
        })?;
    }
    let said = std::fs::read_to_string(&log)?;
    let (life, end) = said.split_once("<INFO> Shutting down").context("an end")?;
    // What a pipe takes from a table is not said (docs/differences.md), nor what leaves a table that goes itself.
    let told = |l: &str, of_the_end: bool| {
        let line = l.split_once("<TRACE> ")?.1;
        let is_left_out =
            line.starts_with("p < ") && !line.contains("interface") || of_the_end && line.starts_with("p > ");
        (!is_left_out).then(|| line.to_owned())
    };
    let life = life.lines().filter_map(|l| told(l, false));
    Ok(life.chain(end.lines().filter_map(|l| told(l, true))).collect())
}
