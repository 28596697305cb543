//! Catalogue calls, answered from the permit alone: what a project may not name does not exist.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_flight::error::FlightError;
use arrow_flight::sql::metadata::{
    SqlInfoData, SqlInfoDataBuilder, XdbcTypeInfo, XdbcTypeInfoData, XdbcTypeInfoDataBuilder,
};
use arrow_flight::sql::{
    Any, CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys,
    CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandGetXdbcTypeInfo, Nullable, Searchable, SqlInfo, XdbcDataType, XdbcDatetimeSubcode,
};
use prost::Message;
use tre_core::grant::{Grant, GrantedTable};
use tre_core::manifest::{UNIT_COLUMN, UNIT_TYPE};

/// The one catalogue.
pub(super) const CATALOG: &str = "tre";
/// The schema in which every table of the project can be named by its bare name, where that is unique.
pub(super) const PROJECT_SCHEMA: &str = "project";
/// What a table is called.
const TABLE_TYPE: &str = "TABLE";

/// A table's columns in SQL: `pid` first for a table about people.
fn table_schema(table: &GrantedTable) -> Schema {
    let unit = (!table.public).then(|| Field::new(UNIT_COLUMN, UNIT_TYPE, false));
    let columns = table
        .permitted_columns()
        .map(|c| Field::new(c.name.as_str(), c.column_type.arrow(), true));
    Schema::new(unit.into_iter().chain(columns).collect::<Vec<_>>())
}

/// A command that is answered here.
pub(super) enum Asked {
    Catalogs(CommandGetCatalogs),
    Schemas(CommandGetDbSchemas),
    Tables(CommandGetTables),
    TableTypes,
    SqlInfo(CommandGetSqlInfo),
    TypeInfo(CommandGetXdbcTypeInfo),
    PrimaryKeys,
    ForeignKeys,
}

/// The command in a descriptor or ticket, if it is one that is answered here.
pub(super) fn asked(bytes: &[u8]) -> Option<Asked> {
    let any = Any::decode(bytes).ok()?;
    macro_rules! first_of {
        ($($command:ty => $asked:expr),* $(,)?) => {
            $(
                if any.is::<$command>() {
                    let asked: fn($command) -> Asked = $asked;
                    return any.unpack::<$command>().ok()?.map(asked);
                }
            )*
        };
    }
    first_of! {
        CommandGetCatalogs => Asked::Catalogs,
        CommandGetDbSchemas => Asked::Schemas,
        CommandGetTables => Asked::Tables,
        CommandGetTableTypes => |_| Asked::TableTypes,
        CommandGetSqlInfo => Asked::SqlInfo,
        CommandGetXdbcTypeInfo => Asked::TypeInfo,
        CommandGetPrimaryKeys => |_| Asked::PrimaryKeys,
        CommandGetImportedKeys => |_| Asked::ForeignKeys,
        CommandGetExportedKeys => |_| Asked::ForeignKeys,
        CommandGetCrossReference => |_| Asked::ForeignKeys,
    }
    None
}

/// Answers a command.
pub(super) fn answer(asked: Asked, grant: &Grant) -> Result<RecordBatch, FlightError> {
    let missing = || FlightError::NotYetImplemented("a constant table cannot be built".to_owned());
    match asked {
        Asked::Catalogs(query) => catalogs(query),
        Asked::Schemas(query) => schemas(query, grant),
        Asked::Tables(query) => tables(query, grant),
        Asked::TableTypes => table_types(),
        Asked::SqlInfo(query) => query.into_builder(SQL_INFO.as_ref().ok_or_else(missing)?).build(),
        Asked::TypeInfo(query) => query
            .into_builder(XDBC_INFO.as_ref().ok_or_else(missing)?)
            .build(),
        // No keys are declared.
        Asked::PrimaryKeys => Ok(RecordBatch::new_empty(primary_keys_schema())),
        Asked::ForeignKeys => Ok(RecordBatch::new_empty(foreign_keys_schema())),
    }
}

/// Answers GetCatalogs.
fn catalogs(query: CommandGetCatalogs) -> Result<RecordBatch, FlightError> {
    let mut builder = query.into_builder();
    builder.append(CATALOG);
    builder.build()
}

/// Answers GetDbSchemas: one schema per dataset.
fn schemas(query: CommandGetDbSchemas, grant: &Grant) -> Result<RecordBatch, FlightError> {
    let mut builder = query.into_builder();
    let mut datasets: Vec<&str> = grant
        .tables
        .iter()
        .map(|table| table.version.dataset().as_str())
        .collect();
    datasets.sort_unstable();
    datasets.dedup();
    for dataset in datasets {
        builder.append(CATALOG, dataset);
    }
    builder.build()
}

/// Answers GetTables.
fn tables(query: CommandGetTables, grant: &Grant) -> Result<RecordBatch, FlightError> {
    let mut builder = query.into_builder();
    for table in &grant.tables {
        let schema = table_schema(table);
        builder.append(
            CATALOG,
            table.version.dataset().as_str(),
            table.table.as_str(),
            TABLE_TYPE,
            &schema,
        )?;
    }
    builder.build()
}

