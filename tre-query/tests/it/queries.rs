//! Whole queries: cut, run below, run above. Without treatment the answer is plain DataFusion's.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::ScalarValue;
use datafusion::prelude::{SessionConfig, SessionContext};
use output_checker::lineage::lineage;
use tre_core::status::{Rule, Status, StatusCode};
use tre_query::data::Engine;
use tre_query::desk::{Desk, DeskTable};

use crate::fixture::{Table, clinic, engine};

/// Runs a query over untreated cells; `suppress` names a base-cell value (first key, value) to suppress.
pub(crate) async fn answer(
    grant: &tre_core::grant::Grant,
    engine: &Engine,
    sql: &str,
    suppress: Option<(&str, usize)>,
) -> (SchemaRef, RecordBatch) {
    let mut desk = Desk::open(DeskTable::of_grant(grant)).unwrap();
    let planned = desk
        .plan("q", sql, None, true)
        .await
        .unwrap_or_else(|p| panic!("{sql}: {p}"));
    let mut treated = vec![];
    for frontier in &planned.frontiers {
        let layout = lineage(frontier, grant)
            .unwrap_or_else(|p| panic!("{sql}: {p}"))
            .layout;
        let (_, batch) = engine.run(frontier).unwrap_or_else(|e| panic!("{sql}: {e}"));
        let keys = layout.keys.len();
        let (mut columns, mut statuses): (Vec<ArrayRef>, Vec<ArrayRef>) =
            (batch.columns()[..keys].to_vec(), vec![]);
        for value in 0..layout.values.len() {
            let column = &batch.columns()[keys + value];
            // By key: base groups come in no order.
            let gone = |row: usize| {
                suppress.is_some_and(|(key, of)| of == value && text(&batch.columns()[0], row) == key)
            };
            let keep: arrow::array::BooleanArray = (0..column.len()).map(|row| Some(gone(row))).collect();
            columns.push(arrow::compute::nullif(column, &keep).unwrap());
            let code = |row| {
                if gone(row) {
                    StatusCode::new(Status::Suppressed, Rule::Threshold)
                } else {
                    StatusCode::SHOWN
                }
            };
            statuses.push(Arc::new(Int32Array::from_iter_values(
                (0..column.len()).map(|row| code(row).as_i32()),
            )));
        }
        columns.extend(statuses);
        let fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(i, c)| Field::new(i.to_string(), c.data_type().clone(), true))
            .collect();
        treated.push(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap());
    }
    let public = planned
        .public_reads
        .iter()
        .map(|read| engine.read_public(read).unwrap())
        .collect();
    let (schema, batches) = desk
        .finish("q", treated, public)
        .await
        .unwrap_or_else(|p| panic!("{sql}: {p}"));
    assert_eq!(
        schema, planned.schema,
        "{sql}: the answer has the schema that was planned"
    );
    (Arc::clone(&schema), concat_batches(&schema, &batches).unwrap())
}

fn text(column: &ArrayRef, row: usize) -> String {
    array_value_to_string(column, row).unwrap()
}

/// The same query by plain DataFusion over plain columns.
pub(crate) async fn reference(tables: &[Table], sql: &str) -> RecordBatch {
    let mut config = SessionConfig::new().with_target_partitions(1);
    config.options_mut().sql_parser.parse_float_as_decimal = true;
    config.options_mut().sql_parser.map_string_types_to_utf8view = false;
    let context = SessionContext::new_with_config(config);
    for table in tables {
        context.register_batch(table.name, table.plain()).unwrap();
    }
    let batches = context
        .sql(sql)
        .await
        .unwrap_or_else(|e| panic!("{sql}: {e}"))
        .collect()
        .await
        .unwrap();
    concat_batches(&batches[0].schema(), &batches).unwrap()
}

/// Rows as text, sorted unless the query orders them.
/// A value as text; of floating-point numbers the digits that do not depend on the order of additions.
fn printed(value: &ScalarValue) -> String {
    if let ScalarValue::Float64(Some(number)) = value {
        format!("{number:.11e}")
    } else {
        value.to_string()
    }
}

