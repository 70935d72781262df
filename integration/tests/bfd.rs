//! BFD beside BIRD 1.6.8 and FRR: sessions come up, a stopped neighbour is found, and BGP and static routes follow.

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rbird_integration::{Pair, wait_until};
use rbird_xtask::build::top;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
/// In which a neighbour that is stopped must be found by three packets at 300 ms, and all that follows be seen. The
/// least is 0.9 s; the rest is for a machine that has other things to do.
const FOUND: Duration = Duration::from_secs(5);

fn tell(story: impl FnOnce(&mut Pair) -> Result<()>) {
    let told = Pair::new().and_then(|mut pair| story(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

/// Starts rbird on `a` with what stands in the braces of `protocol bfd`, and more.
fn rbird(pair: &mut Pair, bfd: &str, more: &str) -> Result<()> {
    rbird_of("4", pair, bfd, more)
}

/// The same for a family.
fn rbird_of(family: &str, pair: &mut Pair, bfd: &str, more: &str) -> Result<()> {
    let text = format!("router id 10.9.0.1;\nprotocol device {{}}\nprotocol bfd bfd1 {{ {bfd} }}\n{more}\n");
    start(pair, &format!("--family {family}"), &text)
}

/// The same with a whole configuration.
fn start(pair: &mut Pair, options: &str, text: &str) -> Result<()> {
    let conf = pair.write("rbird.conf", text)?;
    let program = top().join("target/release/rbird");
    let socket = pair.dir().join("rbird.ctl");
    let line = format!("{} {options} -d -c {} -s {}", program.display(), conf.display(), socket.display());
    pair.spawn("a", "rbird", &line).map(|_| ())
}

/// Starts BIRD 1.6.8 on `b`; its process.
fn bird(pair: &mut Pair, bfd: &str, more: &str) -> Result<Pid> {
    bird_of("bird", pair, bfd, more)
}

/// The same for the program of a family.
fn bird_of(program: &str, pair: &mut Pair, bfd: &str, more: &str) -> Result<Pid> {
    let text = format!("router id 10.9.0.2;\nprotocol device {{}}\nprotocol bfd bfd1 {{ {bfd} }}\n{more}\n");
    let conf = pair.write("bird.conf", &text)?;
    let line = format!("{program} -d -c {} -s {}", conf.display(), pair.dir().join("bird.ctl").display());
    pid(pair.spawn("b", "bird", &line)?)
}

fn pid(number: u32) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(number)?))
}

fn ask(pair: &Pair, words: &str) -> Result<String> {
    let client = top().join("target/release/rbirdc");
    pair.exec("a", &format!("{} -s {} '{words}'", client.display(), pair.dir().join("rbird.ctl").display()))
}

/// Waits until an answer of rbird has a text, or has it not any more.
fn wait_says(pair: &Pair, words: &str, text: &str, there: bool, most: Duration) -> Result<()> {
    let what = format!("`{words}` {} `{text}`", if there { "says" } else { "does not say" });
    wait_until(&what, most, || {
        let answer = ask(pair, words)?;
        Ok((answer.contains(text) == there, answer))
    })
}

/// The line of a session: state, interval, timeout.
fn wait_session(pair: &Pair, neighbor: &str, state: &str, most: Duration) -> Result<()> {
    wait_until(&format!("{neighbor} is {state}"), most, || {
        let answer = ask(pair, "show bfd sessions")?;
        let is = |line: &&str| line.starts_with(&format!("{neighbor} ")) && line.contains(&format!(" {state} "));
        Ok((answer.lines().any(|line| is(&line)), answer))
    })
}

const INTERVALS: &str = "interface \"d*\" { interval 300 ms; multiplier 3; };";

#[test]
fn a_stopped_neighbour_takes_its_session_and_the_routes_through_it_along() {
    tell(|pair| {
        let bgp = |asn: u32, local: u8, peer: u8, peer_as: u32| {
            format!(
                "protocol bgp far {{ local 10.9.0.{local} as {asn}; neighbor 10.9.0.{peer} as {peer_as}; bfd; \
                 connect delay time 1; error wait time 1, 2; import all; export all; }}"
            )
        };
        let statics = "protocol static { route 20.0.0.0/8 multipath via 10.9.0.2 bfd; route 21.0.0.0/8 multipath via 10.9.0.9 bfd; }";
        rbird(pair, INTERVALS, &format!("{}\n{statics}", bgp(65001, 1, 2, 65002)))?;
        wait_session(pair, "10.9.0.2", "Down", PATIENCE)?;
        ensure!(!ask(pair, "show route")?.contains("20.0.0.0/8"), "a route through a gateway that is not up");

        let neighbor = bird(pair, INTERVALS, &bgp(65002, 2, 1, 65001))?;
        wait_session(pair, "10.9.0.2", "Up", PATIENCE)?;
        wait_says(pair, "show protocols far", "Established", true, PATIENCE)?;
        wait_says(pair, "show route", "20.0.0.0/8", true, PATIENCE)?;
        let shown = ask(pair, "show bfd sessions")?;
        ensure!(shown.contains("  0.300    0.900"), "{shown}");
        ensure!(!ask(pair, "show route")?.contains("21.0.0.0/8"), "a route through nobody");

        kill(neighbor, Signal::SIGSTOP)?;
        let stopped = Instant::now();
        wait_session(pair, "10.9.0.2", "Down", FOUND)?;
        println!("found after {:?}", stopped.elapsed());
        wait_says(pair, "show protocols far", "BFD session down", true, FOUND)?;
        wait_says(pair, "show route", "20.0.0.0/8", false, FOUND)?;
        wait_says(pair, "show static", "via 10.9.0.2 weight 1 (bfd) (dormant)", true, FOUND)?;

        kill(neighbor, Signal::SIGCONT)?;
        wait_session(pair, "10.9.0.2", "Up", PATIENCE)?;
        wait_says(pair, "show protocols far", "Established", true, PATIENCE)?;
        wait_says(pair, "show route", "20.0.0.0/8", true, PATIENCE)
    });
}

