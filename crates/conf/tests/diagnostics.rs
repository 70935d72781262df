//! A wrong configuration and what an operator reads about it.

use rbird_conf::files::Memory;
use rbird_conf::{Dialect, LoadOptions, load};
use route::Family;

fn said_by(files: &Memory, options: &LoadOptions) -> String {
    match load("bird.conf", files, options) {
        Ok(loaded) => loaded.warning_lines().join("\n"),
        Err(refused) => refused.report(false).join("\n"),
    }
}

fn said(text: &str) -> String {
    said_by(&Memory::new().with("bird.conf", text), &LoadOptions::default())
}

/// The first line of each error or warning only.
fn lines(text: &str) -> Vec<String> {
    let is_line = |l: &&str| l.starts_with("bird.conf:") || l.starts_with("./");
    said(text).lines().filter(is_line).map(str::to_owned).collect()
}

#[test]
fn every_error_is_told_with_its_line_and_what_would_be_right() {
    let text = "\
router id 10.0.0.1
protocol device {
  scantime 10;
}
protocol bgp router2 {
  local as 64513;
  neighbour 192.168.18.2 as 64513;
  nexthop self;
  import filter nosuch;
  table mster;
}
protocol static {
  route 10.0.0.1/8 via 10.0.0.1;
}
";
    assert_eq!(
        said(text),
        "\
bird.conf:2:1 syntax error
  |
1 | router id 10.0.0.1
  |                  - the statement ends here without `;`
2 | protocol device {
  | ^^^^^^^^ expected `;`, found `protocol`
bird.conf:3:3: syntax error
  |
3 |   scantime 10;
  |   ^^^^^^^^ no option of protocol device is spelt like this
  |
  = help: did you mean `scan time`?
bird.conf:7:3: syntax error
  |
7 |   neighbour 192.168.18.2 as 64513;
  |   ^^^^^^^^^ no option of protocol bgp is spelt like this
  |
  = help: did you mean `neighbor`?
bird.conf:8:3: syntax error
  |
8 |   nexthop self;
  |   ^^^^^^^ no option of protocol bgp is spelt like this
  |
  = help: did you mean `next hop`?
bird.conf:9:17: No such filter.
  |
9 |   import filter nosuch;
  |                 ^^^^^^
  |
  = help: a filter must be defined before it is used
bird.conf:10:9: Table name expected
   |
10 |   table mster;
   |         ^^^^^ `mster` is not defined
   |
   = help: did you mean `master`?
bird.conf:13:9: Invalid prefix
   |
13 |   route 10.0.0.1/8 via 10.0.0.1;
   |         ^^^^^^^^^^ bits behind the length are set
   |
   = help: the network is `10.0.0.0/8`"
    );
}

#[test]
fn a_contradiction_names_both_sides_of_it() {
    let text = "\
template bgp reflector {
  rr client;
  local as 1;
}
protocol bgp p from reflector {
  neighbor 10.0.0.1 as 2;
}
";
    assert_eq!(
        said(text),
        "\
bird.conf:7:1 Only internal neighbor can be RR client
  |
2 |   rr client;
  |   -- `rr client` is given here
...
5 | protocol bgp p from reflector {
  |              - of this protocol
6 |   neighbor 10.0.0.1 as 2;
7 | }
  | ^
  |
  = help: a client of a route reflector is in our own AS"
    );
}