fn rows(batch: &RecordBatch, columns: usize, ordered: bool) -> Vec<String> {
    let mut rows: Vec<String> = (0..batch.num_rows())
        .map(|row| {
            let cells = batch.columns()[..columns]
                .iter()
                .map(|c| printed(&ScalarValue::try_from_array(c, row).unwrap()));
            cells.collect::<Vec<_>>().join("|")
        })
        .collect();
    if !ordered {
        rows.sort();
    }
    rows
}

const SAME_AS_DATAFUSION: &[&str] = &[
    "SELECT 1 AS one",
    "SELECT count(*) FROM visit",
    "SELECT icd, count(*) AS n FROM visit GROUP BY icd",
    "SELECT icd, count(*) AS n, count(cost), sum(cost), avg(cost), avg(days), sum(days) FROM visit GROUP BY icd",
    "SELECT count(distinct pid) FROM visit WHERE cost > 10.5",
    "SELECT sex, count(distinct v.pid) AS people FROM visit v JOIN person p ON v.pid = p.pid GROUP BY sex ORDER BY sex",
    "SELECT sex, sum(cost) FROM visit v, person p WHERE v.pid = p.pid AND p.age BETWEEN 30 AND 50 GROUP BY sex",
    "SELECT chapter, count(*) FROM visit JOIN icd10 ON icd = code GROUP BY chapter",
    "SELECT chapter, sex, count(*) FROM icd10 JOIN visit v ON v.icd = icd10.code JOIN person p ON p.pid = v.pid GROUP BY 1, 2",
    "SELECT extract(year FROM date) AS y, extract(quarter FROM date) AS q, count(*) FROM visit GROUP BY 1, 2",
    "SELECT icd, n FROM (SELECT icd, count(*) AS n FROM visit GROUP BY icd) t WHERE n > 5 ORDER BY n DESC, icd LIMIT 2",
    "SELECT icd, count(*) AS n FROM visit GROUP BY icd HAVING count(*) > 8 ORDER BY icd",
    "SELECT upper(substr(icd, 1, 1)) AS letter, count(*) FROM visit WHERE icd IS NOT NULL GROUP BY 1",
    "SELECT icd, sum(cost) / count(*) AS per_visit FROM visit GROUP BY icd",
    "SELECT max(n), min(n), sum(n), avg(n) FROM (SELECT icd, count(*) AS n FROM visit GROUP BY icd) t",
    "SELECT round(avg(n), 1) FROM (SELECT days, count(*) AS n FROM visit GROUP BY days) t",
    "WITH t AS (SELECT icd, count(*) AS n FROM visit GROUP BY icd) SELECT a.icd, a.n, b.n AS m FROM t a JOIN t b ON a.icd = b.icd",
    "WITH t AS (SELECT icd, count(*) AS n FROM visit GROUP BY icd) SELECT icd FROM t WHERE n > (SELECT avg(n) FROM t)",
    "SELECT t.icd, n, chapter FROM (SELECT icd, count(*) AS n FROM visit GROUP BY icd) t LEFT JOIN icd10 ON code = t.icd",
    "SELECT * FROM icd10 ORDER BY code",
    "SELECT chapter, count(*) FROM icd10 GROUP BY chapter",
    "SELECT count(*) FROM visit WHERE icd IN ('I10', 'E11') AND NOT (cost < 0 OR cost IS NULL)",
    "SELECT count(*) FROM visit WHERE icd LIKE 'I%' OR icd ILIKE 'e1_'",
    "SELECT count(*) FROM visit WHERE date >= date '2005-08-05' AND date < date '2005-08-05' + interval '3 months'",
    "SELECT days % 2 AS odd, count(*) FROM visit WHERE days + 1 > 2 GROUP BY days % 2",
    "SELECT DISTINCT n FROM (SELECT icd, count(*) AS n FROM visit GROUP BY icd) t",
    "SELECT count(*) FROM visit WHERE (cost > 5) IS TRUE",
    "SELECT count(pid), count(1) FROM person WHERE pid IS NOT NULL",
    "SELECT sex, age, count(*) FROM person GROUP BY sex, age",
    "SELECT CASE WHEN n > 10 THEN 'many' ELSE 'few' END AS size, count(*) FROM (SELECT icd, count(*) AS n FROM visit GROUP BY icd) t GROUP BY 1",
];

