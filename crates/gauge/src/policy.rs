//! The import filter of the benchmark's filter scenario: two prefix sets of 10,000, bogon AS numbers, a community.

use crate::Ready;
use crate::feed::{ROUTES, SETS, net, routes_of, set, source};
use filter::span::SourceFile;
use filter::syntax::{Cursor, lex};
use filter::{Env, FileId, Filter, Memory, RouteView, Scratch, Symbols, language};
use route::{AttrSet, Ifaces, Prefix, RoaTables};
use std::hint::black_box;
use std::sync::Arc;

/// Members of each prefix set.
const MEMBERS: u32 = 10_000;

fn read(text: &str) -> Arc<Filter> {
    let files = [SourceFile { path: "gauge".into(), text: text.as_bytes().into() }];
    let tokens = lex(FileId(0), text.as_bytes());
    let mut cursor = Cursor::new(&files, &tokens, None);
    language::filter(&mut cursor, &Symbols::new(None)).expect("a filter")
}

/// A few of the routes are denied, a few are customers'; most members of both sets are nobody's.
fn checked() -> Arc<Filter> {
    let members = |from: u32| {
        let members = (from..from + MEMBERS).map(|n| format!("{}{{24,32}}", net(n)));
        members.collect::<Vec<_>>().join(", ")
    };
    read(&format!(
        "{{ if net ~ [ {} ] then reject; if bgp_path.len > 64 then reject; \
         if bgp_path ~ [ 0, 23456, 64496..64511, 65535..131071, 4200000000..4294967295 ] then reject; \
         if net ~ [ {} ] then preference = 120; bgp_community.add((65000, 1)); accept; }}",
        members(ROUTES - 100),
        members(ROUTES + MEMBERS),
    ))
}

/// The routes with their sets.
fn routes() -> Vec<(AttrSet, Vec<Prefix>)> {
    (0..SETS).map(|number| (set(number, 0), routes_of(number).map(net).collect())).collect()
}

pub fn each_route() -> Ready {
    let (filter, routes, source) = (checked(), routes(), source(1));
    Box::new(move || {
        let (ifaces, mut scratch) = (Ifaces::default(), Scratch::new());
        for (attrs, nets) in &routes {
            for net in nets {
                let route =
                    RouteView { roa: None, net: *net, attrs, source: &source, resolved: None, igp_metric: None };
                black_box(filter.run(&mut scratch, route, Env { ifaces: &ifaces, roas: RoaTables::NONE }));
            }
        }
        Box::new((filter, routes))
    })
}

pub fn by_memory() -> Ready {
    let (filter, routes, source) = (checked(), routes(), source(1));
    Box::new(move || {
        let (ifaces, mut scratch) = (Ifaces::default(), Scratch::new());
        let env = Env { ifaces: &ifaces, roas: RoaTables::NONE };
        for (attrs, nets) in &routes {
            let mut memory = Memory::default();
            for net in nets {
                let route =
                    RouteView { roa: None, net: *net, attrs, source: &source, resolved: None, igp_metric: None };
                if black_box(memory.find(&mut scratch, route, env)).is_none() {
                    let outcome = filter.run_noting(&mut scratch, route, env);
                    let _ = memory.keep(&mut scratch, (outcome.verdict, outcome.attrs));
                }
            }
        }
        Box::new((filter, routes))
    })
}
