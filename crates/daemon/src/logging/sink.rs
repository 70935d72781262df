//! Where lines go: standard error, files that may be rotated or go round, the local syslog daemon, one behind UDP.
//!
//! Only the thread of the log writes here. The name of a machine is looked up on
//! a thread of its own, since that can take long; until it is known, lines for
//! that machine are let go.

use super::{Heading, Line, Stamp};
use crate::background::reason;
use conf::config::{LogClass, LogDestination, Rotation, UdpHost};
use std::fs::File;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::unix::fs::FileExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A destination, and the bits of the classes that go there.
pub(super) struct Destination {
    pub(super) sink: Sink,
    pub(super) classes: u16,
}

/// An open destination.
pub(super) enum Sink {
    /// The terminal of `-d`: `bird: ` in front and no time.
    Terminal,
    Stderr,
    File(LogFile),
    Circle(Circle),
    Syslog(Syslog),
    Udp(Remote),
}

impl Sink {
    /// Opens what a `log` statement says; what cannot be opened is said in the log.
    pub(super) fn open(to: &LogDestination, name: &str, heading: &Heading) -> Option<Self> {
        match to {
            LogDestination::Stderr => Some(Self::Stderr),
            LogDestination::Syslog(own) => Self::syslog(own.as_deref().unwrap_or(name)),
            LogDestination::File(path, rotation) => Self::file(Path::new(&**path), rotation.clone()),
            LogDestination::Circle(path, octets) => {
                opened(Path::new(&**path), Circle::open(path, *octets)).map(Self::Circle)
            }
            LogDestination::Udp(host, port) => Some(Self::Udp(Remote::new(host, *port, name, heading))),
        }
    }

    pub(super) fn file(path: &Path, rotation: Option<Rotation>) -> Option<Self> {
        opened(path, LogFile::open(path.to_owned(), rotation)).map(Self::File)
    }

    /// Without a syslog daemon there is nobody to tell.
    pub(super) fn syslog(name: &str) -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.connect("/dev/log").ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(Self::Syslog(Syslog { socket, name: name.into() }))
    }
}

/// What was opened; what could not be is said.
fn opened<T>(path: &Path, file: io::Result<T>) -> Option<T> {
    file.inspect_err(|error| tracing::error!("Unable to open log file '{}': {}", path.display(), reason(error))).ok()
}

/// A file of a fixed size: behind the end lines go on at the beginning, over the oldest.
///
/// It begins at its beginning when the daemon starts, and keeps what stands further on until that is reached, as
/// with BIRD; a reload changes nothing.
pub(super) struct Circle {
    path: Arc<str>,
    file: File,
    octets: u64,
    /// Where the next line begins.
    at: u64,
}

impl Circle {
    fn open(path: &Arc<str>, octets: u32) -> io::Result<Self> {
        let file = File::options().write(true).create(true).truncate(false).open(&**path)?;
        file.set_len(octets.into())?;
        Ok(Self { path: Arc::clone(path), file, octets: octets.into(), at: 0 })
    }

    /// Takes the place of the one before, if it is the same file.
    pub(super) fn go_on(&mut self, before: &Self) {
        if (&self.path, self.octets) == (&before.path, before.octets) {
            self.at = before.at;
        }
    }

    /// Writes a line over what is there.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        while !rest.is_empty() {
            let room = usize::try_from(self.octets - self.at).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.file.write_all_at(now, self.at)?;
            self.at = (self.at + now.len() as u64) % self.octets;
            rest = later;
        }
        Ok(())
    }
}

/// A file that lines are appended to.
pub(super) struct LogFile {
    path: PathBuf,
    /// `None`: it could not be opened anew after it was full.
    file: Option<File>,
    rotation: Option<Rotation>,
    /// How much is in it; counted for rotation only.
    octets: u64,
}

