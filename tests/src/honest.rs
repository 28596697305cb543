//! The corpus of honest questions (`tests/corpus/honest`): SQL as researchers write it, each with what they want to know.
//!
//! A file's name begins with the data that it asks (`claims_`, `omop_`). Its first block says what it is about; each other
//! is a comment of one line, the question, and a query.

use std::fs;

use anyhow::{Context, Result};

/// A question of the corpus.
#[derive(Debug)]
pub struct Question {
    /// File and place in it, e.g. `claims_time 3`.
    pub id: String,
    /// What the researcher wants to know.
    pub question: String,
    /// One SELECT, without a semicolon.
    pub sql: String,
}

impl Question {
    /// The questions of all files whose names begin so, in order.
    ///
    /// # Errors
    /// When a file does not have that form.
    pub fn of(prefix: &str) -> Result<Vec<Question>> {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus/honest");
        let mut paths: Vec<_> = fs::read_dir(directory)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<_>>()?;
        paths.sort();
        let mut questions = Vec::new();
        for path in paths {
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .context("a file's name")?;
            if !name.starts_with(prefix) {
                continue;
            }
            let text = fs::read_to_string(&path)?;
            for (nr, block) in text.split("\n\n").enumerate().skip(1) {
                let parts = block
                    .trim()
                    .strip_prefix("-- ")
                    .and_then(|block| block.split_once('\n'));
                let parts = parts.and_then(|(question, sql)| Some((question, sql.strip_suffix(';')?)));
                let (question, sql) =
                    parts.with_context(|| format!("{name} {nr} is no comment and query:\n{block}"))?;
                questions.push(Question {
                    id: format!("{name} {nr}"),
                    question: question.to_owned(),
                    sql: sql.to_owned(),
                });
            }
        }
        Ok(questions)
    }
}
