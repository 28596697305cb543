//! Analysts' own tools: ADBC with pandas and pyarrow.flight by hand, over TLS with a token, beside `tre sql`.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tre_examples::eunomia;
use tre_tests::home::{Home, Token};
use tre_tests::person::Answer;
use tre_tests::server::Server;

use crate::peers::client;

/// Queries of every kind of value and of every fate; the last three are refused.
const QUERIES: &[&str] = &[
    "SELECT gender, count(*) AS n FROM person GROUP BY gender ORDER BY gender",
    "SELECT race, gender, count(distinct pid) AS people FROM person GROUP BY race, gender ORDER BY race, gender",
    "SELECT ethnicity, count(*) AS n FROM person GROUP BY ethnicity ORDER BY n DESC, ethnicity",
    "SELECT year_of_birth, count(*) AS n FROM person GROUP BY year_of_birth ORDER BY year_of_birth",
    "SELECT age, count(*) AS stays, count(distinct pid) AS people, sum(visit_days) AS days, avg(visit_days) AS mean \
     FROM visit_occurrence GROUP BY age ORDER BY age",
    "SELECT visit_start_date, count(*) AS n FROM visit_occurrence GROUP BY visit_start_date ORDER BY visit_start_date",
    "SELECT c.age, count(distinct c.pid) AS people FROM condition_occurrence c \
     JOIN concept k ON k.concept_id = c.condition_concept_id WHERE k.concept_name = 'Pneumonia' GROUP BY c.age ORDER BY c.age",
    "SELECT k.concept_name, count(*) AS n, count(c.condition_days) AS ended FROM condition_occurrence c \
     JOIN concept k ON k.concept_id = c.condition_concept_id GROUP BY k.concept_name HAVING count(*) > 100 \
     ORDER BY n DESC, k.concept_name LIMIT 20",
    "SELECT p.gender, count(*) AS stays FROM visit_occurrence v JOIN person p ON p.pid = v.pid GROUP BY p.gender ORDER BY 1",
    "SELECT 100 * sum(visit_days) / count(*) AS percent FROM visit_occurrence",
    "SELECT count(*) AS n FROM person WHERE gender = 'nobody'",
    "SELECT concept_name, domain_id FROM concept ORDER BY concept_id LIMIT 3",
    "SELECT pid, gender FROM person",
    "DELETE FROM person",
    "SELECT nonsense FROM person",
];

/// A server over TLS with the project `outcomes`, and alice's token.
fn scene() -> Result<(Home, Server, Token)> {
    let home = Home::eunomia()?;
    let server = Server::start(&home)?;
    let operator = server.person(&home.token("olga", "operator", None)?);
    home.write("outcomes.toml", eunomia::OUTCOMES)?;
    operator.tre(&["project", "apply", "outcomes.toml"])?.ok()?;
    let token = home.token("alice", "analyst", Some("outcomes"))?;
    Ok((home, server, token))
}

/// URL, token file and certificate, as the clients take them.
fn arguments(home: &Home, server: &Server, token: &Token) -> Result<Vec<String>> {
    let file = home.write("token", &token.text)?;
    let certificate = home.certificate().context("the home has no certificate")?;
    Ok(vec![
        server.url().to_owned(),
        file.display().to_string(),
        certificate.display().to_string(),
    ])
}

fn run(script: &str, arguments: &[String]) -> Result<Value> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    client(script, &arguments)?.ok()?.json()
}

#[test]
fn three_clients_get_the_same_treated_cells() {
    let (home, server, token) = scene().unwrap();
    assert!(server.url().starts_with("grpc+tls://"), "{}", server.url());
    let mut arguments = arguments(&home, &server, &token).unwrap();
    let queries = home
        .write("queries.json", serde_json::to_string(QUERIES).unwrap())
        .unwrap();
    arguments.push(queries.display().to_string());
    let adbc = run("adbc_client.py", &arguments).unwrap();
    let pyarrow = run("pyarrow_client.py", &arguments).unwrap();

    let alice = server.person(&token);
    let (mut answered, mut suppressed) = (0, 0);
    for (at, sql) in QUERIES.iter().enumerate() {
        let ours = alice.ask(sql).unwrap();
        let (adbc, pyarrow) = (&adbc[at], &pyarrow[at]);
        if ours.status.code() != Some(0) {
            let code = ours.told().expect("an error has a code");
            for (client, theirs) in [("adbc", adbc), ("pyarrow", pyarrow)] {
                let message = theirs
                    .pointer("/error/message")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                assert!(
                    message.contains(code),
                    "{client}: {sql}: {code} is not in {theirs}"
                );
            }
            continue;
        }
        answered += 1;
        let ours = Answer::read(&ours).unwrap();
        assert_eq!(adbc, pyarrow, "{sql}");
        assert_eq!(canonical(&ours), *adbc, "{sql}");
        suppressed += says_why(&ours, sql);
    }
    assert_eq!(answered, QUERIES.len() - 3, "the last three are refused");
    assert!(suppressed > 0, "no value was suppressed, so nothing was tested");
}

/// The answer of `tre sql` as the clients write theirs.
fn canonical(answer: &Answer) -> Value {
    let arrow = |name: &String| match name.as_str() {
        "Int64" => "int64".to_owned(),
        "Utf8" => "string".to_owned(),
        "Boolean" => "bool".to_owned(),
        "Float64" => "double".to_owned(),
        "Date32" => "date32[day]".to_owned(),
        other => other.replace("Decimal128", "decimal128"),
    };
    let types: Vec<String> = answer.types.iter().map(arrow).collect();
    // Python writes a float by the shortest digits that give it back, as text; so does Rust's Debug.
    let float = |value: &Value| {
        value
            .as_f64()
            .filter(|_| value.is_f64())
            .map(|float| json!(format!("{float:?}")))
    };
    let cell = |value: &Value| float(value).unwrap_or_else(|| value.clone());
    let rows: Vec<Vec<Value>> = answer
        .rows
        .iter()
        .map(|row| row.iter().map(cell).collect())
        .collect();
    json!({ "columns": answer.columns, "types": types, "rows": rows, "notices": answer.notices })
}

