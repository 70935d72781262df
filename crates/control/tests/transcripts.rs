//! What BIRD 1.6.8 and 2.0.12 said, said again: recorded commands against the lab's daemon.
//!
//! Nets and symbols are compared sorted: BIRD lists them in the order of its
//! hash. Everything else is compared as it is, to the octet.

#![allow(clippy::unwrap_used, reason = "a test that can not go on has failed")]

mod lab;

use lab::Door;
use std::path::Path;

/// A transcript: the commands, and all that the server said.
fn read(path: &Path) -> (Vec<String>, String) {
    let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let sent = text.lines().filter_map(|l| l.strip_prefix("C: ")).map(str::to_owned);
    let said = text.lines().filter_map(|l| l.strip_prefix("S: "));
    (sent.collect(), said.map(|l| format!("{l}\n")).collect())
}

/// The lines with their codes written out, blocks that begin with a net in order, and symbols in order.
///
/// Constants are left out: they come from the files of the machine.
fn normal(said: &str) -> Vec<String> {
    let mut code = String::new();
    let mut blocks: Vec<Vec<String>> = Vec::new();
    for line in said.lines() {
        let line = match line.strip_prefix(' ') {
            Some(text) => format!("{code}-{text}"),
            None => {
                code = line.get(..4).unwrap_or_default().to_owned();
                line.to_owned()
            }
        };
        if line.starts_with("1010-") && line.ends_with("\tconstant") {
            continue;
        }
        let below = ["1008", "1012", "1007- ", "1007-\t"];
        let goes_on = below.iter().any(|head| line.starts_with(head));
        match blocks.last_mut() {
            Some(block) if goes_on => block.push(line),
            _ => blocks.push(vec![line]),
        }
    }
    let is_net = |l: &String| l.starts_with("1007-") && l != "1007-" && !l.starts_with("1007-Table");
    let sorted = |b: &&Vec<String>| b.first().is_some_and(|l| is_net(l) || l.starts_with("1010-"));
    let mut in_order: Vec<&Vec<String>> = blocks.iter().filter(sorted).collect();
    in_order.sort();
    let mut in_order = in_order.into_iter();
    blocks.iter().flat_map(|b| if sorted(&b) { in_order.next().unwrap() } else { b }).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_command_is_answered_as_bird_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/30-established");
    let door = Door::open("transcripts");
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 150);
    let mut wrong = String::new();
    for path in names {
        let (sent, expected) = read(&path);
        let socket = door.socket();
        let said = tokio::task::spawn_blocking(move || {
            let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
            lab::talk(&socket, &sent)
        });
        let (said, expected) = (normal(&said.await.unwrap()), normal(&expected));
        if said != expected {
            let name = path.file_name().unwrap().display();
            let different: Vec<_> = expected.iter().zip(&said).filter(|(e, s)| e != s).take(4).collect();
            wrong += &format!("{name}: {} lines for {}, {different:#?}\n", said.len(), expected.len());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Times of day with milliseconds, and timers, as one letter: 2 prints them, and they were those of that moment.
fn without_times(said: &str) -> String {
    let mut text = String::new();
    for word in said.split_inclusive([' ', '[', ']', '\n', '/']) {
        let time = word.trim_end_matches([' ', ']', '\n', '/']);
        let of_day = time.len() == 12 && time.contains(':');
        let timer = word.ends_with('/') && time.contains('.') && time.matches('.').count() == 1;
        text += match of_day || timer {
            true => "T",
            false => word,
        };
        text += if of_day || timer { word.get(time.len()..).unwrap_or_default() } else { "" };
    }
    text
}

/// What 2 says at the same moment of the same lab: all answers to `show` but those of exports, whose
/// rewriting follows the filter there, and of memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_2_shows_is_shown_as_it_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/2.0.12");
    let door = Door::with("transcripts-2", lab::config_v2(), lab::answer);
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    names.sort();
    assert!(names.len() > 30);
    let mut wrong = String::new();
    for path in names {
        let (sent, expected) = read(&path);
        let socket = door.socket();
        let said = tokio::task::spawn_blocking(move || {
            let sent: Vec<&str> = sent.iter().map(String::as_str).collect();
            lab::talk(&socket, &sent)
        });
        let (said, expected) = (normal(&without_times(&said.await.unwrap())), normal(&without_times(&expected)));
        if said != expected {
            let name = path.file_name().unwrap().display();
            let different: Vec<_> = expected.iter().zip(&said).filter(|(e, s)| e != s).take(4).collect();
            wrong += &format!("{name}: {} lines for {}, {different:#?}\n", said.len(), expected.len());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The octets that a line of `refusals.txt` stands for.
fn unescaped(text: &str) -> Vec<u8> {
    let (first, rest) = text.split_once("\\x").unwrap_or((text, ""));
    let mut octets = first.as_bytes().to_vec();
    for piece in rest.split("\\x").filter(|p| !p.is_empty()) {
        let (hex, text) = piece.split_at(2);
        octets.push(u8::from_str_radix(hex, 16).unwrap());
        octets.extend(text.as_bytes());
    }
    octets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_bird_refuses_is_refused_in_its_words() {
    let config = lab::config(include_str!("reference/refusals.conf"));
    let door = Door::with("refusals", config, lab::answer);
    let mut wrong = String::new();
    for pair in include_str!("reference/refusals.txt").lines() {
        let (line, expected) = pair.split_once('\t').unwrap();
        let (socket, octets) = (door.socket(), unescaped(line));
        let said = tokio::task::spawn_blocking(move || lab::talk_octets(&socket, &octets)).await.unwrap();
        let said = said.lines().nth(1).unwrap_or_default();
        if said != expected {
            wrong += &format!("{line}: {said} for {expected}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
