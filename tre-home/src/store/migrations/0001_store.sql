-- Times are RFC 3339 text in UTC, hashes lower-case hex of SHA-256, states text that tre-core's tables know.

create table project (
    id            text primary key,
    revision      integer not null,
    state         text not null check (state in ('open', 'closed')),
    permit        text not null,
    permit_sha256 text not null,
    grant_json    text not null,
    pseudonym_key text, -- wrapped by the vault; null: destroyed
    applied_at    text not null,
    applied_by    text not null,
    closed_at     text,
    closed_by     text,
    close_reason  text,
    check ((state = 'open') = (pseudonym_key is not null)),
    check ((state = 'open') = (closed_at is null))
) strict;

create table project_policy (
    project text not null references project (id),
    policy  text not null,
    sha256  text not null,
    bytes   blob not null,
    primary key (project, policy)
) strict;

create table token (
    id         text primary key,
    project    text references project (id),
    user       text not null,
    role       text not null,
    issued_at  text not null,
    issued_by  text not null,
    expires_at text not null,
    revoked_at text,
    revoked_by text
) strict;
create index token_project on token (project);

create table session (
    id           text primary key,
    token        text not null references token (id),
    project      text not null references project (id),
    user         text not null,
    opened_at    text not null,
    closed_at    text,
    close_reason text
) strict;
create index session_project on session (project);

create table request (
    id            text primary key,
    project       text not null references project (id),
    author        text not null,
    exit          text not null,
    title         text not null,
    context       text not null,
    sql           text not null,
    state         text not null,
    submitted_at  text not null,
    output        blob, -- frozen treated bytes; null: destroyed with the project
    output_sha256 text not null,
    record        text, -- SDC record, JSON; null: destroyed with the project
    record_sha256 text not null
) strict;
create index request_project on request (project, state);

create table request_event (
    id         integer primary key,
    request    text not null references request (id),
    at         text not null,
    actor      text not null,
    from_state text not null, -- empty: it was submitted
    to_state   text not null,
    note       text not null
) strict;
create index request_event_request on request_event (request);

create table review (
    request       text not null references request (id),
    reviewer      text not null,
    vote          text not null,
    comment       text not null,
    at            text not null,
    output_sha256 text not null, -- what the reviewer saw
    primary key (request, reviewer)
) strict;

create table release (
    id            text primary key,
    request       text not null unique references request (id),
    project       text not null references project (id),
    released_at   text not null,
    media_type    text not null,
    output        blob not null,
    output_sha256 text not null,
    record        text not null,
    record_sha256 text not null
) strict;
create index release_project on release (project);
