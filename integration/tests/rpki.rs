//! RPKI: rbird and BIRD 2.0.12 ask StayRTR, and an announcement turns invalid and back by a change of the ROA set.

use anyhow::{Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rbird_integration::{Pair, wait_until};
use rbird_xtask::build::{bird2, top};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn tell(story: impl FnOnce(&mut Pair) -> Result<()>) {
    let told = Pair::new().and_then(|mut pair| story(&mut pair).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

/// What both daemons have alike.
const RPKI: &str = "roa4 table r4 { min settle time 100 ms; max settle time 500 ms; };\nroa6 table r6;\nroa4 table r4b;\nprotocol device {}\n";

fn rbird(pair: &mut Pair, more: &str) -> Result<()> {
    let conf = pair.write("rbird.conf", &format!("router id 10.9.0.1;\n{RPKI}{more}\n"))?;
    let program = top().join("target/release/rbird");
    let socket = pair.dir().join("rbird.ctl");
    let line = format!("{} -d -c {} -s {}", program.display(), conf.display(), socket.display());
    pair.spawn("a", "rbird", &line).map(|_| ())
}

fn bird(pair: &mut Pair, more: &str) -> Result<()> {
    let conf = pair.write("bird.conf", &format!("log stderr all;\nrouter id 10.9.0.2;\n{RPKI}{more}\n"))?;
    let program = bird2()?.join("bird");
    let line = format!("{} -d -c {} -s {}", program.display(), conf.display(), pair.dir().join("bird.ctl").display());
    pair.spawn("b", "bird", &line).map(|_| ())
}

/// A cache server on `a`; its process.
fn cache(pair: &mut Pair, roas: &[&str]) -> Result<Pid> {
    authorise(pair, roas)?;
    let file = pair.dir().join("roas.json");
    let line = format!("stayrtr -bind :3999 -metrics.addr '' -checktime=false -refresh 1 -cache {}", file.display());
    let number = pair.spawn("a", "stayrtr", &line)?;
    Ok(Pid::from_raw(i32::try_from(number)?))
}

/// What the cache server says from now on: `10.0.0.0/16 24 65001`.
fn authorise(pair: &Pair, roas: &[&str]) -> Result<()> {
    let mut rows = Vec::new();
    for roa in roas {
        let [prefix, max, asn] = roa.split(' ').collect::<Vec<_>>()[..] else { anyhow::bail!("{roa}") };
        rows.push(format!("{{\"prefix\":\"{prefix}\",\"maxLength\":{max},\"asn\":\"AS{asn}\"}}"));
    }
    let text = format!("{{\"metadata\":{{\"buildtime\":\"2026-01-01T00:00:00Z\"}},\"roas\":[{}]}}", rows.join(","));
    let new = pair.write("roas.new", &text)?;
    std::fs::rename(new, pair.dir().join("roas.json"))?;
    Ok(())
}

fn ask_rbird(pair: &Pair, words: &str) -> Result<String> {
    let client = top().join("target/release/rbirdc");
    let socket = pair.dir().join("rbird.ctl");
    pair.exec("a", &format!("{} -s {} '{words}' || true", client.display(), socket.display()))
}

fn ask_bird(pair: &Pair, words: &str) -> Result<String> {
    let (client, socket) = (bird2()?.join("birdc"), pair.dir().join("bird.ctl"));
    pair.exec("b", &format!("{} -s {} '{words}' || true", client.display(), socket.display()))
}

type Ask = fn(&Pair, &str) -> Result<String>;

/// Waits until an answer has a text, or has it not any more.
fn wait_says(pair: &Pair, ask: Ask, words: &str, text: &str, there: bool) -> Result<()> {
    let what = format!("`{words}` {} `{text}`", if there { "says" } else { "does not say" });
    wait_until(&what, PATIENCE, || {
        let answer = ask(pair, words)?;
        Ok((answer.contains(text) == there, answer))
    })
}

/// How many UPDATEs BIRD says that it got.
fn updates(pair: &Pair) -> Result<usize> {
    let log = std::fs::read_to_string(pair.dir().join("b-bird.log"))?;
    Ok(log.lines().filter(|line| line.contains("far: Got UPDATE")).count())
}

#[test]
fn a_change_of_the_roa_set_turns_an_announcement_invalid_and_back_and_touches_no_other() {
    tell(|pair| {
        let valid = ["20.0.0.0/16 24 65001", "30.0.1.0/24 24 65002", "30.0.2.0/24 24 65002"];
        // What covers the routes of both neighbours changes; of each, one route is authorised by something else.
        let invalid = ["20.0.0.0/16 24 64999", "20.0.2.0/24 24 65001", "30.0.1.0/24 24 64999", "30.0.2.0/24 24 65002"];
        let server = cache(pair, &valid)?;
        rbird(
            pair,
            "protocol rpki rp { roa4 { table r4; }; roa6 { table r6; }; remote 10.9.0.1 port 3999; retry keep 1; }
             function origin_is_wrong(int asn) { return roa_check(r4, net, asn) = ROA_INVALID; }
             protocol static { ipv4; route 20.0.1.0/24 blackhole; route 20.0.2.0/24 blackhole; route 21.0.0.0/8 blackhole; }
             protocol bgp far { local 10.9.0.1 as 65001; neighbor 10.9.0.2 as 65002; connect delay time 1; connect retry time 1;
               ipv4 { import where !origin_is_wrong(bgp_path.last); export where !origin_is_wrong(65001); }; }",
        )?;
        wait_says(pair, ask_rbird, "show route table r4", "30.0.2.0/24-24 AS65002", true)?;
        bird(
            pair,
            "protocol static { ipv4; route 30.0.1.0/24 blackhole; route 30.0.2.0/24 blackhole; }
             protocol bgp far { debug { packets }; local 10.9.0.2 as 65002; neighbor 10.9.0.1 as 65001; connect delay time 1;
               ipv4 { import all; export where source = RTS_STATIC; }; }",
        )?;
        let both = |pair: &Pair, words: &str, there: bool| {
            wait_says(pair, ask_bird, "show route protocol far", "20.0.1.0/24", there)?;
            wait_says(pair, ask_rbird, "show route protocol far", "30.0.1.0/24", there)?;
            let kept = [ask_bird(pair, "show route protocol far")?, ask_rbird(pair, "show route protocol far")?];
            for net in ["20.0.2.0/24", "21.0.0.0/8", "30.0.2.0/24"] {
                ensure!(kept.iter().any(|k| k.contains(net)), "{words}: {net} is gone: {kept:?}");
            }
            Ok(())
        };
        both(pair, "at first", true)?;
        let before = updates(pair)?;
        for turn in 1..3 {
            authorise(pair, &invalid)?;
            both(pair, "invalid", false)?;
            ensure!(updates(pair)? == before + 2 * turn - 1, "one withdrawal, and nothing else");
            authorise(pair, &valid)?;
            both(pair, "valid again", true)?;
            ensure!(updates(pair)? == before + 2 * turn, "one announcement, and nothing else");
        }
        // Who is gone takes nothing along.
        kill(server, Signal::SIGKILL)?;
        wait_says(pair, ask_rbird, "show protocols rp", "Transport-Error", true)?;
        both(pair, "without a server", true)?;
        let table = ask_rbird(pair, "show route table r4")?;
        ensure!(table.contains("30.0.1.0/24-24 AS65002"), "{table}");
        cache(pair, &invalid)?;
        both(pair, "with another server", false)
    });
}

/// An answer without what differs by time; lists of routes in order.
fn timeless(answer: &str) -> String {
    let is_timer =
        |line: &str| ["Last update", "Refresh timer", "Retry timer", "Expire timer"].iter().any(|t| line.contains(t));
    let word = |word: &str| if word.matches(':').count() >= 2 && word.contains('.') { "TIME" } else { word }.to_owned();
    let line = |line: &str| match line.split_once(':') {
        Some((label, value)) if is_timer(line) => {
            format!("{label}: {}", if value.contains("---") { "---" } else { "TIME" })
        }
        _ => line.split(' ').map(word).collect::<Vec<_>>().join(" "),
    };
    let mut lines: Vec<String> = answer.lines().filter(|l| !l.starts_with("BIRD ")).map(line).collect();
    if lines.first().is_some_and(|l| l.starts_with("Table ")) {
        lines.sort();
    }
    lines.join("\n")
}

#[test]
fn what_the_operator_sees_is_what_bird_shows() {
    tell(|pair| {
        let first = ["10.0.0.0/16 24 65001", "10.1.0.0/16 16 65002", "10.1.0.0/16 16 65003", "2001:db8::/32 48 65001"];
        let server = cache(pair, &first)?;
        let protocols = |version: &str| {
            format!(
                "protocol rpki rp {{ roa4 {{ table r4; import where net.asn != 65003; }}; roa6 {{ table r6; }}; \
                 remote 10.9.0.1 port 3999; retry keep 2; refresh keep 3000; {version} }}
                 protocol rpki nobody {{ roa4 {{ table r4; }}; remote 10.9.0.1 port 3998; retry 600; {version} }}
                 protocol static fixed {{ roa4 {{ table r4; import keep filtered; import where net.maxlen < 25; }}; \
                 route 10.0.0.0/16 max 24 as 65009; route 10.9.0.0/16 max 20 as 7 {{ preference = 5; }}; \
                 route 10.9.0.0/16 max 32 as 7; }}
                 protocol pipe both {{ table r4; peer table r4b; export where net.asn != 7; }}"
            )
        };
        // BIRD 2.0.12 speaks version 1 at most.
        rbird(pair, &protocols("max version 1;"))?;
        bird(pair, &protocols(""))?;
        let same = |when: &str| {
            for words in [
                "show protocols all rp",
                "show protocols all nobody",
                "show protocols all fixed",
                "show protocols",
                "show route table r4",
                "show route table r4 all",
                "show route table r6",
                "show route table r4 where net.maxlen = 24",
                "show route table r4 filtered all",
                "show route table r4b",
                "show route export both",
                "show route noexport both",
                "show route export both filtered",
                "show route count",
                "show route 10.0.0.0/16 max 24 as 65001 table r4",
                "show route for 10.0.0.1 table r4",
                "show static fixed",
                "show symbols table",
            ] {
                // Either may be a moment ahead.
                wait_until(&format!("{when}: `{words}` is what BIRD says"), PATIENCE, || {
                    let (ours, theirs) = (timeless(&ask_rbird(pair, words)?), timeless(&ask_bird(pair, words)?));
                    let lines = |text: &str| {
                        let mut all: Vec<_> = text.lines().map(str::to_owned).collect();
                        all.sort();
                        all
                    };
                    let equal = if words.contains("symbols") { lines(&ours) == lines(&theirs) } else { ours == theirs };
                    Ok((equal, format!("rbird:\n{ours}\nBIRD:\n{theirs}")))
                })?;
            }
            Ok::<_, anyhow::Error>(())
        };
        for ask in [ask_rbird as Ask, ask_bird] {
            wait_says(pair, ask, "show route table r6", "2001:db8::/32-48 AS65001", true)?;
        }
        same("at first")?;
        authorise(pair, &["10.0.0.0/16 24 65001", "10.2.0.0/16 16 65002"])?;
        for ask in [ask_rbird as Ask, ask_bird] {
            wait_says(pair, ask, "show route table r4", "10.2.0.0/16-16 AS65002", true)?;
        }
        same("after a change")?;
        kill(server, Signal::SIGKILL)?;
        for ask in [ask_rbird as Ask, ask_bird] {
            wait_says(pair, ask, "show protocols rp", "Transport-Error", true)?;
        }
        same("without a server")
    });
}
