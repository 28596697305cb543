//! Who may do what: every call × everybody who could make it. The table is the truth; a call that is not in it fails.

use std::collections::BTreeSet;

use tre_core::ids::UserName;
use tre_core::permit::Role;
use tre_server::authz::{Access, Action, Principal, ProjectFacts, Resource};

/// Everybody who could call, by one letter; the project is `liver`, the request is ana's, vera has voted on it.
const PEOPLE: [(char, &str, Option<Role>, Option<&str>); 15] = [
    ('a', "ana", Some(Role::Analyst), Some("liver")), // analyst of the permit, author, owner of the session
    ('b', "ben", Some(Role::Analyst), Some("liver")), // analyst of the permit, somebody else
    ('c', "carl", Some(Role::Analyst), Some("liver")), // has a token, but is not in the permit
    ('x', "ana", Some(Role::Analyst), Some("heart")), // the same person in another project
    ('k', "kim", Some(Role::Checker), Some("liver")), // checker of the permit
    ('K', "ana", Some(Role::Checker), Some("liver")), // checker of the permit who is the author
    ('v', "vera", Some(Role::Checker), Some("liver")), // checker who has voted
    ('w', "carl", Some(Role::Checker), Some("liver")), // checker's token, not in the permit
    ('y', "kim", Some(Role::Checker), Some("heart")), // checker in another project
    ('o', "olga", Some(Role::Operator), None),        // operator of everything
    ('O', "olga", Some(Role::Operator), Some("liver")), // operator bound to the project
    ('p', "olga", Some(Role::Operator), Some("heart")), // operator bound to another
    ('u', "uta", Some(Role::Auditor), None),          // auditor of everything
    ('U', "uta", Some(Role::Auditor), Some("heart")), // auditor bound to another project
    ('l', "local:root", None, None),                  // over the socket in the home
];

/// What is acted on: the project; the place of the caller (own project, or the home for those of no project); the
/// request; the session; the home.
#[derive(Clone, Copy)]
enum On {
    Project,
    Place,
    Request,
    Session,
    Home,
}

/// Call, what it acts on, who may while the permit is in force, who may while it is not.
const TABLE: [(Action, On, &str, &str); 35] = [
    (Action::Connect, On::Project, "ab", ""),
    (Action::Describe, On::Project, "ab", ""),
    (Action::Plan, On::Project, "ab", ""),
    (Action::Query, On::Project, "ab", ""),
    (Action::PlanProject, On::Project, "oO", "oO"),
    (Action::ApplyProject, On::Project, "oO", "oO"),
    (Action::ShowProject, On::Project, "abkKvoOu", "oOu"),
    (Action::CloseProject, On::Project, "oO", "oO"),
    (Action::ListProjects, On::Place, "abkKvoOpuU", "oOpuU"),
    (Action::ListDatasets, On::Place, "oOpuU", "oOpuU"),
    (Action::ShowDataset, On::Place, "oOpuU", "oOpuU"),
    (Action::ListPolicies, On::Place, "abkKvoOpuU", "oOpuU"),
    (Action::ShowPolicy, On::Place, "abkKvoOpuU", "oOpuU"),
    (Action::GetSchema, On::Place, "abkKv", ""),
    (Action::Check, On::Place, "ab", ""),
    (Action::SubmitRequest, On::Place, "ab", ""),
    (Action::ListRequests, On::Place, "ab", ""),
    (Action::ShowRequest, On::Request, "a", ""),
    (Action::WithdrawRequest, On::Request, "a", ""),
    (Action::ListReviews, On::Place, "kKv", ""),
    (Action::ShowReview, On::Request, "kv", ""),
    (Action::ApproveReview, On::Request, "k", ""),
    (Action::ReturnReview, On::Request, "k", ""),
    (Action::RejectReview, On::Request, "k", ""),
    (Action::ListReleases, On::Place, "abkKvoOpuU", "oOpuU"),
    (Action::FetchRelease, On::Project, "ab", ""),
    (Action::ListSessions, On::Place, "aboOpuU", "oOpuU"),
    (Action::ShowSession, On::Session, "aoOu", "aoOu"),
    (Action::KillSession, On::Session, "aoO", "aoO"),
    (Action::ExportLog, On::Home, "u", "u"),
    (Action::CopyLog, On::Home, "u", "u"),
    (Action::Ping, On::Home, "l", "l"),
    (Action::IssueToken, On::Home, "l", "l"),
    (Action::RevokeToken, On::Home, "l", "l"),
    (Action::AppendEntry, On::Home, "l", "l"),
];

