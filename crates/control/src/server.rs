//! The clients: one task each, from the greeting to the last line.
//!
//! A task reads a line, parses it, asks the daemon, writes the reply, and only
//! then reads on, so pipelined commands wait in the socket. It writes in pieces
//! of some kilooctets, always whole lines; while a client does not read, its own
//! task waits in a write and nothing else does: pages of a table are asked for
//! only as they can be written. The last line of a reply is never split between
//! two writes of ours, for readers that look for its code in one read.
//!
//! Bounds: the length of a line, the number of clients, one reply's piece, one
//! page of routes, the buffer of `echo`. A client that breaks a rule or goes away
//! is dropped alone.

mod dumps;
mod tables;

use crate::code;
use crate::commands::Verb;
use crate::echo::{Echo, Listener};
use crate::frame::Frame;
use crate::layout::{self, Setting};
use crate::order::{BfdQuery, Order, Refusal};
use crate::request::{Choice, Configure, Farewell, Request, RouteQuery};
use crate::routes::Selection;
use crate::socket::Bound;
use crate::time::{Clock, Stamps};
use crate::view::{ChannelView, Kind, ProtocolView, RouteItem};
use conf::Dialect;
use conf::config::{Config, SymbolRow, TimeFormats};
use dumps::DumpFile;
use filter::{Authorised, Env, Expression};
use route::Ifaces;
use std::sync::Arc;
use tables::{Authorities, TableList};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::AbortHandle;

/// What the clients' tasks share.
#[derive(Clone)]
pub struct Control {
    /// The running configuration.
    pub config: watch::Receiver<Arc<Config>>,
    /// Where questions go.
    pub requests: mpsc::Sender<Request>,
    /// Both clocks.
    pub clock: Clock,
    /// What stands behind `BIRD ` in banner and status; `None`: the release whose dialect is spoken.
    pub version: Option<Arc<str>>,
}

/// The longest line that is read, in octets. BIRD's is 1,022; filters typed by programs are longer.
const LINE_MAX: usize = 16 * 1024;
/// A reply is written when so many octets are ready.
const PIECE: usize = 64 * 1024;
/// Clients at the same time; more wait in the backlog.
const CLIENTS_MAX: usize = 512;

/// Accepts clients for as long as the runtime lives. What comes back takes the lines of the log.
pub fn serve(bound: Bound, control: Control) -> Echo {
    let echo = Echo::default();
    serve_also(bound, control, echo.clone(), false);
    echo
}

/// Accepts clients at a further socket until it is aborted; who is there then goes on. `restricted`: they may only look.
pub fn serve_also(bound: Bound, control: Control, echo: Echo, restricted: bool) -> AbortHandle {
    tokio::spawn(accept(bound.into_listener(), control, echo, restricted)).abort_handle()
}

