-- What reviewers see beside the frozen bytes of a request: evidence of its cells, and rewrites that were tried. Sealed by the
-- vault; removed with the project.
create table insight (
    request text primary key,
    project text not null references project (id),
    sealed  blob not null,
    sha256  text not null -- of what was sealed
) strict;
create index insight_project on insight (project);
