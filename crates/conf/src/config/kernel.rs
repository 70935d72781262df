//! `protocol kernel`: a table and a table of the kernel.

use super::Dialect;
use std::time::Duration;

/// Which foreign routes of the kernel are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learn {
    /// None.
    Off,
    /// Those that other programs made (`learn`).
    Alien,
    /// Also those that the kernel made itself (`learn all`).
    All,
}

/// `protocol kernel`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelConf {
    /// `kernel table`; 254 is main.
    pub table: u32,
    /// `metric`; `None`: no metric is given and none is compared (1.6's default). 2's default is 32.
    pub metric: Option<u32>,
    /// `learn`.
    pub learn: Learn,
    /// `persist`.
    pub persist: bool,
    /// `scan time`.
    pub scan_time: Duration,
    /// `device routes`: connected networks are installed too.
    pub device_routes: bool,
    /// `netlink rx buffer`: octets of what other programs do to the kernel's routes that may wait to be read. It is the
    /// kernel that bounds it, unless we have CAP_NET_ADMIN.
    pub rx_buffer: u32,
    /// `graceful restart`.
    pub graceful_restart: bool,
    /// `merge paths`: the largest number of next hops.
    pub merge_paths: Option<u32>,
    /// All routes of `proto bird` in the table are ours, whatever their metric (1.6). In 2, where `metric` is not 0,
    /// only those with it are: the others stay.
    pub owns_all_metrics: bool,
    /// `krt_scope` of a learned route is left out where it is the usual one of the route's kind (1.6); in 2 where it is
    /// `universe`.
    pub omits_usual_scope: bool,
    /// The last RTAX_* metric of a learned route that is told: what came with later kernels is of 2 alone.
    pub last_metric: u16,
}

/// RTAX_QUICKACK, RTAX_FASTOPEN_NO_COOKIE.
const LAST_METRICS: [u16; 2] = [15, 17];

impl KernelConf {
    /// The defaults of a dialect.
    pub fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::V1 => Self::default(),
            Dialect::V2 => Self {
                metric: Some(32),
                device_routes: true,
                owns_all_metrics: false,
                omits_usual_scope: false,
                last_metric: LAST_METRICS[1],
                ..Self::default()
            },
        }
    }
}

impl Default for KernelConf {
    fn default() -> Self {
        Self {
            table: 254,
            metric: None,
            rx_buffer: 8 << 20,
            learn: Learn::Off,
            persist: false,
            scan_time: Duration::from_secs(60),
            device_routes: false,
            graceful_restart: false,
            merge_paths: None,
            owns_all_metrics: true,
            omits_usual_scope: true,
            last_metric: LAST_METRICS[0],
        }
    }
}
