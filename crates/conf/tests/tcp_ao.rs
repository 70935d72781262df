//! `authentication ao` and `keys`, with what BIRD 2.19.2 says of wrong ones.

#![allow(clippy::unwrap_used, reason = "tests")]

use rbird_conf::config::{Authentication, BgpConf, Config, ProtocolKind};
use rbird_conf::files::Memory;
use rbird_conf::plan::diff;
use rbird_conf::{Dialect, LoadOptions, load};
use route::tcp_ao::{Algorithm, Key, Preference};

fn read(text: &str) -> Result<Config, String> {
    let text = format!(
        "define shared = \"of all\"; define octets = hex:0102; \
         template bgp t {{ local as 1; neighbor 192.0.2.2 as 2; ipv4 {{ import all; export all; }}; }}\n{text}"
    );
    let options = LoadOptions { dialect: Some(Dialect::V2), ..LoadOptions::default() };
    match load("c", &Memory::new().with("c", text), &options) {
        Ok(loaded) => Ok(loaded.config),
        Err(refused) => Err(refused.report(false).join("\n").lines().next().unwrap_or_default().to_owned()),
    }
}

fn bgp(text: &str) -> Result<BgpConf, String> {
    let config = read(&format!("protocol bgp b from t {{ {text} }}"))?;
    match &config.protocols[0].kind {
        ProtocolKind::Bgp(conf) => Ok((**conf).clone()),
        _ => panic!("another protocol"),
    }
}

fn keys(text: &str) -> Vec<Key> {
    bgp(&format!("authentication ao; keys {{ {text} }};")).unwrap().ao_keys.to_vec()
}

/// What is said first of a list of keys, without the place.
fn refused(text: &str) -> String {
    refused_whole(&format!("authentication ao; keys {{ {text} }};"))
}

fn refused_whole(text: &str) -> String {
    bgp(text).map(|_| ()).unwrap_err().split_once(' ').unwrap().1.to_owned()
}

#[test]
fn the_example_of_the_manual_is_two_keys() {
    let conf = bgp("authentication ao; keys { key { id 0; secret \"hello321\"; algorithm hmac sha256; preferred; }; \
         key { send id 2; recv id 1; secret \"bye123\"; algorithm cmac aes128; }; };")
    .unwrap();
    assert_eq!(conf.authentication, Some(Authentication::Ao));
    let wanted = [
        Key {
            send_id: 0,
            recv_id: 0,
            secret: b"hello321".as_slice().into(),
            algorithm: Algorithm::HmacSha256,
            preference: Preference::Preferred,
        },
        Key {
            send_id: 2,
            recv_id: 1,
            secret: b"bye123".as_slice().into(),
            algorithm: Algorithm::CmacAes128,
            preference: Preference::Plain,
        },
    ];
    assert_eq!(*conf.ao_keys, wanted);
}