#[test]
fn over_ipv6_a_stopped_bird6_takes_its_session_and_the_routes_through_it_along() {
    tell(|pair| {
        let bgp = |asn: u32, local: u8, peer: u8, peer_as: u32| {
            format!(
                "protocol bgp far {{ local fd09::{local} as {asn}; neighbor fd09::{peer} as {peer_as}; bfd; \
                 connect delay time 1; error wait time 1, 2; import all; export all; }}"
            )
        };
        let statics = "protocol static { route fd20::/16 multipath via fd09::2 bfd; }";
        rbird_of("6", pair, INTERVALS, &format!("{}\n{statics}", bgp(65001, 1, 2, 65002)))?;
        wait_session(pair, "fd09::2", "Down", PATIENCE)?;
        let neighbor = bird_of("bird6", pair, INTERVALS, &bgp(65002, 2, 1, 65001))?;
        wait_session(pair, "fd09::2", "Up", PATIENCE)?;
        wait_says(pair, "show protocols far", "Established", true, PATIENCE)?;
        wait_says(pair, "show route", "fd20::/16", true, PATIENCE)?;
        ensure!(ask(pair, "show bfd sessions")?.matches("fd09::2 ").count() == 1, "one session");

        kill(neighbor, Signal::SIGSTOP)?;
        wait_session(pair, "fd09::2", "Down", FOUND)?;
        wait_says(pair, "show protocols far", "BFD session down", true, FOUND)?;
        wait_says(pair, "show route", "fd20::/16", false, FOUND)?;

        kill(neighbor, Signal::SIGCONT)?;
        wait_session(pair, "fd09::2", "Up", PATIENCE)?;
        wait_says(pair, "show protocols far", "Established", true, PATIENCE)?;
        wait_says(pair, "show route", "fd20::/16", true, PATIENCE)
    });
}

#[test]
fn every_authentication_of_bird_1_6_8_is_understood_both_ways_and_a_wrong_password_is_not() {
    for method in ["simple", "keyed md5", "meticulous keyed md5", "keyed sha1", "meticulous keyed sha1"] {
        tell(|pair| {
            let with = |password: &str, peer: u8| {
                format!(
                    "interface \"d*\" {{ interval 300 ms; authentication {method}; password \"{password}\" {{ id 7; }}; }}; \
                     neighbor 10.9.0.{peer};"
                )
            };
            rbird(pair, &with("a password that is too long", 2), "")?;
            let first = bird(pair, &with("another one", 1), "")?;
            wait_until("rbird refuses a packet", PATIENCE, || {
                let said = pair.logs();
                Ok((said.contains("Authentication failed for 10.9.0.2"), said))
            })?;
            wait_session(pair, "10.9.0.2", "Down", PATIENCE)?;
            pair.kill(u32::try_from(first.as_raw())?)?;
            bird(pair, &with("a password that is too long", 1), "")?;
            wait_session(pair, "10.9.0.2", "Up", PATIENCE).context(method)
        });
    }
}

#[test]
fn neighbours_several_hops_away_and_passive_ones_come_up() {
    tell(|pair| {
        for (node, own, other, via) in [("a", 1, 2, 2), ("b", 2, 1, 1)] {
            pair.exec(
                node,
                &format!("ip addr add 10.19.0.{own}/32 dev lo; ip route add 10.19.0.{other}/32 via 10.9.0.{via}"),
            )?;
        }
        let multihop = "multihop { interval 300 ms; multiplier 3; };";
        rbird(
            pair,
            &format!(
                "interface \"*\" {{ passive; }}; {multihop} neighbor 10.9.0.2; neighbor 10.19.0.2 local 10.19.0.1 multihop;"
            ),
            "",
        )?;
        bird(
            pair,
            &format!("{INTERVALS} {multihop} neighbor 10.9.0.1; neighbor 10.19.0.1 local 10.19.0.2 multihop;"),
            "",
        )?;
        wait_session(pair, "10.9.0.2", "Up", PATIENCE)?;
        wait_session(pair, "10.19.0.2", "Up", PATIENCE)
    });
}

