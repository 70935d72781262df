//! `cargo xtask filters`: random filter programs in BIRD and in rbird, which must do the same.
//!
//! BIRD is 1.6 of one family, or 2.0 with both (`--dialect 2`).
//!
//! A program is some functions, a filter, and an expression. The filter is run
//! on every route of a table, static ones and those of two BGP sessions
//! (`show route all filter`), which shows what it
//! accepts, what it made of the attributes, and what it printed; the expression
//! by `eval`. The seed of a run names it: the same seed gives the same routes
//! and the same programs. A program on which the two differ is made smaller
//! until nothing can be taken away, and printed with both answers.

mod base;
mod beside;
mod chance;
mod feed;
mod generate;
mod tree;

use crate::bench::table::Family;
use anyhow::{Result, ensure};
use beside::{Answer, Beside, DIED};
use chance::Chance;
use clap::{Args, ValueEnum};
use generate::{Program, program};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Programs that stand in one configuration.
const BATCH: usize = 200;
/// How long one difference is made smaller at most.
const SHRINKING: Duration = Duration::from_secs(20);

/// The language of the programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// That of BIRD 1.6.
    #[default]
    #[value(name = "1.6")]
    One,
    /// That of BIRD 2.0, with both families in one daemon.
    #[value(name = "2")]
    Two,
    /// With what later releases of 2.x have added. No package has them: `--bird` says where one is.
    #[value(name = "2.19")]
    Later,
}

impl Dialect {
    /// Whether it is that of 2.0 or later.
    pub fn is_2(self) -> bool {
        self != Self::One
    }
}

/// What programs are about.
#[derive(Clone, Copy, Debug)]
pub struct Scene {
    pub dialect: Dialect,
    /// The family, where a daemon has one.
    pub family: Family,
}

#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// How many programs are tried.
    #[arg(long, default_value_t = 1000)]
    pub programs: usize,
    /// Where the random numbers begin.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Stop after so many differences.
    #[arg(long, default_value_t = 5)]
    pub differences: usize,
    /// Which BIRD stands beside rbird.
    #[arg(long, value_enum, default_value_t)]
    pub dialect: Dialect,
    /// IPv6: bird6 beside rbird. Programs of dialect 2 are about both families.
    #[arg(long)]
    pub six: bool,
    /// Leave out programs in which one of these stands.
    #[arg(long, value_name = "TEXT")]
    pub without: Vec<String>,
    /// The BIRD to run; else the packaged one of the dialect.
    #[arg(long, value_name = "PROGRAM")]
    pub bird: Option<PathBuf>,
    /// The rbird to run; else it is built.
    #[arg(long, value_name = "PROGRAM")]
    pub rbird: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    let rbird = match &options.rbird {
        Some(path) => path.clone(),
        None => crate::build::programs()?.daemon,
    };
    let begin = Instant::now();
    let mut chance = Chance::new(options.seed);
    let family = if options.six { Family::Ipv6 } else { Family::Ipv4 };
    let scene = Scene { dialect: options.dialect, family };
    let mut beside = Beside::start(options.bird.as_deref(), &rbird, &mut chance, scene)?;
    let (mut done, mut refused, mut deadly, mut found) = (0, 0, 0, Vec::new());
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    while done < options.programs && found.len() < options.differences {
        let batch: Vec<Program> =
            (0..BATCH.min(options.programs - done)).map(|_| wanted(&mut chance, scene, options)).collect();
        let answers = beside.run(&batch)?;
        for (program, [bird, rbird]) in batch.iter().zip(answers) {
            deadly += usize::from(bird.refused.as_deref() == Some(DIED));
            if let (Some(why), Some(_)) = (&bird.refused, &rbird.refused) {
                refused += 1;
                *reasons.entry(words(why)).or_default() += 1;
            }
            if differ(&bird, &rbird) && found.len() < options.differences {
                found.push(smallest(&mut beside, program.clone(), [bird, rbird])?);
            }
        }
        done += batch.len();
    }
    println!(
        "{done} programs with seed {} in {:.1} s: {} differ, {refused} refused by both, BIRD died of {deadly}",
        options.seed,
        begin.elapsed().as_secs_f64(),
        found.len()
    );
    reasons.iter().for_each(|(why, count)| println!("  refused {count} times: {why}"));
    found.iter().for_each(|f| println!("{f}"));
    ensure!(found.is_empty(), "rbird differs from BIRD");
    Ok(())
}

/// The next program in which nothing stands that is left out.
fn wanted(chance: &mut Chance, scene: Scene, options: &Options) -> Program {
    loop {
        let program = program(chance, scene);
        let text = program.text("") + &program.eval("");
        if !options.without.iter().any(|word| text.contains(word.as_str())) {
            return program;
        }
    }
}

/// Why a configuration is refused: `8002 FILE:LINE:COLUMN WORDS` without the place and without numbers.
fn words(said: &str) -> String {
    said.splitn(3, ' ').nth(2).unwrap_or(said).replace(|c: char| c.is_ascii_digit(), "")
}

fn differ(bird: &Answer, rbird: &Answer) -> bool {
    match (&bird.refused, &rbird.refused) {
        (Some(_), Some(_)) => false,
        (Some(why), None) if why == DIED => false,
        // A reply that does not fit into BIRD's room for lines says nothing.
        (None, None) if bird.value.contains("<line overflow>") => {
            (&bird.routes, &bird.printed) != (&rbird.routes, &rbird.printed)
        }
        _ => bird.refused.is_some() != rbird.refused.is_some() || bird != rbird,
    }
}

/// Makes a program smaller as long as the two differ on it, and tells the story of what is left.
fn smallest(beside: &mut Beside, mut program: Program, mut answers: [Answer; 2]) -> Result<String> {
    let end = Instant::now() + SHRINKING;
    let refused = |answers: &[Answer; 2]| answers.each_ref().map(|a| a.refused.is_some());
    let mut candidates = program.smaller();
    let mut at = 0;
    while at < candidates.len() && Instant::now() < end {
        let batch: Vec<Program> = candidates[at..].iter().take(8).cloned().collect();
        at += batch.len();
        let tried = beside.run(&batch)?;
        let better =
            batch.into_iter().zip(tried).find(|(_, a)| differ(&a[0], &a[1]) && refused(a) == refused(&answers));
        if let Some((smaller, now)) = better {
            (program, answers) = (smaller, now);
            candidates = program.smaller();
            at = 0;
        }
    }
    let [bird, rbird] = &answers;
    let said = |a: &Answer, other: &Answer| match &a.refused {
        Some(why) => format!("refused: {why}\n"),
        None => {
            let mut text = String::new();
            if a.routes != other.routes {
                text += &only(&a.routes, &other.routes);
            }
            if a.value != other.value {
                text += &format!("eval: {}", a.value);
            }
            if a.printed != other.printed {
                text += &only(&a.printed.join("\n"), &other.printed.join("\n"));
            }
            text
        }
    };
    Ok(format!(
        "--- differs ({} nodes):\n{}\neval {}\n--- bird:\n{}--- rbird:\n{}",
        program.size(),
        program.text("0"),
        program.eval("0"),
        said(bird, rbird),
        said(rbird, bird)
    ))
}

/// The first lines from where two texts part.
fn only(text: &str, other: &str) -> String {
    let same = text.lines().zip(other.lines()).take_while(|(a, b)| a == b).count();
    text.lines().skip(same.saturating_sub(1)).take(8).map(|l| format!("{l}\n")).collect()
}
