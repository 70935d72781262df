//! What is surely a mistake although BIRD takes it: comparisons that come out the same for every route, commands behind
//! the end of a filter, names that nobody uses, everything told to another AS.
//!
//! It looks at a configuration that was read without errors, so nothing here
//! can refuse one. [`surely_wrong`] is for the log of every start and reload;
//! [`all`] adds what may be meant so, for `rbird lint`.

use crate::config::{Config, ProtocolKind};
use crate::report;
use filter::span::SourceFile;
use filter::syntax::{Tok, lex};
use filter::{Diagnostic, FileId, Filter, Level, Policy, Span, SymbolKind};
use std::collections::HashMap;

/// What can not be meant so, in the order of the text.
pub fn surely_wrong(config: &Config) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = config.symbols.meanings.warnings().cloned().collect();
    for filter in unnamed(config) {
        found.extend(filter.program.warned.0.iter().cloned());
    }
    unused(config, |kind| matches!(kind, SymbolKind::Function(_)), &mut found);
    in_order(found)
}

/// Every warning, in the order of the text.
pub fn all(config: &Config) -> Vec<Diagnostic> {
    let mut found = surely_wrong(config);
    unused(config, |kind| !matches!(kind, SymbolKind::Function(_)), &mut found);
    open_exports(config, &mut found);
    in_order(found)
}

/// Each with its source line, caret and help; a line that names the place is the first.
pub fn lines(warnings: &[Diagnostic], files: &[SourceFile], color: bool) -> Vec<String> {
    warnings.iter().map(|warning| report::full(warning, files, color)).collect()
}

/// A warning in one line, `FILE:LINE:COLUMN warning: message`.
pub fn line(warning: &Diagnostic, files: &[SourceFile]) -> String {
    report::line(warning, files)
}

fn in_order(mut found: Vec<Diagnostic>) -> Vec<Diagnostic> {
    found.sort_by_key(|warning| warning.span);
    found.dedup();
    found
}

fn warning(span: Span, message: String, label: &str) -> Diagnostic {
    let mut warning = Diagnostic::error(span, format!("warning: {message}"));
    warning.level = Level::Warning;
    warning.label = Some(label.to_owned());
    warning
}

/// The filters that stand where they are used.
fn unnamed(config: &Config) -> impl Iterator<Item = &Filter> {
    config.protocols.iter().flat_map(|conf| {
        let channels = conf.channels.iter().chain(&conf.roa_channels);
        let channels = channels.flat_map(|channel| [&channel.import, &channel.export]);
        let own = match &conf.kind {
            ProtocolKind::Mrt(mrt) => Some(&mrt.filter),
            _ => None,
        };
        let policies = channels.chain(own).filter_map(|policy| match policy {
            Policy::Filter(filter) => Some(&**filter),
            _ => None,
        });
        let (routes, roas, aspas) = match &conf.kind {
            ProtocolKind::Static(fixed) => (&*fixed.routes, &*fixed.roas, &*fixed.aspas),
            _ => (&[][..], &[][..], &[][..]),
        };
        let bodies = routes.iter().filter_map(|route| route.body.as_deref());
        let of_roas = roas.iter().filter_map(|roa| roa.body.as_deref());
        let of_aspas = aspas.iter().filter_map(|aspa| aspa.body.as_deref());
        policies.chain(bodies).chain(of_roas).chain(of_aspas).filter(|filter| filter.name.is_none())
    })
}

