//! `millrace keys rotate`: everything is under the first key afterwards, and nothing else is lost.

use std::time::Duration;

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{account::Access, assistant::AssistantTool, ids::TenantId};
use futures::TryStreamExt;
use jiff::Timestamp;
use pipeline::Publisher;
use store::{
    Role, Store,
    core::seal::Sealer,
    settings::{
        accounts::{self, Account},
        assistant_tools::{self, StoredTool},
        platform_accounts::{self, PlatformAccount, Share},
        sealed,
    },
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::{DeadLetter, Subject, frame::Outgoing};

use crate::world::{MASTER_KEY, World};

/// The key that is to seal from now on.
const NEW_KEY: [u8; 32] = [1; 32];

const SECRET: &[u8] = b"secret-of-the-carrier";

/// How long the mirror of accounts may take: it is compared every 30 seconds.
const MIRRORED: Duration = Duration::from_secs(45);

fn access(sid: &str, key: [u8; 32]) -> Access {
    Access {
        carrier: "twilio".into(),
        carrier_sid: sid.into(),
        base_url: "https://api.twilio.com".into(),
        sealed_token: Sealer::new(&[key]).seal(SECRET),
    }
}

/// Gives a tenant an account whose secret this key has sealed.
async fn account(
    store: &Store,
    tenant: &TenantId,
    handle: &str,
    key: [u8; 32],
) -> anyhow::Result<()> {
    let account = Account {
        handle: handle.into(),
        name: format!("name-of-{handle}"),
        access: access(handle, key),
        confirms_opt_out: true,
        created_at: Timestamp::UNIX_EPOCH,
    };
    let mut tx = store.scoped([tenant]).await?;
    assert!(accounts::create(&mut tx, tenant, &account).await?);
    Ok(tx.commit().await?)
}

/// An account of the platform that a tenant shares: its secret is stored twice.
async fn shared_account(store: &Store, tenant: &TenantId) -> anyhow::Result<()> {
    let account = PlatformAccount {
        handle: "of-all".into(),
        access: access("of-all", MASTER_KEY),
        confirms_opt_out: true,
        pace: None,
        created_at: Timestamp::UNIX_EPOCH,
    };
    assert!(platform_accounts::create(store, &account).await?);
    let share = Share { tenant: tenant.clone(), weight: 1 };
    let now = Timestamp::UNIX_EPOCH;
    assert!(platform_accounts::share(store, &account, "shared", &share, now).await?);
    Ok(())
}

/// Leaves two dead letters in one frame: one is sealed by this key, the other by the new one.
async fn letters(world: &World, tenant: &TenantId, key: [u8; 32]) -> anyhow::Result<()> {
    let letter = |id: u128, key: [u8; 32]| DeadLetter {
        id: Uuid::from_u128(id),
        tenant: tenant.clone(),
        stage: "gate".into(),
        subject: "msg.enriched.bulk".into(),
        message: None,
        turn: None,
        cause: "panicked".into(),
        detail: "an internal error".into(),
        attempts: 1,
        at: Timestamp::UNIX_EPOCH,
        sealed: Sealer::new(&[key]).seal(b"{\"text\":\"what died\"}"),
    };
    let subject = Subject::Dead("gate", Some(tenant.clone()));
    let letters = [letter(1, key), letter(2, NEW_KEY)];
    let say = letters.iter().map(|one| Outgoing::new(subject.clone(), one)).collect();
    let publisher = Publisher::new(&world.nats, "test");
    Ok(publisher.publish(say, &CancellationToken::new()).await?)
}

/// Every sealed text that the mirror of accounts holds.
async fn mirrored(world: &World) -> anyhow::Result<Vec<String>> {
    let bucket = world.nats.api.get_key_value("ACCOUNTS").await?;
    let keys: Vec<String> = bucket.keys().await?.try_collect().await?;
    let mut sealed = Vec::new();
    for key in keys {
        let value = bucket.get(key).await?.context("a value")?;
        let entry: serde_json::Value = serde_json::from_slice(&value)?;
        let tokens = entry["sealed_tokens"].as_array().into_iter().flatten();
        sealed.extend(tokens.filter_map(|token| token.as_str()).map(str::to_owned));
    }
    Ok(sealed)
}

#[tokio::test]
async fn after_a_rotation_the_first_key_alone_opens_everything_and_a_repeat_changes_nothing()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let owner = world.database.store(Role::Owner).await?;
    let (acme, bolt) = (world.database.tenant("acme").await?, world.database.tenant("bolt").await?);
    for (tenant, handle, key) in [
        (&acme, "first", MASTER_KEY),
        (&acme, "second", NEW_KEY),
        (&bolt, "third", MASTER_KEY),
        (&bolt, "lost", [9; 32]),
    ] {
        account(&owner, tenant, handle, key).await?;
    }
    let mut tx = owner.scoped([&bolt]).await?;
    accounts::remove(&mut tx, &bolt, "name-of-third", Timestamp::UNIX_EPOCH).await?;
    tx.commit().await?;
    shared_account(&owner, &acme).await?;
    letters(&world, &acme, MASTER_KEY).await?;

    let (new, old) = (STANDARD.encode(NEW_KEY), STANDARD.encode(MASTER_KEY));
    let both = [("MILLRACE_MASTER_KEY", format!("{new},{old}"))];
    let both = both.each_ref().map(|(name, value)| (*name, value.as_str()));
    let alone = [("MILLRACE_MASTER_KEY", new.as_str())];
    let api = world.start_api(&both).await?;

    let looked = world.millrace_with(&["doctor"], &alone).await?;
    looked.says("FAIL  sealed secrets: ", "do not open");

    // One is sealed by a key that nobody has: it is named, and the others go on.
    let ended = world.millrace_with(&["keys", "rotate"], &both).await?;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    ended.says("accounts: ", "4 sealed anew, 1 were already, 1 are opened by no key");
    ended.says("dead letters: ", "1 sealed anew, 1 were already");
    let named = "account name-of-lost (lost) of tenant bolt: not sealed by any key";
    assert!(ended.stderr.contains(named), "{}", ended.stderr);
    for secret in ["secret-of", &new, &old] {
        assert!(!ended.stderr.contains(secret) && !ended.stdout.contains(secret));
    }

    let mut tx = owner.scoped([&bolt]).await?;
    let mended = Sealer::new(&[MASTER_KEY]).seal(SECRET);
    let mended = sealed::SealedSecret { handle: "lost".into(), name: "".into(), sealed: mended };
    sealed::replace(&mut tx, &bolt, &[mended]).await?;
    tx.commit().await?;
    let ended = world.millrace_with(&["keys", "rotate"], &both).await?;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended.says("accounts: ", "1 sealed anew, 5 were already");
    let ended = world.millrace_with(&["keys", "rotate"], &both).await?;
    ended.says("accounts: ", "0 sealed anew, 6 were already");
    ended.says("dead letters: ", "0 sealed anew, 2 were already");

    let looked = world.millrace_with(&["doctor"], &alone).await?;
    looked.says("ok    sealed secrets: ", "the master key opens all ");

    // The older key is not needed any more: not by rows, not by letters, not by the mirror.
    let only = Sealer::new(&[NEW_KEY]);
    let mut connection = world.database.superuser().await?;
    let rows = "select sealed_token from millrace.carrier_accounts
                union all select sealed_token from millrace.platform_accounts";
    let rows: Vec<String> = sqlx::query_scalar(rows).fetch_all(&mut connection).await?;
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|sealed| only.open(sealed).as_deref() == Ok(SECRET)));

    let shown = Uuid::from_u128(1).to_string();
    let shown = world.millrace_with(&["dead", "show", &shown, "--open"], &alone).await?;
    shown.says("  \"text\"", "what died");
    let follows = async {
        loop {
            let sealed = mirrored(&world).await?;
            if sealed.len() == 5 && sealed.iter().all(|sealed| only.open(sealed).is_ok()) {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(MIRRORED, follows).await.context("the mirror does not follow")??;
    drop(api);
    Ok(())
}

#[tokio::test]
async fn secrets_of_tools_are_sealed_anew_and_tools_without_one_stay_as_they_are()
-> anyhow::Result<()> {
    let world = World::begin().await?;
    let owner = world.database.store(Role::Owner).await?;
    let acme = world.database.tenant("acme").await?;
    let mut tx = owner.scoped([&acme]).await?;
    for (name, key) in [("old", Some(MASTER_KEY)), ("new", Some(NEW_KEY)), ("open", None)] {
        let tool = AssistantTool {
            name: name.into(),
            description: "Where an order is.".into(),
            schema: serde_json::json!({ "type": "object" }),
            url: "https://orders.example.com/status".into(),
            header: key.map(|_| "x-key".into()),
            timeout_seconds: AssistantTool::TIMEOUT,
        };
        let stored = StoredTool {
            id: Uuid::new_v5(&Uuid::nil(), name.as_bytes()),
            tool,
            sealed_secret: key.map(|key| Sealer::new(&[key]).seal(SECRET)),
            created_at: Timestamp::UNIX_EPOCH,
            changed_at: Timestamp::UNIX_EPOCH,
        };
        assert!(assistant_tools::create(&mut tx, &acme, &stored).await?);
    }
    tx.commit().await?;

    let (new, old) = (STANDARD.encode(NEW_KEY), STANDARD.encode(MASTER_KEY));
    let both = format!("{new},{old}");
    let (alone, both) =
        ([("MILLRACE_MASTER_KEY", new.as_str())], [("MILLRACE_MASTER_KEY", both.as_str())]);
    let looked = world.millrace_with(&["doctor"], &alone).await?;
    looked.says("FAIL  sealed secrets: ", "1 of 2 do not open: tool old of acme");
    let looked = world.millrace_with(&["doctor"], &both).await?;
    looked.says("warn  sealed secrets: ", "1 of 2 are under an older key");

    let ended = world.millrace_with(&["keys", "rotate"], &both).await?;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    ended.says("tools: ", "1 sealed anew, 1 were already");
    let looked = world.millrace_with(&["doctor"], &alone).await?;
    looked.says("ok    sealed secrets: ", "the master key opens all 2");

    let only = Sealer::new(&[NEW_KEY]);
    let mut tx = owner.scoped([&acme]).await?;
    let tools = assistant_tools::list(&mut tx, &acme, Uuid::nil(), 10).await?;
    let sealed: Vec<String> = tools.into_iter().filter_map(|tool| tool.sealed_secret).collect();
    assert_eq!(sealed.len(), 2);
    assert!(sealed.iter().all(|sealed| only.open(sealed).as_deref() == Ok(SECRET)));
    Ok(())
}

#[tokio::test]
async fn a_secret_that_was_replaced_meanwhile_stays_as_it_is() -> anyhow::Result<()> {
    let world = World::begin().await?;
    let owner = world.database.store(Role::Owner).await?;
    let acme = world.database.tenant("acme").await?;
    shared_account(&owner, &acme).await?;

    assert!(!sealed::replace_of_platform(&owner, "of-all", "what was read", "anew").await?);
    let account = platform_accounts::get(&owner, "of-all").await?.context("an account")?;
    let before = account.access.sealed_token;
    assert!(sealed::replace_of_platform(&owner, "of-all", &before, "anew").await?);
    Ok(())
}
