//! What changes from one configuration to the next: a value that can be printed before it is carried out.
//!
//! Two configurations are compared option by option, along the tables of
//! options, so a change is named as the operator wrote it and does what its row
//! says. Who carries the plan out needs to look at the actions only.

mod globals;

use crate::config::{Carries, ChannelConf, Config, Dialect, ProtocolConf, ProtocolKind};
use crate::option::Row;
pub use crate::option::{Effect, Ways};
use crate::options::{bgp, common, with_own};
use crate::protocol::{KINDS, Kind};
use globals::globals;
use route::Family;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// The way from one configuration to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Changed settings of the whole daemon.
    pub globals: Vec<Change>,
    /// Tables to make, before any protocol starts.
    pub tables_added: Vec<Arc<str>>,
    /// Tables to remove, after every protocol on them has stopped. One that is also added changes its nature.
    pub tables_removed: Vec<Arc<str>>,
    /// Every protocol of either configuration: the new ones in their order, then those that go.
    pub protocols: Vec<ProtocolPlan>,
}

/// What happens to a protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtocolPlan {
    /// Its name.
    pub name: Arc<str>,
    /// Its place in the old configuration's list.
    pub old: Option<usize>,
    /// Its place in the new one's.
    pub new: Option<usize>,
    /// What to do.
    pub action: Action,
    /// Which channels judge their routes again.
    pub reloads: Vec<Reload>,
    /// Why.
    pub changes: Vec<Change>,
}

/// A channel that judges its routes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reload {
    /// Its family.
    pub family: Family,
    /// What it carries.
    pub carries: Carries,
    /// In which directions.
    pub ways: Ways,
}

impl Reload {
    /// Its word in a configuration.
    pub fn channel(&self) -> &'static str {
        crate::channel::word(self.family, self.carries)
    }
}

/// What to do with a protocol, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Nothing.
    Keep,
    /// The new options are taken over; routes and session stay.
    Update,
    /// Also, routes are judged again in the directions named.
    Refilter(Ways),
    /// It stops, and starts with the new options.
    Restart,
    /// It is new.
    Start,
    /// It is gone.
    Stop,
}

/// A changed option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The words of the option.
    pub option: String,
    /// What the change means.
    pub effect: Effect,
    /// The old value as it would be written; empty when there was none.
    pub from: String,
    /// The new one.
    pub to: String,
}

impl Plan {
    /// Whether nothing at all is to be done.
    pub fn is_empty(&self) -> bool {
        self.globals.is_empty()
            && self.tables_added.is_empty()
            && self.tables_removed.is_empty()
            && self.protocols.iter().all(|p| p.action == Action::Keep)
    }
}

/// The way from `old` to `new`.
pub fn diff(old: &Config, new: &Config) -> Plan {
    let old_tables: BTreeSet<_> = old.tables.iter().map(|t| (&t.name, t.family, t.sorted)).collect();
    let new_tables: BTreeSet<_> = new.tables.iter().map(|t| (&t.name, t.family, t.sorted)).collect();
    let tables_added: Vec<_> = new_tables.difference(&old_tables).map(|t| t.0.clone()).collect();
    let tables_removed: Vec<_> = old_tables.difference(&new_tables).map(|t| t.0.clone()).collect();
    let globals = globals(old, new);

    let mut before: BTreeMap<&str, usize> = old.protocols.iter().enumerate().map(|(i, p)| (&*p.name, i)).collect();
    let mut protocols = Vec::with_capacity(new.protocols.len());
    for (i, conf) in new.protocols.iter().enumerate() {
        let was = before.remove(&*conf.name);
        let (changes, reloads) = match was.and_then(|i| old.protocols.get(i)) {
            Some(was) => changes((was, conf), new.dialect, &globals, &tables_added),
            None => (Vec::new(), Vec::new()),
        };
        let action = if was.is_some() { action(&changes) } else { Action::Start };
        protocols.push(ProtocolPlan { name: conf.name.clone(), old: was, new: Some(i), action, reloads, changes });
    }
    let mut gone: Vec<usize> = before.into_values().collect();
    gone.sort_unstable();
    protocols.extend(gone.into_iter().filter_map(|i| {
        let name = old.protocols.get(i)?.name.clone();
        Some(ProtocolPlan {
            name,
            old: Some(i),
            new: None,
            action: Action::Stop,
            reloads: Vec::new(),
            changes: Vec::new(),
        })
    }));
    Plan { globals, tables_added, tables_removed, protocols }
}

