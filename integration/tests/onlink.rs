//! Neighbours on a link whose networks they have no address of: `onlink`, `interface range`, `strict bind`, and MD5,
//! beside BIRD 2.

use anyhow::{Result, ensure};
use rbird_integration::daemons::bird2_programs;
use rbird_integration::{Pair, wait_until};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

const RBIRD: &str = "log stderr all;\nrouter id 10.9.0.1;\nprotocol device { }\n\
    protocol kernel { ipv4 { export where source = RTS_BGP; }; }\n\
    protocol bgp known { local 10.9.0.1 as 65001; neighbor 172.16.9.2%d0 as 65002 onlink; strict bind; \
    authentication md5; password \"seven\"; connect delay time 1; ipv4 { import all; export none; }; }\n\
    protocol bgp guests { local port 1179 as 65001; neighbor range 172.16.8.0/24 onlink external; \
    interface range \"d*\"; strict bind; dynamic name \"guest\"; ipv4 { import all; export none; }; }\n";

const BIRD: &str = "router id 10.9.0.2;\nprotocol device { }\n\
    protocol static { ipv4; route 30.0.9.0/24 blackhole; }\n\
    protocol static { ipv4; route 30.0.8.0/24 blackhole; }\n\
    protocol bgp known { local 172.16.9.2 as 65002; neighbor 10.9.0.1 as 65001; password \"seven\"; connect delay time 1; \
    ipv4 { import none; export where net = 30.0.9.0/24; }; }\n\
    protocol bgp guest { local 172.16.8.2 as 65002; neighbor 10.9.0.1 port 1179 as 65001; connect delay time 1; \
    ipv4 { import none; export where net = 30.0.8.0/24; }; }\n";

#[test]
fn neighbours_without_a_common_network_are_reached_over_their_link() {
    let told = Pair::new().and_then(|mut pair| story(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn story(pair: &mut Pair) -> Result<()> {
    let dir = pair.dir().display().to_string();
    // Where a neighbour's address comes from is not looked up: there is no route to it.
    pair.exec("a", "for i in all d0; do echo 0 > /proc/sys/net/ipv4/conf/$i/rp_filter; done")?;
    pair.exec("b", "ip addr add 172.16.9.2/32 dev d0 && ip addr add 172.16.8.2/32 dev d0")?;
    let conf = pair.write("rbird.conf", RBIRD)?;
    let programs = rbird_integration::programs();
    let (daemon, client) = (programs.join("rbird"), programs.join("rbirdc"));
    pair.spawn("a", "rbird", &format!("{} -d -c {} -s {dir}/rbird.ctl", daemon.display(), conf.display()))?;
    let wait_listening = |pair: &Pair, sockets: &[&str]| {
        wait_until("sockets on the link", PATIENCE, || {
            let open = pair.exec("a", "ss -Htln '( sport = :179 or sport = :1179 )'")?;
            let right = open.lines().count() == sockets.len() && sockets.iter().all(|socket| open.contains(socket));
            Ok((right, open))
        })
    };
    let sockets = ["10.9.0.1%d0:179", "0.0.0.0%d0:1179"];
    wait_listening(pair, &sockets)?;
    let conf = pair.write("bird.conf", BIRD)?;
    let program = bird2_programs()?.join("bird");
    pair.spawn("b", "bird", &format!("{} -f -c {} -s {dir}/bird.ctl", program.display(), conf.display()))?;
    for net in ["30.0.9.0/24 via 172.16.9.2", "30.0.8.0/24 via 172.16.8.2"] {
        wait_until("a route in our kernel", PATIENCE, || {
            let routes = pair.exec("a", "ip route show proto bird")?;
            let wanted = routes.lines().any(|line| line.starts_with(net) && line.contains("onlink"));
            Ok((wanted, routes + &pair.logs()))
        })?;
    }
    let show =
        |what: &str| pair.exec("a", &format!("{} -s {dir}/rbird.ctl 'show protocols all {what}'", client.display()));
    for (name, wanted) in [
        ("known", "Neighbor address: 172.16.9.2%d0 onlink"),
        ("guest1", "Neighbor address: 172.16.8.2%d0 onlink"),
        ("guests", "Neighbor range:   172.16.8.0/24 onlink"),
    ] {
        let shown = show(name)?;
        ensure!(shown.contains(wanted), "{wanted} is missing:\n{shown}");
    }
    pair.exec("a", "ip link set d0 down")?;
    wait_listening(pair, &[])?;
    pair.exec("a", "ip link set d0 up")?;
    wait_listening(pair, &sockets)
}