async fn accept(listener: std::os::unix::net::UnixListener, control: Control, echo: Echo, restricted: bool) {
    let listener = match UnixListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!("Control socket: {error}"),
    };
    let places = Arc::new(Semaphore::new(CLIENTS_MAX));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                let session = Session::new(stream, control.clone(), echo.clone(), restricted);
                tokio::spawn(async move {
                    session.run().await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: leave the others time to end.
                tracing::error!("Control socket: {error}");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

/// Why a client's task ends: it went away, or the daemon stops.
struct Gone;

impl From<std::io::Error> for Gone {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl From<oneshot::error::RecvError> for Gone {
    fn from(_: oneshot::error::RecvError) -> Self {
        Self
    }
}

struct Session {
    lines: Lines,
    socket: OwnedWriteHalf,
    control: Control,
    echo: Echo,
    listener: Option<Listener>,
    restricted: bool,
    /// `timeformat` of this client, instead of the configuration's.
    time: Option<TimeFormats>,
    /// While a dump is written: where lines go instead of the socket.
    file: Option<DumpFile>,
}

impl Session {
    fn new(stream: UnixStream, control: Control, echo: Echo, restricted: bool) -> Self {
        let (read, socket) = stream.into_split();
        Self { lines: Lines::new(read), socket, control, echo, listener: None, restricted, time: None, file: None }
    }

    async fn run(mut self) {
        let debug = self.config().debug_commands;
        if debug >= 1 {
            tracing::info!("CLI connect");
        }
        // Whatever ended the conversation, nobody is left to be told.
        let _ = self.converse().await;
        if debug >= 1 {
            tracing::info!("CLI connection closed");
        }
    }

    async fn converse(&mut self) -> Result<(), Gone> {
        let version = self.version();
        let mut greeting = Frame::new();
        greeting.end(code::WELCOME, format_args!("BIRD {version} ready."));
        self.write(&mut greeting).await?;
        loop {
            match self.next().await? {
                Heard::Line(line) => self.answer(&line).await?,
                Heard::Log => {}
                Heard::TooLong => {
                    let mut out = Frame::new();
                    out.end(code::TOO_LONG, "Command too long");
                    return self.write(&mut out).await;
                }
                Heard::End => return Ok(()),
            }
            self.write_log().await?;
        }
    }

    async fn next(&mut self) -> Result<Heard, Gone> {
        let Some(listener) = &self.listener else {
            return self.lines.next().await;
        };
        tokio::select! {
            heard = self.lines.next() => heard,
            () = listener.filled() => Ok(Heard::Log),
        }
    }

    async fn write_log(&mut self) -> Result<(), Gone> {
        if let Some(listener) = &self.listener {
            let text = listener.take();
            self.socket.write_all(text.as_bytes()).await?;
        }
        Ok(())
    }

    async fn answer(&mut self, line: &[u8]) -> Result<(), Gone> {
        let config = self.config();
        if config.debug_commands >= 2 {
            tracing::info!(target: "trace", "CLI: {}", String::from_utf8_lossy(line));
        }
        let mut out = Frame::new();
        match Order::parse(line, &config) {
            Err(refusal) => out.end(refusal.code, refusal.text),
            Ok((_, verb)) if self.restricted && !is_safe(verb, config.dialect) => {
                out.end(code::DENIED, "Access denied")
            }
            Ok((order, _)) => self.obey(order, &config, &mut out).await?,
        }
        self.write(&mut out).await
    }

    async fn obey(&mut self, order: Order, config: &Arc<Config>, out: &mut Frame) -> Result<(), Gone> {
        let layout = layout::of(config.dialect);
        match order {
            Order::Symbols { .. } | Order::Echo { .. } | Order::Restrict | Order::Timeformat(_) => {
                self.obey_alone(order, config, out);
            }
            Order::Eval(expression) => {
                let (ifaces, roas) = (self.links().await?, self.ask(Request::Roas).await?);
                evaluate(&expression, Env { ifaces: &ifaces, roas: &roas }, out);
            }
            Order::Roas(query) => {
                let roas = self.ask(Request::Roas).await?;
                let found = roas.get(&query.table).map(|table| query.select(table)).unwrap_or_default();
                for roa in found {
                    layout.roa(&roa, out);
                    if out.len() >= PIECE {
                        self.write(out).await?;
                    }
                }
                out.ok();
            }
            Order::Routes(query) => self.routes(query, config, out).await?,
            Order::Static(name) => self.statics(name, config, out).await?,
            Order::BfdSessions(query) => self.bfd_sessions(query, config, out).await?,
            Order::Threads { detail } => layout.threads(&self.ask(Request::Threads).await?, detail, out),
            Order::OfKind { kind, name } => match self.one_of(kind, name, config).await? {
                Err(refusal) => out.end(refusal.code, refusal.text),
                Ok(_) => out.ok(),
            },
            Order::Interfaces { summary } => {
                let rows = self.ask(Request::Interfaces).await?;
                let about = self.about(config);
                let setting = about.setting();
                match summary {
                    true => layout.interfaces_summary(&rows, &setting, out),
                    false => layout.interfaces(&rows, &setting, out),
                }
            }
            Order::Status => {
                let view = self.ask(Request::Status).await?;
                layout.status(&view, &self.about(config).setting(), out);
            }
            Order::Memory => layout.memory(&self.ask(Request::Memory).await?, out),
            Order::Protocols { choice, detail } => {
                let rows = self.protocols(choice.clone(), detail).await?;
                layout.protocols(&rows, &choice, &self.about(config).setting(), out);
            }
            other => self.command(other, layout, out).await?,
        }
        Ok(())
    }

    /// Orders that change something in the daemon.
    async fn command(&mut self, order: Order, layout: &dyn layout::Layout, out: &mut Frame) -> Result<(), Gone> {
        match order {
            Order::Act { action, choice, message, partial } => {
                let asked = choice.clone();
                let rows = self.ask(|answer| Request::Act { action, choice: asked, message, partial, answer }).await?;
                layout.actions(&rows, &choice, out);
            }
            Order::Debug { choice, channel, mask } => {
                let asked = choice.clone();
                let count = self.ask(|answer| Request::Debug { choice: asked, channel, mask, answer }).await?;
                layout.chosen(count, &choice, out);
            }
            Order::MrtDump { choice, mask } => {
                let asked = choice.clone();
                let count = self.ask(|answer| Request::MrtDump { choice: asked, mask, answer }).await?;
                layout.chosen(count, &choice, out);
            }
            Order::Configure { file, how } => {
                let report = self.ask(|answer| Request::Configure { file, how, answer }).await?;
                layout.configured(&report, how == Configure::Check, out);
            }
            Order::Undo => layout.undone(&self.ask(Request::Undo).await?, out),
            Order::Confirm => layout.configured(&self.ask(Request::Confirm).await?, false, out),
            Order::ConfigureStatus => layout.configure_status(&self.ask(Request::ConfigureStatus).await?, out),
            Order::DumpTables(order) => {
                for text in self.ask(|answer| Request::DumpTables { order, answer }).await? {
                    out.line(code::DUMP_FAILED, text);
                }
                out.ok();
            }
            Order::EditRoa { table, edit } => {
                self.ask(|answer| Request::EditRoa { table, edit, answer }).await?;
                out.ok();
            }
            Order::Dump(what) => {
                self.ask(|answer| Request::Dump(what, answer)).await?;
                out.ok();
            }
            Order::DumpFile { what, file } => self.dump_to_file(what, &file, out).await?,
            Order::Down(farewell) => {
                // Said before it is done: nobody is left to say it afterwards.
                match farewell {
                    Farewell::Down => out.end(code::SHUTDOWN, "Shutdown requested"),
                    Farewell::GracefulRestart => out.end(code::RESTART_REQUESTED, "Graceful restart requested"),
                }
                self.write(out).await?;
                self.ask(|answer| Request::Down { farewell, answer }).await?;
            }
            // The others were obeyed before.
            _ => {}
        }
        Ok(())
    }

    /// Orders that need nobody else.
    fn obey_alone(&mut self, order: Order, config: &Config, out: &mut Frame) {
        let layout = layout::of(config.dialect);
        match order {
            Order::Symbols { name: Some(name), .. } => {
                let known = config.symbols.rows.iter().find(|row| *row.name == *name);
                layout.symbol(&name, known.map_or("undefined", |row| row.kind), out);
            }
            Order::Symbols { name: None, kind } => {
                let wanted = |row: &&SymbolRow| kind.is_none_or(|kind| row.kind == kind);
                let rows: Vec<&SymbolRow> = config.symbols.rows.iter().filter(wanted).collect();
                layout.symbols(&rows, out);
            }
            Order::Echo { classes, octets_max } => {
                self.listener = (classes.0 != 0).then(|| self.echo.listen(classes, octets_max));
                out.ok();
            }
            Order::Timeformat(format) => {
                self.time = Some(TimeFormats::all(&format));
                out.ok();
            }
            Order::Restrict => {
                self.restricted = true;
                out.end(code::RESTRICTED, "Access restricted");
            }
            _ => {}
        }
    }

    async fn protocols(&self, choice: Choice, detail: bool) -> Result<Vec<ProtocolView>, Gone> {
        self.ask(|answer| Request::Protocols { choice, detail, answer }).await
    }

    /// The protocols of a kind that are not down.
    async fn running(&self, kind: Kind) -> Result<Vec<Arc<str>>, Gone> {
        let all = self.protocols(Choice::All, false).await?;
        Ok(all.iter().filter(|p| p.kind == kind && p.state != "down").map(|p| p.name.clone()).collect())
    }

    /// The one protocol of a kind that a command is about, by name or because there is no other.
    async fn one_of(
        &self,
        kind: Kind,
        name: Option<Arc<str>>,
        config: &Config,
    ) -> Result<Result<Arc<str>, Refusal>, Gone> {
        let refuse = |text: String| Ok(Err(Refusal { code: code::PARSE_ERROR, text }));
        let word = kind.word();
        if let Some(name) = name {
            if !config.protocols.iter().any(|p| p.name == name) {
                return refuse(format!("{name}: Not a protocol"));
            }
            let found = self.protocols(Choice::Named(name.clone()), false).await?;
            return match found.iter().any(|p| p.kind == kind) {
                true => Ok(Ok(name)),
                false => refuse(format!("{name}: Not a {word} protocol")),
            };
        }
        let mut running = self.running(kind).await?.into_iter();
        match (running.next(), running.next()) {
            (Some(one), None) => Ok(Ok(one)),
            (None, _) => refuse(format!("There is no {word} protocol running")),
            (Some(_), Some(_)) => refuse(format!("There are multiple {word} protocols running")),
        }
    }

    /// The protocols of a kind that a command shows one after the other: in BIRD 2 all that run, when none is named.
    async fn some_of(
        &self,
        kind: Kind,
        name: Option<Arc<str>>,
        config: &Config,
    ) -> Result<Result<Vec<Arc<str>>, Refusal>, Gone> {
        let running = match (&name, config.dialect) {
            (None, Dialect::V2) => self.running(kind).await?,
            _ => Vec::new(),
        };
        Ok(match running.len() {
            0 | 1 => self.one_of(kind, name, config).await?.map(|one| vec![one]),
            _ => Ok(running),
        })
    }

    async fn statics(&mut self, name: Option<Arc<str>>, config: &Config, out: &mut Frame) -> Result<(), Gone> {
        let protocols = match self.some_of(Kind::Static, name, config).await? {
            Ok(protocols) => protocols,
            Err(refusal) => {
                out.end(refusal.code, refusal.text);
                return Ok(());
            }
        };
        let mut said = false;
        for protocol in protocols {
            let rows = self.ask(|answer| Request::Static { protocol, answer }).await?;
            if said {
                out.line(code::STATIC, "");
            }
            said |= !rows.is_empty();
            layout::of(config.dialect).statics(&rows, out);
        }
        out.ok();
        Ok(())
    }

    async fn bfd_sessions(&mut self, query: BfdQuery, config: &Arc<Config>, out: &mut Frame) -> Result<(), Gone> {
        let protocols = match self.some_of(Kind::Bfd, query.protocol.clone(), config).await? {
            Ok(protocols) => protocols,
            Err(refusal) => {
                out.end(refusal.code, refusal.text);
                return Ok(());
            }
        };
        for (n, protocol) in protocols.into_iter().enumerate() {
            let asked = Arc::clone(&protocol);
            let mut rows = self.ask(|answer| Request::BfdSessions { protocol: asked, answer }).await?;
            rows.iter_mut().for_each(|rows| rows.retain(|session| query.takes(session)));
            if n > 0 {
                out.line(code::BFD_SESSIONS, "");
            }
            let about = self.about(config);
            let (layout, rows) = (layout::of(config.dialect), rows.as_deref());
            match query.detail {
                true => layout.bfd_details(&protocol, rows, &about.setting(), out),
                false => layout.bfd_sessions(&protocol, rows, &about.setting(), out),
            }
        }
        out.ok();
        Ok(())
    }

    /// The answer to `show route`, as far as the client reads.
    async fn routes(&mut self, query: RouteQuery, config: &Arc<Config>, out: &mut Frame) -> Result<(), Gone> {
        let layout = layout::of(config.dialect);
        let Some(query) = self.told_somewhere(query, config).await? else {
            out.end(code::PARSE_ERROR, "No valid tables");
            return Ok(());
        };
        let query = Arc::new(query);
        let mut about = self.about(config);
        about.ifaces = self.links().await?;
        let authorities = self.authorities(&query).await?;
        if authorities.is_mute(&query) {
            out.end(code::PARSE_ERROR, "No valid tables");
            return Ok(());
        }
        let mut selection = Selection::new(&query, Arc::clone(&authorities.tables));
        let mut tables = TableList::new(layout, &query);
        // Those of authorisations are with us, the others are told; all in the order of the query.
        let mut rest = query.tables.as_slice();
        let (pages, mut items) = mpsc::channel(1);
        self.send(Request::Routes { query: Arc::clone(&query), pages }).await?;
        while let Some(item) = items.recv().await {
            match item {
                RouteItem::Table(name) => {
                    let at = rest.iter().position(|table| *table == name).unwrap_or_default();
                    let (before, behind) = rest.split_at(at);
                    self.authorisations(before, &authorities, &mut selection, &mut tables, &mut about, out).await?;
                    rest = behind.split_first().map_or(behind, |(_, rest)| rest);
                    tables.next(name, &selection, out);
                }
                RouteItem::Nets(page) => {
                    let mut room = Vec::new();
                    for net in page.nets() {
                        if let Some(shown) = selection.net(&net, &about.ifaces, &mut room) {
                            tables.head(out);
                            layout.net(&shown, query.detail, &about.setting(), out);
                        }
                        if out.len() >= PIECE {
                            self.write(out).await?;
                        }
                    }
                }
            }
        }
        self.authorisations(rest, &authorities, &mut selection, &mut tables, &mut about, out).await?;
        tables.close(&selection, out);
        match selection.total() {
            Some(sums) => layout.sums(&sums, tables.count, tables.is_any_headed, out),
            None if selection.is_missing() => out.end(code::NO_NETWORK, layout.no_network()),
            None => out.ok(),
        }
        Ok(())
    }

    /// The query, in BIRD 2 without the tables to which the protocol for which routes are judged is not connected now,
    /// unless they were named; `None`: it is connected to none.
    async fn told_somewhere(&self, mut query: RouteQuery, config: &Config) -> Result<Option<RouteQuery>, Gone> {
        let Some(export) = query.export.as_ref().filter(|e| e.wherever && config.dialect == Dialect::V2) else {
            return Ok(Some(query));
        };
        let rows = self.protocols(Choice::Named(Arc::clone(&export.protocol)), true).await?;
        let channels = || rows.iter().filter_map(|row| row.detail.as_deref()).flat_map(|detail| &detail.channels);
        let has = |c: &ChannelView, table: &Arc<str>| c.table == *table || c.peer_table.as_ref() == Some(table);
        query.tables.retain(|table| channels().any(|c| c.state != "DOWN" && has(c, table)));
        Ok((!query.tables.is_empty()).then_some(query))
    }

    /// The tables of authorisations, and what goes out of those that are asked for.
    async fn authorities(&self, query: &RouteQuery) -> Result<Authorities, Gone> {
        let mut found = Authorities { tables: self.ask(Request::Roas).await?, passages: Vec::new() };
        if let Some(export) = &query.export {
            for name in query.tables.iter().filter(|name| found.has(name)).cloned().collect::<Vec<_>>() {
                let (pipe, table) = (Arc::clone(&export.protocol), Arc::clone(&name));
                let passage = self.ask(|answer| Request::Passage { pipe, table, answer }).await?;
                found.passages.extend(passage.map(|passage| (name, passage)));
            }
        }
        Ok(found)
    }

    /// The tables of authorisations among these (2), as part of an answer to `show route`.
    async fn authorisations(
        &mut self,
        names: &[Arc<str>],
        authorities: &Authorities,
        selection: &mut Selection<'_>,
        tables: &mut TableList<'_>,
        about: &mut About,
        out: &mut Frame,
    ) -> Result<(), Gone> {
        let query = tables.query;
        for name in names.iter().filter(|_| about.config.dialect == Dialect::V2) {
            let passage = authorities.passage(name);
            if let Some(table) = authorities.tables.get(name) {
                tables.next(Arc::clone(name), selection, out);
                let accepted = (!query.filtered).then(|| table.nets(query.nets.roa()));
                let rejected = query.filtered.then(|| table.kept().nets(query.nets.roa()));
                for (roa, lots) in accepted.into_iter().flatten().chain(rejected.into_iter().flatten()) {
                    let is_first = !query.filtered || table.lots_of(roa).is_empty();
                    let net = Authorised::Origin(&roa);
                    if let Some(shown) = selection.authority(net, &lots, is_first, passage, &about.ifaces) {
                        tables.authority(&shown, about, out);
                    }
                    if out.len() >= PIECE {
                        self.write(out).await?;
                    }
                }
            }
            if let Some(table) = authorities.tables.aspas(name) {
                tables.next(Arc::clone(name), selection, out);
                let accepted = (!query.filtered).then(|| table.nets(query.nets.customer()));
                let rejected = query.filtered.then(|| table.kept().nets(query.nets.customer()));
                for (customer, lots) in accepted.into_iter().flatten().chain(rejected.into_iter().flatten()) {
                    let is_first = !query.filtered || table.of(customer).is_empty();
                    let net = Authorised::Customer(customer);
                    if let Some(shown) = selection.authority(net, &lots, is_first, passage, &about.ifaces) {
                        tables.authority(&shown, about, out);
                    }
                    if out.len() >= PIECE {
                        self.write(out).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The links as they are now.
    async fn links(&self) -> Result<Ifaces, Gone> {
        let rows = self.ask(Request::Interfaces).await?;
        Ok(Ifaces::new(rows.into_iter().map(|row| row.iface).collect()))
    }

    async fn write(&mut self, out: &mut Frame) -> Result<(), Gone> {
        match &mut self.file {
            Some(file) => file.put(out.text()).await,
            None => self.socket.write_all(out.text().as_bytes()).await?,
        }
        out.clear();
        Ok(())
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Gone> {
        let (answer, answered) = oneshot::channel();
        self.send(request(answer)).await?;
        Ok(answered.await?)
    }

    async fn send(&self, request: Request) -> Result<(), Gone> {
        self.control.requests.send(request).await.map_err(|_| Gone)
    }

    fn config(&self) -> Arc<Config> {
        Arc::clone(&self.control.config.borrow())
    }

    fn version(&self) -> Arc<str> {
        let release = match self.config().dialect {
            Dialect::V1 => "1.6.8",
            Dialect::V2 => "2.0.12",
        };
        self.control.version.clone().unwrap_or_else(|| release.into())
    }

    fn about(&self, config: &Arc<Config>) -> About {
        About {
            version: self.version(),
            stamps: Stamps::new((self.control.clock)()),
            config: Arc::clone(config),
            time: self.time.clone(),
            ifaces: Ifaces::default(),
        }
    }
}

/// The reply to `eval`. What the expression prints, and its error, go to the log.
fn evaluate(expression: &Expression, env: Env<'_>, out: &mut Frame) {
    let evaluated = expression.run(env);
    for line in &evaluated.printed {
        tracing::info!("{line}");
    }
    match evaluated.value {
        Ok(value) => out.end(code::EVALUATED, value),
        Err(error) => {
            if !error.is_empty() {
                tracing::error!("{error}");
            }
            out.end(code::RUNTIME_ERROR, "runtime error");
        }
    }
}

/// What a reply's text depends on, held for its duration.
struct About {
    version: Arc<str>,
    stamps: Stamps,
    config: Arc<Config>,
    time: Option<TimeFormats>,
    ifaces: Ifaces,
}

impl About {
    fn setting(&self) -> Setting<'_> {
        Setting {
            version: &self.version,
            stamps: &self.stamps,
            time: self.time.as_ref().unwrap_or(&self.config.time),
            family: self.config.family,
            ifaces: &self.ifaces,
            symbols: &self.config.symbols.meanings,
        }
    }
}

/// What a client's task hears.
enum Heard {
    /// A command, without its end.
    Line(Vec<u8>),
    /// A line above [`LINE_MAX`].
    TooLong,
    /// Lines of the log.
    Log,
    /// The client has said all.
    End,
}

/// Lines from a socket, one after the other.
struct Lines {
    socket: OwnedReadHalf,
    read: Vec<u8>,
}

impl Lines {
    const fn new(socket: OwnedReadHalf) -> Self {
        Self { socket, read: Vec::new() }
    }

    /// The next line. May be dropped while it waits: what was read stays.
    async fn next(&mut self) -> Result<Heard, Gone> {
        let mut searched = 0;
        loop {
            let found = self.read.iter().skip(searched).position(|b| *b == b'\n');
            if let Some(at) = found {
                let mut line: Vec<u8> = self.read.drain(..=searched + at).collect();
                line.pop();
                return Ok(if line.len() > LINE_MAX { Heard::TooLong } else { Heard::Line(line) });
            }
            if self.read.len() > LINE_MAX {
                return Ok(Heard::TooLong);
            }
            searched = self.read.len();
            self.read.reserve(4096);
            if self.socket.read_buf(&mut self.read).await? == 0 {
                return Ok(Heard::End);
            }
        }
    }
}

/// Whether a restricted client may do it. BIRD 2 does not let it read files.
fn is_safe(verb: Verb, dialect: Dialect) -> bool {
    verb.is_safe() && !(verb == Verb::ConfigureCheck && dialect == Dialect::V2)
}