/// What the changes together ask for.
fn action(changes: &[Change]) -> Action {
    match changes.iter().map(|c| c.effect).max() {
        None => Action::Keep,
        Some(Effect::None) => Action::Update,
        Some(Effect::Restart) => Action::Restart,
        Some(Effect::Refilter(_)) => Action::Refilter(ways(changes)),
    }
}

/// In which directions routes are judged again for them.
fn ways(changes: &[Change]) -> Ways {
    let ways = |change: &Change| match change.effect {
        Effect::Refilter(ways) => ways,
        Effect::None | Effect::Restart => Ways::default(),
    };
    changes.iter().map(ways).fold(Ways::default(), Ways::or)
}

/// What differs between two protocols of one name.
fn changes(
    (old, new): (&ProtocolConf, &ProtocolConf),
    dialect: Dialect,
    globals: &[Change],
    tables_made: &[Arc<str>],
) -> (Vec<Change>, Vec<Reload>) {
    let mut all = Changes { dialect, found: Vec::new() };
    if std::mem::discriminant(&old.kind) != std::mem::discriminant(&new.kind) {
        let kinds = whole("kind of protocol", kind_word(old, dialect), kind_word(new, dialect));
        return (vec![kinds], Vec::new());
    }
    all.compare(common::PROTOCOL, old, new);
    own(&old.kind, &new.kind, &mut all);
    let mut reloads = channels(&old.channels, &new.channels, &mut all);
    reloads.extend(channels(&old.roa_channels, &new.roa_channels, &mut all));
    let mut all = all.found;
    let tables = new.channels.iter().chain(&new.roa_channels).map(|c| &c.table).chain(new.other_tables());
    if let Some(table) = tables.into_iter().find(|table| tables_made.contains(table)) {
        all.push(whole("table", table.to_string(), format!("{table} anew")));
    }
    // A session says the router's identifier in its OPEN.
    if matches!(new.kind, ProtocolKind::Bgp(_)) && new.router_id.is_none() {
        all.extend(globals.iter().filter(|c| c.effect == Effect::Restart).cloned());
    }
    // And one that says its name, the name.
    if matches!(&new.kind, ProtocolKind::Bgp(bgp) if bgp.advertise_hostname) {
        let of_all = globals.iter().find(|c| c.option == "hostname" && new.hostname.is_none());
        let own = Change {
            option: "hostname".into(),
            effect: Effect::None,
            from: text(&old.hostname),
            to: text(&new.hostname),
        };
        let change = if old.hostname == new.hostname { of_all.cloned() } else { Some(own) };
        all.retain(|c| c.option != "hostname");
        all.extend(change.map(|c| Change { effect: Effect::Restart, ..c }));
    }
    (all, reloads)
}

fn text(of: &Option<Arc<str>>) -> String {
    of.as_ref().map(|t| format!("\"{t}\"")).unwrap_or_default()
}

/// A change that is none of an option.
fn whole(option: &str, from: String, to: String) -> Change {
    Change { option: option.to_owned(), effect: Effect::Restart, from, to }
}

/// Its word behind `protocol`.
fn kind_word(conf: &ProtocolConf, dialect: Dialect) -> String {
    let is_it = |kind: &&Kind| std::mem::discriminant(&(kind.blank)(dialect)) == std::mem::discriminant(&conf.kind);
    KINDS.iter().find(is_it).map_or("", |kind| kind.word).to_owned()
}

