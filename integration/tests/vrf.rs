//! Neighbours of one address in two VRFs, beside BIRD 2.
//!
//! To a routing daemon a VRF is the device that is master of others, and to the kernel a socket bound to it; a bridge
//! is such a device on every machine. What a bridge has not, a routing table of its own, `integration/vrf` shows.

use anyhow::{Result, ensure};
use rbird_integration::daemons::bird2_programs;
use rbird_integration::{Pair, wait_until};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Both machines: the same networks twice, behind `red` and behind `blue`.
const LINKS: &str = "for vrf in red blue; do ip link add $vrf type bridge && ip link set p$vrf master $vrf up && \
    ip link set $vrf up && ip addr add 10.1.0.NUMBER/24 dev $vrf && ip addr add 172.16.1.NUMBER/24 dev p$vrf; done";

const RBIRD: &str = "log stderr all;\nrouter id 10.9.0.1;\nipv4 table tred; ipv4 table tblue;\nprotocol device { }\n\
    template bgp session { local 10.1.0.1 as 65001; neighbor 10.1.0.2 as 65002; multihop 2; connect delay time 1; \
    connect retry time 1; error wait time 1, 2; }\n";

/// One VRF of rbird's: what is connected, the way to the neighbour, the session, and the kernel's table.
const RBIRD_VRF: &str = "protocol direct dVRF { vrf \"VRF\"; ipv4 { table tVRF; }; }\n\
    protocol static sVRF { ipv4 { table tVRF; }; route 10.1.0.0/24 via \"VRF\"; }\n\
    protocol kernel kVRF { kernel table TABLE; ipv4 { table tVRF; export where source = RTS_BGP; }; }\n\
    protocol bgp VRF from session { vrf \"VRF\"; OPENS ipv4 { table tVRF; import all; export none; }; }\n";

const BIRD: &str = "router id 10.9.0.2;\nprotocol device { }\n\
    protocol static { ipv4; route 30.1.0.0/24 blackhole; route 30.2.0.0/24 blackhole; }\n\
    template bgp session { local 10.1.0.2 as 65002; neighbor 10.1.0.1 as 65001; multihop 2; connect delay time 1; \
    connect retry time 1; error wait time 1, 2; }\n\
    protocol bgp red from session { vrf \"red\"; passive; ipv4 { import none; export where net = 30.1.0.0/24; }; }\n\
    protocol bgp blue from session { vrf \"blue\"; ipv4 { import none; export where net = 30.2.0.0/24; }; }\n";

#[test]
fn two_neighbours_of_one_address_are_told_apart_by_their_vrf() {
    let told = Pair::new().and_then(|mut pair| story(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn story(pair: &mut Pair) -> Result<()> {
    for vrf in ["red", "blue"] {
        pair.link(&format!("p{vrf}"))?;
    }
    for (node, number) in [("a", "1"), ("b", "2")] {
        pair.exec(node, &LINKS.replace("NUMBER", number))?;
    }
    let dir = pair.dir().display().to_string();
    let vrf = |name: &str, table: &str, opens: &str| {
        RBIRD_VRF.replace("VRF", name).replace("TABLE", table).replace("OPENS", opens)
    };
    // One session is opened by us, the other by the neighbour.
    let text = format!("{RBIRD}{}{}", vrf("red", "1001", ""), vrf("blue", "1002", "passive;"));
    let conf = pair.write("rbird.conf", &text)?;
    let programs = rbird_integration::programs();
    let (daemon, client) = (programs.join("rbird"), programs.join("rbirdc"));
    pair.spawn("a", "rbird", &format!("{} -d -c {} -s {dir}/rbird.ctl", daemon.display(), conf.display()))?;
    let conf = pair.write("bird.conf", BIRD)?;
    let program = bird2_programs()?.join("bird");
    pair.spawn("b", "bird", &format!("{} -f -c {} -s {dir}/bird.ctl", program.display(), conf.display()))?;

    let red = "30.1.0.0/24 via 10.1.0.2 dev red";
    let blue = "30.2.0.0/24 via 10.1.0.2 dev blue";
    wait_kernel(pair, "1001", red)?;
    wait_kernel(pair, "1002", blue)?;

    let ask = |pair: &Pair, words: &str| pair.exec("a", &format!("{} -s {dir}/rbird.ctl '{words}'", client.display()));
    for name in ["red", "blue"] {
        let shown = ask(pair, &format!("show protocols all {name}"))?;
        let wanted = format!("  VRF:            {name}\n");
        ensure!(shown.contains(&wanted), "{wanted} is missing:\n{shown}");
    }
    let links = ask(pair, "show interfaces")?;
    ensure!(links.contains(" master=red)") && links.contains(" master=blue)"), "masters are missing:\n{links}");
    // What is connected to `blue`, and nothing that is connected elsewhere.
    let connected = |pair: &Pair, wanted: &[&str]| {
        wait_until("the networks of the links in the VRF", PATIENCE, || {
            let routes = ask(pair, "show route protocol dblue table tblue")?;
            let links: Vec<_> = routes.lines().filter_map(|line| line.trim().strip_prefix("dev ")).collect();
            Ok((links == wanted, routes))
        })
    };
    connected(pair, &["pblue"])?;

    // Without its device there is no VRF; it comes again under another number.
    pair.exec("a", "ip link del blue")?;
    connected(pair, &[])?;
    pair.exec("a", "ip link add blue type bridge && ip link set pblue master blue && ip link set blue up")?;
    pair.exec("a", "ip addr add 10.1.0.1/24 dev blue")?;
    connected(pair, &["pblue"])?;
    wait_kernel(pair, "1002", blue)?;
    wait_kernel(pair, "1001", red)
}

/// Waits until a table of the kernel has this BGP route and no other.
fn wait_kernel(pair: &Pair, table: &str, wanted: &str) -> Result<()> {
    wait_until("one route in the kernel's table", PATIENCE, || {
        let routes = pair.exec("a", &format!("ip route show table {table} proto bird"))?;
        let lines: Vec<_> = routes.lines().collect();
        Ok((lines.len() == 1 && lines.iter().all(|line| line.starts_with(wanted)), routes + &pair.logs()))
    })
}
