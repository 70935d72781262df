//! Commands of dialect 2 about protocols of which there are several, and about one end of a pipe.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod lab;

use conf::config::Config;
use conf::files::Memory;
use conf::{Dialect, LoadOptions};
use lab::{Door, talk};
use rbird_control::order::Order;
use rbird_control::request::{Action, Change, ConfigureStatus, Direction, Request};
use rbird_control::view::{Info, Kind, ProtocolView};
use route::Moment;

fn config(dialect: Dialect, text: &str) -> Config {
    let options = LoadOptions { dialect: Some(dialect), ..LoadOptions::default() };
    match conf::load("c", &Memory::new().with("c", text), &options) {
        Ok(loaded) => loaded.config,
        Err(refused) => panic!("{}", refused.report(false).join("\n")),
    }
}

const BFDS: &str = "router id 1.1.1.1; protocol device { } protocol bfd b1 { } protocol bfd b2 { } protocol bfd b3 { }";

/// The first runs, the second begins to, the third is down.
fn answer(request: Request, _: &Config) {
    let view = |(name, state): (&str, &'static str)| ProtocolView {
        name: name.into(),
        kind: Kind::Bfd,
        table: None,
        state,
        since: Moment(0),
        info: Info::Nothing,
        detail: None,
    };
    match request {
        Request::Protocols { choice, answer, .. } => {
            let all = [("b1", "up"), ("b2", "start"), ("b3", "down")].map(view);
            drop(answer.send(all.into_iter().filter(|p| choice.takes(&p.name)).collect()));
        }
        Request::ConfigureStatus(to) => {
            drop(to.send(ConfigureStatus { change: Change::Queued, undo_ms: Some(29_003) }))
        }
        Request::BfdSessions { protocol, answer } => drop(answer.send((&*protocol == "b1").then(Vec::new))),
        _ => {}
    }
}

async fn say(door: &Door, line: &'static str) -> String {
    let socket = door.socket();
    tokio::task::spawn_blocking(move || talk(&socket, &[line])).await.unwrap()
}

/// As 2.0.12 and 2.19: all that are not down, with an empty line in between; 1.6.8 asks for a name.
#[tokio::test]
async fn bfd_protocols_are_shown_one_after_the_other_in_dialect_2() {
    let door = Door::with("bfds-2", config(Dialect::V2, BFDS), answer);
    let head = " IP address                Interface  State      Since         Interval  Timeout\n";
    assert_eq!(
        say(&door, "show bfd sessions").await,
        format!("0001 BIRD 2.0.12 ready.\n1020-b1:\n{head} \n b2: is not up\n0000 \n")
    );
    assert_eq!(say(&door, "show bfd sessions b2").await, "0001 BIRD 2.0.12 ready.\n1020-b2: is not up\n0000 \n");
    let door = Door::with("bfds-1", config(Dialect::V1, BFDS), answer);
    assert_eq!(
        say(&door, "show bfd sessions").await,
        "0001 BIRD 1.6.8 ready.\n9001 There are multiple BFD protocols running\n"
    );
}

/// Tables of an order, or why it is refused.
fn tables(line: &str) -> String {
    let text = "router id 1.1.1.1; protocol device { } ipv4 table t; \
                protocol pipe p { table master4; peer table t; export all; } \
                protocol bgp b { local as 1; neighbor 10.0.0.2 as 1; ipv4; }";
    match Order::parse(line.as_bytes(), &config(Dialect::V2, text)) {
        Ok((Order::Routes(query), _)) => query.tables.join(" "),
        Ok(_) => panic!("{line}"),
        Err(refusal) => refusal.text,
    }
}

/// As 2.0.12, whose pipes have a channel at either end.
#[test]
fn the_channels_of_a_pipe_are_its_ends() {
    assert_eq!(tables("show route export p"), "master4 t");
    assert_eq!(tables("show route export p.pri"), "master4");
    assert_eq!(tables("show route noexport p.sec"), "t");
    assert_eq!(tables("show route export b.ipv4"), "master4");
    assert_eq!(tables("show route export p.ipv4"), "Channel p.ipv4 not found");
    assert_eq!(tables("show route export b.sec"), "Channel b.sec not found");
    assert_eq!(tables("show route preexport b.ipv6"), "Channel b.ipv6 not found");
}

#[tokio::test]
async fn the_state_of_a_change_is_told_and_when_it_is_undone() {
    let door = Door::with("status-2", config(Dialect::V2, BFDS), answer);
    assert_eq!(
        say(&door, "configure status").await,
        "0001 BIRD 2.0.12 ready.\n0005-Reconfiguration in progress, next one enqueued\n\
         0022-Configuration unconfirmed, undo in 29.003 s\n0000 \n"
    );
    let of_1 = Door::with("status-1", config(Dialect::V1, "router id 1.1.1.1; protocol device { }"), answer);
    assert!(say(&of_1, "configure status").await.contains("9001 syntax error"));
}

#[tokio::test]
async fn a_client_has_its_own_format_of_times() {
    let door = Door::with("timeformat-2", config(Dialect::V2, BFDS), answer);
    let socket = door.socket();
    let ask = move || talk(&socket, &["timeformat \"THEN\"", "show protocols"]);
    let said = tokio::task::spawn_blocking(ask).await.unwrap();
    assert_eq!(said.matches("THEN").count(), 3, "{said}");
    assert!(!say(&door, "show protocols").await.contains("THEN"));
    for wrong in ["timeformat", "timeformat old", "timeformat \"a\" 5"] {
        let line: &'static str = wrong;
        assert!(say(&door, line).await.contains("9001 "), "{wrong}");
    }
}

#[test]
fn reloads_are_said_as_in_3_too() {
    let config = config(Dialect::V2, BFDS);
    for (line, direction) in [
        ("reload filters all", Direction::Both),
        ("reload filters in b1", Direction::In),
        ("reload filters out \"b*\"", Direction::Out),
        ("reload bgp b1", Direction::Both),
        ("reload bgp in b1", Direction::In),
        ("reload bgp out b1", Direction::Out),
    ] {
        match Order::parse(line.as_bytes(), &config) {
            Ok((Order::Act { action: Action::Reload(to), .. }, _)) => assert_eq!(to, direction, "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}