/// What was found to differ.
struct Changes {
    dialect: Dialect,
    found: Vec<Change>,
}

impl Changes {
    /// The rows whose values differ.
    fn compare<T>(&mut self, rows: &[Row<T>], old: &T, new: &T) {
        let counts = |row: &&Row<T>| row.deprecated.is_none() && row.is_in(self.dialect) && !row.same(old, new);
        let differing: Vec<_> = rows.iter().filter(counts).collect();
        self.found.extend(differing.into_iter().map(|row| Change {
            option: row.words.join(" "),
            effect: row.effect(old, new, self.dialect),
            from: row.show(old),
            to: row.show(new),
        }));
    }
}

fn own(old: &ProtocolKind, new: &ProtocolKind, into: &mut Changes) {
    /// The struct of the same kind in the other configuration.
    trait Other: Sized {
        fn of(kind: &ProtocolKind) -> Option<&Self>;
    }
    macro_rules! other {
        ($($variant:ident $conf:ident,)*) => {
            $(impl Other for crate::config::$conf {
                fn of(kind: &ProtocolKind) -> Option<&Self> {
                    match kind {
                        ProtocolKind::$variant(conf) => Some(conf),
                        _ => None,
                    }
                }
            })*
        };
    }
    other! { Device DeviceConf, Direct DirectConf, Kernel KernelConf, Static StaticConf, Bgp BgpConf, Pipe PipeConf, Bfd BfdConf, Mrt MrtConf, Rpki RpkiConf, Bmp BmpConf, Aggregator AggregatorConf, }
    fn both<T: Other>(rows: &[Row<T>], old: &T, new: &ProtocolKind, into: &mut Changes) {
        if let Some(new) = T::of(new) {
            into.compare(rows, old, new);
        }
    }
    with_own!(old, rows, old => both(rows, old, new, into));
}

/// Compares channels, and says which of them judge their routes again.
fn channels(old: &[ChannelConf], new: &[ChannelConf], into: &mut Changes) -> Vec<Reload> {
    let families = |all: &[ChannelConf]| all.iter().map(|c| c.family).collect::<Vec<_>>();
    if families(old) != families(new) {
        into.found.push(whole("channels", old.len().to_string(), new.len().to_string()));
        return Vec::new();
    }
    let mut reloads = Vec::new();
    for (old, new) in old.iter().zip(new) {
        let before = into.found.len();
        into.compare(common::CHANNEL, old, new);
        if let (Some(old), Some(new)) = (&old.bgp, &new.bgp) {
            into.compare(bgp::CHANNEL, old, new);
        }
        let ways = ways(into.found.get(before..).unwrap_or_default());
        reloads.push(Reload { family: new.family, carries: new.carries, ways });
    }
    reloads.retain(|reload| reload.ways != Ways::default());
    reloads
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
        let (from, to) = (none(&self.from), none(&self.to));
        match from == to {
            true => write!(f, "{}: {to}, changed inside", self.option),
            false => write!(f, "{}: {from} -> {to}", self.option),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "unchanged",
            Self::Update => "updated in place",
            Self::Refilter(Ways { import: true, export: true }) => "routes judged again, in and out",
            Self::Refilter(Ways { import: true, .. }) => "imported routes judged again",
            Self::Refilter(_) => "exported routes judged again",
            Self::Restart => "restarted",
            Self::Start => "started",
            Self::Stop => "stopped and removed",
        })
    }
}

