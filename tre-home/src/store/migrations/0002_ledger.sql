-- What has left, one row per answer, sealed by the vault. `seq` counts from 1 without gaps: a missing row is noticed.
create table ledger (
    seq    integer primary key,
    sealed blob not null
) strict;

-- What the ledger will remember of a request's frozen bytes if they leave, sealed; destroyed with the project.
create table ledger_draft (
    request text primary key,
    project text not null references project (id),
    sealed  blob not null
) strict;
create index ledger_draft_project on ledger_draft (project);
