//! `protocol aggregator`: routes that are alike are made into one, and what is made follows them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use rbird_integration::wait_until;
use rbird_xtask::build::top;
use std::process::{Child, Command};
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

/// A daemon that ends with its test.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn routes_that_are_alike_are_made_into_one_and_what_is_made_follows_them() {
    let dir = std::env::temp_dir().join(format!("rbird-aggregator-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let (conf, socket) = (dir.join("rbird.conf"), dir.join("rbird.ctl"));
    std::fs::write(&conf, CONF).unwrap();
    let mut command = Command::new(top().join("target/release/rbird"));
    let _daemon = Daemon(command.arg("-d").arg("-c").arg(&conf).arg("-s").arg(&socket).spawn().unwrap());
    let ask = |words: &str| {
        let mut client = Command::new(top().join("target/release/rbirdc"));
        let answer = client.arg("-s").arg(&socket).arg(words).output().unwrap();
        String::from_utf8_lossy(&answer.stdout).into_owned()
    };
    // Preferences and communities of what was made, the best first.
    let wait = |wanted: &[&str]| {
        wait_until(&format!("{wanted:?}"), PATIENCE, || {
            let answer = ask("show route table made all");
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
    ask("disable s2");
    wait(&["130", "110", "(1,1)"]);
    ask("disable s3");
    wait(&["110", "(1,1)"]);
    ask("enable s2");
    wait(&["120", "(2,2) (1,1)"]);
    let other = CONF.replace("aggregate on net, (bgp_path.len);", "aggregate on net, bgp_path;");
    std::fs::write(&conf, other.replace("export where net != 10.0.1.0/24;", "export where net = 10.0.0.0/24;"))
        .unwrap();
    assert!(ask("configure").contains("Reconfigured"));
    wait(&["130", "120", "(2,2)", "110", "(1,1)"]);
    ask("disable ag");
    wait(&[]);
    let _ = std::fs::remove_dir_all(&dir);
}
