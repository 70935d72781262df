//! What is checked of the secrets of a session, in BIRD's words: each way to sign has its own, and no other.

use super::bgp::{BgpFacts, Check};
use crate::config::Authentication;

impl BgpFacts<'_> {
    pub(super) fn authentication(&self) -> [Check; 3] {
        let c = self.conf;
        let (has_password, has_keys) = (c.password.is_some(), !c.ao_keys.is_empty());
        let is_ao = c.authentication == Some(Authentication::Ao);
        let is_md5 = match c.authentication {
            Some(Authentication::Md5) => true,
            Some(Authentication::Ao) => false,
            // A password alone means MD5.
            Some(Authentication::None) | None => has_password && !has_keys,
        };
        [
            (
                is_md5 != has_password,
                "MD5 authentication and password option should be used together",
                &[&["authentication"], &["password"]],
                if has_password { "the secrets of TCP-AO stand in `keys`" } else { "add `password \"TEXT\";`" },
            ),
            (
                is_ao != has_keys,
                "AO authentication and keys option should be used together",
                &[&["authentication"], &["keys"]],
                match has_keys {
                    true => "add `authentication ao;`",
                    false => "add `keys { key { id NUMBER; secret \"TEXT\"; }; };`",
                },
            ),
            (
                is_ao && c.range.is_some(),
                "AO authentication not supported on dynamic BGP sessions",
                &[&["authentication"], &["neighbor", "range"]],
                "use `authentication md5` with `password`",
            ),
        ]
    }
}
