//! Everything that the algebra can say of people's rows, against plain DataFusion: conditions inside of aggregates, joins of
//! every kind, aggregation per person, numbering, unions, several frontiers.

use crate::fixture::{clinic, engine};
use crate::queries::{answer, reference, same_rows};
use crate::refusals::refuse;

#[rustfmt::skip]
const CONDITIONS: &[&str] = &[
    "SELECT icd, count(*) FILTER (WHERE cost > 5) AS n, sum(cost) FILTER (WHERE days > 1) AS s FROM visit GROUP BY icd",
    "SELECT icd, count(distinct pid) FILTER (WHERE cost > 5) AS people, avg(days) FILTER (WHERE cost > 5) FROM visit GROUP BY icd",
    "SELECT icd, sum(CASE WHEN cost > 5 THEN 1 ELSE 0 END) AS dear, count(CASE WHEN cost > 5 THEN 1 END) AS again FROM visit GROUP BY icd",
    "SELECT left(icd, 1) AS letter, count(*) FROM visit WHERE left(icd, 3) <> 'J45' GROUP BY left(icd, 1)",
    "SELECT sum(CASE WHEN cost > 5 THEN 1 END), sum(CASE WHEN cost > 100000 THEN 1 END) FROM visit",
    "SELECT icd, sum(CASE WHEN days = 1 THEN cost ELSE 0 END), sum(CASE WHEN days = 1 THEN cost END) FROM visit GROUP BY icd",
    "SELECT icd, sum(CASE days WHEN 1 THEN 1 WHEN 2 THEN 10 ELSE 100 END) AS weighted FROM visit GROUP BY icd",
    "SELECT icd, avg(CASE WHEN cost > 5 THEN 1 ELSE 0 END) AS share FROM visit GROUP BY icd",
    "SELECT icd, sum(coalesce(cost, 0)), avg(coalesce(days, 0)), sum(nullif(days, 1)) FROM visit GROUP BY icd",
    "SELECT icd, sum(cost + days), sum(cost - 2), sum(2 * days + 1), sum(-days) FROM visit GROUP BY icd",
    "SELECT icd, sum(days * days), sum(cost * days) FROM visit GROUP BY icd",
    "SELECT icd, count(cost + days), count(coalesce(cost, 0)), count(nullif(days, 1)) FROM visit GROUP BY icd",
    "SELECT icd, count(distinct CASE WHEN cost > 5 THEN pid END) AS people FROM visit GROUP BY icd",
    "SELECT icd, min(days), max(days), min(date), max(date), max(cost) FROM visit GROUP BY icd",
    "SELECT icd, max(CASE WHEN cost > 5 THEN days END), min(date) FILTER (WHERE days > 1) FROM visit GROUP BY icd",
    "SELECT CASE WHEN age < 40 THEN 'young' WHEN age < 60 THEN 'middle' ELSE 'old' END AS band, count(*) FROM person GROUP BY 1",
    "SELECT count(*) FROM visit WHERE CASE WHEN icd = 'I10' THEN cost > 5 ELSE days = 1 END",
    "SELECT icd, sum(CAST(cost > 5 AS INT)) AS dear FROM visit GROUP BY icd",
    "WITH v AS (SELECT pid, icd, CASE WHEN cost > 5 THEN 1 ELSE 0 END AS dear, CASE WHEN days = 1 THEN cost ELSE 0 END AS short FROM visit) SELECT icd, sum(dear), avg(dear), sum(short) FROM v WHERE dear = 1 OR short >= 0 GROUP BY icd",
];

#[rustfmt::skip]
const DEVIATIONS: &[&str] = &[
    "SELECT icd, stddev(cost), var(cost), stddev_pop(days), var_pop(days), count(*) FROM visit GROUP BY icd",
    "SELECT stddev_samp(days), var_samp(2 * cost), stddev(-10 * days) FROM visit",
    "SELECT icd, stddev(cost) FILTER (WHERE days > 1), stddev(CASE WHEN days = 1 THEN cost END) FROM visit GROUP BY icd",
    "SELECT icd, corr(cost, days), covar_samp(cost, days), covar_pop(days, cost) FROM visit GROUP BY icd",
    "SELECT corr(cost, -2 * days), corr(cost, cost), covar(cost, 3 * days) FROM visit",
    "SELECT corr(cost, days) FILTER (WHERE days > 1), covar_pop(cost, -days) FILTER (WHERE days > 1) FROM visit",
    "SELECT sex, avg(n), stddev(n) FROM person p JOIN (SELECT pid, count(*) AS n FROM visit GROUP BY pid) t ON t.pid = p.pid GROUP BY sex",
];