#[test]
fn a_secret_is_text_or_octets_or_a_constant_and_sha1_is_the_default() {
    let of = |secret: &str| keys(&format!("key {{ id (1+1); secret {secret}; deprecated; }};"))[0].clone();
    assert_eq!(*of("\"a\"").secret, *b"a");
    assert_eq!(*of("hex:01:ff").secret, [1, 255]);
    assert_eq!(*of("000102030405060708090a").secret, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(*of("shared").secret, *b"of all");
    assert_eq!(*of("octets").secret, [1, 2]);
    let key = of("\"a\"");
    assert_eq!((key.recv_id, key.algorithm, key.preference), (2, Algorithm::HmacSha1, Preference::Deprecated));
}

#[test]
fn a_list_takes_the_place_of_that_of_the_template_unless_it_is_empty() {
    let of = |own: &str| {
        let text = format!(
            "template bgp signed from t {{ authentication ao; keys {{ key {{ id 1; secret \"a\"; }}; }}; }} \
             protocol bgp b from signed {{ keys {{ {own} }}; }}"
        );
        match &read(&text).unwrap().protocols[0].kind {
            ProtocolKind::Bgp(conf) => conf.ao_keys.iter().map(|k| k.send_id).collect::<Vec<_>>(),
            _ => panic!("another protocol"),
        }
    };
    assert_eq!(of("key { id 9; secret \"a\"; };"), [9]);
    assert_eq!(of(""), [1]);
}

#[test]
fn a_wrong_key_is_refused_in_the_words_of_bird() {
    let key = |body: &str| refused(&format!("key {{ {body} }};"));
    assert_eq!(key("id 256; secret \"a\";"), "Key ID must be in range 0-255");
    assert_eq!(key("send id 256; recv id 1; secret \"a\";"), "Send ID must be in range 0-255");
    assert_eq!(key("send id 1; recv id 256; secret \"a\";"), "Recv ID must be in range 0-255");
    assert_eq!(key("secret \"a\";"), "No key Send ID");
    assert_eq!(key("send id 1; secret \"a\";"), "No key Recv ID");
    assert_eq!(key("send id 1; recv id 2;"), "No secret defined for key 1/2");
    assert_eq!(key("id 1; secret \"\";"), "No secret defined for key 1/1");
    assert_eq!(key(&format!("id 1; secret \"{}\";", "x".repeat(81))), "TCP-AO secret too long");
    assert_eq!(key("id 1; secret \"a\"; algorithm keyed sha256;"), "Unknown algorithm for TCP-AO");
    assert_eq!(key("id 1; secret \"a\"; algorithm blake2s128;"), "Unknown algorithm for TCP-AO");
    assert_eq!(key("id 1; preferred; deprecated;"), "Key cannot be both preferred and deprecated");
    assert_eq!(key("id 1; secret 5;"), "syntax error, unexpected NUM");
    let twice = |a: &str, b: &str| refused(&format!("key {{ {a} secret \"a\"; }}; key {{ {b} secret \"b\"; }};"));
    assert_eq!(twice("id 1;", "send id 1; recv id 2;"), "Multiple keys with Send ID 1");
    assert_eq!(twice("id 1;", "send id 2; recv id 1;"), "Multiple keys with Recv ID 1");
    assert_eq!(keys(&format!("key {{ id 1; secret \"{}\"; }};", "x".repeat(80)))[0].secret.len(), 80);
}

#[test]
fn keys_and_authentication_belong_together() {
    let key = "keys { key { id 1; secret \"a\"; }; };";
    let together = "AO authentication and keys option should be used together";
    assert_eq!(refused_whole("authentication ao;"), together);
    assert_eq!(refused_whole("authentication ao; keys { };"), together);
    assert_eq!(refused_whole(key), together);
    assert_eq!(refused_whole(&format!("authentication none; {key}")), together);
    let with_password = "MD5 authentication and password option should be used together";
    assert_eq!(refused_whole(&format!("authentication ao; {key} password \"p\";")), with_password);
    assert_eq!(refused_whole(&format!("{key} password \"p\";")), with_password);
    let of_a_range = format!(
        "protocol bgp r {{ local as 1; neighbor range 10.0.0.0/8 external; ipv4 {{ import all; export all; }}; \
         authentication ao; {key} }}"
    );
    let said = read(&of_a_range).map(|_| ()).unwrap_err();
    assert!(said.ends_with(" AO authentication not supported on dynamic BGP sessions"), "{said}");
}

#[test]
fn other_keys_are_taken_over_and_another_way_to_sign_begins_the_session_anew() {
    let plan = |old: &str, new: &str| {
        let config = |body: &str| read(&format!("protocol bgp b from t {{ {body} }}")).unwrap();
        diff(&config(old), &config(new)).to_string()
    };
    let ao = |keys: &str| format!("authentication ao; keys {{ {keys} }};");
    let one = "key { id 1; secret \"a\"; };";
    assert_eq!(
        plan(&ao(one), &ao(&format!("{one} key {{ send id 2; recv id 3; secret \"b\"; preferred; }};"))),
        "protocol b: updated in place (keys: { key { id 1; algorithm hmac sha1; }; } -> \
         { key { id 1; algorithm hmac sha1; }; key { send id 2; recv id 3; algorithm hmac sha1; preferred; }; })\n"
    );
    assert_eq!(
        plan(&ao(one), &ao("key { id 1; secret \"b\"; };")),
        "protocol b: updated in place (keys: { key { id 1; algorithm hmac sha1; }; }, changed inside)\n"
    );
    assert!(plan(&ao(one), "").starts_with("protocol b: restarted (authentication: ao -> none; keys: "));
}
