//! The reply codes: 0 success, 1 data, 2 table headers, 8 run-time errors, 9 parse errors.

#![expect(missing_docs, reason = "each constant is the code of its name")]

pub const OK: u16 = 0;
pub const WELCOME: u16 = 1;
pub const READING: u16 = 2;
pub const RECONFIGURED: u16 = 3;
pub const RECONFIGURING: u16 = 4;
pub const RECONFIGURE_QUEUED: u16 = 5;
pub const RECONFIGURE_IGNORED: u16 = 6;
pub const SHUTDOWN: u16 = 7;
pub const ALREADY_DISABLED: u16 = 8;
pub const DISABLED: u16 = 9;
pub const ALREADY_ENABLED: u16 = 10;
pub const ENABLED: u16 = 11;
pub const RESTARTED: u16 = 12;
pub const STATUS: u16 = 13;
pub const ROUTE_COUNT: u16 = 14;
pub const RELOADING: u16 = 15;
pub const RESTRICTED: u16 = 16;
pub const RECONFIGURE_UNQUEUED: u16 = 17;
pub const CONFIRMED: u16 = 18;
pub const NOTHING_TO_DO: u16 = 19;
pub const CONFIGURATION_OK: u16 = 20;
pub const UNDO_REQUESTED: u16 = 21;
pub const UNDO_SCHEDULED: u16 = 22;
pub const EVALUATED: u16 = 23;
pub const RECOVERY: u16 = 24;
pub const RESTART_REQUESTED: u16 = 25;

pub const VERSION: u16 = 1000;
pub const INTERFACE: u16 = 1001;
pub const PROTOCOL: u16 = 1002;
pub const INTERFACE_ADDRESS: u16 = 1003;
pub const INTERFACE_FLAGS: u16 = 1004;
pub const INTERFACE_SUMMARY: u16 = 1005;
pub const PROTOCOL_DETAIL: u16 = 1006;
pub const ROUTE: u16 = 1007;
pub const ROUTE_TYPE: u16 = 1008;
pub const STATIC: u16 = 1009;
pub const SYMBOL: u16 = 1010;
pub const STATUS_DETAIL: u16 = 1011;
pub const ROUTE_ATTRIBUTE: u16 = 1012;
pub const MEMORY: u16 = 1018;
pub const ROA: u16 = 1019;
pub const BFD_SESSIONS: u16 = 1020;
pub const THREADS: u16 = 1027;

pub const PROTOCOL_HEADER: u16 = 2002;
pub const INTERFACE_HEADER: u16 = 2005;

pub const NO_NETWORK: u16 = 8001;
pub const CONFIGURATION_ERROR: u16 = 8002;
pub const NO_MATCH: u16 = 8003;
pub const RELOAD_FAILED: u16 = 8006;
pub const DENIED: u16 = 8007;
pub const RUNTIME_ERROR: u16 = 8008;
pub const DUMP_FAILED: u16 = 8009;

pub const TOO_LONG: u16 = 9000;
pub const PARSE_ERROR: u16 = 9001;
pub const NOT_A_PROTOCOL: u16 = 9002;
