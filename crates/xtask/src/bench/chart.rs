//! Charts: for each scenario one SVG, wall and processor time of every phase and daemon as bars.

use super::budget::Figure;
use super::results::Results;
use anyhow::Result;
use std::fmt::Write;
use std::path::Path;

const WIDTH: f64 = 800.0;
const LEFT: f64 = 260.0;
const RIGHT: f64 = 110.0;
const ROW: f64 = 26.0;
/// Wall time, and processor time below it.
const COLORS: [&str; 2] = ["#2f6fb0", "#e0a030"];

/// Writes a file for each scenario: `NAME.svg`.
pub fn write(results: &Results, dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    for scenario in results.scenarios() {
        std::fs::write(dir.join(format!("{scenario}.svg")), chart(results, scenario))?;
    }
    Ok(())
}

/// A daemon in a phase.
struct Bars {
    label: String,
    seconds: [f64; 2],
}

fn chart(results: &Results, scenario: &str) -> String {
    let mut rows = Vec::new();
    for phase in results.phases(scenario) {
        for subject in results.subjects(scenario) {
            let of = |figure| results.median(scenario, subject, phase, figure);
            if let (Some(wall), Some(cpu)) = (of(Figure::Wall), of(Figure::Cpu)) {
                rows.push(Bars { label: format!("{phase}: {subject}"), seconds: [wall, cpu] });
            }
        }
    }
    let longest = rows.iter().flat_map(|r| r.seconds).fold(0.001, f64::max);
    let height = ROW * (rows.len() as f64 + 2.5);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"8\" y=\"18\" font-size=\"14\">{scenario}: wall s (blue), CPU s (yellow); less is better</text>\n"
    );
    for (n, row) in rows.iter().enumerate() {
        let y = ROW * (n as f64 + 1.5);
        let label = &row.label;
        let _ = writeln!(out, "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>", LEFT - 8.0, y + 14.0);
        for (bar, (seconds, color)) in row.seconds.iter().zip(COLORS).enumerate() {
            let width = (seconds / longest * (WIDTH - LEFT - RIGHT)).max(1.0);
            let top = y + 2.0 + 10.0 * bar as f64;
            let _ =
                writeln!(out, "<rect x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"9\" fill=\"{color}\"/>");
        }
        let [wall, cpu] = row.seconds;
        let end = LEFT + row.seconds.iter().fold(0.0f64, |a, b| a.max(*b)) / longest * (WIDTH - LEFT - RIGHT) + 6.0;
        let _ = writeln!(out, "<text x=\"{end:.1}\" y=\"{}\">{wall:.2} / {cpu:.2}</text>", y + 14.0);
    }
    out + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::super::results::tests::example;
    use super::*;

    #[test]
    fn the_longest_bar_is_the_slowest_daemon() {
        let svg = chart(&example(), "full-table");
        let widths: Vec<f64> = svg
            .lines()
            .filter(|l| l.contains(COLORS[0]))
            .filter_map(|l| l.split("width=\"").nth(1)?.split('"').next()?.parse().ok())
            .collect();
        assert_eq!(widths.len(), 3);
        assert!(widths[1] > widths[0] && widths[0] > widths[2], "{widths:?}");
    }
}
