//! Conversations, and what people note in them.

use serde_json::json;
use uuid::Uuid;

use super::{days_ago, settle};
use crate::world::{World, now};

#[tokio::test]
async fn a_conversation_goes_with_its_last_text_and_its_notes_like_texts() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let conversation = |n: u128, days| {
        json!({
            "tenant_id": world.tenant, "conversation_id": Uuid::from_u128(n),
            "contact_id": Uuid::from_u128(n), "sender_id": Uuid::nil(),
            "last_text_at": days_ago(days),
        })
    };
    let note = |n: u128, days| {
        json!({
            "tenant_id": world.tenant, "entry_id": Uuid::from_u128(n), "kind": "note",
            "conversation_id": Uuid::from_u128(2), "author": "key:1", "body": "Ana calls",
            "at": days_ago(days),
        })
    };
    world.insert("conversations", &[conversation(1, 401), conversation(2, 399)]).await?;
    world.insert("conversation_entries", &[note(1, 91), note(2, 89)]).await?;

    settle(&world, now()).await?;
    let left = "select string_agg(conversation_id::text, ' ') from millrace.conversations";
    assert_eq!(world.one(left).await?, Uuid::from_u128(2).to_string());
    let notes = "select string_agg(entry_id::text, ' ') from millrace.conversation_entries";
    assert_eq!(world.one(notes).await?, Uuid::from_u128(2).to_string());
    Ok(())
}