impl LogFile {
    fn open(path: PathBuf, rotation: Option<Rotation>) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(&path)?;
        let octets = file.metadata().map_or(0, |found| if found.is_file() { found.len() } else { 0 });
        Ok(Self { path, file: Some(file), rotation, octets })
    }

    /// Writes a line: into a new file when it would be too much for this one.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let added = line.len() as u64;
        let full = self.rotation.as_ref().filter(|rotation| self.octets + added > u64::from(rotation.limit));
        if let Some(rotation) = full.cloned() {
            self.rotate(rotation)?;
        }
        self.octets += added;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(line))
    }

    /// A full file that can not be given its other name is removed: what counts is that the disk does not fill.
    fn rotate(&mut self, rotation: Rotation) -> io::Result<()> {
        self.file = None;
        if std::fs::rename(&self.path, &*rotation.backup).is_err() {
            std::fs::remove_file(&self.path)?;
        }
        *self = Self::open(std::mem::take(&mut self.path), Some(rotation))?;
        Ok(())
    }
}

/// The syslog severity of a class, as in BIRD.
const fn severity(class: LogClass) -> u8 {
    match class {
        LogClass::Debug | LogClass::Trace => 7,
        LogClass::Info => 6,
        LogClass::Warning => 4,
        LogClass::Remote | LogClass::Error | LogClass::Auth => 3,
        LogClass::Fatal | LogClass::Bug => 2,
    }
}

/// The number in front of a message of a daemon (RFC 3164 4.1.1).
const fn priority(class: LogClass) -> u8 {
    const DAEMON: u8 = 3;
    DAEMON * 8 + severity(class)
}

/// The local syslog daemon.
pub(super) struct Syslog {
    socket: UnixDatagram,
    name: String,
}

impl Syslog {
    /// RFC 3164 as local syslog daemons take it: they put the time in themselves.
    pub(super) fn send(&self, line: &Line) -> io::Result<()> {
        let datagram = format!("<{}>{}[{}]: {}", priority(line.class), self.name, std::process::id(), line.text);
        self.socket.send(datagram.as_bytes()).map(|_| ())
    }
}

/// A machine that takes lines by UDP.
pub(super) struct Remote {
    place: Arc<OnceLock<SocketAddr>>,
    socket: Option<UdpSocket>,
    stamp: Stamp,
    hostname: Arc<str>,
    name: String,
}

impl Remote {
    fn new(host: &UdpHost, port: u16, name: &str, heading: &Heading) -> Self {
        let place = Arc::<OnceLock<SocketAddr>>::default();
        match host {
            UdpHost::Address(address) => drop(place.set(SocketAddr::new(*address, port))),
            UdpHost::Name(host) => look_up(Arc::clone(host), port, Arc::clone(&place)),
        }
        let (stamp, hostname) = (Arc::clone(&heading.datagram_stamp), Arc::clone(&heading.hostname));
        Self { place, socket: None, stamp, hostname, name: name.to_owned() }
    }

    /// The form of RFC 3164 with a finer time, a line in a datagram with its end, as BIRD sends it.
    pub(super) fn send(&mut self, line: &Line) -> io::Result<()> {
        let Some(place) = self.place.get() else { return Ok(()) };
        let head = format!("<{}>{} {} {}: ", priority(line.class), (self.stamp)(line.at), self.hostname, self.name);
        let socket = match &self.socket {
            Some(socket) => socket,
            None => self.socket.insert(connect(*place)?),
        };
        socket.send(format!("{head}{}\n", line.text).as_bytes()).map(|_| ())
    }
}

