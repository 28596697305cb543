//! Somebody with a token, who calls a server by the command line.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::program::{Run, Running, Tre};

/// A person.
#[derive(Debug, Clone)]
pub struct Person {
    tre: Tre,
}

/// The answer to a query, as `tre sql --format json` prints it.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Names of the columns, `disclosure` last.
    pub columns: Vec<String>,
    /// Arrow's names of their types.
    pub types: Vec<String>,
    /// Values in the order of the columns.
    pub rows: Vec<Vec<Value>>,
    /// What is said about the result as a whole.
    pub notices: Vec<String>,
}

impl Person {
    pub(crate) fn new(tre: Tre) -> Person {
        Person { tre }
    }

    /// Runs a command in the person's name.
    pub fn tre(&self, words: &[&str]) -> Result<Run> {
        self.tre.run(words)
    }

    /// Starts a command in the person's name.
    pub fn start(&self, words: &[&str]) -> Result<Running> {
        self.tre.start(words)
    }

    /// The JSON that a command prints.
    pub fn json(&self, words: &[&str]) -> Result<Value> {
        self.tre(&[words, &["--format", "json"]].concat())?.ok()?.json()
    }

    /// Asks, whatever comes of it.
    pub fn ask(&self, sql: &str) -> Result<Run> {
        self.tre(&["sql", "-c", sql, "--format", "json"])
    }

    /// Asks and insists on an answer.
    pub fn sql(&self, sql: &str) -> Result<Answer> {
        Answer::read(&self.ask(sql)?.ok()?)
    }
}

impl Answer {
    /// Reads what `tre sql --format json` printed.
    pub fn read(run: &Run) -> Result<Answer> {
        let document = run.json()?;
        let list = |name: &str| {
            document
                .get(name)
                .and_then(Value::as_array)
                .cloned()
                .with_context(|| format!("no `{name}`\n{run}"))
        };
        let heads = list("columns")?;
        let head = |key: &str| -> Result<Vec<String>> {
            let text = |head: &Value| head.get(key).and_then(Value::as_str).map(str::to_owned);
            heads
                .iter()
                .map(|head| text(head).with_context(|| format!("a column has no {key}\n{run}")))
                .collect()
        };
        let columns = head("name")?;
        let values = |row: &Value| -> Result<Vec<Value>> {
            let cell = |name: &String| {
                row.get(name)
                    .cloned()
                    .with_context(|| format!("a row lacks `{name}`\n{run}"))
            };
            columns.iter().map(cell).collect()
        };
        let rows = list("rows")?.iter().map(values).collect::<Result<_>>()?;
        let notices = list("notices")?
            .iter()
            .filter_map(|notice| notice.as_str().map(str::to_owned))
            .collect();
        Ok(Answer {
            types: head("type")?,
            columns,
            rows,
            notices,
        })
    }

    /// The values of a column.
    pub fn column(&self, name: &str) -> Vec<&Value> {
        let at = self.columns.iter().position(|column| column == name);
        self.rows.iter().filter_map(|row| row.get(at?)).collect()
    }

    /// The texts of the column that says what was done.
    pub fn disclosure(&self) -> Vec<&str> {
        self.column("disclosure")
            .into_iter()
            .filter_map(Value::as_str)
            .collect()
    }
}
