//! `missing lladdr`, beside BIRD 1.6.8: what neighbours on one link are told of a next hop whose link-local address nobody knows.
//!
//! One neighbour announces a route with a global next hop alone, as some
//! implementations do, and one with both. The daemon tells the others, each with
//! another `missing lladdr`; BIRD is asked first, then rbird in its place.

use anyhow::{Result, ensure};
use rbird_integration::{Pair, wait_until};
use rbird_xtask::build::top;
use std::time::Duration;

/// What the neighbours behind fd09::3, fd09::4 ... have, in their order.
const OPTIONS: [&str; 7] = [
    "",
    "missing lladdr self;",
    "missing lladdr drop;",
    "missing lladdr ignore;",
    "rs client;",
    "rs client; missing lladdr self;",
    // Who announces no family is spoken to in the daemon's all the same.
    "capabilities off;",
];

#[test]
fn next_hops_without_a_link_local_address_are_told_as_by_bird() {
    let told = Pair::new().and_then(|mut pair| beside(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn beside(pair: &mut Pair) -> Result<()> {
    let neighbour = |n: usize, options: &str| {
        let (addr, asn) = (n + 2, 65002 + n);
        format!(
            "protocol bgp n{n} {{ local fd09::1 as 65001; neighbor fd09::{addr} as {asn}; passive; import all; {options} }}\n"
        )
    };
    let others = OPTIONS.iter().enumerate().map(|(n, options)| neighbour(n + 1, &format!("export all; {options}")));
    let conf =
        format!("router id 10.9.0.1;\nprotocol device {{ }}\n{}{}", neighbour(0, ""), others.collect::<String>());
    let conf = pair.write("own.conf", &conf)?.display().to_string();
    let addrs: Vec<_> = (2..OPTIONS.len() + 3).map(|n| format!("fd09::{n}")).collect();
    for addr in addrs.iter().skip(1) {
        pair.exec("b", &format!("ip addr add {addr}/64 dev d0 nodad"))?;
    }
    let play = format!("python3 {}/integration/reference/tools/lladdr.py fd09::1 {}", top().display(), addrs.join(" "));
    let dir = pair.dir().display().to_string();
    let rbird = format!("{}/target/release/rbird --family 6", top().display());
    let mut told = Vec::new();
    for (name, daemon) in [("bird6", "bird6"), ("rbird", &rbird)] {
        let pid = pair.spawn("a", name, &format!("{daemon} -d -c {conf} -s {dir}/{name}.ctl"))?;
        wait_until("listening", Duration::from_secs(30), || {
            let sockets = pair.exec("a", "ss -Hltn6")?;
            Ok((sockets.contains(":179"), sockets))
        })?;
        told.push(pair.exec("b", &play)?);
        pair.exec("a", &format!("kill {pid}"))?;
        wait_until("gone", Duration::from_secs(30), || {
            let sockets = pair.exec("a", "ss -Hltn6")?;
            Ok((!sockets.contains(":179"), sockets))
        })?;
    }
    let [theirs, ours] = told.as_slice() else { return Ok(()) };
    ensure!(theirs.contains("fd09::1 own") && theirs == ours, "BIRD tells\n{theirs}\nrbird tells\n{ours}");
    Ok(())
}
