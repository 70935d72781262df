//! Figures as Markdown, for people and for `docs/performance.md`: medians with their ranges, ratios, bars, verdicts.

use super::budget::Figure;
use super::results::{Results, median};
use super::scenario::find;
use super::stage::Figures;
use super::subject::Subject;
use std::fmt::Write;

/// What is shown of a phase.
struct Column {
    title: &'static str,
    value: fn(&Figures) -> f64,
    decimals: usize,
    /// Ratios to the other daemons are shown.
    compared: bool,
}

const COLUMNS: &[Column] = &[
    Column { title: "wall s", value: |f| f.wall_seconds, decimals: 2, compared: true },
    Column { title: "CPU s", value: |f| f.cpu_seconds, decimals: 2, compared: true },
    Column { title: "RSS MiB", value: |f| f.rss_mib, decimals: 0, compared: true },
    Column { title: "peak MiB", value: |f| f.peak_mib, decimals: 0, compared: true },
    Column { title: "UPDATEs", value: |f| f.updates as f64, decimals: 0, compared: true },
    Column { title: "MB sent", value: |f| f.octets as f64 / 1e6, decimals: 1, compared: false },
    Column { title: "spare CPU %", value: |f| f.spare * 100.0, decimals: 0, compared: false },
    Column { title: "load CPU s", value: |f| f.load_cpu_seconds, decimals: 2, compared: false },
    Column { title: "latest keepalive ms", value: |f| f.keepalive_late_ms, decimals: 0, compared: false },
];

/// The length of the longest bar.
const BAR: f64 = 16.0;

/// Everything. `charts`: where the charts are, seen from the page.
pub fn markdown(results: &Results, charts: Option<&str>) -> String {
    let mut out = format!("{}; {}.\n", results.machine, results.date);
    for scenario in results.scenarios() {
        out += &one(results, scenario);
        if let Some(charts) = charts {
            let _ = writeln!(out, "\n![{scenario}: wall and processor time]({charts}/{scenario}.svg)");
        }
    }
    out + &budgets(results)
}

/// One scenario.
fn one(results: &Results, scenario: &str) -> String {
    let rounds = results.of(scenario).map(|m| m.round).max().unwrap_or_default();
    let loads: Vec<f64> = results.of(scenario).map(|m| m.load_average).collect();
    let first = results.of(scenario).next();
    let (routes, peers) = first.map_or((0, 0), |m| (m.routes, m.peers));
    let mut out = format!(
        "\n### {scenario}\n\n{}: {routes} routes, {peers} announcing; medians of {rounds} round{}, load average {:.1}{}.\n\n",
        find(scenario).map_or("", |s| s.about),
        if rounds == 1 { "" } else { "s" },
        median(loads).unwrap_or_default(),
        first.filter(|m| m.date != results.date).map(|m| format!("; {}", m.date)).unwrap_or_default(),
    );
    let titles: Vec<_> = COLUMNS.iter().map(|c| c.title).collect();
    let _ = writeln!(
        out,
        "| phase | daemon | {} | wall |\n|---|---|{}---|",
        titles.join(" | "),
        "---:|".repeat(COLUMNS.len())
    );
    for phase in results.phases(scenario) {
        out += &phase_rows(results, scenario, phase);
    }
    for failed in results.of(scenario).filter(|m| m.failed.is_some()) {
        let why = failed.failed.as_deref().unwrap_or_default();
        let _ = writeln!(out, "\n{}, round {}: **failed**: {}", failed.subject, failed.round, why.replace('\n', " "));
    }
    for left in results.left_out.iter().filter(|l| l.scenario == scenario) {
        let _ = writeln!(out, "\n{} is left out: {}.", left.subject, left.why);
    }
    out
}

