//! `protocol pipe`: routes from one table to another and back.

use crate::config::{Dialect, PipeConf, PipeMode};
use crate::option::{Effect, Own, Row, Slot, field};

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
    Row::<PipeConf>::refused(&["max", "generation"], "rbird breaks a circle of pipes at the sixteenth by itself")
        .only(Dialect::V2),
];

static MODES: &[(&str, PipeMode)] = &[("opaque", PipeMode::Opaque), ("transparent", PipeMode::Transparent)];
