//! `protocol kernel`: routes of the kernel.

use crate::config::{Dialect, KernelConf, Learn};
use crate::option::{Effect, Own, Row, Slot, field};
use crate::parser::Parser;
use filter::syntax::Parsed;

/// Its own options.
pub(crate) static OPTIONS: &[Row<KernelConf>] = &[
    Row::new(&["kernel", "table"], Slot::Number(field!(table)), Effect::Restart),
    Row::new(
        &["metric"],
        Slot::Own(Own {
            grammar: "number",
            parse: |parser, conf| {
                conf.metric = Some(parser.number()?).filter(|&metric| metric != 0);
                Ok(())
            },
            show: |conf| conf.metric.unwrap_or(0).to_string(),
            same: |a, b| a.metric == b.metric,
        }),
        Effect::Restart,
    ),
    Row::new(
        &["learn"],
        Slot::Own(Own {
            grammar: "[switch]",
            parse: |parser, conf| {
                if parser.dialect() == Dialect::V2 && parser.at.eat_word("all") {
                    conf.learn = Learn::All;
                    return Ok(());
                }
                conf.learn = if parser.switch()? { Learn::Alien } else { Learn::Off };
                Ok(())
            },
            show: |conf| {
                match conf.learn {
                    Learn::Off => "off",
                    Learn::Alien => "on",
                    Learn::All => "all",
                }
                .to_owned()
            },
            same: |a, b| a.learn == b.learn,
        }),
        Effect::Restart,
    ),
    Row::new(&["persist"], Slot::Switch(field!(persist)), Effect::None),
    Row::new(&["scan", "time"], Slot::Seconds(field!(scan_time)), Effect::None),
    Row::<KernelConf>::new(&["device", "routes"], Slot::Switch(field!(device_routes)), Effect::Restart)
        .only(Dialect::V1),
    Row::<KernelConf>::new(&["netlink", "rx", "buffer"], Slot::Number(field!(rx_buffer)), Effect::Restart)
        .only(Dialect::V2),
    Row::new(&["graceful", "restart"], Slot::Switch(field!(graceful_restart)), Effect::None),
    Row::new(
        &["merge", "paths"],
        Slot::Own(Own {
            grammar: "[switch] [limit number]",
            parse: merge_paths,
            show: |conf| conf.merge_paths.map_or_else(|| "off".to_owned(), |limit| format!("on limit {limit}")),
            same: |a, b| a.merge_paths == b.merge_paths,
        }),
        Effect::Restart,
    )
    // With another limit the routes are judged again, as in BIRD 2; in 1.6 it starts anew.
    .lighter(|a, b| !a.owns_all_metrics && a.merge_paths.is_some() && b.merge_paths.is_some(), Effect::None),
];

/// How many next hops are merged when no limit is given.
const MERGE_PATHS_DEFAULT: u32 = 16;

fn merge_paths(parser: &mut Parser<'_>, conf: &mut KernelConf) -> Parsed<()> {
    let on = parser.switch()?;
    let mut limit = MERGE_PATHS_DEFAULT;
    if parser.at.eat_word("limit") {
        let start = parser.at.span();
        limit = parser.number()?;
        if !(1..=255).contains(&limit) {
            return Err(parser.refusal(start, "Merge paths limit must be in range 1-255", format!("{limit} is not")));
        }
    }
    conf.merge_paths = on.then_some(limit);
    Ok(())
}
