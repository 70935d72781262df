//! The drivers against the clock; items are routes.

use divan::Bencher;
use divan::counter::ItemsCount;
use rbird_gauge::{DRIVERS, measured};

fn main() {
    divan::main();
}

#[divan::bench(args = DRIVERS.iter().map(|d| d.name), sample_count = 20, sample_size = 1)]
fn driver(bencher: Bencher<'_, '_>, name: &str) {
    let Some(driver) = DRIVERS.iter().find(|d| d.name == name) else { return };
    bencher.counter(ItemsCount::new(driver.routes)).with_inputs(driver.prepare).bench_local_values(measured);
}
