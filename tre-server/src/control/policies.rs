//! Calls about the policies of the home. What is in force in a project are its pinned ones, which `show_project` and
//! `get_schema` tell.

use std::sync::Arc;

use tre_core::codes;
use tre_core::ids::PolicyId;
use tre_core::policy::Policy;
use tre_proto::v1;

use super::place::{bad_name, listing};
use crate::authz::Action;
use crate::core::Core;
use crate::fault::Fault;
use crate::identity::Caller;
use crate::projects::{internal, policies};

pub(super) async fn list(
    core: &Arc<Core>,
    caller: &Caller,
    _: v1::ListPoliciesRequest,
) -> Result<v1::ListPoliciesResponse, Fault> {
    listing(core, caller, Action::ListPolicies).await?;
    let directory = core.home.layout().sdc_policies();
    let listed = tokio::task::spawn_blocking(move || policies::list(&directory))
        .await
        .map_err(internal)??;
    let shown = listed.into_iter().map(|(id, read)| match read {
        Ok(shelved) => summary(&shelved.policy),
        Err(problem) => {
            let title = format!("cannot be used: {} {}", problem.code.id, problem.what);
            v1::PolicySummary {
                id: id.to_string(),
                title,
                sha256: String::new(),
            }
        }
    });
    Ok(v1::ListPoliciesResponse {
        policies: shown.collect(),
    })
}

pub(super) async fn show(
    core: &Arc<Core>,
    caller: &Caller,
    message: v1::ShowPolicyRequest,
) -> Result<v1::Policy, Fault> {
    listing(core, caller, Action::ShowPolicy).await?;
    let id: PolicyId = message.id.parse().map_err(bad_name(&codes::PRJ_POLICY))?;
    let directory = core.home.layout().sdc_policies();
    let read = tokio::task::spawn_blocking(move || policies::read(&directory, &id)).await;
    let shelved = read.map_err(internal)??;
    Ok(v1::Policy {
        summary: Some(summary(&shelved.policy)),
        words: shelved.policy.in_plain_words().join("\n"),
        text: shelved.text,
    })
}

fn summary(policy: &Policy) -> v1::PolicySummary {
    v1::PolicySummary {
        id: policy.id().to_string(),
        title: policy.title().to_owned(),
        sha256: policy.hash().to_owned(),
    }
}