#[rustfmt::skip]
const JOINS: &[&str] = &[
    "SELECT sex, count(*), count(v.pid), count(distinct v.pid), sum(v.cost) FROM person p LEFT JOIN visit v ON v.pid = p.pid GROUP BY sex",
    "SELECT sex, count(*) FROM person p LEFT JOIN visit v ON v.pid = p.pid AND v.cost > 1000 WHERE v.pid IS NULL GROUP BY sex",
    "SELECT sex, count(*), count(v.icd) FROM visit v RIGHT JOIN person p ON v.pid = p.pid AND v.days > 2 GROUP BY sex",
    "SELECT sex, count(*) FROM person p WHERE EXISTS (SELECT 1 FROM visit v WHERE v.pid = p.pid AND v.icd = 'I10') GROUP BY sex",
    "SELECT sex, count(*) FROM person p WHERE NOT EXISTS (SELECT 1 FROM visit v WHERE v.pid = p.pid AND v.icd = 'I10') GROUP BY sex",
    "SELECT sex, count(*) FROM person WHERE pid IN (SELECT pid FROM visit WHERE cost > 100) GROUP BY sex",
    "SELECT sex, count(*) FROM person WHERE pid NOT IN (SELECT pid FROM visit WHERE cost > 100) AND age > 20 GROUP BY sex",
    "SELECT count(*) FROM visit v WHERE EXISTS (SELECT 1 FROM visit w WHERE w.pid = v.pid AND w.date > v.date)",
    "SELECT chapter, count(*) FROM visit LEFT JOIN icd10 ON icd = code GROUP BY chapter",
    "SELECT chapter, count(v.d) FROM (SELECT pid, icd, days AS d FROM visit WHERE days <= 2) v LEFT JOIN icd10 ON upper(v.icd) = code WHERE (v.d % 2 <> 0 OR chapter NOT IN ('a', 'b', 'c', 'd', 'endocrine')) GROUP BY chapter",
    "SELECT count(*) FROM visit WHERE icd IN (SELECT code FROM icd10 WHERE chapter = 'respiratory')",
    "SELECT count(*), sum(cost) FROM visit WHERE EXISTS (SELECT 1 FROM icd10 WHERE code = icd AND chapter <> 'endocrine')",
    "SELECT count(*) FROM visit a JOIN visit b ON a.pid = b.pid AND a.date < b.date",
    "SELECT sex, count(*) FILTER (WHERE v.pid IS NULL) AS never FROM person p LEFT JOIN visit v ON v.pid = p.pid GROUP BY sex",
];

#[rustfmt::skip]
const PER_PERSON: &[&str] = &[
    "SELECT avg(n), sum(n), max(n), count(*) FROM (SELECT pid, count(*) AS n FROM visit GROUP BY pid) t",
    "SELECT n, count(*) AS people FROM (SELECT pid, count(*) AS n FROM visit GROUP BY pid) t GROUP BY n",
    "SELECT sex, avg(n), sum(total) FROM person p JOIN (SELECT pid, count(*) AS n, sum(cost) AS total FROM visit GROUP BY pid) t ON t.pid = p.pid GROUP BY sex",
    "SELECT sex, avg(coalesce(n, 0)), sum(coalesce(total, 0)) FROM person p LEFT JOIN (SELECT pid, count(*) AS n, sum(cost) AS total FROM visit GROUP BY pid) t ON t.pid = p.pid GROUP BY sex",
    "SELECT count(*) FROM (SELECT pid FROM visit GROUP BY pid HAVING count(*) > 2) t",
    "SELECT sum(dear), avg(dear), count(*) FROM (SELECT pid, max(CASE WHEN cost > 5 THEN 1 ELSE 0 END) AS dear FROM visit GROUP BY pid) t",
    "SELECT dear, count(*) FROM (SELECT pid, max(CASE WHEN cost > 5 THEN 1 ELSE 0 END) AS dear FROM visit GROUP BY pid) t GROUP BY dear",
    "SELECT sum(short), sum(both) FROM (SELECT pid, sum(CASE WHEN days = 1 THEN cost ELSE 0 END) AS short, sum(cost) + sum(days) AS both FROM visit GROUP BY pid) t",
    "SELECT kinds, count(*) FROM (SELECT pid, count(distinct icd) AS kinds FROM visit GROUP BY pid) t GROUP BY kinds",
    "SELECT icd, count(*) FROM (SELECT DISTINCT pid, icd FROM visit) t GROUP BY icd",
    "WITH a AS (SELECT pid, count(*) AS n, sum(days) AS d, count(*) FILTER (WHERE days = 2 OR icd NOT IN ('I10', 'A')) AS some FROM visit WHERE days IS NULL OR icd <= 'K' GROUP BY pid) SELECT v.icd, count(*) FROM visit v JOIN a ON a.pid = v.pid GROUP BY v.icd",
    "SELECT sex, count(*) FROM (SELECT DISTINCT pid FROM visit WHERE cost > 5) t JOIN person p ON p.pid = t.pid GROUP BY sex",
    "SELECT extract(year FROM first) AS y, count(*) FROM (SELECT pid, min(date) AS first FROM visit GROUP BY pid) t GROUP BY 1",
    "WITH first AS (SELECT pid, icd, cost, row_number() OVER (PARTITION BY pid ORDER BY date) AS rn FROM visit) SELECT icd, count(*), sum(cost) FROM first WHERE rn = 1 GROUP BY icd",
    "SELECT count(*) FROM (SELECT pid, row_number() OVER (PARTITION BY pid, icd ORDER BY date DESC, days) AS rn FROM visit) t WHERE rn = 2",
    "SELECT v.icd, count(*) FROM visit v JOIN (SELECT pid, min(date) AS first FROM visit GROUP BY pid) t ON t.pid = v.pid AND t.first = v.date GROUP BY v.icd",
    "SELECT count(*) FROM (SELECT pid, icd FROM visit UNION ALL SELECT pid, sex FROM person) t",
    "SELECT what, count(*), count(distinct pid) FROM (SELECT pid, icd AS what FROM visit WHERE cost > 5 UNION ALL SELECT pid, sex AS what FROM person) t GROUP BY what",
];

