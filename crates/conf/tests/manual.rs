//! docs/configuration.md says what the tables say.

const BEGIN: &str = "<!-- From the tables of crates/conf; write anew with RBIRD_WRITE_DOCS=1 cargo test -p rbird-conf --test manual -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn the_compatibility_table_of_the_manual_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the begin mark");
    let (table, after) = rest.split_once(END).expect("the end mark");
    let current = rbird_conf::manual::compatibility();
    if table != current && std::env::var_os("RBIRD_WRITE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{current}{END}{after}")).unwrap();
        return;
    }
    assert!(
        table == current,
        "docs/configuration.md is not current: RBIRD_WRITE_DOCS=1 cargo test -p rbird-conf --test manual"
    );
}
