//! Honest questions, as researchers write them (`tests/corpus/honest`), asked of 10^6 generated claims and of the Eunomia
//! extract under policy `ndb`: what is answered at once, and what is refused or has to wait for a person, and why.
//!
//! **The measure** is the share of result cells that are decided without a person. A query weighs as many cells as its raw
//! answer has, rows times columns, labels included because they leave as well as values. A plain engine that checks nothing
//! says how many; that it answers also shows that the query is good SQL over columns that exist. All cells of a query that
//! is answered are decided: shown, snapped to a value that has left, suppressed, or left out with the row of a rare label. All cells of a query that is
//! refused, referred or withheld are undecided.

use std::collections::BTreeMap;
use std::thread;

use anyhow::{Result, ensure};
use serde_json::Value;
use tre_tests::holder::Holder;
use tre_tests::home::Home;
use tre_tests::honest::Question;
use tre_tests::person::{Answer, Person};
use tre_tests::plain::{Plain, PlainAnswer};
use tre_tests::program::Run;
use tre_tests::scenes::Permit;
use tre_tests::server::Server;

/// The share of result cells of ordinary questions that have to be decided without a person.
const FLOOR: f64 = 0.75;

/// As many questions as make a corpus.
const QUESTIONS: usize = 120;

/// Claims that are generated, and their seed.
const CLAIMS: u64 = 1_000_000;
const SEED: u64 = 1;

/// Everything of the Eunomia extract.
const OMOP: [(&str, &[&str], &str); 6] = [
    (
        "person",
        &["pid", "gender", "year_of_birth", "race", "ethnicity"],
        "",
    ),
    (
        "visit_occurrence",
        &["pid", "visit_start_date", "visit_days", "age"],
        "",
    ),
    (
        "condition_occurrence",
        &[
            "pid",
            "condition_concept_id",
            "condition_start_date",
            "condition_days",
            "age",
        ],
        "",
    ),
    (
        "drug_exposure",
        &[
            "pid",
            "drug_concept_id",
            "drug_type_concept_id",
            "drug_exposure_start_date",
            "days_supply",
            "age",
        ],
        "",
    ),
    (
        "measurement",
        &["pid", "measurement_concept_id", "measurement_date", "age"],
        "",
    ),
    (
        "concept",
        &[
            "concept_id",
            "concept_name",
            "domain_id",
            "vocabulary_id",
            "concept_class_id",
            "concept_code",
        ],
        "",
    ),
];

/// The permit that is shipped with the generated claims.
const CLAIMS_PERMIT: &str = include_str!("../../../examples/claims/prescribing.toml");

/// Questions whose answers differ from a plain engine's by more than rounding, and why. Whoever adds one has looked.
const TREATED: [(&str, &str); 4] = [
    (
        "claims_utilisation 16",
        "sorts facilities by numbers of patients, some of which are snapped or suppressed: an earlier question was about \
         nearly the same people",
    ),
    (
        "omop_time 10",
        "adds up the years that are shown: those of fewer than ten people are left out",
    ),
    (
        "claims_cohorts 12",
        "counts, averages and compares the insurers that are shown: those with fewer than ten people are not there",
    ),
    (
        "claims_regions 7",
        "has no row to join with for a prefecture whose few patients are left out, and coalesce makes that a nought",
    ),
];

/// How far a number may lie from the plain engine's: sums are rounded to four digits, and ratios have two of them.
const ROUNDING: f64 = 2e-3;

/// What `disclosure` says of a value that was snapped.
const SNAPPED: &str = ": snapped";

/// What a plain engine answers.
struct Raw {
    /// All rows, also those beyond a LIMIT: which of several equal ones are within it is anybody's choice.
    rows: Vec<Vec<Option<String>>>,
    /// Values within the LIMIT, labels included.
    cells: usize,
    columns: usize,
}

impl Raw {
    fn ask(plain: &Plain, sql: &str) -> Result<Raw> {
        let (sql, most) = match sql.rsplit_once("\nLIMIT ") {
            Some((sql, most)) => (sql, most.parse()?),
            None => (sql, usize::MAX),
        };
        let PlainAnswer { columns, rows } = plain.ask(sql)?;
        let columns = columns.len();
        Ok(Raw {
            cells: rows.len().min(most) * columns,
            rows,
            columns,
        })
    }
}

/// What became of a question.
struct Outcome {
    cells: usize,
    /// Shown, snapped, suppressed, and left out with their rows; `None` if there is no answer.
    decided: Option<[usize; 4]>,
    /// What was said where there is no answer.
    code: String,
    said: String,
    /// Rows that a plain engine does not answer.
    strange: Vec<String>,
}

