//! What can be asked for: the tables and views of the store, their columns, and the
//! name that somebody probably meant.

use rusqlite::Row;

use super::SqlReader;
use crate::model::nearest;
use crate::store::StoreError;

/// A table or a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlTable {
    /// Its name.
    pub name: String,
    /// The names of its columns, in order.
    pub columns: Vec<String>,
    /// Whether it is documented and stays as it is.
    pub is_interface: bool,
}

/// The tables and views of docs/schema.md that people may build on.
const INTERFACE: [&str; 12] = [
    "metrics_raw",
    "metrics_1min",
    "metrics_1hour",
    "metrics_1day",
    "metrics_recent_summary",
    "cost_today_summary",
    "alerts_active_summary",
    "alert_rules",
    "alerts",
    "alert_history",
    "cost_budgets",
    "cost_projections",
];

/// Words of SQL that a question is made of.
pub const SQL_WORDS: [&str; 44] = [
    "AND",
    "AS",
    "ASC",
    "avg",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "count",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXISTS",
    "EXPLAIN",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "max",
    "min",
    "NOT",
    "NULL",
    "obs_merge",
    "obs_ms",
    "obs_quantile",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "SELECT",
    "sum",
    "THEN",
    "UNION",
    "WHEN",
    "WHERE",
    "WITH",
];

const TABLES: &str =
    "SELECT t.name, c.name AS column_name FROM sqlite_schema t, pragma_table_info(t.name) c
 WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE 'refinery_%'
 ORDER BY t.name, c.cid";
const FUNCTIONS: &str =
    "SELECT DISTINCT name, '' AS column_name FROM pragma_function_list ORDER BY name";

impl SqlReader<'_> {
    /// The tables and views, those people may build on first.
    ///
    /// # Errors
    /// When the schema cannot be read.
    pub fn tables(&self) -> Result<Vec<SqlTable>, StoreError> {
        let mut tables: Vec<SqlTable> = Vec::new();
        for (name, column) in self.pairs(TABLES)? {
            match tables.last_mut() {
                Some(table) if table.name == name => table.columns.push(column),
                _ => tables.push(SqlTable {
                    is_interface: INTERFACE.contains(&name.as_str()),
                    name,
                    columns: vec![column],
                }),
            }
        }
        tables.sort_by_key(|table| {
            let place = INTERFACE.iter().position(|name| *name == table.name);
            place.unwrap_or(INTERFACE.len())
        });
        Ok(tables)
    }

    fn pairs(&self, sql: &str) -> Result<Vec<(String, String)>, StoreError> {
        let pair = |row: &Row<'_>| Ok((row.get("name")?, row.get("column_name")?));
        let mut statement = self.conn.prepare(sql)?;
        let pairs = statement.query_map([], pair)?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }

    /// The name that was probably meant, when SQLite says that it knows none.
    pub(super) fn nearest(&self, message: &str, sql: &str) -> Option<String> {
        let unknown = |what: &str| {
            let name = message.strip_prefix(what)?.trim();
            name.rsplit('.').next()
        };
        let tables = self.tables().ok()?;
        let meant = if let Some(name) = unknown("no such table:") {
            nearest(name, tables.iter().map(|table| table.name.as_str()))?.to_owned()
        } else if let Some(name) = unknown("no such column:") {
            let (named, others): (Vec<_>, Vec<_>) =
                tables.iter().partition(|table| sql.contains(&table.name));
            let columns = |tables: &[&SqlTable]| -> Option<String> {
                let all = tables.iter().flat_map(|table| &table.columns);
                nearest(name, all.map(String::as_str)).map(str::to_owned)
            };
            columns(&named).or_else(|| columns(&others))?
        } else {
            let name = unknown("no such function:")?;
            let functions = self.pairs(FUNCTIONS).ok()?;
            nearest(name, functions.iter().map(|(name, _)| name.as_str()))?.to_owned()
        };
        Some(meant)
    }
}
