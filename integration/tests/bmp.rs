//! A monitoring station of our own making beside rbird: what it hears, octet by octet, and as tshark reads it.
//!
//! BIRD 1.6 is the neighbour that is monitored. The station only collects; what it
//! was sent is cut into messages by their own lengths, which must come out even.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use anyhow::{Context, Result, bail, ensure};
use rbird_integration::{Pair, programs, wait_until};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const PORT: u16 = 1790;

const MONITORED: &str = "router id 10.9.0.1;\nprotocol device {}\ndebug protocols all;\n\
    protocol bgp far { local 10.9.0.1 as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1; connect retry time 2;\n\
    ipv4 { import filter { if net = 45.1.2.3/32 then reject; bgp_med = 77; accept; };\n\
    export filter { if net = 61.0.0.0/8 then reject; bgp_med = 88; accept; }; }; }\n\
    protocol static own { ipv4; route 60.0.0.0/8 blackhole; route 61.0.0.0/8 blackhole; }\n\
    protocol bmp mon { station address ip 10.9.0.2 port 1790; system name \"r1\"; system description \"a router\";\n\
    monitoring rib in pre_policy; monitoring rib in post_policy; tx buffer limit 64;\n\
    monitoring rib out pre_policy; monitoring rib out post_policy; statistics interval 1; }\n";

const NEIGHBOUR: &str = "router id 10.9.0.2;\nprotocol device {}\nprotocol static {\n\
    route 30.0.0.0/8 blackhole { bgp_community.add((65002,1)); };\nroute 44.0.0.0/13 blackhole;\n\
    route 45.1.2.3/32 blackhole; }\n\
    protocol bgp near { local 10.9.0.2 as 65002; neighbor 10.9.0.1 as 65001; import none; export all;\n\
    connect delay time 1; connect retry time 2; error wait time 1, 2; }\n";

/// Everything that was sent, a row of octets for each connection.
type Collected = Arc<Mutex<Vec<Vec<u8>>>>;

/// Collects on machine `b` for as long as the test runs.
fn collect(pair: &Pair) -> Result<Collected> {
    let listener = pair.inside("b", || TcpListener::bind(("10.9.0.2", PORT)))??;
    let collected = Collected::default();
    let rows = Arc::clone(&collected);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut all = rows.lock().unwrap();
            all.push(Vec::new());
            let (place, rows) = (all.len() - 1, Arc::clone(&rows));
            std::thread::spawn(move || keep(stream, place, &rows));
        }
    });
    Ok(collected)
}

fn keep(mut stream: TcpStream, place: usize, rows: &Collected) {
    let mut octets = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut octets) {
        rows.lock().unwrap()[place].extend(&octets[..length]);
    }
}

/// A message of a router.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Initiation(Vec<(u16, String)>),
    Up { peer: (Ipv4Addr, u32), local: (Ipv4Addr, u16, u16), opens: Vec<(u8, u16)> },
    Down { reason: u8, code: Vec<u8> },
    Routes { view: View, withdrawn: Vec<String>, announced: Vec<String>, med: Option<u32> },
    Statistics(BTreeMap<u16, usize>),
    Termination(Vec<u8>),
}

/// The flags L and O.
type View = u8;
const IN_PRE: View = 0;
const IN_POST: View = 0x40;
const OUT_PRE: View = 0x10;
const OUT_POST: View = 0x50;

/// The messages of a connection; what is not whole yet is left out.
fn told(octets: &[u8]) -> Result<Vec<Told>> {
    let (mut rest, mut all) = (octets, Vec::new());
    while let Some(head) = rest.get(..6) {
        ensure!(head[0] == 3, "version {}", head[0]);
        let length = number(&head[1..5]);
        let Some(message) = rest.get(6..length) else { break };
        all.push(read(head[5], message)?);
        rest = &rest[length..];
    }
    Ok(all)
}

