//! The life of the daemon, from the first thread to the last.

use crate::args::Args;
use crate::background::PidFile;
use crate::doors::Doors;
use crate::logging::{Heading, Log, Setup, Stamp};
use crate::settings::Settings;
use crate::supervisor::{Current, Order, Parts, Reader, Supervisor};
use crate::systemd;
use crate::translate;
use crate::world::World;
use conf::config::{Config, TimeFormat};
use conf::load::Loaded;
use control::socket::Bound;
use control::time::{Now, Stamps};
use netlink::Monitor;
use session::clock::Clock;
use session::peer::Recovery;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

/// How many questions of the control socket may wait.
const REQUESTS_MAX: usize = 64;

/// Runs the daemon to its end, and cleans up behind it; failure when it could not begin.
pub fn daemon(
    args: &Args,
    settings: &Settings,
    reader: Reader,
    loaded: Loaded,
    socket: Bound,
    pid_file: Option<PidFile>,
) -> ExitCode {
    let setup = Setup {
        name: args.name.into(),
        debug: args.debug,
        debug_file: args.debug_file.clone(),
        format: settings.log.format,
    };
    let log = Log::start(setup);
    log.direct(&loaded.config.logs, &heading(&loaded.config));
    for warning in conf::lint::surely_wrong(&loaded.config) {
        tracing::warn!("{}", conf::lint::line(&warning, &loaded.config.files));
    }
    let file = socket.file();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.threads.sessions(loaded.config.threads))
        .thread_name("session")
        .enable_all()
        .build();
    // Clients are answered on a thread where no session runs: no neighbour can make them wait.
    let face =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("control").enable_all().build();
    let both = runtime.and_then(|runtime| Ok((runtime, face?)));
    let outcome = both.map_err(|error| format!("no threads: {error}")).and_then(|(runtime, face)| {
        let served = runtime.block_on(serve(args, settings, reader, loaded, socket, &log, face.handle()));
        face.shutdown_background();
        runtime.shutdown_background();
        served
    });
    file.remove();
    match &outcome {
        Ok(()) => tracing::error!(target: "fatal", "Shutdown completed"),
        Err(error) => tracing::error!(target: "fatal", "{error}"),
    }
    if let Some(file) = pid_file {
        file.remove();
    }
    log.end();
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn serve(
    args: &Args,
    settings: &Settings,
    reader: Reader,
    loaded: Loaded,
    socket: Bound,
    log: &Log,
    face: &Handle,
) -> Result<(), String> {
    let config = Arc::new(loaded.config);
    let monitor = Monitor::start(translate::iface_rules(&config), None).await.map_err(|e| format!("netlink: {e}"))?;
    let recovery = if args.recovery { Recovery::restarting() } else { Recovery::none() };
    let world = World::start(settings, monitor, recovery.clone());
    let deps = world.deps.clone();
    let (published, running) = watch::channel(Arc::clone(&config));
    let (orders, inbox) = mpsc::unbounded_channel();
    let (requests, questions) = mpsc::channel(REQUESTS_MAX);

    let wait = config.graceful_restart_wait;
    let path: Arc<str> = args.config.to_string_lossy().into();
    let current = Current { config, path, read: deps.clock.now() };
    tracing::info!("Started");
    let supervisor =
        Supervisor::start(Parts { world, reader, current, published, orders: orders.clone(), face: face.clone() })?;
    tokio::spawn(recovery.begin(wait));
    hear_signals(&orders)?;

    let clock = deps.clock;
    let door = control::Control {
        config: running.clone(),
        requests: requests.clone(),
        clock: Arc::new(move || now(clock)),
        version: settings.version.clone().map(Into::into),
    };
    let doors = Doors::new(&socket, door.clone(), face.clone());
    let echo = {
        let _there = face.enter();
        control::serve(socket, door)
    };
    let lines = echo.clone();
    log.echo_to(Arc::new(move |class, text| lines.line(class, text)));
    systemd::ready();
    if settings.watchdog.systemd {
        tokio::spawn(systemd::watchdog(requests, deps));
    }
    let follow = follow_log(log, running.clone());
    tokio::select! {
        () = supervisor.run(questions, inbox) => {}
        () = follow => {}
        () = doors.follow(running, echo) => {}
    }
    systemd::stopping();
    Ok(())
}

/// Lines go where the running configuration says.
async fn follow_log(log: &Log, mut running: watch::Receiver<Arc<Config>>) {
    while running.changed().await.is_ok() {
        let config = Arc::clone(&running.borrow_and_update());
        log.direct(&config.logs, &heading(&config));
    }
    // The supervisor is gone; let it decide when all is over.
    std::future::pending::<()>().await;
}

/// Both clocks, read together.
fn now(clock: Clock) -> Now {
    let unix_ms = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
    Now { moment: clock.now(), unix_ms }
}

/// What stands in front of log lines.
fn heading(config: &Config) -> Heading {
    let machine = || nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).map(Into::into);
    Heading {
        stamp: stamp(&config.time.log),
        datagram_stamp: stamp(&TimeFormat::plain("%b %d %T.%6f")),
        hostname: config.hostname.clone().or_else(machine).unwrap_or_else(|| "<none>".into()),
    }
}

/// Times in front of log lines, by a format.
fn stamp(format: &TimeFormat) -> Stamp {
    let (format, clock) = (format.clone(), Clock::new());
    Arc::new(move |at| {
        let mut now = now(clock);
        now.unix_ms = at
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(now.unix_ms, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        Stamps::new(now).text(now.moment, &format)
    })
}

fn hear_signals(orders: &mpsc::UnboundedSender<Order>) -> Result<(), String> {
    let kinds: [(SignalKind, fn() -> Order); 4] = [
        (SignalKind::hangup(), || Order::Reload),
        (SignalKind::terminate(), || Order::Stop),
        (SignalKind::interrupt(), || Order::Stop),
        (SignalKind::user_defined1(), || Order::Dump),
    ];
    for (kind, order) in kinds {
        let mut heard = signal(kind).map_err(|e| format!("signal: {e}"))?;
        let orders = orders.clone();
        tokio::spawn(async move {
            while heard.recv().await.is_some() {
                if orders.send(order()).is_err() {
                    return;
                }
            }
        });
    }
    Ok(())
}