fn users(names: &[&str]) -> Vec<UserName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn project(in_force: bool) -> ProjectFacts {
    let (analysts, checkers) = (users(&["ana", "ben"]), users(&["kim", "ana", "vera"]));
    ProjectFacts {
        id: "liver".parse().unwrap(),
        in_force,
        analysts,
        checkers,
    }
}

/// The letters of those who may.
fn allowed(access: &Access, action: Action, on: On, in_force: bool) -> String {
    let facts = project(in_force);
    let other = ProjectFacts {
        id: "heart".parse().unwrap(),
        ..project(in_force)
    };
    let (author, voters): (UserName, _) = ("ana".parse().unwrap(), users(&["vera"]));
    let may = |(_, user, role, project): &(char, &str, Option<Role>, Option<&str>)| {
        let principal = Principal {
            user,
            role: *role,
            project: *project,
        };
        let own = if *project == Some("heart") { &other } else { &facts };
        let resource = match on {
            On::Project => Resource::Project(&facts),
            On::Place if role.is_some_and(Role::is_of_a_project) => Resource::Project(own),
            On::Place | On::Home => Resource::Home,
            On::Request => Resource::Request {
                project: &facts,
                author: &author,
                voters: &voters,
            },
            On::Session => Resource::Session {
                project: &facts,
                user: &author,
            },
        };
        access.authorize(principal, action, resource).is_ok()
    };
    PEOPLE
        .iter()
        .filter(|person| may(person))
        .map(|person| person.0)
        .collect()
}

