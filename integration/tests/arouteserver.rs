//! A route server in the shape of arouteserver's does the same as under BIRD 1.6. `docs/arouteserver.md` runs generated ones.

use std::path::Path;
use std::process::Command;

#[test]
fn a_route_server_accepts_rejects_and_tells_what_bird_does() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("arouteserver");
    let rbird = rbird_xtask::build::programs().expect("rbird builds").daemon;
    let done = Command::new("python3")
        .arg(lab.join("lab.py"))
        .args(["--announcements", "300", "--rbird"])
        .arg(rbird)
        .arg("--conf")
        .arg(lab.join("small4.conf"))
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
}