#[rustfmt::skip]
const SEVERAL: &[&str] = &[
    "SELECT DISTINCT icd FROM visit WHERE icd IS NOT NULL",
    "SELECT count(*) AS kinds FROM (SELECT DISTINCT icd, days FROM visit) t",
    "WITH a AS (SELECT icd, count(*) AS n FROM visit GROUP BY icd), b AS (SELECT icd, sum(cost) AS s FROM visit WHERE days > 1 GROUP BY icd) SELECT a.icd, n, s, s / n AS per FROM a LEFT JOIN b ON a.icd = b.icd",
    "SELECT icd, count(*) AS n, count(*) * 100.0 / (SELECT count(*) FROM visit) AS share FROM visit GROUP BY icd",
    "SELECT icd, count(*) AS n, sum(count(*)) OVER (ORDER BY icd) AS running, rank() OVER (ORDER BY count(*) DESC) AS place FROM visit GROUP BY icd",
    "SELECT days, n, n - lag(n) OVER (ORDER BY days) AS change, n * 1.0 / sum(n) OVER () AS share FROM (SELECT days, count(*) AS n FROM visit GROUP BY days) t",
    "SELECT icd, days, count(*), row_number() OVER (PARTITION BY icd ORDER BY days) AS k FROM visit GROUP BY icd, days",
    "SELECT icd, days, count(*) AS n, sum(cost) AS s FROM visit GROUP BY ROLLUP (icd, days)",
    "SELECT icd, days, count(*) AS n, grouping(icd) AS all_icd, grouping(days) AS all_days FROM visit GROUP BY CUBE (icd, days)",
    "SELECT icd, extract(year FROM date) AS y, avg(days) FROM visit GROUP BY GROUPING SETS ((icd, extract(year FROM date)), (icd), ())",
    "SELECT icd, days, count(*) AS n FROM visit GROUP BY icd, ROLLUP (days) HAVING count(*) > 1",
    "SELECT 'visits' AS what, count(*) AS n FROM visit UNION ALL SELECT 'people', count(*) FROM person",
    "SELECT icd AS what, sum(cost) AS n FROM visit GROUP BY icd UNION ALL SELECT 'people', count(*) FROM person UNION ALL SELECT code, 0 FROM icd10",
    "SELECT count(*) AS n FROM visit UNION SELECT count(*) FROM visit WHERE days > 0",
    "SELECT n, count(*) AS k FROM (SELECT icd, days, count(*) AS n FROM visit GROUP BY icd, days) t GROUP BY ROLLUP (n)",
    "SELECT a.n, b.n FROM (SELECT count(*) AS n FROM visit) a CROSS JOIN (SELECT count(*) AS n FROM person) b",
];

async fn equal(queries: &[&str]) {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    for sql in queries {
        let (_, ours) = answer(&grant, &engine, sql, None).await;
        let theirs = reference(&tables, sql).await;
        same_rows(sql, &ours, &theirs);
    }
}

#[tokio::test]
async fn conditions_inside_of_aggregates() {
    equal(CONDITIONS).await;
}

#[tokio::test]
async fn deviations_and_correlations() {
    equal(DEVIATIONS).await;
}

#[tokio::test]
async fn joins_of_every_kind() {
    equal(JOINS).await;
}

#[tokio::test]
async fn aggregation_per_person() {
    equal(PER_PERSON).await;
}

