//! `protocol pipe`: routes from one table to another and back.

use crate::config::{Dialect, PipeConf, PipeMode};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::Parsed;

/// Its own options.
pub(crate) static OPTIONS: &[Row<PipeConf>] = &[
    Row::new(&["peer", "table"], Slot::OtherTable(field!(peer_table)), Effect::Restart),
    Row::<PipeConf>::new(
        &["mode"],
        Slot::Own(Own {
            grammar: "opaque|transparent",
            parse: |parser, conf| parser.one_of(MODES).map(|mode| conf.mode = mode),
            show: |conf| {
                MODES.iter().find(|(_, m)| *m == conf.mode).map(|(word, _)| (*word).to_owned()).unwrap_or_default()
            },
            same: |a, b| a.mode == b.mode,
        }),
        Effect::Restart,
    )
    .only(Dialect::V1),
    Row::<PipeConf>::new(
        &["max", "generation"],
        Slot::Own(Own {
            grammar: "number",
            parse: |parser, conf| generations(parser).map(|most| conf.pipes_max = most),
            show: |conf| conf.pipes_max.to_string(),
            same: |a, b| a.pipes_max == b.pipes_max,
        }),
        Effect::Restart,
    )
    .only(Dialect::V2),
];

/// How many pipes a route may pass: 1 to 254.
fn generations(parser: &mut Parser<'_>) -> Parsed<u8> {
    let start = parser.at.span();
    let asked = parser.number()?;
    let most = u8::try_from(asked).ok().filter(|most| (1..=254).contains(most));
    let message = format!("Max generation must be in range 1..254, got {asked}");
    most.ok_or_else(|| parser.refusal(start, message, "16 is what stands without it"))
}

static MODES: &[(&str, PipeMode)] = &[("opaque", PipeMode::Opaque), ("transparent", PipeMode::Transparent)];
