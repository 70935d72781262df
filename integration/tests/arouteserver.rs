//! Route servers in the shape of arouteserver's do the same as under BIRD. `docs/arouteserver.md` runs generated ones.

#![allow(clippy::expect_used, reason = "tests")]

use rbird_integration::daemons::bird2_programs;
use std::path::Path;
use std::process::Command;

#[test]
fn a_route_server_accepts_rejects_and_tells_what_bird_does() {
    beside(Path::new("bird"), "small4.conf", &["--announcements", "300"]);
}

#[test]
fn a_route_server_of_both_families_accepts_rejects_and_tells_what_bird_2_does() {
    let bird = bird2_programs().expect("BIRD 2").join("bird");
    beside(&bird, "small2.conf", &["--dialect", "2", "--announcements", "550"]);
}

fn beside(bird: &Path, conf: &str, more: &[&str]) {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("arouteserver");
    let rbird = rbird_xtask::build::programs().expect("rbird builds").daemon;
    let done = Command::new("python3")
        .arg(lab.join("lab.py"))
        .arg("--rbird")
        .arg(rbird)
        .arg("--bird")
        .arg(bird)
        .arg("--conf")
        .arg(lab.join(conf))
        .args(more)
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}
