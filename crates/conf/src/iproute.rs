//! The names that iproute2 gives to numbers, as constants: `ipt_main` is 254.

use crate::files::Files;
use filter::{Span, SymbolKind, Symbols, Value};

/// The files, and what stands in front of their names.
static TABLES: &[(&str, &str)] = &[
    ("/etc/iproute2/rt_protos", "ipp_"),
    ("/etc/iproute2/rt_realms", "ipr_"),
    ("/etc/iproute2/rt_scopes", "ips_"),
    ("/etc/iproute2/rt_tables", "ipt_"),
];

/// No more of such a file is read, in octets.
const OCTETS_MAX: usize = 1 << 20;

/// Defines the constants. Files that are not there define none; lines that are not `NUMBER NAME` are passed over.
pub(crate) fn define(symbols: &mut Symbols, files: &dyn Files) {
    for (path, prefix) in TABLES {
        let Ok(text) = files.read(path, OCTETS_MAX) else { continue };
        for line in String::from_utf8_lossy(&text).lines() {
            if let Some((value, name)) = entry(line) {
                let name = format!("{prefix}{name}");
                // Of two entries of one name the first counts.
                let _ = symbols.define(&name, Span::default(), SymbolKind::Constant(Value::Int(value)));
            }
        }
    }
}

/// `254 main`, `0x10 name`, with a comment behind.
fn entry(line: &str) -> Option<(u32, String)> {
    let mut words = line.split('#').next()?.split_whitespace();
    let number = words.next()?;
    let value = match number.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => number.parse().ok()?,
    };
    let name = words.next()?;
    // Letters that no name of the language has become `_`.
    let name = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Some((value, name))
}