impl Outcome {
    fn of(raw: &Raw, run: &Run) -> Result<Outcome> {
        let said = run.err.lines().find(|line| line.starts_with("TRE-"));
        let mut outcome = Outcome {
            cells: raw.cells,
            decided: None,
            code: run.told().unwrap_or_default().to_owned(),
            said: said.unwrap_or_default().to_owned(),
            strange: Vec::new(),
        };
        if run.status.success() {
            let answer = Answer::read(run)?;
            let said = answer.disclosure();
            let count = |what: &str| -> usize { said.iter().map(|said| said.matches(what).count()).sum() };
            let (snapped, suppressed) = (count(SNAPPED), count(": suppressed"));
            let there = answer.rows.len() * raw.columns;
            let left_out = raw.cells.saturating_sub(there);
            let shown = there.saturating_sub(snapped + suppressed);
            outcome.decided = Some([shown, snapped, suppressed, left_out]);
            let rows = without_snapped(&answer);
            let is_strange = |row: &&Vec<Value>| !raw.rows.iter().any(|other| agrees(row, other));
            let strange = rows.iter().filter(|row| !is_empty(row)).filter(is_strange);
            outcome.strange = strange.map(|row| format!("{row:?}")).collect();
        }
        Ok(outcome)
    }

    fn told(&self, exit: Option<i32>) -> String {
        match (self.decided, exit) {
            (Some([shown, snapped, suppressed, left_out]), _) => format!(
                "answered: {shown} shown, {snapped} snapped, {suppressed} suppressed, {left_out} left out"
            ),
            (None, Some(3)) => format!("referred: {}", self.said),
            (None, Some(4)) => format!("withheld: {}", self.said),
            (None, _) => format!("refused: {}", self.said),
        }
    }
}

/// The rows without values that were snapped: these are of nearly the same people, as a question before was answered.
fn without_snapped(answer: &Answer) -> Vec<Vec<Value>> {
    let of_row = |(row, said): (&Vec<Value>, &str)| {
        let values = row.iter().zip(&answer.columns);
        let blank = |(value, column): (&Value, &String)| {
            let is_snapped = said.split("; ").any(|item| {
                item.strip_prefix(column.as_str())
                    .is_some_and(|rest| rest.starts_with(SNAPPED))
            });
            if is_snapped { Value::Null } else { value.clone() }
        };
        values.map(blank).collect()
    };
    answer.rows.iter().zip(answer.disclosure()).map(of_row).collect()
}

/// Whether a row has labels and then nothing but noughts: a combination of declared domains that nobody has.
fn is_empty(row: &[Value]) -> bool {
    let is_nothing = |value: &Value| value.is_null() || value.as_f64() == Some(0.0);
    let values = row.split_last().map_or(row, |(_disclosure, values)| values);
    let mut values = values.iter().skip_while(|value| !is_nothing(value)).peekable();
    values.peek().is_some() && values.all(is_nothing)
}

/// Whether everything that a row shows (its last value is `disclosure`) is in a row of the plain engine, but for rounding
/// and pseudonyms.
fn agrees(row: &[Value], plain: &[Option<String>]) -> bool {
    let agrees = |(value, plain): (&Value, &Option<String>)| match (value, plain) {
        (Value::Null, _) => true,
        (_, None) => false,
        (Value::String(text), Some(plain)) => {
            let is_pseudonym = ["facility-", "insurer-"]
                .iter()
                .any(|kind| text.starts_with(kind));
            is_pseudonym || is_text(text, plain) || is_close(text.parse().ok(), plain)
        }
        (Value::Bool(is), Some(plain)) => is.to_string() == *plain,
        (Value::Number(number), Some(plain)) => is_close(number.as_f64(), plain),
        (Value::Array(_) | Value::Object(_), Some(_)) => false,
    };
    row.iter().zip(plain).all(agrees)
}

/// The same text, or the same day.
fn is_text(text: &str, plain: &str) -> bool {
    text == plain
        || plain.strip_suffix("T00:00:00") == Some(text)
        || text.strip_suffix("T00:00:00") == Some(plain)
}

fn is_close(number: Option<f64>, plain: &str) -> bool {
    let both = number.zip(plain.parse::<f64>().ok());
    both.is_some_and(|(a, b)| (a - b).abs() <= ROUNDING * b.abs().max(1.0))
}

