//! rbird beside what BIRD 1.6.8 and BIRD 2.0.12 did, case by case: every suite of `reference/`.
//!
//! `reference/compare.py` runs the daemon where BIRD ran, and fails when a case
//! differs that neither `compare-known.txt` (differs between two runs of BIRD)
//! nor `known-differences.txt` (rbird differs, with the reason) lists, and when
//! an entry of the latter is needed no longer.

use anyhow::{Context, Result, ensure};
use rbird_xtask::build::{bird2, top};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Suites that load the machine run one after the other; `fsm` mostly waits and runs beside them.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs suites of a release, `1.6` or `2.0`.
fn suite(flavor: &str, names: &str) {
    if let Err(error) = compare(flavor, names) {
        panic!("suite {names} of {flavor}: {error:#}");
    }
}

/// Runs suites; an error names what differs.
fn compare(flavor: &str, names: &str) -> Result<()> {
    let programs = top().join("target/release");
    let mut compare = Command::new("python3");
    compare
        .arg(top().join("integration/reference/compare.py"))
        .args(["--flavor", flavor, "--suite", names, "--jobs", "1", "--show", "40"])
        .arg("--bird")
        .arg(programs.join("rbird"))
        .arg("--birdc")
        .arg(programs.join("rbirdc"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if flavor == "2.0" {
        // The nodes of the lab run the real one; BIRD 1.6 is installed.
        let real = bird2()?;
        compare.arg("--node-bird").arg(real.join("bird")).arg("--node-birdc").arg(real.join("birdc"));
    }
    let ran = compare.output().context("python3")?;
    let said = String::from_utf8_lossy(&ran.stdout);
    ensure!(ran.status.success(), "{}\n{said}\n{}", ran.status, String::from_utf8_lossy(&ran.stderr));
    println!("{said}");
    Ok(())
}

macro_rules! suites {
    ($($name:ident: $flavor:literal $suites:literal;)*) => {$(
        #[test]
        fn $name() {
            let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
            suite($flavor, $suites);
        }
    )*};
}

// The states of 2.0 go through the commands first, so both are one run.
suites! {
    the_lab_looks_as_with_bird: "1.6" "lab";
    commands_are_answered_as_by_bird: "1.6" "commands";
    operators_change_states_as_in_bird: "1.6" "states";
    the_kernel_table_is_kept_as_by_bird: "1.6" "kernel";
    configurations_are_taken_and_refused_as_by_bird: "1.6" "config";
    expressions_have_birds_values: "1.6" "filter";
    expressions_of_dialect_2_have_birds_values: "2.0" "filter";
    the_lab_looks_as_with_bird_2: "2.0" "lab";
    commands_and_states_are_those_of_bird_2: "2.0" "commands,states";
    the_kernel_table_is_kept_as_by_bird_2: "2.0" "kernel";
    configurations_are_taken_and_refused_as_by_bird_2: "2.0" "config";
}

#[test]
fn sessions_go_through_birds_states() {
    suite("1.6", "fsm");
}

#[test]
fn sessions_go_through_the_states_of_bird_2() {
    suite("2.0", "fsm");
}
