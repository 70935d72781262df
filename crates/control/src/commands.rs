// Every command of the control socket, in one table.
//
// The server finds here which grammar follows the words and whether a restricted client may
// give the command; the client completes, expands and explains from the same rows. The client
// must not depend on the daemon's rooms and must work against real BIRD, which has no command
// that lists its commands, so this file is compiled into both (`#[path]`): plain data, nothing
// but the standard library, and this comment is no `//!` because the file has no fixed place.
//
// Words and arguments are BIRD's, and so are the explanations: what `?` prints is part of what
// operators and their scripts know.

/// A command, or a group of commands that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The words, as typed.
    pub words: &'static str,
    /// What follows, for the reader.
    pub args: &'static str,
    /// What it does.
    pub help: &'static str,
    /// What it is.
    pub verb: Verb,
    /// Whose it is; `None`: that of both.
    pub only: Option<Release>,
}

/// Which line of BIRD's releases speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// 1.6 and before.
    One,
    /// 2.0 and later.
    Two,
}

impl Release {
    /// That of who greets so: `BIRD 2.0.12 ready.`; 1.6 when it does not say.
    #[allow(dead_code, reason = "the server greets")]
    pub fn of_greeting(text: &str) -> Self {
        let number = text.split(' ').nth(1).and_then(|version| version.split('.').next()).and_then(|n| n.parse().ok());
        if number.is_some_and(|n: u32| n >= 2) { Self::Two } else { Self::One }
    }
}

impl Row {
    /// The same, of one line of releases.
    const fn only(mut self, release: Release) -> Self {
        self.only = Some(release);
        self
    }

    /// Whether a release has it.
    pub fn is_in(&self, release: Release) -> bool {
        self.only.is_none_or(|only| only == release)
    }
}

/// What a row is, and for commands which grammar follows the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is the command of its name")]
pub enum Verb {
    /// Not a command: the title under which a group is listed.
    Group,
    /// Done by the client itself; the daemon does not know it.
    Client,
    ShowStatus,
    ShowMemory,
    ShowInterfaces,
    ShowInterfacesSummary,
    ShowProtocols,
    ShowProtocolsAll,
    ShowRoute,
    ShowStatic,
    ShowSymbols,
    ShowRoa,
    ShowBfdSessions,
    ShowThreads,
    ShowThreadsAll,
    /// There are no labels here.
    ShowMplsRanges,
    /// All of OSPF's: there is no such protocol here.
    ShowOspf,
    /// All of RIP's: there is no such protocol here.
    ShowRip,
    /// All of Babel's: there is no such protocol here.
    ShowBabel,
    Eval,
    Echo,
    Dump,
    Restrict,
    ConfigureCheck,
    Configure,
    ConfigureSoft,
    ConfigureTimeout,
    ConfigureSoftTimeout,
    ConfigureUndo,
    ConfigureConfirm,
    ConfigureStatus,
    Enable,
    Disable,
    Restart,
    Reload,
    ReloadIn,
    ReloadOut,
    Timeformat,
    Debug,
    MrtDump,
    /// `mrt dump`, which writes a file; `mrtdump` is the one above.
    DumpTables,
    Down,
    GracefulRestart,
    AddRoa,
    DeleteRoa,
    FlushRoa,
}

impl Verb {
    /// Whether a restricted client may do it.
    #[allow(dead_code, reason = "the client does not ask")]
    pub const fn is_safe(self) -> bool {
        !matches!(
            self,
            Self::Configure
                | Self::ConfigureSoft
                | Self::ConfigureTimeout
                | Self::ConfigureSoftTimeout
                | Self::ConfigureUndo
                | Self::ConfigureConfirm
                | Self::Enable
                | Self::Disable
                | Self::Restart
                | Self::Reload
                | Self::ReloadIn
                | Self::ReloadOut
                | Self::Debug
                | Self::MrtDump
                | Self::DumpTables
                | Self::Down
                | Self::GracefulRestart
                | Self::AddRoa
                | Self::DeleteRoa
                | Self::FlushRoa
        )
    }
}

