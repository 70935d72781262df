//! The socket under all kinds of clients.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod lab;

use conf::config::{Config, LogClass};
use lab::{CONFIG, Door, RouteNet, talk};
use proptest::prelude::*;
use rbird_control::order::Order;
use rbird_control::request::Request;
use rbird_control::view::{Exported, RouteItem};
use route::Prefix;
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// Runs blocking conversation beside the server.
async fn say(door: &Door, lines: &'static [&'static str]) -> String {
    let socket = door.socket();
    tokio::task::spawn_blocking(move || talk(&socket, lines)).await.unwrap()
}

/// Writes octets, says that nothing more comes, and reads all.
async fn throw(socket: PathBuf, octets: Vec<u8>) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    // The server may have hung up in the middle: then reading tells.
    let _ = stream.write_all(&octets).await;
    let _ = stream.shutdown().await;
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8(all).unwrap()
}

#[tokio::test]
async fn commands_that_come_together_are_answered_one_after_the_other() {
    let door = Door::open("pipelined");
    let said = throw(door.socket(), b"show symbols router2\nshow route count\r\n\nshow memory\n".to_vec()).await;
    let expected = "0001 BIRD 1.6.8 ready.\n1010 router2 \tprotocol\n0014 8 of 8 routes for 7 networks\n\
                    9001 syntax error\n1018-BIRD memory usage\n";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.ends_with("\n0000 \n"), "{said}");
}

#[tokio::test]
async fn a_line_without_end_is_no_command() {
    let door = Door::open("unended");
    assert_eq!(throw(door.socket(), b"down".to_vec()).await, "0001 BIRD 1.6.8 ready.\n");
}

#[tokio::test]
async fn a_line_above_the_limit_ends_its_client_alone() {
    let door = Door::open("endless");
    let said = throw(door.socket(), vec![b'a'; 1 << 20]).await;
    assert!(
        said.is_empty() || said.contains("9000 Command too long\n") || said == "0001 BIRD 1.6.8 ready.\n",
        "{said}"
    );
    assert!(say(&door, &["show route count"]).await.ends_with("0014 8 of 8 routes for 7 networks\n"));
}

/// As `63-restrict.sock`.
#[tokio::test]
async fn a_restricted_client_may_look_and_not_touch() {
    let door = Door::open("restrict");
    let said = say(
        &door,
        &[
            "restrict",
            "show route count",
            "disable kubeadm1",
            "disable nosuch",
            "configure",
            "configure check",
            "configure x",
            "down",
            "echo all",
            "debug all all",
            "reload kubeadm1",
            "dump routes",
            "mrtdump all off",
            "eval 1",
            "add roa 1.0.0.0/8 max 8 as 1",
            "restrict",
        ],
    );
    assert_eq!(
        said.await,
        "0001 BIRD 1.6.8 ready.\n0016 Access restricted\n0014 8 of 8 routes for 7 networks\n8007 Access denied\n\
         8007 Access denied\n8007 Access denied\n0002-Reading configuration from router1.conf\n0020 Configuration OK\n\
         9001 syntax error\n8007 Access denied\n0000 \n8007 Access denied\n8007 Access denied\n0000 \n\
         8007 Access denied\n0023 1\n9001 No ROA table defined\n0016 Access restricted\n"
    );
}

/// As `43-reload`: codes change within one reply.
#[tokio::test]
async fn actions_are_answered_protocol_by_protocol() {
    let door = Door::open("actions");
    let said = say(&door, &["reload in all", "reload \"*2\"", "restart kubeadm1 \"bye\"", "configure timeout", "down"]);
    assert_eq!(
        said.await,
        "0001 BIRD 1.6.8 ready.\n8006-device1: reload failed\n direct1: reload failed\n0015-kernel1: reloading\n\
         8006-static1: reload failed\n0015-router2: reloading\n kubeadm1: reloading\n0000 \n0015-router2: reloading\n\
         0000 \n0012-kubeadm1: restarted\n0000 \n0002-Reading configuration from router1.conf\n\
         0022-Undo scheduled in 300 s\n0003 Reconfigured\n0007 Shutdown requested\n"
    );
}

#[tokio::test]
async fn lines_of_the_log_come_to_those_who_asked() {
    let door = Door::open("echo");
    let mut stream = UnixStream::connect(door.socket()).await.unwrap();
    stream.write_all(b"echo { info, remote }\n").await.unwrap();
    let mut said = String::new();
    until(&mut stream, &mut said, "0000 \n").await;
    door.echo.line(LogClass::Trace, "not this");
    door.echo.line(LogClass::Remote, "this");
    until(&mut stream, &mut said, "+this\n").await;
    stream.write_all(b"echo off\n").await.unwrap();
    until(&mut stream, &mut said, "0000 \n").await;
    door.echo.line(LogClass::Remote, "not this either");
    stream.write_all(b"show symbols x\n").await.unwrap();
    until(&mut stream, &mut said, "undefined\n").await;
    assert_eq!(said, "0001 BIRD 1.6.8 ready.\n0000 \n+this\n0000 \n1010 x       \tundefined\n");
}

