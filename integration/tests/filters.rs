//! Random filter programs give the same in BIRD 1.6 and in rbird. `cargo xtask filters` runs more of them.

use rbird_xtask::filters::{self, Options};

#[test]
fn four_hundred_random_programs_do_the_same_in_both() {
    let options = Options { programs: 400, seed: 1, differences: 3, six: false, rbird: None };
    filters::run(&options).expect("the programs above and their answers");
}

#[test]
fn two_hundred_random_programs_about_ipv6_do_the_same_in_both() {
    let options = Options { programs: 200, seed: 1, differences: 3, six: true, rbird: None };
    filters::run(&options).expect("the programs above and their answers");
}
