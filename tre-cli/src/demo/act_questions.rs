//! Second act: a question that passes, one that is answered in part, one that is refused, and the one to ask instead.

use super::stage::Stage;
use crate::codes;
use crate::exit::{Exit, Failure};

/// Stays in hospital by age band: enough people in every band.
const PASSES: &str = "\
SELECT age, count(*) AS stays, count(distinct pid) AS people
      FROM visit_occurrence GROUP BY age ORDER BY age";

/// People with pneumonia by age band: few of them are younger than 80.
const IN_PART: &str = "\
SELECT c.age, count(distinct c.pid) AS people
      FROM condition_occurrence c JOIN concept k ON k.concept_id = c.condition_concept_id
      WHERE k.concept_name = 'Pneumonia' GROUP BY c.age ORDER BY c.age";

/// The people with a gastrointestinal haemorrhage, one by one.
const REFUSED: &str = "\
SELECT pid, age, condition_start_date
      FROM condition_occurrence WHERE condition_concept_id = 192671";

/// The same people, counted.
pub(super) const INSTEAD: &str = "\
SELECT age, count(distinct pid) AS people
      FROM condition_occurrence WHERE condition_concept_id = 192671
      GROUP BY age ORDER BY age";

pub(super) fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.narrator.chapter("A question that passes")?;
    stage.narrator.say(
        "alice asks in SQL, from here or from any tool that speaks Arrow Flight SQL (pandas, R, DBeaver). Her text is \
         read by a process that has no data; another one, without a network or a file, runs what is left of it on the \
         rows of her permit. The checker sees every number with the people behind it before anybody else does. How \
         often were people in hospital? (age is a band, by its lower bound: 30 stands for 30 to 39.)",
    )?;
    let printed = stage.play("alice", &["tre", "sql", "-c", PASSES], Exit::Answered)?;
    insist(
        printed.out.contains("388") && !printed.out.contains("suppressed"),
        "the first question is not answered in full",
    )?;

    stage.narrator.chapter("A question that is answered in part")?;
    stage.narrator.say(
        "How many had pneumonia? A few people with it in one band of ages could be recognised by their neighbours. Those \
         cells stay empty, and the last column, disclosure, says why. A band without anybody is shown as 0: since every \
         band stands in the answer, that a row is there says nothing.",
    )?;
    let printed = stage.play("alice", &["tre", "sql", "-c", IN_PART], Exit::Answered)?;
    insist(
        printed.out.contains("suppressed (threshold)"),
        "the second question has no suppressed value",
    )?;

    stage
        .narrator
        .chapter("A question that is refused, and the one that passes")?;
    stage.narrator.say(
        "Who had bleeding of the stomach or gut (192671), and when? Rows of people never leave. That is known before any \
         data are read, and said with a code.",
    )?;
    let printed = stage.play("alice", &["tre", "sql", "-c", REFUSED], Exit::Error)?;
    let code = printed
        .err
        .split(':')
        .next()
        .unwrap_or_default()
        .trim()
        .to_owned();
    insist(
        code.starts_with("TRE-SQL-"),
        "the third question was not refused for what it asks",
    )?;
    stage.play("alice", &["tre", "explain", &code], Exit::Answered)?;
    stage
        .narrator
        .say("So alice counts people instead of listing them:")?;
    let printed = stage.play("alice", &["tre", "sql", "-c", INSTEAD], Exit::Answered)?;
    insist(
        printed.out.contains("296"),
        "the question to ask instead is not answered",
    )
}

/// The story is only told if it is true.
pub(super) fn insist(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::of(&codes::CLI_DEMO, otherwise))
    }
}
