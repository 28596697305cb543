//! The desk's planner: the project's tables, an allow-list of functions, an explicit list of rules.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider, SchemaProvider,
};
use datafusion::error::DataFusionError;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::execution::{SessionState, SessionStateDefaults};
use datafusion::logical_expr::{AggregateUDF, LogicalPlan, ScalarUDF, WindowUDF};
use datafusion::optimizer::decorrelate_predicate_subquery::DecorrelatePredicateSubquery;
use datafusion::optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion::optimizer::extract_equijoin_predicate::ExtractEquijoinPredicate;
use datafusion::optimizer::optimizer::Optimizer;
use datafusion::optimizer::replace_distinct_aggregate::ReplaceDistinctWithAggregate;
use datafusion::optimizer::scalar_subquery_to_join::ScalarSubqueryToJoin;
use datafusion::optimizer::simplify_expressions::SimplifyExpressions;
use datafusion::prelude::SessionConfig;

use output_checker::catalogue::OFFERED;
use tre_core::codes::{self, Problem};

use super::names::{DeskTable, NamedTable};

/// The planner's name for all that a project has.
pub(super) const CATALOG: &str = "tre";
/// Schema of tables that are named without their dataset.
pub(super) const PROJECT_SCHEMA: &str = "project";

/// Functions that may be written. Those that the algebra knows work below the frontier, all of them above it.
const SCALAR_FUNCTIONS: &[&str] = &[
    "abs",
    "btrim",
    "ceil",
    "character_length",
    "coalesce",
    "concat",
    "date_part",
    "date_trunc",
    "exp",
    "floor",
    "greatest",
    "least",
    "left",
    "ln",
    "log10",
    "lower",
    "nullif",
    "power",
    "round",
    "sqrt",
    "substr",
    "trunc",
    "upper",
];

/// Window functions that may be written. Below the frontier the lowering takes row_number alone.
const WINDOW_FUNCTIONS: &[&str] = &[
    "cume_dist",
    "dense_rank",
    "lag",
    "lead",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
];

/// A planner for these tables.
///
/// # Errors
/// A [`Problem`] when the catalogue cannot be built.
pub(super) fn desk_state(tables: Vec<DeskTable>) -> Result<SessionState, Problem> {
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(CATALOG, PROJECT_SCHEMA)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_target_partitions(1);
    let options = config.options_mut();
    // No floating point below the frontier: 0.1 is a decimal.
    options.sql_parser.parse_float_as_decimal = true;
    // The files hold Utf8; a second text type would only add casts.
    options.sql_parser.map_string_types_to_utf8view = false;
    options.execution.enable_recursive_ctes = false;
    // A scalar subquery becomes a join, which carries statuses; an engine-made value would not.
    options.optimizer.enable_physical_uncorrelated_scalar_subquery = false;

    let catalogs = MemoryCatalogProviderList::new();
    datafusion::catalog::CatalogProviderList::register_catalog(
        &catalogs,
        CATALOG.to_owned(),
        catalog(tables)?,
    );
    Ok(SessionStateBuilder::new()
        .with_config(config)
        .with_catalog_list(Arc::new(catalogs))
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(allowed_scalars())
        .with_aggregate_functions(allowed_aggregates())
        .with_window_functions(allowed_windows())
        .with_table_function_list(vec![])
        .build())
}

fn allowed_scalars() -> Vec<Arc<ScalarUDF>> {
    let mut functions = SessionStateDefaults::default_scalar_functions();
    functions.retain(|function| SCALAR_FUNCTIONS.contains(&function.name()));
    functions
}

fn allowed_windows() -> Vec<Arc<WindowUDF>> {
    let mut functions = SessionStateDefaults::default_window_functions();
    functions.retain(|function| WINDOW_FUNCTIONS.contains(&function.name()));
    functions
}

/// Aggregates of the catalogue. Below the frontier the cut refuses what has no evidence.
fn allowed_aggregates() -> Vec<Arc<AggregateUDF>> {
    let mut functions = SessionStateDefaults::default_aggregate_functions();
    // `grouping` reads the level of a row and no value.
    let offered = |name: &str| name == "grouping" || OFFERED.iter().any(|offered| offered.function == name);
    functions.retain(|function| offered(function.name()));
    functions
}

