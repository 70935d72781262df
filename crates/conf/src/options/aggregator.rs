//! `protocol aggregator`: which routes are alike, and what is made of them.

use crate::config::AggregatorConf;
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::RouteKey;
use filter::language::merging;
use filter::names::{Attr, Field};
use filter::syntax::{Op, Parsed};
use std::sync::Arc;

/// Its own options.
pub(crate) static OPTIONS: &[Row<AggregatorConf>] = &[
    Row::new(&["peer", "table"], Slot::OtherTable(field!(peer_table)), Effect::Restart),
    Row::new(
        &["aggregate", "on"],
        Slot::Own(Own {
            grammar: "attribute|(expression), ...",
            parse: keys,
            show: |conf| format!("{} keys", conf.keys.len()),
            same: |a, b| a.keys == b.keys,
        }),
        Effect::IMPORT,
    ),
    Row::new(
        &["merge", "by"],
        Slot::Own(Own {
            grammar: "{ commands }",
            parse: merge,
            show: |conf| conf.merge.as_ref().map_or_else(String::new, |_| "filter (unnamed)".to_owned()),
            same: |a, b| match (&a.merge, &b.merge) {
                (Some(a), Some(b)) => a.is_same_program(b),
                (a, b) => a.is_none() && b.is_none(),
            },
        }),
        Effect::IMPORT,
    ),
];

/// Attributes that a route which is made can not have from others.
const UNSET: &[Field] = &[Field::Proto, Field::Source, Field::Ifindex];

fn keys(parser: &mut Parser<'_>, conf: &mut AggregatorConf) -> Parsed<()> {
    let start = parser.at.span();
    if !conf.keys.is_empty() {
        let label = "all keys stand in one, with commas between them";
        return Err(parser.refusal(start, "Only one aggregate on clause allowed", label));
    }
    let mut keys = Vec::new();
    loop {
        let start = parser.at.span();
        let rule = RouteKey::read(&mut parser.at, &parser.symbols).map(Some);
        let Some(key) = parser.keep(rule, false, None)? else { break };
        if let Some(Attr::Field(field)) = key.attr
            && UNSET.contains(&field)
        {
            let message = "a route that is made has no such attribute from others";
            return Err(parser.refusal(start, message, "in parentheses it is an expression, and tells routes apart"));
        }
        keys.push(key);
        if !parser.at.eat(Op::Comma) {
            break;
        }
    }
    if !keys.iter().any(|key| key.attr == Some(Attr::Field(Field::Net))) {
        return Err(parser.refusal(start, "'NET' must be present", "only routes of one prefix can be merged"));
    }
    conf.keys = Arc::from(keys);
    Ok(())
}

fn merge(parser: &mut Parser<'_>, conf: &mut AggregatorConf) -> Parsed<()> {
    let rule = merging(&mut parser.at, &parser.symbols).map(Some);
    let complete = parser.is_behind(Op::BraceClose);
    conf.merge = parser.keep(rule, complete, None)?;
    Ok(())
}