/// What the server can do. `None` only if the library cannot hold the values, which a test excludes.
static SQL_INFO: LazyLock<Option<SqlInfoData>> = LazyLock::new(|| {
    let mut info = SqlInfoDataBuilder::new();
    info.append(SqlInfo::FlightSqlServerName, "tre");
    info.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    info.append(SqlInfo::FlightSqlServerArrowVersion, "1.4");
    info.append(SqlInfo::FlightSqlServerReadOnly, true);
    info.append(SqlInfo::FlightSqlServerSql, true);
    info.append(SqlInfo::FlightSqlServerSubstrait, false);
    // 0: none. ADBC asks this first of all.
    info.append(SqlInfo::FlightSqlServerTransaction, 0_i32);
    info.append(SqlInfo::FlightSqlServerCancel, true);
    info.append(SqlInfo::FlightSqlServerBulkIngestion, false);
    info.append(SqlInfo::SqlDdlCatalog, false);
    info.append(SqlInfo::SqlDdlSchema, false);
    info.append(SqlInfo::SqlDdlTable, false);
    info.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    info.append(SqlInfo::SqlAllTablesAreSelectable, true);
    info.append(SqlInfo::SqlTransactionsSupported, false);
    info.append(SqlInfo::SqlSavepointsSupported, false);
    info.build().ok()
});

/// The types of SQL, for ODBC and JDBC.
static XDBC_INFO: LazyLock<Option<XdbcTypeInfoData>> = LazyLock::new(|| {
    let mut types = XdbcTypeInfoDataBuilder::new();
    // The protocol has one number for years and dates.
    let date = Some(XdbcDatetimeSubcode::XdbcSubcodeYear);
    let timestamp = Some(XdbcDatetimeSubcode::XdbcSubcodeTimestamp);
    for (name, kind, size, quote, subcode) in [
        ("BIGINT", XdbcDataType::XdbcBigint, 19, None, None),
        ("DECIMAL", XdbcDataType::XdbcDecimal, 38, None, None),
        ("BOOLEAN", XdbcDataType::XdbcBit, 1, None, None),
        ("VARCHAR", XdbcDataType::XdbcVarchar, 65_535, Some("'"), None),
        ("DATE", XdbcDataType::XdbcDate, 10, Some("'"), date),
        ("TIMESTAMP", XdbcDataType::XdbcTimestamp, 26, Some("'"), timestamp),
    ] {
        types.append(xdbc_type(name, kind, size, quote, subcode));
    }
    types.build().ok()
});

fn xdbc_type(
    name: &str,
    kind: XdbcDataType,
    size: i32,
    quote: Option<&str>,
    subcode: Option<XdbcDatetimeSubcode>,
) -> XdbcTypeInfo {
    let number = quote.is_none() && kind != XdbcDataType::XdbcBit;
    XdbcTypeInfo {
        type_name: name.to_owned(),
        data_type: kind,
        column_size: Some(size),
        literal_prefix: quote.map(str::to_owned),
        literal_suffix: quote.map(str::to_owned),
        create_params: None,
        nullable: Nullable::NullabilityNullable,
        case_sensitive: kind == XdbcDataType::XdbcVarchar,
        searchable: Searchable::Full,
        unsigned_attribute: number.then_some(false),
        fixed_prec_scale: false,
        auto_increment: None,
        local_type_name: Some(name.to_owned()),
        minimum_scale: (kind == XdbcDataType::XdbcDecimal).then_some(0),
        maximum_scale: (kind == XdbcDataType::XdbcDecimal).then_some(18),
        sql_data_type: kind,
        datetime_subcode: subcode,
        num_prec_radix: number.then_some(10),
        interval_precision: None,
    }
}

/// Schema of GetPrimaryKeys.
fn primary_keys_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("catalog_name", true),
        text("db_schema_name", true),
        text("table_name", false),
        text("column_name", false),
        Field::new("key_sequence", DataType::Int32, false),
        text("key_name", true),
    ]))
}

/// Schema of GetImportedKeys, GetExportedKeys and GetCrossReference.
fn foreign_keys_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text("pk_catalog_name", true),
        text("pk_db_schema_name", true),
        text("pk_table_name", false),
        text("pk_column_name", false),
        text("fk_catalog_name", true),
        text("fk_db_schema_name", true),
        text("fk_table_name", false),
        text("fk_column_name", false),
        Field::new("key_sequence", DataType::Int32, false),
        text("fk_key_name", true),
        text("pk_key_name", true),
        Field::new("update_rule", DataType::UInt8, false),
        Field::new("delete_rule", DataType::UInt8, false),
    ]))
}

/// Answers GetTableTypes.
fn table_types() -> Result<RecordBatch, FlightError> {
    let schema = Arc::new(Schema::new(vec![Field::new("table_type", DataType::Utf8, false)]));
    let names: ArrayRef = Arc::new(arrow::array::StringArray::from(vec![TABLE_TYPE]));
    Ok(RecordBatch::try_new(schema, vec![names])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_capabilities_and_types_can_be_built() {
        assert!(SQL_INFO.is_some() && XDBC_INFO.is_some());
        assert!(table_types().is_ok_and(|types| types.num_rows() == 1));
    }
}
