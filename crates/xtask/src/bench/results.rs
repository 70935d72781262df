//! All figures of a run, and what follows from them: medians, ranges, verdicts.

use super::budget::{BUDGETS, Budget, Figure, Measure, OF_RELAY, Verdict};
use super::scenario::SCENARIOS;
use super::stage::Figures;
use super::subject::Subject;
use serde::{Deserialize, Serialize};

/// One daemon in one round of one scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub scenario: String,
    pub subject: String,
    /// When its run began.
    #[serde(default)]
    pub date: String,
    pub round: usize,
    pub routes: usize,
    pub peers: usize,
    /// The machine's load average before.
    pub load_average: f64,
    /// Why it did not come to its end.
    pub failed: Option<String>,
    pub phases: Vec<Figures>,
}

/// A run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Results {
    pub machine: String,
    pub date: String,
    pub measured: Vec<Measured>,
    /// Who was to be measured and cannot be.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
    #[serde(skip_deserializing)]
    pub judged: Vec<Judged>,
}

/// A daemon that does not take part in a scenario.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LeftOut {
    pub scenario: String,
    pub subject: String,
    pub why: String,
}

/// A budget and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    pub scenario: String,
    pub phase: String,
    pub figure: String,
    pub rbird: f64,
    pub measured_by: String,
    /// In parts of that; the figure itself where nothing is compared.
    pub value: f64,
    pub at_most: f64,
    pub aim: f64,
    /// What 1.3 times the relay is in the same parts.
    pub relay_bound: Option<f64>,
    /// What idled of all processors meanwhile, in parts of one.
    pub spare: Option<f64>,
    pub verdict: &'static str,
}

impl Results {
    /// Takes over what an earlier run has measured in scenarios that are not among `chosen`.
    pub fn take_over(&mut self, earlier: Self, chosen: &[&str]) {
        let is_other = |scenario: &str| !chosen.contains(&scenario);
        let measured = earlier.measured.into_iter().filter(|m| is_other(&m.scenario));
        self.measured.extend(measured.map(|m| match m.date.is_empty() {
            true => Measured { date: earlier.date.clone(), ..m },
            false => m,
        }));
        self.left_out.extend(earlier.left_out.into_iter().filter(|l| is_other(&l.scenario)));
    }

    /// Scenarios, in the order of their table.
    pub fn scenarios(&self) -> Vec<&'static str> {
        SCENARIOS.iter().map(|s| s.name).filter(|name| self.of(name).next().is_some()).collect()
    }

    /// Subjects of a scenario, phases of one: in order of appearance.
    pub fn subjects<'a>(&'a self, scenario: &'a str) -> Vec<&'a str> {
        once(self.of(scenario).map(|m| m.subject.as_str()))
    }

    pub fn phases<'a>(&'a self, scenario: &'a str) -> Vec<&'a str> {
        once(self.of(scenario).flat_map(|m| &m.phases).map(|f| f.phase.as_str()))
    }

    /// Whether a daemon has failed in a scenario.
    pub fn has_failed(&self, scenario: &str, subject: &str) -> bool {
        self.of(scenario).any(|m| m.subject == subject && m.failed.is_some())
    }

    pub fn of<'a>(&'a self, scenario: &'a str) -> impl Iterator<Item = &'a Measured> {
        self.measured.iter().filter(move |m| m.scenario == scenario)
    }

    /// A figure in all rounds.
    pub fn values(&self, scenario: &str, subject: &str, phase: &str, figure: Figure) -> Vec<f64> {
        let mine = self.of(scenario).filter(|m| m.subject == subject);
        mine.filter_map(|m| {
            let named = |name: &str| m.phases.iter().find(|f| f.phase == name);
            match figure {
                Figure::CpuBeyond(base) => Some(named(phase)?.cpu_seconds - named(base)?.cpu_seconds),
                _ => figure.of(named(phase)?),
            }
        })
        .collect()
    }

    /// The median of a figure; `None` where it was not measured.
    pub fn median(&self, scenario: &str, subject: &str, phase: &str, figure: Figure) -> Option<f64> {
        median(self.values(scenario, subject, phase, figure))
    }

    /// Holds every budget against the figures.
    pub fn judge(&mut self) {
        let judge = |scenario: &str| {
            let its = BUDGETS.iter().filter(|b| b.scenario.is_empty() || b.scenario == scenario);
            its.filter_map(|b| self.judge_one(b, scenario)).collect::<Vec<_>>()
        };
        self.judged = self.scenarios().into_iter().flat_map(judge).collect();
    }

    fn judge_one(&self, budget: &Budget, scenario: &str) -> Option<Judged> {
        let Budget { phase, figure, .. } = *budget;
        let ours = match phase {
            "" => self.worst(scenario, Subject::Rbird, figure)?,
            phase => self.median(scenario, Subject::Rbird.title(), phase, figure)?,
        };
        let of = |subject: Subject| self.median(scenario, subject.title(), phase, figure).filter(|base| *base > 0.0);
        let (value, base) = match budget.measure {
            Measure::Plain => (ours, None),
            Measure::Bird2 => (ours / of(Subject::Bird2)?, of(Subject::Bird2)),
            Measure::Loop => (ours / of(Subject::Loop)?, of(Subject::Loop)),
        };
        let relay = (figure == Figure::Wall).then(|| of(Subject::Relay)).flatten();
        let bound = relay.zip(base).map(|(relay, base)| OF_RELAY * relay / base);
        let spare = self.spare(scenario, phase);
        let budget = &Budget { at_most: budget.at_most.max(self.chance(scenario, phase, figure)), ..*budget };
        Some(Judged { spare, ..judged(budget, scenario, ours, value, bound) })
    }

    /// How much more than its median BIRD 2 itself has said in a round: where the number of UPDATEs depends on who comes
    /// first, nobody need say less than that.
    fn chance(&self, scenario: &str, phase: &str, figure: Figure) -> f64 {
        let theirs = match figure {
            Figure::Updates => self.values(scenario, Subject::Bird2.title(), phase, figure),
            _ => Vec::new(),
        };
        let most = theirs.iter().copied().reduce(f64::max);
        let parts =
            most.zip(median(theirs)).filter(|(_, median)| *median > 0.0).map_or(0.0, |(most, median)| most / median);
        (parts * 1000.0).ceil() / 1000.0
    }

    /// The largest value of a figure in any phase and round.
    fn worst(&self, scenario: &str, subject: Subject, figure: Figure) -> Option<f64> {
        let mine = self.of(scenario).filter(|m| m.subject == subject.title());
        mine.flat_map(|m| &m.phases).filter_map(|f| figure.of(f)).reduce(f64::max)
    }

    /// What idled of all processors while ours was measured, in parts of one.
    fn spare(&self, scenario: &str, phase: &str) -> Option<f64> {
        let mine = self.of(scenario).filter(|m| m.subject == Subject::Rbird.title());
        median(mine.flat_map(|m| &m.phases).filter(|f| f.phase == phase).map(|f| f.spare).collect())
    }
}

