//! Tokens that this deployment did not sign, or not so.

use data_encoding::BASE64URL_NOPAD;
use tre_tests::home::Home;

use super::{Case, Input, Scene};

pub(super) fn cases(scene: &Scene) -> Vec<Case> {
    let case = |code, name: &str, token: &str| {
        Case::new(code, format!("token: {name}"), Input::Token(token.to_owned()))
    };
    let words = |code, name: &str, words: &[&'static str]| {
        Case::new(code, format!("token: {name}"), Input::Words(words.to_vec()))
    };
    let parts: Vec<&str> = scene.token.text.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        panic!("a token of {} parts", parts.len())
    };
    let said = String::from_utf8(BASE64URL_NOPAD.decode(claims.as_bytes()).expect("claims"))
        .expect("claims are JSON");
    let saying = |from: &str, to: &str| {
        assert!(said.contains(from), "the claims do not say {from}: {said}");
        format!(
            "{header}.{}.{signature}",
            BASE64URL_NOPAD.encode(said.replacen(from, to, 1).as_bytes())
        )
    };
    let unsigned = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
    let symmetric = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let mut flipped = BASE64URL_NOPAD.decode(signature.as_bytes()).expect("a signature");
    flipped[0] ^= 1;
    let another = Home::empty()
        .expect("another home")
        .token("alice", "operator", None)
        .expect("its token")
        .text;
    let revoked = scene
        .home
        .token("alice", "analyst", Some("liver-outcomes"))
        .expect("a token");
    scene
        .home
        .tre(&["token", "revoke", &revoked.id])
        .and_then(tre_tests::program::Run::ok)
        .expect("revoked");
    vec![
        case("TRE-CLI-003", "empty", "").entries(&[]),
        case("TRE-CLI-003", "two words", "a b").entries(&[]),
        case("TRE-CLI-003", "not ASCII", "ä").entries(&[]),
        case("TRE-AUTH-002", "one word", "token"),
        case("TRE-AUTH-002", "three words that are nothing", "a.b.c"),
        case("TRE-AUTH-002", "very long", &"x".repeat(4000)),
        case(
            "TRE-AUTH-002",
            "without its signature",
            &format!("{header}.{claims}."),
        ),
        case(
            "TRE-AUTH-002",
            "a flipped bit in the signature",
            &format!("{header}.{claims}.{}", BASE64URL_NOPAD.encode(&flipped)),
        ),
        case(
            "TRE-AUTH-002",
            "the algorithm none",
            &format!("{unsigned}.{claims}."),
        ),
        case(
            "TRE-AUTH-002",
            "another algorithm",
            &format!("{symmetric}.{claims}.{signature}"),
        ),
        case(
            "TRE-AUTH-002",
            "another role",
            &saying("\"analyst\"", "\"operator\""),
        ),
        case("TRE-AUTH-002", "another user", &saying("\"alice\"", "\"olga\"")),
        case(
            "TRE-AUTH-002",
            "another project",
            &saying("liver-outcomes", "another"),
        ),
        case("TRE-AUTH-002", "of another deployment", &another),
        case("TRE-AUTH-004", "revoked", &revoked.text),
        words(
            "TRE-AUTH-007",
            "for a second",
            &[
                "token", "issue", "--user", "olga", "--role", "operator", "--ttl", "1s",
            ],
        ),
        words(
            "TRE-AUTH-007",
            "for a year",
            &[
                "token", "issue", "--user", "olga", "--role", "operator", "--ttl", "8760h",
            ],
        ),
        words(
            "TRE-PRJ-013",
            "for a project that does not exist",
            &[
                "token",
                "issue",
                "--user",
                "al",
                "--role",
                "analyst",
                "--project",
                "nowhere",
            ],
        ),
        words(
            "TRE-AUTH-007",
            "for somebody whom the permit does not name",
            &[
                "token",
                "issue",
                "--user",
                "mallory",
                "--role",
                "analyst",
                "--project",
                "liver-outcomes",
            ],
        ),
    ]
}
