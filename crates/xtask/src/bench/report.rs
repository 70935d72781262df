//! Figures as a table: medians of all rounds, and ratios to one of the others.

use super::load::Figures;
use serde::Serialize;
use std::fmt::Write;

/// One phase of one daemon in one round.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    pub subject: String,
    pub round: usize,
    #[serde(flatten)]
    pub figures: Figures,
}

/// What is shown of a phase.
struct Column {
    title: &'static str,
    value: fn(&Figures) -> f64,
    decimals: usize,
}

const COLUMNS: [Column; 6] = [
    Column { title: "wall s", value: |f| f.wall_seconds, decimals: 2 },
    Column { title: "CPU s", value: |f| f.cpu_seconds, decimals: 2 },
    Column { title: "RSS MiB", value: |f| f.rss_mib, decimals: 0 },
    Column { title: "peak MiB", value: |f| f.peak_mib, decimals: 0 },
    Column { title: "UPDATEs", value: |f| f.updates as f64, decimals: 0 },
    Column { title: "MB sent", value: |f| f.octets as f64 / 1e6, decimals: 1 },
];

/// Columns of which ratios are shown.
const RATIOS: usize = 4;

/// The medians in Markdown: first all daemons, then rbird in parts of each of the others.
pub fn table(all: &[Measured], routes: usize) -> String {
    let subjects = once(all.iter().map(|m| m.subject.as_str()));
    let phases = once(all.iter().map(|m| m.figures.phase.as_str()));
    let rounds = all.iter().map(|m| m.round).max().unwrap_or_default();
    let titles: Vec<_> = COLUMNS.iter().map(|c| c.title).collect();
    let mut out =
        format!("{routes} routes, medians of {rounds} rounds\n\n| phase | daemon | {} |\n", titles.join(" | "));
    let _ = writeln!(out, "|---|---|{}", "---:|".repeat(COLUMNS.len()));
    for phase in &phases {
        let of = |subject: &str, column: &Column| {
            let mine = all.iter().filter(|m| m.subject == subject && m.figures.phase == *phase);
            median(mine.map(|m| (column.value)(&m.figures)).collect())
        };
        for subject in &subjects {
            let cells = COLUMNS.iter().map(|c| format!("{:.*}", c.decimals, of(subject, c)));
            let _ = writeln!(out, "| {phase} | {subject} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
        let Some((ours, others)) = subjects.split_first() else { continue };
        for other in others {
            let cells = COLUMNS.iter().enumerate().map(|(i, c)| match i {
                ..RATIOS => format!("**{:.2}**", of(ours, c) / of(other, c)),
                _ => String::new(),
            });
            let _ = writeln!(out, "| {phase} | {ours} / {other} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
    out
}

/// Each of these once, in order of appearance.
fn once<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

/// The middle one; the mean of the two in the middle when their number is even.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(one)) => *one,
        (_, None) => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
        assert_eq!(median(vec![7.0]), 7.0);
    }

    #[test]
    fn ours_is_compared_with_each_of_the_others() {
        let figures = |wall_seconds| Figures {
            phase: "load".into(),
            wall_seconds,
            cpu_seconds: 1.0,
            rss_mib: 1.0,
            peak_mib: 1.0,
            updates: 1,
            octets: 1,
        };
        let of = |subject: &str, wall| Measured { subject: subject.into(), round: 1, figures: figures(wall) };
        let text = table(&[of("rbird", 1.0), of("BIRD 2", 4.0)], 10);
        assert!(text.contains("| load | rbird / BIRD 2 | **0.25** |"), "{text}");
    }
}