#[test]
fn honest_questions_are_answered_without_a_person() {
    let home = Home::empty().unwrap();
    let holders = [Holder::claims(CLAIMS, SEED).unwrap(), Holder::eunomia().unwrap()];
    for holder in &holders {
        holder.ingest(&home).unwrap();
    }
    let server = Server::start(&home).unwrap();
    let operator = server.person(&home.token("olga", "operator", None).unwrap());
    let omop = Permit {
        project: "omop",
        dataset: "eunomia",
        tables: &OMOP,
        ..Permit::default()
    };
    let permits = [("prescribing", CLAIMS_PERMIT.to_owned()), ("omop", omop.text())];
    let analysts = permits.map(|(project, permit)| {
        home.write("permit.toml", permit).unwrap();
        operator
            .tre(&["project", "apply", "permit.toml"])
            .unwrap()
            .ok()
            .unwrap();
        server.person(&home.token("alice", "analyst", Some(project)).unwrap())
    });
    let questions = [Question::of("claims_").unwrap(), Question::of("omop_").unwrap()];
    let count: usize = questions.iter().map(Vec::len).sum();
    assert!(count >= QUESTIONS, "{count} questions");

    let mut report = Report::default();
    for ((analyst, holder), questions) in analysts.iter().zip(&holders).zip(&questions) {
        // The plain engine answers while the checked one does.
        let (runs, raw) = thread::scope(|scope| {
            let raw = scope.spawn(|| raw(holder, questions).unwrap());
            (ask(analyst, questions).unwrap(), raw.join().unwrap())
        });
        for ((question, run), raw) in questions.iter().zip(&runs).zip(&raw) {
            report.add(question, run, raw).unwrap();
        }
    }
    report.print();
    report.agrees_with_a_plain_engine().unwrap();
    assert!(
        report.internal.is_empty(),
        "internal errors:\n{}",
        report.internal.join("\n")
    );
    let share = report.share();
    assert!(
        share >= FLOOR,
        "{share:.3} of the cells are decided without a person, {FLOOR} is the floor"
    );
}

fn ask(analyst: &Person, questions: &[Question]) -> Result<Vec<Run>> {
    questions
        .iter()
        .map(|question| analyst.ask(&question.sql))
        .collect()
}

fn raw(holder: &Holder, questions: &[Question]) -> Result<Vec<Raw>> {
    let plain = holder.plain()?;
    let (mut answers, mut wrong) = (Vec::new(), Vec::new());
    for question in questions {
        match Raw::ask(&plain, &question.sql) {
            Ok(answer) => answers.push(answer),
            Err(error) => wrong.push(format!("{} ({}): {error}", question.id, question.question)),
        }
    }
    ensure!(
        wrong.is_empty(),
        "a plain engine cannot answer:\n{}",
        wrong.join("\n")
    );
    Ok(answers)
}

/// What is said in the end.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    internal: Vec<String>,
    /// Questions that are answered, and their rows that a plain engine does not answer.
    rows: BTreeMap<String, Vec<String>>,
    /// Queries by what became of them: answered, or the code.
    by_code: BTreeMap<String, usize>,
    answered: usize,
    decided_cells: usize,
    cells: usize,
}

impl Report {
    fn add(&mut self, question: &Question, run: &Run, raw: &Raw) -> Result<()> {
        let outcome = Outcome::of(raw, run)?;
        let told = outcome.told(run.status.code());
        let line = format!(
            "{} ({} cells), {}\n    {told}",
            question.id, outcome.cells, question.question
        );
        if outcome.code.starts_with("TRE-RUN-") || (outcome.decided.is_none() && outcome.code.is_empty()) {
            self.internal.push(format!("{line}\n{run}"));
        }
        if outcome.decided.is_some() {
            self.rows.insert(question.id.clone(), outcome.strange);
        }
        self.lines.push(line);
        self.cells += outcome.cells;
        let key = if outcome.decided.is_some() {
            self.answered += 1;
            self.decided_cells += outcome.cells;
            "answered".to_owned()
        } else {
            outcome.code
        };
        *self.by_code.entry(key).or_default() += 1;
        Ok(())
    }

    /// What is answered is true, but for what [`TREATED`] names.
    fn agrees_with_a_plain_engine(&self) -> Result<()> {
        let mut wrong = Vec::new();
        for (id, rows) in &self.rows {
            let treated = TREATED.iter().find(|(treated, _)| treated == id);
            match (rows.as_slice(), treated) {
                ([], None) | ([_, ..], Some(_)) => {}
                ([_, ..], None) => wrong.push(format!(
                    "{id}: a plain engine does not answer\n{}",
                    rows.join("\n")
                )),
                ([], Some((_, why))) => {
                    wrong.push(format!(
                        "{id} agrees with a plain engine: is it no longer so that it {why}?"
                    ));
                }
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    }

    fn share(&self) -> f64 {
        self.decided_cells as f64 / self.cells.max(1) as f64
    }

    fn print(&self) {
        eprintln!("{}", self.lines.join("\n"));
        eprintln!(
            "{} of {} queries answered; {:.1} % of {} cells decided without a person. {:?}",
            self.answered,
            self.lines.len(),
            100.0 * self.share(),
            self.cells,
            self.by_code
        );
    }
}
