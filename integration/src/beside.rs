//! Short stories that a BIRD lives first, then rbird in its place: the same answers after each deed.
//!
//! What a neighbour knows is asked of the neighbour, a BIRD on the other machine.

use crate::daemons::{PATIENCE, bird2_programs};
use crate::{Pair, programs, wait_until};
use anyhow::{Result, ensure};

/// A deed, who is asked then (`own`, `far`), and what.
pub type Scene = (&'static str, &'static str, &'static str);

/// Which BIRD lives it first, and is on the other machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bird {
    /// 1.6.8, of the path.
    One,
    /// 2.0.12.
    Two,
}

impl Bird {
    /// A program of it: `bird`, `birdc`.
    fn program(self, name: &str) -> Result<String> {
        Ok(match self {
            Self::One => name.to_owned(),
            Self::Two => bird2_programs()?.join(name).display().to_string(),
        })
    }
}

/// What is lived, and with which configurations; `new` is loaded by `configure "new"`.
pub struct Story<'a> {
    pub bird: Bird,
    /// What is done on the machines first: on which, and what.
    pub before: &'static [(&'static str, &'static str)],
    pub far: &'a str,
    pub own: &'a str,
    pub new: &'a str,
    pub scenes: &'static [Scene],
}

/// Tells it.
///
/// # Panics
/// With what both said, when their answers are not the same.
pub fn told(story: &Story<'_>) {
    let told = Pair::new().and_then(|mut pair| beside(&mut pair, story).map_err(|error| error.context(pair.logs())));
    if let Err(error) = told {
        panic!("{error:#}");
    }
}

fn beside(pair: &mut Pair, story: &Story<'_>) -> Result<()> {
    for (node, line) in story.before {
        pair.exec(node, line)?;
    }
    let bird = story.bird.program("bird")?;
    if !story.far.is_empty() {
        let far = pair.write("far.conf", story.far)?.display().to_string();
        let dir = pair.dir().display().to_string();
        pair.spawn("b", "far", &format!("{bird} -d -c {far} -s {dir}/far.ctl -P {dir}/far.pid"))?;
    }
    let theirs = live(pair, &bird, story, None)?;
    ensure!(theirs.iter().all(|answer| !answer.is_empty()), "nothing to compare: {theirs:#?}");
    live(pair, &programs().join("rbird").display().to_string(), story, Some(&theirs))?;
    Ok(())
}

/// What was answered in each scene: by BIRD once it stays, by rbird until it is what BIRD has answered.
fn live(pair: &mut Pair, daemon: &str, story: &Story<'_>, theirs: Option<&[String]>) -> Result<Vec<String>> {
    let dir = pair.dir().display().to_string();
    let own = pair.write("own.conf", story.own)?.display().to_string();
    let new = pair.write("new.conf", story.new)?.display().to_string();
    let name = daemon.rsplit('/').next().unwrap_or(daemon).to_owned();
    pair.spawn("a", &name, &format!("{daemon} -d -c {own} -s {dir}/own.ctl -P {dir}/own.pid"))?;
    let client = story.bird.program("birdc")?;
    let mut answers = Vec::new();
    for (i, (deed, who, question)) in story.scenes.iter().enumerate() {
        if !deed.is_empty() {
            pair.exec("a", &format!("{client} -s {dir}/own.ctl '{}'", deed.replace("new", &format!("\"{new}\""))))?;
        }
        let node = if *who == "far" { "b" } else { "a" };
        let ask = || anyhow::Ok(plain(&pair.exec(node, &format!("{client} -s {dir}/{who}.ctl '{question}' || true"))?));
        let mut before = String::new();
        let mut same = 0;
        wait_until(&format!("scene {i}, {deed:?}: {question:?} of {name}"), PATIENCE, || {
            let now = ask()?;
            same = if now == before { same + 1 } else { 0 };
            before.clone_from(&now);
            Ok(match theirs.and_then(|t| t.get(i)) {
                Some(wanted) => (now == *wanted, format!("BIRD:\n{wanted}\nrbird:\n{now}")),
                // Nothing has moved for more than a second.
                None => (same >= 20 && !now.is_empty(), now),
            })
        })?;
        answers.push(before);
    }
    pair.exec("a", &format!("{client} -s {dir}/own.ctl down"))?;
    wait_until("the end", PATIENCE, || Ok((!std::path::Path::new(&format!("{dir}/own.pid")).exists(), String::new())))?;
    Ok(answers)
}

/// An answer without the greeting and without times, routes in the order of their networks.
fn plain(answer: &str) -> String {
    let is_time = |word: &str| {
        let digits = word.chars().all(|c| c.is_ascii_digit() || c == ':' || c == '.');
        digits && [8, 12].contains(&word.len()) && word.matches(':').count() == 2
    };
    let time = |word: &&str| !(is_time(word) || word.contains("..:"));
    let mut nets: Vec<String> = Vec::new();
    for line in answer.lines().filter(|l| !l.ends_with(" ready.") && !l.trim().is_empty()) {
        let blanks = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split_whitespace().map(|w| w.trim_end_matches(']')).filter(time).collect();
        let text = format!("{}{}\n", &line[..blanks], words.join(" "));
        match nets.last_mut() {
            Some(net) if blanks > 0 => *net += &text,
            _ => nets.push(text),
        }
    }
    if answer.contains(" [") {
        nets.sort();
    }
    nets.concat()
}