/// A socket that never waits.
fn connect(place: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = match place {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect(place)?;
    Ok(socket)
}

fn look_up(host: Arc<str>, port: u16, place: Arc<OnceLock<SocketAddr>>) {
    let search = move || match (&*host, port).to_socket_addrs().map(|mut found| found.next()) {
        Ok(Some(found)) => drop(place.set(found)),
        Ok(None) => tracing::warn!("Cannot resolve hostname '{host}'"),
        Err(error) => tracing::warn!("Cannot resolve hostname '{host}': {}", reason(&error)),
    };
    if let Err(error) = std::thread::Builder::new().name("log host".into()).spawn(search) {
        tracing::warn!("Cannot resolve the name of a log host: {}", reason(&error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn heading() -> Heading {
        let stamp: Stamp = Arc::new(|_| "Nov 23 02:12:52.123000".to_owned());
        Heading { stamp: Arc::clone(&stamp), datagram_stamp: stamp, hostname: "r1".into() }
    }

    #[test]
    fn a_file_that_would_become_too_large_is_given_its_other_name() {
        let folder = std::env::temp_dir().join(format!("rbird-log-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (path, backup) = (folder.join("log"), folder.join("log.old"));
        std::fs::write(&path, "12345\n").unwrap();
        let rotation = Rotation { limit: 12, backup: backup.to_str().unwrap().into() };
        let mut file = LogFile::open(path.clone(), Some(rotation)).unwrap();
        let read = |path: &PathBuf| std::fs::read_to_string(path).unwrap();
        file.write(b"67890\n").unwrap();
        assert!(!backup.exists(), "full, and not too full");
        file.write(b"a\n").unwrap();
        assert_eq!((read(&path).as_str(), read(&backup).as_str()), ("a\n", "12345\n67890\n"));
        file.write(b"bcdefghijk\n").unwrap();
        assert_eq!((read(&path).as_str(), read(&backup).as_str()), ("bcdefghijk\n", "a\n"));
        // Where there is no place for the other name, the disk is kept from filling all the same.
        std::fs::remove_file(&backup).unwrap();
        std::fs::create_dir(&backup).unwrap();
        file.write(b"bc\n").unwrap();
        assert_eq!(read(&path), "bc\n");
        let _ = std::fs::remove_dir_all(&folder);
    }

    #[test]
    fn a_file_of_a_fixed_size_is_written_round_and_round() {
        let folder = std::env::temp_dir().join(format!("rbird-circle-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path: Arc<str> = folder.join("log").to_str().unwrap().into();
        let read = || std::fs::read_to_string(&*path).unwrap();
        std::fs::write(&*path, "from another time").unwrap();
        let mut circle = Circle::open(&path, 10).unwrap();
        circle.write(b"12345\n").unwrap();
        assert_eq!(read(), "12345\nnoth");
        circle.write(b"67890\n").unwrap();
        assert_eq!(read(), "0\n345\n6789");
        let mut again = Circle::open(&path, 10).unwrap();
        again.go_on(&circle);
        again.write(b"a\n").unwrap();
        assert_eq!(read(), "0\na\n5\n6789");
        again.write(b"a line of more than 10\n").unwrap();
        assert_eq!(read().len(), 10);
        assert!(read().contains("n 10\n"), "its end is what stays: {:?}", read());
        let mut other = Circle::open(&path, 12).unwrap();
        other.go_on(&again);
        assert_eq!(other.at, 0, "another size begins anew");
        let _ = std::fs::remove_dir_all(&folder);
    }

    #[test]
    fn a_line_to_another_machine_has_the_form_of_rfc_3164() {
        let ear = UdpSocket::bind("127.0.0.1:0").unwrap();
        ear.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let host = UdpHost::Address(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let mut remote = Remote::new(&host, ear.local_addr().unwrap().port(), "bird", &heading());
        for (class, number) in [(LogClass::Info, 30), (LogClass::Remote, 27), (LogClass::Trace, 31)] {
            remote.send(&Line { class, text: "p1: Up".to_owned(), at: SystemTime::UNIX_EPOCH }).unwrap();
            let mut octets = [0; 100];
            let length = ear.recv(&mut octets).unwrap();
            let said = String::from_utf8_lossy(&octets[..length]).into_owned();
            assert_eq!(said, format!("<{number}>Nov 23 02:12:52.123000 r1 bird: p1: Up\n"));
        }
    }
}
