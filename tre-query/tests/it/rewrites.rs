//! Every kind of rewrite is SQL that the desk reads, and means the plan that it says.

use output_checker::lineage::lineage;
use output_checker::rewrites::{Proposal, Rewrite, propose};
use output_checker::{Decision, judge_question};
use tre_core::grant::Grant;
use tre_core::manifest::Bounds;
use tre_core::policy::Policy;
use tre_core::types::{ColumnType, Value};
use tre_query::desk::{Desk, DeskTable};

use crate::fixture::{Table, column, opened, text};

const NDB: &str = include_str!("../../../policies/sdc/ndb.toml");
const ACRO: &str = include_str!("../../../policies/sdc/acro-defaults.toml");

/// Claims with a column of every kind that has rewrites.
fn claims() -> Vec<Table> {
    let text_column = |name, generalised: &str, tag: &str| {
        let mut column = column(name, ColumnType::Text);
        column.generalised = generalised.to_owned();
        column.tag = (!tag.is_empty()).then(|| tag.to_owned());
        column
    };
    let measured = |name, column_type, min, max| {
        let mut column = column(name, column_type);
        column.measure = Some(Bounds { min, max });
        column
    };
    let cents = |unscaled| Value::Decimal { unscaled, scale: 2 };
    let mut age = column("age", ColumnType::Int);
    age.generalised = "bands".to_owned();
    age.domain = Some([0, 18, 40, 65].map(Value::Int).to_vec());
    let mut month = column("month", ColumnType::Date);
    month.generalised = "month".to_owned();
    let mut place = text_column("place", "", "jis-x-0402");
    place.hierarchy = Some("places.code".to_owned());
    let mut sex = column("sex", ColumnType::Text);
    sex.domain = Some(vec![text("F"), text("M")]);
    vec![
        Table {
            name: "claim",
            public: false,
            columns: vec![
                sex,
                age,
                month,
                column("seen", ColumnType::Timestamp),
                text_column("icd", "prefix 3", "icd10"),
                text_column("yj", "prefix 7", "yj"),
                text_column("ward", "prefix 4", ""),
                place,
                measured("cost", ColumnType::Decimal { scale: 2 }, cents(0), cents(100_000)),
                measured("days", ColumnType::Int, Value::Int(0), Value::Int(31)),
                measured("change", ColumnType::Int, Value::Int(-100), Value::Int(100)),
            ],
            rows: vec![],
        },
        Table {
            name: "places",
            public: true,
            columns: vec![
                text_column("code", "", "jis-x-0402"),
                text_column("name", "", ""),
                text_column("prefecture", "", "jis-x-0401"),
            ],
            rows: vec![],
        },
    ]
}

/// A query in parts, so that a rewrite can be carried out as its sentence says.
#[derive(Debug, Clone)]
struct Query {
    keys: Vec<String>,
    values: Vec<String>,
    from: String,
    conditions: Vec<String>,
}

impl Query {
    fn sql(&self) -> String {
        let selected: Vec<&str> = self.keys.iter().chain(&self.values).map(String::as_str).collect();
        let mut sql = format!("SELECT {} FROM {}", selected.join(", "), self.from);
        if !self.conditions.is_empty() {
            sql.push_str(&format!(" WHERE {}", self.conditions.join(" AND ")));
        }
        if !self.keys.is_empty() {
            sql.push_str(&format!(" GROUP BY {}", self.keys.join(", ")));
        }
        sql
    }

    fn rewritten(&self, rewrite: &Rewrite) -> Query {
        let mut query = self.clone();
        for parts in [&mut query.keys, &mut query.values, &mut query.conditions] {
            let left_out: Vec<&str> = rewrite.replace.split(", ").collect();
            if rewrite.by.is_empty() {
                parts.retain(|part| part != &rewrite.replace && !left_out.contains(&part.as_str()));
            } else {
                for part in parts.iter_mut().filter(|part| **part == rewrite.replace) {
                    part.clone_from(&rewrite.by);
                }
            }
        }
        if let Some(key) = rewrite.add.strip_prefix("GROUP BY ") {
            let key = key.to_owned();
            // A key that takes the place of values stands in front of the count already.
            if let Some(count) = rewrite.by.strip_prefix(&format!("{key}, ")) {
                query.values = vec![count.to_owned()];
            }
            query.keys.push(key);
        } else if let Some(condition) = rewrite.add.strip_prefix("WHERE ") {
            query.conditions.push(condition.to_owned());
        } else if !rewrite.add.is_empty() {
            query.from.push_str(&format!(" {}", rewrite.add));
        }
        query
    }
}

fn query(keys: &[&str], values: &[&str], from: &str, conditions: &[&str]) -> Query {
    let owned = |parts: &[&str]| parts.iter().map(|part| (*part).to_owned()).collect();
    Query {
        keys: owned(keys),
        values: owned(values),
        from: from.to_owned(),
        conditions: owned(conditions),
    }
}

async fn proposals(sql: &str, grant: &Grant, policy: &Policy) -> Vec<Proposal> {
    let mut desk = Desk::open(DeskTable::of_grant(grant)).unwrap();
    let planned = desk
        .plan("q", sql, None, true)
        .await
        .unwrap_or_else(|problem| panic!("{sql}: {problem}"));
    propose(&planned.frontiers, grant, policy)
}

