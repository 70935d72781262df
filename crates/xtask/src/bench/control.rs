//! The daemon's control socket: questions asked every 20 ms, and a whole table read.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a question is asked.
const EVERY: Duration = Duration::from_millis(20);
/// A daemon that is silent this long does not answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A client; the greeting is read.
struct Client {
    lines: BufReader<UnixStream>,
}

impl Client {
    fn connect(path: &Path) -> Result<Self> {
        let stream = UnixStream::connect(path).with_context(|| path.display().to_string())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut client = Self { lines: BufReader::with_capacity(1 << 20, stream) };
        client.answer(|_| ())?;
        Ok(client)
    }

    /// Asks, and gives the last line of the answer.
    fn ask(&mut self, question: &str, line: impl FnMut(&[u8])) -> Result<String> {
        self.lines.get_mut().write_all(format!("{question}\n").as_bytes())?;
        self.answer(line)
    }

    /// Reads up to the last line, which has its code and a space in front.
    fn answer(&mut self, mut each: impl FnMut(&[u8])) -> Result<String> {
        let mut line = Vec::new();
        loop {
            line.clear();
            ensure!(self.lines.read_until(b'\n', &mut line)? > 0, "the daemon closed its control socket");
            let (code, rest) = line.split_at(line.len().min(4));
            if code.iter().all(u8::is_ascii_digit) && rest.first() == Some(&b' ') {
                // "8001 Network not in table" is an answer while the table comes.
                ensure!(code[0] < b'9', "{}", String::from_utf8_lossy(&line));
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            each(&line);
        }
    }
}

/// Asks the same question again and again, on a thread of its own.
pub struct Asker {
    stops: Arc<AtomicBool>,
    waits: JoinHandle<Result<Vec<Duration>>>,
}

impl Asker {
    pub fn start(control: &Path, question: &str) -> Result<Self> {
        let mut client = Client::connect(control)?;
        let (stops, question) = (Arc::new(AtomicBool::new(false)), question.to_owned());
        let stopping = stops.clone();
        let waits = std::thread::spawn(move || {
            let (mut waits, mut due) = (Vec::new(), Instant::now());
            while !stopping.load(Ordering::Acquire) {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                client.ask(&question, |_| ())?;
                // From when it was due: a question held up by the one before has waited, too.
                waits.push(due.elapsed());
                due += EVERY;
            }
            Ok(waits)
        });
        Ok(Self { stops, waits })
    }

    /// How long each answer took.
    pub fn stop(self) -> Result<Vec<Duration>> {
        self.stops.store(true, Ordering::Release);
        self.waits.join().map_err(|_| anyhow::anyhow!("the asker failed"))?
    }
}

/// Has the daemon take on its changed configuration.
pub fn configure(control: &Path) -> Result<()> {
    // "0003 Reconfigured", or "0004 Reconfiguration in progress" when sessions have to end first.
    let said = Client::connect(control)?.ask("configure", |_| ())?;
    ensure!(said.starts_with("0003") || said.starts_with("0004"), "configure: {said}");
    Ok(())
}

/// Reads `show route` to its end; how many networks it has.
pub fn show_route(control: &Path) -> Result<usize> {
    let mut networks = 0;
    Client::connect(control)?.ask("show route", |line| {
        // "1007-10.0.0.0/8 ..." or " 10.0.0.0/8 ...": a further path of the same network has blanks instead.
        let text = if line.first().is_some_and(u8::is_ascii_digit) { line.get(5..) } else { line.get(1..) };
        let first = text.unwrap_or_default().split(|o| o.is_ascii_whitespace()).next().unwrap_or_default();
        networks += usize::from(first.contains(&b'/'));
    })?;
    Ok(networks)
}
