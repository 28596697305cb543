//! The calls that policies can name.

/// One call of Flight SQL, of the control service or of the socket in the home. The calls of Flight SQL fall into four:
/// what they do, not by which of many messages a client says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    missing_docs,
    reason = "named as in policies/access/schema.cedarschema, which explains them"
)]
pub enum Action {
    Connect,
    Describe,
    Plan,
    Query,
    PlanProject,
    ApplyProject,
    ListProjects,
    ShowProject,
    CloseProject,
    ListDatasets,
    ShowDataset,
    ListPolicies,
    ShowPolicy,
    GetSchema,
    Check,
    SubmitRequest,
    ListRequests,
    ShowRequest,
    WithdrawRequest,
    ListReviews,
    ShowReview,
    ApproveReview,
    ReturnReview,
    RejectReview,
    ListReleases,
    FetchRelease,
    ListSessions,
    ShowSession,
    KillSession,
    ExportLog,
    CopyLog,
    Ping,
    IssueToken,
    RevokeToken,
    AppendEntry,
}

/// Every action with what it is in words, after "may not".
const ACTIONS: [(Action, &str, &str); 35] = [
    (Action::Connect, "Connect", "open a session"),
    (Action::Describe, "Describe", "list tables"),
    (Action::Plan, "Plan", "plan a query"),
    (Action::Query, "Query", "query data"),
    (Action::PlanProject, "PlanProject", "plan a project"),
    (Action::ApplyProject, "ApplyProject", "apply a permit"),
    (Action::ListProjects, "ListProjects", "list projects"),
    (Action::ShowProject, "ShowProject", "see this project"),
    (Action::CloseProject, "CloseProject", "close a project"),
    (Action::ListDatasets, "ListDatasets", "list datasets"),
    (Action::ShowDataset, "ShowDataset", "see a dataset"),
    (Action::ListPolicies, "ListPolicies", "list policies"),
    (Action::ShowPolicy, "ShowPolicy", "see a policy"),
    (Action::GetSchema, "GetSchema", "see the schema"),
    (Action::Check, "Check", "check a query"),
    (Action::SubmitRequest, "SubmitRequest", "request a release"),
    (Action::ListRequests, "ListRequests", "list requests"),
    (Action::ShowRequest, "ShowRequest", "see this request"),
    (
        Action::WithdrawRequest,
        "WithdrawRequest",
        "withdraw this request",
    ),
    (Action::ListReviews, "ListReviews", "list reviews"),
    (Action::ShowReview, "ShowReview", "review this request"),
    (Action::ApproveReview, "ApproveReview", "approve this request"),
    (Action::ReturnReview, "ReturnReview", "return this request"),
    (Action::RejectReview, "RejectReview", "reject this request"),
    (Action::ListReleases, "ListReleases", "list releases"),
    (Action::FetchRelease, "FetchRelease", "fetch a release"),
    (Action::ListSessions, "ListSessions", "list sessions"),
    (Action::ShowSession, "ShowSession", "see this session"),
    (Action::KillSession, "KillSession", "end this session"),
    (Action::ExportLog, "ExportLog", "export the audit log"),
    (Action::CopyLog, "CopyLog", "copy the audit log"),
    (Action::Ping, "Ping", "reach the server over the socket"),
    (Action::IssueToken, "IssueToken", "issue a token"),
    (Action::RevokeToken, "RevokeToken", "revoke a token"),
    (
        Action::AppendEntry,
        "AppendEntry",
        "hand over an entry of the log",
    ),
];

impl Action {
    /// All actions.
    pub fn all() -> impl Iterator<Item = Action> {
        ACTIONS.iter().map(|(action, _, _)| *action)
    }

    /// The action's name in the policies, which is that of its call.
    pub fn as_str(self) -> &'static str {
        self.entry().1
    }

    /// What it is in words, after "may not".
    pub(crate) fn phrase(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> &'static (Action, &'static str, &'static str) {
        const UNNAMED: (Action, &str, &str) = (Action::Connect, "", "do this");
        // An action without an entry has no name that a policy could permit; a test sees that there is none.
        ACTIONS
            .iter()
            .find(|(action, _, _)| *action == self)
            .unwrap_or(&UNNAMED)
    }
}
