//! What happens in each scenario, phase by phase.

use super::conf;
use super::control::{Asker, configure, show_route};
use super::kernel;
use super::process;
use super::stage::{Stage, send_all};
use anyhow::{Context, Result, ensure};
use std::time::{Duration, Instant};

/// Everything is announced, every path changes, the peer is lost.
pub fn life(stage: &mut Stage) -> Result<()> {
    stage.announce_all("load", 1)?;
    stage.announce_all("all change", 2)?;
    stage.lose("peer lost", 0)
}

/// Everything is announced, one of the announcers is lost.
pub fn feeds(stage: &mut Stage) -> Result<()> {
    stage.announce_all("load", 1)?;
    stage.lose("one lost", 0)
}

pub fn load(stage: &mut Stage) -> Result<()> {
    stage.announce_all("load", 1).map(|_| ())
}

pub fn plain_load(stage: &mut Stage) -> Result<()> {
    stage.announce_all("plain load", 1).map(|_| ())
}

pub fn filtered_load(stage: &mut Stage) -> Result<()> {
    stage.announce_all("filtered load", 1).map(|_| ())
}

/// The clock stops when the kernel has every route, and each is the right one.
pub fn into_the_kernel(stage: &mut Stage) -> Result<()> {
    let pid = stage.daemon.0;
    let before = kernel::prefixes(pid)?;
    let messages = stage.announcements(stage.all(), 1);
    stage.now_is(stage.all(), 1);
    let all = before + stage.table.prefixes().len();
    stage.phase_until("load", |mouths| send_all(mouths, &messages), kernel::watch(pid, all))?;
    kernel::check(pid, &stage.table)?;
    stage.wanted.up[0] = false;
    stage.ears.let_go(0);
    let close = |mouths: &[std::sync::Arc<super::ears::Mouth>]| {
        mouths[0].close();
        Ok(())
    };
    stage.phase_until("peer lost", close, kernel::watch(pid, before)).map(|_| ())
}

/// Questions on the control socket while the table comes and changes; then the whole table as text.
pub fn shown(stage: &mut Stage) -> Result<()> {
    let net = stage.table.prefixes().first().map(|(a, _)| std::net::Ipv4Addr::from_bits((a >> 32) as u32));
    let route = format!("show route for {}", net.context("no routes")?);
    for (title, generation) in [("load", 1), ("all change", 2)] {
        let askers = ["show status", &route].map(|q| Asker::start(&stage.setting.control, q));
        let figures = stage.announce_all(title, generation)?;
        for (asker, name) in askers.into_iter().zip(["show status p99 ms", "show route for p99 ms"]) {
            let waits = asker?.stop()?;
            figures.more.insert(name.into(), percentile(waits, 99));
        }
    }
    let (control, routes) = (stage.setting.control.clone(), stage.table.prefixes().len());
    stage.timed("show route", |_| {
        let shown = show_route(&control)?;
        ensure!(shown == routes, "show route shows {shown} networks of {routes}");
        Ok(())
    })?;
    Ok(())
}

/// A member of a large set is exchanged; then nothing is, and the file is read again.
pub fn reloads(stage: &mut Stage) -> Result<()> {
    stage.announce_all("load", 1)?;
    let file = stage.setting.control.with_file_name(conf::FILE);
    let text = std::fs::read_to_string(&file)?;
    let changed = text.replacen(conf::MEMBER_BEFORE, conf::MEMBER_AFTER, 1);
    ensure!(changed != text, "the configuration has no member to exchange");
    for (title, text) in [("a set changes", &changed), ("nothing changes", &changed), ("and back", &text)] {
        std::fs::write(&file, text)?;
        stage.timed(title, |stage| {
            let control = stage.setting.control.clone();
            std::thread::scope(|scope| {
                let asked = scope.spawn(|| configure(&control));
                while !asked.is_finished() {
                    stage.pass(Instant::now() + Duration::from_millis(1))?;
                }
                asked.join().map_err(|_| anyhow::anyhow!("the question failed"))?
            })
        })?;
    }
    Ok(())
}

/// The configuration is read by a process of its own, then once more by the daemon that runs it.
pub fn reads(stage: &mut Stage) -> Result<()> {
    let control = stage.setting.control.clone();
    let file = control.with_file_name(conf::FILE);
    let started = stage.daemon.cpu_seconds()?;
    let (wall, cpu) = process::read_alone(stage.setting.pid, &file)?;
    let figures = stage.timed("configure", |_| configure(&control))?;
    let more = [("CPU ms of the start", started), ("-p wall ms", wall), ("-p CPU ms", cpu)];
    figures.more.extend(more.map(|(name, seconds)| (name.to_owned(), seconds * 1e3)));
    Ok(())
}

