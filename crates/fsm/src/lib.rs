//! RFC 4271 section 8 as a value: events in, actions out, never a socket or clock.
