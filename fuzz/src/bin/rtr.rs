#![no_main]
libfuzzer_sys::fuzz_target!(|octets: &[u8]| rbird_fuzz::rtr::session(octets));
