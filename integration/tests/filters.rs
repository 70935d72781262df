//! Random filter programs give the same in BIRD and in rbird. `cargo xtask filters` runs more of them.

#![allow(clippy::expect_used, reason = "tests")]

use rbird_xtask::filters::{self, Dialect, Options};

fn same(options: Options) {
    filters::run(&Options { seed: 1, differences: 3, ..options }).expect("the programs above and their answers");
}

#[test]
fn four_hundred_random_programs_do_the_same_in_both() {
    same(Options { programs: 400, ..Options::default() });
}

#[test]
fn two_hundred_random_programs_about_ipv6_do_the_same_in_both() {
    same(Options { programs: 200, six: true, ..Options::default() });
}

#[test]
fn two_hundred_random_programs_of_dialect_2_do_the_same_in_both() {
    same(Options { programs: 200, dialect: Dialect::Two, ..Options::default() });
}