#[tokio::test]
async fn every_rewrite_is_sql_that_is_planned_and_may_be_asked() {
    let grant = opened(&claims(), |_| {}).grant;
    let policy = |id: &str, text: &str| Policy::parse(&id.parse().unwrap(), text).unwrap();
    let ndb = policy("ndb", NDB);
    let acro = policy("acro-defaults", ACRO);
    let narrow = policy("ndb", &NDB.replace("max_keys = 10", "max_keys = 1"));
    let listed = policy(
        "ndb",
        &NDB.replace("minimum = 10, values = []", "minimum = 10, values = [\"13101\"]"),
    );
    let count = &["count(distinct pid)"];
    let one = |key: &'static str| query(&[key], count, "claim", &[]);
    // (query, policy, words of which each stands in some rewrite)
    let cases: Vec<(Query, &Policy, &[&str])> = vec![
        (one("sex"), &ndb, &["leave out `sex`"]),
        (one("age"), &ndb, &["CASE WHEN age >= 40 THEN 40"]),
        (
            one("month"),
            &ndb,
            &["date_trunc('quarter', month)", "date_trunc('year', month)"],
        ),
        (one("seen"), &ndb, &["date_trunc('month', seen)"]),
        (
            one("date_trunc('month', seen)"),
            &ndb,
            &["date_trunc('quarter', seen)"],
        ),
        (one("extract(month FROM month)"), &ndb, &["extract(quarter FROM"]),
        (one("icd"), &ndb, &["substr(icd, 1, 1)"]),
        (one("yj"), &ndb, &["substr(yj, 1, 4)"]),
        (one("substr(yj, 1, 4)"), &ndb, &["substr(yj, 1, 3)"]),
        (one("ward"), &ndb, &["substr(ward, 1, 3)"]),
        (one("days"), &ndb, &["days / 5 * 5"]),
        (one("days / 5 * 5"), &ndb, &["/ 10 * 10"]),
        (one("cost"), &ndb, &["CASE WHEN cost >= 800.00"]),
        (one("place"), &ndb, &["LEFT JOIN places ON places.code = place"]),
        (
            query(&["c.place"], count, "claim AS c", &[]),
            &ndb,
            &["LEFT JOIN places ON places.code = c.place"],
        ),
        (
            query(
                &["c.place"],
                count,
                "claim AS c JOIN places AS p ON p.code = c.place",
                &[],
            ),
            &listed,
            &["LEFT JOIN places AS coarser ON coarser.code = c.place"],
        ),
        (
            query(&["sex"], &["max(days)"], "claim", &[]),
            &ndb,
            &["days / 5 * 5, count(distinct pid)"],
        ),
        (
            query(
                &["t.sex"],
                &["max(n)"],
                "(SELECT pid, sex, count(*) AS n FROM claim GROUP BY pid, sex) AS t",
                &[],
            ),
            &ndb,
            &["n, count(distinct pid)"],
        ),
        (
            query(&["sex"], &["sum(change)"], "claim", &[]),
            &acro,
            &["sum(change) FILTER (WHERE change > 0)"],
        ),
        (
            query(&["sex"], &["count(*)", "sum(cost)"], "claim", &["days > 1"]),
            &ndb,
            &["WHERE cost IS NOT NULL"],
        ),
        (
            query(&["sex", "age", "month"], count, "claim", &[]),
            &narrow,
            &["leave out `age, month`"],
        ),
        (
            query(&["sex"], count, "claim", &["place = '13101'", "days > 1"]),
            &listed,
            &["group by `place` instead of selecting by it"],
        ),
    ];
    for (query, policy, words) in cases {
        let proposed = proposals(&query.sql(), &grant, policy).await;
        for word in words {
            let told = |proposal: &&Proposal| proposal.rewrite.what.contains(word);
            assert!(
                proposed.iter().any(|proposal| told(&proposal)),
                "{word} for {}: {proposed:#?}",
                query.sql()
            );
        }
        for Proposal { rewrite, frontiers } in &proposed {
            let changed = query.rewritten(rewrite).sql();
            assert_ne!(changed, query.sql(), "{rewrite:?} changes nothing");
            let mut desk = Desk::open(DeskTable::of_grant(&grant)).unwrap();
            let planned = desk.plan("q", &changed, None, true).await;
            let planned = planned.unwrap_or_else(|problem| panic!("{changed}\n{problem}"));
            assert_eq!(planned.frontiers.len(), frontiers.len(), "{changed}");
            for (of_text, of_plan) in planned.frontiers.iter().zip(frontiers) {
                let of_text =
                    lineage(of_text, &grant).unwrap_or_else(|problem| panic!("{changed}\n{problem}"));
                let of_plan = lineage(of_plan, &grant).unwrap();
                assert_eq!(judge_question(&of_text, policy), Decision::Release, "{changed}");
                assert_eq!(of_text.layout.values, of_plan.layout.values, "{changed}");
                assert_eq!(of_text.keys.len(), of_plan.keys.len(), "{changed}");
                let tags = |lineage: &output_checker::lineage::Lineage| -> Vec<_> {
                    lineage.keys.iter().map(|key| key.tag.clone()).collect()
                };
                assert_eq!(tags(&of_text), tags(&of_plan), "{changed}");
            }
        }
    }
}