/// One line for each thing that is done; unchanged protocols are left out.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for change in &self.globals {
            writeln!(f, "{change}")?;
        }
        for table in &self.tables_removed {
            writeln!(f, "table {table}: removed")?;
        }
        for table in &self.tables_added {
            writeln!(f, "table {table}: added")?;
        }
        for protocol in self.protocols.iter().filter(|p| p.action != Action::Keep) {
            write!(f, "protocol {}: {}", protocol.name, protocol.action)?;
            let changes: Vec<String> = protocol.changes.iter().map(ToString::to_string).collect();
            if !changes.is_empty() {
                write!(f, " ({})", changes.join("; "))?;
            }
            writeln!(f)?;
        }
        Ok(())
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

    fn plan(old: &str, new: &str) -> String {
        diff(&config(old), &config(new)).to_string()
    }

    const BASE: &str = "router id 1.1.1.1; protocol device {} protocol kernel { export all; }\n\
        protocol bgp p1 { local as 1; neighbor 10.0.0.1 as 2; import all; }\n";

    fn edited(from: &str, to: &str) -> String {
        assert!(BASE.contains(from));
        plan(BASE, &BASE.replace(from, to))
    }

    #[test]
    fn nothing_changed_is_an_empty_plan() {
        assert!(diff(&config(BASE), &config(BASE)).is_empty());
        assert_eq!(plan(BASE, &format!("# a comment\n{BASE}")), "");
    }

    #[test]
    fn an_option_of_the_session_restarts_it_and_is_named() {
        assert_eq!(
            edited("local as 1;", "local as 1; hold time 90;"),
            "protocol p1: restarted (hold time: 240 -> 90)\n"
        );
        assert_eq!(
            edited("import all;", "import all; password \"x\";"),
            "protocol p1: restarted (password: none -> (secret))\n"
        );
    }

    #[test]
    fn another_vrf_is_another_place_to_be() {
        assert_eq!(
            edited("local as 1;", "local as 1; vrf \"red\";"),
            "protocol p1: restarted (vrf: none -> \"red\")\n"
        );
        assert_eq!(
            plan(
                &BASE.replace("local as 1;", "local as 1; vrf \"red\";"),
                &BASE.replace("local as 1;", "local as 1; vrf default;")
            ),
            "protocol p1: restarted (vrf: \"red\" -> default)\n"
        );
    }

    #[test]
    fn a_filter_judges_the_routes_of_its_direction_again() {
        assert_eq!(
            edited("import all", "import none"),
            "protocol p1: imported routes judged again (import: all -> none)\n"
        );
        assert_eq!(
            edited("export all", "export none"),
            "protocol kernel1: exported routes judged again (export: all -> none)\n"
        );
    }

    #[test]
    fn what_a_channel_tells_or_how_it_takes_routes_touches_that_channel_alone() {
        let with = |of4: &str, of6: &str| {
            config(&format!(
                "router id 1.1.1.1; protocol bgp p1 {{ local as 1; neighbor 10.0.0.1 as 2;
                 ipv4 {{ import all; export all; {of4} }}; ipv6 {{ import all; export all; {of6} }}; }}"
            ))
        };
        let reloads = |of4: &str, of6: &str| {
            let plan = diff(&with("", ""), &with(of4, of6));
            let one = &plan.protocols[0];
            let said = |r: &Reload| format!("{} {} {}", r.channel(), r.ways.import, r.ways.export);
            (one.action, one.reloads.iter().map(said).collect::<Vec<_>>())
        };
        let ways = |import, export| Action::Refilter(Ways { import, export });
        assert_eq!(reloads("", "next hop self;"), (ways(false, true), vec!["ipv6 false true".to_owned()]));
        assert_eq!(reloads("cost 5;", ""), (ways(true, false), vec!["ipv4 true false".to_owned()]));
        assert_eq!(
            reloads("aigp;", "next hop keep;"),
            (ways(true, true), vec!["ipv4 true true".to_owned(), "ipv6 false true".to_owned()])
        );
        assert_eq!(reloads("mandatory;", ""), (Action::Update, Vec::new()));
        assert_eq!(reloads("next hop self; gateway recursive;", "").0, Action::Restart);
    }

    #[test]
    fn a_filter_of_the_same_name_counts_by_what_it_does() {
        let with = |body: &str| {
            format!(
                "define n = 5; function f() {{ return {body}; }} filter in {{ if f() then accept; reject; }}\n{BASE}"
            )
            .replace("filter in ", "filter fin ")
            .replace("import all", "import filter fin")
        };
        assert_eq!(plan(&with("net.len > 8"), &format!("# other lines\n\n{}", with("net.len > 8"))), "");
        assert_eq!(
            plan(&with("net.len > 8"), &with("net.len > 9")),
            "protocol p1: imported routes judged again (import: filter fin, changed inside)\n"
        );
    }

    #[test]
    fn an_option_without_consequence_is_taken_over() {
        assert_eq!(
            edited("local as 1;", "local as 1; description \"x\";"),
            "protocol p1: updated in place (description: none -> \"x\")\n"
        );
    }

    #[test]
    fn protocols_come_and_go() {
        assert_eq!(
            plan(BASE, &BASE.replace("bgp p1", "bgp p2")),
            "protocol p2: started\nprotocol p1: stopped and removed\n"
        );
    }

    #[test]
    fn another_kind_under_the_same_name_is_a_restart() {
        let old = "protocol device x {}";
        assert_eq!(plan(old, "protocol direct x {}"), "protocol x: restarted (kind of protocol: device -> direct)\n");
    }

    #[test]
    fn the_router_id_restarts_sessions_that_say_it() {
        assert_eq!(
            edited("router id 1.1.1.1", "router id 2.2.2.2"),
            "router id: 1.1.1.1 -> 2.2.2.2\nprotocol p1: restarted (router id: 1.1.1.1 -> 2.2.2.2)\n"
        );
    }

    #[test]
    fn settings_of_the_daemon_are_written_as_the_file_has_them() {
        let with = |settings: &str| format!("{settings}\n{BASE}");
        assert_eq!(
            plan(
                &with("log stderr all; listen bgp port 1179; watchdog warning 2 s;"),
                &with("log syslog name \"r1\" { error, bug }; log stderr { trace }; timeformat base \"%T\" 60 \"%F\";")
            ),
            "listen bgp: port 1179 -> none\n\
             log: stderr all -> syslog name \"r1\" { error, bug }, stderr { trace }\n\
             timeformat base: \"%F %T\" -> \"%T\" 60 \"%F\"\n\
             watchdog warning: 2 s -> 5 s\n"
        );
    }

    #[test]
    fn a_roa_table_with_other_records_is_named_and_touches_no_protocol() {
        let old = format!("roa table r {{ roa 10.0.0.0/8 max 8 as 1; }} roa table r2;\n{BASE}");
        assert_eq!(plan(&old, &old.replace("as 1; }", "as 2; }")), "roa table r: 1 record, changed inside\n");
        assert_eq!(
            plan(&old, &old.replace("roa table r2", "roa table r3")),
            "roa table r2: 0 records -> none\nroa table r3: none -> 0 records\n"
        );
    }

    #[test]
    fn a_router_id_that_is_left_out_stays_as_it_runs() {
        assert_eq!(edited("router id 1.1.1.1; ", ""), "");
    }

    #[test]
    fn a_constant_that_did_not_change_is_kept_in_memory_once() {
        let text =
            format!("define big = [ 10.0.0.0/8+, 11.0.0.0/8 ];\nfilter f {{ if net ~ big then accept; }}\n{BASE}");
        let old = config(&text);
        let options = LoadOptions { before: Some(old.symbols.clone()), ..LoadOptions::default() };
        let new = load("c", &Memory::new().with("c", &text), &options).unwrap().config;
        let set = |config: &Config| match config.symbols.meanings.constant("big") {
            Some(filter::Value::PrefixSet(set)) => std::ptr::from_ref(&**set),
            other => panic!("{other:?}"),
        };
        assert_eq!(set(&old), set(&new));
    }

    #[test]
    fn a_table_made_anew_restarts_what_is_attached_to_it() {
        let old = "table t; protocol direct { table t; }";
        assert_eq!(
            plan(old, &old.replace("table t; p", "table t sorted; p")),
            "table t: removed\ntable t: added\nprotocol direct1: restarted (table: t -> t anew)\n"
        );
    }
}
