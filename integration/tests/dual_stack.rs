//! One session for both families, beside BIRD 2, FRR and GoBGP: over IPv4, over IPv6 and between link-local
//! addresses, the latter two with IPv6 next hops of IPv4 routes (RFC 8950). What is learned is in both kernels.

use anyhow::{Result, ensure};
use rbird_integration::daemons::{PATIENCE, bird2_programs};
use rbird_integration::{Pair, programs, wait_until};

/// Between which addresses the session runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    V4,
    V6,
    LinkLocal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Bird2,
    Frr,
    Gobgp,
}

impl Over {
    fn addr(self, machine: u8) -> String {
        match self {
            Self::V4 => format!("10.9.0.{machine}"),
            Self::V6 => format!("fd09::{machine}"),
            Self::LinkLocal => format!("fe80::{machine}"),
        }
    }
}

/// The configuration of rbird on machine 1, and of BIRD 2 on machine 2: the dialect is the same.
fn bird_conf(over: Over, machine: u8) -> String {
    let far = 3 - machine;
    let iface = if over == Over::LinkLocal { "interface \"d0\";" } else { "" };
    let extended = if over == Over::V4 { "" } else { "extended next hop;" };
    format!(
        "router id 10.9.0.{machine};\nprotocol device {{ }}\n\
         protocol static s4 {{ ipv4; route 10.{machine}.0.0/16 blackhole; }}\n\
         protocol static s6 {{ ipv6; route 2001:db8:{machine}::/48 blackhole; }}\n\
         protocol kernel k4 {{ ipv4 {{ export all; }}; }}\nprotocol kernel k6 {{ ipv6 {{ export all; }}; }}\n\
         protocol bgp far {{ local {} as 6500{machine}; neighbor {} as 6500{far}; {iface} connect delay time 1; \
         connect retry time 2;\n  ipv4 {{ import all; export all; {extended} }};\n  \
         ipv6 {{ import all; export all; }};\n}}\n",
        over.addr(machine),
        over.addr(far),
    )
}

fn start_peer(pair: &mut Pair, peer: Peer, over: Over) -> Result<()> {
    let dir = pair.dir().display().to_string();
    match peer {
        Peer::Bird2 => {
            let conf = pair.write("bird.conf", &bird_conf(over, 2))?;
            let line =
                format!("{} -d -c {} -s {dir}/bird.ctl", bird2_programs()?.join("bird").display(), conf.display());
            pair.spawn("b", "bird", &line)?;
        }
        Peer::Frr => {
            let extended = if over == Over::V4 { "" } else { " neighbor NEAR capability extended-nexthop\n" };
            let conf = format!(
                "router bgp 65002\n bgp router-id 10.9.0.2\n no bgp ebgp-requires-policy\n no bgp default ipv4-unicast\n \
                 no bgp network import-check\n neighbor NEAR remote-as 65001\n neighbor NEAR timers connect 2\n{extended} \
                 address-family ipv4 unicast\n  neighbor NEAR activate\n  network 10.2.0.0/16\n exit-address-family\n \
                 address-family ipv6 unicast\n  neighbor NEAR activate\n  network 2001:db8:2::/48\n exit-address-family\n"
            );
            let conf = pair.write("bgpd.conf", &conf.replace("NEAR", &over.addr(1)))?;
            pair.write("zebra.conf", "")?;
            pair.exec("b", &format!("chown -R frr:frr {dir} && chmod 755 {dir}"))?;
            let common = format!("-z {dir}/zserv.api --vty_socket {dir} -A 127.0.0.1");
            let zebra = format!("/usr/lib/frr/zebra -f {dir}/zebra.conf -i {dir}/zebra.pid {common}");
            pair.spawn("b", "zebra", &zebra)?;
            wait_until("zebra listening", PATIENCE, || Ok((pair.dir().join("zserv.api").exists(), pair.logs())))?;
            let bgpd = format!("/usr/lib/frr/bgpd -f {} -i {dir}/bgpd.pid {common}", conf.display());
            pair.spawn("b", "bgpd", &bgpd)?;
        }
        Peer::Gobgp => {
            let afi = |w| {
                format!(
                    "  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n      afi-safi-name = \"{w}-unicast\"\n"
                )
            };
            let conf = format!(
                "[global.config]\n  as = 65002\n  router-id = \"10.9.0.2\"\n  local-address-list = [\"{}\"]\n[[neighbors]]\n  \
                 [neighbors.config]\n    neighbor-address = \"{}\"\n    peer-as = 65001\n  [neighbors.timers.config]\n    \
                 connect-retry = 5\n{}{}",
                over.addr(2),
                over.addr(1),
                afi("ipv4"),
                afi("ipv6"),
            );
            let conf = pair.write("gobgpd.toml", &conf)?;
            pair.spawn("b", "gobgpd", &format!("gobgpd -f {} --api-hosts 127.0.0.1:50099", conf.display()))?;
            let tell = |net: &str, family: &str, hop: &str| {
                let line = format!("gobgp -p 50099 global rib add {net} nexthop {hop} -a {family}");
                wait_until("gobgpd answering", PATIENCE, || Ok((pair.exec("b", &line).is_ok(), pair.logs())))
            };
            tell("10.2.0.0/16", "ipv4", &over.addr(2))?;
            tell("2001:db8:2::/48", "ipv6", "fd09::2")?;
        }
    }
    Ok(())
}