#[tokio::test]
async fn without_treatment_the_answer_is_plain_datafusions() {
    let tables = clinic();
    let (grant, engine) = engine(&tables);
    for sql in SAME_AS_DATAFUSION {
        let (_, ours) = answer(&grant, &engine, sql, None).await;
        let theirs = reference(&tables, sql).await;
        same_rows(sql, &ours, &theirs);
    }
}

/// The answer has the reference's rows, and nothing was done to any.
pub(crate) fn same_rows(sql: &str, ours: &RecordBatch, theirs: &RecordBatch) {
    let ordered = sql.contains("ORDER BY") && !sql.contains("OVER (");
    let columns = theirs.num_columns();
    assert_eq!(ours.num_columns(), columns + 1, "{sql}: disclosure comes last");
    assert_eq!(
        rows(ours, columns, ordered),
        rows(theirs, columns, ordered),
        "{sql}"
    );
    let disclosure = ours.column(columns).as_string::<i32>();
    assert!(disclosure.iter().all(|text| text == Some("")), "{sql}");
}

#[tokio::test]
async fn a_suppressed_value_is_null_in_everything_computed_from_it() {
    let (grant, engine) = engine(&clinic());
    let base = "SELECT icd, count(*) AS n, sum(cost) AS c FROM visit WHERE icd IS NOT NULL GROUP BY icd";
    let mut text = String::new();
    for sql in [
        format!("{base} ORDER BY icd"),
        format!(
            "SELECT icd, coalesce(n, 0) AS n0, n + 1 AS n1, c / n AS ratio, c FROM ({base}) t ORDER BY icd"
        ),
        format!("SELECT sum(n) AS all_n, count(n) AS k, count(*) AS groups, sum(c) AS all_c FROM ({base}) t"),
        format!("SELECT icd FROM ({base}) t WHERE n > 0 ORDER BY n"),
        format!(
            "SELECT a.n AS left_n, b.c AS right_c FROM ({base}) a LEFT JOIN ({base}) b ON a.icd = b.icd ORDER BY 1, 2"
        ),
        format!(
            "SELECT icd, sum(n) OVER (ORDER BY icd) AS running, rank() OVER (ORDER BY n) AS place, lag(n) OVER (ORDER BY icd) AS before FROM ({base}) t ORDER BY icd"
        ),
        "SELECT icd, avg(cost) AS mean FROM visit GROUP BY icd ORDER BY icd".to_owned(),
    ] {
        // the count (in the last query: the sum) of one diagnosis
        let (_, batch) = answer(&grant, &engine, &sql, Some(("I10", 0))).await;
        text.push_str(&format!(
            "{sql}\n{}\n\n",
            pretty_format_batches(&[batch]).unwrap()
        ));
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn placeholders_are_typed_counted_and_bound() {
    let (grant, engine) = engine(&clinic());
    let mut desk = Desk::open(DeskTable::of_grant(&grant)).unwrap();
    let sql = "SELECT count(*) FROM visit WHERE icd = ? AND days >= ? -- what?";
    let planned = desk.plan("a", sql, None, true).await.unwrap();
    let types: Vec<_> = planned
        .parameters
        .fields()
        .iter()
        .map(|f| f.data_type().to_string())
        .collect();
    assert_eq!(types, ["Utf8", "Int64"]);
    assert!(
        planned.frontiers.is_empty(),
        "nothing is asked before it is bound"
    );
    let bind = |values: Vec<ScalarValue>| {
        let columns: Vec<ArrayRef> = values.iter().map(|v| v.to_array().unwrap()).collect();
        let fields: Vec<Field> = columns
            .iter()
            .enumerate()
            .map(|(i, c)| Field::new(i.to_string(), c.data_type().clone(), true))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    };
    let good = bind(vec![ScalarValue::from("I10"), ScalarValue::from(2_i64)]);
    let planned = desk.plan("b", sql, Some(&good), true).await.unwrap();
    engine.run(&planned.frontiers[0]).unwrap();
    let few = bind(vec![ScalarValue::from("I10")]);
    assert_eq!(
        desk.plan("c", sql, Some(&few), true).await.unwrap_err().code.id,
        "TRE-SQL-011"
    );
    let other = bind(vec![ScalarValue::from("I10"), ScalarValue::from("x")]);
    assert_eq!(
        desk.plan("d", sql, Some(&other), true).await.unwrap_err().code.id,
        "TRE-SQL-011"
    );
}
