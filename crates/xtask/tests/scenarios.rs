//! Every scenario of `cargo xtask bench` works: once, at a small scale, rbird alone.
//!
//! Each checks what it measures: that every prefix arrives with the right path,
//! that no session is lost, that the kernel holds every route. It needs root, or
//! a system that lets users make namespaces, so `cargo xtask test --quick` leaves it out.

use std::process::Command;

#[test]
fn every_scenario_of_the_benchmark_plays_to_its_end() {
    let programs = rbird_xtask::build::programs().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("figures.json");
    let out = Command::new(env!("CARGO_BIN_EXE_rbird-xtask"))
        .args(["bench", "all", "--small", "--alone", "--rounds", "1", "--seconds", "1", "--rbird"])
        .arg(programs.daemon)
        .arg("--json")
        .arg(&json)
        .args(["--svg", &folder.path().display().to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{said}");
    let figures: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    for run in figures["measured"].as_array().unwrap() {
        assert!(run["failed"].is_null(), "{}: {}\n{said}", run["scenario"], run["failed"]);
        assert!(!run["phases"].as_array().unwrap().is_empty(), "{}", run["scenario"]);
    }
    let text = String::from_utf8_lossy(&out.stdout);
    for line in std::fs::read_dir(folder.path()).unwrap().flatten() {
        let name = line.file_name().to_string_lossy().into_owned();
        if let Some(scenario) = name.strip_suffix(".svg") {
            assert!(text.contains(&format!("### {scenario}")), "{text}");
        }
    }
}