/// Reads on until the text ends so.
async fn until(stream: &mut UnixStream, said: &mut String, end: &str) {
    let from = said.len();
    let mut octets = [0; 4096];
    while !said.get(from..).is_some_and(|new| new.ends_with(end)) {
        let n = stream.read(&mut octets).await.unwrap();
        assert!(n > 0, "closed after {said:?}");
        said.push_str(std::str::from_utf8(octets.get(..n).unwrap()).unwrap());
    }
}

/// Nets without end, in pages of one.
fn endless(request: Request, config: &Config) {
    let Request::Routes { pages, .. } = request else { return lab::answer(request, config) };
    tokio::spawn(async move {
        for n in 0..u32::MAX {
            let net = Prefix::new(std::net::Ipv4Addr::from_bits(n).into(), 32).unwrap();
            let mut net = RouteNet { net, sync_error: false, paths: lab::first_paths() };
            for path in &mut net.paths {
                path.export = Some(Exported::Vetoed);
            }
            if pages.send(RouteItem::Nets(lab::page(net))).await.is_err() {
                return;
            }
        }
        panic!("nobody stopped the list");
    });
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_nobody_and_a_list_ends_with_its_client() {
    let door = Door::with("slow", lab::config(CONFIG), endless);
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = UnixStream::connect(door.socket()).await.unwrap();
        stream.write_all(b"show route all\n").await.unwrap();
        slow.push(stream);
    }
    for _ in 0..3 {
        assert!(say(&door, &["show symbols router2"]).await.ends_with("1010 router2 \tprotocol\n"));
    }
    let mut reader = slow.pop().unwrap();
    let mut octets = vec![0; 1 << 20];
    reader.read_exact(&mut octets).await.unwrap();
    let text = String::from_utf8(octets).unwrap();
    assert!(text.contains("1007-0.0.0.9/32         dev lo [direct1 "), "{}", text.get(..400).unwrap());
}

#[tokio::test]
async fn many_clients_are_served_at_the_same_time() {
    let door = Door::open("many");
    let mut clients = Vec::new();
    for _ in 0..200 {
        let socket = door.socket();
        clients.push(tokio::spawn(throw(socket, b"show protocols\n".to_vec())));
    }
    let mut replies = Vec::new();
    for client in clients {
        replies.push(client.await.unwrap());
    }
    assert!(replies.iter().all(|r| r.ends_with("Established   \n0000 \n")), "{replies:?}");
}

#[tokio::test]
async fn octets_of_any_kind_are_answered_and_survived() {
    let door = Door::open("garbage");
    for seed in 0u32..64 {
        let noise = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed * 40_503) >> 13) as u8);
        let mut octets: Vec<u8> = noise.collect();
        octets.push(b'\n');
        let said = throw(door.socket(), octets).await;
        assert!(said.starts_with("0001 "), "{said}");
        assert!(said.lines().skip(1).all(|l| l.starts_with("9001 ")), "{said}");
    }
}

