//! The control service and the listening socket from outside: every call refuses whoever has no token.

use std::path::PathBuf;

use tonic::{Code, Status};
use tre_core::permit::Role;
use tre_home::Home;
use tre_proto::v1;
use tre_proto::v1::control_client::ControlClient;
use tre_server::{Options, Server};

use crate::wire::{code, with};
use crate::world::{World, home};

/// Makes every call with a token or with none, and says how each was refused; the list is compared with the service's
/// definition.
macro_rules! refused {
    ($world:ident, $token:expr; $($rpc:literal $call:ident $message:ident),* $(,)?) => {{
        let token: Option<&str> = $token;
        let mut control = ControlClient::new($world.channel().await);
        let mut refused: Vec<(&str, Status)> = Vec::new();
        $(
            let called = control.$call(with(token, v1::$message::default())).await;
            refused.push(($rpc, called.map(|_| ()).unwrap_err()));
        )*
        let defined: Vec<&str> = include_str!("../../../proto/tre/v1/control.proto")
            .lines()
            .filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next())
            .collect();
        assert_eq!(refused.iter().map(|(rpc, _)| *rpc).collect::<Vec<_>>(), defined);
        refused
    }};
}

/// Every call of the service.
async fn every_call(world: &World, token: Option<&str>) -> Vec<(&'static str, Status)> {
    refused!(world, token;
        "PlanProject" plan_project PlanProjectRequest,
        "ApplyProject" apply_project ApplyProjectRequest,
        "ListProjects" list_projects ListProjectsRequest,
        "ShowProject" show_project ShowProjectRequest,
        "CloseProject" close_project CloseProjectRequest,
        "ListDatasets" list_datasets ListDatasetsRequest,
        "ShowDataset" show_dataset ShowDatasetRequest,
        "GetSchema" get_schema GetSchemaRequest,
        "Check" check CheckRequest,
        "SubmitRequest" submit_request SubmitRequestRequest,
        "ListRequests" list_requests ListRequestsRequest,
        "ShowRequest" show_request ShowRequestRequest,
        "WithdrawRequest" withdraw_request WithdrawRequestRequest,
        "ListReviews" list_reviews ListReviewsRequest,
        "ShowReview" show_review ShowReviewRequest,
        "ApproveReview" approve_review VoteRequest,
        "ReturnReview" return_review VoteRequest,
        "RejectReview" reject_review VoteRequest,
        "ListReleases" list_releases ListReleasesRequest,
        "FetchRelease" fetch_release FetchReleaseRequest,
        "ListSessions" list_sessions ListSessionsRequest,
        "KillSession" kill_session KillSessionRequest,
        "ListPolicies" list_policies ListPoliciesRequest,
        "ShowPolicy" show_policy ShowPolicyRequest,
        "ExportLog" export_log ExportLogRequest,
        "CopyLog" copy_log CopyLogRequest,
    )
}

#[tokio::test]
async fn every_call_of_the_control_service_refuses_strangers() {
    let world = World::start().await;
    for (rpc, status) in every_call(&world, None).await {
        assert_eq!(status.code(), Code::Unauthenticated, "{rpc}: {status}");
    }
    world.stop().await;
}

#[tokio::test]
async fn once_the_log_has_failed_nobody_is_answered() {
    let world = World::start().await;
    let listed = async |role| {
        let mut control = ControlClient::new(world.channel().await);
        let asked = with(Some(world.token(role)), v1::ListProjectsRequest::default());
        control.list_projects(asked).await
    };
    listed(Role::Auditor).await.unwrap();

    let mended = world.break_the_log();
    // What is refused is logged. The log keeps entries durably in one file until it brings them into its tiles, so it fails a
    // moment later; then the very refusal cannot be logged.
    let mut control = ControlClient::new(world.channel().await);
    loop {
        let asked = with(Some(world.token(Role::Analyst)), v1::ExportLogRequest::default());
        let status = control.export_log(asked).await.map(|_| ()).unwrap_err();
        if code(&status) != "TRE-AUTH-005" {
            assert_eq!(code(&status), "TRE-LOG-001", "{status}");
            break;
        }
    }
    for role in Role::ALL {
        for (rpc, status) in every_call(&world, Some(world.token(role))).await {
            assert_eq!(status.code(), Code::PermissionDenied, "{role} {rpc}: {status}");
            assert_eq!(code(&status), "TRE-LOG-001", "{role} {rpc}: {status}");
        }
    }
    let mut flight = world.client(Some(world.token(Role::Analyst))).await;
    let refused = flight.get_catalogs().await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("TRE-LOG-001"), "{refused}");

    // It cannot even log that it stops. Opened anew with its cause mended, the log is whole.
    assert_eq!(world.stop_broken(mended).await.code.id, "TRE-LOG-001");
}

#[tokio::test]
async fn the_schema_has_the_holders_words_and_the_permitted_columns_only() {
    let world = World::start().await;
    let mut control = ControlClient::new(world.channel().await);
    let asked = with(Some(world.token(Role::Analyst)), v1::GetSchemaRequest::default());
    let schema = control.get_schema(asked).await.unwrap().into_inner();
    let told: Vec<_> = schema
        .tables
        .iter()
        .map(|table| {
            let columns: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
            (table.name.as_str(), table.description.as_str(), columns)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("visit", "about visit", vec!["pid", "age"]),
            ("icd10", "about icd10", vec!["code"])
        ]
    );
    world.stop().await;
}

#[tokio::test]
async fn plaintext_is_spoken_on_loopback_only() {
    let directory = home();
    let home = Home::open(&directory.path().join("home"), "test").unwrap();
    let listen = Some("0.0.0.0:0".parse().unwrap());
    let worker = Some(PathBuf::from("/nonexistent/tre"));
    let refused = Server::bind(home, Options { listen, worker }).await.unwrap_err();
    assert_eq!(refused.code.id, "TRE-RUN-014");
    assert!(refused.what.contains("loopback"), "{refused}");
}
