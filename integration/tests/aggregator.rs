//! `protocol aggregator`: routes that are alike are made into one, and what is made follows them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use rbird_integration::{Alone, wait_until};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// Three ways to one prefix, two of them as long; the community of a heap is that of all in it.
const CONF: &str = "router id 10.9.0.1;
    ipv4 table made;
    protocol device {}
    protocol static s1 {
      ipv4 { preference 110; import filter { bgp_path = +empty+.prepend(1); bgp_community = -empty-.add((1,1)); accept; }; };
      route 10.0.0.0/24 unreachable;
      route 10.0.1.0/24 blackhole;
    }
    protocol static s2 {
      ipv4 { preference 120; import filter { bgp_path = +empty+.prepend(2); bgp_community = -empty-.add((2,2)); accept; }; };
      route 10.0.0.0/24 prohibit;
    }
    protocol static s3 {
      ipv4 { preference 130; import filter { bgp_path = +empty+.prepend(3).prepend(3); accept; }; };
      route 10.0.0.0/24 unreachable;
    }
    protocol aggregator ag {
      table master4;
      peer table made;
      export where net != 10.0.1.0/24;
      aggregate on net, (bgp_path.len);
      merge by {
        for route r in routes do {
          bgp_community = bgp_community.add(r.bgp_community);
          if r.preference > preference then preference = r.preference;
        }
        accept;
      };
      import all;
    }";

#[test]
fn routes_that_are_alike_are_made_into_one_and_what_is_made_follows_them() {
    let daemon = Alone::start("aggregator", CONF).unwrap();
    // Preferences and communities of what was made, the best first.
    let wait = |wanted: &[&str]| {
        wait_until(&format!("{wanted:?}"), PATIENCE, || {
            let answer = daemon.ask("show route table made all")?;
            let lines = answer.lines().filter_map(|line| {
                let line = line.trim();
                let made = line.strip_suffix(')').filter(|_| line.contains("[ag ")).and_then(|l| l.rsplit_once('('));
                made.map(|(_, preference)| preference).or_else(|| line.strip_prefix("BGP.community: "))
            });
            Ok((answer.contains("ready") && lines.collect::<Vec<_>>() == wanted, answer))
        })
        .unwrap_or_else(|error| panic!("{error:#}"));
    };
    wait(&["130", "120", "(2,2) (1,1)"]);
    daemon.ask("disable s2").unwrap();
    wait(&["130", "110", "(1,1)"]);
    daemon.ask("disable s3").unwrap();
    wait(&["110", "(1,1)"]);
    daemon.ask("enable s2").unwrap();
    wait(&["120", "(2,2) (1,1)"]);
    let other = CONF.replace("aggregate on net, (bgp_path.len);", "aggregate on net, bgp_path;");
    daemon.write(&other.replace("export where net != 10.0.1.0/24;", "export where net = 10.0.0.0/24;")).unwrap();
    assert!(daemon.ask("configure").unwrap().contains("Reconfigured"));
    wait(&["130", "120", "(2,2)", "110", "(1,1)"]);
    daemon.ask("disable ag").unwrap();
    wait(&[]);
}
