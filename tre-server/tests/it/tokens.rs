//! Tokens: what is taken, and that nothing else is.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jiff::{Timestamp, ToSpan};
use ring::signature::{Ed25519KeyPair, KeyPair};
use tre_core::ids::TokenId;
use tre_core::permit::Role;
use tre_server::identity::{self, Sign, Wish};

struct Key(Ed25519KeyPair);

impl Key {
    fn new(seed: u8) -> Self {
        Key(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
}

impl Sign for Key {
    fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).as_ref().try_into().unwrap()
    }

    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }
}

const HOME: &str = "tre.example.org/audit";

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn wish(role: Role, project: Option<&str>) -> Wish {
    let project = project.map(|id| id.parse().unwrap());
    Wish {
        user: "alice".parse().unwrap(),
        role,
        project,
        ttl: Duration::from_secs(3600),
    }
}

fn token_id() -> TokenId {
    TokenId::from_random([3; 10])
}

fn good() -> String {
    let caller = identity::shape(wish(Role::Analyst, Some("liver")), token_id(), now()).unwrap();
    identity::sign(&caller, HOME, now(), &Key::new(1)).unwrap()
}

/// A token of our own key with any header and claims.
fn forged(header: &str, claims: &str) -> String {
    let message = format!(
        "{}.{}",
        BASE64URL_NOPAD.encode(header.as_bytes()),
        BASE64URL_NOPAD.encode(claims.as_bytes())
    );
    let signature = BASE64URL_NOPAD.encode(&Key::new(1).sign(message.as_bytes()));
    format!("{message}.{signature}")
}

const HEADER: &str = r#"{"alg":"EdDSA","typ":"JWT"}"#;

fn claims() -> String {
    let (iat, exp) = (now().as_second(), now().as_second() + 600);
    format!(
        r#"{{"aud":"{HOME}","sub":"alice","role":"analyst","project":"liver","jti":"{}","iat":{iat},"exp":{exp}}}"#,
        token_id()
    )
}

#[test]
fn a_token_says_who_as_what_where_and_until_when() {
    let caller = identity::verify(&good(), HOME, now(), &Key::new(1)).unwrap();
    assert_eq!(caller.user.as_str(), "alice");
    assert_eq!(
        (caller.role, caller.project.unwrap().as_str()),
        (Role::Analyst, "liver")
    );
    assert_eq!(caller.token, token_id());
    assert_eq!(caller.expires, now() + 1.hour());
    assert!(identity::verify(&forged(HEADER, &claims()), HOME, now(), &Key::new(1)).is_ok());
}

#[test]
fn tokens_end_to_the_second_and_clocks_may_differ_a_little() {
    let at = |seconds: i64| identity::verify(&good(), HOME, now() + seconds.seconds(), &Key::new(1));
    assert!(at(3599).is_ok());
    assert_eq!(at(3600).unwrap_err().code.id, "TRE-AUTH-003");
    assert!(at(-20).is_ok());
    assert_eq!(at(-60).unwrap_err().code.id, "TRE-AUTH-002");
}

