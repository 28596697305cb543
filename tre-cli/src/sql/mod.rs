//! SQL from a person or a script to a server and back, through Flight SQL as any other client speaks it: prepare, get the
//! flight's description, fetch it, close.
//!
//! What arrives has passed the checker, and nothing here could know more than that: a suppressed value is NULL, the last
//! column says why, and notices on the whole result come in the schema's metadata.

mod answer;
mod instead;
mod interactive;
mod statements;

use arrow_flight::Action;
use futures::TryStreamExt;

use crate::codes;
use crate::connect::{Flight, Remote, from_flight};
use crate::exit::Failure;

pub(crate) use answer::{Answer, DISCLOSURE};
pub(crate) use instead::{MOST as MOST_REWRITES, Rewrite, grid as rewrites_grid, helpful};
pub(crate) use interactive::interact;
pub(crate) use statements::split;

/// Runs one query and collects its answer. Dropping the future cancels the query.
pub(crate) async fn query(remote: &Remote, sql: &str) -> Result<Answer, Failure> {
    let mut client = remote.flight();
    let mut statement = client.prepare(sql.to_owned(), None).await.map_err(from_flight)?;
    let fetched = match statement.execute().await {
        Ok(info) => fetch(&mut client, info).await,
        Err(error) => Err(from_flight(error)),
    };
    // The server drops abandoned statements by itself; the answer, or why there is none, is what matters.
    let _closed = statement.close().await;
    fetched
}

async fn fetch(client: &mut Flight, info: arrow_flight::FlightInfo) -> Result<Answer, Failure> {
    let protocol = |what: &str| Failure::of(&codes::CLI_PROTOCOL, what);
    let endpoints = info.endpoint.clone();
    let planned = info
        .try_decode_schema()
        .map_err(|_| protocol("the description of the answer cannot be read"))?;
    let mut answer = Answer::new(planned.into());
    for endpoint in endpoints {
        let ticket = endpoint
            .ticket
            .ok_or_else(|| protocol("a part of the answer has no ticket"))?;
        let mut stream = client.do_get(ticket).await.map_err(from_flight)?;
        while let Some(batch) = stream.try_next().await.map_err(from_flight)? {
            answer.push(batch);
        }
        if let Some(schema) = stream.schema() {
            answer.learn(schema);
        }
    }
    Ok(answer)
}

/// Ends the session of this token: its processes stop now and not after the idle time.
pub(crate) async fn close_session(remote: &Remote) -> Result<(), Failure> {
    let action = Action {
        r#type: "CloseSession".to_owned(),
        body: Vec::new().into(),
    };
    let mut answered = remote.flight().do_action(action).await.map_err(from_flight)?;
    while answered
        .message()
        .await
        .map_err(|status| crate::connect::from_status(&status))?
        .is_some()
    {}
    Ok(())
}
