//! `protocol direct`: connected networks.

use crate::config::DirectConf;
use crate::option::{Effect, Own, Row, Slot, field};

/// Its own options.
pub(crate) static OPTIONS: &[Row<DirectConf>] = &[
    Row::new(
        &["interface"],
        Slot::Own(Own {
            grammar: "[-]\"pattern\" [prefix], ...",
            parse: |parser, conf| {
                conf.interfaces.extend(parser.iface_patterns()?);
                Ok(())
            },
            show: |conf| crate::config::pattern_words(&conf.interfaces),
            same: |a, b| a.interfaces == b.interfaces,
        }),
        Effect::Restart,
    ),
    Row::new(&["check", "link"], Slot::Switch(field!(check_link)), Effect::Restart),
];
