//! Twelve questions of the kinds that researchers ask of claims. Both sides get the same text.

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// What a table calls it.
    pub name: &'static str,
    /// One SELECT.
    pub sql: &'static str,
}

/// From one cell to about three thousand, from one column to joins of people's tables and public ones.
pub const QUERIES: [Query; 12] = [
    Query {
        name: "everything at once",
        sql: "SELECT count(*) AS claims, count(distinct pid) AS people, sum(points) AS points FROM claims",
    },
    Query {
        name: "by month",
        sql: "SELECT claim_month, count(*) AS claims, sum(points) AS points \
              FROM claims GROUP BY claim_month ORDER BY claim_month",
    },
    Query {
        name: "by diagnosis",
        sql: "SELECT icd10, count(distinct pid) AS people, avg(points) AS mean_points \
              FROM claims GROUP BY icd10 ORDER BY people DESC",
    },
    Query {
        name: "drugs of diabetes",
        sql: "SELECT yj, count(*) AS claims, count(distinct pid) AS people, sum(days) AS days \
              FROM claims WHERE icd10 LIKE 'E1%' AND claim_month >= DATE '2024-04-01' GROUP BY yj",
    },
    Query {
        name: "by sex and age (join on pid)",
        sql: "SELECT p.sex, p.birth_year, count(distinct c.pid) AS people, sum(c.points) AS points, avg(c.days) AS days \
              FROM claims c JOIN persons p ON c.pid = p.pid GROUP BY p.sex, p.birth_year",
    },
    Query {
        name: "by prefecture (public join)",
        sql: "SELECT m.prefecture, count(*) AS claims, count(distinct c.pid) AS people, sum(c.points) AS points \
              FROM claims c JOIN municipalities m ON c.municipality = m.code GROUP BY m.prefecture",
    },
    Query {
        name: "diabetes by month (filtered)",
        sql: "SELECT claim_month, count(*) AS claims, sum(CASE WHEN icd10 LIKE 'E1%' THEN points ELSE 0 END) AS diabetes, \
              count(*) FILTER (WHERE days > 10) AS long_claims FROM claims GROUP BY claim_month",
    },
    Query {
        name: "people by diagnosis and month",
        sql: "SELECT icd10, claim_month, count(distinct pid) AS people FROM claims GROUP BY icd10, claim_month",
    },
    Query {
        name: "smallest and largest",
        sql: "SELECT icd10, min(days) AS fewest, max(days) AS most, min(claim_month) AS first, count(*) AS claims \
              FROM claims GROUP BY icd10",
    },
    Query {
        name: "claims per person, then the mean",
        sql: "SELECT p.sex, count(*) AS people, avg(v.claims) AS mean_claims, avg(v.points) AS mean_points \
              FROM (SELECT pid, count(*) AS claims, sum(points) AS points FROM claims GROUP BY pid) v \
              JOIN persons p ON p.pid = v.pid GROUP BY p.sex",
    },
    Query {
        name: "drug of everybody (left join)",
        sql: "SELECT p.birth_year, count(distinct p.pid) AS people, count(c.points) AS claims, sum(c.points) AS points \
              FROM persons p LEFT JOIN claims c ON c.pid = p.pid AND c.yj LIKE '396%' GROUP BY p.birth_year",
    },
    Query {
        name: "people with a diagnosis (EXISTS)",
        sql: "SELECT p.sex, p.birth_year, count(*) AS people FROM persons p \
              WHERE EXISTS (SELECT 1 FROM claims c WHERE c.pid = p.pid AND c.icd10 = 'I10') \
              GROUP BY p.sex, p.birth_year",
    },
];
