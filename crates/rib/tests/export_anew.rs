//! What a change of a ROA table touches is judged anew, and said where it comes to something else.

#![expect(clippy::expect_used, reason = "what a test needs and does not have fails it")]

extern crate rbird_rib as rib;

mod support;

use filter::span::SourceFile;
use filter::syntax::{Cursor, lex};
use filter::{FileId, Policy, Span, SymbolKind, Symbols};
use rib::batch::{NetId, Reading};
use rib::export::Part;
use rib::trace::Tracing;
use route::{Family, Roa, RoaEntry, RoaOrigin, RoaTable, RoaTables};
use std::sync::Arc;
use support::*;

fn asks(text: &str) -> Policy {
    let files = [SourceFile { path: "t".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), text.as_bytes());
    let mut cursor = Cursor::new(&files, &tokens, Some(Family::Ipv4));
    let mut symbols = Symbols::new(Some(Family::Ipv4));
    symbols.define("r", Span::default(), SymbolKind::RoaTable("ROA table")).expect("a name");
    Policy::Filter(filter::language::filter(&mut cursor, &symbols).expect("a filter"))
}

/// The table `r`, in which these prefixes may be longer and come from this AS.
fn roas(all: &[(&str, u32)]) -> Arc<RoaTables> {
    let entry = |(prefix, asn): &(&str, u32)| RoaEntry {
        roa: Roa { prefix: net(prefix), max_len: 24, asn: *asn },
        origin: RoaOrigin::Static,
    };
    let table = RoaTable::new(all.iter().map(entry).collect());
    Arc::new(RoaTables::new(vec![("r".into(), Arc::new(table))]))
}

/// A table with routes of AS 65001, and what members of a group hear when the authorisations change.
struct Story {
    lab: Lab,
    told: Told,
    before: Arc<RoaTables>,
}

impl Story {
    fn new(filter: &str, members: u32, first: &[(&str, u32)]) -> Self {
        let mut lab = Lab::new(Family::Ipv4);
        lab.up(1, spec());
        for prefix in ["10.1.0.0/16", "10.2.0.0/16", "11.0.0.0/8"] {
            lab.announce(1, prefix, given(&[65001]));
        }
        lab.table.seal();
        let mut told = Told::new(key(asks(filter)));
        let before = roas(first);
        told.group.set_roas(Arc::clone(&before));
        for n in 0..members {
            told.join(2 + n, Tracing::default(), None);
            told.feed(&lab);
        }
        Self { lab, told, before }
    }

    /// Other authorisations touch the routes inside a prefix; what is said of which.
    fn after(&mut self, touched: &str, now: &[(&str, u32)]) -> Vec<String> {
        let now = roas(now);
        self.told.group.set_roas(Arc::clone(&now));
        let covers = [net(touched)];
        let few = self.lab.table.inside_few(&covers, 1 << 20).expect("few");
        let mut all = Vec::new();
        assert_eq!(self.lab.table.inside(&covers, NetId(0), 1000, &mut all), None);
        all.sort_unstable();
        let mut sorted = few.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, all, "both ways find the same");
        self.told.group.judge_anew(&few, &self.before);
        self.before = now;
        let wanted = self.told.group.wanted(1000);
        assert_eq!(wanted, sorted, "only what is touched is asked for");
        let batch = self.lab.table.current(&wanted, Reading::All);
        let told = &mut self.told;
        told.group.take(&batch, Part::Asked, &mut told.advance);
        assert!(told.group.wanted(1000).is_empty() && !told.group.holds_numbers());
        let advance = &told.advance;
        let mut said = Vec::new();
        for run in &advance.runs {
            let sign = if run.attrs.is_some() { '+' } else { '-' };
            said.extend(advance.nets(run, &batch).map(|(net, _)| format!("{sign}{net}")));
        }
        said.sort();
        said
    }
}

const INVALID: &str = "{ if roa_check(r, net, 65001) = ROA_INVALID then reject; accept; }";
const MARKED: &str = "{ if roa_check(r, net, 65001) = ROA_VALID then bgp_med = 5; accept; }";

#[test]
fn a_route_turns_invalid_and_back_and_others_under_the_same_prefix_are_not_said_again() {
    for members in [1, 2] {
        let mut story = Story::new(INVALID, members, &[("10.0.0.0/8", 65001)]);
        let said = story.after("10.0.0.0/8", &[("10.0.0.0/8", 65009), ("10.2.0.0/16", 65001)]);
        assert_eq!(said, ["-10.1.0.0/16"], "{members} members");
        assert_eq!(story.after("10.0.0.0/8", &[("10.0.0.0/8", 65001)]), ["+10.1.0.0/16"], "{members} members");
        assert_eq!(story.after("10.0.0.0/8", &[("10.0.0.0/8", 65001)]), [""; 0], "{members} members");
    }
}

#[test]
fn a_route_that_the_filter_marks_by_its_validity_is_said_with_its_new_mark() {
    for members in [1, 2] {
        let mut story = Story::new(MARKED, members, &[("10.0.0.0/8", 65001)]);
        let said = story.after("10.0.0.0/8", &[("10.0.0.0/8", 65009), ("10.2.0.0/16", 65001)]);
        assert_eq!(said, ["+10.1.0.0/16"], "{members} members");
    }
}

#[test]
fn a_filter_that_asks_no_roa_table_has_nothing_judged_anew() {
    let mut story = Story::new("{ accept; }", 1, &[]);
    story.told.group.judge_anew(&[NetId(0)], &roas(&[]));
    assert!(story.told.group.wanted(10).is_empty());
}