#[tokio::test]
async fn several_frontiers() {
    equal(SEVERAL).await;
}

/// What has the same form but another meaning, with the code under which it is refused.
#[rustfmt::skip]
const REFUSED: &[(&str, &str)] = &[
    // A number of one person among those of many.
    ("SELECT sum(cost % 7) FROM visit", "TRE-SQL-008"),
    ("SELECT sum(cost / days) FROM visit", "TRE-SQL-008"),
    ("SELECT sum(age) FROM person", "TRE-SQL-008"),
    ("SELECT sum(age * 2) FROM person", "TRE-SQL-008"),
    ("SELECT sum(CASE WHEN age > 40 THEN age ELSE 0 END) FROM person", "TRE-SQL-008"),
    ("SELECT sum(cost * days * days) FROM visit", "TRE-SQL-008"),
    ("SELECT sum(n) FROM (SELECT pid, max(age) AS n FROM person GROUP BY pid) t", "TRE-SQL-008"),
    ("SELECT sum(rn) FROM (SELECT pid, row_number() OVER (PARTITION BY pid ORDER BY date) AS rn FROM visit) t", "TRE-SQL-008"),
    ("SELECT max(icd) FROM visit", "TRE-SQL-007"),
    ("SELECT max(days + 1) FROM visit", "TRE-SQL-007"),
    ("SELECT stddev(age) FROM person", "TRE-SQL-008"),
    ("SELECT stddev(cost + days) FROM visit", "TRE-SQL-008"),
    ("SELECT corr(cost * days, days) FROM visit", "TRE-SQL-008"),
    ("SELECT var(CASE WHEN cost > 5 THEN 1 ELSE 0 END) FROM visit", "TRE-SQL-008"),
    ("SELECT string_agg(icd, ',') FROM visit", "TRE-SQL-007"),
    ("SELECT median(cost) FROM visit", "TRE-SQL-007"),
    ("SELECT count(distinct icd), count(*) FROM visit", "TRE-SQL-007"),
    // A row per person.
    ("SELECT pid, count(*) FROM visit GROUP BY pid", "TRE-SQL-006"),
    ("SELECT n FROM (SELECT pid, count(*) AS n FROM visit GROUP BY pid) t", "TRE-SQL-006"),
    ("SELECT DISTINCT pid FROM visit", "TRE-SQL-006"),
    // People of two rows, and public rows that live or die by people's.
    ("SELECT count(*) FROM visit a JOIN visit b ON a.icd = b.icd", "TRE-SQL-013"),
    ("SELECT count(*) FROM visit a WHERE EXISTS (SELECT 1 FROM visit b WHERE b.icd = a.icd AND b.days > a.days)", "TRE-SQL-013"),
    ("SELECT count(*) FROM icd10 WHERE EXISTS (SELECT 1 FROM visit WHERE icd = code)", "TRE-SQL-013"),
    ("SELECT chapter, count(icd) FROM icd10 LEFT JOIN visit ON icd = code GROUP BY chapter", "TRE-SQL-013"),
    ("SELECT count(*) FROM person p FULL JOIN visit v ON v.pid = p.pid", "TRE-SQL-013"),
    ("SELECT count(*) FROM visit WHERE icd NOT IN (SELECT code FROM icd10)", "TRE-SQL-013"),
    // Rows that count twice.
    ("SELECT sum(cost) FROM (SELECT pid, cost FROM visit UNION ALL SELECT pid, cost FROM visit WHERE days = 2) t", "TRE-SQL-013"),
    // Windows across people.
    ("SELECT count(*) FROM (SELECT pid, row_number() OVER (ORDER BY cost) AS rn FROM visit) t WHERE rn = 1", "TRE-SQL-006"),
    ("SELECT count(*) FROM (SELECT pid, rank() OVER (PARTITION BY pid ORDER BY cost) AS rn FROM visit) t WHERE rn = 1", "TRE-SQL-009"),
    // The pid of a row that may not be there.
    ("SELECT count(*) FROM (SELECT v.pid, count(*) AS n FROM person p LEFT JOIN visit v ON v.pid = p.pid GROUP BY v.pid) t", "TRE-SQL-006"),
    ("SELECT count(*) FROM person p LEFT JOIN visit v ON v.pid = p.pid JOIN visit w ON w.pid = v.pid", "TRE-SQL-006"),
];

#[tokio::test]
async fn what_cannot_be_told_apart_is_refused() {
    let mut wrong = vec![];
    for (sql, code) in REFUSED {
        match refuse(sql).await {
            None => wrong.push(format!("let through: {sql}")),
            Some(problem) if problem.code.id != *code => wrong.push(format!("{sql}\n  {problem}")),
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
