//! `show threads`, as 3.3 prints it.
//!
//! BIRD moves loops between threads; here each thread has one, from its beginning on.

use crate::code;
use crate::frame::Frame;
use crate::view::ThreadView;

/// All threads; `detail`: what runs on them.
pub fn threads(rows: &[ThreadView], detail: bool, out: &mut Frame) {
    if !detail {
        out.line(code::THREADS, "Thread ID       Working         Overhead        Last Pickup/Drop");
    }
    for (number, row) in (1..).zip(rows) {
        match detail {
            true => thread(number, row, out),
            false => {
                let [working, overhead, age] = [row.working_ms, row.overhead_ms, row.age_ms].map(seconds);
                let text = format_args!("{number:04x}            {working:>9} s   {overhead:>9} s   {age:>9} s");
                out.line(code::THREADS, text);
            }
        }
    }
    out.end(code::THREADS, "All loops in group worker are assigned.");
}

fn thread(number: u32, row: &ThreadView, out: &mut Frame) {
    let mut line = |text: std::fmt::Arguments<'_>| out.line(code::THREADS, text);
    let busy_ms = row.working_ms.saturating_add(row.overhead_ms);
    line(format_args!("Thread {number:04x}  (busy counter 0)"));
    line(format_args!("  Loop {}", row.name));
    line(format_args!("    Working  total time: {:>9} s", seconds(row.working_ms)));
    line(format_args!("  Total working time: {}", seconds(row.working_ms)));
    line(format_args!("    Overhead total time: {:>9} s", seconds(row.overhead_ms)));
    line(format_args!("    Idle     total time: {:>9} s", seconds(row.age_ms.saturating_sub(busy_ms))));
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}
