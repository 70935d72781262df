//! Calico's nodes: rbird in BIRD's place with the files that confd writes, beside BIRD 1.6.8 with the same files.

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use rbird_integration::calico::{Cluster, Family, Machine, NODES, Peer, ROUTERS, Speaker, node, peers_of};
use rbird_integration::{programs, wait_until};
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(90);
/// In which nothing may move any more, for a picture to be that of a cluster at rest.
const REST: Duration = Duration::from_secs(6);

const N1: Machine = NODES[0];
const N2: Machine = NODES[1];
const N3: Machine = NODES[2];

fn told(family: Family, story: impl FnOnce(&mut Cluster) -> Result<()>) {
    let told = Cluster::new(family).and_then(|mut cluster| {
        story(&mut cluster).map_err(|error| {
            let logs = NODES.into_iter().chain(ROUTERS).map(|m| format!("--- {}\n{}\n", m.name, cluster.log(m)));
            error.context(logs.collect::<String>())
        })
    });
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

/// Starts everybody; rbird on the machines named, BIRD on the others.
fn start(cluster: &mut Cluster, rbird: &[Machine], tunnels: bool) -> Result<()> {
    for machine in NODES.into_iter().chain(ROUTERS) {
        let is_rbird = rbird.contains(&machine);
        cluster.configure(machine, tunnels && is_rbird)?;
        cluster.start(machine, &if is_rbird { Speaker::Rbird(programs()) } else { Speaker::Bird })?;
    }
    wait_until("every session is up", PATIENCE, || cluster.all_established())
}

/// The picture once it stays as it is.
fn at_rest(cluster: &Cluster) -> Result<Vec<String>> {
    let mut picture = cluster.picture()?;
    loop {
        std::thread::sleep(REST);
        let next = cluster.picture()?;
        if next == picture {
            return Ok(picture);
        }
        picture = next;
    }
}

/// What one picture has and the other has not.
fn difference(theirs: &[String], ours: &[String]) -> String {
    let missing = theirs.iter().filter(|l| !ours.contains(l)).map(|l| format!("- {l}\n"));
    let more = ours.iter().filter(|l| !theirs.contains(l)).map(|l| format!("+ {l}\n"));
    missing.chain(more).collect()
}

fn wait_picture(cluster: &Cluster, theirs: &[String]) -> Result<()> {
    wait_until("the picture of a cluster of BIRDs", PATIENCE, || {
        let ours = cluster.picture()?;
        Ok((ours == theirs, difference(theirs, &ours)))
    })
}

fn all() -> Vec<Machine> {
    NODES.into_iter().chain(ROUTERS).collect()
}

fn side_by_side(family: Family) {
    let mut theirs = Vec::new();
    told(family, |cluster| {
        start(cluster, &[], false)?;
        theirs = at_rest(cluster)?;
        let ways = |machine: &str| {
            let ecmp = theirs.iter().filter(|l| l.starts_with(&format!("{machine} kernel: ")) && l.contains("nexthop"));
            ecmp.count()
        };
        ensure!(ways("n1") > 0 && ways("t1") > 0, "no ECMP to compare:\n{}", theirs.join("\n"));
        Ok(())
    });
    for rbird in [vec![N1, N3], all()] {
        told(family, |cluster| {
            start(cluster, &rbird, false)?;
            wait_picture(cluster, &theirs)?;
            let picture = at_rest(cluster)?;
            ensure!(picture == theirs, "it did not stay:\n{}", difference(&theirs, &picture));
            Ok(())
        });
    }
}

#[test]
fn a_cluster_with_rbird_has_the_routes_of_a_cluster_of_birds_ipv4() {
    side_by_side(Family::V4);
}

#[test]
fn a_cluster_with_rbird_has_the_routes_of_a_cluster_of_birds_ipv6() {
    side_by_side(Family::V6);
}

#[test]
fn a_tunnel_of_calico_takes_the_routes_of_its_pool() {
    told(Family::V4, |cluster| {
        cluster.tunnels()?;
        start(cluster, &all(), true)?;
        wait_until("routes through the tunnel", PATIENCE, || {
            let routes = cluster.kernel(N1)?;
            let through = |block: &str, gateway: &str| {
                let wanted = format!("{block} via {gateway} dev tunl0 proto bird metric 1024 onlink");
                routes.iter().any(|r| r.split_whitespace().eq(wanted.split_whitespace()))
            };
            Ok((through("10.244.2.0/26", "172.18.0.2") && through("10.244.4.0/26", "172.18.0.4"), routes.join("\n")))
        })?;
        // Packets between pods go through the tunnel, each end with its address of the pool.
        for (machine, far) in [(N1, "10.244.2.1"), (N2, "10.244.4.1")] {
            cluster.exec(machine.name, &format!("ping -n -c 1 -W 10 {far}"))?;
            let counters = cluster.exec(machine.name, "cat /sys/class/net/tunl0/statistics/rx_packets")?;
            ensure!(counters.trim() != "0", "nothing came through the tunnel");
        }
        let before = cluster.kernel(N1)?;
        cluster.watch(N1, "ip -4 monitor route", "monitor")?;
        // The kernel is scanned every two seconds, and what it has is what is wanted.
        std::thread::sleep(REST);
        let said = std::fs::read_to_string(cluster.dir(N1).join("monitor"))?;
        ensure!(said.is_empty() && cluster.kernel(N1)? == before, "the kernel was told again:\n{said}");
        Ok(())
    });
}

/// A restart of `n1` as that of a pod: killed, and started anew with `-R`.
///
/// No kernel of an rbird loses a route meanwhile. BIRD, as a neighbour, ends with the same routes; that it takes a route
/// with several ways out and puts it in again when its ways change is what `ip monitor route` shows beside 1.6.8.
fn restart(family: Family, rbird: &[Machine]) {
    told(family, |cluster| {
        start(cluster, rbird, false)?;
        let before = at_rest(cluster)?;
        for machine in rbird {
            let six = if family == Family::V4 { "-4" } else { "-6" };
            cluster.watch(*machine, &format!("ip {six} monitor route"), "monitor")?;
        }
        cluster.kill(N1)?;
        cluster.start(N1, &Speaker::Rbird(programs()))?;
        wait_until("every session is up again", PATIENCE, || cluster.all_established())?;
        wait_picture(cluster, &before)?;
        let after = at_rest(cluster)?;
        ensure!(after == before, "not as before:\n{}", difference(&before, &after));
        for machine in rbird {
            let said = std::fs::read_to_string(cluster.dir(*machine).join("monitor"))?;
            let lost: Vec<_> = said.lines().filter(|l| l.starts_with("Deleted")).collect();
            ensure!(lost.is_empty(), "{} has lost routes meanwhile:\n{said}", machine.name);
        }
        Ok(())
    });
}

#[test]
fn a_restart_with_graceful_restart_keeps_the_routes_of_every_kernel_ipv4() {
    restart(Family::V4, &[N1]);
    restart(Family::V4, &all());
}

#[test]
fn a_restart_with_graceful_restart_keeps_the_routes_of_every_kernel_ipv6() {
    restart(Family::V6, &[N1]);
    restart(Family::V6, &all());
}

#[test]
fn three_hangups_are_one_reload_and_only_the_peer_that_changed_is_touched() {
    told(Family::V4, |cluster| {
        start(cluster, &[N1], false)?;
        let sessions = |cluster: &Cluster| -> Result<Vec<String>> {
            let list = cluster.ask(N1, "show protocols")?;
            Ok(list.lines().filter(|l| l.contains("Established")).map(|l| l.trim().to_owned()).collect())
        };
        let before = sessions(cluster)?;
        let gone = Peer::router(ROUTERS[1]);
        let peers: Vec<_> = peers_of(N1).into_iter().filter(|p| p.name(Family::V4) != gone.name(Family::V4)).collect();
        cluster.write(N1, "bird.cfg", &node(Family::V4, N1, &peers))?;
        let first = Instant::now();
        for _ in 0..3 {
            cluster.signal(N1, Signal::SIGHUP)?;
        }
        let together = first.elapsed() < Duration::from_millis(50);
        let expected: Vec<_> = before.iter().filter(|l| !l.starts_with(&gone.name(Family::V4))).cloned().collect();
        ensure!(expected.len() + 1 == before.len(), "{before:?}");
        wait_until("one session less, the others as they were", PATIENCE, || {
            let now = sessions(cluster)?;
            Ok((now == expected, now.join("\n")))
        })?;
        wait_until("no ECMP with one router", PATIENCE, || {
            let routes = cluster.kernel(N1)?;
            Ok((routes.iter().any(|r| r.starts_with("203.0.113.0/24 via ")), routes.join("\n")))
        })?;
        let log = cluster.log(N1);
        let reloads = log.lines().filter(|l| *l == "bird: Reconfigured").count();
        ensure!(reloads == 1 || !together, "{reloads} reloads:\n{log}");
        Ok(())
    });
}