fn judged(budget: &Budget, scenario: &str, rbird: f64, value: f64, relay_bound: Option<f64>) -> Judged {
    let verdict = match budget.judge(value, relay_bound.unwrap_or(0.0)) {
        Verdict::Aim => "aim reached",
        Verdict::Ok => "ok",
        Verdict::Over => "OVER",
    };
    let measured_by = match budget.measure {
        Measure::Bird2 => Subject::Bird2.title(),
        Measure::Loop => Subject::Loop.title(),
        Measure::Plain => "",
    };
    Judged {
        scenario: scenario.into(),
        phase: budget.phase.into(),
        figure: budget.figure.title(),
        rbird,
        measured_by: measured_by.into(),
        value,
        at_most: budget.at_most,
        aim: budget.aim,
        relay_bound,
        spare: None,
        verdict,
    }
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
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle.wrapping_sub(1)), values.get(middle)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => Some(f64::midpoint(*low, *high)),
        (_, one) => one.copied(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run of one round in which rbird took a second, BIRD 2 four, the relay half of one.
    pub fn example() -> Results {
        let of = |subject: Subject, wall_seconds| Measured {
            scenario: "full-table".into(),
            subject: subject.title().into(),
            date: "today".into(),
            round: 1,
            routes: 10,
            peers: 1,
            load_average: 0.0,
            failed: None,
            phases: vec![Figures { phase: "load".into(), wall_seconds, cpu_seconds: 1.0, ..Figures::default() }],
        };
        let measured = vec![of(Subject::Rbird, 1.0), of(Subject::Bird2, 4.0), of(Subject::Relay, 0.5)];
        let mut results = Results { measured, ..Results::default() };
        results.judge();
        results
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
        assert_eq!(median(vec![7.0]), Some(7.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn budgets_are_ratios_to_bird_2_bounded_by_the_relay() {
        let results = example();
        let of = |figure: &str| results.judged.iter().find(|j| j.figure == figure).unwrap();
        assert_eq!((of("wall s").value, of("wall s").verdict), (0.25, "ok"));
        assert!((of("wall s").relay_bound.unwrap() - 0.1625).abs() < 1e-9);
        assert_eq!((of("CPU s").value, of("CPU s").verdict), (1.0, "OVER"));
        assert_eq!(of("latest keepalive ms").verdict, "aim reached");
    }

    #[test]
    fn nobody_need_say_less_than_what_bird_2_has_said_in_one_of_its_rounds() {
        let said = |subject: Subject, updates: &[u64]| {
            let round = |updates: &u64| {
                let mut measured = example().measured.remove(0);
                measured.subject = subject.title().into();
                measured.phases = vec![Figures { phase: "load".into(), updates: *updates, ..Figures::default() }];
                measured
            };
            updates.iter().map(round).collect::<Vec<_>>()
        };
        let verdict = |ours: &[u64]| {
            let measured = [said(Subject::Rbird, ours), said(Subject::Bird2, &[990, 1000, 1010])].concat();
            let mut results = Results { measured, ..Results::default() };
            results.judge();
            results.judged.iter().find(|j| j.figure == "UPDATEs").map(|j| (j.at_most, j.verdict)).unwrap()
        };
        assert_eq!(verdict(&[990, 1009, 1020]), (1.01, "ok"));
        assert_eq!(verdict(&[1012, 1012, 1012]), (1.01, "OVER"));
        assert_eq!(verdict(&[990, 999, 1020]), (1.01, "aim reached"));
    }

    #[test]
    fn scenarios_that_are_not_measured_now_are_taken_over() {
        let mut earlier = Results { date: "yesterday".into(), ..example() };
        let other = Measured { scenario: "ipv6".into(), date: String::new(), ..earlier.measured[0].clone() };
        earlier.measured.insert(0, other);
        let mut now = Results { date: "today".into(), ..Results::default() };
        now.take_over(earlier.clone(), &["full-table"]);
        now.measured.extend(example().measured);
        let dates: Vec<_> = now.scenarios().into_iter().map(|s| (s, &*now.of(s).next().unwrap().date)).collect();
        assert_eq!(dates, [("full-table", "today"), ("ipv6", "yesterday")]);
        let text = serde_json::to_string(&earlier).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap().measured.len(), 4);
    }
}