/// What machine `b` has of the routes of `a`: of the kernel, or of GoBGP, which tells no kernel.
fn far_routes(pair: &Pair, peer: Peer) -> Result<String> {
    match peer {
        Peer::Gobgp => pair.exec("b", "gobgp -p 50099 global rib -a ipv4; gobgp -p 50099 global rib -a ipv6"),
        _ => pair.exec("b", "ip route; ip -6 route"),
    }
}

fn story(peer: Peer, over: Over) -> Result<()> {
    let mut pair = Pair::new()?;
    for (node, machine) in [("a", 1), ("b", 2)] {
        pair.exec(node, &format!("ip addr add fe80::{machine}/64 dev d0 nodad"))?;
    }
    exchange(&mut pair, peer, over).map_err(|error| error.context(pair.logs()))
}

fn exchange(pair: &mut Pair, peer: Peer, over: Over) -> Result<()> {
    let conf = pair.write("rbird.conf", &bird_conf(over, 1))?;
    let socket = pair.dir().join("rbird.ctl").display().to_string();
    let line = format!("{} -d -c {} -s {socket}", programs().join("rbird").display(), conf.display());
    pair.spawn("a", "rbird", &line)?;
    start_peer(pair, peer, over)?;
    let ask = |pair: &Pair, words: &str| {
        pair.exec("a", &format!("{} -s {socket} '{words}'", programs().join("rbirdc").display()))
    };
    let (four, six) = match over {
        Over::V4 => ("10.2.0.0/16 via 10.9.0.2 dev d0 proto bird metric 32", "fd09::2"),
        Over::V6 => ("10.2.0.0/16 via inet6 fd09::2 dev d0 proto bird metric 32", "fd09::2"),
        Over::LinkLocal => ("10.2.0.0/16 via inet6 fe80::2 dev d0 proto bird metric 32", "fe80::2"),
    };
    let six = format!("2001:db8:2::/48 via {six} dev d0 proto bird metric 32");
    wait_until("both routes in the kernel", PATIENCE, || {
        let routes = pair.exec("a", "ip route; ip -6 route")?;
        let has_all = routes.contains(four) && routes.contains(&six);
        Ok((has_all, format!("{routes}\n{}\n{}", ask(pair, "show route all")?, ask(pair, "show protocols all far")?)))
    })?;
    wait_until("both routes on the far side", PATIENCE, || {
        let routes = far_routes(pair, peer)?;
        Ok((routes.contains("10.1.0.0/16") && routes.contains("2001:db8:1::/48"), routes))
    })?;
    let routes = far_routes(pair, peer)?;
    let four = routes.lines().find(|line| line.contains("10.1.0.0/16")).unwrap_or_default();
    let is_extended = four.contains("fe80::") || four.contains("fd09::1");
    ensure!(is_extended == (over != Over::V4), "the way to rbird is wrong: {four}");
    // Read back from the kernel and found equal: nothing is written a second time.
    let shown = ask(pair, "show route 10.2.0.0/16")?;
    ensure!(shown.contains("* (100)"), "the kernel has refused it?\n{shown}");
    ask(pair, "down")?;
    wait_until("routes gone on both sides", PATIENCE, || {
        let (near, far) = (pair.exec("a", "ip route; ip -6 route")?, far_routes(pair, peer)?);
        let is_gone = !near.contains("proto bird") && !far.contains("10.1.0.0/16") && !far.contains("2001:db8:1::");
        Ok((is_gone, format!("{near}\n{far}")))
    })
}

