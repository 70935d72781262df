//! What two neighbours are to each other (RFC 9234): who pays whom decides which routes may go on.

/// The part of a speaker in a session with another AS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It gives its neighbour the way to everybody.
    Provider,
    /// It is a route server.
    RsServer,
    /// It is a client of a route server.
    RsClient,
    /// It buys the way to everybody.
    Customer,
    /// Both tell each other of their customers.
    Peer,
}

/// All roles: the number in the capability (RFC 9234 4.1), BIRD's word, and the role of its neighbour (4.2).
static ROLES: &[(Role, u8, &str, Role)] = &[
    (Role::Provider, 0, "provider", Role::Customer),
    (Role::RsServer, 1, "rs_server", Role::RsClient),
    (Role::RsClient, 2, "rs_client", Role::RsServer),
    (Role::Customer, 3, "customer", Role::Provider),
    (Role::Peer, 4, "peer", Role::Peer),
];

impl Role {
    /// The role of a number.
    pub fn from_code(code: u8) -> Option<Self> {
        ROLES.iter().find(|row| row.1 == code).map(|row| row.0)
    }

    /// Its number.
    pub fn code(self) -> u8 {
        ROLES.iter().find(|row| row.0 == self).map_or(u8::MAX, |row| row.1)
    }

    /// BIRD's word.
    pub fn word(self) -> &'static str {
        ROLES.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }

    /// Whether a speaker of this role may have a neighbour of that one.
    pub fn fits(self, neighbor: Self) -> bool {
        ROLES.iter().any(|row| (row.0, row.3) == (self, neighbor))
    }

    /// The neighbour stands above us or beside us: its routes are for customers only, and it is told none that are.
    pub const fn looks_up(self) -> bool {
        matches!(self, Self::Customer | Self::RsClient | Self::Peer)
    }

    /// The neighbour stands below us or beside us: what it is told is for customers only.
    pub const fn looks_down(self) -> bool {
        matches!(self, Self::Provider | Self::RsServer | Self::Peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_has_one_role_on_the_other_side() {
        for (role, code, word, other) in ROLES {
            assert_eq!((Role::from_code(*code), role.code(), role.word()), (Some(*role), *code, *word));
            let fitting: Vec<_> = ROLES.iter().filter(|row| role.fits(row.0)).map(|row| row.0).collect();
            assert_eq!(fitting, [*other]);
            assert!(other.fits(*role) && (role.looks_up() || role.looks_down()));
            assert_eq!(role.looks_up(), other.looks_down());
        }
        assert_eq!(Role::from_code(5), None);
    }
}
