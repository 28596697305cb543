//! First act: data come in, a permit is put in force, people get tokens.

use tre_examples::eunomia;

use super::stage::Stage;
use crate::exit::{Exit, Failure};

pub(super) fn play(stage: &mut Stage) -> Result<(), Failure> {
    bring_files(stage)?;

    stage.narrator.chapter("An empty house")?;
    stage.narrator.say(
        "An operator makes a home: keys, an empty store, an audit log, and the rules of a few organisations about what \
         may leave.",
    )?;
    stage.play("operator", &["tre", "init"], Exit::Answered)?;

    stage.narrator.chapter("Data come in")?;
    stage.narrator.say(
        "A data holder hands over tables and a spec, a text file that says what may be kept. Names of persons become \
         numbers that nobody outside can make again. Columns that the spec does not list are dropped, dates of birth for \
         one; ages become bands, dates become months. What is stored is encrypted.",
    )?;
    stage.play(
        "holder",
        &["tre", "ingest", "eunomia/eunomia.toml"],
        Exit::Answered,
    )?;

    stage.narrator.chapter("A permit becomes a project")?;
    stage.narrator.say(
        "Nobody can ask anything yet. A permit says who may use which tables, columns and rows, for what, until when, \
         and under whose rules results leave. Here: alice may ask; bo and cy read what she wants to publish; of diagnoses \
         she sees those of adults; the rules are those of NDB, Japan's database of insurance claims: no number about \
         fewer than 10 people. An operator, olga, puts it in force, and is shown what that opens.",
    )?;
    stage.open("operator")?;
    issue(stage, "olga", &["--role", "operator"])?;
    stage.play(
        "olga",
        &["tre", "project", "apply", "outcomes.toml"],
        Exit::Answered,
    )?;

    stage.narrator.say(
        "Everybody gets a signed token that ends by itself after some hours. It is all that they need.",
    )?;
    for (who, role) in [("alice", "analyst"), ("bo", "checker"), ("cy", "checker")] {
        issue(stage, who, &["--role", role, "--project", "outcomes"])?;
    }
    // For the last act: whoever audits is in no project.
    issue(stage, "uta", &["--role", "auditor"])
}

/// Issues a token, with which its user acts from now on.
fn issue(stage: &mut Stage, who: &str, more: &[&str]) -> Result<(), Failure> {
    let mut words = vec!["tre", "token", "issue", "--user", who];
    words.extend(more);
    stage.announce("operator", &words)?;
    let token = stage.run("operator", &words, Exit::Answered)?.out;
    stage.narrator.output(&shortened(&token))?;
    stage.give(who, &token);
    Ok(())
}

/// The holder's files and the permit, out of this program.
fn bring_files(stage: &mut Stage) -> Result<(), Failure> {
    for (name, content) in eunomia::FILES {
        stage.bring(&format!("eunomia/{name}"), content)?;
    }
    stage.bring("eunomia/eunomia.toml", eunomia::SPEC.as_bytes())?;
    stage.bring("outcomes.toml", eunomia::OUTCOMES.as_bytes())
}

/// The beginning of a token; the demo's are worth nothing, but that is a good habit.
fn shortened(token: &str) -> String {
    let head: String = token.trim().chars().take(24).collect();
    format!("{head}…")
}
