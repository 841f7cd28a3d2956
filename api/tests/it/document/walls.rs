//! Every operation of the document, asked about another tenant's things with every role, and about
//! another brand's by somebody who is limited.

use reqwest::Method;
use serde_json::{Value, json};
use store::settings::api_keys::KeyRole;

use super::{
    document,
    examples::{contents, request, world},
    operations,
};
use crate::harness::{Answer, Caller, World, send};

/// Operations on one thing that say nothing of whether it is there: 403 for programs.
const OF_PEOPLE: &str = "people who have signed in";

/// What the answer to somebody without the permission is: 403. To who has it, another's thing is
/// not there: 404.
fn expected(operation: &Value, permissions: &Value) -> u16 {
    let needed = &operation["security"][0]["bearer"][0];
    let may = permissions.as_array().expect("permissions").contains(needed);
    if may { 404 } else { 403 }
}

/// The answers of an operation to somebody, by each of its bodies and media types.
async fn answers(
    world: &World,
    caller: &Caller,
    (method, path): (&Method, &str),
    operation: &Value,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    for content in contents(operation) {
        let documented = operation["responses"]["200"]["content"].as_object();
        let kinds = documented.map(|kinds| kinds.keys().cloned().collect()).unwrap_or_default();
        let kinds: Vec<String> = kinds;
        for kind in kinds.iter().map(String::as_str).chain(kinds.is_empty().then_some("*/*")) {
            let request = request(world, caller, (method, path), operation, content);
            answers.push(send(request.header("Accept", kind)).await);
        }
    }
    answers
}

/// The rows of a tenant in every table of tenants, hashed; keys apart, whose use is noted.
async fn rows(world: &World) -> String {
    let sums = "select string_agg(format('select ''%1$s'' as name, count(*) as count,
                    coalesce(md5(string_agg(md5(t::text), '''' order by md5(t::text))), '''') as sum
                    from millrace.%1$I t where tenant_id = ''acme''', c.table_name), ' union all ')
                from information_schema.columns c
                where c.table_schema = 'millrace' and c.column_name = 'tenant_id'
                  and c.table_name <> 'api_keys'";
    let mut db = world.database.superuser().await.expect("a connection");
    let sums: String = sqlx::query_scalar(sums).fetch_one(&mut db).await.expect("tables");
    let all = format!("select string_agg(s::text, ' ' order by s::text) from ({sums}) s");
    sqlx::query_scalar(sqlx::AssertSqlSafe(all)).fetch_one(&mut db).await.expect("sums")
}

#[tokio::test]
async fn another_tenants_ids_are_answered_404_everywhere() {
    let (world, owner) = world().await;
    let document = document();
    let ids = known_ids(&document);
    let before = rows(&world).await;
    let (mut on_things, mut others) = (0, 0);

    for role in KeyRole::ALL {
        let stranger = world.caller("globex", role).await;
        let me = stranger.get("/v1/me").await.expect(200);
        for (method, path, operation) in operations(&document) {
            if operation["security"].is_null() {
                continue;
            }
            for answer in answers(&world, &stranger, (&method, &path), &operation).await {
                let status = answer.status.as_u16();
                let what = format!("{role:?} {method} {path}: {status} {}", answer.body);
                let is_of_people = answer.body.to_string().contains(OF_PEOPLE);
                if path.contains('{') && !is_of_people {
                    assert_eq!(status, expected(&operation, &me["permissions"]), "{what}");
                    on_things += 1;
                }

                assert!(status < 500, "{what}");
                if status < 300 && method == Method::GET {
                    let body = answer.body.to_string();
                    assert!(!ids.iter().any(|id| body.contains(id)), "{what}");
                    others += 1;
                }
            }
        }
    }

    assert!(on_things > 200 && others > 100, "{on_things} and {others} answers");
    assert_eq!(rows(&world).await, before, "nothing of it was touched");
    owner.get("/v1/me").await.expect(200);
}

/// The ids that examples name in paths, all of them of one tenant.
fn known_ids(document: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    for (_, _, operation) in operations(document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let example = parameter["example"].as_str().unwrap_or_default();
            if parameter["in"] == "path" && example.len() == 36 {
                ids.push(example.to_owned());
            }
        }
    }
    assert!(ids.len() > 30, "{ids:?}");
    ids
}

/// Paths of things that belong to brands. What else there is belongs to the whole company.
const OF_BRANDS: [&str; 10] = [
    "/v1/analytics/campaigns/{",
    "/v1/brands/{",
    "/v1/campaigns/{",
    "/v1/conversations/{",
    "/v1/inboxes/{",
    "/v1/media/{",
    "/v1/messages/{",
    "/v1/numbers/{",
    "/v1/pools/{",
    "/v1/senders/{",
];

#[tokio::test]
async fn another_brands_things_are_not_there_for_who_is_limited() {
    let (world, owner) = world().await;
    let document = document();
    let brand = owner.post("/v1/brands", &json!({ "name": "Elsewhere" })).await.expect(201);
    let campaigns = owner.get("/v1/campaigns").await.expect(200);
    let campaign = campaigns["data"][0]["id"].as_str().expect("a campaign").to_owned();
    let mut asked = 0;

    for role in ["operator", "agent", "viewer"] {
        let body = json!({ "name": "limited", "role": role, "brands": [brand["id"]] });
        let made = owner.post("/v1/api-keys", &body).await.expect(201);
        let limited = world.with_token(made["key"].as_str().expect("a key"));
        let me = limited.get("/v1/me").await.expect(200);
        for (method, path, operation) in operations(&document) {
            let is_of_brands = OF_BRANDS.iter().any(|of| path.starts_with(of));
            if operation["security"].is_null() || !is_of_brands {
                continue;
            }
            for answer in answers(&world, &limited, (&method, &path), &operation).await {
                let status = answer.status.as_u16();
                let what = format!("{role} {method} {path}: {status} {}", answer.body);
                assert_eq!(status, expected(&operation, &me["permissions"]), "{what}");
                asked += 1;
            }
        }
        for path in [
            "/v1/campaigns",
            "/v1/conversations",
            "/v1/inboxes",
            "/v1/messages",
            "/v1/messages/conflicts",
            "/v1/pools",
            "/v1/senders",
        ] {
            assert_eq!(limited.get(path).await.expect(200)["data"], json!([]), "{path}");
        }
        limited.get(&format!("/v1/live?topics=campaign:{campaign}")).await.problem(404);
    }
    assert!(asked > 60, "{asked} answers");
}
