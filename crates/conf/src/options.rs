//! The options of every protocol, as tables.

pub(crate) mod aggregator;
pub(crate) mod bfd;
pub(crate) mod bgp;
pub(crate) mod bmp;
pub(crate) mod common;
pub(crate) mod device;
pub(crate) mod direct;
pub(crate) mod kernel;
pub(crate) mod mrt;
pub(crate) mod pipe;
pub(crate) mod rpki;
pub(crate) mod statics;

/// Runs an expression with the table and the struct of a protocol's own options.
macro_rules! with_own {
    ($kind:expr, $rows:ident, $own:ident => $body:expr) => {
        match $kind {
            ProtocolKind::Device($own) => {
                let $rows = $crate::options::device::OPTIONS;
                $body
            }
            ProtocolKind::Direct($own) => {
                let $rows = $crate::options::direct::OPTIONS;
                $body
            }
            ProtocolKind::Kernel($own) => {
                let $rows = $crate::options::kernel::OPTIONS;
                $body
            }
            ProtocolKind::Static($own) => {
                let $rows = $crate::options::statics::OPTIONS;
                $body
            }
            ProtocolKind::Pipe($own) => {
                let $rows = $crate::options::pipe::OPTIONS;
                $body
            }
            ProtocolKind::Aggregator($own) => {
                let $rows = $crate::options::aggregator::OPTIONS;
                $body
            }
            ProtocolKind::Bgp($own) => {
                let $rows = $crate::options::bgp::OPTIONS;
                $body
            }
            ProtocolKind::Bfd($own) => {
                let $rows = $crate::options::bfd::OPTIONS;
                $body
            }
            ProtocolKind::Bmp($own) => {
                let $rows = $crate::options::bmp::OPTIONS;
                $body
            }
            ProtocolKind::Mrt($own) => {
                let $rows = $crate::options::mrt::OPTIONS;
                $body
            }
            ProtocolKind::Rpki($own) => {
                let $rows = $crate::options::rpki::OPTIONS;
                $body
            }
        }
    };
}
pub(crate) use with_own;
