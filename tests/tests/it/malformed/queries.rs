//! SQL that cannot be asked.

use super::{Case, Input};

pub(super) fn cases() -> Vec<Case> {
    let case = |code, name: &str, sql: &str| {
        Case::new(
            code,
            format!("SQL: {name}: {}", sql.chars().take(60).collect::<String>()),
            Input::Sql(sql.to_owned()),
        )
    };
    let sql = |code, sql: &str| case(code, "", sql);
    vec![
        sql("TRE-SQL-001", "selec 1"),
        sql("TRE-SQL-001", "SELECT 'open"),
        case(
            "TRE-SQL-001",
            "deep nesting",
            &format!("SELECT {}1{}", "(".repeat(500), ")".repeat(500)),
        ),
        sql("TRE-SQL-002", "SELECT 1; SELECT 2"),
        sql("TRE-SQL-002", "DROP TABLE visit"),
        sql("TRE-SQL-002", "INSERT INTO visit VALUES (1)"),
        sql("TRE-SQL-002", "COPY visit TO '/tmp/x'"),
        sql("TRE-SQL-002", "SET datafusion.execution.batch_size = 1"),
        sql("TRE-SQL-002", "EXPLAIN ANALYZE SELECT count(*) FROM visit"),
        sql(
            "TRE-SQL-002",
            "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        ),
        sql("TRE-SQL-003", "SELECT * FROM '/etc/passwd'"),
        sql("TRE-SQL-003", "SELECT * FROM information_schema.tables"),
        sql("TRE-SQL-003", "SELECT * FROM generate_series(1, 10)"),
        sql("TRE-SQL-003", "SELECT count(*) FROM death"),
        sql("TRE-SQL-003", "SELECT count(*) FROM visit WHERE nothing = 1"),
        sql(
            "TRE-SQL-003",
            "SELECT facility, count(*) FROM visit GROUP BY facility",
        ),
        sql("TRE-SQL-004", "SELECT count(*) FROM visit WHERE random() < 0.5"),
        sql(
            "TRE-SQL-004",
            "SELECT count(*) FROM visit WHERE length(repeat('x', 2000000000)) > 1",
        ),
        sql("TRE-SQL-007", "SELECT array_agg(icd) FROM visit"),
        sql(
            "TRE-SQL-004",
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        ),
        sql("TRE-SQL-005", "SELECT * FROM visit"),
        sql("TRE-SQL-006", "SELECT DISTINCT pid, icd FROM visit"),
        sql(
            "TRE-SQL-005",
            "SELECT code FROM icd10 WHERE code IN (SELECT icd FROM visit)",
        ),
        sql("TRE-SQL-006", "SELECT pid, count(*) FROM visit GROUP BY pid"),
        sql("TRE-SQL-006", "SELECT count(*) FROM visit WHERE pid = 5"),
        sql("TRE-SQL-006", "SELECT sum(pid) FROM visit"),
        sql("TRE-SQL-007", "SELECT max(icd) FROM visit"),
        sql(
            "TRE-SQL-007",
            "SELECT count(distinct icd) FILTER (WHERE age = 40) FROM visit",
        ),
        sql("TRE-SQL-008", "SELECT sum(cost / 2) FROM visit"),
        sql(
            "TRE-SQL-008",
            "SELECT sum(CASE WHEN age = 40 THEN cost ELSE age END) FROM visit",
        ),
        sql(
            "TRE-SQL-009",
            "SELECT icd, count(*) FROM visit GROUP BY GROUPING SETS ((icd), (icd))",
        ),
        case(
            "TRE-SQL-010",
            "many terms",
            &format!(
                "SELECT count(*) FROM visit WHERE {}",
                vec!["age=1"; 9_000].join(" AND ")
            ),
        ),
        case(
            "TRE-SQL-010",
            "many minus signs",
            &format!("SELECT {}1", "- ".repeat(5_000)),
        ),
        case(
            "TRE-SQL-010",
            "a long literal",
            &format!("SELECT '{}'", "x".repeat(100_000)),
        ),
        case(
            "TRE-SQL-010",
            "a long list",
            &format!(
                "SELECT count(*) FROM visit WHERE age IN ({})",
                vec!["1"; 30_000].join(",")
            ),
        ),
        // The text is good and is planned; what is missing is noticed when it is to be run.
        sql("TRE-SQL-011", "SELECT count(*) FROM visit WHERE icd = ?")
            .entries(&["query_planned", "query_refused"]),
        sql("TRE-SQL-011", "SELECT count(*) FROM visit WHERE icd = $x"),
        sql("TRE-SQL-012", "SELECT count(*) AS disclosure FROM visit"),
        sql(
            "TRE-SQL-013",
            "SELECT count(*) FROM visit v FULL JOIN visit w ON v.pid = w.pid",
        ),
        sql("TRE-SQL-013", "SELECT count(*) FROM visit, icd10"),
    ]
}
