//! `show threads`: the threads of this process, as the kernel counts for them.

use control::view::ThreadView;
use nix::unistd::{SysconfVar, sysconf};
use std::path::Path;

/// All threads, in the order in which they began. One that ends meanwhile is left out.
pub fn all() -> Vec<ThreadView> {
    let ticks_s = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|n| u64::try_from(n).ok()).unwrap_or(100).max(1);
    let up_ms = uptime_ms();
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let mut found: Vec<(u64, u64, ThreadView)> = tasks
        .filter_map(|task| {
            let task = task.ok()?;
            let id: u64 = task.file_name().to_str()?.parse().ok()?;
            let (began, view) = one(&task.path(), up_ms, ticks_s)?;
            Some((began, id, view))
        })
        .collect();
    found.sort_by_key(|(began, id, _)| (*began, *id));
    found.into_iter().map(|(_, _, view)| view).collect()
}

fn one(task: &Path, up_ms: u64, ticks_s: u64) -> Option<(u64, ThreadView)> {
    let stat = std::fs::read_to_string(task.join("stat")).ok()?;
    // The name stands in brackets and may hold anything, brackets and blanks too.
    let (head, rest) = stat.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let field = |n: usize| rest.split_ascii_whitespace().nth(n).and_then(|text| text.parse::<u64>().ok());
    let ms = |ticks: u64| ticks.saturating_mul(1000) / ticks_s;
    // Of proc(5) the fields 14, 15 and 22; the first behind the name is the third.
    let (user, system, began) = (field(11)?, field(12)?, field(19)?);
    let age_ms = up_ms.saturating_sub(ms(began));
    Some((began, ThreadView { name, working_ms: ms(user), overhead_ms: ms(system), age_ms }))
}

/// Since the machine began.
fn uptime_ms() -> u64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    let mut parts = text.split([' ', '.']).map(|part| part.parse::<u64>().unwrap_or_default());
    let (seconds, hundredths) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    seconds.saturating_mul(1000).saturating_add(hundredths * 10)
}

#[cfg(test)]
mod tests {
    use super::all;

    #[test]
    fn the_thread_that_asks_is_among_them() {
        let name = "asks (a) lot";
        let asker = std::thread::Builder::new().name(name.to_owned()).spawn(all).unwrap();
        assert!(asker.join().unwrap().iter().any(|thread| thread.name == name));
    }
}
