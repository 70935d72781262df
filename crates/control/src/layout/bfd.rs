//! `show bfd sessions all`, as 2.19 prints it.

use super::{Setting, words};
use crate::code;
use crate::frame::Frame;
use crate::view::{BfdPace, BfdSessionView};
use route::Written;
use std::borrow::Cow;

/// Diagnostics (RFC 5880 4.1), by their number.
static DIAGNOSTICS: &[&str] = &[
    "None",
    "Time expired",
    "Echo failed",
    "Neighbor down",
    "Fwd plane reset",
    "Path down",
    "Concat path down",
    "Admin down",
    "Rev concat path down",
];

/// Kinds of authentication (RFC 5880 4.1), by their number.
static AUTHENTICATION: &[&str] =
    &["None", "Simple", "Keyed MD5", "Meticulous keyed MD5", "Keyed SHA1", "Meticulous keyed SHA1"];

/// From this number on packets are numbered.
const KEYED: u8 = 2;

/// One protocol; `None`: it is down.
pub fn details(protocol: &str, rows: Option<&[BfdSessionView]>, setting: &Setting<'_>, out: &mut Frame) {
    let Some(rows) = rows else {
        return out.line(code::BFD_SESSIONS, format_args!("{protocol}: is not up"));
    };
    out.line(code::BFD_SESSIONS, format_args!("{protocol}:"));
    for row in rows {
        session(row, setting, out);
        out.line(code::BFD_SESSIONS, "");
    }
}

fn session(row: &BfdSessionView, setting: &Setting<'_>, out: &mut Frame) {
    let detail = &row.detail;
    let mut line = |label: &str, text: &dyn std::fmt::Display| {
        out.line(code::BFD_SESSIONS, format_args!("  {label:<21} {text}"));
    };
    line("Address:", &Written(row.remote));
    line("Interface:", &row.iface.as_deref().unwrap_or("---"));
    line("Session type:", &if row.iface.is_some() { "Direct" } else { "Multihop" });
    line("Session state:", &row.state);
    line("Remote state:", &detail.remote_state);
    line("Last state change:", &setting.stamps.text(row.since, &setting.time.protocol));
    line("Local diagnostic:", &diagnostic(detail.diagnostic));
    line("Remote diagnostic:", &diagnostic(detail.remote_diagnostic));
    line("Local discriminator:", &detail.discriminator);
    line("Remote discriminator:", &detail.remote_discriminator);
    let timer = |left_us, total_us| format!("{} / {}", words::seconds(left_us), words::seconds(total_us));
    if let Some(left_us) = detail.send_in_us {
        line("Transmit timer:", &timer(left_us, row.interval_us));
    }
    if let Some(left_us) = detail.expires_in_us {
        line("Detect timer:", &timer(left_us, row.timeout_us));
    }
    pace("Local", &detail.ours, out);
    pace("Remote", &detail.theirs, out);
    if detail.auth != 0 {
        out.line(code::BFD_SESSIONS, "  Authentication:");
        let mut line = |label: &str, text: &dyn std::fmt::Display| {
            out.line(code::BFD_SESSIONS, format_args!("    {label:<19} {text}"));
        };
        line("Type:", &AUTHENTICATION.get(usize::from(detail.auth)).unwrap_or(&"?"));
        if let Some(number) = detail.seen_sequence {
            line("RX CSN:", &number);
        }
        if detail.auth >= KEYED {
            line("TX CSN:", &detail.sent_sequence);
        }
    }
}

fn pace(whose: &str, pace: &BfdPace, out: &mut Frame) {
    out.line(code::BFD_SESSIONS, format_args!("  {whose} parameters:"));
    let mut line = |label: &str, text: &dyn std::fmt::Display| {
        out.line(code::BFD_SESSIONS, format_args!("    {label:<19} {text}"));
    };
    line("Min TX interval:", &words::seconds(pace.min_tx_us.into()));
    line("Min RX interval:", &words::seconds(pace.min_rx_us.into()));
    line("Demand mode:", &if pace.demand { "Yes" } else { "No" });
    line("Multiplier:", &pace.multiplier);
}

fn diagnostic(code: u8) -> Cow<'static, str> {
    match DIAGNOSTICS.get(usize::from(code)) {
        Some(words) => Cow::Borrowed(words),
        None => Cow::Owned(format!("Error #{code}")),
    }
}
