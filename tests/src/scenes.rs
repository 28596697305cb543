//! Specs, permits and data to test with.

use std::fmt::Write;

use anyhow::Result;

use crate::home::Home;

/// Spec of a clinic of 300 persons.
pub const CLINIC: &str = r#"
dataset    = "liver"
title      = "Liver clinic cohort"
population = "clinic"
[[table]]
name   = "visit"
files  = ["visit.csv"]
unit   = { column = "patient", canon = "text" }
entity = { facility = "clinic_id" }
[table.columns]
age  = { type = "int",  generalise = { bands = [0, 40, 60, 80] } }
date = { type = "date", generalise = "month" }
icd  = { type = "text", generalise = { prefix = 3 }, tag = "icd10" }
cost = { type = "float", min = 0, max = 1000000, scale = 2 }
sex  = { type = "text", values = ["F", "M"] }
[[table]]
name   = "icd10"
files  = ["icd10.csv"]
public = true
[table.columns]
code = { type = "text" }
name = { type = "text" }
"#;

/// The public table of the clinic.
pub const ICD10: &str = "code,name\nK70,Alcoholic liver disease\nK74,Fibrosis\nB18,Chronic viral hepatitis\n";

/// The header of the clinic's visits.
pub const VISIT_HEADER: &str = "patient,clinic_id,age,date,icd,cost,sex";

/// Two visits of every person; `B18` has nine persons only.
pub fn visits() -> String {
    let mut text = format!("{VISIT_HEADER}\n");
    for person in 0..300 {
        for visit in 0..2 {
            let (age, month) = (20 + person * 7 % 75, 1 + person % 12);
            let icd = match person % 2 {
                _ if person < 9 => "B18.1",
                0 => "K70.3",
                _ => "K74.0",
            };
            let (cost, sex) = (person * 3 + visit, if person % 3 == 0 { "M" } else { "F" });
            // Writing to a string cannot fail.
            let _written = writeln!(
                text,
                "p{person},c{},{age},2025-{month:02}-{:02},{icd},{cost}.50,{sex}",
                person % 5,
                1 + visit
            );
        }
    }
    text
}

/// Writes the clinic's files beside a home and ingests them.
pub fn ingest_clinic(home: &Home) -> Result<()> {
    bring_clinic(home)?;
    home.tre(&["ingest", "clinic/spec.toml"])?.ok()?;
    Ok(())
}

/// Writes the clinic's files beside a home.
pub fn bring_clinic(home: &Home) -> Result<()> {
    home.write("clinic/spec.toml", CLINIC)?;
    home.write("clinic/visit.csv", visits())?;
    home.write("clinic/icd10.csv", ICD10)?;
    Ok(())
}

/// What a permit says; [`Permit::text`] writes the file.
#[derive(Debug, Clone)]
pub struct Permit<'a> {
    /// Id of the project.
    pub project: &'a str,
    /// User and roles.
    pub people: &'a [(&'a str, &'a [&'a str])],
    /// The dataset.
    pub dataset: &'a str,
    /// Table, columns, condition on rows (empty: none).
    pub tables: &'a [(&'a str, &'a [&'a str], &'a str)],
    /// Policy of both exits.
    pub policy: &'a str,
    /// Reviewers of a release.
    pub reviewers: u32,
    /// Last day.
    pub until: &'a str,
}

impl Default for Permit<'_> {
    /// A project on the clinic: analyst alice, checkers bo and cy.
    fn default() -> Self {
        Permit {
            project: "liver-outcomes",
            people: &[
                ("alice", &["analyst"]),
                ("bo", &["checker"]),
                ("cy", &["checker"]),
            ],
            dataset: "liver",
            tables: &[
                ("visit", &["pid", "age", "sex", "date", "icd", "cost"], ""),
                ("icd10", &["code", "name"], ""),
            ],
            policy: "ndb",
            reviewers: 2,
            until: "2099-12-31",
        }
    }
}

impl Permit<'_> {
    /// The permit file.
    pub fn text(&self) -> String {
        let quoted = |words: &[&str]| {
            words
                .iter()
                .map(|word| format!("\"{word}\""))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let person =
            |(user, roles): &(&str, &[&str])| format!("{{ user = \"{user}\", roles = [{}] }}", quoted(roles));
        let people: Vec<String> = self.people.iter().map(person).collect();
        let table = |(name, columns, rows): &(&str, &[&str], &str)| {
            let rows = if rows.is_empty() {
                String::new()
            } else {
                format!("rows = \"{rows}\"\n")
            };
            format!("[dataset.tables.{name}]\ncolumns = [{}]\n{rows}", quoted(columns))
        };
        let tables: String = self.tables.iter().map(table).collect();
        format!(
            "project = \"{}\"\ntitle = \"A project of the tests\"\n\
             purpose = {{ text = \"To see whether what is promised is kept.\", code = \"EHDS-53-1-e\" }}\n\
             legal_basis = \"none: the people do not exist\"\n\
             valid = {{ from = 2020-01-01, until = {} }}\npeople = [{}]\n\
             [[dataset]]\nid = \"{}\"\n{tables}\
             [exit.view]\npolicy = \"{policy}\"\nreviewers = 0\n\
             [exit.release]\npolicy = \"{policy}\"\nreviewers = {}\n\
             [limits]\nmemory = \"512 MiB\"\nquery_seconds = 120\nsessions = 4\n",
            self.project,
            self.until,
            people.join(", "),
            self.dataset,
            self.reviewers,
            policy = self.policy,
        )
    }
}

/// A shipped policy with another id and with pieces of its text replaced.
pub fn policy_like(text: &str, id: &str, changes: &[(&str, &str)]) -> Result<String> {
    let (before, after) = text
        .split_once("id    = \"")
        .ok_or_else(|| anyhow::anyhow!("the policy has no id"))?;
    let (_, after) = after
        .split_once('"')
        .ok_or_else(|| anyhow::anyhow!("the policy's id does not end"))?;
    let mut text = format!("{before}id    = \"{id}\"{after}");
    for (from, to) in changes {
        anyhow::ensure!(text.contains(from), "the policy does not say `{from}`");
        text = text.replacen(from, to, 1);
    }
    Ok(text)
}
