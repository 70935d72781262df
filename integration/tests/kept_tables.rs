//! `import table` and `export table` beside BIRD 2.0.12: what a channel received and told, in the same words, and a
//! reload that asks the neighbour for nothing.

use anyhow::{Context, Result, ensure};
use rbird_integration::daemons::{PATIENCE, bird2_programs};
use rbird_integration::{Pair, programs, wait_until};

const OWN: &str = "router id 10.9.0.1;
protocol device { }
filter inward { if net = 10.3.0.0/16 then reject; bgp_local_pref = 200; accept; }
filter outward { if net = 10.1.0.0/16 then reject; bgp_med = 77; accept; }
protocol static s4 { ipv4; route 10.1.0.0/16 blackhole; route 10.2.0.0/16 via 10.9.0.77; }
protocol bgp p1 { local 10.9.0.1 as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1;
  ipv4 { import filter inward; export filter outward; import table; export table; };
}
";

const FAR: &str = "router id 10.9.0.2;
protocol device { }
protocol static s4 { ipv4; route 10.3.0.0/16 blackhole; route 10.4.0.0/16 via 10.9.0.78; }
protocol bgp p1 { local 10.9.0.2 as 65002; neighbor 10.9.0.1 as 65001; connect delay time 1; enable route refresh off;
  ipv4 { import all; export all; };
}
";

/// Asked of both daemons; the answers are equal but for times.
const COMMANDS: &[&str] = &[
    "show route import table p1.ipv4",
    "show route import table p1.ipv4 all",
    "show route import table p1.ipv4 count",
    "show route import table p1.ipv4 where net = 10.4.0.0/16",
    "show route import table p1.ipv4 primary",
    "show route import table p1.ipv4 filtered",
    "show route 10.3.0.0/16 import table p1.ipv4",
    "show route for 10.3.4.5 import table p1.ipv4",
    "show route export table p1.ipv4",
    "show route export table p1.ipv4 all",
    "show route export table p1.ipv4 stats",
    "show route import table s4.ipv4",
    "show route import table p1.ipv6",
    "show route import table p1",
    "reload in p1",
];

#[test]
fn what_a_channel_keeps_is_shown_as_by_bird_2() {
    let told = Pair::new().and_then(|mut pair| beside(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

/// An answer without its times.
fn timeless(answer: &str) -> String {
    let word = |word: &str| {
        let is_time = word.len() >= 12 && word.as_bytes().get(2) == Some(&b':');
        if is_time { "TIME".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ").replace("TIME]", "TIME") + "\n";
    answer.lines().map(line).collect()
}

fn beside(pair: &mut Pair) -> Result<()> {
    let (own, far) = (pair.write("own.conf", OWN)?, pair.write("far.conf", FAR)?);
    let dir = pair.dir().display().to_string();
    let bird = bird2_programs()?;
    let line = format!("{} -d -c {} -s {dir}/far.ctl", bird.join("bird").display(), far.display());
    pair.spawn("b", "far", &line)?;
    let mut answers = Vec::new();
    for (name, daemon, client) in [
        ("bird", bird.join("bird"), bird.join("birdc")),
        ("rbird", programs().join("rbird"), programs().join("rbirdc")),
    ] {
        let socket = format!("{dir}/{name}.ctl");
        let pid = pair.spawn("a", name, &format!("{} -d -c {} -s {socket}", daemon.display(), own.display()))?;
        // Its client ends with 1 when the daemon says no.
        let ask =
            |pair: &Pair, words: &str| pair.exec("a", &format!("{} -s {socket} '{words}' || true", client.display()));
        wait_until("both routes in the import table", PATIENCE, || {
            let said = ask(pair, "show route import table p1.ipv4 count")?;
            Ok((said.contains("2 of 2 routes"), format!("{said}\n{}", ask(pair, "show protocols")?)))
        })?;
        wait_until("the route in the export table", PATIENCE, || {
            let said = ask(pair, "show route export table p1.ipv4 count")?;
            Ok((said.contains("1 of 1 routes"), said))
        })?;
        let said = COMMANDS.iter().map(|words| Ok(timeless(&ask(pair, words)?)));
        answers.push(said.collect::<Result<Vec<_>>>()?);
        wait_until("all routes judged again", PATIENCE, || {
            let said = ask(pair, "show protocols all p1")?;
            let updates = said.lines().find(|l| l.contains("Import updates:")).unwrap_or_default().to_owned();
            let received = updates.split_whitespace().nth(2).and_then(|n| n.parse().ok()).unwrap_or(0);
            Ok((received >= 4, said))
        })?;
        pair.exec("a", &format!("kill {pid}"))?;
        wait_until("gone", PATIENCE, || {
            let sockets = pair.exec("a", "ss -Htln 'sport = :179'")?;
            Ok((sockets.is_empty(), sockets))
        })?;
    }
    let [theirs, ours] = answers.as_slice() else { return Ok(()) };
    for ((words, theirs), ours) in COMMANDS.iter().zip(theirs).zip(ours) {
        ensure!(theirs == ours, "{words}\nBIRD says\n{theirs}\nrbird says\n{ours}");
    }
    let kept = theirs.first().context("no answer")?;
    ensure!(kept.contains("10.3.0.0/16"), "the filtered route is not in the import table: {kept}");
    Ok(())
}
