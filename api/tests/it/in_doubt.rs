//! The list of messages in doubt.

use serde_json::json;
use store::settings::api_keys::KeyRole;
use uuid::Uuid;

use crate::harness::World;

#[tokio::test]
async fn a_viewer_sees_what_is_in_doubt_page_by_page_and_nobody_elses() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let stranger = world.caller("globex", KeyRole::Owner).await;
    let mut db = world.database.superuser().await.unwrap();
    // The third is not in doubt any more; its row goes when that has been said.
    let insert = "with made as (
            insert into millrace.messages (tenant_id, message_id, state, class, channel, contact_id,
                number, body, segments, cost_micros, body_hash, submitted_at, changed_at, passport,
                code, attempt)
            select 'acme', lpad(n::text, 32, '0')::uuid, case n when 3 then 20 else 4 end, 'promo',
                'sms', gen_random_uuid(), '+12125550100', 'hello', 1, 7900, '', now(), now(), '[]',
                'timed_out', n
            from generate_series(1, 4) n
            returning tenant_id, message_id
        )
        insert into millrace.doubts (tenant_id, message_id, account, raised_at, next_look, looks)
        select tenant_id, message_id, 'main', '2026-05-01T14:00:00Z', '2026-05-01T14:00:40Z', 2
        from made";
    sqlx::raw_sql(insert).execute(&mut db).await.unwrap();

    let first = caller.get("/v1/in-doubt?limit=2").await.expect(200);
    assert_eq!(
        first["data"][0],
        json!({
            "message_id": Uuid::from_u128(1), "since": "2026-05-01T14:00:00Z", "account": "main",
            "attempt": 1, "code": "timed_out", "next_look": "2026-05-01T14:00:40Z", "looks": 2,
        })
    );
    assert_eq!(first["data"][1]["message_id"], json!(Uuid::from_u128(2)));
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = caller.get(&format!("/v1/in-doubt?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(rest["data"].as_array().unwrap().len(), 1, "{rest}");
    assert_eq!(rest["data"][0]["message_id"], json!(Uuid::from_u128(4)));
    assert_eq!(rest["next_cursor"], json!(null));
    assert_eq!(stranger.get("/v1/in-doubt").await.expect(200)["data"], json!([]));
    caller.get("/v1/in-doubt?limit=0").await.problem(422);
    caller.get("/v1/in-doubt?cursor=x").await.problem(422);
    caller.post("/v1/in-doubt", &json!({})).await.problem(405);
}
