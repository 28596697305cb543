//! The clinic with a server: what the stories of requests and projects begin with.

use std::fs;

use anyhow::Result;
use serde_json::Value;
use tre_tests::home::Home;
use tre_tests::person::Person;
use tre_tests::scenes::{Permit, ingest_clinic, policy_like};
use tre_tests::server::Server;

pub(crate) const PROJECT: &str = "liver-outcomes";
pub(crate) const PASSES: &str =
    "SELECT age, count(*) AS n, sum(cost) AS cost FROM visit GROUP BY age ORDER BY age";
/// `B18` has nine persons; ten are needed.
pub(crate) const IN_PART: &str =
    "SELECT sex, count(distinct pid) AS people FROM visit WHERE icd = 'B18' GROUP BY sex ORDER BY sex";
pub(crate) const REFUSED: &str = "SELECT pid, age FROM visit";

/// A home with the clinic and its server.
pub(crate) fn clinic() -> Result<(Home, Server, Person)> {
    let home = Home::empty()?;
    ingest_clinic(&home)?;
    // Shipped policies with small limits on rows, to see an answer referred and one withheld.
    let shipped = fs::read_to_string(home.path().join("policies/sdc/ndb.toml"))?;
    for (id, above) in [("narrow", "refer"), ("shut", "withhold")] {
        let above = format!("above    = \"{above}\"");
        let changes = [
            ("max_rows = 1_000_000", "max_rows = 2"),
            ("complete_up_to = 100_000", "complete_up_to = 2"),
            ("above    = \"refer\"", above.as_str()),
        ];
        fs::write(
            home.path().join(format!("policies/sdc/{id}.toml")),
            policy_like(&shipped, id, &changes)?,
        )?;
    }
    let server = Server::start(&home)?;
    let operator = server.person(&home.token("olga", "operator", None)?);
    Ok((home, server, operator))
}

pub(crate) fn apply(home: &Home, operator: &Person, permit: &Permit<'_>) -> Result<Value> {
    home.write("permit.toml", permit.text())?;
    operator.json(&["project", "apply", "permit.toml"])
}

pub(crate) fn person(home: &Home, server: &Server, user: &str, role: &str) -> Person {
    server.person(&home.token(user, role, Some(PROJECT)).unwrap())
}

pub(crate) fn submit(alice: &Person, sql: &str) -> Result<Value> {
    alice.json(&[
        "request",
        "submit",
        "-c",
        sql,
        "--title",
        "Table 1",
        "--context",
        "For the paper; nothing earlier.",
    ])
}

pub(crate) fn string<'a>(document: &'a Value, field: &str) -> &'a str {
    document
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no `{field}` in {document}"))
}