/// In every row a value that the disclosure calls suppressed is NULL, and it names a rule. Returns how many there are.
fn says_why(answer: &Answer, sql: &str) -> usize {
    assert_eq!(
        answer.columns.last().map(String::as_str),
        Some("disclosure"),
        "{sql}"
    );
    let mut suppressed = 0;
    for row in &answer.rows {
        let disclosure = row
            .last()
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{sql}: no disclosure in {row:?}"));
        for item in disclosure.split("; ").filter(|item| !item.is_empty()) {
            let (column, what) = item
                .split_once(": ")
                .unwrap_or_else(|| panic!("{sql}: `{disclosure}`"));
            let (status, rule) = what
                .split_once(" (")
                .unwrap_or_else(|| panic!("{sql}: `{disclosure}`"));
            assert!(rule.ends_with(')') && rule.len() > 1, "{sql}: `{disclosure}`");
            let at = answer.columns.iter().position(|name| name == column);
            let value = &row[at.unwrap_or_else(|| panic!("{sql}: no column `{column}`"))];
            if status == "suppressed" {
                assert!(value.is_null(), "{sql}: `{disclosure}` beside {value}");
                suppressed += 1;
            }
        }
    }
    suppressed
}

#[test]
fn shown_numbers_are_those_of_the_holders_files() {
    use std::io::Read;
    let (_home, server, token) = scene().unwrap();
    let packed = eunomia::FILES
        .iter()
        .find(|(name, _)| *name == "person.csv.gz")
        .unwrap()
        .1;
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed)
        .read_to_string(&mut text)
        .unwrap();
    let at = text
        .lines()
        .next()
        .unwrap()
        .split(',')
        .position(|name| name == "gender")
        .unwrap();
    let count = |gender: &str| {
        text.lines()
            .skip(1)
            .filter(|line| line.split(',').nth(at) == Some(gender))
            .count()
    };
    let answer = server.person(&token).sql(QUERIES[0]).unwrap();
    assert_eq!(
        answer.rows,
        [
            vec![json!("F"), json!(count("F")), json!("")],
            vec![json!("M"), json!(count("M")), json!("")]
        ]
    );
}

#[test]
fn the_protocol_as_the_drivers_speak_it() {
    let (home, server, token) = scene().unwrap();
    let other = home.token("alice", "analyst", Some("outcomes")).unwrap();
    let mut arguments = arguments(&home, &server, &token).unwrap();
    arguments.push(
        home.write("other-token", &other.text)
            .unwrap()
            .display()
            .to_string(),
    );
    let steps = run("protocol.py", &arguments).unwrap();
    let step = |name: &str| {
        steps
            .get(name)
            .unwrap_or_else(|| panic!("no step `{name}` in {steps}"))
    };
    let refused = |name: &str, code: &str| {
        let message = step(name)
            .pointer("/error/message")
            .and_then(Value::as_str)
            .unwrap_or_default();
        assert!(
            message.contains(code),
            "{name}: expected an error with {code}: {}",
            step(name)
        );
    };

    assert_eq!(
        step("prepared"),
        step("literal"),
        "parameters and literals give the same answer"
    );
    assert_ne!(
        step("prepared")["rows"],
        step("prepared again")["rows"],
        "another parameter, another answer"
    );
    refused("unbound", "TRE-SQL-011");

    assert_eq!(step("disclosed")["columns"], json!(["gender", "n", "disclosure"]));
    assert_eq!(step("undisclosed")["columns"], json!(["gender", "n"]));
    assert_eq!(step("disclosed again"), step("disclosed"));
    assert_eq!(
        step("login"),
        step("disclosed"),
        "user name and password, the password being the token"
    );
    refused("wrong password", "TRE-AUTH-");

    for name in [
        "ingest",
        "update",
        "substrait",
        "begin transaction",
        "direct update",
    ] {
        assert!(
            step(name).pointer("/error/message").is_some(),
            "{name} was not refused: {}",
            step(name)
        );
    }
    refused("update", "TRE-SQL-002");

    let tables = step("tables").as_array().expect("tables");
    for name in ["person", "visit_occurrence", "condition_occurrence", "concept"] {
        assert!(tables.contains(&json!(name)), "{name} is not in {tables:?}");
    }
    assert!(
        !tables.contains(&json!("drug_exposure")),
        "a table outside the permit is listed: {tables:?}"
    );

    assert_eq!(
        step("fetched twice"),
        &json!([true, true]),
        "a repeated DoGet returns the same bytes, and there are some"
    );
    assert_eq!(
        step("schemas agree"),
        &json!(true),
        "GetSchema, GetFlightInfo and DoGet"
    );
    // Nothing says whether a handle exists elsewhere, and none is read as anything else.
    refused("a ticket of another session", "TRE-RUN-007");
    refused("a made-up ticket", "TRE-RUN-0");

    let trailer = step("trailer");
    assert_eq!(trailer["code"], "TRE-SQL-005", "{trailer}");
    for field in ["what", "hint"] {
        assert!(
            trailer[field].as_str().is_some_and(|text| !text.is_empty()),
            "{field} in {trailer}"
        );
    }
}
