//! `rbird-gauge DRIVER`: one driver, once. `rbird-gauge --list`: their names, routes and what they do.

use rbird_gauge::{DRIVERS, measured};
use std::process::ExitCode;

fn main() -> ExitCode {
    let asked = std::env::args().nth(1).unwrap_or_default();
    if asked == "--list" {
        DRIVERS.iter().for_each(|d| println!("{}\t{}\t{}", d.name, d.routes, d.about));
        return ExitCode::SUCCESS;
    }
    let Some(driver) = DRIVERS.iter().find(|d| d.name == asked) else {
        eprintln!("no driver {asked}; --list names them");
        return ExitCode::FAILURE;
    };
    drop(measured((driver.prepare)()));
    ExitCode::SUCCESS
}