#[test]
fn a_brace_that_is_not_closed_is_shown_where_it_was_opened() {
    assert_eq!(
        said("router id 1.1.1.1;\nprotocol device {\n  scan time 10;\n"),
        "\
bird.conf:1:0 syntax error
  |
2 | protocol device {
  |                 - this `{` of device device1 is not closed"
    );
    assert_eq!(
        lines("protocol device {\nprotocol bgp p { local as 1; neighbor 10.0.0.1 as 2; }\n"),
        ["bird.conf:2:1 syntax error"]
    );
}

#[test]
fn an_error_in_an_included_file_has_its_name() {
    let files = Memory::new()
        .with("bird.conf", "include \"peers/*.conf\";\nprotocol device {}\n")
        .with("peers/a.conf", "protocol bgp a {\n  local as 1;\n  neighbor 10.0.0.1 as x;\n}\n")
        .with("peers/b.conf", "table a;\n");
    assert_eq!(
        said_by(&files, &LoadOptions::default()),
        "\
./peers/a.conf:3:24 Number expected
  |
3 |   neighbor 10.0.0.1 as x;
  |                        ^ `x` is not defined
./peers/b.conf:1:7: Symbol already defined
  |
1 | table a;
  |       ^
  |
 ::: 
1 | protocol bgp a {
  |              - `a` is a protocol from here on (in ./peers/a.conf)"
    );
}

#[test]
fn a_file_that_is_not_there_is_told_without_a_place() {
    assert_eq!(said_by(&Memory::new(), &LoadOptions::default()), "bird.conf: No such file or directory");
}

#[test]
fn a_mixture_of_dialects_is_one_sentence_that_names_both_places() {
    assert_eq!(
        said("protocol kernel { import all; }\nprotocol direct { ipv4; }\n"),
        "\
bird.conf:2:19 Options of BIRD 1.6 and of BIRD 2 are mixed
  |
1 | protocol kernel { import all; }
  |                   ------ this is of BIRD 1.6: an option of a table's routes that stands in the protocol
2 | protocol direct { ipv4; }
  |                   ^^^^ this is of BIRD 2: a channel
  |
  = help: `--dialect 1.6` or `--dialect 2` says which is meant"
    );
    let forced = LoadOptions { dialect: Some(Dialect::V1), ..LoadOptions::default() };
    assert_eq!(
        said_by(&Memory::new().with("bird.conf", "protocol direct { ipv4; }\n"), &forced),
        "\
bird.conf:1:19 syntax error
  |
1 | protocol direct { ipv4; }
  |                   ^^^^ a channel, as in BIRD 2; in BIRD 1.6 its options stand in the protocol"
    );
    let forced = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
    assert_eq!(
        said_by(&Memory::new().with("bird.conf", "protocol direct { import all; }\n"), &forced),
        "\
bird.conf:1:19 syntax error, unexpected IMPORT
  |
1 | protocol direct { import all; }
  |                   ^^^^^^ an option of the protocol in BIRD 1.6; in BIRD 2 it stands in a channel, as in `ipv4 { ... };`"
    );
}

#[test]
fn addresses_of_the_other_family_are_refused() {
    assert_eq!(
        lines("protocol static { route 2001:db8::/32 blackhole; }"),
        ["bird.conf:1:25 This is an IPv4 router, therefore IPv6 addresses are not supported"]
    );
    let six = LoadOptions { family: Family::Ipv6, ..LoadOptions::default() };
    let read = |text: &str| {
        let said = said_by(&Memory::new().with("bird.conf", text), &six);
        said.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(read("router id 1.1.1.1; protocol static { route 2001:db8::/32 via fe80::1%eth0; }"), "");
    assert_eq!(
        read("router id 1.1.1.1; protocol static { route 10.0.0.0/8 blackhole; }"),
        "bird.conf:1:44 This is an IPv6 router, therefore IPv4 addresses are not supported"
    );
    assert_eq!(read("protocol device {}\n"), "bird.conf:1:0 Router ID must be configured manually on IPv6 routers");
    assert_eq!(
        read("router id 1.1.1.1; protocol bgp p { local as 1; neighbor fe80::1 as 2; }"),
        "bird.conf:1:72 Link-local neighbor address requires specified interface"
    );
    assert_eq!(
        read("router id 2001:db8::1; protocol device {}"),
        "bird.conf:1:11 Router IDs must be entered as hexadecimal numbers or IPv4 addresses in IPv6 version"
    );
}

#[test]
fn protocols_that_rbird_has_not_are_refused_by_a_sentence() {
    assert_eq!(
        lines("protocol ospf o { area 0 { }; }\nprotocol device {}"),
        ["bird.conf:1:10 rbird has no protocol ospf"]
    );
    assert_eq!(lines("protocol babel { }\nprotocol device {}"), ["bird.conf:1:10 rbird has no protocol babel"]);
}

#[test]
fn a_number_that_can_not_be_computed_is_told_in_the_words_of_each_release() {
    assert_eq!(lines("eval 1/0;"), ["bird.conf:1:6 Integer expression expected"]);
    assert_eq!(lines("protocol kernel { metric (1/0); }"), ["bird.conf:1:27 Integer expression expected"]);
    assert_eq!(lines("define x = 1/0;"), ["bird.conf:1:12 Runtime error"]);
    let files = Memory::new().with("bird.conf", "function f(int a) { return 1/a; }\neval f(0);");
    let of_2 = said_by(&files, &LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() });
    let first = of_2.lines().next().unwrap_or_default();
    assert_eq!(first, "bird.conf:2:6 Runtime error while evaluating expression; see log for details");
}

#[test]
fn an_error_in_a_filter_hides_none_behind_it() {
    assert_eq!(
        lines(
            "filter f { nosuch = 5; nosuch2 = 6; }\nprotocol static { import filter f; route 10.0.0.1/8 blackhole; }"
        ),
        [
            "bird.conf:1:12 You may set only variables.",
            "bird.conf:1:24: You may set only variables.",
            "bird.conf:2:42: Invalid prefix",
        ]
    );
}

#[test]
fn old_words_are_taken_with_bird_s_warning() {
    let text = "protocol bgp p { local as 1; neighbor 10.0.0.1 as 2; route limit 10; start delay time 3; }";
    assert_eq!(
        said(text),
        "p: Route limit option is deprecated, use import limit\n\
         p: Start delay time option is deprecated, use connect delay time"
    );
}

#[test]
fn a_vrf_is_the_name_of_a_device_or_default() {
    let bgp = |option: &str| said(&format!("protocol bgp p {{ local as 1; neighbor 10.0.0.1 as 2; {option} }}"));
    assert_eq!(bgp("bfd; vrf \"red\"; vrf default;"), "");
    let warned = bgp("vrf \"longer-than-a-name\";");
    assert!(warned.contains("no interface has such a name"), "{warned}");
}

#[test]
fn next_hops_may_be_looked_up_in_another_table_that_there_is() {
    let with = |table: &str| {
        lines(&format!(
            "router id 1.1.1.1;\ntable t2;\nprotocol bgp a {{ local as 1; neighbor 10.0.0.1 as 2; igp table {table}; }}\n"
        ))
    };
    assert_eq!(with("master"), [""; 0]);
    assert_eq!(with("t2"), [""; 0]);
    assert_ne!(with("t3"), [""; 0]);
}