/// Every table as `dataset.table`, and as `table` alone where that names one.
fn catalog(tables: Vec<DeskTable>) -> Result<Arc<MemoryCatalogProvider>, Problem> {
    let failed = |error: DataFusionError| Problem::of(&codes::RUN_INTERNAL, first_line(&error));
    let catalog = MemoryCatalogProvider::new();
    let project = Arc::new(MemorySchemaProvider::new());
    catalog
        .register_schema(PROJECT_SCHEMA, Arc::clone(&project) as _)
        .map_err(failed)?;
    let mut named: HashMap<String, usize> = HashMap::new();
    for table in &tables {
        *named.entry(table.table.to_string()).or_default() += 1;
    }
    for table in tables {
        let schema = match catalog.schema(table.dataset.as_str()) {
            Some(schema) => schema,
            None => {
                let schema = Arc::new(MemorySchemaProvider::new());
                catalog
                    .register_schema(table.dataset.as_str(), Arc::clone(&schema) as _)
                    .map_err(failed)?;
                schema
            }
        };
        let name = table.table.to_string();
        let provider = Arc::new(NamedTable::new(table));
        schema
            .register_table(name.clone(), Arc::clone(&provider) as _)
            .map_err(failed)?;
        if named.get(&name) == Some(&1) {
            project.register_table(name, provider).map_err(failed)?;
        }
    }
    Ok(Arc::new(catalog))
}

/// Resolves types, then applies the rules that bring a query into the shape that the cut reads. Nothing else of the
/// optimiser runs before the cut: a rule that moves an expression across the frontier would change what is judged.
///
/// # Errors
/// A [`Problem`] when types do not fit.
pub(super) fn analyze(state: &SessionState, plan: LogicalPlan) -> Result<LogicalPlan, Problem> {
    let analyzed = state
        .analyzer()
        .execute_and_check(plan, state.config_options(), |_, _| {})
        .map_err(planning_problem)?;
    let rules = Optimizer::with_rules(vec![
        // constant folding, e.g. of dates and intervals
        Arc::new(SimplifyExpressions::new()),
        // SELECT DISTINCT as GROUP BY
        Arc::new(ReplaceDistinctWithAggregate::new()),
        // IN and EXISTS as joins
        Arc::new(DecorrelatePredicateSubquery::new()),
        Arc::new(ScalarSubqueryToJoin::new()),
        // `FROM a, b WHERE a.pid = b.pid` as a join on pid
        Arc::new(ExtractEquijoinPredicate::new()),
        Arc::new(EliminateCrossJoin::new()),
    ]);
    rules
        .optimize(analyzed, state, |_, _| {})
        .map_err(planning_problem)
}

/// One field per placeholder, named `$1`, `$2`, …, in order. A placeholder whose type the query does not tell is text.
///
/// # Errors
/// A [`Problem`] when numbers are left out.
pub(super) fn parameter_schema(plan: &LogicalPlan) -> Result<SchemaRef, Problem> {
    let types = plan.get_parameter_types().map_err(planning_problem)?;
    let mut fields = Vec::with_capacity(types.len());
    for position in 1..=types.len() {
        let name = format!("${position}");
        let Some(data_type) = types.get(&name) else {
            return Err(Problem::of(
                &codes::SQL_PARAMETERS,
                format!("the query has no placeholder `{name}`"),
            ));
        };
        fields.push(Field::new(
            name,
            data_type.clone().unwrap_or(DataType::Utf8),
            true,
        ));
    }
    Ok(Arc::new(Schema::new(fields)))
}

/// The first line of an engine's message: what it says of the SQL, without backtraces and hints for developers.
pub(super) fn first_line(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    text.lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(400)
        .collect()
}

/// A planner's error in the words of the analyst. The planner has seen names and types only, so its text may be told.
pub(super) fn planning_problem(error: DataFusionError) -> Problem {
    let root = error.find_root();
    let code = match root {
        DataFusionError::SQL(parser, _) => return super::syntax::syntax_problem(parser, 0),
        DataFusionError::SchemaError(..) => &codes::SQL_UNKNOWN_NAME,
        DataFusionError::NotImplemented(_) => &codes::SQL_NOT_ALLOWED,
        DataFusionError::Plan(text) if text.contains("not found") || text.contains("No table named") => {
            &codes::SQL_UNKNOWN_NAME
        }
        DataFusionError::Plan(text) if text.contains("Invalid function") => &codes::SQL_NOT_ALLOWED,
        _ => &codes::SQL_NOT_ALLOWED,
    };
    let text = first_line(root);
    let text = text.split_once(": ").map_or(text.as_str(), |(_, rest)| rest);
    Problem::of(code, text)
}