fn phase_rows(results: &Results, scenario: &str, phase: &str) -> String {
    let mut out = String::new();
    let subjects = results.subjects(scenario);
    let rounds = |subject: &str, column: &Column| -> Vec<f64> {
        let mine = results.of(scenario).filter(|m| m.subject == subject);
        mine.flat_map(|m| &m.phases).filter(|f| f.phase == phase).map(column.value).collect()
    };
    let longest = subjects.iter().filter_map(|s| median(rounds(s, &COLUMNS[0]))).fold(0.0, f64::max);
    let mut more = Vec::new();
    for subject in &subjects {
        let Some(wall) = median(rounds(subject, &COLUMNS[0])) else { continue };
        let cells: Vec<_> = COLUMNS.iter().map(|c| cell(rounds(subject, c), c.decimals)).collect();
        let bar = "█".repeat((wall / longest * BAR).round().max(1.0) as usize);
        let _ = writeln!(out, "| {phase} | {subject} | {} | {bar} |", cells.join(" | "));
        let mine = results.of(scenario).filter(|m| m.subject == *subject);
        let names: Vec<&String> = mine.flat_map(|m| &m.phases).flat_map(|f| f.more.keys()).collect();
        let mut names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let mine = results.of(scenario).filter(|m| m.subject == *subject).flat_map(|m| &m.phases);
            let values =
                mine.filter(|f| f.phase == phase).filter_map(|f| f.more.get(name).copied()).collect::<Vec<_>>();
            if !values.is_empty() {
                let empty = " |".repeat(COLUMNS.len() - 1);
                more.push(format!("| {phase}: {name} | {subject} | {} |{empty} |", cell(values, 1)));
            }
        }
    }
    let ours = Subject::Rbird.title();
    for other in subjects.iter().filter(|s| **s != ours) {
        let ratio = |c: &Column| {
            let (a, b) = (median(rounds(ours, c))?, median(rounds(other, c))?);
            (c.compared && b > 0.0).then(|| format!("**{:.2}**", a / b))
        };
        if ratio(&COLUMNS[0]).is_some() {
            let cells: Vec<_> = COLUMNS.iter().map(|c| ratio(c).unwrap_or_default()).collect();
            let _ = writeln!(out, "| {phase} | {ours} / {other} | {} | |", cells.join(" | "));
        }
    }
    for line in more {
        let _ = writeln!(out, "{line}");
    }
    out
}

/// A median; with its range when there are several.
fn cell(values: Vec<f64>, decimals: usize) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let several = values.len() > 1;
    let Some(middle) = median(values) else { return String::new() };
    let text = |v: f64| format!("{v:.decimals$}");
    if several && text(low) != text(high) {
        return format!("{} ({}–{})", text(middle), text(low), text(high));
    }
    text(middle)
}

/// How every budget stands.
fn budgets(results: &Results) -> String {
    let mut out = "\n### Budgets\n\n| scenario | phase | figure | rbird | in parts of | value | at most | aim | 1.3 relay | spare CPU % | |\n|---|---|---|---:|---|---:|---:|---:|---:|---:|---|\n".to_owned();
    for j in &results.judged {
        let relay = j.relay_bound.map(|b| format!("{b:.2}")).unwrap_or_default();
        let spare = j.spare.map(|s| format!("{:.0}", s * 100.0)).unwrap_or_default();
        let aim = if j.figure == Figure::Updates.title() { "fewer".into() } else { format!("{}", j.aim) };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {:.2} | {} | {:.2} | {} | {aim} | {relay} | {spare} | {} |",
            j.scenario, j.phase, j.figure, j.rbird, j.measured_by, j.value, j.at_most, j.verdict
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::example;
    use super::*;

    #[test]
    fn ours_is_compared_with_each_of_the_others() {
        let text = markdown(&example(), Some("performance"));
        assert!(text.contains("(performance/full-table.svg)"), "{text}");
        assert!(text.contains("| load | rbird / BIRD 2 | **0.25** |"), "{text}");
        assert!(
            text.contains("| full-table | load | wall s | 1.00 | BIRD 2 | 0.25 | 0.35 | 0.2 | 0.16 | 0 | ok |"),
            "{text}"
        );
    }

    #[test]
    fn several_rounds_show_their_range() {
        assert_eq!(cell(vec![1.0, 2.0, 4.0], 1), "2.0 (1.0–4.0)");
        assert_eq!(cell(vec![1.0, 1.0], 1), "1.0");
    }
}
