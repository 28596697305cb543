//! `tre policy test`: the cases of policies, and whether they come out as their author says.

use clap::Args;
use output_checker::conformance::Conformance;
use schemars::JsonSchema;
use serde::Serialize;
use tre_core::codes::SDC_CASES;
use tre_core::ids::PolicyId;

use super::shelf::ShelfArgs;
use crate::args::FormatArgs;
use crate::codes;
use crate::exit::{Exit, Failure, Outcome};
use crate::render::{Cell, listing};
use crate::shell::Shell;

/// Arguments of `tre policy test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// The policy; without it, all
    id: Option<PolicyId>,
    #[command(flatten)]
    shelf: ShelfArgs,
    #[command(flatten)]
    format: FormatArgs,
}

listing!(
    /// What the cases of policies say, and what came out.
    pub(super) PolicyTest of CaseRow, "policy-test", ["policy", "case", "what", "expected", "got", "result"]
);

/// One thing that a case says.
#[derive(Debug, Serialize, JsonSchema)]
struct CaseRow {
    /// The policy.
    policy: String,
    /// The case, in its author's words.
    case: String,
    /// What is judged: `decision`, or a value of a group.
    what: String,
    /// What has to become of it.
    expected: String,
    /// What became of it.
    got: String,
    /// Whether the two are equal: `pass` or `fail`.
    result: &'static str,
}

impl CaseRow {
    fn cells(&self) -> Vec<Cell> {
        let texts = [
            self.policy.as_str(),
            &self.case,
            &self.what,
            &self.expected,
            &self.got,
            self.result,
        ];
        texts.map(Cell::text).into()
    }
}

/// Runs the cases of one policy or of all.
pub(super) fn run(args: &TestArgs, shell: &Shell) -> Outcome {
    let mut rows = Vec::new();
    for policy in args.shelf.policies(args.id.as_ref())? {
        let id = policy.id();
        let Some(text) = args.shelf.cases(id)? else {
            let what = format!("policy `{id}` has no cases");
            let hint = format!("write them into policies/sdc/conformance/{id}.toml of the home");
            if args.id.is_some() {
                return Err(Failure::new(&SDC_CASES, what, hint));
            }
            shell.notice(&format!("{what}: {hint}"));
            continue;
        };
        for outcome in Conformance::parse(&text)?.run(&policy)? {
            let result = if outcome.passed() { "pass" } else { "fail" };
            rows.push(CaseRow {
                policy: id.to_string(),
                case: outcome.case,
                what: outcome.what,
                expected: outcome.expected,
                got: outcome.got,
                result,
            });
        }
    }
    let (all, failed) = (rows.len(), rows.iter().filter(|row| row.result == "fail").count());
    shell.show(&PolicyTest { rows }, args.format.format)?;
    if failed > 0 {
        let what = format!("{failed} of {all} expectations came out otherwise");
        return Err(Failure::of(&codes::CLI_CHECK_FAILED, what));
    }
    shell.note(&format!("{all} expectations came out as their cases say"));
    Ok(Exit::Answered)
}
