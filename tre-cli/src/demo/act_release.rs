//! Third act: a file leaves the house, after two other people have read it.

use tre_home::vault::sha256_hex;

use super::act_questions::{INSTEAD, insist};
use super::stage::Stage;
use crate::codes;
use crate::exit::{Exit, Failure};

const OUTPUT: &str = "results/output.csv";
const RECORD: &str = "results/record.json";

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
        "Adults treated for bleeding, by age. First release, nothing to compare.",
    ];
    stage.play("alice", &submit, Exit::Answered)?;
    let request = only_request(stage)?;

    stage
        .narrator
        .say("She cannot let it go herself: checkers decide, and never on a request of their own.")?;
    stage.play("alice", &["tre", "review", "approve", &request], Exit::Error)?;

    stage
        .narrator
        .say("The rules ask for two other people. bo reads it first, with what the checker did to it:")?;
    stage.play("bo", &["tre", "review", "show", &request], Exit::Answered)?;
    let approve = [
        "tre",
        "review",
        "approve",
        &request,
        "--comment",
        "all counts well above 10",
    ];
    stage.play("bo", &approve, Exit::Answered)?;
    stage
        .narrator
        .say("One is not two. cy reads it as well, and cannot see how bo voted before voting:")?;
    let approve = ["tre", "review", "approve", &request, "--comment", "agreed"];
    let printed = stage.play("cy", &approve, Exit::Answered)?;
    insist(
        printed.out.contains("released"),
        "two approvals did not release the file",
    )?;

    stage.narrator.say(
        "Now the file is alice's, with its record: every rule and treatment that was applied, bound to the file by its \
         hash.",
    )?;
    stage.play(
        "alice",
        &["tre", "release", "fetch", &request, "-o", "results"],
        Exit::Answered,
    )?;
    let output = read(stage, OUTPUT)?;
    stage.announce("alice", &["cat", OUTPUT])?;
    stage.narrator.output(&output)?;
    bound(stage, &output)
}

/// Shows that the record names the hash of the very bytes that left.
fn bound(stage: &mut Stage, output: &str) -> Result<(), Failure> {
    let hash = sha256_hex(output.as_bytes());
    stage.announce("alice", &["sha256sum", OUTPUT])?;
    stage.narrator.output(&format!("{hash}  {OUTPUT}"))?;
    let record: serde_json::Value = serde_json::from_str(&read(stage, RECORD)?).unwrap_or_default();
    let bound = record
        .pointer("/output/sha256")
        .and_then(serde_json::Value::as_str);
    insist(bound == Some(&hash), "the record is not bound to the output")?;
    let start: String = hash.chars().take(8).collect();
    let words = ["grep", "-o", &format!("\"sha256\":\"{start}[^\"]*\""), RECORD];
    stage.announce("alice", &words)?;
    stage.narrator.output(&format!("\"sha256\":\"{hash}\""))
}

fn read(stage: &Stage, name: &str) -> Result<String, Failure> {
    let path = stage.path(name);
    std::fs::read_to_string(&path).map_err(|error| Failure::file("read", &path, &error))
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