fn read(kind: u8, message: &[u8]) -> Result<Told> {
    Ok(match kind {
        4 => Told::Initiation(information(message)),
        5 => Told::Termination(message.to_vec()),
        0..=3 => {
            let (peer, body) = message.split_at_checked(42).context("no header of a neighbour")?;
            ensure!(peer[0] == 0 && peer[2..10] == [0; 8], "type and distinguisher");
            ensure!(peer[1] & 0xa0 == 0, "an IPv4 neighbour with AS numbers of four octets");
            let addr = address(&peer[10..26])?;
            match kind {
                0 => routes(peer[1] & 0x50, body)?,
                1 => Told::Statistics(statistics(body)?),
                2 => Told::Down { reason: body[0], code: body.get(20..22).unwrap_or_default().to_vec() },
                _ => Told::Up {
                    peer: (addr, number(&peer[26..30]) as u32),
                    local: (address(&body[..16])?, number(&body[16..18]) as u16, number(&body[18..20]) as u16),
                    opens: opens(&body[20..])?,
                },
            }
        }
        other => bail!("a message of type {other}"),
    })
}

fn number(octets: &[u8]) -> usize {
    octets.iter().fold(0, |all, octet| all << 8 | usize::from(*octet))
}

/// An IPv4 address in its sixteen octets.
fn address(octets: &[u8]) -> Result<Ipv4Addr> {
    ensure!(octets[..12] == [0; 12], "not of IPv4: {octets:?}");
    Ok(Ipv4Addr::new(octets[12], octets[13], octets[14], octets[15]))
}

fn information(mut rest: &[u8]) -> Vec<(u16, String)> {
    let mut all = Vec::new();
    while rest.len() >= 4 {
        let (kind, length) = (number(&rest[..2]) as u16, number(&rest[2..4]));
        all.push((kind, String::from_utf8_lossy(&rest[4..4 + length]).into_owned()));
        rest = &rest[4 + length..];
    }
    all
}

/// Type and AS of each of the messages, which must be whole.
fn opens(mut rest: &[u8]) -> Result<Vec<(u8, u16)>> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        ensure!(rest[..16] == [0xff; 16], "a message begins with its marker");
        all.push((rest[18], number(&rest[20..22]) as u16));
        rest = rest.get(number(&rest[16..18])..).context("a message that is cut off")?;
    }
    Ok(all)
}

/// What a report says of all families together, by its type.
fn statistics(body: &[u8]) -> Result<BTreeMap<u16, usize>> {
    let (mut rest, mut all, mut count) = (&body[4..], BTreeMap::new(), 0);
    while rest.len() >= 4 {
        let (kind, length) = (number(&rest[..2]) as u16, number(&rest[2..4]));
        let of_family = length == 11;
        ensure!(!of_family || rest[4..7] == [0, 1, 1], "IPv4 unicast");
        all.insert(kind, number(&rest[if of_family { 7 } else { 4 }..4 + length]));
        (rest, count) = (&rest[4 + length..], count + 1);
    }
    ensure!(rest.is_empty() && count == number(&body[..4]), "{count} of {:?}", &body[..4]);
    Ok(all)
}

fn routes(view: View, update: &[u8]) -> Result<Told> {
    ensure!(update[18] == 2 && number(&update[16..18]) == update.len(), "one whole UPDATE");
    let (withdrawn, rest) = update[21..].split_at(number(&update[19..21]));
    let (mut attrs, nlri) = rest[2..].split_at(number(&rest[..2]));
    let mut med = None;
    while attrs.len() > 2 {
        let head = if attrs[0] & 0x10 != 0 { 4 } else { 3 };
        let length = number(&attrs[2..head]);
        if attrs[1] == 4 {
            med = Some(number(&attrs[head..head + length]) as u32);
        }
        attrs = &attrs[head + length..];
    }
    Ok(Told::Routes { view, withdrawn: prefixes(withdrawn), announced: prefixes(nlri), med })
}

fn prefixes(mut rest: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    while let Some((bits, behind)) = rest.split_first() {
        let (octets, behind) = behind.split_at(usize::from(bits.div_ceil(8)));
        let mut addr = [0; 4];
        addr[..octets.len()].copy_from_slice(octets);
        all.push(format!("{}/{bits}", Ipv4Addr::from(addr)));
        rest = behind;
    }
    all
}