/// Filters, functions and constants whose name stands nowhere but in their definition.
fn unused(config: &Config, of: impl Fn(&SymbolKind) -> bool, found: &mut Vec<Diagnostic>) {
    if !config.symbols.meanings.iter().any(|(_, symbol)| of(&symbol.kind)) {
        return;
    }
    let mut seen: HashMap<&[u8], u32> = HashMap::new();
    for (n, file) in config.files.iter().enumerate() {
        let Ok(n) = u32::try_from(n) else { break };
        for token in lex(FileId(n), &file.text).iter().filter(|t| t.tok == Tok::Word) {
            let word = file.text.get(token.span.start as usize..token.span.end as usize).unwrap_or_default();
            let name = word.strip_prefix(b"'").and_then(|w| w.strip_suffix(b"'")).unwrap_or(word);
            *seen.entry(name).or_default() += 1;
        }
    }
    for (name, symbol) in config.symbols.meanings.iter().filter(|(_, symbol)| of(&symbol.kind)) {
        let word = match symbol.kind {
            SymbolKind::Filter(_) => "filter",
            SymbolKind::Function(_) => "function",
            // Those that the system has defined stand in no file.
            SymbolKind::Constant(_) if symbol.span != Span::default() => "constant",
            _ => continue,
        };
        if seen.get(name.as_bytes()).copied() == Some(1) {
            found.push(warning(symbol.span, format!("{word} {name} is never used"), "its name stands nowhere else"));
        }
    }
}

/// `export all` to a neighbour in another AS: every route of the table, those of other neighbours too.
fn open_exports(config: &Config, found: &mut Vec<Diagnostic>) {
    for conf in &config.protocols {
        let ProtocolKind::Bgp(bgp) = &conf.kind else { continue };
        if bgp.local_as != bgp.peer_as && conf.channels.iter().any(|c| matches!(c.export, Policy::Accept)) {
            let message =
                format!("{} exports all routes to AS{}, another AS, without a filter", conf.name, bgp.peer_as);
            found.push(
                warning(conf.span, message, "routes of other neighbours leave here, too (RFC 8212)")
                    .help("`export filter NAME;` or `export where source = RTS_STATIC;` says which"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;
    use crate::{LoadOptions, load};

    fn config(text: &str) -> Config {
        match load("c", &Memory::new().with("c", text), &LoadOptions::default()) {
            Ok(loaded) => loaded.config,
            Err(refused) => panic!("{}", refused.report(false).join("\n")),
        }
    }

    fn said(text: &str) -> Vec<String> {
        let config = config(text);
        all(&config).iter().map(|w| line(w, &config.files)).collect()
    }

    const BGP: &str = "protocol bgp p1 { local as 1; neighbor 10.0.0.1 as";

    #[test]
    fn what_stands_behind_the_end_of_a_filter_is_never_reached() {
        let text = format!(
            "filter f1 {{\n  if net.len > 8 then accept; else reject;\n  bgp_med = 5;\n  print \"x\";\n}}\n{BGP} 1; import filter f1; }}"
        );
        assert_eq!(said(&text), ["c:3:3 warning: these commands are never reached"]);
        assert_eq!(surely_wrong(&config(&text)).len(), 1);
        assert_eq!(said(&text.replace("else reject;", "")), [""; 0]);
    }

    #[test]
    fn names_that_nobody_uses_are_told_by_lint_only() {
        let text =
            format!("define left = 5;\nfunction used() {{ return 1; }}\nfilter f1 {{ used(); accept; }}\n{BGP} 1; }}");
        assert_eq!(
            said(&text),
            ["c:1:8 warning: constant left is never used", "c:3:8 warning: filter f1 is never used"]
        );
        assert!(surely_wrong(&config(&text)).is_empty());
    }

    #[test]
    fn a_function_that_nobody_calls_is_told_at_the_start() {
        let text =
            "function left() { return 1; }\nfunction used() { return 2; }\ndefine two = used();\nprotocol device {}\n";
        assert_eq!(said(text)[..1], ["c:1:10 warning: function left is never used"]);
        assert_eq!(surely_wrong(&config(text)).len(), 1);
    }

    #[test]
    fn everything_told_to_another_as_is_a_warning_and_to_the_own_one_is_none() {
        let text = |asn: u32| format!("{BGP} {asn}; export all; }}");
        assert_eq!(said(&text(2)), ["c:1:14 warning: p1 exports all routes to AS2, another AS, without a filter"]);
        assert_eq!(said(&text(1)), [""; 0]);
    }

    #[test]
    fn a_warning_shows_its_line() {
        let config = config("define left = 5;\nprotocol device {}\n");
        assert_eq!(
            lines(&all(&config), &config.files, false),
            [
                "c:1:8 warning: constant left is never used\n  |\n1 | define left = 5;\n  |        ^^^^ its name stands nowhere else"
            ]
        );
    }
}