fn gets_on(peer: Peer, over: Over) {
    if let Err(error) = story(peer, over) {
        panic!("{error:#}");
    }
}

#[test]
fn a_family_that_the_neighbour_does_not_speak_is_down_and_may_be_mandatory() {
    if let Err(error) = one_family_only() {
        panic!("{error:#}");
    }
}

fn one_family_only() -> Result<()> {
    let mut pair = Pair::new()?;
    let conf = bird_conf(Over::V4, 2);
    let (before, _) = conf.split_once("  ipv6 { import").unwrap_or((&conf, ""));
    let far = pair.write("bird.conf", &format!("{before}}}\n"))?;
    let dir = pair.dir().display().to_string();
    let line = format!("{} -d -c {} -s {dir}/bird.ctl", bird2_programs()?.join("bird").display(), far.display());
    pair.spawn("b", "bird", &line)?;
    let conf = bird_conf(Over::V4, 1);
    let file = pair.write("rbird.conf", &conf)?;
    pair.spawn(
        "a",
        "rbird",
        &format!("{} -d -c {} -s {dir}/rbird.ctl", programs().join("rbird").display(), file.display()),
    )?;
    let ask = |pair: &Pair, words: &str| {
        pair.exec("a", &format!("{} -s {dir}/rbird.ctl '{words}'", programs().join("rbirdc").display()))
    };
    let shown = wait_until("one channel up, one down", PATIENCE, || {
        let said = ask(&pair, "show protocols all far")?;
        let states: Vec<_> = said.lines().filter(|l| l.contains("    State:")).map(str::trim).collect();
        Ok((states == ["State:          UP", "State:          DOWN"], said))
    });
    shown.map_err(|error| error.context(pair.logs()))?;
    pair.write("rbird.conf", &conf.replace("ipv6 { import", "ipv6 { mandatory; import"))?;
    ask(&pair, "configure")?;
    let refused = wait_until("the session refused", PATIENCE, || {
        let said = ask(&pair, "show protocols")?;
        Ok((said.contains("BGP Error: Required capability missing"), said))
    });
    refused.map_err(|error| error.context(pair.logs()))
}

#[test]
fn bird_2_over_ipv4() {
    gets_on(Peer::Bird2, Over::V4);
}

#[test]
fn bird_2_over_ipv6() {
    gets_on(Peer::Bird2, Over::V6);
}

#[test]
fn bird_2_between_link_local_addresses() {
    gets_on(Peer::Bird2, Over::LinkLocal);
}

#[test]
fn frr_over_ipv4() {
    gets_on(Peer::Frr, Over::V4);
}

#[test]
fn frr_over_ipv6() {
    gets_on(Peer::Frr, Over::V6);
}

#[test]
fn gobgp_over_ipv4() {
    gets_on(Peer::Gobgp, Over::V4);
}

#[test]
fn gobgp_over_ipv6() {
    gets_on(Peer::Gobgp, Over::V6);
}
