//! The control service: what the `tre` command asks beside Flight SQL, on the same port.
//!
//! Every call goes the same way: bearer token ▸ caller ▸ access policies ▸ [`crate::projects`], [`crate::requests`] or a
//! listing ▸ message. Messages are read here and nowhere below; what goes wrong becomes a status in [`crate::fault`].

mod place;

mod datasets;
mod log;
mod policies;
mod projects;
mod requests;
mod schema;
mod sessions;
mod words;

use std::sync::Arc;

use tonic::{Request, Response, Status};
use tre_proto::v1;
use tre_proto::v1::control_server::{Control, ControlServer};

use crate::core::Core;
use crate::fault::Fault;
use crate::identity::{Caller, bearer};

/// The service, ready to be added to a router.
pub(crate) fn service(core: Arc<Core>) -> ControlServer<Calls> {
    ControlServer::new(Calls { core })
}

/// Answers the calls.
#[derive(Clone)]
pub(crate) struct Calls {
    core: Arc<Core>,
}

impl Calls {
    /// Who calls, and with what.
    async fn open<T>(&self, request: Request<T>) -> Result<(Caller, T), Fault> {
        let caller = self.core.caller(bearer(request.metadata())?).await?;
        Ok((caller, request.into_inner()))
    }
}

type Answer<T> = Result<Response<T>, Status>;

/// One call: the name of the method, its messages, and the function that answers; of a call whose answer comes in pieces also
/// the name that the service has for their stream.
macro_rules! calls {
    (
        whole { $($name:ident: $request:ident -> $response:ident = $answer:expr;)* }
        pieces { $($many:ident: $asked:ident -> $piece:ident as $stream:ident = $begin:expr;)* }
    ) => {
        #[tonic::async_trait]
        impl Control for Calls {
            $(
                async fn $name(&self, request: Request<v1::$request>) -> Answer<v1::$response> {
                    let (caller, message) = self.open(request).await?;
                    Ok(Response::new($answer(&self.core, &caller, message).await?))
                }
            )*
            $(
                type $stream = log::Pieces<v1::$piece>;

                async fn $many(&self, request: Request<v1::$asked>) -> Answer<Self::$stream> {
                    let (caller, message) = self.open(request).await?;
                    Ok(Response::new($begin(&self.core, &caller, message).await?))
                }
            )*
        }
    };
}

calls! {
    whole {
        plan_project: PlanProjectRequest -> ProjectPlan = projects::plan;
        apply_project: ApplyProjectRequest -> ProjectPlan = projects::apply;
        list_projects: ListProjectsRequest -> ListProjectsResponse = projects::list;
        show_project: ShowProjectRequest -> Project = projects::show;
        close_project: CloseProjectRequest -> CloseProjectResponse = projects::close;
        list_datasets: ListDatasetsRequest -> ListDatasetsResponse = datasets::list;
        show_dataset: ShowDatasetRequest -> Dataset = datasets::show;
        get_schema: GetSchemaRequest -> ProjectSchema = schema::get;
        check: CheckRequest -> CheckReport = requests::check;
        submit_request: SubmitRequestRequest -> Request = requests::submit;
        list_requests: ListRequestsRequest -> ListRequestsResponse = requests::list;
        show_request: ShowRequestRequest -> Request = requests::show;
        withdraw_request: WithdrawRequestRequest -> Request = requests::withdraw;
        list_reviews: ListReviewsRequest -> ListReviewsResponse = requests::list_reviews;
        show_review: ShowReviewRequest -> Review = requests::show_review;
        approve_review: VoteRequest -> Review = requests::approve;
        return_review: VoteRequest -> Review = requests::give_back;
        reject_review: VoteRequest -> Review = requests::reject;
        list_releases: ListReleasesRequest -> ListReleasesResponse = requests::list_releases;
        fetch_release: FetchReleaseRequest -> FetchReleaseResponse = requests::fetch_release;
        list_sessions: ListSessionsRequest -> ListSessionsResponse = sessions::list;
        kill_session: KillSessionRequest -> KillSessionResponse = sessions::kill;
        list_policies: ListPoliciesRequest -> ListPoliciesResponse = policies::list;
        show_policy: ShowPolicyRequest -> Policy = policies::show;
    }
    pieces {
        export_log: ExportLogRequest -> LogEntries as ExportLogStream = log::export;
        copy_log: CopyLogRequest -> LogFile as CopyLogStream = log::copy;
    }
}