#[test]
fn each_session_is_run_by_the_protocol_that_accepts_it_and_heard_where_that_is_bound() {
    tell(|pair| {
        let text = format!(
            "router id 10.9.0.1;\nprotocol device {{}}\n\
             protocol bfd four {{ accept ipv4 direct; strict bind; {INTERVALS} neighbor 10.9.0.2; neighbor fd09::2; }}\n\
             protocol bfd six {{ accept ipv6; zero udp6 checksum rx; {INTERVALS} }}\n"
        );
        start(pair, "--dialect 2", &text)?;
        let bird2 = rbird_xtask::build::bird2()?.join("bird");
        let neighbors = format!("{INTERVALS} neighbor 10.9.0.1; neighbor fd09::1;");
        bird_of(&bird2.display().to_string(), pair, &neighbors, "")?;
        for (protocol, its, other) in [("four", "10.9.0.2", "fd09::2"), ("six", "fd09::2", "10.9.0.2")] {
            let shown = format!("show bfd sessions {protocol}");
            wait_says(pair, &shown, " Up ", true, PATIENCE)?;
            let answer = ask(pair, &shown)?;
            ensure!(answer.contains(its) && !answer.contains(other), "{protocol}: {answer}");
        }
        let ports = pair.exec("a", "ss -Hlun sport = 3784")?;
        ensure!(ports.contains("10.9.0.1%d0:3784") && !ports.contains("0.0.0.0:3784"), "{ports}");
        ensure!(ports.contains("[::]:3784"), "{ports}");
        Ok(())
    });
}

#[test]
fn a_reload_keeps_the_session_and_tells_the_neighbour_the_new_interval() {
    tell(|pair| {
        let with = |ms: u32| format!("interface \"d*\" {{ interval {ms} ms; multiplier 4; }}; neighbor 10.9.0.2;");
        rbird(pair, &with(300), "")?;
        bird(pair, &format!("{INTERVALS} neighbor 10.9.0.1;"), "")?;
        wait_session(pair, "10.9.0.2", "Up", PATIENCE)?;
        let conf = pair.dir().join("rbird.conf");
        let text = std::fs::read_to_string(&conf)?.replace("interval 300 ms", "interval 500 ms");
        std::fs::write(&conf, text)?;
        ask(pair, "configure")?;
        wait_until("BIRD waits four times 500 ms", PATIENCE, || {
            let birdc = format!("birdc -s {} 'show bfd sessions'", pair.dir().join("bird.ctl").display());
            let answer = pair.exec("b", &birdc)?;
            Ok((answer.contains(" Up ") && answer.contains("2.000"), answer))
        })
    });
}

#[test]
fn frr_and_rbird_find_each_other_and_a_stopped_frr_is_down() {
    beside_frr("4", "10.9.0.1", "10.9.0.2");
}

#[test]
fn frr_and_rbird_find_each_other_over_ipv6_and_a_stopped_frr_is_down() {
    beside_frr("6", "fd09::1", "fd09::2");
}

fn beside_frr(family: &str, ours: &str, theirs: &str) {
    tell(|pair| {
        let dir = pair.dir().display().to_string();
        let local = if family == "6" { format!(" local-address {theirs}") } else { String::new() };
        let text = format!(
            "bfd\n peer {ours}{local} interface d0\n  receive-interval 300\n  transmit-interval 300\n  \
             detect-multiplier 3\n  no shutdown\n exit\nexit\n"
        );
        let conf = pair.write("bfdd.conf", &text)?;
        pair.write("zebra.conf", "")?;
        pair.exec("b", &format!("chown -R frr:frr {dir} && chmod 755 {dir}"))?;
        let zebra = format!(
            "/usr/lib/frr/zebra -f {dir}/zebra.conf -z {dir}/zserv.api -i {dir}/zebra.pid --vty_socket {dir} -A 127.0.0.1"
        );
        pair.spawn("b", "zebra", &zebra)?;
        wait_until("zebra listening", PATIENCE, || Ok((pair.dir().join("zserv.api").exists(), pair.logs())))?;
        let line = format!(
            "/usr/lib/frr/bfdd -f {} -z {dir}/zserv.api -i {dir}/bfdd.pid --vty_socket {dir} --bfdctl {dir}/bfdd.sock -A 127.0.0.1",
            conf.display()
        );
        let frr = pid(pair.spawn("b", "bfdd", &line)?)?;
        rbird_of(family, pair, &format!("{INTERVALS} neighbor {theirs};"), "")?;
        wait_session(pair, theirs, "Up", PATIENCE)?;
        kill(frr, Signal::SIGSTOP)?;
        wait_session(pair, theirs, "Down", FOUND)?;
        kill(frr, Signal::SIGCONT)?;
        wait_session(pair, theirs, "Up", PATIENCE)
    });
}
