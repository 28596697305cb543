//! What the desk refuses, with its code and the words that an analyst reads.

use tre_query::desk::{Desk, DeskTable};

use crate::fixture::{clinic, opened};

pub(crate) async fn refuse(sql: &str) -> Option<tre_core::codes::Problem> {
    let grant = opened(&clinic(), |_| {}).grant;
    let mut desk = Desk::open(DeskTable::of_grant(&grant)).unwrap();
    match desk.plan("q", sql, None, true).await {
        Err(problem) => Some(problem),
        // What the desk lets pass the server's lineage may still refuse.
        Ok(planned) => planned
            .frontiers
            .iter()
            .find_map(|f| output_checker::lineage::lineage(f, &grant).err()),
    }
}

#[tokio::test]
async fn what_cannot_be_judged_is_refused_with_its_code() {
    let wide = format!(
        "SELECT count(*) FROM visit WHERE {}",
        vec!["days = 1"; 20_000].join(" AND ")
    );
    let minus = format!("SELECT {}1", "- ".repeat(5_000));
    let nested = format!("SELECT {}1{}", "(".repeat(500), ")".repeat(500));
    let long = format!("SELECT '{}'", "x".repeat(100_000));
    let list = format!(
        "SELECT count(*) FROM visit WHERE days IN ({})",
        vec!["1"; 30_000].join(",")
    );
    let unions = vec!["SELECT 1"; 200].join(" UNION ALL ");
    let cases: &[(&str, &str)] = &[
        ("", "TRE-SQL-002"),
        ("selec 1", "TRE-SQL-001"),
        ("SELECT 'open", "TRE-SQL-001"),
        ("SELECT 1; SELECT 2", "TRE-SQL-002"),
        ("CREATE TABLE t AS SELECT 1", "TRE-SQL-002"),
        ("DROP TABLE visit", "TRE-SQL-002"),
        ("INSERT INTO visit VALUES (1)", "TRE-SQL-002"),
        ("COPY visit TO '/tmp/x'", "TRE-SQL-002"),
        ("SET datafusion.execution.batch_size = 1", "TRE-SQL-002"),
        ("EXPLAIN SELECT 1", "TRE-SQL-002"),
        ("EXPLAIN ANALYZE SELECT count(*) FROM visit", "TRE-SQL-002"),
        ("SHOW TABLES", "TRE-SQL-002"),
        (
            "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
            "TRE-SQL-002",
        ),
        ("SELECT * FROM '/etc/passwd'", "TRE-SQL-003"),
        ("SELECT * FROM information_schema.tables", "TRE-SQL-003"),
        ("SELECT * FROM generate_series(1, 10)", "TRE-SQL-003"),
        ("SELECT count(*) FROM death", "TRE-SQL-003"),
        ("SELECT count(*) FROM visit WHERE nothing = 1", "TRE-SQL-003"),
        ("SELECT * FROM visit", "TRE-SQL-005"),
        ("SELECT icd FROM visit LIMIT 1", "TRE-SQL-005"),
        ("SELECT icd FROM visit ORDER BY date", "TRE-SQL-005"),
        ("SELECT 1 WHERE EXISTS (SELECT 1 FROM visit)", "TRE-SQL-005"),
        (
            "SELECT code FROM icd10 WHERE code IN (SELECT icd FROM visit)",
            "TRE-SQL-005",
        ),
        ("SELECT pid, count(*) FROM visit GROUP BY pid", "TRE-SQL-006"),
        ("SELECT count(*) FROM visit WHERE pid = 5", "TRE-SQL-006"),
        ("SELECT count(*) FROM visit WHERE pid < 5", "TRE-SQL-006"),
        ("SELECT sum(pid) FROM visit", "TRE-SQL-006"),
        ("SELECT pid % 2, count(*) FROM visit GROUP BY 1", "TRE-SQL-006"),
        (
            "SELECT cast(pid AS int), count(*) FROM visit GROUP BY 1",
            "TRE-SQL-006",
        ),
        ("SELECT max(icd) FROM visit", "TRE-SQL-007"),
        ("SELECT count(distinct icd) FROM visit", "TRE-SQL-007"),
        ("SELECT sum(distinct cost) FROM visit", "TRE-SQL-007"),
        ("SELECT string_agg(icd, ',') FROM visit", "TRE-SQL-007"),
        ("SELECT array_agg(icd) FROM visit", "TRE-SQL-007"),
        ("SELECT sum(age) FROM person", "TRE-SQL-008"),
        ("SELECT sum(cast(cost AS int)) FROM visit", "TRE-SQL-008"),
        ("SELECT count(*) FROM visit WHERE random() < 0.5", "TRE-SQL-004"),
        (
            "SELECT count(*) FROM visit WHERE length(repeat('x', 2000000000)) > 1",
            "TRE-SQL-004",
        ),
        ("SELECT count(*) FROM visit WHERE cost > 1e300", "TRE-SQL-004"),
        ("SELECT count(*) FROM visit WHERE sqrt(days) > 2", "TRE-SQL-004"),
        (
            "SELECT count(*) FROM visit WHERE substr(icd, days) = 'x'",
            "TRE-SQL-004",
        ),
        (
            "SELECT count(*) FROM visit v JOIN person p ON v.days = p.age",
            "TRE-SQL-013",
        ),
        ("SELECT count(*) FROM visit, icd10", "TRE-SQL-013"),
        ("SELECT count(*) FROM visit CROSS JOIN person", "TRE-SQL-013"),
        (
            "SELECT count(*) FROM (SELECT icd FROM visit ORDER BY date LIMIT 5) t",
            "TRE-SQL-005",
        ),
        (
            "SELECT icd, days, cost, date, count(*) FROM visit GROUP BY CUBE (icd, days, cost, date)",
            "TRE-SQL-009",
        ),
        (
            "SELECT icd, count(*) FROM visit GROUP BY GROUPING SETS ((icd), (icd))",
            "TRE-SQL-009",
        ),
        (
            "SELECT icd, count(*) FROM visit GROUP BY ROLLUP (icd, pid)",
            "TRE-SQL-006",
        ),
        (
            "SELECT count(*) FROM visit UNION ALL SELECT cost FROM visit",
            "TRE-SQL-005",
        ),
        (
            "SELECT icd, count(*) AS n, first_value(icd) OVER (ORDER BY count(*)) FROM visit GROUP BY icd",
            "TRE-SQL-007",
        ),
        ("SELECT count(*) AS disclosure FROM visit", "TRE-SQL-012"),
        ("SELECT count(*) FROM visit WHERE icd = $x", "TRE-SQL-011"),
        ("SELECT count(*) FROM visit WHERE icd = $2", "TRE-SQL-011"),
        (
            "SELECT count(*) FROM visit WHERE icd = ? AND icd = $1",
            "TRE-SQL-011",
        ),
        (
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
            "TRE-SQL-004",
        ),
        (&wide, "TRE-SQL-010"),
        (&minus, "TRE-SQL-010"),
        (&nested, "TRE-SQL-001"),
        (&long, "TRE-SQL-010"),
        (&list, "TRE-SQL-010"),
        (&unions, "TRE-SQL-010"),
    ];
    let mut wrong = vec![];
    for (sql, code) in cases {
        let short: String = sql.chars().take(100).collect();
        match refuse(sql).await {
            Some(problem) if problem.code.id == *code => {
                assert!(
                    !problem.what.contains('\n') && !problem.what.is_empty(),
                    "{short}: {problem}"
                );
            }
            Some(problem) => wrong.push(format!("{short}\n    expected {code}: {problem}")),
            None => wrong.push(format!("{short}\n    expected {code}, was let through")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn what_cannot_be_parsed_is_told_with_its_place_and_without_the_parsers_own_words() {
    for (sql, what) in [
        (
            "SELECT count(*)\nFROM visit\nWHERE days > > 2",
            "line 3, column 14: expected an expression, found `>`",
        ),
        (
            "SELECT count(*) FROM visit GROUP",
            "line 1, column 28: expected end of statement, found `GROUP`",
        ),
        ("SELECT (1", "expected ), found the end of the text"),
        ("SELECT 'open", "line 1, column 8: unterminated string literal"),
    ] {
        assert_eq!(refuse(sql).await.unwrap().what, what, "{sql}");
    }
    let tables = clinic();
    let grant = opened(&tables, |_| {}).grant;
    let desk = Desk::open(DeskTable::of_grant(&grant)).unwrap();
    let problem = desk.lower_filter("days = ) 2", &tables[0].columns).unwrap_err();
    assert_eq!(
        problem.what,
        "line 1, column 8: expected an expression, found `)`"
    );
}

#[tokio::test]
async fn what_is_not_there_is_answered_with_what_is() {
    for (sql, code, what, hint) in [
        (
            "SELECT count(*) FROM death",
            "TRE-SQL-003",
            "the project has no table `death`",
            "visit",
        ),
        (
            "SELECT count(*) FROM information_schema.tables",
            "TRE-SQL-003",
            "`information_schema.tables`",
            "person",
        ),
        (
            "SELECT count(*) FROM visit WHERE nothing = 1",
            "TRE-SQL-003",
            "there is no column `nothing` here",
            "visit.days",
        ),
        (
            "SELECT entropy(days) FROM visit",
            "TRE-SQL-004",
            "the function `entropy` is not offered",
            "count, sum, avg, min, max",
        ),
        (
            "SELECT median(days) FROM visit",
            "TRE-SQL-007",
            "`median` is withheld",
            "docs/aggregates.md",
        ),
        (
            "SELECT icd, days FROM visit ORDER BY days LIMIT 5",
            "TRE-SQL-005",
            "the query returns people's rows",
            "`SELECT icd, days, count(distinct pid) … GROUP BY icd, days`",
        ),
        (
            "SELECT avg(age) FROM person",
            "TRE-SQL-008",
            "`age` is not a declared measure",
            "`SELECT age, count(distinct pid) … GROUP BY age`",
        ),
        (
            "SELECT icd, count(*) FROM visit",
            "TRE-SQL-004",
            "icd` is neither in GROUP BY nor in an aggregate",
            "add it to GROUP BY",
        ),
    ] {
        let problem = refuse(sql).await.unwrap();
        assert_eq!(problem.code.id, code, "{sql}: {problem}");
        assert!(problem.what.contains(what), "{sql}: {problem}");
        assert!(problem.hint.contains(hint), "{sql}: {problem}");
        assert!(!problem.to_string().contains("tre.project"), "{sql}: {problem}");
    }
}

#[tokio::test]
async fn row_conditions_are_conditions_over_stored_columns() {
    let tables = clinic();
    let grant = opened(&tables, |_| {}).grant;
    let desk = Desk::open(DeskTable::of_grant(&grant)).unwrap();
    let columns = &tables[0].columns;
    for good in [
        "days >= 2",
        "icd = 'I10' AND cost > 0.5",
        "date < date '2006-01-01'",
        "facility = 'facility-aaaaaaaaaa'",
    ] {
        desk.lower_filter(good, columns)
            .unwrap_or_else(|p| panic!("{good}: {p}"));
    }
    for bad in [
        "",
        "days",
        "nothing = 1",
        "pid = 1",
        "days = 1; DROP",
        "EXISTS (SELECT 1 FROM visit)",
        "count(*) > 1",
        "1 = 1) OR (2 = 2",
    ] {
        assert!(desk.lower_filter(bad, columns).is_err(), "{bad}");
    }
}