#[test]
fn every_call_by_everybody() {
    let access = Access::shipped().unwrap();
    let mut wrong = Vec::new();
    for (action, on, in_force, else_) in TABLE {
        // In their own place, people of the other project are at home there.
        let expected = match on {
            On::Place if in_force.contains('a') => format!("{in_force}x"),
            On::Place | On::Project | On::Request | On::Session | On::Home => in_force.to_owned(),
        };
        let expected = match on {
            On::Place if in_force.contains('k') => format!("{expected}y"),
            On::Place | On::Project | On::Request | On::Session | On::Home => expected,
        };
        for (expected, found) in [
            (expected, allowed(&access, action, on, true)),
            (else_.to_owned(), allowed(&access, action, on, false)),
        ] {
            if expected.chars().collect::<BTreeSet<_>>() != found.chars().collect() {
                wrong.push(format!("{action:?}: {expected} expected, {found} found"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_action_and_no_call_of_the_wire_is_missing_in_the_table() {
    let listed: BTreeSet<&str> = TABLE.iter().map(|line| line.0.as_str()).collect();
    assert_eq!(listed, Action::all().map(Action::as_str).collect());
    assert_eq!(listed.len(), TABLE.len(), "an action stands twice in the table");

    let services = [
        include_str!("../../../proto/tre/v1/control.proto"),
        include_str!("../../../proto/tre/v1/local.proto"),
    ];
    let calls: BTreeSet<&str> = services
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next())
        .collect();
    assert!(calls.len() > 25, "{calls:?}");
    let of_flight: BTreeSet<&str> = ["Connect", "Describe", "Plan", "Query"].into();
    let asked_per_item: BTreeSet<&str> = ["ShowSession"].into();
    let expected: BTreeSet<&str> = calls
        .iter()
        .chain(&of_flight)
        .chain(&asked_per_item)
        .copied()
        .collect();
    assert_eq!(listed, expected);
}

#[test]
fn a_refusal_says_which_prohibition_decided() {
    let access = Access::shipped().unwrap();
    let (facts, author) = (project(true), "ana".parse().unwrap());
    let voters = users(&["vera"]);
    let request = Resource::Request {
        project: &facts,
        author: &author,
        voters: &voters,
    };
    let ended = project(false);
    let cases: &[(&str, Role, Action, Resource<'_>, &str, &str)] = &[
        (
            "ana",
            Role::Checker,
            Action::ApproveReview,
            request,
            "nobody-reviews-their-own-request",
            "TRE-AUTH-005",
        ),
        (
            "vera",
            Role::Checker,
            Action::RejectReview,
            request,
            "one-person-one-vote",
            "TRE-REQ-004",
        ),
        (
            "olga",
            Role::Operator,
            Action::Query,
            Resource::Project(&facts),
            "operators-read-no-data",
            "TRE-AUTH-005",
        ),
        (
            "uta",
            Role::Auditor,
            Action::ShowReview,
            request,
            "auditors-read-no-data",
            "TRE-AUTH-005",
        ),
        (
            "kim",
            Role::Checker,
            Action::Query,
            Resource::Project(&facts),
            "checkers-ask-no-data",
            "TRE-AUTH-005",
        ),
        (
            "ana",
            Role::Analyst,
            Action::Query,
            Resource::Project(&ended),
            "only-while-the-permit-is-in-force",
            "TRE-PRJ-014",
        ),
    ];
    for (user, role, action, resource, policy, code) in cases {
        let project = role.is_of_a_project().then_some("liver");
        let denied = access
            .authorize(
                Principal {
                    user,
                    role: Some(*role),
                    project,
                },
                *action,
                *resource,
            )
            .unwrap_err();
        assert!(
            denied.by.iter().any(|id| id == policy),
            "{action:?}: {:?}",
            denied.by
        );
        assert_eq!(denied.problem.code.id, *code, "{denied}");
    }
    let stranger = Principal {
        user: "carl",
        role: Some(Role::Analyst),
        project: Some("liver"),
    };
    let denied = access
        .authorize(stranger, Action::Query, Resource::Project(&facts))
        .unwrap_err();
    assert_eq!((denied.by.len(), denied.problem.code.id), (0, "TRE-AUTH-005"));
}

#[test]
fn a_home_can_replace_what_roles_may_do_but_not_the_separation_of_duties() {
    let home = tempfile::tempdir().unwrap();
    let everything = "@id(\"all\") permit (principal, action, resource);";
    std::fs::write(home.path().join("own.cedar"), everything).unwrap();
    std::fs::write(home.path().join("separation.cedar"), "").unwrap();
    let access = Access::from_home(home.path()).unwrap();
    let facts = project(true);
    let ask = |user, role, action| {
        let principal = Principal {
            user,
            role: Some(role),
            project: None,
        };
        access
            .authorize(principal, action, Resource::Project(&facts))
            .is_ok()
    };
    assert!(ask("uta", Role::Auditor, Action::CloseProject));
    assert!(!ask("olga", Role::Operator, Action::Query));
    assert!(!ask("kim", Role::Checker, Action::Plan));
}

#[test]
fn policies_that_could_fail_while_they_decide_are_refused_when_loaded() {
    for (name, text) in [
        ("no id", "permit (principal, action, resource);"),
        (
            "an attribute that does not exist",
            "@id(\"a\") forbid (principal, action, resource) when { principal.age > 3 };",
        ),
        (
            "an unknown action",
            "@id(\"a\") permit (principal, action == Tre::Action::\"Qury\", resource);",
        ),
        (
            "an unknown role",
            "@id(\"a\") permit (principal in Tre::Rolle::\"analyst\", action, resource);",
        ),
        (
            "arithmetic that can overflow is typed, text is not",
            "@id(\"a\") permit (principal, action, resource) when { principal.user + 1 == 2 };",
        ),
        (
            "a template",
            "@id(\"a\") permit (principal == ?principal, action, resource);",
        ),
        (
            "two of one name",
            "@id(\"a\") permit (principal, action, resource); @id(\"a\") permit (principal, action, resource);",
        ),
        (
            "the name of a prohibition",
            "@id(\"operators-read-no-data\") permit (principal, action, resource);",
        ),
        ("no Cedar", "allow everyone"),
    ] {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("own.cedar"), text).unwrap();
        let problem = Access::from_home(home.path()).unwrap_err();
        assert_eq!(problem.code.id, "TRE-AUTH-008", "{name}: {problem}");
        assert!(!problem.what.contains('\n'), "{name}");
    }
}
