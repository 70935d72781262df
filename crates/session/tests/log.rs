//! The lines of the log, as BIRD 1.6.8 writes them: `fsm/1.6.8/hold-9.txt`, `second-incoming.txt`.

#![allow(clippy::unwrap_used, reason = "tests")]

mod world;

use rbird_session::peer::*;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use world::*;

/// Keeps the text of every event.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

impl<S: tracing::Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().unwrap().push(text.0);
    }
}

#[tokio::test]
async fn a_session_is_traced_in_the_words_of_bird() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let (a, b) = (World::new(), World::new());
    let (at_a, at_b) = (address(), address());
    let mut one = spec("p1", (65001, 65002), at_a, at_b);
    (one.debug, one.router_id) = (DebugMask::ALL, 0x0a01_0101);
    let mut two = spec("p2", (65002, 65001), at_b, at_a);
    (two.passive, two.times.hold_s, two.router_id) = (true, 9, 0x0a01_0102);
    let (one, two) = (a.peer(one), b.peer(two));
    two.start();
    one.start();
    until(&one, "up Established").await;
    while !lines.0.lock().unwrap().iter().any(|l| l == "p1: Sending END-OF-RIB") {
        tokio::task::yield_now().await;
    }
    one.stop(StopReason::Disable, None).await;
    let (from, to) = (at_a.ip(), at_b.ip());
    let wanted = [
        "p1: Starting".to_owned(),
        "p1: State changed to start".into(),
        "p1: Started".into(),
        "p1: Connect delayed by 1 seconds".into(),
        format!("p1: Connecting to {to} from local address {from}"),
        "p1: Connected".into(),
        "p1: Sending OPEN(ver=4,as=65001,hold=240,id=0a010101)".into(),
        "p1: Got OPEN(as=65002,hold=9,id=0a010102)".into(),
        "p1: Sending KEEPALIVE".into(),
        "p1: Got KEEPALIVE".into(),
        "p1: BGP session established".into(),
        "p1: Connected to table master".into(),
        "p1: State changed to feed".into(),
        "p1: State changed to up".into(),
        "p1: Shutting down".into(),
        "p1: Shutdown requested".into(),
        "p1: State changed to stop".into(),
        "p1: Sending NOTIFICATION(code=6.2)".into(),
        "p1: BGP session closed".into(),
        "p1: Down".into(),
        "p1: State changed to down".into(),
    ];
    let lines = lines.0.lock().unwrap().clone();
    // What was told meanwhile came and went sooner or later.
    let told = |l: &&String| l.ends_with("Got UPDATE") || l.ends_with("END-OF-RIB");
    let lines: Vec<_> = lines.iter().filter(|l| l.starts_with("p1") && !told(l)).collect();
    assert_eq!(lines, wanted.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_flood_of_strangers_is_named_a_few_times_and_ends_in_dots() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let world = World::new();
    let (ours, theirs) = (address(), address());
    let _peer = world.peer(spec("p1", (65001, 65002), ours, theirs));
    let said = || lines.0.lock().unwrap().iter().filter(|l| l.contains("unknown address")).cloned().collect::<Vec<_>>();
    for _ in 0..200 {
        let mut stranger = tokio::net::TcpStream::connect(ours).await.unwrap();
        // Closed by us: this one has been dealt with.
        let _ = tokio::io::AsyncReadExt::read(&mut stranger, &mut [0]).await;
        if said().len() > 5 {
            break;
        }
    }
    let said = said();
    assert!(said[..5].iter().all(|l| l.ends_with(')')), "{said:?}");
    assert!(said.last().unwrap().ends_with(") ..."), "{said:?}");
}

/// The head of a message, its length and its kind.
fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let octets = 19 + body.len() as u16;
    [&[0xff; 16][..], &octets.to_be_bytes(), &[kind], body].concat()
}

/// `tx size warning`: a neighbour that opens its session and then reads nothing.
#[tokio::test]
async fn what_waits_for_a_neighbour_that_does_not_read_is_said() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let world = World::new();
    let (ours, theirs) = (address(), address());
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.bind(theirs).unwrap();
    let listener = socket.listen(1).unwrap();
    // More than the system takes of a socket that nobody reads from.
    world.announce([10, 0], 150_000);
    let mut one = spec("p1", (65001, 65002), ours, theirs);
    one.tx_size_warning = 10_000;
    let peer = world.peer(one);
    peer.start();
    let (mut deaf, _) = listener.accept().await.unwrap();
    let opened = [message(1, &[4, 0xfd, 0xea, 0, 240, 10, 9, 8, 7, 0]), message(4, &[])].concat();
    tokio::io::AsyncWriteExt::write_all(&mut deaf, &opened).await.unwrap();
    let said = || lines.0.lock().unwrap().iter().filter(|l| l.starts_with("p1: Used ")).cloned().collect::<Vec<_>>();
    let waiting = async {
        while said().is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let status = || shown(&peer.status.borrow());
    assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "{}", status());
    let said = said();
    let [line] = &said[..] else { panic!("{said:?}") };
    let octets = line.strip_prefix("p1: Used ").unwrap();
    let octets = octets.strip_suffix(" memory for what waits to be sent (tx size warning 10000)").unwrap();
    assert!(octets.parse::<usize>().unwrap() >= 10_000, "{line}");
}

#[tokio::test]
async fn a_stranger_is_named() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines.clone()));
    let world = World::new();
    let (ours, theirs) = (address(), address());
    let _peer = world.peer(spec("p1", (65001, 65002), ours, theirs));
    let stranger = tokio::net::TcpStream::connect(ours).await.unwrap();
    let near = stranger.local_addr().unwrap();
    let wanted = format!("BGP: Unexpected connect from unknown address {} (port {})", near.ip(), near.port());
    for _ in 0..1000 {
        if lines.0.lock().unwrap().contains(&wanted) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("{:?}", lines.0.lock().unwrap());
}