#[test]
fn whatever_else_comes_is_refused() {
    let (good, claims) = (good(), claims());
    let parts: Vec<&str> = good.split('.').collect();
    let body = |from: &str, to: &str| {
        assert!(claims.contains(from), "{from}");
        forged(HEADER, &claims.replace(from, to))
    };
    let mut flipped = good.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let exp = format!("\"exp\":{}", now().as_second() + 600);
    let cases: Vec<(&str, String)> = vec![
        ("nothing", String::new()),
        ("a word", "alice".into()),
        ("dots", "..".into()),
        ("many dots", format!("{good}.{good}")),
        ("a padded signature", format!("{good}==")),
        ("a space before", format!(" {good}")),
        ("a new line after", format!("{good}\n")),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("half a signature", good[..good.len() - 40].to_owned()),
        ("an altered byte", String::from_utf8(flipped).unwrap()),
        ("another body under the same signature", {
            let other = BASE64URL_NOPAD.encode(claims.replace("alice", "mallory").as_bytes());
            format!("{}.{other}.{}", parts[0], parts[2])
        }),
        (
            "algorithm none",
            format!(
                "{}.{}.",
                BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#),
                parts[1]
            ),
        ),
        (
            "algorithm HS256",
            forged(r#"{"alg":"HS256","typ":"JWT"}"#, &claims),
        ),
        (
            "algorithm RS256",
            forged(r#"{"alg":"RS256","typ":"JWT"}"#, &claims),
        ),
        (
            "a key of the attacker's in the header",
            forged(r#"{"alg":"EdDSA","typ":"JWT","jku":"https://evil"}"#, &claims),
        ),
        (
            "a header in another order",
            forged(r#"{"typ":"JWT","alg":"EdDSA"}"#, &claims),
        ),
        ("no JSON", forged(HEADER, "alice")),
        ("an empty object", forged(HEADER, "{}")),
        ("another audience", body(HOME, "other.example.org/audit")),
        ("a list of audiences", body(&format!("\"{HOME}\""), "[\"other\"]")),
        ("no audience", body(&format!("\"aud\":\"{HOME}\","), "")),
        ("no end", body(&format!(",{exp}"), "")),
        ("an end as text", body(&exp, "\"exp\":\"2099-01-01\"")),
        (
            "an end beyond all calendars",
            body(&exp, "\"exp\":9223372036854775807"),
        ),
        ("an unknown role", body("\"analyst\"", "\"root\"")),
        ("a role in capitals", body("\"analyst\"", "\"Analyst\"")),
        ("an analyst of no project", body("\"project\":\"liver\",", "")),
        ("a project that is a path", body("\"liver\"", "\"../vault\"")),
        ("a user with a quote", body("\"alice\"", "\"al\\\"ice\"")),
        ("an empty user", body("\"alice\"", "\"\"")),
        ("another kind of id", body("tok_", "ses_")),
        ("an unknown claim", body("\"sub\"", "\"admin\":true,\"sub\"")),
        (
            "a claim twice",
            body(
                "\"role\":\"analyst\"",
                "\"role\":\"analyst\",\"role\":\"operator\"",
            ),
        ),
        (
            "a megabyte",
            forged(HEADER, &claims.replace("alice", &"a".repeat(1 << 20))),
        ),
        ("bytes that are no text", "\u{fffd}\u{0}\u{1}".into()),
    ];
    assert!(cases.len() >= 20);
    for (name, token) in cases {
        let problem = identity::verify(&token, HOME, now(), &Key::new(1)).expect_err(name);
        assert_eq!(problem.code.id, "TRE-AUTH-002", "{name}");
        assert!(
            !problem.what.contains("alice"),
            "{name}: the text repeats the token"
        );
    }
    assert_eq!(
        identity::verify(&good, HOME, now(), &Key::new(2))
            .unwrap_err()
            .code
            .id,
        "TRE-AUTH-002"
    );
}

#[test]
fn tokens_that_would_mean_nothing_are_not_issued() {
    let shape = |role, project, seconds| {
        let wish = Wish {
            ttl: Duration::from_secs(seconds),
            ..wish(role, project)
        };
        identity::shape(wish, token_id(), now()).map_err(|problem| problem.code.id)
    };
    assert_eq!(shape(Role::Analyst, None, 3600), Err("TRE-AUTH-007"));
    assert_eq!(shape(Role::Checker, None, 3600), Err("TRE-AUTH-007"));
    assert_eq!(shape(Role::Operator, None, 1), Err("TRE-AUTH-007"));
    assert_eq!(shape(Role::Operator, None, 86_400 * 31), Err("TRE-AUTH-007"));
    assert!(shape(Role::Operator, None, 86_400 * 30).is_ok());
    assert!(shape(Role::Auditor, Some("liver"), 3600).is_ok());
}