/// Nothing happens for a while.
pub fn idle(stage: &mut Stage) -> Result<()> {
    let length = Duration::from_secs(stage.setting.seconds);
    let figures = stage.timed("idle", |stage| stage.pass(Instant::now() + length))?;
    figures.more.insert("CPU s a minute".into(), figures.cpu_seconds * 60.0 / length.as_secs_f64());
    Ok(())
}

/// Each second one set in a hundred changes.
pub fn churn(stage: &mut Stage) -> Result<()> {
    const SHARE: u32 = 100;
    stage.announce_all("load", 1)?;
    let step = stage.table.sets().div_ceil(SHARE);
    let slices: Vec<_> = (0..stage.setting.seconds as u32)
        .map(|n| {
            let start = (n % SHARE * step).min(stage.table.sets());
            let (sets, generation) = (start..(start + step).min(stage.table.sets()), 2 + (n / SHARE) as u8);
            (stage.announcements(sets.clone(), generation), sets, generation)
        })
        .collect();
    let (limit, mut lags) = (stage.setting.limit, Vec::new());
    let figures = stage.timed("churn", |stage| {
        let mouths = stage.ears.mouths();
        for (messages, sets, generation) in slices {
            let second = Instant::now() + Duration::from_secs(1);
            stage.now_is(sets, generation);
            stage.ears.want(&stage.table, &stage.wanted);
            let sent = Instant::now();
            send_all(&mouths, &messages)?;
            while stage.ears.missing(None) > 0 {
                ensure!(sent.elapsed() < limit, "time limit of {} s: a change has not arrived", limit.as_secs());
                stage.ears.listen(&stage.table, &stage.wanted, Duration::from_millis(20))?;
            }
            lags.push(sent.elapsed());
            stage.pass(second)?;
        }
        Ok(())
    })?;
    figures.more.insert("until told p99 ms".into(), percentile(lags, 99));
    figures.more.insert("CPU s a minute".into(), figures.cpu_seconds * 60.0 / figures.wall_seconds);
    Ok(())
}

/// One of two receivers stops reading while all paths change again and again; then it reads on.
pub fn slow_reader(stage: &mut Stage) -> Result<()> {
    const CHANGES: u8 = 10;
    let deaf = stage.setting.sharing.peers + 1;
    stage.announce_all("load", 1)?;
    stage.ears.listen_to(deaf, false)?;
    stage.deaf = Some(deaf);
    let mut first = None;
    for change in 1..=CHANGES {
        let rss = stage.announce_all("one does not read, all change", 1 + change)?.rss_mib;
        let first = *first.get_or_insert(rss);
        if change < CHANGES {
            stage.figures.pop();
        } else if let Some(figures) = stage.figures.last_mut() {
            figures.more.insert("growth MiB in 9 changes".into(), rss - first);
        }
    }
    stage.deaf = None;
    stage.ears.listen_to(deaf, true)?;
    stage.phase("it reads again", |_| Ok(()))?;
    Ok(())
}

/// The same prefixes are announced and withdrawn as fast as the daemon reads.
pub fn flapper(stage: &mut Stage) -> Result<()> {
    let all = stage.all();
    let announced = stage.announcements(all.clone(), 1);
    let last = stage.announcements(all.clone(), 2);
    let withdrawn = vec![stage.table.withdraw(0, all.clone())];
    let length = Duration::from_secs(stage.setting.seconds);
    stage.announce_all("announced", 1)?;
    stage.now_is(all.clone(), 0);
    let before = stage.phase("withdrawn", |mouths| send_all(mouths, &withdrawn))?.rss_mib;
    let mut cycles = 0;
    stage.now_is(all.clone(), 2);
    let figures = stage.phase("flapping", |mouths| {
        let end = Instant::now() + length;
        while Instant::now() < end {
            send_all(mouths, &announced)?;
            send_all(mouths, &withdrawn)?;
            cycles += 1;
        }
        // Told apart from all that came before, so that the end of the flapping can be seen.
        send_all(mouths, &last)
    })?;
    figures.more.insert("cycles".into(), f64::from(cycles));
    stage.now_is(all, 0);
    let figures = stage.phase("withdrawn again", |mouths| send_all(mouths, &withdrawn))?;
    figures.more.insert("growth MiB".into(), figures.rss_mib - before);
    Ok(())
}

/// A percentile in milliseconds; of few values it is the largest.
fn percentile(mut waits: Vec<Duration>, percent: usize) -> f64 {
    waits.sort_unstable();
    let place = (waits.len() * percent).div_ceil(100).saturating_sub(1);
    waits.get(place).map_or(f64::NAN, |w| w.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_of_100_waits_is_the_second_largest() {
        assert_eq!(percentile((1..=100).map(Duration::from_millis).collect(), 99), 99.0);
        assert_eq!(percentile((1..=10).map(Duration::from_millis).collect(), 99), 10.0);
    }
}
