//! `protocol mrt`: which tables, into which files, how often.

use super::common::policy_words;
use crate::config::MrtConf;
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::{Parsed, Tok};

/// Its own options. `table` stands for the one that every protocol has.
pub(crate) static OPTIONS: &[Row<MrtConf>] = &[
    Row::new(
        &["table"],
        Slot::Own(Own {
            grammar: "table|\"pattern\"",
            parse: tables,
            show: |conf| match (&conf.table, &conf.pattern) {
                (Some(name), _) => name.to_string(),
                (None, Some(pattern)) => format!("\"{pattern}\""),
                (None, None) => String::new(),
            },
            // Another name is another table of the protocol, whose row tells of it.
            same: |a, b| a.pattern == b.pattern && a.table.is_some() == b.table.is_some(),
        }),
        Effect::None,
    ),
    Row::new(&["filename"], Slot::Text(field!(filename)), Effect::None),
    Row::new(&["period"], Slot::Time(field!(period_s)), Effect::None),
    Row::new(
        &["filter"],
        Slot::Own(Own {
            grammar: "NAME|{ ... }",
            parse: |parser, conf| parser.named_filter().map(|filter| conf.filter = filter),
            show: |conf| policy_words(&conf.filter),
            same: |a, b| a.filter.is_same(&b.filter),
        }),
        Effect::None,
    ),
    Row::new(
        &["where"],
        Slot::Own(Own {
            grammar: "EXPRESSION",
            parse: |parser, conf| parser.condition().map(|filter| conf.filter = filter),
            // It is another way to write `filter`, which tells.
            show: |_| String::new(),
            same: |_, _| true,
        }),
        Effect::None,
    ),
    Row::new(&["always", "add", "path"], Slot::Switch(field!(always_add_path)), Effect::None),
];

/// A name, or a pattern in quotes.
fn tables(parser: &mut Parser<'_>, conf: &mut MrtConf) -> Parsed<()> {
    match parser.at.peek() {
        Tok::Text => conf.pattern = Some(parser.text()?),
        _ => conf.table = Some(parser.table()?),
    }
    Ok(())
}
