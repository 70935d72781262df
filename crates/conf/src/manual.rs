//! The compatibility table of `docs/configuration.md`, written from the tables of statements and options.
//!
//! A test holds the document against it, so what the document says is what the
//! parser does.

use crate::config::ProtocolKind;
use crate::config::{
    BfdOptions, BgpChannel, ChannelConf, Config, DebugMask, Dialect, DirectConf, MrtMask, ProtocolConf,
};
use crate::option::{Effect, Row, Slot, Ways};
use crate::options::{bfd, bgp, common, with_own};
use crate::protocol::{ABSENT, KINDS};
use crate::statements::{Does, STATEMENTS};
use route::Family;
use std::fmt::Write;

/// The table, in Markdown.
pub fn compatibility() -> String {
    let mut text = String::new();
    statements(&mut text);
    let sample = ProtocolConf::new(ProtocolKind::Direct(DirectConf::default()), DebugMask(0), MrtMask(0));
    section(&mut text, "Options of every protocol", common::PROTOCOL, &sample);
    let config = Config::empty(Dialect::V1, Family::Ipv4);
    let channel = ChannelConf::new(Family::Ipv4, config.default_table(), 0);
    section(&mut text, "Options of a protocol's attachment to a table", common::CHANNEL, &channel);
    text.push_str("\nIn dialect 1.6 they stand in the protocol, in 2 in a channel (in pipes, in the protocol).\n");
    let preferences: Vec<_> = KINDS.iter().map(|k| format!("{} {}", k.word, k.preference)).collect();
    let _ = writeln!(text, "\n`preference` is by default: {}.", preferences.join(", "));
    for kind in KINDS {
        let title = format!("protocol {}", kind.word);
        with_own!(&(kind.blank)(Dialect::V1), rows, own => section(&mut text, &title, rows, own));
        if kind.word == "bgp" {
            let words = bgp::ROUTE_LIMIT.join(" ");
            let _ = writeln!(text, "| `{words}` *number* | | | done; warns: {} (1.6) |", bgp::ROUTE_LIMIT_WARNING);
            let title = "Options of a channel of protocol bgp: 1.6 has them in the protocol";
            section(&mut text, title, bgp::CHANNEL, &BgpChannel::default());
        }
    }
    let title = "In the braces of `interface` and `multihop` of protocol bfd, and of `bfd` of protocol bgp (2)";
    section(&mut text, title, bfd::SESSION, &(&BfdOptions::default()).into());
    absent(&mut text);
    text
}

fn statements(text: &mut String) {
    text.push_str("### Statements\n\n| statement | state |\n|---|---|\n");
    for statement in STATEMENTS {
        let state = match statement.does {
            Does::Read(_) | Does::Bare(_) => "done".to_owned(),
            Does::Refused(why) => format!("refused: {why}"),
        };
        let state = of_dialect(state, statement.dialect);
        let _ = writeln!(text, "| {} | {state} |", usage(statement.words, statement.grammar));
    }
    text.push_str("| `include \"pattern\"`, alone on its line | done |\n");
}

fn section<T>(text: &mut String, title: &str, rows: &[Row<T>], blank: &T) {
    let _ = writeln!(text, "\n### {title}\n\n| option | default | a change means | state |\n|---|---|---|---|");
    for row in rows {
        let nothing = String::new;
        let (effect, default, state) = match (&row.slot, row.deprecated) {
            (Slot::OnlyOff(why), _) => (nothing(), "off".to_owned(), format!("`off` only: {why}")),
            (Slot::Refused(why), _) => (nothing(), nothing(), format!("refused: {why}")),
            (_, Some(warning)) => (nothing(), nothing(), format!("done; warns: {warning}")),
            _ if row.words == ["preference"] => (effects(row), "see below".to_owned(), "done".to_owned()),
            _ => (effects(row), row.show(blank), "done".to_owned()),
        };
        let state = of_dialect(state, row.dialect);
        let _ = writeln!(text, "| {} | {} | {effect} | {state} |", usage(row.words, row.grammar()), escaped(&default));
    }
}

/// What is of one dialect alone says so.
fn of_dialect(state: String, dialect: Option<Dialect>) -> String {
    match dialect {
        None => state,
        Some(Dialect::V1) => format!("{state} (1.6)"),
        Some(Dialect::V2) => format!("{state} (2)"),
    }
}

fn absent(text: &mut String) {
    text.push_str("\n### Protocols that are refused\n\n| protocol | why |\n|---|---|\n");
    for (name, why) in ABSENT {
        let _ = writeln!(text, "| {name} | {why} |");
    }
}

fn usage(words: &[&str], grammar: &str) -> String {
    let blank = if grammar.is_empty() { "" } else { " " };
    format!("`{}`{blank}{}", words.join(" "), escaped(grammar))
}

/// Text in a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*").replace('<', "\\<")
}

fn effects<T>(row: &Row<T>) -> String {
    match row.effect_in_2 {
        Some(in_2) => format!("{} (1.6), {} (2)", effect(row.effect), effect(in_2)),
        None => effect(row.effect).to_owned(),
    }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "taken over",
        Effect::Refilter(Ways { import: true, export: false }) => "imported routes judged again",
        Effect::Refilter(Ways { import: false, .. }) => "exported routes judged again",
        Effect::Refilter(_) => "routes judged again",
        Effect::Restart => "restart",
    }
}
