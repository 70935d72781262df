//! ASPA: a cache server that speaks version 2 of the RTR protocol says who carries on whose routes, and a path turns
//! invalid and back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use rbird_integration::{Alone, wait_until};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// A message of version 2.
fn message(number: u8, field: u16, body: &[u32]) -> Vec<u8> {
    let mut octets = vec![2, number];
    octets.extend(field.to_be_bytes());
    octets.extend((8 + 4 * body.len() as u32).to_be_bytes());
    octets.extend(body.iter().flat_map(|n| n.to_be_bytes()));
    octets
}

/// An answer: the providers of AS 65001, or that nobody says more of them.
fn answer(serial: u32, providers: Option<&[u32]>) -> Vec<u8> {
    let aspa = match providers {
        Some(providers) => message(11, 1 << 8, &[&[65001], providers].concat()),
        None => message(11, 0, &[65001]),
    };
    // AS 0 is nobody, so nobody is its provider.
    let bogus = message(11, 1 << 8, &[0, 65002]);
    [message(3, 7, &[]), bogus, aspa, message(7, 7, &[serial, 3600, 600, 7200])].concat()
}

/// The number of the next message, and the number that stands in it if there is one.
fn query(stream: &mut TcpStream) -> (u8, u32) {
    let mut head = [0; 8];
    stream.read_exact(&mut head).expect("a query");
    let mut body = vec![0; u32::from_be_bytes(head[4..].try_into().unwrap()) as usize - 8];
    stream.read_exact(&mut body).expect("its body");
    (head[1], body.try_into().map_or(0, u32::from_be_bytes))
}

/// Says what it is given, one answer after the other.
fn serve(listener: &TcpListener, says: &mpsc::Receiver<Option<Vec<u32>>>) {
    let (mut stream, _) = listener.accept().expect("a router");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    for (serial, providers) in (1..).zip(says) {
        if serial == 1 {
            assert_eq!(query(&mut stream).0, 2, "everything is asked for");
        } else {
            stream.write_all(&message(0, 7, &[serial])).unwrap();
            assert_eq!(query(&mut stream), (1, serial - 1), "what is new is asked for");
        }
        stream.write_all(&answer(serial, providers.as_deref())).unwrap();
    }
}

#[test]
fn a_path_turns_invalid_and_back_by_what_a_server_says_of_providers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (say, says) = mpsc::channel();
    let server = std::thread::spawn(move || serve(&listener, &says));
    let text = format!(
        "router id 10.9.0.1;
         aspa table at {{ min settle time 50 ms; max settle time 200 ms; }};
         protocol device {{}}
         protocol rpki rp {{ aspa {{ table at; }}; remote 127.0.0.1 port {port}; }}
         protocol static fixed {{
           ipv4 {{ import where aspa_check_upstream(at) != ASPA_INVALID; }};
           route 10.0.0.0/24 unreachable {{ bgp_path.prepend(65001); bgp_path.prepend(65002); }};
         }}"
    );
    let daemon = Alone::start("aspa", &text).unwrap();
    let wait = |words: &str, text: &str, there: bool| {
        wait_until(&format!("`{words}` and `{text}`: {there}"), PATIENCE, || {
            let answer = daemon.ask(words)?;
            Ok((answer.contains("ready") && answer.contains(text) == there, answer))
        })
        .unwrap_or_else(|error| panic!("{error:#}"));
    };
    wait("show route", "10.0.0.0/24", true);
    say.send(Some(vec![65010])).unwrap();
    wait("show route aspa 65001 table at all", "aspa_providers: 65010", true);
    wait("show route table master4", "10.0.0.0/24", false);
    wait("show protocols all rp", "Routes:         1 imported", true);
    say.send(Some(vec![65010, 65002])).unwrap();
    wait("show route table master4", "10.0.0.0/24", true);
    say.send(None).unwrap();
    wait("show route table at", "65001", false);
    wait("show route table master4", "10.0.0.0/24", true);
    drop(say);
    server.join().unwrap();
}