/// The prefixes that stand behind the messages, and whether an End-of-RIB came.
fn stands(told: &[Told], of: View) -> (Vec<(String, Option<u32>)>, bool) {
    let (mut standing, mut ended) = (BTreeMap::<String, Option<u32>>::new(), false);
    for message in told {
        let Told::Routes { view, withdrawn, announced, med } = message else { continue };
        if *view != of {
            continue;
        }
        ended |= withdrawn.is_empty() && announced.is_empty();
        standing.retain(|net, _| !withdrawn.contains(net));
        standing.extend(announced.iter().map(|net| (net.clone(), *med)));
    }
    (standing.into_iter().collect(), ended)
}

#[test]
fn a_station_hears_of_a_session_its_routes_and_its_end() {
    let told = Pair::new().and_then(|mut pair| story(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn story(pair: &mut Pair) -> Result<()> {
    let dir = pair.dir().display().to_string();
    let programs = programs().display().to_string();
    let own = pair.write("own.conf", MONITORED)?.display().to_string();
    let far = pair.write("far.conf", NEIGHBOUR)?.display().to_string();
    pair.spawn("b", "tcpdump", &format!("tcpdump -U -i d0 -w {dir}/bmp.pcap tcp port {PORT}"))?;
    wait_until("tcpdump listening", PATIENCE, || Ok((pair.dir().join("bmp.pcap").exists(), pair.logs())))?;
    let collected = collect(pair)?;
    let connection =
        |at: usize| -> Result<Vec<Told>> { told(&collected.lock().unwrap().get(at).cloned().unwrap_or_default()) };
    pair.spawn("a", "rbird", &format!("{programs}/rbird -d -c {own} -s {dir}/rbird.ctl"))?;
    let ask = |pair: &Pair, words: &str| pair.exec("a", &format!("{programs}/rbirdc -s {dir}/rbird.ctl '{words}'"));
    let both = vec![(1, "a router".to_owned()), (2, "r1".to_owned())];
    wait_until("the station is greeted", PATIENCE, || {
        let heard = connection(0)?;
        Ok((heard.first() == Some(&Told::Initiation(both.clone())), format!("{heard:?}")))
    })?;

    // A session comes up under the eyes of the station.
    pair.spawn("b", "bird", &format!("bird -d -c {far} -s {dir}/far.ctl"))?;
    let net = |net: &str, med| (net.to_owned(), med);
    let came = [net("30.0.0.0/8", None), net("44.0.0.0/13", None), net("45.1.2.3/32", None)];
    let (offered, sent) = ([net("60.0.0.0/8", None), net("61.0.0.0/8", None)], [net("60.0.0.0/8", Some(88))]);
    let tells = |heard: &[Told]| {
        stands(heard, OUT_PRE) == (offered.to_vec(), true) && stands(heard, OUT_POST) == (sent.to_vec(), true)
    };
    let left = [net("30.0.0.0/8", Some(77)), net("44.0.0.0/13", Some(77))];
    wait_until("both views of the routes", PATIENCE, || {
        let heard = connection(0)?;
        let met = stands(&heard, IN_PRE).0 == came && stands(&heard, IN_POST) == (left.to_vec(), true);
        let met = met && tells(&heard);
        Ok((met, format!("{heard:#?}")))
    })?;
    wait_until("how many routes there are", PATIENCE, || {
        let heard = connection(0)?;
        let report = heard.iter().rev().find_map(|t| if let Told::Statistics(all) = t { Some(all) } else { None });
        let wanted = [(0, 1), (1, 0), (7, 2), (8, 2), (9, 2), (10, 2), (15, 1), (17, 1)];
        Ok((report == Some(&wanted.into()), format!("{report:?}")))
    })?;
    let heard = connection(0)?;
    let Some(Told::Up { peer, local, opens }) = heard.get(1) else { bail!("first of all {heard:#?}") };
    ensure!(*peer == (Ipv4Addr::new(10, 9, 0, 2), 65002), "{peer:?}");
    ensure!(local.0 == Ipv4Addr::new(10, 9, 0, 1) && (local.1 == 179 || local.2 == 179), "{local:?}");
    ensure!(*opens == [(1, 65001), (1, 65002)], "ours, then theirs: {opens:?}");
    let shown = ask(pair, "show protocols all mon")?;
    for line in [
        "mon        BMP        ---        up ",
        "Established",
        "  Station address:    10.9.0.2\n  Station port:       1790\n  Pending TX:",
        "0.0  B (limit 64.0 MB)\n  Session TX:",
    ] {
        ensure!(shown.contains(line), "`{line}` is not in\n{shown}");
    }

    // The neighbour says good-bye, and comes again.
    pair.exec("b", &format!("birdc -s {dir}/far.ctl disable near"))?;
    let down = |reason, code: &[u8]| Told::Down { reason, code: code.to_vec() };
    wait_until("its NOTIFICATION", PATIENCE, || {
        let heard = connection(0)?;
        Ok((heard.last() == Some(&down(3, &[6, 2])), format!("{heard:#?}")))
    })?;
    pair.exec("b", &format!("birdc -s {dir}/far.ctl enable near"))?;
    wait_until("the session again", PATIENCE, || {
        let heard = connection(0)?;
        let since = heard.iter().rposition(|told| matches!(told, Told::Down { .. })).unwrap_or_default();
        let heard = heard.get(since..).unwrap_or_default();
        Ok((stands(heard, IN_PRE).0 == came && stands(heard, IN_POST).0 == left, format!("{heard:#?}")))
    })?;

    // The station is left, and comes when the session stands: the neighbour is asked for its routes again.
    ask(pair, "disable mon")?;
    wait_until("the last message", PATIENCE, || {
        let heard = connection(0)?;
        Ok((heard.last() == Some(&Told::Termination(vec![0, 1, 0, 2, 0, 0])), format!("{heard:?}")))
    })?;
    ask(pair, "enable mon")?;
    wait_until("what stood before", PATIENCE, || {
        let heard = connection(1)?;
        let met = stands(&heard, IN_PRE).0 == came && stands(&heard, IN_POST) == (left.to_vec(), true);
        let met = met && tells(&heard);
        Ok((met, format!("{heard:#?}")))
    })?;
    // What the neighbour is told no more.
    ask(pair, "disable own")?;
    wait_until("that it is told nothing", PATIENCE, || {
        let heard = connection(1)?;
        let none = |view| stands(&heard, view).0.is_empty();
        Ok((none(OUT_PRE) && none(OUT_POST), format!("{heard:#?}")))
    })?;
    ask(pair, "disable far")?;
    wait_until("our NOTIFICATION", PATIENCE, || {
        let heard = connection(1)?;
        Ok((heard.contains(&down(1, &[6, 2])), format!("{heard:#?}")))
    })?;
    ask(pair, "down")?;
    as_tshark_reads_it(pair, &dir)
}

/// tshark knows every message, and finds none malformed.
fn as_tshark_reads_it(pair: &Pair, dir: &str) -> Result<()> {
    let read = |filter: &str, fields: &str| {
        let line = format!("tshark -r {dir}/bmp.pcap -d tcp.port=={PORT},bmp -Y '{filter}' {fields} 2>/dev/null");
        pair.exec("b", &line)
    };
    wait_until("the capture", PATIENCE, || {
        let types = read("bmp", "-T fields -e bmp.type")?;
        let seen: BTreeSet<&str> = types.split([',', '\n', '\t']).filter(|t| !t.is_empty()).collect();
        Ok((seen == ["0", "1", "2", "3", "4", "5"].into(), format!("{seen:?}")))
    })?;
    let malformed = read("_ws.malformed || _ws.expert.severity == error", "")?;
    ensure!(malformed.trim().is_empty(), "tshark complains:\n{malformed}");
    Ok(())
}