const fn row(words: &'static str, args: &'static str, help: &'static str, verb: Verb) -> Row {
    Row { words, args, help, verb, only: None }
}

const PROTOCOLS_ACT: &str = "(<protocol> | \"<pattern>\" | all) [message]";
const PARTIAL: &str = "(<protocol> | \"<pattern>\" | all) [partial <prefix set>]";
const PROTOCOLS: &str = "<protocol> | \"<pattern>\" | all";

/// All of them, in the order of their words; a group stands before its commands.
#[rustfmt::skip]
pub static COMMANDS: &[Row] = &[
    row("add roa", "...", "Add ROA record", Verb::Group).only(Release::One),
    row("add roa", "<prefix> max <num> as <num> [table <name>]", "Add ROA record", Verb::AddRoa).only(Release::One),
    row("configure", "...", "Reload configuration", Verb::Group),
    row("configure", "[\"<file>\"] [timeout [<sec>]]", "Reload configuration", Verb::Configure),
    row("configure check", "[\"<file>\"]", "Parse configuration and check its validity", Verb::ConfigureCheck),
    row("configure confirm", "", "Confirm last configuration change - deactivate undo timeout", Verb::ConfigureConfirm),
    row("configure soft", "[\"<file>\"] [timeout [<sec>]]", "Reload configuration and ignore changes in filters", Verb::ConfigureSoft),
    row("configure soft timeout", "[<sec>]", "Reload configuration with undo timeout", Verb::ConfigureSoftTimeout),
    row("configure status", "", "Show configuration status", Verb::ConfigureStatus).only(Release::Two),
    row("configure timeout", "[<sec>]", "Reload configuration with undo timeout", Verb::ConfigureTimeout),
    row("configure undo", "", "Undo last configuration change", Verb::ConfigureUndo),
    row("debug", "...", "Control protocol debugging via BIRD logs", Verb::Group),
    row("debug", "(<protocol> | \"<pattern>\" | all) (all | off | { states|routes|filters|interfaces|events|packets [, ...] })", "Control protocol debugging via BIRD logs", Verb::Debug).only(Release::One),
    row("debug", "(<protocol> | <channel> | \"<pattern>\" | all) (all | off | { states|routes|filters|interfaces|events|packets [, ...] })", "Control protocol debugging via BIRD logs", Verb::Debug).only(Release::Two),
    row("delete roa", "...", "Delete ROA record", Verb::Group).only(Release::One),
    row("delete roa", "<prefix> max <num> as <num> [table <name>]", "Delete ROA record", Verb::DeleteRoa).only(Release::One),
    row("disable", PROTOCOLS_ACT, "Disable protocol", Verb::Disable),
    row("down", "", "Shut the daemon down", Verb::Down),
    row("dump", "...", "Dump debugging information", Verb::Group),
    row("dump ao keys", "", "Dump TCP-AO keys on sockets", Verb::Dump).only(Release::Two),
    row("dump attribute stats", "", "Dump attribute cache statistics", Verb::Dump).only(Release::Two),
    row("dump attributes", "", "Dump attribute cache", Verb::Dump),
    row("dump events", "", "Dump event log", Verb::Dump),
    row("dump filter all", "", "Dump all filters in linearized form", Verb::Dump).only(Release::Two),
    row("dump interfaces", "", "Dump interface information", Verb::Dump),
    row("dump neighbors", "", "Dump neighbor cache", Verb::Dump),
    row("dump protocols", "", "Dump protocol information", Verb::Dump),
    row("dump resources", "", "Dump all allocated resource", Verb::Dump),
    row("dump routes", "", "Dump routing table", Verb::Dump),
    row("dump sockets", "", "Dump open sockets", Verb::Dump),
    row("dump tables", "", "Dump table connections", Verb::Dump).only(Release::Two),
    row("echo", "...", "Control echoing of log messages", Verb::Group),
    row("echo", "(all | off | { debug|trace|info|remote|warning|error|auth [, ...] }) [<buffer-size>]", "Control echoing of log messages", Verb::Echo),
    row("enable", PROTOCOLS_ACT, "Enable protocol", Verb::Enable),
    row("eval", "<expr>", "Evaluate an expression", Verb::Eval),
    row("exit", "", "Exit the client", Verb::Client),
    row("flush roa", "[table <name>]", "Removes all dynamic ROA records", Verb::Group).only(Release::One),
    row("flush roa", "[table <name>]", "Removes all dynamic ROA records", Verb::FlushRoa).only(Release::One),
    row("graceful", "restart", "Shut the daemon down for graceful restart", Verb::Group).only(Release::Two),
    row("graceful restart", "", "Shut the daemon down for graceful restart", Verb::GracefulRestart).only(Release::Two),
    row("help", "", "Description of the help system", Verb::Client),
    row("mrt dump", "[table <name>|\"<pattern>\"] [to \"<file>\"] [filter <filter>|where <where filter>]", "Save MRT Table Dump into a file", Verb::DumpTables),
    row("mrtdump", "...", "Control protocol debugging via MRTdump files", Verb::Group),
    row("mrtdump", "(<protocol> | \"<pattern>\" | all) (all | off | { states|messages [, ...] })", "Control protocol debugging via MRTdump format", Verb::MrtDump),
    row("quit", "", "Quit the client", Verb::Client),
    row("reload", PROTOCOLS, "Reload protocol", Verb::Reload),
    row("reload bgp", PROTOCOLS, "Send and request route refresh to/from neighbor", Verb::Reload).only(Release::Two),
    row("reload bgp in", PROTOCOLS, "Request route refresh from neighbor", Verb::ReloadIn).only(Release::Two),
    row("reload bgp out", PROTOCOLS, "Refresh routes to neighbor", Verb::ReloadOut).only(Release::Two),
    row("reload filters", PARTIAL, "Reload protocol filters", Verb::Reload).only(Release::Two),
    row("reload filters in", PARTIAL, "Reload protocol filters (just imported routes)", Verb::ReloadIn).only(Release::Two),
    row("reload filters out", PARTIAL, "Reload protocol filters (just exported routes)", Verb::ReloadOut).only(Release::Two),
    row("reload in", PROTOCOLS, "Reload protocol (just imported routes)", Verb::ReloadIn),
    row("reload out", PROTOCOLS, "Reload protocol (just exported routes)", Verb::ReloadOut),
    row("restart", PROTOCOLS_ACT, "Restart protocol", Verb::Restart),
    row("restrict", "", "Restrict current CLI session to safe commands", Verb::Restrict),
    row("show", "...", "Show status information", Verb::Group),
    row("show babel", "...", "Show information about Babel protocol", Verb::Group).only(Release::Two),
    row("show babel entries", "[<name>]", "Show information about Babel prefix entries", Verb::ShowBabel).only(Release::Two),
    row("show babel interfaces", "[<name>] [\"<interface>\"]", "Show information about Babel interfaces", Verb::ShowBabel).only(Release::Two),
    row("show babel neighbors", "[<name>] [\"<interface>\"]", "Show information about Babel neighbors", Verb::ShowBabel).only(Release::Two),
    row("show babel routes", "[<name>]", "Show information about Babel route entries", Verb::ShowBabel).only(Release::Two),
    row("show bfd", "...", "Show information about BFD protocol", Verb::Group),
    row("show bfd sessions", "[<name>]", "Show information about BFD sessions", Verb::ShowBfdSessions).only(Release::One),
    row("show bfd sessions", "[<name>] [address <ip|prefix>] [(interface|dev) \"<name>\"] [ipv4|ipv6] [direct|multihop] [all]", "Show information about BFD sessions", Verb::ShowBfdSessions).only(Release::Two),
    row("show interfaces", "", "Show network interfaces", Verb::ShowInterfaces),
    row("show interfaces summary", "", "Show summary of network interfaces", Verb::ShowInterfacesSummary),
    row("show memory", "", "Show memory usage", Verb::ShowMemory),
    row("show mpls ranges", "[<MPLS domain> | <MPLS range>]", "Show MPLS ranges", Verb::ShowMplsRanges).only(Release::Two),
    row("show ospf", "...", "Show information about OSPF protocol", Verb::Group),
    row("show ospf", "[<name>]", "Show information about OSPF protocol", Verb::ShowOspf),
    row("show ospf interface", "[<name>] [\"<interface>\"]", "Show information about interface", Verb::ShowOspf),
    row("show ospf lsadb", "...", "Show content of OSPF LSA database", Verb::Group),
    row("show ospf lsadb", "[global | area <id> | link] [type <num>] [lsid <id>] [self | router <id>] [<proto>]", "Show content of OSPF LSA database", Verb::ShowOspf),
    row("show ospf neighbors", "[<name>] [\"<interface>\"]", "Show information about OSPF neighbors", Verb::ShowOspf),
    row("show ospf state", "[all] [<name>]", "Show information about OSPF network state", Verb::Group),
    row("show ospf state", "[<name>]", "Show information about reachable OSPF network state", Verb::ShowOspf),
    row("show ospf state all", "[<name>]", "Show information about all OSPF network state", Verb::ShowOspf),
    row("show ospf topology", "[all] [<name>]", "Show information about OSPF network topology", Verb::Group),
    row("show ospf topology", "[<name>]", "Show information about reachable OSPF network topology", Verb::ShowOspf),
    row("show ospf topology all", "[<name>]", "Show information about all OSPF network topology", Verb::ShowOspf),
    row("show protocols", "[<protocol> | \"<pattern>\"]", "Show routing protocols", Verb::ShowProtocols),
    row("show protocols all", "[<protocol> | \"<pattern>\"]", "Show routing protocol details", Verb::ShowProtocolsAll),
    row("show rip", "...", "Show information about RIP protocol", Verb::Group),
    row("show rip interfaces", "[<name>] [\"<interface>\"]", "Show information about RIP interfaces", Verb::ShowRip),
    row("show rip neighbors", "[<name>] [\"<interface>\"]", "Show information about RIP neighbors", Verb::ShowRip),
    row("show roa", "...", "Show ROA table", Verb::Group).only(Release::One),
    row("show roa", "[<prefix> | in <prefix> | for <prefix>] [as <num>] [table <t>]", "Show ROA table", Verb::ShowRoa).only(Release::One),
    row("show route", "...", "Show routing table", Verb::Group),
    row("show route", "[<prefix>|for <prefix>|for <ip>] [table <t>] [filter <f>|where <cond>] [all] [primary] [filtered] [(export|preexport|noexport) <p>] [protocol <p>] [stats|count]", "Show routing table", Verb::ShowRoute).only(Release::One),
    row("show route", "[<prefix>|for <prefix>|for <ip>|in <prefix>] [table <t>] [(import|export) table <p>.<c>] [filter <f>|where <cond>] [all] [primary] [filtered] [(export|exported|preexport|noexport) <p>] [protocol <p>] [stats|count]", "Show routing table", Verb::ShowRoute).only(Release::Two),
    row("show static", "[<name>]", "Show details of static protocol", Verb::ShowStatic),
    row("show status", "", "Show router status", Verb::ShowStatus),
    row("show symbols", "...", "Show all known symbolic names", Verb::Group),
    row("show symbols", "[table|filter|function|protocol|template|roa|<symbol>]", "Show all known symbolic names", Verb::ShowSymbols).only(Release::One),
    row("show symbols", "[table|filter|function|protocol|template|<symbol>]", "Show all known symbolic names", Verb::ShowSymbols).only(Release::Two),
    row("show threads", "", "Write out thread information", Verb::ShowThreads).only(Release::Two),
    row("show threads all", "", "Write out thread and IO loop information", Verb::ShowThreadsAll).only(Release::Two),
    row("timeformat", "\"<format1>\" [limit \"format2\"] | iso (short | long) [ ms | us ]", "Set time format for this CLI session", Verb::Timeformat).only(Release::Two),
];
