//! Dumps of tables beside BIRD: the same octets, but for times and order, and `bgpdump` reads the same; of BIRD 2 also what
//! is recorded of messages.
//!
//! One neighbour announces the same routes to BIRD and, afterwards, to rbird in
//! its place with the same configuration. BIRD leaves the next hops of IPv6 out,
//! which RFC 6396 4.3.4 wants, or writes them at another length; so they are
//! looked at by themselves.

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rbird_integration::daemons::bird2_programs;
use rbird_integration::{Pair, wait_until};
use rbird_xtask::build::top;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// What differs between the families.
struct Family {
    bird: &'static str,
    number: u8,
    addrs: [&'static str; 2],
    fixed: &'static str,
    told: [&'static str; 3],
}

const V4: Family = Family {
    bird: "bird",
    number: 4,
    addrs: ["10.9.0.1", "10.9.0.2"],
    fixed: "10.1.2.0/24",
    told: ["30.0.0.0/8", "44.0.0.0/13", "45.1.2.3/32"],
};

const V6: Family = Family {
    bird: "bird6",
    number: 6,
    addrs: ["fd09::1", "fd09::2"],
    fixed: "2001:db8:1::/48",
    told: ["2001:db8:30::/44", "2001:db8:44::/46", "2001:db8:45::1/128"],
};

impl Family {
    /// Of the one who dumps.
    fn collector(&self) -> String {
        let ([own, peer], fixed) = (self.addrs, self.fixed);
        format!(
            "router id 10.9.0.1;\ntable t2;\nprotocol device {{}}\nprotocol static {{ route {fixed} blackhole; }}\n\
             protocol bgp far {{ local {own} as 65001; neighbor {peer} as 65002; add paths rx; import all; export none; \
             connect delay time 1; connect retry time 2; }}\n"
        )
    }

    fn neighbour(&self) -> String {
        let ([peer, own], [a, b, c]) = (self.addrs, self.told);
        format!(
            "router id 10.9.0.2;\nprotocol device {{}}\nprotocol static {{\n\
             route {a} blackhole {{ bgp_community.add((65002,1)); bgp_large_community.add((1,2,3)); bgp_med = 5; }};\n\
             route {b} blackhole {{ bgp_ext_community.add((rt,1,2)); }};\nroute {c} blackhole; }}\n\
             protocol bgp near {{ local {own} as 65002; neighbor {peer} as 65001; add paths tx; import none; export all; \
             connect delay time 1; connect retry time 2; error wait time 1, 2; }}\n"
        )
    }
}

#[test]
fn a_dump_of_a_table_has_the_octets_of_birds() {
    tell(|pair| beside(pair, &V4));
}

#[test]
fn a_dump_of_a_table_of_ipv6_has_the_octets_of_birds() {
    tell(|pair| beside(pair, &V6));
}

/// The neighbour's session of BIRD 2 carries both families; what it announces is that of both.
#[test]
fn dumps_and_messages_of_both_families_are_read_as_those_of_bird_2() {
    tell(beside_2);
}

fn tell(story: impl FnOnce(&mut Pair) -> Result<()>) {
    let told = Pair::new().and_then(|mut pair| story(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn beside(pair: &mut Pair, family: &Family) -> Result<()> {
    let far = pair.write("far.conf", &family.neighbour())?;
    let dir = pair.dir().display().to_string();
    pair.spawn("b", "bird", &format!("{} -d -c {} -s {dir}/far.ctl", family.bird, far.display()))?;
    let conf = pair.write("own.conf", &family.collector())?.display().to_string();
    let programs = top().join("target/release").display().to_string();
    let bird = format!("{} -d -c {conf} -s {dir}/bird.ctl", family.bird);
    let rbird = format!("{programs}/rbird -d -c {conf} -s {dir}/rbird.ctl --family {}", family.number);
    for (name, line) in [("bird", bird), ("rbird", rbird)] {
        let pid = pair.spawn("a", name, &line)?;
        dump(pair, &programs, name, family)?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        wait_until(&format!("{name} gone"), PATIENCE, || {
            Ok((!pair.dir().join(format!("{name}.ctl")).exists(), dir.clone()))
        })?;
    }
    for file in ["master", "t2", "some"] {
        let [theirs, ours] = ["bird", "rbird"].map(|name| pair.dir().join(format!("{name}-{file}.mrt")));
        let [theirs_read, ours_read] = [records(&theirs)?, records(&ours)?];
        ensure!(theirs_read == ours_read, "{file}: BIRD wrote {theirs_read:#?}\nrbird {ours_read:#?}");
        let (none, own) = if family.number == 6 { (Some(""), Some(family.addrs[1])) } else { (None, None) };
        let [theirs, ours] = [bgpdump(pair, &theirs, none)?, bgpdump(pair, &ours, own)?];
        ensure!(theirs == ours, "{file}: of BIRD's bgpdump reads {theirs:#?}\nof rbird's {ours:#?}");
        ensure!((file == "t2") == ours.is_empty(), "{file}: {ours:#?}");
    }
    Ok(())
}

/// Of BIRD 2, at either end; the routes of IPv6 go with path identifiers.
fn both_families(own: u8, statics: &str, session: &str, more: &str) -> String {
    let (peer, asn) = (3 - own, 65000 + u32::from(own));
    // Only who records calls, so there is but one connection to record.
    let passive = if own == 2 { "passive; " } else { "" };
    format!(
        "router id 10.9.0.{own};\nipv4 table t4;\nipv6 table t6;\nprotocol device {{}}\n{statics}{more}\
         protocol bgp both {{ local 10.9.0.{own} as {asn}; neighbor 10.9.0.{peer} as {}; connect delay time 1; \
         {passive}connect retry time 2; error wait time 1, 2; ipv4 {{ {session} }}; ipv6 {{ add paths; {session} }}; }}\n",
        65000 + u32::from(peer)
    )
}

fn beside_2(pair: &mut Pair) -> Result<()> {
    let dir = pair.dir().display().to_string();
    let bird = bird2_programs()?.join("bird").display().to_string();
    let programs = top().join("target/release").display().to_string();
    let told = [("ipv4", &V4), ("ipv6", &V6)].map(|(word, family)| {
        let [a, b, c] = family.told;
        format!(
            "protocol static {{ {word};\n\
             route {a} blackhole {{ bgp_community.add((65002,1)); bgp_large_community.add((1,2,3)); bgp_med = 5; }};\n\
             route {b} blackhole {{ bgp_ext_community.add((rt,1,2)); }};\nroute {c} blackhole; }}\n"
        )
    });
    let far = both_families(2, &told.concat(), "import none; export all;", "");
    let far = pair.write("far.conf", &far)?;
    pair.spawn("b", "bird", &format!("{bird} -f -c {} -s {dir}/far.ctl", far.display()))?;
    for (name, program) in [("bird", bird), ("rbird", format!("{programs}/rbird"))] {
        let fixed = [("ipv4", &V4), ("ipv6", &V6)]
            .map(|(word, family)| format!("protocol static {{ {word}; route {} blackhole; }}\n", family.fixed));
        let records = format!("mrtdump \"{dir}/{name}-messages.mrt\";\nmrtdump protocols all;\n");
        let conf = both_families(1, &fixed.concat(), "import all; export none;", &records);
        let conf = pair.write(&format!("{name}.conf"), &conf)?;
        let pid = pair.spawn("a", name, &format!("{program} -f -c {} -s {dir}/{name}.ctl", conf.display()))?;
        dump_2(pair, &programs, name)?;
        kill(Pid::from_raw(i32::try_from(pid)?), Signal::SIGTERM)?;
        wait_until(&format!("{name} gone"), PATIENCE, || {
            Ok((!pair.dir().join(format!("{name}.ctl")).exists(), dir.clone()))
        })?;
    }
    for (file, lines) in [("master4", 4), ("master6", 4), ("t4", 0), ("t6", 0), ("some", 3), ("messages", 6)] {
        let [theirs, ours] = ["bird", "rbird"].map(|name| pair.dir().join(format!("{name}-{file}.mrt")));
        let [theirs, ours] = [bgpdump(pair, &theirs, None)?, bgpdump(pair, &ours, None)?];
        ensure!(theirs == ours, "{file}: of BIRD's bgpdump reads {theirs:#?}\nof rbird's {ours:#?}");
        ensure!(ours.len() == lines, "{file}: {ours:#?}");
    }
    let [theirs, ours] = ["bird", "rbird"].map(|name| states(&pair.dir().join(format!("{name}-messages.mrt"))));
    let (theirs, ours) = (theirs?, ours?);
    ensure!(theirs == ours && ours.len() == 6, "states: BIRD wrote {theirs:#?}\nrbird {ours:#?}");
    Ok(())
}

/// The octets of records about states, without times, but for those of attempts that came to nothing.
fn states(file: &Path) -> Result<BTreeSet<String>> {
    const STATE_CHANGE_AS4: usize = 16 << 16 | 5;
    let octets = std::fs::read(file).with_context(|| file.display().to_string())?;
    let (mut rest, mut found) = (octets.as_slice(), BTreeSet::new());
    while !rest.is_empty() {
        let mut head = Reader(take(&mut rest, 12)?);
        head.skip(4)?;
        let kind = head.number(4)?;
        let body = take(&mut rest, head.number(4)?)?;
        if kind == STATE_CHANGE_AS4 && !body.ends_with(&[0, 2, 0, 1]) {
            found.insert(hex(body));
        }
    }
    Ok(found)
}

/// Waits for all routes and has all tables written, and some routes of one.
fn dump_2(pair: &Pair, programs: &str, name: &str) -> Result<()> {
    let dir = pair.dir().display().to_string();
    let ask = |words: &str| pair.exec("a", &format!("{programs}/rbirdc -s {dir}/{name}.ctl '{words}'"));
    wait_until(&format!("routes of {name}"), PATIENCE, || {
        let routes = ask("show route")?;
        Ok(([V4, V6].iter().flat_map(|f| f.told).all(|net| routes.contains(net)), routes))
    })?;
    ask(&format!("mrt dump table \"*\" to \"{dir}/{name}-%N.mrt\""))?;
    ask(&format!("mrt dump table master6 to \"{dir}/{name}-some.mrt\" where net.len > 45"))?;
    Ok(())
}

/// Waits for the routes and has them written: both tables, and some routes of one.
fn dump(pair: &Pair, programs: &str, name: &str, family: &Family) -> Result<()> {
    let dir = pair.dir().display().to_string();
    let ask = |words: &str| pair.exec("a", &format!("{programs}/rbirdc -s {dir}/{name}.ctl '{words}'"));
    wait_until(&format!("routes of {name}"), PATIENCE, || {
        let routes = ask("show route")?;
        Ok((family.told.iter().all(|net| routes.contains(net)), routes))
    })?;
    ask(&format!("mrt dump table \"*\" to \"{dir}/{name}-%N.mrt\""))?;
    ask(&format!("mrt dump table master to \"{dir}/{name}-some.mrt\" where net.len > 13"))?;
    Ok(())
}

/// What `bgpdump` reads, in order, without times and, where BIRD has none, without next hops, which must be the neighbour's.
fn bgpdump(pair: &Pair, file: &Path, next_hop: Option<&str>) -> Result<BTreeSet<String>> {
    let read = pair.exec("a", &format!("bgpdump -m {} 2>/dev/null", file.display()))?;
    let mut found = BTreeSet::new();
    for line in read.lines() {
        let mut fields: Vec<&str> = line.split('|').collect();
        if fields.get(2) == Some(&"STATE") {
            continue;
        }
        // Behind the prefix stands the path identifier, when there is one.
        let place = if line.starts_with("TABLE_DUMP2_AP|") { 9 } else { 8 };
        ensure!(fields.len() > place, "{line}");
        if let Some(wanted) = next_hop {
            ensure!(fields.remove(place).contains(wanted) || fields.get(4) == Some(&"0"), "next hop: {line}");
        }
        fields.remove(1);
        found.insert(fields.join("|"));
    }
    Ok(found)
}

/// The records of a file as hexadecimal digits, without times and numbers of sequence.
fn records(file: &Path) -> Result<BTreeSet<String>> {
    let octets = std::fs::read(file).with_context(|| file.display().to_string())?;
    let mut rest = octets.as_slice();
    let mut found = BTreeSet::new();
    while !rest.is_empty() {
        let mut record = Reader(take(&mut rest, 12)?);
        record.skip(4)?;
        let kind = record.number(4)?;
        let length = record.number(4)?;
        let body = take(&mut rest, length)?;
        let mut text = format!("{kind:08x}");
        match kind & 0xffff {
            1 => text.push_str(&format!(" {}", hex(body))),
            subtype => rib(body, subtype >= 8, &mut text)?,
        }
        ensure!(found.insert(text.clone()), "twice: {text}");
    }
    Ok(found)
}

fn rib(body: &[u8], add_path: bool, text: &mut String) -> Result<()> {
    let mut body = Reader(body);
    body.skip(4)?;
    let bits = body.number(1)?;
    text.push_str(&format!(" {bits}/{}", hex(take(&mut body.0, bits.div_ceil(8))?)));
    for _ in 0..body.number(2)? {
        let peer = body.number(2)?;
        body.skip(4)?;
        let path_id = if add_path { body.number(4)? } else { 0 };
        let length = body.number(2)?;
        text.push_str(&format!(" [{peer} {path_id} {}]", without_next_hop(take(&mut body.0, length)?)?));
    }
    ensure!(body.0.is_empty(), "octets behind the last entry");
    Ok(())
}

/// Attributes without MP_REACH_NLRI.
fn without_next_hop(attrs: &[u8]) -> Result<String> {
    let (mut rest, mut kept) = (attrs, String::new());
    while let [flags, code, ..] = *rest {
        let extended = flags & 0x10 != 0;
        let head = take(&mut rest, if extended { 4 } else { 3 })?;
        let length = Reader(head.get(2..).unwrap_or_default()).number(head.len() - 2)?;
        let value = take(&mut rest, length)?;
        if code != 14 {
            kept.push_str(&format!("{}{}", hex(head), hex(value)));
        }
    }
    Ok(kept)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self, octets: usize) -> Result<usize> {
        Ok(take(&mut self.0, octets)?.iter().fold(0, |all, octet| all << 8 | usize::from(*octet)))
    }

    fn skip(&mut self, octets: usize) -> Result<()> {
        take(&mut self.0, octets).map(drop)
    }
}

fn take<'a>(from: &mut &'a [u8], octets: usize) -> Result<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(octets).context("a record that is cut off")?;
    *from = rest;
    Ok(taken)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
