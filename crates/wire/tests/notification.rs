//! NOTIFICATION messages and their words.
//!
//! Lines are what bird 1.6.8 wrote behind `Received: ` (reference/fsm/TABLE-1.6.8.md, and its log when it
//! was sent the others).

mod octets;

use octets::hex;
use rbird_wire::Notification;
use rbird_wire::notification::{CEASE, Numbers, cease};

#[test]
fn each_reason_has_the_words_of_bird() {
    let cases = [
        (1, 2, "0005", "Bad message length: 0005"),
        (2, 2, "", "Bad peer AS"),
        (2, 2, "0000fe4b", "Bad peer AS: 65099"),
        (2, 2, "fdeb", "Bad peer AS: 65003"),
        (2, 2, "000102", "Bad peer AS: 000102"),
        (2, 6, "0001", "Unacceptable hold time: 0001"),
        (2, 8, "", "No supported AFI/SAFI"),
        (2, 99, "", "Unknown error 2.99"),
        (3, 3, "05", "Missing mandatory attribute: 05"),
        (4, 0, "", "Hold timer expired"),
        (5, 3, "", "Unexpected message in Established state"),
        (6, 1, "00010100000064", "Maximum number of prefixes reached: 00010100000064"),
        (6, 8, "", "Out of Resources"),
        (6, 10, "", "Unknown error 6.10"),
        (7, 1, "", "Invalid ROUTE-REFRESH message length"),
        // These two are later than 1.6.8, and have the words of 2.19.
        (8, 0, "", "Send hold timer expired"),
        (2, 11, "", "Role mismatch"),
        (77, 5, "616263", "Unknown error 77.5: 616263"),
    ];
    for (code, subcode, data, line) in cases {
        let notification = Notification::with_data(code, subcode, hex(data));
        assert_eq!(notification.to_string(), line);
        assert_eq!(notification.message(), line.split(": ").next().unwrap());
    }
}

#[test]
fn a_hold_time_is_a_number_in_the_words_of_bird_2() {
    // hold-1 and hold-2 of 2.0.12; the AS is one in both.
    let lines = |subcode, data| {
        let n = Notification::with_data(2, subcode, hex(data));
        [Numbers::OF_1, Numbers::OF_2].map(|numbers| n.line(numbers).to_string())
    };
    assert_eq!(lines(6, "0001"), ["Unacceptable hold time: 0001", "Unacceptable hold time: 1"]);
    assert_eq!(lines(6, "0001ffff"), ["Unacceptable hold time: 0001ffff", "Unacceptable hold time: 131071"]);
    assert_eq!(lines(6, "00"), ["Unacceptable hold time: 00"; 2]);
    assert_eq!(lines(6, ""), ["Unacceptable hold time"; 2]);
    assert_eq!(lines(2, "0000fe4b"), ["Bad peer AS: 65099"; 2]);
}

#[test]
fn of_long_data_sixteen_octets_are_shown() {
    let data: Vec<u8> = (0x20..0x40).collect();
    let line = Notification::with_data(CEASE, cease::CONNECTION_REJECTED, data).to_string();
    assert_eq!(line, "Connection rejected: 202122232425262728292a2b2c2d2e2f");
}

#[test]
fn a_shutdown_communication_is_quoted() {
    let cases = [
        (2, "0b6d61696e74656e616e6365", "Administrative shutdown: \"maintenance\""),
        (4, "057265736574", "Administrative reset: \"reset\""),
        (2, "", "Administrative shutdown"),
        (2, "00", "Administrative shutdown"),
        // control characters, a length octet that says too much, one that says too little
        (2, "05090d0a001f", "Administrative shutdown: \"     \""),
        (2, "2073686f7274", "Administrative shutdown: 2073686f7274"),
        (2, "02616263", "Administrative shutdown: \"ab\""),
        (2, "02c3a4", "Administrative shutdown: \"ä\""),
        (2, "03fffe0a", "Administrative shutdown: \"\u{fffd}\u{fffd} \""),
        // only the two subcodes of RFC 9003 have text
        (3, "056162636465", "Peer de-configured: 056162636465"),
    ];
    for (subcode, data, line) in cases {
        assert_eq!(Notification::with_data(CEASE, subcode, hex(data)).to_string(), line);
    }
}

#[test]
fn a_shutdown_text_is_sent_with_its_length_and_cut_between_characters() {
    // tx-shutdown-texts: 6/2 0c706c616e6e656420776f726b
    let sent = Notification::with_shutdown_text(cease::ADMINISTRATIVE_SHUTDOWN, "planned work");
    assert_eq!(sent.data, hex("0c706c616e6e656420776f726b"));
    assert_eq!(Notification::with_shutdown_text(2, ""), Notification::new(CEASE, 2));
    let long = Notification::with_shutdown_text(2, &"ä".repeat(200));
    assert_eq!((long.data.len(), long.data[0]), (255, 254));
    assert_eq!(long.shutdown_text(), Some("ä".repeat(127)));
}

#[test]
fn what_is_sent_reads_the_same() {
    let sent = Notification::with_data(2, 2, hex("0000fe4b"));
    let mut out = Vec::new();
    sent.encode(&mut out);
    assert_eq!(out, hex("ffffffffffffffffffffffffffffffff 0019 03 02020000fe4b"));
    assert_eq!(Notification::decode(&out[19..]), Ok(sent));
    assert_eq!(Notification::decode(&[6]), Err(Notification::bad_length(20)));
}

#[test]
fn data_are_cut_where_the_message_would_be_too_long() {
    let mut out = Vec::new();
    Notification::with_data(3, 9, vec![0; 60_000]).encode(&mut out);
    assert_eq!(out.len(), 4096);
}
