//! The list of receipts about messages that are not here.

use serde_json::json;
use store::settings::api_keys::KeyRole;
use uuid::Uuid;

use crate::harness::World;

#[tokio::test]
async fn a_viewer_sees_receipts_without_a_message_page_by_page_and_nobody_elses() {
    let world = World::start().await;
    let caller = world.caller("acme", KeyRole::Viewer).await;
    let stranger = world.caller("globex", KeyRole::Owner).await;
    let mut db = world.database.superuser().await.unwrap();
    let insert = "insert into millrace.unmatched_receipts
            (tenant_id, receipt_id, message_id, account, sid, state, code, at, next_look)
        select 'acme', lpad(n::text, 32, '0')::uuid, lpad((70 + n)::text, 32, '0')::uuid, 'main',
            'SM' || n, 21, 30003, '2026-05-01T14:00:00Z', now()
        from generate_series(1, 3) n";
    sqlx::raw_sql(insert).execute(&mut db).await.unwrap();

    let first = caller.get("/v1/unmatched-receipts?limit=2").await.expect(200);
    assert_eq!(
        first["data"][0],
        json!({
            "id": Uuid::from_u128(1), "message_id": Uuid::from_u128(0x71), "account": "main",
            "carrier_id": "SM1", "status": "failed", "code": 30003,
            "received_at": "2026-05-01T14:00:00Z",
        })
    );
    let cursor = first["next_cursor"].as_str().unwrap();
    let path = format!("/v1/unmatched-receipts?limit=2&cursor={cursor}");
    let rest = caller.get(&path).await.expect(200);
    assert_eq!(rest["data"].as_array().unwrap().len(), 1, "{rest}");
    assert_eq!(rest["data"][0]["id"], json!(Uuid::from_u128(3)));
    assert_eq!(rest["next_cursor"], json!(null));
    let others = stranger.get("/v1/unmatched-receipts").await.expect(200);
    assert_eq!(others["data"], json!([]));
    caller.get("/v1/unmatched-receipts?cursor=x").await.problem(422);
    caller.post("/v1/unmatched-receipts", &json!({})).await.problem(405);
}
