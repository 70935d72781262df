//! `neighbor range` beside BIRD 2, FRR and GoBGP: they call, sessions with names of their own appear, routes stand in
//! both kernels, and the session of one that goes is gone.

use anyhow::{Context, Result, ensure};
use rbird_integration::daemons::bird2_programs;
use rbird_integration::{Pair, wait_until};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a text names an address, and not the beginning of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    text.split_whitespace().any(|w| w == word)
}

#[test]
fn neighbours_of_a_range_come_and_go() {
    let told = Pair::new().and_then(|mut pair| story(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn story(pair: &mut Pair) -> Result<()> {
    let dir = pair.dir().display().to_string();
    let rbird = "log stderr all; debug protocols { states, events };\nrouter id 10.9.0.1;\nprotocol device { }\n\
        protocol kernel { ipv4 { export all; }; }\nprotocol static { ipv4; route 20.0.0.0/24 blackhole; }\n\
        protocol bgp guests { local 10.9.0.1 as 65001; neighbor range 10.9.0.0/24 external; dynamic name \"guest\"; \
        dynamic name digits 2; ipv4 { import all; export all; }; }\n";
    let conf = pair.write("rbird.conf", rbird)?;
    let programs = rbird_integration::programs();
    let (daemon, client) = (programs.join("rbird"), programs.join("rbirdc"));
    pair.spawn("a", "rbird", &format!("{} -d -c {} -s {dir}/rbird.ctl", daemon.display(), conf.display()))?;
    wait_until("rbird listening", PATIENCE, || {
        let sockets = pair.exec("a", "ss -Htln 'sport = :179'")?;
        Ok((!sockets.is_empty(), sockets))
    })?;
    for host in [12, 13, 14] {
        pair.exec("b", &format!("ip addr add 10.9.0.{host}/24 dev d0"))?;
    }
    let show = |pair: &Pair, words: &str| pair.exec("a", &format!("{} -s {dir}/rbird.ctl '{words}'", client.display()));
    let wait_up = |pair: &Pair, count: usize| {
        wait_until(&format!("{count} sessions"), PATIENCE, || {
            let shown = show(pair, "show protocols")?;
            Ok((shown.matches("Established").count() == count, shown + &pair.logs()))
        })
    };
    let bird = bird(pair)?;
    wait_up(pair, 1)?;
    frr(pair)?;
    wait_up(pair, 2)?;
    gobgp(pair)?;
    wait_up(pair, 3)?;
    let shown = show(pair, "show protocols")?;
    for name in ["guest01", "guest02", "guest03", "Passive"] {
        ensure!(has_word(&shown, name), "{name} is missing:\n{shown}");
    }
    let range = show(pair, "show protocols all guests")?;
    ensure!(range.contains("Neighbor range:   10.9.0.0/24") && range.contains("Neighbor AS:      0"), "{range}");
    for (name, addr, asn) in [("guest01", 12, 65012), ("guest02", 13, 65013), ("guest03", 14, 65014)] {
        let all = show(pair, &format!("show protocols all {name}"))?;
        let lines = [format!("Neighbor address: 10.9.0.{addr}"), format!("Neighbor AS:      {asn}")];
        ensure!(lines.iter().all(|line| all.contains(line)), "{all}");
        let net = format!("30.0.{addr}.0/24");
        wait_until("its route in our kernel", PATIENCE, || {
            let routes = pair.exec("a", "ip route show proto bird")?;
            let via = format!("{net} via 10.9.0.{addr} dev d0");
            Ok((routes.contains(&via), routes + &pair.logs()))
        })?;
    }
    wait_until("our route in their kernel", PATIENCE, || {
        let routes = pair.exec("b", "ip route show 20.0.0.0/24")?;
        Ok((routes.contains("via 10.9.0.1 dev d0 proto bird"), routes))
    })?;
    pair.exec("b", &format!("kill {bird}"))?;
    wait_up(pair, 2)?;
    wait_until("the first guest gone", PATIENCE, || {
        let (shown, routes) = (show(pair, "show protocols")?, pair.exec("a", "ip route show proto bird")?);
        Ok((!has_word(&shown, "guest01") && !routes.contains("30.0.12.0/24"), shown + &routes))
    })?;
    Ok(())
}

fn bird(pair: &mut Pair) -> Result<u32> {
    let dir = pair.dir().display().to_string();
    let conf = "router id 10.9.0.12;\nprotocol device { }\nprotocol kernel { ipv4 { export where source = RTS_BGP; }; }\n\
        protocol static { ipv4; route 30.0.12.0/24 blackhole; }\n\
        protocol bgp up { local 10.9.0.12 as 65012; neighbor 10.9.0.1 as 65001; strict bind; connect delay time 1; \
        ipv4 { import where net = 20.0.0.0/24; export all; }; }\n";
    let conf = pair.write("bird.conf", conf)?;
    let program = bird2_programs()?.join("bird");
    let program = program.display();
    pair.spawn("b", "bird", &format!("{program} -f -c {} -s {dir}/bird.ctl", conf.display()))
}

fn frr(pair: &mut Pair) -> Result<()> {
    let dir = pair.dir().display().to_string();
    let conf = "router bgp 65013\n bgp router-id 10.9.0.13\n no bgp ebgp-requires-policy\n no bgp network import-check\n \
        neighbor 10.9.0.1 remote-as 65001\n neighbor 10.9.0.1 update-source 10.9.0.13\n neighbor 10.9.0.1 timers connect 2\n \
        address-family ipv4 unicast\n  network 30.0.13.0/24\n exit-address-family\n";
    let conf = pair.write("bgpd.conf", conf)?;
    pair.write("zebra.conf", "")?;
    pair.exec("b", &format!("chown -R frr:frr {dir} && chmod 755 {dir}")).context("frr is not installed")?;
    let common = format!("-z {dir}/zserv.api --vty_socket {dir} -A 127.0.0.1");
    pair.spawn("b", "zebra", &format!("/usr/lib/frr/zebra -f {dir}/zebra.conf -i {dir}/zebra.pid {common}"))?;
    wait_until("zebra listening", PATIENCE, || Ok((pair.dir().join("zserv.api").exists(), pair.logs())))?;
    let line = format!("/usr/lib/frr/bgpd -f {} -i {dir}/bgpd.pid -l 10.9.0.13 {common}", conf.display());
    pair.spawn("b", "bgpd", &line).map(|_| ())
}

fn gobgp(pair: &mut Pair) -> Result<()> {
    let conf = "[global.config]\n  as = 65014\n  router-id = \"10.9.0.14\"\n  local-address-list = [\"10.9.0.14\"]\n\
        [[neighbors]]\n  [neighbors.config]\n    neighbor-address = \"10.9.0.1\"\n    peer-as = 65001\n  \
        [neighbors.transport.config]\n    local-address = \"10.9.0.14\"\n  [neighbors.timers.config]\n    connect-retry = 5\n";
    let conf = pair.write("gobgpd.toml", conf)?;
    pair.spawn("b", "gobgpd", &format!("gobgpd -f {} --api-hosts 127.0.0.1:50099", conf.display()))?;
    wait_until("gobgpd answering", PATIENCE, || Ok((pair.exec("b", "gobgp -p 50099 global").is_ok(), pair.logs())))?;
    pair.exec("b", "gobgp -p 50099 global rib add 30.0.14.0/24 origin igp").map(|_| ())
}