/// Words of commands, names and signs, thrown together.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "show",
        "route",
        "protocols",
        "all",
        "for",
        "export",
        "router2",
        "kubeadm1",
        "filter",
        "where",
        "{",
        "}",
        "(",
        "accept;",
        "10.0.0.0/8",
        "10.0.0.1",
        "::1",
        "table",
        "master",
        "count",
        "stats",
        "primary",
        "\"k*\"",
        "\"",
        "'",
        "symbols",
        "configure",
        "timeout",
        "5",
        "99999999999",
        "soft",
        "check",
        "debug",
        "echo",
        "off",
        "eval",
        "1",
        "+",
        "bgp_path",
        "~",
        "[",
        "]",
        "[=",
        "=]",
        "*",
        "#",
        "/*",
        "*/",
        "\u{0}",
        "\u{ff}",
        "net",
        "roa",
        "max",
        "as",
        "disable",
        "reload",
        "in",
        "out",
        "mrtdump",
        "states",
        ",",
        "dump",
        "routes",
        "preexport",
        "static",
    ];
    let word = prop_oneof![
        9 => prop::sample::select(words.to_vec()).prop_map(|w| w.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(word, 0..14).prop_map(|words| words.join(&b' '))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_line_is_an_order_or_a_refusal_with_a_code_of_refusals(line in line()) {
        let config = CONFIG_PARSED.with(std::rc::Rc::clone);
        if let Err(refusal) = Order::parse(&line, &config) {
            prop_assert!(refusal.code == 9001);
            prop_assert!(!refusal.text.is_empty());
        }
    }
}

thread_local! {
    static CONFIG_PARSED: std::rc::Rc<Config> = std::rc::Rc::new(lab::config(CONFIG));
}

const ROAS: &str = "router id 1.1.1.1; roa table r1 { roa 10.0.0.0/8 max 24 as 100; roa 10.1.0.0/16 max 16 as 5; \
                    roa 11.0.0.0/8 max 8 as 5; } roa table r2; table t; protocol device { }";

/// As `60-ext/router1/roa-*.sock`, but for the order: ours is by address.
#[tokio::test]
async fn roa_tables_are_listed_as_asked() {
    let door = Door::with("roa", lab::config(ROAS), lab::answer);
    let said = say(
        &door,
        &[
            "show roa",
            "show roa table r2",
            "show roa as 5",
            "show roa as 5 in 10.0.0.0/8 as 0",
            "show roa in 10.0.0.0/8 as 5 table r1",
            "show roa for 10.1.0.0/16",
            "show roa 10.0.0.0/8",
            "show symbols roa",
        ],
    );
    assert_eq!(
        said.await,
        "0001 BIRD 1.6.8 ready.\n\
         1019-10.0.0.0/8 max 24 as 100\n 10.1.0.0/16 max 16 as 5\n 11.0.0.0/8 max 8 as 5\n0000 \n\
         0000 \n\
         1019-10.1.0.0/16 max 16 as 5\n 11.0.0.0/8 max 8 as 5\n0000 \n\
         1019-10.0.0.0/8 max 24 as 100\n 10.1.0.0/16 max 16 as 5\n0000 \n\
         1019-10.1.0.0/16 max 16 as 5\n0000 \n\
         1019-10.1.0.0/16 max 16 as 5\n 10.0.0.0/8 max 24 as 100\n0000 \n\
         1019-10.0.0.0/8 max 24 as 100\n0000 \n\
         1010-r1      \tROA table\n r2      \tROA table\n0000 \n"
    );
}

/// Each as BIRD 1.6.8 answers.
#[tokio::test]
async fn wrong_commands_on_roa_tables_are_refused_in_bird_s_words() {
    let door = Door::with("roa-wrong", lab::config(ROAS), lab::answer);
    for (line, reply) in [
        ("show roa all", "9001 syntax error"),
        ("show roa for 10.1.2.3", "9001 syntax error"),
        ("show roa 10.1.0.0/15", "9001 Invalid prefix"),
        ("show roa in 20.0.0.0/8 for 20.0.0.0/8", "9001 Only one prefix expected"),
        ("show roa table t", "9001 t is not a ROA table"),
        ("add roa 1.0.0.0/8 as 1", "9001 syntax error"),
        ("add roa 1.0.0.0/8 max (4+4) as 1", "9001 syntax error"),
        ("add roa 1.0.0.1/8 max 8 as 1", "9001 Invalid prefix"),
        ("add roa 1.0.0.0/8 max 8 as 1 table nosuch", "9001 nosuch is not a ROA table"),
        ("add roa 1.0.0.0/8 max 7 as 1", "0000 "),
        ("delete roa", "9001 syntax error"),
        ("flush roa r1", "9001 syntax error"),
        ("flush roa table t", "9001 t is not a ROA table"),
        ("eval roa_check(r1, 10.1.0.0/16, 100)", "0023 (enum 35)1"),
        ("eval roa_check(r1, 10.1.0.0/16)", "9001 syntax error"),
        ("eval roa_check(t, 10.1.0.0/16, 1)", "9001 t is not a ROA table"),
        ("eval roa_check(10.1.0.0/16, 1)", "9001 syntax error"),
    ] {
        let line: &'static [&'static str] = Box::leak(Box::new([line]));
        assert_eq!(say(&door, line).await, format!("0001 BIRD 1.6.8 ready.\n{reply}\n"), "{line:?}");
    }
}

#[tokio::test]
async fn a_dump_is_written_into_a_new_file_which_its_owner_alone_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let door = Door::with("dump", lab::config_v2(), lab::answer);
    let path = std::env::temp_dir().join(format!("rbird-dump-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let order = format!("dump routes \"{}\"\n", path.display());
    let said = throw(door.socket(), order.repeat(2).into_bytes()).await;
    let text = std::fs::read_to_string(&path).unwrap();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    std::fs::remove_file(&path).unwrap();
    assert!(text.starts_with("a line\nTable master4:\n"), "{text}");
    assert!(text.contains("BGP.as_path") && !text.contains("1007-"), "{text}");
    assert_eq!(mode & 0o777, 0o400);
    let lines: Vec<&str> = said.lines().collect();
    let path = path.display();
    assert_eq!(lines.get(1), Some(&&*format!("0013-Dumping routing tables to {path}")));
    assert!(lines.get(2).unwrap().starts_with(&format!("0013 Dumped {} bytes in ", text.len())), "{said}");
    assert_eq!(lines.get(3), Some(&&*format!("8009 Failed to open file {path}: File exists")));
}
