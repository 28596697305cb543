//! What becomes of a trick, and whether it is what its entry says.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tre_tests::person::Answer;
use tre_tests::plain::{Plain, PlainAnswer};
use tre_tests::program::Run;

use super::table::{Remainder, Trick};

/// People who have to stand behind a value.
const MINIMUM: f64 = 10.0;

/// An entry with what became of its queries without and with the victim.
pub(super) struct Seen<'a> {
    pub(super) trick: &'a Trick,
    pub(super) runs: [&'a [Run]; 2],
    pub(super) plain: &'a [Plain; 2],
}

impl Seen<'_> {
    /// What becomes of it today, in a line.
    pub(super) fn told(&self) -> String {
        let trick = self.trick;
        let became = |run: &Run| match (run.status.code(), run.told()) {
            (Some(0), _) => "answered".to_owned(),
            (_, Some(code)) => code.to_owned(),
            (exit, None) => format!("{exit:?}"),
        };
        let [without, _] = self.runs;
        let became: Vec<String> = without.iter().map(became).collect();
        let open = trick.needs.map_or(String::new(), |needs| {
            format!(", gets out until there is {needs:?}")
        });
        format!("{}: {}{open}", trick.id, became.join(", "))
    }

    /// Whether the trick works on a plain engine and fails here, as its entry says.
    pub(super) fn judge(&self) -> Result<()> {
        let trick = self.trick;
        ensure!(!trick.why.is_empty(), "it does not say why");
        let queries = if trick.decision == "apart" { 2 } else { 1 };
        let queries = if trick.decision == "enough" {
            trick.texts().len()
        } else {
            queries
        };
        ensure!(
            trick.texts().len() == queries,
            "it has {} queries",
            trick.texts().len()
        );
        if trick.plain {
            self.works_on_a_plain_engine()?;
        }
        for run in self.runs.iter().copied().flatten() {
            let internal = run.told().is_some_and(|code| code.starts_with("TRE-RUN-"));
            ensure!(!internal, "an internal error:\n{run}");
        }
        let has_ended = |code: i32| {
            self.runs
                .iter()
                .copied()
                .flatten()
                .any(|run| run.status.code() == Some(code))
        };
        match (self.fails(), trick.needs) {
            // What is refused is not asked yet, and gets out when it is.
            (Ok(()), Some(_)) if has_ended(1) => Ok(()),
            (Ok(()), Some(needs)) => {
                bail!("it gets out no longer: take the mark `needs` away, {needs:?} is there")
            }
            (Err(_), Some(_)) if !has_ended(1) => Ok(()),
            (failed, _) => failed,
        }
    }

    /// The trick tells the victim from nobody where nothing is checked.
    fn works_on_a_plain_engine(&self) -> Result<()> {
        let [without, with] = self.plain.each_ref().map(|plain| {
            let ask = |sql: &&str| plain.ask(sql).map_err(|error| format!("{error:#}"));
            self.trick.texts().iter().map(ask).collect::<Vec<_>>()
        });
        if self.trick.decision == "apart" {
            let totals = |answers: &[Result<PlainAnswer, String>]| -> Result<Vec<f64>> {
                let of = |answer: &Result<PlainAnswer, String>| match answer {
                    Ok(answer) => Ok(plain_total(answer)),
                    Err(error) => bail!("the plain engine fails: {error}"),
                };
                answers.iter().map(of).collect()
            };
            let (without, with) = (totals(&without)?, totals(&with)?);
            ensure!(
                is_equal(&without) != is_equal(&with),
                "no trick: a plain engine adds up to {without:?} without and {with:?} with the victim"
            );
            return Ok(());
        }
        let sorted = |answers: Vec<Result<PlainAnswer, String>>| -> Vec<Result<PlainAnswer, String>> {
            let is_ordered = self.trick.texts().iter().any(|sql| sql.contains("ORDER BY"));
            let sort = |mut answer: PlainAnswer| {
                if !is_ordered {
                    answer.rows.sort();
                }
                answer
            };
            answers.into_iter().map(|answer| answer.map(sort)).collect()
        };
        let (without, with) = (sorted(without), sorted(with));
        ensure!(
            without.iter().any(Result::is_ok) || with.iter().any(Result::is_ok),
            "no trick: a plain engine fails: {without:?}"
        );
        ensure!(
            without != with,
            "no trick: a plain engine answers {with:?} in both homes"
        );
        Ok(())
    }

    /// The trick fails here: what its decision says has become of it.
    fn fails(&self) -> Result<()> {
        let trick = self.trick;
        match trick.decision.as_str() {
            "nothing" => self.is_same()?,
            "suppressed" => {
                self.is_same()?;
                self.each(|answer| {
                    ensure!(!answer.rows.is_empty(), "no row is there");
                    let numbers = answer.rows.iter().flatten().filter_map(number).count();
                    ensure!(numbers == 0, "{numbers} values are shown");
                    let said = answer.disclosure();
                    ensure!(
                        said.iter().all(|text| text.contains("suppressed")),
                        "it says {said:?}"
                    );
                    Ok(())
                })?;
            }
            "left out" => {
                self.is_same()?;
                self.each(|answer| {
                    ensure!(answer.rows.is_empty(), "{} rows are there", answer.rows.len());
                    Ok(())
                })?;
            }
            "enough" => {
                self.is_same()?;
                self.each(|_| Ok(()))?;
                let [without, with] = self.runs;
                ensure!(
                    !without.iter().zip(with).all(|(a, b)| is_same(a, b)),
                    "nobody is seen at all"
                );
            }
            "threshold" => {
                let [without, with] = self.answers()?;
                let nulls = |answers: &[Answer]| -> usize {
                    answers
                        .iter()
                        .flat_map(|answer| answer.rows.iter().flatten())
                        .filter(|value| value.is_null())
                        .count()
                };
                ensure!(nulls(&without) != nulls(&with), "the same is shown in both homes");
            }
            "covered" => self.is_covered()?,
            "apart" => self.is_apart()?,
            "refused" => {
                self.is_same()?;
                for run in self.runs.iter().copied().flatten() {
                    run.clone().ends(1)?;
                }
            }
            other => {
                let code = other.strip_prefix("refused: ");
                let code = code.with_context(|| format!("`{other}` is no decision"))?;
                self.is_same()?;
                for run in self.runs.iter().copied().flatten() {
                    run.clone().fails(1, code)?;
                }
            }
        }
        self.leaves_no_remainder()?;
        self.has_people()
    }

    /// The bytes agree, but for values of the columns of which the entry says so.
    fn is_same(&self) -> Result<()> {
        let [without, with] = self.runs;
        for (a, b) in without.iter().zip(with) {
            if is_same(a, b) {
                continue;
            }
            let is_answered = a.status.success() && b.status.success() && a.err == b.err;
            let agrees = is_answered
                && self.without_differing(&Answer::read(a)?) == self.without_differing(&Answer::read(b)?);
            ensure!(agrees, "the victim can be seen.\nWithout: {a}\nWith: {b}");
        }
        Ok(())
    }

    fn without_differing(&self, answer: &Answer) -> Answer {
        let mut answer = answer.clone();
        for row in &mut answer.rows {
            for (value, column) in row.iter_mut().zip(&answer.columns) {
                if self.trick.differs.contains(column) && !value.is_null() {
                    *value = Value::Bool(true);
                }
            }
        }
        answer
    }

    /// What is shown in one home is the same in the other, or suppressed there.
    fn is_covered(&self) -> Result<()> {
        let [without, with] = self.runs;
        if without.iter().zip(with).all(|(a, b)| is_same(a, b)) {
            return Ok(());
        }
        let [without, with] = self.answers()?;
        for (a, b) in without.iter().zip(&with) {
            let is_alike = a.rows.len() == b.rows.len() && a.columns == b.columns && a.notices == b.notices;
            ensure!(is_alike, "the answers have another form in the other home");
            let last = a.columns.len().saturating_sub(1);
            for (a, b) in a.rows.iter().zip(&b.rows) {
                let mut values = a.iter().zip(b).take(last);
                let is_covered = values.all(|(a, b)| a == b || a.is_null() || b.is_null());
                ensure!(is_covered, "the victim can be seen: {a:?} without, {b:?} with");
            }
        }
        Ok(())
    }

    /// Two queries tell no more together than each alone.
    fn is_apart(&self) -> Result<()> {
        let is_answered = self
            .runs
            .iter()
            .copied()
            .flatten()
            .all(|run| run.status.success());
        if !is_answered {
            let [without, with] = self.runs;
            let agrees = without
                .iter()
                .zip(with)
                .all(|(a, b)| a.status == b.status && a.told() == b.told());
            ensure!(agrees, "one home refuses what the other answers");
            return Ok(());
        }
        let totals = self
            .answers()?
            .map(|answers| answers.iter().map(total).collect::<Vec<f64>>());
        let [without, with] = &totals;
        ensure!(
            is_equal(without) == is_equal(with),
            "the two add up to {without:?} without and to {with:?} with the victim"
        );
        Ok(())
    }

    fn leaves_no_remainder(&self) -> Result<()> {
        let (trick, Some(remainder)) = (self.trick, self.trick.remainder) else {
            return Ok(());
        };
        for run in self
            .runs
            .iter()
            .copied()
            .flatten()
            .filter(|run| run.status.success())
        {
            let answer = Answer::read(run)?;
            let groups: Vec<Vec<f64>> = match remainder {
                Remainder::Columns => answer
                    .rows
                    .iter()
                    .map(|row| row.iter().filter_map(number).collect())
                    .collect(),
                Remainder::Rows => {
                    let column = trick.differs.first().context("no column that differs")?;
                    vec![answer.column(column).into_iter().filter_map(number).collect()]
                }
            };
            for group in groups {
                let most = group.iter().copied().fold(f64::MIN, f64::max);
                let rest = most - (group.iter().sum::<f64>() - most);
                let is_few = group.len() > 1 && (1.0..=trick.few).contains(&rest);
                ensure!(!is_few, "what is shown leaves {rest}, which is not shown:\n{run}");
            }
        }
        Ok(())
    }

    /// Where columns may differ, enough people stand behind them.
    fn has_people(&self) -> Result<()> {
        let trick = self.trick;
        let Some(sql) = &trick.people else {
            ensure!(
                trick.differs.is_empty(),
                "it does not say who stands behind {:?}",
                trick.differs
            );
            return Ok(());
        };
        let [without, _] = self.plain;
        let people = plain_total(&without.ask(sql)?);
        ensure!(
            people >= MINIMUM,
            "only {people} people stand behind {:?}",
            trick.differs
        );
        Ok(())
    }

    fn answers(&self) -> Result<[Vec<Answer>; 2]> {
        let read = |runs: &[Run]| {
            runs.iter()
                .map(|run| Answer::read(&run.clone().ok()?))
                .collect::<Result<_>>()
        };
        let [without, with] = self.runs;
        Ok([read(without)?, read(with)?])
    }

    fn each(&self, check: impl Fn(&Answer) -> Result<()>) -> Result<()> {
        self.answers()?.iter().flatten().try_for_each(check)
    }
}

fn is_same(a: &Run, b: &Run) -> bool {
    (a.status, &a.out, &a.err) == (b.status, &b.out, &b.err)
}

/// A number that is shown; decimals come as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn total(answer: &Answer) -> f64 {
    answer.rows.iter().flatten().filter_map(number).sum()
}

fn plain_total(answer: &PlainAnswer) -> f64 {
    answer
        .rows
        .iter()
        .flatten()
        .flatten()
        .filter_map(|value| value.parse::<f64>().ok())
        .sum()
}

fn is_equal(totals: &[f64]) -> bool {
    totals.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1e-9)
}
