//! Third act: a file leaves the house, after two other people have read it.

use super::act_questions::{INSTEAD, insist};
use super::stage::Stage;
use crate::codes;
use crate::exit::{Exit, Failure};

pub(super) fn play(stage: &mut Stage) -> Result<(), Failure> {
    stage.narrator.chapter("A file for the paper")?;
    stage.narrator.say(
        "For her paper alice needs a file. She says what it is and why. The bytes are frozen now, as the checker treated \
         them: what is read later is what leaves.",
    )?;
    let submit = [
        "tre",
        "request",
        "submit",
        "-c",
        INSTEAD,
        "--title",
        "Table 1",
        "--context",
        "Adults treated for gastrointestinal bleeding, by age. First release; nothing earlier to compare.",
    ];
    stage.play("alice", &submit, Exit::Answered)?;
    let request = only_request(stage)?;

    stage
        .narrator
        .say("Nobody decides on their own request, and the rules ask for two others. bo reads it first:")?;
    stage.play("bo", &["tre", "review", "show", &request], Exit::Answered)?;
    stage.play(
        "bo",
        &[
            "tre",
            "review",
            "approve",
            &request,
            "--comment",
            "all counts well above 10",
        ],
        Exit::Answered,
    )?;
    stage.narrator.say("One is not two. If alice tries now:")?;
    stage.play(
        "alice",
        &["tre", "release", "fetch", &request, "-o", "results"],
        Exit::Error,
    )?;
    stage
        .narrator
        .say("cy reads it too, without knowing what bo said:")?;
    stage.play(
        "cy",
        &["tre", "review", "approve", &request, "--comment", "agreed"],
        Exit::Answered,
    )?;
    stage.narrator.say("Now the file is alice's, with its record: every rule that was applied, bound to the file by its hash.")?;
    stage.play(
        "alice",
        &["tre", "release", "fetch", &request, "-o", "results"],
        Exit::Answered,
    )?;
    for file in released(stage)? {
        let path = stage.path(&file);
        let text = std::fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))?;
        if file.ends_with(".csv") {
            stage.announce("alice", &["cat", &file])?;
            stage.narrator.output(&text)?;
        } else {
            stage.announce("alice", &["head", "-n", "24", &file])?;
            stage
                .narrator
                .output(&text.lines().take(24).collect::<Vec<_>>().join("\n"))?;
        }
    }
    Ok(())
}

/// The id of the request that alice has just made.
fn only_request(stage: &mut Stage) -> Result<String, Failure> {
    let listed = stage.run(
        "alice",
        &["tre", "request", "list", "--format", "json"],
        Exit::Answered,
    )?;
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap_or_default();
    let id = listed.pointer("/rows/0/id").and_then(serde_json::Value::as_str);
    id.map(str::to_owned)
        .ok_or_else(|| Failure::of(&codes::CLI_DEMO, "the request is not listed"))
}

/// The released files, outputs first.
fn released(stage: &Stage) -> Result<Vec<String>, Failure> {
    let dir = stage.path("results");
    let entries = std::fs::read_dir(&dir).map_err(|error| Failure::file("read", &dir, &error))?;
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| format!("results/{}", entry.file_name().to_string_lossy()))
        .collect();
    names.sort_by_key(|name| (!name.ends_with(".csv"), name.clone()));
    insist(names.len() >= 2, "the release has no record")?;
    Ok(names)
}
